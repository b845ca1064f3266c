/* SPDX-License-Identifier: MPL-2.0 */
/* TLS handshakes: who is let in, who is not, and what each side is told. */
#include "unit/transport/tls_peers.h"

#include <openssl/pem.h>

/* Runs a handshake of these two and expects both results, with these words in the reasons. */
static void expect(struct zl_tls_settings client, struct zl_tls_settings server, int client_code,
                   const char *client_words, int server_code, const char *server_words)
{
    struct zl_tls_context *contexts[2] = {new_context(client), new_context(server)};
    struct pair pair;
    begin_pair(&pair, contexts[CLIENT], contexts[SERVER]);
    shake_hands(&pair);
    assert_int_equal(client_result(&pair), client_code);
    assert_reason(&pair.side[CLIENT], client_words);
    assert_int_equal(pair.result[SERVER], server_code);
    assert_reason(&pair.side[SERVER], server_words);
    if (pair.result[SERVER] < 0) {
        /* It stays so. */
        assert_int_equal(zl_tls_handshake(&pair.side[SERVER]), server_code);
        assert_int_equal(write_some(&pair.side[SERVER], "x", 1), server_code);
    }
    close_pair(&pair);
    zl_tls_context_release(contexts[CLIENT]);
    zl_tls_context_release(contexts[SERVER]);
}

static void expect_success(struct zl_tls_settings client, struct zl_tls_settings server,
                           const char *version, bool client_has_certificate)
{
    struct zl_tls_context *contexts[2] = {new_context(client), new_context(server)};
    struct zl_tls_info info;
    struct pair pair;
    connect_pair(&pair, contexts[CLIENT], contexts[SERVER]);
    assert_works(&pair);
    for (int i = 0; i < 2; i++) {
        zl_tls_stream_info(&pair.side[i], &info);
        assert_string_equal(info.version, version);
        assert_false(info.resumed);
        assert_int_equal(info.peer_certificate, i == CLIENT || client_has_certificate);
        assert_string_equal(zl_tls_reason(&pair.side[i]), "");
    }
    close_pair(&pair);
    zl_tls_context_release(contexts[CLIENT]);
    zl_tls_context_release(contexts[SERVER]);
}

static void both_sides_agree(void **state)
{
    (void)state;
    expect_success(client_settings(), server_settings(), "TLSv1.3", false);
}

static void no_common_cipher_suite_is_told(void **state)
{
    struct zl_tls_settings server = server_settings();
    (void)state;
    struct zl_tls_settings client = client_settings();
    client.cipher_suites = "TLS_AES_128_CCM_SHA256";
    server.cipher_suites = "TLS_AES_256_GCM_SHA384";
    expect(client, server, -EPROTONOSUPPORT, "cipher suite", -EPROTONOSUPPORT, "cipher suite");
}

/* ---- The server's certificate ----------------------------------------------------------------- */

static void expect_refused_server(struct tc_request request, const char *words,
                                  const char *alert_words)
{
    struct tc_identity identity = tc_issue(&request);
    struct zl_tls_settings server = server_settings();
    server.certificate = identity.certificate;
    server.key = identity.key;
    expect(client_settings(), server, -EACCES, words, -ECONNREFUSED, alert_words);
    tc_free(&identity);
}

static void expired_certificate_is_refused(void **state)
{
    (void)state;
    expect_refused_server((struct tc_request){.name = "server.example",
                                              .alternatives = "DNS:server.example",
                                              .issuer = &world.ca,
                                              .starts_before = 7200,
                                              .ends_after = -3600},
                          "has expired", "our certificate has expired");
}

static void certificate_of_the_future_is_refused(void **state)
{
    (void)state;
    expect_refused_server((struct tc_request){.name = "server.example",
                                              .alternatives = "DNS:server.example",
                                              .issuer = &world.ca,
                                              .starts_before = -3600,
                                              .ends_after = 7200},
                          "not valid yet", "certificate");
}

static void wrong_name_is_refused(void **state)
{
    (void)state;
    expect_refused_server((struct tc_request){.name = "server.example",
                                              .alternatives = "DNS:other.example,IP:10.0.0.1",
                                              .issuer = &world.ca},
                          "is for other.example, an IP address, not for server.example",
                          "certificate");
}

static void common_name_is_no_host_name(void **state)
{
    (void)state;
    expect_refused_server((struct tc_request){.name = "server.example", .issuer = &world.ca},
                          "is for no host name at all, not for server.example", "certificate");
}

static void name_with_control_characters_is_told_safely(void **state)
{
    (void)state;
    expect_refused_server(
        (struct tc_request){.name = "x", .alternatives = "DNS:\033[2Jevil", .issuer = &world.ca},
        "is for ?[2Jevil, not for", "certificate");
}

static void self_signed_certificate_is_refused(void **state)
{
    (void)state;
    expect_refused_server(
        (struct tc_request){.name = "server.example", .alternatives = "DNS:server.example"},
        "self-signed", "CA");
}

static void unknown_ca_is_refused(void **state)
{
    (void)state;
    expect_refused_server((struct tc_request){.name = "server.example",
                                              .alternatives = "DNS:server.example",
                                              .issuer = &world.stranger},
                          "unknown CA", "does not know the CA");
}

static void client_certificate_is_no_server_certificate(void **state)
{
    (void)state;
    expect_refused_server((struct tc_request){.name = "server.example",
                                              .alternatives = "DNS:server.example",
                                              .issuer = &world.ca,
                                              .client = true},
                          "not meant for this role", "certificate");
}

static void self_signed_certificate_that_is_trusted_itself_is_accepted(void **state)
{
    struct tc_identity identity = tc_issue(
        &(struct tc_request){.name = "server.example", .alternatives = "DNS:server.example"});
    struct zl_tls_settings client = client_settings(), server = server_settings();
    (void)state;
    server.certificate = client.ca = identity.certificate;
    server.key = identity.key;
    expect_success(client, server, "TLSv1.3", false);
    tc_free(&identity);
}

static void intermediate_ca_comes_with_the_certificate(void **state)
{
    struct tc_identity middle =
        tc_issue(&(struct tc_request){.name = "Middle CA", .issuer = &world.ca, .ca = true});
    struct tc_identity leaf = tc_issue(
        &(struct tc_request){.name = "x", .alternatives = "DNS:server.example", .issuer = &middle});
    struct zl_tls_settings client = client_settings(), server = server_settings();
    char *chain = tc_join(leaf.certificate, middle.certificate);
    (void)state;
    server.certificate = leaf.certificate;
    server.key = leaf.key;
    expect(client, server, -EACCES, "unknown CA", -ECONNREFUSED, "does not know the CA");
    server.certificate = chain;
    expect_success(client, server, "TLSv1.3", false);
    /* An intermediate CA may be trusted without its root. */
    server.certificate = leaf.certificate;
    client.ca = middle.certificate;
    expect_success(client, server, "TLSv1.3", false);
    free(chain);
    tc_free(&middle);
    tc_free(&leaf);
}

static void without_verification_anyone_may_answer(void **state)
{
    struct tc_identity identity =
        tc_issue(&(struct tc_request){.name = "nobody", .starts_before = 7200, .ends_after = -60});
    struct zl_tls_settings client = {.verify = ZL_TLS_VERIFY_NONE}, server = server_settings();
    (void)state;
    server.certificate = identity.certificate;
    server.key = identity.key;
    expect_success(client, server, "TLSv1.3", false);
    tc_free(&identity);
}

/* ---- Names ------------------------------------------------------------------------------------ */

static void names_that_match_are_accepted(void **state)
{
    static const char *const good[] = {
        "server.example", "SERVER.Example", "server.example.", "a.wild.example", "127.0.0.1", "::1",
        "[::1]",          "::1%lo",
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct zl_tls_settings client = client_settings();
        client.host = good[i];
        expect_success(client, server_settings(), "TLSv1.3", false);
    }
}

static void names_that_do_not_match_are_refused(void **state)
{
    static const char *const bad[] = {
        "example", "a.server.example", "wild.example", "a.b.wild.example", "127.0.0.2", "::2",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct zl_tls_settings client = client_settings();
        client.host = bad[i];
        expect(client, server_settings(), -EACCES, "not for", -ECONNREFUSED, "certificate");
    }
}

/* ---- The client's certificate ----------------------------------------------------------------- */

static struct zl_tls_settings strict_server(void)
{
    struct zl_tls_settings server = server_settings();
    server.ca = world.ca.certificate;
    server.verify = ZL_TLS_VERIFY_REQUIRED;
    return server;
}

static struct zl_tls_settings client_with(const struct tc_identity *identity)
{
    struct zl_tls_settings client = client_settings();
    client.certificate = identity->certificate;
    client.key = identity->key;
    return client;
}

static void missing_client_certificate_is_refused(void **state)
{
    (void)state;
    expect(client_settings(), strict_server(), -ECONNREFUSED, "requires a certificate from us",
           -EACCES, "sent no certificate");
}

static void foreign_client_certificate_is_refused(void **state)
{
    struct tc_identity identity =
        tc_issue(&(struct tc_request){.name = "x", .issuer = &world.stranger, .client = true});
    struct zl_tls_settings server = strict_server();
    (void)state;
    expect(client_with(&identity), server, -ECONNREFUSED, "does not know the CA", -EACCES,
           "unknown CA");
    server.verify = ZL_TLS_VERIFY_OPTIONAL;
    expect(client_with(&identity), server, -ECONNREFUSED, "does not know the CA", -EACCES,
           "unknown CA");
    tc_free(&identity);
}

static void expired_client_certificate_is_refused(void **state)
{
    struct tc_identity identity = tc_issue(&(struct tc_request){.name = "x",
                                                                .issuer = &world.ca,
                                                                .client = true,
                                                                .starts_before = 7200,
                                                                .ends_after = -60});
    (void)state;
    expect(client_with(&identity), strict_server(), -ECONNREFUSED, "our certificate has expired",
           -EACCES, "has expired");
    tc_free(&identity);
}

static void good_client_certificate_is_accepted(void **state)
{
    struct zl_tls_settings server = strict_server();
    (void)state;
    expect_success(client_with(&world.client), server, "TLSv1.3", true);
    server.verify = ZL_TLS_VERIFY_OPTIONAL;
    expect_success(client_with(&world.client), server, "TLSv1.3", true);
    expect_success(client_settings(), server, "TLSv1.3", false);
    /* Not asked for, not sent. */
    expect_success(client_with(&world.client), server_settings(), "TLSv1.3", false);
}

/* ---- What both must share --------------------------------------------------------------------- */

static void nothing_in_common_is_told(void **state)
{
    struct zl_tls_settings client = client_settings(), server = server_settings();
    (void)state;
    client.alpn = "other";
    server.alpn = "zmtp";
    expect(client, server, -EPROTONOSUPPORT, "ALPN", -EPROTONOSUPPORT, "ALPN");
}

/* ---- Peers that are something else ------------------------------------------------------------ */

/* A stream in a role against a bare descriptor, which the test writes to. */
static void expect_against_octets(struct zl_tls_settings settings, const void *octets, size_t size,
                                  bool close_it, int code, const char *words)
{
    struct zl_tls_context *context = new_context(settings);
    struct zl_stream stream;
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    open_side(&stream, fds[0], context);
    assert_int_equal(send(fds[1], octets, size, 0), size);
    if (close_it)
        assert_int_equal(shutdown(fds[1], SHUT_WR), 0);
    int rc = zl_tls_handshake(&stream);
    if (rc == -EAGAIN && close_it)
        rc = zl_tls_handshake(&stream); /* the end is seen by the next look */
    assert_int_equal(rc, code);
    assert_reason(&stream, words);
    assert_int_equal(ERR_peek_error(), 0);
    stream.ops->close(&stream);
    close(fds[0]);
    close(fds[1]);
    zl_tls_context_release(context);
}

static void plain_peers_are_told_apart(void **state)
{
    static const char greeting[] = "\xff\0\0\0\0\0\0\0\x01\x7f\x03";
    static const char http[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    (void)state;
    expect_against_octets(server_settings(), greeting, sizeof greeting - 1, false, -EPROTO,
                          "does not speak TLS");
    expect_against_octets(client_settings(), greeting, sizeof greeting - 1, false, -EPROTO,
                          "does not speak TLS");
    expect_against_octets(server_settings(), http, sizeof http - 1, false, -EPROTO, "HTTP");
    expect_against_octets(client_settings(), "220 mail ready\r\n", 16, false, -EPROTO,
                          "does not speak TLS");
}

static void silence_is_waited_for(void **state)
{
    (void)state;
    expect_against_octets(server_settings(), "\x16\x03\x01", 3, false, -EAGAIN, "");
    expect_against_octets(client_settings(), "", 0, false, -EAGAIN, "");
}

static void end_in_the_handshake_is_told(void **state)
{
    (void)state;
    expect_against_octets(server_settings(), "", 0, true, -EPIPE, "during the TLS handshake");
    expect_against_octets(client_settings(), "", 0, true, -EPIPE, "during the TLS handshake");
    expect_against_octets(server_settings(), "\x16\x03\x01", 3, true, -EPIPE,
                          "during the TLS handshake");
}

/* A foreign TLS client or server of one version only, over fd. */
static SSL *foreign_peer(int fd, bool server, int version)
{
    SSL_CTX *ssl_ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    assert_non_null(ssl_ctx);
    SSL_CTX_set_security_level(ssl_ctx, 0);
    SSL_CTX_set_min_proto_version(ssl_ctx, version);
    SSL_CTX_set_max_proto_version(ssl_ctx, version);
    if (server) {
        BIO *bio = BIO_new_mem_buf(world.server.certificate, -1);
        X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        SSL_CTX_use_certificate(ssl_ctx, certificate);
        X509_free(certificate);
        BIO_free(bio);
        bio = BIO_new_mem_buf(world.server.key, -1);
        EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
        SSL_CTX_use_PrivateKey(ssl_ctx, key);
        EVP_PKEY_free(key);
        BIO_free(bio);
    }
    SSL *ssl = SSL_new(ssl_ctx);
    assert_non_null(ssl);
    SSL_set_fd(ssl, fd);
    if (server)
        SSL_set_accept_state(ssl);
    else
        SSL_set_connect_state(ssl);
    SSL_CTX_free(ssl_ctx);
    return ssl;
}

/* Runs a handshake of a stream with a foreign peer; returns the stream's result. */
static int with_foreign_peer(struct zl_stream *stream, SSL *ssl)
{
    int rc = -EAGAIN;
    for (int rounds = 0; rc == -EAGAIN; rounds++) {
        assert_true(rounds < 1000);
        SSL_do_handshake(ssl);
        ERR_clear_error();
        rc = zl_tls_handshake(stream);
    }
    return rc;
}

static void expect_version(bool stream_is_server, int version, int code, const char *words)
{
    struct zl_tls_context *context =
        new_context(stream_is_server ? server_settings() : client_settings());
    struct zl_stream stream;
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    open_side(&stream, fds[0], context);
    SSL *ssl = foreign_peer(fds[1], !stream_is_server, version);
    assert_int_equal(with_foreign_peer(&stream, ssl), code);
    assert_reason(&stream, words);
    stream.ops->close(&stream);
    SSL_free(ssl);
    ERR_clear_error();
    close(fds[0]);
    close(fds[1]);
    zl_tls_context_release(context);
}

static void old_versions_are_refused(void **state)
{
    (void)state;
    expect_version(true, TLS1_1_VERSION, -EPROTONOSUPPORT, "version of TLS");
    expect_version(false, TLS1_1_VERSION, -EPROTONOSUPPORT, "version of TLS");
    expect_version(true, TLS1_2_VERSION, 0, "");
    expect_version(false, TLS1_2_VERSION, 0, "");
    expect_version(true, TLS1_3_VERSION, 0, "");
}

static void minimum_version_is_kept(void **state)
{
    struct zl_tls_settings settings = server_settings();
    struct zl_stream stream;
    int fds[2];
    (void)state;
    settings.min_version = 13;
    struct zl_tls_context *context = new_context(settings);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    open_side(&stream, fds[0], context);
    SSL *ssl = foreign_peer(fds[1], false, TLS1_2_VERSION);
    assert_int_equal(with_foreign_peer(&stream, ssl), -EPROTONOSUPPORT);
    stream.ops->close(&stream);
    SSL_free(ssl);
    ERR_clear_error();
    close(fds[0]);
    close(fds[1]);
    zl_tls_context_release(context);
}

/* The peer is told why before its connection ends, also when it has written meanwhile. */
static void alert_is_found_behind_a_broken_pipe(void **state)
{
    struct zl_tls_context *client = new_context(client_settings());
    struct zl_tls_context *server = new_context(strict_server());
    struct pair pair;
    (void)state;
    begin_pair(&pair, client, server);
    shake_hands(&pair);
    assert_int_equal(pair.result[CLIENT], 0);
    pair.side[SERVER].ops->close(&pair.side[SERVER]);
    close(pair.side[SERVER].fd);
    pair.side[SERVER].fd = -1;
    assert_int_equal(write_some(&pair.side[CLIENT], "hello", 5), -ECONNREFUSED);
    assert_reason(&pair.side[CLIENT], "requires a certificate from us");
    close_pair(&pair);
    zl_tls_context_release(client);
    zl_tls_context_release(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sides_agree),
        cmocka_unit_test(no_common_cipher_suite_is_told),
        cmocka_unit_test(expired_certificate_is_refused),
        cmocka_unit_test(certificate_of_the_future_is_refused),
        cmocka_unit_test(wrong_name_is_refused),
        cmocka_unit_test(common_name_is_no_host_name),
        cmocka_unit_test(name_with_control_characters_is_told_safely),
        cmocka_unit_test(self_signed_certificate_is_refused),
        cmocka_unit_test(unknown_ca_is_refused),
        cmocka_unit_test(client_certificate_is_no_server_certificate),
        cmocka_unit_test(self_signed_certificate_that_is_trusted_itself_is_accepted),
        cmocka_unit_test(intermediate_ca_comes_with_the_certificate),
        cmocka_unit_test(without_verification_anyone_may_answer),
        cmocka_unit_test(names_that_match_are_accepted),
        cmocka_unit_test(names_that_do_not_match_are_refused),
        cmocka_unit_test(missing_client_certificate_is_refused),
        cmocka_unit_test(foreign_client_certificate_is_refused),
        cmocka_unit_test(expired_client_certificate_is_refused),
        cmocka_unit_test(good_client_certificate_is_accepted),
        cmocka_unit_test(nothing_in_common_is_told),
        cmocka_unit_test(plain_peers_are_told_apart),
        cmocka_unit_test(silence_is_waited_for),
        cmocka_unit_test(end_in_the_handshake_is_told),
        cmocka_unit_test(old_versions_are_refused),
        cmocka_unit_test(minimum_version_is_kept),
        cmocka_unit_test(alert_is_found_behind_a_broken_pipe),
    };
    return cmocka_run_group_tests_name(__FILE__, tests, make_world, free_world);
}
