/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of payloads that the outbound queue sends from the caller's memory: copied once if the call
   ends before the kernel has them, and not at all otherwise. */
#include "failing_memory.h"

#include "core/content.c"
#include "core/msg.c"
#include "core/outq.c"

#include <errno.h>

enum { SIZE = 50000, HEADER = 9, FRAME = HEADER + SIZE };

struct fixture {
    struct zl_outq queue;
    struct zl_chunk_cache cache;
    struct zl_chunk *garbage;
    uint8_t *memory; /* the caller's; exactly SIZE */
};

static uint8_t octet(size_t i)
{
    return (uint8_t)(i * 11 + (i >> 7));
}

static int setup(void **state)
{
    struct fixture *f = (calloc)(1, sizeof *f);
    uint8_t *memory = (malloc)(SIZE);
    if (!f || !memory)
        return -1;
    for (size_t i = 0; i < SIZE; i++)
        memory[i] = octet(i);
    f->memory = memory;
    zl_outq_init(&f->queue);
    *state = f;
    return 0;
}

/* The caller has its memory back, and does with it what it wants. */
static void take_memory_back(struct fixture *f)
{
    (free)(f->memory); /* the address sanitizer sees whoever still looks */
    f->memory = NULL;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    take_memory_back(f);
    zl_outq_clear(&f->queue, &f->garbage);
    zl_chunks_free(f->garbage);
    zl_chunks_free(f->cache.spare);
    (free)(f);
    return live_blocks == 0 ? 0 : -1;
}

static void borrow(struct fixture *f)
{
    struct zl_msg msg;
    zl_msg_borrow(&msg, f->memory, SIZE);
    assert_int_equal(zl_outq_append_borrowed(&f->queue, &f->cache, &msg, 0), 0);
    assert_int_equal(msg.kind, ZL_MSG_INLINE);
    assert_int_equal(zl_msg_size(&msg), 0);
    zl_outq_commit(&f->queue);
}

static void append_short(struct fixture *f, const char *text, bool more)
{
    struct zl_msg msg;
    zl_msg_borrow(&msg, text, strlen(text));
    assert_int_equal(zl_outq_append(&f->queue, &f->cache, &msg, more ? ZL_FRAME_MORE : 0), 0);
    if (!more)
        zl_outq_commit(&f->queue);
}

static void consume(struct fixture *f, size_t count)
{
    zl_outq_consume(&f->queue, &f->cache, count, &f->garbage);
}

/* What is pending ends with the octets of the payload from `from` on, and `behind` octets. */
static void expect_payload(struct fixture *f, size_t from, size_t behind)
{
    size_t pending = zl_outq_pending(&f->queue);
    assert_true(pending >= SIZE - from + behind);
    uint8_t *octets = (malloc)(pending);
    assert_non_null(octets);
    zl_outq_copy(&f->queue, octets, pending);
    const uint8_t *payload = octets + pending - behind - (SIZE - from);
    for (size_t i = from; i < SIZE; i++)
        if (payload[i - from] != octet(i))
            fail_msg("octet %zu is wrong", i);
    (free)(octets);
}

static void it_goes_from_the_callers_memory(void **state)
{
    struct fixture *f = *state;
    struct iovec vectors[4];
    size_t total;
    borrow(f);
    assert_int_equal(zl_outq_pending(&f->queue), FRAME);
    assert_int_equal(f->queue.messages, 1);
    assert_int_equal(zl_outq_gather(&f->queue, vectors, 4, 1 << 20, &total), 2);
    assert_int_equal(total, FRAME);
    assert_int_equal(vectors[0].iov_len, HEADER);
    assert_ptr_equal(vectors[1].iov_base, f->memory);
    assert_int_equal(vectors[1].iov_len, SIZE);
    expect_payload(f, 0, 0);
    assert_int_equal(f->queue.bytes_copied, 0);
    consume(f, FRAME);
    assert_null(f->queue.borrowed);
    zl_outq_keep_borrowed(&f->queue); /* nothing to keep */
    assert_int_equal(f->queue.bytes_copied, 0);
    assert_int_equal(f->queue.messages, 0);
    assert_int_equal(zl_outq_pending(&f->queue), 0);
}

static void what_the_kernel_left_is_kept_once(void **state)
{
    static const size_t taken[] = {0, 1, HEADER, HEADER + 1, FRAME / 2, FRAME - 1};
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        uint64_t copied = f->queue.bytes_copied;
        borrow(f);
        consume(f, taken[i]);
        assert_non_null(f->queue.borrowed);
        zl_outq_keep_borrowed(&f->queue);
        assert_null(f->queue.borrowed);
        assert_int_equal(f->queue.bytes_copied, copied + SIZE);
        memset(f->memory, 0, SIZE);
        expect_payload(f, taken[i] < HEADER ? 0 : taken[i] - HEADER, 0);
        zl_outq_keep_borrowed(&f->queue);
        assert_int_equal(f->queue.bytes_copied, copied + SIZE);
        consume(f, FRAME - taken[i]);
        assert_int_equal(zl_outq_pending(&f->queue), 0);
        for (size_t k = 0; k < SIZE; k++)
            f->memory[k] = octet(k);
    }
}

static void the_caller_may_free_its_memory(void **state)
{
    struct fixture *f = *state;
    borrow(f);
    consume(f, 12345);
    zl_outq_keep_borrowed(&f->queue);
    take_memory_back(f);
    expect_payload(f, 12345 - HEADER, 0);
}

static void a_kept_payload_is_sent_again_whole(void **state)
{
    struct fixture *f = *state;
    append_short(f, "first", false);
    borrow(f);
    consume(f, 7 + HEADER + 30000);
    zl_outq_keep_borrowed(&f->queue);
    take_memory_back(f);
    zl_outq_rewind(&f->queue); /* the connection is lost */
    assert_int_equal(zl_outq_pending(&f->queue), FRAME);
    expect_payload(f, 0, 0);
    consume(f, FRAME);
    assert_int_equal(f->queue.messages, 0);
}

/* The connection may be lost while the payload is still the caller's. */
static void it_may_be_rewound_before_it_is_kept(void **state)
{
    struct fixture *f = *state;
    borrow(f);
    consume(f, FRAME - 1);
    zl_outq_rewind(&f->queue);
    zl_outq_keep_borrowed(&f->queue);
    take_memory_back(f);
    assert_int_equal(zl_outq_pending(&f->queue), FRAME);
    expect_payload(f, 0, 0);
    assert_int_equal(f->queue.bytes_copied, SIZE);
}

/* Between others, also such as were appended by another thread during the write. */
static void others_lie_around_it(void **state)
{
    struct fixture *f = *state;
    append_short(f, "envelope", true);
    borrow(f); /* the last part of a message */
    append_short(f, "behind", false);
    append_short(f, "open", true);
    assert_int_equal(f->queue.messages, 2);
    consume(f, 10 + HEADER + 5);
    assert_non_null(f->queue.borrowed);
    expect_payload(f, 5, 8);
    consume(f, SIZE - 5);
    assert_null(f->queue.borrowed);
    take_memory_back(f);
    assert_int_equal(f->queue.messages, 1);
    uint8_t rest[8];
    assert_int_equal(zl_outq_pending(&f->queue), sizeof rest);
    zl_outq_copy(&f->queue, rest, sizeof rest);
    assert_memory_equal(rest, "\0\6behind", sizeof rest);
    assert_int_equal(f->queue.bytes_copied, 8 + 6 + 4);
}

static void one_after_the_other(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 5; i++) {
        borrow(f);
        if (i % 2)
            zl_outq_keep_borrowed(&f->queue);
        else
            consume(f, zl_outq_pending(&f->queue));
        assert_null(f->queue.borrowed);
    }
    assert_int_equal(f->queue.bytes_copied, 2 * SIZE);
    assert_int_equal(zl_outq_pending(&f->queue), 0);
}

static void it_is_forgotten_when_the_queue_is_cleared(void **state)
{
    struct fixture *f = *state;
    borrow(f);
    consume(f, 100);
    zl_outq_clear(&f->queue, &f->garbage);
    assert_null(f->queue.borrowed);
    take_memory_back(f);
    zl_outq_keep_borrowed(&f->queue);
    assert_int_equal(zl_outq_pending(&f->queue), 0);
}

/* With ever more memory, until it works. Returns how often it did not. */
static unsigned borrow_without_memory(struct fixture *f)
{
    struct zl_msg msg, before;
    zl_msg_borrow(&msg, f->memory, SIZE);
    for (unsigned failures = 0;; failures++) {
        struct zl_outq queue = f->queue;
        before = msg;
        granted = (long)failures;
        int rc = zl_outq_append_borrowed(&f->queue, &f->cache, &msg, 0);
        granted = -1;
        if (rc == 0)
            return failures;
        assert_int_equal(rc, -ENOMEM);
        assert_memory_equal(&msg, &before, sizeof msg); /* still the caller's */
        assert_int_equal(f->queue.appended, queue.appended);
        assert_int_equal(f->queue.bytes_copied, queue.bytes_copied);
        assert_int_equal(f->queue.messages, queue.messages);
        assert_null(f->queue.borrowed);
        assert_int_equal(zl_outq_pending(&f->queue), (size_t)(queue.appended - queue.sent.offset));
    }
}

static void a_failed_append_changes_nothing(void **state)
{
    struct fixture *f = *state;
    /* A chunk for the header, which stays; one for the reference, memory to keep the payload in. */
    assert_int_equal(borrow_without_memory(f), 2);
    zl_outq_commit(&f->queue);
    /* To keep it needs none. */
    granted = 0;
    zl_outq_keep_borrowed(&f->queue);
    granted = -1;
    take_memory_back(f);
    expect_payload(f, 0, 0);
}

static void a_failed_append_leaves_what_was_there(void **state)
{
    struct fixture *f = *state;
    append_short(f, "before", false);
    assert_int_equal(borrow_without_memory(f), 2); /* the header has room */
    zl_outq_commit(&f->queue);
    consume(f, 8 + FRAME);
    assert_int_equal(f->queue.bytes_copied, 6);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_goes_from_the_callers_memory),
        TEST(what_the_kernel_left_is_kept_once),
        TEST(the_caller_may_free_its_memory),
        TEST(a_kept_payload_is_sent_again_whole),
        TEST(it_may_be_rewound_before_it_is_kept),
        TEST(others_lie_around_it),
        TEST(one_after_the_other),
        TEST(it_is_forgotten_when_the_queue_is_cleared),
        TEST(a_failed_append_changes_nothing),
        TEST(a_failed_append_leaves_what_was_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
