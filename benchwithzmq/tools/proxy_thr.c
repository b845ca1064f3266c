/* SPDX-License-Identifier: MPL-2.0 */

/*
 * proxy_thr: times messages from a publisher through a proxy to a subscriber, three threads joined
 * by inproc. Nothing may be lost on the way, so every publishing socket waits (XPUB_NODROP) instead
 * of dropping. The first message is repeated until the subscriber has it, because only then has its
 * subscription gone all the way up.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <zmq.h>

#include "common.h"

#define FRONTEND "inproc://proxy_frontend"
#define BACKEND "inproc://proxy_backend"
#define POLL_MS 1

enum { MARK_GREETING, MARK_LOAD };

struct test {
    void *context;
    struct perf_load load;
    atomic_bool subscribed;
};

static void publisher_main(void *argument)
{
    struct test *test = argument;
    void *socket = perf_socket(test->context, ZMQ_PUB);
    char *buffer = perf_buffer(test->load.size);

    perf_set_int(socket, ZMQ_XPUB_NODROP, 1);
    perf_connect(socket, FRONTEND);
    buffer[0] = MARK_GREETING;
    while (!atomic_load(&test->subscribed)) {
        perf_send(socket, buffer, test->load.size);
        zmq_poll(NULL, 0, POLL_MS);
    }
    buffer[0] = MARK_LOAD;
    for (unsigned long i = 0; i < test->load.count; i++)
        perf_send(socket, buffer, test->load.size);
    zmq_close(socket);
    free(buffer);
}

/* Ends when the context is shut down. */
static void proxy_main(void *argument)
{
    struct test *test = argument;
    void *frontend = perf_socket(test->context, ZMQ_XSUB);
    void *backend = perf_socket(test->context, ZMQ_XPUB);

    perf_set_int(backend, ZMQ_XPUB_NODROP, 1);
    perf_bind(frontend, FRONTEND);
    perf_bind(backend, BACKEND);
    zmq_proxy(frontend, backend, NULL);
    zmq_close(frontend);
    zmq_close(backend);
}

static unsigned long time_load(struct test *test, void *socket, char *buffer)
{
    do {
        perf_receive(socket, buffer, test->load.size);
        atomic_store(&test->subscribed, true);
    } while (buffer[0] != MARK_LOAD);
    void *watch = zmq_stopwatch_start();
    for (unsigned long i = 1; i < test->load.count; i++)
        perf_receive(socket, buffer, test->load.size);
    return zmq_stopwatch_stop(watch);
}

int main(int argc, char **argv)
{
    struct perf_load load =
        perf_arguments(argc, argv, 2, "proxy_thr <message-size> <message-count>");
    struct test test = {.context = perf_context(), .load = load};
    void *socket = perf_socket(test.context, ZMQ_SUB);
    char *buffer;

    if (test.load.size == 0)
        test.load.size = 1; /* room for the mark */
    buffer = perf_buffer(test.load.size);
    if (zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0) != 0)
        perf_fail("zmq_setsockopt");
    perf_connect(socket, BACKEND);
    void *proxy = perf_start(proxy_main, &test);
    void *publisher = perf_start(publisher_main, &test);
    unsigned long elapsed = time_load(&test, socket, buffer);
    perf_join(publisher);
    zmq_ctx_shutdown(test.context);
    perf_join(proxy);
    perf_report_throughput(&test.load, elapsed);
    perf_close(socket, test.context);
    free(buffer);
    return 0;
}
