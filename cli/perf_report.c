/* SPDX-License-Identifier: MPL-2.0 */
/* Percentiles, progress and the two reports of zlink perf. */
#define _GNU_SOURCE
#include "cli.h"
#include "perf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A progress line is worth it when a measurement takes longer than this. */
#define PROGRESS_MIN_SECONDS 2.0
#define PROGRESS_PERIOD_NS 200000000u

static int compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

/* Nearest rank: the smallest sample that at least `per_mille` thousandths are not above. */
static double rank_us(const uint64_t *sorted, size_t count, size_t per_mille)
{
    size_t rank = (count * per_mille + 999) / 1000;
    return (double)sorted[rank ? rank - 1 : 0] / 1000;
}

void perf_percentiles(uint64_t *samples_ns, size_t count, struct perf_percentiles *result)
{
    double sum = 0;
    qsort(samples_ns, count, sizeof *samples_ns, compare);
    for (size_t i = 0; i < count; i++)
        sum += (double)samples_ns[i];
    *result = (struct perf_percentiles){
        .samples = count,
        .min_us = (double)samples_ns[0] / 1000,
        .mean_us = sum / (double)count / 1000,
        .p50_us = rank_us(samples_ns, count, 500),
        .p90_us = rank_us(samples_ns, count, 900),
        .p99_us = rank_us(samples_ns, count, 990),
        .p999_us = rank_us(samples_ns, count, 999),
        .max_us = (double)samples_ns[count - 1] / 1000,
    };
}

/* Seconds that are left and the fraction done, as far as can be told. */
static double estimate(const struct perf_progress *progress, uint64_t messages, double elapsed,
                       double *left)
{
    const struct perf_args *args = progress->args;
    double done =
        args->count >= 0 ? (double)messages / (double)args->count : elapsed / args->duration;
    if (done > 1)
        done = 1;
    *left = done > 0 ? elapsed / done - elapsed : 0;
    return done;
}

void perf_progress_start(struct perf_progress *progress)
{
    progress->started_ns = cli_now_ns();
    progress->next_ns = progress->started_ns + PROGRESS_PERIOD_NS; /* no rates of next to nothing */
}

void perf_progress_update(struct perf_progress *progress, uint64_t messages)
{
    const struct perf_args *args = progress->args;
    uint64_t now = cli_now_ns();
    bool terminal = isatty(STDERR_FILENO);
    if (now < progress->next_ns || (!terminal && !args->progress) || messages == 0)
        return;
    double elapsed = (double)(now - progress->started_ns) / 1e9;
    double left;
    double done = estimate(progress, messages, elapsed, &left);
    progress->next_ns = now + PROGRESS_PERIOD_NS;
    if (!args->progress && elapsed + left <= PROGRESS_MIN_SECONDS)
        return;
    fprintf(stderr, "%s%s %s %s: %3.0f %%, %.0f %s/s, %.0f s left%s", terminal ? "\r\033[K" : "",
            args->transport, args->pattern_name, progress->round_trips ? "latency" : "throughput",
            done * 100, (double)messages / elapsed, progress->round_trips ? "round trips" : "msg",
            left, terminal ? "" : "\n");
    fflush(stderr);
    progress->shown = terminal;
}

void perf_progress_clear(struct perf_progress *progress)
{
    if (progress->shown)
        fputs("\r\033[K", stderr);
    progress->shown = false;
}

static double per_message(uint64_t cpu_ns, uint64_t messages)
{
    return messages ? (double)cpu_ns / (double)messages : 0;
}

/* CPU time of both sides for one message that arrived. */
static double total_per_message(const struct perf_run *run, uint64_t messages)
{
    const struct perf_shared *shared = run->shared;
    return run->in_process ? per_message(shared->total_cpu_ns, messages)
                           : per_message(shared->near.cpu_ns + shared->far.cpu_ns, messages);
}

struct rates {
    uint64_t messages;
    double seconds;
    double per_second;
    double megabytes;
    double near_ns, far_ns, total_ns;
};

static struct rates rates_of(const struct perf_args *args, const struct perf_run *run)
{
    const struct perf_shared *shared = run->shared;
    struct rates rates = {.seconds = (double)shared->elapsed_ns / 1e9};
    rates.messages = run->round_trips ? shared->round_trip.samples : shared->received;
    rates.per_second = (double)rates.messages / rates.seconds;
    rates.megabytes = rates.per_second * (double)args->size / 1e6;
    rates.near_ns = per_message(shared->near.cpu_ns, shared->near.messages);
    rates.far_ns = per_message(shared->far.cpu_ns, shared->far.messages);
    rates.total_ns = total_per_message(run, rates.messages);
    return rates;
}

static void text_throughput(const struct perf_args *args, const struct perf_run *run)
{
    struct rates rates = rates_of(args, run);
    printf("  throughput  %.0f msg/s, %.1f MB/s  (%llu messages in %.2f s at the receiver)\n",
           rates.per_second, rates.megabytes, (unsigned long long)rates.messages, rates.seconds);
    printf("  cpu         sender %.0f ns, receiver %.0f ns, total %.0f ns per message\n",
           rates.near_ns, rates.far_ns, rates.total_ns);
    perf_stats_text("sender", &run->shared->near.stats, "receiver", &run->shared->far.stats);
}

static void text_latency(const struct perf_args *args, const struct perf_run *run)
{
    const struct perf_percentiles *times = &run->shared->round_trip;
    struct rates rates = rates_of(args, run);
    printf("  round trip  p50 %.1f  p90 %.1f  p99 %.1f  p99.9 %.1f  max %.1f us  (%llu samples)\n",
           times->p50_us, times->p90_us, times->p99_us, times->p999_us, times->max_us,
           (unsigned long long)times->samples);
    printf("  cpu         asking %.0f ns, answering %.0f ns, total %.0f ns per round trip\n",
           rates.near_ns, rates.far_ns, rates.total_ns);
    perf_stats_text("asking", &run->shared->near.stats, "answering", &run->shared->far.stats);
}

void perf_report_text(const struct perf_args *args, const struct perf_run *throughput,
                      const struct perf_run *latency)
{
    struct cli_library library;
    cli_library_identify(&library);
    printf("%s, %s, %lld-byte messages, two %s, %s\n", args->transport, args->pattern_name,
           (long long)args->size, perf_in_process(args) ? "threads" : "processes", library.name);
    if (throughput)
        text_throughput(args, throughput);
    if (latency)
        text_latency(args, latency);
}

/* A JSON string. Endpoints and paths may hold anything. */
static void json_string(const char *name, const char *value)
{
    printf("  \"%s\": \"", name);
    for (; *value; value++) {
        unsigned char c = (unsigned char)*value;
        if (c == '"' || c == '\\')
            printf("\\%c", c);
        else if (c < 0x20)
            printf("\\u%04x", c);
        else
            putchar(c);
    }
    printf("\",\n");
}

/* What either side has spent and counted; ends the measurement's object. */
static void json_sides(const char *near, const char *far, const struct perf_run *run,
                       const struct rates *rates)
{
    printf("    \"cpu_ns_per_message\": {\"%s\": %.1f, \"%s\": %.1f, \"total\": %.1f},\n", near,
           rates->near_ns, far, rates->far_ns, rates->total_ns);
    perf_stats_json(near, &run->shared->near.stats, far, &run->shared->far.stats);
    printf("\n  }");
}

static void json_throughput(const struct perf_args *args, const struct perf_run *run)
{
    struct rates rates = rates_of(args, run);
    printf(",\n  \"throughput\": {\n    \"messages\": %llu,\n    \"sent\": %llu,\n",
           (unsigned long long)rates.messages, (unsigned long long)run->shared->near.messages);
    printf("    \"seconds\": %.6f,\n    \"msgs_per_s\": %.1f,\n    \"mb_per_s\": %.3f,\n",
           rates.seconds, rates.per_second, rates.megabytes);
    json_sides("sender", "receiver", run, &rates);
}

static void json_latency(const struct perf_args *args, const struct perf_run *run)
{
    const struct perf_percentiles *times = &run->shared->round_trip;
    struct rates rates = rates_of(args, run);
    printf(",\n  \"latency\": {\n    \"samples\": %llu,\n    \"seconds\": %.6f,\n"
           "    \"round_trips_per_s\": %.1f,\n",
           (unsigned long long)times->samples, rates.seconds, rates.per_second);
    printf("    \"min_us\": %.3f,\n    \"mean_us\": %.3f,\n    \"p50_us\": %.3f,\n"
           "    \"p90_us\": %.3f,\n    \"p99_us\": %.3f,\n    \"p99_9_us\": %.3f,\n"
           "    \"max_us\": %.3f,\n",
           times->min_us, times->mean_us, times->p50_us, times->p90_us, times->p99_us,
           times->p999_us, times->max_us);
    json_sides("asking", "answering", run, &rates);
}

void perf_report_json(const struct perf_args *args, const struct perf_run *throughput,
                      const struct perf_run *latency)
{
    struct cli_library library;
    cli_library_identify(&library);
    printf("{\n");
    json_string("library", library.is_zlink ? "zlink" : "libzmq");
    json_string("version", library.name);
    json_string("library_path", library.path);
    json_string("transport", args->transport);
    json_string("pattern", args->pattern_name);
    json_string("mode", perf_in_process(args) ? "threads" : "processes");
    json_string("cpu_scope", perf_in_process(args) ? "calling thread" : "process");
    printf("  \"size\": %lld", (long long)args->size);
    if (throughput)
        json_throughput(args, throughput);
    if (latency)
        json_latency(args, latency);
    printf("\n}\n");
}
