/* SPDX-License-Identifier: MPL-2.0 */
/* TLS as the commands' options have it. */
#include "tls.h"
#include "cli.h"

#include <stdio.h>
#include <string.h>
#include <zmq.h>

#define FIELD(name) offsetof(struct cli_tls_args, name)

const struct cli_opt cli_tls_opts[] = {
    {CLI_SECTION, "TLS, for tls:// and wss:// ('zlink help tls' shows how to begin):", 0, 0, NULL,
     NULL},
    {CLI_TEXT, "tls-cert", 0, FIELD(certificate), "FILE",
     "our certificate (PEM) and the chain behind it; the side that\nbinds must have one"},
    {CLI_TEXT, "tls-key", 0, FIELD(key), "FILE",
     "its private key (default: it is in the file of --tls-cert)"},
    {CLI_TEXT, "tls-ca", 0, FIELD(ca), "FILE|DIR",
     "CAs to trust, PEM, or a directory made by 'openssl rehash'; the\n"
     "side that connects must have this or --tls-trust-system"},
    {CLI_FLAG, "tls-trust-system", 0, FIELD(trust_system), NULL, "trust the system's CAs, too"},
    {CLI_TEXT, "tls-hostname", 0, FIELD(hostname), "NAME",
     "connecting: the name that the server's certificate must have\n"
     "(default: the host of the endpoint)"},
    {CLI_CHOICE, "tls-verify", 0, FIELD(verify), "peer|none",
     "connecting: whether the server must prove who it is; none is\n"
     "for tests only (default peer)"},
    {CLI_FLAG, "tls-require-client-cert", 0, FIELD(require_client_cert), NULL,
     "binding: refuse clients without a certificate from a trusted CA"},
    {CLI_CHOICE, "tls-min-version", 0, FIELD(min_version), "1.2|1.3",
     "the oldest version of TLS to speak (default 1.2)"},
    {CLI_END, NULL, 0, 0, NULL, NULL},
};

/* Socket options of zlink.h, which a program that also runs on libzmq does without. */
enum option {
    TLS_CERTIFICATE = 1000,
    TLS_KEY = 1001,
    TLS_CA = 1002,
    TLS_VERIFY = 1003,
    TLS_REQUIRE_CLIENT_CERT = 1004,
    TLS_HOSTNAME = 1005,
    TLS_TRUST_SYSTEM = 1006,
    TLS_MIN_VERSION = 1008,
    TLS_ERROR = 1012,
};

bool cli_tls_is_used(const char *endpoint)
{
    size_t length = strcspn(endpoint, ":");
    return length == 3 && (strncmp(endpoint, "tls", 3) == 0 || strncmp(endpoint, "wss", 3) == 0);
}

static bool is_given(const struct cli_tls_args *args)
{
    return args->certificate || args->key || args->ca || args->hostname || args->trust_system ||
           args->require_client_cert || args->verify != CLI_TLS_VERIFY_PEER ||
           args->min_version != CLI_TLS_1_2;
}

int cli_tls_check(const struct cli_tls_args *args, const char *endpoint)
{
    if (is_given(args) && !cli_tls_is_used(endpoint))
        return cli_usage("--tls- options are for tls:// and wss:// endpoints; %s is not encrypted",
                         endpoint);
    if (args->key && !args->certificate)
        return cli_usage("--tls-key needs --tls-cert, the certificate that it belongs to");
    if (args->require_client_cert && !args->ca && !args->trust_system)
        return cli_usage("--tls-require-client-cert needs --tls-ca (or --tls-trust-system): whose "
                         "certificates are good?");
    return CLI_CONTINUE;
}

static int refused(const char *option, const char *value)
{
    int error = zmq_errno();
    cli_error("cannot set --%s%s%s: %s", option, value ? " " : "", value ? value : "",
              zmq_strerror(error));
    if (!zmq_has("tls"))
        cli_hint("this library has no TLS: it is a libzmq, not zlink ('zlink --version')");
    return CLI_FAILURE;
}

static int set_text(void *socket, enum option option, const char *text, const char *name)
{
    if (!text || zmq_setsockopt(socket, option, text, strlen(text)) == 0)
        return CLI_CONTINUE;
    return refused(name, text);
}

static int set_int(void *socket, enum option option, int value, bool given, const char *name)
{
    if (!given || zmq_setsockopt(socket, option, &value, sizeof value) == 0)
        return CLI_CONTINUE;
    return refused(name, NULL);
}

static int set_texts(void *socket, const struct cli_tls_args *args)
{
    int rc = set_text(socket, TLS_CERTIFICATE, args->certificate, "tls-cert");
    if (rc == CLI_CONTINUE)
        rc = set_text(socket, TLS_KEY, args->key, "tls-key");
    if (rc == CLI_CONTINUE)
        rc = set_text(socket, TLS_CA, args->ca, "tls-ca");
    if (rc == CLI_CONTINUE)
        rc = set_text(socket, TLS_HOSTNAME, args->hostname, "tls-hostname");
    return rc;
}

int cli_tls_apply(void *socket, const struct cli_tls_args *args)
{
    bool unverified = args->verify == CLI_TLS_VERIFY_NONE;
    int rc = set_texts(socket, args);
    if (rc == CLI_CONTINUE)
        rc = set_int(socket, TLS_VERIFY, 0, unverified, "tls-verify");
    if (rc == CLI_CONTINUE)
        rc = set_int(socket, TLS_REQUIRE_CLIENT_CERT, 1, args->require_client_cert,
                     "tls-require-client-cert");
    if (rc == CLI_CONTINUE)
        rc = set_int(socket, TLS_TRUST_SYSTEM, 1, args->trust_system, "tls-trust-system");
    if (rc == CLI_CONTINUE)
        rc = set_int(socket, TLS_MIN_VERSION, 13, args->min_version == CLI_TLS_1_3,
                     "tls-min-version");
    return rc;
}

/* ---- What went wrong -------------------------------------------------------------------------- */

bool cli_tls_reason(void *socket, char reason[CLI_TLS_REASON_SIZE])
{
    size_t size = CLI_TLS_REASON_SIZE;
    if (zmq_getsockopt(socket, TLS_ERROR, reason, &size) != 0)
        *reason = '\0';
    return *reason != '\0';
}

/* By a part of the reason. The first that fits counts. */
static const struct {
    const char *part;
    const char *hint;
} hints[] = {
    {"server needs a certificate",
     "pass --tls-cert FILE and --tls-key FILE; 'zlink cert --name localhost' makes them"},
    {"no CA is trusted",
     "pass --tls-ca ca.pem, the CA that signed the other side's certificate, or "
     "--tls-trust-system;\n        --tls-verify none does without, but anybody can pose as the "
     "server"},
    {"no host name to check", "pass --tls-hostname NAME, a name that the certificate has"},
    {"no certificate for it", "pass --tls-cert FILE, the certificate that the key belongs to"},
    {"comes from an unknown CA",
     "the certificate is not signed by a CA you trust: pass --tls-ca ca.pem, the CA that signed "
     "it;\n        intermediate CAs belong into the other side's --tls-cert file"},
    {"self-signed and not itself trusted",
     "the certificate is not one you trust: pass it as --tls-ca, or use one that a CA signed "
     "('zlink cert')"},
    {"certificate is for",
     "connect by a name that the certificate has, pass --tls-hostname NAME, or make one for this "
     "name:\n        'zlink cert --name NAME'"},
    {"certificate has expired", "make a new one; 'zlink cert --force' replaces a test certificate"},
    {"not meant for this role",
     "a server needs one as from 'zlink cert --name HOST', a client 'zlink cert --client NAME'"},
    {"does not know the CA",
     "the other side does not trust the CA that signed our certificate: its --tls-ca must be that "
     "CA"},
    {"requires a certificate from us",
     "pass --tls-cert FILE and --tls-key FILE; 'zlink cert --client NAME' makes them"},
    {"wants a certificate",
     "a server that wants one needs --tls-cert FILE and --tls-key FILE from us; 'zlink cert "
     "--client NAME' makes them"},
    {"sent no certificate",
     "the client must have --tls-cert and --tls-key ('zlink cert --client NAME' makes them), or "
     "leave out\n        --tls-require-client-cert here"},
    {"does not speak TLS",
     "both sides must use tls://, or both wss://; the other one may be tcp:// or ws://"},
    {"version of TLS", "compare --tls-min-version of both sides"},
    {"its password is needed", "pass --option tls_key_password=PASSWORD"},
    {"does not belong to the certificate", "--tls-key must be the key that --tls-cert is for"},
};

void cli_tls_hint(const char *reason)
{
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++) {
        if (strstr(reason, hints[i].part)) {
            cli_hint("%s", hints[i].hint);
            return;
        }
    }
}

void cli_tls_help(void)
{
    printf("TLS encrypts tls:// (which is tcp inside TLS) and wss:// (WebSocket). The side that "
           "binds\n"
           "is the server and shows a certificate; the side that connects checks it.\n\n"
           "To try it on this machine, make a CA and a certificate for this machine's names:\n"
           "  zlink cert --name localhost --name 127.0.0.1 --ca-dir certs\n\n"
           "Then, in two terminals:\n"
           "  zlink recv --type pull --bind 'tls://*:5555' \\\n"
           "      --tls-cert certs/localhost.pem --tls-key certs/localhost.key\n"
           "  zlink send --type push --connect tls://localhost:5555 --tls-ca certs/ca.pem \\\n"
           "      --message hello\n\n"
           "A server with a certificate from a public CA:\n"
           "  zlink send --type push --connect tls://server.example:5555 --tls-trust-system\n\n"
           "Clients that prove who they are, too:\n"
           "  zlink cert --client alice --ca-dir certs\n"
           "  zlink recv --type pull --bind 'tls://*:5555' --tls-cert certs/localhost.pem \\\n"
           "      --tls-key certs/localhost.key --tls-ca certs/ca.pem --tls-require-client-cert\n"
           "  zlink send --type push --connect tls://localhost:5555 --tls-ca certs/ca.pem \\\n"
           "      --tls-cert certs/alice.pem --tls-key certs/alice.key --message hello\n\n"
           "How fast it is (makes certificates for the time it runs):\n"
           "  zlink perf --transport tls\n");
}
