/* SPDX-License-Identifier: MPL-2.0 */
/* Waiting until a thread of this process sleeps in the kernel. */
#ifndef ZL_TEST_UNIT_IO_THREAD_STATE_H
#define ZL_TEST_UNIT_IO_THREAD_STATE_H

#include "unit/wire/octets.h"

#include <sched.h>
#include <stdio.h>

/* `id`: what gettid() says in that thread. A thread that never sleeps ends as a time-out. */
static inline void await_thread_sleep(int id)
{
    char path[64], state = '?';
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", id);
    while (state != 'S') {
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        assert_int_equal(fscanf(file, "%*d (%*[^)]) %c", &state), 1);
        fclose(file);
        sched_yield();
    }
}

#endif
