/* SPDX-License-Identifier: MPL-2.0 */
/* zlink perf: the command line. */
#include "cli.h"
#include "options.h"
#include "perf.h"
#include "session.h"

#include <stdio.h>
#include <string.h>
#include <zmq.h>

#define FIELD(name) offsetof(struct perf_args, name)

static const struct cli_opt perf_opts[] = {
    {CLI_SECTION, "What to measure:", 0, 0, NULL, NULL},
    {CLI_TEXT, "transport", 't', FIELD(transport), "NAME",
     "tcp, ipc, inproc, tls, ws, wss, or an endpoint such as\n"
     "tcp://127.0.0.1:5555 (default tcp)"},
    {CLI_TEXT, "pattern", 'p', FIELD(pattern_name), "NAME",
     "pair, push, req, dealer-router or pub (default pair)"},
    {CLI_SIZE, "size", 's', FIELD(size), "BYTES", "message size (default 64; k, M, G allowed)"},
    {CLI_FLAG, "throughput", 0, FIELD(throughput), NULL, "only throughput"},
    {CLI_FLAG, "latency", 0, FIELD(latency), NULL,
     "only round-trip times (default: both measurements)"},
    {CLI_SECTION, "How long:", 0, 0, NULL, NULL},
    {CLI_SECONDS, "duration", 'd', FIELD(duration), "SECONDS", "of each measurement (default 2)"},
    {CLI_COUNT, "count", 'n', FIELD(count), "N", "messages or round trips, instead of a duration"},
    {CLI_COUNT, "warmup", 0, FIELD(warmup), "N",
     "messages before counting begins (default: up to 10000 and\n"
     "64 MiB, a tenth of that for round trips)"},
    {CLI_SECTION, "How:", 0, 0, NULL, NULL},
    {CLI_FLAG, "process", 0, FIELD(process), NULL,
     "the two sides are processes (default, except for inproc)"},
    {CLI_FLAG, "threads", 0, FIELD(threads), NULL,
     "the two sides are threads of one process (default for inproc)"},
    {CLI_NUMBER, "hwm", 0, FIELD(hwm), "N", "high-water marks (default 1000)"},
    {CLI_NUMBER, "io-threads", 0, FIELD(io_threads), "N", "background threads of each side"},
    {CLI_LIST, "option", 'o', FIELD(options), "NAME=VALUE",
     "any socket option, for all sockets (repeatable)"},
    {CLI_NUMBER, "timeout", 0, FIELD(timeout), "MS",
     "give up after so long without any message (default 10000)"},
    {CLI_SECTION, "Output:", 0, 0, NULL, NULL},
    {CLI_FLAG, "json", 'j', FIELD(json), NULL, "one JSON object"},
    {CLI_FLAG, "progress", 0, FIELD(progress), NULL,
     "show progress on stderr (default: if that is a terminal and\n"
     "it takes longer than two seconds)"},
    {CLI_END, NULL, 0, 0, NULL, NULL},
};

static const struct cli_command perf_command = {
    .name = "perf",
    .synopsis = "[options]",
    .summary = "Measures how many messages per second pass between two sockets, and how long a "
               "message\ntakes there and back.",
    .tables = {perf_opts, cli_tls_opts, NULL},
    .notes =
        "Throughput: one side sends as fast as it can, the other counts; the time runs from the\n"
        "last warm-up message to the last message counted. pub waits for its\n"
        "subscriber (xpub_nodrop) instead of dropping. req: one request and its reply at a time.\n"
        "Round trips: one message at a time; percentiles are exact, from every sample.\n"
        "CPU time per message covers the whole process of each side with all its threads; with\n"
        "--threads it covers the calling thread of each side, and 'total' the process.\n"
        "tls, wss: without --tls-cert both sides get certificates that are made for the\n"
        "measurement, in memory only, and checked as any.\n"
        "\n"
        "Statistics: what either side's sockets did during the measurement, counted by zlink "
        "itself\n"
        "(another libzmq has none). Lines that say nothing are left out.\n"
        "  writes at once taken whole      of the writes that a sender made right in its call, "
        "those\n"
        "                                  that needed no second one: under 100 % the receiver is\n"
        "                                  slower, or sndbuf and rcvbuf are small\n"
        "  messages per gathered write     of the writes that ended several messages: short "
        "messages\n"
        "                                  of a stream share a system call\n"
        "  writes that would block         the kernel did not take all: the receiver is behind\n"
        "  bytes copied per byte sent      near 1 for short messages, 0 for long ones, which go "
        "from\n"
        "                                  where they lie unless the kernel refuses them\n"
        "  short waits paid / unpaid       looks before going to sleep that found something in "
        "time,\n"
        "                                  and those after which the thread slept all the same\n"
        "  still queued to send / receive  messages in the queues at the end; near the high-water\n"
        "                                  mark the other side is slower\n"
        "  messages dropped                at the high-water mark; 0 unless an option allows it\n"
        "\n" CLI_EXIT_CODES "\nExamples:\n"
        "  zlink perf\n"
        "  zlink perf --transport ipc --pattern push --size 1k --throughput\n"
        "  zlink perf --transport inproc --latency --count 100k\n"
        "  zlink perf --transport tls --tls-min-version 1.3\n"
        "  taskset -c 0 zlink perf --transport tcp --pattern req --json\n"
        "  zlink perf --option sndbuf=1000000 --option rcvbuf=1000000 --size 64k\n",
};

static const struct perf_pattern patterns[] = {
    {.name = "pair", .near_type = ZMQ_PAIR, .far_type = ZMQ_PAIR, .two_way = true},
    {.name = "push", .near_type = ZMQ_PUSH, .far_type = ZMQ_PULL},
    {.name = "req", .near_type = ZMQ_REQ, .far_type = ZMQ_REP, .two_way = true, .lockstep = true},
    {.name = "dealer-router",
     .near_type = ZMQ_DEALER,
     .far_type = ZMQ_ROUTER,
     .two_way = true,
     .routed = true},
    {.name = "pub", .near_type = ZMQ_PUB, .far_type = ZMQ_SUB, .subscribed = true},
};

enum { PATTERN_COUNT = sizeof patterns / sizeof *patterns };

void cli_perf_help(void)
{
    cli_args_help(&perf_command);
}

static const struct perf_pattern *find_pattern(const char *name)
{
    for (size_t i = 0; i < PATTERN_COUNT; i++)
        if (strcmp(patterns[i].name, name) == 0)
            return &patterns[i];
    return NULL;
}

static int check_transport(const struct perf_args *args)
{
    const char *endpoint = perf_endpoint(args->transport);
    const struct cli_tls_args *tls = &args->tls_args;
    if (!endpoint)
        return cli_usage("--transport must be tcp, ipc, inproc, tls, ws, wss or an endpoint, not "
                         "'%s'",
                         args->transport);
    if (cli_tls_is_used(endpoint) && !tls->certificate &&
        (tls->ca || tls->hostname || tls->trust_system))
        return cli_usage("--tls-ca, --tls-trust-system and --tls-hostname need --tls-cert: without "
                         "it, both sides get certificates made for the measurement");
    if (!tls->certificate && tls->require_client_cert && cli_tls_is_used(endpoint))
        return CLI_CONTINUE; /* there will be a CA to go with it */
    return cli_tls_check(tls, endpoint);
}

static int check(struct perf_args *args)
{
    args->pattern = find_pattern(args->pattern_name);
    if (!args->pattern)
        return cli_usage("--pattern must be pair, push, req, dealer-router or pub, not '%s'",
                         args->pattern_name);
    if (args->threads && args->process)
        return cli_usage("--threads and --process exclude each other");
    if (args->process && perf_in_process(args))
        return cli_usage("inproc connects threads of one process; leave out --process");
    if (args->count == 0)
        return cli_usage("--count must be at least 1");
    if (!args->latency && !args->throughput)
        args->latency = args->throughput = true;
    int rc = check_transport(args);
    return rc == CLI_CONTINUE ? cli_options_check(&args->options) : rc;
}

static int measure(const struct perf_args *args)
{
    struct perf_run throughput = {0};
    struct perf_run latency = {0};
    int rc = CLI_OK;
    if (args->throughput)
        rc = perf_measure(args, false, &throughput);
    if (rc == CLI_OK && args->latency)
        rc = perf_measure(args, true, &latency);
    if (rc == CLI_OK)
        (args->json ? perf_report_json : perf_report_text)(
            args, args->throughput ? &throughput : NULL, args->latency ? &latency : NULL);
    perf_release(&throughput);
    perf_release(&latency);
    return rc;
}

static int run(struct perf_args *args)
{
    int rc = perf_tls_open(&args->tls, &args->tls_args, perf_endpoint(args->transport));
    if (rc == CLI_CONTINUE)
        rc = measure(args);
    perf_tls_close(&args->tls);
    return rc;
}

int cli_perf_main(int argc, char **argv)
{
    struct perf_args args = {
        .transport = "tcp",
        .pattern_name = "pair",
        .size = 64,
        .count = -1,
        .duration = 2,
        .warmup = -1,
        .hwm = CLI_UNSET,
        .io_threads = CLI_UNSET,
        .timeout = 10000,
    };
    int rc = cli_args_parse(&perf_command, &args, NULL, argc, argv);
    if (rc == CLI_CONTINUE)
        rc = check(&args);
    if (rc == CLI_CONTINUE)
        rc = run(&args);
    cli_args_free(&perf_command, &args);
    return rc;
}
