/* SPDX-License-Identifier: MPL-2.0 */
/* Two callers on one socket without descriptors, both asleep on its futex, and a peer that makes room
   for the one and sends messages to the other: src/core/drive.c (zl_drive_wait_locked to end_sleep),
   socket_base.c (zl_socket_wake), pipe.c (taking news in). Beside each step stands the C function that
   it is in; README.md says more.

   What fences are for is shown in inproc_wake.pml; memory is plain here.

   model-holds: plain
   model-fails: WITHOUT_SLEEP_LOOK WITHOUT_COMPARISON WITHOUT_WAKER
*/

#define SENDER 0
#define RECEIVER 1

bool gate;
bool news_room, news_input; /* socket->signalled, with the signals of the pipe in it */
byte sleeping;              /* socket->sleeping: bit 0 is ZL_SLEEP_FUTEX */

/* Guarded by the gate. */
byte in_wait;
bool room, input;

bool on_futex[2];

#ifdef WITHOUT_WAKER
#define CLEARED 0
#else
/* ZL_SLEEP_WAKER: every waker counts in the other bits, which tells a word that was cleared and set
   again from one that was not. */
#define CLEARED ((sleeping | 1) + 1)
#endif

inline lock()
{
    atomic { !gate -> gate = true }
}

/* zl_socket_take_signals_locked: whoever is there takes in the news of all. */
inline take_signals()
{
    atomic {
        room = room || news_room;
        input = input || news_input;
        news_room = false;
        news_input = false
    }
}

/* zl_drive_wait_locked */
inline wait_once(me)
{
    atomic { in_wait++; sleeping = sleeping | 1 }; /* begin_sleep */
    if
#ifndef WITHOUT_SLEEP_LOOK
    :: news_room || news_input
#endif
    :: else ->
        word = sleeping; /* wait_on_futex */
        if
        :: word & 1 ->
            gate = false;
            atomic { /* zl_futex_wait: the kernel compares and sleeps in one step */
                if
#ifdef WITHOUT_COMPARISON
                :: true -> on_futex[me] = true
#else
                :: sleeping == word -> on_futex[me] = true
                :: else
#endif
                fi
            };
end_asleep:
            !on_futex[me];
            lock()
        :: else
        fi
    fi;
    atomic { /* end_sleep, clear_sleepers */
        in_wait--;
        if
        :: in_wait == 0 -> sleeping = sleeping & 254
        :: else
        fi;
        word = 0
    }
}

active proctype sender()
{
    byte word;
    lock(); /* zl_socket_send, send_slowly */
    do
    :: news_room || news_input -> take_signals()
    :: room -> break
    :: !news_room && !news_input && !room -> wait_once(SENDER)
    od;
    gate = false
}

active proctype receiver()
{
    byte word;
    do
    :: true ->
        lock(); /* zl_socket_recv, recv_slowly */
        do
        :: news_room || news_input -> take_signals()
        :: input -> input = false; break
        :: !news_room && !news_input && !input -> wait_once(RECEIVER)
        od;
        gate = false
    od
}

/* zl_socket_wake */
inline wake()
{
    if
    :: !(sleeping & 1)
    :: else ->
        atomic { sleepers = sleeping & 1; sleeping = CLEARED };
        if
        :: sleepers -> atomic { on_futex[SENDER] = false; on_futex[RECEIVER] = false }
        :: else
        fi
    fi
}

active proctype peer()
{
    bool told, wrote, sleepers;
    do
    :: !told -> told = true; news_room = true; wake()
    :: !wrote -> wrote = true; news_input = true; wake()
    :: told && wrote -> break
    od
}

init
{
    timeout ->
    assert(!on_futex[SENDER] || !room);
    assert(!on_futex[RECEIVER] || !input);
    assert(!news_room && !news_input)
}
