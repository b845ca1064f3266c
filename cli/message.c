/* SPDX-License-Identifier: MPL-2.0 */
/* Building, sending and receiving whole messages. */
#include "message.h"
#include "cli.h"
#include "draft.h"
#include "session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How long to wait before a peer that is not there, or whose queue is full, is tried again. */
enum { RETRY_MS = 5 };

static zmq_msg_t *new_part(struct cli_message *message)
{
    if (message->count == message->capacity) {
        size_t capacity = message->capacity ? 2 * message->capacity : 4;
        /* Messages may be moved bitwise as long as nobody holds their data pointer. */
        message->parts = cli_realloc(message->parts, capacity * sizeof *message->parts);
        message->capacity = capacity;
    }
    return &message->parts[message->count];
}

int cli_message_add(struct cli_message *message, const void *data, size_t size)
{
    zmq_msg_t *part = new_part(message);
    if (zmq_msg_init_size(part, size) != 0)
        return -zmq_errno();
    if (size)
        memcpy(zmq_msg_data(part), data, size);
    message->count++;
    return 0;
}

int cli_message_prepend(struct cli_message *message, const void *data, size_t size)
{
    int rc = cli_message_add(message, data, size);
    for (size_t i = rc == 0 ? message->count - 1 : 0; i > 0; i--) {
        zmq_msg_t swap = message->parts[i];
        message->parts[i] = message->parts[i - 1];
        message->parts[i - 1] = swap;
    }
    return rc;
}

int cli_message_split(struct cli_message *message, const char *data, size_t size, char delimiter)
{
    const char *end = data + size;
    for (;;) {
        const char *stop = memchr(data, delimiter, (size_t)(end - data));
        int rc = cli_message_add(message, data, (size_t)((stop ? stop : end) - data));
        if (rc < 0 || !stop)
            return rc;
        data = stop + 1;
    }
}

int cli_message_answer_to(struct cli_message *message, zmq_msg_t *received)
{
    uint32_t id = cli_draft_routing_id(received);
    if (id && cli_draft_set_routing_id(&message->parts[0], id) != 0)
        return -zmq_errno();
    return 0;
}

void cli_message_clear(struct cli_message *message)
{
    while (message->count)
        zmq_msg_close(&message->parts[--message->count]);
}

void cli_message_free(struct cli_message *message)
{
    cli_message_clear(message);
    free(message->parts);
    *message = (struct cli_message){0};
}

/* Receives one part. The first must not block; the others have arrived with it. */
static int recv_part(struct cli_session *session, struct cli_message *message)
{
    zmq_msg_t *part = new_part(message);
    zmq_msg_init(part);
    while (zmq_msg_recv(part, session->socket, message->count ? 0 : ZMQ_DONTWAIT) < 0) {
        int error = zmq_errno();
        if (error == EINTR && !cli_signal())
            continue;
        zmq_msg_close(part);
        return -error;
    }
    message->count++;
    return zmq_msg_more(part);
}

int cli_message_recv(struct cli_session *session, struct cli_message *message)
{
    int rc;
    cli_message_clear(message);
    while ((rc = recv_part(session, message)) > 0)
        ;
    if (rc < 0)
        cli_message_clear(message);
    return rc;
}

/*
 * Sends the first part, on which everything depends: once it is taken the library takes the rest.
 * Types that address a peer are always ready to send, so a wait for POLLOUT would not wait.
 */
static int send_first(struct cli_session *session, zmq_msg_t *part, int flags, int64_t deadline)
{
    bool addressed = session->type->flags & (CLI_ADDRESSED | CLI_PEER_IDS);
    for (;;) {
        if (zmq_msg_send(part, session->socket, flags | ZMQ_DONTWAIT) >= 0)
            return 0;
        int error = zmq_errno();
        bool absent = error == EHOSTUNREACH && addressed;
        if (error != EAGAIN && error != EINTR && !absent)
            return -error;
        int64_t now = cli_now_ms();
        if (deadline >= 0 && now >= deadline)
            return absent ? -EHOSTUNREACH : -EAGAIN;
        int64_t retry = now + RETRY_MS;
        int64_t until = !addressed || (deadline >= 0 && deadline < retry) ? deadline : retry;
        int rc = cli_session_wait(session, addressed ? 0 : ZMQ_POLLOUT, -1, until);
        if (rc < 0)
            return rc;
    }
}

int cli_message_send(struct cli_session *session, struct cli_message *message, int64_t deadline)
{
    size_t last = message->count - 1;
    int rc = send_first(session, &message->parts[0], last ? ZMQ_SNDMORE : 0, deadline);
    for (size_t i = 1; i <= last && rc == 0; i++)
        while (zmq_msg_send(&message->parts[i], session->socket, i < last ? ZMQ_SNDMORE : 0) < 0)
            if (zmq_errno() != EINTR) {
                rc = -zmq_errno();
                break;
            }
    cli_message_clear(message);
    return rc;
}
