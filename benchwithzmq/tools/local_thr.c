/* SPDX-License-Identifier: MPL-2.0 */

/* local_thr: times the messages of a remote_thr, from the arrival of the first one. */
#include <stdlib.h>
#include <zmq.h>

#include "common.h"

int main(int argc, char **argv)
{
    struct perf_load load =
        perf_arguments(argc, argv, 3, "local_thr <bind-to> <message-size> <message-count>");
    void *context = perf_context();
    void *socket = perf_socket(context, ZMQ_PULL);
    void *buffer = perf_buffer(load.size);

    perf_bind(socket, argv[1]);
    perf_receive(socket, buffer, load.size);
    void *watch = zmq_stopwatch_start();
    for (unsigned long i = 1; i < load.count; i++)
        perf_receive(socket, buffer, load.size);
    perf_report_throughput(&load, zmq_stopwatch_stop(watch));
    perf_close(socket, context);
    free(buffer);
    return 0;
}
