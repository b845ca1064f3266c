/* SPDX-License-Identifier: MPL-2.0 */
/* Running this same program once more, on another library if need be. */
#ifndef ZLINK_CLI_CHILD_H
#define ZLINK_CLI_CHILD_H

#include <stdbool.h>

/*
 * Runs this program with the arguments (argv[0] is not looked at) and, unless `preload` is NULL,
 * with that library in front of all others. Stores what it writes to stdout in *output, malloc'ed
 * and NUL-terminated. Its stderr is ours, or discarded if `quiet`. Returns its exit code (128 +
 * signal if it was killed) or a negative errno. A signal to us ends it.
 */
int cli_child_run(const char *const argv[], const char *preload, bool quiet, char **output);

/*
 * The path of a stock libzmq of this machine that this program can run on, in malloc'ed memory, or
 * NULL. `given` (may be NULL) is tried alone. *name becomes, malloc'ed, how it calls itself.
 */
char *cli_child_find_libzmq(const char *given, char **name);

#endif
