/* SPDX-License-Identifier: MPL-2.0 */
/* What connections of one endpoint share: certificates, trust, limits, the session to resume.

   A context is made once per endpoint and role, and counted. Any number of threads may open
   streams from it at once; a mutex guards what changes (the loaded files, the kept session) and is
   held for short stretches, except while changed files are read again. No lock of the library is
   taken inside, so it may be used under any; but files are read, so better under none. */
#ifndef ZL_TRANSPORT_TLS_CONTEXT_H
#define ZL_TRANSPORT_TLS_CONTEXT_H

#include "transport/tls_error.h"

#include <stdbool.h>

enum zl_tls_verify {
    ZL_TLS_VERIFY_DEFAULT, /* client: REQUIRED, server: NONE */
    ZL_TLS_VERIFY_NONE,    /* client: anyone may answer; server: no certificate is asked for */
    ZL_TLS_VERIFY_OPTIONAL, /* server: a client may have one, which must be valid; client: REQUIRED */
    ZL_TLS_VERIFY_REQUIRED, /* the peer must have a valid certificate; a client checks the name too */
};

/* What a user can choose. NULL, "" and 0 mean "not given". A certificate, key or CA is the path of a
   PEM file, or the PEM text itself (recognised by its "-----BEGIN"). */
struct zl_tls_settings {
    bool server;
    enum zl_tls_verify verify;
    const char *certificate;  /* and the chain behind it; required for a server */
    const char *key;          /* not given: it is in `certificate` too */
    const char *key_password; /* of an encrypted key; nobody is ever prompted */
    const char *ca;           /* or a directory, hashed as by openssl rehash */
    bool trust_system;        /* the system's CAs too */
    const char *host;         /* client: name for SNI and for the check of the server's certificate;
                                  an IP address ([] and %zone allowed) is checked as one, without SNI */
    int min_version;          /* 12 or 13; default 12 */
    const char *ciphers;      /* TLS 1.2, OpenSSL's cipher list format */
    const char *cipher_suites; /* TLS 1.3, names separated by colons */
    const char *alpn;          /* names separated by commas, best first */
};

struct zl_tls_context;

/* Checks the settings, copies them and loads the files. [caller] Reads files; may take milliseconds.
   0, or a negative errno with the reason in *error (which may be NULL):
     -EINVAL   settings that contradict each other or cannot work; contents of a file that are not
               what they should be; a key that does not fit; a wrong or missing key password; a server
               without a certificate; verification that is on while nothing is trusted, or a client's
               without a host name to check (both fail closed)
     -ENOENT, -EACCES and the like: a file cannot be read
     -ENOMEM */
int zl_tls_context_new(const struct zl_tls_settings *settings, struct zl_tls_context **out,
                       struct zl_tls_error *error);

/* Any thread. */
struct zl_tls_context *zl_tls_context_retain(struct zl_tls_context *context);
void zl_tls_context_release(struct zl_tls_context *context);

/* Looks whether the certificate, key or CA file has changed (time, size, inode), and loads all of them
   again if so: for connections opened from now on. To be called before each accept or connect; costs
   a stat per file. Any thread; reads files when they changed.
   0: nothing has changed; 1: loaded; a negative errno as above: what is there now does not work, the
   old stays in use, and this is not tried again before the files change again. */
int zl_tls_context_refresh(struct zl_tls_context *context, struct zl_tls_error *error);

/* For tls_stream.c. A new SSL of this context, in its role, with name check and the session to
   resume. NULL with *error set. Any thread. */
SSL *zl_tls_context_open(struct zl_tls_context *context, struct zl_tls_error *error);

/* The host name that is checked, or NULL. Constant. */
const char *zl_tls_context_host(const struct zl_tls_context *context);

#endif
