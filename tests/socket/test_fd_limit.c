/* SPDX-License-Identifier: MPL-2.0 */
/* Out of descriptors: calls fail with EMFILE, listeners recover, nothing aborts. */
#define _GNU_SOURCE
#include "support/raw_peer.h"
#include "support/test_support.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

/* Opens descriptors until `spare` are left, with the limit lowered so that this is quick. */
struct shortage {
    struct rlimit old;
    int fds[512];
    int count;
};

static void begin_shortage(struct shortage *shortage, int spare)
{
    ts_ok(getrlimit(RLIMIT_NOFILE, &shortage->old));
    struct rlimit low = shortage->old;
    low.rlim_cur = 256;
    ts_ok(setrlimit(RLIMIT_NOFILE, &low));
    shortage->count = 0;
    for (int fd; (fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) != -1;)
        shortage->fds[shortage->count++] = fd;
    ts_value(errno, EMFILE);
    for (int i = 0; i < spare; ++i)
        close(shortage->fds[--shortage->count]);
}

static void end_shortage(struct shortage *shortage)
{
    while (shortage->count > 0)
        close(shortage->fds[--shortage->count]);
    ts_ok(setrlimit(RLIMIT_NOFILE, &shortage->old));
}

/* libzmq aborts in most of these situations; what it survives is not marked.
 *
 * Each number of spare descriptors lets another step fail. Whatever succeeded must be usable. */
static void every_call_fails_cleanly_beyond_stock(void **state)
{
    (void)state;
    for (int spare = 0; spare < 30; ++spare) {
        struct shortage shortage;
        void *sockets[2] = {NULL, NULL};
        begin_shortage(&shortage, spare);
        void *context = zmq_ctx_new();
        if (!context)
            ts_value(zmq_errno(), EMFILE);
        for (int i = 0; context && i < 2; ++i) {
            sockets[i] = zmq_socket(context, i ? ZMQ_PUSH : ZMQ_PULL);
            if (!sockets[i])
                ts_value(zmq_errno(), EMFILE);
        }
        if (sockets[1] && zmq_bind(sockets[0], "tcp://127.0.0.1:*") == 0) {
            char endpoint[TS_ENDPOINT_MAX];
            ts_last_endpoint(sockets[0], endpoint);
            if (zmq_connect(sockets[1], endpoint) != 0)
                ts_value(zmq_errno(), EMFILE);
        } else if (sockets[1])
            ts_value(zmq_errno(), EMFILE);
        for (int i = 0; i < 2; ++i)
            if (sockets[i]) {
                int linger = 0;
                ts_ok(zmq_setsockopt(sockets[i], ZMQ_LINGER, &linger, sizeof linger));
                ts_close(sockets[i]);
            }
        end_shortage(&shortage);
        if (context)
            ts_terminate(context);
    }
}

/* Many sockets until there are no more; after closing them there are as many again. */
static void sockets_until_none_is_left_beyond_stock(void **state)
{
    (void)state;
    enum { MOST = 600 };
    static void *sockets[MOST];
    struct shortage shortage;
    int counts[2];
    void *context = ts_context();
    ts_close(ts_socket(context, ZMQ_PAIR)); /* what the context needs itself exists now */
    begin_shortage(&shortage, 40);
    for (int round = 0; round < 2; ++round) {
        char endpoint[TS_ENDPOINT_MAX];
        int count = 0;
        while (count < MOST && (sockets[count] = zmq_socket(context, ZMQ_PAIR))) {
            if (zmq_bind(sockets[count++], "tcp://127.0.0.1:*") != 0)
                break;
            ts_last_endpoint(sockets[count - 1], endpoint);
        }
        ts_value(zmq_errno(), EMFILE);
        counts[round] = count;
        for (int i = 0; i < count; ++i)
            ts_close(sockets[i]);
        /* Closing is asynchronous: wait until the descriptors are back. */
        int64_t deadline = ts_now_ms() + TS_TIMEOUT_MS;
        for (int open_now = 0; open_now < 30;) {
            int fds[30];
            for (open_now = 0; open_now < 30; ++open_now)
                if ((fds[open_now] = open("/dev/null", O_RDONLY)) == -1)
                    break;
            for (int i = 0; i < open_now; ++i)
                close(fds[i]);
            ts_check(ts_now_ms() < deadline);
        }
    }
    ts_check(counts[0] > 0 && counts[1] > 0);
    end_shortage(&shortage);
    ts_terminate(context);
}

/* The listener cannot accept; when descriptors are back, it does. */
static void listener_recovers(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    struct shortage shortage;
    void *context = ts_context();
    void *pull = ts_socket(context, ZMQ_PULL), *push = ts_socket(context, ZMQ_PUSH);
    ts_bind(pull, *state, endpoint);
    ts_ok(zmq_connect(push, endpoint));
    ts_send(push, "before", 0);
    ts_recv(pull, "before");
    begin_shortage(&shortage, 1);
    int fd = ts_raw_connect(endpoint); /* takes the last one */
    /* Connections that exist are not affected. */
    for (int n = 0; n < 1000; ++n) {
        ts_send_bytes(push, &n, sizeof n, 0);
        ts_recv_bytes(pull, &n, sizeof n, false);
    }
    end_shortage(&shortage);
    close(fd);
    void *late = ts_socket(context, ZMQ_PUSH);
    ts_ok(zmq_connect(late, endpoint));
    ts_send(late, "after", 0);
    ts_recv(pull, "after");
    ts_close(late);
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
}

/* Connecting without a descriptor to spare: refused, or retried until there is one. */
static void connecter_recovers(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    struct shortage shortage;
    void *context = ts_context();
    void *pull = ts_socket(context, ZMQ_PULL), *push = ts_socket(context, ZMQ_PUSH);
    void *monitor = ts_monitor(context, push, ZMQ_EVENT_CONNECT_RETRIED);
    ts_set_int(push, ZMQ_RECONNECT_IVL, 5);
    ts_bind(pull, *state, endpoint);
    begin_shortage(&shortage, 0);
    bool accepted = zmq_connect(push, endpoint) == 0;
    if (accepted)
        ts_expect_event(monitor, ZMQ_EVENT_CONNECT_RETRIED);
    else
        ts_value(zmq_errno(), EMFILE);
    end_shortage(&shortage);
    if (!accepted)
        ts_ok(zmq_connect(push, endpoint));
    ts_send(push, "patience", 0);
    ts_recv(pull, "patience");
    ts_unmonitor(push, monitor);
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_fails_cleanly_beyond_stock),
        cmocka_unit_test(sockets_until_none_is_left_beyond_stock),
        TS_ON(listener_recovers, "tcp"),
        {"listener_recovers_ipc_beyond_stock", listener_recovers, NULL, NULL,
         (void *)(uintptr_t) "ipc"},
        TS_ON_CONNECTIONS(connecter_recovers),
    };
    return TS_RUN(tests);
}
