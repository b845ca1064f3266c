/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of the connecting side of the upgrade to WebSocket. */

#include "octets.h"

#include "wire/upgrade.h"
#include "wire/zws.h"

#define STATUS "HTTP/1.1 101 Switching Protocols\r\n"
#define UPGRADE "Upgrade: websocket\r\n"
#define CONNECTION "Connection: Upgrade\r\n"
#define ACCEPT "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
#define PROTOCOL "Sec-WebSocket-Protocol: ZWS2.0/NULL\r\n"
#define REST UPGRADE CONNECTION ACCEPT PROTOCOL

static void init(struct zl_upgrade_client *client, const char *mechanism)
{
    const uint8_t *nonce = (const uint8_t *)"the sample nonce";
    assert_int_equal(zl_upgrade_client_init(client, nonce, zl_zws_protocols(mechanism, false)), 0);
}

/* ---- The request ---- */

static void expect_request(const char *mechanism, const struct zl_upgrade_target *target,
                           const char *expected)
{
    struct zl_upgrade_client client;
    size_t size = strlen(expected);
    uint8_t *room = malloc(size);
    assert_non_null(room);
    init(&client, mechanism);
    assert_int_equal(zl_upgrade_client_request(&client, target, room, size), size);
    assert_memory_equal(room, expected, size);
    free(room);
    /* Nothing is written beyond what there is room for. */
    for (size_t cap = 0; cap < size; cap++) {
        room = malloc(cap);
        assert_int_equal(zl_upgrade_client_request(&client, target, room, cap), -ENOBUFS);
        free(room);
    }
    size_t enough =
        ZL_UPGRADE_REQUEST_FIXED + strlen(target->host) + (target->path ? strlen(target->path) : 0);
    assert_true(size <= enough);
}

static void test_request(void **state)
{
    (void)state;
    struct zl_upgrade_target target = {.host = "127.0.0.1", .port = 9000, .path = "/a/b"};
    expect_request("NULL", &target,
                   "GET /a/b HTTP/1.1\r\nHost: 127.0.0.1:9000\r\nUpgrade: websocket\r\n"
                   "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                   "Sec-WebSocket-Protocol: ZWS2.0/NULL,ZWS2.0\r\n"
                   "Sec-WebSocket-Version: 13\r\n\r\n");
    expect_request("CURVE", &target,
                   "GET /a/b HTTP/1.1\r\nHost: 127.0.0.1:9000\r\nUpgrade: websocket\r\n"
                   "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                   "Sec-WebSocket-Protocol: ZWS2.0/CURVE\r\nSec-WebSocket-Version: 13\r\n\r\n");
}

static void test_targets(void **state)
{
    (void)state;
    static const struct {
        struct zl_upgrade_target target;
        const char *start; /* NULL: refused */
    } cases[] = {
        {{"example.org", 80, false, NULL}, "GET / HTTP/1.1\r\nHost: example.org\r\n"},
        {{"example.org", 80, false, ""}, "GET / HTTP/1.1\r\nHost: example.org\r\n"},
        {{"example.org", 80, true, "/x?y"}, "GET /x?y HTTP/1.1\r\nHost: example.org:80\r\n"},
        {{"example.org", 443, true, "/"}, "GET / HTTP/1.1\r\nHost: example.org\r\n"},
        {{"example.org", 443, false, "/"}, "GET / HTTP/1.1\r\nHost: example.org:443\r\n"},
        {{"example.org", 65535, false, "/"}, "GET / HTTP/1.1\r\nHost: example.org:65535\r\n"},
        {{"::1", 9000, false, "/a:b"}, "GET /a:b HTTP/1.1\r\nHost: [::1]:9000\r\n"},
        {{"[::1]", 80, false, "/"}, "GET / HTTP/1.1\r\nHost: [::1]\r\n"},
        {{"fe80::1%eth0", 80, false, "/"}, "GET / HTTP/1.1\r\nHost: [fe80::1]\r\n"},
        {{"[fe80::1%eth0]", 81, false, "/"}, "GET / HTTP/1.1\r\nHost: [fe80::1]:81\r\n"},
        {{"h", 80, false, "/\xc3\xa4"}, "GET /\xc3\xa4 HTTP/1.1\r\nHost: h\r\n"},
        {{"h", 80, false, "a"}, NULL},
        {{"h", 80, false, "/a b"}, NULL},
        {{"h", 80, false, "/a\r\nX: y"}, NULL},
        {{"h", 80, false, "/a\tb"}, NULL},
        {{"h", 80, false, "/\x7f"}, NULL},
        {{"", 80, false, "/"}, NULL},
        {{"h\r\nX: y", 80, false, "/"}, NULL},
        {{"h h", 80, false, "/"}, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct zl_upgrade_client client;
        uint8_t out[1024];
        init(&client, "NULL");
        int rc = zl_upgrade_client_request(&client, &cases[i].target, out, sizeof out);
        if (!cases[i].start) {
            assert_int_equal(rc, -EINVAL);
            continue;
        }
        assert_true(rc > (int)strlen(cases[i].start));
        assert_memory_equal(out, cases[i].start, strlen(cases[i].start));
    }
}

/* What one side writes the other accepts, for every mechanism. */
static void test_both_sides_agree(void **state)
{
    (void)state;
    static const char *const mechanisms[] = {"NULL", "PLAIN", "CURVE"};
    for (size_t i = 0; i < 3; i++) {
        struct zl_upgrade_client client;
        struct zl_upgrade_server server;
        struct zl_upgrade_target target = {.host = "::1", .port = 9000, .path = "/x?y"};
        uint8_t request[1024], response[ZL_UPGRADE_RESPONSE_MAX];
        size_t consumed;
        init(&client, mechanisms[i]);
        zl_upgrade_server_init(&server, "/x", zl_zws_protocols(mechanisms[i], true));
        int size = zl_upgrade_client_request(&client, &target, request, sizeof request);
        assert_int_equal(zl_upgrade_server_input(&server, request, (size_t)size, &consumed), 1);
        assert_int_equal(consumed, size);
        size_t n = zl_upgrade_server_response(&server, response);
        assert_int_equal(zl_upgrade_client_input(&client, response, n, &consumed), 1);
        assert_int_equal(consumed, n);
        assert_string_equal(client.protocol, server.protocol);
    }
}

/* ---- The response ---- */

static int feed(struct zl_upgrade_client *client, const char *mechanism, const char *data,
                size_t size, size_t piece, size_t *used)
{
    int rc = 0;
    *used = 0;
    init(client, mechanism);
    while (rc == 0 && *used < size) {
        size_t n = size - *used < piece ? size - *used : piece, consumed;
        struct octets in = octets_copy(data + *used, n);
        rc = zl_upgrade_client_input(client, in.at, in.size, &consumed);
        octets_free(in);
        assert_true(consumed <= n);
        if (rc == 0)
            assert_int_equal(consumed, n);
        *used += consumed;
    }
    return rc;
}

/* At once and octet by octet, with the same result, which is final. */
static int feed_all(struct zl_upgrade_client *client, const char *mechanism, const char *data)
{
    size_t used_at_once, used, consumed, size = strlen(data);
    int at_once = feed(client, mechanism, data, size, size, &used_at_once);
    int status = client->status;
    int rc = feed(client, mechanism, data, size, 1, &used);
    assert_int_equal(rc, at_once);
    assert_int_equal(used, used_at_once);
    assert_int_equal(client->status, status);
    if (rc != 0) {
        assert_int_equal(zl_upgrade_client_input(client, (const uint8_t *)"x", 1, &consumed), rc);
        assert_int_equal(consumed, 0);
    }
    return rc;
}

static void test_responses_that_are_accepted(void **state)
{
    (void)state;
    static const char *const responses[] = {
        STATUS REST "\r\n",
        /* Any reason phrase, and none. */
        "HTTP/1.1 101 \r\n" REST "\r\n",
        "HTTP/1.1 101\r\n" REST "\r\n",
        "HTTP/1.1 101 Web Socket Protocol Handshake\r\n" REST "\r\n",
        STATUS "upgrade:WEBSOCKET\r\nconnection: keep-alive, upgrade\r\n" ACCEPT PROTOCOL "\r\n",
        STATUS PROTOCOL ACCEPT CONNECTION UPGRADE "Server: x\r\n\r\n",
        STATUS REST "Sec-WebSocket-Extensions:\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof responses / sizeof *responses; i++) {
        struct zl_upgrade_client client;
        assert_int_equal(feed_all(&client, "NULL", responses[i]), 1);
        assert_string_equal(client.protocol, "ZWS2.0/NULL");
        assert_int_equal(client.status, 101);
    }
}

static void test_frames_behind_the_response(void **state)
{
    (void)state;
    static const char response[] = STATUS REST "\r\n\x82\x01";
    for (size_t piece = 1; piece < sizeof response; piece++) {
        struct zl_upgrade_client client;
        size_t used;
        assert_int_equal(feed(&client, "NULL", response, sizeof response - 1, piece, &used), 1);
        assert_int_equal(used, sizeof response - 3);
    }
}

static void test_needs_more_until_the_end(void **state)
{
    (void)state;
    static const char response[] = STATUS REST "\r\n";
    for (size_t n = 0; n < sizeof response - 1; n++) {
        struct zl_upgrade_client client;
        size_t used;
        assert_int_equal(feed(&client, "NULL", response, n, 100, &used), 0);
        assert_int_equal(zl_upgrade_client_input(&client, NULL, 0, &used), 0);
    }
}

static void test_responses_that_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *response;
        int rc, status;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\n", -ECONNREFUSED, 200},
        {"HTTP/1.1 404 Not Found\r\n", -ECONNREFUSED, 404},
        {"HTTP/1.1 426 Upgrade Required\r\n", -ECONNREFUSED, 426},
        {"HTTP/1.1 1010 x\r\n", -EPROTO, 0},
        {"HTTP/1.1 10 x\r\n", -EPROTO, 0},
        {"HTTP/1.1 001 x\r\n", -EPROTO, 0},
        {"HTTP/1.1 1a1 x\r\n", -EPROTO, 0},
        {"HTTP/1.1  101 x\r\n", -EPROTO, 0},
        {"HTTP/1.0 101 x\r\n", -EPROTO, 0},
        {"HTTP/2.0 101 x\r\n", -EPROTO, 0},
        {"GET / HTTP/1.1\r\n", -EPROTO, 0},
        {"\r\n", -EPROTO, 0},
        {"HTTP/1.1 101 x\n", -EPROTO, 0},
        {"\xff\x01", -EPROTO, 0}, /* a greeting of ZMTP begins with FF */
        {STATUS "\r\n", -EPROTO, 101},
        {STATUS CONNECTION ACCEPT PROTOCOL "\r\n", -EPROTO, 101},
        {STATUS "Upgrade: x\r\n" CONNECTION ACCEPT PROTOCOL "\r\n", -EPROTO, 101},
        {STATUS UPGRADE ACCEPT PROTOCOL "\r\n", -EPROTO, 101},
        {STATUS UPGRADE "Connection: close\r\n" ACCEPT PROTOCOL "\r\n", -EPROTO, 101},
        {STATUS UPGRADE CONNECTION PROTOCOL "\r\n", -EPROTO, 101},
        {STATUS "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", -EPROTO, 101},
        {STATUS "Sec-WebSocket-Accept: HSmrc0sMlYUkAGmm5OPpG2HaGWk=\r\n", -EPROTO, 101},
        {STATUS "Sec-WebSocket-Accept:\r\n", -EPROTO, 101},
        {STATUS REST ACCEPT, -EPROTO, 101},
        {STATUS UPGRADE CONNECTION ACCEPT "\r\n", -EPROTO, 101},
        {STATUS "Sec-WebSocket-Protocol: ZWS2.0/PLAIN\r\n", -EPROTO, 101},
        {STATUS "Sec-WebSocket-Protocol: ZWS2.0/NULL, ZWS2.0\r\n", -EPROTO, 101},
        {STATUS "Sec-WebSocket-Protocol: zws2.0\r\n", -EPROTO, 101},
        {STATUS "Sec-WebSocket-Protocol:\r\n", -EPROTO, 101},
        {STATUS REST PROTOCOL, -EPROTO, 101},
        {STATUS "Sec-WebSocket-Extensions: permessage-deflate\r\n", -EPROTO, 101},
        {STATUS UPGRADE " folded\r\n", -EPROTO, 101},
        {STATUS "no colon\r\n", -EPROTO, 101},
        {STATUS "a: b\x01", -EPROTO, 101},
        {STATUS "a: b\n", -EPROTO, 101},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct zl_upgrade_client client;
        assert_int_equal(feed_all(&client, "NULL", cases[i].response), cases[i].rc);
        assert_int_equal(client.status, cases[i].status);
    }
}

static void test_protocol_without_a_mechanism(void **state)
{
    (void)state;
    static const char response[] =
        STATUS UPGRADE CONNECTION ACCEPT "Sec-WebSocket-Protocol: ZWS2.0\r\n\r\n";
    struct zl_upgrade_client client;
    assert_int_equal(feed_all(&client, "NULL", response), 1);
    assert_string_equal(client.protocol, ZL_ZWS_BARE);
    /* Nobody who has asked for a mechanism is led past it. */
    assert_int_equal(feed_all(&client, "PLAIN", response), -EPROTO);
}

static void test_limits(void **state)
{
    (void)state;
    static const char *const pieces[] = {"a: b\r\n", "n", "name: forty octets of value, or so\r\n"};
    for (size_t i = 0; i < 3; i++) {
        struct zl_upgrade_client client;
        size_t used, total = 0;
        init(&client, "NULL");
        int rc = zl_upgrade_client_input(&client, (const uint8_t *)STATUS, strlen(STATUS), &used);
        while (rc == 0 && total <= ZL_HTTP_HEAD_MAX) {
            rc = zl_upgrade_client_input(&client, (const uint8_t *)pieces[i], strlen(pieces[i]),
                                         &used);
            total += used;
        }
        assert_int_equal(rc, -EMSGSIZE);
    }
}

static void test_number_of_fields(void **state)
{
    (void)state;
    for (size_t over = 0; over < 2; over++) {
        char response[2048] = STATUS REST;
        for (size_t i = 4; i < ZL_HTTP_FIELDS_MAX + over; i++)
            strcat(response, "x:\r\n");
        strcat(response, "\r\n");
        struct zl_upgrade_client client;
        assert_int_equal(feed_all(&client, "NULL", response), over ? -EMSGSIZE : 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_both_sides_agree),
        cmocka_unit_test(test_responses_that_are_accepted),
        cmocka_unit_test(test_frames_behind_the_response),
        cmocka_unit_test(test_needs_more_until_the_end),
        cmocka_unit_test(test_responses_that_are_refused),
        cmocka_unit_test(test_protocol_without_a_mechanism),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_number_of_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
