/* SPDX-License-Identifier: MPL-2.0 */

/* Throughput: senders send as fast as the library lets them, receivers count. */
#include "load.h"

#include <stdlib.h>

#include "peers.h"
#include "zapi.h"

/* Long enough that an EAGAIN now and then costs nothing, short enough that both directions keep
 * moving. */
#define DUPLEX_BURST 32

/* Several channels take turns. */
static void flood(struct peer *peer)
{
    struct channel *channel = peer->channels, *end = channel + peer->place.sockets;

    while (meter_tick(&peer->meter)) {
        channel_send(channel, TAG_DATA, 0);
        if (++channel == end)
            channel = peer->channels;
    }
}

static void flood_lockstep(struct peer *peer)
{
    channel_receive(peer->channel, 0); /* the answer to the greeting */
    while (meter_tick(&peer->meter)) {
        channel_send(peer->channel, TAG_DATA, 0);
        channel_receive(peer->channel, 0);
    }
}

/* A sender says its farewell once the window is over, and nothing may come after it: who is not the
 * judge of the window has to look by itself then. True: go on. */
static bool count_one(struct peer *peer, enum tag tag)
{
    if (tag != TAG_END)
        return meter_tick(&peer->meter);
    if (peer->inbox.count == 1)
        peer->ends++;
    return meter_look(&peer->meter);
}

static void count(struct peer *peer)
{
    while (count_one(peer, inbox_receive(&peer->inbox)))
        ;
}

static void count_lockstep(struct peer *peer)
{
    enum tag tag;

    channel_send(peer->channel, TAG_DATA, 0);
    do {
        tag = channel_receive(peer->channel, 0);
        if (tag != TAG_END)
            channel_send(peer->channel, TAG_DATA, 0);
    } while (count_one(peer, tag));
}

static void send_all(struct peer *peer, bool lockstep)
{
    load_connect_sender(peer);
    if (lockstep)
        flood_lockstep(peer);
    else
        flood(peer);
    load_say_end(peer);
}

/* From now on the last subscriber's socket stays unread. False: this peer has no other. */
static bool leave_slow_one(struct peer *peer)
{
    if (!peer->config->slow || !peer->place.last)
        return true;
    free(peer->inbox.items);
    inbox_open(&peer->inbox, peer->channels, peer->place.sockets - 1);
    return peer->place.sockets > 1;
}

static void receive_all(struct peer *peer, bool lockstep)
{
    load_connect_receiver(peer);
    if (!leave_slow_one(peer)) {
        counter_wait(&peer->shared->phase, PHASE_DRAIN, -1);
    } else {
        if (lockstep)
            count_lockstep(peer);
        else
            count(peer);
        load_expect(peer, TAG_END);
    }
    counter_add(&peer->group->done);
}

void load_throughput(struct peer *peer)
{
    bool lockstep = (peer->config->pattern->flags & PATTERN_LOCKSTEP) != 0;
    if (peer->sender)
        send_all(peer, lockstep);
    else
        receive_all(peer, lockstep);
}

static void wait_either(struct peer *peer, bool wants_to_send)
{
    zmq_pollitem_t item = {
        .socket = peer->channel->tx,
        .events = (short)(ZMQ_POLLIN | (wants_to_send ? ZMQ_POLLOUT : 0)),
    };
    if (z.poll(&item, 1, -1) < 0)
        fatal(EXIT_FAILED, "zmq_poll: %s", z.strerror(z.get_errno()));
}

/* Once the other end has ended no tick may come any more, so this one must look by itself. */
static bool duplex_goes_on(struct peer *peer, enum tag tag)
{
    if (tag == TAG_END)
        return meter_look(&peer->meter);
    return meter_tick(&peer->meter);
}

/* Both ends: bursts in turn, waiting only when neither direction moves; the one thread must never
 * block in a send. */
static void duplex_flood(struct peer *peer)
{
    enum tag outgoing = TAG_DATA, incoming = TAG_DATA;
    bool ended = false;

    while (!ended || incoming != TAG_END) {
        int sent = 0, received = 0;
        while (!ended && sent < DUPLEX_BURST &&
               channel_send(peer->channel, outgoing, ZMQ_DONTWAIT)) {
            ended = outgoing == TAG_END;
            sent++;
        }
        while (incoming != TAG_END && received < DUPLEX_BURST) {
            enum tag tag = channel_receive(peer->channel, ZMQ_DONTWAIT);
            if (tag == TAG_NONE)
                break;
            incoming = tag;
            received++;
            if (outgoing == TAG_DATA && !duplex_goes_on(peer, tag))
                outgoing = TAG_END;
        }
        if (sent + received == 0)
            wait_either(peer, !ended);
    }
}

void load_duplex(struct peer *peer)
{
    if (peer->sender)
        load_connect_sender(peer);
    else
        load_connect_receiver(peer);
    duplex_flood(peer);
    counter_add(&peer->group->done);
    /* The last bytes out are still the library's to write. */
    counter_wait(&peer->group->done, 2, -1);
}
