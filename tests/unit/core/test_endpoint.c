/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of the splitting of endpoint strings. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/endpoint.h"

static void splits_at_the_first_separator(void **state)
{
    static const struct {
        const char *uri, *scheme, *address;
    } rows[] = {
        {"tcp://127.0.0.1:5555", "tcp", "127.0.0.1:5555"},
        {"inproc://a", "inproc", "a"},
        {"inproc://a://b", "inproc", "a://b"},
        {"ipc:///tmp/x", "ipc", "/tmp/x"},
        {"x:///", "x", "/"},
        {"TCP://x", "TCP", "x"},
        {"foo:bar://x", "foo:bar", "x"},
        {"a:/b://c", "a:/b", "c"},
        {"fifteen-letters://x", "fifteen-letters", "x"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char scheme[ZL_ENDPOINT_SCHEME_SIZE];
        const char *address = NULL;
        memset(scheme, '#', sizeof(scheme));
        assert_int_equal(zl_endpoint_split(rows[i].uri, scheme, sizeof(scheme), &address), 0);
        assert_string_equal(scheme, rows[i].scheme);
        assert_string_equal(address, rows[i].address);
        assert_ptr_equal(address, rows[i].uri + strlen(rows[i].uri) - strlen(address));
    }
}

static void refuses(const char *uri, int error)
{
    char scheme[ZL_ENDPOINT_SCHEME_SIZE] = "untouched";
    const char *address = "untouched";
    assert_int_equal(zl_endpoint_split(uri, scheme, sizeof(scheme), &address), error);
    assert_string_equal(scheme, "untouched");
    assert_string_equal(address, "untouched");
}

static void refuses_what_is_no_endpoint(void **state)
{
    static const char *const uris[] = {
        "",     "foo",    "tcp",    "tcp:",   "tcp:/", "tcp://",       "://",         "://x",
        ":///", "tcp:/x", "tcp//x", "tcp :/", "//x",   "://tcp://x:1", "127.0.0.1:5",
    };
    (void)state;
    refuses(NULL, -EINVAL);
    for (size_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++)
        refuses(uris[i], -EINVAL);
}

static void a_transport_name_too_long_is_unknown(void **state)
{
    char scheme[4];
    const char *address;
    (void)state;
    refuses("sixteen-letters!://x", -EPROTONOSUPPORT);
    assert_int_equal(zl_endpoint_split("tcp://x", scheme, sizeof(scheme), &address), 0);
    assert_int_equal(zl_endpoint_split("tcp4://x", scheme, sizeof(scheme), &address),
                     -EPROTONOSUPPORT);
    /* Syntax comes first. */
    assert_int_equal(zl_endpoint_split("tcp4://", scheme, sizeof(scheme), &address), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_at_the_first_separator),
        cmocka_unit_test(refuses_what_is_no_endpoint),
        cmocka_unit_test(a_transport_name_too_long_is_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
