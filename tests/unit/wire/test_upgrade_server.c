/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of the accepting side of the upgrade to WebSocket. */

#include "octets.h"

#include <stdio.h>

#include "wire/upgrade.h"
#include "wire/zws.h"

#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define LINE "GET /a/b HTTP/1.1\r\n"
#define HOST "Host: 127.0.0.1\r\n"
#define UPGRADE "Upgrade: websocket\r\n"
#define CONNECTION "Connection: Upgrade\r\n"
#define WITH_KEY "Sec-WebSocket-Key: " KEY "\r\n"
#define PROTOCOL "Sec-WebSocket-Protocol: ZWS2.0/NULL,ZWS2.0\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define REST HOST UPGRADE CONNECTION WITH_KEY PROTOCOL VERSION
#define FRAMES "\x82\x81\x37\xfa\x21\x3d\x37"

#define ACCEPTED(protocol)                                                                         \
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"            \
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"                                       \
    "Sec-WebSocket-Protocol: " protocol "\r\n\r\n"

/* Feeds the request in pieces of `piece` octets to a server of "/a/b". */
static int feed(struct zl_upgrade_server *server, const char *const *protocols, const char *data,
                size_t size, size_t piece, size_t *used)
{
    int rc = 0;
    *used = 0;
    zl_upgrade_server_init(server, "/a/b", protocols);
    while (rc == 0 && *used < size) {
        size_t n = size - *used < piece ? size - *used : piece, consumed;
        struct octets in = octets_copy(data + *used, n);
        rc = zl_upgrade_server_input(server, in.at, in.size, &consumed);
        octets_free(in);
        assert_true(consumed <= n);
        if (rc == 0)
            assert_int_equal(consumed, n);
        *used += consumed;
    }
    return rc;
}

/* At once and octet by octet, with the same result, which is final. */
static int feed_all(struct zl_upgrade_server *server, const char *const *protocols,
                    const char *data, size_t size)
{
    size_t used_at_once, used, consumed;
    int at_once = feed(server, protocols, data, size, size, &used_at_once);
    int status = server->status;
    const char *protocol = server->protocol;
    int rc = feed(server, protocols, data, size, 1, &used);
    assert_int_equal(rc, at_once);
    assert_int_equal(used, used_at_once);
    assert_int_equal(server->status, status);
    assert_ptr_equal(server->protocol, protocol);
    if (rc != 0) {
        assert_int_equal(zl_upgrade_server_input(server, (const uint8_t *)"x", 1, &consumed), rc);
        assert_int_equal(consumed, 0);
    }
    return rc;
}

static void assert_response(const struct zl_upgrade_server *server, const char *expected)
{
    char response[ZL_UPGRADE_RESPONSE_MAX + 1];
    size_t size = zl_upgrade_server_response(server, (uint8_t *)response);
    assert_true(size < sizeof response);
    response[size] = '\0';
    assert_string_equal(response, expected);
}

static void expect_accepted(const char *mechanism, bool authenticated, const char *request,
                            const char *response)
{
    struct zl_upgrade_server server;
    const char *const *protocols = zl_zws_protocols(mechanism, authenticated);
    assert_int_equal(feed_all(&server, protocols, request, strlen(request)), 1);
    assert_response(&server, response);
}

static void expect_refused(const char *mechanism, bool authenticated, const char *request,
                           int status)
{
    struct zl_upgrade_server server;
    char response[ZL_UPGRADE_RESPONSE_MAX + 1], start[32];
    const char *const *protocols = zl_zws_protocols(mechanism, authenticated);
    assert_int_equal(feed_all(&server, protocols, request, strlen(request)), -EPROTO);
    assert_int_equal(server.status, status);
    size_t size = zl_upgrade_server_response(&server, (uint8_t *)response);
    response[size] = '\0';
    snprintf(start, sizeof start, "HTTP/1.1 %d ", status);
    assert_memory_equal(response, start, strlen(start));
    assert_string_equal(response + size - 4, "\r\n\r\n");
    assert_non_null(strstr(response, "Connection: close\r\n"));
}

/* ---- Accepted ---- */

static void test_request_of_libzmq(void **state)
{
    (void)state;
    static const char request[] = LINE HOST UPGRADE CONNECTION WITH_KEY PROTOCOL VERSION "\r\n";
    expect_accepted("NULL", false, request, ACCEPTED("ZWS2.0/NULL"));
    expect_accepted("NULL", true, request, ACCEPTED("ZWS2.0/NULL"));
}

/* Frames right behind the request are left to the caller, however the octets arrive. */
static void test_frames_behind_the_request(void **state)
{
    (void)state;
    static const char request[] = LINE REST "\r\n" FRAMES;
    size_t head = sizeof request - sizeof FRAMES;
    for (size_t piece = 1; piece < sizeof request; piece++) {
        struct zl_upgrade_server server;
        size_t used;
        assert_int_equal(feed(&server, zl_zws_protocols("NULL", false), request, sizeof request - 1,
                              piece, &used),
                         1);
        assert_int_equal(used, head);
    }
}

static void test_needs_more_until_the_end(void **state)
{
    (void)state;
    static const char request[] = LINE REST "\r\n";
    for (size_t n = 0; n < sizeof request - 1; n++) {
        struct zl_upgrade_server server;
        size_t used;
        uint8_t response[ZL_UPGRADE_RESPONSE_MAX];
        assert_int_equal(feed(&server, zl_zws_protocols("NULL", false), request, n, 100, &used), 0);
        assert_int_equal(zl_upgrade_server_response(&server, response), 0);
        assert_int_equal(zl_upgrade_server_input(&server, NULL, 0, &used), 0);
    }
}

static void test_other_requests_that_are_accepted(void **state)
{
    (void)state;
    static const char *const requests[] = {
        /* Lists with blanks and tabs, in any case, in several fields, with empty elements. */
        LINE HOST
        "UPGRADE: h2c ,\t WebSocket \r\nconnection:keep-alive , upgrade\r\n" WITH_KEY PROTOCOL
            VERSION "\r\n",
        LINE HOST UPGRADE
        "Connection: close\r\nConnection: , upgrade,\r\n" WITH_KEY PROTOCOL VERSION "\r\n",
        LINE HOST CONNECTION "Upgrade: foo\r\nUpgrade: websocket\r\n" WITH_KEY PROTOCOL VERSION
                             "\r\n",
        LINE HOST UPGRADE CONNECTION "Sec-WebSocket-Key:\t" KEY "  \r\n" PROTOCOL VERSION "\r\n",
        /* The order of fields means nothing; others are not looked at. */
        LINE VERSION PROTOCOL WITH_KEY CONNECTION UPGRADE HOST "\r\n",
        LINE REST "Origin: null\r\nCookie: a=\"b\"\r\nX:\r\nSec-WebSocket-Extensions: x; y\r\n\r\n",
        LINE REST "Content-Length: 0\r\n\r\n",
        LINE UPGRADE CONNECTION WITH_KEY PROTOCOL VERSION "Host:\r\n\r\n",
        /* Targets. */
        "GET /a/b?token=/x HTTP/1.1\r\n" REST "\r\n",
        "GET http://127.0.0.1:80/a/b HTTP/1.1\r\n" REST "\r\n",
        "GET ws://[::1]:80/a/b?x HTTP/1.1\r\n" REST "\r\n",
        "GET /a/b HTTP/1.2\r\n" REST "\r\n",
    };
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
        expect_accepted("NULL", false, requests[i], ACCEPTED("ZWS2.0/NULL"));
}

static void test_targets_of_the_root(void **state)
{
    (void)state;
    static const struct {
        const char *target;
        bool ours;
    } cases[] = {
        {"/", true},          {"/?x", true},         {"http://a", true}, {"http://a/", true},
        {"http://a?x", true}, {"http://a?/x", true}, {"/x", false},      {"http://a/x", false},
        {"//", false},        {"*", false},          {"a:80", false},    {"://", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char request[512];
        struct zl_upgrade_server server;
        size_t consumed;
        int size =
            snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n" REST "\r\n", cases[i].target);
        zl_upgrade_server_init(&server, "/", zl_zws_protocols("NULL", false));
        int rc =
            zl_upgrade_server_input(&server, (const uint8_t *)request, (size_t)size, &consumed);
        assert_int_equal(rc, cases[i].ours ? 1 : -EPROTO);
        assert_int_equal(server.status, cases[i].ours ? 0 : 404);
    }
}

/* ---- Sub-protocols ---- */

static void test_choice_of_the_protocol(void **state)
{
    (void)state;
    static const struct {
        const char *mechanism;
        bool authenticated;
        const char *fields;
        const char *chosen; /* NULL: refused */
    } cases[] = {
        {"NULL", false, "P: ZWS2.0", "ZWS2.0"},
        {"NULL", false, "P: ZWS2.0,ZWS2.0/NULL", "ZWS2.0"}, /* the client's order */
        {"NULL", false, "P: ZWS2.0/NULL, ZWS2.0", "ZWS2.0/NULL"},
        {"NULL", false, "P:  chat ,, ZWS2.0/PLAIN\t,\tZWS2.0 ", "ZWS2.0"},
        {"NULL", false, "P: ZWS2.0/CURVE\r\nP: ZWS2.0\r\nP: ZWS2.0/NULL", "ZWS2.0"},
        {"NULL", true, "P: ZWS2.0,ZWS2.0/NULL", "ZWS2.0/NULL"},
        {"NULL", true, "P: ZWS2.0", NULL}, /* walks past ZAP */
        {"NULL", false, "P: zws2.0/NULL", NULL},
        {"NULL", false, "P: ZWS2.0/null", NULL},
        {"NULL", false, "P: ZWS2.0/", NULL},
        {"NULL", false, "P: ZWS2.0/NULLX", NULL},
        {"NULL", false, "P: ZWS3.0", NULL},
        {"NULL", false, "P: ZWS2.0 ZWS2.0/NULL", NULL},
        {"NULL", false, "P:", NULL},
        {"NULL", false, "X: ZWS2.0", NULL},
        {"NULL", false, "P: ZWS2.0/PLAIN,ZWS2.0/CURVE", NULL},
        {"PLAIN", false, "P: ZWS2.0/NULL,ZWS2.0,ZWS2.0/PLAIN", "ZWS2.0/PLAIN"},
        {"PLAIN", false, "P: ZWS2.0/NULL,ZWS2.0", NULL},
        {"PLAIN", true, "P: ZWS2.0", NULL},
        {"CURVE", true, "P: ZWS2.0/CURVE", "ZWS2.0/CURVE"},
        {"CURVE", true, "P: ZWS2.0/PLAIN", NULL},
        {"CURVE", false, "P: ZWS2.0", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char request[1024] = LINE HOST UPGRADE CONNECTION WITH_KEY VERSION;
        for (const char *at = cases[i].fields; *at; at++) {
            char octet[2] = {*at, '\0'};
            bool is_name = *at == 'P' && at[1] == ':';
            strcat(request, is_name ? "Sec-WebSocket-Protocol" : octet);
        }
        strcat(request, "\r\n\r\n");
        struct zl_upgrade_server server;
        const char *const *protocols = zl_zws_protocols(cases[i].mechanism, cases[i].authenticated);
        int rc = feed_all(&server, protocols, request, strlen(request));
        assert_int_equal(rc, cases[i].chosen ? 1 : -EPROTO);
        if (cases[i].chosen)
            assert_string_equal(server.protocol, cases[i].chosen);
        else
            assert_int_equal(server.status, 400);
    }
}

/* ---- Refused ---- */

static void test_requests_that_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *request;
        int status;
    } cases[] = {
        /* The request line. */
        {"GET /a/b HTTP/1.0\r\n", 400},
        {"GET /a/b HTTP/2.0\r\n", 400},
        {"GET /a/b\r\n", 400},
        {"GET  /a/b HTTP/1.1\r\n", 400},
        {"GET /a/b  HTTP/1.1\r\n", 400},
        {"GET /a b HTTP/1.1\r\n", 400},
        {"GET\t/a/b HTTP/1.1\r\n", 400},
        {"GET HTTP/1.1\r\n", 400},
        {"get(/a/b HTTP/1.1\r\n", 400},
        {"GET /a/b HTTP/1.1\n", 400},
        {"GET /a\x01 HTTP/1.1\r\n", 400},
        {"POST /a/b HTTP/1.1\r\n" REST "\r\n", 405},
        {"get /a/b HTTP/1.1\r\n" REST "\r\n", 405},
        /* The path. */
        {"GET / HTTP/1.1\r\n" REST "\r\n", 404},
        {"GET /a HTTP/1.1\r\n" REST "\r\n", 404},
        {"GET /a/bc HTTP/1.1\r\n" REST "\r\n", 404},
        {"GET /a/b/ HTTP/1.1\r\n" REST "\r\n", 404},
        {"GET /A/B HTTP/1.1\r\n" REST "\r\n", 404},
        {"GET * HTTP/1.1\r\n" REST "\r\n", 404},
        /* Fields that are missing, wrong or repeated. */
        {LINE UPGRADE CONNECTION WITH_KEY PROTOCOL VERSION "\r\n", 400},
        {LINE REST HOST "\r\n", 400},
        {LINE HOST CONNECTION WITH_KEY PROTOCOL VERSION "\r\n", 400},
        {LINE HOST "Upgrade: h2c\r\n" CONNECTION WITH_KEY PROTOCOL VERSION "\r\n", 400},
        {LINE HOST UPGRADE WITH_KEY PROTOCOL VERSION "\r\n", 400},
        {LINE HOST UPGRADE "Connection: close\r\n" WITH_KEY PROTOCOL VERSION "\r\n", 400},
        {LINE HOST UPGRADE CONNECTION PROTOCOL VERSION "\r\n", 400},
        {LINE HOST UPGRADE CONNECTION "Sec-WebSocket-Key: short\r\n", 400},
        {LINE HOST UPGRADE CONNECTION "Sec-WebSocket-Key:\r\n", 400},
        {LINE REST WITH_KEY, 400},
        {LINE HOST UPGRADE CONNECTION WITH_KEY VERSION "\r\n", 400},
        {LINE HOST UPGRADE CONNECTION WITH_KEY PROTOCOL "\r\n", 400},
        {LINE REST VERSION, 400},
        {LINE HOST UPGRADE CONNECTION WITH_KEY PROTOCOL "Sec-WebSocket-Version: 8\r\n\r\n", 426},
        {LINE HOST UPGRADE CONNECTION WITH_KEY PROTOCOL "Sec-WebSocket-Version: 13, 8\r\n\r\n",
         426},
        {LINE HOST UPGRADE CONNECTION WITH_KEY PROTOCOL "Sec-WebSocket-Version:\r\n\r\n", 426},
        /* Bodies. */
        {LINE REST "Content-Length: 1\r\n", 400},
        {LINE REST "Content-Length: 0, 0\r\n", 400},
        {LINE REST "Transfer-Encoding: chunked\r\n", 400},
        /* Malformed fields. */
        {LINE HOST " folded: x\r\n", 400},
        {LINE HOST "\tfolded\r\n", 400},
        {LINE "Host : x\r\n", 400},
        {LINE "nocolon\r\n", 400},
        {LINE ": x\r\n", 400},
        {LINE "Host: a\n", 400},
        {LINE "Host: a\rb", 400},
        {LINE "Host: a\x01", 400},
        {LINE "Host: a\x7f", 400},
        {LINE "\n", 400},
        {"GET /a/b HTTP/1.1\r\n\r\n", 400},
        {"\r\n", 400},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_refused("NULL", false, cases[i].request, cases[i].status);
}

static void test_nul_is_refused(void **state)
{
    (void)state;
    static const char request[] = LINE "Host: a\0b\r\n";
    struct zl_upgrade_server server;
    assert_int_equal(
        feed_all(&server, zl_zws_protocols("NULL", false), request, sizeof request - 1), -EPROTO);
    assert_int_equal(server.status, 400);
}

static void test_refusals_to_the_letter(void **state)
{
    (void)state;
    struct zl_upgrade_server server;
    static const char old[] =
        LINE HOST UPGRADE CONNECTION WITH_KEY PROTOCOL "Sec-WebSocket-Version: 8\r\n\r\n";
    feed_all(&server, zl_zws_protocols("NULL", false), old, sizeof old - 1);
    assert_response(&server, "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\n"
                             "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                             "Connection: close\r\nContent-Length: 0\r\n\r\n");
    static const char post[] = "POST /a/b HTTP/1.1\r\n" REST "\r\n";
    feed_all(&server, zl_zws_protocols("NULL", false), post, sizeof post - 1);
    assert_response(&server, "HTTP/1.1 405 Method Not Allowed\r\nAllow: GET\r\n"
                             "Connection: close\r\nContent-Length: 0\r\n\r\n");
}

/* Greetings of other protocols are known by their first octets and get no answer. */
static void test_not_http(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        size_t used;
    } cases[] = {
        {"ff 00 00 00 00 00 00 00 01 7f 03 00", 2}, /* ZMTP 3 */
        {"01 00 00", 1},                            /* ZMTP 1 */
        {"16 03 01 00 c8 01 00 00 c4 03 03", 1},    /* TLS */
        {"0a", 1},                                  /* an empty line, badly ended */
        {"0d 0d", 2},                               /**/
        {"20 47 45 54 00", 5},                      /**/
        {"82 81 37 fa 21 3d 37 0a", 8},             /* frames without an upgrade */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct octets in = octets_hex(cases[i].hex);
        struct zl_upgrade_server server;
        size_t used;
        assert_int_equal(
            feed_all(&server, zl_zws_protocols("NULL", false), (const char *)in.at, in.size),
            -EPROTO);
        assert_int_equal(
            feed(&server, zl_zws_protocols("NULL", false), (const char *)in.at, in.size, 1, &used),
            -EPROTO);
        assert_int_equal(used, cases[i].used);
        assert_int_equal(server.status, 0);
        assert_response(&server, "");
        octets_free(in);
    }
}

/* ---- Limits ---- */

/* Repeats `piece` behind `start` until the server has enough. */
static void expect_over_limit(const char *start, const char *piece, int status)
{
    struct zl_upgrade_server server;
    size_t used, total = strlen(start), n = strlen(piece);
    zl_upgrade_server_init(&server, "/a/b", zl_zws_protocols("NULL", false));
    int rc = zl_upgrade_server_input(&server, (const uint8_t *)start, total, &used);
    while (rc == 0) {
        rc = zl_upgrade_server_input(&server, (const uint8_t *)piece, n, &used);
        total += used;
        assert_true(total <= ZL_HTTP_HEAD_MAX + 1);
    }
    assert_int_equal(rc, -EMSGSIZE);
    assert_int_equal(server.status, status);
}

static void test_limits(void **state)
{
    (void)state;
    expect_over_limit(LINE REST, "a: b\r\n", 431);   /* fields without end */
    expect_over_limit(LINE REST "name: ", "v", 431); /* a long value */
    expect_over_limit(LINE REST, "n", 431);          /* a long name */
    expect_over_limit(LINE REST, "name: a value of forty octets, more or less\r\n", 431);
    expect_over_limit("GET /", "x", 414); /* a long target */
    expect_over_limit("G", "G", 414);
    expect_over_limit("\xff", "\xff", 0);
}

static void test_number_of_fields(void **state)
{
    (void)state;
    for (size_t over = 0; over < 2; over++) {
        char request[2048] = LINE REST;
        for (size_t i = 6; i < ZL_HTTP_FIELDS_MAX + over; i++)
            strcat(request, "x:\r\n");
        strcat(request, "\r\n");
        struct zl_upgrade_server server;
        int rc = feed_all(&server, zl_zws_protocols("NULL", false), request, strlen(request));
        assert_int_equal(rc, over ? -EMSGSIZE : 1);
        assert_int_equal(server.status, over ? 431 : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_of_libzmq),
        cmocka_unit_test(test_frames_behind_the_request),
        cmocka_unit_test(test_needs_more_until_the_end),
        cmocka_unit_test(test_other_requests_that_are_accepted),
        cmocka_unit_test(test_targets_of_the_root),
        cmocka_unit_test(test_choice_of_the_protocol),
        cmocka_unit_test(test_requests_that_are_refused),
        cmocka_unit_test(test_nul_is_refused),
        cmocka_unit_test(test_refusals_to_the_letter),
        cmocka_unit_test(test_not_http),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_number_of_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
