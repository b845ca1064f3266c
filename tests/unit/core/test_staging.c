/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of the re-encoding of queued messages for peers that want other octets: ZMTP 1.0, raw. */
#include "unit/wire/octets.h"

#include "core/staging.h"
#include "wire/zmtp.h"

struct fixture {
    struct zl_outq queue;
    struct zl_chunk_cache cache;
    struct zl_chunk *garbage;
    struct zl_staging *staging;
};

static uint8_t text[40000];

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (!f)
        return -1;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i * 11 + (i >> 8));
    zl_outq_init(&f->queue);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    zl_staging_free(&f->staging);
    zl_outq_clear(&f->queue, &f->garbage);
    zl_chunks_free(f->garbage);
    zl_chunks_free(f->cache.spare);
    free(f);
    return 0;
}

static void append(struct fixture *f, size_t size, bool more)
{
    struct zl_msg msg;
    zl_msg_borrow(&msg, text, size);
    assert_int_equal(zl_outq_append(&f->queue, &f->cache, &msg, more ? ZL_FRAME_MORE : 0), 0);
    if (!more)
        zl_outq_commit(&f->queue);
}

/* The peer takes `count` octets of what is gathered; the queue gives up what it may. */
static void write_octets(struct fixture *f, size_t count)
{
    size_t covered = zl_staging_consume(&f->staging, count);
    if (covered)
        zl_outq_consume(&f->queue, &f->cache, covered, &f->garbage);
}

static size_t gather(struct fixture *f, bool raw, const uint8_t **data)
{
    struct iovec vector = {NULL, 0};
    size_t total = 99;
    int count = zl_staging_gather(&f->staging, &f->queue, raw, &vector, &total);
    assert_int_equal(total, count ? vector.iov_len : 0);
    *data = vector.iov_base;
    return total;
}

static void nothing_to_stage(void **state)
{
    struct fixture *f = *state;
    const uint8_t *data;
    assert_int_equal(gather(f, false, &data), 0);
    assert_null(f->staging);
    append(f, 10, true); /* not a whole message yet */
    assert_int_equal(gather(f, false, &data), 0);
    assert_null(f->staging);
    zl_staging_free(&f->staging);
}

static void headers_become_those_of_the_old_protocol(void **state)
{
    static const struct {
        size_t size;
        bool more;
        const char *header;
    } rows[] = {
        {0, false, "01 00"},
        {3, true, "04 01"},
        {253, false, "FE 00"},
        {254, false, "FF 00 00 00 00 00 00 00 FF 00"},
        {255, true, "FF 00 00 00 00 00 00 01 00 01"},
        {256, false, "FF 00 00 00 00 00 00 01 01 00"},
        {20000, false, "FF 00 00 00 00 00 00 4E 21 00"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct octets header = octets_hex(rows[i].header);
        const uint8_t *data;
        append(f, rows[i].size, rows[i].more);
        if (rows[i].more)
            append(f, 0, false);
        size_t expected = header.size + rows[i].size + (rows[i].more ? 2 : 0);
        assert_int_equal(gather(f, false, &data), expected);
        assert_memory_equal(data, header.at, header.size);
        assert_memory_equal(data + header.size, text, rows[i].size);
        if (rows[i].more)
            assert_hex(data + header.size + rows[i].size, 2, "01 00");
        write_octets(f, expected);
        assert_null(f->staging);
        assert_int_equal(f->queue.messages, 0);
        octets_free(header);
    }
}

static void raw_peers_get_the_payload_alone(void **state)
{
    struct fixture *f = *state;
    const uint8_t *data;
    append(f, 100, false);
    append(f, 20000, false);
    assert_int_equal(gather(f, true, &data), 100);
    assert_memory_equal(data, text, 100);
    write_octets(f, 100);
    assert_int_equal(gather(f, true, &data), 20000);
    assert_memory_equal(data, text, 20000);
    write_octets(f, 20000);
    assert_int_equal(f->queue.messages, 0);
}

/* The queue gives a message up at its last octet, not before, in steps of any size. */
static void a_message_is_given_up_at_its_last_octet(void **state)
{
    struct fixture *f = *state;
    const uint8_t *data;
    append(f, 300, true); /* two parts, three messages */
    append(f, 7, false);
    append(f, 0, false);
    append(f, 9000, false);
    static const size_t sizes[] = {10 + 300 + 2 + 7, 2, 10 + 9000};
    for (size_t message = 0; message < 3; message++) {
        size_t left = sizes[message];
        for (size_t step = 1; left > 0; step = step % 3 + 1) {
            size_t pending = zl_outq_pending(&f->queue);
            size_t count = step < left ? step : left;
            assert_int_equal(gather(f, false, &data), left);
            write_octets(f, count);
            left -= count;
            assert_int_equal(zl_outq_pending(&f->queue) < pending, left == 0);
            assert_int_equal(f->queue.messages, 3 - message - (left == 0));
        }
        assert_true(zl_outq_at_boundary(&f->queue));
    }
}

/* A new connection starts with the whole message, and what came meanwhile follows. */
static void a_lost_connection_gets_the_message_again(void **state)
{
    struct fixture *f = *state;
    const uint8_t *data;
    append(f, 20, true);
    append(f, 10, false);
    assert_int_equal(gather(f, false, &data), 22 + 12);
    write_octets(f, 33);
    append(f, 5, false);
    assert_int_equal(gather(f, false, &data), 1);
    zl_staging_free(&f->staging);
    assert_null(f->staging);
    zl_outq_rewind(&f->queue);
    assert_int_equal(gather(f, false, &data), 22 + 12);
    assert_hex(data, 2, "15 01");
    write_octets(f, 34);
    assert_int_equal(gather(f, false, &data), 7);
    write_octets(f, 7);
    assert_int_equal(zl_outq_pending(&f->queue), 0);
}

/* Random messages, written in random steps, parsed back by the decoder of 1.0. */
static void the_decoder_reads_what_was_staged(void **state)
{
    struct fixture *f = *state;
    uint64_t random = 5, appended = 5, parsed = 5; /* the same sequence for both ends */
    uint8_t received[2 * sizeof text];
    size_t have = 0;
    unsigned sent_frames = 0, frames = 0;
    while (frames < 800) {
        while (sent_frames < 800 && f->queue.messages < 5) {
            uint32_t value = octets_random(&appended);
            append(f, value % (value % 7 ? 300 : 20000), value >> 20 & 1 && sent_frames < 799);
            sent_frames++;
        }
        const uint8_t *data;
        size_t total = gather(f, false, &data);
        size_t count = 1 + octets_random(&random) % total;
        assert_true(have + count <= sizeof received);
        memcpy(received + have, data, count);
        have += count;
        write_octets(f, count);
        struct zl_frame_header header;
        while (have > 0 && zl_zmtp1_get_header(received, received + have, &header) > 0 &&
               have - header.header_size >= header.body_size) {
            uint32_t value = octets_random(&parsed);
            assert_int_equal(header.body_size, value % (value % 7 ? 300 : 20000));
            assert_int_equal(header.flags, value >> 20 & 1 && frames < 799);
            assert_memory_equal(received + header.header_size, text, header.body_size);
            frames++;
            have -= header.header_size + (size_t)header.body_size;
            memmove(received, received + header.header_size + header.body_size, have);
        }
    }
    assert_int_equal(have, 0);
    assert_int_equal(zl_outq_pending(&f->queue), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_to_stage),
        TEST(headers_become_those_of_the_old_protocol),
        TEST(raw_peers_get_the_payload_alone),
        TEST(a_message_is_given_up_at_its_last_octet),
        TEST(a_lost_connection_gets_the_message_again),
        TEST(the_decoder_reads_what_was_staged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
