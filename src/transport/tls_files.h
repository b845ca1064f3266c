/* SPDX-License-Identifier: MPL-2.0 */
/* Certificates, keys and CAs from files or from text into an SSL_CTX. Each argument is a path, or PEM
   text. Each call leaves OpenSSL's error queue empty, and returns 0 or a negative errno with the
   reason in *error, as zl_tls_context_new. */
#ifndef ZL_TRANSPORT_TLS_FILES_H
#define ZL_TRANSPORT_TLS_FILES_H

#include "transport/tls_error.h"

#include <stdbool.h>
#include <sys/stat.h>

/* Tells PEM text from a path. */
bool zl_tls_is_pem(const char *text);

/* The certificate, and the chain behind it in the same file. */
int zl_tls_use_certificate(SSL_CTX *ssl_ctx, const char *certificate, struct zl_tls_error *error);

/* The key that belongs to the certificate in use. */
int zl_tls_use_key(SSL_CTX *ssl_ctx, const char *key, const char *password,
                   struct zl_tls_error *error);

/* Trusts the CAs of a file, text or directory. name_them: a server tells clients their names (not those
   of a directory). */
int zl_tls_trust(SSL_CTX *ssl_ctx, const char *ca, bool name_them, struct zl_tls_error *error);

/* How a file looked; compares by zl_tls_stamp_same. Texts and missing files have equal stamps. */
struct zl_tls_stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified;
};

struct zl_tls_stamp zl_tls_stamp(const char *path_or_pem);
bool zl_tls_stamp_same(const struct zl_tls_stamp *a, const struct zl_tls_stamp *b);

#endif
