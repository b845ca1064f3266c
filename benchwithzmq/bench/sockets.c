/* SPDX-License-Identifier: MPL-2.0 */

/* Sockets of the library under test. */
#define _GNU_SOURCE
#include "sockets.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "peers.h"
#include "tls_files.h"
#include "tls_options.h"
#include "zapi.h"

static const char *const old_transports[] = {"tcp", "ipc", "inproc"};

_Noreturn void socket_failed(const char *what)
{
    int error = z.get_errno();
    bool unsupported = error == EPROTONOSUPPORT || error == ENOTSUP;
    fatal(unsupported ? EXIT_UNSUPPORTED : EXIT_FAILED, "%s: %s", what, z.strerror(error));
}

void socket_set_int(void *socket, int option, int value)
{
    if (z.setsockopt(socket, option, &value, sizeof value) == 0)
        return;
    if (z.get_errno() == EINVAL)
        fatal(EXIT_UNSUPPORTED, "socket option %d=%d is not accepted", option, value);
    socket_failed("zmq_setsockopt");
}

void socket_set_text(void *socket, int option, const char *text)
{
    if (z.setsockopt(socket, option, text, strlen(text)) != 0)
        socket_failed("zmq_setsockopt");
}

static void set_tls_text(void *socket, int option, const char *text)
{
    if (z.setsockopt(socket, option, text, strlen(text)) == 0)
        return;
    if (z.get_errno() == EINVAL)
        fatal(EXIT_UNSUPPORTED, "the library has no TLS option %d", option);
    socket_failed("a TLS option");
}

static void set_tls(void *socket, bool binds, const struct tls_files *files)
{
    if (binds) {
        set_tls_text(socket, TLS_OPTION_CERTIFICATE, files->certificate);
        set_tls_text(socket, TLS_OPTION_KEY, files->key);
    } else {
        set_tls_text(socket, TLS_OPTION_CA, files->certificate);
    }
}

static void set_asked(void *socket, const struct config *config, struct shared *shared)
{
    for (int i = 0; i < config->sockopt_count; i++) {
        const struct sockopt *option = &config->sockopts[i];
        if (!option->optional)
            socket_set_int(socket, option->id, option->value);
        else if (z.setsockopt(socket, option->id, &option->value, sizeof option->value) != 0)
            atomic_fetch_or(&shared->options_refused, 1u << i);
    }
}

void *socket_open(void *context, int type, bool binds, const struct config *config,
                  struct shared *shared)
{
    void *socket = z.socket(context, type);
    if (socket == NULL)
        socket_failed("zmq_socket");
    if (config->hwm > 0) {
        socket_set_int(socket, ZMQ_SNDHWM, config->hwm);
        socket_set_int(socket, ZMQ_RCVHWM, config->hwm);
    }
    set_asked(socket, config, shared);
    if (config->tls != NULL)
        set_tls(socket, binds, config->tls);
    return socket;
}

/* An abstract Unix address leaves no file behind, however the run ends. */
static void wildcard_endpoint(const struct config *config, const void *unique, char *endpoint)
{
    if (strcmp(config->transport, "inproc") == 0)
        snprintf(endpoint, ENDPOINT_SIZE, "inproc://zbench-%p", unique);
    else if (strcmp(config->transport, "ipc") == 0)
        snprintf(endpoint, ENDPOINT_SIZE, "ipc://@zbench-%d-%p", (int)getpid(), unique);
    else
        snprintf(endpoint, ENDPOINT_SIZE, "%s://127.0.0.1:*", config->transport);
}

/* Some libraries answer EINVAL to a scheme that they do not know. */
_Noreturn static void endpoint_failed(const char *what, const struct config *config)
{
    bool old = false;
    for (size_t i = 0; i < sizeof old_transports / sizeof *old_transports; i++)
        old |= strcmp(config->transport, old_transports[i]) == 0;
    if (!old && z.get_errno() == EINVAL)
        fatal(EXIT_UNSUPPORTED, "%s: the library does not know %s", what, config->transport);
    socket_failed(what);
}

void socket_bind(void *socket, struct group *group, int link, const struct config *config)
{
    char *endpoint = group->endpoint[link];
    size_t size = ENDPOINT_SIZE;

    wildcard_endpoint(config, endpoint, endpoint);
    if (z.bind(socket, endpoint) != 0)
        endpoint_failed("zmq_bind", config);
    if (z.getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &size) != 0)
        socket_failed("zmq_getsockopt(ZMQ_LAST_ENDPOINT)");
    counter_set(&group->bound[link], 1);
}

void socket_connect(void *socket, struct group *group, int link, const struct config *config)
{
    counter_wait(&group->bound[link], 1, -1);
    if (z.connect(socket, group->endpoint[link]) != 0)
        endpoint_failed("zmq_connect", config);
}
