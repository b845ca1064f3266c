/* SPDX-License-Identifier: MPL-2.0 */
/* The peer's commands that go on working on a thread of their own, until the end of the context. */
#include "peer_commands.h"

#include <errno.h>
#include <pthread.h>

/* The thread of the serve and proxy commands. It owns these sockets once it runs. */
static struct {
    pthread_t thread;
    bool running;
    void *front, *back, *capture;
    int error; /* why it ended */
} worker;

static void *run_proxy(void *unused)
{
    (void)unused;
    do
        lib.zmq_proxy(worker.front, worker.back, worker.capture);
    while (lib.zmq_errno() == EINTR);
    worker.error = lib.zmq_errno();
    lib.zmq_close(worker.front);
    lib.zmq_close(worker.back);
    if (worker.capture)
        lib.zmq_close(worker.capture);
    return NULL;
}

static void *run_echo(void *unused)
{
    struct message message;
    (void)unused;
    while (message_recv(worker.front, &message, 0) && message_send(worker.front, &message))
        ;
    worker.error = failure_errno();
    lib.zmq_close(worker.front);
    return NULL;
}

/* Takes the socket out of the table: it belongs to the worker from now on. */
static bool lend_to_worker(const char *name, void **handle)
{
    struct sock *sock = find_socket(name);
    int forever = -1, linger = 0;
    if (!sock)
        return false;
    *handle = sock->handle;
    sock->handle = NULL;
    /* Nothing can be asked about the socket any more. */
    if (sock->monitor && lib.zmq_close(sock->monitor) != 0)
        return fail_zmq("zmq_close of a monitor");
    return (lib.zmq_setsockopt(*handle, ZMQ_RCVTIMEO, &forever, sizeof forever) == 0 &&
            lib.zmq_setsockopt(*handle, ZMQ_SNDTIMEO, &forever, sizeof forever) == 0 &&
            lib.zmq_setsockopt(*handle, ZMQ_LINGER, &linger, sizeof linger) == 0) ||
           fail_zmq("socket of the worker");
}

static bool start_worker(void *(*run)(void *))
{
    if (worker.running || pthread_create(&worker.thread, NULL, run, NULL) != 0)
        return fail("no second thread");
    worker.running = true;
    return done();
}

bool cmd_proxy(const struct args *args)
{
    return lend_to_worker(arg_at(args, 1), &worker.front) &&
           lend_to_worker(arg_at(args, 2), &worker.back) &&
           (args->count < 4 || lend_to_worker(args->list[3], &worker.capture)) &&
           start_worker(run_proxy);
}

bool cmd_serve(const struct args *args)
{
    return lend_to_worker(arg_at(args, 1), &worker.front) && start_worker(run_echo);
}

bool stop_worker(void)
{
    if (!worker.running)
        return true;
    if (lib.zmq_ctx_shutdown(context) != 0)
        return fail_zmq("zmq_ctx_shutdown");
    pthread_join(worker.thread, NULL);
    return worker.error == ETERM || fail("serve or proxy: %s", lib.zmq_strerror(worker.error));
}
