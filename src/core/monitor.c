/* SPDX-License-Identifier: MPL-2.0 */
/* Socket monitoring: builds the messages of events and sends them on the monitor's own socket.

   That socket is an ordinary PAIR, PUB or PUSH, except that events which come before the program
   has connected to it, or while it lags behind, are kept and follow when they can. For that its
   pattern is a copy of the ordinary one with some operations wrapped. Nobody ever waits for the
   program. */
#define _GNU_SOURCE
#include "core/monitor.h"

#include "base/list.h"
#include "core/pipe.h"
#include "core/socket_base.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FRAMES_MAX = 4 + ZL_REPORT_VALUES_MAX, KEPT_MAX = 1000 };

struct zl_monitor {
    struct zl_pattern_ops ops; /* of `socket` */
    const struct zl_pattern_ops *base;
    struct zl_socket *socket; /* the handle's reference */
    uint64_t events;
    int version;
    /* Guarded by the gate of `socket`. */
    struct zl_list kept; /* events that could not be sent yet */
    unsigned kept_count;
};

struct event {
    struct zl_list node;
    struct zl_msg frames[FRAMES_MAX];
    int count;
};

/* ---- Messages -------------------------------------------------------------------------------- */

static void close_frames(struct event *event)
{
    while (event->count > 0)
        zl_msg_close(&event->frames[--event->count]);
}

static int add_frame(struct event *event, const void *data, size_t size)
{
    int rc = zl_msg_init_copy_of(&event->frames[event->count], data, size);
    if (rc == 0)
        event->count++;
    return rc;
}

static int add_text(struct event *event, const char *text)
{
    return add_frame(event, text ? text : "", text ? strlen(text) : 0);
}

static int add_number(struct event *event, uint64_t number)
{
    return add_frame(event, &number, sizeof number);
}

static int build_v1(struct event *event, const struct zl_report *report)
{
    uint16_t kind = (uint16_t)report->event;
    uint32_t value = (uint32_t)report->values[0];
    uint8_t head[sizeof kind + sizeof value];
    memcpy(head, &kind, sizeof kind);
    memcpy(head + sizeof kind, &value, sizeof value);
    int rc = add_frame(event, head, sizeof head);
    return rc == 0 ? add_text(event, report->bound ? report->local : report->remote) : rc;
}

static int build_v2(struct event *event, const struct zl_report *report)
{
    int rc = add_number(event, report->event);
    if (rc == 0)
        rc = add_number(event, (uint64_t)report->value_count);
    for (int i = 0; rc == 0 && i < report->value_count; i++)
        rc = add_number(event, report->values[i]);
    if (rc == 0)
        rc = add_text(event, report->local);
    return rc == 0 ? add_text(event, report->remote) : rc;
}

/* ---- The monitor's own socket; its gate is held ---------------------------------------------- */

/* -EAGAIN: nothing of it was taken. Another error loses the event. */
static int send_locked(struct zl_monitor *monitor, struct event *event)
{
    int rc = 0;
    for (int i = 0; rc == 0 && i < event->count; i++)
        rc = monitor->base->send(monitor->socket, &event->frames[i], i + 1 < event->count);
    return rc;
}

static void send_kept_locked(struct zl_monitor *monitor)
{
    while (!zl_list_empty(&monitor->kept)) {
        struct event *event = zl_container_of(monitor->kept.next, struct event, node);
        if (send_locked(monitor, event) == -EAGAIN)
            return;
        zl_list_remove(&event->node);
        monitor->kept_count--;
        close_frames(event);
        free(event);
    }
}

/* Moves the frames away. An event for which there is no room is lost whole. */
static void keep_locked(struct zl_monitor *monitor, struct event *event)
{
    struct event *copy = monitor->kept_count < KEPT_MAX ? malloc(sizeof *copy) : NULL;
    if (!copy)
        return;
    *copy = *event;
    event->count = 0;
    zl_list_init(&copy->node);
    zl_list_append(&monitor->kept, &copy->node);
    monitor->kept_count++;
}

static struct zl_monitor *monitor_of(struct zl_socket *socket)
{
    return zl_container_of(socket->ops, struct zl_monitor, ops);
}

static void on_connected(struct zl_socket *socket, struct zl_pipe *pipe)
{
    monitor_of(socket)->base->connected(socket, pipe);
    send_kept_locked(monitor_of(socket));
}

static void on_writable(struct zl_socket *socket, struct zl_pipe *pipe)
{
    monitor_of(socket)->base->writable(socket, pipe);
    send_kept_locked(monitor_of(socket));
}

/* The last reference to the socket is gone: so is the monitor. */
static void on_destroy(struct zl_socket *socket)
{
    struct zl_monitor *monitor = monitor_of(socket);
    socket->ops = monitor->base;
    socket->ops->destroy(socket);
    struct zl_list *node;
    while ((node = zl_list_pop(&monitor->kept)) != NULL) {
        struct event *event = zl_container_of(node, struct event, node);
        close_frames(event);
        free(event);
    }
    free(monitor);
}

/* monitor_lock of the monitored socket held; no gate. */
static void emit(struct zl_monitor *monitor, const struct zl_report *report)
{
    if (!(monitor->events & report->event))
        return;
    struct event event = {.count = 0};
    int rc = monitor->version == 1 ? build_v1(&event, report) : build_v2(&event, report);
    if (rc == 0) {
        struct zl_socket *socket = monitor->socket;
        zl_socket_lock(socket);
        zl_socket_take_signals_locked(socket);
        send_kept_locked(monitor);
        if (!zl_list_empty(&monitor->kept) || send_locked(monitor, &event) == -EAGAIN)
            keep_locked(monitor, &event);
        zl_socket_unlock(socket);
    }
    close_frames(&event);
}

/* ---- Coming and going ----------------------------------------------------------------------- */

struct zl_monitor *zl_monitor_new(uint64_t events, int version)
{
    struct zl_monitor *monitor = calloc(1, sizeof *monitor);
    if (!monitor)
        return NULL;
    monitor->events = events;
    monitor->version = version;
    zl_list_init(&monitor->kept);
    return monitor;
}

void zl_monitor_take_over(struct zl_monitor *monitor, struct zl_socket *socket)
{
    monitor->socket = socket;
    monitor->base = socket->ops;
    monitor->ops = *socket->ops;
    monitor->ops.connected = on_connected;
    monitor->ops.writable = on_writable;
    monitor->ops.destroy = on_destroy;
    zl_socket_lock(socket);
    socket->ops = &monitor->ops;
    socket->options.linger = 0;
    zl_socket_unlock(socket);
}

/* monitor_lock held. What is returned has to be closed after the lock. */
static struct zl_socket *take_down(struct zl_socket *socket)
{
    struct zl_monitor *monitor = socket->monitor;
    if (!monitor)
        return NULL;
    socket->monitor = NULL;
    emit(monitor, &(struct zl_report){.event = ZMQ_EVENT_MONITOR_STOPPED, .value_count = 1});
    return monitor->socket;
}

struct zl_socket *zl_monitor_replace(struct zl_socket *socket, struct zl_monitor *monitor)
{
    pthread_mutex_lock(&socket->monitor_lock);
    struct zl_socket *old = take_down(socket);
    socket->monitor = monitor;
    pthread_mutex_unlock(&socket->monitor_lock);
    return old;
}

/* ---- Events ---------------------------------------------------------------------------------- */

void zl_monitor_report(struct zl_socket *socket, const struct zl_report *report)
{
    pthread_mutex_lock(&socket->monitor_lock);
    if (socket->monitor)
        emit(socket->monitor, report);
    pthread_mutex_unlock(&socket->monitor_lock);
}

void zl_monitor_emit(struct zl_socket *socket, uint64_t event, uint64_t value, const char *local,
                     const char *remote, int bound)
{
    struct zl_report report = {
        .event = event,
        .values = {value},
        .value_count = 1,
        .local = local,
        .remote = remote,
        .bound = bound,
    };
    zl_monitor_report(socket, &report);
}

bool zl_monitor_wants(struct zl_socket *socket, uint64_t event)
{
    pthread_mutex_lock(&socket->monitor_lock);
    bool wanted = socket->monitor && (socket->monitor->events & event);
    pthread_mutex_unlock(&socket->monitor_lock);
    return wanted;
}
