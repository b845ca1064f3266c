/* SPDX-License-Identifier: MPL-2.0 */
/* A socket with a pattern that does nothing but keep the helpers of real patterns up to date, and
 * pipes without a far end: input is put into their rings, output stays in their queues. The gate is
 * not taken, as there is one thread. */
#ifndef ZL_TEST_UNIT_PATTERN_FAKE_PATTERN_H
#define ZL_TEST_UNIT_PATTERN_FAKE_PATTERN_H

#include "unit/wire/octets.h"

#include "core/ctx.h"
#include "core/pipe.h"
#include "core/socket.h"
#include "pattern/fair_queue.h"
#include "pattern/fan_out.h"
#include "pattern/load_balancer.h"

#include <errno.h>

struct fake {
    struct zl_fair_queue in;
    struct zl_load_balancer out;
    struct zl_fan_out fan;
    unsigned writables; /* calls of `writable` */
    unsigned detaches;  /* calls of `detach` */
};

static struct fake *fake_of(struct zl_socket *socket)
{
    return zl_pattern_state(socket);
}

static int fake_init(struct zl_socket *socket)
{
    zl_fair_queue_init(&fake_of(socket)->in);
    zl_load_balancer_init(&fake_of(socket)->out);
    zl_fan_out_init(&fake_of(socket)->fan);
    return 0;
}

static void fake_destroy(struct zl_socket *socket)
{
    zl_fan_out_free(&fake_of(socket)->fan);
}

static void fake_attach(struct zl_socket *socket, struct zl_pipe *pipe)
{
    zl_load_balancer_add(&fake_of(socket)->out, pipe);
}

static void fake_ended(struct zl_socket *socket, struct zl_pipe *pipe)
{
    zl_load_balancer_remove(&fake_of(socket)->out, pipe);
    zl_fan_out_remove(&fake_of(socket)->fan, pipe);
}

static void fake_detach(struct zl_socket *socket, struct zl_pipe *pipe)
{
    zl_fair_queue_remove(&fake_of(socket)->in, pipe);
    fake_of(socket)->detaches++;
}

static void fake_readable(struct zl_socket *socket, struct zl_pipe *pipe)
{
    zl_fair_queue_add(&fake_of(socket)->in, pipe);
}

static void fake_writable(struct zl_socket *socket, struct zl_pipe *pipe)
{
    zl_load_balancer_add(&fake_of(socket)->out, pipe);
    fake_of(socket)->writables++;
}

static const struct zl_pattern_ops fake_ops = {
    .type = ZMQ_DEALER,
    .state_size = sizeof(struct fake),
    .init = fake_init,
    .destroy = fake_destroy,
    .attach = fake_attach,
    .ended = fake_ended,
    .detach = fake_detach,
    .readable = fake_readable,
    .writable = fake_writable,
};

/* What was disposed of under the gate is released, as at its end. */
static inline void fake_unlock(struct zl_socket *socket)
{
    zl_socket_lock(socket);
    zl_socket_unlock(socket);
}

static inline int fake_setup(void **state)
{
    static struct zl_ctx ctx;
    struct zl_socket *socket;
    if (zl_socket_new(&ctx, &fake_ops, &socket) < 0)
        return -1;
    *state = socket;
    return 0;
}

/* Ends all pipes; every reference is back then. */
static inline int fake_teardown(void **state)
{
    struct zl_socket *socket = *state;
    socket->closed = true;
    zl_list_for_safe(node, &socket->pipes)
        zl_pipe_end_locked(zl_container_of(node, struct zl_pipe, node), true);
    fake_unlock(socket);
    int rc = atomic_load(&socket->references) == 1 ? 0 : -1;
    zl_socket_release(socket);
    return rc;
}

/* A pipe in the socket, which holds the only reference. `hwm` 0: no limit. */
static inline struct zl_pipe *fake_pipe(struct zl_socket *socket, int hwm)
{
    struct zl_pipe *pipe = zl_pipe_new(socket, hwm, 0);
    assert_non_null(pipe);
    zl_pipe_attach_locked(pipe);
    return pipe;
}

/* A message of `parts` parts comes in: each has two octets, the number and its place. */
static inline void fake_input(struct zl_pipe *pipe, uint8_t number, uint8_t parts)
{
    for (uint8_t part = 0; part < parts; part++) {
        uint8_t octets[2] = {number, part};
        struct zl_msg *slot = zl_ring_slot(&pipe->ring);
        assert_non_null(slot);
        assert_int_equal(zl_msg_init_copy_of(slot, octets, 2), 0);
        slot->flags = part + 1 < parts ? ZL_MSG_MORE : 0;
        zl_ring_push(&pipe->ring);
    }
    zl_ring_commit(&pipe->ring);
    zl_ring_publish(&pipe->ring);
    zl_pipe_input_locked(pipe);
}

/* The connection of the pipe takes all that waits; returns how many octets that were. */
static inline size_t fake_drain(struct zl_pipe *pipe)
{
    struct zl_socket *socket = atomic_load(&pipe->socket);
    size_t pending = zl_outq_pending(&pipe->outq);
    if (pending)
        zl_outq_consume(&pipe->outq, &socket->chunks, pending, &socket->garbage);
    zl_pipe_drained_locked(pipe);
    return pending;
}

/* What waits in the pipe's queue is exactly this; it is taken out. */
static inline void fake_expect_output(struct zl_pipe *pipe, const char *hex)
{
    uint8_t octets[512];
    size_t pending = zl_outq_pending(&pipe->outq);
    assert_true(pending <= sizeof octets);
    zl_outq_copy(&pipe->outq, octets, pending);
    assert_hex(octets, pending, hex);
    fake_drain(pipe);
}

#endif
