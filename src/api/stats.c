/* SPDX-License-Identifier: MPL-2.0 */
/* zlink_socket_stats. */
#include "api/handles.h"

#include "core/stats.h"
#include "zlink.h"

static int read_stats(void *handle, zlink_stats_t *stats, zlink_stats_t *peers, size_t *peer_count)
{
    struct zl_socket *socket = zl_api_socket(handle);
    if (!socket)
        return -ENOTSOCK;
    if (zl_api_is_inherited(socket))
        return -EINTR;
    if (!stats || (peers && !peer_count))
        return -EINVAL;
    return zl_stats_read(socket, stats, peers, peer_count);
}

int zlink_socket_stats(void *socket, zlink_stats_t *stats, zlink_stats_t *peers, size_t *peer_count)
{
    return zl_api_result(read_stats(socket, stats, peers, peer_count));
}
