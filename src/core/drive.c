/* SPDX-License-Identifier: MPL-2.0 */
/* Driving and waiting. */
#define _GNU_SOURCE
#include "core/drive.h"

#include "base/clock.h"
#include "base/fence.h"
#include "core/drive_post.h"
#include "core/link_io.h"
#include "core/pipe_base.h"
#include "core/socket_base.h"
#include "core/turn.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    EVENTS_PER_WAIT = 64,
    CATCH_UPS_MAX = 16, /* paid spins of a reader that only reads, before it lets a batch build */
    BATCH_BUILDS_NS = 2000,     /* for so long */
    STORM_CALLS = 8,            /* a sleep that was followed by so few calls found little */
    STORM_SLEEP_NS = 100000,    /* a longer one is no storm of wake-ups */
    READ_PER_PASS = 128 * 1024, /* bytes, shared by the links that have input; long bodies apart */
    READ_LEAST = 16 * 1024,
    PASSES_AT_ONCE = 16, /* of the loop over the flagged links */
    LEASE_TICK_MS = 10,
    LEASE_TICK_MAX_MS = 40,   /* of an owner that was there at every tick so far */
    GATHER_TIME_NS = 30000,   /* the loop leaves a growing batch at least for so long, */
    GATHER_ROUNDS = 8,        /* and until so many rounds of writes could have been made, */
    GATHER_MAX_NS = 10000000, /* but after so long only for one round */
    GATHER_LOOKS = 4,         /* looks whether it grows, per round of writes */
};

/* Ticks of a first guess of what a small write costs, before any was measured. */
#define INITIAL_WRITE_COST 6000u

static struct zl_link *readable_link(struct zl_list *node)
{
    return zl_container_of(node, struct zl_link, readable_node);
}

static struct zl_link *unflushed_link(struct zl_list *node)
{
    return zl_container_of(node, struct zl_link, unflushed_node);
}

/* ---- Flagged links ---------------------------------------------------------------------------- */

/* One pass goes over what is listed now: links that are listed again meanwhile are for the next.
   Returns how many there are. */
static unsigned begin_pass(struct zl_list *pass, struct zl_list *listed)
{
    unsigned links = 0;
    struct zl_list *node;
    zl_list_init(pass);
    for (; (node = zl_list_pop(listed)) != NULL; links++)
        zl_list_append(pass, node);
    return links;
}

static bool flush_links(struct zl_socket *socket, struct zl_flush flush)
{
    bool any = false;
    struct zl_list pass, *node;
    unsigned links = begin_pass(&pass, &socket->unflushed_links);
    while ((node = zl_list_pop(&pass)) != NULL)
        any |= zl_link_flush_locked(unflushed_link(node), flush);
    socket->round_links = links ? links : 1;
    return any;
}

bool zl_drive_flush_locked(struct zl_socket *socket)
{
    return flush_links(socket, (struct zl_flush){0});
}

/* What a pass brings lies in the caches until it is received, if it is not too much. */
static size_t room_per_read(unsigned links)
{
    size_t room = READ_PER_PASS / (links ? links : 1);
    return room > READ_LEAST ? room : READ_LEAST;
}

static bool read_pass(struct zl_socket *socket)
{
    struct zl_list pass, *node;
    unsigned links = begin_pass(&pass, &socket->readable_links);
    size_t room = room_per_read(links);
    while ((node = zl_list_pop(&pass)) != NULL)
        zl_link_read_locked(readable_link(node), room);
    return links > 0;
}

bool zl_drive_flagged_locked(struct zl_socket *socket)
{
    bool any = false;
    if (!zl_list_empty(&socket->readable_links))
        any = read_pass(socket);
    if (!zl_list_empty(&socket->unflushed_links) && !socket->flush_posted)
        any |= zl_drive_flush_locked(socket);
    return any;
}

/* ---- Collecting ------------------------------------------------------------------------------- */

/* others: somebody else sleeps on the wake descriptor, and may not have seen the signal yet. */
static void flag(struct zl_socket *socket, const struct epoll_event *events, int count, bool others)
{
    for (int i = 0; i < count; i++) {
        if (events[i].data.u64 == ZL_POLLSET_WAKE) {
            if (!socket->fd_user && !others)
                zl_drive_fd_reset_locked(socket);
            continue;
        }
        struct zl_link *link = zl_pollset_owner(&socket->pollset, events[i].data.u64);
        if (link)
            zl_link_flag_locked(link, events[i].events);
    }
}

/* Nobody sleeps here but the callers in a wait. */
static void clear_sleepers(struct zl_socket *socket)
{
    atomic_fetch_and(&socket->sleeping, ~(unsigned)(ZL_SLEEP_FUTEX | ZL_SLEEP_EVENTFD));
}

/* Collects and drives. The caller holds the gate; own: 1 when it is counted in fd_waiters. */
static int collect(struct zl_socket *socket, int timeout, unsigned own)
{
    struct epoll_event events[EVENTS_PER_WAIT];
    socket->collects++;
    socket->look_due = false;
    zl_gate_unlock(&socket->gate);
    int count = zl_pollset_wait(&socket->pollset, events, EVENTS_PER_WAIT, timeout);
    zl_gate_lock(&socket->gate);
    /* Awake again: what we publish while driving must not wake ourselves. */
    if (own && socket->in_wait == 1 && count > 0)
        clear_sleepers(socket);
    flag(socket, events, count, socket->fd_waiters > own);
    if (count > 0)
        zl_drive_flagged_locked(socket);
    return count;
}

bool zl_drive_poll_locked(struct zl_socket *socket)
{
    socket->look_due = false;
    if (socket->pollset.fd < 0 || zl_list_empty(&socket->links))
        return false;
    return collect(socket, 0, 0) > 0;
}

/* ---- Away: the loop drives -------------------------------------------------------------------- */

static void arm(struct zl_socket *socket)
{
    /* A short system call under the gate: arming and disarming must not overtake each other. */
    zl_loop_rewatch(socket->loop, socket->pollset.fd, EPOLLIN | EPOLLONESHOT, &socket->pollset_io);
}

void zl_drive_for_a_while_locked(struct zl_socket *socket)
{
    for (int i = 0; i < PASSES_AT_ONCE; i++)
        if (!zl_drive_flagged_locked(socket))
            return;
    /* The other sockets of this loop, and its timers, get their turn before we go on. */
    if (!zl_list_empty(&socket->readable_links) || !zl_list_empty(&socket->unflushed_links))
        zl_drive_post_locked(socket);
}

/* [loop] The pollset has events, and the one-shot entry is disarmed now. */
static void on_pollset(struct zl_io *io, uint32_t events)
{
    (void)events;
    struct zl_socket *socket = zl_container_of(io, struct zl_socket, pollset_io);
    zl_socket_lock(socket);
    if (socket->pollset.fd >= 0) {
        /* Even if a caller took the lease meanwhile: what is collected is driven. */
        collect(socket, 0, 0);
        zl_drive_for_a_while_locked(socket);
        if (!socket->leased)
            arm(socket);
    }
    zl_socket_unlock(socket);
}

static void on_drive_task(struct zl_task *task)
{
    struct zl_socket *socket = zl_container_of(task, struct zl_socket, drive_task);
    zl_socket_lock(socket);
    zl_drive_for_a_while_locked(socket);
    zl_socket_unlock(socket);
    zl_socket_release(socket);
}

/* ---- Lease ------------------------------------------------------------------------------------ */

static void take_lease(struct zl_socket *socket)
{
    if (socket->leased || socket->fd_user || socket->closed)
        return;
    socket->leased = true;
    zl_loop_rewatch(socket->loop, socket->pollset.fd, 0, &socket->pollset_io);
}

void zl_drive_hand_back_locked(struct zl_socket *socket)
{
    if (!socket->leased)
        return;
    socket->leased = false;
    arm(socket);
    if (!zl_list_empty(&socket->readable_links) || !zl_list_empty(&socket->unflushed_links))
        zl_drive_post_locked(socket);
}

/* On one core a tick is a stall for whoever is in the middle of a round trip. But heartbeats may be
   short, and must be answered when the owner has just gone. */
static int next_tick(const struct zl_socket *socket, bool quiet)
{
    int next = quiet || socket->heartbeats ? LEASE_TICK_MS : socket->tick_ms * 2;
    return next < LEASE_TICK_MAX_MS ? next : LEASE_TICK_MAX_MS;
}

/* [loop] Looks after the lease every few milliseconds while it is used. */
static void on_tick(struct zl_timer *timer)
{
    struct zl_socket *socket = zl_container_of(timer, struct zl_socket, tick);
    zl_socket_lock(socket);
    /* Calls that find something to do without looking at the connections do not count; but the next
       one is asked to look, and only an owner that makes none for another tick has gone. */
    bool quiet = socket->collects == socket->collects_at_tick;
    bool gone = quiet && (socket->look_due || socket->fd_waiters > 0);
    bool keep = socket->leased && !socket->closed && !gone;
    socket->collects_at_tick = socket->collects;
    socket->look_due = keep && quiet;
    if (keep) {
        socket->tick_ms = next_tick(socket, quiet);
        zl_loop_timer_start(socket->loop, timer, socket->tick_ms);
    } else {
        socket->tick_listed = false;
        /* An owner that sleeps inside the library drives without our help; one that went away
           does not. */
        if (socket->fd_waiters == 0)
            zl_drive_hand_back_locked(socket);
    }
    zl_socket_unlock(socket);
    if (!keep)
        zl_socket_release(socket);
}

static void on_tick_task(struct zl_task *task)
{
    struct zl_socket *socket = zl_container_of(task, struct zl_socket, tick_task);
    zl_socket_lock(socket);
    bool finished = socket->finished;
    zl_socket_unlock(socket);
    if (finished)
        zl_socket_release(socket);
    else
        zl_loop_timer_start(socket->loop, &socket->tick, LEASE_TICK_MS);
}

/* A caller leaves the library with the lease: somebody has to notice if it does not come back. */
static void watch_lease(struct zl_socket *socket)
{
    if (!socket->leased || socket->tick_listed)
        return;
    socket->tick_listed = true;
    socket->tick_ms = LEASE_TICK_MS;
    zl_socket_acquire(socket); /* the tick's reference */
    zl_loop_post(socket->loop, &socket->tick_task);
}

/* ---- Write now or gather ---------------------------------------------------------------------- */

_Thread_local struct zl_habits zl_habits;

enum {
    RUN_MAX = 8,
    PAUSE_COSTS = 16,
    BATCH_AGE_COSTS = 16, /* so early writes take no more than about a sixteenth of the time */
};

/* What a round of writes is likely to cost, in ticks. */
static uint64_t round_cost(const struct zl_socket *socket)
{
    return socket->write_cost * socket->round_links;
}

static void note_wait(void)
{
    zl_habits.wait_ended = zl_ticks();
    zl_habits.run = 0;
    zl_turn_waited();
}

static void note_write(const struct zl_socket *socket, uint64_t begun)
{
    bool paused = begun - zl_habits.write_ended > PAUSE_COSTS * round_cost(socket);
    zl_habits.run = paused ? 1 : zl_habits.run + 1;
    zl_habits.write_ended = socket->flush_ended;
}

/* The sender's last write ended less than one write's cost ago, and it has done nothing but send: a
   sender that waits between its sends answers or is paced by something, and does not stream, however
   short the wait was. One that goes round many sockets streams as well, with long gaps on each. */
static bool is_streaming(const struct zl_socket *socket, uint64_t now)
{
    if (now - socket->flush_ended < round_cost(socket) &&
        (int64_t)(zl_habits.wait_ended - socket->flush_ended) < 0)
        return true;
    return zl_habits.run >= RUN_MAX && now - zl_habits.write_ended < round_cost(socket);
}

/* A sender that comes and goes may fill its batch slowly, with pauses too short for the loop to step
   in, above all where the loop has to wait for a core. */
static bool is_overdue(const struct zl_socket *socket, uint64_t now)
{
    return now - socket->flush_ended > BATCH_AGE_COSTS * round_cost(socket);
}

/* What a write costs is measured by the clock, and on a busy core a reading may contain whole time
   slices of others (the receiver of what was written, for one): short readings count for more. */
static void learn_cost(struct zl_socket *socket, uint64_t cost)
{
    uint64_t known = socket->write_cost;
    cost /= socket->round_links;
    if (cost < known)
        socket->write_cost = (known + cost) / 2 + 1;
    else
        socket->write_cost += (cost < 4 * known ? cost - known : 3 * known) / 32;
}

/* Whoever leaves links unflushed, and is not sure to come back, tells the loop. */
static void post_flush(struct zl_socket *socket)
{
    if (socket->flush_posted || !socket->loop)
        return;
    socket->flush_posted = true;
    zl_socket_acquire(socket); /* the task's reference */
    if (!zl_loop_post(socket->loop, &socket->flush_task))
        zl_socket_release(socket);
}

static void maybe_end_turn(struct zl_socket *socket)
{
    if (!zl_turn_is_over())
        return;
    zl_gate_unlock(&socket->gate);
    zl_turn_give_away();
    zl_gate_lock(&socket->gate);
}

/* A sender has written and goes back to its program: the rest is the loop's. */
static void leave_after_write(struct zl_socket *socket, uint64_t patient_until)
{
    if (!zl_list_empty(&socket->unflushed_links))
        post_flush(socket); /* another thread appended while we wrote */
    if (socket->blocked_links > 0)
        zl_drive_hand_back_locked(socket);
    if (patient_until == 0) /* else it waits for its receiver anyway */
        maybe_end_turn(socket);
}

enum decision {
    GO_ON,       /* the batch may grow; somebody sees to it already */
    GATHER,      /* a batch begins */
    WRITE_SMALL, /* nothing to gather with: to the kernel at once */
    WRITE_BATCH,
};

static enum decision decide(const struct zl_socket *socket, uint64_t now)
{
    if (socket->batch_full)
        return WRITE_BATCH;
    if (socket->flush_wanted)
        return is_streaming(socket, now) ? GATHER : WRITE_SMALL;
    return is_overdue(socket, now) ? WRITE_BATCH : GO_ON;
}

void zl_drive_after_send_locked(struct zl_socket *socket, uint64_t patient_until)
{
    if (!socket->flush_wanted && !socket->batch_full && !socket->batch_grown)
        return;
    uint64_t begun = zl_ticks();
    enum decision decision = decide(socket, begun);
    socket->flush_wanted = false;
    socket->batch_full = false;
    socket->batch_grown = false;
    if (decision == GATHER)
        post_flush(socket);
    if (decision == GATHER || decision == GO_ON)
        return;
    bool small = decision == WRITE_SMALL;
    flush_links(socket, (struct zl_flush){.at_once = small, .patient_until = patient_until});
    socket->flush_ended = zl_ticks();
    if (small) {
        learn_cost(socket, socket->flush_ended - begun);
        note_write(socket, begun);
    }
    leave_after_write(socket, patient_until);
}

void zl_drive_write_borrowed_locked(struct zl_socket *socket, uint64_t patient_until)
{
    struct zl_pipe *pipe = socket->borrower;
    socket->borrower = NULL;
    zl_link_flush_locked(pipe->link,
                         (struct zl_flush){.at_once = true, .patient_until = patient_until});
    /* The gate is held since the claim was given back: nobody writes from there now. */
    zl_outq_keep_borrowed(&pipe->outq);
    socket->flush_ended = zl_ticks();
    socket->flush_wanted = false;
    socket->batch_full = false;
    socket->batch_grown = false;
    leave_after_write(socket, patient_until);
}

/* Gives the sender so many ticks, and at least one chance to run. */
static void yield_for(uint64_t ticks)
{
    uint64_t begun = zl_ticks();
    do
        sched_yield();
    while (zl_ticks() - begun < ticks);
}

/* Waits as long as the sender adds to its batch, but not longer than some rounds of writes take: so only
   a small part of the time goes into small writes. Gate held, let go meanwhile. */
static void leave_to_sender(struct zl_socket *socket)
{
    uint64_t begun_ns = zl_now_ns(), begun = zl_ticks();
    bool late = false;
    while (!late && !zl_list_empty(&socket->unflushed_links)) {
        uint64_t calls = socket->calls, cost = round_cost(socket);
        zl_socket_unlock(socket);
        yield_for(cost / GATHER_LOOKS);
        uint64_t waited_ns = zl_now_ns() - begun_ns, waited = zl_ticks() - begun;
        bool rounds_over = waited > GATHER_ROUNDS * cost;
        /* With very many links other sockets of this loop would wait too long. */
        bool too_long = waited_ns > GATHER_MAX_NS && waited > cost;
        late = waited_ns > GATHER_TIME_NS && (rounds_over || too_long);
        zl_socket_lock(socket);
        if (socket->calls == calls)
            break;
    }
}

/* [loop] A sender left a batch behind. While it grows the sender will write it; else we do. */
static void on_flush_task(struct zl_task *task)
{
    struct zl_socket *socket = zl_container_of(task, struct zl_socket, flush_task);
    zl_socket_lock(socket);
    leave_to_sender(socket);
    socket->flush_posted = false;
    zl_drive_flush_locked(socket);
    socket->flush_ended = zl_ticks();
    /* What was appended while we wrote. Its sender may be asleep by now, so it stays our duty. */
    if (!zl_list_empty(&socket->unflushed_links))
        post_flush(socket);
    /* A lease whose owner is elsewhere would sit on the readiness of what the kernel refused. */
    if (socket->blocked_links > 0 && socket->in_wait == 0)
        zl_drive_hand_back_locked(socket);
    zl_socket_unlock(socket);
    zl_socket_release(socket);
}

/* ---- Waiting ---------------------------------------------------------------------------------- */

static int timeout_until(uint64_t deadline)
{
    if (deadline == ZL_NO_DEADLINE)
        return -1;
    uint64_t now = zl_now_ms();
    if (now >= deadline)
        return 0;
    return deadline - now > INT_MAX ? INT_MAX : (int)(deadline - now);
}

/* "I sleep", fence, second look. True: something changed already, do not sleep. Both are undone by
   wakers and by end_sleep. */
static bool begin_sleep(struct zl_socket *socket, unsigned kind)
{
    atomic_fetch_or(&socket->sleeping, kind);
    /* Pairs with the fence before the look in zl_socket_wake. */
    zl_fence();
    return atomic_load_explicit(&socket->signalled, memory_order_relaxed) != NULL;
}

static void end_sleep(struct zl_socket *socket, bool input_only)
{
    socket->in_wait--;
    socket->input_waits -= input_only;
    if (socket->in_wait == 0)
        clear_sleepers(socket);
}

/* Woken for every message or two, a reader and its writer spend their time in switches: a thread that
   only reads, and finds little after each of its short sleeps, lets others run once, and a batch builds.
   No lock is held. */
static void give_way(bool found_little, uint64_t slept)
{
    if (found_little && slept < STORM_SLEEP_NS && zl_habits.catch_ups >= CATCH_UPS_MAX)
        sched_yield();
    zl_habits.catch_ups++;
}

static int wait_on_futex(struct zl_socket *socket, int timeout)
{
    unsigned word = atomic_load(&socket->sleeping);
    if (!(word & ZL_SLEEP_FUTEX))
        return 0;
    bool found_little = socket->calls - socket->calls_at_sleep <= STORM_CALLS;
    socket->calls_at_sleep = socket->calls;
    zl_gate_unlock(&socket->gate);
    uint64_t begun = zl_now_ns();
    int rc = zl_futex_wait(&socket->sleeping, word, timeout);
    uint64_t slept = zl_now_ns() - begun;
    if (rc == 0)
        give_way(found_little, slept);
    zl_gate_lock(&socket->gate);
    zl_spin_slept(&socket->spin, slept);
    return rc == -ETIMEDOUT ? -EAGAIN : rc;
}

/* Looks for news of inproc peers before sleeping. True when it let the gate go meanwhile: the caller
   has to look at everything again. */
static bool spin_for_news(struct zl_socket *socket)
{
    uint32_t budget = socket->spin.budget_ns;
    if (budget == 0 || socket->pollset.fd >= 0 || socket->in_wait > 0 || zl_usable_cpus() == 1)
        return false;
    bool lets_batch_build = zl_habits.catch_ups >= CATCH_UPS_MAX;
    zl_gate_unlock(&socket->gate);
    uint64_t begun = zl_now_ns();
    bool news = false;
    while (!news && zl_now_ns() - begun < budget) {
        zl_cpu_relax();
        news = atomic_load_explicit(&socket->signalled, memory_order_relaxed) != NULL;
    }
    /* Right behind a streaming writer every message would go from cache to cache on its own. */
    if (news && lets_batch_build)
        for (begun = zl_now_ns(); zl_now_ns() - begun < BATCH_BUILDS_NS;)
            zl_cpu_relax();
    zl_gate_lock(&socket->gate);
    zl_habits.catch_ups = news ? zl_habits.catch_ups + 1 : 0;
    if (news)
        zl_spin_paid(&socket->spin);
    else
        zl_spin_unpaid(&socket->spin);
    return true;
}

/* Sleeps on the wake descriptor alone: the loop drives (ZMQ_FD is in use). */
static int wait_on_wake(struct zl_socket *socket, int timeout)
{
    struct pollfd item = {.fd = socket->wake_fd, .events = POLLIN};
    socket->driver_waits = true;
    socket->fd_waiters++;
    zl_gate_unlock(&socket->gate);
    int rc = poll(&item, 1, timeout);
    int error = errno;
    zl_gate_lock(&socket->gate);
    socket->driver_waits = false;
    if (--socket->fd_waiters == 0)
        zl_drive_fd_reset_locked(socket);
    if (rc < 0)
        return -error;
    return rc == 0 ? -EAGAIN : 0;
}

/* Looks a few times, then sleeps: the three-step wait. On one core whoever could end the wait does not
   run while we spin. */
static int collect_patiently(struct zl_socket *socket, int timeout)
{
    if (zl_usable_cpus() == 1)
        return collect(socket, timeout, 1);
    uint64_t begun = zl_now_ns();
    uint64_t limit = begun + socket->spin.budget_ns;
    for (uint64_t now = begun; now < limit; now = zl_now_ns()) {
        int count = collect(socket, 0, 1);
        if (count != 0) {
            zl_spin_paid(&socket->spin);
            return count;
        }
    }
    begun = zl_now_ns();
    int count = collect(socket, timeout, 1);
    zl_spin_slept(&socket->spin, zl_now_ns() - begun);
    return count;
}

/* ZMQ_FD has been asked for: the loop must not be woken by the signal that is meant for its user. But
   who sleeps in the pollset must: the last of them leaves it to the loop. */
static void give_up_pollset(struct zl_socket *socket)
{
    if (!socket->fd_user || !socket->wake_watched || socket->fd_waiters > 0)
        return;
    socket->wake_watched = false;
    zl_pollset_unregister(&socket->pollset, socket->wake_fd);
    zl_drive_hand_back_locked(socket);
}

static int wait_on_pollset(struct zl_socket *socket, int timeout)
{
    take_lease(socket);
    socket->driver_waits = true;
    socket->fd_waiters++;
    int count = collect_patiently(socket, timeout);
    socket->fd_waiters--;
    socket->driver_waits = false;
    give_up_pollset(socket);
    if (count < 0)
        return count;
    return count == 0 ? -EAGAIN : 0;
}

/* Of several callers that wait on one socket one drives, the others sleep on the futex. Every
   wake-up reaches all of them. */
static int sleep_once(struct zl_socket *socket, int timeout)
{
    bool on_wake = socket->fd_user && !socket->driver_waits;
    bool on_pollset = !on_wake && socket->pollset.fd >= 0 && !socket->driver_waits;
    if (begin_sleep(socket, on_wake || on_pollset ? ZL_SLEEP_EVENTFD : ZL_SLEEP_FUTEX))
        return 0;
    if (on_wake)
        return wait_on_wake(socket, timeout);
    return on_pollset ? wait_on_pollset(socket, timeout) : wait_on_futex(socket, timeout);
}

int zl_drive_wait_locked(struct zl_socket *socket, uint64_t deadline, bool input_only)
{
    if (deadline == 0)
        return -EAGAIN;
    /* Before a caller sleeps it does all the work that is there. */
    if (!zl_list_empty(&socket->readable_links) && read_pass(socket))
        return 0;
    if (!zl_list_empty(&socket->unflushed_links) && zl_drive_flush_locked(socket))
        return 0;
    int timeout = timeout_until(deadline);
    if (timeout == 0)
        return -EAGAIN;
    if (spin_for_news(socket)) {
        note_wait();
        return 0;
    }
    socket->in_wait++;
    socket->input_waits += input_only;
    int rc = sleep_once(socket, timeout);
    note_wait();
    end_sleep(socket, input_only);
    watch_lease(socket);
    /* A timeout is decided by the clock, so that an early return looks again. */
    if (rc == -EAGAIN && timeout_until(deadline) != 0)
        rc = 0;
    return rc;
}

void zl_drive_lease_locked(struct zl_socket *socket)
{
    if (socket->pollset.fd < 0)
        return;
    take_lease(socket);
    watch_lease(socket);
}

void zl_drive_leave_input_locked(struct zl_socket *socket)
{
    if (!zl_list_empty(&socket->readable_links) && socket->loop && zl_drive_needs_post(socket))
        zl_drive_post_locked(socket);
}

/* A lease whose owner goes would keep from others what they wait for: they sleep without driving. */
static bool leaves_sleepers(const struct zl_socket *socket)
{
    return socket->in_wait > 0 && socket->fd_waiters == 0;
}

void zl_drive_leave_locked(struct zl_socket *socket)
{
    if (!zl_list_empty(&socket->unflushed_links))
        post_flush(socket);
    /* The readiness of what the kernel refused would sit on the lease of an owner that is elsewhere. */
    if (socket->blocked_links > 0 || leaves_sleepers(socket))
        zl_drive_hand_back_locked(socket);
    zl_drive_leave_input_locked(socket);
}

int zl_drive_begin_wait_locked(struct zl_socket *socket)
{
    if (socket->wake_fd < 0) {
        int rc = zl_drive_open_wake_locked(socket);
        if (rc < 0)
            return rc;
    }
    if (!zl_list_empty(&socket->unflushed_links))
        zl_drive_flush_locked(socket);
    bool own = socket->pollset.fd >= 0 && !socket->fd_user;
    if (own)
        take_lease(socket);
    socket->collects++; /* the caller learns of everything that shows in the descriptor */
    socket->in_wait++;
    socket->fd_waiters++;
    if (begin_sleep(socket, ZL_SLEEP_EVENTFD))
        zl_socket_wake(socket); /* the descriptor is readable at once then */
    return own ? socket->pollset.fd : socket->wake_fd;
}

void zl_drive_end_wait_locked(struct zl_socket *socket)
{
    note_wait();
    end_sleep(socket, false);
    socket->fd_waiters--;
    give_up_pollset(socket);
    if (leaves_sleepers(socket))
        zl_drive_hand_back_locked(socket);
    watch_lease(socket);
    /* Without connections nobody collects, and the signal would stay. */
    if (socket->fd_waiters == 0 &&
        (socket->fd_user || socket->pollset.fd < 0 || zl_list_empty(&socket->links)))
        zl_drive_fd_reset_locked(socket);
}

/* ---- Descriptors ------------------------------------------------------------------------------ */

void zl_drive_init(struct zl_socket *socket)
{
    zl_pollset_init(&socket->pollset);
    socket->pollset_io.on_events = on_pollset;
    socket->wake_fd = -1;
    socket->write_cost = INITIAL_WRITE_COST;
    socket->round_links = 1;
    zl_timer_init(&socket->tick, on_tick);
    zl_task_init(&socket->tick_task, on_tick_task);
    zl_task_init(&socket->flush_task, on_flush_task);
    zl_task_init(&socket->drive_task, on_drive_task);
    zl_list_init(&socket->readable_links);
    zl_list_init(&socket->unflushed_links);
}

int zl_drive_open_wake_locked(struct zl_socket *socket)
{
    if (socket->wake_fd >= 0)
        return 0;
    socket->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return socket->wake_fd < 0 ? -errno : 0;
}

int zl_drive_open_locked(struct zl_socket *socket)
{
    if (socket->pollset.fd >= 0)
        return 0;
    int rc = zl_drive_open_wake_locked(socket);
    if (rc == 0)
        rc = zl_pollset_open(&socket->pollset);
    /* The loop must not be woken by the signal that is meant for the user of ZMQ_FD. */
    if (rc == 0 && !socket->fd_user)
        rc = zl_pollset_add_wake(&socket->pollset, socket->wake_fd);
    if (rc == 0)
        rc = zl_loop_watch(socket->loop, socket->pollset.fd, EPOLLIN | EPOLLONESHOT,
                           &socket->pollset_io);
    if (rc < 0)
        zl_pollset_close(&socket->pollset);
    else
        socket->wake_watched = !socket->fd_user;
    return rc;
}

int zl_drive_fd_locked(struct zl_socket *socket)
{
    int rc = zl_drive_open_wake_locked(socket);
    if (rc < 0)
        return rc;
    if (!socket->fd_user) {
        socket->fd_user = true;
        give_up_pollset(socket);
        /* Readable at first, as the state has never been looked at. */
        atomic_fetch_or(&socket->sleeping, ZL_SLEEP_FD_USER);
        zl_socket_wake(socket);
    }
    return socket->wake_fd;
}

void zl_drive_fd_reset_locked(struct zl_socket *socket)
{
    uint64_t ignored;
    ssize_t rc = read(socket->wake_fd, &ignored, sizeof ignored);
    (void)rc;
    if (socket->fd_user)
        atomic_fetch_or(&socket->sleeping, ZL_SLEEP_FD_USER);
}
