/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of the handshake with peers that behave: our own, and those of every version. */
#include "handshake_peer.h"

static const size_t steps[] = {1, 2, 3, 10, 11, 12, 64, 100, 10000};
enum { STEPS = sizeof steps / sizeof *steps };

/* ---- Two of our own ---- */

/* Carries up to `step` octets over. */
static int carry(struct zl_handshake *from, struct zl_handshake *to, size_t step)
{
    size_t count = from->out_size - from->out_sent;
    if (count > step)
        count = step;
    struct octets piece = octets_copy(from->out + from->out_sent, count);
    from->out_sent += count;
    int rc = count ? zl_handshake_input(to, piece.at, count) : 0;
    octets_free(piece);
    return rc;
}

static void talk(struct zl_handshake *a, struct zl_handshake *b, size_t a_step, size_t b_step)
{
    bool complete = false;
    for (int round = 0; round < 10000 && !complete; round++) {
        assert_true(carry(a, b, a_step) >= 0);
        assert_true(carry(b, a, b_step) >= 0);
        complete = a->state == ZL_HANDSHAKE_COMPLETE && b->state == ZL_HANDSHAKE_COMPLETE;
    }
    assert_true(complete);
    while (a->out_sent < a->out_size || b->out_sent < b->out_size) {
        assert_int_equal(carry(a, b, a_step) < 0, 0);
        assert_int_equal(carry(b, a, b_step) < 0, 0);
    }
    assert_int_equal(a->version, ZL_ZMTP_3_1);
    assert_int_equal(b->version, ZL_ZMTP_3_1);
    assert_int_equal(a->in_size, 0);
    assert_int_equal(b->in_size, 0);
}

static void two_of_our_own_in_steps_of_any_size(void **state)
{
    (void)state;
    for (size_t i = 0; i < STEPS * STEPS; i++) {
        struct party router, dealer;
        party_init(&router, ZMQ_ROUTER, "server");
        party_init(&dealer, ZMQ_DEALER, NULL);
        party_set(&dealer, ZMQ_METADATA, "X-color:blue", 12);
        struct zl_handshake *r = party_start(&router), *d = party_start(&dealer);
        talk(r, d, steps[i % STEPS], steps[i / STEPS]);
        assert_int_equal(d->identity_size, 6);
        assert_memory_equal(d->identity, "server", 6);
        assert_int_equal(r->identity_size, 0);
        assert_string_equal(zl_metadata_find(d->metadata, "Socket-Type"), "ROUTER");
        assert_string_equal(zl_metadata_find(d->metadata, "Routing-Id"), "server");
        assert_null(zl_metadata_find(d->metadata, "X-color"));
        assert_string_equal(zl_metadata_find(r->metadata, "Socket-Type"), "DEALER");
        assert_string_equal(zl_metadata_find(r->metadata, "Identity"), "");
        assert_string_equal(zl_metadata_find(r->metadata, "X-color"), "blue");
        party_end(&router);
        party_end(&dealer);
    }
}

static void long_identities_and_properties(void **state)
{
    char id[256], property[3000];
    struct party a, b;
    (void)state;
    memset(id, 'i', 255);
    id[255] = '\0';
    memset(property, 'p', sizeof property);
    memcpy(property, "X-long:", 7);
    party_init(&a, ZMQ_ROUTER, id);
    party_init(&b, ZMQ_REQ, id);
    party_set(&b, ZMQ_METADATA, property, sizeof property);
    talk(party_start(&a), party_start(&b), 1, 1);
    assert_int_equal(a.handshake->identity_size, 255);
    assert_memory_equal(a.handshake->identity, id, 255);
    assert_int_equal(b.handshake->identity_size, 255);
    const char *value = zl_metadata_find(a.handshake->metadata, "X-long");
    assert_non_null(value);
    assert_int_equal(strlen(value), sizeof property - 7);
    assert_memory_equal(value, property + 7, sizeof property - 7);
    party_end(&a);
    party_end(&b);
}

static void every_pair_of_types_that_belong_together(void **state)
{
    static const int pairs[][2] = {
        {ZMQ_PAIR, ZMQ_PAIR},       {ZMQ_PUB, ZMQ_SUB},        {ZMQ_PUB, ZMQ_XSUB},
        {ZMQ_XPUB, ZMQ_SUB},        {ZMQ_XPUB, ZMQ_XSUB},      {ZMQ_REQ, ZMQ_REP},
        {ZMQ_REQ, ZMQ_ROUTER},      {ZMQ_DEALER, ZMQ_REP},     {ZMQ_DEALER, ZMQ_DEALER},
        {ZMQ_PUSH, ZMQ_PULL},       {ZMQ_ROUTER, ZMQ_ROUTER},  {ZMQ_CLIENT, ZMQ_SERVER},
        {ZMQ_RADIO, ZMQ_DISH},      {ZMQ_SCATTER, ZMQ_GATHER}, {ZMQ_PEER, ZMQ_PEER},
        {ZMQ_CHANNEL, ZMQ_CHANNEL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct party a, b;
        party_init(&a, pairs[i][0], NULL);
        party_init(&b, pairs[i][1], NULL);
        talk(party_start(&a), party_start(&b), 64, 1);
        assert_string_equal(zl_metadata_find(a.handshake->metadata, "Socket-Type"),
                            zl_socket_type_name(pairs[i][1]));
        party_end(&a);
        party_end(&b);
    }
}

/* ---- Peers of every version, by their octets ---- */

#define GREETING_OLD(revision, type) "FF 00 00 00 00 00 00 00 01 7F " revision " " type

struct version_row {
    const char *peer;   /* greeting and handshake */
    const char *frames; /* what it sends right behind */
    const char *ours;   /* what we send, as a ROUTER named "ID1" */
    enum zl_zmtp_version version;
    const char *identity;
};

/* Our READY. */
#define OURS_3                                                                                     \
    "FF 00 00 00 00 00 00 00 04 7F 03 01" MECHANISM_NULL                                           \
    " 00 00000000000000 00000000000000 00000000000000 00000000000000 000000"                       \
    " 04 2C 05 5245414459 0B 536F636B65742D54797065 00000006 524F55544552"                         \
    " 08 4964656E74697479 00000003 494431"
#define OURS_SIGNATURE "FF 00 00 00 00 00 00 00 04 7F "

static const struct version_row versions[] = {
    {GREETING_3_1 READY_DEALER_ABC, "01 00 00 02 6869", OURS_3, ZL_ZMTP_3_1, "abc"},
    {GREETING_3_0 READY_DEALER_ABC, "", OURS_3, ZL_ZMTP_3_0, "abc"},
    /* The minor version counts only beside a known major one. */
    {GREETING("03 02", MECHANISM_NULL) READY_DEALER_ABC, "00", OURS_3, ZL_ZMTP_3_1, "abc"},
    {GREETING("04 00", MECHANISM_NULL) READY_DEALER_ABC, "", OURS_3, ZL_ZMTP_3_1, "abc"},
    /* The long form of a short command. */
    {GREETING_3_1 " 06 0000000000000019 05 5245414459 0B 536F636B65742D54797065 00000003 524551",
     "0000", OURS_3, ZL_ZMTP_3_1, ""},
    {GREETING_OLD("01", "05") " 00 03 616263", "01 00 00 02 6869",
     OURS_SIGNATURE "03 06 00 03 494431", ZL_ZMTP_2_0, "abc"},
    {GREETING_OLD("01", "05") " 00 00", "", OURS_SIGNATURE "03 06 00 03 494431", ZL_ZMTP_2_0, ""},
    {GREETING_OLD("02", "03") " 00 01 78", "00", OURS_SIGNATURE "03 06 00 03 494431", ZL_ZMTP_2_0,
     "x"},
    {GREETING_OLD("00", "05") " 04 00 616263", "02 00 21", OURS_SIGNATURE "03 06 04 00 494431",
     ZL_ZMTP_1_0, "abc"},
    {"04 00 626F62", "03 00 6869", OURS_SIGNATURE "494431", ZL_ZMTP_1_0_UNVERSIONED, "bob"},
    {"01 00", "", OURS_SIGNATURE "494431", ZL_ZMTP_1_0_UNVERSIONED, ""},
    {"FF 00 00 00 00 00 00 00 04 00 626F62", "03 00 6869", OURS_SIGNATURE "494431",
     ZL_ZMTP_1_0_UNVERSIONED, "bob"},
};

static void talk_with_version(const struct version_row *row, size_t step)
{
    struct octets peer = octets_hex(row->peer), frames = octets_hex(row->frames);
    uint8_t all[512];
    struct party party;
    size_t given;
    assert_true(peer.size + frames.size <= sizeof all);
    memcpy(all, peer.at, peer.size);
    if (frames.size)
        memcpy(all + peer.size, frames.at, frames.size);
    party_init(&party, ZMQ_ROUTER, "ID1");
    struct zl_handshake *handshake = party_start(&party);
    assert_int_equal(feed(handshake, all, peer.size + frames.size, step, &given), 1);
    assert_int_equal(handshake->state, ZL_HANDSHAKE_COMPLETE);
    assert_int_equal(handshake->version, row->version);
    assert_int_equal(handshake->identity_size, strlen(row->identity));
    assert_memory_equal(handshake->identity, row->identity, strlen(row->identity));
    assert_int_equal(handshake->metadata != NULL, row->version >= ZL_ZMTP_3_0);
    assert_hex(handshake->out, handshake->out_size, row->ours);
    /* What came behind the handshake is kept for the decoder. */
    assert_true(given >= peer.size);
    assert_int_equal(handshake->in_size, given - peer.size);
    if (handshake->in_size)
        assert_memory_equal(handshake->in, frames.at, handshake->in_size);
    party_end(&party);
    octets_free(peer);
    octets_free(frames);
}

static void peers_of_every_version(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
        for (size_t step = 0; step < STEPS; step++)
            talk_with_version(&versions[i], steps[step]);
}

/* No version needs more than its last octet, and none is content with less. */
static void is_complete_at_the_last_octet_only(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        struct octets peer = octets_hex(versions[i].peer);
        for (size_t size = 0; size < peer.size; size++) {
            struct party party;
            size_t given;
            party_init(&party, ZMQ_ROUTER, NULL);
            struct zl_handshake *handshake = party_start(&party);
            assert_int_equal(feed(handshake, peer.at, size, 1 + size % 13, &given), 0);
            assert_int_not_equal(handshake->state, ZL_HANDSHAKE_COMPLETE);
            party_end(&party);
        }
        octets_free(peer);
    }
}

/* A peer that waits for each of our pieces must get it: 10 octets at once, the version after 10 of
   its own, the rest after its version, and READY with that: it needs no answer. */
static void our_greeting_comes_in_time(void **state)
{
    struct octets peer = octets_hex(GREETING_3_1 READY_DEALER_ABC);
    struct party party;
    size_t said = 0;
    (void)state;
    party_init(&party, ZMQ_ROUTER, NULL);
    struct zl_handshake *handshake = party_start(&party);
    for (size_t i = 0; i < peer.size; i++) {
        if (i < 11)
            assert_int_equal(handshake->out_size, i < 10 ? 10 : 11);
        else
            assert_true(handshake->out_size > 64);
        if (i == 11)
            said = handshake->out_size;
        int rc = zl_handshake_input(handshake, &peer.at[i], 1);
        assert_int_equal(rc, i + 1 == peer.size);
    }
    assert_int_equal(handshake->out_size, said);
    /* Once complete, what follows is only kept. */
    assert_int_equal(zl_handshake_input(handshake, peer.at, 5), 1);
    assert_int_equal(handshake->in_size, 5);
    party_end(&party);
    octets_free(peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_of_our_own_in_steps_of_any_size),
        cmocka_unit_test(long_identities_and_properties),
        cmocka_unit_test(every_pair_of_types_that_belong_together),
        cmocka_unit_test(peers_of_every_version),
        cmocka_unit_test(is_complete_at_the_last_octet_only),
        cmocka_unit_test(our_greeting_comes_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
