/* SPDX-License-Identifier: MPL-2.0 */
/* The peer's commands that send and receive. */
#include "peer_commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

bool cmd_send(const struct args *args)
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

bool cmd_recv(const struct args *args)
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

bool cmd_ask(const struct args *args)
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

bool poll_socket(void *socket, short wanted, long timeout, short *got)
{
    zmq_pollitem_t item = {.socket = socket, .events = wanted};
    int rc;
    do
        rc = lib.zmq_poll(&item, 1, timeout);
    while (rc < 0 && lib.zmq_errno() == EINTR);
    *got = item.revents;
    return rc >= 0 || fail_zmq("zmq_poll");
}

bool cmd_exchange(const struct args *args)
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

bool cmd_echo(const struct args *args)
{
    struct sock *sock = find_socket(arg_at(args, 1));
    uint32_t count = arg_number(args, "count", "1");
    struct message message;
    for (uint32_t i = 0; sock && i < count; i++)
        if (!message_recv(sock->handle, &message, 0) || !message_send(sock->handle, &message))
            return false;
    return sock && done();
}

/* What one follow command saw. What it knows of the streams stays with the socket. */
struct followed {
    uint32_t received, gaps, missing;
};

static struct stream *find_stream(struct sock *sock, uint32_t number)
{
    for (size_t i = 0; i < sock->stream_count; i++)
        if (sock->streams[i].number == number)
            return &sock->streams[i];
    if (sock->stream_count == MAX_STREAMS) {
        fail("too many streams");
        return NULL;
    }
    struct stream *stream = &sock->streams[sock->stream_count++];
    *stream = (struct stream){.number = number};
    return stream;
}

static bool account(struct sock *sock, struct followed *followed, struct content content)
{
    struct stream *stream = find_stream(sock, content.stream);
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
    right =
        right && flow_check(flow, &message, content->sequence) && account(sock, followed, *content);
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

bool cmd_follow(const struct args *args)
{
    struct sock *sock = find_socket(arg_at(args, 1));
    struct followed followed = {.received = 0};
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

bool cmd_put(const struct args *args)
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

bool cmd_get(const struct args *args)
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

bool cmd_poll(const struct args *args)
{
    struct sock *sock = find_socket(arg_at(args, 1));
    short ready;
    if (!sock || !poll_socket(sock->handle, ZMQ_POLLIN | ZMQ_POLLOUT, 0, &ready))
        return false;
    return ok("%s%s", ready & ZMQ_POLLIN ? "IN" : "", ready & ZMQ_POLLOUT ? "OUT" : "");
}
