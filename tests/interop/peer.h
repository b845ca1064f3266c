/* SPDX-License-Identifier: MPL-2.0 */
/* What the files of the peer program share: the library under test, failure, and messages. */
#ifndef INTEROP_PEER_H
#define INTEROP_PEER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "peer_content.h"
#include "peer_zmq.h"

extern struct peer_zmq lib;

/* Record why the current command failed; both return false. The second adds the library's errno. */
__attribute__((format(printf, 1, 2))) bool fail(const char *format, ...);
bool fail_zmq(const char *what);
int failure_errno(void); /* 0: it was not the library's */

/* A short byte string of a command: "-" is the empty one, "x00ff" is hexadecimal, "*" is any (only
 * where something is expected), everything else stands for itself. */
struct bytes {
    bool any;
    size_t size;
    unsigned char data[512];
};
bool bytes_parse(struct bytes *bytes, const char *text);
bool bytes_match(const struct bytes *bytes, const void *data, size_t size);

enum { MAX_FRAMES = 32, MAX_HEAD = 8 };

/* Comma-separated byte strings. */
struct frames {
    size_t count;
    struct bytes list[MAX_HEAD];
};
bool frames_parse(struct frames *frames, const char *text);

struct message {
    size_t count;
    zmq_msg_t parts[MAX_FRAMES];
};

/* Receives one whole message, by zmq_msg_recv or, every third part if `largest` is not 0, by
 * zmq_recv (then no part may be larger than that). On success the caller closes the message. */
bool message_recv(void *socket, struct message *message, size_t largest);
void message_close(struct message *message);
/* Sends all parts and empties the message; on failure what is left is closed. */
bool message_send(void *socket, struct message *message);

/* Sends one part. `way` picks the interface: 0 zmq_send, 1 zmq_msg_init_size, 2 zmq_msg_init_data.
 */
bool part_send(void *socket, const void *data, size_t size, bool more, unsigned way);
/* Message buffers given to zmq_msg_init_data whose free function has not been called yet. */
extern atomic_int buffers_lent;

/* A numbered sequence of messages, the arguments of most commands. */
struct flow {
    uint32_t stream;
    uint32_t first;
    uint32_t count;
    struct shapes shapes;
    struct frames head; /* frames before the content */
    struct bytes topic; /* bytes before the content of its first part */
};

bool flow_send(void *socket, const struct flow *flow, uint32_t sequence);
/* True if the message is exactly number `sequence` of the flow. */
bool flow_check(const struct flow *flow, struct message *message, uint32_t sequence);
/* Which message it claims to be; false (and a failure) if it is too short to say. */
bool flow_tag(const struct flow *flow, struct message *message, struct content *content);
size_t flow_largest_part(const struct flow *flow);

#endif
