/* SPDX-License-Identifier: MPL-2.0 */
/* Finding the peers that a sender waits for or sends to. */
#ifndef ZLINK_CLI_PEERS_H
#define ZLINK_CLI_PEERS_H

#include "session.h"

/*
 * Waits for `count` peers, for a publisher: for `count` subscribers. 0 or a negative errno,
 * -EAGAIN at the deadline.
 */
int cli_peers_wait(struct cli_session *session, unsigned count, int64_t deadline);

/* Reads and drops the subscriptions that came in since; for XPUB sockets. */
void cli_peers_drain(struct cli_session *session);

/*
 * Fills in session->stream_id: the connection just made, or the first one that comes in. 0 or a
 * negative errno.
 */
int cli_peers_find_stream(struct cli_session *session, int64_t deadline);

#endif
