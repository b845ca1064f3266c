/* SPDX-License-Identifier: MPL-2.0 */
/* What all parts of zlink perf ask. */
#define _GNU_SOURCE
#include "perf.h"

#include <string.h>
#include <sys/resource.h>

bool perf_in_process(const struct perf_args *args)
{
    bool inproc = strncmp(args->transport, "inproc", 6) == 0;
    return args->threads || inproc;
}

const char *perf_endpoint(const char *transport)
{
    static const char *const endpoints[][2] = {
        {"tcp", "tcp://127.0.0.1:*"}, {"ipc", "ipc://*"},         {"inproc", "inproc://perf"},
        {"tls", "tls://127.0.0.1:*"}, {"ws", "ws://127.0.0.1:*"}, {"wss", "wss://127.0.0.1:*"},
    };
    for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++)
        if (strcmp(transport, endpoints[i][0]) == 0)
            return endpoints[i][1];
    return strstr(transport, "://") ? transport : NULL;
}

uint64_t perf_cpu_ns(bool thread)
{
    struct rusage usage;
    getrusage(thread ? RUSAGE_THREAD : RUSAGE_SELF, &usage);
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000u +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000u;
}
