/* SPDX-License-Identifier: MPL-2.0 */
/* Starting monitors of sockets, and asking for the statistics of their pipes: what is behind
   zmq_socket_monitor*. Stopping is in core/socket.h, as the end of a socket is one. No gate is held. */
#ifndef ZL_CORE_MONITOR_CONTROL_H
#define ZL_CORE_MONITOR_CONTROL_H

#include <stdint.h>

struct zl_socket;

/* zmq_socket_monitor_versioned. address NULL stops. 0 or a negative errno. */
int zl_monitor_start(struct zl_socket *socket, const char *address, uint64_t events, int version,
                     int type);

/* zmq_socket_monitor_pipes_stats. 0 or a negative errno. */
int zl_monitor_pipes_stats(struct zl_socket *socket);

#endif
