/* SPDX-License-Identifier: MPL-2.0 */

/* The shared block and its counters: waiting is done in the kernel (futex), so it costs the
 * measured side nothing. */
#define _GNU_SOURCE
#include "shared.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "peers.h"

struct shared *shared_create(void)
{
    void *block = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED)
        fatal(EXIT_FAILED, "cannot map shared memory: %s", strerror(errno));
    return block;
}

static void wake_all(_Atomic uint32_t *counter)
{
    syscall(SYS_futex, (uint32_t *)counter, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

uint32_t counter_add(_Atomic uint32_t *counter)
{
    uint32_t value = atomic_fetch_add(counter, 1) + 1;
    wake_all(counter);
    return value;
}

void counter_set(_Atomic uint32_t *counter, uint32_t value)
{
    atomic_store(counter, value);
    wake_all(counter);
}

bool counter_wait(_Atomic uint32_t *counter, uint32_t target, int timeout_ms)
{
    struct timespec limit = {timeout_ms / 1000, (long)(timeout_ms % 1000) * 1000000};
    uint32_t value;

    while ((value = atomic_load(counter)) < target) {
        long rc = syscall(SYS_futex, (uint32_t *)counter, FUTEX_WAIT, value,
                          timeout_ms < 0 ? NULL : &limit, NULL, 0);
        if (rc < 0 && errno == ETIMEDOUT)
            return atomic_load(counter) >= target;
    }
    return true;
}
