/* SPDX-License-Identifier: MPL-2.0 */
/* Socket monitoring (spec/monitor.md): events of connections, sent as messages on an internal inproc
   socket. No gate may be held: sending takes the gate of the internal socket. */
#ifndef ZL_CORE_MONITOR_H
#define ZL_CORE_MONITOR_H

#include <stdint.h>

struct zl_socket;

/* zmq_socket_monitor_versioned. address NULL stops. 0 or a negative errno. */
int zl_monitor_start(struct zl_socket *socket, const char *address, uint64_t events, int version,
                     int type);

/* Emits MONITOR_STOPPED and closes the internal socket. Idempotent. */
void zl_monitor_stop(struct zl_socket *socket);

/* One event. local and remote may be NULL. `bound` tells which one version 1 shows. */
void zl_monitor_emit(struct zl_socket *socket, uint64_t event, uint64_t value, const char *local,
                     const char *remote, int bound);

/* zmq_socket_monitor_pipes_stats. 0 or a negative errno. */
int zl_monitor_pipes_stats(struct zl_socket *socket);

#endif
