/* SPDX-License-Identifier: MPL-2.0 */
/* Run-time look-up of draft functions, and of what library this process runs on. */
#define _GNU_SOURCE
#include "draft.h"
#include "cli.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>

#if defined __has_include
#if __has_include("zlink.h")
#include "zlink.h"
#define HAVE_ZLINK_H 1
#endif
#endif

/*
 * Stores the address of a library function in *pointer, a function pointer: POSIX guarantees that
 * the conversion works, ISO C has no cast for it.
 */
static bool find(const char *name, void *pointer)
{
    void *symbol = dlsym(RTLD_DEFAULT, name);
    *(void **)pointer = symbol;
    if (!symbol)
        errno = ENOTSUP;
    return symbol;
}

bool cli_draft_available(void)
{
    struct cli_library library;
    cli_library_identify(&library);
    return library.is_zlink || zmq_has("draft");
}

int cli_draft_join(void *socket, const char *group)
{
    int (*function)(void *, const char *);
    return find("zmq_join", &function) ? function(socket, group) : -1;
}

int cli_draft_set_group(zmq_msg_t *message, const char *group)
{
    int (*function)(zmq_msg_t *, const char *);
    return find("zmq_msg_set_group", &function) ? function(message, group) : -1;
}

const char *cli_draft_group(zmq_msg_t *message)
{
    const char *(*function)(zmq_msg_t *);
    return find("zmq_msg_group", &function) ? function(message) : "";
}

int cli_draft_set_routing_id(zmq_msg_t *message, uint32_t id)
{
    int (*function)(zmq_msg_t *, uint32_t);
    return find("zmq_msg_set_routing_id", &function) ? function(message, id) : -1;
}

uint32_t cli_draft_routing_id(zmq_msg_t *message)
{
    uint32_t (*function)(zmq_msg_t *);
    return find("zmq_msg_routing_id", &function) ? function(message) : 0;
}

uint32_t cli_draft_connect_peer(void *socket, const char *endpoint)
{
    uint32_t (*function)(void *, const char *);
    return find("zmq_connect_peer", &function) ? function(socket, endpoint) : 0;
}

void cli_library_identify(struct cli_library *library)
{
    void *symbol = dlsym(RTLD_DEFAULT, "zmq_version");
    Dl_info info;
    *library = (struct cli_library){.path = ""};
    if (symbol && dladdr(symbol, &info) && info.dli_fname)
        library->path = info.dli_fname;
    zmq_version(&library->zmq[0], &library->zmq[1], &library->zmq[2]);
    library->is_zlink = dlsym(RTLD_DEFAULT, "zlink_version") != NULL;
    if (!library->is_zlink)
        snprintf(library->name, sizeof library->name, "libzmq %d.%d.%d", library->zmq[0],
                 library->zmq[1], library->zmq[2]);
#ifdef HAVE_ZLINK_H
    __typeof__(&zlink_version) version;
    if (find("zlink_version", &version)) {
        int major, minor, patch;
        version(&major, &minor, &patch);
        snprintf(library->name, sizeof library->name, "zlink %d.%d.%d", major, minor, patch);
    }
#endif
}
