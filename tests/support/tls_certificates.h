/* SPDX-License-Identifier: MPL-2.0 */
/* Certificates for tests, made on the spot. A failure aborts the process: only lack of memory makes
 * one. */
#ifndef TESTS_SUPPORT_TLS_CERTIFICATES_H
#define TESTS_SUPPORT_TLS_CERTIFICATES_H

#include <stdbool.h>

/* A certificate and its key, as PEM text. */
struct tc_identity {
    char *certificate;
    char *key;
};

struct tc_request {
    const char *name;                 /* common name */
    const char *alternatives;         /* "DNS:a.example,IP:127.0.0.1", NULL: none */
    const struct tc_identity *issuer; /* NULL: self-signed */
    bool ca;
    bool client;        /* for TLS clients only; else for servers only. Not for a CA. */
    long starts_before; /* seconds ago; 0: an hour */
    long ends_after;    /* seconds from now, negative: has expired; 0: a day */
};

struct tc_identity tc_issue(const struct tc_request *request);
void tc_free(struct tc_identity *identity);

/* The key of the identity, encrypted; to be freed. */
char *tc_encrypted_key(const struct tc_identity *identity, const char *password);

/* The texts one behind the other (certificate and chain, certificate and key); to be freed. */
char *tc_join(const char *first, const char *second);

/* Writes the text to a file, replacing it by rename, so that it has another inode. */
void tc_write_file(const char *path, const char *text);

#endif
