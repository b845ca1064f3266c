/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of what messages hold: sizes, contents, groups, metadata, and free functions that run once,
   whichever thread closes last. */
#include "unit/wire/octets.h"

#include "core/msg.h"

#include <errno.h>
#include <pthread.h>

static void every_size_around_the_inline_limit(void **state)
{
    uint8_t data[64];
    (void)state;
    memset(data, 'x', sizeof data);
    for (size_t size = 0; size <= sizeof data; size++) {
        struct zl_msg msg;
        assert_int_equal(zl_msg_init_size(&msg, size), 0);
        assert_int_equal(zl_msg_size(&msg), size);
        assert_int_equal(msg.kind == ZL_MSG_INLINE, size <= 33);
        memset(zl_msg_data(&msg), 'y', size); /* all of it is ours */
        zl_msg_close(&msg);
        assert_int_equal(zl_msg_init_copy_of(&msg, data, size), 0);
        assert_int_equal(zl_msg_size(&msg), size);
        assert_memory_equal(zl_msg_data(&msg), data, size);
        assert_false(zl_msg_is_shared(&msg));
        zl_msg_close(&msg);
    }
    struct zl_msg empty;
    assert_int_equal(zl_msg_init_copy_of(&empty, NULL, 0), 0);
    assert_int_equal(zl_msg_size(&empty), 0);
    zl_msg_close(&empty);
}

static void impossible_sizes_are_out_of_memory(void **state)
{
    struct zl_msg msg;
    (void)state;
    assert_int_equal(zl_msg_init_size(&msg, SIZE_MAX), -ENOMEM);
    assert_int_equal(zl_msg_init_size(&msg, SIZE_MAX - sizeof(struct zl_content) + 1), -ENOMEM);
    struct zl_content *content = zl_content_new(10);
    assert_non_null(content);
    assert_null(zl_content_grow(content, SIZE_MAX));
    assert_int_equal(content->size, 10); /* the old one stays */
    zl_content_release(content);
}

static void contents_grow_and_keep_what_they_hold(void **state)
{
    (void)state;
    struct zl_content *content = zl_content_new(1);
    assert_non_null(content);
    content->data[0] = 1;
    for (size_t size = 2; size < 300000; size = size * 2 + 1) {
        size_t old = content->size;
        content = zl_content_grow(content, size);
        assert_non_null(content);
        assert_int_equal(content->size, size);
        assert_int_equal(content->data[0], 1);
        assert_int_equal(content->data[old - 1], 1);
        memset(content->data, 1, size);
    }
    size_t size = content->size;
    struct zl_msg msg;
    zl_msg_init_content(&msg, content);
    assert_int_equal(zl_msg_size(&msg), size);
    assert_int_equal(zl_msg_data(&msg)[size - 1], 1);
    zl_msg_close(&msg);
}

static void groups_are_set_replaced_and_removed(void **state)
{
    struct zl_msg msg, copy;
    char name[256];
    (void)state;
    memset(name, 'g', sizeof name);
    zl_msg_init(&msg);
    assert_int_equal(zl_msg_set_group(&msg, name, 256), -EINVAL);
    assert_null(msg.group);
    assert_int_equal(zl_msg_set_group(&msg, name, 255), 0);
    assert_int_equal(strlen(msg.group->name), 255);
    assert_int_equal(zl_msg_set_group(&msg, name, 256), -EINVAL);
    assert_int_equal(strlen(msg.group->name), 255); /* unchanged */
    assert_int_equal(zl_msg_share(&copy, &msg), 0);
    assert_int_equal(zl_msg_set_group(&msg, "ab", 1), 0);
    assert_string_equal(msg.group->name, "a");
    assert_int_equal(strlen(copy.group->name), 255); /* that of the other message stays */
    assert_int_equal(zl_msg_set_group(&msg, NULL, 0), 0);
    assert_null(msg.group);
    zl_msg_close(&copy);
    zl_msg_close(&msg);
}

static void metadata_is_given_back_once(void **state)
{
    struct zl_metadata *metadata = zl_metadata_new();
    struct zl_msg msg;
    (void)state;
    assert_non_null(metadata);
    assert_int_equal(zl_msg_init_size(&msg, 100), 0);
    zl_msg_clear_metadata(&msg); /* none there */
    msg.metadata = metadata;
    zl_metadata_acquire(metadata, 1);
    zl_msg_clear_metadata(&msg);
    assert_null(msg.metadata);
    assert_int_equal(atomic_load(&metadata->references), 1);
    zl_msg_clear_metadata(&msg);
    zl_msg_close(&msg);
    assert_int_equal(atomic_load(&metadata->references), 1);
    zl_metadata_release(metadata, 1);
}

/* Threads that each close a copy of one message: what they have written must be visible to the free
   function, which runs once. */
enum { CLOSERS = 4, ROUNDS = 500, STRIDE = 64 };

struct closing {
    struct zl_msg copies[CLOSERS];
    pthread_barrier_t barrier;
    unsigned frees; /* written by whichever thread is last, read between two barriers */
    unsigned sum;
};

struct closer {
    struct closing *closing;
    unsigned index;
};

static void sum_up(void *data, void *hint)
{
    struct closing *closing = hint;
    const uint8_t *bytes = data;
    closing->frees++;
    for (unsigned i = 0; i < CLOSERS; i++)
        closing->sum += bytes[i * STRIDE];
}

static void *close_copies(void *argument)
{
    struct closer *closer = argument;
    struct closing *closing = closer->closing;
    for (unsigned round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&closing->barrier);
        struct zl_msg *copy = &closing->copies[closer->index];
        zl_msg_data(copy)[closer->index * STRIDE] = 1;
        zl_msg_close(copy);
        pthread_barrier_wait(&closing->barrier);
    }
    return NULL;
}

static void make_copies(struct closing *closing, uint8_t *data)
{
    memset(data, 0, CLOSERS * STRIDE);
    closing->frees = 0;
    closing->sum = 0;
    struct zl_msg *first = &closing->copies[0];
    assert_int_equal(zl_msg_init_data(first, data, CLOSERS * STRIDE, sum_up, closing), 0);
    assert_int_equal(zl_msg_set_group(first, "all", 3), 0);
    first->metadata = zl_metadata_new();
    assert_non_null(first->metadata);
    for (unsigned i = 1; i < CLOSERS; i++)
        assert_int_equal(zl_msg_share(&closing->copies[i], first), 0);
}

static void the_last_of_many_threads_frees(void **state)
{
    static uint8_t data[CLOSERS * STRIDE];
    static struct closing closing;
    struct closer closers[CLOSERS];
    pthread_t threads[CLOSERS];
    (void)state;
    assert_int_equal(pthread_barrier_init(&closing.barrier, NULL, CLOSERS + 1), 0);
    for (unsigned i = 0; i < CLOSERS; i++) {
        closers[i] = (struct closer){&closing, i};
        assert_int_equal(pthread_create(&threads[i], NULL, close_copies, &closers[i]), 0);
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        make_copies(&closing, data);
        pthread_barrier_wait(&closing.barrier);
        pthread_barrier_wait(&closing.barrier);
        assert_int_equal(closing.frees, 1);
        assert_int_equal(closing.sum, CLOSERS);
    }
    for (unsigned i = 0; i < CLOSERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    pthread_barrier_destroy(&closing.barrier);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_around_the_inline_limit),
        cmocka_unit_test(impossible_sizes_are_out_of_memory),
        cmocka_unit_test(contents_grow_and_keep_what_they_hold),
        cmocka_unit_test(groups_are_set_replaced_and_removed),
        cmocka_unit_test(metadata_is_given_back_once),
        cmocka_unit_test(the_last_of_many_threads_frees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
