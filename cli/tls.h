/* SPDX-License-Identifier: MPL-2.0 */
/* The --tls- options of the commands, and what to say when TLS fails. */
#ifndef ZLINK_CLI_TLS_H
#define ZLINK_CLI_TLS_H

#include "args.h"

enum { CLI_TLS_VERIFY_PEER, CLI_TLS_VERIFY_NONE };
enum { CLI_TLS_1_2, CLI_TLS_1_3 };
enum { CLI_TLS_REASON_SIZE = 256 };

/* All zero: the library's defaults. */
struct cli_tls_args {
    const char *certificate; /* this, key and ca: a path, or PEM text */
    const char *key;
    const char *ca;
    const char *hostname;
    int verify;
    int min_version;
    bool trust_system;
    bool require_client_cert;
};

/* Rows for the fields above; they must lie at the very beginning of the command's own struct. */
extern const struct cli_opt cli_tls_opts[];

/* Whether an endpoint's transport, or a transport's name alone, is one with TLS. */
bool cli_tls_is_used(const char *endpoint);

/*
 * Whether the options fit each other. `endpoint` is one with TLS if there is any, else any other:
 * options for nothing are an error, lest somebody takes tcp:// for encrypted.
 * Returns CLI_CONTINUE or an exit code after a message.
 */
int cli_tls_check(const struct cli_tls_args *args, const char *endpoint);

/* Sets what is not the default. Returns CLI_CONTINUE or an exit code after a message. */
int cli_tls_apply(void *socket, const struct cli_tls_args *args);

/* Why TLS last failed on the socket. False, with "": it has not, or the library does not tell. */
bool cli_tls_reason(void *socket, char reason[CLI_TLS_REASON_SIZE]);

/* Prints what to do about such a reason, if that is known. */
void cli_tls_hint(const char *reason);

/* The text of `zlink help tls`. */
void cli_tls_help(void);

#endif
