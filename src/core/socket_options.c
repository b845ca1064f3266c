/* SPDX-License-Identifier: MPL-2.0 */
/* zmq_setsockopt and zmq_getsockopt: what belongs to the socket itself; the rest goes to the pattern
   and to the table in options.c. */
#include "core/socket.h"

#include "core/drive.h"
#include "core/link_io.h"
#include "core/pipe.h"
#include "zlink.h"

#include <errno.h>
#include <string.h>

static void update_high_water_marks(struct zl_socket *socket)
{
    zl_list_for_safe(node, &socket->pipes)
        zl_pipe_set_hwm_locked(zl_container_of(node, struct zl_pipe, node), socket->options.sndhwm,
                               socket->options.rcvhwm);
}

int zl_socket_set(struct zl_socket *socket, int option, const void *value, size_t size)
{
    zl_socket_lock(socket);
    int rc = zl_socket_usable_locked(socket);
    if (rc == 0) {
        /* So that an option that acts on peers (XPUB manual) finds them. */
        zl_socket_take_signals_locked(socket);
        rc = -EOPNOTSUPP;
        if (socket->ops->set_option)
            rc = socket->ops->set_option(socket, option, value, size);
        if (rc == -EOPNOTSUPP)
            rc = zl_options_set(&socket->options, option, value, size);
        if (rc == 0 && (option == ZMQ_SNDHWM || option == ZMQ_RCVHWM))
            update_high_water_marks(socket);
        /* Subscriptions go out like messages. */
        if (rc == 0)
            zl_drive_after_send_locked(socket, 0);
    }
    zl_socket_unlock(socket);
    return rc;
}

static int get_fd(struct zl_socket *socket, void *value, size_t *size)
{
    if (socket->ops->flags & ZL_PATTERN_THREAD_SAFE)
        return -EINVAL;
    if (*size < sizeof(int))
        return -EINVAL;
    int fd = zl_drive_fd_locked(socket);
    return fd < 0 ? fd : zl_option_write_int_padded(fd, value, size);
}

static int get_events(struct zl_socket *socket, void *value, size_t *size)
{
    zl_socket_take_signals_locked(socket);
    if (socket->fd_user) {
        zl_drive_fd_reset_locked(socket);
        zl_socket_take_signals_locked(socket);
    } else if (!(zl_socket_events_locked(socket) & ZMQ_POLLIN)) {
        zl_drive_flagged_locked(socket);
        zl_drive_poll_locked(socket);
        zl_drive_leave_locked(socket);
    }
    if (socket->terminated)
        return -ETERM;
    return zl_option_write_int_padded(zl_socket_events_locked(socket), value, size);
}

static int get_own(struct zl_socket *socket, int option, void *value, size_t *size)
{
    switch (option) {
    case ZMQ_RCVMORE:
        return zl_option_write_int_padded(socket->rcvmore, value, size);
    case ZMQ_FD:
        return get_fd(socket, value, size);
    case ZMQ_EVENTS:
        return get_events(socket, value, size);
    case ZMQ_THREAD_SAFE:
        return zl_option_write_int_padded((socket->ops->flags & ZL_PATTERN_THREAD_SAFE) != 0, value,
                                          size);
    case ZMQ_TYPE:
        return zl_option_write_int(socket->ops->type, value, size);
    case ZLINK_TLS_ERROR: {
        const char *text = socket->tls_error ? socket->tls_error : "";
        return zl_option_write_string(text, strlen(text), value, size);
    }
    case ZMQ_LAST_ENDPOINT: {
        const char *text = socket->last_endpoint ? socket->last_endpoint : "";
        return zl_option_write_string(text, strlen(text), value, size);
    }
    default:
        return -EOPNOTSUPP;
    }
}

int zl_socket_get(struct zl_socket *socket, int option, void *value, size_t *size)
{
    zl_socket_lock(socket);
    int rc = zl_socket_usable_locked(socket);
    if (rc == 0) {
        rc = get_own(socket, option, value, size);
        if (rc == -EOPNOTSUPP && socket->ops->get_option)
            rc = socket->ops->get_option(socket, option, value, size);
        if (rc == -EOPNOTSUPP)
            rc = zl_options_get(&socket->options, option, value, size);
    }
    zl_socket_unlock(socket);
    return rc;
}
