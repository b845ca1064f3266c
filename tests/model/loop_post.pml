/* SPDX-License-Identifier: MPL-2.0 */
/* Posting a task to the loop, and the loop falling asleep: src/io/loop.c. Beside each step stands the C
   function that it is in; README.md says more.

   What a task has to see is changed under a gate before it is posted, and seen under it when it runs.

   model-holds: plain
   model-rests: plain
   model-fails: WITHOUT_POST_FENCE WITHOUT_WAIT_FENCE WITHOUT_WAIT_LOOK WITHOUT_EARLY_CLEAR
*/

#ifndef POSTS
#define POSTS 3
#endif

#define THREADS 2
#define CALLER 0
#define LOOP 1

#define TASKS 0  /* loop->tasks: 1 with the task on the stack */
#define QUEUED 1 /* task->queued */
#define ASLEEP 2 /* loop->asleep */
#define CELLS 3

#include "memory.pml"

bool gate;
bool wake_fd;
byte work; /* guarded by the gate */
byte done;
bool in_epoll_wait;

inline lock()
{
    atomic { !gate -> gate = true }
}

/* A release: what was stored before is visible. */
inline unlock(me)
{
    atomic { STORED(me) -> gate = false }
}

proctype caller()
{
    bool old;
    do
    :: work < POSTS ->
        lock();
        work++;
        unlock(CALLER);
        exchange(CALLER, QUEUED, 1, old); /* zl_loop_post */
        if
        :: old
        :: else ->
            exchange(CALLER, TASKS, 1, old); /* the compare-and-exchange that pushes */
            assert(!old);
#ifndef WITHOUT_POST_FENCE
            fence(CALLER);
#endif
            if
            :: LOAD(CALLER, ASLEEP) ->
                exchange(CALLER, ASLEEP, 0, old);
                if
                :: old -> d_step { STORED(CALLER) -> wake_fd = true } /* wake */
                :: else
                fi
            :: else
            fi
        fi
    :: true -> break
    od
}

proctype loop()
{
    bool stack, look, event;
    do
    :: true ->
        exchange(LOOP, TASKS, 0, stack); /* run_tasks */
        if
        :: stack ->
#ifndef WITHOUT_EARLY_CLEAR
            store(LOOP, QUEUED, 0);
#endif
            lock(); /* task->run */
            done = work;
            unlock(LOOP);
#ifdef WITHOUT_EARLY_CLEAR
            store(LOOP, QUEUED, 0)
#endif
        :: else
        fi;
        store(LOOP, ASLEEP, 1); /* wait_for_events */
#ifndef WITHOUT_WAIT_FENCE
        fence(LOOP);
#endif
        look = false;
#ifndef WITHOUT_WAIT_LOOK
        look = LOAD(LOOP, TASKS);
#endif
        STORED(LOOP); /* the system call */
        if
        :: look -> event = wake_fd
        :: else ->
            in_epoll_wait = true;
end_asleep:
            atomic { wake_fd -> event = true };
            in_epoll_wait = false
        fi;
        store(LOOP, ASLEEP, 0);
        if
        :: event -> wake_fd = false /* on_wake */
        :: else
        fi
    od
}

init
{
    atomic {
        run memory();
        run caller();
        run loop()
    }
    timeout ->
    assert(in_epoll_wait && done == work)
}
