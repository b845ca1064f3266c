/* SPDX-License-Identifier: MPL-2.0 */
/* Names of socket types, socket options and monitor events, as the peer's commands spell them. */
#ifndef INTEROP_PEER_OPTIONS_H
#define INTEROP_PEER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

enum option_kind { OPTION_INT, OPTION_INT64, OPTION_BYTES };

struct option_name {
    const char *name;
    int option;
    enum option_kind kind;
};

/* NULL if there is no such option. */
const struct option_name *find_option(const char *name);

/* -1 if there is no such type. */
int find_socket_type(const char *name);

/* 0 if there is no such event. */
int find_event(const char *name);

/* "?" if the number is no event. */
const char *event_name(int event);

#endif
