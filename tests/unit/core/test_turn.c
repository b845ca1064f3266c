/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of a sender's turn, by a clock and a core of the test's own. */
#include "unit/wire/octets.h"

#include "base/clock.h"

#include <sched.h>

static uint64_t clock_now; /* what the clock says */
static uint64_t away;      /* how long others keep the core */
static unsigned given;     /* how often it was given away */

static uint64_t fake_now(void)
{
    return clock_now;
}

static int fake_yield(void)
{
    given++;
    clock_now += away;
    return 0;
}

#define zl_now_ns fake_now
#define sched_yield fake_yield
#include "core/turn.c"
#undef zl_now_ns
#undef sched_yield

static int begin(void **state)
{
    (void)state;
    clock_now = 1000000000;
    away = 1000;
    given = 0;
    zl_turn_give_away(); /* a short absence: turns have their usual length */
    zl_turn_waited();
    given = 0;
    return 0;
}

/* Writes every `step` until the turn is over; returns how long that took. */
static uint64_t write_until_over(uint64_t step)
{
    uint64_t begun = clock_now;
    while (!zl_turn_is_over()) {
        clock_now += step;
        assert_in_range(clock_now - begun, 0, 10 * TURN_MAX_NS);
    }
    return clock_now - begun;
}

static void a_turn_has_a_length(void **state)
{
    (void)state;
    uint64_t step = 1000;
    assert_in_range(write_until_over(step), TURN_NS, TURN_NS + WRITES_MIN * step);
    zl_turn_give_away();
    assert_int_equal(given, 1);
    assert_in_range(write_until_over(step), TURN_NS, TURN_NS + step);
}

static void who_sleeps_now_and_then_has_no_end(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        for (int writes = 1; writes < WRITES_MIN; writes++) {
            assert_false(zl_turn_is_over());
            clock_now += TURN_NS;
        }
        zl_turn_waited();
    }
}

static void a_sleep_begins_a_new_turn(void **state)
{
    (void)state;
    write_until_over(1000);
    zl_turn_waited();
    assert_in_range(write_until_over(1000), TURN_NS, TURN_NS + WRITES_MIN * 1000);
}

static void a_long_pause_begins_a_new_turn(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        assert_false(zl_turn_is_over());
        clock_now += PAUSE_NS + 1;
    }
    assert_in_range(write_until_over(PAUSE_NS), TURN_NS, TURN_NS + PAUSE_NS);
}

/* Beside a program that never sleeps. */
static void long_absences_make_turns_longer(void **state)
{
    (void)state;
    uint64_t length = TURN_NS;
    away = AWAY_NS;
    for (int i = 0; i < 20; i++) {
        write_until_over(1000);
        zl_turn_give_away();
        length = 2 * length < TURN_MAX_NS ? 2 * length : TURN_MAX_NS;
        assert_in_range(write_until_over(1000), length, length + 1000);
    }
    assert_int_equal(length, TURN_MAX_NS);
    away = AWAY_NS - 1;
    zl_turn_give_away();
    assert_in_range(write_until_over(1000), TURN_NS, TURN_NS + 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_turn_has_a_length, begin),
        cmocka_unit_test_setup(who_sleeps_now_and_then_has_no_end, begin),
        cmocka_unit_test_setup(a_sleep_begins_a_new_turn, begin),
        cmocka_unit_test_setup(a_long_pause_begins_a_new_turn, begin),
        cmocka_unit_test_setup(long_absences_make_turns_longer, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
