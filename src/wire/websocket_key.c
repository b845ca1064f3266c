/* SPDX-License-Identifier: MPL-2.0 */
/* Base64 and SHA-1 for the WebSocket handshake. */

#include "wire/websocket_key.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

static const char accept_suffix[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

void zl_websocket_key(char *key, const uint8_t nonce[ZL_WEBSOCKET_NONCE_SIZE])
{
    EVP_EncodeBlock((unsigned char *)key, nonce, ZL_WEBSOCKET_NONCE_SIZE);
}

static bool is_base64_digit(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/';
}

bool zl_websocket_key_is_valid(const char *key, size_t size)
{
    enum { DIGITS = 22 };
    if (size != ZL_WEBSOCKET_KEY_SIZE)
        return false;
    for (size_t i = 0; i < DIGITS; i++)
        if (!is_base64_digit(key[i]))
            return false;
    return key[DIGITS] == '=' && key[DIGITS + 1] == '=';
}

int zl_websocket_accept(char *accept, const char *key)
{
    unsigned char text[ZL_WEBSOCKET_KEY_SIZE + sizeof accept_suffix - 1];
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size;
    memcpy(text, key, ZL_WEBSOCKET_KEY_SIZE);
    memcpy(text + ZL_WEBSOCKET_KEY_SIZE, accept_suffix, sizeof accept_suffix - 1);
    if (!EVP_Digest(text, sizeof text, digest, &size, EVP_sha1(), NULL))
        return -ENOMEM;
    EVP_EncodeBlock((unsigned char *)accept, digest, (int)size);
    return 0;
}
