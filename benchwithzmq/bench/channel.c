/* SPDX-License-Identifier: MPL-2.0 */

/* Sockets of a peer and the calls that move one message. */
#define _GNU_SOURCE
#include "channel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peers.h"
#include "sockets.h"
#include "zapi.h"

#define BINDER_ID "binder"

/* A ROUTER is addressable before its first message only if it is named; MANDATORY makes it wait
 * instead of dropping. */
static void name_router(void *socket, bool binds, const struct channel_setup *setup)
{
    char name[32];
    snprintf(name, sizeof name, "peer-%d", setup->number);
    socket_set_text(socket, ZMQ_ROUTING_ID, binds ? BINDER_ID : name);
    socket_set_int(socket, ZMQ_ROUTER_MANDATORY, 1);
    if (!binds)
        socket_set_text(socket, ZMQ_CONNECT_ROUTING_ID, BINDER_ID);
}

static void *open_socket(int type, bool binds, const struct channel_setup *setup)
{
    void *socket = socket_open(setup->context, type, binds, setup->config, setup->shared);
    if (binds && setup->config->pattern->flags & PATTERN_MANY)
        socket_set_int(socket, ZMQ_BACKLOG, SOCKET_BACKLOG);
    if (type == ZMQ_ROUTER)
        name_router(socket, binds, setup);
    if (type == ZMQ_PUB && !setup->config->may_drop)
        socket_set_int(socket, ZMQ_XPUB_NODROP, 1);
    if (type == ZMQ_SUB)
        socket_set_text(socket, ZMQ_SUBSCRIBE, "");
    return socket;
}

/* Link 0 carries the load, link 1, where there is one, the answers: its roles are swapped. */
static void open_links(struct channel *channel, const struct channel_setup *setup, int links)
{
    const struct pattern *pattern = setup->config->pattern;
    bool sender_binds = (pattern->flags & PATTERN_SENDER_BINDS) != 0;
    void *socket[MAX_LINKS];
    bool binds[MAX_LINKS];

    for (int link = 0; link < links; link++) {
        bool sends = setup->sender != (link == 1);
        int type = sends ? pattern->sender_type : pattern->receiver_type;
        binds[link] = sends == sender_binds;
        socket[link] = open_socket(type, binds[link], setup);
        if (binds[link])
            socket_bind(socket[link], setup->group, link, setup->config);
        if (sends || links == 1)
            channel->tx = socket[link];
        if (!sends || links == 1)
            channel->rx = socket[link];
        channel->addressed |= type == ZMQ_ROUTER;
    }
    /* Only now, when everything of our own is bound: the other peer waits for it in the same place.
     */
    for (int link = 0; link < links; link++)
        if (!binds[link])
            socket_connect(socket[link], setup->group, link, setup->config);
}

static void prepare(struct channel *channel, const struct config *config)
{
    size_t size = config->size < CHANNEL_HEADER ? CHANNEL_HEADER : config->size;

    *channel = (struct channel){.use_msg = config->use_msg, .size = config->size};
    channel->buffer = calloc(1, size);
    if (channel->buffer == NULL)
        fatal(EXIT_FAILED, "no memory for a message");
    z.msg_init(&channel->in);
}

void channel_open(struct channel *channel, const struct channel_setup *setup)
{
    const struct pattern *pattern = setup->config->pattern;
    bool two_links = setup->both_ways && !(pattern->flags & PATTERN_TWO_WAY);

    prepare(channel, setup->config);
    open_links(channel, setup, two_links ? 2 : 1);
    channel->id_size = strlen(BINDER_ID);
    memcpy(channel->id, BINDER_ID, channel->id_size);
}

void channel_wrap(struct channel *channel, void *socket, bool addressed,
                  const struct config *config)
{
    prepare(channel, config);
    channel->tx = channel->rx = socket;
    channel->addressed = addressed;
}

void channel_close(struct channel *channel)
{
    z.msg_close(&channel->in);
    free(channel->buffer);
    if (channel->rx != channel->tx)
        z.close(channel->rx);
    z.close(channel->tx);
}

static bool would_block(const char *what)
{
    if (z.get_errno() != EAGAIN)
        socket_failed(what);
    return true;
}

static bool send_msg(struct channel *channel, int flags)
{
    zmq_msg_t out;
    if (z.msg_init_size(&out, channel->size) != 0)
        socket_failed("zmq_msg_init_size");
    memcpy(z.msg_data(&out), channel->buffer,
           channel->size < CHANNEL_HEADER ? channel->size : CHANNEL_HEADER);
    if (z.msg_send(&out, channel->tx, flags) >= 0)
        return true;
    would_block("zmq_msg_send");
    z.msg_close(&out);
    return false;
}

bool channel_send(struct channel *channel, enum tag tag, int flags)
{
    channel->buffer[0] = (char)tag;
    if (channel->addressed &&
        z.send(channel->tx, channel->id, channel->id_size, flags | ZMQ_SNDMORE) < 0)
        return !would_block("zmq_send of an address");
    if (channel->use_msg)
        return send_msg(channel, flags);
    if (z.send(channel->tx, channel->buffer, channel->size, flags) >= 0)
        return true;
    return !would_block("zmq_send");
}

const char *channel_header(struct channel *channel)
{
    return channel->use_msg ? z.msg_data(&channel->in) : channel->buffer;
}

static bool receive_address(struct channel *channel, int flags)
{
    int size = z.recv(channel->rx, channel->id, CHANNEL_ID_MAX, flags);
    if (size < 0)
        return !would_block("zmq_recv of an address");
    channel->id_size = (size_t)size;
    return true;
}

enum tag channel_receive(struct channel *channel, int flags)
{
    int size;

    if (channel->addressed && !receive_address(channel, flags))
        return TAG_NONE;
    if (channel->use_msg)
        size = z.msg_recv(&channel->in, channel->rx, flags);
    else
        size = z.recv(channel->rx, channel->buffer, channel->size, flags);
    if (size < 0) {
        would_block("receiving");
        return TAG_NONE;
    }
    if ((size_t)size != channel->size)
        fatal(EXIT_FAILED, "received %d bytes instead of %zu", size, channel->size);
    return (enum tag)channel_header(channel)[0];
}
