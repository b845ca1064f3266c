/* SPDX-License-Identifier: MPL-2.0 */
/* fork: the child may end its copy of a context and use one of its own; the parent is not hurt. */
#include "support/setups.h"
#include "support/test_support.h"
#include "support/transports.h"

#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* The address sanitizer's leak check cannot run in the child of a threaded process. */
static _Noreturn void leave(int code)
{
    fflush(NULL);
    _exit(code);
}

#define IN_CHILD(condition)                                                                        \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: in the child: not true: %s (%s)\n", __FILE__, __LINE__,        \
                    #condition, zmq_strerror(zmq_errno()));                                        \
            leave(1);                                                                              \
        }                                                                                          \
    } while (0)

static void expect_success(pid_t child)
{
    int status;
    ts_value(waitpid(child, &status, 0), child);
    ts_check(WIFEXITED(status));
    ts_value(WEXITSTATUS(status), 0);
}

static struct ts_push_pull open_used_pair(const char *transport)
{
    struct ts_push_pull pair = ts_open_push_pull(transport);
    ts_send(pair.push, "before", 0);
    ts_recv(pair.pull, "before");
    return pair;
}

static void use_and_close(struct ts_push_pull *pair)
{
    for (int n = 0; n < 100; ++n) {
        ts_send_bytes(pair->push, &n, sizeof n, 0);
        ts_recv_bytes(pair->pull, &n, sizeof n, false);
    }
    ts_close_push_pull(pair);
}

/* The call comes back and releases what it can; EINTR says that sockets were still open. */
static void terminate_copy(void *context)
{
    alarm(TS_TIMEOUT_MS / 1000);
    if (zmq_ctx_term(context) != 0)
        IN_CHILD(zmq_errno() == EINTR);
}

/* The usual case: fork and exec, or fork and exit. */
static void child_does_nothing(void **state)
{
    struct ts_push_pull pair = open_used_pair(*state);
    pid_t child = fork();
    if (child == 0)
        leave(0);
    expect_success(child);
    use_and_close(&pair);
}

/* The child ends the inherited context: its descriptors go, the parent's connections stay. */
static void child_terminates_its_copy(void **state)
{
    if (!TS_CHILD_HAS_HEAP)
        skip();
    struct ts_push_pull pair = open_used_pair(*state);
    pid_t child = fork();
    if (child == 0) {
        terminate_copy(pair.context);
        leave(0);
    }
    expect_success(child);
    use_and_close(&pair);
}

/* Both go on at the same time, the child with a context of its own. */
static void child_uses_its_own_context(void **state)
{
    char endpoint[TS_ENDPOINT_MAX];
    if (!TS_CHILD_HAS_HEAP)
        skip();
    void *context = ts_context();
    void *rep = ts_socket(context, ZMQ_REP);
    ts_bind(rep, *state, endpoint);
    pid_t child = fork();
    if (child == 0) {
        char text[16];
        int limit = TS_TIMEOUT_MS, linger = 0;
        alarm(2 * TS_TIMEOUT_MS / 1000);
        void *own = zmq_ctx_new();
        IN_CHILD(own != NULL);
        void *req = zmq_socket(own, ZMQ_REQ);
        IN_CHILD(req != NULL);
        ts_prepare_for_test(req);
        IN_CHILD(zmq_setsockopt(req, ZMQ_RCVTIMEO, &limit, sizeof limit) == 0);
        IN_CHILD(zmq_setsockopt(req, ZMQ_LINGER, &linger, sizeof linger) == 0);
        IN_CHILD(zmq_connect(req, endpoint) == 0);
        for (int n = 0; n < 50; ++n) {
            IN_CHILD(zmq_send(req, "question", 8, 0) == 8);
            IN_CHILD(zmq_recv(req, text, sizeof text, 0) == 6);
            IN_CHILD(memcmp(text, "answer", 6) == 0);
        }
        IN_CHILD(zmq_close(req) == 0);
        IN_CHILD(zmq_ctx_term(own) == 0);
        leave(0);
    }
    for (int n = 0; n < 50; ++n) {
        ts_recv(rep, "question");
        ts_send(rep, "answer", 0);
    }
    expect_success(child);
    ts_close(rep);
    ts_terminate(context);
}

/* Forking while the parent's sockets are busy, again and again. (In libzmq the child may inherit
 * a lock that nobody will release.) */
static void forking_under_load_beyond_stock(void **state)
{
    struct ts_push_pull pair = open_used_pair(*state);
    for (int round = 0; round < 20; ++round) {
        for (int n = 0; n < 50; ++n)
            ts_send_bytes(pair.push, &n, sizeof n, 0);
        pid_t child = fork();
        if (child == 0) {
            if (TS_CHILD_HAS_HEAP && round % 2)
                terminate_copy(pair.context);
            leave(0);
        }
        for (int n = 0; n < 50; ++n)
            ts_recv_bytes(pair.pull, &n, sizeof n, false);
        expect_success(child);
    }
    use_and_close(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TS_ON_ALL(child_does_nothing),
        TS_ON_ALL(child_terminates_its_copy),
        TS_ON_CONNECTIONS(child_uses_its_own_context),
        TS_ON_ALL(forking_under_load_beyond_stock),
    };
    return TS_RUN(tests);
}
