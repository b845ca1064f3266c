/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of the property lists that the messages of a connection share. */
#include "unit/wire/octets.h"

#include "core/metadata.h"

#include <stdio.h>

static int setup(void **state)
{
    *state = zl_metadata_new();
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    zl_metadata_release(*state, 1);
    return 0;
}

static void add(struct zl_metadata *metadata, const char *name, const char *value)
{
    assert_int_equal(zl_metadata_add(metadata, name, strlen(name), value, strlen(value)), 0);
}

static void a_new_list_is_empty(void **state)
{
    struct zl_metadata *metadata = *state;
    assert_int_equal(metadata->fd, -1);
    assert_null(zl_metadata_find(metadata, "Socket-Type"));
    assert_null(zl_metadata_find(metadata, "Routing-Id"));
    assert_null(zl_metadata_find(metadata, ""));
}

static void values_are_found_by_their_whole_names(void **state)
{
    struct zl_metadata *metadata = *state;
    add(metadata, "Socket-Type", "DEALER");
    add(metadata, "X-a", "");
    add(metadata, "X-ab", "Y-name");
    add(metadata, "Y", "X-a");
    assert_string_equal(zl_metadata_find(metadata, "Socket-Type"), "DEALER");
    assert_string_equal(zl_metadata_find(metadata, "X-a"), "");
    assert_string_equal(zl_metadata_find(metadata, "X-ab"), "Y-name");
    assert_string_equal(zl_metadata_find(metadata, "Y"), "X-a");
    assert_null(zl_metadata_find(metadata, "X-"));
    assert_null(zl_metadata_find(metadata, "X-abc"));
    assert_null(zl_metadata_find(metadata, "Y-name")); /* a value */
    assert_null(zl_metadata_find(metadata, "DEALER"));
    assert_null(zl_metadata_find(metadata, "x-a"));
}

static void the_first_value_stays(void **state)
{
    struct zl_metadata *metadata = *state;
    add(metadata, "a", "first");
    add(metadata, "a", "second");
    add(metadata, "b", "other");
    assert_string_equal(zl_metadata_find(metadata, "a"), "first");
    assert_string_equal(zl_metadata_find(metadata, "b"), "other");
}

static void identity_has_two_names(void **state)
{
    struct zl_metadata *metadata = *state;
    add(metadata, "Identity", "me");
    assert_string_equal(zl_metadata_find(metadata, "Identity"), "me");
    assert_string_equal(zl_metadata_find(metadata, "Routing-Id"), "me");
    add(metadata, "Routing-Id", "its own");
    assert_string_equal(zl_metadata_find(metadata, "Routing-Id"), "its own");
}

static void sizes_are_given_not_measured(void **state)
{
    struct zl_metadata *metadata = *state;
    assert_int_equal(zl_metadata_add(metadata, "nameXX", 4, "valueYY", 5), 0);
    assert_int_equal(zl_metadata_add(metadata, "empty", 5, NULL, 0), 0);
    assert_string_equal(zl_metadata_find(metadata, "name"), "value");
    assert_string_equal(zl_metadata_find(metadata, "empty"), "");
    assert_null(zl_metadata_find(metadata, "nameXX"));
}

/* Peers may send any octets; they must neither run into each other nor hide what follows. */
static void values_end_at_their_first_nul(void **state)
{
    struct zl_metadata *metadata = *state;
    assert_int_equal(zl_metadata_add(metadata, "a", 1, "x\0hidden\0yes", 12), 0);
    assert_int_equal(zl_metadata_add(metadata, "b\0c", 3, "\0", 1), 0);
    assert_int_equal(zl_metadata_add(metadata, "\0", 1, "none", 4), 0);
    add(metadata, "d", "last");
    assert_string_equal(zl_metadata_find(metadata, "a"), "x");
    assert_null(zl_metadata_find(metadata, "hidden"));
    assert_string_equal(zl_metadata_find(metadata, "b"), "");
    assert_string_equal(zl_metadata_find(metadata, "d"), "last");
}

static void many_and_long_properties(void **state)
{
    struct zl_metadata *metadata = *state;
    enum { LONG = 60000 };
    char name[16], value[16];
    char *big = malloc(LONG);
    assert_non_null(big);
    memset(big, 'v', LONG);
    for (int i = 0; i < 128; i++) {
        snprintf(name, sizeof name, "X-%d", i);
        snprintf(value, sizeof value, "%d", i * i);
        add(metadata, name, value);
    }
    assert_int_equal(zl_metadata_add(metadata, "big", 3, big, LONG), 0);
    add(metadata, "end", "!");
    free(big);
    for (int i = 0; i < 128; i++) {
        snprintf(name, sizeof name, "X-%d", i);
        snprintf(value, sizeof value, "%d", i * i);
        assert_string_equal(zl_metadata_find(metadata, name), value);
    }
    assert_int_equal(strlen(zl_metadata_find(metadata, "big")), LONG);
    assert_string_equal(zl_metadata_find(metadata, "end"), "!");
}

/* A leak checker sees a list that stays; another sanitizer one that goes too early. */
static void the_last_reference_frees(void **state)
{
    struct zl_metadata *metadata = *state;
    add(metadata, "a", "b");
    zl_metadata_acquire(metadata, 5);
    zl_metadata_release(metadata, 2);
    zl_metadata_release(metadata, 3);
    assert_int_equal(atomic_load(&metadata->references), 1);
    assert_string_equal(zl_metadata_find(metadata, "a"), "b");
    zl_metadata_release(NULL, 1);
    metadata = zl_metadata_new();
    assert_non_null(metadata);
    zl_metadata_acquire(metadata, 2);
    zl_metadata_release(metadata, 3); /* all at once */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_list_is_empty),          TEST(values_are_found_by_their_whole_names),
        TEST(the_first_value_stays),        TEST(identity_has_two_names),
        TEST(sizes_are_given_not_measured), TEST(values_end_at_their_first_nul),
        TEST(many_and_long_properties),     TEST(the_last_reference_frees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
