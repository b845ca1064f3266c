/* SPDX-License-Identifier: MPL-2.0 */
/* XPUB and XSUB: subscription notices and the options that shape them, upstream messages. */
#include "support/raw_peer.h"
#include "support/test_support.h"

#include <errno.h>
#include <unistd.h>

struct net {
    void *context, *xpub, *a, *b; /* two subscribers of the same type */
    char endpoint[TS_ENDPOINT_MAX];
};

static struct net open_net(const char *transport, int subscriber_type)
{
    struct net net = {.context = ts_context()};
    net.xpub = ts_socket(net.context, ZMQ_XPUB);
    net.a = ts_socket(net.context, subscriber_type);
    net.b = ts_socket(net.context, subscriber_type);
    ts_bind(net.xpub, transport, net.endpoint);
    ts_ok(zmq_connect(net.a, net.endpoint));
    ts_ok(zmq_connect(net.b, net.endpoint));
    return net;
}

static void close_net(struct net *net)
{
    ts_close(net->xpub);
    if (net->a)
        ts_close(net->a);
    ts_close(net->b);
    ts_terminate(net->context);
}

/* A notice: the first byte is 1 for a subscription, 0 for its end. */
#define NOTICE(socket, literal) ts_recv_bytes((socket), (literal), sizeof(literal) - 1, false)
#define UPSTREAM(socket, literal) ts_send_bytes((socket), (literal), sizeof(literal) - 1, 0)

/* Only the first subscription and the end of the last one are reported. */
static void duplicates_are_not_reported(void **state)
{
    struct net net = open_net(*state, ZMQ_SUB);
    ts_set_text(net.a, ZMQ_SUBSCRIBE, "A");
    NOTICE(net.xpub, "\1A");
    ts_set_text(net.a, ZMQ_SUBSCRIBE, "A");
    ts_set_text(net.b, ZMQ_SUBSCRIBE, "A");
    ts_set_text(net.b, ZMQ_SUBSCRIBE, "B");
    NOTICE(net.xpub, "\1B");
    ts_set_text(net.a, ZMQ_UNSUBSCRIBE, "A");
    ts_set_text(net.a, ZMQ_UNSUBSCRIBE, "A");
    ts_set_text(net.a, ZMQ_SUBSCRIBE, "");
    NOTICE(net.xpub, "\1");
    ts_set_text(net.b, ZMQ_UNSUBSCRIBE, "A");
    NOTICE(net.xpub, "\0A");
    ts_recv_nothing(net.xpub);
    close_net(&net);
}

static void verbose_reports_every_subscription(void **state)
{
    struct net net = open_net(*state, ZMQ_SUB);
    ts_set_int(net.xpub, ZMQ_XPUB_VERBOSE, 1);
    ts_set_text(net.a, ZMQ_SUBSCRIBE, "A");
    NOTICE(net.xpub, "\1A");
    ts_set_text(net.b, ZMQ_SUBSCRIBE, "A");
    NOTICE(net.xpub, "\1A");
    ts_set_text(net.a, ZMQ_SUBSCRIBE, "A");
    NOTICE(net.xpub, "\1A");
    ts_set_text(net.b, ZMQ_UNSUBSCRIBE, "A");
    ts_set_text(net.b, ZMQ_SUBSCRIBE, "B");
    NOTICE(net.xpub, "\1B");
    ts_set_text(net.a, ZMQ_UNSUBSCRIBE, "A");
    ts_set_text(net.a, ZMQ_UNSUBSCRIBE, "A");
    NOTICE(net.xpub, "\0A");
    close_net(&net);
}

static void verboser_reports_every_end_as_well(void **state)
{
    struct net net = open_net(*state, ZMQ_SUB);
    ts_set_int(net.xpub, ZMQ_XPUB_VERBOSER, 1);
    ts_set_text(net.a, ZMQ_SUBSCRIBE, "A");
    NOTICE(net.xpub, "\1A");
    ts_set_text(net.b, ZMQ_SUBSCRIBE, "A");
    NOTICE(net.xpub, "\1A");
    ts_set_text(net.b, ZMQ_UNSUBSCRIBE, "A");
    NOTICE(net.xpub, "\0A");
    ts_set_text(net.a, ZMQ_UNSUBSCRIBE, "A");
    NOTICE(net.xpub, "\0A");
    ts_recv_nothing(net.xpub);
    close_net(&net);
}

static void lost_subscriber_is_unsubscribed(void **state)
{
    struct net net = open_net(*state, ZMQ_SUB);
    ts_set_text(net.a, ZMQ_SUBSCRIBE, "A");
    NOTICE(net.xpub, "\1A");
    ts_set_text(net.b, ZMQ_SUBSCRIBE, "B");
    NOTICE(net.xpub, "\1B");
    ts_set_text(net.a, ZMQ_SUBSCRIBE, "B");
    ts_set_text(net.a, ZMQ_SUBSCRIBE, "C");
    NOTICE(net.xpub, "\1C");
    ts_close(net.a);
    net.a = NULL;
    char first[8], second[8];
    ts_value((long long)ts_recv_any(net.xpub, first, sizeof first), 2);
    ts_value((long long)ts_recv_any(net.xpub, second, sizeof second), 2);
    ts_check(first[0] == 0 && second[0] == 0);
    ts_value(first[1] + second[1], 'A' + 'C'); /* B has another subscriber */
    ts_recv_nothing(net.xpub);
    close_net(&net);
}

/* Removing what was never there is reported, so that a proxy passes it on. Both forms, message
 * and command, work for both operations. */
static void end_of_an_unknown_subscription_is_reported(void **state)
{
    struct net net = open_net(*state, ZMQ_SUB);
    int fd = ts_raw_connect(net.endpoint);
    ts_raw_handshake(fd, "SUB", NULL, 0);
    ts_raw_send_frame(fd, 0, "\0unknown", 8);
    NOTICE(net.xpub, "\0unknown");
    ts_raw_send_frame(fd, 0, "\1A", 2);
    ts_raw_send_frame(fd, TS_FRAME_COMMAND, "\11SUBSCRIBEB", 11);
    NOTICE(net.xpub, "\1A");
    NOTICE(net.xpub, "\1B");
    ts_send_parts(net.xpub, "A", "part");
    ts_send(net.xpub, "B", 0);
    ts_raw_expect(fd, "\1\1A\0\4part\0\1B", 12);
    ts_raw_send_frame(fd, TS_FRAME_COMMAND, "\6CANCELA", 8);
    ts_raw_send_frame(fd, 0, "\0B", 2);
    NOTICE(net.xpub, "\0A");
    NOTICE(net.xpub, "\0B");
    close(fd);
    close_net(&net);
}

/* Manual: the application decides what the peer whose notice it just read is subscribed to. */
static void manual_subscriptions(void **state)
{
    struct net net = open_net(*state, ZMQ_SUB);
    char rest[16];
    ts_set_int(net.xpub, ZMQ_XPUB_MANUAL, 1);
    ts_set_text(net.b, ZMQ_SUBSCRIBE, "all");
    NOTICE(net.xpub, "\1all");
    ts_set_text(net.xpub, ZMQ_SUBSCRIBE, "all");
    ts_set_text(net.a, ZMQ_SUBSCRIBE, "A");
    ts_set_text(net.a, ZMQ_SUBSCRIBE, "XA"); /* passes its own filter */
    NOTICE(net.xpub, "\1A");
    ts_set_text(net.xpub, ZMQ_SUBSCRIBE, "XA");
    ts_send(net.xpub, "A", 0);
    ts_send(net.xpub, "XA", 0);
    ts_recv(net.a, "XA");
    NOTICE(net.xpub, "\1XA");
    ts_set_text(net.a, ZMQ_UNSUBSCRIBE, "A");
    NOTICE(net.xpub, "\0A");
    ts_set_text(net.xpub, ZMQ_UNSUBSCRIBE, "XA");
    ts_send(net.xpub, "XA", 0);
    ts_send(net.xpub, "all", 0);
    ts_recv(net.b, "all");
    ts_recv_nothing(net.a);
    ts_close(net.a);
    net.a = NULL;
    while (ts_recv_any(net.xpub, rest, sizeof rest) != 3 || memcmp(rest, "\0XA", 3) != 0)
        ts_check(rest[0] == 0);
    close_net(&net);
}

/* The first message after a notice goes to that peer alone: its "last value". */
static void manual_last_value(void **state)
{
    struct net net = open_net(*state, ZMQ_SUB);
    ts_set_int(net.xpub, ZMQ_XPUB_MANUAL_LAST_VALUE, 1);
    ts_set_text(net.a, ZMQ_SUBSCRIBE, "A");
    NOTICE(net.xpub, "\1A");
    ts_set_text(net.xpub, ZMQ_SUBSCRIBE, "A");
    ts_send(net.xpub, "A first", 0);
    ts_recv(net.a, "A first");
    ts_set_text(net.b, ZMQ_SUBSCRIBE, "A");
    NOTICE(net.xpub, "\1A");
    ts_set_text(net.xpub, ZMQ_SUBSCRIBE, "A");
    ts_send_parts(net.xpub, "A last value", "of two parts");
    ts_send(net.xpub, "A news", 0);
    ts_recv_parts(net.b, "A last value", "of two parts");
    ts_recv(net.b, "A news");
    ts_recv(net.a, "A news");
    ts_recv_nothing(net.a);
    close_net(&net);
}

/* NODROP: one full subscriber stops the publisher for everybody. */
static void nodrop_stops_the_publisher(void **state)
{
    (void)state;
    void *context = ts_context();
    void *xpub = ts_socket(context, ZMQ_XPUB);
    void *slow = ts_socket(context, ZMQ_SUB), *fast = ts_socket(context, ZMQ_SUB);
    ts_set_int(xpub, ZMQ_XPUB_NODROP, 1);
    ts_set_int(xpub, ZMQ_SNDHWM, 2);
    ts_set_int(slow, ZMQ_RCVHWM, 2);
    ts_set_text(slow, ZMQ_SUBSCRIBE, "A");
    ts_set_text(fast, ZMQ_SUBSCRIBE, "");
    ts_ok(zmq_bind(xpub, "inproc://nodrop"));
    ts_ok(zmq_connect(slow, "inproc://nodrop"));
    ts_ok(zmq_connect(fast, "inproc://nodrop"));
    NOTICE(xpub, "\1A");
    NOTICE(xpub, "\1");
    ts_value(ts_fill(xpub, "A", 100), 4);
    ts_error(zmq_send(xpub, "A", 1, ZMQ_DONTWAIT | ZMQ_SNDMORE), EAGAIN);
    ts_set_int(xpub, ZMQ_SNDTIMEO, 10);
    ts_error(zmq_send(xpub, "A", 1, 0), EAGAIN);
    ts_send(xpub, "B", ZMQ_DONTWAIT); /* not for the full one */
    for (int i = 0; i < 4; ++i) {
        ts_recv(slow, "A");
        ts_recv(fast, "A");
    }
    ts_recv(fast, "B");
    ts_recv_nothing(fast);
    ts_set_int(xpub, ZMQ_SNDTIMEO, TS_TIMEOUT_MS);
    ts_send(xpub, "A2", 0);
    ts_recv(slow, "A2");
    ts_recv(fast, "A2");
    ts_close(slow);
    ts_close(fast);
    ts_close(xpub);
    ts_terminate(context);
}

static void welcome_message_comes_first(void **state)
{
    struct net net = open_net(*state, ZMQ_SUB);
    ts_set_text(net.xpub, ZMQ_XPUB_WELCOME_MSG, "W hello");
    for (int round = 0; round < 3; ++round) {
        void *sub = ts_socket(net.context, ZMQ_SUB);
        ts_set_text(sub, ZMQ_SUBSCRIBE, "W");
        ts_ok(zmq_connect(sub, net.endpoint));
        NOTICE(net.xpub, "\1W");
        ts_send(net.xpub, "W news", 0);
        ts_recv(sub, "W hello");
        ts_recv(sub, "W news");
        ts_close(sub);
        NOTICE(net.xpub, "\0W");
    }
    /* Removed again: the next subscriber is not welcomed. */
    ts_set_bytes(net.xpub, ZMQ_XPUB_WELCOME_MSG, NULL, 0);
    void *sub = ts_socket(net.context, ZMQ_SUB);
    ts_set_text(sub, ZMQ_SUBSCRIBE, "W");
    ts_ok(zmq_connect(sub, net.endpoint));
    NOTICE(net.xpub, "\1W");
    ts_send(net.xpub, "W news", 0);
    ts_recv(sub, "W news");
    ts_close(sub);
    close_net(&net);
}

/* Whatever else XSUB peers send arrives at the XPUB as it is. */
static void user_messages_go_upstream(void **state)
{
    struct net net = open_net(*state, ZMQ_XSUB);
    UPSTREAM(net.a, "hello");
    NOTICE(net.xpub, "hello");
    ts_send_parts(net.a, "", "two", "three");
    ts_recv_parts(net.xpub, "", "two", "three");
    UPSTREAM(net.a, "\1A");
    NOTICE(net.xpub, "\1A");
    UPSTREAM(net.a, "\2A");
    NOTICE(net.xpub, "\2A");
    ts_send(net.xpub, "A data", 0);
    ts_recv(net.a, "A data");
    ts_recv_nothing(net.b);
    close_net(&net);
}

static void plain_publisher_ignores_user_messages(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *pub = ts_socket(context, ZMQ_PUB), *xsub = ts_socket(context, ZMQ_XSUB);
    ts_bind(pub, *state, endpoint);
    ts_ok(zmq_connect(xsub, endpoint));
    UPSTREAM(xsub, "hello");
    ts_send_parts(xsub, "two", "parts");
    UPSTREAM(xsub, "\1A");
    zmq_pollitem_t item = {.socket = xsub, .events = ZMQ_POLLIN};
    int64_t deadline = ts_now_ms() + TS_TIMEOUT_MS;
    do {
        ts_check(ts_now_ms() < deadline);
        ts_send(pub, "A", 0);
    } while (zmq_poll(&item, 1, 5) != 1);
    ts_recv(xsub, "A");
    ts_close(pub);
    ts_close(xsub);
    ts_terminate(context);
}

/* XSUB repeats subscriptions upstream, but only the end of the last one. */
static void xsub_counts_its_subscriptions(void **state)
{
    struct net net = open_net(*state, ZMQ_XSUB);
    ts_set_int(net.xpub, ZMQ_XPUB_VERBOSER, 1);
    UPSTREAM(net.a, "\1A");
    UPSTREAM(net.a, "\1A");
    UPSTREAM(net.a, "\0A");
    UPSTREAM(net.a, "\0unknown");
    UPSTREAM(net.a, "\0A");
    UPSTREAM(net.a, "\1");
    NOTICE(net.xpub, "\1A");
    NOTICE(net.xpub, "\1A");
    NOTICE(net.xpub, "\0A");
    NOTICE(net.xpub, "\1");
    ts_value(ts_get_int(net.a, ZMQ_EVENTS), ZMQ_POLLOUT);
    ts_recv_nothing(net.xpub);
    close_net(&net);
}

/* Newer than stock: every end goes upstream. */
static void xsub_verbose_unsubscribe_beyond_stock(void **state)
{
    struct net net = open_net(*state, ZMQ_XSUB);
    ts_set_int(net.xpub, ZMQ_XPUB_VERBOSER, 1);
    ts_set_int(net.a, ZMQ_XSUB_VERBOSE_UNSUBSCRIBE, 1);
    UPSTREAM(net.a, "\1A");
    UPSTREAM(net.a, "\1A");
    UPSTREAM(net.a, "\0A");
    UPSTREAM(net.a, "\0unknown");
    NOTICE(net.xpub, "\1A");
    NOTICE(net.xpub, "\1A");
    NOTICE(net.xpub, "\0A");
    NOTICE(net.xpub, "\0unknown");
    close_net(&net);
}

/* By default each part of an upstream message may subscribe; the option stops after the first. */
static void only_first_subscribe(void **state)
{
    for (int only = 0; only < 2; ++only) {
        struct net net = open_net(*state, ZMQ_XSUB);
        ts_set_int(net.xpub, ZMQ_ONLY_FIRST_SUBSCRIBE, only);
        ts_set_int(net.a, ZMQ_ONLY_FIRST_SUBSCRIBE, only);
        ts_send(net.a, "user", ZMQ_SNDMORE);
        ts_send_bytes(net.a, "\1A", 2, 0);
        UPSTREAM(net.a, "\1B");
        if (only) {
            ts_recv_bytes(net.xpub, "user", 4, true);
            NOTICE(net.xpub, "\1A"); /* as the message's second part */
        } else {
            ts_recv_any(net.xpub, (char[16]){0}, 16);
            NOTICE(net.xpub, "\1A");
        }
        NOTICE(net.xpub, "\1B");
        ts_send(net.xpub, "A", 0);
        ts_send(net.xpub, "B", 0);
        if (!only)
            ts_recv(net.a, "A");
        ts_recv(net.a, "B");
        close_net(&net);
    }
}

/* TOPICS_COUNT is newer than the reference installed as stock. */
static void topics_are_counted_beyond_stock(void **state)
{
    struct net net = open_net(*state, ZMQ_SUB);
    static const char *topics[] = {"A", "AB", "A", ""};
    for (size_t i = 0; i < TS_COUNT(topics); ++i)
        ts_set_text(net.a, ZMQ_SUBSCRIBE, topics[i]);
    ts_value(ts_get_int(net.a, ZMQ_TOPICS_COUNT), 3);
    for (int i = 0; i < 3; ++i)
        ts_ok(zmq_recv(net.xpub, NULL, 0, 0));
    ts_value(ts_get_int(net.xpub, ZMQ_TOPICS_COUNT), 3);
    ts_set_text(net.a, ZMQ_UNSUBSCRIBE, "AB");
    ts_recv_bytes(net.xpub, "\0AB", 3, false);
    ts_value(ts_get_int(net.xpub, ZMQ_TOPICS_COUNT), 2);
    ts_value(ts_get_int(net.a, ZMQ_TOPICS_COUNT), 2);
    close_net(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TS_ON_ALL(duplicates_are_not_reported),
        TS_ON_ALL(verbose_reports_every_subscription),
        TS_ON_ALL(verboser_reports_every_end_as_well),
        TS_ON_ALL(lost_subscriber_is_unsubscribed),
        TS_ON_NETWORK(end_of_an_unknown_subscription_is_reported),
        TS_ON_ALL(manual_subscriptions),
        TS_ON_ALL(manual_last_value),
        cmocka_unit_test(nodrop_stops_the_publisher),
        TS_ON_ALL(welcome_message_comes_first),
        TS_ON_ALL(user_messages_go_upstream),
        TS_ON_ALL(plain_publisher_ignores_user_messages),
        TS_ON_ALL(xsub_counts_its_subscriptions),
        TS_ON_ALL(xsub_verbose_unsubscribe_beyond_stock),
        TS_ON_ALL(only_first_subscribe),
        TS_ON_ALL(topics_are_counted_beyond_stock),
    };
    return TS_RUN(tests);
}
