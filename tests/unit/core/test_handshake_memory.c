/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of the handshake without memory: whichever allocation fails, it ends with an error, and
   nothing is left behind. */
#include "failing_memory.h"

#include "core/handshake.c"
#include "core/metadata.c"
#include "security/mechanism.c"
#include "security/null.c"

/* What both sides say, until one of them fails or both are complete. */
static int talk(struct zl_handshake *a, struct zl_handshake *b)
{
    struct zl_handshake *from = a, *to = b;
    for (int quiet = 0; quiet < 2;) {
        size_t size = from->out_size - from->out_sent;
        size_t step = size < 20 ? size : 20;
        if (step) {
            int rc = zl_handshake_input(to, from->out + from->out_sent, step);
            if (rc < 0)
                return rc;
        }
        from->out_sent += step;
        quiet = step ? 0 : quiet + 1;
        struct zl_handshake *other = from;
        from = to;
        to = other;
    }
    assert_int_equal(a->state, ZL_HANDSHAKE_COMPLETE);
    assert_int_equal(b->state, ZL_HANDSHAKE_COMPLETE);
    return 0;
}

static int try_with(long allocations, const struct zl_options *ours,
                    const struct zl_options *theirs)
{
    granted = allocations;
    struct zl_handshake *a = zl_handshake_new(ours, NULL);
    struct zl_handshake *b = a ? zl_handshake_new(theirs, NULL) : NULL;
    int rc = b ? talk(a, b) : -ENOMEM;
    granted = -1;
    if (rc == 0) {
        assert_non_null(zl_metadata_find(a->metadata, "X-long"));
        assert_non_null(zl_metadata_find(b->metadata, "Identity"));
        assert_int_equal(a->identity_size, 2);
    }
    zl_handshake_free(a);
    zl_handshake_free(b);
    assert_int_equal(live_blocks, 0);
    return rc;
}

static void any_allocation_may_fail(void **state)
{
    struct zl_options router, dealer;
    char property[700];
    int rc = -ENOMEM;
    long allocations = 0;
    (void)state;
    memset(property, 'p', sizeof property);
    memcpy(property, "X-long:", 7);
    zl_options_init(&router, ZMQ_ROUTER, false, true);
    zl_options_init(&dealer, ZMQ_DEALER, false, true);
    assert_int_equal(zl_options_set(&dealer, ZMQ_ROUTING_ID, "me", 2), 0);
    assert_int_equal(zl_options_set(&dealer, ZMQ_METADATA, property, sizeof property), 0);
    for (; rc < 0; allocations++) {
        rc = try_with(allocations, &router, &dealer);
        assert_true(rc == 0 || rc == -ENOMEM);
        assert_true(allocations < 1000);
    }
    assert_true(allocations > 10);
    zl_options_clear(&router);
    zl_options_clear(&dealer);
}

/* The frames that are replayed after an unversioned greeting need memory too. */
static void any_allocation_may_fail_with_an_old_peer(void **state)
{
    static const uint8_t peer[] = {0xFF, 0, 0, 0, 0, 0, 0, 0, 4, 0, 'b', 'o', 'b', 3, 0, 'h', 'i'};
    struct zl_options options;
    int rc = -ENOMEM;
    (void)state;
    zl_options_init(&options, ZMQ_ROUTER, false, true);
    for (long allocations = 0; rc < 0; allocations++) {
        granted = allocations;
        struct zl_handshake *handshake = zl_handshake_new(&options, NULL);
        rc = handshake ? 0 : -ENOMEM;
        for (size_t i = 0; i < sizeof peer && rc == 0; i++)
            rc = zl_handshake_input(handshake, &peer[i], 1);
        granted = -1;
        assert_true(rc == 1 || rc == -ENOMEM);
        zl_handshake_free(handshake);
        assert_int_equal(live_blocks, 0);
    }
    zl_options_clear(&options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_allocation_may_fail),
        cmocka_unit_test(any_allocation_may_fail_with_an_old_peer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
