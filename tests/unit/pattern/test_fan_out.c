/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of fan-out: one message to many pipes, whole or not at all. */
#include "fake_pattern.h"

static uint8_t text[20000];
static unsigned freed;

static void note_freed(void *data, void *hint)
{
    assert_ptr_equal(data, text);
    (void)hint;
    freed++;
}

static int setup(void **state)
{
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i * 5 + (i >> 8));
    freed = 0;
    return fake_setup(state);
}

static struct zl_fan_out *fan_of(struct zl_socket *socket)
{
    return &fake_of(socket)->fan;
}

static void add(struct zl_pipe *pipe)
{
    assert_true(zl_fan_out_add(fan_of(atomic_load(&pipe->socket)), pipe));
}

static void send_octet(struct zl_socket *socket, uint8_t octet, bool more)
{
    struct zl_msg msg;
    assert_int_equal(zl_msg_init_copy_of(&msg, &octet, 1), 0);
    zl_fan_out_send(fan_of(socket), socket, &msg, more);
    assert_int_equal(zl_msg_size(&msg), 0); /* always taken */
    zl_msg_close(&msg);
}

static void every_target_gets_it_once(void **state)
{
    struct zl_socket *socket = *state;
    struct zl_pipe *pipes[20];
    for (int i = 0; i < 20; i++)
        pipes[i] = fake_pipe(socket, 0);
    for (int i = 0; i < 20; i += 2) {
        add(pipes[i]);
        add(pipes[i]);
    }
    assert_true(zl_fan_out_settle(fan_of(socket), false));
    send_octet(socket, 7, false);
    for (int i = 0; i < 20; i++)
        fake_expect_output(pipes[i], i % 2 ? "" : "0001 07");
    /* The targets were those of that message. */
    send_octet(socket, 8, false);
    assert_int_equal(zl_outq_pending(&pipes[0]->outq), 0);
    add(pipes[1]);
    send_octet(socket, 9, false);
    fake_expect_output(pipes[1], "0001 09");
}

static void all_parts_go_to_the_same_targets(void **state)
{
    struct zl_socket *socket = *state;
    struct zl_pipe *a = fake_pipe(socket, 0), *b = fake_pipe(socket, 0), *c = fake_pipe(socket, 0);
    add(a);
    add(c);
    assert_true(zl_fan_out_settle(fan_of(socket), false));
    send_octet(socket, 1, true);
    assert_int_equal(zl_outq_pending(&a->outq), 0); /* not before the last part */
    send_octet(socket, 2, true);
    send_octet(socket, 3, false);
    fake_expect_output(a, "0101 01 0101 02 0001 03");
    fake_expect_output(b, "");
    fake_expect_output(c, "0101 01 0101 02 0001 03");
}

static void nobody_to_send_to(void **state)
{
    struct zl_socket *socket = *state;
    struct zl_msg msg;
    assert_true(zl_fan_out_settle(fan_of(socket), true));
    assert_int_equal(zl_msg_init_data(&msg, text, 10000, note_freed, NULL), 0);
    zl_fan_out_send(fan_of(socket), socket, &msg, false);
    assert_int_equal(freed, 0); /* not under the gate */
    fake_unlock(socket);
    assert_int_equal(freed, 1);
}

static void full_pipes_miss_the_message(void **state)
{
    struct zl_socket *socket = *state;
    struct zl_pipe *a = fake_pipe(socket, 1), *b = fake_pipe(socket, 0), *c = fake_pipe(socket, 1);
    add(a);
    send_octet(socket, 1, false);
    add(a);
    add(b);
    add(c);
    assert_true(zl_fan_out_settle(fan_of(socket), false));
    send_octet(socket, 2, true);
    assert_int_equal(fake_drain(a), 3); /* too late for this message */
    send_octet(socket, 3, false);
    assert_int_equal(a->dropped, 1);
    assert_int_equal(b->dropped, 0);
    fake_expect_output(a, "");
    fake_expect_output(b, "0101 02 0001 03");
    fake_expect_output(c, "0101 02 0001 03");
    add(a);
    assert_true(zl_fan_out_settle(fan_of(socket), false));
    send_octet(socket, 4, false);
    fake_expect_output(a, "0001 04");
}

static void one_full_pipe_keeps_all_from_it_where_nothing_may_be_dropped(void **state)
{
    struct zl_socket *socket = *state;
    struct zl_pipe *a = fake_pipe(socket, 0), *b = fake_pipe(socket, 1), *c = fake_pipe(socket, 0);
    add(b);
    send_octet(socket, 1, false);
    add(a);
    add(b);
    add(c);
    assert_false(zl_fan_out_settle(fan_of(socket), true));
    assert_int_equal(fan_of(socket)->count, 0);
    assert_false(a->matched || b->matched || c->matched);
    assert_int_equal(b->dropped, 0);
    fake_drain(b);
    add(a);
    add(b);
    assert_true(zl_fan_out_settle(fan_of(socket), true));
    send_octet(socket, 2, false);
    fake_expect_output(a, "0001 02");
    fake_expect_output(b, "0001 02");
    fake_expect_output(c, "");
}

static void targets_may_go_within_a_message(void **state)
{
    struct zl_socket *socket = *state;
    struct zl_pipe *pipes[5];
    for (int i = 0; i < 5; i++) {
        pipes[i] = fake_pipe(socket, 0);
        add(pipes[i]);
    }
    send_octet(socket, 1, true);
    zl_pipe_end_locked(pipes[0], true); /* the first, the last, one between */
    zl_pipe_end_locked(pipes[4], true);
    zl_pipe_end_locked(pipes[2], true);
    zl_fan_out_remove(fan_of(socket), pipes[2]); /* not there: harmless */
    fake_unlock(socket);
    send_octet(socket, 2, false);
    fake_expect_output(pipes[1], "0101 01 0001 02");
    fake_expect_output(pipes[3], "0101 01 0001 02");
}

static void forgotten_targets_get_nothing(void **state)
{
    struct zl_socket *socket = *state;
    struct zl_pipe *a = fake_pipe(socket, 0);
    add(a);
    zl_fan_out_clear(fan_of(socket));
    send_octet(socket, 1, false);
    fake_expect_output(a, "");
    add(a);
    zl_fan_out_free(fan_of(socket)); /* as at the end of the socket, but usable again */
    a->matched = false;
    add(a);
    send_octet(socket, 2, false);
    fake_expect_output(a, "0001 02");
}

/* Sends `msg`, long, to three pipes and returns where its payload lies in each queue. */
static void send_long(struct zl_socket *socket, struct zl_msg *msg, struct zl_pipe *pipes[3],
                      void *places[3])
{
    size_t size = zl_msg_size(msg);
    for (int i = 0; i < 3; i++) {
        pipes[i] = fake_pipe(socket, 0);
        add(pipes[i]);
    }
    zl_fan_out_send(fan_of(socket), socket, msg, false);
    zl_msg_close(msg);
    for (int i = 0; i < 3; i++) {
        struct iovec vectors[2];
        size_t total;
        assert_int_equal(zl_outq_gather(&pipes[i]->outq, vectors, 2, SIZE_MAX, &total), 2);
        assert_int_equal(vectors[1].iov_len, size);
        assert_memory_equal(vectors[1].iov_base, text, size);
        places[i] = vectors[1].iov_base;
    }
}

static void long_content_is_shared_and_freed_with_its_last_holder(void **state)
{
    struct zl_socket *socket = *state;
    struct zl_pipe *pipes[3];
    struct zl_msg msg;
    void *places[3];
    assert_int_equal(zl_msg_init_data(&msg, text, 10000, note_freed, NULL), 0);
    send_long(socket, &msg, pipes, places);
    for (int i = 0; i < 3; i++) {
        assert_ptr_equal(places[i], text);
        assert_int_equal(freed, 0);
        fake_drain(pipes[i]);
        fake_unlock(socket);
    }
    assert_int_equal(freed, 1);
}

static void long_content_of_the_caller_is_copied_once_for_all(void **state)
{
    struct zl_socket *socket = *state;
    struct zl_pipe *pipes[3];
    struct zl_msg msg;
    void *places[3];
    zl_msg_borrow(&msg, text, 10000);
    send_long(socket, &msg, pipes, places);
    assert_ptr_not_equal(places[0], text);
    assert_ptr_equal(places[0], places[1]);
    assert_ptr_equal(places[0], places[2]);
}

/* What arrived in a slab is too short to keep it: it is copied into each queue. */
static void short_content_leaves_its_slab(void **state)
{
    struct zl_socket *socket = *state;
    struct zl_slab *slab = zl_slab_new(100);
    struct zl_pipe *a = fake_pipe(socket, 0), *b = fake_pipe(socket, 0);
    struct zl_msg msg;
    assert_non_null(slab);
    memcpy(slab->data, text, 100);
    zl_msg_init(&msg);
    msg.kind = ZL_MSG_SLICE;
    msg.u.ref.data = slab->data;
    msg.u.ref.size = 100;
    msg.u.ref.owner = slab;
    zl_slab_acquire(slab, 1);
    add(a);
    add(b);
    zl_fan_out_send(fan_of(socket), socket, &msg, false);
    assert_true(zl_slab_unshared(slab));
    zl_slab_release(slab, 1);
    uint8_t octets[102];
    zl_outq_copy(&b->outq, octets, sizeof octets);
    assert_hex(octets, 2, "0064");
    assert_memory_equal(octets + 2, text, 100);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fake_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_target_gets_it_once),
        TEST(all_parts_go_to_the_same_targets),
        TEST(nobody_to_send_to),
        TEST(full_pipes_miss_the_message),
        TEST(one_full_pipe_keeps_all_from_it_where_nothing_may_be_dropped),
        TEST(targets_may_go_within_a_message),
        TEST(forgotten_targets_get_nothing),
        TEST(long_content_is_shared_and_freed_with_its_last_holder),
        TEST(long_content_of_the_caller_is_copied_once_for_all),
        TEST(short_content_leaves_its_slab),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
