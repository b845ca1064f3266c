/* SPDX-License-Identifier: MPL-2.0 */
/* Tables of names; see peer_options.h. */
#include "peer_options.h"

#include <string.h>

#include <zmq.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Options that only zlink has. The header is stock zmq.h's, so they are given by number. */
enum {
    TLS_CERTIFICATE = 1000,
    TLS_KEY,
    TLS_CA,
    TLS_VERIFY,
    TLS_REQUIRE_CLIENT_CERT,
    TLS_HOSTNAME,
    TLS_TRUST_SYSTEM,
    TLS_MIN_VERSION = 1008,
    TLS_ERROR = 1012,
};

struct number_name {
    const char *name;
    int number;
};

static const struct option_name options[] = {
    {"conflate", ZMQ_CONFLATE, OPTION_INT},
    {"connect_routing_id", ZMQ_CONNECT_ROUTING_ID, OPTION_BYTES},
    {"handshake_ivl", ZMQ_HANDSHAKE_IVL, OPTION_INT},
    {"heartbeat_ivl", ZMQ_HEARTBEAT_IVL, OPTION_INT},
    {"heartbeat_timeout", ZMQ_HEARTBEAT_TIMEOUT, OPTION_INT},
    {"heartbeat_ttl", ZMQ_HEARTBEAT_TTL, OPTION_INT},
    {"immediate", ZMQ_IMMEDIATE, OPTION_INT},
    {"invert_matching", ZMQ_INVERT_MATCHING, OPTION_INT},
    {"last_endpoint", ZMQ_LAST_ENDPOINT, OPTION_BYTES},
    {"linger", ZMQ_LINGER, OPTION_INT},
    {"maxmsgsize", ZMQ_MAXMSGSIZE, OPTION_INT64},
    {"probe_router", ZMQ_PROBE_ROUTER, OPTION_INT},
    {"rcvbuf", ZMQ_RCVBUF, OPTION_INT},
    {"rcvhwm", ZMQ_RCVHWM, OPTION_INT},
    {"raw", ZMQ_ROUTER_RAW, OPTION_INT},
    {"reconnect_ivl", ZMQ_RECONNECT_IVL, OPTION_INT},
    {"req_correlate", ZMQ_REQ_CORRELATE, OPTION_INT},
    {"req_relaxed", ZMQ_REQ_RELAXED, OPTION_INT},
    {"router_handover", ZMQ_ROUTER_HANDOVER, OPTION_INT},
    {"router_mandatory", ZMQ_ROUTER_MANDATORY, OPTION_INT},
    {"routing_id", ZMQ_ROUTING_ID, OPTION_BYTES},
    {"sndbuf", ZMQ_SNDBUF, OPTION_INT},
    {"sndhwm", ZMQ_SNDHWM, OPTION_INT},
    {"subscribe", ZMQ_SUBSCRIBE, OPTION_BYTES},
    {"tls_ca", TLS_CA, OPTION_BYTES},
    {"tls_certificate", TLS_CERTIFICATE, OPTION_BYTES},
    {"tls_error", TLS_ERROR, OPTION_BYTES},
    {"tls_hostname", TLS_HOSTNAME, OPTION_BYTES},
    {"tls_key", TLS_KEY, OPTION_BYTES},
    {"tls_min_version", TLS_MIN_VERSION, OPTION_INT},
    {"tls_require_client_cert", TLS_REQUIRE_CLIENT_CERT, OPTION_INT},
    {"tls_trust_system", TLS_TRUST_SYSTEM, OPTION_INT},
    {"tls_verify", TLS_VERIFY, OPTION_INT},
    {"unsubscribe", ZMQ_UNSUBSCRIBE, OPTION_BYTES},
    {"xpub_manual", ZMQ_XPUB_MANUAL, OPTION_INT},
    {"xpub_nodrop", ZMQ_XPUB_NODROP, OPTION_INT},
    {"xpub_verbose", ZMQ_XPUB_VERBOSE, OPTION_INT},
    {"xpub_verboser", ZMQ_XPUB_VERBOSER, OPTION_INT},
    {"xpub_welcome_msg", ZMQ_XPUB_WELCOME_MSG, OPTION_BYTES},
};

static const struct number_name socket_types[] = {
    {"dealer", ZMQ_DEALER}, {"pair", ZMQ_PAIR}, {"pub", ZMQ_PUB},   {"pull", ZMQ_PULL},
    {"push", ZMQ_PUSH},     {"rep", ZMQ_REP},   {"req", ZMQ_REQ},   {"router", ZMQ_ROUTER},
    {"stream", ZMQ_STREAM}, {"sub", ZMQ_SUB},   {"xpub", ZMQ_XPUB}, {"xsub", ZMQ_XSUB},
};

static const struct number_name events[] = {
    {"ACCEPTED", ZMQ_EVENT_ACCEPTED},
    {"ACCEPT_FAILED", ZMQ_EVENT_ACCEPT_FAILED},
    {"BIND_FAILED", ZMQ_EVENT_BIND_FAILED},
    {"CLOSED", ZMQ_EVENT_CLOSED},
    {"CLOSE_FAILED", ZMQ_EVENT_CLOSE_FAILED},
    {"CONNECTED", ZMQ_EVENT_CONNECTED},
    {"CONNECT_DELAYED", ZMQ_EVENT_CONNECT_DELAYED},
    {"CONNECT_RETRIED", ZMQ_EVENT_CONNECT_RETRIED},
    {"DISCONNECTED", ZMQ_EVENT_DISCONNECTED},
    {"HANDSHAKE_FAILED_AUTH", ZMQ_EVENT_HANDSHAKE_FAILED_AUTH},
    {"HANDSHAKE_FAILED_NO_DETAIL", ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL},
    {"HANDSHAKE_FAILED_PROTOCOL", ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL},
    {"HANDSHAKE_SUCCEEDED", ZMQ_EVENT_HANDSHAKE_SUCCEEDED},
    {"LISTENING", ZMQ_EVENT_LISTENING},
    {"MONITOR_STOPPED", ZMQ_EVENT_MONITOR_STOPPED},
};

const struct option_name *find_option(const char *name)
{
    for (size_t i = 0; i < COUNT(options); i++)
        if (strcmp(options[i].name, name) == 0)
            return &options[i];
    return NULL;
}

static const struct number_name *find_name(const struct number_name *table, size_t count,
                                           const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}

int find_socket_type(const char *name)
{
    const struct number_name *found = find_name(socket_types, COUNT(socket_types), name);
    return found ? found->number : -1;
}

int find_event(const char *name)
{
    const struct number_name *found = find_name(events, COUNT(events), name);
    return found ? found->number : 0;
}

const char *event_name(int event)
{
    for (size_t i = 0; i < COUNT(events); i++)
        if (events[i].number == event)
            return events[i].name;
    return "?";
}
