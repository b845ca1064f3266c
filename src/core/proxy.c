/* SPDX-License-Identifier: MPL-2.0 */
/* The proxy: two directions that are moved in turns, and a control socket that steers them. */
#include "core/proxy.h"

#include "core/drive.h"
#include "core/pipe.h"
#include "core/poll_set.h"
#include "core/socket.h"

#include <errno.h>
#include <string.h>

enum {
    BURST = 1000,    /* messages of one direction before the other has its turn */
    LOOK_EVERY = 256 /* turns and messages after which the kernel is asked about all sockets */
};

struct side {
    struct zl_socket *socket;
    uint64_t received, received_bytes;
    uint64_t sent, sent_bytes; /* all four count parts, not messages */
    short wanted;              /* events to wait for */
};

struct proxy {
    struct side front, back;
    struct zl_socket *capture; /* may be NULL */
    struct zl_socket *control; /* may be NULL */
    bool paused;
    bool terminated;
    unsigned since_look;
};

/* ---- State of a socket ----------------------------------------------------------------------- */

static bool has_event(struct zl_socket *socket, short event)
{
    bool (*ask)(struct zl_socket *) =
        event == ZMQ_POLLIN ? socket->ops->can_recv : socket->ops->can_send;
    return ask && ask(socket);
}

/* Whether the event is there, without a system call unless a connection is known to have input.
   1, 0 or a negative errno. */
static int look(struct zl_socket *socket, short event)
{
    int rc = 0;
    zl_socket_lock(socket);
    do {
        rc = zl_socket_usable_locked(socket);
        if (rc < 0)
            break;
        zl_socket_take_signals_locked(socket);
        rc = has_event(socket, event);
    } while (rc == 0 && zl_drive_flagged_locked(socket));
    zl_drive_leave_input_locked(socket);
    zl_socket_unlock(socket);
    return rc;
}

/* ---- Forwarding ------------------------------------------------------------------------------ */

/* The destination was writable a moment ago. If its only peer has left since, the message waits
   here for the next one, as it cannot be put back. So it does for a capture socket that is full. */
static int send_part(struct zl_socket *socket, struct zl_msg *msg, bool more)
{
    int flags = ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0);
    int rc = zl_socket_send(socket, msg, flags);
    while (rc == -EAGAIN) {
        struct zl_poll_entry entry = {.socket = socket, .fd = -1, .events = ZMQ_POLLOUT};
        rc = zl_poll_wait(&entry, 1, -1, NULL);
        if (rc >= 0)
            rc = zl_socket_send(socket, msg, flags);
    }
    return rc;
}

static int capture_part(const struct proxy *proxy, const struct zl_msg *msg, bool more)
{
    struct zl_msg copy;
    if (!proxy->capture)
        return 0;
    int rc = zl_msg_share(&copy, msg);
    if (rc < 0)
        return rc;
    rc = send_part(proxy->capture, &copy, more);
    zl_msg_close(&copy);
    return rc;
}

/* *more: parts of the same message follow. */
static int forward_part(struct proxy *proxy, struct side *from, struct side *to, bool *more)
{
    struct zl_msg msg;
    int rc = zl_socket_recv(from->socket, &msg, ZMQ_DONTWAIT);
    if (rc < 0)
        return rc;
    size_t size = zl_msg_size(&msg);
    *more = msg.flags & ZL_MSG_MORE;
    from->received++;
    from->received_bytes += size;
    rc = capture_part(proxy, &msg, *more);
    if (rc == 0)
        rc = send_part(to->socket, &msg, *more);
    if (rc == 0) {
        to->sent++;
        to->sent_bytes += size;
    }
    zl_msg_close(&msg);
    return rc;
}

static int forward_message(struct proxy *proxy, struct side *from, struct side *to)
{
    bool more = true;
    int rc = 0;
    while (rc == 0 && more)
        rc = forward_part(proxy, from, to, &more);
    return rc;
}

/* One turn of a direction: until it cannot go on, and then notes what it waits for, or until the
   burst is over. The number of messages or a negative errno. */
static int forward(struct proxy *proxy, struct side *from, struct side *to)
{
    for (int count = 0; count < BURST; count++) {
        int rc = look(from->socket, ZMQ_POLLIN);
        if (rc == 0)
            from->wanted |= ZMQ_POLLIN;
        if (rc <= 0)
            return rc < 0 ? rc : count;
        /* A single socket answers itself: REP can send only after it has received. */
        rc = from->socket == to->socket ? 1 : look(to->socket, ZMQ_POLLOUT);
        if (rc == 0)
            to->wanted |= ZMQ_POLLOUT;
        if (rc <= 0)
            return rc < 0 ? rc : count;
        rc = forward_message(proxy, from, to);
        if (rc == -EAGAIN) { /* what was readable belonged to a peer that has left */
            from->wanted |= ZMQ_POLLIN;
            return count;
        }
        if (rc < 0)
            return rc;
    }
    return BURST;
}

/* ---- Steering -------------------------------------------------------------------------------- */

/* Nobody waits for a controller that has left or does not read. */
static int reply_part(struct proxy *proxy, const void *data, size_t size, bool more)
{
    struct zl_msg msg;
    zl_msg_borrow(&msg, data, size);
    return zl_socket_send(proxy->control, &msg, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0));
}

static int reply_statistics(struct proxy *proxy)
{
    const struct side *front = &proxy->front, *back = &proxy->back;
    const uint64_t numbers[] = {
        front->received, front->received_bytes, front->sent, front->sent_bytes,
        back->received,  back->received_bytes,  back->sent,  back->sent_bytes,
    };
    const size_t count = sizeof numbers / sizeof numbers[0];
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = reply_part(proxy, &numbers[i], sizeof numbers[i], i + 1 < count);
    return rc;
}

static bool is_command(const struct zl_msg *msg, const char *text)
{
    return zl_msg_size(msg) == strlen(text) && memcmp(zl_msg_bytes(msg), text, strlen(text)) == 0;
}

static int obey(struct proxy *proxy, const struct zl_msg *msg)
{
    if (is_command(msg, "STATISTICS"))
        return reply_statistics(proxy);
    if (is_command(msg, "PAUSE"))
        proxy->paused = true;
    else if (is_command(msg, "RESUME"))
        proxy->paused = false;
    else if (is_command(msg, "TERMINATE"))
        proxy->terminated = true;
    return proxy->control->ops->type == ZMQ_REP ? reply_part(proxy, "", 0, false) : 0;
}

/* The first part of a message; the others, which no command has, are thrown away. */
static int receive_command(struct proxy *proxy, struct zl_msg *msg, bool *alone)
{
    int rc = zl_socket_recv(proxy->control, msg, ZMQ_DONTWAIT);
    if (rc < 0)
        return rc;
    bool more = msg->flags & ZL_MSG_MORE;
    *alone = !more;
    while (more) {
        struct zl_msg rest;
        rc = zl_socket_recv(proxy->control, &rest, ZMQ_DONTWAIT);
        if (rc < 0) {
            zl_msg_close(msg);
            return rc;
        }
        more = rest.flags & ZL_MSG_MORE;
        zl_msg_close(&rest);
    }
    return 0;
}

static int steer(struct proxy *proxy)
{
    struct zl_msg msg;
    bool alone;
    if (!proxy->control)
        return 0;
    int rc = look(proxy->control, ZMQ_POLLIN);
    if (rc <= 0)
        return rc;
    rc = receive_command(proxy, &msg, &alone);
    if (rc < 0)
        return rc == -EAGAIN ? 0 : rc;
    if (!alone)
        zl_msg_reset(&msg); /* an unknown command */
    rc = obey(proxy, &msg);
    zl_msg_close(&msg);
    /* A controller that cannot be answered (PULL, SUB) has to do without. */
    return rc == -EAGAIN || rc == -ENOTSUP ? 0 : rc;
}

/* ---- The turns ------------------------------------------------------------------------------- */

/* Both directions once. Whether something moved, or a negative errno. */
static int turn(struct proxy *proxy)
{
    struct side *front = &proxy->front, *back = &proxy->back;
    front->wanted = back->wanted = 0;
    if (proxy->paused)
        return 0;
    if (front->socket == back->socket) {
        int moved = forward(proxy, front, back);
        front->wanted |= back->wanted;
        return moved;
    }
    int there = forward(proxy, front, back);
    if (there < 0)
        return there;
    int here = forward(proxy, back, front);
    return here < 0 ? here : there + here;
}

static int wait(struct proxy *proxy, long timeout)
{
    struct zl_poll_entry entries[3];
    size_t count = 0;
    struct side *sides[] = {&proxy->front, &proxy->back};
    bool same = proxy->front.socket == proxy->back.socket;
    for (size_t i = 0; i < 2; i++)
        if (sides[i]->wanted && !(same && i == 1))
            entries[count++] = (struct zl_poll_entry){
                .socket = sides[i]->socket, .fd = -1, .events = sides[i]->wanted};
    if (proxy->control)
        entries[count++] =
            (struct zl_poll_entry){.socket = proxy->control, .fd = -1, .events = ZMQ_POLLIN};
    int rc = zl_poll_wait(entries, count, timeout, NULL);
    return rc < 0 ? rc : 0;
}

/* A turn that moved nothing is followed by sleep. While there is work at hand the kernel is asked
   now and then all the same, so that one busy direction cannot hide news of the other. */
static int rest(struct proxy *proxy, int moved)
{
    if (moved == 0) {
        proxy->since_look = 0;
        return wait(proxy, -1);
    }
    proxy->since_look += (unsigned)moved;
    if (proxy->since_look < LOOK_EVERY)
        return 0;
    proxy->since_look = 0;
    return wait(proxy, 0);
}

int zl_proxy(struct zl_socket *front, struct zl_socket *back, struct zl_socket *capture,
             struct zl_socket *control)
{
    struct proxy proxy = {
        .front = {.socket = front},
        .back = {.socket = back},
        .capture = capture,
        .control = control,
    };
    for (;;) {
        int rc = steer(&proxy);
        if (rc < 0 || proxy.terminated)
            return rc;
        rc = turn(&proxy);
        if (rc >= 0)
            rc = rest(&proxy, rc);
        if (rc < 0)
            return rc;
    }
}
