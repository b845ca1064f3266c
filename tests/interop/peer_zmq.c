/* SPDX-License-Identifier: MPL-2.0 */
/* Loads a libzmq into a table of functions; see peer_zmq.h. */
#include "peer_zmq.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static bool load_function(void *library, const char *name, void *function)
{
    void *symbol = dlsym(library, name);
    if (!symbol) {
        fprintf(stderr, "no %s: %s\n", name, dlerror());
        return false;
    }
    /* POSIX promises that the two kinds of pointer have one representation; C has no cast for it.
     */
    memcpy(function, &symbol, sizeof symbol);
    return true;
}

bool peer_zmq_load(struct peer_zmq *table, const char *path)
{
    if (!strchr(path, '/')) {
        fprintf(stderr, "%s: a path with a slash is needed\n", path);
        return false;
    }
    /* Never closed: threads of the library may outlive any point at which that would be safe. */
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        return false;
    }
#define PEER_ZMQ_LOAD(name)                                                                        \
    if (!load_function(library, #name, &table->name))                                              \
        return false;
    PEER_ZMQ_FUNCTIONS(PEER_ZMQ_LOAD)
    return true;
}
