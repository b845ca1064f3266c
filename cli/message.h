/* SPDX-License-Identifier: MPL-2.0 */
/* Whole messages of any number of parts. */
#ifndef ZLINK_CLI_MESSAGE_H
#define ZLINK_CLI_MESSAGE_H

#include <stddef.h>
#include <stdint.h>
#include <zmq.h>

struct cli_session;

/* All zeros is an empty message. Every one of the `count` parts is initialised. */
struct cli_message {
    zmq_msg_t *parts;
    size_t count;
    size_t capacity;
};

/* Adds a part with a copy of the data. 0 or a negative errno. */
int cli_message_add(struct cli_message *message, const void *data, size_t size);

/* Inserts a part at the front. */
int cli_message_prepend(struct cli_message *message, const void *data, size_t size);

/* Splits data at every `delimiter` into parts. */
int cli_message_split(struct cli_message *message, const char *data, size_t size, char delimiter);

/*
 * Copies the routing id that a SERVER or PEER put on `received` to the first part of `message`,
 * which so finds the way back. Does nothing if there is none. 0 or a negative errno.
 */
int cli_message_answer_to(struct cli_message *message, zmq_msg_t *received);

/*
 * Receives one message into *message, replacing its content, if one is there. 0 or a negative
 * errno, -EAGAIN if there is none.
 */
int cli_message_recv(struct cli_session *session, struct cli_message *message);

/*
 * Sends the message, waiting until `deadline` (see cli_session_wait). Afterwards it has no parts.
 * 0 or a negative errno: -EAGAIN at the deadline, also when an addressed peer is not there.
 */
int cli_message_send(struct cli_session *session, struct cli_message *message, int64_t deadline);

/* Drops the parts; the message can be used again. */
void cli_message_clear(struct cli_message *message);

/* Drops the parts and the memory. */
void cli_message_free(struct cli_message *message);

#endif
