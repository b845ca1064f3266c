/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The loads: what each peer does, by mode. Peers are numbered receivers first, then senders (see
 * layout.h). A load begins with a handshake, in which a first message passes on every connection,
 * so that nothing is measured before all peers are connected; nobody waits by sleeping for a while
 * and hoping.
 */
#ifndef ZBENCH_LOAD_H
#define ZBENCH_LOAD_H

#include <stdbool.h>

#include "channel.h"
#include "config.h"
#include "inbox.h"
#include "meter.h"
#include "shared.h"

struct peer {
    const struct config *config;
    struct shared *shared;
    struct group *group;
    struct layout_place place;
    int index;
    bool sender;
    void *context;
    struct channel *channels; /* place.sockets of them; none in the scale modes */
    struct channel *channel;  /* the first, for the loads in which there is only one */
    struct inbox inbox;       /* a receiver's channels, in the loads that go one way */
    int ends;                 /* TAG_END that came before it was expected, on an only channel */
    struct meter meter;
};

/* On return this peer may end at once: every message that was sent has been received or given up.
 */
typedef void load(struct peer *peer);

void load_throughput(struct peer *peer);
void load_duplex(struct peer *peer);
void load_latency(struct peer *peer);
void load_idle(struct peer *peer);
void load_fixed_rate(struct peer *peer);
void load_connections(struct peer *peer);
void load_churn(struct peer *peer);
void load_poll(struct peer *peer);

/* Shared by the loads. */

/* Sends `tag` on each channel until the counter is at least target: once, and if the pattern may
 * lose it again and again, at growing intervals. */
void load_announce(struct peer *peer, enum tag tag, _Atomic uint32_t *counter, uint32_t target);

/* The senders' farewell to the receivers of their group. */
void load_say_end(struct peer *peer);

/* Receives, answering where the pattern demands it, until each sender has sent `tag` on each
 * channel of the inbox (of a lossy one: at least once). */
void load_expect(struct peer *peer, enum tag tag);

/* The handshake of one-way loads. Afterwards the phase is WARM and the meter runs; peer 0 is its
 * judge. */
void load_connect_sender(struct peer *peer);
void load_connect_receiver(struct peer *peer);

void load_start_meter(struct peer *peer, bool judge);

#endif
