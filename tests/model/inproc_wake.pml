/* SPDX-License-Identifier: MPL-2.0 */
/* A writer and a reader over an inproc pair, each the only caller on its socket: src/core/inproc_io.c
   and .h, pipe.c, ring.h, and of drive.c and socket_base.c how a caller sleeps on the futex and is
   woken. Beside each step stands the C function that it is in; README.md says more.

   What is under one gate belongs to one thread here, so the gates are left out, and with them what
   they order. The futex's system calls are fences.

   ctest-timeout: 120
   model-holds: LIMIT=1 LIMIT=2 LIMIT=3 LIMIT=9,AHEAD=1 LIMIT=9,AHEAD=2
   model-fails: WITHOUT_WAKE_READER_FENCE WITHOUT_SET_IDLE_FENCE WITHOUT_IDLE_LOOK
   model-fails: WITHOUT_ASK_FENCE WITHOUT_ASK_LOOK WITHOUT_TELL_FENCE
   model-fails: LIMIT=9,AHEAD=1,WITHOUT_IDLE_TELL
   model-fails: WITHOUT_WAKE_FENCE WITHOUT_SLEEP_FENCE WITHOUT_SLEEP_LOOK
   model-fails: LIMIT=9,AHEAD=2,WITHOUT_ASK_AGAIN
*/

#ifndef MESSAGES
#define MESSAGES 4
#endif
#ifndef LIMIT
#define LIMIT 2 /* of the direction: both high-water marks together */
#endif
/* AHEAD: how often the writer waits for its reader to catch up (zl_inproc_is_ahead) */
#define STEP ((LIMIT + 1) / 2) /* in zl_inproc_tell_writer; TELL_EVERY is more than that */

#define THREADS 2
#define WRITER 0
#define READER 1

/* The atomics that both threads use. A signal of one kind comes to each end, so one bit is enough. */
#define PUBLISHED 0                      /* ring->published of the reader's pipe */
#define READER_IDLE 1                    /* of the reader's pipe */
#define ACKNOWLEDGED 2                   /* of the reader's pipe */
#define WRITER_BLOCKED 3                 /* of the writer's pipe */
#define TOLD_FROM 4                      /* of the writer's pipe */
#define SIGNALS(thread) (5 + (thread))   /* pipe->signals of that end */
#define SIGNALLED(thread) (7 + (thread)) /* socket->signalled: 1 with the pipe in it */
#define SLEEPING(thread) (9 + (thread))  /* socket->sleeping: ZL_SLEEP_FUTEX or 0 */
#define CELLS 11

#include "memory.pml"

bool on_futex[THREADS]; /* the thread sleeps in the kernel */

/* Of the pipes' fields those that the final state is judged by. Each is its thread's own. */
byte sent, delivered;
bool reader_left; /* the reader's program does something else from now on */

/* ---- Waking ---------------------------------------------------------------------------------- */

/* zl_socket_wake */
inline wake(me, other)
{
#ifndef WITHOUT_WAKE_FENCE
    fence(me);
#endif
    if
    :: LOAD(me, SLEEPING(other)) == 0
    :: else ->
        exchange(me, SLEEPING(other), 0, old);
        if
        :: old -> d_step { STORED(me) -> on_futex[other] = false } /* futex_wake, if it sleeps yet */
        :: else
        fi
    fi
}

/* zl_inproc_signal: fetch_or, and the pipe goes on the stack if it is not on its way already. */
inline signal(me, other)
{
    exchange(me, SIGNALS(other), 1, old);
    if
    :: old
    :: else ->
        exchange(me, SIGNALLED(other), 1, old); /* the compare-and-exchange that pushes */
        assert(!old);                            /* or the stack would be a ring */
        wake(me, other)
    fi
}

/* zl_socket_take_signals_locked, take_signals, zl_pipe_take_signals_locked; `react` is what follows. */
#define TAKE_SIGNALS(me, react) \
    if \
    :: LOAD(me, SIGNALLED(me)) -> \
        exchange(me, SIGNALLED(me), 0, old); \
        if \
        :: old -> exchange(me, SIGNALS(me), 0, old); react \
        :: else \
        fi \
    :: else \
    fi

/* zl_drive_wait_locked of a socket without descriptors. Where it goes on every state is looked at
   again. */
inline wait_for_news(me)
{
    if
    :: true /* spin_for_news: looked for a while, and found nothing or something */
    :: true ->
        exchange(me, SLEEPING(me), 1, old); /* begin_sleep: fetch_or */
#ifndef WITHOUT_SLEEP_FENCE
        fence(me);
#endif
        if
#ifndef WITHOUT_SLEEP_LOOK
        :: LOAD(me, SIGNALLED(me))
#endif
        :: else ->
            /* wait_on_futex, zl_futex_wait: the kernel looks at the word and sleeps in one step. */
            d_step {
                STORED(me) -> on_futex[me] = cell[SLEEPING(me)]
            }
end_asleep:
            !on_futex[me]
        fi;
        exchange(me, SLEEPING(me), 0, old) /* end_sleep, clear_sleepers: fetch_and */
    fi
}

/* ---- The reader ------------------------------------------------------------------------------- */

/* tell_if_enough: after a fence, if one is there. */
inline tell_if_enough(next)
{
    if
    :: !LOAD(READER, WRITER_BLOCKED)
    :: else ->
        wanted = LOAD(READER, TOLD_FROM);
        if
        :: delivered < wanted -> next = (wanted < next -> wanted : next)
        :: else ->
            exchange(READER, WRITER_BLOCKED, 0, old);
            if
            :: old -> signal(READER, WRITER)
            :: else
            fi
        fi
    fi
}

proctype reader()
{
    bool in_idle = true; /* as zl_pipe_new leaves it */
    byte visible, tell_at, next, wanted, old;

    do
#ifndef AHEAD /* only the writer's patience helps it when a reader in the middle of a batch leaves */
    :: true -> break
#endif
    :: true -> /* zl_socket_recv */
        TAKE_SIGNALS(READER, in_idle = false); /* begin_call; zl_pipe_input_locked */
look:
        if
        :: in_idle -> goto wait
        :: else
        fi;
        if
        :: visible != delivered -> goto read /* zl_ring_readable */
        :: else -> visible = LOAD(READER, PUBLISHED)
        fi;
        if
        :: visible != delivered -> goto read
        :: else
        fi;

        /* became_idle, zl_inproc_set_idle */
        store(READER, READER_IDLE, 1);
#ifndef WITHOUT_SET_IDLE_FENCE
        fence(READER);
#endif
#ifndef WITHOUT_IDLE_TELL
        tell_if_enough(tell_at);
#endif
#ifndef WITHOUT_IDLE_LOOK
        visible = LOAD(READER, PUBLISHED);
        if
        :: visible != delivered ->
            store(READER, READER_IDLE, 0);
            goto read
        :: else
        fi;
#endif
        in_idle = true;
wait:
        if
        :: LOAD(READER, SIGNALLED(READER)) -> TAKE_SIGNALS(READER, in_idle = false) /* make_progress */
        :: else -> wait_for_news(READER)
        fi;
        goto look;
read:
        delivered++; /* zl_pipe_read, message_delivered */
        store(READER, ACKNOWLEDGED, delivered); /* zl_inproc_delivered */
        if
        :: delivered >= tell_at -> /* zl_inproc_tell_writer */
            next = delivered + STEP;
#ifndef WITHOUT_TELL_FENCE
            fence(READER);
#endif
            tell_if_enough(next);
            tell_at = next
        :: else
        fi
    od;
    reader_left = true
}

/* ---- The writer ------------------------------------------------------------------------------- */

proctype writer()
{
    bool out_full;
    byte room_until, acknowledged, wanted, asked, old;

    do
    :: true -> break
    :: sent < MESSAGES -> /* zl_socket_send */
        TAKE_SIGNALS(WRITER, room_until = 0; out_full = false); /* begin_call */
look:
        if
        :: sent < room_until -> goto write /* zl_pipe_can_write */
        :: out_full -> goto wait           /* zl_pipe_can_write_now */
        :: else
        fi;
        acknowledged = LOAD(WRITER, ACKNOWLEDGED); /* has_room */
        if
        :: sent - acknowledged < LIMIT -> room_until = acknowledged + LIMIT; goto write
        :: else
        fi;
        store(WRITER, TOLD_FROM, sent - LIMIT / 2); /* ask_to_be_told */
        store(WRITER, WRITER_BLOCKED, 1);
#ifndef WITHOUT_ASK_FENCE
        fence(WRITER);
#endif
#ifndef WITHOUT_ASK_LOOK
        acknowledged = LOAD(WRITER, ACKNOWLEDGED); /* zl_inproc_can_write: has_room again */
        if
        :: sent - acknowledged < LIMIT ->
            room_until = acknowledged + LIMIT;
            store(WRITER, WRITER_BLOCKED, 0);
            goto write
        :: else
        fi;
#endif
        out_full = true;
wait:
        if
        :: LOAD(WRITER, SIGNALLED(WRITER)) -> /* make_progress */
            TAKE_SIGNALS(WRITER, room_until = 0; out_full = false)
        :: else -> wait_for_news(WRITER)
        fi;
        goto look;
write:
        sent++; /* zl_inproc_write */
        store(WRITER, PUBLISHED, sent); /* zl_ring_publish */
#ifndef WITHOUT_WAKE_READER_FENCE
        fence(WRITER); /* zl_inproc_wake_reader */
#endif
        if
        :: LOAD(WRITER, READER_IDLE) ->
            exchange(WRITER, READER_IDLE, 0, old);
            if
            :: old -> signal(WRITER, READER)
            :: else
            fi
        :: else
        fi;
#ifdef AHEAD
        acknowledged = LOAD(WRITER, ACKNOWLEDGED);
        if
        :: asked < AHEAD && sent - acknowledged >= 2 -> /* after_long_send, zl_inproc_is_ahead */
            asked++;
            wanted = sent - (sent - acknowledged) / 2;
            store(WRITER, TOLD_FROM, wanted); /* ask_to_be_told */
            store(WRITER, WRITER_BLOCKED, 1);
            fence(WRITER);
            do /* wait_until_caught_up, with all the patience in the world */
            :: LOAD(WRITER, ACKNOWLEDGED) >= wanted -> break /* zl_inproc_is_still_ahead */
            :: else ->
#ifndef WITHOUT_ASK_AGAIN
                if
                :: LOAD(WRITER, WRITER_BLOCKED)
                :: else -> /* ask_to_be_told */
                    store(WRITER, WRITER_BLOCKED, 1);
                    fence(WRITER);
                    if
                    :: LOAD(WRITER, ACKNOWLEDGED) >= wanted -> break
                    :: else
                    fi
                fi;
#endif
                wait_for_news(WRITER);
                TAKE_SIGNALS(WRITER, room_until = 0; out_full = false)
            od
        :: true
        fi
#endif
    od
}

/* ---- What has to hold when nothing moves any more ---------------------------------------------- */

init
{
    atomic {
        cell[READER_IDLE] = 1; /* zl_pipe_new */
        run memory();
        run reader();
        run writer()
    }
    timeout ->
    assert(!on_futex[READER] || delivered == sent);
    /* A reader that left has told the writer, once what the writer asked for was read. */
    assert(!on_futex[WRITER] || delivered < cell[TOLD_FROM]);
    assert(on_futex[READER] || reader_left)
}
