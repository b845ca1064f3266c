/* SPDX-License-Identifier: MPL-2.0 */

/*
 * zbench: one cell (library, pattern, transport, mode, size) measured and printed as one line.
 *
 * Sockets and contexts are left to the end of the process: when the load is over everything has
 * been measured, and a library that does not come back from its termination (as libzmq 4.3.4 now
 * and then, with a long queue on a subscriber) must not cost the measurement.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "config.h"
#include "load.h"
#include "peers.h"
#include "result.h"
#include "shared.h"
#include "tls_files.h"
#include "zapi.h"

#define FILES_PER_SOCKET 4 /* at most, in any library */
#define FILES_BESIDES 128
#define SOCKETS_BESIDES 1024 /* closed ones may not be gone yet */

struct run {
    const struct config *config;
    struct shared *shared;
    void *common_context; /* NULL where each peer has its own */
};

static load *const loads[MODE_COUNT] = {
    [MODE_THROUGHPUT] = load_throughput,
    [MODE_LATENCY] = load_latency,
    [MODE_FIXED_RATE] = load_fixed_rate,
    [MODE_IDLE] = load_idle,
    [MODE_CONNECTIONS] = load_connections,
    [MODE_CHURN] = load_churn,
    [MODE_POLL] = load_poll,
};

static int most_sockets(const struct config *config)
{
    if (config->mode == MODE_CONNECTIONS)
        return config->connections;
    return config->mode == MODE_POLL ? config->poll_sockets : 0;
}

static void *new_context(const struct config *config)
{
    void *context = z.ctx_new();
    if (context == NULL)
        fatal(EXIT_FAILED, "zmq_ctx_new: %s", z.strerror(z.get_errno()));
    if (config->io_threads > 0 && z.ctx_set(context, ZMQ_IO_THREADS, config->io_threads) != 0)
        fatal(EXIT_FAILED, "ZMQ_IO_THREADS=%d is not accepted", config->io_threads);
    if (mode_is_scale(config->mode) &&
        z.ctx_set(context, ZMQ_MAX_SOCKETS, most_sockets(config) + SOCKETS_BESIDES) != 0)
        fatal(EXIT_FAILED, "ZMQ_MAX_SOCKETS=%d is not accepted",
              most_sockets(config) + SOCKETS_BESIDES);
    return context;
}

static load *choose_load(const struct config *config)
{
    if (config->mode == MODE_THROUGHPUT && config->pattern->flags & PATTERN_DUPLEX)
        return load_duplex;
    return loads[config->mode];
}

static void open_channels(struct peer *peer)
{
    struct channel_setup setup = {
        .config = peer->config,
        .shared = peer->shared,
        .group = peer->group,
        .context = peer->context,
        .sender = peer->sender,
        .both_ways = peer->config->mode == MODE_LATENCY || peer->config->mode == MODE_IDLE,
        .number = peer->index,
    };

    peer->channels = calloc((size_t)peer->place.sockets, sizeof *peer->channels);
    if (peer->channels == NULL)
        fatal(EXIT_FAILED, "no memory for %d channels", peer->place.sockets);
    for (int i = 0; i < peer->place.sockets; i++)
        channel_open(&peer->channels[i], &setup);
    peer->channel = peer->channels;
    inbox_open(&peer->inbox, peer->channels, peer->place.sockets);
}

static void run_peer(int index, void *argument)
{
    const struct run *run = argument;
    const struct config *config = run->config;
    struct peer peer = {
        .config = config,
        .shared = run->shared,
        .place = layout_find(&config->layout, index),
        .index = index,
        .context = run->common_context != NULL ? run->common_context : new_context(config),
    };

    peer.group = &run->shared->group[peer.place.group];
    peer.sender = peer.place.sender;
    if (!mode_is_scale(config->mode))
        open_channels(&peer);
    choose_load(config)(&peer);
    meter_finish(&peer.meter);
}

static void print_identity(const struct config *config, const struct shared *shared)
{
    printf("lib=%s implementation=%s version=%s file=%s", config->label, shared->implementation,
           shared->version, shared->library);
}

/* What makes this run another than the usual one of its pattern, mode and size. */
static void print_variant(const struct config *config, const struct shared *shared)
{
    if (config->sockets > 1)
        printf(" sockets=%d", config->sockets);
    if (config->peers > 0)
        printf(" peers=%d", config->peers);
    if (config->slow)
        printf(" slow=1");
    if (config->mode == MODE_POLL)
        printf(" poll_sockets=%d", config->poll_sockets);
    if (shared->options_refused != 0)
        printf(" options_refused=%d", __builtin_popcount(shared->options_refused));
}

static struct result_layout result_layout(const struct config *config)
{
    const struct layout *layout = &config->layout;
    struct result_layout result = {
        .receivers = layout_receivers(layout),
        .senders = layout_senders(layout),
        .sinks = layout->groups * layout->receive.sockets - (config->slow ? 1 : 0),
        .size = (double)config->size,
        .duplex = (config->pattern->flags & PATTERN_DUPLEX) != 0,
    };
    /* Where the slow subscriber has a process of its own, that one has measured nothing. */
    result.idle_receivers = config->slow && layout->receive.sockets == layout->receive.processes;
    if (mode_is_scale(config->mode))
        result.sinks = 1;
    return result;
}

static void print_mode(const struct config *config, const struct shared *shared)
{
    if (config->mode == MODE_FIXED_RATE)
        printf(" rate=%.0f", config->rate);
    if (config->mode == MODE_CONNECTIONS)
        result_print_scale(&shared->scale);
    else if (config->mode != MODE_THROUGHPUT)
        result_print_latency(&shared->latency);
    if (config->mode == MODE_IDLE)
        printf(" idle_wakeups=%.2f idle_cpu_us=%.1f", shared->idle.wakeups, shared->idle.cpu_us);
}

static void print_result(const struct config *config, const struct shared *shared)
{
    struct result_layout layout = result_layout(config);

    print_identity(config, shared);
    printf(" pattern=%s transport=%s mode=%s size=%zu api=%s hwm=%d", config->pattern->name,
           config->transport, mode_name(config->mode), config->size,
           config->use_msg ? "msg" : "buffer", config->hwm);
    print_variant(config, shared);
    putchar(' ');
    result_print_rates(shared, &layout);
    print_mode(config, shared);
    putchar('\n');
}

/* Raises the limit of open files to what is allowed; returns it. */
static long raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 1024;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_max > 1 << 24 ? 1 << 24 : (long)limit.rlim_max;
}

/* The ROUTER needs one file per connection; each client has few enough of them for several. */
static void fit_into_files(struct config *config, long files)
{
    long room = files - FILES_BESIDES;

    if (config->mode == MODE_POLL && config->poll_sockets > room / FILES_PER_SOCKET)
        fatal(EXIT_UNSUPPORTED, "%d sockets are too many for a limit of %ld open files",
              config->poll_sockets, files);
    if (config->mode != MODE_CONNECTIONS || config->connections <= room)
        return;
    if (room < layout_senders(&config->layout))
        fatal(EXIT_UNSUPPORTED, "the limit of %ld open files is too low", files);
    fprintf(stderr, "zbench: %ld connections instead of %d: the limit of open files is %ld\n", room,
            config->connections, files);
    config->connections = (int)room;
    config->layout.send.sockets = (int)room;
}

static bool is_encrypted(const char *transport)
{
    return strcmp(transport, "tls") == 0 || strcmp(transport, "wss") == 0;
}

int main(int argc, char **argv)
{
    struct config config;
    struct run run = {.config = &config};
    static struct tls_files tls;

    config_parse(&config, argc, argv);
    run.shared = shared_create();
    zapi_load(config.library);
    zapi_identify(run.shared);
    if (config.identify_only) {
        print_identity(&config, run.shared);
        putchar('\n');
        return 0;
    }
    fit_into_files(&config, raise_file_limit());
    if (is_encrypted(config.transport)) {
        tls_files_make(&tls);
        config.tls = &tls;
    }
    if (config_uses_threads(&config))
        run.common_context = new_context(&config);
    peers_run(layout_receivers(&config.layout) + layout_senders(&config.layout),
              config_uses_threads(&config), config.limit_seconds, run_peer, &run);
    print_result(&config, run.shared);
    fflush(stdout);
    _exit(0);
}
