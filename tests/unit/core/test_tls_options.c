/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of the options of TLS: their rows, what a TLS context is made from, and that secrets neither
 * come back nor stay in memory. For the latter the sources are compiled in here, with an allocator
 * that looks at what is freed. */
#define _GNU_SOURCE
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static void *allocate(size_t size);
static void release(void *memory);

#define malloc allocate
#define free release
#include "core/option_value.c"

#include "core/options.c"

#include "core/tls_options.c"
#undef malloc
#undef free

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define SECRET "correct horse"
#define PEM_KEY "-----BEGIN EC PRIVATE KEY-----\n" SECRET "\n-----END EC PRIVATE KEY-----\n"
#define PEM_CERTIFICATE "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"

/* ---- the allocator ---------------------------------------------------------------------- */

union header {
    size_t size;
    max_align_t alignment;
};

static int leaked_secrets;

static void *allocate(size_t size)
{
    union header *header = malloc(sizeof(*header) + size);
    if (!header)
        return NULL;
    header->size = size;
    return header + 1;
}

static void release(void *memory)
{
    union header *header = memory;
    if (!memory)
        return;
    header--;
    if (memmem(memory, header->size, SECRET, strlen(SECRET)))
        leaked_secrets++;
    free(header);
}

/* ---- helpers ---------------------------------------------------------------------------- */

static struct zl_options options;

static int fresh_options(void **state)
{
    (void)state;
    leaked_secrets = 0;
    memset(&options, 0xA5, sizeof(options));
    zl_options_init(&options, ZMQ_DEALER, false, true);
    return 0;
}

static int clear_options(void **state)
{
    (void)state;
    zl_options_clear(&options);
    return leaked_secrets;
}

static int set(int option, const void *value, size_t size)
{
    return zl_options_set(&options, option, value, size);
}

static int set_number(int option, int value)
{
    return set(option, &value, sizeof(value));
}

static int set_text(int option, const char *text)
{
    return set(option, text, strlen(text));
}

static void reads_as_number(int option, int expected)
{
    int value = ~expected;
    size_t size = sizeof(value);
    assert_int_equal(zl_options_get(&options, option, &value, &size), 0);
    assert_int_equal(size, sizeof(value));
    assert_int_equal(value, expected);
}

/* A buffer that just holds text and NUL is enough, one byte less is not. */
static void reads_as(int option, const char *expected)
{
    char buffer[256];
    size_t size = strlen(expected) + 1;
    memset(buffer, '#', sizeof(buffer));
    assert_int_equal(zl_options_get(&options, option, buffer, &size), 0);
    assert_int_equal(size, strlen(expected) + 1);
    assert_string_equal(buffer, expected);
    size = strlen(expected);
    memset(buffer, '#', sizeof(buffer));
    assert_int_equal(zl_options_get(&options, option, buffer, &size), -EINVAL);
    assert_int_equal(buffer[0], '#');
}

static void is_not_readable(int option)
{
    char buffer[512];
    const size_t sizes[] = {0, 4, 8, sizeof(buffer)};
    memset(buffer, '#', sizeof(buffer));
    for (size_t i = 0; i < COUNT(sizes); i++) {
        size_t size = sizes[i];
        assert_int_equal(zl_options_get(&options, option, buffer, &size), -EINVAL);
        assert_int_equal(size, sizes[i]);
    }
    for (size_t i = 0; i < sizeof(buffer); i++)
        assert_int_equal(buffer[i], '#');
}

/* ---- rows ------------------------------------------------------------------------------- */

static const int readable_texts[] = {
    ZLINK_TLS_CERTIFICATE, ZLINK_TLS_KEY,          ZLINK_TLS_CA,   ZLINK_TLS_HOSTNAME,
    ZLINK_TLS_CIPHERS,     ZLINK_TLS_CIPHERSUITES, ZLINK_TLS_ALPN,
};

static void numbers_are_those_of_the_interface(void **state)
{
    (void)state;
    assert_int_equal(ZLINK_TLS_CERTIFICATE, 1000);
    assert_int_equal(ZLINK_TLS_KEY, 1001);
    assert_int_equal(ZLINK_TLS_CA, 1002);
    assert_int_equal(ZLINK_TLS_VERIFY, 1003);
    assert_int_equal(ZLINK_TLS_REQUIRE_CLIENT_CERT, 1004);
    assert_int_equal(ZLINK_TLS_HOSTNAME, 1005);
    assert_int_equal(ZLINK_TLS_TRUST_SYSTEM, 1006);
    assert_int_equal(ZLINK_TLS_KEY_PASSWORD, 1007);
    assert_int_equal(ZLINK_TLS_MIN_VERSION, 1008);
    assert_int_equal(ZLINK_TLS_CIPHERS, 1009);
    assert_int_equal(ZLINK_TLS_CIPHERSUITES, 1010);
    assert_int_equal(ZLINK_TLS_ALPN, 1011);
    assert_int_equal(ZLINK_TLS_ERROR, 1012);
}

static void ints_have_defaults_and_ranges(void **state)
{
    static const struct {
        int option, initial, min, max;
    } cases[] = {
        {ZLINK_TLS_VERIFY, 1, 0, 1},
        {ZLINK_TLS_REQUIRE_CLIENT_CERT, 0, 0, 2},
        {ZLINK_TLS_TRUST_SYSTEM, 0, 0, 1},
        {ZLINK_TLS_MIN_VERSION, 12, 12, 13},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int option = cases[i].option;
        reads_as_number(option, cases[i].initial);
        assert_int_equal(set_number(option, cases[i].min - 1), -EINVAL);
        assert_int_equal(set_number(option, cases[i].max + 1), -EINVAL);
        assert_int_equal(set(option, "\0\0\0\0\0\0\0", 8), -EINVAL);
        assert_int_equal(set(option, NULL, 0), -EINVAL);
        reads_as_number(option, cases[i].initial);
        for (int value = cases[i].min; value <= cases[i].max; value++) {
            assert_int_equal(set_number(option, value), 0);
            reads_as_number(option, value);
        }
    }
}

static void texts_are_read_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(readable_texts); i++) {
        int option = readable_texts[i];
        reads_as(option, "");
        assert_int_equal(set_text(option, "certs/some text"), 0);
        reads_as(option, "certs/some text");
        assert_int_equal(set_text(option, ""), 0);
        reads_as(option, "");
        assert_int_equal(set_text(option, "another"), 0);
        assert_int_equal(set(option, NULL, 0), 0);
        reads_as(option, "");
    }
}

static void a_text_may_end_with_nul_but_has_none_inside(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(readable_texts); i++) {
        int option = readable_texts[i];
        assert_int_equal(set(option, "name", 5), 0);
        reads_as(option, "name");
        assert_int_equal(set(option, "good.example\0.evil.example", 26), -EINVAL);
        assert_int_equal(set(option, "name\0", 6), -EINVAL);
        reads_as(option, "name");
        assert_int_equal(set(option, "", 1), 0);
        reads_as(option, "");
    }
}

static void their_neighbours_are_unknown(void **state)
{
    static const int neighbours[] = {999, ZLINK_TLS_ERROR, 1013, 1100, INT_MAX, INT_MIN};
    (void)state;
    for (size_t i = 0; i < COUNT(neighbours); i++) {
        is_not_readable(neighbours[i]);
        assert_int_equal(set_text(neighbours[i], "text"), -EINVAL);
        assert_int_equal(set_number(neighbours[i], 1), -EINVAL);
        assert_int_equal(set(neighbours[i], NULL, 0), -EINVAL);
    }
}

/* ---- secrets ---------------------------------------------------------------------------- */

static void a_password_is_not_read_back(void **state)
{
    (void)state;
    is_not_readable(ZLINK_TLS_KEY_PASSWORD);
    assert_int_equal(set_text(ZLINK_TLS_KEY_PASSWORD, SECRET), 0);
    is_not_readable(ZLINK_TLS_KEY_PASSWORD);
    assert_string_equal(zl_option_text(&options.tls_key_password), SECRET);
}

static void text_with_a_private_key_is_not_read_back(void **state)
{
    static const int places[] = {ZLINK_TLS_KEY, ZLINK_TLS_CERTIFICATE, ZLINK_TLS_CA};
    (void)state;
    for (size_t i = 0; i < COUNT(places); i++) {
        assert_int_equal(set_text(places[i], PEM_CERTIFICATE), 0);
        reads_as(places[i], PEM_CERTIFICATE);
        assert_int_equal(set_text(places[i], PEM_CERTIFICATE PEM_KEY), 0);
        is_not_readable(places[i]);
        assert_int_equal(set_text(places[i], "certs/server.key"), 0);
        reads_as(places[i], "certs/server.key");
    }
}

static void set_secrets(void)
{
    assert_int_equal(set_text(ZLINK_TLS_KEY, PEM_KEY), 0);
    assert_int_equal(set_text(ZLINK_TLS_CERTIFICATE, PEM_CERTIFICATE PEM_KEY), 0);
    assert_int_equal(set_text(ZLINK_TLS_KEY_PASSWORD, SECRET), 0);
}

static void secrets_are_wiped_when_they_go(void **state)
{
    (void)state;
    set_secrets();
    set_secrets();
    assert_int_equal(set(ZMQ_WSS_KEY_PEM, NULL, 0), 0);
    assert_int_equal(set_text(ZLINK_TLS_KEY_PASSWORD, ""), 0);
    set_secrets();
    const struct zl_options *snapshot = zl_options_snapshot(&options);
    assert_non_null(snapshot);
    zl_options_release(snapshot);
    zl_options_clear(&options);
    assert_null(options.tls_key.data);
    assert_int_equal(leaked_secrets, 0);
}

static void the_allocator_of_this_test_sees_secrets(void **state)
{
    (void)state;
    char *text = allocate(100);
    assert_non_null(text);
    memset(text, 'x', 100);
    memcpy(text + 50, SECRET, strlen(SECRET));
    release(text);
    assert_int_equal(leaked_secrets, 1);
    leaked_secrets = 0;
}

/* ---- the options of libzmq -------------------------------------------------------------- */

static void wss_options_set_the_same_fields(void **state)
{
    static const struct {
        int wss, tls;
    } pairs[] = {
        {ZMQ_WSS_KEY_PEM, ZLINK_TLS_KEY},
        {ZMQ_WSS_CERT_PEM, ZLINK_TLS_CERTIFICATE},
        {ZMQ_WSS_TRUST_PEM, ZLINK_TLS_CA},
        {ZMQ_WSS_HOSTNAME, ZLINK_TLS_HOSTNAME},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(pairs); i++) {
        assert_int_equal(set_text(pairs[i].wss, "value"), 0);
        reads_as(pairs[i].tls, "value");
        is_not_readable(pairs[i].wss);
        assert_int_equal(set(pairs[i].wss, "a\0b", 3), -EINVAL);
        reads_as(pairs[i].tls, "value");
        assert_int_equal(set_text(pairs[i].tls, "other"), 0);
        assert_int_equal(set_text(pairs[i].wss, ""), 0);
        reads_as(pairs[i].tls, "");
    }
    assert_int_equal(set_number(ZMQ_WSS_TRUST_SYSTEM, 2), -EINVAL);
    assert_int_equal(set_number(ZMQ_WSS_TRUST_SYSTEM, 1), 0);
    reads_as_number(ZLINK_TLS_TRUST_SYSTEM, 1);
    is_not_readable(ZMQ_WSS_TRUST_SYSTEM);
}

/* ---- settings of a TLS context ---------------------------------------------------------- */

static void set_everything(void)
{
    assert_int_equal(set_text(ZLINK_TLS_CERTIFICATE, "cert.pem"), 0);
    assert_int_equal(set_text(ZLINK_TLS_KEY, "key.pem"), 0);
    assert_int_equal(set_text(ZLINK_TLS_CA, "ca.pem"), 0);
    assert_int_equal(set_text(ZLINK_TLS_HOSTNAME, "server.example"), 0);
    assert_int_equal(set_text(ZLINK_TLS_KEY_PASSWORD, SECRET), 0);
    assert_int_equal(set_text(ZLINK_TLS_CIPHERS, "ECDHE+AESGCM"), 0);
    assert_int_equal(set_text(ZLINK_TLS_CIPHERSUITES, "TLS_AES_256_GCM_SHA384"), 0);
    assert_int_equal(set_text(ZLINK_TLS_ALPN, "zmtp,other"), 0);
    assert_int_equal(set_number(ZLINK_TLS_TRUST_SYSTEM, 1), 0);
    assert_int_equal(set_number(ZLINK_TLS_MIN_VERSION, 13), 0);
}

static void settings_have_everything(const struct zl_options *from, bool server)
{
    struct zl_tls_settings settings;
    memset(&settings, 0xA5, sizeof(settings));
    zl_options_tls_settings(from, server, &settings);
    assert_int_equal(settings.server, server);
    assert_string_equal(settings.certificate, "cert.pem");
    assert_string_equal(settings.key, "key.pem");
    assert_string_equal(settings.key_password, SECRET);
    assert_string_equal(settings.ca, "ca.pem");
    assert_string_equal(settings.host, "server.example");
    assert_string_equal(settings.ciphers, "ECDHE+AESGCM");
    assert_string_equal(settings.cipher_suites, "TLS_AES_256_GCM_SHA384");
    assert_string_equal(settings.alpn, "zmtp,other");
    assert_true(settings.trust_system);
    assert_int_equal(settings.min_version, 13);
}

static void settings_are_those_of_the_options(void **state)
{
    (void)state;
    set_everything();
    settings_have_everything(&options, false);
    settings_have_everything(&options, true);
}

static void settings_by_default_are_empty(void **state)
{
    struct zl_tls_settings settings;
    (void)state;
    memset(&settings, 0xA5, sizeof(settings));
    zl_options_tls_settings(&options, false, &settings);
    const char *const texts[] = {
        settings.certificate, settings.key,     settings.key_password,  settings.ca,
        settings.host,        settings.ciphers, settings.cipher_suites, settings.alpn,
    };
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_string_equal(texts[i], "");
    assert_false(settings.trust_system);
    assert_int_equal(settings.min_version, 12);
}

static enum zl_tls_verify verified(bool server)
{
    struct zl_tls_settings settings;
    zl_options_tls_settings(&options, server, &settings);
    return settings.verify;
}

static void each_role_has_its_own_verification(void **state)
{
    (void)state;
    assert_int_equal(verified(false), ZL_TLS_VERIFY_REQUIRED);
    assert_int_equal(verified(true), ZL_TLS_VERIFY_NONE);
    assert_int_equal(set_number(ZLINK_TLS_REQUIRE_CLIENT_CERT, 1), 0);
    assert_int_equal(verified(true), ZL_TLS_VERIFY_REQUIRED);
    assert_int_equal(set_number(ZLINK_TLS_REQUIRE_CLIENT_CERT, 2), 0);
    assert_int_equal(verified(true), ZL_TLS_VERIFY_OPTIONAL);
    assert_int_equal(set_number(ZLINK_TLS_VERIFY, 0), 0);
    assert_int_equal(verified(false), ZL_TLS_VERIFY_NONE);
    assert_int_equal(verified(true), ZL_TLS_VERIFY_OPTIONAL);
}

static void wss_options_alone_verify(void **state)
{
    struct zl_tls_settings settings;
    (void)state;
    assert_int_equal(set_text(ZMQ_WSS_TRUST_PEM, PEM_CERTIFICATE), 0);
    zl_options_tls_settings(&options, false, &settings);
    assert_int_equal(settings.verify, ZL_TLS_VERIFY_REQUIRED);
    assert_string_equal(settings.ca, PEM_CERTIFICATE);
    assert_string_equal(settings.host, "");
}

static void a_snapshot_keeps_its_settings(void **state)
{
    (void)state;
    set_everything();
    const struct zl_options *snapshot = zl_options_snapshot(&options);
    assert_non_null(snapshot);
    zl_options_clear(&options);
    zl_options_init(&options, ZMQ_DEALER, false, true);
    assert_int_equal(set_text(ZLINK_TLS_CA, "another.pem"), 0);
    settings_have_everything(snapshot, false);
    settings_have_everything(snapshot, true);
    zl_options_release(snapshot);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fresh_options, clear_options)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(numbers_are_those_of_the_interface),
        TEST(ints_have_defaults_and_ranges),
        TEST(texts_are_read_back),
        TEST(a_text_may_end_with_nul_but_has_none_inside),
        TEST(their_neighbours_are_unknown),
        TEST(a_password_is_not_read_back),
        TEST(text_with_a_private_key_is_not_read_back),
        TEST(secrets_are_wiped_when_they_go),
        TEST(the_allocator_of_this_test_sees_secrets),
        TEST(wss_options_set_the_same_fields),
        TEST(settings_are_those_of_the_options),
        TEST(settings_by_default_are_empty),
        TEST(each_role_has_its_own_verification),
        TEST(wss_options_alone_verify),
        TEST(a_snapshot_keeps_its_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
