/* SPDX-License-Identifier: MPL-2.0 */
/* The parts of zlink demo. */
#ifndef ZLINK_CLI_DEMO_H
#define ZLINK_CLI_DEMO_H

#include <stdbool.h>

struct demo_args {
    double duration;    /* seconds, of each measurement */
    const char *libzmq; /* library to compare with, NULL: the system's */
    bool alone;         /* no comparison */
    bool progress;
};

/* Passes a few messages between processes and threads and prints them. An exit code. */
int demo_show_messages(void);

/* Measures and prints the table. An exit code. */
int demo_table(const struct demo_args *args);

#endif
