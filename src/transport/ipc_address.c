/* SPDX-License-Identifier: MPL-2.0 */
/* Addresses of ipc endpoints: paths, Linux abstract names and temporary ones. */
#include "transport/ipc_address.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_OFFSET offsetof(struct sockaddr_un, sun_path)

#ifdef __linux__
static const char abstract_mark = '@';
#else
static const char abstract_mark = '\0'; /* no such names: no text begins with it */
#endif

int zl_ipc_parse(const char *text, struct zl_ipc_address *out)
{
    size_t length = strlen(text);
    bool abstract = length > 0 && text[0] == abstract_mark;
    if (length == 0 || (abstract && length == 1))
        return -EINVAL;
    if (length >= sizeof(out->un.sun_path))
        return -ENAMETOOLONG;
    memset(out, 0, sizeof(*out));
    out->un.sun_family = AF_UNIX;
    memcpy(out->un.sun_path, text, length);
    if (abstract)
        out->un.sun_path[0] = '\0';
    /* The NUL of a path counts, whereas an abstract name is all its bytes. */
    out->length = (socklen_t)(PATH_OFFSET + length + (abstract ? 0 : 1));
    return 0;
}

/* Where temporary files go, NULL for the current directory. */
static const char *temporary_root(void)
{
    static const char *const variables[] = {"TMPDIR", "TEMPDIR", "TMP"};
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        const char *path = getenv(variables[i]);
        struct stat info;
        if (path && stat(path, &info) == 0 && S_ISDIR(info.st_mode))
            return path;
    }
    return NULL;
}

int zl_ipc_parse_bind(const char *text, struct zl_ipc_address *out, char *directory)
{
    char path[sizeof(out->un.sun_path)];
    directory[0] = '\0';
    if (text[0] != '*')
        return zl_ipc_parse(text, out);

    const char *root = temporary_root();
    const char *separator = root && root[strlen(root) - 1] != '/' ? "/" : "";
    int length = snprintf(path, sizeof(path), "%s%stmpXXXXXX/socket", root ? root : "", separator);
    if (length < 0 || (size_t)length >= sizeof(path))
        return -ENAMETOOLONG;
    char *slash = strrchr(path, '/');
    *slash = '\0';
    if (!mkdtemp(path))
        return -errno;
    strcpy(directory, path);
    *slash = '/';
    return zl_ipc_parse(path, out);
}

int zl_ipc_remove_temporary(const struct zl_ipc_address *address, const char *directory)
{
    int rc = 0;
    if (unlink(address->un.sun_path) < 0 && errno != ENOENT)
        rc = -errno;
    if (rmdir(directory) < 0 && rc == 0)
        rc = -errno;
    return rc;
}

int zl_ipc_format(const struct zl_ipc_address *address, char *destination, size_t capacity)
{
    if (address->un.sun_family != AF_UNIX)
        return -EINVAL;
    const char *path = address->un.sun_path;
    size_t length = address->length > PATH_OFFSET ? address->length - PATH_OFFSET : 0;
    bool abstract = length > 0 && path[0] == '\0';
    if (!abstract)
        length = strnlen(path, length);
    if (length >= capacity)
        return -ENOSPC;
    memcpy(destination, path, length);
    if (abstract)
        destination[0] = '@';
    destination[length] = '\0';
    return 0;
}
