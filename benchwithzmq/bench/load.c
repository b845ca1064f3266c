/* SPDX-License-Identifier: MPL-2.0 */

/* Handshake and farewell of the loads. */
#include "load.h"

#define REPEAT_MS 1

void load_announce(struct peer *peer, enum tag tag, _Atomic uint32_t *counter, uint32_t target)
{
    bool lossy = (peer->config->pattern->flags & PATTERN_LOSSY) != 0;
    do
        channel_send(&peer->channel, tag, 0);
    while (!counter_wait(counter, target, lossy ? REPEAT_MS : -1));
}

void load_expect(struct peer *peer, enum tag tag)
{
    const struct pattern *pattern = peer->config->pattern;
    for (int missing = pattern->senders; missing > 0;) {
        if (channel_receive(&peer->channel, 0) == tag)
            missing--;
        if (missing > 0 && pattern->flags & PATTERN_LOCKSTEP)
            channel_send(&peer->channel, TAG_DATA, 0);
    }
}

void load_start_meter(struct peer *peer, bool judge)
{
    struct meter_setup setup = {
        .shared = peer->shared,
        .index = peer->index,
        .judge = judge,
        .thread_only = config_uses_threads(peer->config),
        .warmup_seconds = peer->config->warmup_seconds,
        .window_seconds = peer->config->window_seconds,
    };
    meter_start(&peer->meter, &setup);
}

void load_connect_sender(struct peer *peer)
{
    load_announce(peer, TAG_HELLO, &peer->shared->phase, PHASE_WARM);
    load_start_meter(peer, false);
}

void load_connect_receiver(struct peer *peer)
{
    uint32_t receivers = (uint32_t)peer->config->pattern->receivers;

    load_expect(peer, TAG_HELLO);
    if (counter_add(&peer->shared->ready) == receivers)
        counter_set(&peer->shared->phase, PHASE_WARM);
    counter_wait(&peer->shared->phase, PHASE_WARM, -1);
    load_start_meter(peer, peer->index == 0);
}
