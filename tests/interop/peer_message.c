/* SPDX-License-Identifier: MPL-2.0 */
/* Messages of the peer program: sending and receiving them by every interface, and telling whether
 * what arrived is what was sent. */
#include "peer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

atomic_int buffers_lent;

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool parse_hex(struct bytes *bytes, const char *text, size_t length)
{
    if (length % 2 != 0 || length / 2 > sizeof bytes->data)
        return fail("bad hexadecimal %s", text);
    for (size_t i = 0; i < length / 2; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return fail("bad hexadecimal %s", text);
        bytes->data[i] = (unsigned char)(high << 4 | low);
    }
    bytes->size = length / 2;
    return true;
}

static bool parse_bytes(struct bytes *bytes, const char *text, size_t length)
{
    *bytes = (struct bytes){.size = 0};
    if (length == 1 && text[0] == '-')
        return true;
    if (length == 1 && text[0] == '*')
        return bytes->any = true;
    if (length > 0 && text[0] == 'x')
        return parse_hex(bytes, text + 1, length - 1);
    if (length > sizeof bytes->data)
        return fail("too long: %s", text);
    memcpy(bytes->data, text, length);
    bytes->size = length;
    return true;
}

bool bytes_parse(struct bytes *bytes, const char *text)
{
    return parse_bytes(bytes, text, strlen(text));
}

bool bytes_match(const struct bytes *bytes, const void *data, size_t size)
{
    return bytes->any || (bytes->size == size && memcmp(bytes->data, data, size) == 0);
}

bool frames_parse(struct frames *frames, const char *text)
{
    for (frames->count = 0;; text++) {
        size_t length = strcspn(text, ",");
        if (frames->count == MAX_HEAD)
            return fail("too many frames");
        if (!parse_bytes(&frames->list[frames->count++], text, length))
            return false;
        text += length;
        if (*text == '\0')
            return true;
    }
}

/* A signal may end any blocking call; the driver stops and continues peers. */
static bool interrupted(void)
{
    return lib.zmq_errno() == EINTR;
}

static bool recv_into_msg(void *socket, zmq_msg_t *msg)
{
    int rc;
    if (lib.zmq_msg_init(msg) != 0)
        return fail_zmq("zmq_msg_init");
    do
        rc = lib.zmq_msg_recv(msg, socket, 0);
    while (rc < 0 && interrupted());
    if (rc >= 0)
        return true;
    fail_zmq("zmq_msg_recv");
    lib.zmq_msg_close(msg);
    return false;
}

static bool recv_into_buffer(void *socket, zmq_msg_t *msg, size_t largest)
{
    unsigned char *buffer = malloc(largest);
    int rc;
    if (!buffer)
        return fail("no memory");
    do
        rc = lib.zmq_recv(socket, buffer, largest, 0);
    while (rc < 0 && interrupted());
    bool ok = rc >= 0 || fail_zmq("zmq_recv");
    if (ok && (size_t)rc > largest)
        ok = fail("a part of %d bytes where at most %zu are expected", rc, largest);
    if (ok && lib.zmq_msg_init_size(msg, (size_t)rc) != 0)
        ok = fail_zmq("zmq_msg_init_size");
    if (ok && rc > 0)
        memcpy(lib.zmq_msg_data(msg), buffer, (size_t)rc);
    free(buffer);
    return ok;
}

static bool more_follows(void *socket, bool *more)
{
    int value;
    size_t size = sizeof value;
    if (lib.zmq_getsockopt(socket, ZMQ_RCVMORE, &value, &size) != 0)
        return fail_zmq("zmq_getsockopt(ZMQ_RCVMORE)");
    *more = value != 0;
    return true;
}

bool message_recv(void *socket, struct message *message, size_t largest)
{
    static unsigned turn;
    bool more = true;
    for (message->count = 0; more;) {
        zmq_msg_t *part = &message->parts[message->count];
        bool plain = largest != 0 && turn++ % 3 == 1;
        bool ok = message->count < MAX_FRAMES || fail("more than %d parts", MAX_FRAMES);
        ok = ok && (plain ? recv_into_buffer(socket, part, largest) : recv_into_msg(socket, part));
        message->count += ok;
        if (!ok || !more_follows(socket, &more)) {
            message_close(message);
            return false;
        }
    }
    return true;
}

void message_close(struct message *message)
{
    while (message->count > 0)
        lib.zmq_msg_close(&message->parts[--message->count]);
}

static bool msg_send(void *socket, zmq_msg_t *msg, bool more)
{
    int rc;
    do
        rc = lib.zmq_msg_send(msg, socket, more ? ZMQ_SNDMORE : 0);
    while (rc < 0 && interrupted());
    if (rc >= 0)
        return true;
    fail_zmq("zmq_msg_send");
    lib.zmq_msg_close(msg);
    return false;
}

bool message_send(void *socket, struct message *message)
{
    for (size_t i = 0; i < message->count; i++) {
        if (msg_send(socket, &message->parts[i], i + 1 < message->count))
            continue;
        while (++i < message->count)
            lib.zmq_msg_close(&message->parts[i]);
        message->count = 0;
        return false;
    }
    message->count = 0;
    return true;
}

static bool send_copy(void *socket, const void *data, size_t size, bool more)
{
    int rc;
    do
        rc = lib.zmq_send(socket, data, size, more ? ZMQ_SNDMORE : 0);
    while (rc < 0 && interrupted());
    if (rc < 0)
        return fail_zmq("zmq_send");
    return (size_t)rc == size || fail("zmq_send returned %d for %zu bytes", rc, size);
}

/* The free function given to zmq_msg_init_data; may run on a thread of the library. */
static void give_back(void *data, void *hint)
{
    atomic_fetch_sub((atomic_int *)hint, 1);
    free(data);
}

static bool send_lent(void *socket, const void *data, size_t size, bool more)
{
    zmq_msg_t msg;
    void *buffer = malloc(size ? size : 1);
    if (!buffer)
        return fail("no memory");
    memcpy(buffer, data, size);
    atomic_fetch_add(&buffers_lent, 1);
    if (lib.zmq_msg_init_data(&msg, buffer, size, give_back, &buffers_lent) == 0)
        return msg_send(socket, &msg, more);
    give_back(buffer, &buffers_lent);
    return fail_zmq("zmq_msg_init_data");
}

bool part_send(void *socket, const void *data, size_t size, bool more, unsigned way)
{
    zmq_msg_t msg;
    if (way == 0)
        return send_copy(socket, data, size, more);
    if (way == 2)
        return send_lent(socket, data, size, more);
    if (lib.zmq_msg_init_size(&msg, size) != 0)
        return fail_zmq("zmq_msg_init_size");
    memcpy(lib.zmq_msg_data(&msg), data, size);
    return msg_send(socket, &msg, more);
}

static bool send_content(void *socket, const struct flow *flow, struct content content,
                         const struct shape *shape)
{
    size_t topic = content.part == 0 ? flow->topic.size : 0;
    size_t size = topic + shape->sizes[content.part];
    unsigned char *data = malloc(size ? size : 1);
    if (!data)
        return fail("no memory");
    memcpy(data, flow->topic.data, topic);
    content_fill(content, data + topic, size - topic);
    bool more = content.part + 1 < shape->parts;
    bool ok = part_send(socket, data, size, more, (content.sequence + content.part) % 3);
    free(data);
    return ok;
}

bool flow_send(void *socket, const struct flow *flow, uint32_t sequence)
{
    const struct shape *shape = shapes_of(&flow->shapes, sequence);
    struct content content = {.stream = flow->stream, .sequence = sequence};
    for (size_t i = 0; i < flow->head.count; i++)
        if (!part_send(socket, flow->head.list[i].data, flow->head.list[i].size, true, 0))
            return false;
    for (; content.part < shape->parts; content.part++)
        if (!send_content(socket, flow, content, shape))
            return false;
    return true;
}

static bool check_content(const struct flow *flow, struct content content, zmq_msg_t *part,
                          size_t expected)
{
    const unsigned char *data = lib.zmq_msg_data(part);
    size_t size = lib.zmq_msg_size(part);
    size_t topic = content.part == 0 ? flow->topic.size : 0;
    if (size != topic + expected)
        return fail("message %u:%u part %u has %zu bytes, not %zu", content.stream,
                    content.sequence, content.part, size, topic + expected);
    if (topic > 0 && memcmp(data, flow->topic.data, topic) != 0)
        return fail("message %u:%u has another topic", content.stream, content.sequence);
    size_t wrong = content_mismatch(content, data + topic, expected);
    return wrong == expected || fail("message %u:%u part %u of %zu bytes: wrong from byte %zu on",
                                     content.stream, content.sequence, content.part, size, wrong);
}

bool flow_check(const struct flow *flow, struct message *message, uint32_t sequence)
{
    const struct shape *shape = shapes_of(&flow->shapes, sequence);
    struct content content = {.stream = flow->stream, .sequence = sequence};
    size_t head = flow->head.count;
    if (message->count != head + shape->parts)
        return fail("message %u:%u has %zu frames, not %zu", flow->stream, sequence, message->count,
                    head + shape->parts);
    for (size_t i = 0; i < head; i++)
        if (!bytes_match(&flow->head.list[i], lib.zmq_msg_data(&message->parts[i]),
                         lib.zmq_msg_size(&message->parts[i])))
            return fail("message %u:%u: head frame %zu differs", flow->stream, sequence, i);
    for (; content.part < shape->parts; content.part++)
        if (!check_content(flow, content, &message->parts[head + content.part],
                           shape->sizes[content.part]))
            return false;
    return true;
}

bool flow_tag(const struct flow *flow, struct message *message, struct content *content)
{
    size_t head = flow->head.count, topic = flow->topic.size;
    if (message->count <= head)
        return fail("a message of %zu frames with a head of %zu", message->count, head);
    zmq_msg_t *part = &message->parts[head];
    const unsigned char *data = lib.zmq_msg_data(part);
    size_t size = lib.zmq_msg_size(part);
    if (size < topic || !content_read_tag(data + topic, size - topic, content))
        return fail("a first part of %zu bytes tells no sequence number", size);
    return true;
}

size_t flow_largest_part(const struct flow *flow)
{
    size_t largest = shapes_largest_part(&flow->shapes) + flow->topic.size;
    for (size_t i = 0; i < flow->head.count; i++)
        if (flow->head.list[i].any || flow->head.list[i].size > largest)
            return largest + sizeof flow->head.list[i].data;
    return largest ? largest : 1;
}
