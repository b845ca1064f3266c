/* SPDX-License-Identifier: MPL-2.0 */

/*
 * zbench: one cell (library, pattern, transport, mode, size) measured and printed as one line.
 *
 * Sockets and contexts are left to the end of the process: when the load is over everything has
 * been measured, and a library that does not come back from its termination (as libzmq 4.3.4 now
 * and then, with a long queue on a subscriber) must not cost the measurement.
 */
#include <stdio.h>
#include <unistd.h>

#include "config.h"
#include "load.h"
#include "peers.h"
#include "result.h"
#include "shared.h"
#include "zapi.h"

struct run {
    const struct config *config;
    struct shared *shared;
    void *common_context; /* NULL where each peer has its own */
};

static load *const loads[] = {load_throughput, load_latency, load_fixed_rate, load_idle};

static void *new_context(const struct config *config)
{
    void *context = z.ctx_new();
    if (context == NULL)
        fatal(EXIT_FAILED, "zmq_ctx_new: %s", z.strerror(z.get_errno()));
    if (config->io_threads > 0 && z.ctx_set(context, ZMQ_IO_THREADS, config->io_threads) != 0)
        fatal(EXIT_FAILED, "ZMQ_IO_THREADS=%d is not accepted", config->io_threads);
    return context;
}

static load *choose_load(const struct config *config)
{
    if (config->mode == MODE_THROUGHPUT && config->pattern->flags & PATTERN_DUPLEX)
        return load_duplex;
    return loads[config->mode];
}

static void run_peer(int index, void *argument)
{
    const struct run *run = argument;
    const struct config *config = run->config;
    struct peer peer = {
        .config = config,
        .shared = run->shared,
        .index = index,
        .sender = index >= config->pattern->receivers,
        .context = run->common_context != NULL ? run->common_context : new_context(config),
    };
    struct channel_setup setup = {
        .config = config,
        .shared = run->shared,
        .context = peer.context,
        .sender = peer.sender,
        .both_ways = config->mode == MODE_LATENCY || config->mode == MODE_IDLE,
        .number = index,
    };

    channel_open(&peer.channel, &setup);
    choose_load(config)(&peer);
    meter_finish(&peer.meter);
}

static void print_identity(const struct config *config, const struct shared *shared)
{
    printf("lib=%s implementation=%s version=%s file=%s", config->label, shared->implementation,
           shared->version, shared->library);
}

static void print_result(const struct config *config, const struct shared *shared)
{
    const struct pattern *pattern = config->pattern;
    struct result_layout layout = {
        .receivers = (unsigned)pattern->receivers,
        .senders = (unsigned)pattern->senders,
        .size = (double)config->size,
        .duplex = (pattern->flags & PATTERN_DUPLEX) != 0,
    };

    print_identity(config, shared);
    printf(" pattern=%s transport=%s mode=%s size=%zu api=%s hwm=%d ", pattern->name,
           config->transport, mode_name(config->mode), config->size,
           config->use_msg ? "msg" : "buffer", config->hwm);
    result_print_rates(shared, &layout);
    if (config->mode == MODE_FIXED_RATE)
        printf(" rate=%.0f", config->rate);
    if (config->mode != MODE_THROUGHPUT)
        result_print_latency(&shared->latency);
    if (config->mode == MODE_IDLE)
        printf(" idle_wakeups=%.2f idle_cpu_us=%.1f", shared->idle.wakeups, shared->idle.cpu_us);
    putchar('\n');
}

int main(int argc, char **argv)
{
    struct config config;
    struct run run = {.config = &config};

    config_parse(&config, argc, argv);
    run.shared = shared_create();
    zapi_load(config.library);
    zapi_identify(run.shared);
    if (config.identify_only) {
        print_identity(&config, run.shared);
        putchar('\n');
        return 0;
    }
    if (config_uses_threads(&config))
        run.common_context = new_context(&config);
    peers_run(config.pattern->senders + config.pattern->receivers, config_uses_threads(&config),
              config.limit_seconds, run_peer, &run);
    print_result(&config, run.shared);
    fflush(stdout);
    _exit(0);
}
