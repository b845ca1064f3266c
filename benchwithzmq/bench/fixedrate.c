/* SPDX-License-Identifier: MPL-2.0 */

/*
 * One-way latency under an open-loop load. The sender has a timetable and stamps each message with
 * the time at which it should have left; a sender held up by the library falls behind its
 * timetable, and that delay counts.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "load.h"
#include "samples.h"

#define STAMP_AT (RATE_STAMP_END - 8)

static void sleep_until(uint64_t when)
{
    struct timespec at = {(time_t)(when / 1000000000u), (long)(when % 1000000000u)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

/* Sleeping between messages keeps the core free for the library where there is only one. */
static void send_by_timetable(struct peer *peer)
{
    double interval = 1e9 / peer->config->rate;
    uint64_t begin = now_ns();
    double sent = 0;

    prctl(PR_SET_TIMERSLACK, 1UL);
    for (;;) {
        uint64_t now = now_ns();
        uint64_t due = begin + (uint64_t)(sent * interval);
        if (due > now) {
            sleep_until(due);
            continue;
        }
        memcpy(peer->channel->buffer + STAMP_AT, &due, sizeof due);
        channel_send(peer->channel, TAG_DATA, 0);
        sent++;
        if (!meter_tick(&peer->meter))
            return;
    }
}

static void receive_and_time(struct peer *peer)
{
    struct samples samples;

    samples_init(&samples);
    do {
        uint64_t stamp;
        if (inbox_receive(&peer->inbox) != TAG_DATA)
            continue; /* a greeting that was repeated */
        memcpy(&stamp, channel_header(inbox_source(&peer->inbox)) + STAMP_AT, sizeof stamp);
        if (peer->meter.phase == PHASE_MEASURE && !samples_add(&samples, now_ns() - stamp))
            meter_advance(&peer->meter, PHASE_DRAIN);
    } while (peer->meter.phase < PHASE_DRAIN && meter_tick(&peer->meter));
    load_expect(peer, TAG_END);
    counter_add(&peer->group->done);
    if (peer->index == 0)
        samples_finish(&samples, &peer->shared->latency);
}

void load_fixed_rate(struct peer *peer)
{
    if (!peer->sender) {
        load_connect_receiver(peer);
        receive_and_time(peer);
        return;
    }
    load_connect_sender(peer);
    send_by_timetable(peer);
    load_say_end(peer);
}
