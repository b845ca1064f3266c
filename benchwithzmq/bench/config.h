/* SPDX-License-Identifier: MPL-2.0 */

/* What one zbench run is asked to do: its command line. */
#ifndef ZBENCH_CONFIG_H
#define ZBENCH_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "layout.h"
#include "pattern.h"

#define MAX_SOCKOPTS 16
#define RATE_STAMP_END 16 /* a message of a fixed-rate load holds its time stamp up to here */

enum mode {
    MODE_THROUGHPUT,
    MODE_LATENCY,
    MODE_FIXED_RATE,
    MODE_IDLE,
    MODE_CONNECTIONS,
    MODE_CHURN,
    MODE_POLL,
    MODE_COUNT
};

struct sockopt {
    int id, value;
    bool optional; /* a library that does not know it is measured without */
};

struct tls_files;

struct config {
    const char *library;
    const char *label;     /* goes into the result line as lib=... */
    const char *transport; /* the part of an endpoint before :// */
    const struct pattern *pattern;
    enum mode mode;
    bool identify_only;
    bool slow;     /* one subscriber reads nothing */
    bool may_drop; /* PUB drops what a subscriber has no room for, instead of waiting */
    bool use_msg;  /* zmq_msg_t calls instead of zmq_send and zmq_recv */
    size_t size;
    int sockets;      /* independent groups of peers at once */
    int peers;        /* of the many side of fanout and fanin; 0: as the pattern says */
    int connections;  /* MODE_CONNECTIONS */
    int poll_sockets; /* MODE_POLL */
    double window_seconds, warmup_seconds, silence_seconds;
    double rate;   /* messages per second, MODE_FIXED_RATE */
    int silences;  /* MODE_IDLE */
    int hwm;       /* 0: left at the library's default */
    int hwm_up_to; /* 0: as above; else this many, or what fits */
    int io_threads;
    unsigned limit_seconds;
    int sockopt_count;
    struct sockopt sockopts[MAX_SOCKOPTS];
    struct layout layout;
    const struct tls_files *tls; /* NULL: the transport is not encrypted */
};

/* inproc peers live in one process and share a context. */
bool config_uses_threads(const struct config *config);

const char *mode_name(enum mode mode);

/* Connections, churn and poll: many DEALER sockets and one ROUTER, opened by the load itself. */
bool mode_is_scale(enum mode mode);

/* Reads the command line; on a mistake says what is wrong and ends the program. */
void config_parse(struct config *config, int argc, char **argv);

#endif
