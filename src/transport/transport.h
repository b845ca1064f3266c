/* SPDX-License-Identifier: MPL-2.0 */
/* The transport interface: how listeners and connections of a scheme come to be. What flows over
   them is the business of stream, framing and mechanism.

   A transport is one const table and has no state of its own. All calls are non-blocking except
   `resolve` with may_block and `listen`. */
#ifndef ZL_TRANSPORT_TRANSPORT_H
#define ZL_TRANSPORT_TRANSPORT_H

#include "transport/ip_address.h"
#include "transport/ipc_address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zl_options;

#define ZL_ADDRESS_TEXT_SIZE 256

/* Where a connection goes, resolved. */
struct zl_target {
    bool has_source;
    struct zl_ip_address source;
    union {
        struct zl_ip_address ip;
        struct zl_ipc_address ipc;
    } to;
};

/* An open listener. */
struct zl_listen {
    int fd;
    bool foreign_fd;                     /* USE_FD: nothing is removed afterwards */
    char endpoint[ZL_ADDRESS_TEXT_SIZE]; /* LAST_ENDPOINT, scheme included */
    struct zl_ipc_address ipc;           /* ipc: what to remove */
    char temporary[ZL_IPC_TEXT_SIZE];    /* ipc wildcard: its directory, else "" */
};

/* What is put over a connection before ZMTP. */
enum {
    ZL_LAYER_TLS = 1,
    ZL_LAYER_WEBSOCKET = 2, /* with an HTTP upgrade, and ZWS instead of ZMTP framing */
};

struct zl_transport_ops {
    const char *scheme;

    /* A scheme that layers something over the connections of another transport names that one, and
       has no operations of its own: it is used through zl_transport_* below. */
    const struct zl_transport_ops *carrier;
    unsigned layers;

    /* The synchronous part of zmq_connect's checks. [caller] 0 or a negative errno. */
    int (*check)(const char *address);

    /* Opens a listener. [caller] 0 or a negative errno, then nothing is left. */
    int (*listen)(struct zl_listen *listener, const char *address,
                  const struct zl_options *options);
    /* Closes the descriptor and removes what has to go. 0 or the errno of a failed removal. */
    int (*unlisten)(struct zl_listen *listener);

    /* The listener's endpoint in the form in which `address` (text of an unbind) has to be compared
       with it. True when they name the same. */
    bool (*same)(const char *bound_endpoint, const char *address, const struct zl_options *options);

    /* 0, -EAGAIN (a name, and may_block is false: ask again on the resolver thread), or another
       negative errno. */
    int (*resolve)(const char *address, const struct zl_options *options, bool may_block,
                   struct zl_target *target);

    /* Begins to connect. 0: connected, -EINPROGRESS: *fd becomes writable when it is decided;
       another negative errno: failed, no descriptor. */
    int (*connect)(const struct zl_target *target, const struct zl_options *options, int *fd);

    /* Sets up an established connection. accepted: applies the accept filters too (-EACCES). */
    int (*tune)(int fd, const struct zl_options *options, bool accepted);

    /* Names of both ends for the monitor, scheme included; "" where there is none. */
    void (*names)(int fd, char *local, char *remote, size_t capacity);
    /* Peer-Address for metadata and ZAP. False when there is none. */
    bool (*peer_address)(int fd, char *text, size_t capacity);
};

extern const struct zl_transport_ops zl_tcp_ops;
extern const struct zl_transport_ops zl_ipc_ops;
extern const struct zl_transport_ops zl_tls_ops;
extern const struct zl_transport_ops zl_ws_ops;
extern const struct zl_transport_ops zl_wss_ops;

/* ---- For any transport, layered or not. Contracts as of the operations above. ------------------ */

static inline const struct zl_transport_ops *
zl_transport_carrier(const struct zl_transport_ops *transport)
{
    return transport->carrier ? transport->carrier : transport;
}

int zl_transport_check(const struct zl_transport_ops *transport, const char *address);
int zl_transport_listen(const struct zl_transport_ops *transport, struct zl_listen *listener,
                        const char *address, const struct zl_options *options);
bool zl_transport_same(const struct zl_transport_ops *transport, const char *bound_endpoint,
                       const char *address, const struct zl_options *options);
int zl_transport_resolve(const struct zl_transport_ops *transport, const char *address,
                         const struct zl_options *options, bool may_block,
                         struct zl_target *target);
void zl_transport_names(const struct zl_transport_ops *transport, int fd, char *local, char *remote,
                        size_t capacity);

/* The path of a WebSocket address ("host:port/path"), "/" when it has none. */
const char *zl_transport_path(const struct zl_transport_ops *transport, const char *address);

/* Host (as written, IPv6 in brackets) and port of an address to connect to. 0 or -EINVAL. */
int zl_transport_host(const struct zl_transport_ops *transport, const char *address,
                      char host[ZL_ADDRESS_TEXT_SIZE], uint16_t *port);

#endif
