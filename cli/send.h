/* SPDX-License-Identifier: MPL-2.0 */
/* The parts of `zlink send`. */
#ifndef ZLINK_CLI_SEND_H
#define ZLINK_CLI_SEND_H

#include "input.h"
#include "output.h"
#include "session.h"

struct cli_send_args {
    struct cli_socket_args socket; /* first: cli_socket_opts count from here */
    struct cli_list messages;
    struct cli_list files;
    bool whole;
    int64_t size;  /* -1: not given */
    int64_t count; /* -1: all there are */
    int interval;
    int replies; /* per message; -1: until nothing more comes */
    const char *to;
};

struct cli_sender {
    const struct cli_send_args *args;
    struct cli_session *session;
    struct cli_input input;
    struct cli_output output;
    char *to; /* --to, escapes decoded; NULL if not given */
    size_t to_size;
};

/* Waits for peers, then sends everything and prints the answers. Returns an exit code. */
int cli_send_all(struct cli_sender *sender);

#endif
