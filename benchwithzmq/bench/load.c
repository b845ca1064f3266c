/* SPDX-License-Identifier: MPL-2.0 */

/* Handshake and farewell of the loads. */
#include "load.h"

#include <stdlib.h>

#include "peers.h"

#define REPEAT_FIRST_MS 1
#define REPEAT_MOST_MS 128 /* repeating must leave time for connecting, also of hundreds of peers */

static void send_on_all(struct peer *peer, enum tag tag)
{
    for (int i = 0; i < peer->place.sockets; i++)
        channel_send(&peer->channels[i], tag, 0);
}

void load_announce(struct peer *peer, enum tag tag, _Atomic uint32_t *counter, uint32_t target)
{
    bool lossy = (peer->config->pattern->flags & PATTERN_LOSSY) != 0;
    int repeat_ms = lossy ? REPEAT_FIRST_MS : -1;

    send_on_all(peer, tag);
    while (!counter_wait(counter, target, repeat_ms)) {
        send_on_all(peer, tag);
        if (repeat_ms < REPEAT_MOST_MS)
            repeat_ms *= 2;
    }
}

void load_say_end(struct peer *peer)
{
    load_announce(peer, TAG_END, &peer->group->done,
                  (uint32_t)peer->config->layout.receive.processes);
}

/* True: the message was one of those that are missing. What is repeated counts once. */
static bool note_tag(int *missing_here)
{
    if (*missing_here == 0)
        return false;
    --*missing_here;
    return true;
}

void load_expect(struct peer *peer, enum tag tag)
{
    struct inbox *inbox = &peer->inbox;
    int senders = peer->config->layout.send.sockets - (tag == TAG_END ? peer->ends : 0);
    bool lockstep = (peer->config->pattern->flags & PATTERN_LOCKSTEP) != 0;
    int *missing_on = calloc((size_t)inbox->count, sizeof *missing_on);

    if (missing_on == NULL)
        fatal(EXIT_FAILED, "no memory for %d channels", inbox->count);
    for (int i = 0; i < inbox->count; i++)
        missing_on[i] = senders;
    for (int missing = senders * inbox->count; missing > 0;) {
        enum tag received = inbox_receive(inbox);
        if (received == tag && note_tag(&missing_on[inbox->at]))
            missing--;
        if (missing > 0 && lockstep)
            channel_send(inbox_source(inbox), TAG_DATA, 0);
    }
    free(missing_on);
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
    uint32_t receivers = (uint32_t)layout_receivers(&peer->config->layout);

    load_expect(peer, TAG_HELLO);
    if (counter_add(&peer->shared->ready) == receivers)
        counter_set(&peer->shared->phase, PHASE_WARM);
    counter_wait(&peer->shared->phase, PHASE_WARM, -1);
    load_start_meter(peer, peer->index == 0);
}
