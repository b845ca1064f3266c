/* SPDX-License-Identifier: MPL-2.0 */
/* Who drives a socket's connections, and how callers wait (DESIGN.md, "Who drives").

   Away: the pollset is armed in the home loop's epoll set (one-shot); the loop collects its events
   and reads and writes the links.
   Leased: a caller that had to wait disarmed that entry and drives itself. The lease stays while
   it keeps driving; a tick of the loop hands a lapsed socket back, and a caller that leaves
   would-block output behind hands back at once.
   With ZMQ_FD in use there is no lease: the loop drives and signals.

   What epoll reports becomes a flag on the link under the gate; and whoever collected it drives
   the flagged links before it does anything else, waking sleepers. So an event that was collected
   while the lease changed hands is never lost.

   All functions need the gate, and those marked [lets go] give it up meanwhile. */
#ifndef ZL_CORE_DRIVE_H
#define ZL_CORE_DRIVE_H

#include <stdbool.h>
#include <stdint.h>

struct zl_socket;

#define ZL_NO_DEADLINE UINT64_MAX

/* What the calling thread did last, as it may use many sockets in turn. Times are ticks. */
struct zl_habits {
    uint64_t wait_ended;
    uint64_t write_ended; /* at once, on any socket */
    unsigned run;         /* such writes in a row, without a wait or a pause between them */
    unsigned catch_ups;   /* waits on a futex that news ended, since it last sent */
};
extern _Thread_local struct zl_habits zl_habits __attribute__((tls_model("initial-exec")));

/* A thread that sends answers, or is no mere reader. */
static inline void zl_drive_note_send(void)
{
    zl_habits.catch_ups = 0;
}

void zl_drive_init(struct zl_socket *socket);

/* Opens the pollset and nests it in the loop. 0 or a negative errno. */
int zl_drive_open_locked(struct zl_socket *socket);

/* Opens the wake descriptor. 0 or a negative errno. */
int zl_drive_open_wake_locked(struct zl_socket *socket);

/* [lets go] One pass over the flagged links: reads each once, writes those that want it.
   True when anything was done. */
bool zl_drive_flagged_locked(struct zl_socket *socket);

/* [loop, lets go] Passes until nothing is flagged; after some of them the rest is posted. */
void zl_drive_for_a_while_locked(struct zl_socket *socket);

/* [lets go] Collects events (timeout 0) and drives what they say. True when there were any. */
bool zl_drive_poll_locked(struct zl_socket *socket);

/* [lets go] Writes out everything that is unwritten and unblocked. True when it has let the gate go:
   whoever is about to sleep has to look again. */
bool zl_drive_flush_locked(struct zl_socket *socket);

/* [lets go] After a send: writes now, or leaves the message to be gathered. patient_until: until when
   (ms of zl_now_ms, 0 for not at all) the caller may wait for the kernel to take it. */
void zl_drive_after_send_locked(struct zl_socket *socket, uint64_t patient_until);

/* [lets go] After a send that left a payload in the caller's memory (socket->borrower), and before
   the gate was let go since: writes it, and copies what the kernel did not take. */
void zl_drive_write_borrowed_locked(struct zl_socket *socket, uint64_t patient_until);

/* [lets go] Sleeps until something may have changed: 0 (look again), -EAGAIN (deadline passed),
   -EINTR. First writes out what is unwritten. deadline in ms of zl_now_ms, 0: never sleeps.
   input_only: nothing but input helps the caller. */
int zl_drive_wait_locked(struct zl_socket *socket, uint64_t deadline, bool input_only);

/* For zmq_poll over several descriptors: between begin and end the caller sleeps on the descriptor
   that begin returns (readable: collect). Negative errno on failure. */
int zl_drive_begin_wait_locked(struct zl_socket *socket);
void zl_drive_end_wait_locked(struct zl_socket *socket);

/* A caller that found nothing to receive takes the lease: from now on it drives. */
void zl_drive_lease_locked(struct zl_socket *socket);

/* A caller returns to its program: what it leaves undone is the loop's, unless the lease's tick will
   see to it. After each call in which it drove. */
void zl_drive_leave_locked(struct zl_socket *socket);

/* The same of input only, for a caller that goes on to wait, or to its next call. */
void zl_drive_leave_input_locked(struct zl_socket *socket);

/* Gives the lease back now if there is one. */
void zl_drive_hand_back_locked(struct zl_socket *socket);

/* ZMQ_FD: its descriptor, from now on signalled; negative errno. */
int zl_drive_fd_locked(struct zl_socket *socket);
/* ZMQ_FD is about to be judged by ZMQ_EVENTS: takes the signal back, so that the next change
   signals again. Call before looking. */
void zl_drive_fd_reset_locked(struct zl_socket *socket);

#endif
