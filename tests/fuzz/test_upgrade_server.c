/* SPDX-License-Identifier: MPL-2.0 */
/* ctest-timeout: 120
 * Requests to upgrade. Octet 0: mechanism and whether ZAP applies; octet 1: how the rest arrives in
 * pieces, which must make no difference. */

#define _GNU_SOURCE
#include "fuzz.h"

#include "wire/upgrade.h"
#include "wire/zws.h"

struct outcome {
    int rc;
    size_t used;
};

static struct outcome feed(struct zl_upgrade_server *server, const char *const *protocols,
                           const uint8_t *data, size_t size, uint64_t pieces)
{
    struct outcome outcome = {0};
    zl_upgrade_server_init(server, "/a", protocols);
    while (outcome.rc == 0 && outcome.used < size) {
        size_t left = size - outcome.used, consumed;
        size_t n = pieces ? 1 + fuzz_random(&pieces) % 40 : left;
        n = n < left ? n : left;
        uint8_t *piece = fuzz_copy(data + outcome.used, n);
        outcome.rc = zl_upgrade_server_input(server, piece, n, &consumed);
        free(piece);
        fuzz_check(consumed <= n && (outcome.rc != 0 || consumed == n));
        outcome.used += consumed;
    }
    return outcome;
}

/* What no accepted request is without. */
static void check_accepted(const uint8_t *data, size_t used, const char *protocol)
{
    fuzz_check(used <= ZL_HTTP_HEAD_MAX && used > 4);
    fuzz_check(memcmp(data, "GET ", 4) == 0);
    fuzz_check(memcmp(data + used - 4, "\r\n\r\n", 4) == 0);
    for (size_t i = 0; i < used; i++) {
        fuzz_check(data[i] >= ' ' || data[i] == '\t' || data[i] == '\r' || data[i] == '\n');
        fuzz_check(data[i] != '\n' || data[i - 1] == '\r');
    }
    fuzz_check(memmem(data, used, protocol, strlen(protocol)) != NULL);
}

static void check_response(const struct zl_upgrade_server *server, int rc)
{
    uint8_t response[ZL_UPGRADE_RESPONSE_MAX];
    size_t size = zl_upgrade_server_response(server, response);
    fuzz_check(size < sizeof response);
    if (rc == 0 || (rc < 0 && server->status == 0)) {
        fuzz_check(size == 0);
        return;
    }
    fuzz_check(size > 16 && memcmp(response, rc == 1 ? "HTTP/1.1 101 " : "HTTP/1.1 4", 10) == 0);
    fuzz_check(memcmp(response + size - 4, "\r\n\r\n", 4) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const mechanisms[] = {"NULL", "PLAIN", "CURVE", "NULL"};
    static struct zl_upgrade_server at_once, in_pieces;
    if (size < 2)
        return 0;
    const char *const *protocols = zl_zws_protocols(mechanisms[data[0] & 3], data[0] & 4);
    struct outcome first = feed(&at_once, protocols, data + 2, size - 2, 0);
    struct outcome second = feed(&in_pieces, protocols, data + 2, size - 2, data[1] + 1u);
    fuzz_check(first.rc == second.rc && first.used == second.used);
    fuzz_check(at_once.status == in_pieces.status && at_once.protocol == in_pieces.protocol);
    fuzz_check(first.rc == 1 || first.rc == 0 || first.rc == -EPROTO || first.rc == -EMSGSIZE);
    if (first.rc == 1)
        check_accepted(data + 2, first.used, at_once.protocol);
    check_response(&at_once, first.rc);
    return 0;
}

#define REQUEST(protocols)                                                                         \
    "GET /a HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"          \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: " protocols "\r\n"     \
    "Sec-WebSocket-Version: 13\r\n\r\n"

static const struct fuzz_seed seeds[] = {
    FUZZ_SEED("\0\1" REQUEST("ZWS2.0/NULL,ZWS2.0") "\x82\x81\x37\xfa\x21\x3d\x37"),
    FUZZ_SEED("\4\2" REQUEST("ZWS2.0")),
    FUZZ_SEED("\1\3" REQUEST("chat , ZWS2.0/NULL\t,\tZWS2.0/PLAIN")),
    FUZZ_SEED("\2\4" REQUEST("ZWS2.0/CURVE\r\nCookie: a=b\r\nContent-Length: 0")),
    FUZZ_SEED("\0\5GET http://h:1/a?x HTTP/1.1\r\nsec-websocket-version:13\r\nHOST:\r\n"
              "sec-websocket-protocol: x\r\nsec-websocket-protocol: ZWS2.0\r\n"
              "connection: keep-alive, upgrade\r\nupgrade: h2c,websocket\r\n"
              "sec-websocket-key:AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"),
    FUZZ_SEED("\0\6POST /b HTTP/1.1\r\n folded\r\nTransfer-Encoding: chunked\r\n\r\n"),
    FUZZ_SEED("\0\7\xff\0\0\0\0\0\0\0\1\x7f\3\1NULL"),
};
FUZZ_MAIN(seeds)
