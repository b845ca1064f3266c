/* SPDX-License-Identifier: MPL-2.0 */

/* Starting the peers of a run as processes or as threads, and how a run that cannot go on ends. */
#ifndef ZBENCH_PEERS_H
#define ZBENCH_PEERS_H

#include <stdbool.h>

enum exit_code {
    EXIT_USAGE = 2, /* the command line is wrong */
    EXIT_UNSUPPORTED =
        3,           /* this library (or this program) has no such transport, pattern or option */
    EXIT_FAILED = 4, /* something that should work did not, or the time limit passed */
};

/* Prints one line on stderr and ends this process at once, with all its threads. */
_Noreturn void fatal(enum exit_code code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

typedef void peer_body(int index, void *argument);

/*
 * Runs body(0..count-1) side by side, each in a process of its own or each in a thread of this
 * process, and returns when all have returned. When one fails the others are ended and so is this
 * process, with its exit code. The processes never outlive this one. limit_seconds: after that the
 * run is given up (EXIT_FAILED).
 */
void peers_run(int count, bool threads, unsigned limit_seconds, peer_body *body, void *argument);

#endif
