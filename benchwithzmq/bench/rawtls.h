/* SPDX-License-Identifier: MPL-2.0 */

/*
 * TLS as OpenSSL does it on a blocking socket, for the ceiling of encrypted transports: TLS 1.3,
 * AES-256-GCM. Built without OpenSSL, each function ends the program as "unsupported".
 */
#ifndef ZRAW_TLS_H
#define ZRAW_TLS_H

#include <stdbool.h>
#include <stddef.h>

#define TLS_RECORD_SIZE ((size_t)16384) /* what one record holds at most */

/* Makes a certificate, in memory. Once, before the peers are started. */
void rawtls_prepare(void);

/* The handshake on a connected socket; the client accepts any certificate. */
void *rawtls_open(int fd, bool server);

void rawtls_write(void *tls, const void *data, size_t size);

/* 0 at the end of the stream. */
size_t rawtls_read_some(void *tls, void *data, size_t size);

#endif
