/* SPDX-License-Identifier: MPL-2.0 */

/* local_lat: sends back what remote_lat sends. */
#include <stdlib.h>
#include <zmq.h>

#include "common.h"

int main(int argc, char **argv)
{
    struct perf_load load =
        perf_arguments(argc, argv, 3, "local_lat <bind-to> <message-size> <roundtrip-count>");
    void *context = perf_context();
    void *socket = perf_socket(context, ZMQ_REP);
    void *buffer = perf_buffer(load.size);

    perf_bind(socket, argv[1]);
    for (unsigned long i = 0; i < load.count; i++) {
        perf_receive(socket, buffer, load.size);
        perf_send(socket, buffer, load.size);
    }
    perf_close(socket, context);
    free(buffer);
    return 0;
}
