/* SPDX-License-Identifier: MPL-2.0 */
/* The ZMTP codec (RFC 13, 15, 23, 37): greeting, frame headers, commands, metadata, socket types.
 *
 * Bytes in, bytes out: nothing here does I/O, locks, allocates, reads a clock or keeps global state.
 * Every parser takes hostile input. Pointers that a parser hands out point into its input. Unless
 * said otherwise a parser returns -EPROTO for input that no correct peer sends: close then. */

#ifndef ZL_WIRE_ZMTP_H
#define ZL_WIRE_ZMTP_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/bytes.h"

/* ---- Versions ---------------------------------------------------------------------------------
 * Ordered: compare with < and >=. Up to 1.0: zl_zmtp1_* frames. From 2.0: zl_zmtp_* frames.
 * From 3.0: a mechanism, metadata and commands. From 3.1: SUBSCRIBE and CANCEL as commands. */
enum zl_zmtp_version {
    ZL_ZMTP_UNKNOWN = 0,
    ZL_ZMTP_1_0_UNVERSIONED,
    ZL_ZMTP_1_0,
    ZL_ZMTP_2_0,
    ZL_ZMTP_3_0,
    ZL_ZMTP_3_1,
};

/* ---- Frame headers ---------------------------------------------------------------------------- */

enum { ZL_FRAME_MORE = 1, ZL_FRAME_LONG = 2, ZL_FRAME_COMMAND = 4 };

/* No header of any version is longer. */
#define ZL_ZMTP_HEADER_MAX 10
/* The largest legal body; local limits are the caller's business and apply to every frame. */
#define ZL_ZMTP_BODY_MAX ((uint64_t)INT64_MAX)

struct zl_frame_header {
    uint8_t flags;       /* MORE and COMMAND only; header_size tells a long one */
    uint8_t header_size; /* octets before the body */
    uint64_t body_size;  /* announced, at most ZL_ZMTP_BODY_MAX: never allocate it on trust */
};

/* Size of the header that zl_zmtp_put_header writes: 2 or 9. */
static inline size_t zl_zmtp_header_size(uint64_t body_size)
{
    return body_size <= 255 ? 2 : 9;
}

/* ZMTP 2.0 and later. Writes the shortest header for a body of `body_size` octets, all prefixes
 * that are part of the body included, and returns its size, 2 or 9. `flags`: MORE or COMMAND. */
static inline size_t zl_zmtp_put_header(uint8_t *dst, uint8_t flags, uint64_t body_size)
{
    if (body_size <= 255) {
        dst[0] = flags;
        dst[1] = (uint8_t)body_size;
        return 2;
    }
    dst[0] = flags | ZL_FRAME_LONG;
    zl_put_u64(dst + 1, body_size);
    return 9;
}

/* Everything but a complete header of a short message frame; same contract as
 * zl_zmtp_get_header. */
int zl_zmtp_get_header_slow(const uint8_t *src, const uint8_t *end, struct zl_frame_header *out);

/* ZMTP 2.0 and later. Returns the size of the header (> 0, `*out` filled in), 0 when more octets
 * are needed, or -EPROTO: reserved flag bits, MORE on a command, size over 2^63-1.
 * ZMTP 2.0 has no commands: there the caller refuses ZL_FRAME_COMMAND. */
static inline int zl_zmtp_get_header(const uint8_t *src, const uint8_t *end,
                                     struct zl_frame_header *out)
{
    if (__builtin_expect(end - src >= 2 && src[0] <= ZL_FRAME_MORE, 1)) {
        out->flags = src[0];
        out->header_size = 2;
        out->body_size = src[1];
        return 2;
    }
    return zl_zmtp_get_header_slow(src, end, out);
}

/* The same for ZMTP 1.0, versioned or not: 2 or 10 octets. 1.0 has no commands; `flags` other than
 * MORE are neither sent nor read. -EPROTO: length 0, or a body over 2^63-1. */
size_t zl_zmtp1_header_size(uint64_t body_size);
size_t zl_zmtp1_put_header(uint8_t *dst, uint8_t flags, uint64_t body_size);
int zl_zmtp1_get_header(const uint8_t *src, const uint8_t *end, struct zl_frame_header *out);

/* ---- Greeting ---------------------------------------------------------------------------------
 * Both directions at once. The caller loops: send what _output gives, feed what arrives to _input.
 *
 * What follows a completed greeting (drain _output first, in every version):
 *   3.x               the mechanism's handshake.
 *   2.0, 1.0          an identity frame each way, then messages.
 *   1.0 unversioned   our 10 octets already were the header of our identity frame: send only the
 *                     octets of our identity, then frames. The peer's frame stream, beginning with
 *                     its identity frame, is what zl_greeting_replay gives followed by what the last
 *                     _input left unconsumed. */

#define ZL_GREETING_SIZE 64
#define ZL_MECHANISM_SIZE 20

struct zl_greeting {
    /* May be changed between _init and the first _input. False: peers older than 3.0 are refused.
     * _init sets it for mechanism NULL. It must be cleared when NULL runs with a ZAP domain. With
     * another mechanism old peers are refused whatever it says. */
    bool allow_old;

    /* Valid once _input returned 1. */
    enum zl_zmtp_version version;
    /* Valid for 3.x once _input returned 1 or -EBADMSG. */
    char peer_mechanism[ZL_MECHANISM_SIZE + 1]; /* the peer's octets, any content, and a NUL */
    bool peer_as_server;                        /* informative: libzmq servers say false */
    /* Valid for 1.0 and 2.0 once _input returned 1 or -EPROTOTYPE. */
    uint8_t peer_socket_type_octet;

    /* Private. */
    int result; /* what _input returned last */
    int socket_type;
    uint8_t received; /* octets in `in` */
    uint8_t sent;     /* octets of `out` handed out */
    uint8_t sendable; /* octets of `out` that may be handed out by now */
    uint8_t in[ZL_GREETING_SIZE];
    uint8_t out[ZL_GREETING_SIZE];
};

/* `mechanism`: "NULL", "PLAIN"... `as_server`: our role, ignored for NULL. `identity_size`: of our
 * own identity, 0-255. `socket_type`: number as in zmq.h. */
void zl_greeting_init(struct zl_greeting *greeting, const char *mechanism, bool as_server,
                      size_t identity_size, int socket_type);

/* Moves up to `cap` octets that may be sent now to `dst` and returns how many; 0 if there are none
 * until more has arrived. 10 octets are there from the start, up to 54 follow as the peer shows
 * what it is. May still have octets when _input has returned 1. */
size_t zl_greeting_output(struct zl_greeting *greeting, uint8_t *dst, size_t cap);

/* Takes octets from the peer, in pieces of any size. `*consumed` of them were taken; the rest belongs
 * to the frame stream.
 *   1                 complete. Further calls consume nothing and return 1.
 *   0                 everything consumed, more is needed.
 *   -EPROTONOSUPPORT  the peer speaks a version older than 3.0 and may not.
 *   -EBADMSG          the peer uses another mechanism.
 *   -EPROTOTYPE       2.0: the peer's socket type does not go with ours.
 * Errors are final: further calls consume nothing and return the same. */
int zl_greeting_input(struct zl_greeting *greeting, const uint8_t *src, size_t n, size_t *consumed);

/* The octets that earlier calls of _input consumed but that belong to the frame stream: up to 9 for
 * 1.0 unversioned, none for other versions. They live inside `*greeting`. */
void zl_greeting_replay(const struct zl_greeting *greeting, const uint8_t **p, size_t *n);

/* ---- Socket types -----------------------------------------------------------------------------
 * Types are the numbers of zmq.h, draft types included. */

/* As in Socket-Type: "DEALER"; NULL for an unknown number. */
const char *zl_socket_type_name(int type);
/* Exact, upper case only; -1 if it names no type. */
int zl_socket_type_from_name(const uint8_t *name, size_t size);
/* Whether a peer of type `theirs` may talk to us. False if either is unknown, and for STREAM and
 * DGRAM, which do not speak ZMTP. */
bool zl_socket_types_compatible(int ours, int theirs);
/* Whether READY of this type carries Identity (REQ, DEALER, ROUTER). */
bool zl_socket_type_sends_identity(int type);
/* The octet in the greeting of 1.0 and 2.0. RFC 15 has numbers for PAIR to PUSH; XPUB and XSUB go
 * as PUB and SUB, newer types as the number that libzmq uses. */
uint8_t zl_socket_type_to_octet(int type);
/* The reverse, where 09 and 0A (libzmq's XPUB and XSUB) are read as PUB and SUB; -1 if unknown. */
int zl_socket_type_from_octet(uint8_t octet);

/* Whether a peer may have this identity: at most 255 octets, and no leading 00, which marks the
 * ids that we generate. Empty (anonymous) is fine. */
bool zl_identity_is_valid(const uint8_t *identity, size_t size);
/* Whether this may be a group: at most 255 octets, none of them 00. */
bool zl_group_is_valid(const uint8_t *group, size_t size);

/* ---- Metadata ---------------------------------------------------------------------------------
 * A property list: READY of NULL and PLAIN, INITIATE of PLAIN, inside the boxes of CURVE, ZAP. */

/* More properties than this in one list are refused. */
#define ZL_METADATA_PROPERTIES_MAX 128

struct zl_property {
    const uint8_t *name;
    const uint8_t *value;
    uint8_t name_size;   /* 1-255 */
    uint32_t value_size; /* at most 2^31-1 */
};

struct zl_metadata_reader {
    struct zl_reader rest;
    unsigned budget; /* properties that may still come */
};

void zl_metadata_reader_init(struct zl_metadata_reader *reader, const void *data, size_t size);
/* 1: `*out` is the next property. 0: the list has ended, properly. -EPROTO: empty name, truncated,
 * stray octets at the end, too many; again for every further call. */
int zl_metadata_next(struct zl_metadata_reader *reader, struct zl_property *out);
/* Property names compare without regard to ASCII case. */
bool zl_property_is(const struct zl_property *property, const char *name);

/* What a handshake has to know of the peer's metadata. */
struct zl_peer_metadata {
    int socket_type;         /* -1: not told, which libzmq accepts */
    const uint8_t *identity; /* NULL: not told */
    size_t identity_size;    /* 0-255 */
};

/* Checks a whole list, for a socket of type `socket_type`, before anything of it is used.
 *   0            `*out` is filled in.
 *   -EPROTO      malformed list, a name that occurs twice, an identity that is not valid.
 *   -EPROTOTYPE  Socket-Type is unknown or does not go with ours. */
int zl_metadata_check(const void *data, size_t size, int socket_type, struct zl_peer_metadata *out);

/* Octets that a property takes. */
size_t zl_metadata_size(const char *name, size_t value_size);
/* Appends one property at `dst` and returns its size; 0 if `cap` does not hold it, the name is not
 * 1-255 octets or the value is over 2^31-1. `value` may be NULL when `value_size` is 0. */
size_t zl_metadata_put(uint8_t *dst, size_t cap, const char *name, const void *value,
                       size_t value_size);
/* What each of our sockets tells first: Socket-Type and, where the type has it, Identity, empty or
 * not. Same return value; `dst` of ZL_METADATA_OWN_MAX octets always suffices. */
size_t zl_metadata_put_own(uint8_t *dst, size_t cap, int socket_type, const void *identity,
                           size_t identity_size);
#define ZL_METADATA_OWN_MAX (16 + 7 + 13 + 255)

/* ---- Commands ---------------------------------------------------------------------------------
 * The body of a command frame: name length, name, data. Over CURVE and WebSocket the same bodies
 * travel in other frames, so bodies and frames have functions of their own. */

enum zl_command_kind {
    ZL_COMMAND_UNKNOWN = 0, /* well-formed; ignored in traffic, an error in the handshake */
    ZL_COMMAND_READY,
    ZL_COMMAND_ERROR,
    ZL_COMMAND_HELLO,
    ZL_COMMAND_WELCOME,
    ZL_COMMAND_INITIATE,
    ZL_COMMAND_MESSAGE,
    ZL_COMMAND_SUBSCRIBE, /* data: topic */
    ZL_COMMAND_CANCEL,    /* data: topic */
    ZL_COMMAND_JOIN,      /* data: group, see zl_group_is_valid */
    ZL_COMMAND_LEAVE,     /* data: group */
    ZL_COMMAND_PING,
    ZL_COMMAND_PONG,
};

struct zl_command {
    enum zl_command_kind kind;
    const uint8_t *data; /* what follows the name */
    size_t size;
};

/* 0, or -EPROTO: empty body, empty name, name that overruns the body. */
int zl_command_parse(const uint8_t *body, size_t n, struct zl_command *out);
/* The same for a PLAIN client, which must also know ERROR as libzmq servers misspell it: 5E "RROR"
 * in place of 05 "ERROR". */
int zl_command_parse_plain(const uint8_t *body, size_t n, struct zl_command *out);

#define ZL_HEARTBEAT_CONTEXT_MAX 16
#define ZL_PING_BODY_MAX (7 + ZL_HEARTBEAT_CONTEXT_MAX)
#define ZL_PONG_BODY_MAX (5 + ZL_HEARTBEAT_CONTEXT_MAX)
/* libzmq computes ttl * 100 in 16 bits: more than this would wrap there. */
#define ZL_PING_TTL_MAX 655

struct zl_ping {
    uint16_t ttl; /* tenths of a second, 0: none. Compute with 32 bits. */
    const uint8_t *context;
    size_t context_size; /* 0-16, to be echoed in PONG */
};

/* The data of the command of that kind. 0, or -EPROTO when too short or too long. */
int zl_ping_parse(const struct zl_command *command, struct zl_ping *out);
int zl_pong_parse(const struct zl_command *command, const uint8_t **context, size_t *context_size);

struct zl_error {
    const uint8_t *reason; /* any octets */
    size_t reason_size;    /* 0-255 */
};

/* ERROR is fatal either way; -EPROTO if the data is not exactly one length and that many octets. */
int zl_error_parse(const struct zl_command *command, struct zl_error *out);
/* 300, 400 or 500 if the reason is just that, else 0. */
int zl_error_status(const struct zl_error *error);
/* Writes the reason as a C string fit for a log: what is not printable ASCII becomes '.'; cut to
 * `cap` - 1 characters. `cap` > 0. Returns the length. */
size_t zl_error_text(const struct zl_error *error, char *dst, size_t cap);

/* READY and INITIATE whose data is metadata: zl_metadata_check(command.data, command.size, ...). */

/* Encoders. `dst` must have room for what the matching _size function says. `data` may be NULL
 * when `n` is 0. All return the octets written. */

/* Bodies. `name` is 1-255 characters. */
size_t zl_command_size(const char *name, size_t n);
size_t zl_command_put(uint8_t *dst, const char *name, const void *data, size_t n);
/* At most ZL_PING_BODY_MAX: `ttl` is cut to ZL_PING_TTL_MAX, the context to 16 octets. */
size_t zl_command_put_ping(uint8_t *dst, unsigned ttl, const void *context, size_t context_size);
/* At most 7 + 255: the reason is cut to 255 octets. */
size_t zl_command_put_error(uint8_t *dst, const void *reason, size_t reason_size);

/* Whole frames, ZMTP 3.0 and later. */
size_t zl_zmtp_command_size(const char *name, size_t n);
size_t zl_zmtp_put_command(uint8_t *dst, const char *name, const void *data, size_t n);

/* A subscription or its cancellation as a whole frame, in the form that `version` sends: a command
 * from 3.1 on, before that a message 01/00 + topic. */
size_t zl_zmtp_subscription_size(enum zl_zmtp_version version, bool subscribe, size_t topic_size);
size_t zl_zmtp_put_subscription(uint8_t *dst, enum zl_zmtp_version version, bool subscribe,
                                const void *topic, size_t topic_size);

#endif
