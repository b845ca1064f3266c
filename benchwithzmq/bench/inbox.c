/* SPDX-License-Identifier: MPL-2.0 */

/* Several channels, one thread: zmq_poll and bursts. */
#include "inbox.h"

#include <stdlib.h>

#include "peers.h"
#include "sockets.h"
#include "zapi.h"

#define BURST 32

void inbox_open(struct inbox *inbox, struct channel *channels, int count)
{
    *inbox = (struct inbox){.channels = channels, .count = count};
    if (count <= 1)
        return;
    inbox->items = calloc((size_t)count, sizeof *inbox->items);
    if (inbox->items == NULL)
        fatal(EXIT_FAILED, "no memory for %d channels", count);
    for (int i = 0; i < count; i++)
        inbox->items[i] = (zmq_pollitem_t){.socket = channels[i].rx, .events = ZMQ_POLLIN};
}

static void begin_turn(struct inbox *inbox, int at)
{
    inbox->at = at;
    inbox->left = BURST;
}

/* TAG_NONE: this channel has had its turn. */
static enum tag continue_turn(struct inbox *inbox)
{
    if (inbox->items[inbox->at].revents == 0 || inbox->left == 0)
        return TAG_NONE;
    inbox->left--;
    return channel_receive(inbox_source(inbox), ZMQ_DONTWAIT);
}

static enum tag receive_from_many(struct inbox *inbox)
{
    for (;;) {
        enum tag tag = continue_turn(inbox);
        if (tag != TAG_NONE)
            return tag;
        begin_turn(inbox, inbox->at + 1);
        if (inbox->at < inbox->count)
            continue;
        begin_turn(inbox, 0);
        if (z.poll(inbox->items, inbox->count, -1) < 0)
            socket_failed("zmq_poll");
    }
}

enum tag inbox_receive(struct inbox *inbox)
{
    if (inbox->count == 1)
        return channel_receive(inbox->channels, 0);
    return receive_from_many(inbox);
}
