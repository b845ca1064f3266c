/* SPDX-License-Identifier: MPL-2.0 */
/*
 * zlink perf. A measurement has two sides in two processes (or threads) and a coordinator that
 * only watches. They share one block of memory, which works the same for both.
 *
 * "far" is the side that binds: it receives the flood, or answers. "near" connects: it sends, or
 * asks. Throughput is timed by far, round trips by near.
 */
#ifndef ZLINK_CLI_PERF_H
#define ZLINK_CLI_PERF_H

#include "args.h"
#include "perf_stats.h"
#include "tls.h"

#include <semaphore.h>
#include <stdatomic.h>
#include <sys/types.h>

struct perf_pattern {
    const char *name;
    int near_type;
    int far_type;
    bool two_way;    /* the far side can answer through the same socket */
    bool lockstep;   /* every message must be answered before the next */
    bool routed;     /* the far side sees a routing id in front */
    bool subscribed; /* nothing arrives before the subscription has reached the near side */
};

/* What the two roles of TLS are told. */
struct perf_tls {
    bool used;
    struct cli_tls_args server;
    struct cli_tls_args client;
    char *texts[3]; /* certificates made for this measurement, else NULL */
};

struct perf_args {
    struct cli_tls_args tls_args; /* first: cli_tls_opts count from here */
    const char *transport;        /* a name, as in perf_endpoint, or an endpoint */
    const char *pattern_name;
    int64_t size;
    int64_t count;   /* -1: run for `duration` */
    double duration; /* seconds */
    int64_t warmup;  /* messages, -1: chosen by size */
    bool latency;
    bool throughput;
    bool process;
    bool threads;
    bool json;
    bool progress;
    int hwm;
    int io_threads;
    int timeout; /* ms without any progress */
    struct cli_list options;

    const struct perf_pattern *pattern;
    struct perf_tls tls;
};

/* What one side did between the start and the end of the measurement. */
struct perf_usage {
    uint64_t messages;
    uint64_t cpu_ns; /* of the process, or of the thread if both sides share a process */
    struct perf_stats stats;
};

struct perf_percentiles {
    uint64_t samples;
    double min_us, mean_us, p50_us, p90_us, p99_us, p999_us, max_us;
};

/* Shared by all; each group of fields is on cache lines of its own. */
struct perf_shared {
    /* Written rarely, read for every message. */
    _Alignas(64) atomic_bool measuring; /* warm-up is over; set by the side that times */
    atomic_bool time_is_up;             /* --duration has passed; set by the coordinator */
    atomic_bool stop;                   /* the timing side has all it needs, or something failed */

    /* Written for every measured message by the timing side, read by the coordinator. */
    _Alignas(64) atomic_uint_fast64_t progress;

    _Alignas(64) sem_t ready[2]; /* [0]: far_endpoint is filled in, [1]: near_endpoint */
    char far_endpoint[512];
    char near_endpoint[512]; /* where answers go if the pattern is one-way */

    atomic_bool failed;
    atomic_bool done[2];
    char error[512]; /* written by whoever set `failed` first; "": it has told the user */
    int exit_code;   /* 0: CLI_FAILURE */

    uint64_t elapsed_ns;
    uint64_t received;
    struct perf_usage near, far;
    uint64_t total_cpu_ns; /* threads: of the whole process, with the library's own threads */
    struct perf_percentiles round_trip;
};

struct perf_run {
    const struct perf_args *args;
    struct perf_shared *shared;
    bool round_trips; /* else throughput */
    bool in_process;
    void *context;      /* threads: shared by both sides; processes: NULL */
    char endpoint[512]; /* to bind */
};

/* The two sides; they return when the measurement is over or failed. */
void perf_near(struct perf_run *run);
void perf_far(struct perf_run *run);

/*
 * Runs one measurement; the result is in run->shared, which stays mapped. Returns CLI_OK or an
 * exit code after a message.
 */
int perf_measure(const struct perf_args *args, bool round_trips, struct perf_run *run);
void perf_release(struct perf_run *run);

/* The endpoint to bind for a transport's name; an endpoint is one already. NULL: no such name. */
const char *perf_endpoint(const char *transport);

/*
 * Settles the certificates of both sides: those of the command line or, without --tls-cert, some that
 * exist only in memory. Returns CLI_CONTINUE or an exit code after a message.
 */
int perf_tls_open(struct perf_tls *tls, const struct cli_tls_args *args, const char *endpoint);
void perf_tls_close(struct perf_tls *tls);

/* Whether both sides are threads of this process. */
bool perf_in_process(const struct perf_args *args);

/* Sorts the samples and fills in the exact percentiles (nearest rank). */
void perf_percentiles(uint64_t *samples_ns, size_t count, struct perf_percentiles *result);

/* CPU time in ns of this thread or this process, user and system. */
uint64_t perf_cpu_ns(bool thread);

/* Progress on stderr: one line that is written over, or several if stderr is no terminal. */
struct perf_progress {
    const struct perf_args *args;
    bool round_trips;
    bool shown;
    uint64_t started_ns;
    uint64_t next_ns;
};
void perf_progress_start(struct perf_progress *progress);
void perf_progress_update(struct perf_progress *progress, uint64_t messages);
void perf_progress_clear(struct perf_progress *progress);

/* Prints both measurements; either may be NULL. */
void perf_report_text(const struct perf_args *args, const struct perf_run *throughput,
                      const struct perf_run *latency);
void perf_report_json(const struct perf_args *args, const struct perf_run *throughput,
                      const struct perf_run *latency);

#endif
