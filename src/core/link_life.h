/* SPDX-License-Identifier: MPL-2.0 */
/* What the two halves of a link's life have to know of each other: link.c (attempts, retries, loss,
   the end) and link_setup.c (from an established connection to a ready link). Everything here is
   called on the link's loop, without the gate unless it says otherwise. */
#ifndef ZL_CORE_LINK_LIFE_H
#define ZL_CORE_LINK_LIFE_H

#include "core/link_base.h"

#include <stdbool.h>
#include <stdint.h>

/* ---- link.c ------------------------------------------------------------------------------------ */

void zl_link_monitor(struct zl_link *link, uint64_t event, uint64_t value);

/* Errors of a peer that will not do better the next time. */
bool zl_link_is_protocol_error(int error);

/* The loop watches the descriptor, until the pollset does: begins (0 or a negative errno), changes the
   events, ends. The last two are harmless when nothing changes. */
int zl_link_watch(struct zl_link *link, uint32_t events);
void zl_link_watch_for(struct zl_link *link, uint32_t events);
void zl_link_unwatch(struct zl_link *link);

/* 0 or -ENOMEM. Any thread. */
int zl_link_make_pipe(struct zl_link *link);

/* The connection was at least established: says so to the monitor and closes it. */
void zl_link_disconnect(struct zl_link *link, bool tell);

/* The link is about to end for good: before the monitor tells, so that whoever hears of it may connect
   to the same endpoint again. */
void zl_link_forget_endpoint(struct zl_link *link);

/* What follows a failed attempt or a lost connection: another attempt, or the end. */
void zl_link_go_on(struct zl_link *link, bool may_retry);

/* ---- link_setup.c ------------------------------------------------------------------------------ */

/* The transport connection is there; setting it up begins. */
void zl_link_established(struct zl_link *link);
void zl_link_on_setup_events(struct zl_link *link, uint32_t events);
void zl_link_setup_timed_out(struct zl_link *link);

/* Gate held, read claim free. A message of the library's own in the peer's input: it keeps its place
   among the peer's messages. */
void zl_link_inject(struct zl_link *link, const uint8_t *data, uint8_t size);

/* Says goodbye where the framing has a way, on a connection whose output is at the end of a message
   (`clean`). error: why it ends, 0 or a negative errno. */
void zl_link_say_goodbye(struct zl_link *link, bool clean, int error);

#endif
