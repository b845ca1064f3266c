/* SPDX-License-Identifier: MPL-2.0 */
/* zmq_proxy and zmq_proxy_steerable. */
#include "support/test_support.h"

#include <errno.h>
#include <stdint.h>

/* A proxy in its own thread, between two endpoints of the transport. */
struct proxy {
    void *context, *front, *back, *capture, *control;
    char front_endpoint[TS_ENDPOINT_MAX], back_endpoint[TS_ENDPOINT_MAX];
    struct ts_thread *thread;
    bool steerable;
    int rc, error;
};

static void run(void *argument)
{
    struct proxy *proxy = argument;
    proxy->rc = proxy->steerable
                    ? zmq_proxy_steerable(proxy->front, proxy->back, proxy->capture, proxy->control)
                    : zmq_proxy(proxy->front, proxy->back, proxy->capture);
    proxy->error = zmq_errno();
    void *sockets[] = {proxy->front, proxy->back, proxy->capture, proxy->control};
    for (int i = 0; i < 4; ++i)
        if (sockets[i] && !(i == 1 && sockets[1] == sockets[0]))
            ts_close(sockets[i]);
}

static void open_proxy(struct proxy *proxy, const char *transport, int front, int back)
{
    proxy->context = ts_context();
    proxy->front = ts_socket(proxy->context, front);
    proxy->back = ts_socket(proxy->context, back);
    ts_bind(proxy->front, transport, proxy->front_endpoint);
    ts_bind(proxy->back, transport, proxy->back_endpoint);
}

static void start(struct proxy *proxy)
{
    proxy->thread = ts_thread_start(run, proxy);
}

static void *connected(struct proxy *proxy, int type, const char *endpoint)
{
    void *socket = ts_socket(proxy->context, type);
    ts_ok(zmq_connect(socket, endpoint));
    return socket;
}

/* Ends a plain proxy, which only the end of its context can do. */
static void terminate_proxy(struct proxy *proxy)
{
    ts_terminate(proxy->context);
    ts_thread_join(proxy->thread);
    ts_value(proxy->rc, -1);
    ts_value(proxy->error, ETERM);
}

static void bad_arguments(void **state)
{
    (void)state;
    void *context = ts_context();
    void *socket = ts_socket(context, ZMQ_PAIR);
    ts_error(zmq_proxy(NULL, socket, NULL), EFAULT);
    ts_error(zmq_proxy(socket, NULL, NULL), EFAULT);
    ts_error(zmq_proxy(NULL, NULL, NULL), EFAULT);
    ts_error(zmq_proxy_steerable(NULL, socket, NULL, NULL), EFAULT);
    ts_error(zmq_proxy_steerable(socket, NULL, NULL, NULL), EFAULT);
    ts_close(socket);
    ts_terminate(context);
}

static void requests_and_answers(void **state)
{
    enum { CLIENTS = 5, WORKERS = 3 };
    void *clients[CLIENTS], *workers[WORKERS];
    zmq_pollitem_t items[WORKERS];
    struct proxy proxy = {0};
    open_proxy(&proxy, *state, ZMQ_ROUTER, ZMQ_DEALER);
    start(&proxy);
    for (int i = 0; i < WORKERS; ++i) {
        workers[i] = connected(&proxy, ZMQ_REP, proxy.back_endpoint);
        items[i] = (zmq_pollitem_t){.socket = workers[i], .events = ZMQ_POLLIN};
    }
    for (int i = 0; i < CLIENTS; ++i)
        clients[i] = connected(&proxy, ZMQ_REQ, proxy.front_endpoint);
    for (int round = 0; round < 20; ++round) {
        for (int i = 0; i < CLIENTS; ++i) {
            ts_send_bytes(clients[i], &i, sizeof i, ZMQ_SNDMORE);
            ts_send_parts(clients[i], "", "question");
        }
        for (int served = 0; served < CLIENTS;) {
            ts_check(zmq_poll(items, WORKERS, TS_TIMEOUT_MS) > 0);
            for (int i = 0; i < WORKERS; ++i) {
                int client;
                if (!items[i].revents)
                    continue;
                ts_value(zmq_recv(workers[i], &client, sizeof client, 0), sizeof client);
                ts_recv_parts(workers[i], "", "question");
                ts_send_bytes(workers[i], &client, sizeof client, ZMQ_SNDMORE);
                ts_send(workers[i], "answer", 0);
                ++served;
            }
        }
        for (int i = 0; i < CLIENTS; ++i) {
            ts_recv_bytes(clients[i], &i, sizeof i, true);
            ts_recv(clients[i], "answer");
        }
    }
    for (int i = 0; i < CLIENTS; ++i)
        ts_close(clients[i]);
    for (int i = 0; i < WORKERS; ++i)
        ts_close(workers[i]);
    terminate_proxy(&proxy);
}

/* Every part is copied to the capture socket, with the same framing. */
static void capture_sees_everything(void **state)
{
    struct proxy proxy = {0};
    open_proxy(&proxy, *state, ZMQ_PULL, ZMQ_PUSH);
    void *tap = ts_socket(proxy.context, ZMQ_PAIR);
    proxy.capture = ts_socket(proxy.context, ZMQ_PAIR);
    ts_ok(zmq_bind(proxy.capture, "inproc://tap"));
    ts_ok(zmq_connect(tap, "inproc://tap"));
    start(&proxy);
    void *push = connected(&proxy, ZMQ_PUSH, proxy.front_endpoint);
    void *pull = connected(&proxy, ZMQ_PULL, proxy.back_endpoint);
    for (int round = 0; round < 100; ++round) {
        ts_send_bytes(push, &round, sizeof round, ZMQ_SNDMORE);
        ts_send_parts(push, "", "some text that does not fit into the message object itself");
        ts_send(push, "single", 0);
    }
    void *readers[] = {pull, tap};
    for (int i = 0; i < 2; ++i) {
        for (int round = 0; round < 100; ++round) {
            ts_recv_bytes(readers[i], &round, sizeof round, true);
            ts_recv_parts(readers[i], "",
                          "some text that does not fit into the message object itself");
            ts_recv(readers[i], "single");
        }
        ts_close(readers[i]);
    }
    ts_close(push);
    terminate_proxy(&proxy);
}

static void subscriptions_pass_upstream(void **state)
{
    struct proxy proxy = {0};
    open_proxy(&proxy, *state, ZMQ_XSUB, ZMQ_XPUB);
    start(&proxy);
    void *pub = connected(&proxy, ZMQ_XPUB, proxy.front_endpoint);
    void *sub = connected(&proxy, ZMQ_SUB, proxy.back_endpoint);
    ts_set_text(sub, ZMQ_SUBSCRIBE, "A");
    ts_recv_bytes(pub, "\1A", 2, false);
    for (int i = 0; i < 100; ++i) {
        ts_send_parts(pub, "B", "not wanted");
        ts_send_parts(pub, "A", "wanted");
        ts_recv_parts(sub, "A", "wanted");
    }
    ts_set_text(sub, ZMQ_UNSUBSCRIBE, "A");
    ts_recv_bytes(pub, "\0A", 2, false);
    ts_close(pub);
    ts_close(sub);
    terminate_proxy(&proxy);
}

/* One socket on both sides: what comes in goes out again by the same socket. */
static void one_socket_on_both_sides(void **state)
{
    struct proxy proxy = {.context = ts_context()};
    proxy.front = proxy.back = ts_socket(proxy.context, ZMQ_DEALER);
    ts_bind(proxy.front, *state, proxy.front_endpoint);
    start(&proxy);
    void *dealer = connected(&proxy, ZMQ_DEALER, proxy.front_endpoint);
    for (int i = 0; i < 100; ++i) {
        ts_send_parts(dealer, "echo", "", "part");
        ts_recv_parts(dealer, "echo", "", "part");
    }
    ts_close(dealer);
    terminate_proxy(&proxy);
}

/* A slow receiver stops the sender rather than being given more than the marks allow. */
static void proxy_passes_backpressure_on(void **state)
{
    (void)state;
    struct proxy proxy = {.context = ts_context()};
    proxy.front = ts_socket(proxy.context, ZMQ_PULL);
    proxy.back = ts_socket(proxy.context, ZMQ_PUSH);
    ts_set_int(proxy.front, ZMQ_RCVHWM, 5);
    ts_set_int(proxy.back, ZMQ_SNDHWM, 5);
    ts_bind(proxy.front, "inproc", proxy.front_endpoint);
    ts_bind(proxy.back, "inproc", proxy.back_endpoint);
    start(&proxy);
    void *push = ts_socket(proxy.context, ZMQ_PUSH), *pull = ts_socket(proxy.context, ZMQ_PULL);
    ts_set_int(push, ZMQ_SNDHWM, 5);
    ts_set_int(pull, ZMQ_RCVHWM, 5);
    ts_ok(zmq_connect(pull, proxy.back_endpoint));
    ts_ok(zmq_connect(push, proxy.front_endpoint));
    /* 10 between each pair of sockets, and one on its way in the proxy. */
    int sent = 0;
    ts_set_int(push, ZMQ_SNDTIMEO, 200);
    while (zmq_send(push, &sent, sizeof sent, 0) != -1)
        ts_check(++sent <= 21);
    ts_check(sent >= 10);
    for (int n = 0; n < sent; ++n)
        ts_recv_bytes(pull, &n, sizeof n, false);
    ts_close(push);
    ts_close(pull);
    terminate_proxy(&proxy);
}

/* ---- steering --------------------------------------------------------------------------- */

/* A steerable proxy and the socket that steers it. */
static void *open_steerable(struct proxy *proxy, const char *transport, int control)
{
    char endpoint[TS_ENDPOINT_MAX];
    open_proxy(proxy, transport, ZMQ_PULL, ZMQ_PUSH);
    proxy->steerable = true;
    proxy->control = ts_socket(proxy->context, control);
    void *steer = ts_socket(proxy->context, control == ZMQ_REP ? ZMQ_REQ : ZMQ_PAIR);
    ts_bind(proxy->control, transport, endpoint);
    ts_ok(zmq_connect(steer, endpoint));
    start(proxy);
    return steer;
}

/* Eight counters. Commands are obeyed in order, so this also waits for those before. */
static void get_statistics(void *steer, uint64_t values[8])
{
    ts_send(steer, "STATISTICS", 0);
    for (int i = 0; i < 8; ++i) {
        ts_value(zmq_recv(steer, &values[i], 8, 0), 8);
        ts_value(ts_more(steer), i < 7);
    }
}

static void end_steerable(struct proxy *proxy, void *steer)
{
    ts_thread_join(proxy->thread);
    ts_value(proxy->rc, 0);
    ts_close(steer);
    ts_terminate(proxy->context);
}

static void statistics_count_both_directions(void **state)
{
    static const long long wanted[8] = {10, 50, 4, 12, 4, 12, 10, 50}; /* messages, bytes */
    uint64_t values[8];
    struct proxy proxy = {.context = ts_context(), .steerable = true};
    proxy.front = ts_socket(proxy.context, ZMQ_PAIR);
    proxy.back = ts_socket(proxy.context, ZMQ_PAIR);
    proxy.control = ts_socket(proxy.context, ZMQ_PAIR);
    ts_bind(proxy.front, *state, proxy.front_endpoint);
    ts_bind(proxy.back, *state, proxy.back_endpoint);
    ts_ok(zmq_bind(proxy.control, "inproc://control"));
    void *steer = connected(&proxy, ZMQ_PAIR, "inproc://control");
    void *front = connected(&proxy, ZMQ_PAIR, proxy.front_endpoint);
    void *back = connected(&proxy, ZMQ_PAIR, proxy.back_endpoint);
    start(&proxy);
    get_statistics(steer, values);
    for (int i = 0; i < 8; ++i)
        ts_value((long long)values[i], 0);
    for (int i = 0; i < 10; ++i) {
        ts_send(front, "12345", 0);
        ts_recv(back, "12345");
    }
    for (int i = 0; i < 4; ++i) {
        ts_send(back, "123", 0);
        ts_recv(front, "123");
    }
    get_statistics(steer, values);
    for (int i = 0; i < 8; ++i)
        ts_value((long long)values[i], wanted[i]);
    ts_close(front);
    ts_close(back);
    ts_send(steer, "TERMINATE", 0);
    end_steerable(&proxy, steer);
}

static void pausing(void **state)
{
    uint64_t values[8];
    struct proxy proxy = {0};
    void *steer = open_steerable(&proxy, *state, ZMQ_PAIR);
    void *push = connected(&proxy, ZMQ_PUSH, proxy.front_endpoint);
    void *pull = connected(&proxy, ZMQ_PULL, proxy.back_endpoint);
    for (int round = 0; round < 3; ++round) {
        ts_send(push, "x", 0);
        ts_recv(pull, "x");
        ts_send(steer, "PAUSE", 0);
        get_statistics(steer, values);
        for (int i = 0; i < 10; ++i)
            ts_send(push, "held back", 0);
        get_statistics(steer, values);
        ts_value((long long)values[0], 11 * round + 1);
        ts_recv_nothing(pull);
        ts_send(steer, "RESUME", 0);
        for (int i = 0; i < 10; ++i)
            ts_recv(pull, "held back");
    }
    ts_close(push);
    ts_close(pull);
    ts_send(steer, "TERMINATE", 0);
    end_steerable(&proxy, steer);
}

static void termination_works_while_paused(void **state)
{
    struct proxy proxy = {0};
    void *steer = open_steerable(&proxy, *state, ZMQ_PAIR);
    ts_send(steer, "PAUSE", 0);
    ts_send(steer, "TERMINATE", 0);
    end_steerable(&proxy, steer);
}

/* A REP as control socket confirms every command, known or not, with an empty message. (4.3.4
 * confirms none and aborts on an unknown one.) */
static void rep_confirms_commands_beyond_stock(void **state)
{
    static const char *commands[] = {"",      "no such command", "pause",  "PAUSED",
                                     "PAUSE", "RESUME",          "RESUME", "TERMINAT"};
    struct proxy proxy = {0};
    void *steer = open_steerable(&proxy, *state, ZMQ_REP);
    void *push = connected(&proxy, ZMQ_PUSH, proxy.front_endpoint);
    void *pull = connected(&proxy, ZMQ_PULL, proxy.back_endpoint);
    for (size_t i = 0; i < TS_COUNT(commands); ++i) {
        ts_send(steer, commands[i], 0);
        ts_recv(steer, "");
        ts_send_parts(push, "a", "message");
        if (strcmp(commands[i], "PAUSE") == 0)
            continue;
        for (int n = 0; n < (i > 0 && strcmp(commands[i - 1], "PAUSE") == 0 ? 2 : 1); ++n)
            ts_recv_parts(pull, "a", "message");
    }
    ts_close(push);
    ts_close(pull);
    ts_send(steer, "TERMINATE", 0);
    ts_recv(steer, "");
    end_steerable(&proxy, steer);
}

/* libzmq crashes when one socket is on both sides of a steerable proxy. */
static void steerable_with_one_socket_beyond_stock(void **state)
{
    struct proxy proxy = {.context = ts_context(), .steerable = true};
    proxy.front = proxy.back = ts_socket(proxy.context, ZMQ_DEALER);
    proxy.control = ts_socket(proxy.context, ZMQ_PAIR);
    void *steer = ts_socket(proxy.context, ZMQ_PAIR);
    ts_bind(proxy.front, *state, proxy.front_endpoint);
    ts_ok(zmq_bind(proxy.control, "inproc://control"));
    ts_ok(zmq_connect(steer, "inproc://control"));
    start(&proxy);
    void *dealer = connected(&proxy, ZMQ_DEALER, proxy.front_endpoint);
    ts_send_parts(dealer, "echo", "part");
    ts_recv_parts(dealer, "echo", "part");
    ts_close(dealer);
    ts_send(steer, "TERMINATE", 0);
    end_steerable(&proxy, steer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_arguments),
        TS_ON_ALL(requests_and_answers),
        TS_ON_ALL(capture_sees_everything),
        TS_ON_ALL(subscriptions_pass_upstream),
        TS_ON_ALL(one_socket_on_both_sides),
        cmocka_unit_test(proxy_passes_backpressure_on),
        TS_ON_ALL(statistics_count_both_directions),
        TS_ON_ALL(pausing),
        TS_ON_ALL(termination_works_while_paused),
        TS_ON_ALL(rep_confirms_commands_beyond_stock),
        TS_ON_ALL(steerable_with_one_socket_beyond_stock),
    };
    return TS_RUN(tests);
}
