/* SPDX-License-Identifier: MPL-2.0 */
/* How long calls wait: ZMQ_DONTWAIT, RCVTIMEO, SNDTIMEO, and interruption by signals. */
#define _GNU_SOURCE
#include "support/setups.h"
#include "support/test_support.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>

/* A bound PUSH without peers: every send has to wait. */
static void *lonely_push(void *context, const char *transport)
{
    char endpoint[TS_ENDPOINT_MAX];
    void *push = ts_socket(context, ZMQ_PUSH);
    ts_bind(push, transport, endpoint);
    return push;
}

static void not_waiting(void **state)
{
    struct ts_push_pull pair = ts_open_push_pull(*state);
    void *lonely = lonely_push(pair.context, *state);
    zmq_msg_t message;
    ts_error(zmq_recv(pair.pull, NULL, 0, ZMQ_DONTWAIT), EAGAIN);
    ts_error(zmq_send(lonely, "x", 1, ZMQ_DONTWAIT), EAGAIN);
    ts_ok(zmq_msg_init_size(&message, 3));
    memcpy(zmq_msg_data(&message), "abc", 3);
    ts_error(zmq_msg_send(&message, lonely, ZMQ_DONTWAIT), EAGAIN);
    /* Still the caller's, unchanged. */
    ts_value((long long)zmq_msg_size(&message), 3);
    assert_memory_equal(zmq_msg_data(&message), "abc", 3);
    ts_value(zmq_msg_send(&message, pair.push, ZMQ_DONTWAIT), 3);
    ts_value((long long)zmq_msg_size(&message), 0);
    ts_recv(pair.pull, "abc");
    ts_error(zmq_msg_recv(&message, pair.pull, ZMQ_DONTWAIT), EAGAIN);
    ts_ok(zmq_msg_close(&message));
    ts_close(lonely);
    ts_close_push_pull(&pair);
}

static void time_limits(void **state)
{
    static const int limits[] = {0, 1, 40};
    struct ts_push_pull pair = ts_open_push_pull(*state);
    void *lonely = lonely_push(pair.context, *state);
    for (size_t i = 0; i < TS_COUNT(limits); ++i) {
        ts_set_int(pair.pull, ZMQ_RCVTIMEO, limits[i]);
        ts_set_int(lonely, ZMQ_SNDTIMEO, limits[i]);
        int64_t start = ts_now_ms();
        ts_error(zmq_recv(pair.pull, NULL, 0, 0), EAGAIN);
        ts_check(ts_now_ms() - start >= limits[i] - 1);
        start = ts_now_ms();
        ts_error(zmq_send(lonely, "x", 1, 0), EAGAIN);
        ts_check(ts_now_ms() - start >= limits[i] - 1);
        /* DONTWAIT goes first. */
        ts_set_int(pair.pull, ZMQ_RCVTIMEO, -1);
        ts_set_int(lonely, ZMQ_SNDTIMEO, -1);
        ts_error(zmq_recv(pair.pull, NULL, 0, ZMQ_DONTWAIT), EAGAIN);
        ts_error(zmq_send(lonely, "x", 1, ZMQ_DONTWAIT), EAGAIN);
    }
    ts_close(lonely);
    ts_close_push_pull(&pair);
}

static void send_late(void *socket)
{
    ts_send_parts(socket, "late", "part");
}

static void waiting_ends_with_the_message(void **state)
{
    static const int limits[] = {-1, TS_TIMEOUT_MS};
    struct ts_push_pull pair = ts_open_push_pull(*state);
    for (int round = 0; round < 20; ++round) {
        ts_set_int(pair.pull, ZMQ_RCVTIMEO, limits[round % 2]);
        struct ts_thread *thread = ts_thread_start(send_late, pair.push);
        ts_recv_parts(pair.pull, "late", "part");
        ts_thread_join(thread);
    }
    ts_close_push_pull(&pair);
}

struct late_peer {
    void *context;
    char endpoint[TS_ENDPOINT_MAX];
};

static void connect_late(void *argument)
{
    struct late_peer *peer = argument;
    void *pull = ts_socket(peer->context, ZMQ_PULL);
    ts_ok(zmq_connect(pull, peer->endpoint));
    ts_recv_parts(pull, "for", "you");
    ts_close(pull);
}

static void sending_waits_for_a_peer(void **state)
{
    static const int limits[] = {-1, TS_TIMEOUT_MS};
    for (int round = 0; round < 10; ++round) {
        struct late_peer peer = {.context = ts_context()};
        void *push = ts_socket(peer.context, ZMQ_PUSH);
        ts_bind(push, *state, peer.endpoint);
        ts_set_int(push, ZMQ_SNDTIMEO, limits[round % 2]);
        struct ts_thread *thread = ts_thread_start(connect_late, &peer);
        ts_send_parts(push, "for", "you");
        ts_thread_join(thread);
        ts_close(push);
        ts_terminate(peer.context);
    }
}

/* ---- signals ---------------------------------------------------------------------------- */

enum call { RECEIVE, SEND, POLL };

struct waiting {
    void *socket;
    enum call call;
    int rc, error;
    atomic_bool returned;
};

static void wait_in_call(void *argument)
{
    struct waiting *waiting = argument;
    zmq_pollitem_t item = {.socket = waiting->socket, .events = ZMQ_POLLIN};
    int rc = waiting->call == RECEIVE ? zmq_recv(waiting->socket, NULL, 0, 0)
             : waiting->call == SEND  ? zmq_send(waiting->socket, "x", 1, 0)
                                      : zmq_poll(&item, 1, -1);
    waiting->error = zmq_errno();
    waiting->rc = rc;
    atomic_store(&waiting->returned, true);
}

static void on_signal(int number)
{
    (void)number;
}

static void interrupt(struct waiting *waiting)
{
    atomic_store(&waiting->returned, false);
    struct ts_thread *thread = ts_thread_start(wait_in_call, waiting);
    /* A signal may come just before the call sleeps and go unnoticed, so it is repeated. */
    while (!atomic_load(&waiting->returned)) {
        ts_thread_await_sleep(thread);
        if (!atomic_load(&waiting->returned))
            ts_thread_signal(thread, SIGUSR1);
    }
    ts_thread_join(thread);
    ts_value(waiting->rc, -1);
    ts_value(waiting->error, EINTR);
}

/* A handler installed without SA_RESTART and one with it: both end the wait. */
static void signals_interrupt_waiting(void **state)
{
    static const int flags[] = {0, SA_RESTART};
    struct sigaction old;
    struct ts_push_pull pair = ts_open_push_pull(*state);
    void *lonely = lonely_push(pair.context, *state);
    for (int i = 0; i < 2; ++i) {
        struct sigaction action = {.sa_handler = on_signal, .sa_flags = flags[i]};
        ts_ok(sigaction(SIGUSR1, &action, &old));
        static const int limits[] = {-1, TS_TIMEOUT_MS * 10};
        for (int limit = 0; limit < 2; ++limit) {
            ts_set_int(pair.pull, ZMQ_RCVTIMEO, limits[limit]);
            ts_set_int(lonely, ZMQ_SNDTIMEO, limits[limit]);
            interrupt(&(struct waiting){.socket = pair.pull, .call = RECEIVE});
            interrupt(&(struct waiting){.socket = lonely, .call = SEND});
            interrupt(&(struct waiting){.socket = pair.pull, .call = POLL});
        }
        ts_ok(sigaction(SIGUSR1, &old, NULL));
    }
    /* Nothing was sent or lost by it. */
    ts_send(pair.push, "x", 0);
    ts_recv(pair.pull, "x");
    ts_recv_nothing(pair.pull);
    ts_close(lonely);
    ts_close_push_pull(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TS_ON_ALL(not_waiting),
        TS_ON_ALL(time_limits),
        TS_ON_ALL(waiting_ends_with_the_message),
        TS_ON_ALL(sending_waits_for_a_peer),
        TS_ON_ALL(signals_interrupt_waiting),
    };
    return TS_RUN(tests);
}
