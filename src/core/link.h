/* SPDX-License-Identifier: MPL-2.0 */
/* How a link (core/link_base.h) comes and goes: attempts, loss, reconnection, the end. Runs on the
   socket's loop, except where it says otherwise. */
#ifndef ZL_CORE_LINK_H
#define ZL_CORE_LINK_H

#include "core/link_base.h"

/* A link that connects to uri, with its pipe, unless IMMEDIATE. Nothing happens before
   zl_link_begin_locked. Takes a reference to the socket. Gate not held. 0 or -ENOMEM. */
int zl_link_connect(struct zl_socket *socket, const struct zl_transport_ops *transport,
                    const char *uri, const struct zl_options *options, struct zl_link **out);
/* Instead of beginning. */
void zl_link_free_unused(struct zl_link *link);
/* Gate held: joins the socket and begins to connect. */
void zl_link_begin_locked(struct zl_link *link);

/* A link of no connection yet, and unknown to the socket, to which it takes a reference. For listeners:
   they say the rest, and set it up. Gate not held. NULL when out of memory. */
struct zl_link *zl_link_new(struct zl_socket *socket, const struct zl_transport_ops *transport,
                            const char *uri, const struct zl_options *options);

/* Gate held, any thread: the link ends as soon as its queue is empty or linger ms have passed. */
void zl_link_stop_locked(struct zl_link *link, int linger);

#endif
