/* SPDX-License-Identifier: MPL-2.0 */
/* Addresses of ipc endpoints: paths, Linux abstract names and temporary ones. */
#ifndef ZL_TRANSPORT_IPC_ADDRESS_H
#define ZL_TRANSPORT_IPC_ADDRESS_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

/* Holds every printed address with its NUL. */
#define ZL_IPC_TEXT_SIZE (sizeof(((struct sockaddr_un *)0)->sun_path) + 1)

struct zl_ipc_address {
    struct sockaddr_un un;
    socklen_t length;
};

/* A pathname, or `@name` for the abstract namespace (Linux).
 * 0; -EINVAL empty, or `@` alone; -ENAMETOOLONG. */
int zl_ipc_parse(const char *text, struct zl_ipc_address *out);

/* As above for bind, where a text that begins with '*' asks for a new temporary directory (mode
 * 0700) with a socket file name in it: the caller owns both and removes them with
 * zl_ipc_remove_temporary(). `directory` (ZL_IPC_TEXT_SIZE bytes) receives the path of that
 * directory, "" when none was made. 0; as above; or the errno of mkdtemp. */
int zl_ipc_parse_bind(const char *text, struct zl_ipc_address *out, char *directory);

/* Removes the socket file (which may be missing) and then the directory made for it. 0 or the errno
 * of the first step that failed; the second is tried anyway. */
int zl_ipc_remove_temporary(const struct zl_ipc_address *address, const char *directory);

/* The path or `@name`; "" for an unnamed socket. 0; -EINVAL not a Unix address; -ENOSPC. */
int zl_ipc_format(const struct zl_ipc_address *address, char *destination, size_t capacity);

#endif
