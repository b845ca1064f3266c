/* SPDX-License-Identifier: MPL-2.0 */
/* zlink send: the loop that takes messages from the input and sends them. */
#include "cli.h"
#include "draft.h"
#include "peers.h"
#include "send.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Adds what the type wants besides the content: addresses, groups, routing ids. */
static int address(struct cli_sender *sender, struct cli_message *message)
{
    struct cli_session *session = sender->session;
    if (session->stream_id_size)
        return cli_message_prepend(message, session->stream_id, session->stream_id_size);
    if (sender->to)
        return cli_message_prepend(message, sender->to, sender->to_size);
    int rc = 0;
    if (session->type->flags & CLI_GROUPS)
        rc = cli_draft_set_group(&message->parts[0], sender->args->socket.group.items[0]);
    else if (session->peer_id)
        rc = cli_draft_set_routing_id(&message->parts[0], session->peer_id);
    return rc == 0 ? 0 : -zmq_errno();
}

static int build(struct cli_sender *sender, struct cli_message *message, const char *data,
                 size_t size)
{
    cli_message_clear(message);
    int rc = sender->args->socket.multipart
                 ? cli_message_split(message, data, size, sender->output.part_delimiter)
                 : cli_message_add(message, data, size);
    return rc == 0 ? address(sender, message) : rc;
}

static int receive_and_print(struct cli_sender *sender, struct cli_message *message)
{
    int rc = cli_output_next(sender->session, message);
    return rc == 0 ? cli_output_message(&sender->output, sender->session, message) : rc;
}

/* Prints the request that the next message will answer, and directs the message to its sender. */
static int await_request(struct cli_sender *sender, struct cli_message *answer)
{
    struct cli_message request = {0};
    int rc = receive_and_print(sender, &request);
    if (rc == 0)
        rc = cli_message_answer_to(answer, &request.parts[0]);
    cli_message_free(&request);
    return rc;
}

static int await_replies(struct cli_sender *sender)
{
    struct cli_message reply = {0};
    int replies = sender->args->replies;
    int rc = 0;
    for (int i = 0; rc == 0 && (replies < 0 || i < replies); i++)
        rc = receive_and_print(sender, &reply);
    cli_message_free(&reply);
    /* Without a number, silence or the end of the connection is what ends the answer. */
    return replies < 0 && (rc == -EAGAIN || rc == -ENOTCONN) ? 0 : rc;
}

static int pause_between(struct cli_sender *sender)
{
    int64_t end = cli_now_ms() + sender->args->interval;
    if (sender->args->interval <= 0 || sender->input.given <= 1)
        return 0;
    int rc = cli_output_flush();
    while (rc == 0 && cli_now_ms() < end)
        rc = cli_session_wait(sender->session, 0, -1, end);
    return rc;
}

/* Sends one message and sees to its answers; *what names the step that failed. */
static int send_one(struct cli_sender *sender, struct cli_message *message, const char **what)
{
    *what = "waiting";
    int rc = pause_between(sender);
    if (rc == 0 && sender->session->type->flags & CLI_ANSWERS) {
        *what = "waiting for a request";
        rc = await_request(sender, message);
    }
    if (rc < 0)
        return rc;
    *what = "sending";
    cli_peers_drain(sender->session);
    rc = cli_message_send(sender->session, message, cli_session_deadline(sender->session));
    if (rc < 0)
        return rc;
    *what = "waiting for a reply";
    return await_replies(sender);
}

static int find_peers(struct cli_sender *sender)
{
    struct cli_session *session = sender->session;
    int64_t deadline = cli_session_deadline(session);
    int rc = 0;
    if (session->args->wait_peers > 0)
        rc = cli_peers_wait(session, (unsigned)session->args->wait_peers, deadline);
    if (rc == 0 && session->type->number == ZMQ_STREAM)
        rc = cli_peers_find_stream(session, deadline);
    return rc;
}

static int input_error(const struct cli_sender *sender, int error)
{
    if (error == -EINTR)
        return cli_session_error(sender->session, "reading", error);
    cli_error("cannot read %s: %s", sender->input.name ? sender->input.name : "stdin",
              strerror(-error));
    return CLI_FAILURE;
}

static int send_messages(struct cli_sender *sender, struct cli_message *message)
{
    const char *data;
    size_t size;
    int rc;
    while ((rc = cli_input_next(&sender->input, sender->session, &data, &size)) > 0) {
        const char *what = "building a message";
        int error = build(sender, message, data, size);
        if (error == 0)
            error = send_one(sender, message, &what);
        if (error == 0 && cli_signal())
            error = -EINTR;
        if (error < 0)
            return cli_session_error(sender->session, what, error);
    }
    return rc < 0 ? input_error(sender, rc) : CLI_OK;
}

int cli_send_all(struct cli_sender *sender)
{
    struct cli_message message = {0};
    int error = find_peers(sender);
    int rc = error < 0 ? cli_session_error(sender->session, "waiting for a peer", error)
                       : send_messages(sender, &message);
    cli_message_free(&message);
    error = cli_output_flush();
    if (error < 0 && rc == CLI_OK)
        rc = cli_session_error(sender->session, "writing to stdout", error);
    free(sender->to);
    return rc;
}
