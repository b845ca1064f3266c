/* SPDX-License-Identifier: MPL-2.0 */
#define _GNU_SOURCE
#include "core/turn.h"

#include "base/clock.h"

#include <sched.h>

enum {
    WRITES_MIN = 4,     /* since the last wait: who answers never looks at the clock */
    PAUSE_NS = 1000000, /* between two writes: the thread was somewhere else, asleep most likely */
    TURN_NS = 300000,
    TURN_MAX_NS = 10000000,
    AWAY_NS = 1000000, /* a receiver that keeps up needs less */
};

static _Thread_local struct {
    uint64_t began;
    uint64_t written; /* when it last wrote */
    uint64_t length;
    unsigned writes;
} turn __attribute__((tls_model("initial-exec"))) = {.length = TURN_NS};

bool zl_turn_is_over(void)
{
    if (++turn.writes < WRITES_MIN)
        return false;
    uint64_t now = zl_now_ns();
    if (turn.writes == WRITES_MIN || now - turn.written > PAUSE_NS)
        turn.began = now;
    turn.written = now;
    return now - turn.began >= turn.length;
}

void zl_turn_give_away(void)
{
    uint64_t begun = zl_now_ns();
    sched_yield();
    turn.began = turn.written = zl_now_ns();
    turn.length = turn.began - begun < AWAY_NS ? TURN_NS : turn.length * 2;
    if (turn.length > TURN_MAX_NS)
        turn.length = TURN_MAX_NS;
}

void zl_turn_waited(void)
{
    turn.writes = 0;
}
