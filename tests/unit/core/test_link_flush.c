/* SPDX-License-Identifier: MPL-2.0 */
/* The writing side of a link, over a stream that takes what the test wants: where a partial write
 * goes on, when nothing may be tried, and that "the kernel said no" always agrees with the queue. */
#include "support/sanitizer.h"
#include "unit/core/scripted_steps.h"

/* What the peer has to get, encoded without the library's help. */
struct expected {
    uint8_t *bytes;
    size_t size;
};

static void expect_frame(struct expected *expected, const uint8_t *body, size_t size, bool more)
{
    expected->bytes = realloc(expected->bytes, expected->size + 9 + size);
    assert_non_null(expected->bytes);
    uint8_t *at = expected->bytes + expected->size;
    *at++ = (uint8_t)((more ? 1 : 0) | (size > 255 ? 2 : 0));
    for (int shift = size > 255 ? 56 : 0; shift >= 0; shift -= 8)
        *at++ = (uint8_t)((uint64_t)size >> shift);
    if (size)
        memcpy(at, body, size);
    expected->size = (size_t)(at + size - expected->bytes);
}

/* False, and nothing expected, at the high-water mark. The expectation comes first: a send may write,
 * and other sends may happen inside that write. */
static bool send_part(struct scripted_link *script, struct expected *expected, size_t from,
                      size_t size, bool more)
{
    int flags = ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0);
    size_t before = expected ? expected->size : 0;
    if (expected)
        expect_frame(expected, scripted_text + from, size, more);
    int rc = zmq_send(script->socket, scripted_text + from, size, flags);
    if (rc == -1) {
        assert_int_equal(errno, EAGAIN);
        if (expected)
            expected->size = before;
        return false;
    }
    assert_int_equal(rc, size);
    return true;
}

static void assert_taken(const struct scripted_link *script, const struct expected *expected,
                         size_t size)
{
    assert_int_equal(script->taken_size, size);
    if (size)
        assert_memory_equal(script->taken, expected->bytes, size);
}

/* Between two calls: what is unwritten waits for the kernel or for a driver, never for nobody. */
static void assert_consistent(const struct scripted_link *script)
{
    const struct zl_link *link = &script->link;
    bool listed = zl_list_linked(&link->unflushed_node);
    assert_int_equal(script->socket->blocked_links, link->blocked);
    assert_false(link->writing);
    assert_true(!link->blocked || scripted_pending(script) > 0);
    assert_int_equal(listed, scripted_pending(script) > 0 && !link->blocked);
}

/* ---- Partial writes --------------------------------------------------------------------------- */

/* Both header forms, empty and referenced bodies, parts, several messages. */
static void queue_sequence(struct scripted_link *script, struct expected *expected)
{
    static const struct {
        size_t size;
        bool more;
    } parts[] = {{5, true},   {0, true},    {300, false}, {0, false}, {33, false},
                 {255, true}, {256, false}, {8192, true}, {1, false}, {8191, false}};
    script->accept = scripted_refuse;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        assert_true(send_part(script, expected, i * 100, parts[i].size, parts[i].more));
}

/* Cut at every byte; under a sanitizer at every seventh, and at the borders by the next test. */
static void partial_write_continues_at_the_right_byte(void **state)
{
    (void)state;
    size_t total = 1;
    for (size_t cut = 0; cut <= total; cut += TS_ROUNDS(1, 7)) {
        struct scripted_link script;
        struct expected expected = {NULL, 0};
        scripted_open(&script);
        queue_sequence(&script, &expected);
        total = expected.size;
        scripted_flag(&script, EPOLLOUT);
        script.accept = scripted_take_limit;
        script.limit = cut;
        script.calls = 0;
        assert_true(scripted_flush(&script)); /* also in vain: the gate was let go */
        assert_int_equal(script.calls, 1);
        assert_taken(&script, &expected, cut);
        assert_int_equal(script.link.blocked, cut < total);
        assert_consistent(&script);
        scripted_flag(&script, EPOLLOUT);
        script.accept = NULL;
        scripted_flush(&script);
        assert_taken(&script, &expected, total);
        assert_consistent(&script);
        free(expected.bytes);
        scripted_free(&script);
    }
}

static void one_byte_at_a_time(void **state)
{
    (void)state;
    struct scripted_link script;
    struct expected expected = {NULL, 0};
    scripted_open(&script);
    queue_sequence(&script, &expected);
    script.accept = scripted_take_limit;
    script.limit = 1;
    for (size_t taken = 1; taken <= expected.size; taken++) {
        scripted_flag(&script, EPOLLOUT);
        scripted_flush(&script);
        assert_int_equal(script.taken_size, taken);
        assert_consistent(&script);
    }
    assert_taken(&script, &expected, expected.size);
    free(expected.bytes);
    scripted_free(&script);
}

/* ---- Would-block ------------------------------------------------------------------------------ */

static void would_block_switches_over_once(void **state)
{
    (void)state;
    struct scripted_link script;
    struct expected expected = {NULL, 0};
    scripted_open(&script);
    script.accept = scripted_refuse;
    send_part(&script, &expected, 0, 10, false);
    assert_int_equal(script.calls, 1);
    assert_true(script.link.blocked);
    /* From here on only readiness makes anybody try again. */
    for (size_t i = 0; i < 100; i++) {
        send_part(&script, &expected, i, 10 + i * 20, false);
        assert_false(scripted_flush(&script));
        assert_consistent(&script);
    }
    assert_int_equal(script.calls, 1);
    /* Reported twice, as a level and an edge may be. */
    scripted_flag(&script, EPOLLOUT);
    assert_consistent(&script);
    scripted_flag(&script, EPOLLOUT);
    assert_consistent(&script);
    script.accept = NULL;
    assert_true(scripted_flush(&script));
    assert_taken(&script, &expected, expected.size);
    assert_consistent(&script);
    free(expected.bytes);
    scripted_free(&script);
}

static void becomes_writable(struct scripted_link *script)
{
    scripted_flag(script, EPOLLOUT);
    script->meanwhile = NULL;
    script->accept = NULL;
}

/* The kernel says no, and yes before the writer has told anybody: the edge must not be lost. */
static void readiness_during_the_refused_write_counts(void **state)
{
    (void)state;
    struct scripted_link script;
    struct expected expected = {NULL, 0};
    scripted_open(&script);
    script.accept = scripted_refuse;
    script.meanwhile = becomes_writable;
    send_part(&script, &expected, 0, 100, false);
    assert_int_equal(script.calls, 2);
    assert_taken(&script, &expected, expected.size);
    assert_consistent(&script);
    free(expected.bytes);
    scripted_free(&script);
}

/* Readiness from before is no reason to try again after a refusal. */
static void old_readiness_does_not_count(void **state)
{
    (void)state;
    struct scripted_link script;
    scripted_open(&script);
    scripted_flag(&script, EPOLLOUT);
    script.accept = scripted_refuse;
    send_part(&script, NULL, 0, 100, false);
    assert_int_equal(script.calls, 1);
    assert_true(script.link.blocked);
    assert_consistent(&script);
    scripted_free(&script);
}

/* The mark counts messages that the kernel does not have completely. */
static void high_water_mark_counts_whole_messages(void **state)
{
    (void)state;
    struct scripted_link script;
    struct expected expected = {NULL, 0};
    scripted_open(&script);
    zl_socket_lock(script.socket);
    zl_pipe_set_hwm_locked(script.link.pipe, 2, 0);
    zl_socket_unlock(script.socket);
    script.accept = scripted_refuse;
    assert_true(send_part(&script, &expected, 0, 50, false));
    assert_true(send_part(&script, &expected, 50, 60, false));
    assert_false(send_part(&script, &expected, 0, 1, false));
    script.accept = scripted_take_limit;
    script.limit = 51; /* of 52 */
    scripted_flag(&script, EPOLLOUT);
    scripted_flush(&script);
    assert_true(script.link.blocked);
    assert_false(send_part(&script, &expected, 0, 1, false));
    script.limit = 1;
    scripted_flag(&script, EPOLLOUT);
    scripted_flush(&script);
    assert_true(script.link.blocked);
    assert_true(send_part(&script, &expected, 1, 1, false));
    assert_false(send_part(&script, &expected, 0, 1, false));
    script.accept = NULL;
    scripted_flag(&script, EPOLLOUT);
    scripted_flush(&script);
    assert_taken(&script, &expected, expected.size);
    free(expected.bytes);
    scripted_free(&script);
}

/* ---- While a write is in flight --------------------------------------------------------------- */

static struct expected *shared_expected;

/* Each of the things another thread may do; in_flight is checked by the stream. */
static void disturb(struct scripted_link *script)
{
    unsigned calls = script->calls;
    assert_false(scripted_flush(script));
    assert_true(send_part(script, shared_expected, script->calls, 40, true));
    assert_true(send_part(script, shared_expected, script->calls, 9000, false));
    assert_false(scripted_flush(script));
    assert_int_equal(script->calls, calls);
    if (script->calls >= 10)
        script->meanwhile = NULL;
}

static void nothing_is_written_beside_a_write(void **state)
{
    (void)state;
    struct scripted_link script;
    struct expected expected = {NULL, 0};
    shared_expected = &expected;
    scripted_open(&script);
    script.meanwhile = disturb;
    send_part(&script, &expected, 0, 100, false);
    /* What was appended meanwhile is not forgotten: it is written, or listed for the next driver. */
    while (scripted_pending(&script) > 0) {
        assert_consistent(&script);
        assert_true(scripted_flush(&script));
    }
    assert_taken(&script, &expected, expected.size);
    assert_true(script.calls > 10);
    assert_consistent(&script);
    free(expected.bytes);
    scripted_free(&script);
}

static ssize_t reset(struct scripted_link *script, size_t offered)
{
    (void)script;
    (void)offered;
    return -ECONNRESET;
}

/* A lost connection is no would-block: nothing counts as blocked, nothing is tried any more. */
static void nothing_is_written_after_an_error(void **state)
{
    (void)state;
    struct scripted_link script;
    scripted_open(&script);
    script.accept = scripted_refuse;
    send_part(&script, NULL, 0, 100, false);
    script.accept = reset;
    scripted_flag(&script, EPOLLOUT | EPOLLERR | EPOLLHUP);
    assert_true(scripted_flush(&script));
    assert_int_equal(script.link.broken, -ECONNRESET);
    assert_int_equal(script.calls, 2);
    assert_int_equal(script.socket->blocked_links, 0);
    send_part(&script, NULL, 0, 100, false);
    assert_false(scripted_flush(&script));
    scripted_flag(&script, EPOLLOUT);
    assert_false(scripted_flush(&script));
    assert_int_equal(script.calls, 2);
    assert_false(zl_list_linked(&script.link.unflushed_node));
    assert_ptr_equal(atomic_load(&script.loop.tasks), &script.link.task);
    scripted_free(&script);
}

/* ---- Anything in any order -------------------------------------------------------------------- */

enum { ROUNDS = TS_ROUNDS(30, 10), STEPS = 400 };

static void send_something(struct scripted_link *script)
{
    static const size_t borders[] = {0, 1, 33, 255, 256, 8183, 8191, 8192, 20000, 65536};
    uint32_t parts = scripted_below(script, 4) ? 1 : 1 + scripted_below(script, 4);
    if (!(zl_pipe_can_write(script->link.pipe)))
        return;
    while (parts-- > 0) {
        size_t size = scripted_below(script, 8) ? scripted_below(script, 400)
                                                : borders[scripted_below(script, 10)];
        assert_true(
            send_part(script, shared_expected, scripted_below(script, 30000), size, parts > 0));
    }
}

static void do_something(struct scripted_link *script)
{
    switch (scripted_below(script, 4)) {
    case 0:
        scripted_flag(script, EPOLLOUT);
        break;
    case 1:
        scripted_flush(script);
        break;
    default:
        send_something(script);
    }
}

static void sometimes_disturb(struct scripted_link *script)
{
    if (scripted_below(script, 2))
        do_something(script);
}

static void run_random(uint64_t seed)
{
    struct scripted_link script;
    struct expected expected = {NULL, 0};
    shared_expected = &expected;
    scripted_open(&script);
    script.random = seed;
    script.accept = scripted_take_some;
    script.meanwhile = sometimes_disturb;
    for (int i = 0; i < STEPS; i++) {
        do_something(&script);
        assert_consistent(&script);
    }
    while (scripted_pending(&script) > 0) {
        scripted_flag(&script, EPOLLOUT);
        scripted_flush(&script);
        assert_consistent(&script);
    }
    assert_taken(&script, &expected, expected.size);
    free(expected.bytes);
    scripted_free(&script);
}

static void random_streams(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++)
        run_random(seed);
}

int main(void)
{
    scripted_make_text();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(partial_write_continues_at_the_right_byte),
        cmocka_unit_test(one_byte_at_a_time),
        cmocka_unit_test(would_block_switches_over_once),
        cmocka_unit_test(readiness_during_the_refused_write_counts),
        cmocka_unit_test(old_readiness_does_not_count),
        cmocka_unit_test(high_water_mark_counts_whole_messages),
        cmocka_unit_test(nothing_is_written_beside_a_write),
        cmocka_unit_test(nothing_is_written_after_an_error),
        cmocka_unit_test(random_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
