/* SPDX-License-Identifier: MPL-2.0 */
/* The keys of the WebSocket handshake (RFC 6455, 4.1 and 4.2.2), which prove that the other side
 * speaks WebSocket and protect nothing. The only codec that needs a cryptographic library. */
#ifndef ZL_WIRE_WEBSOCKET_KEY_H
#define ZL_WIRE_WEBSOCKET_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ZL_WEBSOCKET_NONCE_SIZE 16
/* Base64 of a nonce, and of a SHA-1; without the NUL. */
#define ZL_WEBSOCKET_KEY_SIZE 24
#define ZL_WEBSOCKET_ACCEPT_SIZE 28

/* Sec-WebSocket-Key: writes ZL_WEBSOCKET_KEY_SIZE characters and a NUL. */
void zl_websocket_key(char *key, const uint8_t nonce[ZL_WEBSOCKET_NONCE_SIZE]);

/* Whether this is base64 of 16 octets. */
bool zl_websocket_key_is_valid(const char *key, size_t size);

/* Sec-WebSocket-Accept for a key of ZL_WEBSOCKET_KEY_SIZE characters: writes
 * ZL_WEBSOCKET_ACCEPT_SIZE characters and a NUL. -ENOMEM: the digest could not be had. */
int zl_websocket_accept(char *accept, const char *key);

#endif
