/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of load balancing: whole messages to the pipes that take them, in turn. */
#include "fake_pattern.h"

static int send_part(struct zl_socket *socket, uint8_t number, bool more, struct zl_pipe **to)
{
    struct zl_msg msg;
    assert_int_equal(zl_msg_init_copy_of(&msg, &number, 1), 0);
    int rc = zl_load_balancer_send(&fake_of(socket)->out, socket, &msg, more, to);
    /* Taken and empty, or still the caller's. */
    assert_int_equal(zl_msg_size(&msg), rc < 0);
    zl_msg_close(&msg);
    return rc;
}

/* The message goes to that pipe. */
static void expect(struct zl_socket *socket, uint8_t number, bool more, const struct zl_pipe *pipe)
{
    struct zl_pipe *to = NULL;
    assert_true(zl_load_balancer_writable(&fake_of(socket)->out));
    assert_int_equal(send_part(socket, number, more, &to), 0);
    assert_ptr_equal(to, pipe);
}

static void expect_full(struct zl_socket *socket)
{
    assert_false(zl_load_balancer_writable(&fake_of(socket)->out));
    assert_int_equal(send_part(socket, 99, false, NULL), -EAGAIN);
}

static void nobody_there(void **state)
{
    expect_full(*state);
}

static void pipes_take_turns(void **state)
{
    struct zl_socket *socket = *state;
    struct zl_pipe *a = fake_pipe(socket, 0), *b = fake_pipe(socket, 0), *c = fake_pipe(socket, 0);
    expect(socket, 1, false, a);
    expect(socket, 2, false, b);
    expect(socket, 3, false, c);
    expect(socket, 4, false, a);
    zl_load_balancer_add(&fake_of(socket)->out, b); /* it is there */
    struct zl_pipe *d = fake_pipe(socket, 0);       /* the newest comes last */
    expect(socket, 5, false, b);
    expect(socket, 6, false, c);
    expect(socket, 7, false, a);
    expect(socket, 8, false, d);
    assert_int_equal(send_part(socket, 9, false, NULL), 0); /* to whom, nobody asks */
    fake_expect_output(a, "0001 01 0001 04 0001 07");
    fake_expect_output(b, "0001 02 0001 05 0001 09");
    fake_expect_output(c, "0001 03 0001 06");
    fake_expect_output(d, "0001 08");
}

static void a_message_stays_together(void **state)
{
    struct zl_socket *socket = *state;
    struct zl_pipe *a = fake_pipe(socket, 0), *b = fake_pipe(socket, 0);
    expect(socket, 1, true, a);
    assert_int_equal(zl_outq_pending(&a->outq), 0); /* not before its last part */
    expect(socket, 2, true, a);
    expect(socket, 3, false, a);
    expect(socket, 4, true, b);
    expect(socket, 5, false, b);
    expect(socket, 6, false, a);
    fake_expect_output(a, "0101 01 0101 02 0001 03 0001 06");
    fake_expect_output(b, "0101 04 0001 05");
}

static void full_pipes_are_passed_over(void **state)
{
    struct zl_socket *socket = *state;
    struct zl_pipe *a = fake_pipe(socket, 1), *b = fake_pipe(socket, 3);
    expect(socket, 1, false, a);
    expect(socket, 2, false, b);
    expect(socket, 3, false, b);
    expect(socket, 4, true, b); /* a message that has begun goes on, full or not */
    expect(socket, 5, false, b);
    expect_full(socket);
    expect_full(socket);
    assert_int_equal(fake_of(socket)->writables, 0);
    assert_int_equal(fake_drain(a), 3);
    assert_int_equal(fake_of(socket)->writables, 1);
    expect(socket, 6, false, a);
    expect_full(socket);
    fake_drain(b);
    fake_drain(a);
    expect(socket, 7, false, b); /* in the order of their coming back */
    expect(socket, 8, false, a);
    expect(socket, 9, false, b);
    fake_drain(a);
    fake_drain(b);
}

/* The rest of a message whose pipe has gone is dropped: half of it somewhere else is worse. */
static void the_current_pipe_goes(void **state)
{
    struct zl_socket *socket = *state;
    struct zl_pipe *a = fake_pipe(socket, 0), *b = fake_pipe(socket, 0);
    struct zl_pipe *to = NULL;
    expect(socket, 1, true, a);
    zl_pipe_end_locked(a, true);
    assert_true(zl_load_balancer_writable(&fake_of(socket)->out));
    assert_int_equal(send_part(socket, 2, true, &to), 0);
    assert_int_equal(send_part(socket, 3, false, &to), 0);
    assert_null(to);
    assert_int_equal(zl_outq_pending(&b->outq), 0);
    expect(socket, 4, false, b);
    fake_expect_output(b, "0001 04");
    zl_load_balancer_remove(&fake_of(socket)->out, b);
    expect_full(socket);
}

static void the_last_pipe_goes_within_a_message(void **state)
{
    struct zl_socket *socket = *state;
    expect(socket, 1, true, fake_pipe(socket, 0));
    zl_pipe_end_locked(zl_container_of(socket->pipes.next, struct zl_pipe, node), true);
    assert_true(zl_load_balancer_writable(&fake_of(socket)->out));
    assert_int_equal(send_part(socket, 2, false, NULL), 0); /* taken, although nobody is there */
    expect_full(socket);
}

static void another_pipe_goes(void **state)
{
    struct zl_socket *socket = *state;
    struct zl_pipe *a = fake_pipe(socket, 0), *b = fake_pipe(socket, 0), *c = fake_pipe(socket, 0);
    expect(socket, 1, true, a);
    zl_pipe_end_locked(b, true);
    expect(socket, 2, false, a);
    expect(socket, 3, false, c);
    expect(socket, 4, false, a);
    fake_expect_output(a, "0101 01 0001 02 0001 04");
}

static unsigned freed;

static void note_freed(void *data, void *hint)
{
    (void)data;
    (void)hint;
    freed++;
}

/* Free functions are the user's: never under the gate. */
static void dropped_parts_are_freed_after_the_gate(void **state)
{
    struct zl_socket *socket = *state;
    struct zl_pipe *a = fake_pipe(socket, 0);
    struct zl_msg msg;
    char data[100];
    expect(socket, 1, true, a);
    zl_pipe_end_locked(a, true);
    freed = 0;
    assert_int_equal(zl_msg_init_data(&msg, data, sizeof data, note_freed, NULL), 0);
    assert_int_equal(zl_load_balancer_send(&fake_of(socket)->out, socket, &msg, false, NULL), 0);
    zl_msg_close(&msg);
    assert_int_equal(freed, 0);
    fake_unlock(socket);
    assert_int_equal(freed, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_setup, fake_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nobody_there),
        TEST(pipes_take_turns),
        TEST(a_message_stays_together),
        TEST(full_pipes_are_passed_over),
        TEST(the_current_pipe_goes),
        TEST(the_last_pipe_goes_within_a_message),
        TEST(another_pipe_goes),
        TEST(dropped_parts_are_freed_after_the_gate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
