/* SPDX-License-Identifier: MPL-2.0 */
/* REQ and REP: the order of calls, envelopes, correlation, relaxed mode, lost peers. */
#include "support/test_support.h"

#include <errno.h>

struct pair {
    void *context, *req, *rep;
};

static struct pair open_pair(const char *transport)
{
    struct pair pair = {.context = ts_context()};
    pair.req = ts_socket(pair.context, ZMQ_REQ);
    pair.rep = ts_socket(pair.context, ZMQ_REP);
    ts_connect_pair(pair.context, pair.rep, pair.req, transport);
    return pair;
}

static void close_pair(struct pair *pair)
{
    ts_close(pair->req);
    ts_close(pair->rep);
    ts_terminate(pair->context);
}

static void requests_are_answered(void **state)
{
    struct pair pair = open_pair(*state);
    for (int round = 0; round < 50; ++round) {
        ts_send(pair.req, "question", 0);
        ts_recv(pair.rep, "question");
        ts_send(pair.rep, "answer", 0);
        ts_recv(pair.req, "answer");
    }
    ts_send_parts(pair.req, "a", "", "c");
    ts_recv_parts(pair.rep, "a", "", "c");
    ts_send_parts(pair.rep, "", "");
    ts_recv_parts(pair.req, "", "");
    close_pair(&pair);
}

static void calls_out_of_order_fail(void **state)
{
    struct pair pair = open_pair(*state);
    ts_error(zmq_recv(pair.req, NULL, 0, 0), EFSM);
    ts_error(zmq_send(pair.rep, "x", 1, 0), EFSM);
    ts_send(pair.req, "one", ZMQ_SNDMORE);
    ts_error(zmq_recv(pair.req, NULL, 0, 0), EFSM);
    ts_send(pair.req, "two", 0);
    ts_error(zmq_send(pair.req, "x", 1, 0), EFSM);
    ts_recv_bytes(pair.rep, "one", 3, true);
    ts_error(zmq_send(pair.rep, "x", 1, 0), EFSM);
    ts_recv(pair.rep, "two");
    ts_error(zmq_recv(pair.rep, NULL, 0, 0), EFSM);
    ts_send(pair.rep, "one", ZMQ_SNDMORE);
    ts_error(zmq_recv(pair.rep, NULL, 0, 0), EFSM);
    ts_send(pair.rep, "two", 0);
    ts_error(zmq_send(pair.rep, "x", 1, 0), EFSM);
    ts_recv_bytes(pair.req, "one", 3, true);
    ts_error(zmq_send(pair.req, "x", 1, 0), EFSM);
    ts_recv(pair.req, "two");
    ts_error(zmq_recv(pair.req, NULL, 0, 0), EFSM);
    close_pair(&pair);
}

static void events_follow_the_order_of_calls(void **state)
{
    struct pair pair = open_pair(*state);
    ts_value(ts_get_int(pair.rep, ZMQ_EVENTS), 0);
    ts_wait_writable(pair.req);
    ts_value(ts_get_int(pair.req, ZMQ_EVENTS), ZMQ_POLLOUT);
    ts_send(pair.req, "q", 0);
    ts_value(ts_get_int(pair.req, ZMQ_EVENTS), 0);
    ts_wait_readable(pair.rep);
    ts_value(ts_get_int(pair.rep, ZMQ_EVENTS), ZMQ_POLLIN);
    ts_recv(pair.rep, "q");
    ts_value(ts_get_int(pair.rep, ZMQ_EVENTS), ZMQ_POLLOUT);
    ts_send(pair.rep, "a", 0);
    ts_value(ts_get_int(pair.rep, ZMQ_EVENTS), 0);
    ts_wait_readable(pair.req);
    ts_value(ts_get_int(pair.req, ZMQ_EVENTS), ZMQ_POLLIN);
    ts_recv(pair.req, "a");
    ts_value(ts_get_int(pair.req, ZMQ_EVENTS), ZMQ_POLLOUT);
    close_pair(&pair);
}

static void req_takes_turns(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    void *reps[3];
    void *context = ts_context();
    void *req = ts_socket(context, ZMQ_REQ);
    ts_error(zmq_send(req, "x", 1, ZMQ_DONTWAIT), EAGAIN);
    for (int i = 0; i < 3; ++i) {
        reps[i] = ts_socket(context, ZMQ_REP);
        ts_bind(reps[i], *state, endpoint);
        ts_ok(zmq_connect(req, endpoint));
    }
    for (int n = 0; n < 12; ++n) {
        ts_send(req, "q", 0);
        ts_recv(reps[n % 3], "q");
        ts_send(reps[n % 3], "a", 0);
        ts_recv(req, "a");
    }
    for (int i = 0; i < 3; ++i)
        ts_close(reps[i]);
    ts_close(req);
    ts_terminate(context);
}

/* What REQ puts on the wire, seen by a ROUTER, and which answers it accepts. */
static void req_wraps_in_an_empty_frame(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *router = ts_socket(context, ZMQ_ROUTER), *req = ts_socket(context, ZMQ_REQ);
    ts_set_text(req, ZMQ_ROUTING_ID, "R");
    ts_bind(router, *state, endpoint);
    ts_ok(zmq_connect(req, endpoint));
    ts_send_parts(req, "one", "two");
    ts_recv_parts(router, "R", "", "one", "two");
    ts_send_parts(router, "R", "", "answer", "part");
    ts_recv_parts(req, "answer", "part");
    ts_close(router);
    ts_close(req);
    ts_terminate(context);
}

/* An answer nobody waits for is thrown away with the next request. */
static void stray_answer_is_dropped(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *router = ts_socket(context, ZMQ_ROUTER), *req = ts_socket(context, ZMQ_REQ);
    ts_set_text(req, ZMQ_ROUTING_ID, "R");
    ts_bind(router, *state, endpoint);
    ts_ok(zmq_connect(req, endpoint));
    ts_send(req, "q1", 0);
    ts_recv_parts(router, "R", "", "q1");
    ts_send_parts(router, "R", "", "a1");
    ts_send_parts(router, "R", "", "stray");
    ts_recv(req, "a1");
    ts_error(zmq_recv(req, NULL, 0, ZMQ_DONTWAIT), EFSM);
    ts_close(router);
    ts_close(req);
    ts_terminate(context);
}

static void serve(void *req, void *router, void *intruder)
{
    ts_send(req, "q", 0);
    ts_recv_parts(router, "R", "", "q");
    if (intruder)
        ts_send_parts(intruder, "R", "", "wrong");
    ts_send_parts(router, "R", "", "right");
    ts_recv(req, "right");
}

/* Only the peer that was asked may answer. */
static void answer_of_another_peer_is_dropped(void **state)
{
    for (int round = 0; round < 10; ++round) {
        char endpoint[TS_ENDPOINT_MAX];
        void *context = ts_context();
        void *one = ts_socket(context, ZMQ_ROUTER), *two = ts_socket(context, ZMQ_ROUTER);
        void *req = ts_socket(context, ZMQ_REQ);
        ts_set_text(req, ZMQ_ROUTING_ID, "R");
        ts_bind(one, *state, endpoint);
        ts_ok(zmq_connect(req, endpoint));
        ts_bind(two, *state, endpoint);
        ts_ok(zmq_connect(req, endpoint));
        serve(req, one, NULL);
        serve(req, two, NULL);
        serve(req, one, two);
        ts_close(one);
        ts_close(two);
        ts_close(req);
        ts_terminate(context);
    }
}

/* With CORRELATE a request carries four bytes that its answer must repeat. */
static void correlation_rejects_other_answers(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    unsigned char tag[8], wrong[4];
    void *context = ts_context();
    void *router = ts_socket(context, ZMQ_ROUTER), *req = ts_socket(context, ZMQ_REQ);
    ts_set_text(req, ZMQ_ROUTING_ID, "R");
    ts_set_int(req, ZMQ_REQ_CORRELATE, 1);
    ts_bind(router, *state, endpoint);
    ts_ok(zmq_connect(req, endpoint));
    for (int round = 0; round < 5; ++round) {
        ts_send(req, "q", 0);
        ts_recv_bytes(router, "R", 1, true);
        ts_value((long long)ts_recv_any(router, tag, sizeof tag), 4);
        ts_value(ts_more(router), 1);
        ts_recv_parts(router, "", "q");
        memcpy(wrong, tag, 4);
        wrong[round % 4] ^= 0x80;
        ts_send(router, "R", ZMQ_SNDMORE);
        ts_send_bytes(router, wrong, 4, ZMQ_SNDMORE);
        ts_send_parts(router, "", "wrong");
        ts_send(router, "R", ZMQ_SNDMORE);
        ts_send_bytes(router, tag, 4, ZMQ_SNDMORE);
        ts_send_parts(router, "", "right", "part");
        ts_recv_parts(req, "right", "part");
    }
    ts_close(router);
    ts_close(req);
    ts_terminate(context);
}

/* Relaxed: a new request may replace an unanswered one, whose answer is then ignored. */
static void relaxed_request_replaces_the_last(void **state)
{
    struct pair pair = open_pair(*state);
    ts_set_int(pair.req, ZMQ_REQ_RELAXED, 1);
    ts_set_int(pair.req, ZMQ_REQ_CORRELATE, 1);
    ts_send(pair.req, "q1", 0);
    ts_send(pair.req, "q2", 0);
    ts_send_parts(pair.req, "q3", "part");
    ts_recv(pair.rep, "q1");
    ts_send(pair.rep, "a1", 0);
    ts_recv(pair.rep, "q2");
    ts_send(pair.rep, "a2", 0);
    ts_recv_parts(pair.rep, "q3", "part");
    ts_send(pair.rep, "a3", 0);
    ts_recv(pair.req, "a3");
    ts_error(zmq_recv(pair.req, NULL, 0, 0), EFSM);
    close_pair(&pair);
}

static void rep_returns_the_whole_envelope(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *rep = ts_socket(context, ZMQ_REP), *dealer = ts_socket(context, ZMQ_DEALER);
    ts_bind(rep, *state, endpoint);
    ts_ok(zmq_connect(dealer, endpoint));
    ts_send_parts(dealer, "hop1", "hop2", "", "q", "", "part");
    ts_recv_parts(rep, "q", "", "part");
    ts_send_parts(rep, "a", "part");
    ts_recv_parts(dealer, "hop1", "hop2", "", "a", "part");
    ts_close(rep);
    ts_close(dealer);
    ts_terminate(context);
}

static void request_without_delimiter_is_dropped(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *rep = ts_socket(context, ZMQ_REP), *dealer = ts_socket(context, ZMQ_DEALER);
    ts_bind(rep, *state, endpoint);
    ts_ok(zmq_connect(dealer, endpoint));
    ts_send(dealer, "no envelope", 0);
    ts_send_parts(dealer, "no", "envelope", "either");
    ts_send_parts(dealer, "", "good");
    ts_recv(rep, "good");
    ts_send(rep, "a", 0);
    ts_recv_parts(dealer, "", "a");
    ts_error(zmq_recv(rep, NULL, 0, ZMQ_DONTWAIT), EAGAIN);
    ts_close(rep);
    ts_close(dealer);
    ts_terminate(context);
}

static void rep_serves_in_turn(void **state)
{
    enum { CLIENTS = 4 };
    char endpoint[TS_ENDPOINT_MAX];
    void *clients[CLIENTS];
    int number;
    void *context = ts_context();
    void *rep = ts_socket(context, ZMQ_REP);
    ts_bind(rep, *state, endpoint);
    for (int i = 0; i < CLIENTS; ++i) {
        clients[i] = ts_socket(context, ZMQ_REQ);
        ts_ok(zmq_connect(clients[i], endpoint));
    }
    for (int round = 0; round < 10; ++round) {
        for (int i = 0; i < CLIENTS; ++i)
            ts_send_bytes(clients[i], &i, sizeof i, 0);
        for (int i = 0; i < CLIENTS; ++i) {
            ts_value(zmq_recv(rep, &number, sizeof number, 0), sizeof number);
            ts_send_bytes(rep, &number, sizeof number, 0);
        }
        for (int i = 0; i < CLIENTS; ++i)
            ts_recv_bytes(clients[i], &i, sizeof i, false);
    }
    for (int i = 0; i < CLIENTS; ++i)
        ts_close(clients[i]);
    ts_close(rep);
    ts_terminate(context);
}

/* The answer to a requester that is gone vanishes; the next one is served. */
static void lost_requester_does_not_stop_rep(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *rep = ts_socket(context, ZMQ_REP);
    void *monitor = ts_monitor(context, rep, ZMQ_EVENT_DISCONNECTED);
    ts_bind(rep, *state, endpoint);
    for (int round = 0; round < 5; ++round) {
        void *req = ts_socket(context, ZMQ_REQ);
        ts_ok(zmq_connect(req, endpoint));
        ts_send(req, "q", 0);
        ts_recv(rep, "q");
        ts_close(req);
        if (strcmp(*state, "inproc") != 0)
            ts_expect_event(monitor, ZMQ_EVENT_DISCONNECTED);
        ts_send_parts(rep, "nobody", "reads");
    }
    void *req = ts_socket(context, ZMQ_REQ);
    ts_ok(zmq_connect(req, endpoint));
    ts_send(req, "last", 0);
    ts_recv(rep, "last");
    ts_send(rep, "served", 0);
    ts_recv(req, "served");
    ts_close(req);
    ts_unmonitor(rep, monitor);
    ts_close(rep);
    ts_terminate(context);
}

/* The replier dies with the request: a strict requester waits on, a relaxed one asks again. */
static void lost_replier(void **state)
{
    struct ts_address address;
    void *context = ts_context();
    void *req = ts_socket(context, ZMQ_REQ), *rep = ts_socket(context, ZMQ_REP);
    void *monitor = ts_monitor(context, req, ZMQ_EVENT_DISCONNECTED);
    ts_address_reserve(&address, *state);
    ts_ok(zmq_bind(rep, address.endpoint));
    ts_ok(zmq_connect(req, address.endpoint));
    ts_send(req, "lost", 0);
    ts_recv(rep, "lost");
    ts_close(rep);
    ts_expect_event(monitor, ZMQ_EVENT_DISCONNECTED);
    rep = ts_socket(context, ZMQ_REP);
    ts_rebind(rep, address.endpoint);
    ts_error(zmq_send(req, "x", 1, ZMQ_DONTWAIT), EFSM);
    ts_error(zmq_recv(req, NULL, 0, ZMQ_DONTWAIT), EAGAIN);
    ts_set_int(req, ZMQ_REQ_RELAXED, 1);
    ts_send(req, "again", 0);
    ts_recv(rep, "again");
    ts_send(rep, "answer", 0);
    ts_recv(req, "answer");
    ts_address_release(&address);
    ts_unmonitor(req, monitor);
    ts_close(req);
    ts_close(rep);
    ts_terminate(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TS_ON_ALL(requests_are_answered),
        TS_ON_ALL(calls_out_of_order_fail),
        TS_ON_ALL(events_follow_the_order_of_calls),
        TS_ON_ALL(req_takes_turns),
        TS_ON_ALL(req_wraps_in_an_empty_frame),
        TS_ON_ALL(stray_answer_is_dropped),
        TS_ON_ALL(answer_of_another_peer_is_dropped),
        TS_ON_ALL(correlation_rejects_other_answers),
        TS_ON_ALL(relaxed_request_replaces_the_last),
        TS_ON_ALL(rep_returns_the_whole_envelope),
        TS_ON_ALL(request_without_delimiter_is_dropped),
        TS_ON_ALL(rep_serves_in_turn),
        TS_ON_ALL(lost_requester_does_not_stop_rep),
        TS_ON_CONNECTIONS(lost_replier),
    };
    return TS_RUN(tests);
}
