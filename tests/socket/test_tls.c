/* SPDX-License-Identifier: MPL-2.0 */
/* ctest-timeout: 120 */
/* tls://: options, who trusts whom, and what failures say. */
#include "tls_world.h"

#include "support/raw_peer.h"

#include <poll.h>
#include <unistd.h>

/* ---- Options ---------------------------------------------------------------------------------- */

static void expect_text(void *socket, int option, const char *text)
{
    static char buffer[16384];
    size_t size = sizeof buffer;
    ts_value(zmq_getsockopt(socket, option, buffer, &size), 0);
    assert_string_equal(buffer, text);
    ts_value((long long)size, (long long)strlen(text) + 1);
    if (*text) { /* no room for the NUL */
        size = strlen(text);
        ts_error(zmq_getsockopt(socket, option, buffer, &size), EINVAL);
    }
}

static void texts_are_read_back(void **state)
{
    static const int options[] = {ZLINK_TLS_CERTIFICATE, ZLINK_TLS_KEY,     ZLINK_TLS_CA,
                                  ZLINK_TLS_HOSTNAME,    ZLINK_TLS_CIPHERS, ZLINK_TLS_ALPN,
                                  ZLINK_TLS_CIPHERSUITES};
    (void)state;
    void *context = ts_context(), *socket = ts_socket(context, ZMQ_PAIR);
    for (size_t i = 0; i < TS_COUNT(options); ++i) {
        expect_text(socket, options[i], "");
        ts_set_text(socket, options[i], "/some/path");
        expect_text(socket, options[i], "/some/path");
        ts_set_bytes(socket, options[i], "with a NUL", 11);
        expect_text(socket, options[i], "with a NUL");
        ts_error(zmq_setsockopt(socket, options[i], "a\0b", 3), EINVAL);
        expect_text(socket, options[i], "with a NUL");
        ts_set_bytes(socket, options[i], NULL, 0);
        expect_text(socket, options[i], "");
    }
    ts_set_text(socket, ZLINK_TLS_CERTIFICATE, world.server.certificate);
    expect_text(socket, ZLINK_TLS_CERTIFICATE, world.server.certificate);
    ts_close(socket);
    ts_terminate(context);
}

static void secrets_are_not_read_back(void **state)
{
    static const int options[] = {ZLINK_TLS_CERTIFICATE, ZLINK_TLS_KEY, ZLINK_TLS_CA};
    (void)state;
    char buffer[8192];
    void *context = ts_context(), *socket = ts_socket(context, ZMQ_PAIR);
    for (size_t i = 0; i < TS_COUNT(options); ++i) {
        size_t size = sizeof buffer;
        ts_set_text(socket, options[i], world.server.key);
        ts_error(zmq_getsockopt(socket, options[i], buffer, &size), EINVAL);
    }
    size_t size = sizeof buffer;
    ts_set_text(socket, ZLINK_TLS_KEY_PASSWORD, "secret");
    ts_error(zmq_getsockopt(socket, ZLINK_TLS_KEY_PASSWORD, buffer, &size), EINVAL);
    ts_error(zmq_setsockopt(socket, ZLINK_TLS_ERROR, "x", 1), EINVAL);
    expect_text(socket, ZLINK_TLS_ERROR, "");
    ts_close(socket);
    ts_terminate(context);
}

static void numbers_have_ranges(void **state)
{
    static const struct {
        int option, initial, lowest, highest;
    } rows[] = {{ZLINK_TLS_VERIFY, 1, 0, 1},
                {ZLINK_TLS_REQUIRE_CLIENT_CERT, 0, 0, 2},
                {ZLINK_TLS_TRUST_SYSTEM, 0, 0, 1},
                {ZLINK_TLS_MIN_VERSION, 12, 12, 13}};
    (void)state;
    void *context = ts_context(), *socket = ts_socket(context, ZMQ_PAIR);
    for (size_t i = 0; i < TS_COUNT(rows); ++i) {
        ts_value(ts_get_int(socket, rows[i].option), rows[i].initial);
        for (int value = rows[i].lowest - 1; value <= rows[i].highest + 1; ++value) {
            bool allowed = value >= rows[i].lowest && value <= rows[i].highest;
            int before = ts_get_int(socket, rows[i].option);
            ts_value(zmq_setsockopt(socket, rows[i].option, &value, sizeof value),
                     allowed ? 0 : -1);
            ts_value(ts_get_int(socket, rows[i].option), allowed ? value : before);
        }
        ts_error(zmq_setsockopt(socket, rows[i].option, "x", 1), EINVAL);
    }
    ts_close(socket);
    ts_terminate(context);
}

/* ---- What bind and connect find out ------------------------------------------------------------ */

/* Verification is on: who trusts nobody does not connect. */
static void client_without_ca_is_refused(void **state)
{
    (void)state;
    void *context = ts_context(), *socket = ts_socket(context, ZMQ_PAIR);
    ts_error(zmq_connect(socket, "tls://127.0.0.1:9"), EINVAL);
    char text[256];
    ts_check(*tls_error(socket, text) != '\0');
    ts_set_text(socket, ZLINK_TLS_CA, "/does/not/exist");
    ts_error(zmq_connect(socket, "tls://127.0.0.1:9"), ENOENT);
    expect_tls_error(socket, "/does/not/exist");
    ts_set_text(socket, ZLINK_TLS_CA, "-----BEGIN CERTIFICATE-----\nnonsense\n");
    ts_error(zmq_connect(socket, "tls://127.0.0.1:9"), EINVAL);
    ts_set_text(socket, ZLINK_TLS_CA, world.ca.certificate);
    ts_ok(zmq_connect(socket, "tls://127.0.0.1:9"));
    ts_close(socket);
    ts_terminate(context);
}

static void server_without_certificate_is_refused(void **state)
{
    (void)state;
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context(), *socket = ts_socket(context, ZMQ_PAIR);
    ts_error(zmq_bind(socket, "tls://127.0.0.1:*"), EINVAL);
    ts_set_text(socket, ZLINK_TLS_CERTIFICATE, world.server.certificate);
    ts_error(zmq_bind(socket, "tls://127.0.0.1:*"), EINVAL); /* no key */
    ts_set_text(socket, ZLINK_TLS_KEY, world.client.key);
    ts_error(zmq_bind(socket, "tls://127.0.0.1:*"), EINVAL); /* of another */
    ts_set_text(socket, ZLINK_TLS_KEY, "/does/not/exist");
    ts_error(zmq_bind(socket, "tls://127.0.0.1:*"), ENOENT);
    expect_tls_error(socket, "/does/not/exist");
    ts_set_text(socket, ZLINK_TLS_KEY, world.server.key);
    ts_set_int(socket, ZLINK_TLS_REQUIRE_CLIENT_CERT, 1); /* by whom? */
    ts_error(zmq_bind(socket, "tls://127.0.0.1:*"), EINVAL);
    ts_set_text(socket, ZLINK_TLS_CA, world.ca.certificate);
    ts_set_text(socket, ZLINK_TLS_CIPHERS, "NO-SUCH-CIPHER");
    ts_error(zmq_bind(socket, "tls://127.0.0.1:*"), EINVAL);
    ts_set_text(socket, ZLINK_TLS_CIPHERS, "");
    ts_set_text(socket, ZLINK_TLS_CIPHERSUITES, "TLS_NONE_AT_ALL");
    ts_error(zmq_bind(socket, "tls://127.0.0.1:*"), EINVAL);
    ts_set_text(socket, ZLINK_TLS_CIPHERSUITES, "");
    ts_bind(socket, "tls", endpoint);
    ts_close(socket);
    ts_terminate(context);
}

/* ---- Certificates that are not accepted --------------------------------------------------------- */

/* The client retries, says why, and gets through once the server has a right certificate. */
static void bad_certificates_are_refused(void **state)
{
    const struct {
        const struct tc_identity *identity;
        const char *reason;
    } rows[] = {{&world.of_stranger, "comes from an unknown CA"},
                {&world.expired, "has expired"},
                {&world.future, "is not valid yet"},
                {&world.misnamed, "is for elsewhere.example, not for 127.0.0.1"},
                {&world.self_signed, "is self-signed and not itself trusted"},
                {&world.client, "is not meant for this role"}};
    (void)state;
    for (size_t i = 0; i < TS_COUNT(rows); ++i) {
        char endpoint[TS_ENDPOINT_MAX];
        void *context = ts_context();
        void *pull = ts_socket(context, ZMQ_PULL), *push = tls_client(context, ZMQ_PUSH);
        void *at_pull = ts_monitor(context, pull, HANDSHAKES);
        void *at_push = ts_monitor(context, push, HANDSHAKES | ZMQ_EVENT_CONNECT_RETRIED);
        set_identity(pull, rows[i].identity);
        ts_bind(pull, "tls", endpoint);
        ts_ok(zmq_connect(push, endpoint));
        for (int attempt = 0; attempt < 2; ++attempt) {
            ts_value(ts_expect_event(at_push, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL), EACCES);
            expect_tls_error(push, rows[i].reason);
            ts_expect_event(at_push, ZMQ_EVENT_CONNECT_RETRIED);
            ts_value(ts_expect_event(at_pull, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL), ECONNREFUSED);
            char text[256];
            ts_check(*tls_error(pull, text) != '\0');
        }
        ts_unmonitor(pull, at_pull);
        ts_ok(zmq_unbind(pull, endpoint));
        set_identity(pull, &world.server);
        ts_rebind(pull, endpoint);
        expect_flow(push, pull);
        expect_tls_error(push, rows[i].reason); /* stays */
        ts_unmonitor(push, at_push);
        ts_close(push);
        ts_close(pull);
        ts_terminate(context);
    }
}

static void unverified_client_takes_anything(void **state)
{
    const struct tc_identity *identities[] = {&world.of_stranger, &world.expired, &world.misnamed,
                                              &world.self_signed};
    (void)state;
    for (size_t i = 0; i < TS_COUNT(identities); ++i) {
        void *context = ts_context();
        void *pull = ts_socket(context, ZMQ_PULL), *push = ts_socket(context, ZMQ_PUSH);
        set_identity(pull, identities[i]);
        ts_set_int(push, ZLINK_TLS_VERIFY, 0);
        ts_connect_pair(context, pull, push, "tls");
        expect_flow(push, pull);
        ts_close(push);
        ts_close(pull);
        ts_terminate(context);
    }
}

/* The name is that of the endpoint unless another one is set; a self-signed one may be trusted. */
static void names_and_trust_are_choices(void **state)
{
    const struct {
        const struct tc_identity *server, *trusted;
        const char *host; /* in the endpoint */
        const char *name; /* the option */
    } rows[] = {{&world.misnamed, &world.ca, "127.0.0.1", "elsewhere.example"},
                {&world.server, &world.ca, "localhost", ""},
                {&world.server, &world.ca, "127.0.0.1", "localhost"},
                {&world.self_signed, &world.self_signed, "127.0.0.1", ""},
                {&world.of_stranger, &world.stranger, "127.0.0.1", ""}};
    (void)state;
    for (size_t i = 0; i < TS_COUNT(rows); ++i) {
        char endpoint[TS_ENDPOINT_MAX], text[TS_ENDPOINT_MAX];
        void *context = ts_context();
        void *pull = ts_socket(context, ZMQ_PULL), *push = ts_socket(context, ZMQ_PUSH);
        set_identity(pull, rows[i].server);
        ts_bind(pull, "tls", endpoint);
        snprintf(text, sizeof text, "tls://%s%s", rows[i].host, strrchr(endpoint, ':'));
        ts_set_text(push, ZLINK_TLS_CA, rows[i].trusted->certificate);
        ts_set_text(push, ZLINK_TLS_HOSTNAME, rows[i].name);
        ts_ok(zmq_connect(push, text));
        expect_flow(push, pull);
        ts_close(push);
        ts_close(pull);
        ts_terminate(context);
    }
}

/* ---- Files ------------------------------------------------------------------------------------ */

static char *file_name(const char *name, char text[TS_ENDPOINT_MAX])
{
    snprintf(text, TS_ENDPOINT_MAX, "%s/%s", getenv("TMPDIR"), name);
    return text;
}

/* The server's files change while it listens: the next connection gets the new certificate. */
static void changed_files_are_taken_up(void **state)
{
    char certificate[TS_ENDPOINT_MAX], key[TS_ENDPOINT_MAX], endpoint[TS_ENDPOINT_MAX];
    (void)state;
    tc_write_file(file_name("cert.pem", certificate), world.expired.certificate);
    tc_write_file(file_name("key.pem", key), world.expired.key);
    void *context = ts_context();
    void *pull = ts_socket(context, ZMQ_PULL), *push = tls_client(context, ZMQ_PUSH);
    void *monitor = ts_monitor(context, push, HANDSHAKES);
    ts_set_text(pull, ZLINK_TLS_CERTIFICATE, certificate);
    ts_set_text(pull, ZLINK_TLS_KEY, key);
    ts_bind(pull, "tls", endpoint);
    ts_ok(zmq_connect(push, endpoint));
    ts_value(ts_expect_event(monitor, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL), EACCES);
    expect_tls_error(push, "has expired");
    /* Half of a change: the old pair stays in use. */
    tc_write_file(certificate, world.server.certificate);
    ts_expect_event(monitor, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL);
    tc_write_file(key, world.server.key);
    expect_flow(push, pull);
    ts_unmonitor(push, monitor);
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
}

/* Certificate and key in one file or text; encrypted keys. */
static void keys_come_in_several_forms(void **state)
{
    char *joined = tc_join(world.server.certificate, world.server.key);
    char *encrypted = tc_encrypted_key(&world.server, "secret"), path[TS_ENDPOINT_MAX];
    tc_write_file(file_name("joined.pem", path), joined);
    const struct {
        const char *certificate, *key, *password;
        int error;
    } rows[] = {{joined, "", "", 0},
                {path, "", "", 0},
                {world.server.certificate, joined, "", 0},
                {world.server.certificate, encrypted, "secret", 0},
                {world.server.certificate, encrypted, "wrong", EINVAL},
                {world.server.certificate, encrypted, "", EINVAL}};
    (void)state;
    for (size_t i = 0; i < TS_COUNT(rows); ++i) {
        void *context = ts_context();
        void *pull = ts_socket(context, ZMQ_PULL), *push = tls_client(context, ZMQ_PUSH);
        ts_set_text(pull, ZLINK_TLS_CERTIFICATE, rows[i].certificate);
        ts_set_text(pull, ZLINK_TLS_KEY, rows[i].key);
        ts_set_text(pull, ZLINK_TLS_KEY_PASSWORD, rows[i].password);
        if (rows[i].error) {
            ts_error(zmq_bind(pull, "tls://127.0.0.1:*"), rows[i].error);
        } else {
            ts_connect_pair(context, pull, push, "tls");
            expect_flow(push, pull);
        }
        ts_close(push);
        ts_close(pull);
        ts_terminate(context);
    }
    free(joined);
    free(encrypted);
}

/* ---- Client certificates ------------------------------------------------------------------------ */

static void client_certificates(void **state)
{
    const struct {
        int required;
        const struct tc_identity *identity;
        const char *server_says, *client_says; /* NULL: it works */
    } rows[] = {
        {0, NULL, NULL, NULL},
        {0, &world.client, NULL, NULL},
        {0, &world.client_of_stranger, NULL, NULL}, /* nobody asks */
        {1, &world.client, NULL, NULL},
        {1, NULL, "sent no certificate", "requires a certificate"},
        {1, &world.client_of_stranger, "comes from an unknown CA", "does not know the CA"},
        {1, &world.server, "is not meant for this role", "unsupported certificate"},
        {2, NULL, NULL, NULL},
        {2, &world.client, NULL, NULL},
        {2, &world.client_of_stranger, "comes from an unknown CA", "does not know the CA"},
    };
    (void)state;
    for (size_t i = 0; i < TS_COUNT(rows); ++i) {
        char endpoint[TS_ENDPOINT_MAX];
        void *context = ts_context();
        void *pull = tls_server(context, ZMQ_PULL), *push = tls_client(context, ZMQ_PUSH);
        void *at_pull = ts_monitor(context, pull, HANDSHAKES);
        void *at_push = ts_monitor(context, push, HANDSHAKES | ZMQ_EVENT_CONNECT_RETRIED);
        ts_set_int(pull, ZLINK_TLS_REQUIRE_CLIENT_CERT, rows[i].required);
        if (rows[i].required)
            ts_set_text(pull, ZLINK_TLS_CA, world.ca.certificate);
        if (rows[i].identity)
            set_identity(push, rows[i].identity);
        ts_bind(pull, "tls", endpoint);
        ts_ok(zmq_connect(push, endpoint));
        if (rows[i].server_says) {
            ts_value(ts_expect_event(at_pull, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL), EACCES);
            expect_tls_error(pull, rows[i].server_says);
            /* The client has been through its part of the handshake by then (TLS 1.3). */
            ts_value(ts_expect_event(at_push, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL), ECONNREFUSED);
            expect_tls_error(push, rows[i].client_says);
            ts_expect_event(at_push, ZMQ_EVENT_CONNECT_RETRIED);
        } else {
            expect_flow(push, pull);
        }
        ts_unmonitor(pull, at_pull);
        ts_unmonitor(push, at_push);
        ts_close(push);
        ts_close(pull);
        ts_terminate(context);
    }
}

/* ---- What both sides have to have in common ----------------------------------------------------- */

struct agreement {
    int server_version, client_version;
    const char *server_ciphers, *client_ciphers;
    const char *server_suites, *client_suites;
    const char *server_alpn, *client_alpn;
    bool works;
};

static void set_agreement(void *socket, int version, const char *ciphers, const char *suites,
                          const char *alpn)
{
    ts_set_int(socket, ZLINK_TLS_MIN_VERSION, version ? version : 12);
    ts_set_text(socket, ZLINK_TLS_CIPHERS, ciphers ? ciphers : "");
    ts_set_text(socket, ZLINK_TLS_CIPHERSUITES, suites ? suites : "");
    ts_set_text(socket, ZLINK_TLS_ALPN, alpn ? alpn : "");
}

static void versions_ciphers_and_protocols(void **state)
{
    static const char *const aes = "TLS_AES_256_GCM_SHA384";
    static const char *const chacha = "TLS_CHACHA20_POLY1305_SHA256";
    const struct agreement rows[] = {
        {.server_version = 13, .works = true},
        {.client_version = 13, .works = true},
        {.server_version = 13, .client_version = 13, .works = true},
        {.server_suites = aes, .client_suites = aes, .works = true},
        {.server_suites = chacha, .works = true},
        {.server_suites = aes, .client_suites = chacha, .server_version = 13},
        {.server_alpn = "zlink,other", .client_alpn = "other", .works = true},
        {.server_alpn = "zlink", .works = true}, /* one side has none */
        {.client_alpn = "zlink", .works = true},
        {.server_alpn = "zlink", .client_alpn = "other"},
    };
    (void)state;
    for (size_t i = 0; i < TS_COUNT(rows); ++i) {
        char endpoint[TS_ENDPOINT_MAX];
        void *context = ts_context();
        void *pull = tls_server(context, ZMQ_PULL), *push = tls_client(context, ZMQ_PUSH);
        void *monitor = ts_monitor(context, push, HANDSHAKES);
        set_agreement(pull, rows[i].server_version, rows[i].server_ciphers, rows[i].server_suites,
                      rows[i].server_alpn);
        set_agreement(push, rows[i].client_version, rows[i].client_ciphers, rows[i].client_suites,
                      rows[i].client_alpn);
        ts_bind(pull, "tls", endpoint);
        ts_ok(zmq_connect(push, endpoint));
        if (rows[i].works) {
            expect_flow(push, pull);
        } else {
            ts_value(ts_expect_event(monitor, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL),
                     EPROTONOSUPPORT);
            char text[256];
            ts_check(*tls_error(push, text) != '\0');
        }
        ts_unmonitor(push, monitor);
        ts_close(push);
        ts_close(pull);
        ts_terminate(context);
    }
}

/* ---- Peers that do not speak TLS ---------------------------------------------------------------- */

static void plain_peer_to_a_tls_port(void **state)
{
    static const char *const openings[] = {
        "\xff\0\0\0\0\0\0\0\1\x7f\3\0NULL........................",
        "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n...."};
    (void)state;
    void *context = ts_context();
    void *pull = tls_server(context, ZMQ_PULL), *push = tls_client(context, ZMQ_PUSH);
    void *monitor = ts_monitor(context, pull, HANDSHAKES);
    char endpoint[TS_ENDPOINT_MAX], plain[TS_ENDPOINT_MAX];
    ts_bind(pull, "tls", endpoint);
    snprintf(plain, sizeof plain, "tcp%s", endpoint + 3);
    for (size_t i = 0; i < TS_COUNT(openings); ++i) {
        int fd = ts_raw_connect(plain);
        ts_raw_send(fd, openings[i], 36);
        ts_raw_expect_closed(fd);
        ts_value(ts_expect_event(monitor, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL), EPROTO);
        expect_tls_error(pull, i == 0 ? "does not speak TLS" : "HTTP");
        close(fd);
    }
    /* A socket of ours with the wrong scheme, and one that hangs up at once. */
    void *confused = ts_socket(context, ZMQ_PUSH);
    ts_ok(zmq_connect(confused, plain));
    ts_value(ts_expect_event(monitor, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL), EPROTO);
    ts_close(confused);
    ts_unmonitor(pull, monitor);
    close(ts_raw_connect(plain));
    ts_ok(zmq_connect(push, endpoint));
    expect_flow(push, pull);
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
}

static void tls_client_to_a_plain_port(void **state)
{
    (void)state;
    char endpoint[TS_ENDPOINT_MAX], secure[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *pull = ts_socket(context, ZMQ_PULL), *push = tls_client(context, ZMQ_PUSH);
    void *monitor = ts_monitor(context, push, HANDSHAKES | ZMQ_EVENT_CONNECT_RETRIED);
    ts_bind(pull, "tcp", endpoint);
    snprintf(secure, sizeof secure, "tls%s", endpoint + 3);
    ts_ok(zmq_connect(push, secure));
    for (int attempt = 0; attempt < 2; ++attempt) {
        ts_check(ts_expect_event(monitor, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL) != 0);
        ts_expect_event(monitor, ZMQ_EVENT_CONNECT_RETRIED);
    }
    char text[256];
    ts_check(*tls_error(push, text) != '\0');
    ts_unmonitor(push, monitor);
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
}

/* Peers that say nothing, or stop in the middle, are dropped after HANDSHAKE_IVL, on both sides. */
static void silent_peers_are_dropped(void **state)
{
    (void)state;
    char endpoint[TS_ENDPOINT_MAX], plain[TS_ENDPOINT_MAX], secure[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *pull = tls_server(context, ZMQ_PULL), *push = tls_client(context, ZMQ_PUSH);
    void *at_pull = ts_monitor(context, pull, HANDSHAKES);
    void *at_push = ts_monitor(context, push, HANDSHAKES);
    ts_set_int(pull, ZMQ_HANDSHAKE_IVL, 50);
    ts_set_int(push, ZMQ_HANDSHAKE_IVL, 50);
    ts_bind(pull, "tls", endpoint);
    snprintf(plain, sizeof plain, "tcp%s", endpoint + 3);
    for (size_t said = 0; said < 6; said += 5) {
        int fd = ts_raw_connect(plain);
        ts_raw_send(fd, "\x16\3\1\1\0", said); /* the head of a record */
        ts_raw_expect_closed(fd);
        ts_value(ts_expect_event(at_pull, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL), ETIMEDOUT);
        expect_tls_error(pull, "in time");
        close(fd);
    }
    int listener = ts_raw_listen(plain);
    snprintf(secure, sizeof secure, "tls%s", plain + 3);
    ts_ok(zmq_connect(push, secure));
    int fd = ts_raw_accept(listener);
    ts_value(ts_expect_event(at_push, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL), ETIMEDOUT);
    expect_tls_error(push, "in time");
    close(fd);
    close(listener);
    ts_unmonitor(pull, at_pull);
    ts_unmonitor(push, at_push);
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_read_back),
        cmocka_unit_test(secrets_are_not_read_back),
        cmocka_unit_test(numbers_have_ranges),
        cmocka_unit_test(client_without_ca_is_refused),
        cmocka_unit_test(server_without_certificate_is_refused),
        cmocka_unit_test(bad_certificates_are_refused),
        cmocka_unit_test(unverified_client_takes_anything),
        cmocka_unit_test(names_and_trust_are_choices),
        cmocka_unit_test(changed_files_are_taken_up),
        cmocka_unit_test(keys_come_in_several_forms),
        cmocka_unit_test(client_certificates),
        cmocka_unit_test(versions_ciphers_and_protocols),
        cmocka_unit_test(plain_peer_to_a_tls_port),
        cmocka_unit_test(tls_client_to_a_plain_port),
        cmocka_unit_test(silent_peers_are_dropped),
    };
    make_world();
    return TS_RUN(tests);
}
