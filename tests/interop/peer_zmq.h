/* SPDX-License-Identifier: MPL-2.0 */
/* The zmq.h functions that the peer program uses, taken from a library named at run time. */
#ifndef INTEROP_PEER_ZMQ_H
#define INTEROP_PEER_ZMQ_H

#include <stdbool.h>

#include <zmq.h>

/* The types come from zmq.h, so every library is held to one and the same interface. */
#define PEER_ZMQ_FUNCTIONS(F)                                                                      \
    F(zmq_bind)                                                                                    \
    F(zmq_close)                                                                                   \
    F(zmq_connect)                                                                                 \
    F(zmq_ctx_new)                                                                                 \
    F(zmq_ctx_shutdown)                                                                            \
    F(zmq_ctx_term)                                                                                \
    F(zmq_disconnect)                                                                              \
    F(zmq_errno)                                                                                   \
    F(zmq_getsockopt)                                                                              \
    F(zmq_msg_close)                                                                               \
    F(zmq_msg_data)                                                                                \
    F(zmq_msg_init)                                                                                \
    F(zmq_msg_init_data)                                                                           \
    F(zmq_msg_init_size)                                                                           \
    F(zmq_msg_recv)                                                                                \
    F(zmq_msg_send)                                                                                \
    F(zmq_msg_size)                                                                                \
    F(zmq_poll)                                                                                    \
    F(zmq_proxy)                                                                                   \
    F(zmq_recv)                                                                                    \
    F(zmq_send)                                                                                    \
    F(zmq_setsockopt)                                                                              \
    F(zmq_socket)                                                                                  \
    F(zmq_socket_monitor)                                                                          \
    F(zmq_strerror)                                                                                \
    F(zmq_unbind)                                                                                  \
    F(zmq_version)

#define PEER_ZMQ_MEMBER(name) __typeof__(name) *name;

struct peer_zmq {
    PEER_ZMQ_FUNCTIONS(PEER_ZMQ_MEMBER)
};

/* Opens the library at `path` (which must contain a slash, so that no search path has a say) for
 * this caller only and fills the table. Prints the reason to stderr when it cannot. */
bool peer_zmq_load(struct peer_zmq *table, const char *path);

#endif
