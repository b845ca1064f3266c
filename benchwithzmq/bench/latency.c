/* SPDX-License-Identifier: MPL-2.0 */

/* Round trips, one in flight: back to back, or each after a silence. */
#define _GNU_SOURCE
#include <sys/resource.h>
#include <time.h>

#include "load.h"
#include "samples.h"

#define WARMUP_LEAST 100 /* round trips before the first silence */
/* Of each silence, not counted as idle: the last exchange's aftermath. */
#define SETTLE_SECONDS 0.1
/* shared->ready: the echoing peer has heard us, then we have heard it. */
#define REQUESTER_READY 2u

/* Repeated greetings may still be on their way: they are no answer. */
static void receive_answer(struct peer *peer)
{
    while (channel_receive(peer->channel, 0) == TAG_HELLO)
        ;
}

static uint64_t round_trip(struct peer *peer)
{
    uint64_t start = now_ns();
    channel_send(peer->channel, TAG_DATA, 0);
    receive_answer(peer);
    return now_ns() - start;
}

static void connect_requester(struct peer *peer)
{
    load_announce(peer, TAG_HELLO, &peer->shared->ready, 1);
    channel_receive(peer->channel, 0);
    counter_add(&peer->shared->ready);
    counter_set(&peer->shared->phase, PHASE_WARM);
    load_start_meter(peer, true);
}

static void connect_echo(struct peer *peer)
{
    channel_receive(peer->channel, 0);
    counter_add(&peer->shared->ready);
    load_announce(peer, TAG_HELLO, &peer->shared->ready, REQUESTER_READY);
    load_start_meter(peer, false);
}

static void echo(struct peer *peer)
{
    enum tag tag;

    connect_echo(peer);
    while ((tag = channel_receive(peer->channel, 0)) != TAG_END) {
        if (tag != TAG_DATA)
            continue;
        channel_send(peer->channel, TAG_DATA, 0);
        peer->meter.ticks++;
        meter_look(
            &peer->meter); /* each time: after a silence there may be few messages to look at */
    }
    meter_look(&peer->meter); /* the window ended since: it must not stay open */
    counter_add(&peer->group->done);
}

static void say_goodbye(struct peer *peer)
{
    load_announce(peer, TAG_END, &peer->group->done, 1);
}

void load_latency(struct peer *peer)
{
    struct samples samples;

    if (!peer->sender) {
        echo(peer);
        return;
    }
    samples_init(&samples);
    connect_requester(peer);
    do {
        uint64_t took = round_trip(peer);
        if (peer->meter.phase == PHASE_MEASURE && !samples_add(&samples, took))
            meter_advance(&peer->meter, PHASE_DRAIN);
    } while (peer->meter.phase < PHASE_DRAIN && meter_tick(&peer->meter));
    say_goodbye(peer);
    samples_finish(&samples, &peer->shared->latency);
}

static void sleep_seconds(double seconds)
{
    struct timespec span = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &span, NULL);
}

static long context_switches(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_nvcsw;
}

/* The one voluntary switch of our own sleep is not the library's. */
static void be_silent(struct peer *peer, struct idle_result *sum)
{
    sleep_seconds(SETTLE_SECONDS);
    long switches = context_switches();
    uint64_t cpu = cpu_ns(false);
    sleep_seconds(peer->config->silence_seconds - SETTLE_SECONDS);
    sum->cpu_us += (double)(cpu_ns(false) - cpu) / 1000.0;
    sum->wakeups += (double)(context_switches() - switches - 1);
}

void load_idle(struct peer *peer)
{
    struct idle_result sum = {0, 0};
    struct samples samples;
    double counted = (peer->config->silence_seconds - SETTLE_SECONDS) * peer->config->silences;

    if (!peer->sender) {
        echo(peer);
        return;
    }
    samples_init(&samples);
    connect_requester(peer);
    for (int i = 0; i < WARMUP_LEAST; i++)
        round_trip(peer);
    meter_advance(&peer->meter, PHASE_MEASURE);
    for (int i = 0; i < peer->config->silences; i++) {
        be_silent(peer, &sum);
        samples_add(&samples, round_trip(peer));
        peer->meter.ticks++;
    }
    meter_advance(&peer->meter, PHASE_DRAIN);
    say_goodbye(peer);
    samples_finish(&samples, &peer->shared->latency);
    peer->shared->idle.wakeups = sum.wakeups / counted;
    peer->shared->idle.cpu_us = sum.cpu_us / counted;
}
