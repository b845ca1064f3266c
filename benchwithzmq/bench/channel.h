/* SPDX-License-Identifier: MPL-2.0 */

/*
 * A peer's way to send and to receive one-part messages of the run's size, whatever the pattern:
 * sockets, addresses (ROUTER) and the choice of calls are hidden here. Every error ends the
 * program, so the loops have no error path.
 */
#ifndef ZBENCH_CHANNEL_H
#define ZBENCH_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <zmq.h>

#include "config.h"
#include "shared.h"

/* The first byte of every message says what it is for. */
enum tag { TAG_NONE = -1, TAG_DATA, TAG_HELLO, TAG_END };

#define CHANNEL_HEADER                                                                             \
    16 /* bytes of a message that the loops may look at: tag at 0, a time stamp at 8 */
#define CHANNEL_ID_MAX 256

struct channel {
    void *tx, *rx;  /* the same socket where the pattern is two-way */
    bool addressed; /* a ROUTER: the peer's id goes and comes before the message */
    bool use_msg;
    size_t size;
    size_t id_size;
    char id[CHANNEL_ID_MAX]; /* where to send to: known beforehand, or who was last received from */
    char *buffer; /* what is sent and, with the buffer calls, where messages are received */
    zmq_msg_t in;
};

struct channel_setup {
    const struct config *config;
    struct shared *shared;
    struct group *group;
    void *context;
    bool sender;
    bool both_ways; /* this run sends answers too */
    int number;     /* distinguishes the peers among themselves */
};

/* Opens the sockets, binds or connects them. Returns when that is done; connections may still be on
 * their way. */
void channel_open(struct channel *channel, const struct channel_setup *setup);

/* A channel on one socket that is open already. addressed: it is a ROUTER. */
void channel_wrap(struct channel *channel, void *socket, bool addressed,
                  const struct config *config);

/* Frees what the channel holds and closes its sockets. */
void channel_close(struct channel *channel);

/* Sends one message. flags: ZMQ_DONTWAIT or 0. False: it would have blocked. */
bool channel_send(struct channel *channel, enum tag tag, int flags);

/* Receives one message and checks its size. TAG_NONE: it would have blocked. */
enum tag channel_receive(struct channel *channel, int flags);

/* The header of the message last received. */
const char *channel_header(struct channel *channel);

#endif
