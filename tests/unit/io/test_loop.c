/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of the background thread: tasks from any thread, timers, descriptors, late frees.

   What runs on the loop only notes what it saw; the test looks at it when the loop has said, by a
   semaphore, that it is done. */
#define _GNU_SOURCE
#include "unit/wire/octets.h"

#include "base/clock.h"
#include "base/list.h"
#include "io/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

static struct zl_loop loop;
static sem_t done;
static sem_t go_on;

static void await(sem_t *semaphore)
{
    while (sem_wait(semaphore) < 0)
        assert_int_equal(errno, EINTR);
}

static int setup(void **state)
{
    struct zl_loop_attributes attributes = {
        .index = 7, .name_prefix = "unit", .priority = -1, .policy = -1};
    (void)state;
    return sem_init(&done, 0, 0) || sem_init(&go_on, 0, 0) || zl_loop_start(&loop, &attributes);
}

static int teardown(void **state)
{
    (void)state;
    zl_loop_stop(&loop);
    zl_loop_stop(&loop); /* does nothing */
    sem_destroy(&done);
    sem_destroy(&go_on);
    return 0;
}

/* Keeps the loop busy until the test raises `go_on`, so that much can happen at once. */
static void hold(struct zl_task *task)
{
    (void)task;
    sem_post(&done);
    while (sem_wait(&go_on) < 0)
        continue;
}

static struct zl_task holder;

static void hold_loop(void)
{
    zl_task_init(&holder, hold);
    assert_true(zl_loop_post(&loop, &holder));
    await(&done);
}

/* ---- Tasks ---- */

static char thread_name[16];
static pthread_t thread_id;

static void note_thread(struct zl_task *task)
{
    (void)task;
    thread_id = pthread_self();
    pthread_getname_np(pthread_self(), thread_name, sizeof thread_name);
    sem_post(&done);
}

static void tasks_run_on_the_loops_thread(void **state)
{
    struct zl_task task;
    (void)state;
    zl_task_init(&task, note_thread);
    assert_true(zl_loop_post(&loop, &task));
    await(&done);
    assert_false(pthread_equal(thread_id, pthread_self()));
    assert_true(pthread_equal(thread_id, loop.thread));
    assert_string_equal(thread_name, "unit/ZMQbg/IO/7");
}

enum { TASKS = 8 };

struct numbered {
    struct zl_task task;
    unsigned number;
};

static unsigned order[64];
static unsigned runs;

static void note_order(struct zl_task *task)
{
    order[runs++ % 64] = zl_container_of(task, struct numbered, task)->number;
}

static void raise_done(struct zl_task *task)
{
    (void)task;
    sem_post(&done);
}

static void tasks_run_in_order_and_once_per_post(void **state)
{
    struct numbered tasks[TASKS];
    struct zl_task last;
    (void)state;
    runs = 0;
    zl_task_init(&last, raise_done);
    for (unsigned round = 1; round <= 2; round++) {
        hold_loop();
        for (unsigned i = 0; i < TASKS; i++) {
            zl_task_init(&tasks[i].task, note_order);
            tasks[i].number = i;
            assert_true(zl_loop_post(&loop, &tasks[i].task));
            assert_false(zl_loop_post(&loop, &tasks[i].task)); /* it is on its way */
        }
        assert_true(zl_loop_post(&loop, &last));
        sem_post(&go_on);
        await(&done);
        assert_int_equal(runs, round * TASKS);
        for (unsigned i = 0; i < TASKS; i++)
            assert_int_equal(order[(round - 1) * TASKS + i], i);
    }
}

struct repeating {
    struct zl_task task;
    unsigned left;
    unsigned refused; /* posts that said: on its way already */
};

static void post_itself(struct zl_task *task)
{
    struct repeating *repeating = zl_container_of(task, struct repeating, task);
    if (repeating->left-- == 0)
        sem_post(&done);
    else if (!zl_loop_post(&loop, task))
        repeating->refused++;
}

static void a_running_task_may_be_posted_again(void **state)
{
    struct repeating repeating = {.left = 1000};
    (void)state;
    zl_task_init(&repeating.task, post_itself);
    assert_true(zl_loop_post(&loop, &repeating.task));
    await(&done);
    assert_int_equal(repeating.refused, 0);
}

static void stopping_runs_what_is_posted(void **state)
{
    struct numbered tasks[TASKS];
    struct repeating repeating = {.left = 20};
    (void)state;
    runs = 0;
    hold_loop();
    for (unsigned i = 0; i < TASKS; i++) {
        zl_task_init(&tasks[i].task, note_order);
        assert_true(zl_loop_post(&loop, &tasks[i].task));
    }
    zl_task_init(&repeating.task, post_itself); /* also what is posted only then */
    assert_true(zl_loop_post(&loop, &repeating.task));
    sem_post(&go_on);
    zl_loop_stop(&loop);
    assert_int_equal(runs, TASKS);
    assert_int_equal(sem_trywait(&done), 0);
}

/* ---- Timers ---- */

enum { TIMERS = 5 };

struct noting_timer {
    struct zl_timer timer;
    unsigned number;
    uint64_t due;
};

static struct noting_timer timers[TIMERS];
static unsigned early; /* timers that came before their time */

static void note_expiry(struct zl_timer *timer)
{
    struct noting_timer *noting = zl_container_of(timer, struct noting_timer, timer);
    if (zl_now_ms() < noting->due || zl_timer_running(timer))
        early++;
    order[runs++ % 64] = noting->number;
    if (noting->number == 0)
        sem_post(&done);
}

static void start_timer(unsigned number, int64_t delay)
{
    timers[number].due = zl_now_ms() + (uint64_t)(delay > 0 ? delay : 0);
    zl_loop_timer_start(&loop, &timers[number].timer, delay);
}

static void start_timers(struct zl_task *task)
{
    (void)task;
    start_timer(0, 40); /* the last one */
    start_timer(1, 30);
    start_timer(2, 5);
    start_timer(3, -1); /* at once */
    start_timer(4, 1);
    start_timer(2, 20); /* started again: later */
    start_timer(1, 10); /* earlier */
    zl_loop_timer_stop(&loop, &timers[4].timer);
    zl_loop_timer_stop(&loop, &timers[4].timer);
}

static void timers_expire_in_time_order(void **state)
{
    struct zl_task task;
    (void)state;
    runs = early = 0;
    for (unsigned i = 0; i < TIMERS; i++) {
        timers[i].number = i;
        zl_timer_init(&timers[i].timer, note_expiry);
    }
    zl_task_init(&task, start_timers);
    assert_true(zl_loop_post(&loop, &task));
    await(&done);
    assert_int_equal(early, 0);
    assert_int_equal(runs, 4);
    assert_int_equal(order[0], 3);
    assert_int_equal(order[1], 1);
    assert_int_equal(order[2], 2);
    assert_int_equal(order[3], 0);
}

/* ---- Descriptors ---- */

struct watched {
    struct zl_io io;
    int fd;
    atomic_uint events; /* last seen */
};

static void note_events(struct zl_io *io, uint32_t events)
{
    struct watched *watched = zl_container_of(io, struct watched, io);
    uint64_t value;
    if (events & EPOLLIN && read(watched->fd, &value, sizeof value) != sizeof value)
        events = 0;
    atomic_store(&watched->events, events);
    sem_post(&done);
}

static void descriptors_are_watched(void **state)
{
    struct watched watched = {.io.on_events = note_events, .fd = eventfd(0, EFD_NONBLOCK)};
    uint64_t one = 1;
    (void)state;
    assert_true(watched.fd >= 0);
    assert_int_equal(zl_loop_watch(&loop, -1, EPOLLIN, &watched.io), -EBADF);
    assert_int_equal(zl_loop_rewatch(&loop, watched.fd, EPOLLIN, &watched.io), -ENOENT);
    assert_int_equal(zl_loop_watch(&loop, watched.fd, EPOLLIN, &watched.io), 0);
    assert_int_equal(zl_loop_watch(&loop, watched.fd, EPOLLIN, &watched.io), -EEXIST);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(write(watched.fd, &one, sizeof one), sizeof one);
        await(&done);
        assert_int_equal(atomic_load(&watched.events), EPOLLIN);
    }
    assert_int_equal(zl_loop_rewatch(&loop, watched.fd, EPOLLOUT | EPOLLONESHOT, &watched.io), 0);
    await(&done);
    assert_int_equal(atomic_load(&watched.events), EPOLLOUT);
    zl_loop_unwatch(&loop, watched.fd);
    assert_int_equal(zl_loop_watch(&loop, watched.fd, EPOLLOUT | EPOLLONESHOT, &watched.io), 0);
    await(&done);
    close(watched.fd);
}

/* ---- Freeing what may stand in the batch of events ---- */

struct doomed {
    struct zl_garbage garbage;
    struct zl_io io;
    int fd;
    struct doomed *other;
};

static unsigned released, events_after_release;

static void release_doomed(void *object)
{
    struct doomed *doomed = object;
    released++;
    close(doomed->fd);
    free(doomed);
    if (released % 2 == 0)
        sem_post(&done);
}

/* Whichever of the two comes first takes both away; the event of the other is collected already. */
static void free_both(struct zl_io *io, uint32_t events)
{
    struct doomed *doomed = zl_container_of(io, struct doomed, io);
    (void)events;
    if (released % 2 != 0)
        events_after_release++;
    if (!doomed->other)
        return;
    struct doomed *both[2] = {doomed, doomed->other};
    for (int i = 0; i < 2; i++) {
        both[i]->other = NULL;
        zl_loop_unwatch(&loop, both[i]->fd);
        zl_loop_free_later(&loop, &both[i]->garbage, both[i], release_doomed);
    }
    if (released % 2 != 0)
        events_after_release++;
}

static void objects_live_until_their_events_are_done(void **state)
{
    uint64_t one = 1;
    (void)state;
    released = events_after_release = 0;
    for (unsigned round = 1; round <= 50; round++) {
        struct doomed *pair[2];
        for (int i = 0; i < 2; i++) {
            pair[i] = calloc(1, sizeof *pair[i]);
            assert_non_null(pair[i]);
            pair[i]->io.on_events = free_both;
            pair[i]->fd = eventfd(0, EFD_NONBLOCK);
            assert_true(pair[i]->fd >= 0);
        }
        hold_loop();
        for (int i = 0; i < 2; i++) {
            pair[i]->other = pair[1 - i];
            assert_int_equal(zl_loop_watch(&loop, pair[i]->fd, EPOLLIN, &pair[i]->io), 0);
            assert_int_equal(write(pair[i]->fd, &one, sizeof one), sizeof one);
        }
        sem_post(&go_on);
        await(&done);
        assert_int_equal(released, 2 * round);
    }
    assert_int_equal(events_after_release, 0);
}

/* ---- A forked child ---- */

static void a_child_lets_go_without_disturbing(void **state)
{
    struct zl_task task;
    int status;
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int epoll_fd = loop.epoll_fd, wake_fd = loop.wake_fd;
        zl_loop_abandon(&loop);
        bool closed = fcntl(epoll_fd, F_GETFD) < 0 && fcntl(wake_fd, F_GETFD) < 0;
        _exit(closed && loop.epoll_fd == -1 && loop.wake_fd == -1 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    zl_task_init(&task, raise_done);
    assert_true(zl_loop_post(&loop, &task));
    await(&done);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(tasks_run_on_the_loops_thread),
        TEST(tasks_run_in_order_and_once_per_post),
        TEST(a_running_task_may_be_posted_again),
        TEST(stopping_runs_what_is_posted),
        TEST(timers_expire_in_time_order),
        TEST(descriptors_are_watched),
        TEST(objects_live_until_their_events_are_done),
        TEST(a_child_lets_go_without_disturbing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
