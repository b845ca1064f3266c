/* SPDX-License-Identifier: MPL-2.0 */
/* The background thread. */
#define _GNU_SOURCE
#include "io/loop.h"

#include "base/clock.h"
#include "base/fence.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

enum { EVENTS_PER_BATCH = 64 };

void zl_task_init(struct zl_task *task, void (*run)(struct zl_task *task))
{
    task->next = NULL;
    atomic_init(&task->queued, false);
    task->run = run;
}

static void wake(struct zl_loop *loop)
{
    uint64_t one = 1;
    /* The only failure is a full counter, and then the loop is awake anyway. */
    ssize_t rc = write(loop->wake_fd, &one, sizeof one);
    (void)rc;
}

bool zl_loop_post(struct zl_loop *loop, struct zl_task *task)
{
    if (atomic_exchange(&task->queued, true))
        return false;
    struct zl_task *head = atomic_load_explicit(&loop->tasks, memory_order_relaxed);
    do {
        task->next = head;
        /* release: pairs with the acquire exchange in run_tasks */
    } while (!atomic_compare_exchange_weak_explicit(&loop->tasks, &head, task, memory_order_release,
                                                    memory_order_relaxed));
    /* Publish, fence, look: pairs with the store to `asleep` in wait_for_events. */
    zl_fence();
    if (atomic_load_explicit(&loop->asleep, memory_order_relaxed) &&
        atomic_exchange(&loop->asleep, 0))
        wake(loop);
    return true;
}

/* Oldest first. Tasks posted meanwhile wait for the next round, so that events get their turn. */
static void run_tasks(struct zl_loop *loop)
{
    struct zl_task *stack = atomic_exchange_explicit(&loop->tasks, NULL, memory_order_acquire);
    struct zl_task *ordered = NULL;
    while (stack) {
        struct zl_task *next = stack->next;
        stack->next = ordered;
        ordered = stack;
        stack = next;
    }
    while (ordered) {
        struct zl_task *task = ordered;
        ordered = task->next;
        /* Cleared before it runs: a post from now on means one more run. */
        atomic_store(&task->queued, false);
        task->run(task);
    }
}

static void run_timers(struct zl_loop *loop)
{
    struct zl_timer *timer;
    while ((timer = zl_timer_pop(&loop->timers, loop->now)) != NULL)
        timer->expired(timer);
}

static void collect_garbage(struct zl_loop *loop)
{
    while (loop->garbage) {
        struct zl_garbage *item = loop->garbage;
        loop->garbage = item->next;
        item->release(item->object);
    }
}

static int wait_for_events(struct zl_loop *loop, struct epoll_event *events)
{
    int timeout = zl_timer_wait(&loop->timers, zl_now_ms());
    atomic_store(&loop->asleep, 1);
    /* "I sleep", fence, second look: pairs with zl_loop_post. */
    zl_fence();
    if (atomic_load_explicit(&loop->tasks, memory_order_relaxed) ||
        atomic_load_explicit(&loop->stopping, memory_order_relaxed))
        timeout = 0;
    int count = epoll_wait(loop->epoll_fd, events, EVENTS_PER_BATCH, timeout);
    atomic_store(&loop->asleep, 0);
    loop->now = zl_now_ms();
    return count;
}

static void on_wake(struct zl_loop *loop)
{
    uint64_t ignored;
    ssize_t rc = read(loop->wake_fd, &ignored, sizeof ignored);
    (void)rc;
}

static void *loop_main(void *argument)
{
    struct zl_loop *loop = argument;
    struct epoll_event events[EVENTS_PER_BATCH];
    loop->now = zl_now_ms();
    for (;;) {
        run_tasks(loop);
        run_timers(loop);
        collect_garbage(loop);
        if (atomic_load(&loop->stopping) &&
            !atomic_load_explicit(&loop->tasks, memory_order_acquire))
            break;
        int count = wait_for_events(loop, events);
        for (int i = 0; i < count; i++) {
            struct zl_io *io = events[i].data.ptr;
            if (io)
                io->on_events(io, events[i].events);
            else
                on_wake(loop);
        }
        collect_garbage(loop);
    }
    return NULL;
}

static void apply_scheduling(const struct zl_loop_attributes *attributes)
{
    /* Best effort, as these need privileges; failure leaves the defaults. */
    if (attributes->cpus)
        pthread_setaffinity_np(pthread_self(), sizeof *attributes->cpus, attributes->cpus);
    if (attributes->policy < 0 && attributes->priority < 0)
        return;
    struct sched_param param = {0};
    int policy;
    pthread_getschedparam(pthread_self(), &policy, &param);
    if (attributes->policy >= 0)
        policy = attributes->policy;
    bool real_time = policy == SCHED_FIFO || policy == SCHED_RR;
    if (real_time && attributes->priority >= 0)
        param.sched_priority = attributes->priority;
    pthread_setschedparam(pthread_self(), policy, &param);
    if (!real_time && attributes->priority > 0)
        setpriority(PRIO_PROCESS, (id_t)gettid(), -20);
}

struct start_argument {
    struct zl_loop *loop;
    struct zl_loop_attributes attributes;
    char prefix[32];
    cpu_set_t cpus;
};

static void *thread_main(void *argument)
{
    struct start_argument *start = argument;
    struct zl_loop *loop = start->loop;
    char name[64];
    snprintf(name, sizeof name, "%s%sZMQbg/IO/%d", start->prefix, start->prefix[0] ? "/" : "",
             start->attributes.index);
    name[15] = '\0'; /* the kernel's limit */
    pthread_setname_np(pthread_self(), name);
    apply_scheduling(&start->attributes);
    free(start);
    return loop_main(loop);
}

static int start_thread(struct zl_loop *loop, const struct zl_loop_attributes *attributes)
{
    struct start_argument *start = calloc(1, sizeof *start);
    if (!start)
        return -ENOMEM;
    start->loop = loop;
    start->attributes = *attributes;
    snprintf(start->prefix, sizeof start->prefix, "%s", attributes->name_prefix);
    if (attributes->cpus) {
        start->cpus = *attributes->cpus;
        start->attributes.cpus = &start->cpus;
    }
    /* Signals belong to the application's threads. */
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &old);
    int rc = pthread_create(&loop->thread, NULL, thread_main, start);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (rc != 0)
        free(start);
    return -rc;
}

int zl_loop_start(struct zl_loop *loop, const struct zl_loop_attributes *attributes)
{
    memset(loop, 0, sizeof *loop);
    zl_timer_heap_init(&loop->timers);
    loop->wake_fd = -1;
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll_fd < 0)
        return -errno;
    int rc = 0;
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->wake_fd < 0)
        rc = -errno;
    if (rc == 0)
        rc = zl_loop_watch(loop, loop->wake_fd, EPOLLIN, NULL);
    if (rc == 0)
        rc = start_thread(loop, attributes);
    if (rc == 0)
        loop->started = true;
    else
        zl_loop_abandon(loop);
    return rc;
}

void zl_loop_abandon(struct zl_loop *loop)
{
    if (loop->wake_fd >= 0)
        close(loop->wake_fd);
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    zl_timer_heap_free(&loop->timers);
    loop->wake_fd = -1;
    loop->epoll_fd = -1;
}

void zl_loop_stop(struct zl_loop *loop)
{
    if (!loop->started)
        return;
    atomic_store(&loop->stopping, true);
    wake(loop);
    pthread_join(loop->thread, NULL);
    loop->started = false;
    zl_loop_abandon(loop);
}

static int control(struct zl_loop *loop, int operation, int fd, uint32_t events, struct zl_io *io)
{
    struct epoll_event event = {.events = events, .data.ptr = io};
    return epoll_ctl(loop->epoll_fd, operation, fd, &event) == 0 ? 0 : -errno;
}

int zl_loop_watch(struct zl_loop *loop, int fd, uint32_t events, struct zl_io *io)
{
    return control(loop, EPOLL_CTL_ADD, fd, events, io);
}

int zl_loop_rewatch(struct zl_loop *loop, int fd, uint32_t events, struct zl_io *io)
{
    return control(loop, EPOLL_CTL_MOD, fd, events, io);
}

void zl_loop_unwatch(struct zl_loop *loop, int fd)
{
    control(loop, EPOLL_CTL_DEL, fd, 0, NULL);
}

void zl_loop_timer_start(struct zl_loop *loop, struct zl_timer *timer, int64_t delay_ms)
{
    uint64_t due = zl_now_ms() + (uint64_t)(delay_ms > 0 ? delay_ms : 0);
    if (zl_timer_set(&loop->timers, timer, due) < 0 && !zl_timer_running(timer))
        timer->expired(timer);
}

void zl_loop_timer_stop(struct zl_loop *loop, struct zl_timer *timer)
{
    zl_timer_cancel(&loop->timers, timer);
}

void zl_loop_free_later(struct zl_loop *loop, struct zl_garbage *item, void *object,
                        void (*release)(void *object))
{
    item->object = object;
    item->release = release;
    item->next = loop->garbage;
    loop->garbage = item;
}
