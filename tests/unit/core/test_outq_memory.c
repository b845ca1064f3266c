/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of the outbound queue without memory: an append that fails has changed nothing. */
#include "failing_memory.h"

#include "core/content.c"
#include "core/msg.c"
#include "core/outq.c"

enum { TEXT_SIZE = 70000 };

static uint8_t text[TEXT_SIZE];

static void ignore_free(void *data, void *hint)
{
    (void)data;
    ++*(unsigned *)hint;
}

struct fixture {
    struct zl_outq queue;
    struct zl_chunk_cache cache;
    struct zl_chunk *garbage;
    unsigned freed;
};

enum kind { BORROWED, USER, OWN };

static void make(struct fixture *f, struct zl_msg *msg, enum kind kind, size_t size)
{
    long before = granted;
    granted = -1;
    if (kind == BORROWED)
        zl_msg_borrow(msg, text, size);
    else if (kind == USER)
        assert_int_equal(zl_msg_init_data(msg, text, size, ignore_free, &f->freed), 0);
    else
        assert_int_equal(zl_msg_init_copy_of(msg, text, size), 0);
    granted = before;
}

/* Appends with ever more memory until it works. Returns how often it failed. */
static unsigned append(struct fixture *f, enum kind kind, size_t size, bool more)
{
    struct zl_msg msg, before;
    unsigned failures = 0;
    int rc = -ENOMEM;
    make(f, &msg, kind, size);
    while (rc < 0) {
        uint64_t appended = f->queue.appended, copied = f->queue.bytes_copied;
        size_t pending = zl_outq_pending(&f->queue);
        before = msg;
        granted = (long)failures;
        rc = zl_outq_append(&f->queue, &f->cache, &msg, more ? ZL_FRAME_MORE : 0);
        granted = -1;
        if (rc == 0)
            break;
        failures++;
        assert_int_equal(rc, -ENOMEM);
        assert_memory_equal(&msg, &before, sizeof msg); /* still the caller's */
        assert_int_equal(f->queue.appended, appended);
        assert_int_equal(f->queue.bytes_copied, copied);
        assert_int_equal(zl_outq_pending(&f->queue), pending);
    }
    zl_msg_close(&msg);
    if (!more)
        zl_outq_commit(&f->queue);
    return failures;
}

/* The frames of these sizes, and nothing else, are in the queue. */
static void expect(struct fixture *f, const size_t *sizes, size_t count)
{
    size_t pending = zl_outq_pending(&f->queue), at = 0;
    uint8_t *octets = (malloc)(pending);
    assert_non_null(octets);
    zl_outq_copy(&f->queue, octets, pending);
    for (size_t i = 0; i < count; i++) {
        struct zl_frame_header header;
        assert_true(zl_zmtp_get_header(octets + at, octets + pending, &header) > 0);
        assert_int_equal(header.body_size, sizes[i]);
        at += header.header_size;
        assert_memory_equal(octets + at, text, sizes[i]);
        at += sizes[i];
    }
    assert_int_equal(at, pending);
    (free)(octets);
}

static void finish(struct fixture *f)
{
    zl_outq_clear(&f->queue, &f->garbage);
    zl_chunks_free(f->garbage);
    zl_chunks_free(f->cache.spare);
    assert_int_equal(live_blocks, 0);
}

static int setup(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i * 3 + (i >> 8));
    return 0;
}

/* Every message after every other: onto nothing, a chunk with room, one without, a reference. */
static void a_failed_append_changes_nothing(void **state)
{
    static const size_t sizes[] = {0, 10, 8000, 8192, 32768, TEXT_SIZE};
    enum { SIZES = sizeof sizes / sizeof *sizes, CASES = SIZES * 3 };
    (void)state;
    for (unsigned i = 0; i < CASES * CASES; i++) {
        struct fixture f;
        memset(&f, 0, sizeof f);
        size_t all[] = {sizes[i % SIZES], 8100, 8100, sizes[i / CASES % SIZES]};
        assert_true(append(&f, i % CASES / SIZES, all[0], false) >= 1);
        append(&f, BORROWED, all[1], true);
        append(&f, OWN, all[2], false);
        append(&f, i / CASES / SIZES, all[3], i % 2);
        if (i % 2)
            zl_outq_rollback(&f.queue, &f.garbage);
        assert_int_equal(f.queue.messages, i % 2 ? 2 : 3);
        expect(&f, all, i % 2 ? 3 : 4);
        finish(&f);
    }
}

static void what_needs_memory(void **state)
{
    struct fixture f;
    (void)state;
    memset(&f, 0, sizeof f);
    assert_int_equal(append(&f, OWN, 10, false), 1);
    assert_int_equal(append(&f, OWN, 10, false), 0);         /* there is room */
    assert_int_equal(append(&f, BORROWED, 40000, false), 2); /* a reference, and what it is to */
    assert_int_equal(append(&f, OWN, 10, false), 1);         /* behind it there is no room */
    assert_int_equal(append(&f, USER, 10000, false), 1);     /* a reference */
    finish(&f);
    assert_int_equal(f.freed, 1);
}

static void spare_chunks_need_no_memory(void **state)
{
    struct fixture f;
    (void)state;
    memset(&f, 0, sizeof f);
    assert_int_equal(append(&f, OWN, 8000, false), 1);
    zl_outq_consume(&f.queue, &f.cache, zl_outq_pending(&f.queue), &f.garbage);
    assert_int_equal(f.cache.count, 1);
    assert_int_equal(append(&f, OWN, 10, false), 0);
    assert_int_equal(f.cache.count, 0);
    finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_failed_append_changes_nothing, setup),
        cmocka_unit_test_setup(what_needs_memory, setup),
        cmocka_unit_test_setup(spare_chunks_need_no_memory, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
