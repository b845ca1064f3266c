/* SPDX-License-Identifier: MPL-2.0 */
/* The session's socket monitor: counts peers, and prints events for --verbose. */
#ifndef ZLINK_CLI_MONITOR_H
#define ZLINK_CLI_MONITOR_H

struct cli_session;

/* Starts monitoring session->socket. 0, or -1 with the library's errno. */
int cli_monitor_open(struct cli_session *session);

/* Takes in all events that are there: updates session->peers, prints with --verbose,
 * says why TLS failed. */
void cli_monitor_drain(struct cli_session *session);

/* Stops monitoring; does nothing if there is no monitor. */
void cli_monitor_close(struct cli_session *session);

#endif
