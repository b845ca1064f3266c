/* SPDX-License-Identifier: MPL-2.0 */
/* Who has to drive, and whom a wake-up reaches: moments that the models in tests/model have shown, put
 * together by hand. */
#include "unit/core/scripted_steps.h"

#include "core/drive.h"
#include "core/inproc_io.h"

enum { FRAME = 2 + 200, FRAMES = 500 };

/* More than one read takes, and less than the high-water mark. */
static const uint8_t *some_input(void)
{
    static uint8_t input[FRAMES * FRAME];
    for (size_t i = 0; i < FRAMES; i++) {
        input[i * FRAME] = 0;
        input[i * FRAME + 1] = FRAME - 2;
    }
    return input;
}

/* The next look at the kernel finds input. */
static void make_readable(struct scripted_link *script)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = script->link.token};
    int pollset = script->socket->pollset.fd;
    assert_int_equal(epoll_ctl(pollset, EPOLL_CTL_MOD, script->link.stream.fd, &event), 0);
    assert_int_equal(eventfd_write(script->link.stream.fd, 1), 0);
}

/* The lease ended while a call looked at the connections, as its tick had asked for. */
static void what_a_look_leaves_is_the_loops(void **state)
{
    (void)state;
    for (int receives = 0; receives < 2; receives++) {
        struct scripted_link script;
        uint8_t byte;
        scripted_open_as(&script, (struct scripted_kind){.type = ZMQ_DEALER, .posts = true});
        scripted_give(&script, some_input(), (size_t)FRAMES * FRAME);
        make_readable(&script);
        zl_list_append(&script.socket->links, &script.link.node);
        script.socket->look_due = true;
        if (receives)
            assert_int_equal(zmq_recv(script.socket, &byte, 1, ZMQ_DONTWAIT), FRAME - 2);
        else
            assert_int_equal(zmq_send(script.socket, "x", 1, ZMQ_DONTWAIT), 1);
        assert_in_range(script.given_used, 1, script.given_size - 1);
        while (scripted_run_tasks(&script) > 0) {
        }
        assert_int_equal(script.given_used, script.given_size);
        zl_list_remove(&script.link.node);
        scripted_free(&script);
    }
}

/* A socket with a lease, held. `drivers` of the callers in a wait drive; one more sleeps on the futex. */
static struct zl_socket *open_leased(struct scripted_link *script, unsigned drivers)
{
    scripted_open_as(script, (struct scripted_kind){.type = ZMQ_DEALER, .posts = true});
    struct zl_socket *socket = script->socket;
    script->loop.epoll_fd = -1; /* nothing to arm */
    zl_socket_lock(socket);
    socket->leased = true;
    socket->in_wait = 1 + drivers;
    socket->fd_waiters = drivers;
    return socket;
}

static void close_leased(struct scripted_link *script)
{
    script->socket->in_wait = 0;
    script->socket->fd_waiters = 0;
    script->socket->leased = false;
    zl_socket_unlock(script->socket);
    scripted_free(script);
}

/* Somebody sleeps on the futex, and the caller that drove goes. */
static void no_lease_is_left_beside_a_sleeper(void **state)
{
    (void)state;
    for (unsigned drivers = 0; drivers < 2; drivers++) {
        struct scripted_link script;
        struct zl_socket *socket = open_leased(&script, drivers);
        zl_drive_leave_locked(socket);
        assert_int_equal(socket->leased, drivers > 0);
        socket->in_wait = 0;
        socket->fd_waiters = 0;
        zl_drive_leave_locked(socket);
        assert_int_equal(socket->leased, drivers > 0); /* the tick's */
        close_leased(&script);
    }
}

/* The last driver was in zmq_poll over several sockets. */
static void no_lease_is_left_after_a_poll(void **state)
{
    (void)state;
    struct scripted_link script;
    struct zl_socket *socket = open_leased(&script, 1);
    zl_drive_end_wait_locked(socket);
    assert_false(socket->leased);
    close_leased(&script);
}

/* Between reading the word and sleeping on it a caller is woken, and another one goes to sleep. */
static void who_was_woken_does_not_sleep_on_the_old_word(void **state)
{
    (void)state;
    struct scripted_link script;
    scripted_open(&script);
    struct zl_socket *socket = script.socket;
    atomic_store(&socket->sleeping, 0);
    zl_socket_wake(socket); /* nobody sleeps */
    assert_int_equal(atomic_load(&socket->sleeping), 0);
    atomic_fetch_or(&socket->sleeping, ZL_SLEEP_FUTEX);
    unsigned word = atomic_load(&socket->sleeping);
    zl_socket_wake(socket);
    assert_int_equal(atomic_load(&socket->sleeping) & ZL_SLEEP_ANY, 0);
    atomic_fetch_or(&socket->sleeping, ZL_SLEEP_FUTEX);
    assert_int_not_equal(atomic_load(&socket->sleeping), word);
    assert_int_equal(zl_futex_wait(&socket->sleeping, word, -1), 0);
    scripted_free(&script);
}

/* The answer to an earlier question has taken a new one with it. */
static void a_writer_that_is_ahead_asks_again(void **state)
{
    enum { SENT = 10 };
    (void)state;
    void *context = zmq_ctx_new();
    struct zl_socket *writer = zmq_socket(context, ZMQ_PAIR);
    void *reader = zmq_socket(context, ZMQ_PAIR);
    assert_int_equal(zmq_bind(reader, "inproc://ahead"), 0);
    assert_int_equal(zmq_connect(writer, "inproc://ahead"), 0);
    for (int i = 0; i < SENT; i++)
        assert_int_equal(zmq_send(writer, "x", 1, 0), 1);
    struct zl_pipe *pipe = zl_container_of(writer->pipes.next, struct zl_pipe, node);
    zl_socket_lock(writer);
    assert_true(zl_inproc_is_ahead(pipe, ZL_AHEAD_BYTES));
    assert_int_equal(atomic_load(&pipe->writer_blocked), 1);
    atomic_store(&pipe->writer_blocked, 0);
    assert_true(zl_inproc_is_still_ahead(pipe));
    assert_int_equal(atomic_load(&pipe->writer_blocked), 1);
    zl_socket_unlock(writer);
    for (int i = 0; i < SENT; i++) {
        uint8_t byte;
        assert_int_equal(zmq_recv(reader, &byte, 1, 0), 1);
    }
    zl_socket_lock(writer);
    atomic_store(&pipe->writer_blocked, 0);
    assert_false(zl_inproc_is_still_ahead(pipe));
    assert_int_equal(atomic_load(&pipe->writer_blocked), 0);
    zl_socket_unlock(writer);
    zmq_close(writer);
    zmq_close(reader);
    zmq_ctx_term(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_look_leaves_is_the_loops),
        cmocka_unit_test(no_lease_is_left_beside_a_sleeper),
        cmocka_unit_test(no_lease_is_left_after_a_poll),
        cmocka_unit_test(who_was_woken_does_not_sleep_on_the_old_word),
        cmocka_unit_test(a_writer_that_is_ahead_asks_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
