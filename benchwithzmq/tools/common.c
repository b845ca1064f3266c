/* SPDX-License-Identifier: MPL-2.0 */

/* Arguments, checked calls and reports of the performance tools. */
#include "common.h"

#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

_Noreturn void perf_fail(const char *what)
{
    fprintf(stderr, "error in %s: %s\n", what, zmq_strerror(zmq_errno()));
    exit(1);
}

static unsigned long whole_number(const char *text, const char *usage)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0') {
        fprintf(stderr, "'%s' is not a number\nusage: %s\n", text, usage);
        exit(1);
    }
    return value;
}

struct perf_load perf_arguments(int argc, char **argv, int operands, const char *usage)
{
    struct perf_load load;
    if (argc != operands + 1) {
        fprintf(stderr, "usage: %s\n", usage);
        exit(1);
    }
    load.size = whole_number(argv[argc - 2], usage);
    load.count = whole_number(argv[argc - 1], usage);
    if (load.count == 0) {
        fprintf(stderr, "the count must be at least 1\nusage: %s\n", usage);
        exit(1);
    }
    return load;
}

void *perf_context(void)
{
    void *context = zmq_ctx_new();
    if (context == NULL)
        perf_fail("zmq_ctx_new");
    return context;
}

void *perf_socket(void *context, int type)
{
    void *socket = zmq_socket(context, type);
    if (socket == NULL)
        perf_fail("zmq_socket");
    return socket;
}

void perf_bind(void *socket, const char *endpoint)
{
    if (zmq_bind(socket, endpoint) != 0)
        perf_fail("zmq_bind");
}

void perf_connect(void *socket, const char *endpoint)
{
    if (zmq_connect(socket, endpoint) != 0)
        perf_fail("zmq_connect");
}

void perf_set_int(void *socket, int option, int value)
{
    if (zmq_setsockopt(socket, option, &value, sizeof value) != 0)
        perf_fail("zmq_setsockopt");
}

void *perf_buffer(size_t size)
{
    void *buffer = calloc(1, size > 0 ? size : 1);
    if (buffer == NULL) {
        fprintf(stderr, "no memory for a message of %zu bytes\n", size);
        exit(1);
    }
    return buffer;
}

void perf_send(void *socket, const void *buffer, size_t size)
{
    if (zmq_send(socket, buffer, size, 0) < 0)
        perf_fail("zmq_send");
}

void perf_receive(void *socket, void *buffer, size_t size)
{
    int received = zmq_recv(socket, buffer, size, 0);
    if (received < 0)
        perf_fail("zmq_recv");
    if ((size_t)received != size) {
        fprintf(stderr, "received a message of %d bytes, expected %zu\n", received, size);
        exit(1);
    }
}

void perf_close(void *socket, void *context)
{
    if (zmq_close(socket) != 0)
        perf_fail("zmq_close");
    if (zmq_ctx_term(context) != 0)
        perf_fail("zmq_ctx_term");
}

void *perf_start(void (*body)(void *argument), void *argument)
{
    void *thread = zmq_threadstart(body, argument);
    if (thread == NULL)
        perf_fail("zmq_threadstart");
    return thread;
}

void perf_join(void *thread)
{
    zmq_threadclose(thread);
}

/* Per direction, as these tools have always reported it: a round trip is two messages. */
void perf_report_latency(const struct perf_load *load, unsigned long elapsed_us)
{
    double latency = (double)elapsed_us / ((double)load->count * 2);
    printf("message size: %zu [B]\n", load->size);
    printf("roundtrip count: %lu\n", load->count);
    printf("average latency: %.3f [us]\n", latency);
}

void perf_report_throughput(const struct perf_load *load, unsigned long elapsed_us)
{
    double seconds = (double)(elapsed_us > 0 ? elapsed_us : 1) / 1e6;
    double rate = (double)load->count / seconds;
    printf("message size: %zu [B]\n", load->size);
    printf("message count: %lu\n", load->count);
    printf("mean throughput: %.0f [msg/s]\n", rate);
    printf("mean throughput: %.3f [Mb/s]\n", rate * (double)load->size * 8 / 1e6);
}
