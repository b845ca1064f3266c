/* SPDX-License-Identifier: MPL-2.0 */
/* The greeting: finds out which version the peer speaks while sending only what every version
 * understands. Offsets of the 64 octets: signature 0-9, revision (major) 10, minor 11, mechanism
 * 12-31, as-server 32, filler 33-63. Up to 2.0 octet 11 is the socket type and the last one. */

#include "wire/zmtp.h"

#include <string.h>

enum {
    AT_SIGNATURE_END = 9,
    AT_REVISION = 10,
    AT_MINOR = 11,
    AT_SOCKET_TYPE = 11,
    AT_MECHANISM = 12,
    AT_AS_SERVER = 32,
};

enum { REVISION_1_0 = 0, REVISION_2_0 = 1, REVISION_3 = 3 };

void zl_greeting_init(struct zl_greeting *greeting, const char *mechanism, bool as_server,
                      size_t identity_size, int socket_type)
{
    bool is_null = strcmp(mechanism, "NULL") == 0;
    *greeting = (struct zl_greeting){
        .allow_old = is_null,
        .socket_type = socket_type,
        .sendable = AT_SIGNATURE_END + 1,
    };
    uint8_t *out = greeting->out;
    out[0] = 0xFF;
    zl_put_u64(out + 1, (uint64_t)identity_size + 1);
    out[AT_SIGNATURE_END] = 0x7F;
    out[AT_REVISION] = REVISION_3;
    out[AT_MINOR] = 1;
    for (size_t i = 0; i < ZL_MECHANISM_SIZE && mechanism[i] != '\0'; i++)
        out[AT_MECHANISM + i] = (uint8_t)mechanism[i];
    out[AT_AS_SERVER] = as_server && !is_null;
}

size_t zl_greeting_output(struct zl_greeting *greeting, uint8_t *dst, size_t cap)
{
    size_t n = (size_t)(greeting->sendable - greeting->sent);
    if (n > cap)
        n = cap;
    if (n)
        memcpy(dst, greeting->out + greeting->sent, n);
    greeting->sent = (uint8_t)(greeting->sent + n);
    return n;
}

/* A version below 3.0 has no mechanism: taking it would be a way around ours. */
static bool may_be_old(const struct zl_greeting *greeting)
{
    static const char null_mechanism[ZL_MECHANISM_SIZE] = "NULL";
    return greeting->allow_old &&
           memcmp(greeting->out + AT_MECHANISM, null_mechanism, ZL_MECHANISM_SIZE) == 0;
}

static int finish_unversioned(struct zl_greeting *greeting)
{
    if (!may_be_old(greeting))
        return -EPROTONOSUPPORT;
    greeting->version = ZL_ZMTP_1_0_UNVERSIONED;
    return 1;
}

static int on_revision(struct zl_greeting *greeting)
{
    if (greeting->in[AT_REVISION] >= REVISION_3) {
        greeting->sendable = ZL_GREETING_SIZE;
        return 0;
    }
    if (!may_be_old(greeting))
        return -EPROTONOSUPPORT;
    greeting->out[AT_SOCKET_TYPE] = zl_socket_type_to_octet(greeting->socket_type);
    greeting->sendable = AT_SOCKET_TYPE + 1;
    return 0;
}

static int finish_with_socket_type(struct zl_greeting *greeting)
{
    uint8_t octet = greeting->in[AT_SOCKET_TYPE];
    greeting->peer_socket_type_octet = octet;
    if (greeting->in[AT_REVISION] == REVISION_1_0) {
        greeting->version = ZL_ZMTP_1_0;
        return 1;
    }
    int theirs = zl_socket_type_from_octet(octet);
    if (theirs >= 0 && !zl_socket_types_compatible(greeting->socket_type, theirs))
        return -EPROTOTYPE;
    greeting->version = ZL_ZMTP_2_0;
    return 1;
}

static int finish_with_mechanism(struct zl_greeting *greeting)
{
    const uint8_t *in = greeting->in;
    memcpy(greeting->peer_mechanism, in + AT_MECHANISM, ZL_MECHANISM_SIZE);
    greeting->peer_as_server = in[AT_AS_SERVER] != 0;
    if (memcmp(in + AT_MECHANISM, greeting->out + AT_MECHANISM, ZL_MECHANISM_SIZE) != 0)
        return -EBADMSG;
    /* The minor version means something only beside a major version that we know. */
    bool is_3_0 = in[AT_REVISION] == REVISION_3 && in[AT_MINOR] == 0;
    greeting->version = is_3_0 ? ZL_ZMTP_3_0 : ZL_ZMTP_3_1;
    return 1;
}

/* Called after each octet that has been put into `in`. */
static int on_octet(struct zl_greeting *greeting)
{
    switch (greeting->received) {
    case 1:
        return greeting->in[0] == 0xFF ? 0 : finish_unversioned(greeting);
    case AT_SIGNATURE_END + 1:
        if (!(greeting->in[AT_SIGNATURE_END] & 1))
            return finish_unversioned(greeting);
        greeting->sendable = AT_REVISION + 1;
        return 0;
    case AT_REVISION + 1:
        return on_revision(greeting);
    case AT_SOCKET_TYPE + 1:
        return greeting->in[AT_REVISION] < REVISION_3 ? finish_with_socket_type(greeting) : 0;
    case ZL_GREETING_SIZE:
        return finish_with_mechanism(greeting);
    default:
        return 0;
    }
}

int zl_greeting_input(struct zl_greeting *greeting, const uint8_t *src, size_t n, size_t *consumed)
{
    size_t taken = 0;
    while (greeting->result == 0 && taken < n) {
        greeting->in[greeting->received++] = src[taken++];
        greeting->result = on_octet(greeting);
        if (greeting->version == ZL_ZMTP_1_0_UNVERSIONED) {
            /* All of it was frames; what came with this call the caller still has. */
            greeting->received = (uint8_t)(greeting->received - taken);
            taken = 0;
            break;
        }
    }
    *consumed = taken;
    return greeting->result;
}

void zl_greeting_replay(const struct zl_greeting *greeting, const uint8_t **p, size_t *n)
{
    *p = greeting->in;
    *n = greeting->version == ZL_ZMTP_1_0_UNVERSIONED ? greeting->received : 0;
}
