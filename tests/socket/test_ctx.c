/* SPDX-License-Identifier: MPL-2.0 */
/* Contexts: options, limits, shutdown, threads and descriptors they own. */
#include "support/test_support.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static void bad_handles(void **state)
{
    (void)state;
    static char no_context[4096];
    void *handles[] = {NULL, no_context};
    for (int i = 0; i < 2; ++i) {
        ts_error(zmq_ctx_term(handles[i]), EFAULT);
        ts_error(zmq_term(handles[i]), EFAULT);
        ts_error(zmq_ctx_destroy(handles[i]), EFAULT);
        ts_error(zmq_ctx_shutdown(handles[i]), EFAULT);
        ts_error(zmq_ctx_set(handles[i], ZMQ_IO_THREADS, 1), EFAULT);
        ts_error(zmq_ctx_get(handles[i], ZMQ_IO_THREADS), EFAULT);
        errno = 0;
        ts_check(zmq_socket(handles[i], ZMQ_PAIR) == NULL);
        ts_value(zmq_errno(), EFAULT);
    }
}

static void defaults(void **state)
{
    (void)state;
    static const struct {
        int option, value;
    } rows[] = {{ZMQ_IO_THREADS, 1},      {ZMQ_MAX_SOCKETS, 1023},    {ZMQ_SOCKET_LIMIT, 65535},
                {ZMQ_MAX_MSGSZ, INT_MAX}, {ZMQ_MSG_T_SIZE, 64},       {ZMQ_IPV6, 0},
                {ZMQ_BLOCKY, 1},          {ZMQ_THREAD_NAME_PREFIX, 0}};
    void *context = ts_context();
    for (size_t i = 0; i < TS_COUNT(rows); ++i)
        if (zmq_ctx_get(context, rows[i].option) != rows[i].value)
            ts_fail("context option %d is %d, not %d", rows[i].option,
                    zmq_ctx_get(context, rows[i].option), rows[i].value);
    errno = 0;
    ts_value(zmq_ctx_get(context, ZMQ_THREAD_SCHED_POLICY), -1);
    ts_value(zmq_errno(), 0);
    ts_terminate(context);
}

static void option_values(void **state)
{
    (void)state;
    static const struct {
        int option, value;
        bool valid, readable;
    } rows[] = {
        {ZMQ_IO_THREADS, 0, true, true},
        {ZMQ_IO_THREADS, 4, true, true},
        {ZMQ_IO_THREADS, -1, false, true},
        {ZMQ_MAX_SOCKETS, 1, true, true},
        {ZMQ_MAX_SOCKETS, 5000, true, true},
        {ZMQ_MAX_SOCKETS, 0, false, true},
        {ZMQ_MAX_SOCKETS, -1, false, true},
        {ZMQ_MAX_MSGSZ, 1000, true, true},
        {ZMQ_MAX_MSGSZ, -1, false, true},
        {ZMQ_IPV6, 1, true, true},
        {ZMQ_IPV6, -1, false, true},
        {ZMQ_BLOCKY, 0, true, true},
        {ZMQ_BLOCKY, -1, false, true},
        {ZMQ_THREAD_SCHED_POLICY, 0, true, true},
        {ZMQ_THREAD_SCHED_POLICY, -1, false, true},
        {ZMQ_THREAD_PRIORITY, -1, false, false},
        {ZMQ_THREAD_NAME_PREFIX, 1234, true, true},
        {ZMQ_THREAD_AFFINITY_CPU_ADD, 0, true, false},
        {ZMQ_THREAD_AFFINITY_CPU_ADD, -1, false, false},
        {ZMQ_THREAD_AFFINITY_CPU_REMOVE, 5, false, false},
        {ZMQ_MSG_T_SIZE, 64, false, false},
        {0, 1, false, false},
        {99, 1, false, false},
        {-1, 1, false, false},
    };
    for (size_t i = 0; i < TS_COUNT(rows); ++i) {
        void *context = ts_context();
        int rc = zmq_ctx_set(context, rows[i].option, rows[i].value);
        if (rc != (rows[i].valid ? 0 : -1) || (rc == -1 && zmq_errno() != EINVAL))
            ts_fail("setting context option %d to %d returned %d", rows[i].option, rows[i].value,
                    rc);
        if (rows[i].valid && rows[i].readable)
            ts_value(zmq_ctx_get(context, rows[i].option), rows[i].value);
        ts_terminate(context);
    }
    void *context = ts_context();
    static const int unreadable[] = {ZMQ_THREAD_AFFINITY_CPU_ADD, ZMQ_THREAD_AFFINITY_CPU_REMOVE, 0,
                                     99, -1};
    for (size_t i = 0; i < TS_COUNT(unreadable); ++i)
        ts_error(zmq_ctx_get(context, unreadable[i]), EINVAL);
    ts_terminate(context);
}

static void unknown_socket_types(void **state)
{
    (void)state;
    static const int types[] = {-1, 99, INT_MAX, INT_MIN};
    void *context = ts_context();
    for (size_t i = 0; i < TS_COUNT(types); ++i) {
        errno = 0;
        ts_check(zmq_socket(context, types[i]) == NULL);
        ts_value(zmq_errno(), EINVAL);
    }
    ts_terminate(context);
}

static void socket_limit(void **state)
{
    (void)state;
    void *sockets[3];
    void *context = ts_context();
    ts_ok(zmq_ctx_set(context, ZMQ_MAX_SOCKETS, 3));
    for (int i = 0; i < 3; ++i)
        sockets[i] = ts_socket(context, ZMQ_PAIR);
    errno = 0;
    ts_check(zmq_socket(context, ZMQ_PAIR) == NULL);
    ts_value(zmq_errno(), EMFILE);
    /* Too late to take effect, but accepted and reported. */
    ts_ok(zmq_ctx_set(context, ZMQ_MAX_SOCKETS, 10));
    ts_value(zmq_ctx_get(context, ZMQ_MAX_SOCKETS), 10);
    ts_check(zmq_socket(context, ZMQ_PAIR) == NULL);
    /* A closed socket gives its place back soon. */
    ts_close(sockets[1]);
    int64_t deadline = ts_now_ms() + TS_TIMEOUT_MS;
    while (!(sockets[1] = zmq_socket(context, ZMQ_PAIR)))
        ts_check(zmq_errno() == EMFILE && ts_now_ms() < deadline);
    for (int i = 0; i < 3; ++i)
        ts_close(sockets[i]);
    ts_terminate(context);
}

static void sockets_inherit_defaults(void **state)
{
    (void)state;
    void *context = ts_context();
    void *before = zmq_socket(context, ZMQ_PAIR);
    ts_ok(zmq_ctx_set(context, ZMQ_IPV6, 1));
    ts_ok(zmq_ctx_set(context, ZMQ_BLOCKY, 0));
    void *after = zmq_socket(context, ZMQ_PAIR);
    ts_value(ts_get_int(before, ZMQ_IPV6), 0);
    ts_value(ts_get_int(before, ZMQ_LINGER), -1);
    ts_value(ts_get_int(after, ZMQ_IPV6), 1);
    ts_value(ts_get_int(after, ZMQ_LINGER), 0);
    ts_close(before);
    ts_close(after);
    ts_terminate(context);
}

static void without_io_threads_only_inproc_works(void **state)
{
    (void)state;
    static const char *network[] = {"tcp://127.0.0.1:*", "tcp://127.0.0.1:1", "ipc://@nobody"};
    void *context = ts_context();
    ts_ok(zmq_ctx_set(context, ZMQ_IO_THREADS, 0));
    void *push = ts_socket(context, ZMQ_PUSH), *pull = ts_socket(context, ZMQ_PULL);
    for (size_t i = 0; i < TS_COUNT(network); ++i) {
        ts_error(zmq_bind(pull, network[i]), EMTHREAD);
        if (i > 0)
            ts_error(zmq_connect(push, network[i]), EMTHREAD);
    }
    ts_ok(zmq_bind(pull, "inproc://x"));
    ts_ok(zmq_connect(push, "inproc://x"));
    ts_send(push, "x", 0);
    ts_recv(pull, "x");
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
}

static void affinity_selects_io_threads(void **state)
{
    (void)state;
    static const struct {
        uint64_t mask;
        bool usable;
    } rows[] = {{0, true}, {1, true}, {2, true}, {3, true}, {4, false}, {6, true}};
    void *context = ts_context();
    ts_ok(zmq_ctx_set(context, ZMQ_IO_THREADS, 2));
    for (size_t i = 0; i < TS_COUNT(rows); ++i) {
        char endpoint[TS_ENDPOINT_MAX];
        void *push = ts_socket(context, ZMQ_PUSH), *pull = ts_socket(context, ZMQ_PULL);
        ts_bind(pull, "tcp", endpoint);
        ts_set_bytes(push, ZMQ_AFFINITY, &rows[i].mask, sizeof rows[i].mask);
        if (rows[i].usable) {
            ts_ok(zmq_connect(push, endpoint));
            ts_send(push, "x", 0);
            ts_recv(pull, "x");
        } else {
            ts_error(zmq_connect(push, endpoint), EMTHREAD);
            ts_error(zmq_bind(push, "tcp://127.0.0.1:*"), EMTHREAD);
        }
        ts_close(push);
        ts_close(pull);
    }
    ts_terminate(context);
}

static void shutdown_ends_every_operation(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    int value = 1;
    size_t size = sizeof value;
    void *context = ts_context();
    void *socket = ts_socket(context, ZMQ_PAIR), *peer = ts_socket(context, ZMQ_PAIR);
    ts_bind(socket, *state, endpoint);
    ts_ok(zmq_connect(peer, endpoint));
    ts_ok(zmq_ctx_shutdown(context));
    ts_ok(zmq_ctx_shutdown(context));
    ts_error(zmq_recv(socket, NULL, 0, 0), ETERM);
    ts_error(zmq_recv(socket, NULL, 0, ZMQ_DONTWAIT), ETERM);
    ts_error(zmq_send(socket, "x", 1, 0), ETERM);
    ts_error(zmq_send(socket, "x", 1, ZMQ_DONTWAIT), ETERM);
    ts_error(zmq_bind(socket, "inproc://other"), ETERM);
    ts_error(zmq_connect(socket, "inproc://other"), ETERM);
    ts_error(zmq_unbind(socket, endpoint), ETERM);
    ts_error(zmq_disconnect(peer, endpoint), ETERM);
    ts_error(zmq_setsockopt(socket, ZMQ_LINGER, &value, sizeof value), ETERM);
    ts_error(zmq_getsockopt(socket, ZMQ_LINGER, &value, &size), ETERM);
    ts_error(zmq_getsockopt(socket, ZMQ_EVENTS, &value, &size), ETERM);
    ts_error(zmq_socket_monitor(socket, "inproc://monitor", ZMQ_EVENT_ALL), ETERM);
    errno = 0;
    ts_check(zmq_socket(context, ZMQ_PAIR) == NULL);
    ts_value(zmq_errno(), ETERM);
    ts_value(zmq_ctx_get(context, ZMQ_IO_THREADS), 1);
    ts_ok(zmq_ctx_set(context, ZMQ_IPV6, 1));
    ts_close(socket);
    ts_close(peer);
    ts_terminate(context);
}

static void shutdown_before_the_first_socket(void **state)
{
    (void)state;
    void *context = ts_context();
    ts_ok(zmq_ctx_shutdown(context));
    ts_check(zmq_socket(context, ZMQ_PAIR) == NULL);
    ts_value(zmq_errno(), ETERM);
    ts_terminate(context);
}

static void contexts_are_independent(void **state)
{
    (void)state;
    enum { COUNT = 20 };
    void *contexts[COUNT], *sockets[COUNT];
    for (int i = 0; i < COUNT; ++i) {
        contexts[i] = ts_context();
        sockets[i] = ts_socket(contexts[i], ZMQ_PULL);
        /* The same inproc name in each; a name of another context is not found. */
        ts_ok(zmq_bind(sockets[i], "inproc://name"));
    }
    for (int i = 0; i < COUNT; ++i) {
        void *push = ts_socket(contexts[i], ZMQ_PUSH);
        ts_ok(zmq_connect(push, "inproc://name"));
        ts_send_bytes(push, &i, sizeof i, 0);
        ts_close(push);
    }
    for (int i = COUNT - 1; i >= 0; --i) {
        ts_recv_bytes(sockets[i], &i, sizeof i, false);
        ts_recv_nothing(sockets[i]);
        ts_close(sockets[i]);
        ts_terminate(contexts[i]);
    }
}

/* ---- threads and descriptors ------------------------------------------------------------ */

/* The name of a thread of this process that contains `text`, or NULL; its id in *id. */
static bool find_thread(const char *text, char name[64], int *id)
{
    DIR *directory = opendir("/proc/self/task");
    bool found = false;
    for (struct dirent *entry; !found && (entry = readdir(directory));) {
        char path[300];
        snprintf(path, sizeof path, "/proc/self/task/%s/comm", entry->d_name);
        FILE *file = isdigit((unsigned char)entry->d_name[0]) ? fopen(path, "r") : NULL;
        if (!file)
            continue;
        found = fgets(name, 64, file) && strstr(name, text);
        *id = atoi(entry->d_name);
        fclose(file);
    }
    closedir(directory);
    if (found)
        name[strcspn(name, "\n")] = 0;
    return found;
}

static uint64_t blocked_signals(int id)
{
    char path[64], line[256];
    unsigned long long mask = 0;
    snprintf(path, sizeof path, "/proc/self/task/%d/status", id);
    FILE *file = fopen(path, "r");
    ts_check(file != NULL);
    while (fgets(line, sizeof line, file))
        if (strncmp(line, "SigBlk:", 7) == 0)
            mask = strtoull(line + 7, NULL, 16);
    fclose(file);
    return mask;
}

static void io_threads_have_names_and_block_signals(void **state)
{
    (void)state;
    char name[64], endpoint[TS_ENDPOINT_MAX];
    int id = 0;
    void *context = ts_context();
    ts_ok(zmq_ctx_set(context, ZMQ_THREAD_NAME_PREFIX, 7));
    void *socket = ts_socket(context, ZMQ_PAIR);
    ts_bind(socket, "tcp", endpoint);
    int64_t deadline = ts_now_ms() + TS_TIMEOUT_MS;
    while (!find_thread("ZMQbg/IO/0", name, &id))
        ts_check(ts_now_ms() < deadline);
    assert_string_equal(name, "7/ZMQbg/IO/0");
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGALRM, SIGUSR1, SIGCHLD};
    uint64_t mask = blocked_signals(id);
    for (size_t i = 0; i < TS_COUNT(signals); ++i)
        ts_check(mask >> (signals[i] - 1) & 1);
    ts_close(socket);
    ts_terminate(context);
    ts_check(!find_thread("ZMQbg", name, &id));
}

enum { DESCRIPTORS = 1024 };

/* How many descriptors are open. Those not open before must be close-on-exec. */
static int count_descriptors(const bool before[DESCRIPTORS])
{
    int count = 0;
    for (int fd = 0; fd < DESCRIPTORS; ++fd) {
        int flags = fcntl(fd, F_GETFD);
        if (flags == -1)
            continue;
        ++count;
        if (!before[fd] && !(flags & FD_CLOEXEC))
            ts_fail("descriptor %d is inherited by other programs", fd);
    }
    return count;
}

static void descriptors_are_closed_on_exec_and_at_the_end(void **state)
{
    (void)state;
    bool before[DESCRIPTORS];
    int count = 0;
    for (int fd = 0; fd < DESCRIPTORS; ++fd)
        count += before[fd] = fcntl(fd, F_GETFD) != -1;
    for (int round = 0; round < 5; ++round) {
        void *context = ts_context();
        static const char *transports[] = {"inproc", "ipc", "tcp"};
        for (int i = 0; i < 3; ++i) {
            void *push = ts_socket(context, ZMQ_PUSH), *pull = ts_socket(context, ZMQ_PULL);
            ts_connect_pair(context, pull, push, transports[i]);
            ts_send(push, "x", 0);
            ts_recv(pull, "x");
            ts_get_int(pull, ZMQ_FD);
            ts_check(count_descriptors(before) > count);
            ts_close(push);
            ts_close(pull);
        }
        ts_terminate(context);
        ts_value(count_descriptors(before), count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_handles),
        cmocka_unit_test(defaults),
        cmocka_unit_test(option_values),
        cmocka_unit_test(unknown_socket_types),
        cmocka_unit_test(socket_limit),
        cmocka_unit_test(sockets_inherit_defaults),
        cmocka_unit_test(without_io_threads_only_inproc_works),
        cmocka_unit_test(affinity_selects_io_threads),
        TS_ON_ALL(shutdown_ends_every_operation),
        cmocka_unit_test(shutdown_before_the_first_socket),
        cmocka_unit_test(contexts_are_independent),
        cmocka_unit_test(io_threads_have_names_and_block_signals),
        cmocka_unit_test(descriptors_are_closed_on_exec_and_at_the_end),
    };
    return TS_RUN(tests);
}
