/* SPDX-License-Identifier: MPL-2.0 */
/* The loop: one background thread with epoll, timers and a task list. It knows nothing of sockets;
   what it runs are callbacks of objects that embed a zl_io, a zl_timer or a zl_task.

   Threads: functions marked [loop] may only be called on the loop's own thread (from a callback);
   functions marked [any] from every thread. */
#ifndef ZL_IO_LOOP_H
#define ZL_IO_LOOP_H

#include "io/timer.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* A descriptor watched by the loop itself: listeners, connections until they are ready, nested
   pollsets. An object that embeds one frees itself with zl_loop_free_later, because its pointer may
   still stand in the batch of events that is being worked through. */
struct zl_io {
    /* [loop] events: epoll bits. No lock is held. */
    void (*on_events)(struct zl_io *io, uint32_t events);
};

/* Work for the loop's thread. Posting it again before it ran is the same as posting it once. */
struct zl_task {
    struct zl_task *next; /* owned by whoever set `queued` */
    atomic_bool queued;   /* exchange in post pairs with the store in the loop before run */
    void (*run)(struct zl_task *task); /* [loop], no lock held */
};

/* Embedded in objects that zl_loop_free_later lets go, so that it cannot fail. */
struct zl_garbage {
    struct zl_garbage *next;
    void *object;
    void (*release)(void *object);
};

struct zl_loop_attributes {
    int index;               /* for the thread's name */
    const char *name_prefix; /* "" for none */
    int priority;            /* -1: leave */
    int policy;              /* -1: leave */
    const cpu_set_t *cpus;   /* NULL: leave */
};

struct zl_loop {
    int epoll_fd;
    int wake_fd;
    pthread_t thread;
    bool started;
    atomic_bool stopping;
    /* 1 while the thread is in, or about to enter, epoll_wait. Pairs with the look in post. */
    atomic_uint asleep;
    _Atomic(struct zl_task *) tasks; /* stack; newest first */
    struct zl_timer_heap timers;     /* [loop] */
    struct zl_garbage *garbage;      /* [loop] freed at the end of the batch */
    uint64_t now;                    /* [loop] ms, read once per batch */
    atomic_uint load;                /* sockets assigned to this loop; for choosing one */
};

/* Creates the descriptors and the thread. 0 or a negative errno, then nothing is left. */
int zl_loop_start(struct zl_loop *loop, const struct zl_loop_attributes *attributes);

/* Runs what is still posted, ends the thread, waits for it and frees everything. Not [loop]. */
void zl_loop_stop(struct zl_loop *loop);

/* In a forked child: closes the descriptors; the thread does not exist here. */
void zl_loop_abandon(struct zl_loop *loop);

void zl_task_init(struct zl_task *task, void (*run)(struct zl_task *task));

/* [any] Runs the task soon. The caller keeps it alive until it has run. False when it was posted
   already and has not begun to run. */
bool zl_loop_post(struct zl_loop *loop, struct zl_task *task);

/* [any] epoll_ctl on the loop's set. 0 or a negative errno. */
int zl_loop_watch(struct zl_loop *loop, int fd, uint32_t events, struct zl_io *io);
int zl_loop_rewatch(struct zl_loop *loop, int fd, uint32_t events, struct zl_io *io);
void zl_loop_unwatch(struct zl_loop *loop, int fd);

/* [loop] Starts or restarts a timer. When memory for it is short it fires at once instead of never:
   every user of a timer tolerates an early one. */
void zl_loop_timer_start(struct zl_loop *loop, struct zl_timer *timer, int64_t delay_ms);
void zl_loop_timer_stop(struct zl_loop *loop, struct zl_timer *timer);

/* [loop] Calls release(object) once no event of the current batch can refer to the object. `item` is
   the object's own. */
void zl_loop_free_later(struct zl_loop *loop, struct zl_garbage *item, void *object,
                        void (*release)(void *object));

#endif
