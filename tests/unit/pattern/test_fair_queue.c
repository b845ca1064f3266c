/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of fair queueing: whole messages, in turn, from whatever pipes there are. */
#include "fake_pattern.h"

/* The next part comes from that pipe and is this one. */
static void expect(struct zl_socket *socket, const struct zl_pipe *pipe, uint8_t number,
                   uint8_t part, bool more)
{
    struct zl_msg msg;
    struct zl_pipe *from = NULL;
    uint8_t octets[2] = {number, part};
    assert_true(zl_fair_queue_readable(&fake_of(socket)->in));
    assert_int_equal(zl_fair_queue_recv(&fake_of(socket)->in, &msg, &from), 0);
    assert_ptr_equal(from, pipe);
    assert_int_equal(zl_msg_size(&msg), 2);
    assert_memory_equal(zl_msg_data(&msg), octets, 2);
    assert_int_equal(msg.flags, more ? ZL_MSG_MORE : 0);
    zl_msg_close(&msg);
}

static void expect_nothing(struct zl_socket *socket)
{
    struct zl_msg msg;
    assert_false(zl_fair_queue_readable(&fake_of(socket)->in));
    assert_int_equal(zl_fair_queue_recv(&fake_of(socket)->in, &msg, NULL), -EAGAIN);
}

static void nothing_without_pipes_or_input(void **state)
{
    struct zl_socket *socket = *state;
    expect_nothing(socket);
    fake_pipe(socket, 0);
    expect_nothing(socket);
}

static void pipes_take_turns(void **state)
{
    struct zl_socket *socket = *state;
    struct zl_pipe *a = fake_pipe(socket, 0), *b = fake_pipe(socket, 0), *c = fake_pipe(socket, 0);
    for (uint8_t number = 1; number <= 3; number++)
        fake_input(a, number, 1);
    fake_input(b, 11, 1);
    fake_input(c, 21, 1);
    fake_input(c, 22, 1);
    expect(socket, a, 1, 0, false);
    expect(socket, b, 11, 0, false);
    expect(socket, c, 21, 0, false);
    expect(socket, a, 2, 0, false);
    expect(socket, c, 22, 0, false);
    fake_input(b, 12, 1); /* it was passed over: it joins at the end */
    expect(socket, a, 3, 0, false);
    expect(socket, b, 12, 0, false);
    expect_nothing(socket);
}

static void messages_are_not_interrupted(void **state)
{
    struct zl_socket *socket = *state;
    struct zl_pipe *a = fake_pipe(socket, 0), *b = fake_pipe(socket, 0);
    fake_input(a, 1, 3);
    fake_input(a, 2, 1);
    fake_input(b, 11, 2);
    for (uint8_t part = 0; part < 3; part++)
        expect(socket, a, 1, part, part < 2);
    expect(socket, b, 11, 0, true);
    expect(socket, b, 11, 1, false);
    expect(socket, a, 2, 0, false);
    expect_nothing(socket);
}

static void adding_twice_is_adding_once(void **state)
{
    struct zl_socket *socket = *state;
    struct zl_pipe *a = fake_pipe(socket, 0), *b = fake_pipe(socket, 0);
    fake_input(a, 1, 1);
    zl_fair_queue_add(&fake_of(socket)->in, a);
    fake_input(b, 11, 1);
    fake_input(a, 2, 1);
    expect(socket, a, 1, 0, false);
    expect(socket, b, 11, 0, false);
    expect(socket, a, 2, 0, false);
    expect_nothing(socket);
}

static void the_sender_need_not_be_asked_for(void **state)
{
    struct zl_socket *socket = *state;
    struct zl_msg msg;
    fake_input(fake_pipe(socket, 0), 1, 1);
    assert_int_equal(zl_fair_queue_recv(&fake_of(socket)->in, &msg, NULL), 0);
    zl_msg_close(&msg);
}

/* The pipe whose message is being read goes: the next part begins another message. */
static void the_current_pipe_goes(void **state)
{
    struct zl_socket *socket = *state;
    struct zl_pipe *a = fake_pipe(socket, 0), *b = fake_pipe(socket, 0);
    fake_input(a, 1, 3);
    fake_input(b, 11, 2);
    expect(socket, a, 1, 0, true);
    zl_fair_queue_remove(&fake_of(socket)->in, a);
    expect(socket, b, 11, 0, true);
    expect(socket, b, 11, 1, false);
    expect_nothing(socket);
    zl_fair_queue_remove(&fake_of(socket)->in, a); /* harmless */
}

static void another_pipe_goes(void **state)
{
    struct zl_socket *socket = *state;
    struct zl_pipe *a = fake_pipe(socket, 0), *b = fake_pipe(socket, 0), *c = fake_pipe(socket, 0);
    fake_input(a, 1, 2);
    fake_input(b, 11, 1);
    fake_input(c, 21, 1);
    expect(socket, a, 1, 0, true);
    zl_pipe_end_locked(b, true);
    assert_int_equal(fake_of(socket)->detaches, 1);
    fake_unlock(socket); /* it is freed here */
    expect(socket, a, 1, 1, false);
    expect(socket, c, 21, 0, false);
    expect_nothing(socket);
}

/* A pipe that has ended gives what is left in it, then it is detached. */
static void an_ended_pipe_is_read_to_its_end(void **state)
{
    struct zl_socket *socket = *state;
    struct zl_pipe *a = fake_pipe(socket, 0), *b = fake_pipe(socket, 0);
    fake_input(a, 1, 2);
    fake_input(a, 2, 1);
    fake_input(b, 11, 1);
    zl_pipe_end_locked(a, false);
    assert_int_equal(fake_of(socket)->detaches, 0);
    expect(socket, a, 1, 0, true);
    expect(socket, a, 1, 1, false);
    expect(socket, b, 11, 0, false);
    expect(socket, a, 2, 0, false);
    expect_nothing(socket);
    assert_int_equal(fake_of(socket)->detaches, 1);
}

/* Random input and reading. Per pipe the order is kept. Between two messages of one pipe every other
   pipe gets at least one turn if it had input all the time, and at most one if the first one had. */
enum { PIPES = 5, OPERATIONS = 20000 };

struct model {
    uint8_t next_in[PIPES]; /* numbers, modulo 256 */
    uint8_t next_out[PIPES];
    unsigned waiting[PIPES]; /* messages */
    /* Since the last message of the first pipe: */
    bool stayed[PIPES];            /* it had input all the time */
    bool had_input[PIPES][PIPES];  /* the second one had input when it began */
    unsigned served[PIPES][PIPES]; /* messages of the second one */
};

static void check_turns(struct model *m, int index)
{
    m->waiting[index]--;
    for (int other = 0; other < PIPES; other++) {
        if (other == index)
            continue;
        if (m->had_input[index][other])
            assert_true(m->served[index][other] >= 1);
        if (m->stayed[index])
            assert_true(m->served[index][other] <= 1);
        m->served[index][other] = 0;
        m->had_input[index][other] = m->waiting[other] > 0;
        m->served[other][index]++;
    }
    m->stayed[index] = m->waiting[index] > 0;
}

static void read_message(struct zl_socket *socket, struct zl_pipe **pipes, struct model *m)
{
    struct zl_pipe *from, *same;
    struct zl_msg msg;
    int index = 0;
    bool more = true;
    assert_int_equal(zl_fair_queue_recv(&fake_of(socket)->in, &msg, &from), 0);
    while (pipes[index] != from)
        index++;
    for (uint8_t part = 0; more; part++) {
        uint8_t octets[2] = {m->next_out[index], part};
        assert_memory_equal(zl_msg_data(&msg), octets, 2);
        more = msg.flags & ZL_MSG_MORE;
        zl_msg_close(&msg);
        if (more) {
            assert_int_equal(zl_fair_queue_recv(&fake_of(socket)->in, &msg, &same), 0);
            assert_ptr_equal(same, from);
        }
    }
    m->next_out[index]++;
    check_turns(m, index);
}

static void turns_are_fair(void **state)
{
    struct zl_socket *socket = *state;
    struct zl_pipe *pipes[PIPES];
    struct model m;
    uint64_t random = 9;
    memset(&m, 0, sizeof m);
    for (int i = 0; i < PIPES; i++)
        pipes[i] = fake_pipe(socket, 0);
    for (int operation = 0; operation < OPERATIONS; operation++) {
        unsigned index = octets_random(&random) % PIPES, total = 0;
        /* Phases of growing and of falling input. */
        if (octets_random(&random) % 10 < (operation / 500 % 2 ? 7 : 3)) {
            fake_input(pipes[index], m.next_in[index]++, (uint8_t)(1 + octets_random(&random) % 3));
            m.waiting[index]++;
        } else {
            for (int i = 0; i < PIPES; i++)
                total += m.waiting[i];
            assert_int_equal(zl_fair_queue_readable(&fake_of(socket)->in), total > 0);
            if (total > 0)
                read_message(socket, pipes, &m);
        }
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_setup, fake_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_without_pipes_or_input),
        TEST(pipes_take_turns),
        TEST(messages_are_not_interrupted),
        TEST(adding_twice_is_adding_once),
        TEST(the_sender_need_not_be_asked_for),
        TEST(the_current_pipe_goes),
        TEST(another_pipe_goes),
        TEST(an_ended_pipe_is_read_to_its_end),
        TEST(turns_are_fair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
