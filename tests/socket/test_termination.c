/* SPDX-License-Identifier: MPL-2.0 */
/* ctest-timeout: 180 */
/* Termination: blocked calls return, term waits for sockets and lingering data, under load. */
#define _GNU_SOURCE
#include "support/test_support.h"
#include "support/transports.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

/* ---- blocked calls ---------------------------------------------------------------------- */

enum call { RECEIVE, SEND, POLL };

struct blocked {
    void *socket;
    enum call call;
    int error; /* result: errno of the call, 0 if it succeeded */
};

static void call_and_close(void *argument)
{
    struct blocked *blocked = argument;
    zmq_pollitem_t item = {.socket = blocked->socket, .events = ZMQ_POLLIN};
    int rc = blocked->call == RECEIVE ? zmq_recv(blocked->socket, NULL, 0, 0)
             : blocked->call == SEND  ? zmq_send(blocked->socket, "x", 1, 0)
                                      : zmq_poll(&item, 1, -1);
    blocked->error = rc == -1 ? zmq_errno() : 0;
    ts_close(blocked->socket);
}

static void blocked_calls_return_eterm(void **state)
{
    static const struct {
        enum call call;
        int type;
        bool by_shutdown;
    } rows[] = {
        {RECEIVE, ZMQ_PULL, false},  {RECEIVE, ZMQ_PULL, true}, {RECEIVE, ZMQ_SUB, false},
        {RECEIVE, ZMQ_ROUTER, true}, {RECEIVE, ZMQ_REP, false}, {SEND, ZMQ_PUSH, false},
        {SEND, ZMQ_PUSH, true},      {SEND, ZMQ_REQ, false},    {SEND, ZMQ_PAIR, true},
        {POLL, ZMQ_PULL, false},     {POLL, ZMQ_DEALER, true},
    };
    for (size_t i = 0; i < TS_COUNT(rows); ++i) {
        char endpoint[TS_ENDPOINT_MAX];
        void *context = ts_context();
        struct blocked blocked = {.socket = zmq_socket(context, rows[i].type),
                                  .call = rows[i].call};
        ts_check(blocked.socket != NULL);
        ts_prepare_for_test(blocked.socket);
        ts_bind(blocked.socket, *state, endpoint);
        struct ts_thread *thread = ts_thread_start(call_and_close, &blocked);
        ts_thread_await_sleep(thread);
        if (rows[i].by_shutdown)
            ts_ok(zmq_ctx_shutdown(context));
        else
            ts_terminate(context);
        ts_thread_join(thread);
        ts_value(blocked.error, ETERM);
        if (rows[i].by_shutdown)
            ts_terminate(context);
    }
}

static void terminate(void *context)
{
    ts_terminate(context);
}

/* Every operation between the start of term and close yields ETERM; term waits for the close. */
static void term_waits_until_sockets_are_closed(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *socket = ts_socket(context, ZMQ_PAIR);
    ts_bind(socket, *state, endpoint);
    struct ts_thread *thread = ts_thread_start(terminate, context);
    ts_error(zmq_recv(socket, NULL, 0, 0), ETERM);
    ts_error(zmq_send(socket, "x", 1, 0), ETERM);
    ts_close(socket);
    ts_thread_join(thread);
}

/* ---- lingering data --------------------------------------------------------------------- */

/* LINGER > 0 and nobody to deliver to: term ends by itself. */
static void term_returns_after_linger(void **state)
{
    static const int lingers[] = {0, 1, 50};
    for (size_t i = 0; i < TS_COUNT(lingers); ++i) {
        struct ts_address address;
        void *context = ts_context();
        void *push = ts_socket(context, ZMQ_PUSH);
        ts_address_reserve(&address, *state);
        ts_set_int(push, ZMQ_LINGER, lingers[i]);
        ts_ok(zmq_connect(push, address.endpoint));
        for (int n = 0; n < 100; ++n)
            ts_send(push, "nobody reads this", 0);
        ts_close(push);
        ts_terminate(context);
        ts_address_release(&address);
    }
}

/* LINGER -1: term waits until a peer in another context has taken everything. */
static void term_waits_for_delivery(void **state)
{
    struct ts_address address;
    void *sending = ts_context(), *receiving = ts_context();
    void *push = ts_socket(sending, ZMQ_PUSH);
    ts_address_reserve(&address, *state);
    ts_set_int(push, ZMQ_LINGER, -1);
    ts_ok(zmq_connect(push, address.endpoint));
    for (int n = 0; n < 1000; ++n)
        ts_send_bytes(push, &n, sizeof n, 0);
    ts_close(push);
    struct ts_thread *thread = ts_thread_start(terminate, sending);
    void *pull = ts_socket(receiving, ZMQ_PULL);
    ts_ok(zmq_bind(pull, address.endpoint));
    for (int n = 0; n < 1000; ++n)
        ts_recv_bytes(pull, &n, sizeof n, false);
    ts_thread_join(thread);
    ts_address_release(&address);
    ts_close(pull);
    ts_terminate(receiving);
}

/* inproc connections to a name that is never bound do not hold termination up. */
static void pending_inproc_connects_do_not_block(void **state)
{
    (void)state;
    void *context = ts_context();
    for (int i = 0; i < 10; ++i) {
        void *socket = ts_socket(context, ZMQ_PUSH);
        ts_set_int(socket, ZMQ_LINGER, -1);
        ts_ok(zmq_connect(socket, "inproc://never-bound"));
        ts_send(socket, "x", 0);
        ts_close(socket);
    }
    ts_terminate(context);
}

/* ---- signals ---------------------------------------------------------------------------- */

static void on_signal(int number)
{
    (void)number;
}

struct terminator {
    void *context;
    atomic_int interruptions;
};

static void terminate_counting(void *argument)
{
    struct terminator *terminator = argument;
    while (zmq_ctx_term(terminator->context) == -1) {
        ts_value(zmq_errno(), EINTR);
        atomic_fetch_add(&terminator->interruptions, 1);
    }
}

static void term_is_interrupted_and_resumed(void **state)
{
    (void)state;
    struct sigaction action = {.sa_handler = on_signal}, old;
    ts_ok(sigaction(SIGUSR1, &action, &old));
    struct terminator terminator = {.context = ts_context()};
    void *socket = ts_socket(terminator.context, ZMQ_PAIR);
    struct ts_thread *thread = ts_thread_start(terminate_counting, &terminator);
    for (int wanted = 1; wanted <= 3; ++wanted)
        while (atomic_load(&terminator.interruptions) < wanted) {
            ts_thread_await_sleep(thread);
            ts_thread_signal(thread, SIGUSR1);
        }
    ts_error(zmq_recv(socket, NULL, 0, 0), ETERM);
    ts_close(socket);
    ts_thread_join(thread);
    ts_ok(sigaction(SIGUSR1, &old, NULL));
}

/* ---- load ------------------------------------------------------------------------------- */

struct load {
    void *context;
    const char *endpoint;
    bool sending;
    atomic_int *moved;
    atomic_int *open; /* threads that have their socket: only those keep the context alive */
};

static void move_until_terminated(void *argument)
{
    struct load *load = argument;
    void *socket = zmq_socket(load->context, load->sending ? ZMQ_DEALER : ZMQ_ROUTER);
    int linger = 0, rc;
    ts_check(socket != NULL);
    ts_prepare_for_test(socket);
    atomic_fetch_add(load->open, 1);
    rc = zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
    if (rc == 0)
        rc = load->sending ? zmq_connect(socket, load->endpoint) : zmq_bind(socket, load->endpoint);
    while (rc != -1) {
        rc = load->sending ? zmq_send(socket, "some load", 9, 0) : zmq_recv(socket, NULL, 0, 0);
        atomic_fetch_add(load->moved, 1);
    }
    ts_value(zmq_errno(), ETERM);
    ts_close(socket);
}

/* Terminates while messages flow: sometimes before anything moved, sometimes in full flow.
 * (libzmq's term races with an inproc bind that happens at the same time.) */
static void term_under_load(void **state)
{
    for (int round = 0; round < ts_scaled(*state, 100); ++round) {
        enum { SENDERS = 3 };
        struct ts_address address;
        atomic_int moved = 0, open = 0;
        struct ts_thread *threads[SENDERS + 1];
        ts_address_reserve(&address, *state);
        struct load load = {ts_context(), address.endpoint, false, &moved, &open};
        struct load sending = {load.context, address.endpoint, true, &moved, &open};
        threads[0] = ts_thread_start(move_until_terminated, &load);
        for (int i = 1; i <= SENDERS; ++i)
            threads[i] = ts_thread_start(move_until_terminated, &sending);
        while (atomic_load(&open) <= SENDERS || atomic_load(&moved) < round * 20)
            sched_yield();
        ts_terminate(load.context);
        for (int i = 0; i <= SENDERS; ++i)
            ts_thread_join(threads[i]);
        ts_address_release(&address);
    }
}

/* Contexts come and go, with and without a message on the way. */
static void many_short_lives(void **state)
{
    for (int round = 0; round < ts_scaled(*state, 100); ++round) {
        char endpoint[TS_ENDPOINT_MAX];
        void *context = ts_context();
        void *push = ts_socket(context, ZMQ_PUSH), *pull = ts_socket(context, ZMQ_PULL);
        ts_bind(pull, *state, endpoint);
        ts_ok(zmq_connect(push, endpoint));
        if (round % 2)
            ts_send(push, "x", 0);
        if (round % 4 == 3)
            ts_recv(pull, "x");
        if (round % 3)
            ts_ok(zmq_disconnect(push, endpoint));
        ts_close(round % 5 ? push : pull);
        ts_close(round % 5 ? pull : push);
        ts_terminate(context);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TS_ON_ALL(blocked_calls_return_eterm),
        TS_ON_ALL(term_waits_until_sockets_are_closed),
        TS_ON_CONNECTIONS(term_returns_after_linger),
        TS_ON_CONNECTIONS(term_waits_for_delivery),
        cmocka_unit_test(pending_inproc_connects_do_not_block),
        cmocka_unit_test(term_is_interrupted_and_resumed),
        {"term_under_load_inproc_beyond_stock", term_under_load, NULL, NULL,
         (void *)(uintptr_t) "inproc"},
        TS_ON_CONNECTIONS(term_under_load),
        TS_ON_ALL(many_short_lives),
    };
    return TS_RUN(tests);
}
