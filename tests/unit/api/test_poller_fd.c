/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of zmq_poller_fd. It is for thread-safe sockets; here an ordinary one is declared to be one
   by a copy of its pattern. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/socket.h"

#define ENDPOINT "inproc://poller-fd"

struct fixture {
    void *context, *poller, *sender, *receiver;
    struct zl_pattern_ops ops;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture.context = zmq_ctx_new();
    fixture.poller = zmq_poller_new();
    fixture.receiver = zmq_socket(fixture.context, ZMQ_PAIR);
    fixture.sender = zmq_socket(fixture.context, ZMQ_PAIR);
    if (!fixture.context || !fixture.poller || !fixture.receiver || !fixture.sender)
        return -1;
    struct zl_socket *socket = fixture.receiver;
    fixture.ops = *socket->ops;
    fixture.ops.flags |= ZL_PATTERN_THREAD_SAFE;
    socket->ops = &fixture.ops;
    *state = &fixture;
    return zmq_bind(fixture.receiver, ENDPOINT) || zmq_connect(fixture.sender, ENDPOINT);
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    return zmq_poller_destroy(&fixture->poller) || zmq_close(fixture->sender) ||
           zmq_close(fixture->receiver) || zmq_ctx_term(fixture->context);
}

static bool is_signalled(int fd)
{
    struct pollfd item = {.fd = fd, .events = POLLIN};
    int rc = poll(&item, 1, 0);
    assert_true(rc >= 0);
    return rc == 1;
}

static int fd_of(void *poller)
{
    int fd = -1;
    assert_int_equal(zmq_poller_fd(poller, &fd), 0);
    assert_true(fd >= 0);
    return fd;
}

/* Looks without waiting: whether the receiver has input. */
static bool look(struct fixture *fixture)
{
    zmq_poller_event_t event;
    if (zmq_poller_wait(fixture->poller, &event, 0) == 0) {
        assert_ptr_equal(event.socket, fixture->receiver);
        return true;
    }
    assert_int_equal(errno, EAGAIN);
    return false;
}

static void ordinary_sockets_have_no_descriptor(void **state)
{
    struct fixture *fixture = *state;
    int fd;
    assert_int_equal(zmq_poller_fd(NULL, &fd), -1);
    assert_int_equal(errno, EFAULT);
    assert_int_equal(zmq_poller_add(fixture->poller, fixture->sender, NULL, ZMQ_POLLIN), 0);
    assert_int_equal(zmq_poller_fd(fixture->poller, &fd), -1);
    assert_int_equal(errno, EINVAL);
}

static void descriptor_tells_about_input(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(zmq_poller_add(fixture->poller, fixture->receiver, NULL, ZMQ_POLLIN), 0);
    int fd = fd_of(fixture->poller);
    assert_int_equal(fd_of(fixture->poller), fd);
    while (is_signalled(fd)) /* the state has never been looked at */
        assert_false(look(fixture));
    assert_int_equal(zmq_send(fixture->sender, "x", 1, 0), 1);
    assert_true(is_signalled(fd));
    assert_true(look(fixture));
    char octet;
    assert_int_equal(zmq_recv(fixture->receiver, &octet, 1, 0), 1);
    assert_false(look(fixture));
    assert_false(is_signalled(fd));
}

static void sockets_join_and_leave_the_descriptor(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(zmq_poller_add(fixture->poller, fixture->receiver, NULL, ZMQ_POLLIN), 0);
    int fd = fd_of(fixture->poller);
    assert_int_equal(zmq_poller_remove(fixture->poller, fixture->receiver), 0);
    assert_int_equal(zmq_send(fixture->sender, "x", 1, 0), 1);
    assert_false(is_signalled(fd));
    assert_int_equal(zmq_poller_add(fixture->poller, fixture->receiver, NULL, ZMQ_POLLIN), 0);
    assert_true(is_signalled(fd));
    assert_true(look(fixture));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ordinary_sockets_have_no_descriptor),
        TEST(descriptor_tells_about_input),
        TEST(sockets_join_and_leave_the_descriptor),
    };
    return cmocka_run_group_tests_name("poller_fd", tests, NULL, NULL);
}
