/* SPDX-License-Identifier: MPL-2.0 */

/* What one zbench run is asked to do: its command line. */
#ifndef ZBENCH_CONFIG_H
#define ZBENCH_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pattern.h"

#define MAX_SOCKOPTS 16

enum mode { MODE_THROUGHPUT, MODE_LATENCY, MODE_FIXED_RATE, MODE_IDLE };

struct sockopt {
    int id, value;
};

struct config {
    const char *library;
    const char *label;     /* goes into the result line as lib=... */
    const char *transport; /* the part of an endpoint before :// */
    const struct pattern *pattern;
    enum mode mode;
    bool identify_only;
    bool may_drop; /* PUB drops what a subscriber has no room for, instead of waiting */
    bool use_msg;  /* zmq_msg_t calls instead of zmq_send and zmq_recv */
    size_t size;
    double window_seconds, warmup_seconds, silence_seconds;
    double rate;  /* messages per second, MODE_FIXED_RATE */
    int silences; /* MODE_IDLE */
    int hwm;      /* 0: left at the library's default */
    int io_threads;
    unsigned limit_seconds;
    int sockopt_count;
    struct sockopt sockopts[MAX_SOCKOPTS];
};

/* inproc peers live in one process and share a context. */
bool config_uses_threads(const struct config *config);

const char *mode_name(enum mode mode);

/* Reads the command line; on a mistake says what is wrong and ends the program. */
void config_parse(struct config *config, int argc, char **argv);

#endif
