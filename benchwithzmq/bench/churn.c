/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Connections that come and go: a DEALER is opened, connects, sends one message, gets its answer
 * and is closed, again and again, one at a time. A sample is the time of one such cycle.
 */

#include "crowd.h"
#include "peers.h"
#include "samples.h"
#include "sockets.h"

#define ANSWER_TIMEOUT_MS 10000

static void serve(struct peer *peer)
{
    struct channel router;
    enum tag tag;

    crowd_open_router(&router, peer);
    channel_send(&router, channel_receive(&router, 0), 0);
    counter_wait(&peer->shared->phase, PHASE_WARM, -1);
    load_start_meter(peer, false);
    while ((tag = channel_receive(&router, 0)) != TAG_END) {
        channel_send(&router, tag, 0);
        peer->meter.ticks++;
        meter_look(&peer->meter); /* each time: cycles are few */
    }
    meter_look(&peer->meter);
    counter_add(&peer->group->done);
}

static void open_client(struct channel *channel, struct peer *peer)
{
    void *socket = socket_open(peer->context, ZMQ_DEALER, false, peer->config, peer->shared);
    socket_set_int(socket, ZMQ_RCVTIMEO, ANSWER_TIMEOUT_MS);
    socket_set_int(socket, ZMQ_LINGER, 0);
    socket_connect(socket, peer->group, 0, peer->config);
    channel_wrap(channel, socket, false, peer->config);
}

static void cycle(struct peer *peer)
{
    struct channel channel;

    open_client(&channel, peer);
    channel_send(&channel, TAG_DATA, 0);
    if (channel_receive(&channel, 0) == TAG_NONE)
        fatal(EXIT_FAILED, "a connection got no answer within %d ms", ANSWER_TIMEOUT_MS);
    channel_close(&channel);
}

static void say_end(struct peer *peer)
{
    struct channel channel;

    open_client(&channel, peer);
    channel_send(&channel, TAG_END, 0);
    counter_wait(&peer->group->done, 1, -1);
}

static void come_and_go(struct peer *peer)
{
    struct samples samples;

    samples_init(&samples);
    cycle(peer);
    counter_set(&peer->shared->phase, PHASE_WARM);
    load_start_meter(peer, true);
    do {
        uint64_t start = now_ns();
        cycle(peer);
        if (peer->meter.phase == PHASE_MEASURE && !samples_add(&samples, now_ns() - start))
            meter_advance(&peer->meter, PHASE_DRAIN);
    } while (peer->meter.phase < PHASE_DRAIN && meter_tick(&peer->meter));
    say_end(peer);
    samples_finish(&samples, &peer->shared->latency);
}

void load_churn(struct peer *peer)
{
    if (peer->sender)
        come_and_go(peer);
    else
        serve(peer);
}
