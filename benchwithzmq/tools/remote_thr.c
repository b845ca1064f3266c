/* SPDX-License-Identifier: MPL-2.0 */

/* remote_thr: sends messages to a local_thr as fast as it can. */
#include <stdlib.h>
#include <zmq.h>

#include "common.h"

int main(int argc, char **argv)
{
    struct perf_load load =
        perf_arguments(argc, argv, 3, "remote_thr <connect-to> <message-size> <message-count>");
    void *context = perf_context();
    void *socket = perf_socket(context, ZMQ_PUSH);
    void *buffer = perf_buffer(load.size);

    perf_connect(socket, argv[1]);
    for (unsigned long i = 0; i < load.count; i++)
        perf_send(socket, buffer, load.size);
    perf_close(socket, context);
    free(buffer);
    return 0;
}
