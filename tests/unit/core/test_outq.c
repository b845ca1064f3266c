/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of the outbound queue, case by case. test_outq_model.c does random operations. */
#include "unit/wire/octets.h"

#include "core/outq.h"
#include "wire/zmtp.h"

static uint8_t text[200000];
static unsigned freed; /* calls of note_freed */

struct fixture {
    struct zl_outq queue;
    struct zl_chunk_cache cache;
    struct zl_chunk *garbage;
};

static void note_freed(void *data, void *hint)
{
    assert_ptr_equal(data, text);
    assert_null(hint);
    freed++;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (!f)
        return -1;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i * 13 + (i >> 9));
    freed = 0;
    zl_outq_init(&f->queue);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    zl_outq_clear(&f->queue, &f->garbage);
    zl_chunks_free(f->garbage);
    zl_chunks_free(f->cache.spare);
    free(f);
    return 0;
}

static void collect(struct fixture *f)
{
    zl_chunks_free(f->garbage);
    f->garbage = NULL;
}

/* Appends the first `size` octets of `text` from the caller's memory. */
static void append(struct fixture *f, size_t size, bool more)
{
    struct zl_msg msg;
    zl_msg_borrow(&msg, text, size);
    assert_int_equal(zl_outq_append(&f->queue, &f->cache, &msg, more ? ZL_FRAME_MORE : 0), 0);
    if (!more)
        zl_outq_commit(&f->queue);
}

/* The same from counted memory of the user. */
static void append_user(struct fixture *f, size_t size, bool more)
{
    struct zl_msg msg;
    assert_int_equal(zl_msg_init_data(&msg, text, size, note_freed, NULL), 0);
    assert_int_equal(zl_outq_append(&f->queue, &f->cache, &msg, more ? ZL_FRAME_MORE : 0), 0);
    zl_msg_close(&msg);
    if (!more)
        zl_outq_commit(&f->queue);
}

static void consume(struct fixture *f, size_t count)
{
    zl_outq_consume(&f->queue, &f->cache, count, &f->garbage);
}

/* All that is pending, in one piece; the caller frees it. */
static uint8_t *pending_copy(struct fixture *f, size_t *size)
{
    *size = zl_outq_pending(&f->queue);
    uint8_t *copy = malloc(*size);
    assert_true(copy || !*size);
    zl_outq_copy(&f->queue, copy, *size);
    return copy;
}

static void assert_empty(struct fixture *f)
{
    struct iovec vector;
    size_t total = 1;
    assert_int_equal(zl_outq_pending(&f->queue), 0);
    assert_int_equal(f->queue.messages, 0);
    assert_int_equal(zl_outq_gather(&f->queue, &vector, 1, 1000, &total), 0);
    assert_int_equal(total, 0);
    assert_int_equal(zl_outq_first_message_size(&f->queue), 0);
    assert_true(zl_outq_at_boundary(&f->queue));
}

static void a_new_queue_is_empty(void **state)
{
    struct fixture *f = *state;
    assert_empty(f);
    assert_false(zl_outq_has_open_message(&f->queue));
    zl_outq_rewind(&f->queue);
    zl_outq_rollback(&f->queue, &f->garbage);
    zl_outq_clear(&f->queue, &f->garbage);
    assert_null(f->garbage);
    assert_empty(f);
}

static void frames_have_the_octets_of_the_protocol(void **state)
{
    struct fixture *f = *state;
    struct zl_msg command;
    size_t size;
    memcpy(text, "abc", 3);
    append(f, 3, true);
    append(f, 0, false);
    zl_msg_borrow(&command, "\4PING\0\0", 7);
    assert_int_equal(zl_outq_append(&f->queue, &f->cache, &command, ZL_FRAME_COMMAND), 0);
    zl_outq_commit(&f->queue);
    uint8_t *copy = pending_copy(f, &size);
    assert_hex(copy, size, "01 03 61 62 63  00 00  04 07 04 50 49 4E 47 00 00");
    free(copy);
    assert_int_equal(f->queue.messages, 2);
    assert_int_equal(zl_outq_first_message_size(&f->queue), 7);
    consume(f, 16);
    append(f, 256, false);
    copy = pending_copy(f, &size);
    assert_int_equal(size, 9 + 256);
    assert_hex(copy, 9, "02 00 00 00 00 00 00 01 00");
    assert_memory_equal(copy + 9, text, 256);
    free(copy);
}

static void what_is_not_committed_is_not_seen(void **state)
{
    struct fixture *f = *state;
    append(f, 10, true);
    assert_true(zl_outq_has_open_message(&f->queue));
    assert_empty(f);
    append(f, 20, false);
    append_user(f, 30, true);
    assert_int_equal(zl_outq_pending(&f->queue), 2 + 10 + 2 + 20);
    assert_int_equal(f->queue.messages, 1);
    consume(f, 34);
    assert_empty(f);
    assert_true(zl_outq_has_open_message(&f->queue));
    append(f, 0, false);
    assert_int_equal(zl_outq_pending(&f->queue), 2 + 30 + 2);
    size_t size;
    uint8_t *copy = pending_copy(f, &size);
    assert_memory_equal(copy + 2, text, 30);
    free(copy);
}

static void short_payloads_are_copied_at_once(void **state)
{
    struct fixture *f = *state;
    struct zl_msg msg;
    append_user(f, ZL_REFERENCE_MIN - 1, false);
    assert_int_equal(freed, 1); /* the caller closed it; the queue has its own copy */
    assert_int_equal(f->queue.bytes_copied, ZL_REFERENCE_MIN - 1);
    assert_int_equal(zl_msg_init_copy_of(&msg, text, 5), 0);
    assert_int_equal(zl_outq_append(&f->queue, &f->cache, &msg, 0), 0);
    zl_outq_commit(&f->queue);
    zl_msg_close(&msg);
    assert_int_equal(f->queue.bytes_copied, ZL_REFERENCE_MIN + 4);
}

static void long_payloads_are_referenced_and_freed_when_sent(void **state)
{
    struct fixture *f = *state;
    struct iovec vectors[4];
    size_t total;
    append_user(f, ZL_REFERENCE_MIN, false);
    append(f, 1, false);
    assert_int_equal(f->queue.bytes_copied, 1);
    assert_int_equal(zl_outq_gather(&f->queue, vectors, 4, 1000000, &total), 3);
    assert_int_equal(vectors[0].iov_len, 9);
    assert_ptr_equal(vectors[1].iov_base, text);
    assert_int_equal(vectors[1].iov_len, ZL_REFERENCE_MIN);
    assert_int_equal(vectors[2].iov_len, 3);
    assert_int_equal(total, 9 + ZL_REFERENCE_MIN + 3);
    consume(f, 9 + ZL_REFERENCE_MIN - 1);
    collect(f);
    assert_int_equal(freed, 0); /* the connection may be lost: it would be sent again */
    assert_int_equal(f->queue.messages, 2);
    consume(f, 1);
    assert_int_equal(f->queue.messages, 1);
    consume(f, 3);
    assert_int_equal(freed, 0); /* only by the caller, outside its locks */
    collect(f);
    assert_int_equal(freed, 1);
    assert_empty(f);
}

static void long_payloads_of_the_caller_are_copied_once(void **state)
{
    struct fixture *f = *state;
    struct iovec vectors[4];
    size_t total;
    append(f, ZL_WRITE_ALONE_MIN, false);
    assert_int_equal(f->queue.bytes_copied, ZL_WRITE_ALONE_MIN);
    assert_int_equal(zl_outq_gather(&f->queue, vectors, 4, 1000000, &total), 2);
    assert_ptr_not_equal(vectors[1].iov_base, text);
    assert_memory_equal(vectors[1].iov_base, text, ZL_WRITE_ALONE_MIN);
}

/* Between both limits what must not be kept goes into the batch, beside what is short. */
static void middling_payloads_of_the_caller_join_the_batch(void **state)
{
    struct fixture *f = *state;
    struct iovec vectors[4];
    size_t total;
    append(f, ZL_REFERENCE_MIN, false);
    append(f, 10, false);
    append(f, ZL_WRITE_ALONE_MIN - 1, false);
    assert_int_equal(f->queue.bytes_copied, ZL_REFERENCE_MIN + 10 + ZL_WRITE_ALONE_MIN - 1);
    assert_int_equal(zl_outq_gather(&f->queue, vectors, 4, 1000000, &total), 1);
    assert_int_equal(total, f->queue.bytes_copied + 9 + 2 + 9);
}

static void open_messages_are_taken_back(void **state)
{
    struct fixture *f = *state;
    append(f, 100, false);
    append_user(f, 20, true);
    append_user(f, 100000, true);
    for (int i = 0; i < 30; i++) /* over several chunks */
        append(f, 8000, true);
    zl_outq_rollback(&f->queue, &f->garbage);
    assert_int_equal(freed, 1); /* the copied one */
    collect(f);
    assert_int_equal(freed, 2);
    assert_false(zl_outq_has_open_message(&f->queue));
    assert_int_equal(f->queue.messages, 1);
    assert_int_equal(zl_outq_pending(&f->queue), 102);
    append(f, 3, false);
    size_t size;
    uint8_t *copy = pending_copy(f, &size);
    assert_int_equal(size, 102 + 5);
    assert_memory_equal(copy + 2, text, 100);
    assert_hex(copy + 102, 2, "00 03");
    assert_memory_equal(copy + 104, text, 3);
    free(copy);
}

static void a_lost_connection_gets_whole_messages_again(void **state)
{
    struct fixture *f = *state;
    append(f, 10, false); /* 12 octets */
    append(f, 20, true);  /* 22 + 12 octets */
    append(f, 10, false);
    append(f, 30, false);
    consume(f, 12);
    assert_true(zl_outq_at_boundary(&f->queue));
    zl_outq_rewind(&f->queue);
    assert_int_equal(zl_outq_pending(&f->queue), 22 + 12 + 32);
    consume(f, 33); /* all but the last octet of the second message */
    assert_int_equal(f->queue.messages, 2);
    assert_false(zl_outq_at_boundary(&f->queue));
    zl_outq_rewind(&f->queue);
    assert_int_equal(zl_outq_pending(&f->queue), 22 + 12 + 32);
    assert_int_equal(f->queue.messages, 2);
    assert_true(zl_outq_at_boundary(&f->queue));
    consume(f, 35);
    assert_int_equal(f->queue.messages, 1);
    zl_outq_rewind(&f->queue);
    assert_int_equal(zl_outq_pending(&f->queue), 32);
    consume(f, 32);
    zl_outq_rewind(&f->queue);
    assert_empty(f);
}

static void gathering_stays_within_its_limits(void **state)
{
    struct fixture *f = *state;
    struct iovec vectors[8];
    size_t total;
    append(f, 98, false); /* 100 octets */
    append_user(f, 20000, false);
    append(f, 98, false);
    assert_int_equal(zl_outq_gather(&f->queue, vectors, 8, 50, &total), 1);
    assert_int_equal(total, 50);
    assert_int_equal(zl_outq_gather(&f->queue, vectors, 8, 1, &total), 1);
    assert_int_equal(total, 1);
    assert_int_equal(zl_outq_gather(&f->queue, vectors, 8, 100, &total), 1);
    assert_int_equal(total, 100);
    assert_int_equal(zl_outq_gather(&f->queue, vectors, 1, 100000, &total), 1);
    assert_int_equal(total, 109); /* with the header of the next */
    assert_int_equal(zl_outq_gather(&f->queue, vectors, 2, 100000, &total), 2);
    assert_int_equal(total, 20109);
    assert_int_equal(zl_outq_gather(&f->queue, vectors, 8, 20110, &total), 3);
    assert_int_equal(total, 20110);
    assert_int_equal(zl_outq_gather(&f->queue, vectors, 0, 100, &total), 0);
    assert_int_equal(total, 0);
    /* A referenced payload is not cut: what follows its first octet costs the kernel little. */
    assert_int_equal(zl_outq_gather(&f->queue, vectors, 8, 110, &total), 2);
    assert_int_equal(total, 20109);
}

static void an_idle_queue_keeps_no_memory(void **state)
{
    struct fixture *f = *state;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 100; i++)
            append(f, 8000, false);
        append_user(f, 100000, false);
        consume(f, zl_outq_pending(&f->queue));
        assert_null(f->queue.head);
        assert_null(f->queue.tail);
        assert_empty(f);
        unsigned spare = 0;
        for (struct zl_chunk *chunk = f->cache.spare; chunk; chunk = chunk->next)
            spare++;
        assert_int_equal(spare, f->cache.count);
        assert_in_range(spare, 1, 8); /* a few */
        collect(f);
    }
    assert_int_equal(freed, 3);
}

static void clearing_drops_the_open_message_too(void **state)
{
    struct fixture *f = *state;
    append_user(f, 50000, false);
    append_user(f, 60000, true);
    consume(f, 5);
    zl_outq_clear(&f->queue, &f->garbage);
    assert_int_equal(freed, 0);
    collect(f);
    assert_int_equal(freed, 2);
    assert_empty(f);
    assert_false(zl_outq_has_open_message(&f->queue));
    append(f, 1, false);
    assert_int_equal(f->queue.messages, 1);
    assert_int_equal(zl_outq_pending(&f->queue), 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_queue_is_empty),
        TEST(frames_have_the_octets_of_the_protocol),
        TEST(what_is_not_committed_is_not_seen),
        TEST(short_payloads_are_copied_at_once),
        TEST(long_payloads_are_referenced_and_freed_when_sent),
        TEST(long_payloads_of_the_caller_are_copied_once),
        TEST(middling_payloads_of_the_caller_join_the_batch),
        TEST(open_messages_are_taken_back),
        TEST(a_lost_connection_gets_whole_messages_again),
        TEST(gathering_stays_within_its_limits),
        TEST(an_idle_queue_keeps_no_memory),
        TEST(clearing_drops_the_open_message_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
