/* SPDX-License-Identifier: MPL-2.0 */

/* Coming together of many connections. */
#include "crowd.h"

#include <stdlib.h>

#include "peers.h"
#include "sockets.h"
#include "zapi.h"

#define WAVE 64
#define ANSWER_TIMEOUT_MS 10000

void crowd_init(struct crowd *crowd, int capacity)
{
    *crowd = (struct crowd){.capacity = capacity};
    crowd->channels = calloc((size_t)capacity, sizeof *crowd->channels);
    if (crowd->channels == NULL)
        fatal(EXIT_FAILED, "no memory for %d channels", capacity);
}

static void join_one(struct channel *channel, struct peer *peer)
{
    void *socket = socket_open(peer->context, ZMQ_DEALER, false, peer->config, peer->shared);
    socket_set_int(socket, ZMQ_RCVTIMEO, ANSWER_TIMEOUT_MS);
    socket_set_int(socket, ZMQ_LINGER, 0);
    socket_connect(socket, peer->group, 0, peer->config);
    channel_wrap(channel, socket, false, peer->config);
    channel_send(channel, TAG_HELLO, 0);
}

/* When one of a wave has waited long enough, so have the others. */
static void await_answers(struct crowd *crowd, struct channel *wave, int count)
{
    int flags = 0;
    for (int i = 0; i < count; i++) {
        if (channel_receive(&wave[i], flags) != TAG_NONE)
            continue;
        flags = ZMQ_DONTWAIT;
        channel_close(&wave[i]);
        wave[i].tx = NULL;
        crowd->failures++;
    }
}

void crowd_join(struct crowd *crowd, int more, struct peer *peer)
{
    while (more > 0) {
        struct channel *wave = crowd->channels + crowd->count;
        int count = more < WAVE ? more : WAVE;
        for (int i = 0; i < count; i++)
            join_one(&wave[i], peer);
        await_answers(crowd, wave, count);
        crowd->count += count;
        more -= count;
    }
}

struct channel *crowd_last(struct crowd *crowd)
{
    for (int i = crowd->count; i > 0; i--)
        if (crowd->channels[i - 1].tx != NULL)
            return &crowd->channels[i - 1];
    fatal(EXIT_FAILED, "none of %d connections was answered", crowd->count);
}

void crowd_open_router(struct channel *channel, struct peer *peer)
{
    void *socket = socket_open(peer->context, ZMQ_ROUTER, true, peer->config, peer->shared);
    socket_set_int(socket, ZMQ_BACKLOG, SOCKET_BACKLOG);
    channel_wrap(channel, socket, true, peer->config);
    socket_bind(socket, peer->group, 0, peer->config);
}

void crowd_answer(struct channel *router, int ends)
{
    while (ends > 0) {
        enum tag tag = channel_receive(router, 0);
        if (tag == TAG_END)
            ends--;
        else
            channel_send(router, tag, 0);
    }
}
