/* SPDX-License-Identifier: MPL-2.0 */
/* What attempts (link.c), setting up (link_setup.c) and loss of a connection share. Everything here is
   called on the link's loop, without the gate unless it says otherwise. */
#ifndef ZL_CORE_LINK_LIFE_H
#define ZL_CORE_LINK_LIFE_H

#include "core/link_base.h"

#include <stdbool.h>
#include <stdint.h>

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

/* A state in which the connection is there, but not ready: TLS, upgrade, handshake. */
bool zl_link_is_being_set_up(const struct zl_link *link);

/* Gate not needed: whole messages wait in its pipe. */
bool zl_link_has_queued_output(struct zl_link *link);

/* All timers but the linger timer: that goes on over lost connections. */
void zl_link_stop_timers(struct zl_link *link);
/* When the link is stopping and may linger for a time, from now on. */
void zl_link_start_linger(struct zl_link *link);

/* The end. The connection is closed already, claims are free. */
void zl_link_die(struct zl_link *link);
/* A dead link: a task or a resolution on its way finds the state DEAD, and comes here again. */
void zl_link_free_when_unused(struct zl_link *link);
/* At once: a link that nobody knows. */
void zl_link_free(void *link);

#endif
