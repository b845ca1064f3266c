/* SPDX-License-Identifier: MPL-2.0 */
/* Asking the loop to drive. */
#include "core/drive_post.h"

#include "core/socket_base.h"

bool zl_drive_needs_post(const struct zl_socket *socket)
{
    return !socket->leased || socket->in_wait > 0;
}

void zl_drive_post_locked(struct zl_socket *socket)
{
    zl_socket_acquire(socket);
    if (!zl_loop_post(socket->loop, &socket->drive_task))
        zl_socket_release(socket);
}
