/* SPDX-License-Identifier: MPL-2.0 */
/* A ZeroMQ program under remote control, for tests between processes and between libraries.
 *
 *     interop_peer LIBRARY COMMAND... [-]
 *
 * LIBRARY is the libzmq to run on; each COMMAND is one argument; "-" reads further commands from
 * the standard input, one a line. Each command prints one line: "OK", perhaps with a result, or
 * "FAIL" with the reason, which also goes to stderr and ends the program with status 1.
 *
 * S is the name of a socket, FRAMES a comma-separated list of byte strings (see peer.h); results
 * that are frames are printed in hexadecimal. FLOW stands for these, all optional:
 *     stream=N first=N count=N    which messages; the stream number tells senders apart
 *     shapes=SIZE[+SIZE...],...   how they are cut into parts, in turn
 *     head=FRAMES                 frames before each; "head=@" is the head received last
 *     topic=BYTES                 prefix of each first part
 *
 *     version                     the library's version
 *     socket S TYPE [OPTION=VALUE...]
 *     set S OPTION=VALUE...
 *     bind S ENDPOINT             the result is the resolved endpoint
 *     connect | unbind | disconnect S ENDPOINT
 *     send S FLOW
 *     recv S FLOW [skip=BYTES]    exactly these, in order, ignoring messages that begin so
 *     follow S FLOW [until=STREAM:SEQUENCE] [skip=BYTES]
 *                                 whatever comes, up to that message or as many as the count
 *                                 says: each must be whole and in order within its stream;
 *                                 the result counts messages, gaps and what is missing there
 *     ask S FLOW [window=N]       send each and get it back; at most N under way
 *     exchange S FLOW in=STREAM   send all and receive as many of the stream, both at once
 *     echo S count=N              send N messages back as they came
 *     put S FRAMES                send one message
 *     get S [MILLISECONDS]        receive one; with a limit the result may be "nothing"
 *     poll S                      which of IN and OUT zmq_poll reports at once
 *     monitor S                   start monitoring
 *     event S NAME                wait for such an event; the result is its value
 *     noevent S NAME MILLISECONDS fail if such an event comes within that time
 *     events S                    the events reported so far, without waiting
 *     serve S                     echo without end, on a thread of its own
 *     proxy S S [S]               run zmq_proxy on them, on a thread of its own
 *     refused ERRNO COMMAND       the command must fail with this error number
 *     until ERRNO COMMAND         repeat the command until it fails with this error number
 *     close S
 *     term                        close all, terminate (the linger periods apply) and exit
 *     quit                        the same after setting all linger periods to 0
 */
#include "peer.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "peer_options.h"

enum { MAX_SOCKETS = 16, MAX_ARGS = 64, MAX_STREAMS = 16 };
enum { CALL_TIMEOUT_MS = 20000, LIFETIME_S = 110 };

struct sock {
    const char *name;
    void *handle; /* NULL: free entry */
    void *monitor;
    struct frames last_head;
};

struct args {
    int count;
    char *list[MAX_ARGS];
};

struct peer_zmq lib;
static void *context;
static struct sock sockets[MAX_SOCKETS];
static bool quiet; /* a command runs inside another one, which will print the result */
static _Thread_local char reason[512];
static _Thread_local int reason_errno;

/* The thread of the serve and proxy commands. It owns these sockets once it runs. */
static struct {
    pthread_t thread;
    bool running;
    void *front, *back, *capture;
    int error; /* why it ended */
} worker;

bool fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    reason_errno = 0;
    return false;
}

bool fail_zmq(const char *what)
{
    int error = lib.zmq_errno();
    fail("%s: %s", what, error == EAGAIN ? "timed out" : lib.zmq_strerror(error));
    reason_errno = error;
    return false;
}

static bool ok(const char *format, ...) __attribute__((format(printf, 1, 2)));

static bool ok(const char *format, ...)
{
    va_list args;
    if (quiet)
        return true;
    va_start(args, format);
    fputs("OK ", stdout);
    vprintf(format, args);
    putchar('\n');
    va_end(args);
    return true;
}

static bool done(void)
{
    if (!quiet)
        puts("OK");
    return true;
}

/* Arguments */

static const char *arg_value(const struct args *args, const char *name, const char *otherwise)
{
    size_t length = strlen(name);
    for (int i = 1; i < args->count; i++)
        if (strncmp(args->list[i], name, length) == 0 && args->list[i][length] == '=')
            return args->list[i] + length + 1;
    return otherwise;
}

static uint32_t arg_number(const struct args *args, const char *name, const char *otherwise)
{
    return (uint32_t)strtoul(arg_value(args, name, otherwise), NULL, 10);
}

static const char *arg_at(const struct args *args, int index)
{
    return index < args->count ? args->list[index] : "";
}

static struct sock *find_socket(const char *name)
{
    for (int i = 0; i < MAX_SOCKETS; i++)
        if (sockets[i].handle && strcmp(sockets[i].name, name) == 0)
            return &sockets[i];
    fail("no socket %s", name);
    return NULL;
}

static bool parse_flow(struct flow *flow, const struct args *args, const struct sock *sock)
{
    const char *head = arg_value(args, "head", NULL);
    *flow = (struct flow){.stream = arg_number(args, "stream", "1"),
                          .first = arg_number(args, "first", "0"),
                          .count = arg_number(args, "count", "1")};
    if (!shapes_parse(&flow->shapes, arg_value(args, "shapes", "16")))
        return fail("bad shapes");
    if (head && strcmp(head, "@") == 0)
        flow->head = sock->last_head;
    else if (head && !frames_parse(&flow->head, head))
        return false;
    return bytes_parse(&flow->topic, arg_value(args, "topic", "-"));
}

/* Sockets */

static bool set_option(void *socket, const char *name, const char *value)
{
    const struct option_name *option = find_option(name);
    int number = atoi(value);
    int64_t wide = strtoll(value, NULL, 10);
    struct bytes bytes;
    int rc = -1;
    if (!option)
        return fail("no option %s", name);
    switch (option->kind) {
    case OPTION_INT:
        rc = lib.zmq_setsockopt(socket, option->option, &number, sizeof number);
        break;
    case OPTION_INT64:
        rc = lib.zmq_setsockopt(socket, option->option, &wide, sizeof wide);
        break;
    case OPTION_BYTES:
        if (!bytes_parse(&bytes, value))
            return false;
        rc = lib.zmq_setsockopt(socket, option->option, bytes.data, bytes.size);
        break;
    }
    return rc == 0 || fail_zmq(name);
}

static bool set_options(void *socket, const struct args *args, int from)
{
    for (int i = from; i < args->count; i++) {
        char *equals = strchr(args->list[i], '=');
        if (!equals)
            return fail("OPTION=VALUE expected, not %s", args->list[i]);
        *equals = '\0';
        if (!set_option(socket, args->list[i], equals + 1))
            return false;
    }
    return true;
}

static bool set_timeouts(void *socket)
{
    int ms = CALL_TIMEOUT_MS;
    return (lib.zmq_setsockopt(socket, ZMQ_RCVTIMEO, &ms, sizeof ms) == 0 &&
            lib.zmq_setsockopt(socket, ZMQ_SNDTIMEO, &ms, sizeof ms) == 0) ||
           fail_zmq("timeouts");
}

static bool cmd_socket(const struct args *args)
{
    struct sock *sock = sockets;
    int type = find_socket_type(arg_at(args, 2));
    while (sock < sockets + MAX_SOCKETS && sock->handle)
        sock++;
    if (type < 0 || sock == sockets + MAX_SOCKETS)
        return fail("no socket type %s, or too many sockets", arg_at(args, 2));
    void *handle = lib.zmq_socket(context, type);
    if (!handle)
        return fail_zmq("zmq_socket");
    *sock = (struct sock){.name = strdup(arg_at(args, 1)), .handle = handle};
    return set_timeouts(handle) && set_options(handle, args, 3) && done();
}

static bool cmd_set(const struct args *args)
{
    struct sock *sock = find_socket(arg_at(args, 1));
    return sock && set_options(sock->handle, args, 2) && done();
}

static bool cmd_bind(const struct args *args)
{
    struct sock *sock = find_socket(arg_at(args, 1));
    char endpoint[256];
    size_t size = sizeof endpoint;
    if (!sock)
        return false;
    if (lib.zmq_bind(sock->handle, arg_at(args, 2)) != 0)
        return fail_zmq("zmq_bind");
    if (lib.zmq_getsockopt(sock->handle, ZMQ_LAST_ENDPOINT, endpoint, &size) != 0)
        return fail_zmq("zmq_getsockopt(ZMQ_LAST_ENDPOINT)");
    return ok("%s", endpoint);
}

static bool cmd_connect(const struct args *args)
{
    struct sock *sock = find_socket(arg_at(args, 1));
    if (sock && lib.zmq_connect(sock->handle, arg_at(args, 2)) != 0)
        return fail_zmq("zmq_connect");
    return sock && done();
}

static bool cmd_unbind(const struct args *args)
{
    struct sock *sock = find_socket(arg_at(args, 1));
    if (sock && lib.zmq_unbind(sock->handle, arg_at(args, 2)) != 0)
        return fail_zmq("zmq_unbind");
    return sock && done();
}

static bool cmd_disconnect(const struct args *args)
{
    struct sock *sock = find_socket(arg_at(args, 1));
    if (sock && lib.zmq_disconnect(sock->handle, arg_at(args, 2)) != 0)
        return fail_zmq("zmq_disconnect");
    return sock && done();
}

static bool close_socket(struct sock *sock)
{
    void *handle = sock->handle;
    sock->handle = NULL;
    /* The monitor's end first: the library must cope with either order, and this one is rarer. */
    if (sock->monitor && lib.zmq_close(sock->monitor) != 0)
        return fail_zmq("zmq_close of a monitor");
    return lib.zmq_close(handle) == 0 || fail_zmq("zmq_close");
}

static bool cmd_close(const struct args *args)
{
    struct sock *sock = find_socket(arg_at(args, 1));
    return sock && close_socket(sock) && done();
}

/* Messages */

static void remember_head(struct sock *sock, const struct flow *flow, struct message *message)
{
    sock->last_head.count = flow->head.count;
    for (size_t i = 0; i < flow->head.count; i++) {
        struct bytes *bytes = &sock->last_head.list[i];
        size_t size = lib.zmq_msg_size(&message->parts[i]);
        bytes->any = false;
        bytes->size = size < sizeof bytes->data ? size : sizeof bytes->data;
        memcpy(bytes->data, lib.zmq_msg_data(&message->parts[i]), bytes->size);
    }
}

static bool begins_with(struct message *message, const struct bytes *prefix)
{
    return prefix->size > 0 && lib.zmq_msg_size(&message->parts[0]) >= prefix->size &&
           memcmp(lib.zmq_msg_data(&message->parts[0]), prefix->data, prefix->size) == 0;
}

/* Receives one message that is not to be skipped. */
static bool recv_wanted(struct sock *sock, const struct bytes *skip, struct message *message,
                        size_t largest)
{
    for (;;) {
        if (!message_recv(sock->handle, message, largest))
            return false;
        if (!begins_with(message, skip))
            return true;
        message_close(message);
    }
}

static bool recv_one(struct sock *sock, const struct flow *flow, uint32_t sequence,
                     const struct bytes *skip)
{
    struct message message;
    if (!recv_wanted(sock, skip, &message, flow_largest_part(flow) + skip->size))
        return false;
    bool right = flow_check(flow, &message, sequence);
    if (right)
        remember_head(sock, flow, &message);
    message_close(&message);
    return right;
}

static bool cmd_send(const struct args *args)
{
    struct sock *sock = find_socket(arg_at(args, 1));
    struct flow flow;
    if (!sock || !parse_flow(&flow, args, sock))
        return false;
    for (uint32_t i = 0; i < flow.count; i++)
        if (!flow_send(sock->handle, &flow, flow.first + i))
            return false;
    return done();
}

static bool cmd_recv(const struct args *args)
{
    struct sock *sock = find_socket(arg_at(args, 1));
    struct flow flow;
    struct bytes skip;
    if (!sock || !parse_flow(&flow, args, sock) ||
        !bytes_parse(&skip, arg_value(args, "skip", "-")))
        return false;
    for (uint32_t i = 0; i < flow.count; i++)
        if (!recv_one(sock, &flow, flow.first + i, &skip))
            return false;
    return done();
}

static bool cmd_ask(const struct args *args)
{
    struct sock *sock = find_socket(arg_at(args, 1));
    uint32_t window = arg_number(args, "window", "1");
    struct bytes nothing = {.size = 0};
    struct flow flow;
    if (!sock || !parse_flow(&flow, args, sock))
        return false;
    for (uint32_t sent = 0, got = 0; got < flow.count;) {
        bool send = sent < flow.count && sent - got < window;
        bool right = send ? flow_send(sock->handle, &flow, flow.first + sent++)
                          : recv_one(sock, &flow, flow.first + got++, &nothing);
        if (!right)
            return false;
    }
    return done();
}

static bool poll_socket(void *socket, short wanted, long timeout, short *got)
{
    zmq_pollitem_t item = {.socket = socket, .events = wanted};
    int rc;
    do
        rc = lib.zmq_poll(&item, 1, timeout);
    while (rc < 0 && lib.zmq_errno() == EINTR);
    *got = item.revents;
    return rc >= 0 || fail_zmq("zmq_poll");
}

static bool cmd_exchange(const struct args *args)
{
    struct sock *sock = find_socket(arg_at(args, 1));
    struct bytes nothing = {.size = 0};
    struct flow out, in;
    if (!sock || !parse_flow(&out, args, sock))
        return false;
    in = out;
    in.stream = arg_number(args, "in", "0");
    for (uint32_t sent = 0, got = 0; sent < out.count || got < in.count;) {
        short ready, wanted = (short)((sent < out.count ? ZMQ_POLLOUT : 0) |
                                      (got < in.count ? ZMQ_POLLIN : 0));
        if (!poll_socket(sock->handle, wanted, CALL_TIMEOUT_MS, &ready))
            return false;
        if (ready == 0)
            return fail("zmq_poll: timed out with %u sent and %u received", sent, got);
        if ((ready & ZMQ_POLLIN) && !recv_one(sock, &in, in.first + got++, &nothing))
            return false;
        if ((ready & ZMQ_POLLOUT) && !flow_send(sock->handle, &out, out.first + sent++))
            return false;
    }
    return done();
}

static bool cmd_echo(const struct args *args)
{
    struct sock *sock = find_socket(arg_at(args, 1));
    uint32_t count = arg_number(args, "count", "1");
    struct message message;
    for (uint32_t i = 0; sock && i < count; i++)
        if (!message_recv(sock->handle, &message, 0) || !message_send(sock->handle, &message))
            return false;
    return sock && done();
}

/* What the follow command knows of one stream. */
struct stream {
    uint32_t number;
    uint32_t next;
};

struct followed {
    struct stream streams[MAX_STREAMS];
    size_t stream_count;
    uint32_t received, gaps, missing;
};

static struct stream *find_stream(struct followed *followed, uint32_t number)
{
    for (size_t i = 0; i < followed->stream_count; i++)
        if (followed->streams[i].number == number)
            return &followed->streams[i];
    if (followed->stream_count == MAX_STREAMS) {
        fail("too many streams");
        return NULL;
    }
    struct stream *stream = &followed->streams[followed->stream_count++];
    *stream = (struct stream){.number = number};
    return stream;
}

static bool account(struct followed *followed, struct content content)
{
    struct stream *stream = find_stream(followed, content.stream);
    if (!stream)
        return false;
    if (content.sequence < stream->next)
        return fail("message %u:%u comes again or late: %u was due", content.stream,
                    content.sequence, stream->next);
    followed->received++;
    followed->gaps += content.sequence > stream->next;
    followed->missing += content.sequence - stream->next;
    stream->next = content.sequence + 1;
    return true;
}

static bool follow_one(struct sock *sock, struct flow *flow, const struct bytes *skip,
                       struct followed *followed, struct content *content)
{
    struct message message;
    if (!recv_wanted(sock, skip, &message, 0))
        return false;
    bool right = flow_tag(flow, &message, content);
    flow->stream = content->stream;
    right = right && flow_check(flow, &message, content->sequence) && account(followed, *content);
    message_close(&message);
    return right;
}

static bool parse_until(const struct args *args, bool *given, struct content *last)
{
    const char *text = arg_value(args, "until", NULL);
    *given = text != NULL;
    return !text || sscanf(text, "%" SCNu32 ":%" SCNu32, &last->stream, &last->sequence) == 2 ||
           fail("until=STREAM:SEQUENCE expected");
}

static bool cmd_follow(const struct args *args)
{
    struct sock *sock = find_socket(arg_at(args, 1));
    struct followed followed = {.stream_count = 0};
    struct content content = {.stream = 0}, last = {.stream = 0};
    struct flow flow;
    struct bytes skip;
    bool has_last, is_last = false;
    if (!sock || !parse_flow(&flow, args, sock) || !parse_until(args, &has_last, &last) ||
        !bytes_parse(&skip, arg_value(args, "skip", "-")))
        return false;
    while (has_last ? !is_last : followed.received < flow.count) {
        if (!follow_one(sock, &flow, &skip, &followed, &content))
            return false;
        is_last = content.stream == last.stream && content.sequence == last.sequence;
    }
    return ok("received=%u gaps=%u missing=%u", followed.received, followed.gaps, followed.missing);
}

static bool cmd_put(const struct args *args)
{
    struct sock *sock = find_socket(arg_at(args, 1));
    struct frames frames;
    if (!sock || !frames_parse(&frames, arg_at(args, 2)))
        return false;
    for (size_t i = 0; i < frames.count; i++)
        if (!part_send(sock->handle, frames.list[i].data, frames.list[i].size, i + 1 < frames.count,
                       0))
            return false;
    return done();
}

static void print_frame(zmq_msg_t *part)
{
    const unsigned char *data = lib.zmq_msg_data(part);
    size_t size = lib.zmq_msg_size(part);
    if (size == 0)
        putchar('-');
    for (size_t i = 0; i < size; i++)
        printf(i == 0 ? "x%02x" : "%02x", data[i]);
}

static bool cmd_get(const struct args *args)
{
    struct sock *sock = find_socket(arg_at(args, 1));
    long limit = args->count > 2 ? atol(args->list[2]) : -1;
    short ready = ZMQ_POLLIN;
    struct message message;
    if (!sock || (limit >= 0 && !poll_socket(sock->handle, ZMQ_POLLIN, limit, &ready)))
        return false;
    if (ready == 0)
        return ok("nothing");
    if (!message_recv(sock->handle, &message, 0))
        return false;
    for (size_t i = 0; i < message.count; i++) {
        fputs(i == 0 ? "OK " : ",", stdout);
        print_frame(&message.parts[i]);
    }
    putchar('\n');
    message_close(&message);
    return true;
}

static bool cmd_poll(const struct args *args)
{
    struct sock *sock = find_socket(arg_at(args, 1));
    short ready;
    if (!sock || !poll_socket(sock->handle, ZMQ_POLLIN | ZMQ_POLLOUT, 0, &ready))
        return false;
    return ok("%s%s", ready & ZMQ_POLLIN ? "IN" : "", ready & ZMQ_POLLOUT ? "OUT" : "");
}

/* Monitoring */

static bool cmd_monitor(const struct args *args)
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

static bool cmd_event(const struct args *args)
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

static long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool cmd_noevent(const struct args *args)
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

static bool cmd_events(const struct args *args)
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

/* Work on a thread of its own, ended by the end of the context */

static void *run_proxy(void *unused)
{
    (void)unused;
    do
        lib.zmq_proxy(worker.front, worker.back, worker.capture);
    while (lib.zmq_errno() == EINTR);
    worker.error = lib.zmq_errno();
    lib.zmq_close(worker.front);
    lib.zmq_close(worker.back);
    if (worker.capture)
        lib.zmq_close(worker.capture);
    return NULL;
}

static void *run_echo(void *unused)
{
    struct message message;
    (void)unused;
    while (message_recv(worker.front, &message, 0) && message_send(worker.front, &message))
        ;
    worker.error = reason_errno;
    lib.zmq_close(worker.front);
    return NULL;
}

/* Takes the socket out of the table: it belongs to the worker from now on. */
static bool lend_to_worker(const char *name, void **handle)
{
    struct sock *sock = find_socket(name);
    int forever = -1, linger = 0;
    if (!sock)
        return false;
    *handle = sock->handle;
    sock->handle = NULL;
    return (lib.zmq_setsockopt(*handle, ZMQ_RCVTIMEO, &forever, sizeof forever) == 0 &&
            lib.zmq_setsockopt(*handle, ZMQ_SNDTIMEO, &forever, sizeof forever) == 0 &&
            lib.zmq_setsockopt(*handle, ZMQ_LINGER, &linger, sizeof linger) == 0) ||
           fail_zmq("socket of the worker");
}

static bool start_worker(void *(*run)(void *))
{
    if (worker.running || pthread_create(&worker.thread, NULL, run, NULL) != 0)
        return fail("no second thread");
    worker.running = true;
    return done();
}

static bool cmd_proxy(const struct args *args)
{
    return lend_to_worker(arg_at(args, 1), &worker.front) &&
           lend_to_worker(arg_at(args, 2), &worker.back) &&
           (args->count < 4 || lend_to_worker(args->list[3], &worker.capture)) &&
           start_worker(run_proxy);
}

static bool cmd_serve(const struct args *args)
{
    return lend_to_worker(arg_at(args, 1), &worker.front) && start_worker(run_echo);
}

static bool stop_worker(void)
{
    if (!worker.running)
        return true;
    if (lib.zmq_ctx_shutdown(context) != 0)
        return fail_zmq("zmq_ctx_shutdown");
    pthread_join(worker.thread, NULL);
    return worker.error == ETERM || fail("serve or proxy: %s", lib.zmq_strerror(worker.error));
}

/* The end */

static bool finish(bool keep_linger)
{
    int zero = 0, rc;
    for (struct sock *sock = sockets; sock < sockets + MAX_SOCKETS; sock++) {
        if (!sock->handle)
            continue;
        if (!keep_linger && lib.zmq_setsockopt(sock->handle, ZMQ_LINGER, &zero, sizeof zero) != 0)
            return fail_zmq("zmq_setsockopt(ZMQ_LINGER)");
        if (!close_socket(sock))
            return false;
    }
    if (!stop_worker())
        return false;
    do
        rc = lib.zmq_ctx_term(context);
    while (rc != 0 && lib.zmq_errno() == EINTR);
    if (rc != 0)
        return fail_zmq("zmq_ctx_term");
    int lent = atomic_load(&buffers_lent);
    return lent == 0 || fail("%d buffers were never given back", lent);
}

_Noreturn static void leave(bool good)
{
    if (good)
        puts("OK");
    else
        printf("FAIL %s\n", reason);
    fflush(stdout);
    if (!good)
        fprintf(stderr, "interop_peer: %s\n", reason);
    exit(good ? EXIT_SUCCESS : EXIT_FAILURE);
}

static bool cmd_quit(const struct args *args)
{
    (void)args;
    leave(finish(false));
}

static bool cmd_term(const struct args *args)
{
    (void)args;
    leave(finish(true));
}

static bool cmd_version(const struct args *args)
{
    int major, minor, patch;
    (void)args;
    lib.zmq_version(&major, &minor, &patch);
    return ok("%d.%d.%d", major, minor, patch);
}

static bool cmd_refused(const struct args *args);

static const struct {
    const char *name;
    bool (*run)(const struct args *args);
} commands[] = {
    {"ask", cmd_ask},
    {"bind", cmd_bind},
    {"close", cmd_close},
    {"connect", cmd_connect},
    {"disconnect", cmd_disconnect},
    {"echo", cmd_echo},
    {"event", cmd_event},
    {"events", cmd_events},
    {"exchange", cmd_exchange},
    {"follow", cmd_follow},
    {"get", cmd_get},
    {"monitor", cmd_monitor},
    {"noevent", cmd_noevent},
    {"poll", cmd_poll},
    {"proxy", cmd_proxy},
    {"put", cmd_put},
    {"quit", cmd_quit},
    {"recv", cmd_recv},
    {"refused", cmd_refused},
    {"send", cmd_send},
    {"serve", cmd_serve},
    {"set", cmd_set},
    {"socket", cmd_socket},
    {"term", cmd_term},
    {"unbind", cmd_unbind},
    {"until", cmd_refused},
    {"version", cmd_version},
};

static bool run_args(const struct args *args)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(commands[i].name, arg_at(args, 0)) == 0)
            return commands[i].run(args);
    return fail("no command %s", arg_at(args, 0));
}

static bool cmd_refused(const struct args *args)
{
    bool until = strcmp(args->list[0], "until") == 0;
    long end = now_ms() + CALL_TIMEOUT_MS;
    if (args->count < 3)
        return fail("no command");
    struct args inner = {.count = args->count - 2};
    memcpy(inner.list, args->list + 2, (size_t)inner.count * sizeof *inner.list);
    quiet = true;
    while (run_args(&inner)) {
        if (!until || now_ms() >= end)
            return fail("not refused");
        usleep(1000); /* whatever will lead to the refusal needs the processor too */
    }
    quiet = false;
    return reason_errno == atoi(args->list[1]) && done();
}

static void run_command(char *text)
{
    struct args args = {.count = 0};
    char *rest = text;
    for (char *word; args.count < MAX_ARGS && (word = strtok_r(rest, " \n", &rest));)
        args.list[args.count++] = word;
    if (args.count > 0 && !run_args(&args))
        leave(false);
    fflush(stdout);
}

static void run_input(void)
{
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stdin) > 0)
        run_command(line);
    free(line);
}

int main(int argc, char **argv)
{
    /* Never outlive the driver, nor a test that hangs. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(LIFETIME_S);
    if (argc < 3) {
        fprintf(stderr, "usage: %s LIBRARY COMMAND... [-]\n", argv[0]);
        return 2;
    }
    if (!peer_zmq_load(&lib, argv[1]))
        return 2;
    context = lib.zmq_ctx_new();
    if (!context)
        return 2;
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "-") == 0)
            run_input();
        else
            run_command(argv[i]);
    }
    return 0;
}
