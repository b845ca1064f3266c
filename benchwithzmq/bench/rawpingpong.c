/* SPDX-License-Identifier: MPL-2.0 */

/* Raw round trips with blocking send and recv. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "peers.h"
#include "raw.h"
#include "rawframe.h"
#include "samples.h"

/* -1: nothing has come while spinning. */
static ssize_t spin_for(const struct raw_peer *peer, char *data, size_t size)
{
    for (unsigned i = 0; i < peer->run->spin; i++) {
        ssize_t got = recv(peer->fd, data, size, MSG_DONTWAIT);
        if (got >= 0 || errno != EAGAIN)
            return got;
    }
    return -1;
}

/* What TLS holds decrypted would not show on the socket: there is no spinning then. */
static bool read_message(struct raw_peer *peer, char *message)
{
    size_t have = 0;
    while (have < peer->run->size) {
        size_t missing = peer->run->size - have;
        ssize_t got = peer->tls != NULL ? -1 : spin_for(peer, message + have, missing);
        if (got < 0)
            got = (ssize_t)raw_read_some(peer, message + have, missing);
        if (got == 0)
            return false;
        have += (size_t)got;
    }
    return true;
}

/* Peer 1 is the client, and only a client masks. */
static void mask(const struct raw_peer *peer, char *message)
{
    if (peer->run->layer == RAW_MASKED)
        frame_mask(message, message, peer->run->size);
}

static void echo(struct raw_peer *peer, char *message)
{
    while (read_message(peer, message)) {
        mask(peer, message);
        raw_write(peer, message, peer->run->size);
        meter_tick(&peer->meter);
    }
    meter_look(&peer->meter);
}

static void request(struct raw_peer *peer, char *message)
{
    struct samples samples;

    samples_init(&samples);
    do {
        uint64_t start = now_ns();
        mask(peer, message);
        raw_write(peer, message, peer->run->size);
        if (!read_message(peer, message))
            fatal(EXIT_FAILED, "the other end is gone");
        if (peer->meter.phase == PHASE_MEASURE && !samples_add(&samples, now_ns() - start))
            meter_advance(&peer->meter, PHASE_DRAIN);
    } while (peer->meter.phase < PHASE_DRAIN && meter_tick(&peer->meter));
    shutdown(peer->fd, SHUT_WR);
    samples_finish(&samples, &peer->run->shared->latency);
}

void raw_pingpong(struct raw_peer *peer)
{
    char *message = calloc(1, peer->run->size);
    if (message == NULL)
        fatal(EXIT_FAILED, "no memory for a message");
    if (peer->index == 0)
        echo(peer, message);
    else
        request(peer, message);
    free(message);
}
