/* SPDX-License-Identifier: MPL-2.0 */
/* ctest-timeout: 120 */
/* Peers that die inside a message: nothing torn is seen, the next connection continues. */
#define _GNU_SOURCE
#include "support/raw_peer.h"
#include "support/test_support.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Three parts with a command between them, in both frame forms; 47 octets. */
static const char message[] = "\1\5first"
                              "\4\10\7UNKNOWN"
                              "\3\0\0\0\0\0\0\0\6second"
                              "\0\11the third";

static void drop(int fd, bool reset)
{
    struct linger abort_it = {.l_onoff = 1, .l_linger = 0};
    if (reset)
        ts_ok(setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort_it, sizeof abort_it));
    close(fd);
}

/* One connection per cut: the stream ends after each possible number of octets, by an orderly
 * close or by a reset. Only the whole message at the end is received. */
static void receiver_sees_no_torn_message(void **state)
{
    static const struct {
        int type;
        const char *peer_type;
    } rows[] = {{ZMQ_PULL, "PUSH"}, {ZMQ_DEALER, "DEALER"}, {ZMQ_SUB, "PUB"}};
    for (size_t i = 0; i < TS_COUNT(rows); ++i) {
        char endpoint[TS_ENDPOINT_MAX];
        void *context = ts_context();
        void *socket = ts_socket(context, rows[i].type);
        void *monitor = ts_monitor(context, socket, ZMQ_EVENT_DISCONNECTED);
        if (rows[i].type == ZMQ_SUB)
            ts_set_bytes(socket, ZMQ_SUBSCRIBE, "", 0);
        ts_bind(socket, *state, endpoint);
        for (size_t cut = 0; cut < sizeof message - 1; ++cut) {
            int fd = ts_raw_connect(endpoint);
            ts_raw_handshake(fd, rows[i].peer_type, NULL, 0);
            ts_raw_send(fd, message, cut);
            drop(fd, cut % 2);
            ts_expect_event(monitor, ZMQ_EVENT_DISCONNECTED);
            ts_recv_nothing(socket);
        }
        int fd = ts_raw_connect(endpoint);
        ts_raw_handshake(fd, rows[i].peer_type, NULL, 0);
        ts_raw_send(fd, message, sizeof message - 1);
        ts_recv_parts(socket, "first", "second", "the third");
        ts_recv_nothing(socket);
        close(fd);
        ts_unmonitor(socket, monitor);
        ts_close(socket);
        ts_terminate(context);
    }
}

/* A router has the id frame in front of what never comes. */
static void router_sees_no_torn_message(void **state)
{
    char endpoint[TS_ENDPOINT_MAX], id[2] = "A";
    void *context = ts_context();
    void *router = ts_socket(context, ZMQ_ROUTER);
    void *monitor = ts_monitor(context, router, ZMQ_EVENT_DISCONNECTED);
    ts_bind(router, *state, endpoint);
    for (size_t cut = 0; cut < sizeof message - 1; ++cut) {
        int fd = ts_raw_connect(endpoint);
        ts_raw_handshake(fd, "DEALER", "torn", 4);
        ts_raw_send(fd, message, cut);
        drop(fd, cut % 2);
        ts_expect_event(monitor, ZMQ_EVENT_DISCONNECTED);
        /* Another peer's message comes through whole, and nothing else. */
        id[0] = (char)('A' + cut % 26);
        fd = ts_raw_connect(endpoint);
        ts_raw_handshake(fd, "DEALER", id, 1);
        ts_raw_send(fd, message, sizeof message - 1);
        ts_recv_parts(router, id, "first", "second", "the third");
        ts_recv_nothing(router);
        close(fd);
        ts_expect_event(monitor, ZMQ_EVENT_DISCONNECTED);
    }
    ts_unmonitor(router, monitor);
    ts_close(router);
    ts_terminate(context);
}

/* The same with a part too long for any buffer. */
static void long_part_is_cut(void **state)
{
    enum { SIZE = 1 << 20 };
    static char body[SIZE];
    static const size_t cuts[] = {0, 1, 8191, 65536, SIZE / 2, SIZE - 1};
    char endpoint[TS_ENDPOINT_MAX];
    void *context = ts_context();
    void *pull = ts_socket(context, ZMQ_PULL);
    void *monitor = ts_monitor(context, pull, ZMQ_EVENT_DISCONNECTED);
    ts_pattern(body, SIZE, 5);
    ts_bind(pull, *state, endpoint);
    for (size_t i = 0; i < TS_COUNT(cuts); ++i) {
        int fd = ts_raw_connect(endpoint);
        ts_raw_handshake(fd, "PUSH", NULL, 0);
        ts_raw_send_frame(fd, TS_FRAME_MORE, "head", 4);
        ts_raw_send(fd, "\2\0\0\0\0\0\x10\0\0", 9);
        ts_raw_send(fd, body, cuts[i]);
        drop(fd, i % 2);
        ts_expect_event(monitor, ZMQ_EVENT_DISCONNECTED);
        ts_recv_nothing(pull);
        fd = ts_raw_connect(endpoint);
        ts_raw_handshake(fd, "PUSH", NULL, 0);
        ts_raw_send_frame(fd, 0, body, SIZE);
        ts_recv_bytes(pull, body, SIZE, false);
        close(fd);
        ts_expect_event(monitor, ZMQ_EVENT_DISCONNECTED);
    }
    ts_unmonitor(pull, monitor);
    ts_close(pull);
    ts_terminate(context);
}

/* ---- the other direction: our message is cut -------------------------------------------- */

enum { NUMBERED = 200, PART = 20000 };

static void send_numbered(void *socket, int number)
{
    static char body[PART];
    ts_pattern(body, PART, (uint32_t)number);
    ts_send_bytes(socket, &number, sizeof number, ZMQ_SNDMORE);
    ts_send_bytes(socket, body, PART, ZMQ_SNDMORE);
    ts_send(socket, "tail", 0);
}

/* Reads a whole message and returns its number. */
static int expect_numbered(int fd)
{
    static char body[PART];
    int flags, number = -1;
    ts_value((long long)ts_raw_recv_frame(fd, &flags, &number, sizeof number), sizeof number);
    ts_value(flags, TS_FRAME_MORE);
    ts_value((long long)ts_raw_recv_frame(fd, &flags, body, PART), PART);
    ts_value(flags, TS_FRAME_MORE | TS_FRAME_LONG);
    ts_check(ts_pattern_ok(body, PART, (uint32_t)number));
    ts_raw_expect_frame(fd, 0, "tail", 4);
    return number;
}

/* The peer reads for a while, dies anywhere, and comes back. Each connection begins with the
 * first part of a message; messages stay in order; what was not touched by a loss arrives. */
static void sender_continues_with_whole_messages(void **state)
{
    (void)state;
    static const size_t reads[] = {0, 1, 5, 100, 20000, 25000, 70001, 150000};
    static char skipped[200000];
    char endpoint[TS_ENDPOINT_MAX];
    int sent = 0, last = -1, listener = ts_raw_listen(endpoint);
    void *context = ts_context();
    void *push = ts_socket(context, ZMQ_PUSH);
    ts_set_int(push, ZMQ_RECONNECT_IVL, 1);
    ts_set_int(push, ZMQ_SNDHWM, 0);
    ts_ok(zmq_connect(push, endpoint));
    while (sent < NUMBERED)
        send_numbered(push, sent++);
    for (size_t i = 0; i <= TS_COUNT(reads); ++i) {
        int fd = ts_raw_accept(listener);
        ts_raw_handshake(fd, "PULL", NULL, 0);
        /* Everything before may be gone with an earlier connection; these are not. */
        for (int n = 0; n < 10; ++n)
            send_numbered(push, sent++);
        do {
            int number = expect_numbered(fd);
            ts_check(number > last);
            last = number;
        } while (i == TS_COUNT(reads) && last < sent - 1);
        if (i < TS_COUNT(reads))
            ts_raw_recv(fd, skipped, reads[i]);
        drop(fd, i % 2);
    }
    close(listener);
    ts_close(push);
    ts_terminate(context);
}

/* ---- a process is killed ---------------------------------------------------------------- */

enum { CHILDREN = 5, STEP = 1000000 }; /* numbers of child c begin at c * STEP */

/* The program of the child: this executable, called with an endpoint and a first number. */
static _Noreturn void send_until_killed(const char *endpoint, int first)
{
    alarm(2 * TS_TIMEOUT_MS / 1000);
    void *context = zmq_ctx_new(), *push = zmq_socket(context, ZMQ_PUSH);
    zmq_connect(push, endpoint);
    for (int number = first;; ++number)
        send_numbered(push, number);
}

static pid_t start_child(const char *endpoint, int first)
{
    char number[16];
    snprintf(number, sizeof number, "%d", first);
    pid_t process = fork();
    if (process == 0) {
        execl("/proc/self/exe", "child", endpoint, number, (char *)NULL);
        _exit(127);
    }
    ts_check(process > 0);
    return process;
}

/* Receives a whole message of some child, the next one of its sequence; returns the child. */
static int receive_next(void *pull, int next[CHILDREN])
{
    static char body[PART];
    int number = -1;
    ts_value(zmq_recv(pull, &number, sizeof number, 0), sizeof number);
    int child = number / STEP;
    ts_check(number >= 0 && child < CHILDREN);
    ts_value(number, child * STEP + next[child]++);
    ts_value(zmq_recv(pull, body, PART, 0), PART);
    ts_check(ts_pattern_ok(body, PART, (uint32_t)number));
    ts_recv(pull, "tail");
    return child;
}

static void killed_process_leaves_nothing_torn(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    int next[CHILDREN] = {0};
    void *context = ts_context();
    void *pull = ts_socket(context, ZMQ_PULL);
    ts_set_int(pull, ZMQ_RCVHWM, 3);
    ts_bind(pull, *state, endpoint);
    for (int child = 0; child < CHILDREN; ++child) {
        pid_t process = start_child(endpoint, child * STEP);
        while (next[child] < 20 + child * 7)
            receive_next(pull, next);
        ts_ok(kill(process, SIGKILL));
        ts_value(waitpid(process, NULL, 0), process);
    }
    /* What is left ends with a whole message, and others are served. */
    void *push = ts_socket(context, ZMQ_PUSH);
    ts_ok(zmq_connect(push, endpoint));
    ts_send(push, "end", 0);
    char text[8] = "";
    do {
        zmq_msg_t head;
        ts_ok(zmq_msg_init(&head));
        ts_ok(zmq_msg_recv(&head, pull, 0));
        if (!zmq_msg_more(&head))
            memcpy(text, zmq_msg_data(&head), 3);
        else {
            ts_value(zmq_recv(pull, NULL, 0, 0), PART);
            ts_recv(pull, "tail");
        }
        ts_ok(zmq_msg_close(&head));
    } while (strcmp(text, "end") != 0);
    ts_close(push);
    ts_close(pull);
    ts_terminate(context);
}

int main(int argc, char **argv)
{
    if (argc == 3)
        send_until_killed(argv[1], atoi(argv[2]));
    const struct CMUnitTest tests[] = {
        TS_ON_NETWORK(receiver_sees_no_torn_message),
        TS_ON_NETWORK(router_sees_no_torn_message),
        TS_ON_NETWORK(long_part_is_cut),
        cmocka_unit_test(sender_continues_with_whole_messages),
        TS_ON_NETWORK(killed_process_leaves_nothing_torn),
    };
    return TS_RUN(tests);
}
