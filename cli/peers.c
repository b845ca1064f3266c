/* SPDX-License-Identifier: MPL-2.0 */
/* Waiting for peers: by the monitor, for a publisher by the subscriptions that reach it. */
#define _GNU_SOURCE
#include "peers.h"
#include "cli.h"
#include "message.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Somebody who looks at a terminal is told why nothing happens. */
enum { NOTICE_AFTER_MS = 1000 };

/* The subscribers seen so far. A connection that subscribes to several topics counts once. */
struct subscribers {
    int *connections;
    size_t count;
    unsigned unnamed; /* subscriptions whose connection the library does not tell */
};

static bool is_xpub(const struct cli_session *session)
{
    return session->hidden_xpub || session->type->number == ZMQ_XPUB;
}

static void note_subscription(struct subscribers *subscribers, zmq_msg_t *notice)
{
    const unsigned char *data = zmq_msg_data(notice);
    if (zmq_msg_size(notice) == 0 || data[0] != 1)
        return;
    int connection = zmq_msg_get(notice, ZMQ_SRCFD);
    if (connection < 0) {
        subscribers->unnamed++;
        return;
    }
    for (size_t i = 0; i < subscribers->count; i++)
        if (subscribers->connections[i] == connection)
            return;
    subscribers->connections =
        cli_realloc(subscribers->connections, (subscribers->count + 1) * sizeof(int));
    subscribers->connections[subscribers->count++] = connection;
}

/* Reads all notices that are there. */
static void read_notices(struct cli_session *session, struct subscribers *subscribers)
{
    struct cli_message message = {0};
    while (cli_message_recv(session, &message) == 0)
        if (subscribers)
            note_subscription(subscribers, &message.parts[0]);
    cli_message_free(&message);
}

static bool enough(struct cli_session *session, struct subscribers *subscribers, unsigned count)
{
    if (!is_xpub(session))
        return cli_session_peers(session) >= count;
    read_notices(session, subscribers);
    return subscribers->count + subscribers->unnamed >= count;
}

static void tell_waiting(const struct cli_session *session, unsigned count)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "zlink: waiting for %u %s on %s (Ctrl-C stops)\n", count,
                is_xpub(session) ? "subscriber(s)" : "peer(s)", cli_session_endpoint(session));
}

int cli_peers_wait(struct cli_session *session, unsigned count, int64_t deadline)
{
    struct subscribers subscribers = {0};
    int64_t notice = cli_now_ms() + NOTICE_AFTER_MS;
    int rc = 0;
    while (!enough(session, &subscribers, count)) {
        int64_t now = cli_now_ms();
        if (notice >= 0 && now >= notice) {
            tell_waiting(session, count);
            notice = -1;
        }
        if (deadline >= 0 && now >= deadline) {
            rc = -EAGAIN;
            break;
        }
        int64_t until = notice >= 0 && (deadline < 0 || notice < deadline) ? notice : deadline;
        rc = cli_session_wait(session, is_xpub(session) ? ZMQ_POLLIN : 0, -1, until);
        if (rc < 0)
            break;
    }
    free(subscribers.connections);
    return rc < 0 ? rc : 0;
}

void cli_peers_drain(struct cli_session *session)
{
    if (is_xpub(session))
        read_notices(session, NULL);
}

static int take_incoming_id(struct cli_session *session, int64_t deadline)
{
    struct cli_message message = {0};
    int rc;
    while ((rc = cli_message_recv(session, &message)) == -EAGAIN) {
        rc = cli_session_wait(session, ZMQ_POLLIN, -1, deadline);
        if (rc <= 0)
            return rc == 0 ? -EAGAIN : rc;
    }
    if (rc == 0) {
        size_t size = zmq_msg_size(&message.parts[0]);
        session->stream_id_size = size < sizeof session->stream_id ? size : 0;
        memcpy(session->stream_id, zmq_msg_data(&message.parts[0]), session->stream_id_size);
        session->notices++;
    }
    cli_message_free(&message);
    return rc;
}

int cli_peers_find_stream(struct cli_session *session, int64_t deadline)
{
    if (!session->args->connect.count)
        return take_incoming_id(session, deadline);
    session->stream_id_size = sizeof session->stream_id;
    int rc = zmq_getsockopt(session->socket, ZMQ_ROUTING_ID, session->stream_id,
                            &session->stream_id_size);
    return rc == 0 ? 0 : -zmq_errno();
}
