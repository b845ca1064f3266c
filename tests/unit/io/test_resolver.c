/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of the resolver thread: requests are worked on one after another beside the loop, and each
   comes back once. */
#define _GNU_SOURCE
#include "thread_state.h"

#include "io/resolver.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

static struct zl_loop loop;
static struct zl_resolver resolver;
static sem_t done;  /* raised by each `done` */
static sem_t began; /* raised by work that is held up */
static sem_t go_on; /* lets it end */

struct request {
    struct zl_request request;
    unsigned number;
    bool held;           /* its work waits for `go_on` */
    bool worked;         /* resolver thread */
    bool worked_at_done; /* loop; as seen by `done` */
    unsigned dones;      /* loop */
    pthread_t worker;
};

static unsigned order[32]; /* numbers in the order of their work */
static unsigned works;

static void await(sem_t *semaphore)
{
    while (sem_wait(semaphore) < 0)
        assert_int_equal(errno, EINTR);
}

static void work(struct zl_request *base)
{
    struct request *request = zl_container_of(base, struct request, request);
    order[works++ % 32] = request->number;
    if (request->held) {
        sem_post(&began);
        while (sem_wait(&go_on) < 0)
            continue;
    }
    request->worked = true;
    request->worker = pthread_self();
}

static void on_done(struct zl_task *task)
{
    struct zl_request *base = zl_container_of(task, struct zl_request, done);
    struct request *request = zl_container_of(base, struct request, request);
    request->worked_at_done = request->worked;
    request->dones++;
    sem_post(&done);
}

static void request_init(struct request *request, unsigned number)
{
    memset(request, 0, sizeof *request);
    zl_list_init(&request->request.node);
    zl_task_init(&request->request.done, on_done);
    request->request.loop = &loop;
    request->request.work = work;
    request->number = number;
}

static int setup(void **state)
{
    struct zl_loop_attributes attributes = {.name_prefix = "", .priority = -1, .policy = -1};
    (void)state;
    works = 0;
    if (sem_init(&done, 0, 0) || sem_init(&began, 0, 0) || sem_init(&go_on, 0, 0))
        return -1;
    zl_resolver_init(&resolver);
    return zl_loop_start(&loop, &attributes);
}

static int teardown(void **state)
{
    (void)state;
    zl_loop_stop(&loop);
    return 0;
}

static void stopping_what_never_began(void **state)
{
    (void)state;
    zl_resolver_stop(&resolver); /* no thread was made */
}

static void work_happens_on_a_thread_of_its_own(void **state)
{
    struct request request;
    (void)state;
    request_init(&request, 1);
    assert_int_equal(zl_resolver_submit(&resolver, &request.request), 0);
    await(&done);
    assert_true(request.worked_at_done);
    assert_int_equal(request.dones, 1);
    assert_false(pthread_equal(request.worker, pthread_self()));
    assert_false(pthread_equal(request.worker, loop.thread));
    zl_resolver_stop(&resolver);
}

/* Work that blocks keeps neither the loop nor the caller, and the next ones wait in order. */
static void requests_are_worked_on_in_order(void **state)
{
    struct request requests[8];
    struct request direct;
    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        request_init(&requests[i], i);
        requests[i].held = i == 0;
        assert_int_equal(zl_resolver_submit(&resolver, &requests[i].request), 0);
    }
    await(&began);
    request_init(&direct, 99); /* straight to the loop */
    assert_true(zl_loop_post(&loop, &direct.request.done));
    await(&done);
    assert_int_equal(direct.dones, 1);
    sem_post(&go_on);
    for (unsigned i = 0; i < 8; i++)
        await(&done);
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(order[i], i);
        assert_true(requests[i].worked_at_done);
        assert_int_equal(requests[i].dones, 1);
    }
    zl_resolver_stop(&resolver);
}

static void a_request_may_come_again(void **state)
{
    struct request request;
    (void)state;
    request_init(&request, 1);
    for (unsigned i = 1; i <= 200; i++) {
        assert_int_equal(zl_resolver_submit(&resolver, &request.request), 0);
        await(&done);
        assert_int_equal(request.dones, i);
    }
    zl_resolver_stop(&resolver);
}

static void *stop_resolver(void *id)
{
    atomic_store((atomic_int *)id, gettid());
    zl_resolver_stop(&resolver);
    return NULL;
}

/* What is being worked on is waited for; what has not begun comes back without work. */
static void stopping_gives_everything_back(void **state)
{
    struct request requests[6];
    pthread_t stopper;
    atomic_int id;
    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        request_init(&requests[i], i);
        requests[i].held = i == 0;
        assert_int_equal(zl_resolver_submit(&resolver, &requests[i].request), 0);
    }
    await(&began);
    atomic_init(&id, 0);
    assert_int_equal(pthread_create(&stopper, NULL, stop_resolver, &id), 0);
    while (atomic_load(&id) == 0)
        sched_yield();
    /* It sleeps in the join when it has said "stop": the lock is only held for moments. */
    for (bool stopping = false; !stopping;) {
        await_thread_sleep(atomic_load(&id));
        pthread_mutex_lock(&resolver.lock);
        stopping = resolver.stopping;
        pthread_mutex_unlock(&resolver.lock);
    }
    assert_int_equal(sem_trywait(&done), -1);
    sem_post(&go_on);
    assert_int_equal(pthread_join(stopper, NULL), 0);
    for (unsigned i = 0; i < 6; i++)
        await(&done);
    assert_int_equal(works, 1);
    for (unsigned i = 0; i < 6; i++) {
        assert_int_equal(requests[i].worked_at_done, i == 0);
        assert_int_equal(requests[i].dones, 1);
    }
}

enum { THREADS = 3, REQUESTS = 300 };

static void *submit_many(void *argument)
{
    struct request *requests = argument;
    for (unsigned i = 0; i < REQUESTS; i++)
        if (zl_resolver_submit(&resolver, &requests[i].request) < 0)
            return argument;
    return NULL;
}

static void requests_come_from_many_threads(void **state)
{
    struct request *requests = calloc(THREADS * REQUESTS, sizeof *requests);
    pthread_t threads[THREADS];
    (void)state;
    assert_non_null(requests);
    for (unsigned i = 0; i < THREADS * REQUESTS; i++)
        request_init(&requests[i], i);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, submit_many, &requests[i * REQUESTS]),
                         0);
    for (unsigned i = 0; i < THREADS; i++) {
        void *failed;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    for (unsigned i = 0; i < THREADS * REQUESTS; i++)
        await(&done);
    for (unsigned i = 0; i < THREADS * REQUESTS; i++) {
        assert_true(requests[i].worked_at_done);
        assert_int_equal(requests[i].dones, 1);
        assert_true(pthread_equal(requests[i].worker, requests[0].worker)); /* one thread */
    }
    zl_resolver_stop(&resolver);
    free(requests);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(stopping_what_never_began),       TEST(work_happens_on_a_thread_of_its_own),
        TEST(requests_are_worked_on_in_order), TEST(a_request_may_come_again),
        TEST(stopping_gives_everything_back),  TEST(requests_come_from_many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
