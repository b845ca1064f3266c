/* SPDX-License-Identifier: MPL-2.0 */
/* ROUTER to ROUTER, probing, ids given by the connecting side, raw mode, notifications, peer state. */
#include "support/raw_peer.h"
#include "support/test_support.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static void *named(void *context, int type, const char *id)
{
    void *socket = ts_socket(context, type);
    ts_set_text(socket, ZMQ_ROUTING_ID, id);
    return socket;
}

static void routers_talk_by_their_ids(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *a = named(context, ZMQ_ROUTER, "A"), *b = named(context, ZMQ_ROUTER, "B");
    ts_set_int(b, ZMQ_PROBE_ROUTER, 1);
    ts_set_int(b, ZMQ_ROUTER_MANDATORY, 1);
    ts_bind(a, *state, endpoint);
    ts_ok(zmq_connect(b, endpoint));
    ts_recv_parts(a, "B", "");
    ts_send_parts(a, "B", "to b");
    ts_recv_parts(b, "A", "to b");
    ts_send_parts(b, "A", "to", "a");
    ts_recv_parts(a, "B", "to", "a");
    ts_close(a);
    ts_close(b);
    ts_terminate(context);
}

/* A dealer asked to probe says so with an empty message, before anything else. */
static void probe_announces_the_connection(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *router = ts_socket(context, ZMQ_ROUTER), *dealer = named(context, ZMQ_DEALER, "D");
    ts_set_int(dealer, ZMQ_PROBE_ROUTER, 1);
    ts_bind(router, *state, endpoint);
    ts_ok(zmq_connect(dealer, endpoint));
    ts_send(dealer, "after", 0);
    ts_recv_parts(router, "D", "");
    ts_recv_parts(router, "D", "after");
    ts_send_parts(router, "D", "hello");
    ts_recv(dealer, "hello");
    ts_close(dealer);
    ts_close(router);
    ts_terminate(context);
}

/* CONNECT_ROUTING_ID names one connection, which can be addressed before it is made. */
static void connect_routing_id_names_the_next_connection(void **state)
{
    struct ts_address first, second;
    char id[16];
    void *context = ts_context();
    void *router = ts_socket(context, ZMQ_ROUTER);
    ts_address_reserve(&first, *state);
    ts_address_reserve(&second, *state);
    ts_set_int(router, ZMQ_ROUTER_MANDATORY, 1);
    ts_set_text(router, ZMQ_CONNECT_ROUTING_ID, "one");
    ts_ok(zmq_connect(router, first.endpoint));
    ts_send_parts(router, "one", "early");
    /* Used up: the second connection gets an id of its own. */
    ts_ok(zmq_connect(router, second.endpoint));
    void *one = named(context, ZMQ_DEALER, "ignored"), *two = ts_socket(context, ZMQ_DEALER);
    ts_ok(zmq_bind(one, first.endpoint));
    ts_ok(zmq_bind(two, second.endpoint));
    ts_recv(one, "early");
    ts_send(one, "answer", 0);
    ts_recv_parts(router, "one", "answer");
    ts_send(two, "hi", 0);
    ts_value((long long)ts_recv_any(router, id, sizeof id), 5);
    ts_recv(router, "hi");
    ts_address_release(&first);
    ts_address_release(&second);
    ts_close(one);
    ts_close(two);
    ts_close(router);
    ts_terminate(context);
}

/* libzmq aborts the process here. */
static void connect_routing_id_in_use_fails_beyond_stock(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *router = ts_socket(context, ZMQ_ROUTER), *dealer = ts_socket(context, ZMQ_DEALER);
    ts_bind(dealer, *state, endpoint);
    ts_set_text(router, ZMQ_CONNECT_ROUTING_ID, "one");
    ts_ok(zmq_connect(router, endpoint));
    ts_send_parts(router, "one", "x");
    ts_recv(dealer, "x");
    ts_set_text(router, ZMQ_CONNECT_ROUTING_ID, "one");
    ts_value(zmq_connect(router, endpoint), -1);
    ts_send_parts(router, "one", "y");
    ts_recv(dealer, "y");
    ts_close(dealer);
    ts_close(router);
    ts_terminate(context);
}

static void failed_message_stays_with_the_caller(void **state)
{
    (void)state;
    zmq_msg_t message;
    void *context = ts_context();
    void *router = ts_socket(context, ZMQ_ROUTER);
    ts_set_int(router, ZMQ_ROUTER_MANDATORY, 1);
    ts_ok(zmq_msg_init_size(&message, 6));
    memcpy(zmq_msg_data(&message), "nobody", 6);
    ts_error(zmq_msg_send(&message, router, ZMQ_SNDMORE), EHOSTUNREACH);
    ts_value((long long)zmq_msg_size(&message), 6);
    assert_memory_equal(zmq_msg_data(&message), "nobody", 6);
    ts_ok(zmq_msg_close(&message));
    ts_close(router);
    ts_terminate(context);
}

static void raw_mode_carries_bytes(void **state)
{
    (void)state;
    char endpoint[TS_ENDPOINT_MAX], id[16], text[16];
    void *context = ts_context();
    void *router = ts_socket(context, ZMQ_ROUTER);
    ts_set_int(router, ZMQ_ROUTER_RAW, 1);
    ts_bind(router, "tcp", endpoint);
    int fd = ts_raw_connect(endpoint);
    ts_raw_send(fd, "request", 7);
    ts_value((long long)ts_recv_any(router, id, sizeof id), 5);
    ts_value(ts_more(router), 1);
    for (size_t got = 0; got < 7;) {
        size_t size = ts_recv_any(router, text, sizeof text);
        assert_memory_equal(text, &"request"[got], size);
        if ((got += size) < 7)
            ts_value((long long)ts_recv_any(router, text, sizeof text), 5);
    }
    ts_send_bytes(router, id, 5, ZMQ_SNDMORE);
    ts_send(router, "answer", 0);
    ts_raw_expect(fd, "answer", 6);
    ts_send_bytes(router, id, 5, ZMQ_SNDMORE);
    ts_send(router, "", 0);
    /* Whoever has to act on the close, the poll lets it. */
    zmq_pollitem_t items[] = {{.socket = router, .events = ZMQ_POLLIN},
                              {.fd = fd, .events = ZMQ_POLLIN}};
    ts_value(zmq_poll(items, 2, TS_TIMEOUT_MS), 1);
    ts_raw_expect_closed(fd);
    close(fd);
    ts_close(router);
    ts_terminate(context);
}

/* Draft option: absent from a stable libzmq. */
static void notify_reports_coming_and_going_beyond_stock(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *router = ts_socket(context, ZMQ_ROUTER), *dealer = named(context, ZMQ_DEALER, "D");
    ts_set_int(router, ZMQ_ROUTER_NOTIFY, ZMQ_NOTIFY_CONNECT | ZMQ_NOTIFY_DISCONNECT);
    ts_value(ts_get_int(router, ZMQ_ROUTER_NOTIFY), ZMQ_NOTIFY_CONNECT | ZMQ_NOTIFY_DISCONNECT);
    ts_bind(router, *state, endpoint);
    ts_ok(zmq_connect(dealer, endpoint));
    ts_recv_parts(router, "D", "");
    ts_send(dealer, "x", 0);
    ts_recv_parts(router, "D", "x");
    ts_close(dealer);
    ts_recv_parts(router, "D", "");
    ts_recv_nothing(router);
    ts_close(router);
    ts_terminate(context);
}

/* Draft function: absent from a stable libzmq. Resolved at run time so that the rest of this file
 * still links against one. */
extern int zmq_socket_get_peer_state(void *socket, const void *routing_id, size_t routing_id_size)
    __attribute__((weak));

static void peer_state_shows_room_beyond_stock(void **state)
{
    (void)state;
    void *context = ts_context();
    void *router = ts_socket(context, ZMQ_ROUTER), *dealer = named(context, ZMQ_DEALER, "D");
    ts_set_int(router, ZMQ_SNDHWM, 1);
    ts_set_int(router, ZMQ_ROUTER_MANDATORY, 1);
    ts_set_int(dealer, ZMQ_RCVHWM, 1);
    ts_ok(zmq_bind(router, "inproc://peer-state"));
    ts_error(zmq_socket_get_peer_state(router, "D", 1), EHOSTUNREACH);
    ts_error(zmq_socket_get_peer_state(dealer, "D", 1), ENOTSUP);
    ts_ok(zmq_connect(dealer, "inproc://peer-state"));
    ts_send(dealer, "x", 0);
    ts_recv_parts(router, "D", "x");
    ts_value(zmq_socket_get_peer_state(router, "D", 1), ZMQ_POLLOUT);
    ts_send_parts(router, "D", "1");
    ts_send_parts(router, "D", "2");
    ts_value(zmq_socket_get_peer_state(router, "D", 1), 0);
    ts_close(dealer);
    ts_close(router);
    ts_terminate(context);
}

/* A raw connection with this identity, after its handshake with the router. */
static int raw_dealer(const char *endpoint, const char *identity)
{
    int fd = ts_raw_connect(endpoint);
    ts_raw_handshake(fd, "DEALER", identity, strlen(identity));
    return fd;
}

/* Two peers' parts alternate on the wire; the router must not mix the messages. */
static void interleaved_parts_of_two_peers_stay_apart(void **state)
{
    char endpoint[TS_ENDPOINT_MAX], id[16];
    void *context = ts_context();
    void *router = ts_socket(context, ZMQ_ROUTER);
    ts_bind(router, *state, endpoint);
    int a = raw_dealer(endpoint, "A"), b = raw_dealer(endpoint, "B");
    ts_raw_send_frame(a, TS_FRAME_MORE, "a1", 2);
    ts_raw_send_frame(b, TS_FRAME_MORE, "b1", 2);
    ts_raw_send_frame(a, TS_FRAME_MORE, "a2", 2);
    ts_raw_send_frame(b, 0, "b2", 2);
    ts_recv_parts(router, "B", "b1", "b2");
    ts_raw_send_frame(a, 0, "a3", 2);
    ts_recv_parts(router, "A", "a1", "a2", "a3");
    ts_error(zmq_recv(router, id, sizeof id, ZMQ_DONTWAIT), EAGAIN);
    close(a);
    close(b);
    ts_close(router);
    ts_terminate(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TS_ON_ALL(routers_talk_by_their_ids),
        TS_ON_ALL(probe_announces_the_connection),
        TS_ON_ALL(connect_routing_id_names_the_next_connection),
        TS_ON_ALL(connect_routing_id_in_use_fails_beyond_stock),
        cmocka_unit_test(failed_message_stays_with_the_caller),
        cmocka_unit_test(raw_mode_carries_bytes),
        TS_ON_CONNECTIONS(notify_reports_coming_and_going_beyond_stock),
        cmocka_unit_test(peer_state_shows_room_beyond_stock),
        TS_ON_NETWORK(interleaved_parts_of_two_peers_stay_apart),
    };
    return TS_RUN(tests);
}
