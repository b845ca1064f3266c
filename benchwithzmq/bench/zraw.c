/* SPDX-License-Identifier: MPL-2.0 */

/* zraw: the raw-socket ceiling of one cell, printed as one line with the same keys as zbench. */
#define _GNU_SOURCE
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peers.h"
#include "raw.h"
#include "rawtls.h"
#include "result.h"

#define LIMIT_SECONDS 30

static const char help[] =
    "zraw: measures what plain sockets can do, as a ceiling for zbench, and prints it as one line\n"
    "\n"
    "usage: zraw [options]\n"
    "  --transport NAME   tcp, ipc, tls or ws (default tcp); tls: SSL_write and SSL_read of 16 "
    "KiB\n"
    "                     records over tcp, TLS 1.3, AES-256-GCM; ws: tcp, and the client (who\n"
    "                     sends) masks what the server unmasks\n"
    "  --mode NAME        throughput: frames gathered into 64 KiB writes, parsed and copied out\n"
    "                     latency:    round trips with blocking send and recv\n"
    "  --size BYTES       message size, at least 1 (default 64)\n"
    "  --time SECONDS     measured window (default 0.5)\n"
    "  --warmup SECONDS   load before it, not counted (default 0.15)\n"
    "  --gather-below N   messages this large are written from where they are (default 32768)\n"
    "  --spin N           latency: non-blocking reads before each blocking one (default 0)\n";

enum {
    OPT_TRANSPORT = 256,
    OPT_MODE,
    OPT_SIZE,
    OPT_TIME,
    OPT_WARMUP,
    OPT_GATHER,
    OPT_SPIN,
    OPT_HELP
};

static const struct option options[] = {
    {"transport", required_argument, NULL, OPT_TRANSPORT},
    {"mode", required_argument, NULL, OPT_MODE},
    {"size", required_argument, NULL, OPT_SIZE},
    {"time", required_argument, NULL, OPT_TIME},
    {"warmup", required_argument, NULL, OPT_WARMUP},
    {"gather-below", required_argument, NULL, OPT_GATHER},
    {"spin", required_argument, NULL, OPT_SPIN},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

static const char *const transports[] = {"tcp", "ipc", "ws", "tls"};
static const enum raw_layer layers[] = {RAW_PLAIN, RAW_PLAIN, RAW_MASKED, RAW_TLS};
static const char *const modes[] = {"throughput", "latency"};

#define ONE_OF(name, text, names) one_of(name, text, names, sizeof names / sizeof *names)

static size_t one_of(const char *name, const char *text, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(text, names[i]) == 0)
            return i;
    fatal(EXIT_UNSUPPORTED, "--%s does not know '%s'; see --help", name, text);
}

static void take_transport(struct raw_run *run, const char *name, const char *value)
{
    size_t i = ONE_OF(name, value, transports);
    run->transport = transports[i];
    run->layer = layers[i];
}

static double number(const char *name, const char *text, double least)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value >= least && value <= 1 << 30))
        fatal(EXIT_USAGE, "--%s wants a number of at least %g, not '%s'", name, least, text);
    return value;
}

static void take_option(struct raw_run *run, int option, const char *name, const char *value)
{
    switch (option) {
    case OPT_TRANSPORT:
        take_transport(run, name, value);
        break;
    case OPT_MODE:
        run->latency = ONE_OF(name, value, modes) == 1;
        break;
    case OPT_SIZE:
        run->size = (size_t)number(name, value, 1);
        break;
    case OPT_TIME:
        run->window_seconds = number(name, value, 0.001);
        break;
    case OPT_WARMUP:
        run->warmup_seconds = number(name, value, 0);
        break;
    case OPT_GATHER:
        run->gather_below = (size_t)number(name, value, 0);
        break;
    case OPT_SPIN:
        run->spin = (unsigned)number(name, value, 0);
        break;
    case OPT_HELP:
        fputs(help, stdout);
        exit(0);
    default:
        exit(EXIT_USAGE); /* getopt has said what is wrong */
    }
}

static void parse(struct raw_run *run, int argc, char **argv)
{
    int option, index = 0;
    while ((option = getopt_long(argc, argv, "", options, &index)) != -1)
        take_option(run, option, options[index].name, optarg);
    if (optind != argc)
        fatal(EXIT_USAGE, "'%s' is not an option; see --help", argv[optind]);
}

static void run_peer(int index, void *argument)
{
    const struct raw_run *run = argument;
    struct raw_peer peer = {.run = run, .index = index, .fd = run->socket[index]};
    struct meter_setup setup = {
        .shared = run->shared,
        .index = index,
        .judge = run->latency ? index == 1 : index == 0,
        .warmup_seconds = run->warmup_seconds,
        .window_seconds = run->window_seconds,
    };

    if (run->layer == RAW_TLS)
        peer.tls = rawtls_open(peer.fd, index == 0);
    meter_start(&peer.meter, &setup);
    if (run->latency)
        raw_pingpong(&peer);
    else
        raw_flood(&peer);
    meter_finish(&peer.meter);
}

int main(int argc, char **argv)
{
    struct raw_run run = {
        .transport = "tcp",
        .size = 64,
        .gather_below = 32768,
        .window_seconds = 0.5,
        .warmup_seconds = 0.15,
    };
    struct result_layout layout = {.receivers = 1, .senders = 1, .sinks = 1};

    parse(&run, argc, argv);
    run.shared = shared_create();
    raw_connect(&run);
    if (run.layer == RAW_TLS)
        rawtls_prepare();
    counter_set(&run.shared->phase,
                PHASE_WARM); /* connected beforehand: there is nothing to agree on */
    peers_run(2, false, LIMIT_SECONDS + (unsigned)(run.window_seconds + run.warmup_seconds),
              run_peer, &run);
    layout.size = (double)run.size;
    printf("lib=raw implementation=sockets transport=%s mode=%s size=%zu ", run.transport,
           run.latency ? "latency" : "throughput", run.size);
    result_print_rates(run.shared, &layout);
    if (run.latency)
        result_print_latency(&run.shared->latency);
    putchar('\n');
    return 0;
}
