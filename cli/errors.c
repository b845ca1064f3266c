/* SPDX-License-Identifier: MPL-2.0 */
/* Explains why an endpoint could not be bound or connected, and what to do about it. */
#include "errors.h"
#include "cli.h"
#include "tls.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

struct explanation {
    int error;
    int exit_code;
    const char *hint; /* NULL: depends on the endpoint */
};

static const struct explanation explanations[] = {
    {EINVAL, CLI_USAGE, NULL},
    {EPROTONOSUPPORT, CLI_USAGE, NULL},
    {ENOCOMPATPROTO, CLI_USAGE, "this socket type cannot use this transport; try tcp:// or ipc://"},
    {EADDRINUSE, CLI_FAILURE, NULL},
    {EADDRNOTAVAIL, CLI_FAILURE,
     "no interface of this machine has that address; 'ip -br addr' lists them, * stands for all"},
    {ENODEV, CLI_FAILURE,
     "no such interface or host name; 'ip -br addr' lists interfaces, * stands for all"},
    {EACCES, CLI_FAILURE,
     "not permitted: ports below 1024 need privileges, an ipc path needs a writable directory"},
    {EPERM, CLI_FAILURE, "not permitted for this user"},
    {ENOENT, CLI_FAILURE, "the directory of an ipc path must exist: create it first"},
    {ENOTDIR, CLI_FAILURE, "a part of the ipc path is not a directory"},
    {ENAMETOOLONG, CLI_USAGE,
     "an ipc path may have at most 107 bytes; use a shorter one, or ipc://@name (no file at all)"},
    {EMFILE, CLI_FAILURE, "too many open files; 'ulimit -n' shows the limit"},
    {EMTHREAD, CLI_USAGE, "this transport needs an I/O thread: --io-threads 1"},
    {EAFNOSUPPORT, CLI_FAILURE, "the kernel lacks this address family"},
};

/* An endpoint of the same transport that works, to copy from. */
static const char *example(const char *endpoint, bool bind)
{
    static const char *const examples[][3] = {
        {"tcp://", "tcp://*:5555 or tcp://127.0.0.1:* (any free port)", "tcp://127.0.0.1:5555"},
        {"ipc://", "ipc:///tmp/news.sock or ipc://@news", "ipc:///tmp/news.sock"},
        {"ws://", "ws://*:8080/news", "ws://127.0.0.1:8080/news"},
        {"wss://", "wss://*:8443/news", "wss://news.example:8443/news"},
        {"tls://", "tls://*:5556", "tls://news.example:5556"},
        {"udp://", "udp://127.0.0.1:5555", "udp://127.0.0.1:5555"},
    };
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++)
        if (strncmp(endpoint, examples[i][0], strlen(examples[i][0])) == 0)
            return examples[i][bind ? 1 : 2];
    return NULL;
}

static void hint_syntax(const char *endpoint, bool bind)
{
    const char *good = example(endpoint, bind);
    if (!strstr(endpoint, "://"))
        cli_hint("an endpoint is TRANSPORT://ADDRESS, for example tcp://127.0.0.1:5555 or "
                 "ipc:///tmp/news.sock");
    else if (!bind && strchr(endpoint, '*'))
        cli_hint("* is for --bind; --connect names one address, for example %s",
                 good ? good : "tcp://127.0.0.1:5555");
    else
        cli_hint("a good one looks like %s", good ? good : "tcp://127.0.0.1:5555");
}

static void hint_transport(const char *endpoint)
{
    static const char *const optional[] = {"ipc",   "ws",   "wss",  "tls",
                                           "vsock", "tipc", "norm", "pgm"};
    char known[128] = "tcp, inproc, udp";
    for (size_t i = 0; i < sizeof optional / sizeof *optional; i++) {
        size_t used = strlen(known);
        if (zmq_has(optional[i]))
            snprintf(known + used, sizeof known - used, ", %s", optional[i]);
    }
    cli_hint("this library has no transport '%.*s'; it has %s",
             (int)(strstr(endpoint, "://") - endpoint), endpoint, known);
}

static void hint_in_use(const char *endpoint)
{
    const char *port = strrchr(endpoint, ':');
    if (strncmp(endpoint, "ipc://", 6) == 0)
        cli_hint("another process has this name, or it is a directory; choose another path");
    else
        cli_hint("another process listens there ('ss -ltnp | grep %s' shows it); use another port, "
                 "or * for any free one",
                 port ? port : endpoint);
}

static const struct explanation *find(int error)
{
    for (size_t i = 0; i < sizeof explanations / sizeof *explanations; i++)
        if (explanations[i].error == error)
            return &explanations[i];
    return NULL;
}

static void hint(const struct explanation *row, const char *endpoint, bool bind)
{
    if (row->hint)
        cli_hint("%s", row->hint);
    else if (row->error == EADDRINUSE)
        hint_in_use(endpoint);
    else if (row->error == EPROTONOSUPPORT && strstr(endpoint, "://"))
        hint_transport(endpoint);
    else
        hint_syntax(endpoint, bind);
}

/* What the library says about TLS is better than the number. */
static bool explain_tls(void *socket, const char *endpoint, const char *what)
{
    char reason[CLI_TLS_REASON_SIZE];
    if (!cli_tls_is_used(endpoint) || !cli_tls_reason(socket, reason))
        return false;
    cli_error("cannot %s %s: %s", what, endpoint, reason);
    cli_tls_hint(reason);
    return true;
}

int cli_endpoint_error(void *socket, const char *endpoint, bool bind, int error)
{
    const char *what = bind ? "bind" : "connect to";
    const struct explanation *row = find(error);
    if (!explain_tls(socket, endpoint, what)) {
        cli_error("cannot %s %s: %s", what, endpoint, zmq_strerror(error));
        if (row)
            hint(row, endpoint, bind);
    }
    return row ? row->exit_code : CLI_FAILURE;
}
