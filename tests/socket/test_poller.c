/* SPDX-License-Identifier: MPL-2.0 */
/* zmq_poller (a draft interface, so a stable libzmq cannot run this file). */
#include "support/setups.h"
#include "support/test_support.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static void *open_poller(void)
{
    void *poller = zmq_poller_new();
    ts_check(poller != NULL);
    return poller;
}

static void expect_event(const zmq_poller_event_t *event, void *socket, int fd, void *user_data,
                         int events)
{
    ts_check(event->socket == socket);
    ts_value(event->fd, fd);
    ts_check(event->user_data == user_data);
    ts_value(event->events, events);
}

static void bad_handles(void **state)
{
    (void)state;
    static char no_poller[4096];
    void *handles[] = {NULL, no_poller};
    zmq_poller_event_t event;
    zmq_fd_t fd;
    void *context = ts_context();
    void *socket = ts_socket(context, ZMQ_PAIR);
    ts_error(zmq_poller_destroy(NULL), EFAULT);
    for (int i = 0; i < 2; ++i) {
        void *poller = handles[i];
        ts_error(zmq_poller_destroy(&handles[i]), EFAULT);
        ts_error(zmq_poller_size(poller), EFAULT);
        ts_error(zmq_poller_add(poller, socket, NULL, ZMQ_POLLIN), EFAULT);
        ts_error(zmq_poller_modify(poller, socket, ZMQ_POLLIN), EFAULT);
        ts_error(zmq_poller_remove(poller, socket), EFAULT);
        ts_error(zmq_poller_add_fd(poller, 0, NULL, ZMQ_POLLIN), EFAULT);
        ts_error(zmq_poller_modify_fd(poller, 0, ZMQ_POLLIN), EFAULT);
        ts_error(zmq_poller_remove_fd(poller, 0), EFAULT);
        ts_error(zmq_poller_wait(poller, &event, 0), EFAULT);
        ts_error(zmq_poller_wait_all(poller, &event, 1, 0), EFAULT);
        ts_error(zmq_poller_fd(poller, &fd), EFAULT);
    }
    ts_close(socket);
    ts_terminate(context);
}

/* The order of the checks: poller, socket or descriptor, events, registration. */
static void bad_arguments(void **state)
{
    (void)state;
    static char no_socket[4096];
    zmq_poller_event_t event;
    zmq_fd_t fd;
    void *poller = open_poller(), *context = ts_context();
    void *socket = ts_socket(context, ZMQ_PAIR);
    ts_error(zmq_poller_add(poller, NULL, NULL, ZMQ_POLLIN), ENOTSOCK);
    ts_error(zmq_poller_add(poller, no_socket, NULL, 64), ENOTSOCK);
    ts_error(zmq_poller_add(poller, socket, NULL, 64), EINVAL);
    ts_error(zmq_poller_modify(poller, NULL, 64), ENOTSOCK);
    ts_error(zmq_poller_modify(poller, socket, 64), EINVAL);
    ts_error(zmq_poller_modify(poller, socket, ZMQ_POLLIN), EINVAL);
    ts_error(zmq_poller_remove(poller, no_socket), ENOTSOCK);
    ts_error(zmq_poller_remove(poller, socket), EINVAL);
    ts_error(zmq_poller_add_fd(poller, -1, NULL, 64), EBADF);
    ts_error(zmq_poller_add_fd(poller, 0, NULL, 64), EINVAL);
    ts_error(zmq_poller_modify_fd(poller, -1, ZMQ_POLLIN), EBADF);
    ts_error(zmq_poller_modify_fd(poller, 0, ZMQ_POLLIN), EINVAL);
    ts_error(zmq_poller_remove_fd(poller, -1), EBADF);
    ts_error(zmq_poller_remove_fd(poller, 0), EINVAL);
    ts_ok(zmq_poller_add(poller, socket, NULL, ZMQ_POLLIN));
    ts_error(zmq_poller_add(poller, socket, NULL, ZMQ_POLLIN), EINVAL);
    ts_ok(zmq_poller_add_fd(poller, 0, NULL, 0));
    ts_error(zmq_poller_add_fd(poller, 0, NULL, 0), EINVAL);
    ts_error(zmq_poller_wait_all(poller, NULL, 1, 0), EFAULT);
    ts_error(zmq_poller_wait_all(poller, &event, -1, 0), EINVAL);
    ts_error(zmq_poller_fd(poller, &fd), EINVAL); /* only with a thread-safe socket */
    ts_ok(zmq_poller_destroy(&poller));
    ts_check(poller == NULL);
    ts_close(socket);
    ts_terminate(context);
}

static void size_follows_registrations(void **state)
{
    (void)state;
    void *poller = open_poller(), *context = ts_context();
    void *socket = ts_socket(context, ZMQ_PAIR);
    ts_value(zmq_poller_size(poller), 0);
    ts_ok(zmq_poller_add(poller, socket, NULL, ZMQ_POLLIN));
    ts_value(zmq_poller_size(poller), 1);
    ts_ok(zmq_poller_add_fd(poller, 0, NULL, ZMQ_POLLIN));
    ts_value(zmq_poller_size(poller), 2);
    ts_ok(zmq_poller_modify(poller, socket, 0));
    ts_value(zmq_poller_size(poller), 2);
    ts_ok(zmq_poller_remove(poller, socket));
    ts_ok(zmq_poller_remove_fd(poller, 0));
    ts_value(zmq_poller_size(poller), 0);
    ts_ok(zmq_poller_add(poller, socket, NULL, ZMQ_POLLIN));
    ts_ok(zmq_poller_destroy(&poller));
    ts_close(socket);
    ts_terminate(context);
}

/* Timeouts are EAGAIN, waiting for nothing without end is EFAULT, and a failed wait clears. */
static void nothing_happens(void **state)
{
    struct ts_push_pull pair = ts_open_push_pull(*state);
    zmq_poller_event_t event = {.socket = &pair, .fd = 5, .user_data = &pair, .events = 9};
    void *poller = open_poller();
    ts_error(zmq_poller_wait(poller, &event, -1), EFAULT);
    expect_event(&event, NULL, -1, NULL, 0);
    ts_error(zmq_poller_wait(poller, &event, 0), EAGAIN);
    ts_error(zmq_poller_wait(poller, &event, 5), EAGAIN);
    ts_ok(zmq_poller_add(poller, pair.pull, NULL, 0));
    ts_error(zmq_poller_wait(poller, &event, -1), EFAULT);
    ts_error(zmq_poller_wait(poller, &event, 5), EAGAIN);
    ts_ok(zmq_poller_modify(poller, pair.pull, ZMQ_POLLIN));
    event.socket = &pair;
    int64_t start = ts_now_ms();
    ts_error(zmq_poller_wait(poller, &event, 20), EAGAIN);
    ts_check(ts_now_ms() - start >= 19);
    expect_event(&event, NULL, -1, NULL, 0);
    ts_error(zmq_poller_wait_all(poller, &event, 1, 0), EAGAIN);
    ts_ok(zmq_poller_destroy(&poller));
    ts_close_push_pull(&pair);
}

static void sockets_report_events(void **state)
{
    struct ts_push_pull pair = ts_open_push_pull(*state);
    zmq_poller_event_t events[4];
    int tag;
    void *poller = open_poller();
    ts_ok(zmq_poller_add(poller, pair.pull, &tag, ZMQ_POLLIN | ZMQ_POLLOUT));
    ts_ok(zmq_poller_add(poller, pair.push, pair.push, ZMQ_POLLOUT));
    ts_value(zmq_poller_wait_all(poller, events, 4, TS_TIMEOUT_MS), 1);
    expect_event(&events[0], pair.push, -1, pair.push, ZMQ_POLLOUT);
    for (int i = 1; i < 4; ++i)
        expect_event(&events[i], NULL, -1, NULL, 0);
    ts_send(pair.push, "x", 0);
    ts_wait_readable(pair.pull);
    ts_value(zmq_poller_wait_all(poller, events, 4, -1), 2); /* in the order of registration */
    expect_event(&events[0], pair.pull, -1, &tag, ZMQ_POLLIN);
    expect_event(&events[1], pair.push, -1, pair.push, ZMQ_POLLOUT);
    ts_value(zmq_poller_wait_all(poller, events, 1, -1), 1);
    expect_event(&events[0], pair.pull, -1, &tag, ZMQ_POLLIN);
    ts_ok(zmq_poller_modify(poller, pair.push, 0));
    for (int i = 0; i < 3; ++i) { /* level-triggered */
        ts_value(zmq_poller_wait(poller, &events[0], -1), 0);
        expect_event(&events[0], pair.pull, -1, &tag, ZMQ_POLLIN);
    }
    ts_recv(pair.pull, "x");
    ts_error(zmq_poller_wait(poller, &events[0], 0), EAGAIN);
    ts_ok(zmq_poller_remove(poller, pair.pull));
    ts_ok(zmq_poller_modify(poller, pair.push, ZMQ_POLLOUT));
    ts_value(zmq_poller_wait_all(poller, events, 4, -1), 1);
    expect_event(&events[0], pair.push, -1, pair.push, ZMQ_POLLOUT);
    ts_ok(zmq_poller_destroy(&poller));
    ts_close_push_pull(&pair);
}

static void descriptors_report_events(void **state)
{
    (void)state;
    int ends[2], tag;
    zmq_poller_event_t event;
    void *poller = open_poller();
    ts_ok(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    ts_ok(zmq_poller_add_fd(poller, ends[0], &tag, ZMQ_POLLIN));
    ts_error(zmq_poller_wait(poller, &event, 0), EAGAIN);
    ts_value(write(ends[1], "x", 1), 1);
    ts_value(zmq_poller_wait(poller, &event, -1), 0);
    expect_event(&event, NULL, ends[0], &tag, ZMQ_POLLIN);
    ts_ok(zmq_poller_modify_fd(poller, ends[0], ZMQ_POLLIN | ZMQ_POLLOUT));
    ts_value(zmq_poller_wait(poller, &event, -1), 0);
    expect_event(&event, NULL, ends[0], &tag, ZMQ_POLLIN | ZMQ_POLLOUT);
    ts_ok(zmq_poller_modify_fd(poller, ends[0], 0));
    ts_error(zmq_poller_wait(poller, &event, 0), EAGAIN);
    ts_ok(zmq_poller_remove_fd(poller, ends[0]));
    ts_ok(zmq_poller_destroy(&poller));
    close(ends[0]);
    close(ends[1]);
}

struct wake {
    void *socket;
    int fd;
};

static void wake_later(void *argument)
{
    struct wake *wake = argument;
    if (wake->socket)
        ts_send(wake->socket, "x", 0);
    else
        ts_value(write(wake->fd, "x", 1), 1);
}

static void blocked_wait_is_woken(void **state)
{
    struct ts_push_pull pair = ts_open_push_pull(*state);
    int ends[2];
    zmq_poller_event_t event;
    void *poller = open_poller();
    ts_ok(pipe(ends));
    ts_ok(zmq_poller_add(poller, pair.pull, NULL, ZMQ_POLLIN));
    ts_ok(zmq_poller_add_fd(poller, ends[0], NULL, ZMQ_POLLIN));
    for (int round = 0; round < 20; ++round) {
        char byte;
        struct wake wake = {.socket = round % 2 ? pair.push : NULL, .fd = ends[1]};
        struct ts_thread *thread = ts_thread_start(wake_later, &wake);
        ts_value(zmq_poller_wait(poller, &event, -1), 0);
        ts_thread_join(thread);
        if (round % 2) {
            expect_event(&event, pair.pull, -1, NULL, ZMQ_POLLIN);
            ts_recv(pair.pull, "x");
        } else {
            expect_event(&event, NULL, ends[0], NULL, ZMQ_POLLIN);
            ts_value(read(ends[0], &byte, 1), 1);
        }
    }
    ts_ok(zmq_poller_destroy(&poller));
    close(ends[0]);
    close(ends[1]);
    ts_close_push_pull(&pair);
}

static void poller_may_outlive_its_sockets(void **state)
{
    struct ts_push_pull pair = ts_open_push_pull(*state);
    void *poller = open_poller();
    ts_ok(zmq_poller_add(poller, pair.pull, NULL, ZMQ_POLLIN));
    ts_ok(zmq_poller_add(poller, pair.push, NULL, ZMQ_POLLIN));
    ts_close_push_pull(&pair);
    ts_ok(zmq_poller_destroy(&poller));
}

static void terminated_context_is_reported(void **state)
{
    struct ts_push_pull pair = ts_open_push_pull(*state);
    zmq_poller_event_t event;
    void *poller = open_poller();
    ts_ok(zmq_poller_add(poller, pair.pull, NULL, ZMQ_POLLIN));
    ts_ok(zmq_ctx_shutdown(pair.context));
    ts_error(zmq_poller_wait(poller, &event, -1), ETERM);
    ts_ok(zmq_poller_destroy(&poller));
    ts_close_push_pull(&pair);
}

/* The descriptor of a poller with a thread-safe socket becomes readable with it. */
static void thread_safe_sockets(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    zmq_poller_event_t event;
    zmq_fd_t fd = -1;
    void *poller = open_poller(), *context = ts_context();
    /* SERVER and CLIENT are not there yet; from the day they are, this runs. */
    void *probe = zmq_socket(context, ZMQ_SERVER);
    if (!probe) {
        ts_value(zmq_errno(), EINVAL);
        ts_ok(zmq_poller_destroy(&poller));
        ts_terminate(context);
        skip();
    }
    ts_close(probe);
    void *server = ts_socket(context, ZMQ_SERVER), *client = ts_socket(context, ZMQ_CLIENT);
    ts_bind(server, *state, endpoint);
    ts_ok(zmq_connect(client, endpoint));
    ts_ok(zmq_poller_add(poller, server, &fd, ZMQ_POLLIN));
    ts_ok(zmq_poller_fd(poller, &fd));
    ts_check(fd >= 0);
    ts_error(zmq_poller_wait(poller, &event, 0), EAGAIN);
    ts_send(client, "x", 0);
    ts_value(zmq_poller_wait(poller, &event, TS_TIMEOUT_MS), 0);
    expect_event(&event, server, -1, &fd, ZMQ_POLLIN);
    ts_recv(server, "x");
    ts_ok(zmq_poller_remove(poller, server));
    ts_ok(zmq_poller_destroy(&poller));
    ts_close(client);
    ts_close(server);
    ts_terminate(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_handles),
        cmocka_unit_test(bad_arguments),
        cmocka_unit_test(size_follows_registrations),
        TS_ON_ALL(nothing_happens),
        TS_ON_ALL(sockets_report_events),
        cmocka_unit_test(descriptors_report_events),
        TS_ON_ALL(blocked_wait_is_woken),
        TS_ON_ALL(poller_may_outlive_its_sockets),
        TS_ON_ALL(terminated_context_is_reported),
        TS_ON_ALL(thread_safe_sockets),
    };
    return TS_RUN(tests);
}
