/* SPDX-License-Identifier: MPL-2.0 */

/* Peers as forked processes (tcp, ipc, ws) or as threads (inproc). */
#define _GNU_SOURCE
#include "peers.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared.h"

struct launch {
    peer_body *body;
    void *argument;
    int index;
};

void fatal(enum exit_code code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    flockfile(stderr);
    fprintf(stderr, "%s: ", program_invocation_short_name);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    funlockfile(stderr);
    va_end(arguments);
    _exit(code);
}

static void on_time_limit(int signal_number)
{
    static const char text[] = "time limit passed, run given up\n";
    (void)signal_number;
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
        _exit(EXIT_FAILED);
    _exit(EXIT_FAILED);
}

static void *thread_main(void *argument)
{
    struct launch *launch = argument;
    launch->body(launch->index, launch->argument);
    return NULL;
}

static void run_threads(int count, struct launch *launches)
{
    pthread_t threads[MAX_PEERS];
    for (int i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, thread_main, &launches[i]) != 0)
            fatal(EXIT_FAILED, "cannot start thread %d of %d", i + 1, count);
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

/* PDEATHSIG covers a parent that dies later; the comparison covers one that died before it was set.
 */
static _Noreturn void child_main(struct launch *launch, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(EXIT_FAILED);
    launch->body(launch->index, launch->argument);
    _exit(0);
}

static void end_children(int count, const pid_t *children)
{
    for (int i = 0; i < count; i++)
        if (children[i] > 0)
            kill(children[i], SIGKILL);
}

static void forget_child(int count, pid_t *children, pid_t ended)
{
    for (int i = 0; i < count; i++)
        if (children[i] == ended)
            children[i] = 0;
}

static void run_processes(int count, struct launch *launches)
{
    pid_t children[MAX_PEERS] = {0};
    pid_t self = getpid();

    for (int i = 0; i < count; i++) {
        children[i] = fork();
        if (children[i] == 0)
            child_main(&launches[i], self);
        if (children[i] < 0) {
            end_children(count, children);
            fatal(EXIT_FAILED, "cannot fork: %s", strerror(errno));
        }
    }
    for (int left = count; left > 0; left--) {
        int status = 0;
        pid_t ended = wait(&status);
        forget_child(count, children, ended);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
            continue;
        end_children(count, children);
        if (WIFEXITED(status))
            _exit(WEXITSTATUS(status)); /* the child has said why */
        fatal(EXIT_FAILED, "a peer was ended by signal %d", WTERMSIG(status));
    }
}

void peers_run(int count, bool threads, unsigned limit_seconds, peer_body *body, void *argument)
{
    struct launch launches[MAX_PEERS];

    if (count > MAX_PEERS)
        fatal(EXIT_USAGE, "%d peers asked for, at most %d are possible", count, MAX_PEERS);
    for (int i = 0; i < count; i++)
        launches[i] = (struct launch){body, argument, i};
    signal(SIGALRM, on_time_limit);
    alarm(limit_seconds);
    fflush(NULL);
    if (threads)
        run_threads(count, launches);
    else
        run_processes(count, launches);
    alarm(0);
}
