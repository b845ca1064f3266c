/* SPDX-License-Identifier: MPL-2.0 */
/* What everybody needs of a socket: references, what follows its gate, waking, records. */
#define _GNU_SOURCE
#include "core/socket_base.h"

#include "base/fence.h"
#include "core/pipe_base.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- References of sockets and pipes ---------------------------------------------------------- */

void zl_socket_acquire(struct zl_socket *socket)
{
    atomic_fetch_add_explicit(&socket->references, 1, memory_order_relaxed);
}

static void free_driving_state(struct zl_socket *socket)
{
    zl_pollset_close(&socket->pollset);
    if (socket->wake_fd >= 0)
        close(socket->wake_fd);
    zl_slab_release(socket->slab, 1);
    zl_slab_filler_clear(&socket->filler);
    zl_spent_clear(&socket->spent);
    zl_chunks_free(socket->chunks.spare);
}

void zl_socket_release(struct zl_socket *socket)
{
    if (atomic_fetch_sub_explicit(&socket->references, 1, memory_order_acq_rel) != 1)
        return;
    socket->ops->destroy(socket);
    free_driving_state(socket);
    zl_options_clear(&socket->options);
    free(socket->last_endpoint);
    free(socket->tls_error);
    pthread_mutex_destroy(&socket->monitor_lock);
    free(socket);
}

void zl_pipe_release(struct zl_pipe *pipe)
{
    if (atomic_fetch_sub_explicit(&pipe->references, 1, memory_order_acq_rel) != 1)
        return;
    struct zl_chunk *garbage = NULL;
    zl_outq_clear(&pipe->outq, &garbage);
    zl_chunks_free(garbage);
    zl_ring_free(&pipe->ring);
    if (pipe->newest_waits)
        zl_msg_close(&pipe->newest);
    free(pipe->routing_id);
    free(pipe->endpoint);
    if (zl_pipe_owner(pipe))
        zl_socket_release(zl_pipe_owner(pipe));
    free(pipe);
}

/* ---- What follows the gate -------------------------------------------------------------------- */

enum { RELEASES_AT_ONCE = 16 };

struct pipe_release {
    struct zl_pipe *pipe;
    unsigned count;
    bool also_peer;
};

void zl_socket_release_pipe_locked(struct zl_socket *socket, struct zl_pipe *pipe, bool also_peer)
{
    pipe->releases++;
    pipe->releases_peer |= also_peer;
    if (!zl_list_linked(&pipe->release_node))
        zl_list_append(&socket->released_pipes, &pipe->release_node);
}

static size_t take_releases(struct zl_socket *socket, struct pipe_release *releases)
{
    size_t count = 0;
    struct zl_list *node;
    while (count < RELEASES_AT_ONCE && (node = zl_list_pop(&socket->released_pipes)) != NULL) {
        struct zl_pipe *pipe = zl_container_of(node, struct zl_pipe, release_node);
        releases[count++] = (struct pipe_release){pipe, pipe->releases, pipe->releases_peer};
        pipe->releases = 0;
        pipe->releases_peer = false;
    }
    return count;
}

void zl_socket_unlock_slow(struct zl_socket *socket)
{
    bool again = true;
    /* The last pipe may hold the last reference to the socket itself. */
    zl_socket_acquire(socket);
    while (again) {
        struct pipe_release releases[RELEASES_AT_ONCE];
        size_t count = take_releases(socket, releases);
        struct zl_chunk *garbage = socket->garbage;
        socket->garbage = NULL;
        again = !zl_list_empty(&socket->released_pipes);
        zl_gate_unlock(&socket->gate);
        zl_chunks_free(garbage);
        for (size_t i = 0; i < count; i++) {
            if (releases[i].also_peer)
                zl_pipe_release(releases[i].pipe->peer);
            while (releases[i].count-- > 0)
                zl_pipe_release(releases[i].pipe);
        }
        if (again)
            zl_gate_lock(&socket->gate);
    }
    zl_socket_release(socket);
}

void zl_socket_dispose_content(struct zl_socket *socket, struct zl_msg *msg)
{
    struct zl_content *content = msg->kind == ZL_MSG_CONTENT ? msg->u.ref.owner : NULL;
    struct zl_chunk *chunk =
        content && content->free_fn ? calloc(1, sizeof(struct zl_chunk)) : NULL;
    if (!chunk) {
        zl_msg_reset(msg);
        return;
    }
    zl_msg_take(&chunk->msg, msg);
    chunk->next = socket->garbage;
    socket->garbage = chunk;
}

/* ---- News ------------------------------------------------------------------------------------- */

void zl_socket_wake(struct zl_socket *socket)
{
    /* What was published before is visible to a sleeper that sets its bit after this look: pairs
       with the fence in begin_sleep (drive.c). */
    zl_fence();
    unsigned sleepers = atomic_load_explicit(&socket->sleeping, memory_order_relaxed);
    do {
        if (!(sleepers & ZL_SLEEP_ANY))
            return;
    } while (!atomic_compare_exchange_weak(&socket->sleeping, &sleepers,
                                           (sleepers & ~(unsigned)ZL_SLEEP_ANY) + ZL_SLEEP_WAKER));
    if (sleepers & ZL_SLEEP_FUTEX)
        zl_futex_wake_all(&socket->sleeping);
    if (sleepers & (ZL_SLEEP_EVENTFD | ZL_SLEEP_FD_USER)) {
        uint64_t one = 1;
        ssize_t rc = write(socket->wake_fd, &one, sizeof one);
        (void)rc;
    }
}

void zl_socket_wake_senders_locked(struct zl_socket *socket)
{
    if (socket->in_wait > socket->input_waits || socket->fd_user)
        zl_socket_wake(socket);
}

void zl_socket_check_finished_locked(struct zl_socket *socket)
{
    if (!socket->closed || socket->finished || socket->listeners > 0 ||
        !zl_list_empty(&socket->links))
        return;
    socket->finished = true;
    if (socket->loop)
        zl_loop_post(socket->loop, &socket->close_task);
}

void zl_socket_set_tls_error(struct zl_socket *socket, const char *reason)
{
    char *copy = reason[0] ? strdup(reason) : NULL;
    if (!copy)
        return;
    zl_socket_lock(socket);
    char *older = socket->tls_error;
    socket->tls_error = copy;
    zl_socket_unlock(socket);
    free(older);
}

/* ---- Records of endpoints --------------------------------------------------------------------- */

int zl_socket_set_last_endpoint_locked(struct zl_socket *socket, const char *text)
{
    char *copy = strdup(text);
    if (!copy)
        return -ENOMEM;
    free(socket->last_endpoint);
    socket->last_endpoint = copy;
    return 0;
}

int zl_socket_add_endpoint_locked(struct zl_socket *socket, enum zl_endpoint_kind kind,
                                  const char *text, void *object)
{
    size_t size = strlen(text) + 1;
    struct zl_endpoint *endpoint = malloc(sizeof *endpoint + size);
    if (!endpoint)
        return -ENOMEM;
    zl_list_init(&endpoint->node);
    endpoint->kind = kind;
    endpoint->object = object;
    memcpy(endpoint->text, text, size);
    zl_list_append(&socket->endpoints, &endpoint->node);
    return 0;
}

bool zl_socket_drop_endpoint_locked(struct zl_socket *socket, const void *object)
{
    zl_list_for_safe(node, &socket->endpoints)
    {
        struct zl_endpoint *endpoint = zl_container_of(node, struct zl_endpoint, node);
        if (endpoint->object == object) {
            zl_list_remove(node);
            free(endpoint);
            return true;
        }
    }
    return false;
}
