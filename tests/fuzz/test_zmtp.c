/* SPDX-License-Identifier: MPL-2.0 */
/* ctest-timeout: 120
 * ZMTP from the first octet: greeting, then frames and what is in them. Octet 0: our socket type;
 * octet 1: how the rest arrives in pieces, which must make no difference to the greeting. */

#include "fuzz.h"

#include "wire/zmtp.h"

static int greet(struct zl_greeting *greeting, int type, const uint8_t *data, size_t size,
                 uint64_t pieces, size_t *used)
{
    int rc = 0;
    *used = 0;
    zl_greeting_init(greeting, "NULL", false, 0, type);
    while (rc == 0 && *used < size) {
        size_t left = size - *used, consumed;
        size_t n = pieces ? 1 + fuzz_random(&pieces) % 12 : left;
        n = n < left ? n : left;
        uint8_t out[ZL_GREETING_SIZE], *piece = fuzz_copy(data + *used, n);
        rc = zl_greeting_input(greeting, piece, n, &consumed);
        free(piece);
        fuzz_check(consumed <= n && (rc != 0 || consumed == n));
        fuzz_check(zl_greeting_output(greeting, out, sizeof out) <= sizeof out);
        *used += consumed;
    }
    const uint8_t *replay;
    size_t replayed;
    zl_greeting_replay(greeting, &replay, &replayed);
    fuzz_check(replayed <= 9 && replayed <= *used);
    *used -= replayed;
    return rc;
}

static void read_command(const uint8_t *body, size_t n, int type)
{
    struct zl_command command;
    struct zl_peer_metadata peer;
    struct zl_ping ping;
    struct zl_error error;
    const uint8_t *context;
    size_t context_size;
    char text[64];
    if (zl_command_parse_plain(body, n, &command) < 0)
        return;
    fuzz_check(command.size < n && command.data + command.size == body + n);
    if (zl_metadata_check(command.data, command.size, type, &peer) == 0)
        fuzz_check(peer.identity_size <= 255);
    if (zl_ping_parse(&command, &ping) == 0)
        fuzz_check(ping.context_size <= ZL_HEARTBEAT_CONTEXT_MAX);
    if (zl_pong_parse(&command, &context, &context_size) == 0)
        fuzz_check(context_size <= ZL_HEARTBEAT_CONTEXT_MAX);
    if (zl_error_parse(&command, &error) == 0) {
        fuzz_check(zl_error_text(&error, text, sizeof text) < sizeof text);
        fuzz_check(zl_error_status(&error) <= 500);
    }
}

static void read_frames(const uint8_t *at, const uint8_t *end, bool old, int type)
{
    struct zl_frame_header header;
    int rc;
    while ((rc = old ? zl_zmtp1_get_header(at, end, &header)
                     : zl_zmtp_get_header(at, end, &header)) > 0) {
        fuzz_check(rc <= end - at && rc == header.header_size);
        at += rc;
        if (header.body_size > (uint64_t)(end - at))
            return;
        size_t n = (size_t)header.body_size;
        uint8_t *body = fuzz_copy(at, n);
        read_command(body, n, type);
        free(body);
        at += n;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct zl_greeting at_once, in_pieces;
    size_t used, used_in_pieces;
    if (size < 2)
        return 0;
    int type = data[0] % 12;
    const uint8_t *stream = data + 2, *end = data + size;
    int rc = greet(&at_once, type, stream, size - 2, 0, &used);
    fuzz_check(greet(&in_pieces, type, stream, size - 2, data[1] + 1u, &used_in_pieces) == rc);
    fuzz_check(at_once.version == in_pieces.version && used == used_in_pieces);
    if (rc == 1)
        read_frames(stream + used, end, at_once.version <= ZL_ZMTP_1_0, type);
    return 0;
}

#define ZEROS_24 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define GREETING_3 "\xff\0\0\0\0\0\0\0\1\x7f\3\1NULL" ZEROS_24 ZEROS_24
_Static_assert(sizeof GREETING_3 - 1 == ZL_GREETING_SIZE, "the greeting is complete");

static const struct fuzz_seed seeds[] = {
    FUZZ_SEED("\6\1" GREETING_3 "\4\x29\5READY\xbSocket-Type\0\0\0\6DEALER\x8Identity\0\0\0\0"
              "\1\0\0\5hello\2\0\0\0\0\0\0\0\3abc\4\7\4PING\0\0\4\5\4PONG"),
    FUZZ_SEED("\1\2" GREETING_3 "\4\xb\11SUBSCRIBEA\4\x8\6CANCELA\4\xa\5ERROR\003400"
              "\4\x9\x5eRROR\003400"),
    FUZZ_SEED("\6\3\xff\0\0\0\0\0\0\0\1\x7f\1\5\0\3abc\1\0\0\2hi"),
    FUZZ_SEED("\6\4\1\0\1\1\3\0hi\xff\0\0\0\0\0\0\0\4\0bob"),
    FUZZ_SEED("\6\5\xff\0\0\0\0\0\0\0\4\0bob\3\0hi"),
    FUZZ_SEED("\6\6\xff\0\0\0\0\0\0\0\1\x7f\0\5\0\3\0hi"),
};
FUZZ_MAIN(seeds)
