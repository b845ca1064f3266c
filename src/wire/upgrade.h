/* SPDX-License-Identifier: MPL-2.0 */
/* The HTTP upgrade that begins a WebSocket connection (RFC 6455, section 4), and chooses its
 * sub-protocol. One object per handshake, fed with what arrives in pieces of any size. What follows
 * the head belongs to the frames and is left to the caller.
 *
 * Names of sub-protocols are given as a list that ends with NULL, see zl_zws_protocols; it and all
 * other strings are kept, not copied. Nothing is allocated. */

#ifndef ZL_WIRE_UPGRADE_H
#define ZL_WIRE_UPGRADE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/http.h"
#include "wire/websocket_key.h"

/* ---- Accepting side --------------------------------------------------------------------------- */

struct zl_upgrade_server {
    /* Valid once _input returned 1: the first one in the client's order that is in our list. */
    const char *protocol;
    /* Valid once _input returned an error: the HTTP status to refuse with; 0: what arrived is not
     * HTTP, close without an answer. */
    int status;

    /* Private. */
    int result; /* what _input returned last */
    const char *path;
    const char *const *protocols;
    bool in_fields; /* the request line is behind us */
    unsigned fields;
    unsigned facts;
    char key[ZL_WEBSOCKET_KEY_SIZE];
    char accept[ZL_WEBSOCKET_ACCEPT_SIZE + 1];
    struct zl_http_reader reader;
};

/* `path`: of the endpoint, with its leading slash; the request's must equal it, its query apart. */
void zl_upgrade_server_init(struct zl_upgrade_server *server, const char *path,
                            const char *const *protocols);

/* Takes octets from the client; `*consumed` of them belong to the request.
 *   1          accepted: send the response, then frames.
 *   0          everything consumed, more is needed.
 *   -EPROTO    the request is malformed, or not one that we accept.
 *   -EMSGSIZE  it is over a limit of http.h.
 *   -ENOMEM    out of memory.
 * Errors are final, and so is 1: further calls consume nothing and return the same. After an error
 * send the response, if there is one, and close. */
int zl_upgrade_server_input(struct zl_upgrade_server *server, const uint8_t *src, size_t n,
                            size_t *consumed);

/* No response is longer. */
#define ZL_UPGRADE_RESPONSE_MAX 512

/* Once _input has returned 1 or an error: writes the response to `dst`, which has room for
 * ZL_UPGRADE_RESPONSE_MAX octets, and returns its size, 0 if nothing is to be sent. */
size_t zl_upgrade_server_response(const struct zl_upgrade_server *server, uint8_t *dst);

/* ---- Connecting side -------------------------------------------------------------------------- */

struct zl_upgrade_client {
    /* Valid once _input returned 1: the one of ours that the server has taken. */
    const char *protocol;
    /* The status of the response, 0 as long as there is none. */
    int status;

    /* Private. */
    int result; /* what _input returned last */
    const char *const *protocols;
    unsigned fields;
    unsigned facts;
    char key[ZL_WEBSOCKET_KEY_SIZE + 1];
    char accept[ZL_WEBSOCKET_ACCEPT_SIZE + 1];
    struct zl_http_reader reader;
};

/* `nonce`: new and random for each connection. `protocols`: to offer, best first. 0 or -ENOMEM. */
int zl_upgrade_client_init(struct zl_upgrade_client *client,
                           const uint8_t nonce[ZL_WEBSOCKET_NONCE_SIZE],
                           const char *const *protocols);

/* So much room and that for host and path is enough for a request. */
#define ZL_UPGRADE_REQUEST_FIXED 512

/* Where the request goes. */
struct zl_upgrade_target {
    const char *host; /* a name or an address, IPv6 with or without brackets */
    uint16_t port;    /* not told to the server when it is the default one */
    bool secure;      /* wss: the default port is 443, not 80 */
    const char *path; /* with its leading slash; NULL or empty: "/" */
};

/* Writes the request, `cap` octets at most, and returns its size. -EINVAL: the host or the path has
 * octets that a request cannot have. -ENOBUFS: it does not fit. */
int zl_upgrade_client_request(const struct zl_upgrade_client *client,
                              const struct zl_upgrade_target *target, uint8_t *dst, size_t cap);

/* Takes octets from the server; `*consumed` of them belong to the response.
 *   1              the server has accepted: frames follow.
 *   0              everything consumed, more is needed.
 *   -ECONNREFUSED  another status than 101, see `status`.
 *   -EPROTO        the response is malformed, or not an answer to our request.
 *   -EMSGSIZE      it is over a limit of http.h.
 * Errors are final, and so is 1. */
int zl_upgrade_client_input(struct zl_upgrade_client *client, const uint8_t *src, size_t n,
                            size_t *consumed);

#endif
