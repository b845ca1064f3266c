/* SPDX-License-Identifier: MPL-2.0 */
/* Fair queueing: whole messages from the readable pipes in turn. Gate held. */
#ifndef ZL_PATTERN_FAIR_QUEUE_H
#define ZL_PATTERN_FAIR_QUEUE_H

#include "base/list.h"

#include <stdbool.h>

struct zl_pipe;
struct zl_msg;

struct zl_fair_queue {
    struct zl_list active;   /* readable pipes, by pipe->in_node; the next one first */
    struct zl_pipe *current; /* its message has been delivered in part */
};

void zl_fair_queue_init(struct zl_fair_queue *queue);
/* The pipe has input: it joins at the end. */
void zl_fair_queue_add(struct zl_fair_queue *queue, struct zl_pipe *pipe);
void zl_fair_queue_remove(struct zl_fair_queue *queue, struct zl_pipe *pipe);
/* One part; *from (may be NULL) tells whose. 0 or -EAGAIN. */
int zl_fair_queue_recv(struct zl_fair_queue *queue, struct zl_msg *msg, struct zl_pipe **from);
bool zl_fair_queue_readable(struct zl_fair_queue *queue);

#endif
