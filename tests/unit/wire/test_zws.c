/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of ZWS 2.0: conversations octet by octet, fragments, limits, and what has to be refused. */

#include "octets.h"

#include "wire/zws.h"

#define MASK 0x37fa213du

enum { DEALER = 5, ROUTER = 6 };
enum { CLIENT = ZL_WEBSOCKET_CLIENT, SERVER = ZL_WEBSOCKET_SERVER };

static struct zl_zws_reader reader_of(int side, int64_t body_max)
{
    struct zl_zws_reader reader;
    zl_zws_reader_init(&reader, side, body_max);
    return reader;
}

/* What is said of exactly these octets. */
static int get(const struct zl_zws_reader *reader, const void *data, size_t size,
               struct zl_zws_header *out)
{
    struct octets in = octets_copy(data, size);
    int rc = zl_zws_get_header(reader, in.at, in.at + in.size, out);
    octets_free(in);
    return rc;
}

/* The header octet by octet: "more" until it is complete or wrong, and then the same for good. The
 * long way round says the same as the short one. */
static int get_piecewise(const struct zl_zws_reader *reader, const void *data, size_t size,
                         struct zl_zws_header *out)
{
    int rc = 0;
    for (size_t n = 0; n <= size && rc == 0; n++)
        rc = get(reader, data, n, out);
    struct octets in = octets_copy(data, size);
    struct zl_zws_header slow;
    assert_int_equal(zl_zws_get_header_slow(reader, in.at, in.at + in.size, &slow), rc);
    assert_int_equal(get(reader, data, size, out), rc);
    octets_free(in);
    if (rc > 0) {
        assert_int_equal(slow.kind, out->kind);
        assert_int_equal(slow.mask, out->mask);
        assert_int_equal(slow.frame.flags, out->frame.flags);
        assert_int_equal(slow.frame.header_size, out->frame.header_size);
        assert_int_equal(slow.frame.body_size, out->frame.body_size);
    }
    return rc;
}

static int get_hex(const struct zl_zws_reader *reader, const char *hex, struct zl_zws_header *out)
{
    struct octets in = octets_hex(hex);
    int rc = get_piecewise(reader, in.at, in.size, out);
    octets_free(in);
    return rc;
}

static void expect_result(int side, const char *hex, int result)
{
    struct zl_zws_reader reader = reader_of(side, -1);
    struct zl_zws_header header;
    assert_int_equal(get_hex(&reader, hex, &header), result);
}

/* `hex` is exactly what `side` writes for this frame, and the other side reads it back. */
static void expect_frame(int side, uint8_t flags, const void *body, size_t n, const char *hex)
{
    uint8_t out[512];
    assert_hex(out, zl_zws_put_frame(out, side, flags, body, n, MASK), hex);

    struct octets in = octets_hex(hex);
    struct zl_zws_reader reader = reader_of(!side, (int64_t)n);
    struct zl_zws_header header;
    int rc = get_piecewise(&reader, in.at, in.size, &header);
    assert_int_equal(rc, zl_zws_header_size(side, n));
    assert_int_equal(header.kind, ZL_ZWS_FRAME);
    assert_int_equal(header.frame.flags, flags);
    assert_int_equal(header.frame.header_size, rc);
    assert_int_equal(header.frame.body_size, n);
    assert_int_equal(in.size, (size_t)rc + n);
    zl_websocket_mask(in.at + rc, in.at + rc, n, header.mask);
    if (n)
        assert_memory_equal(in.at + rc, body, n);
    octets_free(in);
}

/* ---- Vectors ---- */

static void test_ready(void **state)
{
    (void)state;
    uint8_t metadata[ZL_METADATA_OWN_MAX], body[512];
    size_t size = zl_metadata_put_own(metadata, sizeof metadata, DEALER, NULL, 0);
    size = zl_command_put(body, "READY", metadata, size);
    expect_frame(CLIENT, ZL_FRAME_COMMAND, body, size,
                 "82 aa 37 fa 21 3d 35 ff 73 78 76 be 78 36 64 95"
                 "42 56 52 8e 0c 69 4e 8a 44 3d 37 fa 27 79 72 bb"
                 "6d 78 65 f2 68 59 52 94 55 54 43 83 21 3d 37 fa");
    size = zl_metadata_put_own(metadata, sizeof metadata, ROUTER, NULL, 0);
    size = zl_command_put(body, "READY", metadata, size);
    expect_frame(SERVER, ZL_FRAME_COMMAND, body, size,
                 "82 2a 02 05 52 45 41 44 59 0b 53 6f 63 6b 65 74"
                 "2d 54 79 70 65 00 00 00 06 52 4f 55 54 45 52 08"
                 "49 64 65 6e 74 69 74 79 00 00 00 00");
}

static void test_messages(void **state)
{
    (void)state;
    expect_frame(CLIENT, ZL_FRAME_MORE, NULL, 0, "82 81 37 fa 21 3d 36");
    expect_frame(CLIENT, 0, "hello", 5, "82 86 37 fa 21 3d 37 92 44 51 5b 95");
    expect_frame(SERVER, ZL_FRAME_MORE, NULL, 0, "82 01 01");
    expect_frame(SERVER, 0, "world", 5, "82 06 00 77 6f 72 6c 64");
}

static void test_identities_without_a_mechanism(void **state)
{
    (void)state;
    expect_frame(CLIENT, 0, NULL, 0, "82 81 37 fa 21 3d 37");
    expect_frame(SERVER, 0, NULL, 0, "82 01 00");
    expect_frame(CLIENT, 0, "alice", 5, "82 86 37 fa 21 3d 37 9b 4d 54 54 9f");
}

static void test_subscriptions(void **state)
{
    (void)state;
    expect_frame(CLIENT, 0, "\001A", 2, "82 83 37 fa 21 3d 37 fb 60");
    expect_frame(CLIENT, 0, "\000A", 2, "82 83 37 fa 21 3d 37 fa 60");
}

static void expect_header(int side, uint8_t flags, uint64_t body_size, const char *hex)
{
    uint8_t out[ZL_ZWS_HEADER_MAX];
    uint32_t mask = MASK;
    assert_hex(out, zl_zws_put_header(out, side, flags, body_size, &mask), hex);
    assert_int_equal(mask, side == CLIENT ? zl_websocket_mask_after(MASK, 1) : 0);
}

static void test_headers(void **state)
{
    (void)state;
    expect_header(SERVER, 0, 124, "82 7d 00");
    expect_header(SERVER, 0, 125, "82 7e 00 7e 00");
    expect_header(SERVER, 0, 65534, "82 7e ff ff 00");
    expect_header(SERVER, 0, 65535, "82 7f 00 00 00 00 00 01 00 00 00");
    expect_header(SERVER, ZL_FRAME_COMMAND, 168, "82 7e 00 a9 02"); /* WELCOME of CURVE */
    expect_header(SERVER, ZL_FRAME_COMMAND, 50, "82 33 02");        /* READY of CURVE, XPUB */
    expect_header(SERVER, 0, 35, "82 24 00");                       /* MESSAGE of CURVE, n = 2 */
    expect_header(CLIENT, 0, 124, "82 fd 37 fa 21 3d 37");
    expect_header(CLIENT, ZL_FRAME_MORE, 125, "82 fe 00 7e 37 fa 21 3d 36");
    expect_header(CLIENT, ZL_FRAME_COMMAND, 65535, "82 ff 00 00 00 00 00 01 00 00 37 fa 21 3d 35");
}

static void test_control_frames(void **state)
{
    (void)state;
    static const struct {
        int side;
        const char *hex;
        enum zl_zws_kind kind;
        int size;
        uint64_t body_size;
    } cases[] = {
        {SERVER, "89 80 37 fa 21 3d", ZL_ZWS_PING, 6, 0},
        {SERVER, "89 84 37 fa 21 3d", ZL_ZWS_PING, 6, 4},
        {SERVER, "8a fd 37 fa 21 3d", ZL_ZWS_PONG, 6, 125},
        {SERVER, "88 82 37 fa 21 3d 34 12", ZL_ZWS_CLOSE, 6, 2},
        {CLIENT, "89 00", ZL_ZWS_PING, 2, 0},
        {CLIENT, "8a 00", ZL_ZWS_PONG, 2, 0},
        {CLIENT, "88 00", ZL_ZWS_CLOSE, 2, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct zl_zws_reader reader = reader_of(cases[i].side, 0);
        struct zl_zws_header header;
        assert_int_equal(get_hex(&reader, cases[i].hex, &header), cases[i].size);
        assert_int_equal(header.kind, cases[i].kind);
        assert_int_equal(header.frame.flags, 0);
        assert_int_equal(header.frame.header_size, cases[i].size);
        assert_int_equal(header.frame.body_size, cases[i].body_size);
        assert_int_equal(header.mask, cases[i].side == SERVER ? MASK : 0);
    }
}

/* ---- Round trips ---- */

static void test_header_round_trip_at_the_size_limits(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {
        0,   1,   2,     3,     123,   124,   125,        126,        127,
        255, 256, 65533, 65534, 65535, 65536, UINT32_MAX, 1ull << 32, INT64_MAX - 1ull,
    };
    static const uint8_t flags[] = {0, ZL_FRAME_MORE, ZL_FRAME_COMMAND};
    for (int side = 0; side < 2; side++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
            for (size_t f = 0; f < sizeof flags; f++) {
                uint8_t buffer[ZL_ZWS_HEADER_MAX + 1];
                struct zl_zws_reader reader = reader_of(!side, -1);
                struct zl_zws_header header;
                uint32_t mask = MASK;
                memset(buffer, 0xA5, sizeof buffer);
                size_t size = zl_zws_put_header(buffer, side, flags[f], sizes[s], &mask);
                assert_int_equal(size, zl_zws_header_size(side, sizes[s]));
                assert_int_equal(buffer[size], 0xA5);
                assert_int_equal(get_piecewise(&reader, buffer, size, &header), size);
                assert_int_equal(header.kind, ZL_ZWS_FRAME);
                assert_int_equal(header.frame.flags, flags[f]);
                assert_int_equal(header.frame.header_size, size);
                assert_int_equal(header.frame.body_size, sizes[s]);
                assert_int_equal(header.mask, mask);
            }
}

/* As a connection does it: many frames in one buffer, bodies masked while they are copied, read back
 * from pieces that end anywhere. */
static void test_stream_in_random_pieces(void **state)
{
    (void)state;
    enum { FRAMES = 400, BODY_MAX = 300 };
    uint8_t *stream = malloc(FRAMES * (BODY_MAX + ZL_ZWS_HEADER_MAX));
    assert_non_null(stream);
    for (int side = 0; side < 2; side++) {
        uint64_t seed = 11;
        size_t size = 0;
        for (unsigned i = 0; i < FRAMES; i++) {
            uint8_t body[BODY_MAX];
            size_t n = octets_random(&seed) % (BODY_MAX + 1);
            memset(body, (int)i, n);
            uint32_t mask = octets_random(&seed);
            size += zl_zws_put_header(stream + size, side, i % 2 ? ZL_FRAME_MORE : 0, n, &mask);
            zl_websocket_mask(stream + size, body, n, mask);
            size += n;
        }
        struct zl_zws_reader reader = reader_of(!side, BODY_MAX);
        size_t at = 0, arrived = 0;
        unsigned frames = 0;
        while (at < size) {
            struct zl_zws_header header;
            int rc = zl_zws_get_header(&reader, stream + at, stream + arrived, &header);
            assert_true(rc >= 0);
            if (rc == 0 || header.frame.body_size > arrived - at - (size_t)rc) {
                arrived += 1 + octets_random(&seed) % 20;
                arrived = arrived < size ? arrived : size;
                continue;
            }
            zl_zws_take(&reader, &header);
            uint8_t *body = stream + at + rc;
            size_t n = (size_t)header.frame.body_size;
            zl_websocket_mask(body, body, n, header.mask);
            assert_int_equal(header.frame.flags, frames % 2 ? ZL_FRAME_MORE : 0);
            for (size_t i = 0; i < n; i++)
                assert_int_equal(body[i], (uint8_t)frames);
            at += (size_t)rc + n;
            frames++;
        }
        assert_int_equal(frames, FRAMES);
    }
    free(stream);
}

/* ---- Fragments ---- */

struct outcome {
    int rc;          /* of the last header */
    unsigned frames; /* whole or put together */
    unsigned controls;
    uint8_t flags; /* of the last of them */
    char body[64];
    size_t size;
};

static void take_piece(const struct zl_zws_header *header, const uint8_t *body,
                       struct outcome *outcome)
{
    size_t n = (size_t)header->frame.body_size;
    assert_true(outcome->size + n < sizeof outcome->body);
    zl_websocket_mask((uint8_t *)outcome->body + outcome->size, body, n, header->mask);
    outcome->size += n;
    if (header->kind == ZL_ZWS_FRAGMENT)
        return;
    outcome->frames++;
    outcome->flags = header->frame.flags;
}

/* Puts together what the frames of `hex` carry; bodies are gathered one behind the other. */
static struct outcome read_all(int side, int64_t body_max, const char *hex)
{
    struct octets in = octets_hex(hex);
    struct zl_zws_reader reader = reader_of(side, body_max);
    struct outcome outcome = {0};
    const uint8_t *at = in.at, *end = in.at + in.size;
    while (at < end) {
        struct zl_zws_header header;
        outcome.rc = get_piecewise(&reader, at, (size_t)(end - at), &header);
        if (outcome.rc <= 0)
            break;
        zl_zws_take(&reader, &header);
        at += outcome.rc;
        assert_true(header.frame.body_size <= (uint64_t)(end - at));
        if (header.kind >= ZL_ZWS_PING)
            outcome.controls++;
        else
            take_piece(&header, at, &outcome);
        at += header.frame.body_size;
    }
    octets_free(in);
    return outcome;
}

static void test_fragments(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        uint8_t flags;
        const char *body;
        unsigned frames, controls;
    } cases[] = {
        {"82 03 00 41 42", 0, "AB", 1, 0},
        {"02 02 00 41 80 01 42", 0, "AB", 1, 0},
        {"02 02 01 41 00 01 42 80 01 43", ZL_FRAME_MORE, "ABC", 1, 0},
        {"02 02 02 41 80 01 42", ZL_FRAME_COMMAND, "AB", 1, 0},
        /* The flags octet alone, or later. */
        {"02 01 01 80 02 41 42", ZL_FRAME_MORE, "AB", 1, 0},
        {"02 00 80 03 01 41 42", ZL_FRAME_MORE, "AB", 1, 0},
        {"02 00 00 00 00 01 02 00 00 80 01 41", ZL_FRAME_COMMAND, "A", 1, 0},
        {"02 00 80 01 01", ZL_FRAME_MORE, "", 1, 0},
        {"02 01 00 80 00", 0, "", 1, 0},
        {"02 02 00 41 80 00", 0, "A", 1, 0},
        /* An octet of the body that looks like flags is not one. */
        {"02 01 00 00 01 ff 80 01 01", 0, "\377\001", 1, 0},
        /* Control frames in between; messages before and afterwards. */
        {"02 02 00 41 89 01 70 80 01 42", 0, "AB", 1, 1},
        {"82 02 01 41 02 00 8a 00 00 01 00 89 00 80 01 42 88 00 82 02 01 43", ZL_FRAME_MORE, "ABC",
         3, 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct outcome outcome = read_all(CLIENT, -1, cases[i].hex);
        assert_true(outcome.rc > 0);
        assert_int_equal(outcome.frames, cases[i].frames);
        assert_int_equal(outcome.controls, cases[i].controls);
        assert_int_equal(outcome.flags, cases[i].flags);
        assert_int_equal(outcome.size, strlen(cases[i].body));
        assert_memory_equal(outcome.body, cases[i].body, outcome.size);
    }
}

static void test_masked_fragments_have_masks_of_their_own(void **state)
{
    (void)state;
    struct outcome outcome = read_all(
        SERVER, -1, "02 82 37 fa 21 3d 36 bb 89 81 ff ff ff ff 00 80 82 01 02 03 04 43 41");
    assert_true(outcome.rc > 0);
    assert_int_equal(outcome.frames, 1);
    assert_int_equal(outcome.flags, ZL_FRAME_MORE);
    assert_int_equal(outcome.size, 3);
    assert_memory_equal(outcome.body, "ABC", 3);
}

static void test_fragments_that_make_an_empty_message(void **state)
{
    (void)state;
    assert_int_equal(read_all(CLIENT, -1, "02 00 80 00").rc, -EPROTO);
    assert_int_equal(read_all(CLIENT, -1, "02 00 00 00 80 00").rc, -EPROTO);
}

static void test_messages_inside_a_fragmented_one(void **state)
{
    (void)state;
    assert_int_equal(read_all(CLIENT, -1, "02 02 00 41 82 02 00 42").rc, -EPROTO);
    assert_int_equal(read_all(CLIENT, -1, "02 02 00 41 89 00 82 01 00").rc, -EPROTO);
    assert_int_equal(read_all(CLIENT, -1, "02 02 00 41 02 02 00 42").rc, -EPROTO);
    assert_int_equal(read_all(CLIENT, -1, "02 02 00 41 80 00 80 00").rc, -EPROTO);
}

/* ---- Limits ---- */

static void test_body_limit(void **state)
{
    (void)state;
    static const struct {
        int64_t limit;
        const char *hex;
        int rc;
    } cases[] = {
        {0, "82 01 00", 3},
        {0, "82 02 00", -EMSGSIZE},
        {2, "82 03 00", 3},
        {2, "82 04 00", -EMSGSIZE},
        {124, "82 7d 00", 3},
        {123, "82 7d 00", -EMSGSIZE},
        {125, "82 7e 00 7e 00", 5},
        {124, "82 7e 00 7e", -EMSGSIZE}, /* before anything of the payload */
        {1000, "82 7f 00 00 00 00 ff ff ff ff", -EMSGSIZE},
        {INT64_MAX, "82 7f 7f ff ff ff ff ff ff ff 00", 11},
        {-1, "82 7f 7f ff ff ff ff ff ff ff 00", 11},
        {-1, "82 7f 80 00 00 00 00 00 00 00 00", -EPROTO},
        /* Commands are frames like others; control frames have a limit of their own. */
        {2, "82 04 02", -EMSGSIZE},
        {0, "89 7d", 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct zl_zws_reader reader = reader_of(CLIENT, cases[i].limit);
        struct zl_zws_header header;
        assert_int_equal(get_hex(&reader, cases[i].hex, &header), cases[i].rc);
    }
}

static void test_body_limit_counts_all_fragments(void **state)
{
    (void)state;
    assert_true(read_all(CLIENT, 3, "02 02 00 41 00 01 42 80 01 43").rc > 0);
    assert_int_equal(read_all(CLIENT, 2, "02 02 00 41 00 01 42 80 01 43").rc, -EMSGSIZE);
    assert_int_equal(read_all(CLIENT, 2, "02 04 00").rc, -EMSGSIZE);
    assert_int_equal(read_all(CLIENT, 2, "02 00 80 04").rc, -EMSGSIZE);
    /* Each message counts for itself. */
    assert_true(read_all(CLIENT, 2, "02 02 00 41 80 01 42 02 02 00 43 80 01 44").rc > 0);
    /* Sizes that would wrap around when added. */
    struct zl_zws_reader reader = reader_of(CLIENT, -1);
    struct zl_zws_header header;
    assert_true(get_hex(&reader, "02 7f 7f ff ff ff ff ff ff ff 00", &header) > 0);
    zl_zws_take(&reader, &header);
    assert_int_equal(get_hex(&reader, "00 7f 7f ff ff ff ff ff ff ff", &header), -EMSGSIZE);
    assert_int_equal(get_hex(&reader, "80 01", &header), 2);
    assert_int_equal(get_hex(&reader, "80 02", &header), -EMSGSIZE);
}

/* ---- Hostile ---- */

static void test_every_flags_octet(void **state)
{
    (void)state;
    for (unsigned octet = 0; octet < 256; octet++)
        for (int side = 0; side < 2; side++) {
            uint8_t data[7];
            struct zl_zws_reader reader = reader_of(side, -1);
            struct zl_zws_header header;
            uint32_t mask = side == SERVER ? MASK : 0;
            size_t size = zl_websocket_put_header(data, !side, ZL_WEBSOCKET_BINARY, 1, mask);
            data[size] = (uint8_t)(octet ^ mask >> 24);
            int expected = octet <= 2 ? (int)size + 1 : -EPROTO;
            assert_int_equal(get_piecewise(&reader, data, size + 1, &header), expected);
            if (octet <= 2)
                assert_int_equal(zl_zws_flags_octet(header.frame.flags), octet);
            /* The same in a later fragment. */
            reader.websocket.in_message = true;
            data[0] = 0x80;
            assert_int_equal(get_piecewise(&reader, data, size + 1, &header), expected);
        }
}

/* Each as soon as it can be known. */
static void test_hostile_frames(void **state)
{
    (void)state;
    static const struct {
        int side;
        const char *hex;
        int rc;
    } cases[] = {
        {SERVER, "82 05", -EPROTO},                         /* unmasked client frame */
        {CLIENT, "82 85", -EPROTO},                         /* masked server frame */
        {CLIENT, "81", -ENOTSUP},                           /* text */
        {CLIENT, "01", -ENOTSUP},                           /* fragmented text */
        {CLIENT, "80", -EPROTO},                            /* continuation of nothing */
        {CLIENT, "83", -EPROTO},                            /* reserved opcodes */
        {CLIENT, "87", -EPROTO},                            /**/
        {CLIENT, "8b", -EPROTO},                            /**/
        {CLIENT, "8f", -EPROTO},                            /**/
        {CLIENT, "c2", -EPROTO},                            /* reserved bits */
        {CLIENT, "a2", -EPROTO},                            /**/
        {CLIENT, "92", -EPROTO},                            /**/
        {CLIENT, "c9", -EPROTO},                            /**/
        {CLIENT, "82 00", -EPROTO},                         /* empty payload */
        {SERVER, "82 80 37 fa 21 3d", -EPROTO},             /**/
        {CLIENT, "89 7e", -EPROTO},                         /* long control payload */
        {CLIENT, "09", -EPROTO},                            /* fragmented control */
        {CLIENT, "82 7f 80 00 00 00 00 00 00 00", -EPROTO}, /* top bit of the length */
        {CLIENT, "82 05 04", -EPROTO},                      /* COMMAND as on tcp */
        {CLIENT, "82 05 03", -EPROTO},                      /* MORE on a command */
        {CLIENT, "82 05 80", -EPROTO},                      /* reserved flag */
        {SERVER, "82 85 37 fa 21 3d 33", -EPROTO},          /**/
        {SERVER, "ff 00 00 00 00 00 00 00 01 7f", -EPROTO}, /* a greeting of ZMTP */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_result(cases[i].side, cases[i].hex, cases[i].rc);
}

static void test_ping_flood_leaves_no_trace(void **state)
{
    (void)state;
    struct zl_zws_reader reader = reader_of(CLIENT, 10), before = reader;
    for (int i = 0; i < 1000; i++) {
        struct zl_zws_header header;
        assert_int_equal(get_hex(&reader, "89 00", &header), 2);
        zl_zws_take(&reader, &header);
    }
    assert_int_equal(reader.websocket.in_message, before.websocket.in_message);
    assert_int_equal(reader.fragments_size, before.fragments_size);
    assert_int_equal(reader.flags, before.flags);
}

/* ---- Sub-protocols ---- */

static void expect_protocols(const char *mechanism, bool authenticated, const char *first,
                             const char *second)
{
    const char *const *names = zl_zws_protocols(mechanism, authenticated);
    assert_non_null(names);
    assert_string_equal(names[0], first);
    if (!second) {
        assert_null(names[1]);
        return;
    }
    assert_string_equal(names[1], second);
    assert_null(names[2]);
}

static void test_protocols_of_mechanisms(void **state)
{
    (void)state;
    expect_protocols("NULL", false, "ZWS2.0/NULL", "ZWS2.0");
    expect_protocols("NULL", true, "ZWS2.0/NULL", NULL);
    expect_protocols("PLAIN", false, "ZWS2.0/PLAIN", NULL);
    expect_protocols("PLAIN", true, "ZWS2.0/PLAIN", NULL);
    expect_protocols("CURVE", false, "ZWS2.0/CURVE", NULL);
    expect_protocols("CURVE", true, "ZWS2.0/CURVE", NULL);
    assert_null(zl_zws_protocols("GSSAPI", false));
    assert_null(zl_zws_protocols("BEARER", true));
    assert_null(zl_zws_protocols("", false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ready),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_identities_without_a_mechanism),
        cmocka_unit_test(test_subscriptions),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_control_frames),
        cmocka_unit_test(test_header_round_trip_at_the_size_limits),
        cmocka_unit_test(test_stream_in_random_pieces),
        cmocka_unit_test(test_fragments),
        cmocka_unit_test(test_masked_fragments_have_masks_of_their_own),
        cmocka_unit_test(test_fragments_that_make_an_empty_message),
        cmocka_unit_test(test_messages_inside_a_fragmented_one),
        cmocka_unit_test(test_body_limit),
        cmocka_unit_test(test_body_limit_counts_all_fragments),
        cmocka_unit_test(test_every_flags_octet),
        cmocka_unit_test(test_hostile_frames),
        cmocka_unit_test(test_ping_flood_leaves_no_trace),
        cmocka_unit_test(test_protocols_of_mechanisms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
