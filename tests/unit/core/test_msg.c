/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of messages: every kind made, moved, shared, detached and closed; what is counted is given
   back once. */
#include "unit/wire/octets.h"

#include "core/msg.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static uint8_t text[2 * ZL_MSG_SLICE_MIN];
static unsigned freed; /* calls of note_freed */

static void note_freed(void *data, void *hint)
{
    assert_ptr_equal(data, text);
    assert_ptr_equal(hint, &freed);
    freed++;
}

static int setup(void **state)
{
    (void)state;
    freed = 0;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i * 7 + (i >> 8));
    return 0;
}

/* The slab behind messages of kind SLICE; one reference is the test's. */
static struct zl_slab *slab;

static void make_inline(struct zl_msg *msg, size_t size)
{
    assert_true(size <= ZL_MSG_INLINE_MAX);
    assert_int_equal(zl_msg_init_copy_of(msg, text, size), 0);
}

static void make_own(struct zl_msg *msg, size_t size)
{
    struct zl_content *content = zl_content_new(size);
    assert_non_null(content);
    memcpy(content->data, text, size);
    zl_msg_init_content(msg, content);
}

static void make_user(struct zl_msg *msg, size_t size)
{
    assert_int_equal(zl_msg_init_data(msg, text, size, note_freed, &freed), 0);
}

static void make_constant(struct zl_msg *msg, size_t size)
{
    assert_int_equal(zl_msg_init_data(msg, text, size, NULL, &freed), 0);
}

static void make_slice(struct zl_msg *msg, size_t size)
{
    memcpy(slab->data + 5, text, size);
    zl_msg_init(msg);
    msg->kind = ZL_MSG_SLICE;
    msg->u.ref.data = slab->data + 5;
    msg->u.ref.size = size;
    msg->u.ref.owner = slab;
    zl_slab_acquire(slab, 1);
}

static void make_borrowed(struct zl_msg *msg, size_t size)
{
    zl_msg_borrow(msg, text, size);
}

/* Every way a message can lie in memory, in sizes around what matters to it. */
static const struct row {
    const char *name;
    void (*make)(struct zl_msg *msg, size_t size);
    size_t size;
    uint8_t kind;
    uint8_t shared_kind; /* of a copy */
    uint8_t detached_kind;
} rows[] = {
    {"empty", make_inline, 0, ZL_MSG_INLINE, ZL_MSG_INLINE, ZL_MSG_INLINE},
    {"inline", make_inline, 33, ZL_MSG_INLINE, ZL_MSG_INLINE, ZL_MSG_INLINE},
    {"own", make_own, 34, ZL_MSG_CONTENT, ZL_MSG_CONTENT, ZL_MSG_CONTENT},
    {"own, short", make_own, 3, ZL_MSG_CONTENT, ZL_MSG_CONTENT, ZL_MSG_CONTENT},
    {"user's", make_user, 100, ZL_MSG_CONTENT, ZL_MSG_CONTENT, ZL_MSG_CONTENT},
    {"user's, empty", make_user, 0, ZL_MSG_CONTENT, ZL_MSG_CONTENT, ZL_MSG_CONTENT},
    {"constant", make_constant, 50, ZL_MSG_CONSTANT, ZL_MSG_CONSTANT, ZL_MSG_CONSTANT},
    {"slice, short", make_slice, 33, ZL_MSG_SLICE, ZL_MSG_SLICE, ZL_MSG_INLINE},
    {"slice", make_slice, 34, ZL_MSG_SLICE, ZL_MSG_SLICE, ZL_MSG_CONTENT},
    {"slice, below", make_slice, 8191, ZL_MSG_SLICE, ZL_MSG_SLICE, ZL_MSG_CONTENT},
    {"slice, long", make_slice, 8192, ZL_MSG_SLICE, ZL_MSG_SLICE, ZL_MSG_SLICE},
    {"borrowed, empty", make_borrowed, 0, ZL_MSG_BORROWED, ZL_MSG_INLINE, ZL_MSG_INLINE},
    {"borrowed", make_borrowed, 33, ZL_MSG_BORROWED, ZL_MSG_INLINE, ZL_MSG_INLINE},
    {"borrowed, more", make_borrowed, 34, ZL_MSG_BORROWED, ZL_MSG_CONTENT, ZL_MSG_CONTENT},
    {"borrowed, long", make_borrowed, 9000, ZL_MSG_BORROWED, ZL_MSG_CONTENT, ZL_MSG_CONTENT},
};

static void assert_payload(const struct zl_msg *msg, size_t size)
{
    assert_true(zl_msg_is_valid(msg));
    assert_int_equal(zl_msg_size(msg), size);
    assert_ptr_equal(zl_msg_bytes(msg), zl_msg_data((struct zl_msg *)(uintptr_t)msg));
    if (size)
        assert_memory_equal(zl_msg_bytes(msg), text, size);
}

/* Runs `body` on a fresh message of every row, then checks that all was given back. */
static void on_every_kind(void (*body)(const struct row *row, struct zl_msg *msg))
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *row = &rows[i];
        struct zl_msg msg;
        print_message("    %s, %zu\n", row->name, row->size);
        slab = zl_slab_new(16384);
        assert_non_null(slab);
        freed = 0;
        row->make(&msg, row->size);
        body(row, &msg);
        assert_int_equal(freed, row->make == make_user);
        assert_true(zl_slab_unshared(slab));
        zl_slab_release(slab, 1);
    }
}

static void make_and_close(const struct row *row, struct zl_msg *msg)
{
    assert_int_equal(msg->kind, row->kind);
    assert_payload(msg, row->size);
    assert_int_equal(msg->flags, 0);
    assert_int_equal(msg->routing_id, 0);
    assert_int_equal(zl_msg_is_shared(msg),
                     row->kind == ZL_MSG_CONSTANT || row->make == make_slice);
    assert_int_equal(freed, 0);
    zl_msg_close(msg);
    assert_false(zl_msg_is_valid(msg));
}

static void every_kind_is_made_and_closed(void **state)
{
    (void)state;
    on_every_kind(make_and_close);
    assert_false(zl_msg_is_valid(NULL));
    struct zl_msg nothing;
    memset(&nothing, 0, sizeof nothing);
    assert_false(zl_msg_is_valid(&nothing));
    memset(&nothing, 0xFF, sizeof nothing);
    assert_false(zl_msg_is_valid(&nothing));
}

static void attribute(struct zl_msg *msg, struct zl_metadata *metadata)
{
    msg->metadata = metadata;
    zl_metadata_acquire(metadata, 1);
    assert_int_equal(zl_msg_set_group(msg, "group", 5), 0);
    msg->routing_id = 77;
    msg->flags = ZL_MSG_MORE;
}

static void assert_attributes(const struct zl_msg *msg, const struct zl_metadata *metadata)
{
    assert_ptr_equal(msg->metadata, metadata);
    assert_non_null(msg->group);
    assert_string_equal(msg->group->name, "group");
    assert_int_equal(msg->routing_id, 77);
    assert_int_equal(msg->flags, ZL_MSG_MORE);
}

static unsigned references(const struct zl_metadata *metadata)
{
    return atomic_load(&metadata->references);
}

static void share_in(const struct row *row, struct zl_msg *msg, bool original_first)
{
    struct zl_metadata *metadata = zl_metadata_new();
    assert_non_null(metadata);
    struct zl_msg copy, third;
    attribute(msg, metadata);
    assert_int_equal(zl_msg_share(&copy, msg), 0);
    assert_int_equal(zl_msg_share(&third, &copy), 0);
    assert_int_equal(copy.kind, row->shared_kind);
    assert_payload(&copy, row->size);
    assert_payload(msg, row->size);
    assert_attributes(&copy, metadata);
    assert_ptr_equal(copy.group, msg->group);
    assert_int_equal(references(metadata), 4);
    if (row->kind == ZL_MSG_CONTENT) {
        assert_true(zl_msg_is_shared(msg) && zl_msg_is_shared(&copy));
        assert_ptr_equal(zl_msg_data(&copy), zl_msg_data(msg));
    }
    zl_msg_close(original_first ? msg : &copy);
    zl_msg_close(original_first ? &copy : msg);
    assert_int_equal(freed, 0); /* there is a third one */
    assert_payload(&third, row->size);
    assert_attributes(&third, metadata);
    assert_int_equal(zl_msg_is_shared(&third),
                     third.kind == ZL_MSG_CONSTANT || third.kind == ZL_MSG_SLICE);
    zl_msg_close(&third);
    assert_int_equal(references(metadata), 1);
    zl_metadata_release(metadata, 1);
}

static void share_and_close_original_first(const struct row *row, struct zl_msg *msg)
{
    share_in(row, msg, true);
}

static void share_and_close_copy_first(const struct row *row, struct zl_msg *msg)
{
    share_in(row, msg, false);
}

static void every_kind_is_shared(void **state)
{
    (void)state;
    on_every_kind(share_and_close_original_first);
    on_every_kind(share_and_close_copy_first);
}

static void detach(const struct row *row, struct zl_msg *msg)
{
    struct zl_metadata *metadata = zl_metadata_new();
    assert_non_null(metadata);
    const uint8_t *before = zl_msg_data(msg);
    attribute(msg, metadata);
    assert_int_equal(zl_msg_detach(msg), 0);
    assert_int_equal(msg->kind, row->detached_kind);
    assert_payload(msg, row->size);
    assert_attributes(msg, metadata);
    assert_int_equal(references(metadata), 2);
    bool copied = row->detached_kind != row->kind;
    assert_int_equal(zl_msg_data(msg) != before, copied);
    assert_int_equal(zl_slab_unshared(slab), msg->kind != ZL_MSG_SLICE);
    if (copied) {
        /* Independent: the old place may be used again. */
        uint8_t *old = row->kind == ZL_MSG_SLICE ? slab->data + 5 : text;
        for (size_t i = 0; i < row->size; i++)
            old[i] ^= 0xFF;
        if (old == text)
            setup(NULL);
        assert_payload(msg, row->size);
    }
    zl_msg_close(msg);
    zl_metadata_release(metadata, 1);
}

static void every_kind_is_detached(void **state)
{
    (void)state;
    on_every_kind(detach);
}

static void take(const struct row *row, struct zl_msg *msg)
{
    struct zl_msg other;
    msg->flags = ZL_MSG_MORE;
    zl_msg_take(&other, msg);
    assert_int_equal(other.kind, row->kind);
    assert_int_equal(other.flags, ZL_MSG_MORE);
    assert_payload(&other, row->size);
    assert_payload(msg, 0);
    assert_int_equal(msg->kind, ZL_MSG_INLINE);
    assert_int_equal(msg->flags, 0);
    zl_msg_close(msg);
    assert_int_equal(freed, 0);
    zl_msg_reset(&other);
    assert_payload(&other, 0);
    assert_int_equal(other.kind, ZL_MSG_INLINE);
}

static void every_kind_is_moved(void **state)
{
    (void)state;
    on_every_kind(take);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_kind_is_made_and_closed, setup),
        cmocka_unit_test_setup(every_kind_is_shared, setup),
        cmocka_unit_test_setup(every_kind_is_detached, setup),
        cmocka_unit_test_setup(every_kind_is_moved, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
