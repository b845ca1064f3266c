/* SPDX-License-Identifier: MPL-2.0 */
/* Posting tasks from many threads: after the last post of a task it runs once more, and sees what
   was written before that post. A wake-up that gets lost here ends as a time-out of this test. */
#define _GNU_SOURCE
#include "thread_state.h"

#include "base/list.h"
#include "io/loop.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <unistd.h>

enum { THREADS = 4, TASKS = 6, POSTS = 8000, ROUNDS = 1500 };

static struct zl_loop loop;

static int setup(void **state)
{
    struct zl_loop_attributes attributes = {.name_prefix = "", .priority = -1, .policy = -1};
    (void)state;
    return zl_loop_start(&loop, &attributes);
}

static int teardown(void **state)
{
    (void)state;
    zl_loop_stop(&loop);
    return 0;
}

struct counting_task {
    struct zl_task task;
    atomic_uint asked;     /* counted before each post */
    atomic_uint seen;      /* of `asked`, by the last run */
    atomic_uint runs;      /* counted in each run */
    atomic_uint posts;     /* that were accepted */
    unsigned plain;        /* only the loop's; tasks run one at a time */
    unsigned plain_errors; /* the loop's */
};

static struct counting_task tasks[TASKS];

static void look(struct zl_task *task)
{
    struct counting_task *counting = zl_container_of(task, struct counting_task, task);
    if (counting->plain++ != atomic_fetch_add(&counting->runs, 1))
        counting->plain_errors++;
    atomic_store(&counting->seen, atomic_load_explicit(&counting->asked, memory_order_relaxed));
}

static void ask(struct counting_task *counting)
{
    /* Relaxed: the post itself has to make it visible. */
    atomic_fetch_add_explicit(&counting->asked, 1, memory_order_relaxed);
    if (zl_loop_post(&loop, &counting->task))
        atomic_fetch_add(&counting->posts, 1);
}

static void init_tasks(void)
{
    memset(tasks, 0, sizeof tasks);
    for (unsigned i = 0; i < TASKS; i++)
        zl_task_init(&tasks[i].task, look);
}

static void await_last_runs(void)
{
    for (unsigned i = 0; i < TASKS; i++) {
        while (atomic_load(&tasks[i].seen) != atomic_load(&tasks[i].asked))
            sched_yield();
        /* Each accepted post is one run; the last one may not have counted itself yet. */
        while (atomic_load(&tasks[i].runs) != atomic_load(&tasks[i].posts))
            sched_yield();
    }
}

static void *post_many(void *argument)
{
    uint64_t random = (uintptr_t)argument;
    for (unsigned i = 0; i < POSTS; i++) {
        ask(&tasks[octets_random(&random) % TASKS]);
        if (octets_random(&random) % 256 == 0)
            sched_yield();
    }
    return NULL;
}

static void every_last_post_is_followed_by_a_run(void **state)
{
    pthread_t threads[THREADS];
    (void)state;
    init_tasks();
    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, post_many, (void *)(i + 1)), 0);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    await_last_runs();
    unsigned asked = 0;
    for (unsigned i = 0; i < TASKS; i++) {
        asked += atomic_load(&tasks[i].asked);
        assert_int_equal(tasks[i].plain_errors, 0);
    }
    assert_int_equal(asked, THREADS * POSTS);
}

/* Post, wait, post: most posts find the loop asleep or on its way there. */
static void a_sleeping_loop_is_woken(void **state)
{
    uint64_t random = 1;
    (void)state;
    init_tasks();
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = octets_random(&random) % TASKS; i < TASKS; i++)
            ask(&tasks[i]);
        await_last_runs();
        for (unsigned i = octets_random(&random) % 64; i > 0; i--)
            atomic_load(&tasks[0].runs); /* some time, of different lengths */
    }
    for (unsigned i = 0; i < TASKS; i++)
        assert_int_equal(tasks[i].plain_errors, 0);
}

/* Data handed over by a post need no order of their own. */
struct parcel {
    struct zl_task task;
    unsigned content;
    unsigned sum; /* the loop's */
    sem_t delivered;
};

static void deliver(struct zl_task *task)
{
    struct parcel *parcel = zl_container_of(task, struct parcel, task);
    parcel->sum += parcel->content;
    sem_post(&parcel->delivered);
}

static void *send_parcels(void *argument)
{
    struct parcel *parcel = argument;
    for (unsigned i = 0; i < ROUNDS; i++) {
        parcel->content = i;
        zl_loop_post(&loop, &parcel->task);
        while (sem_wait(&parcel->delivered) < 0 && errno == EINTR)
            continue;
    }
    return NULL;
}

static void a_post_hands_memory_over(void **state)
{
    struct parcel parcels[THREADS];
    pthread_t threads[THREADS];
    (void)state;
    memset(parcels, 0, sizeof parcels);
    for (unsigned i = 0; i < THREADS; i++) {
        zl_task_init(&parcels[i].task, deliver);
        assert_int_equal(sem_init(&parcels[i].delivered, 0, 0), 0);
        assert_int_equal(pthread_create(&threads[i], NULL, send_parcels, &parcels[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(parcels[i].sum, ROUNDS * (ROUNDS - 1) / 2);
        sem_destroy(&parcels[i].delivered);
    }
}

/* ---- A run that the test holds up ---- */

struct held_task {
    struct zl_task task;
    sem_t began;
    sem_t go_on;
    atomic_int thread;
    atomic_uint runs;
};

static void run_held(struct zl_task *task)
{
    struct held_task *held = zl_container_of(task, struct held_task, task);
    atomic_store(&held->thread, gettid());
    sem_post(&held->began);
    while (sem_wait(&held->go_on) < 0 && errno == EINTR)
        continue;
    atomic_fetch_add(&held->runs, 1);
}

static void held_init(struct held_task *held)
{
    zl_task_init(&held->task, run_held);
    assert_int_equal(sem_init(&held->began, 0, 0), 0);
    assert_int_equal(sem_init(&held->go_on, 0, 0), 0);
    atomic_init(&held->thread, 0);
    atomic_init(&held->runs, 0);
}

static void await_begin(struct held_task *held)
{
    while (sem_wait(&held->began) < 0)
        assert_int_equal(errno, EINTR);
}

/* Posted while it runs means one more run, and only one. */
static void a_post_during_the_run_counts(void **state)
{
    struct held_task first, second;
    (void)state;
    held_init(&first);
    held_init(&second);
    assert_true(zl_loop_post(&loop, &first.task));
    await_begin(&first);
    assert_true(zl_loop_post(&loop, &second.task));
    assert_true(zl_loop_post(&loop, &first.task));
    assert_false(zl_loop_post(&loop, &first.task));
    sem_post(&first.go_on);
    await_begin(&second); /* the first run of the other one is over, the next not begun */
    assert_int_equal(atomic_load(&first.runs), 1);
    assert_false(zl_loop_post(&loop, &first.task));
    sem_post(&second.go_on);
    sem_post(&first.go_on);
    await_begin(&first);
    zl_loop_stop(&loop);
    assert_int_equal(atomic_load(&first.runs), 2);
    assert_int_equal(atomic_load(&second.runs), 1);
}

static void an_idle_loop_sleeps(void **state)
{
    struct held_task held;
    (void)state;
    held_init(&held);
    for (unsigned i = 1; i <= 3; i++) {
        sem_post(&held.go_on);
        assert_true(zl_loop_post(&loop, &held.task));
        await_begin(&held);
        while (atomic_load(&held.runs) < i)
            sched_yield();
        await_thread_sleep(atomic_load(&held.thread));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_last_post_is_followed_by_a_run),
        TEST(a_sleeping_loop_is_woken),
        TEST(a_post_hands_memory_over),
        TEST(a_post_during_the_run_counts),
        TEST(an_idle_loop_sleeps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
