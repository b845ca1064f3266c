/* SPDX-License-Identifier: MPL-2.0 */
/* Streams whose two sides are one state machine (TLS): reading and writing never overlap, nothing is
 * left undone when the one claim comes back, and bytes that the stream owes are offered again first. */
#include "unit/core/scripted_steps.h"

#include "core/drive.h"
#include "core/link_io.h"

/* One driver's pass over what is flagged. */
static bool drive(struct scripted_link *script)
{
    zl_socket_lock(script->socket);
    bool any = zl_drive_flagged_locked(script->socket);
    zl_socket_unlock(script->socket);
    return any;
}

static bool send_some(struct scripted_link *script, size_t from, size_t size)
{
    int rc = zmq_send(script->socket, scripted_text + from, size, ZMQ_DONTWAIT);
    assert_true(rc == (int)size || (rc == -1 && errno == EAGAIN));
    return rc != -1;
}

/* ---- One claim -------------------------------------------------------------------------------- */

static bool loop_will_drive(const struct scripted_link *script)
{
    for (struct zl_task *task = atomic_load(&script->loop.tasks); task; task = task->next)
        if (task == &script->socket->drive_task)
            return true;
    return false;
}

static void input_arrives(struct scripted_link *script)
{
    script->meanwhile = NULL;
    scripted_flag(script, EPOLLIN);
    assert_false(zl_list_linked(&script->link.readable_node));
    assert_false(drive(script)); /* whoever collected the event cannot read now */
}

/* Input is reported while another thread writes. That one cannot know whether anybody is there to
 * read: the loop is told. */
static void input_during_a_write_is_read_afterwards(void **state)
{
    (void)state;
    struct scripted_link script;
    scripted_open_as(
        &script, (struct scripted_kind){.type = ZMQ_DEALER, .half_duplex = true, .posts = true});
    scripted_give(&script, (const uint8_t *)"\0\5input", 7);
    script.meanwhile = input_arrives;
    assert_true(send_some(&script, 0, 100));
    assert_int_equal(script.reads, 0);
    assert_true(zl_list_linked(&script.link.readable_node));
    assert_true(loop_will_drive(&script));
    scripted_run_tasks(&script);
    assert_int_equal(script.reads, 1);
    char input[8];
    assert_int_equal(zmq_recv(script.socket, input, sizeof input, ZMQ_DONTWAIT), 5);
    assert_memory_equal(input, "input", 5);
    scripted_free(&script);
}

static bool owner_was_woken(const struct scripted_link *script)
{
    return atomic_load(&script->socket->sleeping) == 0;
}

/* As above, but the owner has the lease and sleeps in the pollset: it has seen the edge, found the
 * claim taken, and sleeps again. Nobody else will read, and there will be no other edge. The writer is
 * the loop, with a ping or with what the owner left to it. */
static void sleeping_owner_is_told_of_input_during_a_write(void **state)
{
    (void)state;
    struct scripted_link script;
    scripted_open_as(
        &script, (struct scripted_kind){.type = ZMQ_DEALER, .half_duplex = true, .posts = true});
    zl_socket_lock(script.socket);
    assert_int_equal(zl_drive_open_wake_locked(script.socket), 0);
    script.socket->leased = true;
    script.socket->driver_waits = true;
    script.socket->in_wait = script.socket->fd_waiters = 1;
    atomic_store(&script.socket->sleeping, ZL_SLEEP_EVENTFD);
    script.link.ping_due = true;
    zl_socket_unlock(script.socket);
    script.meanwhile = input_arrives;
    scripted_flush(&script);
    assert_int_equal(script.calls, 1);
    assert_true(zl_list_linked(&script.link.readable_node));
    assert_true(owner_was_woken(&script) || loop_will_drive(&script));
    zl_socket_lock(script.socket);
    script.socket->leased = script.socket->driver_waits = false;
    script.socket->in_wait = script.socket->fd_waiters = 0;
    zl_socket_unlock(script.socket);
    scripted_free(&script);
}

static void output_arrives(struct scripted_link *script)
{
    script->meanwhile = NULL;
    assert_true(send_some(script, 0, 100));
    assert_int_equal(script->calls, 0);
    scripted_flush(script);
    assert_int_equal(script->calls, 0);
}

/* A message is sent while another thread reads: the reader writes it, or tells the loop. */
static void output_during_a_read_is_written_afterwards(void **state)
{
    (void)state;
    struct scripted_link script;
    scripted_open_as(
        &script, (struct scripted_kind){.type = ZMQ_DEALER, .half_duplex = true, .posts = true});
    scripted_give(&script, (const uint8_t *)"\0\5input", 7);
    script.meanwhile = output_arrives;
    script.disturb_reads = true;
    scripted_flag(&script, EPOLLIN);
    zl_socket_lock(script.socket);
    zl_link_read_locked(&script.link, 65536);
    zl_socket_unlock(script.socket);
    assert_int_equal(script.reads, 1);
    assert_true(zl_list_linked(&script.link.unflushed_node));
    assert_true(loop_will_drive(&script));
    while (scripted_pending(&script) > 0)
        assert_true(scripted_run_tasks(&script) > 0);
    assert_int_equal(script.taken_size, 102);
    scripted_free(&script);
}

/* A ping and a message that are there when the peer stops reading, in one. */
static void pause_ends_while_a_write_is_in_flight(struct scripted_link *script)
{
    script->meanwhile = NULL;
    char input[8];
    scripted_flag(script, EPOLLIN);
    while (zmq_recv(script->socket, input, sizeof input, ZMQ_DONTWAIT) != -1) {
    }
    assert_int_equal(script->reads, 1);
}

/* The mark was reached and the receiver makes room during a write: reading goes on afterwards. */
static void reading_resumes_after_a_write(void **state)
{
    (void)state;
    struct scripted_link script;
    scripted_open_as(
        &script, (struct scripted_kind){.type = ZMQ_DEALER, .half_duplex = true, .posts = true});
    zl_socket_lock(script.socket);
    zl_pipe_set_hwm_locked(script.link.pipe, 1000, 2);
    zl_socket_unlock(script.socket);
    scripted_give(&script, (const uint8_t *)"\0\1a\0\1b\0\1c", 9);
    scripted_flag(&script, EPOLLIN);
    assert_true(drive(&script));
    scripted_flag(&script, EPOLLIN);
    drive(&script);
    assert_true(script.link.paused);
    script.meanwhile = pause_ends_while_a_write_is_in_flight;
    assert_true(send_some(&script, 0, 100));
    assert_false(script.link.paused);
    assert_true(zl_list_linked(&script.link.readable_node));
    assert_true(loop_will_drive(&script));
    scripted_free(&script);
}

/* ---- Owed bytes ------------------------------------------------------------------------------- */

static ssize_t take_and_owe(struct scripted_link *script, size_t offered)
{
    script->owe = script->limit;
    return script->taken_size < 10 && offered > 10 ? 10 : 0;
}

/* Nothing goes in front of bytes that the stream has encoded, not even at a boundary. The stream
   checks it. */
static void pong_waits_behind_owed_bytes(void **state)
{
    static const struct {
        bool websocket, accepted;
        ssize_t (*accept)(struct scripted_link *script, size_t offered);
    } rows[] = {{false, false, scripted_refuse},
                {false, false, take_and_owe},
                {true, false, take_and_owe},
                {true, true, take_and_owe}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct scripted_link script;
        scripted_open_as(&script, (struct scripted_kind){.type = ZMQ_PUSH,
                                                         .half_duplex = true,
                                                         .websocket = rows[i].websocket,
                                                         .accepted = rows[i].accepted,
                                                         .posts = true});
        script.accept = rows[i].accept;
        script.limit = 1000;
        send_some(&script, 0, 300);
        assert_true(script.link.blocked);
        script.link.pong_due = true;
        script.link.ping_due = true;
        script.accept = NULL;
        scripted_flag(&script, EPOLLOUT);
        size_t before = script.taken_size;
        while (drive(&script) || scripted_run_tasks(&script) > 0) {
        }
        assert_true(script.taken_size > before + 290);
        assert_int_equal(scripted_pending(&script), 0);
        assert_false(script.link.pong_due);
        scripted_free(&script);
    }
}

static ssize_t owe_everything(struct scripted_link *script, size_t offered)
{
    script->owe = offered;
    return 0;
}

/* CONFLATE: an unsent message may be replaced, but not while the stream owes it. */
static void owed_message_is_not_replaced(void **state)
{
    (void)state;
    for (int owes = 0; owes < 2; owes++) {
        struct scripted_link script;
        scripted_open_as(
            &script, (struct scripted_kind){
                         .type = ZMQ_PUSH, .half_duplex = true, .conflate = true, .posts = true});
        script.accept = owes ? owe_everything : scripted_refuse;
        assert_true(send_some(&script, 0, 10));
        for (size_t i = 1; i < 20; i++)
            assert_true(send_some(&script, 100 * i, 20));
        script.accept = NULL;
        for (int round = 0; round < 3; round++) {
            scripted_flag(&script, EPOLLOUT);
            scripted_flush(&script);
            scripted_run_tasks(&script);
        }
        size_t first = owes ? 12 : 0;
        assert_int_equal(script.taken_size, first + 22);
        assert_memory_equal(script.taken + 2, owes ? scripted_text : scripted_text + 1900, 10);
        assert_memory_equal(script.taken + first + 2, scripted_text + 1900, 20);
        scripted_free(&script);
    }
}

/* ---- Anything in any order -------------------------------------------------------------------- */

enum { ROUNDS = 40, STEPS = 300, INPUT = 400 };

static ssize_t take_some(struct scripted_link *script, size_t offered)
{
    script->owe = scripted_below(script, 2) ? scripted_below(script, 16384) : 0;
    switch (scripted_below(script, 4)) {
    case 0:
        return 0;
    case 1:
        script->owe = 0;
        return (ssize_t)offered;
    default:
        return 1 + (ssize_t)scripted_below(script, (uint32_t)offered);
    }
}

static size_t supply_some(struct scripted_link *script, size_t room)
{
    return scripted_below(script, 3) ? 1 + scripted_below(script, (uint32_t)room) % 50 : 0;
}

struct flow {
    uint8_t *expected;
    size_t size;
    unsigned received;
    bool receiving; /* a zmq_recv is under way */
};
static struct flow flow;

static void expect_sent(size_t from, size_t size)
{
    flow.expected = realloc(flow.expected, flow.size + size + 9);
    assert_non_null(flow.expected);
    uint8_t *at = flow.expected + flow.size;
    *at++ = size > 255 ? 2 : 0;
    for (int shift = size > 255 ? 56 : 0; shift >= 0; shift -= 8)
        *at++ = (uint8_t)((uint64_t)size >> shift);
    memcpy(at, scripted_text + from, size);
    flow.size = (size_t)(at + size - flow.expected);
}

/* A socket has one receiver at a time: a zmq_recv that drives, with its message in hand, is not
 * overtaken by what happens meanwhile. */
static void receive_some(struct scripted_link *script)
{
    uint8_t number[2];
    if (flow.receiving)
        return;
    flow.receiving = true;
    for (int rc; (rc = zmq_recv(script->socket, number, sizeof number, ZMQ_DONTWAIT)) != -1;) {
        assert_int_equal(rc, 2);
        assert_int_equal(number[0] << 8 | number[1], flow.received);
        flow.received++;
    }
    flow.receiving = false;
}

static void do_something(struct scripted_link *script)
{
    size_t from = scripted_below(script, 1000),
           size = 1 + scripted_below(script, scripted_below(script, 9) ? 300 : 30000);
    switch (scripted_below(script, 6)) {
    case 0:
        scripted_flag(script, EPOLLIN);
        break;
    case 1:
        scripted_flag(script, EPOLLOUT);
        break;
    case 2:
        scripted_flush(script);
        break;
    case 3:
        receive_some(script);
        break;
    case 4:
        scripted_run_tasks(script);
        break;
    default:
        if (zl_pipe_can_write(script->link.pipe)) {
            expect_sent(from, size);
            assert_true(send_some(script, from, size));
        }
    }
}

static void sometimes_disturb(struct scripted_link *script)
{
    if (scripted_below(script, 2))
        do_something(script);
}

/* Both directions are complete in the end, though only events and posted tasks drive them. */
static void run_random(uint64_t seed)
{
    struct scripted_link script;
    uint8_t input[4 * INPUT];
    for (unsigned i = 0; i < INPUT; i++)
        memcpy(input + (size_t)4 * i, (uint8_t[]){0, 2, (uint8_t)(i >> 8), (uint8_t)i}, 4);
    flow = (struct flow){0};
    scripted_open_as(
        &script, (struct scripted_kind){.type = ZMQ_DEALER, .half_duplex = true, .posts = true});
    script.random = seed;
    scripted_give(&script, input, sizeof input);
    script.supply = supply_some;
    script.accept = take_some;
    script.meanwhile = sometimes_disturb;
    script.disturb_reads = true;
    for (int i = 0; i < STEPS; i++)
        do_something(&script);
    script.meanwhile = NULL;
    for (int i = 0; scripted_pending(&script) > 0 || flow.received < INPUT; i++) {
        assert_in_range(i, 0, 100000);
        /* An event is only reported for what the stream said it had no more of. */
        if (script.given_used < script.given_size)
            scripted_flag(&script, EPOLLIN);
        if (script.link.blocked)
            scripted_flag(&script, EPOLLOUT);
        scripted_run_tasks(&script);
        receive_some(&script);
    }
    assert_int_equal(script.taken_size, flow.size);
    assert_memory_equal(script.taken, flow.expected, flow.size);
    free(flow.expected);
    scripted_free(&script);
}

static void random_exchanges(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++)
        run_random(seed);
}

int main(void)
{
    scripted_make_text();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(input_during_a_write_is_read_afterwards),
        cmocka_unit_test(sleeping_owner_is_told_of_input_during_a_write),
        cmocka_unit_test(output_during_a_read_is_written_afterwards),
        cmocka_unit_test(reading_resumes_after_a_write),
        cmocka_unit_test(pong_waits_behind_owed_bytes),
        cmocka_unit_test(owed_message_is_not_replaced),
        cmocka_unit_test(random_exchanges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
