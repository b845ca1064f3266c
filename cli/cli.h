/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What all files of the zlink command share: exit codes, messages to the user, small helpers.
 *
 * The command uses the library only through zmq.h; the few functions that a libzmq may lack are
 * looked up at run time, so the same binary runs on zlink and on stock libzmq. Shared names begin
 * with cli_, so that they cannot meet a zl_ symbol of a statically linked library.
 */
#ifndef ZLINK_CLI_CLI_H
#define ZLINK_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Exit codes, documented in --help. A signal N ends the command with 128 + N. */
enum cli_exit {
    CLI_OK = 0,
    CLI_FAILURE = 1, /* something failed at run time */
    CLI_USAGE = 2,   /* the command line cannot work as it is */
    CLI_TIMEOUT = 3, /* --timeout passed */
};

/* Functions that either settle the exit code or let the caller go on return this for "go on". */
#define CLI_CONTINUE (-1)

/* The commands. argv[0] is the command's name; they return an exit code. */
int cli_send_main(int argc, char **argv);
int cli_recv_main(int argc, char **argv);
int cli_perf_main(int argc, char **argv);
int cli_demo_main(int argc, char **argv);
int cli_cert_main(int argc, char **argv);
int cli_help_main(int argc, char **argv);

/* Prints the help of one command. */
void cli_send_help(void);
void cli_recv_help(void);
void cli_perf_help(void);
void cli_demo_help(void);
void cli_cert_help(void);

/* The overview that `zlink --help` prints. */
void cli_help_overview(void);

/* Names the running command in every later message ("zlink send: ..."). */
void cli_set_command(const char *name);

/* One line on stderr: "zlink COMMAND: ...". */
void cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A second line that says what to do about it: "  hint: ...". */
void cli_hint(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* cli_error + a pointer to --help; returns CLI_USAGE. */
int cli_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Allocation that ends the command with a message instead of returning NULL. */
void *cli_alloc(size_t size);
void *cli_realloc(void *old, size_t size);

/* Monotonic time. */
int64_t cli_now_ms(void);
uint64_t cli_now_ns(void);

/*
 * Decodes \n \t \r \0 \\ \" \xHH. The result is malloc'ed, NUL-terminated for convenience, and
 * *size says how many bytes it has. NULL: the text ends in the middle of an escape.
 */
char *cli_unescape(const char *text, size_t *size);

/* The string of `names` that is closest to `word`, or NULL if none is close: "did you mean". */
const char *cli_closest(const char *word, const char *const *names, size_t count);

/* Reads a whole file (or, for "-", stdin) into malloc'ed memory. 0 or a negative errno. */
int cli_read_file(const char *path, char **data, size_t *size);

/*
 * SIGINT and SIGTERM set a flag and make cli_signal_fd() readable, so that a wait that includes the
 * descriptor cannot miss one. SIGPIPE is ignored: writing to a closed stdout is an error like any.
 */
void cli_signals_install(void);
int cli_signal_fd(void);
int cli_signal(void); /* the signal that came, or 0 */

/* Which library this process runs on. */
struct cli_library {
    bool is_zlink;
    int zmq[3];       /* zmq_version() */
    char name[64];    /* "zlink 0.1.0" or "libzmq 4.3.4" */
    const char *path; /* file it was loaded from, "" if unknown; static storage */
};
void cli_library_identify(struct cli_library *library);

#endif
