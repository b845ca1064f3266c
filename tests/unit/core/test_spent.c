/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of the references that are given back together. */
#include "unit/wire/octets.h"

#include "core/spent.h"

static struct zl_slab *slab_for(unsigned messages)
{
    struct zl_slab *slab = zl_slab_new(100);
    assert_non_null(slab);
    zl_slab_acquire(slab, messages);
    return slab;
}

static struct zl_metadata *metadata_for(unsigned messages)
{
    struct zl_metadata *metadata = zl_metadata_new();
    assert_non_null(metadata);
    zl_metadata_acquire(metadata, messages);
    return metadata;
}

static unsigned slab_references(struct zl_slab *slab)
{
    return atomic_load(&slab->references);
}

static unsigned metadata_references(struct zl_metadata *metadata)
{
    return atomic_load(&metadata->references);
}

static struct zl_msg slice(struct zl_slab *slab, struct zl_metadata *metadata)
{
    struct zl_msg msg;
    zl_msg_init(&msg);
    msg.kind = ZL_MSG_SLICE;
    msg.u.ref.data = slab->data;
    msg.u.ref.size = 50;
    msg.u.ref.owner = slab;
    msg.metadata = metadata;
    return msg;
}

static void add(struct zl_spent *spent, struct zl_msg msg)
{
    assert_true(zl_spent_takes(&msg));
    zl_spent_add(spent, &msg);
}

static void it_takes_what_needs_no_user_code(void **state)
{
    struct zl_slab *slab = slab_for(0);
    struct zl_msg msg = slice(slab, NULL);
    (void)state;
    assert_true(zl_spent_takes(&msg));
    msg.u.ref.size = ZL_SPENT_SIZE_MAX;
    assert_true(zl_spent_takes(&msg));
    msg.u.ref.size = ZL_SPENT_SIZE_MAX + 1;
    assert_false(zl_spent_takes(&msg));
    zl_msg_init(&msg);
    assert_true(zl_spent_takes(&msg));
    assert_int_equal(zl_msg_set_group(&msg, "g", 1), 0);
    assert_false(zl_spent_takes(&msg));
    zl_msg_reset(&msg);
    assert_int_equal(zl_msg_init_size(&msg, 1000), 0);
    assert_false(zl_spent_takes(&msg));
    zl_msg_close(&msg);
    zl_slab_release(slab, 1);
}

static void references_are_given_back_together(void **state)
{
    struct zl_spent spent = {0};
    struct zl_slab *slab = slab_for(5);
    struct zl_metadata *metadata = metadata_for(5);
    (void)state;
    for (unsigned i = 0; i < 5; i++)
        add(&spent, slice(slab, metadata));
    assert_int_equal(slab_references(slab), 6);
    assert_int_equal(metadata_references(metadata), 6);
    zl_spent_clear(&spent);
    assert_int_equal(slab_references(slab), 1);
    assert_int_equal(metadata_references(metadata), 1);
    zl_spent_clear(&spent); /* nothing is left */
    assert_int_equal(slab_references(slab), 1);
    assert_int_equal(metadata_references(metadata), 1);
    zl_slab_release(slab, 1);
    zl_metadata_release(metadata, 1);
}

static void another_slab_ends_the_count(void **state)
{
    struct zl_spent spent = {0};
    struct zl_slab *first = slab_for(3), *second = slab_for(2);
    struct zl_metadata *metadata = metadata_for(5);
    (void)state;
    add(&spent, slice(first, metadata));
    add(&spent, slice(first, metadata));
    assert_int_equal(slab_references(first), 4);
    add(&spent, slice(second, metadata));
    assert_int_equal(slab_references(first), 2);
    assert_int_equal(slab_references(second), 3);
    assert_int_equal(metadata_references(metadata), 6); /* still the same connection */
    add(&spent, slice(first, metadata));
    assert_int_equal(slab_references(second), 2);
    add(&spent, slice(second, metadata));
    assert_int_equal(slab_references(first), 1);
    zl_spent_clear(&spent);
    assert_int_equal(slab_references(second), 1);
    assert_int_equal(metadata_references(metadata), 1);
    zl_slab_release(first, 1);
    zl_slab_release(second, 1);
    zl_metadata_release(metadata, 1);
}

static void another_connection_ends_the_count(void **state)
{
    struct zl_spent spent = {0};
    struct zl_slab *slab = slab_for(4);
    struct zl_metadata *first = metadata_for(2), *second = metadata_for(1);
    (void)state;
    add(&spent, slice(slab, first));
    add(&spent, slice(slab, second));
    assert_int_equal(metadata_references(first), 2);
    assert_int_equal(metadata_references(second), 2);
    add(&spent, slice(slab, NULL)); /* inproc peers have none: both counts stay */
    assert_int_equal(metadata_references(second), 2);
    add(&spent, slice(slab, first));
    assert_int_equal(metadata_references(second), 1);
    assert_int_equal(slab_references(slab), 5);
    zl_spent_clear(&spent);
    assert_int_equal(slab_references(slab), 1);
    assert_int_equal(metadata_references(first), 1);
    zl_slab_release(slab, 1);
    zl_metadata_release(first, 1);
    zl_metadata_release(second, 1);
}

static void inline_messages_hold_metadata_only(void **state)
{
    struct zl_spent spent = {0};
    struct zl_slab *slab = slab_for(1);
    struct zl_metadata *metadata = metadata_for(2);
    struct zl_msg msg;
    (void)state;
    add(&spent, slice(slab, metadata));
    zl_msg_init(&msg);
    msg.metadata = metadata;
    add(&spent, msg);
    zl_msg_init(&msg);
    add(&spent, msg);
    assert_int_equal(spent.slices, 1);
    zl_spent_clear(&spent);
    assert_int_equal(slab_references(slab), 1);
    assert_int_equal(metadata_references(metadata), 1);
    zl_slab_release(slab, 1);
    zl_metadata_release(metadata, 1);
}

/* Whoever made them may have left: the leak checker sees what is not freed, and what is freed early. */
static void the_last_reference_may_be_here(void **state)
{
    struct zl_spent spent = {0};
    struct zl_slab *first = slab_for(2), *second = slab_for(1);
    struct zl_metadata *metadata = metadata_for(3);
    (void)state;
    zl_slab_release(first, 1);
    zl_slab_release(second, 1);
    zl_metadata_release(metadata, 1);
    add(&spent, slice(first, metadata));
    add(&spent, slice(first, metadata));
    add(&spent, slice(second, metadata));
    zl_spent_clear(&spent);
    assert_null(spent.slab);
    assert_null(spent.metadata);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_takes_what_needs_no_user_code),
        cmocka_unit_test(references_are_given_back_together),
        cmocka_unit_test(another_slab_ends_the_count),
        cmocka_unit_test(another_connection_ends_the_count),
        cmocka_unit_test(inline_messages_hold_metadata_only),
        cmocka_unit_test(the_last_reference_may_be_here),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
