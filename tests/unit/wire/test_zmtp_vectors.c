/* SPDX-License-Identifier: MPL-2.0 */
/* Whole conversations octet by octet, as real peers have them: what we would send must be exactly
 * this, and reading it must give back what was meant. */

#include "octets.h"

#include "wire/zmtp.h"

enum { PUB = 1, SUB = 2, DEALER = 5, ROUTER = 6 };

#define METADATA_DEALER                                                                            \
    "0b 53 6f 63 6b 65 74 2d 54 79 70 65 00 00 00 06 44 45 41 4c 45 52"                            \
    "08 49 64 65 6e 74 69 74 79 00 00 00 00"
#define METADATA_ROUTER                                                                            \
    "0b 53 6f 63 6b 65 74 2d 54 79 70 65 00 00 00 06 52 4f 55 54 45 52"                            \
    "08 49 64 65 6e 74 69 74 79 00 00 00 00"

/* One frame of a stream and what it must be. */
static const uint8_t *expect_frame(struct zl_reader *stream, uint8_t flags, uint64_t body_size)
{
    struct zl_frame_header header;
    const uint8_t *body = NULL;
    int rc = zl_zmtp_get_header(stream->at, stream->end, &header);
    assert_true(rc > 0);
    assert_int_equal(header.flags, flags);
    assert_int_equal(header.body_size, body_size);
    stream->at += rc;
    assert_true(zl_reader_bytes(stream, body_size, &body));
    return body;
}

static const uint8_t *expect_frame_1_0(struct zl_reader *stream, uint8_t flags, uint64_t body_size)
{
    struct zl_frame_header header;
    const uint8_t *body = NULL;
    int rc = zl_zmtp1_get_header(stream->at, stream->end, &header);
    assert_true(rc > 0);
    assert_int_equal(header.flags, flags);
    assert_int_equal(header.body_size, body_size);
    stream->at += rc;
    assert_true(zl_reader_bytes(stream, body_size, &body));
    return body;
}

static struct zl_command expect_command(struct zl_reader *stream, enum zl_command_kind kind,
                                        uint64_t body_size)
{
    struct zl_command command;
    const uint8_t *body = expect_frame(stream, ZL_FRAME_COMMAND, body_size);
    assert_int_equal(zl_command_parse(body, body_size, &command), 0);
    assert_int_equal(command.kind, kind);
    return command;
}

static size_t put_message(uint8_t *dst, uint8_t flags, const char *text)
{
    size_t size = zl_zmtp_put_header(dst, flags, strlen(text));
    memcpy(dst + size, text, strlen(text));
    return size + strlen(text);
}

static size_t put_message_1_0(uint8_t *dst, uint8_t flags, const char *text)
{
    size_t size = zl_zmtp1_put_header(dst, flags, strlen(text));
    memcpy(dst + size, text, strlen(text));
    return size + strlen(text);
}

/* READY of `type`: writes it, compares, reads it back as a peer of type `reader`. */
static void expect_ready(int type, const char *identity, int reader, const char *hex)
{
    uint8_t metadata[ZL_METADATA_OWN_MAX];
    uint8_t frame[512];
    struct zl_peer_metadata peer;
    size_t size = zl_metadata_put_own(metadata, sizeof metadata, type, identity, strlen(identity));
    size_t total = zl_zmtp_command_size("READY", size);
    assert_int_equal(zl_zmtp_put_command(frame, "READY", metadata, size), total);
    assert_hex(frame, total, hex);

    struct octets in = octets_hex(hex);
    struct zl_reader stream = zl_reader_over(in.at, in.size);
    struct zl_command ready = expect_command(&stream, ZL_COMMAND_READY, in.size - 2);
    assert_int_equal(zl_metadata_check(ready.data, ready.size, reader, &peer), 0);
    assert_int_equal(peer.socket_type, type);
    assert_int_equal(peer.identity_size, strlen(identity));
    if (*identity)
        assert_memory_equal(peer.identity, identity, strlen(identity));
    octets_free(in);
}

static void test_null_ready(void **state)
{
    (void)state;
    expect_ready(DEALER, "", ROUTER, "04 29 05 52 45 41 44 59" METADATA_DEALER);
    expect_ready(ROUTER, "", DEALER, "04 29 05 52 45 41 44 59" METADATA_ROUTER);
    expect_ready(DEALER, "alice", ROUTER,
                 "04 2e 05 52 45 41 44 59 0b 53 6f 63 6b 65 74 2d 54 79 70 65 00 00 00 06 44 45 41"
                 "4c 45 52 08 49 64 65 6e 74 69 74 79 00 00 00 05 61 6c 69 63 65");
    expect_ready(
        SUB, "", PUB,
        "04 19 05 52 45 41 44 59 0b 53 6f 63 6b 65 74 2d 54 79 70 65 00 00 00 03 53 55 42");
    expect_ready(
        PUB, "", SUB,
        "04 19 05 52 45 41 44 59 0b 53 6f 63 6b 65 74 2d 54 79 70 65 00 00 00 03 50 55 42");
}

static void test_two_frame_message(void **state)
{
    (void)state;
    uint8_t out[32];
    size_t size = put_message(out, ZL_FRAME_MORE, "");
    size += put_message(out + size, 0, "hello");
    assert_hex(out, size, "01 00 00 05 68 65 6c 6c 6f");
    struct zl_reader stream = zl_reader_over(out, size);
    expect_frame(&stream, ZL_FRAME_MORE, 0);
    assert_memory_equal(expect_frame(&stream, 0, 5), "hello", 5);
    assert_int_equal(zl_reader_left(&stream), 0);
}

/* Subscribing and cancelling "A" and "" to each version. */
static void test_subscriptions(void **state)
{
    (void)state;
    static const struct {
        enum zl_zmtp_version version;
        bool subscribe;
        const char *topic;
        const char *hex;
    } cases[] = {
        {ZL_ZMTP_3_1, true, "A", "04 0b 09 53 55 42 53 43 52 49 42 45 41"},
        {ZL_ZMTP_3_1, false, "A", "04 08 06 43 41 4e 43 45 4c 41"},
        {ZL_ZMTP_3_1, true, "", "04 0a 09 53 55 42 53 43 52 49 42 45"},
        {ZL_ZMTP_3_0, true, "A", "00 02 01 41"},
        {ZL_ZMTP_3_0, false, "A", "00 02 00 41"},
        {ZL_ZMTP_3_0, true, "", "00 01 01"},
        {ZL_ZMTP_2_0, true, "A", "00 02 01 41"},
        {ZL_ZMTP_2_0, false, "A", "00 02 00 41"},
        {ZL_ZMTP_2_0, true, "", "00 01 01"},
        {ZL_ZMTP_1_0, true, "A", "03 00 01 41"},
        {ZL_ZMTP_1_0, false, "A", "03 00 00 41"},
        {ZL_ZMTP_1_0, true, "", "02 00 01"},
        {ZL_ZMTP_1_0_UNVERSIONED, true, "A", "03 00 01 41"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t out[32];
        size_t size = zl_zmtp_put_subscription(out, cases[i].version, cases[i].subscribe,
                                               cases[i].topic, strlen(cases[i].topic));
        assert_hex(out, size, cases[i].hex);
    }
}

/* libzmq announces a topic of 255 octets to a 3.0 peer with a short flags octet: ours must not. */
static void test_long_topics(void **state)
{
    (void)state;
    static const struct {
        enum zl_zmtp_version version;
        size_t topic_size;
        const char *start;
    } cases[] = {
        {ZL_ZMTP_3_1, 245, "04 ff 09 53"},
        {ZL_ZMTP_3_1, 246, "06 00 00 00 00 00 00 01 00 09 53"},
        {ZL_ZMTP_3_0, 254, "00 ff 01 74"},
        {ZL_ZMTP_3_0, 255, "02 00 00 00 00 00 00 01 00 01 74"},
        {ZL_ZMTP_2_0, 255, "02 00 00 00 00 00 00 01 00 01 74"},
        {ZL_ZMTP_1_0, 252, "fe 00 01 74"},
        {ZL_ZMTP_1_0, 253, "ff 00 00 00 00 00 00 00 ff 00 01 74"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t topic[255];
        uint8_t out[300];
        struct octets start = octets_hex(cases[i].start);
        memset(topic, 't', sizeof topic);
        zl_zmtp_put_subscription(out, cases[i].version, true, topic, cases[i].topic_size);
        assert_memory_equal(out, start.at, start.size);
        octets_free(start);
    }
}

static void test_2_0_router_with_a_raw_peer(void **state)
{
    (void)state;
    struct octets in = octets_hex("ff 00 00 00 00 00 00 00 01 7f 01 05"
                                  "00 03 61 62 63 01 00 00 02 68 69");
    struct zl_greeting greeting;
    uint8_t out[80];
    size_t consumed;
    zl_greeting_init(&greeting, "NULL", false, 0, ROUTER);
    size_t size = zl_greeting_output(&greeting, out, sizeof out);
    assert_int_equal(zl_greeting_input(&greeting, in.at, in.size, &consumed), 1);
    assert_int_equal(consumed, 12);
    size += zl_greeting_output(&greeting, out + size, sizeof out - size);
    size += put_message(out + size, 0, "");
    size += put_message(out + size, 0, "x");
    assert_hex(out, size, "ff 00 00 00 00 00 00 00 01 7f 03 06 00 00 00 01 78");

    struct zl_reader stream = zl_reader_over(in.at + consumed, in.size - consumed);
    assert_memory_equal(expect_frame(&stream, 0, 3), "abc", 3);
    expect_frame(&stream, ZL_FRAME_MORE, 0);
    assert_memory_equal(expect_frame(&stream, 0, 2), "hi", 2);
    assert_int_equal(zl_reader_left(&stream), 0);
    octets_free(in);
}

static void test_1_0_dealer_with_a_raw_peer(void **state)
{
    (void)state;
    struct octets in = octets_hex("01 00 01 01 03 00 68 69");
    struct zl_greeting greeting;
    uint8_t out[80];
    size_t consumed;
    zl_greeting_init(&greeting, "NULL", false, 3, DEALER);
    size_t size = zl_greeting_output(&greeting, out, sizeof out);
    assert_int_equal(zl_greeting_input(&greeting, in.at, in.size, &consumed), 1);
    assert_int_equal(zl_greeting_output(&greeting, out + size, sizeof out - size), 0);
    memcpy(out + size, "ID1", 3); /* the rest of our identity frame */
    size += 3;
    size += put_message_1_0(out + size, 0, "yo");
    assert_hex(out, size, "ff 00 00 00 00 00 00 00 04 7f 49 44 31 03 00 79 6f");

    assert_int_equal(consumed, 0);
    struct zl_reader stream = zl_reader_over(in.at, in.size);
    expect_frame_1_0(&stream, 0, 0);
    expect_frame_1_0(&stream, ZL_FRAME_MORE, 0);
    assert_memory_equal(expect_frame_1_0(&stream, 0, 2), "hi", 2);
    assert_int_equal(zl_reader_left(&stream), 0);
    octets_free(in);
}

static void test_1_0_identity_in_the_long_form(void **state)
{
    (void)state;
    struct octets in = octets_hex("ff 00 00 00 00 00 00 00 04 00 62 6f 62");
    struct zl_reader stream = zl_reader_over(in.at, in.size);
    assert_memory_equal(expect_frame_1_0(&stream, 0, 3), "bob", 3);
    octets_free(in);
}

static void test_plain_handshake(void **state)
{
    (void)state;
    uint8_t out[128];
    static const char hello[] = "\005admin\006secret";
    assert_hex(out, zl_zmtp_put_command(out, "HELLO", hello, sizeof hello - 1),
               "04 13 05 48 45 4c 4c 4f 05 61 64 6d 69 6e 06 73 65 63 72 65 74");
    struct zl_reader stream = zl_reader_over(out, 21);
    struct zl_command command = expect_command(&stream, ZL_COMMAND_HELLO, 19);
    assert_int_equal(command.size, sizeof hello - 1);
    assert_memory_equal(command.data, hello, command.size);

    assert_hex(out, zl_zmtp_put_command(out, "WELCOME", NULL, 0), "04 08 07 57 45 4c 43 4f 4d 45");
    stream = zl_reader_over(out, 10);
    assert_int_equal(expect_command(&stream, ZL_COMMAND_WELCOME, 8).size, 0);

    uint8_t metadata[ZL_METADATA_OWN_MAX];
    size_t size = zl_metadata_put_own(metadata, sizeof metadata, DEALER, NULL, 0);
    assert_hex(out, zl_zmtp_put_command(out, "INITIATE", metadata, size),
               "04 2c 08 49 4e 49 54 49 41 54 45" METADATA_DEALER);
    stream = zl_reader_over(out, 46);
    assert_int_equal(expect_command(&stream, ZL_COMMAND_INITIATE, 44).size, 35);
}

static void test_refusal(void **state)
{
    (void)state;
    uint8_t out[16];
    struct zl_error error;
    size_t size = zl_zmtp_put_header(out, ZL_FRAME_COMMAND, 10);
    size += zl_command_put_error(out + size, "400", 3);
    assert_hex(out, size, "04 0a 05 45 52 52 4f 52 03 34 30 30");
    struct zl_reader stream = zl_reader_over(out, size);
    struct zl_command command = expect_command(&stream, ZL_COMMAND_ERROR, 10);
    assert_int_equal(zl_error_parse(&command, &error), 0);
    assert_int_equal(zl_error_status(&error), 400);

    struct octets in = octets_hex("04 09 5e 52 52 4f 52 03 34 30 30"); /* from libzmq */
    stream = zl_reader_over(in.at, in.size);
    const uint8_t *body = expect_frame(&stream, ZL_FRAME_COMMAND, 9);
    assert_int_equal(zl_command_parse_plain(body, 9, &command), 0);
    assert_int_equal(command.kind, ZL_COMMAND_ERROR);
    octets_free(in);
}

static void test_heartbeat(void **state)
{
    (void)state;
    uint8_t out[32];
    struct zl_ping ping;
    size_t size = zl_zmtp_put_header(out, ZL_FRAME_COMMAND, 11);
    size += zl_command_put_ping(out + size, 30, "ctx1", 4);
    assert_hex(out, size, "04 0b 04 50 49 4e 47 00 1e 63 74 78 31");
    struct zl_reader stream = zl_reader_over(out, size);
    struct zl_command command = expect_command(&stream, ZL_COMMAND_PING, 11);
    assert_int_equal(zl_ping_parse(&command, &ping), 0);
    assert_int_equal(ping.ttl, 30);
    uint8_t pong[32];
    size = zl_zmtp_put_command(pong, "PONG", ping.context, ping.context_size);
    assert_hex(pong, size, "04 09 04 50 4f 4e 47 63 74 78 31");
    stream = zl_reader_over(pong, size);
    command = expect_command(&stream, ZL_COMMAND_PONG, 9);
    const uint8_t *context;
    size_t context_size;
    assert_int_equal(zl_pong_parse(&command, &context, &context_size), 0);
    assert_int_equal(context_size, 4);
    assert_memory_equal(context, "ctx1", 4);

    struct octets in = octets_hex("04 07 04 50 49 4e 47 02 8f"); /* from libzmq */
    stream = zl_reader_over(in.at, in.size);
    command = expect_command(&stream, ZL_COMMAND_PING, 7);
    assert_int_equal(zl_ping_parse(&command, &ping), 0);
    assert_int_equal(ping.ttl, 655);
    assert_int_equal(ping.context_size, 0);
    octets_free(in);
}

static void test_radio_and_dish(void **state)
{
    (void)state;
    uint8_t out[32];
    size_t size = zl_zmtp_put_command(out, "JOIN", "TV", 2);
    assert_hex(out, size, "04 07 04 4a 4f 49 4e 54 56");
    struct zl_reader stream = zl_reader_over(out, size);
    struct zl_command command = expect_command(&stream, ZL_COMMAND_JOIN, 7);
    assert_true(zl_group_is_valid(command.data, command.size));
    assert_memory_equal(command.data, "TV", 2);
    size = zl_zmtp_put_command(out, "LEAVE", "TV", 2);
    assert_hex(out, size, "04 08 05 4c 45 41 56 45 54 56");
    stream = zl_reader_over(out, size);
    expect_command(&stream, ZL_COMMAND_LEAVE, 8);
    size = put_message(out, ZL_FRAME_MORE, "TV");
    size += put_message(out + size, 0, "Friends");
    assert_hex(out, size, "01 02 54 56 00 07 46 72 69 65 6e 64 73");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_null_ready),
        cmocka_unit_test(test_two_frame_message),
        cmocka_unit_test(test_subscriptions),
        cmocka_unit_test(test_long_topics),
        cmocka_unit_test(test_2_0_router_with_a_raw_peer),
        cmocka_unit_test(test_1_0_dealer_with_a_raw_peer),
        cmocka_unit_test(test_1_0_identity_in_the_long_form),
        cmocka_unit_test(test_plain_handshake),
        cmocka_unit_test(test_refusal),
        cmocka_unit_test(test_heartbeat),
        cmocka_unit_test(test_radio_and_dish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
