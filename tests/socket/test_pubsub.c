/* SPDX-License-Identifier: MPL-2.0 */
/* PUB and SUB: prefixes, reference counts, reconnection, slow subscribers, inverted matching. */
#include "support/test_support.h"

#include <errno.h>
#include <stdio.h>

/* An XPUB serves as publisher where the arrival of a subscription must be seen. */
struct pair {
    void *context, *pub, *sub;
    char endpoint[TS_ENDPOINT_MAX];
};

static struct pair open_pair(const char *transport, int publisher_type)
{
    struct pair pair = {.context = ts_context()};
    pair.pub = ts_socket(pair.context, publisher_type);
    pair.sub = ts_socket(pair.context, ZMQ_SUB);
    ts_bind(pair.pub, transport, pair.endpoint);
    ts_ok(zmq_connect(pair.sub, pair.endpoint));
    return pair;
}

static void close_pair(struct pair *pair)
{
    ts_close(pair->pub);
    ts_close(pair->sub);
    ts_terminate(pair->context);
}

static void wrong_direction_is_not_supported(void **state)
{
    struct pair pair = open_pair(*state, ZMQ_PUB);
    ts_error(zmq_recv(pair.pub, NULL, 0, ZMQ_DONTWAIT), ENOTSUP);
    ts_error(zmq_send(pair.sub, "x", 1, ZMQ_DONTWAIT), ENOTSUP);
    ts_value(ts_get_int(pair.pub, ZMQ_EVENTS), ZMQ_POLLOUT);
    ts_value(ts_get_int(pair.sub, ZMQ_EVENTS), 0);
    ts_send(pair.pub, "nobody listens", 0);
    ts_send_parts(pair.pub, "nobody", "listens");
    close_pair(&pair);
}

static void prefixes_select_messages(void **state)
{
    static const struct {
        const char *prefix;
        size_t prefix_size;
        const char *message;
        size_t size;
        bool match;
    } rows[] = {
        {"A", 1, "A", 1, true},
        {"A", 1, "AB", 2, true},
        {"A", 1, "B", 1, false},
        {"A", 1, "", 0, false},
        {"A", 1, "a", 1, false},
        {"AB", 2, "A", 1, false},
        {"AB", 2, "ABC", 3, true},
        {"AB", 2, "ACB", 3, false},
        {"", 0, "anything", 8, true},
        {"", 0, "", 0, true},
        {"\0", 1, "\0x", 2, true},
        {"\0", 1, "x", 1, false},
        {"a\0b", 3, "a\0bc", 4, true},
        {"a\0b", 3, "a\0c", 3, false},
        {"\xff\xfe", 2, "\xff\xfe", 2, true},
        {"\xff\xfe", 2, "\xff", 1, false},
    };
    for (size_t i = 0; i < TS_COUNT(rows); ++i) {
        struct pair pair = open_pair(*state, ZMQ_PUB);
        /* Subscriptions arrive in order: when the last one works, all do. */
        ts_set_bytes(pair.sub, ZMQ_SUBSCRIBE, rows[i].prefix, rows[i].prefix_size);
        ts_set_text(pair.sub, ZMQ_SUBSCRIBE, "#");
        ts_pubsub_sync(pair.pub, pair.sub, "#");
        ts_send_bytes(pair.pub, rows[i].message, rows[i].size, 0);
        ts_send(pair.pub, "#end", 0);
        if (rows[i].match)
            ts_recv_bytes(pair.sub, rows[i].message, rows[i].size, false);
        ts_recv(pair.sub, "#end");
        close_pair(&pair);
    }
}

static void only_the_first_part_is_matched(void **state)
{
    struct pair pair = open_pair(*state, ZMQ_PUB);
    ts_set_text(pair.sub, ZMQ_SUBSCRIBE, "A");
    ts_pubsub_sync(pair.pub, pair.sub, "A");
    ts_send_parts(pair.pub, "B", "A", "A");
    ts_send_parts(pair.pub, "", "A");
    ts_send_parts(pair.pub, "A", "B", "", "C");
    ts_send_parts(pair.pub, "AA", "B");
    ts_recv_parts(pair.sub, "A", "B", "", "C");
    ts_recv_parts(pair.sub, "AA", "B");
    ts_recv_nothing(pair.sub);
    close_pair(&pair);
}

static void without_subscription_nothing_arrives(void **state)
{
    struct pair pair = open_pair(*state, ZMQ_XPUB);
    void *witness = ts_socket(pair.context, ZMQ_SUB);
    ts_set_text(witness, ZMQ_SUBSCRIBE, "");
    ts_ok(zmq_connect(witness, pair.endpoint));
    ts_recv_bytes(pair.pub, "\1", 1, false);
    for (int i = 0; i < 10; ++i) {
        ts_send(pair.pub, "x", 0);
        ts_recv(witness, "x");
    }
    ts_recv_nothing(pair.sub);
    ts_close(witness);
    close_pair(&pair);
}

/* As many unsubscribes as subscribes are needed; the publisher hears only of the last one. */
static void subscriptions_are_counted(void **state)
{
    struct pair pair = open_pair(*state, ZMQ_XPUB);
    ts_set_text(pair.sub, ZMQ_SUBSCRIBE, "#");
    ts_recv_bytes(pair.pub, "\1#", 2, false);
    ts_set_text(pair.sub, ZMQ_SUBSCRIBE, "A");
    ts_set_text(pair.sub, ZMQ_SUBSCRIBE, "A");
    ts_recv_bytes(pair.pub, "\1A", 2, false);
    ts_set_text(pair.sub, ZMQ_UNSUBSCRIBE, "unknown");
    ts_set_text(pair.sub, ZMQ_UNSUBSCRIBE, "A");
    ts_send(pair.pub, "A1", 0);
    ts_recv(pair.sub, "A1");
    ts_set_text(pair.sub, ZMQ_UNSUBSCRIBE, "A");
    ts_recv_bytes(pair.pub, "\0A", 2, false);
    ts_send(pair.pub, "A2", 0);
    ts_send(pair.pub, "#", 0);
    ts_recv(pair.sub, "#");
    ts_recv_nothing(pair.pub);
    close_pair(&pair);
}

static void overlapping_prefixes_deliver_once(void **state)
{
    struct pair pair = open_pair(*state, ZMQ_PUB);
    static const char *prefixes[] = {"", "A", "AB", "ABC"};
    for (size_t i = 0; i < TS_COUNT(prefixes); ++i)
        ts_set_text(pair.sub, ZMQ_SUBSCRIBE, prefixes[i]);
    ts_pubsub_sync(pair.pub, pair.sub, "ABC");
    ts_send(pair.pub, "ABCD", 0);
    ts_send(pair.pub, "end", 0);
    ts_recv(pair.sub, "ABCD");
    ts_recv(pair.sub, "end");
    close_pair(&pair);
}

static void many_prefixes(void **state)
{
    enum { COUNT = 500 }; /* below the high-water mark: subscriptions queue like messages */
    char topic[32];
    struct pair pair = open_pair(*state, ZMQ_XPUB);
    for (int i = 0; i < COUNT; ++i) {
        snprintf(topic, sizeof topic, "topic-%05d-", i * 7);
        ts_set_text(pair.sub, ZMQ_SUBSCRIBE, topic);
    }
    for (int i = 0; i < COUNT; ++i)
        ts_check(zmq_recv(pair.pub, topic, sizeof topic, 0) == 13);
    for (int i = 0; i < COUNT * 7; ++i) {
        snprintf(topic, sizeof topic, "topic-%05d-x", i);
        ts_send(pair.pub, topic, 0);
        if (i % 7 == 0)
            ts_recv(pair.sub, topic);
    }
    ts_recv_nothing(pair.sub);
    close_pair(&pair);
}

static void each_subscriber_gets_its_own(void **state)
{
    enum { SUBSCRIBERS = 8 };
    char endpoint[TS_ENDPOINT_MAX], topic[] = "0";
    void *subs[SUBSCRIBERS];
    void *context = ts_context();
    void *pub = ts_socket(context, ZMQ_PUB);
    ts_bind(pub, *state, endpoint);
    for (int i = 0; i < SUBSCRIBERS; ++i) {
        subs[i] = ts_socket(context, ZMQ_SUB);
        topic[0] = (char)('0' + i);
        ts_set_text(subs[i], ZMQ_SUBSCRIBE, topic);
        ts_set_text(subs[i], ZMQ_SUBSCRIBE, "all");
        ts_ok(zmq_connect(subs[i], endpoint));
        ts_pubsub_sync(pub, subs[i], topic);
    }
    for (int i = 0; i < SUBSCRIBERS; ++i)
        ts_pubsub_sync(pub, subs[i], "all");
    /* All surplus probes are before this. */
    ts_send(pub, "all-end", 0);
    for (int i = 0; i < SUBSCRIBERS; ++i) {
        char text[64];
        do
            ts_recv_any(subs[i], text, sizeof text);
        while (strcmp(text, "all-end") != 0);
    }
    for (int round = 0; round < 10; ++round)
        for (int i = 0; i < SUBSCRIBERS; ++i) {
            topic[0] = (char)('0' + i);
            ts_send_parts(pub, topic, "own");
            ts_send(pub, "all", 0);
        }
    for (int i = 0; i < SUBSCRIBERS; ++i) {
        topic[0] = (char)('0' + i);
        for (int n = 0; n < 10 * SUBSCRIBERS; ++n) {
            if (n % SUBSCRIBERS == i)
                ts_recv_parts(subs[i], topic, "own");
            ts_recv(subs[i], "all");
        }
        ts_recv_nothing(subs[i]);
        ts_close(subs[i]);
    }
    ts_close(pub);
    ts_terminate(context);
}

/* Who binds makes no difference, and one subscriber may have several publishers. */
static void bound_subscriber_hears_all_publishers(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *sub = ts_socket(context, ZMQ_SUB);
    void *pubs[3];
    static const char *topics[] = {"a", "b", "c"};
    ts_set_text(sub, ZMQ_SUBSCRIBE, "");
    ts_bind(sub, *state, endpoint);
    for (int i = 0; i < 3; ++i) {
        pubs[i] = ts_socket(context, ZMQ_PUB);
        ts_ok(zmq_connect(pubs[i], endpoint));
        ts_pubsub_sync(pubs[i], sub, topics[i]);
    }
    for (int i = 0; i < 3; ++i) {
        ts_send_parts(pubs[i], topics[i], "data");
        ts_recv_parts(sub, topics[i], "data");
        ts_close(pubs[i]);
    }
    ts_close(sub);
    ts_terminate(context);
}

/* Receives a subscription notice; the subscriber is polled meanwhile, as an application would. */
static char notice(void *pub, void *sub)
{
    char text[8];
    zmq_pollitem_t items[] = {{.socket = pub, .events = ZMQ_POLLIN},
                              {.socket = sub, .events = ZMQ_POLLIN}};
    ts_value(zmq_poll(items, 2, TS_TIMEOUT_MS), 1);
    ts_value((long long)ts_recv_any(pub, text, sizeof text), 2);
    ts_value(text[0], 1);
    return text[1];
}

/* After a reconnection the new publisher knows what is still subscribed, and only that. */
static void subscriptions_are_sent_again_after_reconnection(void **state)
{
    struct ts_address address;
    void *context = ts_context();
    void *sub = ts_socket(context, ZMQ_SUB);
    ts_address_reserve(&address, *state);
    ts_set_text(sub, ZMQ_SUBSCRIBE, "A");
    ts_set_text(sub, ZMQ_SUBSCRIBE, "A");
    ts_set_text(sub, ZMQ_SUBSCRIBE, "B");
    ts_ok(zmq_connect(sub, address.endpoint));
    for (int generation = 0; generation < 3; ++generation) {
        void *pub = ts_socket(context, ZMQ_XPUB);
        ts_rebind(pub, address.endpoint);
        if (generation < 2)
            ts_value(notice(pub, sub) + notice(pub, sub), 'A' + 'B'); /* in any order */
        else
            ts_value(notice(pub, sub), 'A');
        ts_send(pub, "B1", 0);
        ts_send(pub, "C1", 0);
        ts_send(pub, "A1", 0);
        if (generation < 2)
            ts_recv(sub, "B1");
        ts_recv(sub, "A1");
        if (generation == 1) {
            ts_set_text(sub, ZMQ_UNSUBSCRIBE, "B");
            ts_recv_bytes(pub, "\0B", 2, false);
        }
        ts_recv_nothing(pub);
        ts_close(pub);
    }
    ts_address_release(&address);
    ts_close(sub);
    ts_terminate(context);
}

/* inproc, where the room is exact: the newest are dropped, the publisher does not notice. */
static void full_subscriber_loses_messages(void **state)
{
    (void)state;
    void *context = ts_context();
    void *pub = ts_socket(context, ZMQ_XPUB);
    void *slow = ts_socket(context, ZMQ_SUB), *fast = ts_socket(context, ZMQ_SUB);
    ts_set_int(pub, ZMQ_SNDHWM, 5);
    ts_set_int(slow, ZMQ_RCVHWM, 5);
    ts_set_text(slow, ZMQ_SUBSCRIBE, "");
    ts_set_text(fast, ZMQ_SUBSCRIBE, "");
    ts_ok(zmq_bind(pub, "inproc://slow"));
    ts_ok(zmq_connect(slow, "inproc://slow"));
    ts_recv_bytes(pub, "\1", 1, false);
    ts_ok(zmq_connect(fast, "inproc://slow"));
    ts_recv_nothing(pub); /* a duplicate is not reported, but this lets it be processed */
    for (int n = 0; n < 100; ++n) {
        ts_send_bytes(pub, &n, sizeof n, n % 2 ? 0 : ZMQ_DONTWAIT);
        ts_recv_bytes(fast, &n, sizeof n, false);
    }
    for (int n = 0; n < 10; ++n)
        ts_recv_bytes(slow, &n, sizeof n, false);
    ts_recv_nothing(slow);
    ts_value(ts_get_int(pub, ZMQ_EVENTS) & ZMQ_POLLOUT, ZMQ_POLLOUT);
    ts_send(pub, "again", 0);
    ts_recv(slow, "again");
    ts_close(slow);
    ts_close(fast);
    ts_close(pub);
    ts_terminate(context);
}

/* A publisher is never stopped; what the slow subscriber gets is in order and whole. */
static void slow_subscriber_never_blocks_the_publisher(void **state)
{
    enum { COUNT = 5000, SIZE = 4096 };
    static char body[SIZE];
    int number, last = -1;
    struct pair pair = open_pair(*state, ZMQ_PUB);
    ts_set_text(pair.sub, ZMQ_SUBSCRIBE, "");
    ts_pubsub_sync(pair.pub, pair.sub, "#");
    for (int n = 0; n < COUNT; ++n) {
        ts_send_bytes(pair.pub, &n, sizeof n, ZMQ_SNDMORE | ZMQ_DONTWAIT);
        ts_send_bytes(pair.pub, body, SIZE, ZMQ_DONTWAIT);
    }
    /* The last ones may be lost; keep sending an end mark until it comes through. */
    zmq_pollitem_t item = {.socket = pair.sub, .events = ZMQ_POLLIN};
    for (bool ended = false; !ended;) {
        number = COUNT;
        ts_send_bytes(pair.pub, &number, sizeof number, 0);
        while (!ended && zmq_poll(&item, 1, 1) == 1) {
            ts_value(zmq_recv(pair.sub, &number, sizeof number, 0), sizeof number);
            ts_check(number > last);
            last = number;
            ended = number == COUNT;
            ts_value(ts_more(pair.sub), !ended);
            if (!ended)
                ts_recv_bytes(pair.sub, body, SIZE, false);
        }
    }
    close_pair(&pair);
}

static void inverted_matching(void **state)
{
    struct pair pair = {.context = ts_context()};
    pair.pub = ts_socket(pair.context, ZMQ_PUB);
    pair.sub = ts_socket(pair.context, ZMQ_SUB);
    ts_set_int(pair.pub, ZMQ_INVERT_MATCHING, 1);
    ts_set_int(pair.sub, ZMQ_INVERT_MATCHING, 1);
    ts_value(ts_get_int(pair.sub, ZMQ_INVERT_MATCHING), 1);
    ts_set_text(pair.sub, ZMQ_SUBSCRIBE, "A");
    ts_bind(pair.pub, *state, pair.endpoint);
    ts_ok(zmq_connect(pair.sub, pair.endpoint));
    ts_pubsub_sync(pair.pub, pair.sub, "#");
    ts_send(pair.pub, "A1", 0);
    ts_send_parts(pair.pub, "A", "B");
    ts_send_parts(pair.pub, "B", "A");
    ts_send(pair.pub, "", 0);
    ts_recv_parts(pair.sub, "B", "A");
    ts_recv(pair.sub, "");
    ts_recv_nothing(pair.sub);
    close_pair(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TS_ON_ALL(wrong_direction_is_not_supported),
        TS_ON_ALL(prefixes_select_messages),
        TS_ON_ALL(only_the_first_part_is_matched),
        TS_ON_ALL(without_subscription_nothing_arrives),
        TS_ON_ALL(subscriptions_are_counted),
        TS_ON_ALL(overlapping_prefixes_deliver_once),
        TS_ON_ALL(many_prefixes),
        TS_ON_ALL(each_subscriber_gets_its_own),
        TS_ON_ALL(bound_subscriber_hears_all_publishers),
        TS_ON_CONNECTIONS(subscriptions_are_sent_again_after_reconnection),
        cmocka_unit_test(full_subscriber_loses_messages),
        TS_ON_ALL(slow_subscriber_never_blocks_the_publisher),
        TS_ON_ALL(inverted_matching),
    };
    return TS_RUN(tests);
}
