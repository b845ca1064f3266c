/* SPDX-License-Identifier: MPL-2.0 */
/* Forwarding between two sockets: the core of zmq_proxy and zmq_proxy_steerable. */
#ifndef ZL_CORE_PROXY_H
#define ZL_CORE_PROXY_H

struct zl_socket;

/* Forwards whole messages in both directions until an error or TERMINATE. A side is read only while
   the other one takes messages. front and back may be the same socket; capture and control may be
   NULL. No gate held; blocks.
   0 after TERMINATE; -ETERM, -EINTR, or another negative errno of sending, receiving or waiting. */
int zl_proxy(struct zl_socket *front, struct zl_socket *back, struct zl_socket *capture,
             struct zl_socket *control);

#endif
