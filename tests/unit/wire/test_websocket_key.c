/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of the keys of the WebSocket handshake. */

#include "octets.h"

#include "wire/websocket_key.h"

static void test_accept_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *key, *accept;
    } cases[] = {
        {"dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="}, /* RFC 6455, 1.3 */
        {"x3JJHMbDL1EzLkh9GBhXDw==", "HSmrc0sMlYUkAGmm5OPpG2HaGWk="},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char accept[ZL_WEBSOCKET_ACCEPT_SIZE + 1];
        assert_int_equal(zl_websocket_accept(accept, cases[i].key), 0);
        assert_string_equal(accept, cases[i].accept);
    }
}

static void test_key_of_a_nonce(void **state)
{
    (void)state;
    char key[ZL_WEBSOCKET_KEY_SIZE + 1];
    zl_websocket_key(key, (const uint8_t *)"the sample nonce");
    assert_string_equal(key, "dGhlIHNhbXBsZSBub25jZQ==");
    zl_websocket_key(key, (const uint8_t[16]){0});
    assert_string_equal(key, "AAAAAAAAAAAAAAAAAAAAAA==");
}

static void test_valid_keys(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        bool valid;
    } cases[] = {
        {"dGhlIHNhbXBsZSBub25jZQ==", true},  {"++++++++++//////////+/==", true},
        {"AAAAAAAAAAAAAAAAAAAAAA==", true},  {"", false},
        {"dGhlIHNhbXBsZSBub25jZQ=", false},  {"dGhlIHNhbXBsZSBub25jZQ===", false},
        {"dGhlIHNhbXBsZSBub25jZVE=", false}, /* 17 octets */
        {"dGhlIHNhbXBsZSBub25jZVFR", false}, /* 18 */
        {"dGhlIHNhbXBsZSBub25j====", false}, /* 15 */
        {"dGhlIHNhbXBs-SBub25jZQ==", false}, {"dGhlIHNhbXBsZSBub25jZQ= ", false},
        {"dGhl=HNhbXBsZSBub25jZQ==", false}, {" GhlIHNhbXBsZSBub25jZQ==", false},
        {"====================== =", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct octets key = octets_copy(cases[i].key, strlen(cases[i].key));
        assert_int_equal(zl_websocket_key_is_valid((const char *)key.at, key.size), cases[i].valid);
        octets_free(key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accept_vectors),
        cmocka_unit_test(test_key_of_a_nonce),
        cmocka_unit_test(test_valid_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
