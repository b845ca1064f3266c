/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of the pool of long payloads: what it keeps, for whom, and how much. Where the address
   sanitizer has to see every use after the end the pool is off, and keeps nothing. */
#include "failing_memory.h"

#include "core/content.c"

enum { POOLS = POOL_LIMIT > 0, HEAD = sizeof(struct zl_content) };

static struct zl_content *made(size_t size)
{
    struct zl_content *content = zl_content_new(size);
    assert_non_null(content);
    assert_int_equal(content->size, size);
    assert_ptr_equal(content->data, content + 1);
    return content;
}

static int join(void **state)
{
    (void)state;
    zl_content_pool_join();
    return 0;
}

static int leave(void **state)
{
    (void)state;
    zl_content_pool_leave();
    return live_blocks == 0 && pool.held == 0 && pool.users == 0 ? 0 : -1;
}

static void classes_hold_what_they_are_for(void **state)
{
    (void)state;
    assert_int_equal(class_for(0), 0);
    assert_int_equal(class_for(ZL_CONTENT_POOL_MIN - 1), 0);
    assert_int_equal(class_for(ZL_CONTENT_POOL_MIN), 1);
    assert_int_equal(class_for(ZL_CONTENT_POOL_MAX + 1), 0);
    assert_int_equal(class_for(SIZE_MAX), 0);
    uint32_t before = 1;
    for (size_t total = ZL_CONTENT_POOL_MIN; total <= ZL_CONTENT_POOL_MAX; total++) {
        uint32_t class = class_for(total);
        assert_true(class == before || class == before + 1);
        assert_true(class <= CLASSES);
        assert_true(class_size(class) >= total);
        /* The smallest that does, so at most a fifth of it is unused. */
        assert_true(class == 1 || class_size(class - 1) < total);
        assert_true(total >= class_size(class) / 5 * 4);
        before = class;
    }
}

static void a_released_block_is_used_again(void **state)
{
    (void)state;
    struct zl_content *first = made(100000);
    struct zl_content *second = made(100000);
    assert_ptr_not_equal(first, second);
    zl_content_release(first);
    zl_content_release(second);
    assert_int_equal(live_blocks, POOLS ? 2 : 0);
    if (!POOLS)
        return;
    /* The warmest first, for any size of the class. */
    struct zl_content *again = made(99000);
    assert_ptr_equal(again, second);
    memset(again->data, 1, 99000);
    assert_ptr_equal(made(100000), first);
    assert_int_equal(pool.held, 0);
    assert_int_equal(live_blocks, 2);
    zl_content_release(first);
    zl_content_release(again);
}

static void a_block_has_room_for_the_largest_of_its_class(void **state)
{
    (void)state;
    for (uint32_t class = 1; class_size(class) <= ZL_CONTENT_POOL_MAX; class ++) {
        size_t least = class > 1 ? class_size(class - 1) + 1 - HEAD : ZL_CONTENT_POOL_MIN - HEAD;
        size_t most = class_size(class) - HEAD;
        struct zl_content *content = made(least);
        assert_int_equal(content->pool_class, class);
        zl_content_release(content);
        content = made(most);
        assert_int_equal(content->pool_class, class);
        memset(content->data, 1, most); /* all of it is ours */
        zl_content_release(content);
        assert_int_equal(live_blocks, POOLS ? class : 0);
    }
}

static void classes_do_not_mix(void **state)
{
    (void)state;
    struct zl_content *large = made(60000);
    zl_content_release(large);
    struct zl_content *small = made(30000);
    assert_int_equal(live_blocks, POOLS ? 2 : 1);
    zl_content_release(small);
}

static void short_and_huge_ones_do_not_stay(void **state)
{
    static const size_t sizes[] = {
        0, 1, 1000, ZL_CONTENT_POOL_MIN - HEAD - 1, ZL_CONTENT_POOL_MAX - HEAD + 1, 3u << 20};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct zl_content *content = made(sizes[i]);
        assert_int_equal(content->pool_class, 0);
        zl_content_release(content);
        assert_int_equal(live_blocks, 0);
    }
}

static void only_the_last_reference_gives_back(void **state)
{
    (void)state;
    struct zl_content *content = made(20000);
    zl_content_acquire(content);
    zl_content_release(content);
    assert_int_equal(pool.held, 0);
    content->data[19999] = 1;
    zl_content_release(content);
    assert_int_equal(pool.held, POOLS ? class_size(class_for(20000 + HEAD)) : 0);
}

static void nothing_is_kept_without_a_user(void **state)
{
    (void)state;
    zl_content_release(made(50000));
    assert_int_equal(live_blocks, 0);
    zl_content_pool_join();
    zl_content_pool_join();
    struct zl_content *late = made(70000);
    zl_content_release(made(50000));
    assert_int_equal(live_blocks, POOLS ? 2 : 1);
    zl_content_pool_leave();
    assert_int_equal(live_blocks, POOLS ? 2 : 1);
    zl_content_pool_leave();
    assert_int_equal(live_blocks, 1); /* what is in use stays */
    late->data[69999] = 1;
    zl_content_release(late);
    assert_int_equal(live_blocks, 0);
    assert_int_equal(pool.held, 0);
}

static void it_keeps_no_more_than_its_limit(void **state)
{
    enum { LARGE = 1000 * 1000, COUNT = 16 };
    struct zl_content *contents[COUNT];
    size_t each = class_size(class_for(LARGE + HEAD));
    (void)state;
    for (size_t i = 0; i < COUNT; i++)
        contents[i] = made(LARGE);
    for (size_t i = 0; i < COUNT; i++)
        zl_content_release(contents[i]);
    assert_int_equal(live_blocks, POOL_LIMIT / each);
    assert_true(live_blocks < COUNT);
    assert_int_equal(pool.held, POOL_LIMIT / each * each);
    /* What was taken out leaves room again. */
    for (size_t i = 0; i < COUNT; i++)
        contents[i] = made(LARGE);
    assert_int_equal(pool.held, 0);
    for (size_t i = 0; i < COUNT; i++)
        zl_content_release(contents[i]);
    assert_int_equal(pool.held, POOL_LIMIT / each * each);
}

static void a_smaller_block_fits_where_a_larger_one_does_not(void **state)
{
    enum { LARGE = 900 * 1000, COUNT = 10 };
    struct zl_content *contents[COUNT];
    (void)state;
    for (size_t i = 0; i < COUNT; i++)
        contents[i] = made(LARGE);
    struct zl_content *small = made(9000);
    for (size_t i = 0; i < COUNT; i++)
        zl_content_release(contents[i]);
    size_t held = pool.held;
    zl_content_release(small);
    if (POOLS && held + class_size(class_for(9000 + HEAD)) <= POOL_LIMIT)
        assert_int_equal(pool.held, held + class_size(class_for(9000 + HEAD)));
    else
        assert_int_equal(pool.held, held);
}

static uint8_t octet(size_t i)
{
    return (uint8_t)(i * 7 + (i >> 8));
}

static void assert_filled(const struct zl_content *content, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (content->data[i] != octet(i))
            fail_msg("octet %zu of %zu is lost", i, size);
}

static void growing_keeps_the_octets(void **state)
{
    static const size_t sizes[] = {
        10,    5000,   8191 - HEAD, 8192 - HEAD, 8193 - HEAD,    9000,           10240,   10241,
        70000, 524288, 600000,      1048576,     1052672 - HEAD, 1052673 - HEAD, 3000000, 3000001};
    (void)state;
    struct zl_content *content = made(0);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t old = content->size;
        content = zl_content_grow(content, sizes[i]);
        assert_non_null(content);
        assert_int_equal(content->size, sizes[i]);
        assert_ptr_equal(content->data, content + 1);
        assert_int_equal(content->pool_class, class_for(sizes[i] + HEAD));
        assert_filled(content, old);
        for (size_t k = old; k < sizes[i]; k++)
            content->data[k] = octet(k);
    }
    /* And back: what is left is the beginning. */
    for (size_t i = sizeof sizes / sizeof *sizes; i-- > 0;) {
        content = zl_content_grow(content, sizes[i]);
        assert_non_null(content);
        assert_int_equal(content->pool_class, class_for(sizes[i] + HEAD));
        assert_filled(content, sizes[i]);
    }
    zl_content_release(content);
    if (!POOLS)
        assert_int_equal(live_blocks, 0);
}

static void growing_gives_the_old_block_back(void **state)
{
    (void)state;
    struct zl_content *content = made(20000);
    struct zl_content *grown = zl_content_grow(content, 40000);
    assert_ptr_not_equal(grown, content);
    assert_int_equal(live_blocks, POOLS ? 2 : 1);
    if (POOLS)
        assert_ptr_equal(made(20000), content);
    zl_content_release(grown);
    if (POOLS)
        zl_content_release(content);
}

static void without_memory_the_old_one_stays(void **state)
{
    static const size_t from[] = {100, 9000, 500000, 2000000};
    (void)state;
    for (size_t i = 0; i < sizeof from / sizeof *from; i++) {
        for (size_t k = 0; k < sizeof from / sizeof *from; k++) {
            struct zl_content *content = made(from[i]);
            content->data[from[i] - 1] = 42;
            granted = 0;
            assert_null(zl_content_grow(content, 2 * from[k] + 100000));
            assert_null(zl_content_grow(content, SIZE_MAX - HEAD + 1));
            granted = -1;
            assert_int_equal(content->size, from[i]);
            assert_int_equal(content->data[from[i] - 1], 42);
            zl_content_release(content);
            zl_content_pool_leave(); /* empties the pool */
            zl_content_pool_join();
            assert_int_equal(live_blocks, 0);
        }
    }
    granted = 0;
    assert_null(zl_content_new(10));
    assert_null(zl_content_new(100000));
    assert_null(zl_content_wrap(&granted, 1, NULL, NULL));
    granted = -1;
}

static void count_call(void *data, void *hint)
{
    assert_ptr_equal(data, &granted);
    ++*(int *)hint;
}

static void wrapped_memory_stays_the_users(void **state)
{
    int calls = 0;
    (void)state;
    /* As long as what the pool takes: only the head is ours. */
    struct zl_content *content = zl_content_wrap(&granted, 100000, count_call, &calls);
    assert_non_null(content);
    assert_ptr_equal(content->data, &granted);
    assert_int_equal(content->size, 100000);
    zl_content_acquire(content);
    zl_content_release(content);
    assert_int_equal(calls, 0);
    zl_content_release(content);
    assert_int_equal(calls, 1);
    assert_int_equal(live_blocks, 0);
}

static void a_forked_child_begins_with_nothing(void **state)
{
    (void)state;
    zl_content_pool_join();
    struct zl_content *kept = made(30000);
    zl_content_release(kept);
    zl_gate_lock(&pool.lock); /* as if another thread had been inside */
    zl_content_pool_after_fork();
    struct zl_content *fresh = made(30000);
    if (POOLS)
        assert_ptr_not_equal(fresh, kept);
    zl_content_release(fresh);
    assert_int_equal(pool.held, 0);
    assert_int_equal(live_blocks, POOLS ? 1 : 0);
    if (POOLS)
        free(kept); /* the parent's */
    zl_content_pool_join();
    zl_content_release(made(30000));
    assert_int_equal(live_blocks, POOLS ? 1 : 0);
    zl_content_pool_leave();
    assert_int_equal(live_blocks, 0);
}

#define WITH_USER(test) cmocka_unit_test_setup_teardown(test, join, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_hold_what_they_are_for),
        WITH_USER(a_released_block_is_used_again),
        WITH_USER(a_block_has_room_for_the_largest_of_its_class),
        WITH_USER(classes_do_not_mix),
        WITH_USER(short_and_huge_ones_do_not_stay),
        WITH_USER(only_the_last_reference_gives_back),
        cmocka_unit_test(nothing_is_kept_without_a_user),
        WITH_USER(it_keeps_no_more_than_its_limit),
        WITH_USER(a_smaller_block_fits_where_a_larger_one_does_not),
        WITH_USER(growing_keeps_the_octets),
        WITH_USER(growing_gives_the_old_block_back),
        WITH_USER(without_memory_the_old_one_stays),
        WITH_USER(wrapped_memory_stays_the_users),
        cmocka_unit_test(a_forked_child_begins_with_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
