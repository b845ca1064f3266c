/* SPDX-License-Identifier: MPL-2.0 */
/* The writing side of a WebSocket link, over a stream that takes what the test wants: whatever a write
 * takes, the peer's decoder sees whole frames, control frames only between them, and after a loss the
 * messages that were not complete from their first frame on. */
#include "support/sanitizer.h"
#include "unit/core/scripted_steps.h"

#include "core/drive.h"
#include "wire/zws.h"

enum { PARTS_MAX = 500 };

struct sent {
    struct {
        size_t from, size;
        bool more;
    } parts[PARTS_MAX];
    size_t count;
};
static struct sent sent;

static const bool sides[] = {false, true}; /* accepted: we are the server */

static void open_side(struct scripted_link *script, bool accepted)
{
    sent.count = 0;
    scripted_open_as(
        script, (struct scripted_kind){.type = ZMQ_PUSH, .websocket = true, .accepted = accepted});
}

static void flush(struct scripted_link *script)
{
    scripted_flag(script, EPOLLOUT);
    scripted_flush(script);
}

/* Noted first: the send may write, and others may follow inside that write. */
static void send_part(struct scripted_link *script, size_t from, size_t size, bool more)
{
    assert_true(sent.count < PARTS_MAX);
    sent.parts[sent.count].from = from;
    sent.parts[sent.count].size = size;
    sent.parts[sent.count++].more = more;
    assert_int_equal(zmq_send(script->socket, scripted_text + from, size,
                              ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)),
                     size);
}

/* ---- The peer --------------------------------------------------------------------------------- */

struct stream {
    size_t parts; /* whole ones */
    size_t whole; /* parts that make whole messages */
    size_t pings, pongs;
};

static void check_part(size_t number, const struct zl_zws_header *header, const uint8_t *body)
{
    assert_true(number < sent.count);
    assert_int_equal(header->frame.body_size, sent.parts[number].size);
    assert_int_equal(header->frame.flags, sent.parts[number].more ? ZL_FRAME_MORE : 0);
    if (sent.parts[number].size)
        assert_memory_equal(body, scripted_text + sent.parts[number].from, sent.parts[number].size);
}

/* Parses what was taken, from part `first` on. Everything before an incomplete frame is correct. */
static struct stream parse(const struct scripted_link *script, bool accepted, size_t first)
{
    struct stream stream = {.parts = first, .whole = first};
    struct zl_zws_reader reader;
    zl_zws_reader_init(&reader, accepted ? ZL_WEBSOCKET_CLIENT : ZL_WEBSOCKET_SERVER, -1);
    struct octets copy = octets_copy(script->taken, script->taken_size);
    uint8_t *at = copy.at, *end = copy.at + copy.size;
    while (at < end) {
        struct zl_zws_header header;
        int rc = zl_zws_get_header(&reader, at, end, &header);
        assert_true(rc >= 0);
        if (rc == 0 || header.frame.body_size > (size_t)(end - at - rc))
            break;
        uint8_t *body = at + rc;
        size_t size = (size_t)header.frame.body_size;
        zl_websocket_mask(body, body, size, header.mask);
        zl_zws_take(&reader, &header);
        at = body + size;
        if (header.kind == ZL_ZWS_PING || header.kind == ZL_ZWS_PONG) {
            stream.pings += header.kind == ZL_ZWS_PING;
            stream.pongs += header.kind == ZL_ZWS_PONG;
            assert_int_equal(size, header.kind == ZL_ZWS_PONG ? 7 : 0);
            if (size)
                assert_memory_equal(body, "context", 7);
            continue;
        }
        assert_int_equal(header.kind, ZL_ZWS_FRAME);
        check_part(stream.parts, &header, body);
        if (!sent.parts[stream.parts++].more)
            stream.whole = stream.parts;
    }
    octets_free(copy);
    return stream;
}

static void want_pong(struct scripted_link *script)
{
    memcpy(script->link.pong_context, "context", 7);
    script->link.pong_context_size = 7;
    script->link.pong_due = true;
}

/* ---- Splits ----------------------------------------------------------------------------------- */

/* All forms of the length, empty and referenced bodies, parts, several messages. */
static void queue_sequence(struct scripted_link *script)
{
    static const struct {
        size_t size;
        bool more;
    } parts[] = {{5, true},   {0, true},   {124, false}, {125, false}, {0, false},
                 {300, true}, {33, false}, {8192, true}, {1, false},   {126, false}};
    script->accept = scripted_refuse;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        send_part(script, i * 100, parts[i].size, parts[i].more);
}

/* Cut at every octet; under a sanitizer at every seventh, and at the others by the next test. */
static void control_goes_between_frames(void **state)
{
    (void)state;
    for (size_t side = 0; side < 2; side++) {
        size_t total = 1;
        for (size_t cut = 0; cut <= total; cut += TS_ROUNDS(1, 7)) {
            struct scripted_link script;
            open_side(&script, sides[side]);
            queue_sequence(&script);
            total = scripted_pending(&script);
            script.accept = scripted_take_limit;
            script.limit = cut;
            flush(&script);
            assert_int_equal(script.taken_size, cut);
            want_pong(&script);
            script.link.ping_due = true;
            script.accept = NULL;
            for (int i = 0; i < 3; i++)
                flush(&script);
            struct stream stream = parse(&script, sides[side], 0);
            assert_int_equal(stream.parts, sent.count);
            assert_int_equal(stream.pongs, 1);
            assert_int_equal(stream.pings, 1);
            assert_int_equal(scripted_pending(&script), 0);
            scripted_free(&script);
        }
    }
}

static void one_octet_at_a_time(void **state)
{
    (void)state;
    for (size_t side = 0; side < 2; side++) {
        struct scripted_link script;
        open_side(&script, sides[side]);
        queue_sequence(&script);
        script.accept = scripted_take_limit;
        script.limit = 1;
        for (size_t i = 0; scripted_pending(&script) > 0; i++) {
            if (i % 50 == 0)
                want_pong(&script);
            flush(&script);
        }
        struct stream stream = parse(&script, sides[side], 0);
        assert_int_equal(stream.parts, sent.count);
        assert_true(stream.pongs > 1);
        scripted_free(&script);
    }
}

/* A control frame that was begun goes on before anything else. */
static void half_a_control_frame(void **state)
{
    (void)state;
    for (size_t side = 0; side < 2; side++) {
        for (size_t cut = 1; cut < 20; cut++) {
            struct scripted_link script;
            open_side(&script, sides[side]);
            want_pong(&script);
            script.link.ping_due = true;
            script.accept = scripted_take_limit;
            script.limit = cut;
            flush(&script);
            send_part(&script, 0, 200, false);
            want_pong(&script);
            script.accept = NULL;
            for (int i = 0; i < 3; i++)
                flush(&script);
            struct stream stream = parse(&script, sides[side], 0);
            assert_int_equal(stream.parts, 1);
            assert_int_equal(stream.pings, 1);
            assert_int_equal(stream.pongs, 2);
            scripted_free(&script);
        }
    }
}

/* ---- After a loss ----------------------------------------------------------------------------- */

static void lose_connection(struct scripted_link *script)
{
    zl_socket_lock(script->socket);
    zl_outq_rewind(&script->link.pipe->outq);
    zl_socket_unlock(script->socket);
    zl_link_reset_io(&script->link);
    script->taken_size = 0;
}

/* At every such cut: the next connection gets whole messages, from the first on that was not whole. */
static void loss_resends_whole_messages(void **state)
{
    (void)state;
    for (size_t side = 0; side < 2; side++) {
        size_t total = 1;
        for (size_t cut = 0; cut <= total; cut += TS_ROUNDS(1, 7)) {
            struct scripted_link script;
            open_side(&script, sides[side]);
            queue_sequence(&script);
            total = scripted_pending(&script);
            script.accept = scripted_take_limit;
            script.limit = cut;
            flush(&script);
            size_t first = parse(&script, sides[side], 0).whole;
            lose_connection(&script);
            script.accept = NULL;
            flush(&script);
            assert_int_equal(parse(&script, sides[side], first).whole, sent.count);
            assert_int_equal(scripted_pending(&script), 0);
            scripted_free(&script);
        }
    }
}

/* Every frame of a client has a mask of its own. */
static void masks_differ(void **state)
{
    enum { FRAMES = 200 };
    uint32_t masks[FRAMES];
    struct scripted_link script;
    (void)state;
    open_side(&script, false);
    for (size_t i = 0; i < FRAMES; i++) {
        size_t before = script.taken_size;
        send_part(&script, i, 10, false);
        while (scripted_pending(&script) > 0)
            flush(&script);
        assert_int_equal(script.taken[before], 0x82);
        assert_int_equal(script.taken[before + 1], 0x80 | 11);
        masks[i] = zl_get_u32(script.taken + before + 2);
    }
    for (size_t i = 0; i < FRAMES; i++)
        for (size_t k = 0; k < i; k++)
            assert_int_not_equal(masks[i], masks[k]);
    scripted_free(&script);
}

/* What is masked is our copy, never the sender's memory or that of another receiver. */
static void payload_of_the_sender_stays_as_it_is(void **state)
{
    (void)state;
    for (size_t side = 0; side < 2; side++) {
        struct scripted_link script;
        zmq_msg_t message, copy;
        open_side(&script, sides[side]);
        assert_int_equal(zmq_msg_init_size(&message, 50000), 0);
        assert_int_equal(zmq_msg_init(&copy), 0);
        memcpy(zmq_msg_data(&message), scripted_text, 50000);
        assert_int_equal(zmq_msg_copy(&copy, &message), 0);
        assert_int_equal(zmq_msg_send(&message, script.socket, ZMQ_DONTWAIT), 50000);
        assert_memory_equal(zmq_msg_data(&copy), scripted_text, 50000);
        struct octets original = octets_copy(scripted_text, sizeof scripted_text);
        send_part(&script, 0, 50000, false);
        assert_memory_equal(original.at, scripted_text, sizeof scripted_text);
        octets_free(original);
        zmq_msg_close(&copy);
        scripted_free(&script);
    }
}

/* ---- Anything in any order -------------------------------------------------------------------- */

static void do_something(struct scripted_link *script)
{
    static const size_t borders[] = {0, 1, 124, 125, 8191, 8192, 20000, 65535, 65536};
    switch (scripted_below(script, 5)) {
    case 0:
        want_pong(script);
        break;
    case 1:
        script->link.ping_due = true;
        break;
    case 2:
        flush(script);
        break;
    default:
        if (sent.count < PARTS_MAX - 4 && zl_pipe_can_write(script->link.pipe)) {
            size_t size = scripted_below(script, 8) ? scripted_below(script, 400)
                                                    : borders[scripted_below(script, 9)];
            if (scripted_below(script, 3) == 0)
                send_part(script, scripted_below(script, 1000), scripted_below(script, 200), true);
            send_part(script, scripted_below(script, 30000), size, false);
        }
    }
}

static void random_streams(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= TS_ROUNDS(60, 20); seed++) {
        struct scripted_link script;
        bool accepted = seed % 2;
        open_side(&script, accepted);
        script.random = seed;
        script.accept = scripted_take_some;
        for (int i = 0; i < 300; i++)
            do_something(&script);
        script.accept = NULL;
        for (int i = 0; i < 3 || scripted_pending(&script) > 0; i++)
            flush(&script);
        struct stream stream = parse(&script, accepted, 0);
        assert_int_equal(stream.parts, sent.count);
        assert_int_equal(stream.whole, sent.count);
        assert_true(stream.pings > 0 && stream.pongs > 0);
        scripted_free(&script);
    }
}

int main(void)
{
    scripted_make_text();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(control_goes_between_frames),
        cmocka_unit_test(one_octet_at_a_time),
        cmocka_unit_test(half_a_control_frame),
        cmocka_unit_test(loss_resends_whole_messages),
        cmocka_unit_test(masks_differ),
        cmocka_unit_test(payload_of_the_sender_stays_as_it_is),
        cmocka_unit_test(random_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
