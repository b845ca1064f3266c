/* SPDX-License-Identifier: MPL-2.0 */
/* Name resolution on a thread of its own, so that it blocks neither a caller nor a loop. The thread
   starts with the first request. */
#ifndef ZL_IO_RESOLVER_H
#define ZL_IO_RESOLVER_H

#include "base/list.h"
#include "io/loop.h"

#include <pthread.h>
#include <stdbool.h>

/* One request. The requester fills `work` and `done`; after submitting, the resolver owns it until
   `done` ran. */
struct zl_request {
    struct zl_list node;
    struct zl_task done; /* posted to `loop` when the work is finished */
    struct zl_loop *loop;
    void (*work)(struct zl_request *request); /* resolver thread; may block */
};

struct zl_resolver {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct zl_list requests; /* guarded by lock */
    bool running;            /* guarded by lock */
    bool stopping;           /* guarded by lock */
    pthread_t thread;
};

void zl_resolver_init(struct zl_resolver *resolver);
/* Waits for the request being worked on; those not begun get `done` without `work`. */
void zl_resolver_stop(struct zl_resolver *resolver);

/* Any thread. 0, or a negative errno when the thread cannot be started (then not taken). */
int zl_resolver_submit(struct zl_resolver *resolver, struct zl_request *request);

#endif
