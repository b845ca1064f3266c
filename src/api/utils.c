/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The parts of zmq.h that need no context: errors, versions, capabilities, keys, counters,
 * stopwatch and threads.
 */
#define _GNU_SOURCE /* pthread_setname_np */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "wire/z85.h"
#include "zlink.h"
#include "zmq.h"

/* ---- errors and versions ---------------------------------------------------------------- */

static const struct {
    int number;
    const char *text;
} error_texts[] = {
    {EFSM, "Operation cannot be accomplished in current state"},
    {ENOCOMPATPROTO, "The protocol is not compatible with the socket type"},
    {ETERM, "Context was terminated"},
    {EMTHREAD, "No thread available"},
    {EHOSTUNREACH, "Host unreachable"},
};

int zmq_errno(void)
{
    return errno;
}

const char *zmq_strerror(int errnum)
{
    for (size_t i = 0; i < sizeof(error_texts) / sizeof(error_texts[0]); i++) {
        if (error_texts[i].number == errnum)
            return error_texts[i].text;
    }
    return strerror(errnum);
}

void zmq_version(int *major, int *minor, int *patch)
{
    *major = ZMQ_VERSION_MAJOR;
    *minor = ZMQ_VERSION_MINOR;
    *patch = ZMQ_VERSION_PATCH;
}

void zlink_version(int *major, int *minor, int *patch)
{
    *major = ZLINK_VERSION_MAJOR;
    *minor = ZLINK_VERSION_MINOR;
    *patch = ZLINK_VERSION_PATCH;
}

/* ---- capabilities ----------------------------------------------------------------------- */

static const struct {
    const char *name;
    int present;
} capabilities[] = {
    {"ipc", 1}, {"draft", 1}, {"curve", 0}, {"WS", 1},   {"WSS", 1},  {"ws", 1},    {"wss", 1},
    {"tls", 1}, {"pgm", 0},   {"norm", 0},  {"tipc", 0}, {"vmci", 0}, {"vsock", 0}, {"gssapi", 0},
};

int zmq_has(const char *capability)
{
    for (size_t i = 0; capability && i < sizeof(capabilities) / sizeof(capabilities[0]); i++) {
        if (strcmp(capabilities[i].name, capability) == 0)
            return capabilities[i].present;
    }
    return 0;
}

/* ---- Z85 and CURVE keys ----------------------------------------------------------------- */

char *zmq_z85_encode(char *text, const uint8_t *data, size_t size)
{
    if (zl_z85_encode(text, data, size) < 0) {
        errno = EINVAL;
        return NULL;
    }
    text[size / 4 * 5] = '\0';
    return text;
}

uint8_t *zmq_z85_decode(uint8_t *data, const char *text)
{
    size_t length = strlen(text);

    if (length == 0 || zl_z85_decode(data, text, length) < 0) {
        errno = EINVAL;
        return NULL;
    }
    return data;
}

int zmq_curve_keypair(char *public_key, char *secret_key)
{
    (void)public_key;
    (void)secret_key;
    errno = ENOTSUP; /* as zmq_has("curve") says */
    return -1;
}

int zmq_curve_public(char *public_key, const char *secret_key)
{
    (void)public_key;
    (void)secret_key;
    errno = ENOTSUP;
    return -1;
}

/* ---- atomic counters -------------------------------------------------------------------- */

struct counter {
    atomic_int value;
};

void *zmq_atomic_counter_new(void)
{
    struct counter *counter = malloc(sizeof(*counter));

    if (!counter) {
        errno = ENOMEM;
        return NULL;
    }
    atomic_init(&counter->value, 0);
    return counter;
}

void zmq_atomic_counter_set(void *counter, int value)
{
    atomic_store(&((struct counter *)counter)->value, value);
}

int zmq_atomic_counter_inc(void *counter)
{
    return atomic_fetch_add(&((struct counter *)counter)->value, 1);
}

int zmq_atomic_counter_dec(void *counter)
{
    return atomic_fetch_sub(&((struct counter *)counter)->value, 1) != 1;
}

int zmq_atomic_counter_value(void *counter)
{
    return atomic_load(&((struct counter *)counter)->value);
}

void zmq_atomic_counter_destroy(void **counter)
{
    free(*counter);
    *counter = NULL;
}

/* ---- stopwatch, sleep ------------------------------------------------------------------- */

struct stopwatch {
    uint64_t start_ns;
};

void *zmq_stopwatch_start(void)
{
    struct stopwatch *watch = malloc(sizeof(*watch));

    if (!watch) {
        errno = ENOMEM;
        return NULL;
    }
    watch->start_ns = zl_now_ns();
    return watch;
}

unsigned long zmq_stopwatch_intermediate(void *watch)
{
    return (unsigned long)((zl_now_ns() - ((struct stopwatch *)watch)->start_ns) / 1000);
}

unsigned long zmq_stopwatch_stop(void *watch)
{
    unsigned long elapsed = zmq_stopwatch_intermediate(watch);

    free(watch);
    return elapsed;
}

void zmq_sleep(int seconds)
{
    struct timespec time = {.tv_sec = seconds};

    if (seconds > 0)
        nanosleep(&time, NULL);
}

/* ---- threads ---------------------------------------------------------------------------- */

struct thread {
    pthread_t id;
    zmq_thread_fn *function;
    void *arg;
};

static void *run_thread(void *arg)
{
    const struct thread *thread = arg;

#ifdef __linux__
    pthread_setname_np(pthread_self(), "ZMQapp");
#endif
    thread->function(thread->arg);
    return NULL;
}

/* The thread inherits the mask, so that not even its first instruction sees a signal. */
static int start_without_signals(struct thread *thread)
{
    sigset_t all, former;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &former);
    error = pthread_create(&thread->id, NULL, run_thread, thread);
    pthread_sigmask(SIG_SETMASK, &former, NULL);
    return error;
}

void *zmq_threadstart(zmq_thread_fn *function, void *arg)
{
    struct thread *thread;
    int error;

    if (!function) {
        errno = EFAULT;
        return NULL;
    }
    thread = malloc(sizeof(*thread));
    if (!thread) {
        errno = ENOMEM;
        return NULL;
    }
    thread->function = function;
    thread->arg = arg;
    error = start_without_signals(thread);
    if (error != 0) {
        free(thread);
        errno = error;
        return NULL;
    }
    return thread;
}

void zmq_threadclose(void *thread)
{
    if (!thread)
        return;
    pthread_join(((struct thread *)thread)->id, NULL);
    free(thread);
}
