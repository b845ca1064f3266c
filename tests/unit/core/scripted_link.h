/* SPDX-License-Identifier: MPL-2.0 */
/* A ready link without a connection: its stream does what a script says, and keeps the bytes it
 * took. The socket has no loop and no thread, so that everything happens in the calling thread. */
#ifndef ZL_TEST_UNIT_CORE_SCRIPTED_LINK_H
#define ZL_TEST_UNIT_CORE_SCRIPTED_LINK_H

#include "unit/wire/octets.h"

#include "core/ctx.h"
#include "core/link_io.h"
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

    /* What the peer sends; scripted_give. */
    const uint8_t *given;
    size_t given_size;
    size_t given_used;
    unsigned reads; /* calls of read */
    unsigned reading;
    /* How much of `room` the next read may bring; 0: would block. NULL: all there is. */
    size_t (*supply)(struct scripted_link *script, size_t room);

    unsigned calls;     /* of write */
    unsigned in_flight; /* writes that have not returned */
    /* How much of `offered` bytes the next write takes; 0: would block; negative: that errno.
       NULL: everything. */
    ssize_t (*accept)(struct scripted_link *script, size_t offered);
    /* Plain bytes of the last write that the stream has encoded but not reported. */
    uint8_t *owed;
    size_t owe; /* of what it did not take the next write owes so much; for `accept` to set */
    /* Runs inside write, and inside read if that is set, without the gate; may be NULL. */
    void (*meanwhile)(struct scripted_link *script);
    bool disturb_reads;
    uint64_t random;
    size_t limit; /* for `accept` */
};

static void scripted_disturb(struct scripted_link *script)
{
    if (script->meanwhile)
        script->meanwhile(script);
}

/* Nothing else is in flight that must not be. */
static void scripted_assert_alone(const struct scripted_link *script, bool reads)
{
    bool half_duplex = script->link.stream.ops->half_duplex;
    assert_int_equal(reads || half_duplex ? script->reading : 0, 0);
    assert_int_equal(!reads || half_duplex ? script->in_flight : 0, 0);
}

static size_t scripted_room(const struct iovec *vectors, int count)
{
    size_t room = 0;
    for (int i = 0; i < count; i++) {
        assert_true(vectors[i].iov_len > 0);
        room += vectors[i].iov_len;
    }
    return room;
}

static ssize_t scripted_read(struct zl_stream *stream, const struct iovec *vectors, int count)
{
    struct scripted_link *script = stream->state;
    scripted_assert_alone(script, true);
    script->reads++;
    script->reading++;
    size_t room = scripted_room(vectors, count);
    size_t size = script->given_size - script->given_used;
    if (script->supply && size > 0) {
        size_t most = script->supply(script, room < size ? room : size);
        size = most < size ? most : size;
    }
    size = room < size ? room : size;
    size_t left = size;
    for (int i = 0; i < count && left > 0; i++) {
        size_t piece = vectors[i].iov_len < left ? vectors[i].iov_len : left;
        memcpy(vectors[i].iov_base, script->given + script->given_used, piece);
        script->given_used += piece;
        left -= piece;
    }
    if (script->disturb_reads)
        scripted_disturb(script);
    script->reading--;
    return size ? (ssize_t)size : -EAGAIN;
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

/* What was owed has to be offered first, and again. */
static void scripted_check_owed(const struct scripted_link *script, const struct iovec *vectors,
                                int count)
{
    size_t left = script->link.stream.owed, at = 0;
    for (int i = 0; i < count && left > 0; i++) {
        size_t piece = vectors[i].iov_len < left ? vectors[i].iov_len : left;
        assert_memory_equal(vectors[i].iov_base, script->owed + at, piece);
        at += piece;
        left -= piece;
    }
    assert_int_equal(left, 0);
}

/* Keeps a copy of `size` bytes behind the first `skip`: the vectors may be gone next time. */
static void scripted_owe(struct scripted_link *script, const struct iovec *vectors, int count,
                         size_t skip, size_t size)
{
    free(script->owed);
    script->owed = size ? malloc(size) : NULL;
    script->link.stream.owed = size;
    size_t at = 0;
    for (int i = 0; i < count && at < size; i++) {
        size_t from = skip < vectors[i].iov_len ? skip : vectors[i].iov_len;
        size_t piece = vectors[i].iov_len - from;
        piece = piece < size - at ? piece : size - at;
        if (piece)
            memcpy(script->owed + at, (const uint8_t *)vectors[i].iov_base + from, piece);
        at += piece;
        skip -= from;
    }
}

static ssize_t scripted_write(struct zl_stream *stream, const struct iovec *vectors, int count)
{
    struct scripted_link *script = stream->state;
    scripted_assert_alone(script, false); /* at most one write is in flight */
    assert_in_range(count, 1, 64);
    script->calls++;
    script->in_flight++;
    size_t offered = scripted_room(vectors, count);
    scripted_check_owed(script, vectors, count);
    script->owe = 0;
    ssize_t taken = script->accept ? script->accept(script, offered) : (ssize_t)offered;
    assert_true(taken <= (ssize_t)offered);
    size_t left = taken > 0 ? (size_t)taken : 0;
    if (taken >= 0 && script->owe > offered - left)
        script->owe = offered - left;
    scripted_owe(script, vectors, count, left, script->owe);
    for (int i = 0; i < count && left > 0; i++) {
        size_t piece = vectors[i].iov_len < left ? vectors[i].iov_len : left;
        scripted_take(script, vectors[i].iov_base, piece);
        left -= piece;
    }
    scripted_disturb(script);
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

static const struct zl_stream_ops scripted_half_duplex_ops = {
    .half_duplex = true,
    .read = scripted_read,
    .write = scripted_write,
    .close = scripted_close,
};

struct scripted_kind {
    int type; /* of the socket */
    bool half_duplex;
    bool websocket;
    bool accepted; /* WebSocket: we are the server */
    bool conflate;
    bool posts; /* work left for the loop is posted: scripted_run_tasks */
};

static void scripted_choose_framing(struct scripted_link *script, const struct scripted_kind *kind)
{
    struct zl_link *link = &script->link;
    link->websocket = true;
    link->accepted = kind->accepted;
    link->pipe->outq.framing = kind->accepted ? ZL_FRAMING_ZWS_SERVER : ZL_FRAMING_ZWS_CLIENT;
    link->pipe->outq.masks = &script->socket->masks;
    zl_zws_reader_init(&link->reader.zws,
                       kind->accepted ? ZL_WEBSOCKET_SERVER : ZL_WEBSOCKET_CLIENT,
                       link->options->maxmsgsize);
}

static void scripted_open_as(struct scripted_link *script, struct scripted_kind kind)
{
    int conflate = kind.conflate;
    memset(script, 0, sizeof *script);
    script->random = 1;
    script->context = zmq_ctx_new();
    assert_non_null(script->context);
    script->socket = zmq_socket(script->context, kind.type);
    assert_non_null(script->socket);
    zmq_setsockopt(script->socket, ZMQ_CONFLATE, &conflate, sizeof conflate);
    script->socket->loop = kind.posts ? &script->loop : NULL;
    struct zl_link *link = &script->link;
    link->socket = script->socket;
    link->loop = &script->loop;
    link->options = &script->socket->options;
    link->version = ZL_ZMTP_3_1;
    /* Only to be registered: its readiness is the script's. */
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    assert_true(fd >= 0);
    link->stream =
        (struct zl_stream){.ops = kind.half_duplex ? &scripted_half_duplex_ops : &scripted_ops,
                           .fd = fd,
                           .state = script};
    zl_list_init(&link->node);
    zl_list_init(&link->readable_node);
    zl_list_init(&link->unflushed_node);
    zl_socket_lock(script->socket);
    assert_int_equal(zl_pollset_open(&script->socket->pollset), 0);
    assert_int_equal(zl_pollset_reserve(&script->socket->pollset, link, &link->token), 0);
    assert_int_equal(zl_pollset_register(&script->socket->pollset, fd, link->token, 0), 0);
    script->socket->fd_user = true; /* there is no loop that could give a lease */
    link->pipe = zl_pipe_new(script->socket, 1000, 1000);
    assert_non_null(link->pipe);
    if (kind.websocket)
        scripted_choose_framing(script, &kind);
    zl_pipe_acquire(link->pipe); /* the link's reference; the other one is the socket's */
    zl_pipe_attach_locked(link->pipe);
    link->pipe->link = link;
    link->ready = true;
    zl_socket_unlock(script->socket);
}

static inline void scripted_open(struct scripted_link *script)
{
    scripted_open_as(script, (struct scripted_kind){.type = ZMQ_PUSH});
}

static inline void scripted_give(struct scripted_link *script, const uint8_t *data, size_t size)
{
    script->given = data;
    script->given_size = size;
    script->given_used = 0;
}

/* Does what the loop would: runs what has been posted to it. The number of tasks. */
static inline unsigned scripted_run_tasks(struct scripted_link *script)
{
    unsigned count = 0;
    struct zl_task *task = atomic_exchange(&script->loop.tasks, NULL);
    while (task) {
        struct zl_task *next = task->next;
        atomic_store(&task->queued, false);
        if (task->run)
            task->run(task);
        task = next;
        count++;
    }
    return count;
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
    while (script->socket->loop && scripted_run_tasks(script) > 0) {
    }
    script->socket->loop = NULL;
    zl_staging_free(&link->staging);
    zl_link_reset_io(link);
    zl_pipe_release(link->pipe);
    assert_int_equal(zmq_close(script->socket), 0);
    assert_int_equal(zmq_ctx_term(script->context), 0);
    free(script->taken);
    free(script->owed);
}

#endif
