/* SPDX-License-Identifier: MPL-2.0 */
/* Reads socket monitor events: two frames, 16-bit event and 32-bit value, then the endpoint. */
#include "monitor.h"
#include "cli.h"

#include <stdio.h>
#include <string.h>
#include <zmq.h>

#define MONITOR_ENDPOINT "inproc://zlink-monitor"

/* How an event's value is to be shown. */
enum value_kind { NOTHING, DESCRIPTOR, ERRNO, MILLISECONDS, CODE, STATUS };

struct event_row {
    unsigned event;
    const char *name;
    enum value_kind value;
};

static const struct event_row events[] = {
    {ZMQ_EVENT_CONNECTED, "CONNECTED", DESCRIPTOR},
    {ZMQ_EVENT_CONNECT_DELAYED, "CONNECT_DELAYED", ERRNO},
    {ZMQ_EVENT_CONNECT_RETRIED, "CONNECT_RETRIED", MILLISECONDS},
    {ZMQ_EVENT_LISTENING, "LISTENING", DESCRIPTOR},
    {ZMQ_EVENT_BIND_FAILED, "BIND_FAILED", ERRNO},
    {ZMQ_EVENT_ACCEPTED, "ACCEPTED", DESCRIPTOR},
    {ZMQ_EVENT_ACCEPT_FAILED, "ACCEPT_FAILED", ERRNO},
    {ZMQ_EVENT_CLOSED, "CLOSED", DESCRIPTOR},
    {ZMQ_EVENT_CLOSE_FAILED, "CLOSE_FAILED", ERRNO},
    {ZMQ_EVENT_DISCONNECTED, "DISCONNECTED", DESCRIPTOR},
    {ZMQ_EVENT_MONITOR_STOPPED, "MONITOR_STOPPED", NOTHING},
    {ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, "HANDSHAKE_FAILED_NO_DETAIL", ERRNO},
    {ZMQ_EVENT_HANDSHAKE_SUCCEEDED, "HANDSHAKE_SUCCEEDED", NOTHING},
    {ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, "HANDSHAKE_FAILED_PROTOCOL", CODE},
    {ZMQ_EVENT_HANDSHAKE_FAILED_AUTH, "HANDSHAKE_FAILED_AUTH", STATUS},
};

static void print_event(unsigned event, uint32_t value, const char *endpoint)
{
    const struct event_row *row = NULL;
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        if (events[i].event == event)
            row = &events[i];
    if (!row) {
        fprintf(stderr, "zlink: event 0x%x %s\n", event, endpoint);
        return;
    }
    fprintf(stderr, "zlink: event %s %s", row->name, endpoint);
    switch (row->value) {
    case NOTHING:
        break;
    case DESCRIPTOR:
        fprintf(stderr, " (fd %d)", (int)value);
        break;
    case ERRNO:
        fprintf(stderr, " (%s)", zmq_strerror((int)value));
        break;
    case MILLISECONDS:
        fprintf(stderr, " (in %u ms)", value);
        break;
    case CODE:
        fprintf(stderr, " (protocol error 0x%08x)", value);
        break;
    case STATUS:
        fprintf(stderr, " (status %u)", value);
        break;
    }
    fputc('\n', stderr);
}

static void count_event(struct cli_peers *peers, unsigned event)
{
    if (event == ZMQ_EVENT_CONNECTED || event == ZMQ_EVENT_ACCEPTED)
        peers->attached++;
    else if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED)
        peers->greeted++;
    else if (event == ZMQ_EVENT_DISCONNECTED) {
        peers->attached -= peers->attached > 0;
        peers->greeted -= peers->greeted > peers->attached;
    }
}

/* Reads one event; false if there is none. */
static bool read_event(struct cli_monitor *monitor)
{
    unsigned char head[6];
    char endpoint[1024];
    uint16_t event;
    uint32_t value;
    if (zmq_recv(monitor->socket, head, sizeof head, ZMQ_DONTWAIT) != (int)sizeof head)
        return false;
    int length = zmq_recv(monitor->socket, endpoint, sizeof endpoint - 1, 0);
    if (length < 0)
        return false;
    endpoint[length < (int)sizeof endpoint ? length : (int)sizeof endpoint - 1] = '\0';
    memcpy(&event, head, sizeof event);
    memcpy(&value, head + sizeof event, sizeof value);
    count_event(&monitor->peers, event);
    if (monitor->verbose)
        print_event(event, value, endpoint);
    return true;
}

/* Connections with TLS fail for reasons that somebody has to remove, so each new one is told; a client
 * tries again and again. */
static void tell_tls_failure(struct cli_monitor *monitor)
{
    char reason[CLI_TLS_REASON_SIZE];
    if (!cli_tls_reason(monitor->watched, reason) || strcmp(reason, monitor->tls_reason) == 0)
        return;
    strcpy(monitor->tls_reason, reason);
    cli_error("%s: %s", monitor->endpoint, reason);
    cli_tls_hint(reason);
}

void cli_monitor_drain(struct cli_monitor *monitor)
{
    bool any = false;
    while (read_event(monitor))
        any = true;
    if (any && cli_tls_is_used(monitor->endpoint))
        tell_tls_failure(monitor);
}

int cli_monitor_open(struct cli_monitor *monitor, void *context, void *watched,
                     const char *endpoint, bool verbose)
{
    monitor->watched = watched;
    monitor->endpoint = endpoint;
    monitor->verbose = verbose;
    if (zmq_socket_monitor(monitor->watched, MONITOR_ENDPOINT, ZMQ_EVENT_ALL) != 0)
        return -1;
    monitor->socket = zmq_socket(context, ZMQ_PAIR);
    if (!monitor->socket)
        return -1;
    zmq_setsockopt(monitor->socket, ZMQ_LINGER, &(int){0}, sizeof(int));
    if (zmq_connect(monitor->socket, MONITOR_ENDPOINT) == 0)
        return 0;
    zmq_close(monitor->socket);
    monitor->socket = NULL;
    return -1;
}

void cli_monitor_close(struct cli_monitor *monitor)
{
    if (!monitor->socket)
        return;
    cli_monitor_drain(monitor);
    zmq_socket_monitor(monitor->watched, NULL, 0);
    zmq_close(monitor->socket);
    monitor->socket = NULL;
}
