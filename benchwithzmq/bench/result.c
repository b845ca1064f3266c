/* SPDX-License-Identifier: MPL-2.0 */

/* From what the peers counted to the figures of a result line. */
#include "result.h"

#include <stdio.h>

#include "peers.h"

struct side {
    unsigned missed; /* peers that were blocked through the whole window: they did nothing in it */
    double messages_per_second; /* sum over the peers of this side, each by its own window */
    double cpu_per_second;      /* ns of CPU per second of window, likewise */
    uint64_t messages;
    double seconds; /* the longest window */
    long peak_rss_kb;
};

static struct side sum_up(const struct peer_result *peers, int count)
{
    struct side side = {0};
    for (int i = 0; i < count; i++) {
        double seconds = (double)peers[i].elapsed_ns / 1e9;
        if (seconds <= 0) {
            side.missed++;
            continue;
        }
        side.messages_per_second += (double)peers[i].messages / seconds;
        side.cpu_per_second += (double)peers[i].cpu_ns / seconds;
        side.messages += peers[i].messages;
        if (seconds > side.seconds)
            side.seconds = seconds;
        if (peers[i].peak_rss_kb > side.peak_rss_kb)
            side.peak_rss_kb = peers[i].peak_rss_kb;
    }
    return side;
}

void result_print_rates(const struct shared *shared, const struct result_layout *layout)
{
    int counting = layout->receivers - layout->idle_receivers;
    struct side receive = sum_up(shared->peer, counting);
    struct side send = sum_up(shared->peer + layout->receivers, layout->senders);
    double rate = receive.messages_per_second;

    if (layout->duplex)
        rate += send.messages_per_second;
    if (rate <= 0)
        fatal(EXIT_FAILED, "no message in the measured window: make it longer");
    printf("senders=%d receivers=%d missed=%u seconds=%.3f messages=%llu sent=%llu ",
           layout->senders, counting, send.missed + receive.missed, receive.seconds,
           (unsigned long long)receive.messages, (unsigned long long)send.messages);
    printf("msgs_per_s=%.1f msgs_per_s_each=%.1f mbytes_per_s=%.3f ", rate,
           rate / (layout->duplex ? 2 * layout->sinks : layout->sinks), rate * layout->size / 1e6);
    printf("send_cpu_ns=%.1f recv_cpu_ns=%.1f send_rss_kb=%ld recv_rss_kb=%ld",
           send.cpu_per_second / rate, receive.cpu_per_second / rate, send.peak_rss_kb,
           receive.peak_rss_kb);
}

void result_print_latency(const struct latency_result *latency)
{
    printf(
        " samples=%llu mean_us=%.3f p50_us=%.3f p90_us=%.3f p99_us=%.3f p999_us=%.3f max_us=%.3f",
        (unsigned long long)latency->samples, latency->mean_us, latency->p50_us, latency->p90_us,
        latency->p99_us, latency->p999_us, latency->max_us);
}

void result_print_scale(const struct scale_result *scale)
{
    printf(" connections=%u failures=%u connect_us=%.3f connection_bytes=%.0f", scale->connections,
           scale->failures, scale->connect_us, scale->connection_bytes);
}
