/* SPDX-License-Identifier: MPL-2.0 */
/* zmq_poll over sockets and descriptors, and zmq_ppoll. */
#define _GNU_SOURCE
#include "support/raw_peer.h"
#include "support/setups.h"
#include "support/test_support.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

static void bad_arguments(void **state)
{
    (void)state;
    static char no_socket[4096];
    zmq_pollitem_t item = {.socket = no_socket, .events = ZMQ_POLLIN};
    ts_error(zmq_poll(NULL, 1, 0), EFAULT);
    ts_error(zmq_poll(NULL, -1, 0), EINVAL);
    ts_error(zmq_poll(&item, -1, 0), EINVAL);
    ts_error(zmq_poll(&item, 1, 0), ENOTSOCK);
    ts_error(zmq_poll(&item, 1, -1), ENOTSOCK);
}

static void no_items_is_a_pause(void **state)
{
    (void)state;
    int64_t start = ts_now_ms();
    ts_value(zmq_poll(NULL, 0, 0), 0);
    ts_value(zmq_poll(NULL, 0, 30), 0);
    ts_check(ts_now_ms() - start >= 29);
}

static void timeout_is_waited_for(void **state)
{
    struct ts_push_pull pair = ts_open_push_pull(*state);
    zmq_pollitem_t items[] = {{.socket = pair.pull, .events = ZMQ_POLLIN},
                              {.socket = pair.push, .events = ZMQ_POLLIN}};
    static const long timeouts[] = {0, 1, 30};
    for (size_t i = 0; i < TS_COUNT(timeouts); ++i) {
        int64_t start = ts_now_ms();
        items[0].revents = items[1].revents = 15;
        ts_value(zmq_poll(items, 2, timeouts[i]), 0);
        ts_check(ts_now_ms() - start >= timeouts[i] - 1);
        ts_value(items[0].revents, 0);
        ts_value(items[1].revents, 0);
    }
    ts_close_push_pull(&pair);
}

static void sockets_report_what_was_asked(void **state)
{
    struct ts_push_pull pair = ts_open_push_pull(*state);
    zmq_pollitem_t items[] = {{.socket = pair.push, .events = ZMQ_POLLOUT},
                              {.socket = pair.pull, .events = ZMQ_POLLIN},
                              {.socket = pair.push, .events = 0},
                              {.socket = pair.pull, .events = ZMQ_POLLOUT},
                              {.socket = pair.push, .events = ZMQ_POLLIN}};
    ts_value(zmq_poll(items, 5, TS_TIMEOUT_MS), 1);
    ts_value(items[0].revents, ZMQ_POLLOUT);
    ts_send_parts(pair.push, "one", "two");
    ts_wait_readable(pair.pull);
    items[2].revents = items[3].revents = 15;
    ts_value(zmq_poll(items, 5, -1), 2);
    ts_value(items[0].revents, ZMQ_POLLOUT);
    ts_value(items[1].revents, ZMQ_POLLIN);
    for (int i = 2; i < 5; ++i)
        ts_value(items[i].revents, 0);
    ts_close_push_pull(&pair);
}

/* Level-triggered: reported as long as it holds, also between the parts of a message. */
static void readiness_is_reported_again(void **state)
{
    struct ts_push_pull pair = ts_open_push_pull(*state);
    zmq_pollitem_t item = {.socket = pair.pull, .events = ZMQ_POLLIN};
    ts_send_parts(pair.push, "one", "two");
    ts_send(pair.push, "three", 0);
    for (int i = 0; i < 3; ++i)
        ts_value(zmq_poll(&item, 1, TS_TIMEOUT_MS), 1);
    ts_recv_bytes(pair.pull, "one", 3, true);
    ts_value(zmq_poll(&item, 1, 0), 1);
    ts_recv(pair.pull, "two");
    ts_value(zmq_poll(&item, 1, TS_TIMEOUT_MS), 1);
    ts_recv(pair.pull, "three");
    ts_value(zmq_poll(&item, 1, 0), 0);
    ts_value(item.revents, 0);
    ts_close_push_pull(&pair);
}

static void socket_goes_before_descriptor(void **state)
{
    int ends[2];
    struct ts_push_pull pair = ts_open_push_pull(*state);
    ts_ok(pipe(ends));
    ts_value(write(ends[1], "x", 1), 1);
    zmq_pollitem_t item = {.socket = pair.pull, .fd = ends[0], .events = ZMQ_POLLIN};
    ts_value(zmq_poll(&item, 1, 0), 0);
    close(ends[0]);
    close(ends[1]);
    ts_close_push_pull(&pair);
}

static void descriptors_report_events(void **state)
{
    (void)state;
    int ends[2];
    char byte;
    ts_ok(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    zmq_pollitem_t items[] = {{.fd = ends[0], .events = ZMQ_POLLIN},
                              {.fd = ends[0], .events = ZMQ_POLLOUT},
                              {.fd = ends[0], .events = ZMQ_POLLIN | ZMQ_POLLOUT}};
    ts_value(zmq_poll(items, 1, 0), 0);
    ts_value(zmq_poll(items, 1, 10), 0);
    ts_value(zmq_poll(items, 3, -1), 2);
    ts_value(items[1].revents, ZMQ_POLLOUT);
    ts_value(items[2].revents, ZMQ_POLLOUT);
    ts_value(write(ends[1], "x", 1), 1);
    ts_value(zmq_poll(items, 3, -1), 3);
    ts_value(items[0].revents, ZMQ_POLLIN);
    ts_value(items[1].revents, ZMQ_POLLOUT);
    ts_value(items[2].revents, ZMQ_POLLIN | ZMQ_POLLOUT);
    ts_value(read(ends[0], &byte, 1), 1);
    close(ends[1]);
    /* Hang-up is reported though nobody asked. */
    items[0].events = 0;
    ts_value(zmq_poll(items, 1, TS_TIMEOUT_MS), 1);
    ts_value(items[0].revents, ZMQ_POLLERR);
    close(ends[0]);
    ts_value(zmq_poll(items, 1, TS_TIMEOUT_MS), 1);
    ts_value(items[0].revents, ZMQ_POLLERR);
}

static void urgent_data_is_pollpri(void **state)
{
    (void)state;
    char endpoint[TS_ENDPOINT_MAX];
    int listener = ts_raw_listen(endpoint), sender = ts_raw_connect(endpoint);
    int receiver = ts_raw_accept(listener);
    zmq_pollitem_t item = {.fd = receiver, .events = ZMQ_POLLPRI};
    ts_value(zmq_poll(&item, 1, 0), 0);
    ts_value(send(sender, "!", 1, MSG_OOB), 1);
    ts_value(zmq_poll(&item, 1, TS_TIMEOUT_MS), 1);
    ts_value(item.revents, ZMQ_POLLPRI);
    close(listener);
    close(sender);
    close(receiver);
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

/* Whichever of the two kinds becomes ready ends the wait. */
static void blocked_poll_is_woken(void **state)
{
    struct ts_push_pull pair = ts_open_push_pull(*state);
    int ends[2];
    ts_ok(pipe(ends));
    zmq_pollitem_t items[] = {{.socket = pair.pull, .events = ZMQ_POLLIN},
                              {.fd = ends[0], .events = ZMQ_POLLIN}};
    for (int round = 0; round < 20; ++round) {
        char byte;
        struct wake wake = {.socket = round % 2 ? pair.push : NULL, .fd = ends[1]};
        struct ts_thread *thread = ts_thread_start(wake_later, &wake);
        ts_value(zmq_poll(items, 2, -1), 1);
        ts_value(items[0].revents, round % 2 ? ZMQ_POLLIN : 0);
        ts_value(items[1].revents, round % 2 ? 0 : ZMQ_POLLIN);
        ts_thread_join(thread);
        if (round % 2)
            ts_recv(pair.pull, "x");
        else
            ts_value(read(ends[0], &byte, 1), 1);
    }
    close(ends[0]);
    close(ends[1]);
    ts_close_push_pull(&pair);
}

static void many_items(void **state)
{
    enum { COUNT = 100 };
    char endpoint[TS_ENDPOINT_MAX];
    void *pulls[COUNT], *pushes[COUNT];
    zmq_pollitem_t items[COUNT];
    void *context = ts_context();
    for (int i = 0; i < COUNT; ++i) {
        pulls[i] = ts_socket(context, ZMQ_PULL);
        pushes[i] = ts_socket(context, ZMQ_PUSH);
        ts_bind(pulls[i], *state, endpoint);
        ts_ok(zmq_connect(pushes[i], endpoint));
        items[i] = (zmq_pollitem_t){.socket = pulls[i], .events = ZMQ_POLLIN};
    }
    ts_value(zmq_poll(items, COUNT, 0), 0);
    for (int i = COUNT - 1; i >= 0; i -= 11) {
        ts_send(pushes[i], "x", 0);
        ts_value(zmq_poll(items, COUNT, TS_TIMEOUT_MS), 1);
        for (int j = 0; j < COUNT; ++j)
            ts_value(items[j].revents, j == i ? ZMQ_POLLIN : 0);
        ts_recv(pulls[i], "x");
    }
    for (int i = 0; i < COUNT; ++i) {
        ts_close(pulls[i]);
        ts_close(pushes[i]);
    }
    ts_terminate(context);
}

static void socket_may_stand_twice(void **state)
{
    struct ts_push_pull pair = ts_open_push_pull(*state);
    zmq_pollitem_t items[] = {{.socket = pair.pull, .events = ZMQ_POLLIN},
                              {.socket = pair.pull, .events = ZMQ_POLLIN}};
    ts_send(pair.push, "x", 0);
    ts_wait_readable(pair.pull);
    ts_value(zmq_poll(items, 2, TS_TIMEOUT_MS), 2);
    ts_close_push_pull(&pair);
}

static void terminated_context_is_reported(void **state)
{
    struct ts_push_pull pair = ts_open_push_pull(*state);
    zmq_pollitem_t item = {.socket = pair.pull, .events = ZMQ_POLLIN};
    ts_ok(zmq_ctx_shutdown(pair.context));
    ts_error(zmq_poll(&item, 1, -1), ETERM);
    ts_error(zmq_poll(&item, 1, 0), ETERM);
    ts_close_push_pull(&pair);
}

/* Newer than stock and draft: found at run time, so that this file links everywhere. */
extern int zmq_ppoll(zmq_pollitem_t *items, int nitems, long timeout, const sigset_t *sigmask)
    __attribute__((weak));

static void on_signal(int number)
{
    (void)number;
}

static void ppoll_works_like_poll_beyond_stock(void **state)
{
    struct ts_push_pull pair = ts_open_push_pull(*state);
    zmq_pollitem_t item = {.socket = pair.pull, .events = ZMQ_POLLIN};
    sigset_t none;
    sigemptyset(&none);
    ts_error(zmq_ppoll(NULL, 1, 0, NULL), EFAULT);
    ts_error(zmq_ppoll(&item, -1, 0, NULL), EINVAL);
    ts_value(zmq_ppoll(&item, 1, 10, NULL), 0);
    ts_value(zmq_ppoll(&item, 1, 10, &none), 0);
    ts_send(pair.push, "x", 0);
    ts_value(zmq_ppoll(&item, 1, -1, &none), 1);
    ts_value(item.revents, ZMQ_POLLIN);
    ts_close_push_pull(&pair);
}

/* A signal that is pending but blocked ends the wait only if the given mask lets it in. */
static void ppoll_installs_the_mask_beyond_stock(void **state)
{
    struct ts_push_pull pair = ts_open_push_pull(*state);
    zmq_pollitem_t item = {.socket = pair.pull, .events = ZMQ_POLLIN};
    struct sigaction action = {.sa_handler = on_signal}, old_action;
    sigset_t blocked, old, now;
    ts_ok(sigaction(SIGUSR1, &action, &old_action));
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    ts_value(pthread_sigmask(SIG_BLOCK, &blocked, &old), 0);
    ts_ok(raise(SIGUSR1));
    ts_value(zmq_ppoll(&item, 1, 10, NULL), 0);
    ts_value(zmq_ppoll(&item, 1, 10, &blocked), 0);
    ts_error(zmq_ppoll(&item, 1, TS_TIMEOUT_MS, &old), EINTR);
    ts_value(pthread_sigmask(SIG_SETMASK, NULL, &now), 0);
    ts_value(sigismember(&now, SIGUSR1), 1);
    ts_value(pthread_sigmask(SIG_SETMASK, &old, NULL), 0);
    ts_ok(sigaction(SIGUSR1, &old_action, NULL));
    ts_close_push_pull(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_arguments),
        cmocka_unit_test(no_items_is_a_pause),
        TS_ON_ALL(timeout_is_waited_for),
        TS_ON_ALL(sockets_report_what_was_asked),
        TS_ON_ALL(readiness_is_reported_again),
        TS_ON_ALL(socket_goes_before_descriptor),
        cmocka_unit_test(descriptors_report_events),
        cmocka_unit_test(urgent_data_is_pollpri),
        TS_ON_ALL(blocked_poll_is_woken),
        TS_ON_ALL(many_items),
        TS_ON_ALL(socket_may_stand_twice),
        TS_ON_ALL(terminated_context_is_reported),
        TS_ON_ALL(ppoll_works_like_poll_beyond_stock),
        TS_ON_ALL(ppoll_installs_the_mask_beyond_stock),
    };
    return TS_RUN(tests);
}
