/* SPDX-License-Identifier: MPL-2.0 */
/* TLS contexts: what settings are accepted, files and texts, changed files, sessions. */
#define _GNU_SOURCE
#include "unit/transport/tls_peers.h"

#include <openssl/pem.h>
#include <stdlib.h>
#include <sys/stat.h>

static char folder[] = "/tmp/zlink-tls-XXXXXX";
static char certificate_path[64], key_path[64], ca_path[64];

static int setup(void **state)
{
    make_world(state);
    assert_non_null(mkdtemp(folder));
    snprintf(certificate_path, sizeof certificate_path, "%s/server.pem", folder);
    snprintf(key_path, sizeof key_path, "%s/server.key", folder);
    snprintf(ca_path, sizeof ca_path, "%s/ca.pem", folder);
    return 0;
}

static int teardown(void **state)
{
    unlink(certificate_path);
    unlink(key_path);
    unlink(ca_path);
    assert_int_equal(rmdir(folder), 0);
    return free_world(state);
}

static void write_files(void)
{
    tc_write_file(certificate_path, world.server.certificate);
    tc_write_file(key_path, world.server.key);
    tc_write_file(ca_path, world.ca.certificate);
}

static void refuse(struct zl_tls_settings settings, int code, const char *words)
{
    struct zl_tls_context *context = NULL;
    struct zl_tls_error error = {0};
    assert_int_equal(zl_tls_context_new(&settings, &context, &error), code);
    assert_null(context);
    assert_int_equal(error.code, code);
    if (!strstr(error.text, words))
        fail_msg("'%s' does not say '%s'", error.text, words);
    assert_int_equal(ERR_peek_error(), 0);
    assert_int_equal(zl_tls_context_new(&settings, &context, NULL), code);
}

static void connects(struct zl_tls_settings client_with, struct zl_tls_settings server_with)
{
    struct zl_tls_context *client = new_context(client_with), *server = new_context(server_with);
    struct pair pair;
    connect_pair(&pair, client, server);
    assert_works(&pair);
    close_pair(&pair);
    zl_tls_context_release(client);
    zl_tls_context_release(server);
}

/* ---- Settings --------------------------------------------------------------------------------- */

static void verification_without_trust_fails_closed(void **state)
{
    struct zl_tls_settings settings = {.host = "server.example"};
    (void)state;
    refuse(settings, -EINVAL, "no CA is trusted");
    settings = server_settings();
    settings.verify = ZL_TLS_VERIFY_REQUIRED;
    refuse(settings, -EINVAL, "no CA is trusted");
    settings.verify = ZL_TLS_VERIFY_OPTIONAL;
    refuse(settings, -EINVAL, "no CA is trusted");
}

static void verification_without_a_name_fails_closed(void **state)
{
    struct zl_tls_settings settings = {.ca = world.ca.certificate};
    (void)state;
    refuse(settings, -EINVAL, "no host name");
}

static void settings_that_cannot_work_are_refused(void **state)
{
    struct zl_tls_settings settings = {.server = true};
    (void)state;
    refuse(settings, -EINVAL, "needs a certificate");
    settings = client_settings();
    settings.key = world.client.key;
    refuse(settings, -EINVAL, "no certificate for it");
    settings = client_settings();
    settings.min_version = 11;
    refuse(settings, -EINVAL, "12 or 13, not 11");
    settings = client_settings();
    settings.ciphers = "ROT13";
    refuse(settings, -EINVAL, "'ROT13'");
    settings = client_settings();
    settings.cipher_suites = "TLS_ROT_13";
    refuse(settings, -EINVAL, "'TLS_ROT_13'");
    settings = client_settings();
    settings.alpn = "a,,b";
    refuse(settings, -EINVAL, "ALPN");
}

/* ---- Files and texts -------------------------------------------------------------------------- */

static void files_and_texts_are_the_same(void **state)
{
    struct zl_tls_settings client = client_settings(), server = server_settings();
    (void)state;
    write_files();
    connects(client, server);
    server.certificate = certificate_path;
    server.key = key_path;
    client.ca = ca_path;
    connects(client, server);
}

static void key_may_be_behind_the_certificate(void **state)
{
    char *both = tc_join(world.server.certificate, world.server.key);
    struct zl_tls_settings server = server_settings();
    (void)state;
    server.certificate = both;
    server.key = NULL;
    connects(client_settings(), server);
    server.certificate = world.server.certificate;
    refuse(server, -EINVAL, "no private key");
    free(both);
}

static void encrypted_key_needs_its_password(void **state)
{
    char *key = tc_encrypted_key(&world.server, "secret");
    struct zl_tls_settings server = server_settings();
    (void)state;
    server.key = key;
    refuse(server, -EINVAL, "password is needed");
    server.key_password = "wrong";
    refuse(server, -EINVAL, "password");
    server.key_password = "secret";
    connects(client_settings(), server);
    free(key);
}

static void wrong_files_are_told(void **state)
{
    struct zl_tls_settings server = server_settings(), client = client_settings();
    (void)state;
    write_files();
    server.certificate = "/nonexistent/server.pem";
    refuse(server, -ENOENT, "/nonexistent/server.pem");
    server.certificate = folder;
    refuse(server, -EISDIR, folder);
    server.certificate = key_path;
    refuse(server, -EINVAL, "no certificate in");
    server = server_settings();
    server.key = "/nonexistent/server.key";
    refuse(server, -ENOENT, "/nonexistent/server.key");
    server.key = ca_path;
    refuse(server, -EINVAL, "no private key");
    server.key = world.client.key;
    refuse(server, -EINVAL, "does not belong");
    client.ca = key_path;
    refuse(client, -EINVAL, "no certificate in");
    client.ca = "-----BEGIN CERTIFICATE-----\nrubbish\n-----END CERTIFICATE-----\n";
    refuse(client, -EINVAL, "damaged");
}

/* The name under which OpenSSL looks for a CA in a directory. */
static void hashed_path(char *path, size_t size)
{
    BIO *bio = BIO_new_mem_buf(world.ca.certificate, -1);
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    snprintf(path, size, "%s/%08lx.0", folder, X509_subject_name_hash(certificate));
    X509_free(certificate);
    BIO_free(bio);
}

static void ca_directory_is_searched(void **state)
{
    struct zl_tls_settings client = client_settings();
    char path[128];
    (void)state;
    hashed_path(path, sizeof path);
    tc_write_file(path, world.ca.certificate);
    client.ca = folder;
    connects(client, server_settings());
    unlink(path);
}

static void system_store_is_used_when_asked_for(void **state)
{
    struct zl_tls_settings client = client_settings();
    (void)state;
    write_files();
    setenv("SSL_CERT_FILE", ca_path, 1);
    client.ca = NULL;
    client.trust_system = true;
    connects(client, server_settings());
    unsetenv("SSL_CERT_FILE");
}

/* ---- Protocol choices ------------------------------------------------------------------------- */

static struct zl_tls_info agreed(struct pair *pair, struct zl_tls_settings client_with,
                                 struct zl_tls_settings server_with, char alpn[32])
{
    struct zl_tls_context *client = new_context(client_with), *server = new_context(server_with);
    struct zl_tls_info info;
    connect_pair(pair, client, server);
    assert_works(pair);
    zl_tls_stream_info(&pair->side[CLIENT], &info);
    snprintf(alpn, 32, "%.*s", (int)info.alpn_size, info.alpn ? info.alpn : "");
    close_pair(pair);
    zl_tls_context_release(client);
    zl_tls_context_release(server);
    return info;
}

static void alpn_is_agreed(void **state)
{
    struct zl_tls_settings client = client_settings(), server = server_settings();
    struct pair pair;
    char alpn[32];
    (void)state;
    agreed(&pair, client, server, alpn);
    assert_string_equal(alpn, "");
    client.alpn = "x,zmtp";
    agreed(&pair, client, server, alpn);
    assert_string_equal(alpn, "");
    server.alpn = "zmtp,http/1.1";
    agreed(&pair, client, server, alpn);
    assert_string_equal(alpn, "zmtp");
    client.alpn = NULL;
    agreed(&pair, client, server, alpn);
    assert_string_equal(alpn, "");
}

static void cipher_suites_are_kept(void **state)
{
    struct zl_tls_settings client = client_settings(), server = server_settings();
    struct pair pair;
    char alpn[32];
    (void)state;
    assert_string_equal(agreed(&pair, client, server, alpn).cipher, "TLS_AES_128_GCM_SHA256");
    server.cipher_suites = "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384";
    assert_string_equal(agreed(&pair, client, server, alpn).cipher, "TLS_AES_256_GCM_SHA384");
    client.cipher_suites = "TLS_CHACHA20_POLY1305_SHA256";
    assert_string_equal(agreed(&pair, client, server, alpn).cipher, "TLS_CHACHA20_POLY1305_SHA256");
}

/* ---- Sessions --------------------------------------------------------------------------------- */

static bool connect_once(struct zl_tls_context *client, struct zl_tls_context *server)
{
    struct zl_tls_info info[2];
    struct pair pair;
    connect_pair(&pair, client, server);
    assert_works(&pair); /* reading takes in the ticket */
    for (int i = 0; i < 2; i++)
        zl_tls_stream_info(&pair.side[i], &info[i]);
    assert_int_equal(info[CLIENT].resumed, info[SERVER].resumed);
    close_pair(&pair);
    return info[CLIENT].resumed;
}

static void sessions_are_resumed(void **state)
{
    struct zl_tls_context *client = new_context(client_settings());
    struct zl_tls_context *server = new_context(server_settings());
    struct zl_tls_context *other = new_context(server_settings());
    (void)state;
    assert_false(connect_once(client, server));
    assert_true(connect_once(client, server));
    assert_true(connect_once(client, server));
    /* A server that does not know the ticket makes a full handshake. */
    assert_false(connect_once(client, other));
    assert_true(connect_once(client, other));
    zl_tls_context_release(client);
    zl_tls_context_release(server);
    zl_tls_context_release(other);
}

static void sessions_with_client_certificates_are_resumed(void **state)
{
    struct zl_tls_settings client_with = client_settings(), server_with = server_settings();
    (void)state;
    client_with.certificate = world.client.certificate;
    client_with.key = world.client.key;
    server_with.ca = world.ca.certificate;
    server_with.verify = ZL_TLS_VERIFY_REQUIRED;
    struct zl_tls_context *client = new_context(client_with), *server = new_context(server_with);
    assert_false(connect_once(client, server));
    assert_true(connect_once(client, server));
    zl_tls_context_release(client);
    zl_tls_context_release(server);
}

/* ---- Changed files ---------------------------------------------------------------------------- */

static int refresh(struct zl_tls_context *context, const char *words)
{
    struct zl_tls_error error = {0};
    int rc = zl_tls_context_refresh(context, &error);
    if (!strstr(error.text, words))
        fail_msg("'%s' does not say '%s'", error.text, words);
    assert_int_equal(ERR_peek_error(), 0);
    return rc;
}

static int attempt(struct zl_tls_context *client, struct zl_tls_context *server)
{
    struct pair pair;
    begin_pair(&pair, client, server);
    shake_hands(&pair);
    int result = pair.result[CLIENT];
    close_pair(&pair);
    return result;
}

static void changed_certificate_is_loaded(void **state)
{
    struct tc_identity renewed = tc_issue(&(struct tc_request){
        .name = "new", .alternatives = "DNS:new.example", .issuer = &world.ca});
    struct zl_tls_settings server_with = server_settings(), client_with = client_settings();
    struct pair old;
    (void)state;
    write_files();
    server_with.certificate = certificate_path;
    server_with.key = key_path;
    struct zl_tls_context *server = new_context(server_with);
    struct zl_tls_context *client = new_context(client_with);
    client_with.host = "new.example";
    struct zl_tls_context *new_client = new_context(client_with);
    connect_pair(&old, client, server);
    assert_int_equal(refresh(server, ""), 0);
    assert_int_equal(attempt(new_client, server), -EACCES);

    /* Half of the change: the old pair stays, and this is tried once. */
    tc_write_file(certificate_path, renewed.certificate);
    assert_int_equal(refresh(server, "does not belong"), -EINVAL);
    assert_int_equal(refresh(server, ""), 0);
    assert_int_equal(attempt(client, server), 0);

    tc_write_file(key_path, renewed.key);
    assert_int_equal(refresh(server, ""), 1);
    assert_int_equal(refresh(server, ""), 0);
    assert_int_equal(attempt(new_client, server), 0);
    assert_int_equal(attempt(client, server), -EACCES);
    assert_works(&old); /* connections that are open go on */

    unlink(key_path);
    assert_int_equal(refresh(server, "cannot read the key"), -ENOENT);
    assert_int_equal(refresh(server, ""), 0);
    assert_int_equal(attempt(new_client, server), 0);
    close_pair(&old);
    zl_tls_context_release(client);
    zl_tls_context_release(new_client);
    zl_tls_context_release(server);
    tc_free(&renewed);
}

static void changed_ca_ends_resumption(void **state)
{
    struct zl_tls_settings client_with = client_settings();
    (void)state;
    write_files();
    client_with.ca = ca_path;
    struct zl_tls_context *client = new_context(client_with);
    struct zl_tls_context *server = new_context(server_settings());
    connect_once(client, server);
    assert_true(connect_once(client, server));
    tc_write_file(ca_path, world.stranger.certificate);
    assert_int_equal(refresh(client, ""), 1);
    assert_int_equal(attempt(client, server), -EACCES);
    zl_tls_context_release(client);
    zl_tls_context_release(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verification_without_trust_fails_closed),
        cmocka_unit_test(verification_without_a_name_fails_closed),
        cmocka_unit_test(settings_that_cannot_work_are_refused),
        cmocka_unit_test(files_and_texts_are_the_same),
        cmocka_unit_test(key_may_be_behind_the_certificate),
        cmocka_unit_test(encrypted_key_needs_its_password),
        cmocka_unit_test(wrong_files_are_told),
        cmocka_unit_test(ca_directory_is_searched),
        cmocka_unit_test(system_store_is_used_when_asked_for),
        cmocka_unit_test(alpn_is_agreed),
        cmocka_unit_test(cipher_suites_are_kept),
        cmocka_unit_test(sessions_are_resumed),
        cmocka_unit_test(sessions_with_client_certificates_are_resumed),
        cmocka_unit_test(changed_certificate_is_loaded),
        cmocka_unit_test(changed_ca_ends_resumption),
    };
    return cmocka_run_group_tests_name(__FILE__, tests, setup, teardown);
}
