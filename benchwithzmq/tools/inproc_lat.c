/* SPDX-License-Identifier: MPL-2.0 */

/* inproc_lat: times round trips between two threads. */
#include <stdlib.h>
#include <zmq.h>

#include "common.h"

#define ENDPOINT "inproc://lat_test"

struct echo {
    void *context;
    struct perf_load load;
};

static void echo_main(void *argument)
{
    const struct echo *echo = argument;
    void *socket = perf_socket(echo->context, ZMQ_REP);
    void *buffer = perf_buffer(echo->load.size);

    perf_connect(socket, ENDPOINT);
    for (unsigned long i = 0; i < echo->load.count; i++) {
        perf_receive(socket, buffer, echo->load.size);
        perf_send(socket, buffer, echo->load.size);
    }
    zmq_close(socket);
    free(buffer);
}

int main(int argc, char **argv)
{
    struct perf_load load =
        perf_arguments(argc, argv, 2, "inproc_lat <message-size> <roundtrip-count>");
    void *context = perf_context();
    void *socket = perf_socket(context, ZMQ_REQ);
    void *buffer = perf_buffer(load.size);
    struct echo echo = {context, load};

    perf_bind(socket, ENDPOINT);
    void *thread = perf_start(echo_main, &echo);
    void *watch = zmq_stopwatch_start();
    for (unsigned long i = 0; i < load.count; i++) {
        perf_send(socket, buffer, load.size);
        perf_receive(socket, buffer, load.size);
    }
    unsigned long elapsed = zmq_stopwatch_stop(watch);
    perf_join(thread);
    perf_report_latency(&load, elapsed);
    perf_close(socket, context);
    free(buffer);
    return 0;
}
