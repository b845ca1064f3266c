/* SPDX-License-Identifier: MPL-2.0 */
/* Fan-out: one message to many pipes. A full pipe misses the whole message. Gate held. */
#ifndef ZL_PATTERN_FAN_OUT_H
#define ZL_PATTERN_FAN_OUT_H

#include <stdbool.h>
#include <stddef.h>

struct zl_socket;
struct zl_pipe;
struct zl_msg;

struct zl_fan_out {
    struct zl_pipe **targets; /* of the message being sent; pipe->matched is set for each */
    size_t count;
    size_t capacity;
};

void zl_fan_out_init(struct zl_fan_out *fan);
void zl_fan_out_free(struct zl_fan_out *fan);
/* Adds a pipe to the targets of the next message, once. False when out of memory. */
bool zl_fan_out_add(struct zl_fan_out *fan, struct zl_pipe *pipe);
/* The pipe goes away. */
void zl_fan_out_remove(struct zl_fan_out *fan, struct zl_pipe *pipe);
/* Forgets the targets. */
void zl_fan_out_clear(struct zl_fan_out *fan);
/* Drops the targets that are full; or, when `nodrop`, tells that there is one: false, no targets. */
bool zl_fan_out_settle(struct zl_fan_out *fan, bool nodrop);
/* Writes one part to every target; after the last part the targets are forgotten. */
void zl_fan_out_send(struct zl_fan_out *fan, struct zl_socket *socket, struct zl_msg *msg,
                     bool more);

#endif
