/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of the handshake with peers that do not behave. */
#include "handshake_peer.h"

#define GREETING_2_0 "FF 00 00 00 00 00 00 00 01 7F 01 05 "
#define GREETING_1_0 "FF 00 00 00 00 00 00 00 01 7F 00 05 "

/* Commands with their frame headers. */
#define READY_TYPE(size, length, type)                                                             \
    " 04 " size " 05 5245414459 0B 536F636B65742D54797065 " length type
#define READY_ROUTER READY_TYPE("1C", "00000006", "524F55544552")
#define PROPERTY_ID(length) " 08 4964656E74697479 " length

static const struct row {
    const char *what;
    const char *peer;
    int rc;
    int protocol_error;
    int auth_status;
} rows[] = {
    {"another mechanism", GREETING("03 01", MECHANISM_PLAIN), -EBADMSG,
     ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH, 0},
    {"more behind the mechanism's name",
     GREETING("03 01", " 4E554C4C 00000000 00000000 00000000 00000001"), -EBADMSG,
     ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH, 0},
    {"2.0, a type that does not fit", "FF 00 00 00 00 00 00 00 01 7F 01 02", -EPROTOTYPE, 0, 0},

    {"a message instead of a command", GREETING_3_1 " 00 00", -EPROTO,
     ZMQ_PROTOCOL_ERROR_ZMTP_UNEXPECTED_COMMAND, 0},
    {"READY as a message", GREETING_3_1 " 00 06 05 5245414459", -EPROTO,
     ZMQ_PROTOCOL_ERROR_ZMTP_UNEXPECTED_COMMAND, 0},
    {"more commands to follow", GREETING_3_1 " 05", -EPROTO, 0, 0},
    {"reserved flags", GREETING_3_1 " 0C", -EPROTO, 0, 0},
    {"reserved flags in 3.0", GREETING_3_0 " F8", -EPROTO, 0, 0},
    {"an empty command", GREETING_3_1 " 04 00", -EPROTO,
     ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED, 0},
    {"a name longer than the command", GREETING_3_1 " 04 03 05 5245", -EPROTO,
     ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED, 0},
    {"an unknown command", GREETING_3_1 " 04 06 05 5245414458", -EPROTO,
     ZMQ_PROTOCOL_ERROR_ZMTP_UNEXPECTED_COMMAND, 0},
    {"HELLO to NULL", GREETING_3_1 " 04 08 05 48454C4C4F 00 00", -EPROTO,
     ZMQ_PROTOCOL_ERROR_ZMTP_UNEXPECTED_COMMAND, 0},
    {"PING before READY", GREETING_3_1 " 04 07 04 50494E47 0000", -EPROTO,
     ZMQ_PROTOCOL_ERROR_ZMTP_UNEXPECTED_COMMAND, 0},
    {"refused with a status", GREETING_3_1 " 04 0A 05 4552524F52 03 343030", -EPROTO, 0, 400},
    {"refused with words", GREETING_3_1 " 04 0A 05 4552524F52 03 6E6F21", -EPROTO, 0, 0},
    {"refused, malformed", GREETING_3_1 " 04 0A 05 4552524F52 04 343030", -EPROTO,
     ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_ERROR, 0},

    {"a type that does not fit", GREETING_3_1 READY_TYPE("19", "00000003", "535542"), -EPROTOTYPE,
     0, 0},
    {"an unknown type", GREETING_3_1 READY_TYPE("19", "00000003", "737562"), -EPROTOTYPE, 0, 0},
    {"metadata without value", GREETING_3_1 " 04 12 05 5245414459 0B 536F636B65742D54797065",
     -EPROTO, 0, 0},
    {"a value longer than the rest", GREETING_3_1 READY_TYPE("19", "00000004", "524551"), -EPROTO,
     0, 0},
    {"a value of 4 GiB", GREETING_3_1 READY_TYPE("19", "FFFFFFFF", "524551"), -EPROTO, 0, 0},
    {"a property without name", GREETING_3_1 " 04 0B 05 5245414459 00 00000000", -EPROTO, 0, 0},
    {"a stray octet", GREETING_3_1 " 04 07 05 5245414459 01", -EPROTO, 0, 0},
    {"two identities",
     GREETING_3_1 " 04 22 05 5245414459" PROPERTY_ID("00000001 61") PROPERTY_ID("00000001 61"),
     -EPROTO, 0, 0},
    {"an identity that only we may make",
     GREETING_3_1 " 04 14 05 5245414459" PROPERTY_ID("00000001 00"), -EPROTO, 0, 0},

    {"2.0, an identity that only we may make", GREETING_2_0 "00 02 00 61", -EPROTO, 0, 0},
    {"2.0, reserved flags", GREETING_2_0 "08", -EPROTO, 0, 0},
    {"1.0, a length of 0", GREETING_1_0 "00", -EPROTO, 0, 0},
    {"1.0, an identity that only we may make", GREETING_1_0 "02 00 00", -EPROTO, 0, 0},
    {"unversioned, a length of 0", "00", -EPROTO, 0, 0},

    /* Sizes: told before anything of it has come. */
    {"a command of 64 KiB and 1", GREETING_3_1 " 06 0000000000010001", -EMSGSIZE, 0, 0},
    {"a command of 4 EiB", GREETING_3_1 " 06 4000000000000000", -EMSGSIZE, 0, 0},
    {"a command of 8 EiB", GREETING_3_1 " 06 8000000000000000", -EPROTO, 0, 0},
    {"a message of 4 EiB", GREETING_3_1 " 02 4000000000000000", -EMSGSIZE, 0, 0},
    {"2.0, an identity of 1 MiB", GREETING_2_0 "02 0000000000100000", -EMSGSIZE, 0, 0},
    {"1.0, an identity of 1 MiB", GREETING_1_0 "FF 0000000000100000 00", -EMSGSIZE, 0, 0},
    {"unversioned, an identity of 1 MiB", "FF 0000000000100000 00", -EMSGSIZE, 0, 0},
};

static void refuse(const struct row *row, size_t step)
{
    struct octets peer = octets_hex(row->peer);
    struct party party;
    size_t given;
    party_init(&party, ZMQ_ROUTER, "me");
    struct zl_handshake *handshake = party_start(&party);
    int rc = feed(handshake, peer.at, peer.size, step, &given);
    if (rc != row->rc)
        print_message("%s, in steps of %zu\n", row->what, step);
    assert_int_equal(rc, row->rc);
    if (step == 1)
        assert_int_equal(given, peer.size); /* not one octet earlier */
    assert_int_equal(handshake->mechanism.protocol_error, row->protocol_error);
    assert_int_equal(handshake->mechanism.auth_status, row->auth_status);
    assert_int_not_equal(handshake->state, ZL_HANDSHAKE_COMPLETE);
    party_end(&party);
    octets_free(peer);
}

static void peers_that_err_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t step = 1; step <= 200; step = step < 12 ? step + 1 : step * 4)
            refuse(&rows[i], step);
}

static void an_identity_of_256_octets_is_refused(void **state)
{
    static const char *const headers[] = {
        GREETING_2_0 "02 0000000000000100",
        GREETING_1_0 "FF 0000000000000101 00",
        "FF 0000000000000101 00",
    };
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct octets header = octets_hex(headers[i]);
        uint8_t identity[256];
        struct party party;
        size_t given;
        memset(identity, 'i', sizeof identity);
        party_init(&party, ZMQ_ROUTER, NULL);
        struct zl_handshake *handshake = party_start(&party);
        assert_int_equal(feed(handshake, header.at, header.size, 1, &given), 0);
        assert_int_equal(feed(handshake, identity, sizeof identity, 1, &given), -EPROTO);
        party_end(&party);
        octets_free(header);
    }
}

/* Whether a ROUTER with these options accepts the octets. */
static int accepts(int option, const void *value, size_t size, const char *peer_hex)
{
    struct octets peer = octets_hex(peer_hex);
    struct party party;
    size_t given;
    party_init(&party, ZMQ_ROUTER, NULL);
    if (size)
        party_set(&party, option, value, size);
    int rc = feed(party_start(&party), peer.at, peer.size, 5, &given);
    party_end(&party);
    octets_free(peer);
    return rc;
}

static int accepts_with_limit(int64_t limit, const char *peer)
{
    return accepts(ZMQ_MAXMSGSIZE, &limit, sizeof limit, peer);
}

static void the_message_limit_counts_for_the_handshake_too(void **state)
{
    (void)state;
    assert_int_equal(accepts_with_limit(44, GREETING_3_1 READY_DEALER_ABC), 1);
    assert_int_equal(accepts_with_limit(43, GREETING_3_1 READY_DEALER_ABC), -EMSGSIZE);
    assert_int_equal(accepts_with_limit(0, GREETING_3_1 " 04 01"), -EMSGSIZE);
    assert_int_equal(accepts_with_limit(-1, GREETING_3_1 READY_DEALER_ABC), 1);
    assert_int_equal(accepts_with_limit(3, GREETING_2_0 "00 03 616263"), 1);
    assert_int_equal(accepts_with_limit(2, GREETING_2_0 "00 03 616263"), -EMSGSIZE);
    assert_int_equal(accepts_with_limit(3, GREETING_1_0 "04 00 616263"), 1);
    assert_int_equal(accepts_with_limit(2, GREETING_1_0 "04 00 616263"), -EMSGSIZE);
    assert_int_equal(accepts_with_limit(2, "04 00 616263"), -EMSGSIZE);
    /* Not more than a handshake may need, whatever the limit. */
    assert_int_equal(accepts_with_limit(INT64_MAX, GREETING_3_1 " 06 0000000000010001"), -EMSGSIZE);
}

static void old_versions_are_refused_where_there_is_a_zap_domain(void **state)
{
    (void)state;
    static const char *const old[] = {GREETING_2_0, GREETING_1_0, "04 00 616263"};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(accepts(ZMQ_ZAP_DOMAIN, "global", 6, old[i]), -EPROTONOSUPPORT);
    assert_int_equal(accepts(ZMQ_ZAP_DOMAIN, "global", 6, GREETING_3_0 READY_DEALER_ABC), 1);
}

/* Too many properties, each well-formed. */
static void metadata_without_end_is_refused(void **state)
{
    uint8_t data[1024], frame[1100];
    size_t size = 0, given;
    (void)state;
    for (unsigned i = 0; i < 129; i++) {
        uint8_t property[] = {2, (uint8_t)('a' + i / 16), (uint8_t)('a' + i % 16), 0, 0, 0, 0};
        memcpy(data + size, property, sizeof property);
        size += sizeof property;
    }
    for (unsigned left_out = 0; left_out < 2; left_out++) {
        struct octets greeting = octets_hex(GREETING_3_1);
        struct party party;
        party_init(&party, ZMQ_ROUTER, NULL);
        struct zl_handshake *handshake = party_start(&party);
        assert_int_equal(feed(handshake, greeting.at, greeting.size, 64, &given), 0);
        size_t total = zl_zmtp_put_command(frame, "READY", data, size - 7 * left_out);
        assert_int_equal(feed(handshake, frame, total, 1, &given), left_out ? 1 : -EPROTO);
        party_end(&party);
        octets_free(greeting);
    }
}

/* Conversations with some octets changed: any outcome that the header names, and no memory error. */
static void random_changes_are_survived(void **state)
{
    static const char *const peers[] = {
        GREETING_3_1 READY_DEALER_ABC, GREETING_3_0 READY_ROUTER,
        GREETING_2_0 "00 03 616263",   GREETING_1_0 "04 00 616263",
        "04 00 616263 03 00 6869",     "FF 00 00 00 00 00 00 00 04 00 626F62",
    };
    uint64_t random = 1;
    (void)state;
    for (unsigned round = 0; round < 6000; round++) {
        struct octets peer = octets_hex(peers[round % 6]);
        struct party party;
        size_t given;
        for (unsigned changes = 1 + octets_random(&random) % 3; changes > 0; changes--)
            peer.at[octets_random(&random) % peer.size] =
                (uint8_t)(octets_random(&random) >> octets_random(&random) % 12);
        party_init(&party, ZMQ_ROUTER, NULL);
        struct zl_handshake *handshake = party_start(&party);
        int rc = feed(handshake, peer.at, peer.size, 1 + octets_random(&random) % 80, &given);
        assert_true(rc == 0 || rc == 1 || rc == -EPROTO || rc == -EPROTOTYPE || rc == -EBADMSG ||
                    rc == -EPROTONOSUPPORT || rc == -EMSGSIZE);
        assert_int_equal(rc == 1, handshake->state == ZL_HANDSHAKE_COMPLETE);
        party_end(&party);
        octets_free(peer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peers_that_err_are_refused),
        cmocka_unit_test(an_identity_of_256_octets_is_refused),
        cmocka_unit_test(the_message_limit_counts_for_the_handshake_too),
        cmocka_unit_test(old_versions_are_refused_where_there_is_a_zap_domain),
        cmocka_unit_test(metadata_without_end_is_refused),
        cmocka_unit_test(random_changes_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
