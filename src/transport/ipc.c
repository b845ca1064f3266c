/* SPDX-License-Identifier: MPL-2.0 */
/* The ipc transport: Unix stream sockets. */
#define _GNU_SOURCE
#include "transport/transport.h"

#include "core/options.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCHEME "ipc://"

/* ---- Names ----------------------------------------------------------------------------------- */

typedef int name_fn(int fd, struct sockaddr *address, socklen_t *length);

static int format_endpoint(const struct zl_ipc_address *address, char *text, size_t capacity)
{
    char printed[ZL_IPC_TEXT_SIZE];
    text[0] = '\0';
    int rc = zl_ipc_format(address, printed, sizeof printed);
    if (rc < 0)
        return rc;
    if (strlen(SCHEME) + strlen(printed) >= capacity)
        return -ENOSPC;
    snprintf(text, capacity, SCHEME "%s", printed);
    return 0;
}

static int address_of(int fd, name_fn *ask, struct zl_ipc_address *out)
{
    memset(out, 0, sizeof *out);
    out->length = sizeof out->un;
    return ask(fd, (struct sockaddr *)&out->un, &out->length) < 0 ? -errno : 0;
}

/* "ipc://path" of one end, "" when it has no name: that of a connecting socket. */
static void name_of(int fd, name_fn *ask, char *text, size_t capacity)
{
    struct zl_ipc_address address;
    text[0] = '\0';
    if (address_of(fd, ask, &address) < 0 || format_endpoint(&address, text, capacity) < 0)
        return;
    if (strcmp(text, SCHEME) == 0)
        text[0] = '\0';
}

static void ipc_names(int fd, char *local, char *remote, size_t capacity)
{
    name_of(fd, getsockname, local, capacity);
    name_of(fd, getpeername, remote, capacity);
}

static bool peer_credentials(int fd, struct ucred *credentials)
{
    socklen_t size = sizeof *credentials;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, credentials, &size) == 0;
}

static bool ipc_peer_address(int fd, char *text, size_t capacity)
{
    struct ucred peer;
    if (!peer_credentials(fd, &peer))
        return false;
    int length = snprintf(text, capacity, "localhost:%u:%u:%d", (unsigned)peer.uid,
                          (unsigned)peer.gid, (int)peer.pid);
    return length >= 0 && (size_t)length < capacity;
}

/* ---- Listening ------------------------------------------------------------------------------- */

/* USE_FD: a descriptor that listens already. It becomes the listener's own on success. */
static int adopt(struct zl_listen *listener, int fd)
{
    int listening = 0;
    socklen_t size = sizeof listening;
    int rc = address_of(fd, getsockname, &listener->ipc);
    if (rc == 0)
        rc = format_endpoint(&listener->ipc, listener->endpoint, sizeof listener->endpoint);
    if (rc < 0)
        return rc;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) < 0)
        return -errno;
    if (!listening)
        return -EINVAL;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        return -errno;
    listener->fd = fd;
    listener->foreign_fd = true;
    return 0;
}

static bool is_abstract(const struct zl_ipc_address *address)
{
    return address->un.sun_path[0] == '\0';
}

/* Removes what an earlier listener has left. What cannot be removed makes bind fail. */
static void clear_path(const struct zl_ipc_address *address)
{
    if (!is_abstract(address))
        (void)unlink(address->un.sun_path);
}

/* The listening descriptor, or a negative errno with no file left. */
static int open_listener(const struct zl_ipc_address *address, int backlog)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    clear_path(address);
    int rc = bind(fd, (const struct sockaddr *)&address->un, address->length) < 0 ? -errno : 0;
    if (rc == 0 && listen(fd, backlog) < 0) {
        rc = -errno;
        clear_path(address);
    }
    if (rc < 0) {
        close(fd);
        return rc;
    }
    return fd;
}

static int ipc_listen(struct zl_listen *listener, const char *address,
                      const struct zl_options *options)
{
    memset(listener, 0, sizeof *listener);
    listener->fd = -1;
    if (options->use_fd >= 0)
        return adopt(listener, options->use_fd);

    int rc = zl_ipc_parse_bind(address, &listener->ipc, listener->temporary);
    if (rc == 0)
        rc = format_endpoint(&listener->ipc, listener->endpoint, sizeof listener->endpoint);
    if (rc == 0)
        rc = open_listener(&listener->ipc, options->backlog);
    if (rc < 0) {
        if (listener->temporary[0])
            zl_ipc_remove_temporary(&listener->ipc, listener->temporary);
        return rc;
    }
    listener->fd = rc;
    return 0;
}

static int ipc_unlisten(struct zl_listen *listener)
{
    close(listener->fd);
    listener->fd = -1;
    if (!listener->temporary[0])
        return 0;
    return zl_ipc_remove_temporary(&listener->ipc, listener->temporary);
}

/* ---- Connections ----------------------------------------------------------------------------- */

static int ipc_check(const char *address)
{
    struct zl_ipc_address parsed;
    return zl_ipc_parse(address, &parsed);
}

static int ipc_resolve(const char *address, const struct zl_options *options, bool may_block,
                       struct zl_target *target)
{
    (void)options;
    (void)may_block;
    memset(target, 0, sizeof *target);
    return zl_ipc_parse(address, &target->to.ipc);
}

static int ipc_connect(const struct zl_target *target, const struct zl_options *options, int *fd)
{
    (void)options;
    const struct zl_ipc_address *to = &target->to.ipc;
    int opened = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (opened < 0)
        return -errno;
    int rc = 0;
    do {
        rc = connect(opened, (const struct sockaddr *)&to->un, to->length) < 0 ? -errno : 0;
    } while (rc == -EINTR);
    /* A full backlog is -EAGAIN here, and nothing is under way then: it has to be tried again. */
    if (rc < 0 && rc != -EINPROGRESS) {
        close(opened);
        return rc;
    }
    *fd = opened;
    return rc;
}

/* ---- Accept filters -------------------------------------------------------------------------- */

static bool has_group(const struct zl_option_list *wanted, const gid_t *groups, size_t count)
{
    const gid_t *allowed = wanted->items;
    for (size_t i = 0; i < wanted->count; i++)
        for (size_t k = 0; k < count; k++)
            if (allowed[i] == groups[k])
                return true;
    return false;
}

/* The supplementary groups that the system's database gives the user of the peer. */
static bool user_has_group(const struct zl_option_list *wanted, const struct ucred *peer)
{
    struct passwd entry, *user = NULL;
    char text[16384];
    if (getpwuid_r(peer->uid, &entry, text, sizeof text, &user) != 0 || !user)
        return false;
    int count = 0;
    (void)getgrouplist(user->pw_name, peer->gid, NULL, &count);
    gid_t *groups = count > 0 ? calloc((size_t)count, sizeof *groups) : NULL;
    if (!groups)
        return false;
    bool found = getgrouplist(user->pw_name, peer->gid, groups, &count) >= 0 &&
                 has_group(wanted, groups, (size_t)count);
    free(groups);
    return found;
}

static bool has_user(const struct zl_option_list *wanted, uid_t uid)
{
    const uid_t *allowed = wanted->items;
    for (size_t i = 0; i < wanted->count; i++)
        if (allowed[i] == uid)
            return true;
    return false;
}

static bool has_process(const struct zl_option_list *wanted, pid_t pid)
{
    const pid_t *allowed = wanted->items;
    for (size_t i = 0; i < wanted->count; i++)
        if (allowed[i] == pid)
            return true;
    return false;
}

/* Without filters everybody is welcome, else whom any one of them names. */
static bool is_welcome(int fd, const struct zl_options *options)
{
    if (options->ipc_uids.count + options->ipc_gids.count + options->ipc_pids.count == 0)
        return true;
    struct ucred peer;
    if (!peer_credentials(fd, &peer))
        return false;
    if (has_user(&options->ipc_uids, peer.uid) || has_process(&options->ipc_pids, peer.pid) ||
        has_group(&options->ipc_gids, &peer.gid, 1))
        return true;
    return options->ipc_gids.count > 0 && user_has_group(&options->ipc_gids, &peer);
}

static int ipc_tune(int fd, const struct zl_options *options, bool accepted)
{
    return accepted && !is_welcome(fd, options) ? -EACCES : 0;
}

/* `same` is not needed: the endpoint is always the text that was given to bind, or the temporary
   one that was made for it. */
const struct zl_transport_ops zl_ipc_ops = {
    .scheme = "ipc",
    .check = ipc_check,
    .listen = ipc_listen,
    .unlisten = ipc_unlisten,
    .resolve = ipc_resolve,
    .connect = ipc_connect,
    .tune = ipc_tune,
    .names = ipc_names,
    .peer_address = ipc_peer_address,
};
