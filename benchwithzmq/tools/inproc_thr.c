/* SPDX-License-Identifier: MPL-2.0 */

/* inproc_thr: times messages from one thread to another, from the arrival of the first one. */
#include <stdlib.h>
#include <zmq.h>

#include "common.h"

#define ENDPOINT "inproc://thr_test"

struct sender {
    void *context;
    struct perf_load load;
};

static void sender_main(void *argument)
{
    const struct sender *sender = argument;
    void *socket = perf_socket(sender->context, ZMQ_PUSH);
    void *buffer = perf_buffer(sender->load.size);

    perf_connect(socket, ENDPOINT);
    for (unsigned long i = 0; i < sender->load.count; i++)
        perf_send(socket, buffer, sender->load.size);
    zmq_close(socket);
    free(buffer);
}

int main(int argc, char **argv)
{
    struct perf_load load =
        perf_arguments(argc, argv, 2, "inproc_thr <message-size> <message-count>");
    void *context = perf_context();
    void *socket = perf_socket(context, ZMQ_PULL);
    void *buffer = perf_buffer(load.size);
    struct sender sender = {context, load};

    perf_bind(socket, ENDPOINT);
    void *thread = perf_start(sender_main, &sender);
    perf_receive(socket, buffer, load.size);
    void *watch = zmq_stopwatch_start();
    for (unsigned long i = 1; i < load.count; i++)
        perf_receive(socket, buffer, load.size);
    unsigned long elapsed = zmq_stopwatch_stop(watch);
    perf_join(thread);
    perf_report_throughput(&load, elapsed);
    perf_close(socket, context);
    free(buffer);
    return 0;
}
