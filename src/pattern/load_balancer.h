/* SPDX-License-Identifier: MPL-2.0 */
/* Load balancing: whole messages to the writable pipes in turn. Gate held. */
#ifndef ZL_PATTERN_LOAD_BALANCER_H
#define ZL_PATTERN_LOAD_BALANCER_H

#include "base/list.h"

#include <stdbool.h>

struct zl_socket;
struct zl_pipe;
struct zl_msg;

struct zl_load_balancer {
    struct zl_list active;   /* writable pipes, by pipe->out_node; the next one first */
    struct zl_pipe *current; /* has got a part of a message, more follow */
    bool dropping;           /* it went away: the rest of its message goes nowhere */
};

void zl_load_balancer_init(struct zl_load_balancer *balancer);
/* The pipe takes messages (again): it joins at the end. */
void zl_load_balancer_add(struct zl_load_balancer *balancer, struct zl_pipe *pipe);
void zl_load_balancer_remove(struct zl_load_balancer *balancer, struct zl_pipe *pipe);
/* One part; *to (may be NULL) tells to whom. 0, -EAGAIN (no pipe takes a message), -ENOMEM (then the
   whole message begun so far is taken back). */
int zl_load_balancer_send(struct zl_load_balancer *balancer, struct zl_socket *socket,
                          struct zl_msg *msg, bool more, struct zl_pipe **to);
bool zl_load_balancer_writable(struct zl_load_balancer *balancer);

#endif
