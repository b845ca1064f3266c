/* SPDX-License-Identifier: MPL-2.0 */
/* ctest-timeout: 180 */
/* Sockets moved between threads, many of them at once, and one used by several threads. */
#include "support/test_support.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

/* ---- migration -------------------------------------------------------------------------- */

struct hop {
    void *socket, *peer;
    int number;
};

static void use_once(void *argument)
{
    struct hop *hop = argument;
    ts_send_bytes(hop->socket, &hop->number, sizeof hop->number, 0);
    ts_recv_bytes(hop->peer, &hop->number, sizeof hop->number, false);
    ts_send(hop->peer, "back", 0);
    ts_recv(hop->socket, "back");
}

/* Each message is handled by another thread; starting and joining order the accesses. */
static void sockets_migrate(void **state)
{
    void *context = ts_context();
    struct hop hop = {ts_socket(context, ZMQ_PAIR), ts_socket(context, ZMQ_PAIR), 0};
    ts_connect_pair(context, hop.socket, hop.peer, *state);
    for (; hop.number < 100; ++hop.number)
        ts_thread_join(ts_thread_start(use_once, &hop));
    ts_close(hop.socket);
    ts_close(hop.peer);
    ts_terminate(context);
}

static void close_it(void *socket)
{
    ts_close(socket);
}

/* Created and connected here, closed there. */
static void closed_by_another_thread(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *pull = ts_socket(context, ZMQ_PULL);
    ts_bind(pull, *state, endpoint);
    for (int round = 0; round < 50; ++round) {
        void *push = ts_socket(context, ZMQ_PUSH);
        ts_set_int(push, ZMQ_LINGER, -1);
        ts_ok(zmq_connect(push, endpoint));
        ts_send_bytes(push, &round, sizeof round, 0);
        ts_thread_join(ts_thread_start(close_it, push));
        ts_recv_bytes(pull, &round, sizeof round, false);
    }
    ts_close(pull);
    ts_terminate(context);
}

/* ---- many sockets ----------------------------------------------------------------------- */

struct worker {
    void *context;
    const char *endpoint;
    int number;
};

enum { WORKERS = 8, REQUESTS = 100 };

static void request(void *argument)
{
    struct worker *worker = argument;
    for (int round = 0; round < 5; ++round) {
        void *req = ts_socket(worker->context, ZMQ_REQ);
        ts_ok(zmq_connect(req, worker->endpoint));
        for (int n = 0; n < REQUESTS / 5; ++n) {
            int body[2] = {worker->number, n};
            ts_send_bytes(req, body, sizeof body, 0);
            ts_recv_bytes(req, body, sizeof body, false);
        }
        ts_close(req);
    }
}

/* Threads open, use and close sockets of one context side by side. */
static void many_threads_one_context(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    struct worker workers[WORKERS];
    struct ts_thread *threads[WORKERS];
    void *context = ts_context();
    void *rep = ts_socket(context, ZMQ_REP);
    ts_bind(rep, *state, endpoint);
    for (int i = 0; i < WORKERS; ++i) {
        workers[i] = (struct worker){context, endpoint, i};
        threads[i] = ts_thread_start(request, &workers[i]);
    }
    for (int n = 0; n < WORKERS * REQUESTS; ++n) {
        char body[64];
        size_t size = ts_recv_any(rep, body, sizeof body);
        ts_send_bytes(rep, body, size, 0);
    }
    for (int i = 0; i < WORKERS; ++i)
        ts_thread_join(threads[i]);
    ts_close(rep);
    ts_terminate(context);
}

static void hundreds_of_sockets(void **state)
{
    enum { COUNT = TS_ROUNDS(250, 60) };
    static void *pushes[COUNT], *pulls[COUNT];
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    for (int i = 0; i < COUNT; ++i) {
        pushes[i] = ts_socket(context, ZMQ_PUSH);
        pulls[i] = ts_socket(context, ZMQ_PULL);
        ts_bind(pulls[i], *state, endpoint);
        ts_ok(zmq_connect(pushes[i], endpoint));
        ts_send_bytes(pushes[i], &i, sizeof i, 0);
    }
    for (int i = COUNT - 1; i >= 0; --i)
        ts_recv_bytes(pulls[i], &i, sizeof i, false);
    for (int i = 0; i < COUNT; ++i) {
        ts_close(pushes[i]);
        ts_close(pulls[i]);
    }
    ts_terminate(context);
}

/* ---- one socket, several threads -------------------------------------------------------- */

enum { THREADS = 4, EACH = 2000 };

struct shared {
    void *socket;
    int thread;
};

static void send_single_parts(void *argument)
{
    struct shared *shared = argument;
    for (int n = 0; n < EACH; ++n) {
        int body[2] = {shared->thread, n};
        ts_send_bytes(shared->socket, body, sizeof body, 0);
    }
}

/* Not allowed with libzmq, which corrupts its queues or aborts; here every message arrives once,
 * and those of one thread in their order. */
static void shared_sender_beyond_stock(void **state)
{
    struct shared shared[THREADS];
    struct ts_thread *threads[THREADS];
    int next[THREADS] = {0};
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH), *pull = ts_socket(context, ZMQ_PULL);
    ts_set_int(push, ZMQ_SNDHWM, 50);
    ts_set_int(pull, ZMQ_RCVHWM, 50);
    ts_connect_pair(context, pull, push, *state);
    for (int i = 0; i < THREADS; ++i) {
        shared[i] = (struct shared){push, i};
        threads[i] = ts_thread_start(send_single_parts, &shared[i]);
    }
    for (int n = 0; n < THREADS * EACH; ++n) {
        int body[2];
        ts_value(zmq_recv(pull, body, sizeof body, 0), sizeof body);
        ts_check(body[0] >= 0 && body[0] < THREADS);
        ts_value(body[1], next[body[0]]++);
    }
    ts_recv_nothing(pull);
    for (int i = 0; i < THREADS; ++i)
        ts_thread_join(threads[i]);
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
}

static atomic_int received[THREADS * EACH];

static void receive_until_end(void *socket)
{
    for (;;) {
        int number = -1;
        ts_value(zmq_recv(socket, &number, sizeof number, 0), sizeof number);
        if (number == -1)
            return;
        atomic_fetch_add(&received[number], 1);
    }
}

/* Several threads wait on one socket: each message wakes one of them and none is lost. */
static void shared_receiver_beyond_stock(void **state)
{
    struct ts_thread *threads[THREADS];
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH), *pull = ts_socket(context, ZMQ_PULL);
    ts_connect_pair(context, pull, push, *state);
    for (int n = 0; n < THREADS * EACH; ++n)
        atomic_store(&received[n], 0);
    for (int i = 0; i < THREADS; ++i)
        threads[i] = ts_thread_start(receive_until_end, pull);
    for (int n = 0; n < THREADS * EACH; ++n) {
        ts_send_bytes(push, &n, sizeof n, 0);
        if (n % 100 == 0)
            sched_yield();
    }
    for (int i = 0; i < THREADS; ++i)
        ts_send_bytes(push, &(int){-1}, sizeof(int), 0);
    for (int i = 0; i < THREADS; ++i)
        ts_thread_join(threads[i]);
    for (int n = 0; n < THREADS * EACH; ++n)
        if (atomic_load(&received[n]) != 1)
            ts_fail("message %d was received %d times", n, atomic_load(&received[n]));
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
}

struct both {
    void *socket;
    atomic_bool stop;
};

static void echo(void *argument)
{
    struct both *both = argument;
    char text[64];
    while (!atomic_load(&both->stop)) {
        int rc = zmq_recv(both->socket, text, sizeof text, 0);
        if (rc == -1) {
            ts_value(zmq_errno(), ETERM);
            return;
        }
    }
}

/* One thread blocks in a receive, others send and ask for options at the same time. */
static void sending_while_another_thread_receives_beyond_stock(void **state)
{
    void *context = ts_context();
    struct both both = {.socket = ts_socket(context, ZMQ_DEALER)};
    void *peer = ts_socket(context, ZMQ_DEALER);
    ts_set_int(both.socket, ZMQ_RCVTIMEO, -1);
    ts_connect_pair(context, both.socket, peer, *state);
    struct ts_thread *thread = ts_thread_start(echo, &both);
    for (int n = 0; n < EACH; ++n) {
        ts_send_bytes(both.socket, &n, sizeof n, 0);
        ts_recv_bytes(peer, &n, sizeof n, false);
        ts_send(peer, "for the other thread", 0);
        ts_value(ts_get_int(both.socket, ZMQ_TYPE), ZMQ_DEALER);
        ts_get_int(both.socket, ZMQ_EVENTS);
    }
    atomic_store(&both.stop, true);
    ts_ok(zmq_ctx_shutdown(context));
    ts_thread_join(thread);
    ts_close(both.socket);
    ts_close(peer);
    ts_terminate(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TS_ON_ALL(sockets_migrate),
        TS_ON_ALL(closed_by_another_thread),
        TS_ON_ALL(many_threads_one_context),
        TS_ON_ALL(hundreds_of_sockets),
        TS_ON_ALL(shared_sender_beyond_stock),
        TS_ON_ALL(shared_receiver_beyond_stock),
        TS_ON_ALL(sending_while_another_thread_receives_beyond_stock),
    };
    return TS_RUN(tests);
}
