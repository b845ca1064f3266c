/* SPDX-License-Identifier: MPL-2.0 */
/* Who drives the link of a socket: callers that take the lease, the loop with its tick, the kernel's
   epoll sets and a peer that sends: src/core/drive.c, drive_post.c, link_io.c, link_read.c, socket.c,
   and zl_socket_wake. Beside each step stands the C function that it is in; README.md says more.

   All of it is under the socket's gate but the system calls, so memory is plain here. What is done
   under the gate between two system calls is one step. The tick may come at any time.

   ctest-timeout: 240
   model-holds: plain CALLS=2,RCVHWM=1 CALLS=2,RCVHWM=2 CALLS=2,SENDS,FLUSHES=1 CALLS=2,MESSAGES=2,NEWS
   model-holds: CALLERS=2,CALLS=1,MESSAGES=2 CALLERS=2,CALLS=1,MESSAGES=2,RCVHWM=1
   model-holds: CALLERS=2,CALLS=1,MESSAGES=1,NEWS CALLERS=2,CALLS=2,MESSAGES=1,PROMPT
   model-holds: CALLS=2,MESSAGES=2,POLLS CALLERS=2,CALLS=1,MESSAGES=1,POLLS,NEWS
   model-holds: CALLERS=3,CALLS=1,MESSAGES=0,POLLS,PROMPT
   model-rests: CALLS=2,MESSAGES=1,FLUSHES=1 CALLS=2,MESSAGES=1,NEWS CALLERS=2,CALLS=1,MESSAGES=1
   model-fails: WITHOUT_REARM WITHOUT_HAND_BACK_POST WITHOUT_CLAIM_LOOK WITHOUT_WAKE
   model-fails: WITHOUT_WATCH WITHOUT_TICK_HAND_BACK WITHOUT_TICK_END WITHOUT_DISARM
   model-fails: CALLS=2,MESSAGES=2,NEWS,WITHOUT_LOOK_AT_OTHERS CALLS=1,NEWS,WITHOUT_SLEEP_LOOK
   model-fails: CALLERS=2,CALLS=1,MESSAGES=2,RCVHWM=1,WITHOUT_POST_BESIDE_SLEEPER
   model-fails: WITHOUT_POST_AFTER_LOOK CALLERS=2,CALLS=2,MESSAGES=1,PROMPT,WITHOUT_HAND_BACK_AT_LEAVE
   model-fails: CALLERS=3,CALLS=1,MESSAGES=0,POLLS,PROMPT,WITHOUT_HAND_BACK_AT_END_OF_POLL
   model-stirs: CALLS=1,MESSAGES=1,WITHOUT_TICK_END
*/

#ifndef CALLERS
#define CALLERS 1
#endif
#ifndef CALLS
#define CALLS 3 /* of each caller; then its program does something else for ever */
#endif
#ifndef MESSAGES
#define MESSAGES 3 /* that the peer sends; one read takes one */
#endif
#ifndef RCVHWM
#define RCVHWM 0 /* 0: no limit */
#endif
#ifndef FLUSHES
#define FLUSHES 0 /* how often the loop's flush task finds that the kernel takes no more */
#endif
/* SENDS    callers send, too
   POLLS    the first caller is in zmq_poll over this socket and others, the rest only receive
   NEWS     an inproc peer has a message for the socket as well
   PROMPT   nobody sleeps on the futex with only the tick to help him
   RESTS    set by check.sh, see there */

#if RCVHWM > 0
#define ABOVE_HIGH_WATER (queue >= RCVHWM)
#else
#define ABOVE_HIGH_WATER false
#endif

#define LOOP 2    /* `own` of the loop; else as in collect */
#define FUTEX 1   /* ZL_SLEEP_FUTEX */
#define EVENTFD 2 /* ZL_SLEEP_EVENTFD */

/* The kernel. */
byte kernel_data;  /* messages in the connection's buffer */
bool edge;         /* the link is on the pollset's ready list (edge triggered) */
bool eventfd;      /* socket->wake_fd, in the pollset, level triggered */
bool armed = true; /* the pollset's one-shot entry in the loop's set */
#define POLLSET_READY (edge || eventfd)

/* The loop's. That posting wakes it is shown in loop_post.pml. */
bool reported; /* it has the pollset's one-shot event, and not yet seen to it */
bool tick_task, drive_task;
bool tick_timer;
byte idle_ticks; /* in a row, without a caller that collected or took the lease */

bool gate;

/* struct zl_socket, guarded by the gate. */
bool leased, tick_listed, driver_waits, look_due;
bool collected; /* collects != collects_at_tick */
byte in_wait, fd_waiters, sleeping;

/* struct zl_link and its pipe, guarded by the gate. */
bool readable, reading, paused;
bool listed; /* in socket->readable_links */
byte queue;  /* in the ring: received - delivered */

#ifdef NEWS
bool news; /* socket->signalled: an inproc peer has put its pipe there, with a message behind it */
#else
#define news false
#endif

bool on_futex[CALLERS];
byte at_work;    /* callers in a call, and not on the futex */
byte on_pollset; /* callers asleep in epoll_wait */
byte done;       /* callers that have made all their calls */

inline lock()
{
    d_step { !gate -> gate = true }
}

/* What holds whenever nobody is at work under the gate. */
inline unlock()
{
    assert(!(leased && armed));                       /* one driver at a time */
    assert(leased || armed || reported);              /* somebody is told of what comes */
    assert(!leased || tick_listed || fd_waiters > 0); /* the lease is watched, or its owner sleeps */
#ifdef PROMPT
    assert(!leased || !(sleeping & FUTEX) || fd_waiters > 0 || at_work > 0); /* no sleeper needs a tick */
#endif
    gate = false
}

/* ---- Under the gate --------------------------------------------------------------------------- */

/* zl_link_list_readable; zl_link_may_read of a stream with two sides */
#define LIST_READABLE \
    if \
    :: readable && !reading && !paused && !listed -> listed = true \
    :: else \
    fi

/* zl_drive_needs_post */
#ifdef WITHOUT_POST_BESIDE_SLEEPER
#define NEEDS_POST (!leased)
#else
#define NEEDS_POST (!leased || in_wait > 0)
#endif

/* zl_socket_wake: the write to the eventfd is under the gate here. */
#if CALLERS == 1
#define WAKE_FUTEX on_futex[0] = false
#elif CALLERS == 2
#define WAKE_FUTEX on_futex[0] = false; on_futex[1] = false
#else
#define WAKE_FUTEX on_futex[0] = false; on_futex[1] = false; on_futex[2] = false
#endif
#define WAKE \
    if \
    :: sleeping & FUTEX -> WAKE_FUTEX \
    :: else \
    fi; \
    if \
    :: sleeping & EVENTFD -> eventfd = true \
    :: else \
    fi; \
    sleeping = 0

inline take_lease()
{
    if
    :: leased
    :: else ->
        leased = true;
        idle_ticks = 0;
#ifndef WITHOUT_DISARM
        armed = false
#endif
    fi
}

inline watch_lease()
{
    if
#ifndef WITHOUT_WATCH
    :: leased && !tick_listed -> tick_listed = true; tick_task = true; idle_ticks = 0
#endif
    :: else
    fi
}

/* zl_drive_hand_back_locked */
inline hand_back()
{
    if
    :: leased ->
        leased = false;
        armed = true;
#ifndef WITHOUT_HAND_BACK_POST
        if
        :: listed -> drive_task = true
        :: else
        fi
#endif
    :: else
    fi
}

/* zl_drive_leave_input_locked; also the end of zl_link_resume_locked */
inline post_if_needed()
{
    if
    :: listed && NEEDS_POST -> drive_task = true
    :: else
    fi
}

/* zl_drive_leave_locked; what it does for the output is left out */
inline leave()
{
    atomic {
        if
#ifndef WITHOUT_HAND_BACK_AT_LEAVE
        :: in_wait > 0 && fd_waiters == 0 -> hand_back()
#endif
        :: else
        fi;
        post_if_needed()
    }
}

/* ---- Driving: the gate is held, and let go meanwhile ------------------------------------------- */

/* zl_drive_flagged_locked, read_pass, zl_link_read_locked. any: there was something listed. */
inline drive_flagged(any)
{
    atomic {
        any = listed;
        listed = false;
        if
        :: any && !reading && ABOVE_HIGH_WATER -> paused = true
        :: any && !reading && !ABOVE_HIGH_WATER ->
            reading = true;
            readable = false;
            claimed = true;
            unlock()
        :: else /* if it is being read, the holder of the claim lists it again */
        fi
    };
    if
    :: claimed ->
        atomic { /* read_once: filled if it took all that there was room for */
            got = kernel_data > 0;
            if
            :: got -> kernel_data--; filled = true
            :: got && kernel_data == 1 -> kernel_data--
            :: !got
            fi
        };
        atomic {
            lock();
            claimed = false;
            reading = false;
            if
#ifdef WITHOUT_WAKE
            :: got -> queue++; got = false
#else
            :: got -> queue++; got = false; WAKE /* publish_locked */
#endif
            :: else
            fi;
            readable = readable || filled;
            filled = false;
#ifndef WITHOUT_CLAIM_LOOK
            LIST_READABLE /* zl_link_claim_returned */
#endif
        }
    :: else
    fi
}

inline begin_collect(own)
{
    atomic {
        collected = true;
        look_due = false;
        if
        :: own != LOOP -> idle_ticks = 0
        :: else
        fi;
        unlock()
    }
}

/* epoll_wait on the pollset. An edge without data behind it is none. */
#define EPOLL_WAIT \
    got_wake = eventfd; \
    got_link = edge && kernel_data > 0; \
    edge = false; \
    count = got_wake || got_link

/* The second half of collect. own: 1 of a caller in a wait. */
inline end_collect(own)
{
    atomic {
        lock();
        if
        :: own == 1 && in_wait == 1 && count -> sleeping = 0 /* clear_sleepers */
        :: else
        fi;
        if /* flag */
#ifdef WITHOUT_LOOK_AT_OTHERS
        :: got_wake -> eventfd = false
#else
        :: got_wake && fd_waiters <= (own == 1) -> eventfd = false /* zl_drive_fd_reset_locked */
#endif
        :: else
        fi;
        if
        :: got_link -> readable = true; LIST_READABLE /* zl_link_flag_locked */
        :: else
        fi;
        got_wake = false;
        got_link = false
    };
    if
    :: count -> drive_flagged(any)
    :: else
    fi
}

/* collect with timeout 0 */
inline collect(own)
{
    begin_collect(own);
    atomic { EPOLL_WAIT };
    end_collect(own)
}

/* collect with a timeout */
inline collect_asleep()
{
    begin_collect(1);
    on_pollset++;
end_in_epoll_wait:
    do
    :: atomic {
           POLLSET_READY ->
           EPOLL_WAIT;
           if
           :: count -> on_pollset--; break
           :: else
           fi
       }
    :: atomic { timed -> on_pollset--; timed_out = true; break }
    od;
    end_collect(1)
}

/* ---- Callers ---------------------------------------------------------------------------------- */

/* message_delivered, zl_link_resume_locked */
inline take_message()
{
    queue--;
    if
    :: paused && queue <= RCVHWM - (RCVHWM + 1) / 2 ->
        paused = false;
        LIST_READABLE;
        post_if_needed()
    :: else
    fi
}

/* zl_socket_take_signals_locked */
inline take_signals()
{
#ifdef NEWS
    atomic {
        if
        :: news -> news = false; queue++; any = true
        :: else
        fi
    }
#else
    skip
#endif
}

/* begin_call, take_news, zl_drive_poll_locked */
inline begin_call()
{
    atomic { lock(); at_work++ };
    take_signals();
    if
    :: look_due ->
        collect(0);
#ifndef WITHOUT_POST_AFTER_LOOK
        leave();
#endif
        any = false;
        count = false
    :: else
    fi
}

inline wait_on_futex()
{
    atomic {
        word = sleeping;
        if
        :: word & FUTEX -> at_work--; unlock()
        :: else -> word = 0
        fi
    };
    if
    :: word ->
        atomic { /* zl_futex_wait: the kernel compares and sleeps in one step */
            if
            :: sleeping == word -> on_futex[me] = true
            :: else
            fi
        };
end_on_futex:
        if
        :: !on_futex[me]
        :: atomic { timed -> on_futex[me] = false; timed_out = true }
        fi;
        atomic { lock(); at_work++; word = 0 }
    :: else
    fi
}

inline wait_on_pollset()
{
    atomic { take_lease(); driver_waits = true; fd_waiters++ };
    if /* collect_patiently */
    :: true -> collect(1) /* the spin */
    :: true
    fi;
    if
    :: !count -> collect_asleep()
    :: else
    fi;
    atomic {
        count = false;
        fd_waiters--;
        driver_waits = false
    }
}

/* begin_sleep */
#ifdef WITHOUT_SLEEP_LOOK
#define SECOND_LOOK false
#else
#define SECOND_LOOK news
#endif

/* zl_drive_wait_locked */
inline wait_once()
{
    atomic {
        in_wait++;
        sleeping = sleeping | (driver_waits -> FUTEX : EVENTFD) /* begin_sleep */
    };
    if /* sleep_once */
    :: SECOND_LOOK
    :: !(SECOND_LOOK) && driver_waits -> wait_on_futex()
    :: !(SECOND_LOOK) && !driver_waits -> wait_on_pollset()
    fi;
    atomic { /* end_sleep */
        in_wait--;
        if
        :: in_wait == 0 -> sleeping = 0 /* clear_sleepers */
        :: else
        fi;
        watch_lease()
    }
}

/* look_at_socket */
inline look_at_socket(poll_kernel)
{
    atomic { lock(); at_work++ };
    any = false;
    take_signals();
    if
    :: queue == 0 -> drive_flagged(any)
    :: else
    fi;
    if
    :: poll_kernel && queue == 0 -> collect(0)
    :: else
    fi;
    if
    :: queue > 0 -> leave()
    :: else -> post_if_needed()
    fi;
    atomic { ready = queue > 0; any = false; count = false; at_work--; unlock() }
}

/* wait_for_all: one round. What the other sockets have may end the sleep at any time (timed). */
inline poll_several()
{
    atomic {
        lock();
        take_lease(); /* zl_drive_begin_wait_locked */
        collected = true;
        idle_ticks = 0;
        in_wait++;
        fd_waiters++;
        sleeping = sleeping | EVENTFD; /* begin_sleep */
        if
        :: SECOND_LOOK -> WAKE
        :: else
        fi;
        unlock()
    };
    look_at_socket(false);
    if
    :: ready
    :: else ->
        on_pollset++;
end_in_poll:
        if
        :: atomic { POLLSET_READY -> on_pollset-- }
        :: atomic { timed -> on_pollset--; timed_out = true }
        fi
    fi;
    atomic { /* zl_drive_end_wait_locked */
        lock();
        in_wait--;
        if
        :: in_wait == 0 -> sleeping = 0 /* clear_sleepers */
        :: else
        fi;
        fd_waiters--;
        if
#ifndef WITHOUT_HAND_BACK_AT_END_OF_POLL
        :: in_wait > 0 && fd_waiters == 0 -> hand_back()
#endif
        :: else
        fi;
        watch_lease();
        unlock()
    };
    if
    :: !timed_out -> look_at_socket(true)
    :: else
    fi;
    ready = false;
    timed_out = false
}

/* Clears what only makes states differ. */
inline end_call()
{
    any = false;
    count = false;
    blocks = false;
    timed = false;
    timed_out = false;
    polled = false;
    at_work--;
    unlock()
}

proctype caller(byte me)
{
    bool any, claimed, got, filled, count, got_wake, got_link, timed, timed_out, blocks, polled, ready;
    byte calls, word;

    do
    :: calls == CALLS -> break
#ifdef POLLS
    :: calls < CALLS && me == 0 ->
        calls++;
        if
        :: true -> timed = true
        :: true
        fi;
        poll_several();
        timed = false
    :: calls < CALLS && me > 0 -> /* zl_socket_recv */
#else
    :: calls < CALLS -> /* zl_socket_recv */
#endif
        calls++;
        if
        :: true -> blocks = true; timed = false
        :: true -> blocks = true; timed = true
        :: true -> blocks = false /* ZMQ_DONTWAIT */
        fi;
        begin_call();
        any = false;
        if
        :: queue > 0 ->
            atomic { take_message() };
            if
            :: listed -> /* drive_now_and_then: whether it is the 64th message */
                if
                :: true -> drive_flagged(any); leave()
                :: true
                fi
            :: else
            fi
        :: else -> /* recv_slowly */
            atomic { take_lease(); watch_lease() }; /* zl_drive_lease_locked */
            polled = false;
            timed_out = false;
            do
            :: true ->
                any = false;
                take_signals(); /* make_progress */
                if
                :: !any -> drive_flagged(any)
                :: else
                fi;
                if
                :: !any && !blocks && !polled ->
                    polled = true;
                    collect(0);
                    any = count
                :: else
                fi;
                if
                :: !any && !blocks -> break
                :: !any && blocks -> wait_once()
                :: else
                fi;
                if
                :: timed_out -> break
                :: else
                fi;
                if
                :: queue > 0 -> atomic { take_message() }; break
                :: else
                fi
            od;
            leave()
        fi;
        atomic { end_call() }
#ifdef SENDS
    :: calls < CALLS -> /* zl_socket_send: what is before the pattern; its own writing is left out */
        calls++;
        begin_call();
        atomic { end_call() }
#endif
    od;
    done++
}

/* ---- The loop --------------------------------------------------------------------------------- */

/* zl_drive_for_a_while_locked */
inline drive_for_a_while()
{
    drive_flagged(any);
    if
    :: any -> drive_flagged(any)
    :: else
    fi;
    if
    :: listed -> drive_task = true
    :: else
    fi
}

proctype loop()
{
    bool any, claimed, got, filled, count, got_wake, got_link, quiet, keep;
    byte flushes;

end:
    do
    :: atomic { tick_task -> tick_task = false; tick_timer = true } /* on_tick_task */
    :: atomic { drive_task -> drive_task = false; lock() };         /* on_drive_task */
        drive_for_a_while();
        atomic { any = false; unlock() }
    :: atomic { /* on_tick */
           tick_timer && !gate ->
           tick_timer = false;
           lock();
#ifndef RESTS /* there this is a consequence */
           idle_ticks++;
           assert(idle_ticks <= 3); /* it ends when nobody is there */
#endif
           quiet = !collected;
#ifdef WITHOUT_TICK_END
           keep = leased;
#else
           keep = leased && !(quiet && (look_due || fd_waiters > 0));
#endif
           collected = false;
           look_due = keep && quiet;
           if
           :: keep -> tick_timer = true
           :: else ->
               tick_listed = false;
#ifndef WITHOUT_TICK_HAND_BACK
               if
               :: fd_waiters == 0 -> hand_back()
               :: else
               fi
#endif
           fi;
           quiet = false;
           keep = false;
           unlock()
       }
    :: atomic { armed && POLLSET_READY -> armed = false; reported = true }; /* one-shot */
        lock(); /* on_pollset */
        collect(LOOP);
        drive_for_a_while();
        atomic {
            if
#ifndef WITHOUT_REARM
            :: !leased -> armed = true
#endif
            :: else
            fi;
            reported = false;
            any = false;
            count = false;
            unlock()
        }
    :: atomic { /* the end of on_flush_task with blocked links */
           flushes < FLUSHES && !gate ->
           flushes++;
           lock();
           if
           :: in_wait == 0 -> hand_back()
           :: else
           fi;
           unlock()
       }
    od
}

/* ---- The peer --------------------------------------------------------------------------------- */

proctype peer()
{
    byte sent;
    do
    :: sent < MESSAGES ->
        sent++;
        kernel_data++;
        edge = true
    :: true -> break
    od
}

#ifdef NEWS
/* zl_inproc_signal, zl_socket_wake: without the gate */
proctype neighbour()
{
    byte sleepers;
    news = true;
    if
    :: sleeping -> atomic { sleepers = sleeping; sleeping = 0 }
    :: else
    fi;
    if
    :: sleepers & FUTEX -> atomic { WAKE_FUTEX }
    :: else
    fi;
    if
    :: sleepers & EVENTFD -> eventfd = true
    :: else
    fi
}
#endif

/* ---- What has to hold when nothing moves any more ---------------------------------------------- */

init
{
    atomic {
        run loop();
        run peer();
#ifdef NEWS
        run neighbour();
#endif
        run caller(0);
#if CALLERS > 1
        run caller(1)
#endif
#if CALLERS > 2
        ;
        run caller(2)
#endif
    }
    timeout ->
    /* Everything is read, up to the high-water mark. */
    assert(kernel_data == 0 || (paused && queue > RCVHWM - (RCVHWM + 1) / 2));
    assert(!listed && !reading);
    /* Nobody sleeps who could receive. */
    assert(done == CALLERS || (queue == 0 && !news));
    /* The loop does not tick. */
    assert(!tick_listed);
    /* A caller that is not there has no lease. */
    assert(!leased || on_pollset > 0)
}
