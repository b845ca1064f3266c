/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of the socket options, row by row, as a program sees them; then what becomes of them. */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/options.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { GET = 1, SET = 2, GS = 3 };

/* Numbers: an int from min to max. `as_bool`: reads back as 0 or 1. */
static const struct int_row {
    int option;
    int access;
    int initial;
    int min;
    int max;
    bool as_bool;
} int_rows[] = {
    {ZMQ_RATE, GS, 100, 1, INT_MAX, false},
    {ZMQ_RECOVERY_IVL, GS, 10000, 0, INT_MAX, false},
    {ZMQ_SNDBUF, GS, -1, -1, INT_MAX, false},
    {ZMQ_RCVBUF, GS, -1, -1, INT_MAX, false},
    {ZMQ_LINGER, GS, -1, -1, INT_MAX, false},
    {ZMQ_RECONNECT_IVL, GS, 100, -1, INT_MAX, false},
    {ZMQ_BACKLOG, GS, 100, 0, INT_MAX, false},
    {ZMQ_RECONNECT_IVL_MAX, GS, 0, 0, INT_MAX, false},
    {ZMQ_SNDHWM, GS, 1000, 0, INT_MAX, false},
    {ZMQ_RCVHWM, GS, 1000, 0, INT_MAX, false},
    {ZMQ_MULTICAST_HOPS, GS, 1, 1, INT_MAX, false},
    {ZMQ_RCVTIMEO, GS, -1, -1, INT_MAX, false},
    {ZMQ_SNDTIMEO, GS, -1, -1, INT_MAX, false},
    {ZMQ_IPV4ONLY, GS, 1, 0, 1, true},
    {ZMQ_TCP_KEEPALIVE, GS, -1, -1, 1, false},
    {ZMQ_TCP_KEEPALIVE_CNT, GS, -1, -1, INT_MAX, false},
    {ZMQ_TCP_KEEPALIVE_IDLE, GS, -1, -1, INT_MAX, false},
    {ZMQ_TCP_KEEPALIVE_INTVL, GS, -1, -1, INT_MAX, false},
    {ZMQ_IMMEDIATE, GS, 0, 0, 1, true},
    {ZMQ_IPV6, GS, 0, 0, 1, true},
    {ZMQ_MECHANISM, GET, ZMQ_NULL, 0, 0, false},
    {ZMQ_CONFLATE, GS, 0, 0, 1, true},
    {ZMQ_TOS, GS, 0, 0, INT_MAX, false},
    {ZMQ_HANDSHAKE_IVL, GS, 30000, 0, INT_MAX, false},
    {ZMQ_INVERT_MATCHING, GS, 0, INT_MIN, INT_MAX, true},
    {ZMQ_HEARTBEAT_IVL, GS, 0, 0, INT_MAX, false},
    {ZMQ_HEARTBEAT_TIMEOUT, GS, -1, 0, INT_MAX, false},
    {ZMQ_CONNECT_TIMEOUT, GS, 0, 0, INT_MAX, false},
    {ZMQ_TCP_MAXRT, GS, 0, 0, INT_MAX, false},
    {ZMQ_MULTICAST_MAXTPDU, GS, 1500, 1, INT_MAX, false},
    {ZMQ_USE_FD, GS, -1, -1, INT_MAX, false},
    {ZMQ_ZAP_ENFORCE_DOMAIN, GS, 0, INT_MIN, INT_MAX, true},
    {ZMQ_LOOPBACK_FASTPATH, GS, 0, INT_MIN, INT_MAX, true},
    {ZMQ_MULTICAST_LOOP, GS, 1, INT_MIN, INT_MAX, true},
    {ZMQ_ROUTER_NOTIFY, GET, 0, 0, 0, false},
    {ZMQ_IN_BATCH_SIZE, GS, 8192, 1, INT_MAX, false},
    {ZMQ_OUT_BATCH_SIZE, GS, 8192, 1, INT_MAX, false},
    {ZMQ_RECONNECT_STOP, GS, 0, INT_MIN, INT_MAX, false},
    {ZMQ_PRIORITY, GS, 0, 0, INT_MAX, false},
    {ZMQ_BUSY_POLL, SET, 0, INT_MIN, INT_MAX, false},
};

static const struct {
    int option;
    int64_t initial;
} rows_64[] = {
    {ZMQ_AFFINITY, 0},
    {ZMQ_MAXMSGSIZE, -1},
};

/* Texts and blobs of min to max bytes; max 0: no limit worth testing. */
enum clearing { NEVER, BY_NULL, BY_EMPTY };

static const struct bytes_row {
    int option;
    int access;
    size_t min;
    size_t max;
    enum clearing cleared;
} bytes_rows[] = {
    {ZMQ_ZAP_DOMAIN, GS, 1, 255, NEVER},   {ZMQ_BINDTODEVICE, GS, 1, 16, BY_NULL},
    {ZMQ_HELLO_MSG, SET, 0, 0, BY_EMPTY},  {ZMQ_DISCONNECT_MSG, SET, 0, 0, BY_EMPTY},
    {ZMQ_HICCUP_MSG, SET, 0, 0, BY_EMPTY},
};

/* Generic options that have tests of their own below or, those of WSS, in test_tls_options.c. */
static const int special_options[] = {
    ZMQ_ROUTING_ID,     ZMQ_TCP_ACCEPT_FILTER, ZMQ_IPC_FILTER_PID, ZMQ_IPC_FILTER_UID,
    ZMQ_IPC_FILTER_GID, ZMQ_HEARTBEAT_TTL,     ZMQ_METADATA,       ZMQ_WSS_KEY_PEM,
    ZMQ_WSS_CERT_PEM,   ZMQ_WSS_TRUST_PEM,     ZMQ_WSS_HOSTNAME,   ZMQ_WSS_TRUST_SYSTEM,
};

/* Those that NULL empties, whatever size comes with it. */
static const int emptied_by_null[] = {
    ZMQ_HELLO_MSG,    ZMQ_DISCONNECT_MSG, ZMQ_HICCUP_MSG,   ZMQ_WSS_KEY_PEM,
    ZMQ_WSS_CERT_PEM, ZMQ_WSS_TRUST_PEM,  ZMQ_WSS_HOSTNAME,
};

/* ---- helpers ---------------------------------------------------------------------------- */

static struct zl_options options;

static int fresh_options(void **state)
{
    (void)state;
    memset(&options, 0xA5, sizeof(options));
    zl_options_init(&options, ZMQ_DEALER, false, true);
    return 0;
}

static int clear_options(void **state)
{
    (void)state;
    zl_options_clear(&options);
    return 0;
}

static void reset(void)
{
    zl_options_clear(&options);
    zl_options_init(&options, ZMQ_DEALER, false, true);
}

#define set(option, value, size) zl_options_set(&options, option, value, size)
#define get(option, value, size) zl_options_get(&options, option, value, size)

static int set_int(int option, int value)
{
    return set(option, &value, sizeof(value));
}

static void reads_as(int option, int expected)
{
    int value = ~expected;
    size_t size = sizeof(value);
    if (get(option, &value, &size) != 0 || value != expected || size != sizeof(value))
        fail_msg("option %d: %d of %zu bytes instead of %d", option, value, size, expected);
}

/* The text is there, padded with zeros, and just fits in its length and one byte. */
static void reads_as_text(int option, const char *expected)
{
    char buffer[300];
    size_t length = strlen(expected);
    const size_t capacities[] = {length + 1, length + 2, sizeof(buffer)};
    for (size_t i = 0; i < COUNT(capacities); i++) {
        size_t size = capacities[i];
        memset(buffer, '#', sizeof(buffer));
        assert_int_equal(get(option, buffer, &size), 0);
        assert_int_equal(size, length + 1);
        assert_string_equal(buffer, expected);
        for (size_t k = length; k < sizeof(buffer); k++)
            assert_int_equal(buffer[k], k < capacities[i] ? 0 : '#');
    }
    size_t size = length;
    memset(buffer, '#', sizeof(buffer));
    assert_int_equal(get(option, buffer, &size), -EINVAL);
    assert_int_equal(size, length);
    assert_int_equal(buffer[0], '#');
}

static void is_not_readable(int option)
{
    char buffer[512];
    memset(buffer, '#', sizeof(buffer));
    const size_t sizes[] = {0, 4, 8, 255, sizeof(buffer)};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        size_t size = sizes[i];
        if (get(option, buffer, &size) != -EINVAL || size != sizes[i])
            fail_msg("option %d can be read", option);
    }
    for (size_t i = 0; i < sizeof(buffer); i++)
        assert_int_equal(buffer[i], '#');
}

static void is_not_settable(int option)
{
    static const char zeros[256];
    const size_t sizes[] = {0, 1, 4, 8, 32, 40, 255};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        if (set(option, zeros, sizes[i]) != -EINVAL)
            fail_msg("option %d can be set to %zu bytes", option, sizes[i]);
    }
    assert_int_equal(set(option, NULL, 0), -EINVAL);
    assert_int_equal(set(option, "X-a:b", 5), -EINVAL);
}

static bool contains(const int *list, size_t count, int option)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i] == option)
            return true;
    }
    return false;
}

/* ---- numbers ---------------------------------------------------------------------------- */

static void ints_have_their_defaults(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(int_rows); i++) {
        if (int_rows[i].access & GET)
            reads_as(int_rows[i].option, int_rows[i].initial);
    }
}

static void ints_take_their_range(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(int_rows); i++) {
        const struct int_row *row = &int_rows[i];
        const int good[] = {row->min, row->min + 1, row->max - 1, row->max};
        for (size_t k = 0; (row->access & SET) && k < COUNT(good); k++) {
            if (set_int(row->option, good[k]) != 0)
                fail_msg("option %d refuses %d", row->option, good[k]);
            if (row->access & GET)
                reads_as(row->option, row->as_bool ? good[k] != 0 : good[k]);
        }
    }
}

static void ints_refuse_all_else_and_keep_their_value(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(int_rows); i++) {
        const struct int_row *row = &int_rows[i];
        const int bad[] = {row->min - (row->min > INT_MIN), INT_MIN,
                           row->max < INT_MAX ? row->max + 1 : INT_MIN,
                           row->max < INT_MAX ? INT_MAX : INT_MIN};
        for (size_t k = 0; (row->access & SET) && row->min > INT_MIN && k < COUNT(bad); k++) {
            if (set_int(row->option, bad[k]) != -EINVAL)
                fail_msg("option %d takes %d", row->option, bad[k]);
            reads_as(row->option, row->initial);
        }
    }
}

static void ints_need_exactly_four_bytes(void **state)
{
    static const char ones[16] = {1, 1, 1, 1, 1, 1, 1, 1};
    (void)state;
    for (size_t i = 0; i < COUNT(int_rows); i++) {
        for (size_t size = 0; size <= sizeof(ones); size++) {
            char buffer[16] = "###############";
            size_t read_size = size;
            if (size == sizeof(int))
                continue;
            assert_int_equal(set(int_rows[i].option, ones, size), -EINVAL);
            assert_int_equal(get(int_rows[i].option, buffer, &read_size), -EINVAL);
            assert_int_equal(read_size, size);
            assert_string_equal(buffer, "###############");
        }
        assert_int_equal(set(int_rows[i].option, NULL, 0), -EINVAL);
        if (int_rows[i].access & GET)
            reads_as(int_rows[i].option, int_rows[i].initial);
    }
}

static void ints_need_no_alignment(void **state)
{
    char buffer[1 + sizeof(int)];
    size_t size = sizeof(int);
    (void)state;
    memcpy(buffer + 1, &(int){77}, sizeof(int));
    assert_int_equal(set(ZMQ_SNDHWM, buffer + 1, sizeof(int)), 0);
    memset(buffer, 0, sizeof(buffer));
    assert_int_equal(get(ZMQ_SNDHWM, buffer + 1, &size), 0);
    assert_memory_equal(buffer + 1, &(int){77}, sizeof(int));
}

static void null_arguments_are_refused(void **state)
{
    size_t size = sizeof(int);
    int value;
    (void)state;
    for (int option = 0; option < 130; option++) {
        assert_int_equal(get(option, NULL, &size), -EINVAL);
        assert_int_equal(get(option, &value, NULL), -EINVAL);
        if (!contains(emptied_by_null, COUNT(emptied_by_null), option))
            assert_int_equal(set(option, NULL, sizeof(int)), -EINVAL);
    }
}

static void access_is_as_listed(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(int_rows); i++) {
        if (!(int_rows[i].access & GET))
            is_not_readable(int_rows[i].option);
        if (!(int_rows[i].access & SET))
            is_not_settable(int_rows[i].option);
    }
}

static void numbers_of_eight_bytes(void **state)
{
    static const int64_t values[] = {0, 1, -1, -2, INT64_MAX, INT64_MIN, 0x0123456789abcdef};
    (void)state;
    for (size_t i = 0; i < COUNT(rows_64); i++) {
        int64_t value = 4711;
        size_t size = sizeof(value);
        assert_int_equal(get(rows_64[i].option, &value, &size), 0);
        assert_true(value == rows_64[i].initial);
        assert_int_equal(size, sizeof(value));
        for (size_t k = 0; k < COUNT(values); k++) {
            assert_int_equal(set(rows_64[i].option, &values[k], sizeof(value)), 0);
            assert_int_equal(get(rows_64[i].option, &value, &size), 0);
            assert_true(value == values[k]);
        }
    }
}

static void numbers_of_eight_bytes_need_exactly_those(void **state)
{
    char buffer[16] = {0};
    (void)state;
    for (size_t i = 0; i < COUNT(rows_64); i++) {
        for (size_t length = 0; length <= sizeof(buffer); length++) {
            size_t size = length;
            int expected = length == 8 ? 0 : -EINVAL;
            assert_int_equal(set(rows_64[i].option, buffer, length), expected);
            assert_int_equal(get(rows_64[i].option, buffer, &size), expected);
            assert_int_equal(size, length);
        }
        assert_int_equal(set(rows_64[i].option, NULL, 8), -EINVAL);
        assert_int_equal(set(rows_64[i].option, NULL, 0), -EINVAL);
    }
}

static void ipv6_and_ipv4only_are_one(void **state)
{
    (void)state;
    assert_int_equal(set_int(ZMQ_IPV4ONLY, 0), 0);
    reads_as(ZMQ_IPV6, 1);
    assert_int_equal(set_int(ZMQ_IPV6, 0), 0);
    reads_as(ZMQ_IPV4ONLY, 1);
    assert_int_equal(set_int(ZMQ_IPV6, 1), 0);
    reads_as(ZMQ_IPV4ONLY, 0);
}

static void heartbeat_ttl_is_kept_in_tenths_of_a_second(void **state)
{
    static const struct {
        int value, result, reads_as;
    } rows[] = {
        {0, 0, 0},
        {99, 0, 0},
        {100, 0, 100},
        {199, 0, 100},
        {6553500, 0, 6553500},
        {6553599, 0, 6553500},
        {6553600, -EINVAL, 300},
        {INT_MAX, -EINVAL, 300},
        {-1, 0, 0},
        {-99, 0, 0},
        {-100, -EINVAL, 300},
        {INT_MIN, -EINVAL, 300},
    };
    (void)state;
    reads_as(ZMQ_HEARTBEAT_TTL, 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(set_int(ZMQ_HEARTBEAT_TTL, 300), 0);
        assert_int_equal(set_int(ZMQ_HEARTBEAT_TTL, rows[i].value), rows[i].result);
        reads_as(ZMQ_HEARTBEAT_TTL, rows[i].reads_as);
    }
    char buffer[8] = {0};
    assert_int_equal(set(ZMQ_HEARTBEAT_TTL, buffer, 3), -EINVAL);
    assert_int_equal(set(ZMQ_HEARTBEAT_TTL, buffer, 8), -EINVAL);
    size_t size = 8;
    assert_int_equal(get(ZMQ_HEARTBEAT_TTL, buffer, &size), -EINVAL);
}

/* ---- texts and blobs -------------------------------------------------------------------- */

static void texts_start_empty(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bytes_rows); i++) {
        if (bytes_rows[i].access & GET)
            reads_as_text(bytes_rows[i].option, "");
        else
            is_not_readable(bytes_rows[i].option);
    }
}

static void texts_take_their_lengths(void **state)
{
    char text[300];
    (void)state;
    memset(text, 'x', sizeof(text));
    for (size_t i = 0; i < COUNT(bytes_rows); i++) {
        const struct bytes_row *row = &bytes_rows[i];
        size_t longest = row->max ? row->max : sizeof(text);
        const size_t lengths[] = {row->min, 1, 2, 3, 4, 5, longest - 1, longest};
        for (size_t k = 0; k < COUNT(lengths); k++) {
            char expected[301] = "";
            memset(expected, 'x', lengths[k]);
            assert_int_equal(set(row->option, text, lengths[k]), 0);
            if (row->access & GET)
                reads_as_text(row->option, expected);
        }
        if (row->max) {
            assert_int_equal(set(row->option, text, row->max + 1), -EINVAL);
            assert_int_equal(set(row->option, text, sizeof(text)), -EINVAL);
        }
    }
}

static void texts_are_emptied_only_as_listed(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bytes_rows); i++) {
        const struct bytes_row *row = &bytes_rows[i];
        assert_int_equal(set(row->option, "abc", 3), 0);
        assert_int_equal(set(row->option, "", 0), row->cleared == BY_EMPTY ? 0 : -EINVAL);
        assert_int_equal(set(row->option, "abc", 3), 0);
        assert_int_equal(set(row->option, NULL, 0), row->cleared == NEVER ? -EINVAL : 0);
        if (row->access & GET)
            reads_as_text(row->option, row->cleared == NEVER ? "abc" : "");
    }
}

static void blobs_may_contain_anything(void **state)
{
    static const char blob[] = {'a', 0, 'b', (char)0xff};
    (void)state;
    assert_int_equal(set(ZMQ_HELLO_MSG, blob, sizeof(blob)), 0);
    assert_int_equal(options.hello_msg.size, sizeof(blob));
    assert_memory_equal(options.hello_msg.data, blob, sizeof(blob));
    assert_int_equal(options.hello_msg.data[sizeof(blob)], 0);
    assert_int_equal(set(ZMQ_HELLO_MSG, "", 0), 0);
    assert_int_equal(options.hello_msg.size, 0);
    assert_null(options.hello_msg.data);
    assert_string_equal(zl_option_text(&options.hello_msg), "");
}

static void routing_id_is_binary(void **state)
{
    unsigned char id[256], buffer[300];
    size_t size = 0;
    (void)state;
    for (size_t i = 0; i < sizeof(id); i++)
        id[i] = (unsigned char)i;
    assert_int_equal(get(ZMQ_ROUTING_ID, buffer, &size), 0);
    assert_int_equal(size, 0);
    const size_t lengths[] = {255, 254, 2, 1};
    for (size_t i = 0; i < COUNT(lengths); i++) {
        assert_int_equal(set(ZMQ_ROUTING_ID, id, lengths[i]), 0);
        memset(buffer, '#', sizeof(buffer));
        size = lengths[i];
        assert_int_equal(get(ZMQ_ROUTING_ID, buffer, &size), 0);
        assert_int_equal(size, lengths[i]);
        assert_memory_equal(buffer, id, lengths[i]);
        assert_int_equal(buffer[lengths[i]], '#');
        size = sizeof(buffer);
        assert_int_equal(get(ZMQ_ROUTING_ID, buffer, &size), 0);
        assert_int_equal(size, lengths[i]);
        assert_int_equal(buffer[lengths[i]], 0);
        size = lengths[i] - 1;
        assert_int_equal(get(ZMQ_ROUTING_ID, buffer, &size), -EINVAL);
        assert_int_equal(size, lengths[i] - 1);
    }
    assert_int_equal(set(ZMQ_ROUTING_ID, id, 256), -EINVAL);
    assert_int_equal(set(ZMQ_ROUTING_ID, id, 0), -EINVAL);
    assert_int_equal(set(ZMQ_ROUTING_ID, NULL, 0), -EINVAL);
    assert_int_equal(options.routing_id_size, 1);
}

/* ---- lists ------------------------------------------------------------------------------ */

static void accept_filters_accumulate(void **state)
{
    const struct zl_ip_filter *filters;
    (void)state;
    assert_int_equal(set(ZMQ_TCP_ACCEPT_FILTER, "127.0.0.1", 9), 0);
    assert_int_equal(set(ZMQ_TCP_ACCEPT_FILTER, "10.0.0.0/8", 10), 0);
    assert_int_equal(set(ZMQ_TCP_ACCEPT_FILTER, "10.0.0.0/8, and more", 10), 0);
    assert_int_equal(options.accept_filters.count, 3);
    filters = options.accept_filters.items;
    assert_int_equal(filters[0].bits, 128);
    assert_int_equal(filters[1].bits, 104);
    assert_int_equal(set(ZMQ_TCP_ACCEPT_FILTER, NULL, 0), 0);
    assert_int_equal(options.accept_filters.count, 0);
    assert_null(options.accept_filters.items);
    assert_int_equal(set(ZMQ_TCP_ACCEPT_FILTER, NULL, 0), 0);
    is_not_readable(ZMQ_TCP_ACCEPT_FILTER);
}

static void accept_filters_must_be_networks(void **state)
{
    static const char *const bad[] = {"",
                                      "x",
                                      "127.0.0.1/33",
                                      "127.0.0.1/",
                                      "localhost",
                                      "*",
                                      "127.0.0.1/8x",
                                      "127.0.0.1:5",
                                      "1.2.3.4.5",
                                      "::1",
                                      "127.0.0.1/-1",
                                      " 127.0.0.1",
                                      "10.0.0.0 /8",
                                      "10.0.0.0/ 8"};
    char long_text[257];
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (set(ZMQ_TCP_ACCEPT_FILTER, bad[i], strlen(bad[i])) != -EINVAL)
            fail_msg("takes %s", bad[i]);
    }
    memset(long_text, '1', sizeof(long_text));
    assert_int_equal(set(ZMQ_TCP_ACCEPT_FILTER, long_text, 255), -EINVAL);
    assert_int_equal(set(ZMQ_TCP_ACCEPT_FILTER, long_text, 256), -EINVAL);
    assert_int_equal(options.accept_filters.count, 0);
    /* IPv6 networks depend on the IPV6 of that moment. */
    assert_int_equal(set_int(ZMQ_IPV6, 1), 0);
    assert_int_equal(set(ZMQ_TCP_ACCEPT_FILTER, "::1", 3), 0);
}

static void ipc_filters_accumulate(void **state)
{
    const pid_t pid = 17;
    const uid_t uids[] = {18, 0, (uid_t)-2};
    const gid_t gid = 19;
    (void)state;
    assert_int_equal(set(ZMQ_IPC_FILTER_PID, &pid, sizeof(pid)), 0);
    for (size_t i = 0; i < COUNT(uids); i++)
        assert_int_equal(set(ZMQ_IPC_FILTER_UID, &uids[i], sizeof(uids[i])), 0);
    assert_int_equal(set(ZMQ_IPC_FILTER_GID, &gid, sizeof(gid)), 0);
    assert_int_equal(options.ipc_pids.count, 1);
    assert_int_equal(*(const pid_t *)options.ipc_pids.items, 17);
    assert_int_equal(options.ipc_uids.count, 3);
    assert_memory_equal(options.ipc_uids.items, uids, sizeof(uids));
    assert_int_equal(options.ipc_gids.count, 1);
    assert_int_equal(*(const gid_t *)options.ipc_gids.items, 19);
    assert_int_equal(set(ZMQ_IPC_FILTER_UID, NULL, 0), 0);
    assert_int_equal(options.ipc_uids.count, 0);
    assert_int_equal(options.ipc_pids.count, 1);
}

static void ipc_filters_need_exactly_their_size(void **state)
{
    static const int filters[] = {ZMQ_IPC_FILTER_PID, ZMQ_IPC_FILTER_UID, ZMQ_IPC_FILTER_GID};
    static const char zeros[8];
    (void)state;
    for (size_t i = 0; i < COUNT(filters); i++) {
        for (size_t size = 0; size <= sizeof(zeros); size++) {
            int expected = size == sizeof(uid_t) ? 0 : -EINVAL;
            assert_int_equal(set(filters[i], zeros, size), expected);
        }
        assert_int_equal(set(filters[i], NULL, sizeof(uid_t)), -EINVAL);
        is_not_readable(filters[i]);
    }
}

static int set_property(const char *text)
{
    return set(ZMQ_METADATA, text, strlen(text));
}

static void has_property(size_t index, const char *name, const char *value)
{
    const struct zl_option_property *properties = options.metadata.items;
    assert_true(index < options.metadata.count);
    assert_string_equal(properties[index].name, name);
    assert_string_equal(properties[index].value, value);
}

static void metadata_is_sorted_and_keeps_first_values(void **state)
{
    (void)state;
    assert_int_equal(set_property("X-middle:1"), 0);
    assert_int_equal(set_property("X-z:last"), 0);
    assert_int_equal(set_property("X-a:first:with:colons"), 0);
    assert_int_equal(set_property("X-middle:2"), 0);
    assert_int_equal(set_property("X-middle2:3"), 0);
    assert_int_equal(set(ZMQ_METADATA, "X-nul:ab\0cd", 11), 0);
    assert_int_equal(options.metadata.count, 5);
    has_property(0, "X-a", "first:with:colons");
    has_property(1, "X-middle", "1");
    has_property(2, "X-middle2", "3");
    has_property(3, "X-nul", "ab");
    has_property(4, "X-z", "last");
    is_not_readable(ZMQ_METADATA);
}

static void metadata_must_be_x_name_colon_value(void **state)
{
    static const char *const bad[] = {"",        ":",     "X-",    "X-abc", "X-abc:", ":value",
                                      "X:value", "Y-a:b", "x-a:b", "a:X-",  "X-:a",   "-X:ab"};
    char text[300];
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (set_property(bad[i]) != -EINVAL)
            fail_msg("takes %s", bad[i]);
    }
    assert_int_equal(set(ZMQ_METADATA, "X-\0a:b", 6), -EINVAL);
    assert_int_equal(set(ZMQ_METADATA, NULL, 0), -EINVAL);
    memset(text, 'x', sizeof(text));
    memcpy(text, "X-", 2);
    text[256] = ':';
    assert_int_equal(set(ZMQ_METADATA, text, sizeof(text)), -EINVAL);
    assert_int_equal(options.metadata.count, 0);
    text[255] = ':';
    assert_int_equal(set(ZMQ_METADATA, text, sizeof(text)), 0);
    assert_int_equal(options.metadata.count, 1);
}

/* ---- options that are not here ---------------------------------------------------------- */

/* Those of sockets and patterns. */
static const int foreign_options[] = {
    ZMQ_SUBSCRIBE,
    ZMQ_UNSUBSCRIBE,
    ZMQ_RCVMORE,
    ZMQ_FD,
    ZMQ_EVENTS,
    ZMQ_TYPE,
    ZMQ_LAST_ENDPOINT,
    ZMQ_ROUTER_MANDATORY,
    ZMQ_XPUB_VERBOSE,
    ZMQ_ROUTER_RAW,
    ZMQ_PROBE_ROUTER,
    ZMQ_REQ_CORRELATE,
    ZMQ_REQ_RELAXED,
    ZMQ_ROUTER_HANDOVER,
    ZMQ_CONNECT_ROUTING_ID,
    ZMQ_XPUB_NODROP,
    ZMQ_BLOCKY,
    ZMQ_XPUB_MANUAL,
    ZMQ_XPUB_WELCOME_MSG,
    ZMQ_STREAM_NOTIFY,
    ZMQ_XPUB_VERBOSER,
    ZMQ_THREAD_SAFE,
    ZMQ_XPUB_MANUAL_LAST_VALUE,
    ZMQ_ONLY_FIRST_SUBSCRIBE,
    ZMQ_XSUB_VERBOSE_UNSUBSCRIBE,
    ZMQ_TOPICS_COUNT,
};

/* Those of features that are not compiled in. */
static const int unavailable_options[] = {
    ZMQ_PLAIN_SERVER,
    ZMQ_PLAIN_USERNAME,
    ZMQ_PLAIN_PASSWORD,
    ZMQ_CURVE_SERVER,
    ZMQ_CURVE_PUBLICKEY,
    ZMQ_CURVE_SECRETKEY,
    ZMQ_CURVE_SERVERKEY,
    ZMQ_GSSAPI_SERVER,
    ZMQ_GSSAPI_PRINCIPAL,
    ZMQ_GSSAPI_SERVICE_PRINCIPAL,
    ZMQ_GSSAPI_PLAINTEXT,
    ZMQ_GSSAPI_PRINCIPAL_NAMETYPE,
    ZMQ_GSSAPI_SERVICE_PRINCIPAL_NAMETYPE,
    ZMQ_SOCKS_PROXY,
    ZMQ_SOCKS_USERNAME,
    ZMQ_SOCKS_PASSWORD,
    ZMQ_NORM_MODE,
    ZMQ_NORM_UNICAST_NACK,
    ZMQ_NORM_BUFFER_SIZE,
    ZMQ_NORM_SEGMENT_SIZE,
    ZMQ_NORM_BLOCK_SIZE,
    ZMQ_NORM_NUM_PARITY,
    ZMQ_NORM_NUM_AUTOPARITY,
    ZMQ_NORM_PUSH,
    ZMQ_VMCI_BUFFER_SIZE,
    ZMQ_VMCI_BUFFER_MIN_SIZE,
    ZMQ_VMCI_BUFFER_MAX_SIZE,
    ZMQ_VMCI_CONNECT_TIMEOUT,
};

static void options_of_sockets_and_patterns_are_unknown(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(foreign_options); i++) {
        is_not_readable(foreign_options[i]);
        is_not_settable(foreign_options[i]);
    }
}

static void options_of_missing_features_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(unavailable_options); i++) {
        is_not_readable(unavailable_options[i]);
        is_not_settable(unavailable_options[i]);
    }
    reads_as(ZMQ_MECHANISM, ZMQ_NULL);
}

static bool is_tested(int option)
{
    for (size_t i = 0; i < COUNT(int_rows); i++) {
        if (int_rows[i].option == option)
            return true;
    }
    for (size_t i = 0; i < COUNT(rows_64); i++) {
        if (rows_64[i].option == option)
            return true;
    }
    for (size_t i = 0; i < COUNT(bytes_rows); i++) {
        if (bytes_rows[i].option == option)
            return true;
    }
    return contains(special_options, COUNT(special_options), option);
}

static void all_other_numbers_are_unknown(void **state)
{
    (void)state;
    for (int option = -130; option < 1000; option++) {
        if (!is_tested(option)) {
            is_not_readable(option);
            is_not_settable(option);
        }
    }
    is_not_readable(INT_MAX);
    is_not_readable(INT_MIN);
    is_not_settable(INT_MAX);
    is_not_settable(INT_MIN);
}

/* Each number that options.md lists is in exactly one of the lists above. */
static void no_option_is_forgotten(void **state)
{
    static const int unused[] = {10, 20, 26, 29, 30, 67, 82, 83};
    (void)state;
    for (int option = 4; option <= 124; option++) {
        int places = is_tested(option) + contains(foreign_options, COUNT(foreign_options), option) +
                     contains(unavailable_options, COUNT(unavailable_options), option) +
                     contains(unused, COUNT(unused), option);
        if (places != 1)
            fail_msg("option %d is in %d lists", option, places);
    }
}

/* ---- defaults that depend on the socket ------------------------------------------------- */

static void linger_depends_on_type_and_context(void **state)
{
    (void)state;
    for (int type = ZMQ_PAIR; type <= ZMQ_CHANNEL; type++) {
        bool subscriber = type == ZMQ_SUB || type == ZMQ_XSUB || type == ZMQ_DISH;
        zl_options_init(&options, type, false, true);
        reads_as(ZMQ_LINGER, subscriber ? 0 : -1);
        assert_int_equal(options.type, type);
        zl_options_init(&options, type, false, false);
        reads_as(ZMQ_LINGER, 0);
    }
}

static void ipv6_comes_from_the_context(void **state)
{
    (void)state;
    zl_options_init(&options, ZMQ_PAIR, true, true);
    reads_as(ZMQ_IPV6, 1);
    reads_as(ZMQ_IPV4ONLY, 0);
}

static void an_explicit_batch_size_can_be_told_from_the_default(void **state)
{
    (void)state;
    assert_false(options.in_batch_size_set);
    assert_false(options.out_batch_size_set);
    assert_int_equal(set_int(ZMQ_IN_BATCH_SIZE, 0), -EINVAL);
    assert_false(options.in_batch_size_set);
    assert_int_equal(set_int(ZMQ_IN_BATCH_SIZE, 8192), 0);
    assert_true(options.in_batch_size_set);
    assert_false(options.out_batch_size_set);
    assert_int_equal(set_int(ZMQ_OUT_BATCH_SIZE, 8192), 0);
    assert_true(options.out_batch_size_set);
}

/* ---- snapshots -------------------------------------------------------------------------- */

static void set_one_of_each_kind(void)
{
    assert_int_equal(set_int(ZMQ_SNDHWM, 5), 0);
    assert_int_equal(set(ZMQ_ROUTING_ID, "me", 2), 0);
    assert_int_equal(set(ZMQ_ZAP_DOMAIN, "domain", 6), 0);
    assert_int_equal(set(ZMQ_HELLO_MSG, "hello", 5), 0);
    assert_int_equal(set(ZMQ_TCP_ACCEPT_FILTER, "10.0.0.0/8", 10), 0);
    assert_int_equal(set(ZMQ_IPC_FILTER_UID, &(uid_t){7}, sizeof(uid_t)), 0);
    assert_int_equal(set_property("X-b:2"), 0);
    assert_int_equal(set_property("X-a:1"), 0);
}

static void a_snapshot_keeps_what_was_set(void **state)
{
    const struct zl_option_property *properties;
    const struct zl_options *snapshot;
    (void)state;
    set_one_of_each_kind();
    snapshot = zl_options_snapshot(&options);
    assert_non_null(snapshot);

    reset();
    assert_int_equal(set_int(ZMQ_SNDHWM, 6), 0);
    assert_int_equal(set(ZMQ_ZAP_DOMAIN, "other", 5), 0);

    assert_int_equal(snapshot->type, ZMQ_DEALER);
    assert_int_equal(snapshot->sndhwm, 5);
    assert_int_equal(snapshot->routing_id_size, 2);
    assert_memory_equal(snapshot->routing_id, "me", 2);
    assert_string_equal(zl_option_text(&snapshot->zap_domain), "domain");
    assert_string_equal(zl_option_text(&snapshot->hello_msg), "hello");
    assert_string_equal(zl_option_text(&snapshot->bind_to_device), "");
    assert_int_equal(snapshot->accept_filters.count, 1);
    assert_int_equal(((const struct zl_ip_filter *)snapshot->accept_filters.items)->bits, 104);
    assert_int_equal(snapshot->ipc_uids.count, 1);
    assert_int_equal(*(const uid_t *)snapshot->ipc_uids.items, 7);
    assert_int_equal(snapshot->ipc_gids.count, 0);
    assert_int_equal(snapshot->metadata.count, 2);
    properties = snapshot->metadata.items;
    assert_string_equal(properties[0].name, "X-a");
    assert_string_equal(properties[1].value, "2");
    zl_options_release(snapshot);
}

static void a_snapshot_lives_as_long_as_it_is_referenced(void **state)
{
    const struct zl_options *snapshot;
    (void)state;
    set_one_of_each_kind();
    snapshot = zl_options_snapshot(&options);
    assert_non_null(snapshot);
    assert_ptr_equal(zl_options_acquire(snapshot), snapshot);
    assert_ptr_equal(zl_options_acquire(snapshot), snapshot);
    zl_options_release(snapshot);
    zl_options_release(snapshot);
    assert_string_equal(zl_option_text(&snapshot->zap_domain), "domain");
    zl_options_release(snapshot);
    zl_options_release(NULL);
}

static void *use_and_release(void *argument)
{
    const struct zl_options *snapshot = argument;
    for (int i = 0; i < 1000; i++)
        zl_options_release(zl_options_acquire(snapshot));
    size_t length = strlen(zl_option_text(&snapshot->zap_domain));
    zl_options_release(snapshot);
    return (void *)length;
}

static void a_snapshot_is_shared_by_threads(void **state)
{
    pthread_t threads[4];
    (void)state;
    set_one_of_each_kind();
    const struct zl_options *snapshot = zl_options_snapshot(&options);
    assert_non_null(snapshot);
    for (size_t i = 0; i < COUNT(threads); i++) {
        void *argument = (void *)(uintptr_t)zl_options_acquire(snapshot);
        assert_int_equal(pthread_create(&threads[i], NULL, use_and_release, argument), 0);
    }
    zl_options_release(snapshot);
    for (size_t i = 0; i < COUNT(threads); i++) {
        void *length;
        assert_int_equal(pthread_join(threads[i], &length), 0);
        assert_int_equal((size_t)length, 6);
    }
}

static void cleared_options_own_nothing_and_can_be_set_again(void **state)
{
    (void)state;
    set_one_of_each_kind();
    zl_options_clear(&options);
    zl_options_clear(&options);
    assert_null(options.zap_domain.data);
    assert_null(options.metadata.items);
    set_one_of_each_kind();
    assert_int_equal(options.metadata.count, 2);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fresh_options, clear_options)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ints_have_their_defaults),
        TEST(ints_take_their_range),
        TEST(ints_refuse_all_else_and_keep_their_value),
        TEST(ints_need_exactly_four_bytes),
        TEST(ints_need_no_alignment),
        TEST(null_arguments_are_refused),
        TEST(access_is_as_listed),
        TEST(numbers_of_eight_bytes),
        TEST(numbers_of_eight_bytes_need_exactly_those),
        TEST(ipv6_and_ipv4only_are_one),
        TEST(heartbeat_ttl_is_kept_in_tenths_of_a_second),
        TEST(texts_start_empty),
        TEST(texts_take_their_lengths),
        TEST(texts_are_emptied_only_as_listed),
        TEST(blobs_may_contain_anything),
        TEST(routing_id_is_binary),
        TEST(accept_filters_accumulate),
        TEST(accept_filters_must_be_networks),
        TEST(ipc_filters_accumulate),
        TEST(ipc_filters_need_exactly_their_size),
        TEST(metadata_is_sorted_and_keeps_first_values),
        TEST(metadata_must_be_x_name_colon_value),
        TEST(options_of_sockets_and_patterns_are_unknown),
        TEST(options_of_missing_features_are_refused),
        TEST(all_other_numbers_are_unknown),
        TEST(no_option_is_forgotten),
        TEST(linger_depends_on_type_and_context),
        TEST(ipv6_comes_from_the_context),
        TEST(an_explicit_batch_size_can_be_told_from_the_default),
        TEST(a_snapshot_keeps_what_was_set),
        TEST(a_snapshot_lives_as_long_as_it_is_referenced),
        TEST(a_snapshot_is_shared_by_threads),
        TEST(cleared_options_own_nothing_and_can_be_set_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
