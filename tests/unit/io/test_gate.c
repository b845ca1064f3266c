/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of the gate and of the futex under it. */
#define _GNU_SOURCE
#include "thread_state.h"

#include "io/gate.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 20000 };

static void alone(void **state)
{
    struct zl_gate gate;
    (void)state;
    zl_gate_init(&gate);
    for (int i = 0; i < 3; i++) {
        zl_gate_lock(&gate);
        assert_int_not_equal(atomic_load(&gate.state), 0);
        zl_gate_unlock(&gate);
        assert_int_equal(atomic_load(&gate.state), 0);
    }
    assert_true(zl_usable_cpus() >= 1);
    assert_int_equal(zl_usable_cpus(), zl_usable_cpus());
}

/* What is not atomic is only kept together by the gate. */
struct shared {
    struct zl_gate gate;
    uint64_t counter;
    uint64_t copies[8];
    unsigned inside;
    unsigned errors;
    bool sleepy; /* the holder sleeps now and then, so that others have to sleep in the kernel */
};

static void hold(struct shared *shared, uint64_t *random)
{
    zl_gate_lock(&shared->gate);
    if (shared->inside++ != 0)
        shared->errors++;
    for (int i = 0; i < 8; i++)
        if (shared->copies[i] != shared->counter)
            shared->errors++;
    shared->counter++;
    if (shared->sleepy && octets_random(random) % 64 == 0)
        nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
    for (int i = 0; i < 8; i++)
        shared->copies[i] = shared->counter;
    shared->inside--;
    zl_gate_unlock(&shared->gate);
}

static void *hold_often(void *argument)
{
    struct shared *shared = argument;
    uint64_t random = 3;
    int rounds = shared->sleepy ? ROUNDS / 20 : ROUNDS;
    for (int i = 0; i < rounds; i++) {
        hold(shared, &random);
        if (octets_random(&random) % 128 == 0)
            sched_yield();
    }
    return NULL;
}

static void run(bool sleepy)
{
    struct shared shared;
    pthread_t threads[THREADS];
    memset(&shared, 0, sizeof shared);
    shared.sleepy = sleepy;
    zl_gate_init(&shared.gate);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hold_often, &shared), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(shared.errors, 0);
    assert_int_equal(shared.counter, THREADS * (sleepy ? ROUNDS / 20 : ROUNDS));
    assert_int_equal(atomic_load(&shared.gate.state), 0);
}

static void only_one_holder_at_a_time(void **state)
{
    (void)state;
    run(false);
}

/* A wake-up that is lost here ends as a time-out of this test. */
static void sleepers_are_woken(void **state)
{
    (void)state;
    run(true);
}

struct waiter {
    struct shared *shared;
    atomic_int id; /* of its thread, once it runs */
};

static void *take_and_give(void *argument)
{
    struct waiter *waiter = argument;
    atomic_store(&waiter->id, gettid());
    zl_gate_lock(&waiter->shared->gate);
    waiter->shared->counter++;
    zl_gate_unlock(&waiter->shared->gate);
    return NULL;
}

static void waiting_takes_no_processor_time(void **state)
{
    struct shared shared;
    struct waiter waiters[THREADS];
    pthread_t threads[THREADS];
    (void)state;
    memset(&shared, 0, sizeof shared);
    zl_gate_init(&shared.gate);
    zl_gate_lock(&shared.gate);
    for (int i = 0; i < THREADS; i++) {
        waiters[i].shared = &shared;
        atomic_init(&waiters[i].id, 0);
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, &waiters[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        while (atomic_load(&waiters[i].id) == 0)
            sched_yield();
        await_thread_sleep(atomic_load(&waiters[i].id));
    }
    assert_int_equal(shared.counter, 0);
    zl_gate_unlock(&shared.gate);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(shared.counter, THREADS);
}

/* ---- The futex ---- */

static void a_changed_word_is_not_waited_for(void **state)
{
    atomic_uint word;
    (void)state;
    atomic_init(&word, 1);
    assert_int_equal(zl_futex_wait(&word, 0, -1), 0);
    assert_int_equal(zl_futex_wait(&word, 2, 1000000), 0);
}

static void waiting_ends_with_its_time(void **state)
{
    atomic_uint word;
    struct timespec begin, end;
    (void)state;
    atomic_init(&word, 1);
    assert_int_equal(zl_futex_wait(&word, 1, 0), -ETIMEDOUT);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    assert_int_equal(zl_futex_wait(&word, 1, 20), -ETIMEDOUT);
    clock_gettime(CLOCK_MONOTONIC, &end);
    int64_t ns = (end.tv_sec - begin.tv_sec) * INT64_C(1000000000) + end.tv_nsec - begin.tv_nsec;
    assert_true(ns >= 20 * 1000000); /* not before; how much after is the machine's affair */
}

struct sleeper {
    atomic_uint word;
    atomic_uint ready;
    int rc;
};

static void *sleep_on_word(void *argument)
{
    struct sleeper *sleeper = argument;
    atomic_fetch_add(&sleeper->ready, 1);
    while (atomic_load(&sleeper->word) == 0)
        zl_futex_wait(&sleeper->word, 0, -1);
    return NULL;
}

static void waking_wakes_all(void **state)
{
    struct sleeper sleepers = {.rc = 1};
    pthread_t threads[THREADS];
    (void)state;
    for (int round = 0; round < 50; round++) {
        atomic_store(&sleepers.word, 0);
        atomic_store(&sleepers.ready, 0);
        for (int i = 0; i < THREADS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, sleep_on_word, &sleepers), 0);
        while (round % 2 && atomic_load(&sleepers.ready) < THREADS)
            sched_yield(); /* about to sleep, or asleep */
        atomic_store(&sleepers.word, 1);
        zl_futex_wake_all(&sleepers.word);
        for (int i = 0; i < THREADS; i++)
            assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
}

static void ignore_signal(int number)
{
    (void)number;
}

static void *wait_for_signal(void *argument)
{
    struct sleeper *sleeper = argument;
    atomic_store(&sleeper->ready, 1);
    sleeper->rc = zl_futex_wait(&sleeper->word, 0, -1);
    atomic_store(&sleeper->ready, 2);
    return NULL;
}

/* Also when the handler asks for calls to be resumed: callers rely on EINTR. */
static void a_signal_ends_the_wait(void **state)
{
    struct sigaction action = {.sa_handler = ignore_signal, .sa_flags = SA_RESTART}, before;
    struct sleeper sleeper = {.rc = 1};
    pthread_t thread;
    (void)state;
    assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
    assert_int_equal(pthread_create(&thread, NULL, wait_for_signal, &sleeper), 0);
    while (atomic_load(&sleeper.ready) != 1)
        sched_yield();
    /* It may not sleep yet, so the signal is repeated. */
    while (atomic_load(&sleeper.ready) != 2) {
        pthread_kill(thread, SIGUSR1);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(sleeper.rc, -EINTR);
    assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alone),
        cmocka_unit_test(only_one_holder_at_a_time),
        cmocka_unit_test(sleepers_are_woken),
        cmocka_unit_test(waiting_takes_no_processor_time),
        cmocka_unit_test(a_changed_word_is_not_waited_for),
        cmocka_unit_test(waiting_ends_with_its_time),
        cmocka_unit_test(waking_wakes_all),
        cmocka_unit_test(a_signal_ends_the_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
