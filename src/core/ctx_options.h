/* SPDX-License-Identifier: MPL-2.0 */
/* Context options: their storage and the table that rules them. */
#ifndef ZL_CORE_CTX_OPTIONS_H
#define ZL_CORE_CTX_OPTIONS_H

#ifndef ZMQ_BUILD_DRAFT_API
#define ZMQ_BUILD_DRAFT_API
#endif
#include <zmq.h>

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#define ZL_CTX_CPUS_MAX 1024
#define ZL_CTX_THREAD_NAME_PREFIX_MAX 16
#define ZL_CTX_SOCKET_LIMIT 65535

/* A set of CPU numbers below ZL_CTX_CPUS_MAX. */
struct zl_cpu_set {
    unsigned char bits[ZL_CTX_CPUS_MAX / CHAR_BIT];
};

/* The options of a context, guarded by the lock of the context. Read the fields directly; write
 * them only through zl_ctx_options_set(). Those about threads are read when the threads start. */
struct zl_ctx_options {
    int io_threads; /* 0: inproc only */
    int max_sockets;
    int max_msgsz;           /* reported only */
    int thread_priority;     /* -1 not set */
    int thread_sched_policy; /* -1 not set */
    struct zl_cpu_set cpus;  /* CPUs for the library's threads; empty: all */
    char thread_name_prefix[ZL_CTX_THREAD_NAME_PREFIX_MAX + 1];
    bool zero_copy_recv;
    bool ipv6;
    bool blocky;
};

void zl_ctx_options_init(struct zl_ctx_options *options);

/* zmq_ctx_set. 0; -EINVAL unknown option or value out of range. */
int zl_ctx_options_set(struct zl_ctx_options *options, int option, int value);

/* zmq_ctx_get, with the value in `*value` because a value may be negative (-1 is the default of
 * ZMQ_THREAD_SCHED_POLICY). 0; -EINVAL unknown or not readable as an int. */
int zl_ctx_options_get(const struct zl_ctx_options *options, int option, int *value);

/* zmq_ctx_set_ext: any option as an int of 4 bytes, or ZMQ_THREAD_NAME_PREFIX as a text of 1 to 16
 * bytes, but not of 4, since 4 bytes are an int. 0 or -EINVAL. */
int zl_ctx_options_set_ext(struct zl_ctx_options *options, int option, const void *value,
                           size_t size);

/* zmq_ctx_get_ext. `*size` is read, never written. An int needs exactly 4 bytes; the thread name
 * prefix a buffer of at least its length, and is written without NUL. 0 or -EINVAL. */
int zl_ctx_options_get_ext(const struct zl_ctx_options *options, int option, void *value,
                           const size_t *size);

bool zl_cpu_set_contains(const struct zl_cpu_set *set, int cpu);
bool zl_cpu_set_is_empty(const struct zl_cpu_set *set);

#endif
