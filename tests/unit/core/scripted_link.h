/* SPDX-License-Identifier: MPL-2.0 */
/* A ready link without a connection: its stream does what a script says, and keeps the bytes it
 * took. The socket has no loop and no thread, so that everything happens in the calling thread. */
#ifndef ZL_TEST_UNIT_CORE_SCRIPTED_LINK_H
#define ZL_TEST_UNIT_CORE_SCRIPTED_LINK_H

#include "unit/wire/octets.h"

#include "core/ctx.h"
#include "core/link.h"
#include "core/options.h"
#include "core/pipe.h"
#include "core/socket.h"
#include "core/staging.h"
#include "transport/stream.h"
#include "wire/zmtp.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct scripted_link {
    void *context;
    struct zl_socket *socket;
    struct zl_link link;
    struct zl_loop loop; /* never runs; keeps what is posted to it */

    /* What the peer has got. */
    uint8_t *taken;
    size_t taken_size;
    size_t taken_capacity;

    unsigned calls;     /* of write */
    unsigned in_flight; /* writes that have not returned */
    /* How much of `offered` bytes the next write takes; 0: would block; negative: that errno.
       NULL: everything. */
    ssize_t (*accept)(struct scripted_link *script, size_t offered);
    /* Runs inside write, without the gate; may be NULL. */
    void (*meanwhile)(struct scripted_link *script);
    uint64_t random;
    size_t limit; /* for `accept` */
};

static ssize_t scripted_read(struct zl_stream *stream, const struct iovec *vectors, int count)
{
    (void)stream;
    (void)vectors;
    (void)count;
    return -EAGAIN;
}

static void scripted_take(struct scripted_link *script, const uint8_t *data, size_t size)
{
    if (script->taken_capacity - script->taken_size < size) {
        script->taken_capacity = 2 * (script->taken_capacity + size);
        script->taken = realloc(script->taken, script->taken_capacity);
        assert_non_null(script->taken);
    }
    if (size)
        memcpy(script->taken + script->taken_size, data, size);
    script->taken_size += size;
}

static ssize_t scripted_write(struct zl_stream *stream, const struct iovec *vectors, int count)
{
    struct scripted_link *script = stream->state;
    size_t offered = 0;
    assert_int_equal(script->in_flight, 0); /* at most one write is in flight */
    assert_in_range(count, 1, 64);
    script->calls++;
    script->in_flight++;
    for (int i = 0; i < count; i++) {
        assert_true(vectors[i].iov_len > 0);
        offered += vectors[i].iov_len;
    }
    ssize_t taken = script->accept ? script->accept(script, offered) : (ssize_t)offered;
    assert_true(taken <= (ssize_t)offered);
    size_t left = taken > 0 ? (size_t)taken : 0;
    for (int i = 0; i < count && left > 0; i++) {
        size_t piece = vectors[i].iov_len < left ? vectors[i].iov_len : left;
        scripted_take(script, vectors[i].iov_base, piece);
        left -= piece;
    }
    if (script->meanwhile)
        script->meanwhile(script);
    script->in_flight--;
    return taken == 0 ? -EAGAIN : taken;
}

static void scripted_close(struct zl_stream *stream)
{
    (void)stream;
}

static const struct zl_stream_ops scripted_ops = {
    .read = scripted_read,
    .write = scripted_write,
    .close = scripted_close,
};

static void scripted_open(struct scripted_link *script)
{
    memset(script, 0, sizeof *script);
    script->random = 1;
    script->context = zmq_ctx_new();
    assert_non_null(script->context);
    script->socket = zmq_socket(script->context, ZMQ_PUSH);
    assert_non_null(script->socket);
    struct zl_link *link = &script->link;
    link->socket = script->socket;
    link->loop = &script->loop;
    link->options = &script->socket->options;
    link->version = ZL_ZMTP_3_1;
    /* Only to be registered: its readiness is the script's. */
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    assert_true(fd >= 0);
    link->stream = (struct zl_stream){.ops = &scripted_ops, .fd = fd, .state = script};
    zl_list_init(&link->node);
    zl_list_init(&link->readable_node);
    zl_list_init(&link->unflushed_node);
    zl_socket_lock(script->socket);
    assert_int_equal(zl_pollset_open(&script->socket->pollset), 0);
    assert_int_equal(zl_pollset_reserve(&script->socket->pollset, link, &link->token), 0);
    assert_int_equal(zl_pollset_register(&script->socket->pollset, fd, link->token, 0), 0);
    link->pipe = zl_pipe_new(script->socket, 1000, 1000);
    assert_non_null(link->pipe);
    zl_pipe_acquire(link->pipe); /* the link's reference; the other one is the socket's */
    zl_pipe_attach_locked(link->pipe);
    link->pipe->link = link;
    link->ready = true;
    zl_socket_unlock(script->socket);
}

static void scripted_free(struct scripted_link *script)
{
    struct zl_link *link = &script->link;
    zl_socket_lock(script->socket);
    link->ready = false;
    zl_list_remove(&link->readable_node);
    zl_list_remove(&link->unflushed_node);
    link->pipe->link = NULL;
    zl_pollset_unregister(&script->socket->pollset, link->stream.fd);
    close(link->stream.fd);
    zl_socket_unlock(script->socket);
    zl_staging_free(&link->staging);
    zl_pipe_release(link->pipe);
    assert_int_equal(zmq_close(script->socket), 0);
    assert_int_equal(zmq_ctx_term(script->context), 0);
    free(script->taken);
}

#endif
