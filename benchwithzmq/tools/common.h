/* SPDX-License-Identifier: MPL-2.0 */

/* What the classical performance tools share. Every failure ends the tool with a message. */
#ifndef PERF_COMMON_H
#define PERF_COMMON_H

#include <stddef.h>

/* The operands every tool ends with. */
struct perf_load {
    size_t size;
    unsigned long count; /* messages, or round trips */
};

/*
 * Reads "<size> <count>" from the last two of argc operands; with any other number of operands than
 * `operands`, or one that is not a number, prints the usage ("local_lat <bind-to> ...") and ends
 * the tool with status 1.
 */
struct perf_load perf_arguments(int argc, char **argv, int operands, const char *usage);

/* A socket of a new or given context. */
void *perf_context(void);
void *perf_socket(void *context, int type);
void perf_bind(void *socket, const char *endpoint);
void perf_connect(void *socket, const char *endpoint);
void perf_set_int(void *socket, int option, int value);

/* A zeroed buffer of at least one byte. */
void *perf_buffer(size_t size);

/* One message of exactly that size. */
void perf_send(void *socket, const void *buffer, size_t size);
void perf_receive(void *socket, void *buffer, size_t size);

/* Closes the socket and ends the context, which waits until everything is delivered. */
void perf_close(void *socket, void *context);

/* Runs body(argument) in a thread until perf_join. */
void *perf_start(void (*body)(void *argument), void *argument);
void perf_join(void *thread);

/* The reports; `elapsed_us` is for all of load->count. */
void perf_report_latency(const struct perf_load *load, unsigned long elapsed_us);
void perf_report_throughput(const struct perf_load *load, unsigned long elapsed_us);

_Noreturn void perf_fail(const char *what);

#endif
