/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of the greeting: what is sent when, which version comes out, in every way of cutting up
 * what arrives. */

#include "octets.h"

#include "wire/zmtp.h"

enum { PUB = 1, SUB = 2, DEALER = 5, ROUTER = 6, XPUB = 9, CLIENT = 13 };

#define SIGNATURE "ff 00 00 00 00 00 00 00 01 7f"
#define NULL_NAME "4e 55 4c 4c 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"
#define CURVE_NAME "43 55 52 56 45 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"
#define PLAIN_NAME "50 4c 41 49 4e 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"
#define FILLER                                                                                     \
    "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"

/* What a peer sends, and all that must come of it. */
struct scenario {
    const char *mechanism; /* ours */
    bool as_server;
    size_t identity_size;
    int socket_type;
    bool refuse_old;

    const char *input;  /* the peer's greeting ... */
    const char *frames; /* ... and what it sends behind it */

    int result;
    enum zl_zmtp_version version;
    const char *output; /* all that we may send in the end */
};

static struct zl_greeting start(const struct scenario *scenario)
{
    struct zl_greeting greeting;
    memset(&greeting, 0xA5, sizeof greeting);
    zl_greeting_init(&greeting, scenario->mechanism, scenario->as_server, scenario->identity_size,
                     scenario->socket_type);
    if (scenario->refuse_old)
        greeting.allow_old = false;
    return greeting;
}

/* Hands over one piece in memory of its own; returns how much of it was consumed. */
static size_t feed(struct zl_greeting *greeting, const uint8_t *data, size_t size, int *rc)
{
    struct octets piece = octets_copy(data, size);
    size_t consumed = 0xEEEE;
    *rc = zl_greeting_input(greeting, piece.at, piece.size, &consumed);
    assert_true(consumed <= size);
    if (*rc == 0)
        assert_int_equal(consumed, size);
    octets_free(piece);
    return consumed;
}

/* The stream behind the greeting must be the peer's frames, nothing lost, nothing twice. */
static void expect_stream(const struct scenario *scenario, const struct zl_greeting *greeting,
                          const uint8_t *rest, size_t rest_size)
{
    struct octets frames = octets_hex(scenario->frames);
    const uint8_t *replay;
    size_t replay_size;
    zl_greeting_replay(greeting, &replay, &replay_size);
    assert_int_equal(replay_size + rest_size, frames.size);
    if (replay_size)
        assert_memory_equal(replay, frames.at, replay_size);
    if (rest_size)
        assert_memory_equal(rest, frames.at + replay_size, rest_size);
    octets_free(frames);
}

/* Feeds the whole input in pieces: first `first` octets, then pieces of `step`. */
static void run(const struct scenario *scenario, size_t first, size_t step)
{
    struct zl_greeting greeting = start(scenario);
    struct octets head = octets_hex(scenario->input);
    struct octets tail = octets_hex(scenario->frames);
    struct octets all = {malloc(head.size + tail.size + 1), head.size + tail.size};
    memcpy(all.at, head.at, head.size);
    memcpy(all.at + head.size, tail.at, tail.size);

    size_t at = 0;
    size_t piece = first;
    int rc = 0;
    while (rc == 0 && at < all.size) {
        if (piece > all.size - at)
            piece = all.size - at;
        assert_int_equal(greeting.version, ZL_ZMTP_UNKNOWN);
        at += feed(&greeting, all.at + at, piece, &rc);
        piece = step;
    }
    assert_int_equal(rc, scenario->result);
    assert_int_equal(greeting.version, scenario->version);
    if (rc == 1)
        expect_stream(scenario, &greeting, all.at + at, all.size - at);

    /* The end is final. */
    assert_int_equal(feed(&greeting, all.at, all.size, &rc), rc == 0 ? all.size : 0);
    assert_int_equal(rc, scenario->result);

    uint8_t out[ZL_GREETING_SIZE + 1];
    assert_hex(out, zl_greeting_output(&greeting, out, sizeof out), scenario->output);
    assert_int_equal(zl_greeting_output(&greeting, out, sizeof out), 0);
    octets_free(head);
    octets_free(tail);
    octets_free(all);
}

static void run_all_splits(const struct scenario *scenario)
{
    for (size_t first = 1; first <= 80; first++) {
        run(scenario, first, 1000);
        run(scenario, first, 1);
        run(scenario, first, 3);
    }
}

#define OUTPUT_3_1 SIGNATURE " 03 01 " NULL_NAME " 00 " FILLER
#define READY                                                                                      \
    "04 29 05 52 45 41 44 59 0b 53 6f 63 6b 65 74 2d 54 79 70 65 00 00 00 06 44 45 41 4c 45 52 08" \
    "49 64 65 6e 74 69 74 79 00 00 00 00"

static const struct scenario peer_3_1 = {
    "NULL", false, 0, ROUTER, false, OUTPUT_3_1, READY, 1, ZL_ZMTP_3_1, OUTPUT_3_1,
};

static const struct scenario peer_2_0 = {
    "NULL",
    false,
    0,
    ROUTER,
    false,
    SIGNATURE " 01 05",
    "00 03 61 62 63 01 00 00 02 68 69",
    1,
    ZL_ZMTP_2_0,
    SIGNATURE " 03 06",
};

static const struct scenario peer_1_0 = {
    "NULL",
    false,
    3,
    DEALER,
    false,
    "",
    "01 00 01 01 03 00 68 69",
    1,
    ZL_ZMTP_1_0_UNVERSIONED,
    "ff 00 00 00 00 00 00 00 04 7f",
};

static void test_peer_3_1(void **state)
{
    (void)state;
    run_all_splits(&peer_3_1);
}

static void test_peer_3_0(void **state)
{
    (void)state;
    struct scenario scenario = peer_3_1;
    scenario.input = SIGNATURE " 03 00 " NULL_NAME " 00 " FILLER;
    scenario.version = ZL_ZMTP_3_0;
    run_all_splits(&scenario);
}

/* The minor number is looked at only when the major one is 3. */
static void test_later_versions_speak_3_1(void **state)
{
    (void)state;
    static const char *const inputs[] = {
        SIGNATURE " 03 c8 " NULL_NAME " 00 " FILLER,
        SIGNATURE " 04 00 " NULL_NAME " 00 " FILLER,
        SIGNATURE " ff ff " NULL_NAME " 00 " FILLER,
    };
    for (size_t i = 0; i < 3; i++) {
        struct scenario scenario = peer_3_1;
        scenario.input = inputs[i];
        run_all_splits(&scenario);
    }
}

static void test_padding_signature_bits_role_and_filler_are_ignored(void **state)
{
    (void)state;
    struct scenario scenario = peer_3_1;
    scenario.input = "ff 00 00 00 00 00 00 00 00 01 03 01 " NULL_NAME " 01 " FILLER;
    run_all_splits(&scenario);
    scenario.input = "ff de ad be ef 01 02 03 04 ff 03 01 " NULL_NAME
                     " 7b 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10 11 12 13 14 15 16 17 18 "
                     "19 1a 1b 1c 1d 1e ff";
    run_all_splits(&scenario);
}

static void test_peer_2_0(void **state)
{
    (void)state;
    run_all_splits(&peer_2_0);
}

/* RFC 15 defines revision 2 no differently; libzmq waits for 64 octets there. */
static void test_revision_2_is_2_0(void **state)
{
    (void)state;
    struct scenario scenario = peer_2_0;
    scenario.input = SIGNATURE " 02 05";
    run_all_splits(&scenario);
}

static void test_peer_1_0_versioned(void **state)
{
    (void)state;
    struct scenario scenario = peer_2_0;
    scenario.input = SIGNATURE " 00 05";
    scenario.frames = "01 00 03 00 68 69";
    scenario.version = ZL_ZMTP_1_0;
    run_all_splits(&scenario);
    /* Its octet has no defined meaning, so it refuses nobody. */
    scenario.input = SIGNATURE " 00 01";
    run_all_splits(&scenario);
}

static void test_peer_1_0_unversioned_short_identity(void **state)
{
    (void)state;
    run_all_splits(&peer_1_0);
}

static void test_peer_1_0_unversioned_long_identity(void **state)
{
    (void)state;
    struct scenario scenario = peer_1_0;
    scenario.frames = "ff 00 00 00 00 00 00 00 04 00 62 6f 62 03 00 68 69";
    run_all_splits(&scenario);
    scenario.frames = "ff 00 00 00 00 00 00 00 04 fe 62 6f 62";
    run_all_splits(&scenario);
}

static void test_incomplete_input_asks_for_more(void **state)
{
    (void)state;
    static const struct scenario *const peers[] = {&peer_3_1, &peer_2_0};
    for (size_t p = 0; p < 2; p++) {
        struct octets in = octets_hex(peers[p]->input);
        for (size_t size = 0; size < in.size; size++) {
            struct zl_greeting greeting = start(peers[p]);
            int rc;
            assert_int_equal(feed(&greeting, in.at, size, &rc), size);
            assert_int_equal(rc, 0);
            assert_int_equal(greeting.version, ZL_ZMTP_UNKNOWN);
        }
        octets_free(in);
    }
}

static void test_refused_old_peers(void **state)
{
    (void)state;
    static const struct scenario *const peers[] = {&peer_2_0, &peer_1_0};
    static const struct {
        const char *input;
        const char *frames;
    } inputs[] = {
        {SIGNATURE " 00", "05"},
        {SIGNATURE " 01", "05"},
        {SIGNATURE " 02", "05"},
        {"01", "00"},
        {"00", ""},
        {"47", "45 54 20 2f"}, /* GET / */
        {"ff 00 00 00 00 00 00 00 04 00", "62 6f 62"},
    };
    for (size_t p = 0; p < 2; p++)
        for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
            struct scenario scenario = *peers[p];
            bool has_revision = i <= 2;
            scenario.refuse_old = true;
            scenario.input = inputs[i].input;
            scenario.frames = inputs[i].frames;
            scenario.result = -EPROTONOSUPPORT;
            scenario.version = ZL_ZMTP_UNKNOWN;
            scenario.identity_size = 0;
            scenario.output = has_revision ? SIGNATURE " 03" : SIGNATURE;
            run_all_splits(&scenario);
        }
}

/* Whatever allow_old says: an old peer would have no security at all. */
static void test_security_is_never_downgraded(void **state)
{
    (void)state;
    static const char *const mechanisms[] = {"PLAIN", "CURVE", "GSSAPI", "NULLX", "NUL", ""};
    static const char *const inputs[] = {"01 00", SIGNATURE " 00 05", SIGNATURE " 01 05",
                                         SIGNATURE " 02 05", "ff 00 00 00 00 00 00 00 04 00"};
    for (size_t m = 0; m < sizeof mechanisms / sizeof *mechanisms; m++)
        for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
            struct zl_greeting greeting;
            zl_greeting_init(&greeting, mechanisms[m], false, 0, ROUTER);
            assert_false(greeting.allow_old);
            greeting.allow_old = true;
            struct octets in = octets_hex(inputs[i]);
            int rc;
            feed(&greeting, in.at, in.size, &rc);
            assert_int_equal(rc, -EPROTONOSUPPORT);
            octets_free(in);
        }
}

static void test_refusing_old_peers_accepts_3_0(void **state)
{
    (void)state;
    struct scenario scenario = peer_3_1;
    scenario.refuse_old = true;
    run_all_splits(&scenario);
    scenario.input = SIGNATURE " 03 00 " NULL_NAME " 00 " FILLER;
    scenario.version = ZL_ZMTP_3_0;
    run_all_splits(&scenario);
}

/* All 20 octets count. */
static void test_mechanism_mismatch(void **state)
{
    (void)state;
    static const char *const inputs[] = {
        SIGNATURE " 03 01 " CURVE_NAME " 00 " FILLER,
        SIGNATURE " 03 00 " PLAIN_NAME " 00 " FILLER,
        SIGNATURE " 03 01 6e 75 6c 6c 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 " FILLER,
        SIGNATURE " 03 01 4e 55 4c 4c 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01 00 " FILLER,
        SIGNATURE " 03 01 4e 55 4c 4c 20 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 " FILLER,
        SIGNATURE " 03 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 " FILLER,
    };
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        struct scenario scenario = peer_3_1;
        scenario.input = inputs[i];
        scenario.result = -EBADMSG;
        scenario.version = ZL_ZMTP_UNKNOWN;
        run_all_splits(&scenario);
    }
}

static void test_mechanism_mismatch_names_the_peers_mechanism(void **state)
{
    (void)state;
    struct zl_greeting greeting = start(&peer_3_1);
    struct octets in = octets_hex(SIGNATURE " 03 01 " CURVE_NAME " 01 " FILLER);
    int rc;
    assert_int_equal(feed(&greeting, in.at, in.size, &rc), in.size);
    assert_int_equal(rc, -EBADMSG);
    assert_string_equal(greeting.peer_mechanism, "CURVE");
    octets_free(in);
}

static void test_mechanism_of_20_characters(void **state)
{
    (void)state;
    static const char name[] = "ABCDEFGHIJKLMNOPQRST";
    struct zl_greeting ours;
    struct zl_greeting theirs;
    uint8_t buffer[ZL_GREETING_SIZE];
    int rc;
    zl_greeting_init(&ours, name, false, 0, DEALER);
    zl_greeting_init(&theirs, name, true, 0, ROUTER);
    assert_int_equal(zl_greeting_output(&theirs, buffer, sizeof buffer), 10);
    feed(&ours, buffer, 10, &rc);
    assert_int_equal(zl_greeting_output(&ours, buffer, sizeof buffer), 11);
    feed(&theirs, buffer, 11, &rc);
    assert_int_equal(zl_greeting_output(&theirs, buffer, sizeof buffer), 54);
    feed(&ours, buffer, 54, &rc);
    assert_int_equal(rc, 1);
    assert_string_equal(ours.peer_mechanism, name);
    assert_true(ours.peer_as_server);
}

/* Never longer than its field: as-server and filler stay what they are. */
static void test_mechanism_of_more_than_20_characters_is_cut(void **state)
{
    (void)state;
    struct scenario scenario = peer_3_1;
    scenario.mechanism = "AAAAAAAAAAAAAAAAAAAABBBBBBBBBBBBBBBBBBBB";
    scenario.input = SIGNATURE " 03 01 41 41 41 41 41 41 41 41 41 41 41 41 41 41 41 41 41 41 41 41"
                               " 00 " FILLER;
    scenario.output = scenario.input;
    run_all_splits(&scenario);
}

/* The fields that a completed greeting shows, and the role that is announced. */
static void test_fields_and_roles(void **state)
{
    (void)state;
    struct scenario scenario = peer_3_1;
    scenario.mechanism = "PLAIN";
    scenario.as_server = true;
    scenario.input = SIGNATURE " 03 01 " PLAIN_NAME " 00 " FILLER;
    scenario.output = SIGNATURE " 03 01 " PLAIN_NAME " 01 " FILLER;
    run(&scenario, 64, 1);
    scenario.as_server = false;
    scenario.output = SIGNATURE " 03 01 " PLAIN_NAME " 00 " FILLER;
    run(&scenario, 64, 1);
    /* There is no server in NULL. */
    scenario = peer_3_1;
    scenario.as_server = true;
    run(&scenario, 64, 1);

    struct zl_greeting greeting = start(&peer_3_1);
    struct octets in = octets_hex(OUTPUT_3_1);
    int rc;
    feed(&greeting, in.at, in.size, &rc);
    assert_string_equal(greeting.peer_mechanism, "NULL");
    assert_false(greeting.peer_as_server);
    octets_free(in);

    greeting = start(&peer_2_0);
    in = octets_hex(peer_2_0.input);
    feed(&greeting, in.at, in.size, &rc);
    assert_int_equal(greeting.peer_socket_type_octet, 5);
    octets_free(in);
}

static void test_signature_carries_the_identity_size(void **state)
{
    (void)state;
    struct zl_greeting greeting;
    uint8_t out[ZL_GREETING_SIZE];
    zl_greeting_init(&greeting, "NULL", false, 5, DEALER);
    assert_hex(out, zl_greeting_output(&greeting, out, sizeof out),
               "ff 00 00 00 00 00 00 00 06 7f");
    zl_greeting_init(&greeting, "NULL", false, 255, DEALER);
    assert_hex(out, zl_greeting_output(&greeting, out, sizeof out),
               "ff 00 00 00 00 00 00 01 00 7f");
}

/* Against libzmq, which shows 10 octets, then 1, then 53, each only after ours. */
static void test_output_comes_in_pieces_of_10_1_53(void **state)
{
    (void)state;
    struct octets in = octets_hex(OUTPUT_3_1);
    struct zl_greeting greeting = start(&peer_3_1);
    for (size_t received = 0; received < in.size; received++) {
        uint8_t out[ZL_GREETING_SIZE];
        size_t expected = received == 0 ? 10 : received == 10 ? 1 : received == 11 ? 53 : 0;
        assert_int_equal(zl_greeting_output(&greeting, out, sizeof out), expected);
        int rc;
        feed(&greeting, in.at + received, 1, &rc);
        assert_int_equal(rc, received == 63);
    }
    octets_free(in);
}

static void test_output_in_small_pieces(void **state)
{
    (void)state;
    struct octets in = octets_hex(OUTPUT_3_1);
    for (size_t cap = 1; cap < 12; cap++) {
        struct zl_greeting greeting = start(&peer_3_1);
        uint8_t out[ZL_GREETING_SIZE + 12];
        size_t size = 0;
        size_t n;
        int rc;
        assert_int_equal(zl_greeting_output(&greeting, out, 0), 0);
        feed(&greeting, in.at, in.size, &rc);
        assert_int_equal(rc, 1);
        while ((n = zl_greeting_output(&greeting, out + size, cap)) > 0) {
            assert_true(n <= cap);
            size += n;
            assert_true(size <= ZL_GREETING_SIZE);
        }
        assert_hex(out, size, OUTPUT_3_1);
    }
    octets_free(in);
}

/* Two of ours never wait for each other, whatever the network does to their octets. */
static void test_two_greetings_complete_in_any_pace(void **state)
{
    (void)state;
    for (size_t pace_a = 1; pace_a <= 64; pace_a++)
        for (size_t pace_b = 1; pace_b <= 64; pace_b += 7) {
            struct zl_greeting a;
            struct zl_greeting b;
            int done_a = 0;
            int done_b = 0;
            zl_greeting_init(&a, "CURVE", true, 0, ROUTER);
            zl_greeting_init(&b, "CURVE", false, 4, DEALER);
            for (int round = 0; round < 200 && !(done_a && done_b); round++) {
                uint8_t buffer[ZL_GREETING_SIZE];
                size_t n = zl_greeting_output(&a, buffer, pace_a);
                feed(&b, buffer, n, &done_b);
                n = zl_greeting_output(&b, buffer, pace_b);
                feed(&a, buffer, n, &done_a);
            }
            assert_int_equal(done_a, 1);
            assert_int_equal(done_b, 1);
            assert_int_equal(a.version, ZL_ZMTP_3_1);
            assert_int_equal(b.version, ZL_ZMTP_3_1);
            assert_true(b.peer_as_server);
            assert_false(a.peer_as_server);
        }
}

static void test_socket_type_octet_we_send_to_2_0(void **state)
{
    (void)state;
    struct scenario scenario = peer_2_0;
    scenario.socket_type = XPUB;
    scenario.input = SIGNATURE " 01 02";
    scenario.output = SIGNATURE " 03 01";
    run(&scenario, 1, 1);
    scenario.socket_type = SUB;
    scenario.input = SIGNATURE " 01 09"; /* libzmq's own number of XPUB */
    scenario.output = SIGNATURE " 03 02";
    run(&scenario, 1, 1);
}

static void test_socket_type_of_a_2_0_peer(void **state)
{
    (void)state;
    struct scenario scenario = peer_2_0;
    scenario.socket_type = PUB;
    scenario.output = SIGNATURE " 03 01";
    scenario.input = SIGNATURE " 01 0a"; /* libzmq's own number of XSUB */
    run_all_splits(&scenario);
    scenario.input = SIGNATURE " 01 c8"; /* unknown: not refused */
    run_all_splits(&scenario);
    scenario.result = -EPROTOTYPE;
    scenario.version = ZL_ZMTP_UNKNOWN;
    scenario.input = SIGNATURE " 01 01";
    run_all_splits(&scenario);
    scenario.input = SIGNATURE " 01 0d"; /* libzmq's own number of CLIENT */
    run_all_splits(&scenario);
    scenario.input = SIGNATURE " 01 0b";
    run_all_splits(&scenario);
}

static void test_empty_input_changes_nothing(void **state)
{
    (void)state;
    struct zl_greeting greeting = start(&peer_3_1);
    size_t consumed = 7;
    assert_int_equal(zl_greeting_input(&greeting, NULL, 0, &consumed), 0);
    assert_int_equal(consumed, 0);
    const uint8_t *replay;
    size_t size = 7;
    zl_greeting_replay(&greeting, &replay, &size);
    assert_int_equal(size, 0);
}

static void test_random_octets(void **state)
{
    (void)state;
    uint64_t seed = 2;
    struct octets valid = octets_hex(OUTPUT_3_1);
    for (int round = 0; round < 20000; round++) {
        struct zl_greeting greeting;
        uint8_t buffer[80];
        uint8_t out[ZL_GREETING_SIZE];
        size_t sent = 0;
        int rc = 0;
        zl_greeting_init(&greeting, round % 3 ? "NULL" : "CURVE", false, 0, DEALER);
        for (size_t i = 0; i < sizeof buffer; i++)
            buffer[i] = (uint8_t)octets_random(&seed);
        /* Most random starts end at the first octet: keep a valid one of random length. */
        memcpy(buffer, valid.at, octets_random(&seed) % (valid.size + 1));
        for (size_t at = 0; rc == 0 && at < sizeof buffer;) {
            size_t piece = 1 + octets_random(&seed) % (sizeof buffer - at);
            size_t consumed = feed(&greeting, buffer + at, piece, &rc);
            at += consumed;
            sent += zl_greeting_output(&greeting, out, sizeof out);
            assert_true(sent <= sizeof out);
        }
        assert_int_not_equal(rc, 0);
        assert_int_equal(rc == 1, greeting.version != ZL_ZMTP_UNKNOWN);
        if (round % 3 == 0 && rc == 1)
            assert_true(greeting.version >= ZL_ZMTP_3_0);
    }
    octets_free(valid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_peer_3_1),
        cmocka_unit_test(test_peer_3_0),
        cmocka_unit_test(test_later_versions_speak_3_1),
        cmocka_unit_test(test_padding_signature_bits_role_and_filler_are_ignored),
        cmocka_unit_test(test_peer_2_0),
        cmocka_unit_test(test_revision_2_is_2_0),
        cmocka_unit_test(test_peer_1_0_versioned),
        cmocka_unit_test(test_peer_1_0_unversioned_short_identity),
        cmocka_unit_test(test_peer_1_0_unversioned_long_identity),
        cmocka_unit_test(test_incomplete_input_asks_for_more),
        cmocka_unit_test(test_refused_old_peers),
        cmocka_unit_test(test_security_is_never_downgraded),
        cmocka_unit_test(test_refusing_old_peers_accepts_3_0),
        cmocka_unit_test(test_mechanism_mismatch),
        cmocka_unit_test(test_mechanism_mismatch_names_the_peers_mechanism),
        cmocka_unit_test(test_mechanism_of_20_characters),
        cmocka_unit_test(test_mechanism_of_more_than_20_characters_is_cut),
        cmocka_unit_test(test_fields_and_roles),
        cmocka_unit_test(test_signature_carries_the_identity_size),
        cmocka_unit_test(test_output_comes_in_pieces_of_10_1_53),
        cmocka_unit_test(test_output_in_small_pieces),
        cmocka_unit_test(test_two_greetings_complete_in_any_pace),
        cmocka_unit_test(test_socket_type_octet_we_send_to_2_0),
        cmocka_unit_test(test_socket_type_of_a_2_0_peer),
        cmocka_unit_test(test_empty_input_changes_nothing),
        cmocka_unit_test(test_random_octets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
