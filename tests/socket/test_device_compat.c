/* SPDX-License-Identifier: MPL-2.0 */
/* Old and undocumented names that bindings still call: sendiov, recviov, zmq_init, zmq_device. */
#include "support/setups.h"
#include "support/test_support.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>

/* Not declared by every version of the header. */
int zmq_sendiov(void *socket, struct iovec *parts, size_t count, int flags);
int zmq_recviov(void *socket, struct iovec *parts, size_t *count, int flags);

static void sending_a_vector(void **state)
{
    struct ts_push_pull pair = ts_open_push_pull(*state);
    struct iovec parts[] = {{"one", 3}, {"", 0}, {"three", 5}};
    ts_value(zmq_sendiov(pair.push, parts, 3, ZMQ_SNDMORE), 5);
    ts_recv_parts(pair.pull, "one", "", "three");
    ts_value(zmq_sendiov(pair.push, parts, 3, 0), 5);
    ts_recv(pair.pull, "one");
    ts_recv(pair.pull, "");
    ts_recv(pair.pull, "three");
    ts_value(zmq_sendiov(pair.push, parts, 1, ZMQ_SNDMORE), 3);
    ts_recv(pair.pull, "one");
    ts_error(zmq_sendiov(pair.push, parts, 0, 0), EINVAL);
    ts_error(zmq_sendiov(pair.push, NULL, 1, 0), EINVAL);
    ts_error(zmq_sendiov(NULL, parts, 3, 0), ENOTSOCK);
    ts_error(zmq_sendiov(pair.pull, parts, 3, 0), ENOTSUP);
    ts_close_push_pull(&pair);
}

static void receiving_a_vector(void **state)
{
    struct ts_push_pull pair = ts_open_push_pull(*state);
    struct iovec parts[5];
    size_t count = 5;
    ts_send_parts(pair.push, "one", "", "three");
    ts_send(pair.push, "next", 0);
    ts_value(zmq_recviov(pair.pull, parts, &count, 0), 3);
    ts_value((long long)count, 3);
    ts_value((long long)parts[0].iov_len, 3);
    assert_memory_equal(parts[0].iov_base, "one", 3);
    ts_value((long long)parts[1].iov_len, 0);
    ts_value((long long)parts[2].iov_len, 5);
    assert_memory_equal(parts[2].iov_base, "three", 5);
    for (int i = 0; i < 3; ++i)
        free(parts[i].iov_base);
    ts_recv(pair.pull, "next");
    /* Fewer places than parts: the rest follows. */
    ts_send_parts(pair.push, "one", "two", "three");
    count = 2;
    ts_value(zmq_recviov(pair.pull, parts, &count, 0), 2);
    ts_value((long long)count, 2);
    for (int i = 0; i < 2; ++i)
        free(parts[i].iov_base);
    ts_recv(pair.pull, "three");
    count = 5;
    ts_error(zmq_recviov(pair.pull, parts, &count, ZMQ_DONTWAIT), EAGAIN);
    ts_value((long long)count, 0);
    ts_error(zmq_recviov(pair.pull, parts, NULL, 0), EINVAL);
    ts_error(zmq_recviov(pair.pull, NULL, &(size_t){3}, 0), EINVAL);
    ts_error(zmq_recviov(pair.pull, parts, &(size_t){0}, 0), EINVAL);
    ts_error(zmq_recviov(NULL, parts, &(size_t){3}, 0), ENOTSOCK);
    ts_close_push_pull(&pair);
}

static void old_names(void **state)
{
    (void)state;
    zmq_msg_t message;
    errno = 0;
    ts_check(zmq_init(-1) == NULL);
    ts_value(zmq_errno(), EINVAL);
    void *context = zmq_init(3);
    ts_check(context != NULL);
    ts_value(zmq_ctx_get(context, ZMQ_IO_THREADS), 3);
    void *a = ts_socket(context, ZMQ_XREQ), *b = ts_socket(context, ZMQ_XREP);
    ts_set_text(a, ZMQ_IDENTITY, "A");
    ts_connect_pair(context, b, a, "tcp");
    ts_value(zmq_msg_init_size(&message, 3), 0);
    memcpy(zmq_msg_data(&message), "old", 3);
    ts_value(zmq_sendmsg(a, &message, ZMQ_NOBLOCK), 3);
    ts_value(zmq_recvmsg(b, &message, 0), 1);
    ts_value(zmq_recvmsg(b, &message, 0), 3);
    assert_memory_equal(zmq_msg_data(&message), "old", 3);
    ts_value(zmq_msg_close(&message), 0);
    ts_close(a);
    ts_close(b);
    ts_value(zmq_term(context), 0);
    context = ts_context();
    ts_value(zmq_ctx_destroy(context), 0);
}

struct device {
    int type, rc, error;
    void *front, *back;
};

static void run(void *argument)
{
    struct device *device = argument;
    device->rc = zmq_device(device->type, device->front, device->back);
    device->error = zmq_errno();
    ts_close(device->front);
    ts_close(device->back);
}

/* The type is ignored: the sockets say what is forwarded. */
static void devices(void **state)
{
    static const int types[] = {ZMQ_STREAMER, ZMQ_FORWARDER, ZMQ_QUEUE, 99};
    for (size_t i = 0; i < TS_COUNT(types); ++i) {
        char front[TS_ENDPOINT_MAX], back[TS_ENDPOINT_MAX];
        void *context = ts_context();
        struct device device = {types[i], 0, 0, ts_socket(context, ZMQ_ROUTER),
                                ts_socket(context, ZMQ_DEALER)};
        ts_bind(device.front, *state, front);
        ts_bind(device.back, *state, back);
        struct ts_thread *thread = ts_thread_start(run, &device);
        void *req = ts_socket(context, ZMQ_REQ), *rep = ts_socket(context, ZMQ_REP);
        ts_ok(zmq_connect(req, front));
        ts_ok(zmq_connect(rep, back));
        ts_send_parts(req, "q", "part");
        ts_recv_parts(rep, "q", "part");
        ts_send(rep, "a", 0);
        ts_recv(req, "a");
        ts_close(req);
        ts_close(rep);
        ts_terminate(context);
        ts_thread_join(thread);
        ts_value(device.rc, -1);
        ts_value(device.error, ETERM);
    }
}

static void version_and_texts(void **state)
{
    (void)state;
    static const struct {
        int error;
        const char *text;
    } rows[] = {
        {EFSM, "Operation cannot be accomplished in current state"},
        {ENOCOMPATPROTO, "The protocol is not compatible with the socket type"},
        {ETERM, "Context was terminated"},
        {EMTHREAD, "No thread available"},
        {EHOSTUNREACH, "Host unreachable"},
    };
    int major = 0, minor = 0, patch = 0;
    zmq_version(&major, &minor, &patch);
    ts_value(major, 4);
    ts_value(minor, 3);
    for (size_t i = 0; i < TS_COUNT(rows); ++i)
        assert_string_equal(zmq_strerror(rows[i].error), rows[i].text);
    assert_string_equal(zmq_strerror(EINVAL), strerror(EINVAL));
    ts_check(zmq_strerror(-1) != NULL && zmq_strerror(1 << 30) != NULL);
    ts_value(zmq_has("ipc"), 1);
    ts_value(zmq_has("no such thing"), 0);
    ts_value(zmq_has(""), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TS_ON_ALL(sending_a_vector),         TS_ON_ALL(receiving_a_vector),
        cmocka_unit_test(old_names),         TS_ON_ALL(devices),
        cmocka_unit_test(version_and_texts),
    };
    return TS_RUN(tests);
}
