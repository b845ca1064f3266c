/* SPDX-License-Identifier: MPL-2.0 */
/* What many tests begin and end with. */
#ifndef TESTS_SUPPORT_SETUPS_H
#define TESTS_SUPPORT_SETUPS_H

#include "support/test_support.h"

/* A PUSH connected to a PULL, in a context of their own. Returns when each can use the other. */
struct ts_push_pull {
    void *context, *push, *pull;
};
struct ts_push_pull ts_open_push_pull_at(const char *transport, const char *file, int line);
#define ts_open_push_pull(transport) ts_open_push_pull_at((transport), __FILE__, __LINE__)
void ts_close_push_pull_at(struct ts_push_pull *pair, const char *file, int line);
#define ts_close_push_pull(pair) ts_close_push_pull_at((pair), __FILE__, __LINE__)

/* One bound socket, in a context of its own. */
struct ts_server {
    void *context, *socket;
    char endpoint[TS_ENDPOINT_MAX];
};
struct ts_server ts_open_server_at(int type, const char *transport, const char *file, int line);
#define ts_open_server(type, transport) ts_open_server_at((type), (transport), __FILE__, __LINE__)
void ts_close_server_at(struct ts_server *server, const char *file, int line);
#define ts_close_server(server) ts_close_server_at((server), __FILE__, __LINE__)

#endif
