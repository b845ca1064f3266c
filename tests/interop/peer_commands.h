/* SPDX-License-Identifier: MPL-2.0 */
/* What the peer's commands share. What each of them does is told at the head of peer.c. A command
 * prints its result and returns true, or calls fail() and returns false. */
#ifndef INTEROP_PEER_COMMANDS_H
#define INTEROP_PEER_COMMANDS_H

#include "peer.h"

enum { CALL_TIMEOUT_MS = 20000, MAX_ARGS = 64, MAX_STREAMS = 16 };

/* The words of a command; the first one is its name. */
struct args {
    int count;
    char *list[MAX_ARGS];
};

/* The value of NAME=VALUE among the words. */
const char *arg_value(const struct args *args, const char *name, const char *otherwise);
uint32_t arg_number(const struct args *args, const char *name, const char *otherwise);
/* Empty if there are not that many. */
const char *arg_at(const struct args *args, int index);

/* Up to where a stream of messages was followed. */
struct stream {
    uint32_t number;
    uint32_t next;
};

struct sock {
    const char *name;
    void *handle; /* NULL: free entry */
    void *monitor;
    struct frames last_head;
    struct stream streams[MAX_STREAMS];
    size_t stream_count;
};

extern void *context;

/* NULL (and a failure) if there is none of that name. */
struct sock *find_socket(const char *name);
bool set_timeouts(void *socket);
bool parse_flow(struct flow *flow, const struct args *args, const struct sock *sock);
/* zmq_poll on one socket, not disturbed by signals. */
bool poll_socket(void *socket, short wanted, long timeout, short *got);
long now_ms(void);

/* Print a result, or that there is none; both return true. */
__attribute__((format(printf, 1, 2))) bool ok(const char *format, ...);
bool done(void);

/* After the context was shut down: waits for the thread of serve or proxy. */
bool stop_worker(void);

bool cmd_send(const struct args *args);
bool cmd_recv(const struct args *args);
bool cmd_ask(const struct args *args);
bool cmd_exchange(const struct args *args);
bool cmd_echo(const struct args *args);
bool cmd_follow(const struct args *args);
bool cmd_put(const struct args *args);
bool cmd_get(const struct args *args);
bool cmd_poll(const struct args *args);
bool cmd_monitor(const struct args *args);
bool cmd_event(const struct args *args);
bool cmd_noevent(const struct args *args);
bool cmd_events(const struct args *args);
bool cmd_proxy(const struct args *args);
bool cmd_serve(const struct args *args);

#endif
