/* SPDX-License-Identifier: MPL-2.0 */
/* ctest-timeout: 120
 * Responses to a request to upgrade. Octet 0: mechanism; octet 1: how the rest arrives in pieces,
 * which must make no difference. */

#define _GNU_SOURCE
#include "fuzz.h"

#include "wire/upgrade.h"
#include "wire/zws.h"

struct outcome {
    int rc;
    size_t used;
};

static struct outcome feed(struct zl_upgrade_client *client, const char *mechanism,
                           const uint8_t *data, size_t size, uint64_t pieces)
{
    struct outcome outcome = {0};
    const uint8_t *nonce = (const uint8_t *)"the sample nonce";
    fuzz_check(zl_upgrade_client_init(client, nonce, zl_zws_protocols(mechanism, false)) == 0);
    while (outcome.rc == 0 && outcome.used < size) {
        size_t left = size - outcome.used, consumed;
        size_t n = pieces ? 1 + fuzz_random(&pieces) % 40 : left;
        n = n < left ? n : left;
        uint8_t *piece = fuzz_copy(data + outcome.used, n);
        outcome.rc = zl_upgrade_client_input(client, piece, n, &consumed);
        free(piece);
        fuzz_check(consumed <= n && (outcome.rc != 0 || consumed == n));
        outcome.used += consumed;
    }
    return outcome;
}

/* What no accepted response is without. */
static void check_accepted(const struct zl_upgrade_client *client, const uint8_t *data, size_t used)
{
    static const char accept[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    fuzz_check(client->status == 101 && client->protocol);
    fuzz_check(used <= ZL_HTTP_HEAD_MAX && used > 4);
    fuzz_check(memcmp(data + used - 4, "\r\n\r\n", 4) == 0);
    fuzz_check(memmem(data, used, accept, sizeof accept - 1) != NULL);
    fuzz_check(memmem(data, used, client->protocol, strlen(client->protocol)) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const mechanisms[] = {"NULL", "PLAIN", "CURVE", "NULL"};
    static struct zl_upgrade_client at_once, in_pieces;
    if (size < 2)
        return 0;
    const char *mechanism = mechanisms[data[0] & 3];
    struct outcome first = feed(&at_once, mechanism, data + 2, size - 2, 0);
    struct outcome second = feed(&in_pieces, mechanism, data + 2, size - 2, data[1] + 1u);
    fuzz_check(first.rc == second.rc && first.used == second.used);
    fuzz_check(at_once.status == in_pieces.status && at_once.protocol == in_pieces.protocol);
    fuzz_check(first.rc == 1 || first.rc == 0 || first.rc == -EPROTO || first.rc == -EMSGSIZE ||
               first.rc == -ECONNREFUSED);
    if (first.rc == 1)
        check_accepted(&at_once, data + 2, first.used);
    return 0;
}

#define RESPONSE(protocol)                                                                         \
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"            \
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"                                       \
    "Sec-WebSocket-Protocol: " protocol "\r\n\r\n"

static const struct fuzz_seed seeds[] = {
    FUZZ_SEED("\0\1" RESPONSE("ZWS2.0/NULL") "\x82\1\0"),
    FUZZ_SEED("\0\2" RESPONSE("ZWS2.0")),
    FUZZ_SEED("\1\3" RESPONSE("ZWS2.0/PLAIN\r\nSec-WebSocket-Extensions:")),
    FUZZ_SEED("\2\4" RESPONSE("ZWS2.0/CURVE\r\nServer: x")),
    FUZZ_SEED("\0\5HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13\r\n\r\n"),
    FUZZ_SEED("\0\6HTTP/1.1 101\r\nupgrade:x,WebSocket\r\nconnection: a , UPGRADE\r\n folded\r\n"),
};
FUZZ_MAIN(seeds)
