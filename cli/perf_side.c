/* SPDX-License-Identifier: MPL-2.0 */
/* The two sides of a measurement: sockets, floods and ping-pong. */
#define _GNU_SOURCE
#include "cli.h"
#include "errors.h"
#include "options.h"
#include "perf.h"
#include "session.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

/* Every blocking call looks up this often whether the measurement is over. */
enum { SLICE_MS = 100 };

/* One side's sockets and buffers. */
struct side {
    struct perf_run *run;
    struct perf_shared *shared;
    const struct perf_pattern *pattern;
    void *context;
    void *in;
    void *out; /* the same socket as `in` if the pattern is two-way */
    bool routed;
    char *buffer;
    size_t size;
    unsigned char id[256]; /* routed: of the peer */
    size_t id_size;
    struct perf_usage *usage;
    uint64_t cpu_start;
    struct perf_stats stats_start;
    uint64_t messages; /* since the measurement began */
    bool measuring;
};

static void fail(struct side *side, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void fail(struct side *side, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (!atomic_exchange(&side->shared->failed, true))
        vsnprintf(side->shared->error, sizeof side->shared->error, format, arguments);
    va_end(arguments);
    atomic_store(&side->shared->stop, true);
}

/* Explains to the user why an endpoint does not work. */
static void fail_endpoint(struct side *side, void *socket, const char *endpoint, bool bind)
{
    int error = zmq_errno();
    if (!atomic_exchange(&side->shared->failed, true))
        side->shared->exit_code = cli_endpoint_error(socket, endpoint, bind, error);
    atomic_store(&side->shared->stop, true);
}

static bool stopped(const struct side *side)
{
    return atomic_load_explicit(&side->shared->stop, memory_order_relaxed);
}

/* Both sides are ours and have the same certificates: TLS that fails once will not do better. */
static bool tls_failed(struct side *side)
{
    char reason[CLI_TLS_REASON_SIZE];
    if (!side->run->args->tls.used || stopped(side))
        return false;
    bool failed = (side->out && cli_tls_reason(side->out, reason)) ||
                  (side->in && cli_tls_reason(side->in, reason));
    if (failed)
        fail(side, "%s: %s", side->run->endpoint, reason);
    return failed;
}

/* Whether a failed call is only to be repeated; anything else is reported. */
static bool transient(struct side *side, const char *what)
{
    int error = zmq_errno();
    if (error == EAGAIN || error == EINTR)
        return !tls_failed(side);
    fail(side, "%s: %s", what, zmq_strerror(error));
    return false;
}

static void *open_socket(struct side *side, int type, bool binds)
{
    const struct perf_args *args = side->run->args;
    const struct {
        int option;
        int value;
    } settings[] = {
        {ZMQ_LINGER, 0},         {ZMQ_SNDTIMEO, SLICE_MS}, {ZMQ_RCVTIMEO, SLICE_MS},
        {ZMQ_SNDHWM, args->hwm}, {ZMQ_RCVHWM, args->hwm},
    };
    void *socket = zmq_socket(side->context, type);
    if (!socket) {
        fail(side, "cannot create a socket: %s", zmq_strerror(zmq_errno()));
        return NULL;
    }
    int rc = 0;
    for (size_t i = 0; i < sizeof settings / sizeof *settings && rc == 0; i++)
        if (settings[i].value != CLI_UNSET)
            rc = zmq_setsockopt(socket, settings[i].option, &settings[i].value, sizeof(int));
    if (rc == 0 && type == ZMQ_PUB) /* measure the path, not how fast messages are dropped */
        rc = zmq_setsockopt(socket, ZMQ_XPUB_NODROP, &(int){1}, sizeof(int));
    if (rc == 0 && type == ZMQ_SUB)
        rc = zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0);
    if (rc != 0)
        fail(side, "cannot configure a socket: %s", zmq_strerror(zmq_errno()));
    else if (cli_tls_apply(socket, binds ? &args->tls.server : &args->tls.client) != CLI_CONTINUE ||
             cli_options_apply(socket, &args->options) != CLI_CONTINUE)
        fail(side, "%s", ""); /* the reason is printed already */
    return socket;
}

static void bind_and_tell(struct side *side, void *socket, const char *endpoint, char *actual,
                          size_t capacity, sem_t *ready)
{
    if (stopped(side))
        return;
    if (zmq_bind(socket, endpoint) != 0)
        fail_endpoint(side, socket, endpoint, true);
    else if (zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, actual, &capacity) != 0)
        fail(side, "cannot learn the bound endpoint: %s", zmq_strerror(zmq_errno()));
    else
        sem_post(ready);
}

/* Waits for the other side to bind. */
static void await_ready(struct side *side, sem_t *ready)
{
    struct timespec until;
    do {
        if (stopped(side))
            return;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += SLICE_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
    } while (sem_timedwait(ready, &until) != 0);
}

/* Opens `out` once the other side has bound, so that trouble is reported by one side only. */
static void connect_out(struct side *side, int type, const char *endpoint, sem_t *ready)
{
    await_ready(side, ready);
    if (stopped(side) || !(side->out = open_socket(side, type, false)) || stopped(side))
        return;
    if (zmq_connect(side->out, endpoint) != 0)
        fail_endpoint(side, side->out, endpoint, false);
}

/* Where answers of a one-way pattern go: beside the endpoint given, on any free port. */
static void return_endpoint(char *result, size_t capacity, const char *endpoint)
{
    const char *colon = strrchr(endpoint, ':');
    bool ip = strncmp(endpoint, "tcp", 3) == 0 || strncmp(endpoint, "tls", 3) == 0 ||
              strncmp(endpoint, "ws", 2) == 0;
    if (ip)
        snprintf(result, capacity, "%.*s:*", (int)(colon - endpoint), endpoint);
    else if (strchr(endpoint, '*'))
        snprintf(result, capacity, "%s", endpoint);
    else
        snprintf(result, capacity, "%s-return", endpoint);
}

static void open_context(struct side *side, struct perf_run *run)
{
    side->run = run;
    side->shared = run->shared;
    side->pattern = run->args->pattern;
    side->size = (size_t)run->args->size;
    side->buffer = cli_alloc(side->size);
    memset(side->buffer, 'z', side->size);
    side->context = run->context ? run->context : zmq_ctx_new();
    if (!side->context)
        fail(side, "cannot create a context: %s", zmq_strerror(zmq_errno()));
    else if (!run->context && run->args->io_threads != CLI_UNSET)
        zmq_ctx_set(side->context, ZMQ_IO_THREADS, run->args->io_threads);
}

static bool open_far(struct side *side, struct perf_run *run)
{
    open_context(side, run);
    struct perf_shared *shared = run->shared;
    side->usage = &shared->far;
    side->routed = side->pattern->routed;
    if (!stopped(side))
        side->in = open_socket(side, side->pattern->far_type, true);
    bind_and_tell(side, side->in, run->endpoint, shared->far_endpoint, sizeof shared->far_endpoint,
                  &shared->ready[0]);
    if (side->pattern->two_way)
        side->out = side->in;
    else if (run->round_trips)
        connect_out(side, side->pattern->near_type, shared->near_endpoint, &shared->ready[1]);
    return !stopped(side);
}

static bool open_near(struct side *side, struct perf_run *run)
{
    open_context(side, run);
    struct perf_shared *shared = run->shared;
    side->usage = &shared->near;
    connect_out(side, side->pattern->near_type, shared->far_endpoint, &shared->ready[0]);
    if (side->pattern->two_way)
        side->in = side->out;
    else if (run->round_trips && !stopped(side)) {
        char endpoint[sizeof run->endpoint + 16];
        return_endpoint(endpoint, sizeof endpoint, run->endpoint);
        side->in = open_socket(side, side->pattern->far_type, true);
        bind_and_tell(side, side->in, endpoint, shared->near_endpoint, sizeof shared->near_endpoint,
                      &shared->ready[1]);
    }
    return !stopped(side);
}

static void close_side(struct side *side, int number)
{
    if (side->in)
        zmq_close(side->in);
    if (side->out && side->out != side->in)
        zmq_close(side->out);
    if (side->context && !side->run->context)
        zmq_ctx_term(side->context);
    free(side->buffer);
    atomic_store(&side->shared->done[number], true);
}

/* Receives one message into the buffer. False: stopped, or not the message that was sent. */
static bool receive(struct side *side)
{
    int n;
    if (side->routed) {
        while ((n = zmq_recv(side->in, side->id, sizeof side->id, 0)) < 0)
            if (!transient(side, "receiving") || stopped(side))
                return false;
        side->id_size = (size_t)n;
    }
    while ((n = zmq_recv(side->in, side->buffer, side->size, 0)) < 0)
        if (!transient(side, "receiving") || stopped(side))
            return false;
    if ((size_t)n == side->size)
        return true;
    fail(side, "received a message of %d bytes instead of %zu", n, side->size);
    return false;
}

static bool transmit(struct side *side)
{
    if (side->routed)
        while (zmq_send(side->out, side->id, side->id_size, ZMQ_SNDMORE) < 0)
            if (!transient(side, "sending") || stopped(side))
                return false;
    while (zmq_send(side->out, side->buffer, side->size, 0) < 0)
        if (!transient(side, "sending") || stopped(side))
            return false;
    return true;
}

/* What the library has counted for this side so far. */
static struct perf_stats read_stats(const struct side *side)
{
    struct perf_stats stats = {0};
    perf_stats_add(&stats, side->in);
    if (side->out != side->in)
        perf_stats_add(&stats, side->out);
    return stats;
}

/* Begins to count this side's messages and CPU time. */
static void begin_usage(struct side *side)
{
    side->measuring = true;
    side->messages = 0;
    side->stats_start = read_stats(side);
    side->cpu_start = perf_cpu_ns(side->run->in_process);
}

static void end_usage(struct side *side)
{
    if (!side->measuring)
        return;
    side->usage->messages = side->messages;
    side->usage->cpu_ns = perf_cpu_ns(side->run->in_process) - side->cpu_start;
    side->usage->stats = read_stats(side);
    perf_stats_since(&side->usage->stats, &side->stats_start);
}

/* The other side follows the timing side's `measuring` flag. */
static void follow(struct side *side)
{
    side->messages++;
    if (!side->measuring && atomic_load_explicit(&side->shared->measuring, memory_order_relaxed))
        begin_usage(side);
}

static uint64_t warmup_messages(const struct perf_run *run)
{
    if (run->args->warmup >= 0)
        return (uint64_t)run->args->warmup;
    uint64_t limit = run->round_trips ? 1000 : 10000;
    uint64_t by_size = (run->round_trips ? 6u << 20 : 64u << 20) / ((uint64_t)run->args->size + 1);
    return by_size < 10 ? 10 : by_size < limit ? by_size : limit;
}

/* Whether the timing side, which has `done` messages, is to go on. */
static bool wanted(const struct side *side, uint64_t done)
{
    const struct perf_args *args = side->run->args;
    if (args->count >= 0)
        return done < (uint64_t)args->count;
    return done == 0 || !atomic_load_explicit(&side->shared->time_is_up, memory_order_relaxed);
}

static void near_flood(struct side *side)
{
    while (!stopped(side) && transmit(side)) {
        follow(side);
        if (side->pattern->lockstep && !receive(side))
            break;
    }
}

/* Takes one message of the flood and, where the pattern demands it, answers. */
static bool far_take(struct side *side)
{
    return receive(side) && (!side->pattern->lockstep || transmit(side));
}

static void far_count(struct side *side)
{
    struct perf_shared *shared = side->shared;
    for (uint64_t i = warmup_messages(side->run); i > 0; i--)
        if (!far_take(side))
            return;
    begin_usage(side);
    atomic_store(&shared->measuring, true);
    uint64_t start = cli_now_ns();
    uint64_t count = 0;
    while (wanted(side, count)) {
        if (!far_take(side))
            return;
        count++;
        atomic_store_explicit(&shared->progress, count, memory_order_relaxed);
    }
    shared->elapsed_ns = cli_now_ns() - start;
    shared->received = side->messages = count;
}

static void far_echo(struct side *side)
{
    while (receive(side) && transmit(side))
        follow(side);
}

/* Samples in memory that grows: writing one is a store and, rarely, a reallocation. */
struct samples {
    uint64_t *ns;
    size_t count;
    size_t capacity;
};

static void add_sample(struct samples *samples, uint64_t ns)
{
    if (samples->count == samples->capacity) {
        samples->capacity = samples->capacity ? 2 * samples->capacity : 65536;
        samples->ns = cli_realloc(samples->ns, samples->capacity * sizeof *samples->ns);
    }
    samples->ns[samples->count++] = ns;
}

/*
 * A publisher drops messages until the subscription has reached it, so the first round trip is
 * tried until it succeeds, and late answers to the earlier tries are read away.
 */
static bool synchronize(struct side *side)
{
    if (!side->pattern->subscribed)
        return true;
    do {
        if (stopped(side) || !transmit(side))
            return false;
    } while (zmq_recv(side->in, side->buffer, side->size, 0) < 0 && transient(side, "receiving"));
    while (zmq_recv(side->in, side->buffer, side->size, 0) >= 0)
        ;
    return transient(side, "receiving");
}

static void near_ask(struct side *side)
{
    struct perf_shared *shared = side->shared;
    struct samples samples = {0};
    if (!synchronize(side))
        return;
    for (uint64_t i = warmup_messages(side->run); i > 0; i--)
        if (!transmit(side) || !receive(side))
            return;
    begin_usage(side);
    atomic_store(&shared->measuring, true);
    uint64_t start = cli_now_ns();
    uint64_t before = start;
    while (wanted(side, samples.count)) {
        if (!transmit(side) || !receive(side))
            break;
        uint64_t now = cli_now_ns();
        add_sample(&samples, now - before);
        before = now;
        atomic_store_explicit(&shared->progress, samples.count, memory_order_relaxed);
    }
    shared->elapsed_ns = before - start;
    side->messages = samples.count;
    end_usage(side); /* before sorting, which is not part of it */
    side->measuring = false;
    if (samples.count)
        perf_percentiles(samples.ns, samples.count, &shared->round_trip);
    free(samples.ns);
}

void perf_near(struct perf_run *run)
{
    struct side side = {0};
    if (open_near(&side, run)) {
        if (run->round_trips)
            near_ask(&side);
        else
            near_flood(&side);
        end_usage(&side);
        if (run->round_trips)
            atomic_store(&run->shared->stop, true);
    }
    close_side(&side, 0);
}

void perf_far(struct perf_run *run)
{
    struct side side = {0};
    if (open_far(&side, run)) {
        if (run->round_trips)
            far_echo(&side);
        else
            far_count(&side);
        end_usage(&side);
        if (!run->round_trips)
            atomic_store(&run->shared->stop, true);
    }
    close_side(&side, 1);
}
