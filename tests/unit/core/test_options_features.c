/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of the socket options of features that a build may lack, and of running out of memory. For
 * both the sources are compiled into this test, with everything enabled and an allocator that can
 * be told to fail. */
#include <stdbool.h>
#include <stdlib.h>

static void *allocate(size_t size);
static void *reallocate(void *memory, size_t size);

#define ZL_OPTION_FEATURES (~0u)
#define malloc allocate
#define realloc reallocate
#include "core/option_value.c"

#include "core/options.c"
#undef malloc
#undef realloc

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- the allocator ---------------------------------------------------------------------- */

static int allocations_left = -1; /* negative: no limit */
static bool allocation_failed;

static bool may_allocate(void)
{
    if (allocations_left == 0)
        allocation_failed = true;
    else if (allocations_left > 0)
        allocations_left--;
    return !allocation_failed;
}

static void *allocate(size_t size)
{
    return may_allocate() ? malloc(size) : NULL;
}

static void *reallocate(void *memory, size_t size)
{
    return may_allocate() ? realloc(memory, size) : NULL;
}

static void fail_after(int allocations)
{
    allocations_left = allocations;
    allocation_failed = false;
}

/* ---- helpers ---------------------------------------------------------------------------- */

static struct zl_options options;

static int fresh_options(void **state)
{
    (void)state;
    fail_after(-1);
    zl_options_init(&options, ZMQ_DEALER, false, true);
    return 0;
}

static int clear_options(void **state)
{
    (void)state;
    fail_after(-1);
    zl_options_clear(&options);
    return 0;
}

#define set(option, value, size) zl_options_set(&options, option, value, size)
#define get(option, value, size) zl_options_get(&options, option, value, size)

static int set_number(int option, int value)
{
    return set(option, &value, sizeof(value));
}

static int set_text(int option, const char *text)
{
    return set(option, text, strlen(text));
}

static void reads_as(int option, int expected)
{
    int value = ~expected;
    size_t size = sizeof(value);
    if (get(option, &value, &size) != 0 || value != expected)
        fail_msg("option %d: %d instead of %d", option, value, expected);
}

static void reads_as_text(int option, const char *expected)
{
    char buffer[300];
    size_t size = sizeof(buffer);
    memset(buffer, '#', sizeof(buffer));
    assert_int_equal(get(option, buffer, &size), 0);
    assert_int_equal(size, strlen(expected) + 1);
    assert_string_equal(buffer, expected);
}

static void is_not_readable(int option)
{
    char buffer[64];
    const size_t sizes[] = {0, 4, 8, sizeof(buffer)};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        size_t size = sizes[i];
        assert_int_equal(get(option, buffer, &size), -EINVAL);
    }
}

/* ---- numbers and texts ------------------------------------------------------------------ */

static void ints_have_their_ranges(void **state)
{
    static const struct {
        int option, initial, min, max;
    } cases[] = {
        {ZMQ_PLAIN_SERVER, 0, 0, 1},
        {ZMQ_CURVE_SERVER, 0, 0, 1},
        {ZMQ_GSSAPI_SERVER, 0, 0, 1},
        {ZMQ_GSSAPI_PLAINTEXT, 0, 0, 1},
        {ZMQ_GSSAPI_PRINCIPAL_NAMETYPE, 0, 0, 2},
        {ZMQ_GSSAPI_SERVICE_PRINCIPAL_NAMETYPE, 0, 0, 2},
        {ZMQ_NORM_MODE, 1, 0, 4},
        {ZMQ_NORM_UNICAST_NACK, 0, 0, 1},
        {ZMQ_NORM_BUFFER_SIZE, 2048, 1, INT_MAX},
        {ZMQ_NORM_SEGMENT_SIZE, 1400, 1, INT_MAX},
        {ZMQ_NORM_BLOCK_SIZE, 16, 1, 255},
        {ZMQ_NORM_NUM_PARITY, 4, 0, 254},
        {ZMQ_NORM_NUM_AUTOPARITY, 0, 0, 254},
        {ZMQ_NORM_PUSH, 0, 0, 1},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int option = cases[i].option;
        reads_as(option, cases[i].initial);
        assert_int_equal(set_number(option, cases[i].min - 1), -EINVAL);
        if (cases[i].max < INT_MAX)
            assert_int_equal(set_number(option, cases[i].max + 1), -EINVAL);
        assert_int_equal(set(option, "\0\0\0\0\0\0\0", 8), -EINVAL);
        assert_int_equal(set(option, NULL, 0), -EINVAL);
        reads_as(option, cases[i].initial);
        assert_int_equal(set_number(option, cases[i].min), 0);
        reads_as(option, cases[i].min);
        assert_int_equal(set_number(option, cases[i].max), 0);
        reads_as(option, cases[i].max);
    }
}

static void write_only_options(void **state)
{
    static const int sizes_of_eight[] = {ZMQ_VMCI_BUFFER_SIZE, ZMQ_VMCI_BUFFER_MIN_SIZE,
                                         ZMQ_VMCI_BUFFER_MAX_SIZE};
    const uint64_t number = 65546;
    (void)state;
    for (size_t i = 0; i < COUNT(sizes_of_eight); i++) {
        assert_int_equal(set(sizes_of_eight[i], &number, 8), 0);
        assert_int_equal(set(sizes_of_eight[i], &number, 4), -EINVAL);
        is_not_readable(sizes_of_eight[i]);
    }
    assert_true(options.vmci_buffer_size == number);
    assert_int_equal(options.vmci_connect_timeout, -1);
    assert_int_equal(set_number(ZMQ_VMCI_CONNECT_TIMEOUT, 5), 0);
    assert_int_equal(options.vmci_connect_timeout, 5);
    is_not_readable(ZMQ_VMCI_CONNECT_TIMEOUT);
}

static void socks_texts(void **state)
{
    static const int credentials[] = {ZMQ_SOCKS_USERNAME, ZMQ_SOCKS_PASSWORD};
    char text[257];
    (void)state;
    memset(text, 'x', sizeof(text));
    reads_as_text(ZMQ_SOCKS_PROXY, "");
    assert_int_equal(set_text(ZMQ_SOCKS_PROXY, "proxy:1080"), 0);
    reads_as_text(ZMQ_SOCKS_PROXY, "proxy:1080");
    assert_int_equal(set_text(ZMQ_SOCKS_PROXY, ""), -EINVAL);
    reads_as_text(ZMQ_SOCKS_PROXY, "proxy:1080");
    assert_int_equal(set(ZMQ_SOCKS_PROXY, NULL, 0), 0);
    reads_as_text(ZMQ_SOCKS_PROXY, "");
    for (size_t i = 0; i < COUNT(credentials); i++) {
        reads_as_text(credentials[i], "");
        assert_int_equal(set(credentials[i], text, 255), 0);
        assert_int_equal(set(credentials[i], text, 256), -EINVAL);
        assert_int_equal(set_text(credentials[i], "name"), 0);
        reads_as_text(credentials[i], "name");
        assert_int_equal(set_text(credentials[i], ""), 0);
        reads_as_text(credentials[i], "");
        assert_int_equal(set_text(credentials[i], "name"), 0);
        assert_int_equal(set(credentials[i], NULL, 0), 0);
        reads_as_text(credentials[i], "");
    }
}

static void security_texts(void **state)
{
    static const int texts[] = {ZMQ_PLAIN_USERNAME, ZMQ_PLAIN_PASSWORD, ZMQ_GSSAPI_PRINCIPAL,
                                ZMQ_GSSAPI_SERVICE_PRINCIPAL};
    char text[257];
    (void)state;
    memset(text, 'x', sizeof(text));
    for (size_t i = 0; i < COUNT(texts); i++) {
        reads_as_text(texts[i], "");
        assert_int_equal(set(texts[i], text, 255), 0);
        assert_int_equal(set(texts[i], text, 256), -EINVAL);
        assert_int_equal(set_text(texts[i], ""), -EINVAL);
        assert_int_equal(set(texts[i], NULL, 5), -EINVAL);
        assert_int_equal(set_text(texts[i], "name"), 0);
        reads_as_text(texts[i], "name");
    }
}

/* ---- the mechanism ---------------------------------------------------------------------- */

#define KEY_Z85 "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"

static void is(int mechanism, int as_server)
{
    reads_as(ZMQ_MECHANISM, mechanism);
    reads_as(ZMQ_PLAIN_SERVER, mechanism == ZMQ_PLAIN && as_server);
    reads_as(ZMQ_CURVE_SERVER, mechanism == ZMQ_CURVE && as_server);
    reads_as(ZMQ_GSSAPI_SERVER, mechanism == ZMQ_GSSAPI && as_server);
}

static void the_last_setter_chooses_the_mechanism(void **state)
{
    (void)state;
    is(ZMQ_NULL, 0);
    assert_int_equal(set_number(ZMQ_PLAIN_SERVER, 1), 0);
    is(ZMQ_PLAIN, 1);
    assert_int_equal(set_text(ZMQ_PLAIN_USERNAME, "me"), 0);
    is(ZMQ_PLAIN, 0);
    assert_int_equal(set_number(ZMQ_CURVE_SERVER, 1), 0);
    is(ZMQ_CURVE, 1);
    assert_int_equal(set_text(ZMQ_CURVE_SECRETKEY, KEY_Z85), 0);
    is(ZMQ_CURVE, 1);
    assert_int_equal(set_text(ZMQ_CURVE_PUBLICKEY, KEY_Z85), 0);
    is(ZMQ_CURVE, 1);
    assert_int_equal(set_text(ZMQ_CURVE_SERVERKEY, KEY_Z85), 0);
    is(ZMQ_CURVE, 0);
    assert_int_equal(set_number(ZMQ_GSSAPI_SERVER, 1), 0);
    is(ZMQ_GSSAPI, 1);
    assert_int_equal(set_text(ZMQ_GSSAPI_PRINCIPAL, "me"), 0);
    is(ZMQ_GSSAPI, 1);
    assert_int_equal(set_text(ZMQ_GSSAPI_SERVICE_PRINCIPAL, "it"), 0);
    is(ZMQ_GSSAPI, 0);
    assert_int_equal(set_text(ZMQ_PLAIN_PASSWORD, "secret"), 0);
    is(ZMQ_PLAIN, 0);
}

static void the_mechanism_can_be_taken_back(void **state)
{
    (void)state;
    assert_int_equal(set_text(ZMQ_PLAIN_USERNAME, "me"), 0);
    assert_int_equal(set(ZMQ_PLAIN_USERNAME, NULL, 0), 0);
    is(ZMQ_NULL, 0);
    assert_int_equal(set_text(ZMQ_PLAIN_PASSWORD, "secret"), 0);
    assert_int_equal(set(ZMQ_PLAIN_PASSWORD, NULL, 0), 0);
    is(ZMQ_NULL, 0);
    assert_int_equal(set_number(ZMQ_CURVE_SERVER, 1), 0);
    assert_int_equal(set_number(ZMQ_CURVE_SERVER, 0), 0);
    is(ZMQ_NULL, 0);
    assert_int_equal(set_number(ZMQ_CURVE_SERVER, 1), 0);
    assert_int_equal(set_number(ZMQ_PLAIN_SERVER, 0), 0);
    is(ZMQ_NULL, 0);
    assert_int_equal(set_number(ZMQ_GSSAPI_SERVER, 0), 0);
    is(ZMQ_GSSAPI, 0);
}

static void a_refused_value_chooses_no_mechanism(void **state)
{
    (void)state;
    assert_int_equal(set_number(ZMQ_PLAIN_SERVER, 2), -EINVAL);
    assert_int_equal(set_text(ZMQ_PLAIN_USERNAME, ""), -EINVAL);
    assert_int_equal(set_number(ZMQ_CURVE_SERVER, -1), -EINVAL);
    assert_int_equal(set_text(ZMQ_CURVE_SERVERKEY, "short"), -EINVAL);
    assert_int_equal(set_text(ZMQ_GSSAPI_PRINCIPAL, ""), -EINVAL);
    is(ZMQ_NULL, 0);
}

/* ---- CURVE keys ------------------------------------------------------------------------- */

static void curve_keys_in_both_forms(void **state)
{
    static const int keys[] = {ZMQ_CURVE_PUBLICKEY, ZMQ_CURVE_SECRETKEY, ZMQ_CURVE_SERVERKEY};
    /* The text begins with the known vector of RFC 32, "HelloWorld". */
    static const char text[] = "HelloWorld0000000000000000000000000000##";
    static const unsigned char zeros[32],
        head[8] = {0x86, 0x4f, 0xd2, 0x6f, 0xb5, 0x59, 0xf7, 0x5b};
    (void)state;
    for (size_t i = 0; i < COUNT(keys); i++) {
        unsigned char binary[32];
        char z85[41];
        size_t binary_size = 32, z85_size = 41;
        assert_int_equal(get(keys[i], binary, &binary_size), 0);
        assert_memory_equal(binary, zeros, 32);
        for (size_t size = 40; size <= 41; size++) {
            assert_int_equal(set(keys[i], zeros, 32), 0);
            assert_int_equal(set(keys[i], text, size), 0);
            assert_int_equal(get(keys[i], binary, &binary_size), 0);
            assert_memory_equal(binary, head, 8);
            assert_memory_equal(binary + 8, zeros, 20);
            assert_int_equal(binary[30] << 8 | binary[31], 84 * 85 + 84); /* "000##" */
            assert_int_equal(get(keys[i], z85, &z85_size), 0);
            assert_int_equal(z85_size, 41);
            assert_string_equal(z85, text);
        }
        memset(binary, 0xff, sizeof(binary));
        assert_int_equal(set(keys[i], binary, 32), 0);
        assert_int_equal(get(keys[i], z85, &z85_size), 0);
        assert_string_equal(z85, "%nSc0%nSc0%nSc0%nSc0%nSc0%nSc0%nSc0%nSc0");
        assert_int_equal(set(keys[i], z85, 40), 0);
        assert_int_equal(get(keys[i], binary, &binary_size), 0);
        assert_int_equal(binary[0] & binary[31], 0xff);
    }
}

static void curve_keys_of_other_forms(void **state)
{
    static const char *const bad[] = {
        "HelloWorld0000000000000000000000000000000", /* 41 bytes, the last no NUL */
        "HelloWorld00000000000000000000000000000\"", /* no such digit */
        "HelloWorld00000000000000000000000000000 ",   "HelloWorld00000000000000000000000000000\xe9",
        "HelloWorld00000000000000000000000000000",    /* 39 bytes */
        "HelloWorld00000000000000000000000000000000", /* 42 bytes */
        "00000000000000000000000000000000000#####",   /* a group above 2^32 - 1 */
        "00000000000000000000000000000000000%nSc1",   /* by one */
    };
    unsigned char binary[64] = {1}, before[32];
    size_t size = 32;
    (void)state;
    assert_int_equal(set_text(ZMQ_CURVE_SECRETKEY, KEY_Z85), 0);
    assert_int_equal(get(ZMQ_CURVE_SECRETKEY, before, &size), 0);
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (set_text(ZMQ_CURVE_PUBLICKEY, bad[i]) != -EINVAL)
            fail_msg("takes %s", bad[i]);
    }
    char with_nul[] = KEY_Z85;
    with_nul[20] = '\0';
    assert_int_equal(set(ZMQ_CURVE_SECRETKEY, with_nul, 40), -EINVAL);
    for (size_t length = 0; length <= 64; length++) {
        size = length;
        if (length == 32 || length == 41)
            continue;
        assert_int_equal(get(ZMQ_CURVE_SECRETKEY, binary, &size), -EINVAL);
        assert_int_equal(set(ZMQ_CURVE_SECRETKEY, binary, length), -EINVAL);
    }
    assert_int_equal(set(ZMQ_CURVE_SECRETKEY, NULL, 0), -EINVAL);
    assert_int_equal(set(ZMQ_CURVE_SECRETKEY, NULL, 32), -EINVAL);
    size = 32;
    assert_int_equal(get(ZMQ_CURVE_SECRETKEY, NULL, &size), -EINVAL);
    assert_int_equal(get(ZMQ_CURVE_SECRETKEY, binary, NULL), -EINVAL);
    assert_int_equal(get(ZMQ_CURVE_SECRETKEY, binary, &size), 0);
    assert_memory_equal(binary, before, 32);
}

/* ---- out of memory ---------------------------------------------------------------------- */

static void set_everything_that_allocates(void)
{
    assert_int_equal(set_text(ZMQ_ZAP_DOMAIN, "domain"), 0);
    assert_int_equal(set_text(ZMQ_PLAIN_PASSWORD, "secret"), 0);
    assert_int_equal(set_text(ZMQ_HELLO_MSG, "hello"), 0);
    assert_int_equal(set_text(ZLINK_TLS_CA, "ca.pem"), 0);
    assert_int_equal(set_text(ZMQ_TCP_ACCEPT_FILTER, "10.0.0.0/8"), 0);
    assert_int_equal(set_number(ZMQ_IPC_FILTER_PID, 1), 0);
    assert_int_equal(set_text(ZMQ_METADATA, "X-one:1"), 0);
    assert_int_equal(set_text(ZMQ_METADATA, "X-two:2"), 0);
}

static void a_failed_set_changes_nothing(void **state)
{
    static const struct {
        int option;
        const char *text;
        int allocations;
    } cases[] = {
        {ZMQ_ZAP_DOMAIN, "other", 1},       {ZMQ_PLAIN_PASSWORD, "other", 1},
        {ZMQ_HELLO_MSG, "other", 1},        {ZMQ_TCP_ACCEPT_FILTER, "127.0.0.1", 1},
        {ZMQ_IPC_FILTER_PID, "1234", 1},    {ZMQ_METADATA, "X-three:3", 3},
        {ZMQ_GSSAPI_PRINCIPAL, "other", 1}, {ZLINK_TLS_CA, "other", 1},
    };
    (void)state;
    set_everything_that_allocates();
    for (size_t i = 0; i < COUNT(cases); i++) {
        for (int n = 0; n < cases[i].allocations; n++) {
            fail_after(n);
            assert_int_equal(set_text(cases[i].option, cases[i].text), -ENOMEM);
            assert_true(allocation_failed);
        }
    }
    fail_after(-1);
    reads_as_text(ZMQ_ZAP_DOMAIN, "domain");
    reads_as_text(ZMQ_PLAIN_PASSWORD, "secret");
    reads_as(ZMQ_MECHANISM, ZMQ_PLAIN);
    reads_as_text(ZLINK_TLS_CA, "ca.pem");
    assert_string_equal(zl_option_text(&options.hello_msg), "hello");
    assert_int_equal(options.accept_filters.count, 1);
    assert_int_equal(options.ipc_pids.count, 1);
    assert_int_equal(options.metadata.count, 2);
    for (size_t i = 0; i < COUNT(cases); i++) {
        fail_after(cases[i].allocations);
        assert_int_equal(set_text(cases[i].option, cases[i].text), 0);
    }
}

static void a_failed_snapshot_leaves_nothing_behind(void **state)
{
    const struct zl_options *snapshot = NULL;
    int allocations = 0;
    (void)state;
    set_everything_that_allocates();
    for (; !snapshot; allocations++) {
        fail_after(allocations);
        snapshot = zl_options_snapshot(&options);
        assert_true(snapshot ? !allocation_failed : allocation_failed);
    }
    assert_true(allocations > 10);
    assert_string_equal(zl_option_text(&snapshot->plain_password), "secret");
    assert_int_equal(snapshot->metadata.count, 2);
    zl_options_release(snapshot);
    reads_as_text(ZMQ_PLAIN_PASSWORD, "secret");
}

static void a_size_no_memory_can_have_is_refused(void **state)
{
    struct zl_option_bytes bytes = {NULL, 0};
    (void)state;
    assert_int_equal(zl_option_bytes_set(&bytes, "x", SIZE_MAX), -ENOMEM);
    assert_null(bytes.data);
    assert_int_equal(set(ZMQ_HELLO_MSG, "x", (size_t)INT_MAX + 1), -EINVAL);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fresh_options, clear_options)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ints_have_their_ranges),
        TEST(write_only_options),
        TEST(socks_texts),
        TEST(security_texts),
        TEST(the_last_setter_chooses_the_mechanism),
        TEST(the_mechanism_can_be_taken_back),
        TEST(a_refused_value_chooses_no_mechanism),
        TEST(curve_keys_in_both_forms),
        TEST(curve_keys_of_other_forms),
        TEST(a_failed_set_changes_nothing),
        TEST(a_failed_snapshot_leaves_nothing_behind),
        TEST(a_size_no_memory_can_have_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
