/* SPDX-License-Identifier: MPL-2.0 */
/* ctest-timeout: 120
 * ZWS frames. Octet 0: our side (bit 0), whether there is a limit (bit 1); octet 1: how the rest, a
 * stream, arrives in pieces. All at once and in pieces must give the same frames and the same end,
 * and each whole frame must survive being written and read again. */

#include "fuzz.h"

#include "wire/zws.h"

enum { LIMIT = 200 };

/* All that has been read, in short. */
struct trace {
    uint64_t digest;
    size_t position;
    int end; /* 0: the stream ends, or breaks off; else the error */
};

static void note(struct trace *trace, uint64_t value)
{
    trace->digest = (trace->digest ^ value) * 0x100000001b3u;
}

static void check_header(const struct zl_zws_reader *reader, const uint8_t *at, const uint8_t *end,
                         int rc, const struct zl_zws_header *header)
{
    struct zl_zws_header slow;
    fuzz_check(zl_zws_get_header_slow(reader, at, end, &slow) == rc);
    if (rc <= 0)
        return;
    fuzz_check(rc <= end - at && rc <= ZL_ZWS_HEADER_MAX && rc == header->frame.header_size);
    fuzz_check(slow.kind == header->kind && slow.mask == header->mask);
    fuzz_check(slow.frame.flags == header->frame.flags);
    fuzz_check(slow.frame.body_size == header->frame.body_size);
    if (header->kind >= ZL_ZWS_PING)
        fuzz_check(header->frame.body_size <= ZL_WEBSOCKET_CONTROL_PAYLOAD_MAX);
    else
        fuzz_check(header->frame.body_size <= reader->body_max - reader->fragments_size);
    if (header->kind == ZL_ZWS_FRAME || header->kind == ZL_ZWS_LAST_FRAGMENT)
        fuzz_check(header->frame.flags == 0 || header->frame.flags == ZL_FRAME_MORE ||
                   header->frame.flags == ZL_FRAME_COMMAND);
}

static void check_round_trip(enum zl_websocket_side side, const struct zl_zws_header *header,
                             const uint8_t *body, uint32_t mask)
{
    size_t n = (size_t)header->frame.body_size;
    uint8_t *frame = malloc(n + ZL_ZWS_HEADER_MAX);
    struct zl_zws_reader reader;
    struct zl_zws_header again;
    fuzz_check(frame);
    size_t size = zl_zws_put_frame(frame, side, header->frame.flags, body, n, mask);
    zl_zws_reader_init(&reader, !side, (int64_t)n);
    int rc = zl_zws_get_header(&reader, frame, frame + size, &again);
    fuzz_check(rc > 0 && (size_t)rc + n == size && again.kind == ZL_ZWS_FRAME);
    fuzz_check(again.frame.flags == header->frame.flags && again.frame.body_size == n);
    zl_websocket_mask(frame + rc, frame + rc, n, again.mask);
    fuzz_check(n == 0 || memcmp(frame + rc, body, n) == 0);
    free(frame);
}

static void take_frame(struct trace *trace, struct zl_zws_reader *reader,
                       const struct zl_zws_header *header, const uint8_t *masked)
{
    size_t n = (size_t)header->frame.body_size;
    uint8_t *body = fuzz_copy(masked, n);
    zl_zws_take(reader, header);
    /* In two pieces, as a long body is read. */
    uint32_t mask = zl_websocket_mask(body, body, n / 3, header->mask);
    zl_websocket_mask(body + n / 3, body + n / 3, n - n / 3, mask);
    note(trace, header->kind);
    note(trace, header->frame.flags);
    for (size_t i = 0; i < n; i++)
        note(trace, body[i]);
    if (header->kind == ZL_ZWS_FRAME)
        check_round_trip(n % 2 ? ZL_WEBSOCKET_CLIENT : ZL_WEBSOCKET_SERVER, header, body,
                         header->mask);
    if (header->kind == ZL_ZWS_CLOSE)
        note(trace, (uint64_t)zl_websocket_parse_close(body, n));
    free(body);
}

/* Reads the frames that are complete in what has arrived. */
static void read_frames(struct trace *trace, struct zl_zws_reader *reader, const uint8_t *data,
                        size_t arrived)
{
    while (trace->end == 0) {
        struct zl_zws_header header;
        const uint8_t *at = data + trace->position, *end = data + arrived;
        int rc = zl_zws_get_header(reader, at, end, &header);
        check_header(reader, at, end, rc, &header);
        if (rc < 0)
            trace->end = rc;
        if (rc <= 0 || header.frame.body_size > (uint64_t)(end - at - rc))
            return;
        take_frame(trace, reader, &header, at + rc);
        trace->position += (size_t)rc + (size_t)header.frame.body_size;
    }
}

static struct trace read_stream(const uint8_t *data, size_t size, enum zl_websocket_side side,
                                int64_t limit, uint64_t pieces)
{
    struct trace trace = {0};
    struct zl_zws_reader reader;
    zl_zws_reader_init(&reader, side, limit);
    for (size_t arrived = 0; arrived < size;) {
        size_t n = pieces ? 1 + fuzz_random(&pieces) % 40 : size;
        arrived = n < size - arrived ? arrived + n : size;
        read_frames(&trace, &reader, data, arrived);
    }
    return trace;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    enum zl_websocket_side side = data[0] & 1 ? ZL_WEBSOCKET_SERVER : ZL_WEBSOCKET_CLIENT;
    int64_t limit = data[0] & 2 ? LIMIT : -1;
    struct trace at_once = read_stream(data + 2, size - 2, side, limit, 0);
    struct trace in_pieces = read_stream(data + 2, size - 2, side, limit, data[1] + 1u);
    fuzz_check(at_once.digest == in_pieces.digest);
    fuzz_check(at_once.position == in_pieces.position);
    fuzz_check(at_once.end == in_pieces.end);
    return 0;
}

static const struct fuzz_seed seeds[] = {
    FUZZ_SEED("\0\1\x82\x01\0\x82\6\0world\x82\1\1\x89\0\x8a\4abcd\x88\2\3\xe8"),
    FUZZ_SEED("\1\2\x82\x81\x37\xfa\x21\x3d\x36\x82\x86\x37\xfa\x21\x3d\x37\x92\x44\x51\x5b\x95"
              "\x89\x80\x37\xfa\x21\x3d\x88\x82\x37\xfa\x21\x3d\x34\x12"),
    FUZZ_SEED("\2\3\2\2\0A\x89\0\0\1B\0\0\x80\1C\2\0\0\0\x80\3\1xy\x82\3\2\1a"),
    FUZZ_SEED("\3\4\2\x82\x37\xfa\x21\x3d\x36\xbb\x89\x81\xff\xff\xff\xff\0\x80\x82\1\2\3\4CA"),
    FUZZ_SEED("\0\5\x82\x7e\0\7\0longer\x82\x7f\0\0\0\0\0\0\0\3\1hi"),
    FUZZ_SEED("\2\6\x82\x7e\0\x82\2\5READY\xbSocket-Type\0\0\0\6ROUTER\x8Identity\0\0\0\0"
              "0123456789012345678901234567890123456789012345678901234567890123456789"
              "0123456789012345678901234567890123456789\x82\1\0"),
    FUZZ_SEED("\0\7\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff\0tail"),
};
FUZZ_MAIN(seeds)
