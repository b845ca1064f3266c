/* SPDX-License-Identifier: MPL-2.0 */

/*
 * One ROUTER, thousands of connections: what opening them takes, what each costs the ROUTER's
 * process in memory while it is idle, and how fast messages are answered when all connections take
 * turns. A first connection from each client comes before the others and is not counted, so that
 * what a process needs only once is not either.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "crowd.h"
#include "peers.h"

#define SETTLE_NS 100000000L /* the library's threads finish what they are at */

enum step { STEP_FIRST = 1 }; /* shared->step: the first connections have been accounted for */

/* Anonymous memory only: the pages of program and libraries are not the connections'. */
static double private_bytes(void)
{
    FILE *status = fopen("/proc/self/status", "re");
    char line[128];
    long kilobytes = -1;

    if (status == NULL)
        fatal(EXIT_FAILED, "cannot read /proc/self/status");
    while (kilobytes < 0 && fgets(line, sizeof line, status) != NULL)
        if (strncmp(line, "RssAnon:", 8) == 0)
            sscanf(line + 8, "%ld", &kilobytes);
    fclose(status);
    if (kilobytes < 0)
        fatal(EXIT_FAILED, "the kernel does not tell RssAnon");
    return (double)kilobytes * 1024.0;
}

static double settled_private_bytes(void)
{
    struct timespec span = {0, SETTLE_NS};
    nanosleep(&span, NULL);
    return private_bytes();
}

static void answer_traffic(struct peer *peer, struct channel *router, int clients)
{
    while (clients > 0) {
        enum tag tag = channel_receive(router, 0);
        if (tag == TAG_END) {
            clients--;
            continue;
        }
        channel_send(router, tag, 0);
        meter_tick(&peer->meter);
    }
    meter_look(&peer->meter);
}

static void serve(struct peer *peer)
{
    struct scale_result *result = &peer->shared->scale;
    int clients = layout_senders(&peer->config->layout);
    struct channel router;

    crowd_open_router(&router, peer);
    crowd_answer(&router, clients);
    double before = settled_private_bytes();
    uint64_t start = now_ns();
    counter_set(&peer->shared->step, STEP_FIRST);
    crowd_answer(&router, clients);

    result->connections = (uint32_t)peer->config->connections;
    double counted = (double)(peer->config->connections - clients);
    double connected = counted - (double)result->failures;
    result->connect_us = counted > 0 ? (double)(now_ns() - start) / 1000.0 / counted : 0;
    if (connected > 0)
        result->connection_bytes = (settled_private_bytes() - before) / connected;

    counter_set(&peer->shared->phase, PHASE_WARM);
    load_start_meter(peer, true);
    answer_traffic(peer, &router, clients);
}

/* All connections of this client at once; each has one message in flight. */
static void take_turns(struct peer *peer, struct crowd *crowd)
{
    do {
        for (int i = 0; i < crowd->count; i++)
            if (crowd->channels[i].tx != NULL)
                channel_send(&crowd->channels[i], TAG_DATA, 0);
        for (int i = 0; i < crowd->count; i++) {
            if (crowd->channels[i].tx == NULL)
                continue;
            if (channel_receive(&crowd->channels[i], 0) == TAG_NONE)
                fatal(EXIT_FAILED, "a connection has fallen silent");
            meter_tick(&peer->meter);
        }
    } while (peer->meter.phase < PHASE_DRAIN);
}

static void be_client(struct peer *peer)
{
    struct crowd crowd;

    crowd_init(&crowd, peer->place.sockets);
    crowd_join(&crowd, 1, peer);
    channel_send(crowd_last(&crowd), TAG_END, 0);
    counter_wait(&peer->shared->step, STEP_FIRST, -1);
    crowd_join(&crowd, peer->place.sockets - 1, peer);
    atomic_fetch_add(&peer->shared->scale.failures, (uint32_t)crowd.failures);
    channel_send(crowd_last(&crowd), TAG_END, 0);
    counter_wait(&peer->shared->phase, PHASE_WARM, -1);
    load_start_meter(peer, false);
    take_turns(peer, &crowd);
    channel_send(crowd_last(&crowd), TAG_END, 0);
    counter_wait(&peer->group->done, 1, -1); /* the last message may still be the library's */
}

void load_connections(struct peer *peer)
{
    if (peer->sender) {
        be_client(peer);
        return;
    }
    serve(peer);
    counter_add(&peer->group->done);
}
