/* SPDX-License-Identifier: MPL-2.0 */
/* The coordinator of a measurement: starts both sides, watches them, ends the time. */
#define _GNU_SOURCE
#include "cli.h"
#include "perf.h"
#include "session.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

enum {
    TICK_MS = 10,
    STOP_MS = 2000, /* a side that was told to stop gets so long */
};

struct worker {
    struct perf_run *run;
    void (*side)(struct perf_run *run);
    pthread_t thread;
    pid_t child;
    bool started;
    bool gone;
};

static void *thread_main(void *argument)
{
    struct worker *worker = argument;
    worker->side(worker->run);
    return NULL;
}

/* The child has no thread and no context yet, so it may do whatever the parent could. */
static void child_main(struct worker *worker, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(CLI_FAILURE);
    signal(SIGINT, SIG_IGN); /* the parent is told as well, and stops this one */
    worker->side(worker->run);
    fflush(stderr);
    _exit(CLI_OK);
}

static bool start_worker(struct worker *worker)
{
    if (worker->run->in_process) {
        worker->started = pthread_create(&worker->thread, NULL, thread_main, worker) == 0;
        return worker->started;
    }
    fflush(NULL);
    pid_t parent = getpid();
    worker->child = fork();
    if (worker->child == 0)
        child_main(worker, parent);
    worker->started = worker->child > 0;
    return worker->started;
}

/* Whether a worker has ended; a child that crashed is a failure. */
static bool has_ended(struct worker *worker, int number)
{
    struct perf_shared *shared = worker->run->shared;
    if (worker->gone || !worker->started)
        return true;
    if (worker->run->in_process)
        return atomic_load(&shared->done[number]);
    int status;
    if (waitpid(worker->child, &status, WNOHANG) != worker->child)
        return false;
    worker->gone = true;
    if (!atomic_load(&shared->done[number]) && !atomic_exchange(&shared->failed, true)) {
        if (WIFSIGNALED(status))
            snprintf(shared->error, sizeof shared->error, "a peer process was killed: %s",
                     strsignal(WTERMSIG(status)));
        else
            snprintf(shared->error, sizeof shared->error, "a peer process ended with exit code %d",
                     WEXITSTATUS(status));
        atomic_store(&shared->stop, true);
    }
    return true;
}

static void collect(struct worker *worker)
{
    if (!worker->started || worker->gone)
        return;
    if (worker->run->in_process) {
        pthread_join(worker->thread, NULL);
        return;
    }
    kill(worker->child, SIGKILL);
    while (waitpid(worker->child, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* What the coordinator remembers between two looks. */
struct watch {
    struct perf_run *run;
    struct perf_progress progress;
    uint64_t last_progress;
    int64_t last_change; /* ms */
    int64_t time_up_at;  /* ms, -1: not measuring yet or no --duration */
    int64_t give_up_at;  /* ms, -1: not stopping */
    bool measuring;
    bool stalled;
    uint64_t cpu_start;
};

static void note_measuring(struct watch *watch, int64_t now)
{
    const struct perf_args *args = watch->run->args;
    if (watch->measuring || !atomic_load(&watch->run->shared->measuring))
        return;
    watch->measuring = true;
    watch->last_change = now;
    watch->cpu_start = perf_cpu_ns(false);
    perf_progress_start(&watch->progress);
    if (args->count < 0)
        watch->time_up_at = now + (int64_t)(args->duration * 1000);
}

/* Looks at everything once. */
static void look(struct watch *watch)
{
    struct perf_shared *shared = watch->run->shared;
    int64_t now = cli_now_ms();
    note_measuring(watch, now);
    uint64_t progress = atomic_load_explicit(&shared->progress, memory_order_relaxed);
    if (progress != watch->last_progress) {
        watch->last_progress = progress;
        watch->last_change = now;
    }
    if (watch->measuring)
        perf_progress_update(&watch->progress, progress);
    if (watch->time_up_at >= 0 && now >= watch->time_up_at)
        atomic_store(&shared->time_is_up, true);
    if (cli_signal())
        atomic_store(&shared->stop, true);
    if (now - watch->last_change >= watch->run->args->timeout && !atomic_load(&shared->stop)) {
        watch->stalled = true;
        atomic_store(&shared->stop, true);
    }
    if (atomic_load(&shared->stop) && watch->give_up_at < 0)
        watch->give_up_at = now + STOP_MS;
}

/* Sleeps until the next look: a tick, the end of the time, or a signal. */
static void nap(const struct watch *watch)
{
    struct pollfd wake = {.fd = cli_signal_fd(), .events = POLLIN};
    int64_t left = watch->time_up_at - cli_now_ms();
    int ms = watch->time_up_at >= 0 && left > 0 && left < TICK_MS ? (int)left : TICK_MS;
    poll(&wake, cli_signal() ? 0 : 1, ms);
}

static void watch_workers(struct watch *watch, struct worker workers[2])
{
    watch->last_change = cli_now_ms();
    for (;;) {
        look(watch);
        bool near_ended = has_ended(&workers[0], 0);
        bool far_ended = has_ended(&workers[1], 1);
        if (near_ended && far_ended)
            break;
        /* Threads cannot be killed; they look at `stop` at least every SLICE_MS. */
        if (watch->give_up_at >= 0 && cli_now_ms() >= watch->give_up_at && !watch->run->in_process)
            break;
        nap(watch);
    }
    if (watch->measuring)
        watch->run->shared->total_cpu_ns = perf_cpu_ns(false) - watch->cpu_start;
    perf_progress_clear(&watch->progress);
}

static int result(const struct watch *watch)
{
    const struct perf_shared *shared = watch->run->shared;
    const struct perf_args *args = watch->run->args;
    if (cli_signal())
        return 128 + cli_signal();
    if (watch->stalled) {
        cli_error("no message came through within %d ms (%s, %s)", args->timeout, args->transport,
                  args->pattern_name);
        cli_hint("--timeout MS allows more; a stock libzmq may lack the transport");
        return CLI_TIMEOUT;
    }
    if (atomic_load(&shared->failed)) {
        if (*shared->error)
            cli_error("%s", shared->error);
        if (args->tls.used)
            cli_tls_hint(shared->error);
        return shared->exit_code ? shared->exit_code : CLI_FAILURE;
    }
    if (!shared->elapsed_ns) {
        cli_error("the measurement ended without a result");
        return CLI_FAILURE;
    }
    return CLI_OK;
}

static int prepare(struct perf_run *run)
{
    snprintf(run->endpoint, sizeof run->endpoint, "%s", perf_endpoint(run->args->transport));
    run->shared =
        mmap(NULL, sizeof *run->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (run->shared == MAP_FAILED) {
        run->shared = NULL;
        cli_error("cannot share memory: %s", strerror(errno));
        return CLI_FAILURE;
    }
    sem_init(&run->shared->ready[0], 1, 0);
    sem_init(&run->shared->ready[1], 1, 0);
    if (run->in_process && !(run->context = zmq_ctx_new())) {
        cli_error("cannot create a context: %s", zmq_strerror(zmq_errno()));
        return CLI_FAILURE;
    }
    if (run->in_process && run->args->io_threads != CLI_UNSET)
        zmq_ctx_set(run->context, ZMQ_IO_THREADS, run->args->io_threads);
    return CLI_OK;
}

int perf_measure(const struct perf_args *args, bool round_trips, struct perf_run *run)
{
    *run = (struct perf_run){
        .args = args, .round_trips = round_trips, .in_process = perf_in_process(args)};
    int rc = prepare(run);
    if (rc != CLI_OK)
        return rc;
    struct worker workers[2] = {{.run = run, .side = perf_near}, {.run = run, .side = perf_far}};
    struct watch watch = {.run = run, .time_up_at = -1, .give_up_at = -1};
    watch.progress = (struct perf_progress){.args = args, .round_trips = round_trips};
    if (!start_worker(&workers[0]) || !start_worker(&workers[1])) {
        cli_error("cannot start the two sides: %s", strerror(errno));
        atomic_store(&run->shared->stop, true);
        rc = CLI_FAILURE;
    }
    watch_workers(&watch, workers);
    collect(&workers[0]);
    collect(&workers[1]);
    return rc == CLI_OK ? result(&watch) : rc;
}

void perf_release(struct perf_run *run)
{
    if (run->context)
        zmq_ctx_term(run->context);
    if (run->shared)
        munmap(run->shared, sizeof *run->shared);
    *run = (struct perf_run){0};
}
