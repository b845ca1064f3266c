/* SPDX-License-Identifier: MPL-2.0 */
/* Socket options by name: --option NAME=VALUE. */
#ifndef ZLINK_CLI_OPTIONS_H
#define ZLINK_CLI_OPTIONS_H

#include "args.h"

/*
 * Checks the syntax and the name of every NAME=VALUE without touching a socket. NAME is an option's
 * name in any case, with - or _, with or without ZMQ_ or ZLINK_; or its number, for integer options.
 * Returns CLI_CONTINUE or an exit code after a message.
 */
int cli_options_check(const struct cli_list *assignments);

/* Sets them in order. Returns CLI_CONTINUE or an exit code after a message. */
int cli_options_apply(void *socket, const struct cli_list *assignments);

/* The table, for `zlink help options`. */
void cli_options_print_table(void);

#endif
