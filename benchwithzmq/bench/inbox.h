/* SPDX-License-Identifier: MPL-2.0 */

/* Receiving from one channel or from whichever of several has something. */
#ifndef ZBENCH_INBOX_H
#define ZBENCH_INBOX_H

#include "channel.h"

struct inbox {
    struct channel *channels;
    int count;
    zmq_pollitem_t *items; /* of several channels: what the last zmq_poll found */
    int at;                /* the channel that was last received from */
    int left;              /* of its burst */
};

/* The channels stay the caller's. */
void inbox_open(struct inbox *inbox, struct channel *channels, int count);

/* Waits for a message. Of several channels each that is ready has its turn of a burst, and when
 * all had theirs zmq_poll says anew which are. */
enum tag inbox_receive(struct inbox *inbox);

/* Where the last message came from. */
static inline struct channel *inbox_source(struct inbox *inbox)
{
    return &inbox->channels[inbox->at];
}

#endif
