/* SPDX-License-Identifier: MPL-2.0 */
/* Messages about endpoints. */
#ifndef ZLINK_CLI_ERRORS_H
#define ZLINK_CLI_ERRORS_H

#include <stdbool.h>

/*
 * Says that binding the socket to (or connecting it to) `endpoint` failed with `error`, with the reason and a
 * hint.
 * Returns the exit code: CLI_USAGE if the endpoint's text cannot work, else CLI_FAILURE.
 */
int cli_endpoint_error(void *socket, const char *endpoint, bool bind, int error);

#endif
