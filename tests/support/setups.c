/* SPDX-License-Identifier: MPL-2.0 */
/* What many tests begin and end with. */
#include "support/setups.h"

static void close_at(void *socket, const char *file, int line)
{
    ts_expect_value_at(zmq_close(socket), 0, "zmq_close(socket)", file, line);
}

struct ts_push_pull ts_open_push_pull_at(const char *transport, const char *file, int line)
{
    struct ts_push_pull pair = {.context = ts_context_at(file, line)};
    pair.push = ts_socket_at(pair.context, ZMQ_PUSH, file, line);
    pair.pull = ts_socket_at(pair.context, ZMQ_PULL, file, line);
    ts_connect_pair_at(pair.context, pair.pull, pair.push, transport, file, line);
    return pair;
}

void ts_close_push_pull_at(struct ts_push_pull *pair, const char *file, int line)
{
    close_at(pair->push, file, line);
    close_at(pair->pull, file, line);
    ts_terminate_at(pair->context, file, line);
}

struct ts_server ts_open_server_at(int type, const char *transport, const char *file, int line)
{
    struct ts_server server = {.context = ts_context_at(file, line)};
    server.socket = ts_socket_at(server.context, type, file, line);
    ts_bind_at(server.socket, transport, server.endpoint, file, line);
    return server;
}

void ts_close_server_at(struct ts_server *server, const char *file, int line)
{
    close_at(server->socket, file, line);
    ts_terminate_at(server->context, file, line);
}
