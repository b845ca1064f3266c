/* SPDX-License-Identifier: MPL-2.0 */
/* ctest-timeout: 120 */
/* The reading side of a link, over a stream that brings 1 to n octets or none: ZMTP, and ZWS as
 * client and as server. Whole frames, long bodies, fragments and pings come out as they were sent,
 * wherever reads end. */
#include "support/sanitizer.h"
#include "unit/core/scripted_steps.h"

#include "core/drive.h"
#include "wire/zws.h"

enum { LONG = 300000, PARTS_MAX = 400 };

static uint8_t text[LONG];

/* What the peer sends, and what has to be received. */
struct wire {
    bool websocket;
    enum zl_websocket_side side; /* the peer's */
    uint8_t *octets;
    size_t size;
    struct {
        size_t from, size;
        bool more;
    } parts[PARTS_MAX];
    size_t count;
    unsigned pings;
    uint64_t random;
};

static uint32_t below(uint64_t *random, uint32_t limit)
{
    return octets_random(random) % limit;
}

static uint8_t *grow(struct wire *wire, size_t size)
{
    wire->octets = realloc(wire->octets, wire->size + size);
    assert_non_null(wire->octets);
    return wire->octets + wire->size;
}

/* ---- Encoding --------------------------------------------------------------------------------- */

static void put_zmtp(struct wire *wire, uint8_t flags, const uint8_t *body, size_t size)
{
    uint8_t *place = grow(wire, size + ZL_ZWS_HEADER_MAX);
    size_t header = zl_zmtp_put_header(place, flags, size);
    if (size)
        memcpy(place + header, body, size);
    wire->size += header + size;
}

/* A WebSocket frame of any kind; of the payload the first octet is the flags, if there are any. */
static void put_frame(struct wire *wire, uint8_t first_octet, const uint8_t *payload, size_t size)
{
    uint8_t *place = grow(wire, size + ZL_WEBSOCKET_HEADER_MAX);
    uint32_t mask = octets_random(&wire->random);
    size_t header = zl_websocket_put_header(place, wire->side, 0, size, mask);
    place[0] = first_octet;
    zl_websocket_mask(place + header, payload, size, wire->side == ZL_WEBSOCKET_CLIENT ? mask : 0);
    wire->size += header + size;
}

static void put_ping(struct wire *wire)
{
    uint8_t ping[] = "\4PING\0\0????";
    ping[7] = (uint8_t)(wire->pings >> 8);
    ping[8] = (uint8_t)wire->pings;
    wire->pings++;
    if (wire->websocket)
        put_frame(wire, 0x89, ping + 7, 4);
    else
        put_zmtp(wire, ZL_FRAME_COMMAND, ping, 11);
}

static void expect_part(struct wire *wire, size_t from, size_t size, bool more)
{
    assert_true(wire->count < PARTS_MAX);
    wire->parts[wire->count].from = from;
    wire->parts[wire->count].size = size;
    wire->parts[wire->count++].more = more;
}

/* The payload of a WebSocket message: flags and body. */
static uint8_t *payload_of(size_t from, size_t size, bool more)
{
    static uint8_t payload[1 + LONG];
    payload[0] = more;
    memcpy(payload + 1, text + from, size);
    return payload;
}

static void put_part(struct wire *wire, size_t from, size_t size, bool more)
{
    expect_part(wire, from, size, more);
    if (wire->websocket)
        put_frame(wire, 0x82, payload_of(from, size, more), 1 + size);
    else
        put_zmtp(wire, more ? ZL_FRAME_MORE : 0, text + from, size);
}

/* The same part in pieces that end at `ends`, of which the last is the size of the payload. */
static void put_fragments(struct wire *wire, size_t from, size_t size, bool more,
                          const size_t *ends, size_t count, bool pings)
{
    const uint8_t *payload = payload_of(from, size, more);
    size_t at = 0;
    expect_part(wire, from, size, more);
    assert_int_equal(ends[count - 1], 1 + size);
    for (size_t i = 0; i < count; i++) {
        put_frame(wire, (uint8_t)((i + 1 == count ? 0x80 : 0) | (i == 0 ? 2 : 0)), payload + at,
                  ends[i] - at);
        at = ends[i];
        if (pings)
            put_ping(wire);
    }
}

/* ---- Delivering ------------------------------------------------------------------------------- */

/* Takes and checks what has been decoded; the number of the next part. */
static size_t receive(struct scripted_link *script, const struct wire *wire, size_t next)
{
    zmq_msg_t part;
    zmq_msg_init(&part);
    while (zmq_msg_recv(&part, script->socket, ZMQ_DONTWAIT) != -1) {
        assert_true(next < wire->count);
        assert_int_equal(zmq_msg_size(&part), wire->parts[next].size);
        if (wire->parts[next].size)
            assert_memory_equal(zmq_msg_data(&part), text + wire->parts[next].from,
                                wire->parts[next].size);
        assert_int_equal(zmq_msg_more(&part), wire->parts[next].more);
        next++;
    }
    assert_int_equal(errno, EAGAIN);
    zmq_msg_close(&part);
    return next;
}

/* Each pong answers a ping, in order; the last ping is answered. */
static void check_pongs(const struct scripted_link *script, const struct wire *wire)
{
    size_t at = 0, last = 0;
    while (at < script->taken_size) {
        size_t header = 2 + (wire->websocket && wire->side == ZL_WEBSOCKET_SERVER ? 4 : 0);
        uint8_t *frame = script->taken + at, *body = frame + header;
        size_t size = frame[1] & 0x7F;
        assert_int_equal(frame[0], wire->websocket ? 0x8A : 4);
        if (header > 2)
            zl_websocket_mask(body, body, size, zl_get_u32(frame + 2));
        if (!wire->websocket)
            assert_memory_equal(body, "\4PONG", 5);
        uint8_t *context = body + (wire->websocket ? 0 : 5);
        assert_int_equal(size, 4 + (wire->websocket ? 0 : 5));
        size_t number = (size_t)(context[0] << 8 | context[1]) + 1;
        assert_true(number > last);
        last = number;
        at += header + size;
    }
    assert_int_equal(last, wire->pings);
}

static void open_for(struct scripted_link *script, const struct wire *wire)
{
    scripted_open_as(script, (struct scripted_kind){.type = ZMQ_PULL,
                                                    .websocket = wire->websocket,
                                                    .accepted = wire->side == ZL_WEBSOCKET_CLIENT,
                                                    .posts = true});
    zl_socket_lock(script->socket);
    zl_pipe_set_hwm_locked(script->link.pipe, 0, 0);
    zl_socket_unlock(script->socket);
}

static void deliver(const struct wire *wire,
                    size_t (*supply)(struct scripted_link *script, size_t room), size_t limit)
{
    struct scripted_link script;
    size_t next = 0;
    open_for(&script, wire);
    script.random = wire->random;
    script.limit = limit;
    script.supply = supply;
    scripted_give(&script, wire->octets, wire->size);
    while (script.given_used < script.given_size) {
        scripted_flag(&script, EPOLLIN);
        next = receive(&script, wire, next);
        assert_int_equal(script.link.broken, 0);
    }
    while (scripted_run_tasks(&script) > 0 || script.link.pong_due)
        receive(&script, wire, next);
    assert_int_equal(receive(&script, wire, next), wire->count);
    check_pongs(&script, wire);
    scripted_free(&script);
}

static size_t supply_some(struct scripted_link *script, size_t room)
{
    if (below(&script->random, 4) == 0)
        return 0;
    uint32_t most = below(&script->random, 8) ? 40 : 20000;
    return 1 + below(&script->random, most < room ? most : (uint32_t)room);
}

static size_t supply_limit(struct scripted_link *script, size_t room)
{
    (void)room;
    return script->limit;
}

/* All at once, octet by octet, and at random. */
static void deliver_in_every_way(const struct wire *wire)
{
    deliver(wire, NULL, 0);
    if (wire->size < 5000)
        deliver(wire, supply_limit, 1);
    deliver(wire, supply_limit, 7);
    deliver(wire, supply_some, 0);
}

static void free_wire(struct wire *wire)
{
    free(wire->octets);
}

static const struct wire kinds[] = {
    {.websocket = false, .random = 1},
    {.websocket = true, .side = ZL_WEBSOCKET_SERVER, .random = 2},
    {.websocket = true, .side = ZL_WEBSOCKET_CLIENT, .random = 3},
};
#define KINDS (sizeof kinds / sizeof *kinds)

/* ---- Frames ----------------------------------------------------------------------------------- */

/* Every split of a sequence with both header forms, in two reads. */
static void frames_split_anywhere(void **state)
{
    static const size_t sizes[] = {5, 0, 33, 34, 123, 124, 125, 126, 255, 256, 0, 1000, 1};
    (void)state;
    for (size_t kind = 0; kind < KINDS; kind++) {
        struct wire wire = kinds[kind];
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            put_part(&wire, 100 * i, sizes[i], i % 3 == 1);
            if (i % 4 == 0)
                put_ping(&wire);
        }
        for (size_t split = 1; split < wire.size; split++)
            deliver(&wire, supply_limit, split);
        deliver_in_every_way(&wire);
        free_wire(&wire);
    }
}

/* A frame of 64 KiB, or a length, at the border between a body that is waited for and one that is
   read into its own memory. */
static void long_bodies(void **state)
{
    static const size_t sizes[] = {8190,  8191,  8192,  8193,   16384,
                                   65534, 65535, 65536, 262144, LONG};
    (void)state;
    for (size_t kind = 0; kind < KINDS; kind++) {
        struct wire wire = kinds[kind];
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            put_part(&wire, 0, sizes[i], i % 2 == 0);
            put_part(&wire, 0, i * 11, false);
            put_ping(&wire);
        }
        deliver_in_every_way(&wire);
        for (size_t limit = 1; limit < 20; limit++)
            deliver(&wire, supply_limit, 8192 + limit - 10);
        free_wire(&wire);
    }
}

/* ---- Fragments -------------------------------------------------------------------------------- */

/* Three fragments that end anywhere, empty ones included, with and without pings between. */
static void fragments_end_anywhere(void **state)
{
    enum { SIZE = 12 };
    (void)state;
    for (size_t kind = 1; kind < KINDS; kind++) {
        for (size_t first = 0; first <= SIZE + 1; first++) {
            struct wire wire = kinds[kind];
            for (size_t second = first; second <= SIZE + 1; second++) {
                size_t ends[] = {first, second, SIZE + 1};
                put_fragments(&wire, second, SIZE, second % 2, ends, 3, second % 3 == 0);
                put_part(&wire, 3, 2, false);
            }
            deliver_in_every_way(&wire);
            free_wire(&wire);
        }
    }
}

/* A command in fragments is a command all the same: no message, and a subscription subscribes. */
static void commands_in_fragments(void **state)
{
    static const uint8_t subscribe[] = "\2\11SUBSCRIBEtopic";
    (void)state;
    for (size_t kind = 1; kind < KINDS; kind++) {
        struct wire wire = kinds[kind];
        struct scripted_link script;
        put_frame(&wire, 2, subscribe, 5);
        put_frame(&wire, 0x80, subscribe + 5, sizeof subscribe - 1 - 5);
        open_for(&script, &wire);
        scripted_give(&script, wire.octets, wire.size);
        scripted_flag(&script, EPOLLIN);
        uint8_t got[64];
        int size = zmq_recv(script.socket, got, sizeof got, ZMQ_DONTWAIT);
        if (script.link.broken) { /* refusing it would do as well */
            assert_int_equal(size, -1);
        } else {
            assert_int_equal(size, 6);
            assert_memory_equal(got, "\1topic", 6);
        }
        scripted_free(&script);
        free_wire(&wire);
    }
}

/* Fragments around the size from which bodies have their own memory, and around what is allocated on
   trust. */
static void long_fragments(void **state)
{
    static const size_t ends[][5] = {{1, 8192, 8193, 16385, 100001},
                                     {8191, 8192, 8192, 90000, 100001},
                                     {8193, 8194, 16500, 16501, 100001},
                                     {20000, 40000, 60000, 80000, 100001},
                                     {99999, 99999, 100000, 100000, 100001}};
    (void)state;
    for (size_t kind = 1; kind < KINDS; kind++) {
        struct wire wire = kinds[kind];
        for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
            put_fragments(&wire, i, 100000, i % 2, ends[i], 5, i > 2);
            put_part(&wire, 0, 20, false);
        }
        size_t huge[] = {270000, 1 + LONG};
        put_fragments(&wire, 0, LONG, false, huge, 2, true);
        deliver_in_every_way(&wire);
        free_wire(&wire);
    }
}

/* ---- Anything --------------------------------------------------------------------------------- */

static size_t any_size(struct wire *wire)
{
    static const size_t borders[] = {0, 1, 33, 34, 124, 125, 8191, 8192, 65535, 65536};
    switch (below(&wire->random, 12)) {
    case 0:
        return borders[below(&wire->random, 10)];
    case 1:
        return below(&wire->random, 20000);
    default:
        return below(&wire->random, 300);
    }
}

static void put_anything(struct wire *wire, bool last)
{
    size_t size = any_size(wire), from = below(&wire->random, 1000);
    bool more = !last && below(&wire->random, 3) == 0;
    if (below(&wire->random, 5) == 0)
        put_ping(wire);
    if (!wire->websocket || below(&wire->random, 3)) {
        put_part(wire, from, size, more);
        return;
    }
    size_t ends[4] = {below(&wire->random, (uint32_t)size + 2), 0, 0, size + 1};
    for (int i = 1; i < 3; i++)
        ends[i] = ends[i - 1] + below(&wire->random, (uint32_t)(size + 2 - ends[i - 1]));
    put_fragments(wire, from, size, more, ends, 4, below(&wire->random, 2));
}

static void random_streams(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= TS_ROUNDS(20, 4); seed++) {
        for (size_t kind = 0; kind < KINDS; kind++) {
            struct wire wire = kinds[kind];
            wire.random = seed;
            for (size_t i = 0; i < 200; i++)
                put_anything(&wire, i == 199);
            deliver_in_every_way(&wire);
            free_wire(&wire);
        }
    }
}

/* ---- Limits ----------------------------------------------------------------------------------- */

/* MAXMSGSIZE counts the body, of all fragments together; what came before is delivered. */
static void size_limit(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < KINDS; kind++) {
        for (int fragmented = 0; fragmented <= (kind > 0); fragmented++) {
            struct wire wire = kinds[kind];
            struct scripted_link script;
            put_part(&wire, 0, 100, false);
            size_t ends[] = {60, 60, 102};
            if (fragmented)
                put_fragments(&wire, 0, 101, false, ends, 3, false);
            else
                put_part(&wire, 0, 101, false);
            wire.count--;
            open_for(&script, &wire);
            if (wire.websocket)
                script.link.reader.zws.body_max = 100;
            script.socket->options.maxmsgsize = 100;
            scripted_give(&script, wire.octets, wire.size);
            scripted_flag(&script, EPOLLIN);
            assert_int_equal(receive(&script, &wire, 0), 1);
            assert_int_equal(script.link.broken, -EMSGSIZE);
            scripted_free(&script);
            free_wire(&wire);
        }
    }
}

int main(void)
{
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i * 7 + (i >> 8));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_split_anywhere),
        cmocka_unit_test(long_bodies),
        cmocka_unit_test(fragments_end_anywhere),
        cmocka_unit_test(commands_in_fragments),
        cmocka_unit_test(long_fragments),
        cmocka_unit_test(random_streams),
        cmocka_unit_test(size_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
