/* SPDX-License-Identifier: MPL-2.0 */

/* Loading the library under test and saying which one it is. */
#define _GNU_SOURCE
#include "zapi.h"

#include <dlfcn.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peers.h"

struct zapi z;

static void *handle;

struct entry {
    const char *symbol;
    size_t offset;
};

#define ENTRY(symbol, slot)                                                                        \
    {                                                                                              \
#symbol, offsetof(struct zapi, slot)                                                       \
    }

static const struct entry entries[] = {
    ENTRY(zmq_errno, get_errno),
    ENTRY(zmq_strerror, strerror),
    ENTRY(zmq_version, version),
    ENTRY(zmq_ctx_new, ctx_new),
    ENTRY(zmq_ctx_set, ctx_set),
    ENTRY(zmq_socket, socket),
    ENTRY(zmq_close, close),
    ENTRY(zmq_setsockopt, setsockopt),
    ENTRY(zmq_getsockopt, getsockopt),
    ENTRY(zmq_bind, bind),
    ENTRY(zmq_connect, connect),
    ENTRY(zmq_send, send),
    ENTRY(zmq_recv, recv),
    ENTRY(zmq_poll, poll),
    ENTRY(zmq_msg_init, msg_init),
    ENTRY(zmq_msg_init_size, msg_init_size),
    ENTRY(zmq_msg_data, msg_data),
    ENTRY(zmq_msg_size, msg_size),
    ENTRY(zmq_msg_send, msg_send),
    ENTRY(zmq_msg_recv, msg_recv),
    ENTRY(zmq_msg_close, msg_close),
};

void zapi_load(const char *library)
{
    handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL)
        fatal(EXIT_FAILED, "cannot load the library: %s", dlerror());
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        void *symbol = dlsym(handle, entries[i].symbol);
        if (symbol == NULL)
            fatal(EXIT_FAILED, "%s has no %s", library, entries[i].symbol);
        memcpy((char *)&z + entries[i].offset, &symbol, sizeof symbol);
    }
}

void zapi_identify(struct shared *shared)
{
    int major, minor, patch;
    Dl_info info;
    char file[PATH_MAX];

    z.version(&major, &minor, &patch);
    snprintf(shared->version, sizeof shared->version, "%d.%d.%d", major, minor, patch);
    snprintf(shared->implementation, sizeof shared->implementation, "%s",
             dlsym(handle, "zlink_version") != NULL ? "zlink" : "libzmq");
    if (dladdr(dlsym(handle, "zmq_send"), &info) == 0 || realpath(info.dli_fname, file) == NULL)
        snprintf(file, sizeof file, "unknown");
    snprintf(shared->library, sizeof shared->library, "%.*s", ENDPOINT_SIZE - 1, file);
}
