/* SPDX-License-Identifier: MPL-2.0 */
/* Socket monitoring: events of connections, sent as messages on an internal inproc socket. Here is what
   emits them; starting a monitor is in core/monitor_control.h, above the sockets. No gate may be held:
   sending takes the gate of the internal socket. */
#ifndef ZL_CORE_MONITOR_H
#define ZL_CORE_MONITOR_H

#include <stdbool.h>
#include <stdint.h>

struct zl_monitor;
struct zl_socket;

enum { ZL_REPORT_VALUES_MAX = 2 };

/* What an event tells. */
struct zl_report {
    uint64_t event;
    uint64_t values[ZL_REPORT_VALUES_MAX];
    int value_count;
    const char *local;
    const char *remote;
    bool bound;
};

/* One event. local and remote may be NULL. `bound` tells which one version 1 shows. */
void zl_monitor_emit(struct zl_socket *socket, uint64_t event, uint64_t value, const char *local,
                     const char *remote, int bound);
/* The same, with all there is to say. */
void zl_monitor_report(struct zl_socket *socket, const struct zl_report *report);

/* Whether the socket has a monitor that was started for that event. */
bool zl_monitor_wants(struct zl_socket *socket, uint64_t event);

/* Plain memory, to be freed, until it takes a socket over. NULL when out of memory. */
struct zl_monitor *zl_monitor_new(uint64_t events, int version);

/* Makes `socket`, new and unbound, the monitor's own: from now on the socket owns the monitor. */
void zl_monitor_take_over(struct zl_monitor *monitor, struct zl_socket *socket);

/* Puts a monitor (NULL: none) in the place of the one that there is, which emits MONITOR_STOPPED.
   Returns the older one's socket, for the caller to close, or NULL. */
struct zl_socket *zl_monitor_replace(struct zl_socket *socket, struct zl_monitor *monitor);

#endif
