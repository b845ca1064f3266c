/* SPDX-License-Identifier: MPL-2.0 */

/* remote_lat: times round trips to a local_lat. The first one includes connecting, as it always
 * has. */
#include <stdlib.h>
#include <zmq.h>

#include "common.h"

int main(int argc, char **argv)
{
    struct perf_load load =
        perf_arguments(argc, argv, 3, "remote_lat <connect-to> <message-size> <roundtrip-count>");
    void *context = perf_context();
    void *socket = perf_socket(context, ZMQ_REQ);
    void *buffer = perf_buffer(load.size);

    perf_connect(socket, argv[1]);
    void *watch = zmq_stopwatch_start();
    for (unsigned long i = 0; i < load.count; i++) {
        perf_send(socket, buffer, load.size);
        perf_receive(socket, buffer, load.size);
    }
    perf_report_latency(&load, zmq_stopwatch_stop(watch));
    perf_close(socket, context);
    free(buffer);
    return 0;
}
