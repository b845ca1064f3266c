/* SPDX-License-Identifier: MPL-2.0 */

/* The command line of zbench. */
#define _GNU_SOURCE
#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "help.h"
#include "peers.h"
#include "shared.h"

#define DEFAULT_HWM 1000
#define QUEUE_BYTES_MAX ((size_t)256 << 20)
#define MESSAGE_OVERHEAD 128 /* bytes in a queue besides the payload */
#define LIMIT_SECONDS 30
#define LIMIT_SECONDS_SCALE 120 /* opening ten thousand connections may take its time */
#define CLIENT_PROCESSES 4
#define OPTION_BASE 256 /* what getopt returns for the first option */

static const char *const mode_names[MODE_COUNT] = {"throughput",  "latency", "fixed-rate", "idle",
                                                   "connections", "churn",   "poll"};
static const char *const transports[] = {"tcp", "ipc", "inproc", "ws", "wss", "tls"};
static const char *const apis[] = {"buffer", "msg"};

#define ONE_OF(name, text, names) one_of(name, text, names, sizeof names / sizeof *names)

typedef void take(struct config *config, const char *name, const char *value);

enum kind { KIND_FLAG, KIND_TEXT, KIND_INT, KIND_UNSIGNED, KIND_SIZE, KIND_REAL, KIND_OTHER };

/* An option either goes into the field at `offset` by its kind, or is taken by a function. */
struct entry {
    const char *name;
    enum kind kind;
    size_t offset;
    double least, most;
    take *take;
};

bool config_uses_threads(const struct config *config)
{
    return strcmp(config->transport, "inproc") == 0;
}

const char *mode_name(enum mode mode)
{
    return mode_names[mode];
}

bool mode_is_scale(enum mode mode)
{
    return mode == MODE_CONNECTIONS || mode == MODE_CHURN || mode == MODE_POLL;
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

static void add_sockopt(struct config *config, const char *name, const char *text, bool optional)
{
    struct sockopt option = {.optional = optional};
    char rest;
    if (sscanf(text, "%d=%d%c", &option.id, &option.value, &rest) != 2)
        fatal(EXIT_USAGE, "--%s wants NUMBER=INTEGER, not '%s'", name, text);
    if (config->sockopt_count == MAX_SOCKOPTS)
        fatal(EXIT_USAGE, "at most %d socket options", MAX_SOCKOPTS);
    config->sockopts[config->sockopt_count++] = option;
}

static void take_sockopt(struct config *config, const char *name, const char *value)
{
    add_sockopt(config, name, value, false);
}

static void take_optional_sockopt(struct config *config, const char *name, const char *value)
{
    add_sockopt(config, name, value, true);
}

static void take_pattern(struct config *config, const char *name, const char *value)
{
    config->pattern = pattern_find(value);
    if (config->pattern == NULL)
        fatal(EXIT_USAGE, "--%s does not know '%s'; see --help", name, value);
}

static void take_transport(struct config *config, const char *name, const char *value)
{
    config->transport = transports[ONE_OF(name, value, transports)];
}

static void take_mode(struct config *config, const char *name, const char *value)
{
    config->mode = (enum mode)ONE_OF(name, value, mode_names);
}

static void take_api(struct config *config, const char *name, const char *value)
{
    config->use_msg = ONE_OF(name, value, apis) == 1;
}

_Noreturn static void take_help(struct config *config, const char *name, const char *value)
{
    (void)config, (void)name, (void)value;
    fputs(zbench_help, stdout);
    exit(0);
}

#define FIELD(field) offsetof(struct config, field)

static const struct entry entries[] = {
    {"lib", KIND_TEXT, FIELD(library), 0, 0, NULL},
    {"label", KIND_TEXT, FIELD(label), 0, 0, NULL},
    {"identify", KIND_FLAG, FIELD(identify_only), 0, 0, NULL},
    {"pattern", KIND_OTHER, 0, 0, 0, take_pattern},
    {"transport", KIND_OTHER, 0, 0, 0, take_transport},
    {"mode", KIND_OTHER, 0, 0, 0, take_mode},
    {"size", KIND_SIZE, FIELD(size), 1, 1 << 30, NULL},
    {"api", KIND_OTHER, 0, 0, 0, take_api},
    {"sockets", KIND_INT, FIELD(sockets), 1, MAX_GROUPS, NULL},
    {"peers", KIND_INT, FIELD(peers), 1, 4096, NULL},
    {"slow", KIND_FLAG, FIELD(slow), 0, 0, NULL},
    {"may-drop", KIND_FLAG, FIELD(may_drop), 0, 0, NULL},
    {"connections", KIND_INT, FIELD(connections), CLIENT_PROCESSES, 1000000, NULL},
    {"poll-sockets", KIND_INT, FIELD(poll_sockets), 1, 60000, NULL},
    {"time", KIND_REAL, FIELD(window_seconds), 0.001, 3600, NULL},
    {"warmup", KIND_REAL, FIELD(warmup_seconds), 0, 3600, NULL},
    {"rate", KIND_REAL, FIELD(rate), 0.1, 1e9, NULL},
    {"silence", KIND_REAL, FIELD(silence_seconds), 0.2, 3600, NULL},
    {"count", KIND_INT, FIELD(silences), 2, 1000000, NULL},
    {"hwm", KIND_INT, FIELD(hwm), 1, 1 << 30, NULL},
    {"hwm-up-to", KIND_INT, FIELD(hwm_up_to), 1, 1 << 30, NULL},
    {"io-threads", KIND_INT, FIELD(io_threads), 1, 1024, NULL},
    {"sockopt", KIND_OTHER, 0, 0, 0, take_sockopt},
    {"try-sockopt", KIND_OTHER, 0, 0, 0, take_optional_sockopt},
    {"limit", KIND_UNSIGNED, FIELD(limit_seconds), 1, 1000000, NULL},
    {"help", KIND_FLAG, 0, 0, 0, take_help},
};

enum { ENTRIES = sizeof entries / sizeof *entries };

static void take_option(struct config *config, const struct entry *entry, const char *value)
{
    void *field = (char *)config + entry->offset;
    double least = entry->least, most = entry->most;

    if (entry->take != NULL) {
        entry->take(config, entry->name, value);
        return;
    }
    switch (entry->kind) {
    case KIND_FLAG:
        *(bool *)field = true;
        break;
    case KIND_TEXT:
        *(const char **)field = value;
        break;
    case KIND_INT:
        *(int *)field = (int)number(entry->name, value, least, most);
        break;
    case KIND_UNSIGNED:
        *(unsigned *)field = (unsigned)number(entry->name, value, least, most);
        break;
    case KIND_SIZE:
        *(size_t *)field = (size_t)number(entry->name, value, least, most);
        break;
    case KIND_REAL:
        *(double *)field = number(entry->name, value, least, most);
        break;
    case KIND_OTHER:
        break;
    }
}

static void read_options(struct config *config, int argc, char **argv)
{
    struct option options[ENTRIES + 1] = {{0}};
    int option;

    for (int i = 0; i < ENTRIES; i++) {
        options[i].name = entries[i].name;
        options[i].has_arg = entries[i].kind == KIND_FLAG ? no_argument : required_argument;
        options[i].val = OPTION_BASE + i;
    }
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option < OPTION_BASE)
            exit(EXIT_USAGE); /* getopt has said what is wrong */
        take_option(config, &entries[option - OPTION_BASE], optarg);
    }
    if (optind != argc)
        fatal(EXIT_USAGE, "'%s' is not an option; see --help", argv[optind]);
}

/* 0 means: as usual. Which of the sides is the many one, the pattern tells. */
static void take_peers(struct layout *layout, const struct pattern *pattern, int peers)
{
    if (peers == 0)
        return;
    if (!(pattern->flags & PATTERN_MANY))
        fatal(EXIT_UNSUPPORTED, "--peers is for fanout and fanin");
    if (pattern->flags & PATTERN_SENDER_BINDS)
        layout->receive = layout_share(peers);
    else
        layout->send = layout_share(peers);
}

static void make_layout(struct config *config)
{
    const struct pattern *pattern = config->pattern;

    config->layout = (struct layout){
        .groups = config->sockets,
        .receive = layout_share(pattern->receivers),
        .send = layout_share(pattern->senders),
    };
    take_peers(&config->layout, pattern, config->peers);
    if (config->mode == MODE_CONNECTIONS)
        config->layout.send = (struct layout_side){config->connections, CLIENT_PROCESSES};
    if (config->mode == MODE_POLL)
        config->layout.receive = (struct layout_side){config->poll_sockets, 1};
    if (layout_receivers(&config->layout) + layout_senders(&config->layout) > MAX_PEERS)
        fatal(EXIT_USAGE, "more than %d processes: use fewer --sockets", MAX_PEERS);
}

static void check_mode(const struct config *config)
{
    bool echoes = config->mode == MODE_LATENCY || config->mode == MODE_IDLE;
    const struct pattern *pattern = config->pattern;
    const char *name = mode_name(config->mode);

    if (echoes && pattern->flags & (PATTERN_MANY | PATTERN_DUPLEX))
        fatal(EXIT_UNSUPPORTED, "%s has no %s mode", pattern->name, name);
    if (config->mode == MODE_FIXED_RATE &&
        (pattern->senders > 1 || pattern->flags & (PATTERN_LOCKSTEP | PATTERN_DUPLEX)))
        fatal(EXIT_UNSUPPORTED, "%s has no fixed-rate mode", pattern->name);
    if (config->mode == MODE_FIXED_RATE && (config->rate <= 0 || config->size < RATE_STAMP_END))
        fatal(EXIT_USAGE, "fixed-rate wants --rate and a --size of %d or more", RATE_STAMP_END);
    if (mode_is_scale(config->mode) && strcmp(pattern->name, "dealerrouter") != 0)
        fatal(EXIT_UNSUPPORTED, "%s is measured with --pattern dealerrouter", name);
    if (config->mode == MODE_CONNECTIONS && config_uses_threads(config))
        fatal(EXIT_UNSUPPORTED, "inproc has no accepted connections");
}

static void check_numbers(const struct config *config)
{
    if (config->sockets > 1 && config->mode != MODE_THROUGHPUT)
        fatal(EXIT_UNSUPPORTED, "--sockets is for throughput");
    if (config->slow &&
        (config->mode != MODE_THROUGHPUT || strcmp(config->pattern->name, "fanout") != 0 ||
         config->layout.receive.sockets < 2))
        fatal(EXIT_UNSUPPORTED, "--slow is for the throughput of fanout with 2 --peers or more");
}

/* The default queue of 1000 messages of 1 MiB, on each side and for each peer, would need
 * gigabytes. */
static void limit_queue(struct config *config)
{
    const struct layout *layout = &config->layout;
    int peers = layout->groups * (layout->send.sockets + layout->receive.sockets - 1);
    size_t most = QUEUE_BYTES_MAX / (size_t)peers / (config->size + MESSAGE_OVERHEAD);
    size_t wanted = config->hwm_up_to > 0 ? (size_t)config->hwm_up_to : DEFAULT_HWM;

    if (config->hwm > 0 || (config->hwm_up_to == 0 && most >= wanted))
        return;
    if (wanted > most)
        wanted = most;
    config->hwm = wanted > 2 ? (int)wanted : 2;
}

static double seconds_asked(const struct config *config)
{
    if (config->mode == MODE_IDLE)
        return config->warmup_seconds + config->silences * config->silence_seconds;
    return config->warmup_seconds + config->window_seconds;
}

static void fill_in(struct config *config)
{
    unsigned more = mode_is_scale(config->mode) ? LIMIT_SECONDS_SCALE : LIMIT_SECONDS;

    if (config->label == NULL)
        config->label = basename(config->library);
    if (config->limit_seconds == 0)
        config->limit_seconds = more + (unsigned)seconds_asked(config);
    if (config->slow)
        config->may_drop = true; /* who waits for a subscriber that reads nothing waits for ever */
    if (config->pattern == NULL)
        config->pattern = pattern_find(mode_is_scale(config->mode) ? "dealerrouter" : "pair");
}

void config_parse(struct config *config, int argc, char **argv)
{
    *config = (struct config){
        .library = "libzmq.so.5",
        .transport = "tcp",
        .size = 64,
        .sockets = 1,
        .connections = 10000,
        .poll_sockets = 1000,
        .window_seconds = 0.5,
        .warmup_seconds = 0.15,
        .silence_seconds = 1,
        .silences = 3,
    };
    read_options(config, argc, argv);
    fill_in(config);
    check_mode(config);
    make_layout(config);
    check_numbers(config);
    if (!mode_is_scale(config->mode))
        limit_queue(config);
}
