/* SPDX-License-Identifier: MPL-2.0 */
/* ctest-timeout: 120 */
/*
 * Termination and fork at any moment: while callers wait in recv, send or poll, spin, hold a lease
 * or are just outside the library.
 */
#define _GNU_SOURCE
#include "support/process.h"
#include "support/random.h"
#include "support/test_support.h"
#include "support/transports.h"
#include "support/ways.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAUSE_US = 15000 };

/* ---- Termination ---------------------------------------------------------------------------- */

struct user {
    void *socket;
    uint64_t stream;
    bool by_descriptor;
};

/* Echoes, or sends and waits for the echo, until the context goes down. */
static void use_until_terminated(void *argument)
{
    struct user *user = argument;
    struct ts_random random = ts_random_stream(user->stream);
    bool begins = user->stream % 2;
    zmq_msg_t message;
    ts_ok(zmq_msg_init(&message));
    for (;;) {
        if (begins || zmq_msg_size(&message) > 0) {
            if (zmq_send(user->socket, "ping", 4, 0) == -1)
                break;
        }
        if (!ts_receive_somehow(user->socket, &message, user->by_descriptor, &random))
            break;
        if (ts_random_below(&random, 8) == 0)
            ts_random_sleep(&random, PAUSE_US);
    }
    ts_value(zmq_errno(), ETERM);
    ts_ok(zmq_msg_close(&message));
    ts_error(zmq_recv(user->socket, NULL, 0, ZMQ_DONTWAIT), ETERM);
    ts_close(user->socket);
}

/* Nobody reads what these send. */
static void send_until_terminated(void *argument)
{
    struct user *user = argument;
    while (zmq_send(user->socket, "never read", 10, 0) != -1) {
    }
    ts_value(zmq_errno(), ETERM);
    ts_close(user->socket);
}

/* Waits for several sockets, none of which ever gets anything. */
static void poll_until_terminated(void *argument)
{
    struct user *user = argument;
    struct ts_random random = ts_random_stream(user->stream);
    zmq_pollitem_t items[] = {{.socket = user->socket, .events = ZMQ_POLLIN},
                              {.fd = -1, .events = ZMQ_POLLIN}};
    int ends[2];
    ts_value(pipe(ends), 0);
    items[1].fd = ends[0];
    int rc;
    do {
        long timeout = ts_random_below(&random, 2) ? TS_TIMEOUT_MS : ts_random_below(&random, 15);
        rc = zmq_poll(items, 2, timeout);
        ts_check(rc == -1 || (rc == 0 && timeout < 15));
    } while (rc == 0);
    ts_value(zmq_errno(), ETERM);
    ts_close(user->socket);
    close(ends[0]);
    close(ends[1]);
}

enum { USERS = 8 };

static void open_users(void *context, const char *transport, struct user users[USERS],
                       struct ts_random *random)
{
    for (int i = 0; i < USERS; i += 2) {
        bool pipeline = i >= USERS - 2; /* PUSH that fills up, PULL that is only polled */
        users[i].socket = ts_socket(context, pipeline ? ZMQ_PULL : ZMQ_PAIR);
        users[i + 1].socket = ts_socket(context, pipeline ? ZMQ_PUSH : ZMQ_PAIR);
        if (pipeline)
            ts_set_int(users[i].socket, ZMQ_RCVHWM, 10);
        ts_pair_over(context, users[i].socket, users[i + 1].socket, transport);
        for (int k = i; k <= i + 1; ++k) {
            users[k].stream = 2 * (uint64_t)ts_random_next(random) + (uint64_t)(k % 2);
            users[k].by_descriptor = ts_random_below(random, 4) == 0;
        }
    }
}

static void terminated_at_any_moment(void **state)
{
    struct ts_random random = ts_random_stream(1);
    for (int round = 0; round < TS_ROUNDS(30, 10); ++round) {
        struct user users[USERS];
        struct ts_thread *threads[USERS];
        void *context = ts_context();
        ts_ok(zmq_ctx_set(context, ZMQ_IO_THREADS, 1 + round % 4));
        open_users(context, *state, users, &random);
        void *quiet = ts_socket(context, ZMQ_SUB);
        struct user poller = {quiet, 7, false};
        for (int i = 0; i < USERS - 2; ++i)
            threads[i] = ts_thread_start(use_until_terminated, &users[i]);
        threads[USERS - 2] = ts_thread_start(poll_until_terminated, &poller);
        threads[USERS - 1] = ts_thread_start(send_until_terminated, &users[USERS - 1]);
        ts_close(users[USERS - 2].socket); /* the sender loses its only peer, at any moment */
        ts_random_sleep(&random, PAUSE_US);
        if (round % 2)
            ts_ok(zmq_ctx_shutdown(context));
        else
            ts_terminate(context);
        for (int i = 0; i < USERS; ++i)
            ts_thread_join(threads[i]);
        if (round % 2)
            ts_terminate(context);
    }
}

/* The owner has just received, so it holds the lease, and is outside the library. */
static void terminated_beside_a_lease(void **state)
{
    struct ts_random random = ts_random_stream(2);
    for (int round = 0; round < 20; ++round) {
        void *context = ts_context();
        void *push = ts_socket(context, ZMQ_PUSH), *pull = ts_socket(context, ZMQ_PULL);
        ts_set_int(push, ZMQ_LINGER, -1);
        ts_pair_over(context, pull, push, *state);
        ts_send(push, "first", 0);
        ts_recv(pull, "first");
        ts_send(push, "last", 0);
        if (round % 2)
            ts_random_sleep(&random, PAUSE_US);
        ts_ok(zmq_ctx_shutdown(context));
        ts_error(zmq_recv(pull, NULL, 0, 0), ETERM);
        ts_error(zmq_send(push, "x", 1, 0), ETERM);
        ts_close(pull);
        ts_close(push);
        ts_terminate(context);
    }
}

/* ---- Fork ----------------------------------------------------------------------------------- */

static void echo_until_empty(void *socket)
{
    struct ts_random random = ts_random_stream(3);
    zmq_msg_t message;
    ts_ok(zmq_msg_init(&message));
    for (;;) {
        ts_check(ts_receive_somehow(socket, &message, false, &random));
        size_t size = zmq_msg_size(&message);
        ts_ok(zmq_msg_send(&message, socket, 0));
        if (size == 0)
            break;
    }
    ts_ok(zmq_msg_close(&message));
}

static void ask(void *socket, int number)
{
    ts_send_bytes(socket, &number, sizeof number, 0);
    ts_recv_bytes(socket, &number, sizeof number, false);
}

/* The child: ends its copies, or keeps every descriptor for a while, or just leaves. */
static pid_t fork_copy(void *sockets[2], void *context, int round)
{
    pid_t child = fork();
    if (child != 0)
        return child;
    if (TS_CHILD_HAS_HEAP && round % 3 == 0) {
        alarm(TS_TIMEOUT_MS / 1000);
        zmq_close(sockets[0]);
        zmq_close(sockets[1]);
        zmq_ctx_term(context);
    } else if (round % 3 == 1) {
        usleep(PAUSE_US);
    }
    _exit(0);
}

/* Parent: two threads in the middle of an exchange. Epoll sets and connections are shared with the
 * child, and the lease stays with the parent. */
static void forked_beside_a_lease(void **state)
{
    struct ts_random random = ts_random_stream(4);
    void *context = ts_context();
    void *sockets[2] = {ts_socket(context, ZMQ_PAIR), ts_socket(context, ZMQ_PAIR)};
    ts_pair_over(context, sockets[0], sockets[1], *state);
    struct ts_thread *thread = ts_thread_start(echo_until_empty, sockets[1]);
    int number = 0;
    for (int round = 0; round < 30; ++round) {
        ask(sockets[0], number++);
        if (ts_random_below(&random, 2))
            ts_random_sleep(&random, PAUSE_US);
        pid_t child = fork_copy(sockets, context, round);
        ts_check(child > 0);
        for (int n = 0; n < 20; ++n)
            ask(sockets[0], number++);
        ts_child_join(child);
        ask(sockets[0], number++);
    }
    ts_send(sockets[0], "", 0);
    ts_recv(sockets[0], "");
    ts_thread_join(thread);
    ts_close(sockets[0]);
    ts_close(sockets[1]);
    ts_terminate(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TS_ON_EVERYTHING(terminated_at_any_moment),
        TS_ON_EVERYTHING(terminated_beside_a_lease),
        TS_ON_EVERYTHING(forked_beside_a_lease),
    };
    ts_seed();
    return TS_RUN_ON_ONE_CPU_TOO(tests);
}
