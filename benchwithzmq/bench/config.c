/* SPDX-License-Identifier: MPL-2.0 */

/* The command line of zbench. */
#define _GNU_SOURCE
#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peers.h"

#define DEFAULT_HWM 1000
#define QUEUE_BYTES_MAX ((size_t)256 << 20)
#define RATE_STAMP_END 16

static const char *const mode_names[] = {"throughput", "latency", "fixed-rate", "idle"};
static const char *const transports[] = {"tcp", "ipc", "inproc", "ws"};
static const char *const apis[] = {"buffer", "msg"};

#define ONE_OF(name, text, names) one_of(name, text, names, sizeof names / sizeof *names)

static const char help[] =
    "zbench: measures one cell of a ZeroMQ-compatible library and prints it as one line\n"
    "\n"
    "usage: zbench [options]\n"
    "  --lib PATH        library to load (default libzmq.so.5, as the dynamic linker finds it)\n"
    "  --label NAME      what to call it in the result line (default: the file's name)\n"
    "  --identify        print which library that is, and measure nothing\n"
    "  --pattern NAME    pair pushpull dealerrouter routerrouter reqrep pubsub fanout fanin\n"
    "                    duplex (default pair)\n"
    "  --transport NAME  tcp ipc inproc ws (default tcp)\n"
    "  --mode NAME       throughput: messages per second, counted at the receiver (default)\n"
    "                    latency:    round trips, one in flight\n"
    "                    fixed-rate: one-way latency at --rate, from the intended send time\n"
    "                    idle:       round trip after silence, and what silence costs\n"
    "  --size BYTES      message size, at least 1 (default 64)\n"
    "  --api NAME        buffer: zmq_send and zmq_recv (default); msg: zmq_msg_send, zmq_msg_recv\n"
    "  --may-drop        PUB keeps its habit of dropping what a subscriber has no room for; "
    "without\n"
    "                    it, it waits (ZMQ_XPUB_NODROP), as a flood would measure the dropping\n"
    "  --time SECONDS    measured window (default 0.5)\n"
    "  --warmup SECONDS  load before it, not counted (default 0.15)\n"
    "  --rate N          messages per second, for fixed-rate\n"
    "  --silence SECONDS length of one silence, for idle (default 1)\n"
    "  --count N         number of silences, for idle, at least 2 (default 3)\n"
    "  --hwm N           both high-water marks (default: the library's; lowered for large\n"
    "                    messages so that a full queue stays below 256 MiB)\n"
    "  --io-threads N    ZMQ_IO_THREADS of every context\n"
    "  --sockopt ID=INT  an integer socket option by number, on every socket; repeatable\n"
    "  --limit SECONDS   give up after that long (default 30 more than asked to measure)\n"
    "Peers are processes, for inproc threads. Exit codes: 2 usage, 3 unsupported, 4 failed.\n";

enum {
    OPT_LIB = 256,
    OPT_LABEL,
    OPT_IDENTIFY,
    OPT_PATTERN,
    OPT_TRANSPORT,
    OPT_MODE,
    OPT_SIZE,
    OPT_API,
    OPT_MAY_DROP,
    OPT_TIME,
    OPT_WARMUP,
    OPT_RATE,
    OPT_SILENCE,
    OPT_COUNT,
    OPT_HWM,
    OPT_IO_THREADS,
    OPT_SOCKOPT,
    OPT_LIMIT,
    OPT_HELP
};

static const struct option options[] = {
    {"lib", required_argument, NULL, OPT_LIB},
    {"label", required_argument, NULL, OPT_LABEL},
    {"identify", no_argument, NULL, OPT_IDENTIFY},
    {"pattern", required_argument, NULL, OPT_PATTERN},
    {"transport", required_argument, NULL, OPT_TRANSPORT},
    {"mode", required_argument, NULL, OPT_MODE},
    {"size", required_argument, NULL, OPT_SIZE},
    {"api", required_argument, NULL, OPT_API},
    {"may-drop", no_argument, NULL, OPT_MAY_DROP},
    {"time", required_argument, NULL, OPT_TIME},
    {"warmup", required_argument, NULL, OPT_WARMUP},
    {"rate", required_argument, NULL, OPT_RATE},
    {"silence", required_argument, NULL, OPT_SILENCE},
    {"count", required_argument, NULL, OPT_COUNT},
    {"hwm", required_argument, NULL, OPT_HWM},
    {"io-threads", required_argument, NULL, OPT_IO_THREADS},
    {"sockopt", required_argument, NULL, OPT_SOCKOPT},
    {"limit", required_argument, NULL, OPT_LIMIT},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

bool config_uses_threads(const struct config *config)
{
    return strcmp(config->transport, "inproc") == 0;
}

const char *mode_name(enum mode mode)
{
    return mode_names[mode];
}

static double number(const char *name, const char *text, double least, double most)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value >= least && value <= most))
        fatal(EXIT_USAGE, "--%s wants a number from %g to %g, not '%s'", name, least, most, text);
    return value;
}

static size_t one_of(const char *name, const char *text, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(text, names[i]) == 0)
            return i;
    fatal(EXIT_USAGE, "--%s does not know '%s'; see --help", name, text);
}

static void add_sockopt(struct config *config, const char *text)
{
    struct sockopt option;
    char rest;
    if (sscanf(text, "%d=%d%c", &option.id, &option.value, &rest) != 2)
        fatal(EXIT_USAGE, "--sockopt wants NUMBER=INTEGER, not '%s'", text);
    if (config->sockopt_count == MAX_SOCKOPTS)
        fatal(EXIT_USAGE, "at most %d --sockopt", MAX_SOCKOPTS);
    config->sockopts[config->sockopt_count++] = option;
}

static bool take_number(struct config *config, int option, const char *name, const char *value)
{
    switch (option) {
    case OPT_SIZE:
        config->size = (size_t)number(name, value, 1, 1 << 30);
        return true;
    case OPT_TIME:
        config->window_seconds = number(name, value, 0.001, 3600);
        return true;
    case OPT_WARMUP:
        config->warmup_seconds = number(name, value, 0, 3600);
        return true;
    case OPT_RATE:
        config->rate = number(name, value, 0.1, 1e9);
        return true;
    case OPT_SILENCE:
        config->silence_seconds = number(name, value, 0.2, 3600);
        return true;
    case OPT_COUNT:
        config->silences = (int)number(name, value, 2, 1000000);
        return true;
    case OPT_HWM:
        config->hwm = (int)number(name, value, 1, 1 << 30);
        return true;
    case OPT_IO_THREADS:
        config->io_threads = (int)number(name, value, 1, 1024);
        return true;
    case OPT_LIMIT:
        config->limit_seconds = (unsigned)number(name, value, 1, 1000000);
        return true;
    default:
        return false;
    }
}

static void take_option(struct config *config, int option, const char *name, const char *value)
{
    if (take_number(config, option, name, value))
        return;
    switch (option) {
    case OPT_LIB:
        config->library = value;
        break;
    case OPT_LABEL:
        config->label = value;
        break;
    case OPT_IDENTIFY:
        config->identify_only = true;
        break;
    case OPT_PATTERN:
        config->pattern = pattern_find(value);
        if (config->pattern == NULL)
            fatal(EXIT_USAGE, "--pattern does not know '%s'; see --help", value);
        break;
    case OPT_TRANSPORT:
        config->transport = transports[ONE_OF(name, value, transports)];
        break;
    case OPT_MODE:
        config->mode = (enum mode)ONE_OF(name, value, mode_names);
        break;
    case OPT_API:
        config->use_msg = ONE_OF(name, value, apis) == 1;
        break;
    case OPT_MAY_DROP:
        config->may_drop = true;
        break;
    case OPT_SOCKOPT:
        add_sockopt(config, value);
        break;
    case OPT_HELP:
        fputs(help, stdout);
        exit(0);
    default:
        exit(EXIT_USAGE); /* getopt has said what is wrong */
    }
}

static void check_mode(const struct config *config)
{
    bool echoes = config->mode == MODE_LATENCY || config->mode == MODE_IDLE;
    const struct pattern *pattern = config->pattern;

    if (echoes && (pattern->senders + pattern->receivers > 2 || pattern->flags & PATTERN_DUPLEX))
        fatal(EXIT_UNSUPPORTED, "%s has no %s mode", pattern->name, mode_name(config->mode));
    if (config->mode == MODE_FIXED_RATE &&
        (pattern->senders > 1 || pattern->flags & (PATTERN_LOCKSTEP | PATTERN_DUPLEX)))
        fatal(EXIT_UNSUPPORTED, "%s has no fixed-rate mode", pattern->name);
    if (config->mode == MODE_FIXED_RATE && (config->rate <= 0 || config->size < RATE_STAMP_END))
        fatal(EXIT_USAGE, "fixed-rate wants --rate and a --size of %d or more", RATE_STAMP_END);
}

/* The default queue of 1000 messages of 1 MiB, on each side and for each peer, would need
 * gigabytes. */
static void limit_queue(struct config *config)
{
    int peers = config->pattern->senders + config->pattern->receivers - 1;
    size_t most = QUEUE_BYTES_MAX / (size_t)peers / config->size;
    if (config->hwm == 0 && most < DEFAULT_HWM)
        config->hwm = most > 2 ? (int)most : 2;
}

static double seconds_asked(const struct config *config)
{
    if (config->mode == MODE_IDLE)
        return config->warmup_seconds + config->silences * config->silence_seconds;
    return config->warmup_seconds + config->window_seconds;
}

void config_parse(struct config *config, int argc, char **argv)
{
    *config = (struct config){
        .library = "libzmq.so.5",
        .transport = "tcp",
        .pattern = pattern_find("pair"),
        .size = 64,
        .window_seconds = 0.5,
        .warmup_seconds = 0.15,
        .silence_seconds = 1,
        .silences = 3,
    };
    int option, index = 0;
    while ((option = getopt_long(argc, argv, "", options, &index)) != -1)
        take_option(config, option, options[index].name, optarg);
    if (optind != argc)
        fatal(EXIT_USAGE, "'%s' is not an option; see --help", argv[optind]);
    if (config->label == NULL)
        config->label = basename(config->library);
    if (config->limit_seconds == 0)
        config->limit_seconds = 30 + (unsigned)seconds_asked(config);
    check_mode(config);
    limit_queue(config);
}
