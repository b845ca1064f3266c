/* SPDX-License-Identifier: MPL-2.0 */

/*
 * zmq_poll over many connected sockets of which one has messages: a ROUTER floods the last DEALER,
 * whose owner waits for all of them and receives one message per call. A sample is the time of
 * zmq_poll and zmq_recv together, so the median tells what they cost while messages are waiting.
 */
#include <stdlib.h>

#include "crowd.h"
#include "peers.h"
#include "samples.h"
#include "sockets.h"
#include "zapi.h"

static zmq_pollitem_t *make_items(const struct crowd *crowd)
{
    zmq_pollitem_t *items = calloc((size_t)crowd->count, sizeof *items);
    if (items == NULL)
        fatal(EXIT_FAILED, "no memory for %d poll items", crowd->count);
    for (int i = 0; i < crowd->count; i++)
        items[i] = (zmq_pollitem_t){.socket = crowd->channels[i].rx, .events = ZMQ_POLLIN};
    return items;
}

static void poll_and_receive(zmq_pollitem_t *items, int count, struct channel *active)
{
    if (z.poll(items, count, -1) < 0)
        socket_failed("zmq_poll");
    if (items[count - 1].revents & ZMQ_POLLIN)
        channel_receive(active, ZMQ_DONTWAIT);
}

static void measure(struct peer *peer, struct crowd *crowd)
{
    zmq_pollitem_t *items = make_items(crowd);
    struct channel *active = &crowd->channels[crowd->count - 1];
    struct samples samples;

    samples_init(&samples);
    do {
        uint64_t start = now_ns();
        poll_and_receive(items, crowd->count, active);
        if (peer->meter.phase == PHASE_MEASURE && !samples_add(&samples, now_ns() - start))
            meter_advance(&peer->meter, PHASE_DRAIN);
    } while (peer->meter.phase < PHASE_DRAIN && meter_tick(&peer->meter));
    samples_finish(&samples, &peer->shared->latency);
    free(items);
}

/* What is still on its way at the end of the window is read up to the last message. */
static void drain(struct channel *active)
{
    while (channel_receive(active, 0) != TAG_END)
        ;
}

static void be_poller(struct peer *peer)
{
    struct crowd crowd;

    crowd_init(&crowd, peer->place.sockets);
    crowd_join(&crowd, peer->place.sockets, peer);
    if (crowd.failures > 0)
        fatal(EXIT_FAILED, "%d of %d connections got no answer", crowd.failures, crowd.count);
    counter_set(&peer->shared->phase, PHASE_WARM);
    load_start_meter(peer, true);
    channel_send(crowd_last(&crowd), TAG_END, 0); /* the ROUTER answers to where this came from */
    measure(peer, &crowd);
    drain(crowd_last(&crowd));
    counter_add(&peer->group->done);
}

static void flood(struct peer *peer)
{
    struct channel router;

    crowd_open_router(&router, peer);
    socket_set_int(router.tx, ZMQ_ROUTER_MANDATORY, 1); /* waits for room instead of dropping */
    crowd_answer(&router, 1);
    load_start_meter(peer, false);
    while (meter_tick(&peer->meter))
        channel_send(&router, TAG_DATA, 0);
    channel_send(&router, TAG_END, 0);
    counter_wait(&peer->group->done, 1, -1);
}

void load_poll(struct peer *peer)
{
    if (peer->sender)
        flood(peer);
    else
        be_poller(peer);
}
