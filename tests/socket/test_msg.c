/* SPDX-License-Identifier: MPL-2.0 */
/* Message objects: kinds, copies, moves, ownership of user data, properties, metadata. */
#include "support/test_support.h"
#include "support/transports.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>

/* Around the limit of what fits into the object itself (33 bytes) and beyond. */
static const size_t sizes[] = {0, 1, 29, 32, 33, 34, 64, 255, 256, 4096, 65536, 1 << 20};

static void check(zmq_msg_t *message, size_t size, uint32_t seed)
{
    ts_value((long long)zmq_msg_size(message), (long long)size);
    ts_check(ts_pattern_ok(zmq_msg_data(message), size, seed));
    ts_value(zmq_msg_more(message), 0);
}

static void make(zmq_msg_t *message, size_t size, uint32_t seed)
{
    ts_value(zmq_msg_init_size(message, size), 0);
    ts_value((long long)zmq_msg_size(message), (long long)size);
    ts_pattern(zmq_msg_data(message), size, seed);
}

static void object_is_64_bytes(void **state)
{
    (void)state;
    assert_int_equal(sizeof(zmq_msg_t), 64);
}

static void empty_message(void **state)
{
    (void)state;
    zmq_msg_t message;
    ts_value(zmq_msg_init(&message), 0);
    ts_value((long long)zmq_msg_size(&message), 0);
    ts_value(zmq_msg_more(&message), 0);
    ts_value(zmq_msg_get(&message, ZMQ_MORE), 0);
    ts_value(zmq_msg_get(&message, ZMQ_SHARED), 0);
    ts_value(zmq_msg_close(&message), 0);
}

static void closed_messages_are_refused(void **state)
{
    (void)state;
    zmq_msg_t closed, good;
    make(&closed, 100, 1);
    make(&good, 100, 2);
    ts_value(zmq_msg_close(&closed), 0);
    ts_error(zmq_msg_close(&closed), EFAULT);
    ts_error(zmq_msg_move(&good, &closed), EFAULT);
    ts_error(zmq_msg_copy(&good, &closed), EFAULT);
    ts_value(zmq_msg_close(&good), 0);
}

static void impossible_sizes(void **state)
{
    (void)state;
    zmq_msg_t message;
    ts_error(zmq_msg_init_size(&message, SIZE_MAX), ENOMEM);
    ts_error(zmq_msg_init_size(&message, SIZE_MAX - 10), ENOMEM);
}

static void moving(void **state)
{
    (void)state;
    for (size_t i = 0; i < TS_COUNT(sizes); ++i) {
        zmq_msg_t from, to;
        make(&from, sizes[i], 1);
        make(&to, 50, 2);
        ts_value(zmq_msg_move(&to, &from), 0);
        check(&to, sizes[i], 1);
        ts_value((long long)zmq_msg_size(&from), 0);
        ts_value(zmq_msg_close(&from), 0);
        check(&to, sizes[i], 1);
        ts_value(zmq_msg_close(&to), 0);
    }
}

/* Long contents are shared by copies, short ones are not. */
static void copying(void **state)
{
    (void)state;
    for (size_t i = 0; i < TS_COUNT(sizes); ++i) {
        zmq_msg_t original, first, second;
        make(&original, sizes[i], 1);
        make(&first, 70, 2);
        ts_value(zmq_msg_init(&second), 0);
        ts_value(zmq_msg_get(&original, ZMQ_SHARED), 0);
        ts_value(zmq_msg_copy(&first, &original), 0);
        ts_value(zmq_msg_copy(&second, &first), 0);
        check(&original, sizes[i], 1);
        check(&first, sizes[i], 1);
        check(&second, sizes[i], 1);
        ts_value(zmq_msg_get(&original, ZMQ_SHARED), sizes[i] > 33);
        ts_value(zmq_msg_get(&first, ZMQ_SHARED), sizes[i] > 33);
        if (sizes[i] > 33)
            ts_check(zmq_msg_data(&first) == zmq_msg_data(&original));
        else if (sizes[i] > 0)
            ts_check(zmq_msg_data(&first) != zmq_msg_data(&original));
        ts_value(zmq_msg_close(&original), 0);
        check(&first, sizes[i], 1);
        ts_value(zmq_msg_close(&first), 0);
        check(&second, sizes[i], 1);
        ts_value(zmq_msg_close(&second), 0);
    }
}

static void properties(void **state)
{
    (void)state;
    zmq_msg_t message;
    make(&message, 10, 1);
    ts_error(zmq_msg_get(&message, 99), EINVAL);
    ts_error(zmq_msg_get(&message, -1), EINVAL);
    ts_error(zmq_msg_set(&message, ZMQ_MORE, 1), EINVAL);
    ts_error(zmq_msg_set(&message, 99, 1), EINVAL);
    errno = 0;
    ts_check(zmq_msg_gets(&message, "Socket-Type") == NULL);
    ts_value(zmq_errno(), EINVAL);
    ts_value(zmq_msg_close(&message), 0);
}

/* ---- data of the user's ----------------------------------------------------------------- */

struct owned {
    atomic_int freed;
    char data[70000];
};

static void count_free(void *data, void *hint)
{
    struct owned *owned = hint;
    ts_check(data == owned->data);
    atomic_fetch_add(&owned->freed, 1);
}

static void wait_freed(struct owned *owned)
{
    int64_t deadline = ts_now_ms() + TS_TIMEOUT_MS;
    while (atomic_load(&owned->freed) == 0)
        ts_check(ts_now_ms() < deadline);
}

static void user_data_is_freed_once(void **state)
{
    (void)state;
    static const size_t owned_sizes[] = {0, 1, 33, 34, 8192, 70000};
    for (size_t i = 0; i < TS_COUNT(owned_sizes); ++i) {
        struct owned *owned = calloc(1, sizeof *owned);
        zmq_msg_t message, copy, moved;
        ts_value(zmq_msg_init_data(&message, owned->data, owned_sizes[i], count_free, owned), 0);
        ts_check(owned_sizes[i] == 0 || zmq_msg_data(&message) == owned->data);
        ts_value((long long)zmq_msg_size(&message), (long long)owned_sizes[i]);
        ts_value(zmq_msg_init(&copy), 0);
        ts_value(zmq_msg_init(&moved), 0);
        ts_value(zmq_msg_copy(&copy, &message), 0);
        ts_value(zmq_msg_move(&moved, &message), 0);
        ts_value(zmq_msg_close(&message), 0);
        ts_value(zmq_msg_close(&copy), 0);
        ts_value(atomic_load(&owned->freed), 0);
        ts_value(zmq_msg_close(&moved), 0);
        ts_value(atomic_load(&owned->freed), 1);
        free(owned);
    }
}

enum path {
    RECEIVED,      /* sent and received */
    RECEIVER_GONE, /* sent, never received: the receiver closes */
    SENDER_CLOSED, /* never sent out: nobody there, the sender closes */
    REFUSED,       /* send fails, the caller closes */
    DROPPED,       /* published, nobody subscribed */
    OVERWRITTEN,   /* received into, before it was sent */
    PATHS
};

static void walk(enum path path, struct owned *owned, size_t size, const char *transport)
{
    char endpoint[TS_ENDPOINT_MAX];
    zmq_msg_t message, received;
    void *context = ts_context();
    void *push = ts_socket(context, path == DROPPED ? ZMQ_PUB : ZMQ_PUSH);
    void *pull = ts_socket(context, ZMQ_PULL);
    ts_value(zmq_msg_init_data(&message, owned->data, size, count_free, owned), 0);
    ts_value(zmq_msg_init(&received), 0);
    if (path == RECEIVED || path == RECEIVER_GONE || path == OVERWRITTEN)
        ts_connect_pair(context, pull, push, transport);
    else
        ts_bind(push, transport, endpoint);
    if (path == SENDER_CLOSED)
        ts_ok(zmq_connect(push, strcmp(transport, "inproc") == 0 ? "inproc://nobody"
                                                                 : "ipc:///tmp/nobody"));
    if (path == OVERWRITTEN) {
        ts_send(push, "x", 0);
        ts_value(zmq_msg_recv(&message, pull, 0), 1);
        ts_value(atomic_load(&owned->freed), 1);
    } else if (path == REFUSED)
        ts_error(zmq_msg_send(&message, push, ZMQ_DONTWAIT), EAGAIN);
    else
        ts_value(zmq_msg_send(&message, push, 0), (long long)size);
    if (path == RECEIVED)
        ts_value(zmq_msg_recv(&received, pull, 0), (long long)size);
    else if (path == RECEIVER_GONE)
        ts_wait_readable(pull);
    if (path == REFUSED)
        ts_value(atomic_load(&owned->freed), 0);
    ts_value(zmq_msg_close(&message), 0);
    ts_value(zmq_msg_close(&received), 0);
    ts_close(pull);
    ts_close(push);
    ts_terminate(context);
}

static void user_data_is_freed_once_on_every_path(void **state)
{
    static const size_t path_sizes[] = {1, 100, 9000, 70000};
    for (enum path path = 0; path < PATHS; ++path)
        for (size_t i = 0; i < TS_COUNT(path_sizes); ++i) {
            struct owned *owned = calloc(1, sizeof *owned);
            walk(path, owned, path_sizes[i], *state);
            wait_freed(owned);
            ts_value(atomic_load(&owned->freed), 1);
            free(owned);
        }
}

/* Without a free function the data counts as constant: never freed, always "shared". */
static void constant_data(void **state)
{
    static const char text[] = "this text is constant and longer than what fits into the object";
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH), *pull = ts_socket(context, ZMQ_PULL);
    zmq_msg_t message, copy;
    ts_connect_pair(context, pull, push, *state);
    ts_value(zmq_msg_init_data(&message, (void *)(uintptr_t)text, sizeof text, NULL, NULL), 0);
    ts_value(zmq_msg_get(&message, ZMQ_SHARED), 1);
    ts_check(zmq_msg_data(&message) == text);
    ts_value(zmq_msg_init(&copy), 0);
    ts_value(zmq_msg_copy(&copy, &message), 0);
    ts_check(zmq_msg_data(&copy) == text);
    ts_value(zmq_msg_send(&message, push, 0), sizeof text);
    ts_recv_bytes(pull, text, sizeof text, false);
    ts_value(zmq_msg_close(&copy), 0);
    ts_value(zmq_send_const(push, text, sizeof text, ZMQ_SNDMORE), sizeof text);
    ts_value(zmq_send_const(push, "", 0, 0), 0);
    ts_recv_bytes(pull, text, sizeof text, true);
    ts_recv_bytes(pull, "", 0, false);
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
}

/* ---- sending and receiving -------------------------------------------------------------- */

/* A message sent on becomes empty; what was received may be sent again, flags start anew. */
static void received_messages_can_be_passed_on(void **state)
{
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH), *pull = ts_socket(context, ZMQ_PULL);
    zmq_msg_t message;
    ts_connect_pair(context, pull, push, *state);
    for (size_t i = 0; i < TS_COUNT(sizes); ++i) {
        make(&message, sizes[i], 3);
        ts_value(zmq_msg_send(&message, push, ZMQ_SNDMORE), (long long)sizes[i]);
        ts_value((long long)zmq_msg_size(&message), 0);
        ts_send(push, "last", 0);
        ts_value(zmq_msg_recv(&message, pull, 0), (long long)sizes[i]);
        ts_value(zmq_msg_more(&message), 1);
        ts_value(zmq_msg_get(&message, ZMQ_MORE), 1);
        ts_recv(pull, "last");
        ts_value(zmq_msg_send(&message, push, 0), (long long)sizes[i]);
        ts_value(zmq_msg_recv(&message, pull, 0), (long long)sizes[i]);
        check(&message, sizes[i], 3);
        ts_value(zmq_msg_close(&message), 0);
    }
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
}

/* zmq_recv tells the whole size and cuts the content to the buffer. */
static void receiving_into_a_short_buffer(void **state)
{
    char buffer[16];
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH), *pull = ts_socket(context, ZMQ_PULL);
    ts_connect_pair(context, pull, push, *state);
    ts_send_parts(push, "0123456789abcdefghijklmnopqrstuvwxyz and some more", "0123456789", "x");
    memset(buffer, '#', sizeof buffer);
    ts_value(zmq_recv(pull, buffer, 5, 0), 50);
    assert_memory_equal(buffer, "01234####", 9);
    ts_value(ts_more(pull), 1);
    ts_value(zmq_recv(pull, NULL, 0, 0), 10);
    ts_recv(pull, "x");
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
}

static void metadata_of_received_messages(void **state)
{
    struct peer {
        int type;
        const char *name, *identity;
    };
    static const struct peer peers[] = {{ZMQ_DEALER, "DEALER", "me"}, {ZMQ_REQ, "REQ", ""}};
    for (size_t i = 0; i < TS_COUNT(peers); ++i) {
        void *context = ts_context();
        void *router = ts_socket(context, ZMQ_ROUTER), *peer = ts_socket(context, peers[i].type);
        zmq_msg_t message;
        if (*peers[i].identity)
            ts_set_text(peer, ZMQ_ROUTING_ID, peers[i].identity);
        ts_connect_pair(context, router, peer, *state);
        ts_send_parts(peer, "one", "two");
        ts_value(zmq_msg_init(&message), 0);
        do { /* the id and every part carry it */
            ts_ok(zmq_msg_recv(&message, router, 0));
            assert_string_equal(zmq_msg_gets(&message, "Socket-Type"), peers[i].name);
            assert_string_equal(zmq_msg_gets(&message, "Identity"), peers[i].identity);
            const char *address = zmq_msg_gets(&message, "Peer-Address");
            if (ts_has_ports(*state))
                assert_string_equal(address, "127.0.0.1");
            ts_check(zmq_msg_gets(&message, "socket-type") == NULL);
            ts_check(zmq_msg_gets(&message, "User-Id") == NULL);
            ts_value(zmq_errno(), EINVAL);
            int type = 0, fd = zmq_msg_get(&message, ZMQ_SRCFD);
            ts_ok(getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &(socklen_t){sizeof type}));
            ts_value(type, SOCK_STREAM);
        } while (zmq_msg_more(&message));
        ts_value(zmq_msg_close(&message), 0);
        ts_close(peer);
        ts_close(router);
        ts_terminate(context);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(object_is_64_bytes),
        cmocka_unit_test(empty_message),
        cmocka_unit_test(closed_messages_are_refused),
        cmocka_unit_test(impossible_sizes),
        cmocka_unit_test(moving),
        cmocka_unit_test(copying),
        cmocka_unit_test(properties),
        cmocka_unit_test(user_data_is_freed_once),
        TS_ON_ALL(user_data_is_freed_once_on_every_path),
        TS_ON_ALL(constant_data),
        TS_ON_ALL(received_messages_can_be_passed_on),
        TS_ON_ALL(receiving_into_a_short_buffer),
        TS_ON_CONNECTIONS(metadata_of_received_messages),
    };
    return TS_RUN(tests);
}
