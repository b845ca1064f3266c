/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of the socket types as ZMTP knows them, of identities and of groups. */

#include "octets.h"

#include "wire/zmtp.h"

/* By number of zmq.h. */
static const char *const names[] = {
    "PAIR",  "PUB",  "SUB",    "REQ",     "REP",    "DEALER", "ROUTER",
    "PULL",  "PUSH", "XPUB",   "XSUB",    "STREAM", "SERVER", "CLIENT",
    "RADIO", "DISH", "GATHER", "SCATTER", "DGRAM",  "PEER",   "CHANNEL",
};

enum { TYPES = sizeof names / sizeof *names };

static int number(const char *name, size_t size)
{
    return zl_socket_type_from_name((const uint8_t *)name, size);
}

static void test_names_both_ways(void **state)
{
    (void)state;
    assert_int_equal(TYPES, 21);
    for (int type = 0; type < TYPES; type++) {
        assert_string_equal(zl_socket_type_name(type), names[type]);
        assert_int_equal(number(names[type], strlen(names[type])), type);
    }
    assert_null(zl_socket_type_name(-1));
    assert_null(zl_socket_type_name(TYPES));
}

static void test_names_are_exact(void **state)
{
    (void)state;
    static const char *const wrong[] = {"dealer", "Dealer", "DEALE", "DEALERS",
                                        "XREQ",   "REQ ",   "X"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(number(wrong[i], strlen(wrong[i])), -1);
    assert_int_equal(number("REQ", 4), -1);
    assert_int_equal(number(NULL, 0), -1);
    struct octets long_name = octets_copy("DEALERDEALERDEALER", 18);
    assert_int_equal(zl_socket_type_from_name(long_name.at, long_name.size), -1);
    octets_free(long_name);
}

static bool lists(const char *list, const char *name)
{
    size_t size = strlen(name);
    for (const char *at = list; (at = strstr(at, name)) != NULL; at++)
        if ((at == list || at[-1] == ' ') && (at[size] == ' ' || at[size] == '\0'))
            return true;
    return false;
}

static void test_every_pair_of_types(void **state)
{
    (void)state;
    static const char *const accepted[TYPES] = {
        "PAIR",
        "SUB XSUB",
        "PUB XPUB",
        "REP ROUTER",
        "REQ DEALER",
        "REP DEALER ROUTER",
        "REQ DEALER ROUTER",
        "PUSH",
        "PULL",
        "SUB XSUB",
        "PUB XPUB",
        "",
        "CLIENT",
        "SERVER",
        "DISH",
        "RADIO",
        "SCATTER",
        "GATHER",
        "",
        "PEER",
        "CHANNEL",
    };
    for (int ours = 0; ours < TYPES; ours++)
        for (int theirs = 0; theirs < TYPES; theirs++)
            assert_int_equal(zl_socket_types_compatible(ours, theirs),
                             lists(accepted[ours], names[theirs]));
}

static void test_unknown_types_go_with_nobody(void **state)
{
    (void)state;
    static const int unknown[] = {-1, TYPES, 31, 32, 37, 255, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        for (int type = 0; type < TYPES; type++) {
            assert_false(zl_socket_types_compatible(unknown[i], type));
            assert_false(zl_socket_types_compatible(type, unknown[i]));
        }
        assert_false(zl_socket_type_sends_identity(unknown[i]));
    }
}

static void test_types_that_send_their_identity(void **state)
{
    (void)state;
    for (int type = 0; type < TYPES; type++)
        assert_int_equal(zl_socket_type_sends_identity(type),
                         lists("REQ DEALER ROUTER", names[type]));
}

static void test_octets_of_the_2_0_greeting(void **state)
{
    (void)state;
    for (int type = 0; type <= 8; type++) {
        assert_int_equal(zl_socket_type_to_octet(type), type);
        assert_int_equal(zl_socket_type_from_octet((uint8_t)type), type);
    }
    assert_int_equal(zl_socket_type_to_octet(9), 1);
    assert_int_equal(zl_socket_type_to_octet(10), 2);
    assert_int_equal(zl_socket_type_from_octet(9), 1);
    assert_int_equal(zl_socket_type_from_octet(10), 2);
    for (int type = 11; type < TYPES; type++) {
        assert_int_equal(zl_socket_type_to_octet(type), type);
        assert_int_equal(zl_socket_type_from_octet((uint8_t)type), type);
    }
    for (int octet = TYPES; octet < 256; octet++)
        assert_int_equal(zl_socket_type_from_octet((uint8_t)octet), -1);
}

static void test_identity_limits(void **state)
{
    (void)state;
    uint8_t octets[256];
    memset(octets, 'a', sizeof octets);
    assert_true(zl_identity_is_valid(NULL, 0));
    assert_true(zl_identity_is_valid(octets, 1));
    assert_true(zl_identity_is_valid(octets, 255));
    assert_false(zl_identity_is_valid(octets, 256));
    octets[1] = 0;
    assert_true(zl_identity_is_valid(octets, 5));
    octets[0] = 0;
    assert_false(zl_identity_is_valid(octets, 5));
    assert_false(zl_identity_is_valid(octets, 1));
}

static void test_group_limits(void **state)
{
    (void)state;
    uint8_t octets[256];
    memset(octets, 'a', sizeof octets);
    assert_true(zl_group_is_valid(NULL, 0));
    assert_true(zl_group_is_valid(octets, 255));
    assert_false(zl_group_is_valid(octets, 256));
    octets[254] = 0;
    assert_false(zl_group_is_valid(octets, 255));
    assert_true(zl_group_is_valid(octets, 254));
    octets[0] = 0;
    assert_false(zl_group_is_valid(octets, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_both_ways),
        cmocka_unit_test(test_names_are_exact),
        cmocka_unit_test(test_every_pair_of_types),
        cmocka_unit_test(test_unknown_types_go_with_nobody),
        cmocka_unit_test(test_types_that_send_their_identity),
        cmocka_unit_test(test_octets_of_the_2_0_greeting),
        cmocka_unit_test(test_identity_limits),
        cmocka_unit_test(test_group_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
