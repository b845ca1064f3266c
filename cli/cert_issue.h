/* SPDX-License-Identifier: MPL-2.0 */
/* Making certificates for zlink cert. Functions that return int return 0, or -1 after a message. */
#ifndef ZLINK_CLI_CERT_ISSUE_H
#define ZLINK_CLI_CERT_ISSUE_H

#include "args.h"

#include <openssl/x509.h>

struct cert_pair {
    X509 *certificate;
    EVP_PKEY *key;
};

struct cert_request {
    const char *common_name;
    const struct cli_list *names; /* host names and IP addresses, for a server */
    bool client;                  /* for a client, else for a server */
    int64_t days;                 /* it is valid, but not longer than the CA */
};

/* A new key and a CA with it. */
int cert_new_ca(struct cert_pair *ca);

/* A new key and a certificate for it that the CA signs. */
int cert_issue(struct cert_pair *pair, const struct cert_pair *ca,
               const struct cert_request *request);

void cert_free(struct cert_pair *pair);

/* Reads what cert_save has written, and checks that the two belong together. */
int cert_load(struct cert_pair *pair, const char *certificate_path, const char *key_path);

/* Writes both, each at once and whole: the key so that only its owner can read it. */
int cert_save(const struct cert_pair *pair, const char *certificate_path, const char *key_path);

/* The certificate as PEM text, with the key behind it or without; malloc'ed. NULL after a message. */
char *cert_pem(const struct cert_pair *pair, bool with_key);

/* Whether the text is an IP address; whether it can be a host name, with * for the first label. */
bool cert_is_address(const char *name);
bool cert_is_host_name(const char *name);

#endif
