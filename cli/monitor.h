/* SPDX-License-Identifier: MPL-2.0 */
/* The monitor of a session's socket: counts peers, and prints events for --verbose. */
#ifndef ZLINK_CLI_MONITOR_H
#define ZLINK_CLI_MONITOR_H

#include "tls.h"

#include <stdbool.h>

/* Connections as the monitor reports them. */
struct cli_peers {
    unsigned attached; /* CONNECTED and ACCEPTED minus DISCONNECTED */
    unsigned greeted;  /* HANDSHAKE_SUCCEEDED minus DISCONNECTED */
};

struct cli_monitor {
    void *socket;         /* gives the events; NULL if nobody needs them */
    void *watched;        /* the socket that they are about */
    const char *endpoint; /* to name when TLS fails */
    bool verbose;         /* print every event */
    struct cli_peers peers;
    char tls_reason[CLI_TLS_REASON_SIZE]; /* the last failure that the user was told, or "" */
};

/* Starts monitoring `watched`. 0, or -1 with the library's errno. `endpoint` must outlive the monitor.
 * The fields that are not arguments keep what they have. */
int cli_monitor_open(struct cli_monitor *monitor, void *context, void *watched,
                     const char *endpoint, bool verbose);

/* Takes in all events that are there: updates the peers, prints with --verbose, says why TLS failed. */
void cli_monitor_drain(struct cli_monitor *monitor);

/* Stops monitoring; does nothing if there is no monitor. */
void cli_monitor_close(struct cli_monitor *monitor);

#endif
