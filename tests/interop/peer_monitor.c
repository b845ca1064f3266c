/* SPDX-License-Identifier: MPL-2.0 */
/* The peer's commands about monitor events. */
#include "peer_commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer_options.h"

bool cmd_monitor(const struct args *args)
{
    struct sock *sock = find_socket(arg_at(args, 1));
    char endpoint[64];
    if (!sock)
        return false;
    snprintf(endpoint, sizeof endpoint, "inproc://monitor-%s", sock->name);
    if (lib.zmq_socket_monitor(sock->handle, endpoint, ZMQ_EVENT_ALL) != 0)
        return fail_zmq("zmq_socket_monitor");
    sock->monitor = lib.zmq_socket(context, ZMQ_PAIR);
    if (!sock->monitor || !set_timeouts(sock->monitor) ||
        lib.zmq_connect(sock->monitor, endpoint) != 0)
        return fail_zmq("monitor socket");
    return done();
}

static bool recv_event(void *monitor, int *event, uint32_t *value)
{
    struct message message;
    uint16_t number;
    if (!message_recv(monitor, &message, 0))
        return false;
    bool right = message.count == 2 && lib.zmq_msg_size(&message.parts[0]) == 6;
    if (right) {
        const unsigned char *data = lib.zmq_msg_data(&message.parts[0]);
        memcpy(&number, data, sizeof number);
        memcpy(value, data + sizeof number, sizeof *value);
        *event = number;
    }
    message_close(&message);
    return right || fail("malformed event");
}

static struct sock *find_monitored(const struct args *args, int *event)
{
    struct sock *sock = find_socket(arg_at(args, 1));
    if (sock && !sock->monitor) {
        fail("%s is not monitored", sock->name);
        return NULL;
    }
    if (event && (*event = find_event(arg_at(args, 2))) == 0) {
        fail("no event %s", arg_at(args, 2));
        return NULL;
    }
    return sock;
}

bool cmd_event(const struct args *args)
{
    int wanted, event;
    uint32_t value;
    struct sock *sock = find_monitored(args, &wanted);
    if (!sock)
        return false;
    do
        if (!recv_event(sock->monitor, &event, &value))
            return false;
    while (event != wanted);
    return ok("%u", value);
}

bool cmd_noevent(const struct args *args)
{
    int unwanted, event;
    uint32_t value;
    struct sock *sock = find_monitored(args, &unwanted);
    long end = now_ms() + atol(arg_at(args, 3));
    for (long now = now_ms(); sock && now < end; now = now_ms()) {
        short ready;
        if (!poll_socket(sock->monitor, ZMQ_POLLIN, end - now, &ready))
            return false;
        if (ready && !recv_event(sock->monitor, &event, &value))
            return false;
        if (ready && event == unwanted)
            return fail("event %s", event_name(event));
    }
    return sock && done();
}

bool cmd_events(const struct args *args)
{
    struct sock *sock = find_monitored(args, NULL);
    char text[1024] = "";
    size_t used = 0;
    for (;;) {
        short ready;
        int event;
        uint32_t value;
        if (!sock || !poll_socket(sock->monitor, ZMQ_POLLIN, 0, &ready))
            return false;
        if (!ready || used + 64 > sizeof text)
            return ok("%s", text);
        if (!recv_event(sock->monitor, &event, &value))
            return false;
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used ? " " : "",
                                 event_name(event));
    }
}
