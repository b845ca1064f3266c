/* SPDX-License-Identifier: MPL-2.0 */
/* zmq_setsockopt and zmq_getsockopt: sizes, ranges, defaults, options of single types. */
#include "support/test_support.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>

static const int types[] = {ZMQ_PAIR,   ZMQ_PUB,  ZMQ_SUB,  ZMQ_REQ,  ZMQ_REP,  ZMQ_DEALER,
                            ZMQ_ROUTER, ZMQ_PULL, ZMQ_PUSH, ZMQ_XPUB, ZMQ_XSUB, ZMQ_STREAM};

static void bad_handles(void **state)
{
    (void)state;
    static char no_socket[4096];
    int value = 0;
    size_t size = sizeof value;
    ts_error(zmq_setsockopt(NULL, ZMQ_LINGER, &value, sizeof value), ENOTSOCK);
    ts_error(zmq_getsockopt(NULL, ZMQ_LINGER, &value, &size), ENOTSOCK);
    ts_error(zmq_setsockopt(no_socket, ZMQ_LINGER, &value, sizeof value), ENOTSOCK);
    ts_error(zmq_getsockopt(no_socket, ZMQ_LINGER, &value, &size), ENOTSOCK);
}

/* int options: default, least and greatest accepted value. */
static const struct {
    int option, standard, minimum, maximum;
} int_options[] = {
    {ZMQ_RATE, 100, 1, INT_MAX},
    {ZMQ_RECOVERY_IVL, 10000, 0, INT_MAX},
    {ZMQ_SNDBUF, -1, -1, INT_MAX},
    {ZMQ_RCVBUF, -1, -1, INT_MAX},
    {ZMQ_RECONNECT_IVL, 100, -1, INT_MAX},
    {ZMQ_RECONNECT_IVL_MAX, 0, 0, INT_MAX},
    {ZMQ_BACKLOG, 100, 0, INT_MAX},
    {ZMQ_SNDHWM, 1000, 0, INT_MAX},
    {ZMQ_RCVHWM, 1000, 0, INT_MAX},
    {ZMQ_MULTICAST_HOPS, 1, 1, INT_MAX},
    {ZMQ_RCVTIMEO, -1, -1, INT_MAX},
    {ZMQ_SNDTIMEO, -1, -1, INT_MAX},
    {ZMQ_TCP_KEEPALIVE, -1, -1, 1},
    {ZMQ_TCP_KEEPALIVE_CNT, -1, -1, INT_MAX},
    {ZMQ_TCP_KEEPALIVE_IDLE, -1, -1, INT_MAX},
    {ZMQ_TCP_KEEPALIVE_INTVL, -1, -1, INT_MAX},
    {ZMQ_IMMEDIATE, 0, 0, 1},
    {ZMQ_IPV6, 0, 0, 1},
    {ZMQ_PLAIN_SERVER, 0, 0, 1},
    {ZMQ_CONFLATE, 0, 0, 1},
    {ZMQ_TOS, 0, 0, INT_MAX},
    {ZMQ_HANDSHAKE_IVL, 30000, 0, INT_MAX},
    {ZMQ_HEARTBEAT_IVL, 0, 0, INT_MAX},
    {ZMQ_CONNECT_TIMEOUT, 0, 0, INT_MAX},
    {ZMQ_TCP_MAXRT, 0, 0, INT_MAX},
    {ZMQ_MULTICAST_MAXTPDU, 1500, 1, INT_MAX},
    {ZMQ_USE_FD, -1, -1, INT_MAX},
};

/* PLAIN and SOCKS5 are not there yet: their options are as in a build without them. True from the day
   they are. */
static bool is_there(void *context, int option)
{
    char value[256];
    size_t size = sizeof(int);
    void *socket = ts_socket(context, ZMQ_DEALER);
    bool security = option == ZMQ_PLAIN_SERVER || option == ZMQ_PLAIN_USERNAME ||
                    option == ZMQ_PLAIN_PASSWORD || option == ZMQ_SOCKS_PROXY;
    if (option != ZMQ_PLAIN_SERVER)
        size = sizeof value;
    bool there = !security || zmq_getsockopt(socket, option, value, &size) == 0;
    if (!there)
        ts_value(zmq_errno(), EINVAL);
    ts_close(socket);
    return there;
}

static void int_ranges(void **state)
{
    (void)state;
    void *context = ts_context();
    for (size_t i = 0; i < TS_COUNT(int_options); ++i) {
        int option = int_options[i].option;
        if (!is_there(context, option))
            continue;
        void *socket = zmq_socket(context, ZMQ_DEALER);
        if (ts_get_int(socket, option) != int_options[i].standard)
            ts_fail("option %d starts as %d", option, ts_get_int(socket, option));
        int values[] = {int_options[i].minimum, int_options[i].maximum, int_options[i].minimum - 1,
                        int_options[i].maximum + 1u};
        for (int k = 0; k < 4; ++k) {
            if (k == 3 && values[3] == INT_MIN)
                continue;
            int rc = zmq_setsockopt(socket, option, &values[k], sizeof values[k]);
            if (rc != (k < 2 ? 0 : -1) || (rc == -1 && zmq_errno() != EINVAL))
                ts_fail("option %d, value %d: returned %d", option, values[k], rc);
            ts_value(ts_get_int(socket, option), values[k < 2 ? k : 1]);
        }
        ts_close(socket);
    }
    ts_terminate(context);
}

static void sizes_are_exact(void **state)
{
    (void)state;
    char buffer[64] = {0};
    int64_t wide = 5;
    void *context = ts_context();
    void *socket = ts_socket(context, ZMQ_DEALER);
    for (size_t i = 0; i < TS_COUNT(int_options); ++i)
        for (size_t size = 0; size <= 8; ++size) {
            if (size == 4)
                continue;
            size_t got = size;
            ts_error(zmq_setsockopt(socket, int_options[i].option, buffer, size), EINVAL);
            ts_error(zmq_getsockopt(socket, int_options[i].option, buffer, &got), EINVAL);
        }
    static const int wide_options[] = {ZMQ_AFFINITY, ZMQ_MAXMSGSIZE};
    for (size_t i = 0; i < TS_COUNT(wide_options); ++i) {
        size_t size = sizeof wide;
        int64_t got = 0;
        ts_ok(zmq_setsockopt(socket, wide_options[i], &wide, sizeof wide));
        ts_ok(zmq_getsockopt(socket, wide_options[i], &got, &size));
        ts_value(got, 5);
        ts_value((long long)size, 8);
        size = 4;
        ts_error(zmq_setsockopt(socket, wide_options[i], &wide, 4), EINVAL);
        ts_error(zmq_getsockopt(socket, wide_options[i], buffer, &size), EINVAL);
    }
    ts_close(socket);
    ts_terminate(context);
}

/* Read-only ints accept longer buffers and tell the true size. */
static void state_options_accept_longer_buffers(void **state)
{
    (void)state;
    static const int options[] = {ZMQ_RCVMORE, ZMQ_FD, ZMQ_EVENTS, ZMQ_THREAD_SAFE};
    void *context = ts_context();
    void *socket = ts_socket(context, ZMQ_PAIR);
    for (size_t i = 0; i < TS_COUNT(options); ++i) {
        int value[2] = {-1, -1};
        size_t size = sizeof value;
        ts_ok(zmq_getsockopt(socket, options[i], value, &size));
        ts_value((long long)size, 4);
        ts_value(value[1], 0);
        size = 3;
        ts_error(zmq_getsockopt(socket, options[i], value, &size), EINVAL);
        ts_error(zmq_setsockopt(socket, options[i], value, 4), EINVAL);
    }
    ts_close(socket);
    ts_terminate(context);
}

static void unknown_options(void **state)
{
    (void)state;
    static const int options[] = {-1, 0, 1, 2, 3, 10, 20, 26, 29, 30, 67, 70, 82, 83, 1000000};
    void *context = ts_context();
    void *socket = ts_socket(context, ZMQ_DEALER);
    for (size_t i = 0; i < TS_COUNT(options); ++i) {
        int value = 0;
        size_t size = sizeof value;
        ts_error(zmq_setsockopt(socket, options[i], &value, sizeof value), EINVAL);
        ts_error(zmq_getsockopt(socket, options[i], &value, &size), EINVAL);
    }
    ts_close(socket);
    ts_terminate(context);
}

static void linger_starts_by_type(void **state)
{
    (void)state;
    void *context = ts_context();
    for (size_t i = 0; i < TS_COUNT(types); ++i) {
        void *socket = zmq_socket(context, types[i]);
        bool none = types[i] == ZMQ_SUB || types[i] == ZMQ_XSUB;
        ts_value(ts_get_int(socket, ZMQ_LINGER), none ? 0 : -1);
        ts_value(ts_get_int(socket, ZMQ_TYPE), types[i]);
        ts_value(ts_get_int(socket, ZMQ_THREAD_SAFE), 0);
        ts_close(socket);
    }
    ts_terminate(context);
}

/* Options that only some types know; all of them can only be set. */
static void options_of_single_types(void **state)
{
    (void)state;
    static const struct {
        int option, types[6]; /* ended by -1 */
    } rows[] = {
        {ZMQ_ROUTER_MANDATORY, {ZMQ_ROUTER, ZMQ_REP, -1}},
        {ZMQ_ROUTER_HANDOVER, {ZMQ_ROUTER, ZMQ_REP, -1}},
        {ZMQ_PROBE_ROUTER, {ZMQ_ROUTER, ZMQ_REP, ZMQ_DEALER, ZMQ_REQ, -1}},
        {ZMQ_REQ_CORRELATE, {ZMQ_REQ, -1}},
        {ZMQ_REQ_RELAXED, {ZMQ_REQ, -1}},
        {ZMQ_STREAM_NOTIFY, {ZMQ_STREAM, -1}},
        {ZMQ_XPUB_VERBOSE, {ZMQ_XPUB, ZMQ_PUB, -1}},
        {ZMQ_XPUB_VERBOSER, {ZMQ_XPUB, ZMQ_PUB, -1}},
        {ZMQ_XPUB_NODROP, {ZMQ_XPUB, ZMQ_PUB, -1}},
        {ZMQ_SUBSCRIBE, {ZMQ_SUB, -1}},
        {ZMQ_UNSUBSCRIBE, {ZMQ_SUB, -1}},
        {ZMQ_CONNECT_ROUTING_ID, {ZMQ_ROUTER, ZMQ_REP, ZMQ_STREAM, -1}},
    };
    void *context = ts_context();
    for (size_t i = 0; i < TS_COUNT(rows); ++i)
        for (size_t k = 0; k < TS_COUNT(types); ++k) {
            int value = 1;
            size_t size = sizeof value;
            bool known = false;
            for (int n = 0; rows[i].types[n] != -1; ++n)
                known |= rows[i].types[n] == types[k];
            void *socket = ts_socket(context, types[k]);
            int rc = zmq_setsockopt(socket, rows[i].option, &value, sizeof value);
            if (rc != (known ? 0 : -1) || (rc == -1 && zmq_errno() != EINVAL))
                ts_fail("option %d on socket type %d: %d", rows[i].option, types[k], rc);
            ts_error(zmq_getsockopt(socket, rows[i].option, &value, &size), EINVAL);
            if (known && rows[i].option != ZMQ_SUBSCRIBE && rows[i].option != ZMQ_UNSUBSCRIBE &&
                rows[i].option != ZMQ_CONNECT_ROUTING_ID) {
                value = -1;
                ts_error(zmq_setsockopt(socket, rows[i].option, &value, sizeof value), EINVAL);
            }
            ts_close(socket);
        }
    ts_terminate(context);
}

static void routing_id(void **state)
{
    (void)state;
    char id[256], got[300];
    void *context = ts_context();
    void *socket = ts_socket(context, ZMQ_DEALER);
    memset(id, 'i', sizeof id);
    size_t size = sizeof got;
    ts_ok(zmq_getsockopt(socket, ZMQ_ROUTING_ID, got, &size));
    ts_value((long long)size, 0);
    ts_error(zmq_setsockopt(socket, ZMQ_ROUTING_ID, id, 0), EINVAL);
    ts_error(zmq_setsockopt(socket, ZMQ_ROUTING_ID, id, 256), EINVAL);
    static const size_t lengths[] = {1, 5, 255};
    for (size_t i = 0; i < TS_COUNT(lengths); ++i) {
        ts_ok(zmq_setsockopt(socket, ZMQ_ROUTING_ID, id, lengths[i]));
        size = sizeof got;
        ts_ok(zmq_getsockopt(socket, ZMQ_ROUTING_ID, got, &size));
        ts_value((long long)size, (long long)lengths[i]);
        assert_memory_equal(got, id, lengths[i]);
    }
    size = 254;
    ts_error(zmq_getsockopt(socket, ZMQ_ROUTING_ID, got, &size), EINVAL);
    ts_close(socket);
    ts_terminate(context);
}

/* Texts are returned with their end, in a buffer that must hold it. */
static void texts(void **state)
{
    (void)state;
    static const int options[] = {ZMQ_PLAIN_USERNAME, ZMQ_PLAIN_PASSWORD, ZMQ_ZAP_DOMAIN,
                                  ZMQ_SOCKS_PROXY};
    char got[300], text[256];
    void *context = ts_context();
    memset(text, 't', sizeof text);
    for (size_t i = 0; i < TS_COUNT(options); ++i) {
        if (!is_there(context, options[i]))
            continue;
        void *socket = ts_socket(context, ZMQ_PAIR);
        size_t size = sizeof got;
        ts_ok(zmq_getsockopt(socket, options[i], got, &size));
        ts_value((long long)size, 1);
        assert_string_equal(got, "");
        ts_set_text(socket, options[i], "text");
        size = sizeof got;
        ts_ok(zmq_getsockopt(socket, options[i], got, &size));
        ts_value((long long)size, 5);
        assert_string_equal(got, "text");
        size = 5;
        ts_ok(zmq_getsockopt(socket, options[i], got, &size));
        size = 4;
        ts_error(zmq_getsockopt(socket, options[i], got, &size), EINVAL);
        ts_error(zmq_setsockopt(socket, options[i], "", 0), EINVAL);
        if (options[i] != ZMQ_SOCKS_PROXY)
            ts_error(zmq_setsockopt(socket, options[i], text, 256), EINVAL);
        ts_close(socket);
    }
    ts_terminate(context);
}

/* The mechanism is what the last security option stood for. */
static void mechanism_follows_options(void **state)
{
    (void)state;
    void *context = ts_context();
    void *socket = ts_socket(context, ZMQ_PAIR);
    ts_value(ts_get_int(socket, ZMQ_MECHANISM), ZMQ_NULL);
    if (!is_there(context, ZMQ_PLAIN_SERVER)) {
        ts_close(socket);
        ts_terminate(context);
        return;
    }
    ts_set_int(socket, ZMQ_PLAIN_SERVER, 1);
    ts_value(ts_get_int(socket, ZMQ_MECHANISM), ZMQ_PLAIN);
    ts_value(ts_get_int(socket, ZMQ_PLAIN_SERVER), 1);
    ts_set_text(socket, ZMQ_PLAIN_USERNAME, "user");
    ts_value(ts_get_int(socket, ZMQ_MECHANISM), ZMQ_PLAIN);
    ts_value(ts_get_int(socket, ZMQ_PLAIN_SERVER), 0);
    ts_set_bytes(socket, ZMQ_PLAIN_USERNAME, NULL, 0);
    ts_value(ts_get_int(socket, ZMQ_MECHANISM), ZMQ_NULL);
    int value = 0;
    ts_error(zmq_setsockopt(socket, ZMQ_MECHANISM, &value, sizeof value), EINVAL);
    ts_close(socket);
    ts_terminate(context);
}

static void heartbeat_ttl(void **state)
{
    (void)state;
    static const struct {
        int value, got; /* got -1: refused */
    } rows[] = {{0, 0},        {99, 0},   {100, 100}, {250, 200}, {6553599, 6553500},
                {6553600, -1}, {-100, -1}};
    void *context = ts_context();
    for (size_t i = 0; i < TS_COUNT(rows); ++i) {
        void *socket = ts_socket(context, ZMQ_PAIR);
        if (rows[i].got == -1)
            ts_error(zmq_setsockopt(socket, ZMQ_HEARTBEAT_TTL, &rows[i].value, 4), EINVAL);
        else {
            ts_set_int(socket, ZMQ_HEARTBEAT_TTL, rows[i].value);
            ts_value(ts_get_int(socket, ZMQ_HEARTBEAT_TTL), rows[i].got);
        }
        ts_close(socket);
    }
    ts_terminate(context);
}

static void subscriptions_of_any_size(void **state)
{
    (void)state;
    static char topic[100000];
    void *context = ts_context();
    void *sub = ts_socket(context, ZMQ_SUB);
    ts_set_bytes(sub, ZMQ_SUBSCRIBE, NULL, 0);
    ts_set_bytes(sub, ZMQ_SUBSCRIBE, topic, sizeof topic);
    ts_set_bytes(sub, ZMQ_UNSUBSCRIBE, topic, sizeof topic);
    ts_set_bytes(sub, ZMQ_UNSUBSCRIBE, NULL, 0);
    ts_set_bytes(sub, ZMQ_UNSUBSCRIBE, "never there", 11);
    ts_close(sub);
    ts_terminate(context);
}

static void one_option_two_names(void **state)
{
    (void)state;
    void *context = ts_context();
    void *socket = ts_socket(context, ZMQ_PAIR);
    ts_value(ts_get_int(socket, ZMQ_IPV4ONLY), 1);
    ts_set_int(socket, ZMQ_IPV4ONLY, 0);
    ts_value(ts_get_int(socket, ZMQ_IPV6), 1);
    ts_set_int(socket, ZMQ_IPV6, 0);
    ts_value(ts_get_int(socket, ZMQ_IPV4ONLY), 1);
    ts_close(socket);
    ts_terminate(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_handles),
        cmocka_unit_test(int_ranges),
        cmocka_unit_test(sizes_are_exact),
        cmocka_unit_test(state_options_accept_longer_buffers),
        cmocka_unit_test(unknown_options),
        cmocka_unit_test(linger_starts_by_type),
        cmocka_unit_test(options_of_single_types),
        cmocka_unit_test(routing_id),
        cmocka_unit_test(texts),
        cmocka_unit_test(mechanism_follows_options),
        cmocka_unit_test(heartbeat_ttl),
        cmocka_unit_test(subscriptions_of_any_size),
        cmocka_unit_test(one_option_two_names),
    };
    return TS_RUN(tests);
}
