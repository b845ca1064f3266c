/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of the message ring, by one thread: visibility, taking back, recycling, closing. */
#include "unit/wire/octets.h"

#include "core/ring.h"

/* Capacity of the first segment, and the number of parts in the first two. The tests walk over all
   places around these borders, so nothing breaks when the sizes change; they only find less. */
enum { FIRST = 8, SECOND = 263 };

static unsigned closed; /* calls of note_closed */

static void note_closed(void *data, void *hint)
{
    (void)data;
    (void)hint;
    closed++;
}

/* One part: its number, in memory whose release is counted. */
static void push(struct zl_ring *ring, uint64_t *number, bool more)
{
    struct zl_msg *slot = zl_ring_slot(ring);
    assert_non_null(slot);
    assert_int_equal(zl_msg_init_data(slot, number, sizeof *number, note_closed, NULL), 0);
    slot->flags = more ? ZL_MSG_MORE : 0;
    zl_ring_push(ring);
}

static void pop(struct zl_ring *ring, uint64_t number)
{
    assert_true(zl_ring_readable(ring));
    struct zl_msg *front = zl_ring_front(ring);
    assert_int_equal(zl_msg_size(front), sizeof number);
    assert_memory_equal(zl_msg_data(front), &number, sizeof number);
    zl_msg_close(front);
    zl_ring_pop(ring);
}

enum { NUMBERS = 4096 };
static uint64_t numbers[NUMBERS];

static int setup(void **state)
{
    (void)state;
    closed = 0;
    for (uint64_t i = 0; i < NUMBERS; i++)
        numbers[i] = i;
    return 0;
}

static void a_new_ring_is_empty_and_owns_nothing(void **state)
{
    struct zl_ring ring;
    (void)state;
    zl_ring_init(&ring);
    assert_false(zl_ring_readable(&ring));
    zl_ring_rollback(&ring);
    zl_ring_commit(&ring);
    zl_ring_publish(&ring);
    assert_false(zl_ring_readable(&ring));
    zl_ring_free(&ring);
    assert_null(ring.head);
}

static void parts_are_seen_when_they_are_published(void **state)
{
    struct zl_ring ring;
    (void)state;
    zl_ring_init(&ring);
    push(&ring, &numbers[0], true);
    zl_ring_publish(&ring);
    assert_false(zl_ring_readable(&ring)); /* not committed */
    push(&ring, &numbers[1], false);
    zl_ring_commit(&ring);
    assert_false(zl_ring_readable(&ring)); /* not published */
    push(&ring, &numbers[2], true);
    zl_ring_publish(&ring); /* up to the commit only */
    pop(&ring, 0);
    pop(&ring, 1);
    assert_false(zl_ring_readable(&ring));
    zl_ring_commit(&ring);
    zl_ring_publish(&ring);
    pop(&ring, 2);
    assert_int_equal(closed, 3);
    zl_ring_free(&ring);
}

static void a_slot_that_was_not_pushed_is_handed_out_again(void **state)
{
    struct zl_ring ring;
    (void)state;
    zl_ring_init(&ring);
    struct zl_msg *slot = zl_ring_slot(&ring);
    assert_non_null(slot);
    assert_ptr_equal(zl_ring_slot(&ring), slot);
    zl_ring_rollback(&ring); /* closes nothing: the slot holds garbage */
    assert_ptr_equal(zl_ring_slot(&ring), slot);
    zl_ring_free(&ring);
}

static void parts_come_in_order_over_many_segments(void **state)
{
    struct zl_ring ring;
    (void)state;
    zl_ring_init(&ring);
    for (size_t i = 0; i < NUMBERS; i++) {
        push(&ring, &numbers[i], false);
        zl_ring_commit(&ring);
    }
    zl_ring_publish(&ring);
    for (size_t i = 0; i < NUMBERS; i++)
        pop(&ring, i);
    assert_false(zl_ring_readable(&ring));
    assert_int_equal(closed, NUMBERS);
    zl_ring_free(&ring);
    assert_int_equal(closed, NUMBERS);
}

/* Commits `before` parts, takes `open` parts back, commits `after` more; the consumer has read
   `read` of the first ones when the parts are taken back. */
static void take_back(unsigned before, unsigned open, unsigned after, unsigned read)
{
    struct zl_ring ring;
    closed = 0;
    zl_ring_init(&ring);
    for (unsigned i = 0; i < before; i++)
        push(&ring, &numbers[i], false);
    zl_ring_commit(&ring);
    zl_ring_publish(&ring);
    for (unsigned i = 0; i < read; i++)
        pop(&ring, i);
    for (unsigned i = 0; i < open; i++)
        push(&ring, &numbers[NUMBERS - 1], true);
    zl_ring_rollback(&ring);
    assert_int_equal(closed, read + open);
    zl_ring_rollback(&ring); /* nothing more to take back */
    assert_int_equal(closed, read + open);
    for (unsigned i = 0; i < after; i++)
        push(&ring, &numbers[before + i], false);
    zl_ring_commit(&ring);
    zl_ring_publish(&ring);
    for (unsigned i = read; i < before + after; i++)
        pop(&ring, i);
    assert_false(zl_ring_readable(&ring));
    zl_ring_free(&ring);
    assert_int_equal(closed, before + open + after);
}

static void parts_are_taken_back_over_segment_borders(void **state)
{
    static const unsigned counts[] = {0,  1,          2,      FIRST - 1,  FIRST,      FIRST + 1,
                                      17, SECOND - 1, SECOND, SECOND + 1, SECOND + 8, 2 * 255};
    enum { COUNTS = sizeof counts / sizeof *counts };
    (void)state;
    for (unsigned before = 0; before < COUNTS; before++)
        for (unsigned open = 0; open < COUNTS; open++)
            for (unsigned after = 0; after < COUNTS; after++) {
                take_back(counts[before], counts[open], counts[after], 0);
                take_back(counts[before], counts[open], counts[after], counts[before] / 2);
                take_back(counts[before], counts[open], counts[after], counts[before]);
            }
}

static void note_dropped(void *arg, struct zl_msg *part)
{
    uint64_t number, *expected = arg;
    memcpy(&number, zl_msg_data(part), sizeof number);
    assert_int_equal(number, *expected);
    ++*expected;
    zl_msg_close(part);
}

/* Where the caller disposes of what is taken back: every open part, in order, and only those. */
static void parts_taken_back_are_handed_over(void **state)
{
    struct zl_ring ring;
    uint64_t next = 5;
    (void)state;
    zl_ring_init(&ring);
    for (unsigned i = 0; i < SECOND + 10; i++) {
        push(&ring, &numbers[i], i >= 5);
        if (i < 5)
            zl_ring_commit(&ring);
    }
    zl_ring_rollback_with(&ring, note_dropped, &next);
    assert_int_equal(next, SECOND + 10);
    zl_ring_rollback_with(&ring, note_dropped, &next);
    assert_int_equal(next, SECOND + 10);
    zl_ring_publish(&ring);
    for (unsigned i = 0; i < 5; i++)
        pop(&ring, i);
    assert_false(zl_ring_readable(&ring));
    zl_ring_free(&ring);
}

static void freeing_closes_what_is_inside(void **state)
{
    static const unsigned counts[] = {0, 1, FIRST, FIRST + 1, SECOND, SECOND + 1, 600};
    enum { COUNTS = sizeof counts / sizeof *counts };
    (void)state;
    for (unsigned i = 0; i < COUNTS * COUNTS * COUNTS; i++) {
        unsigned published = counts[i % COUNTS], committed = counts[i / COUNTS % COUNTS],
                 open = counts[i / COUNTS / COUNTS];
        struct zl_ring ring;
        closed = 0;
        zl_ring_init(&ring);
        for (unsigned n = 0; n < published; n++)
            push(&ring, &numbers[n], false);
        zl_ring_commit(&ring);
        zl_ring_publish(&ring);
        for (unsigned n = 0; n < published / 2; n++)
            pop(&ring, n);
        for (unsigned n = 0; n < committed; n++)
            push(&ring, &numbers[n], false);
        zl_ring_commit(&ring);
        for (unsigned n = 0; n < open; n++)
            push(&ring, &numbers[n], true);
        /* What is committed belongs to the consumer, shown or not. */
        zl_ring_publish(&ring);
        zl_ring_free(&ring);
        assert_int_equal(closed, published + committed + open);
        assert_false(zl_ring_readable(&ring)); /* usable again */
        push(&ring, &numbers[0], false);
        zl_ring_free(&ring);
        assert_int_equal(closed, published + committed + open + 1);
    }
}

static void step(struct zl_ring *ring, uint64_t number)
{
    push(ring, &numbers[number], false);
    zl_ring_commit(ring);
    zl_ring_publish(ring);
    pop(ring, number);
}

/* A consumer that keeps up sends the same segments round and round. */
static void emptied_segments_are_used_again(void **state)
{
    struct zl_ring ring;
    (void)state;
    zl_ring_init(&ring);
    uint64_t number = 0;
    step(&ring, number++);
    struct zl_ring_segment *current = ring.tail;
    unsigned changes = 0;
    for (; number < NUMBERS; number++) {
        struct zl_ring_segment *spare = atomic_load(&ring.spare);
        step(&ring, number);
        if (ring.tail == current)
            continue;
        if (spare) {
            assert_ptr_equal(ring.tail, spare);
            changes++;
        }
        current = ring.tail;
        assert_ptr_equal(ring.head, ring.tail);
        assert_non_null(atomic_load(&ring.spare)); /* the one just left */
        assert_null(ring.tail->next);
    }
    assert_true(changes > 5);
    zl_ring_free(&ring);
}

/* Random operations against two counters: parts are numbered, so their order shows all. */
static void agrees_with_a_model(uint64_t seed)
{
    struct zl_ring ring;
    uint64_t pushed = 0, committed = 0, published = 0, popped = 0, taken_back = 0;
    zl_ring_init(&ring);
    closed = 0;
    /* Runs of one operation, some long, make full, empty and bordering rings likely. */
    for (unsigned round = 0; round < 1500; round++) {
        unsigned kind = octets_random(&seed) % 16;
        unsigned run = octets_random(&seed) % (octets_random(&seed) % 8 ? 12 : 400);
        if (kind < 6) {
            for (; run && pushed < NUMBERS; run--)
                push(&ring, &numbers[pushed++], true);
        } else if (kind < 9) {
            zl_ring_commit(&ring);
            committed = pushed;
        } else if (kind < 10) {
            zl_ring_rollback(&ring);
            taken_back += pushed - committed;
            pushed = committed;
        } else if (kind < 12) {
            zl_ring_publish(&ring);
            published = committed;
        } else {
            for (; run && popped < published; run--)
                pop(&ring, popped++);
        }
        assert_int_equal(zl_ring_readable(&ring), popped < published);
        assert_int_equal(closed, popped + taken_back);
    }
    uint64_t all = pushed + taken_back;
    zl_ring_publish(&ring);
    zl_ring_free(&ring);
    assert_int_equal(closed, all);
}

static void random_operations(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++)
        agrees_with_a_model(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_new_ring_is_empty_and_owns_nothing, setup),
        cmocka_unit_test_setup(parts_are_seen_when_they_are_published, setup),
        cmocka_unit_test_setup(a_slot_that_was_not_pushed_is_handed_out_again, setup),
        cmocka_unit_test_setup(parts_come_in_order_over_many_segments, setup),
        cmocka_unit_test_setup(parts_are_taken_back_over_segment_borders, setup),
        cmocka_unit_test_setup(parts_taken_back_are_handed_over, setup),
        cmocka_unit_test_setup(freeing_closes_what_is_inside, setup),
        cmocka_unit_test_setup(emptied_segments_are_used_again, setup),
        cmocka_unit_test_setup(random_operations, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
