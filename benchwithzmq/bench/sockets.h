/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Opening, binding and connecting the sockets of the library under test, with the options that the
 * run asks for. An error ends the program: as "unsupported" where the library says that it has no
 * such thing, else as "failed".
 */
#ifndef ZBENCH_SOCKETS_H
#define ZBENCH_SOCKETS_H

#include <stdbool.h>

#include "config.h"
#include "shared.h"

/* For sockets that many connect to at once. With the default of 100 the kernel lets some of them
 * wait for a second and longer before they try again. */
#define SOCKET_BACKLOG 1024

_Noreturn void socket_failed(const char *what);

void socket_set_int(void *socket, int option, int value);
void socket_set_text(void *socket, int option, const char *text);

/* binds: this socket is going to bind, not to connect. */
void *socket_open(void *context, int type, bool binds, const struct config *config,
                  struct shared *shared);

/* Binds to a free address and makes it known to the peers of the group. */
void socket_bind(void *socket, struct group *group, int link, const struct config *config);

/* Waits until the group's link is bound, and connects. */
void socket_connect(void *socket, struct group *group, int link, const struct config *config);

#endif
