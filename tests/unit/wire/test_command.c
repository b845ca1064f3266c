/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of the commands: bodies, their parts, and the frames made of them. */

#include "octets.h"

#include "wire/zmtp.h"

static int parse_hex(const char *hex, struct octets *in, struct zl_command *command)
{
    *in = octets_hex(hex);
    return zl_command_parse(in->at, in->size, command);
}

static void expect_malformed(const char *hex)
{
    struct octets in;
    struct zl_command command;
    assert_int_equal(parse_hex(hex, &in, &command), -EPROTO);
    octets_free(in);
}

/* A command with `data` behind its name, to be freed. */
static struct zl_command command_of(const char *data_hex)
{
    struct octets in = octets_hex(data_hex);
    return (struct zl_command){ZL_COMMAND_UNKNOWN, in.at, in.size};
}

static void command_free(struct zl_command command)
{
    free((void *)(uintptr_t)command.data);
}

static void test_every_name(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum zl_command_kind kind;
    } names[] = {
        {"READY", ZL_COMMAND_READY},         {"ERROR", ZL_COMMAND_ERROR},
        {"HELLO", ZL_COMMAND_HELLO},         {"WELCOME", ZL_COMMAND_WELCOME},
        {"INITIATE", ZL_COMMAND_INITIATE},   {"MESSAGE", ZL_COMMAND_MESSAGE},
        {"SUBSCRIBE", ZL_COMMAND_SUBSCRIBE}, {"CANCEL", ZL_COMMAND_CANCEL},
        {"JOIN", ZL_COMMAND_JOIN},           {"LEAVE", ZL_COMMAND_LEAVE},
        {"PING", ZL_COMMAND_PING},           {"PONG", ZL_COMMAND_PONG},
        {"ping", ZL_COMMAND_UNKNOWN},        {"PIN", ZL_COMMAND_UNKNOWN},
        {"PINGS", ZL_COMMAND_UNKNOWN},       {"Ready", ZL_COMMAND_UNKNOWN},
        {"X", ZL_COMMAND_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (size_t n = 0; n <= 3; n++) {
            uint8_t body[32];
            struct zl_command command;
            struct octets in =
                octets_copy(body, zl_command_put(body, names[i].name, n ? "abc" : NULL, n));
            assert_int_equal(in.size, zl_command_size(names[i].name, n));
            assert_int_equal(zl_command_parse(in.at, in.size, &command), 0);
            assert_int_equal(command.kind, names[i].kind);
            assert_int_equal(command.size, n);
            assert_ptr_equal(command.data, in.at + in.size - n);
            if (n)
                assert_memory_equal(command.data, "abc", n);
            octets_free(in);
        }
}

static void test_malformed_bodies(void **state)
{
    (void)state;
    expect_malformed("");
    expect_malformed("00");
    expect_malformed("00 52 45 41 44 59");
    expect_malformed("05");
    expect_malformed("05 52 45 41 44");
    expect_malformed("ff 52 45 41 44 59");
    expect_malformed("5e 52 52 4f 52 03 34 30 30");
}

static void test_unknown_name_is_not_malformed(void **state)
{
    (void)state;
    struct octets in;
    struct zl_command command;
    assert_int_equal(parse_hex("03 00 ff 41 42", &in, &command), 0);
    assert_int_equal(command.kind, ZL_COMMAND_UNKNOWN);
    assert_int_equal(command.size, 1);
    octets_free(in);
}

static void test_plain_knows_the_misspelt_error(void **state)
{
    (void)state;
    struct zl_command command;
    struct zl_error error;
    struct octets in = octets_hex("5e 52 52 4f 52 03 34 30 30");
    assert_int_equal(zl_command_parse_plain(in.at, in.size, &command), 0);
    assert_int_equal(command.kind, ZL_COMMAND_ERROR);
    assert_int_equal(zl_error_parse(&command, &error), 0);
    assert_int_equal(zl_error_status(&error), 400);
    for (size_t size = 0; size < 5; size++) {
        struct octets cut = octets_copy(in.at, size);
        assert_int_equal(zl_command_parse_plain(cut.at, cut.size, &command), -EPROTO);
        octets_free(cut);
    }
    octets_free(in);

    in = octets_hex("05 45 52 52 4f 52 03 33 30 30");
    assert_int_equal(zl_command_parse_plain(in.at, in.size, &command), 0);
    assert_int_equal(command.kind, ZL_COMMAND_ERROR);
    assert_int_equal(zl_error_parse(&command, &error), 0);
    assert_int_equal(zl_error_status(&error), 300);
    octets_free(in);

    in = octets_hex("5e 52 52 4f 53 03 34 30 30");
    assert_int_equal(zl_command_parse_plain(in.at, in.size, &command), -EPROTO);
    octets_free(in);

    /* A well-formed command stays what it is. */
    uint8_t body[1 + 0x5E] = {0x5E, 'R', 'R', 'O', 'R'};
    assert_int_equal(zl_command_parse_plain(body, sizeof body, &command), 0);
    assert_int_equal(command.kind, ZL_COMMAND_UNKNOWN);
}

static void test_ping_of_every_size(void **state)
{
    (void)state;
    for (size_t size = 0; size <= 40; size++) {
        uint8_t data[40] = {0x02, 0x8F, 'a', 'b'};
        struct octets in = octets_copy(data, size);
        struct zl_command command = {ZL_COMMAND_PING, in.at, in.size};
        struct zl_ping ping;
        int rc = zl_ping_parse(&command, &ping);
        assert_int_equal(rc, size >= 2 && size <= 18 ? 0 : -EPROTO);
        if (rc == 0) {
            assert_int_equal(ping.ttl, 655);
            assert_int_equal(ping.context_size, size - 2);
            assert_ptr_equal(ping.context, in.at + 2);
        }
        octets_free(in);
    }
}

static void test_ping_ttl_takes_all_16_bits(void **state)
{
    (void)state;
    struct zl_command command = command_of("ff fe");
    struct zl_ping ping;
    assert_int_equal(zl_ping_parse(&command, &ping), 0);
    assert_int_equal(ping.ttl, 0xFFFE);
    command_free(command);
}

static void test_pong_of_every_size(void **state)
{
    (void)state;
    for (size_t size = 0; size <= 40; size++) {
        uint8_t data[40] = {'a', 'b'};
        struct zl_command command = {ZL_COMMAND_PONG, data, size};
        const uint8_t *context;
        size_t context_size;
        int rc = zl_pong_parse(&command, &context, &context_size);
        assert_int_equal(rc, size <= 16 ? 0 : -EPROTO);
        if (rc == 0) {
            assert_ptr_equal(context, data);
            assert_int_equal(context_size, size);
        }
    }
}

static void test_put_ping(void **state)
{
    (void)state;
    struct octets out = {malloc(ZL_PING_BODY_MAX), ZL_PING_BODY_MAX};
    assert_hex(out.at, zl_command_put_ping(out.at, 30, "ctx1", 4),
               "04 50 49 4e 47 00 1e 63 74 78 31");
    assert_hex(out.at, zl_command_put_ping(out.at, 0, NULL, 0), "04 50 49 4e 47 00 00");
    assert_hex(out.at, zl_command_put_ping(out.at, 655, NULL, 0), "04 50 49 4e 47 02 8f");
    /* More would wrap in libzmq. */
    assert_hex(out.at, zl_command_put_ping(out.at, 656, NULL, 0), "04 50 49 4e 47 02 8f");
    assert_hex(out.at, zl_command_put_ping(out.at, UINT32_MAX, NULL, 0), "04 50 49 4e 47 02 8f");
    assert_hex(out.at, zl_command_put_ping(out.at, 1, "0123456789abcdefX", 17),
               "04 50 49 4e 47 00 01 30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66");
    octets_free(out);
}

static void test_error_reasons(void **state)
{
    (void)state;
    static const struct {
        const char *data;
        int result;
        int status;
        const char *text;
    } cases[] = {
        {"03 34 30 30", 0, 400, "400"},
        {"03 33 30 30", 0, 300, "300"},
        {"03 35 30 30", 0, 500, "500"},
        {"03 32 30 30", 0, 0, "200"},
        {"03 36 30 30", 0, 0, "600"},
        {"03 34 30 31", 0, 0, "401"},
        {"03 34 31 30", 0, 0, "410"},
        {"04 34 30 30 30", 0, 0, "4000"},
        {"02 34 30", 0, 0, "40"},
        {"00", 0, 0, ""},
        {"06 6e 6f 20 1b 7f ff", 0, 0, "no ..."},
        {"03 20 7e 00", 0, 0, " ~."},
        {"", -EPROTO, 0, NULL},
        {"01", -EPROTO, 0, NULL},
        {"04 34 30 30", -EPROTO, 0, NULL},
        {"ff 34 30 30", -EPROTO, 0, NULL},
        {"02 34 30 30", -EPROTO, 0, NULL},
        {"00 00", -EPROTO, 0, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct zl_command command = command_of(cases[i].data);
        struct zl_error error;
        assert_int_equal(zl_error_parse(&command, &error), cases[i].result);
        if (cases[i].result == 0) {
            char text[16];
            assert_int_equal(zl_error_status(&error), cases[i].status);
            assert_int_equal(zl_error_text(&error, text, sizeof text), strlen(cases[i].text));
            assert_string_equal(text, cases[i].text);
        }
        command_free(command);
    }
}

static void test_error_text_is_cut_to_its_buffer(void **state)
{
    (void)state;
    struct zl_error error = {(const uint8_t *)"reason", 6};
    for (size_t cap = 1; cap <= 8; cap++) {
        char *text = malloc(cap);
        size_t size = cap - 1 < 6 ? cap - 1 : 6;
        assert_int_equal(zl_error_text(&error, text, cap), size);
        assert_int_equal(text[size], '\0');
        assert_memory_equal(text, "reason", size);
        free(text);
    }
}

static void test_put_error(void **state)
{
    (void)state;
    uint8_t reason[300];
    uint8_t body[7 + 255 + 1];
    assert_hex(body, zl_command_put_error(body, "400", 3), "05 45 52 52 4f 52 03 34 30 30");
    assert_hex(body, zl_command_put_error(body, NULL, 0), "05 45 52 52 4f 52 00");
    memset(reason, 'r', sizeof reason);
    body[262] = 0xA5;
    assert_int_equal(zl_command_put_error(body, reason, 255), 262);
    assert_int_equal(body[6], 255);
    assert_int_equal(zl_command_put_error(body, reason, 256), 262);
    assert_int_equal(zl_command_put_error(body, reason, 300), 262);
    assert_int_equal(body[6], 255);
    assert_int_equal(body[261], 'r');
    assert_int_equal(body[262], 0xA5);
}

/* LONG follows from the whole body, name included. */
static void test_command_frames_around_255_octets(void **state)
{
    (void)state;
    static const uint8_t data[300];
    for (size_t n = 240; n <= 260; n++) {
        struct octets out;
        struct zl_frame_header header;
        struct zl_command command;
        size_t size = zl_zmtp_command_size("SUBSCRIBE", n);
        assert_int_equal(size, 10 + n + (n <= 245 ? 2 : 9));
        out = (struct octets){malloc(size), size};
        assert_int_equal(zl_zmtp_put_command(out.at, "SUBSCRIBE", data, n), size);
        int rc = zl_zmtp_get_header(out.at, out.at + size, &header);
        assert_int_equal(rc, n <= 245 ? 2 : 9);
        assert_int_equal(header.flags, ZL_FRAME_COMMAND);
        assert_int_equal(header.body_size, 10 + n);
        assert_int_equal(zl_command_parse(out.at + rc, header.body_size, &command), 0);
        assert_int_equal(command.kind, ZL_COMMAND_SUBSCRIBE);
        assert_int_equal(command.size, n);
        octets_free(out);
    }
}

/* What a subscription frame says, read back the way a publisher of that version reads. */
static void expect_subscription(enum zl_zmtp_version version, bool subscribe, const uint8_t *topic,
                                size_t topic_size)
{
    size_t size = zl_zmtp_subscription_size(version, subscribe, topic_size);
    struct octets out = {malloc(size), size};
    struct zl_frame_header header;
    assert_int_equal(zl_zmtp_put_subscription(out.at, version, subscribe, topic, topic_size), size);
    int rc = version <= ZL_ZMTP_1_0 ? zl_zmtp1_get_header(out.at, out.at + size, &header)
                                    : zl_zmtp_get_header(out.at, out.at + size, &header);
    assert_true(rc > 0);
    assert_int_equal((size_t)rc + header.body_size, size);
    const uint8_t *body = out.at + rc;
    if (version == ZL_ZMTP_3_1) {
        struct zl_command command;
        assert_int_equal(header.flags, ZL_FRAME_COMMAND);
        assert_int_equal(zl_command_parse(body, header.body_size, &command), 0);
        assert_int_equal(command.kind, subscribe ? ZL_COMMAND_SUBSCRIBE : ZL_COMMAND_CANCEL);
        body = command.data;
        assert_int_equal(command.size, topic_size);
    } else {
        assert_int_equal(header.flags, 0);
        assert_int_equal(header.body_size, 1 + topic_size);
        assert_int_equal(*body++, subscribe);
    }
    if (topic_size)
        assert_memory_equal(body, topic, topic_size);
    octets_free(out);
}

static void test_subscriptions_of_every_version_and_size(void **state)
{
    (void)state;
    uint8_t topic[300];
    for (size_t i = 0; i < sizeof topic; i++)
        topic[i] = (uint8_t)i;
    for (int version = ZL_ZMTP_1_0_UNVERSIONED; version <= ZL_ZMTP_3_1; version++)
        for (size_t size = 0; size <= sizeof topic; size++) {
            expect_subscription((enum zl_zmtp_version)version, true, size ? topic : NULL, size);
            expect_subscription((enum zl_zmtp_version)version, false, size ? topic : NULL, size);
        }
}

static void test_random_bodies(void **state)
{
    (void)state;
    static const char *const names[] = {"PING", "PONG", "ERROR", "READY", "Q"};
    uint64_t seed = 4;
    for (int round = 0; round < 20000; round++) {
        uint8_t body[64];
        uint8_t data[32];
        struct zl_command command;
        for (size_t i = 0; i < sizeof data; i++)
            data[i] = (uint8_t)(octets_random(&seed) >> (i % 2 ? 0 : 27));
        size_t size = zl_command_put(body, names[round % 5], data, octets_random(&seed) % 32);
        if (round % 7 == 0)
            body[octets_random(&seed) % size] = (uint8_t)octets_random(&seed);
        struct octets in = octets_copy(body, octets_random(&seed) % (size + 1));
        int rc = zl_command_parse(in.at, in.size, &command);
        if (rc == 0) {
            struct zl_ping ping;
            struct zl_error error;
            assert_ptr_equal(command.data + command.size, in.at + in.size);
            if (zl_ping_parse(&command, &ping) == 0)
                assert_ptr_equal(ping.context + ping.context_size, in.at + in.size);
            if (zl_error_parse(&command, &error) == 0)
                assert_ptr_equal(error.reason + error.reason_size, in.at + in.size);
        } else {
            assert_int_equal(rc, -EPROTO);
        }
        octets_free(in);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_name),
        cmocka_unit_test(test_malformed_bodies),
        cmocka_unit_test(test_unknown_name_is_not_malformed),
        cmocka_unit_test(test_plain_knows_the_misspelt_error),
        cmocka_unit_test(test_ping_of_every_size),
        cmocka_unit_test(test_ping_ttl_takes_all_16_bits),
        cmocka_unit_test(test_pong_of_every_size),
        cmocka_unit_test(test_put_ping),
        cmocka_unit_test(test_error_reasons),
        cmocka_unit_test(test_error_text_is_cut_to_its_buffer),
        cmocka_unit_test(test_put_error),
        cmocka_unit_test(test_command_frames_around_255_octets),
        cmocka_unit_test(test_subscriptions_of_every_version_and_size),
        cmocka_unit_test(test_random_bodies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
