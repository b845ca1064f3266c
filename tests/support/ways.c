/* SPDX-License-Identifier: MPL-2.0 */
/* The ways in which programs wait for a message, or for room for one. */
#include "support/ways.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

/* One attempt that may wait. */
enum attempt { DONE, NOT_YET, ENDED };

struct wait {
    void *socket;
    zmq_msg_t *message;
    bool sends;
    struct ts_random *random;
    const char *file;
    int line;
};

static enum attempt try_now(const struct wait *wait, int flags)
{
    int rc = wait->sends ? zmq_msg_send(wait->message, wait->socket, flags)
                         : zmq_msg_recv(wait->message, wait->socket, flags);
    if (rc != -1)
        return DONE;
    if (zmq_errno() == ETERM)
        return ENDED;
    if (zmq_errno() != EAGAIN)
        ts_fail_at(wait->file, wait->line, "%s: %s", wait->sends ? "zmq_msg_send" : "zmq_msg_recv",
                   zmq_strerror(zmq_errno()));
    return NOT_YET;
}

static short event_of(const struct wait *wait)
{
    return wait->sends ? ZMQ_POLLOUT : ZMQ_POLLIN;
}

static enum attempt by_blocking(const struct wait *wait)
{
    return try_now(wait, 0);
}

/* With a time limit shorter than, or about as long as, the time a lease lasts. */
static enum attempt by_short_waits(const struct wait *wait)
{
    int limit = (int)ts_random_below(wait->random, 15), usual = TS_TIMEOUT_MS;
    int option = wait->sends ? ZMQ_SNDTIMEO : ZMQ_RCVTIMEO;
    if (zmq_setsockopt(wait->socket, option, &limit, sizeof limit) == -1)
        return ENDED;
    enum attempt result = try_now(wait, 0);
    if (zmq_setsockopt(wait->socket, option, &usual, sizeof usual) == -1 && result == NOT_YET)
        return ENDED;
    return result;
}

static enum attempt by_looking(const struct wait *wait)
{
    enum attempt result = try_now(wait, ZMQ_DONTWAIT);
    if (result == NOT_YET)
        ts_random_sleep(wait->random, 1000);
    return result;
}

static enum attempt after_poll(const struct wait *wait, zmq_pollitem_t *items, int count,
                               int timeout)
{
    int rc = zmq_poll(items, count, timeout);
    if (rc == -1 && zmq_errno() == ETERM)
        return ENDED;
    if (rc == -1)
        ts_fail_at(wait->file, wait->line, "zmq_poll: %s", zmq_strerror(zmq_errno()));
    return rc == 0 ? NOT_YET : try_now(wait, ZMQ_DONTWAIT);
}

static enum attempt by_poll(const struct wait *wait)
{
    zmq_pollitem_t item = {.socket = wait->socket, .events = event_of(wait)};
    return after_poll(wait, &item, 1, TS_TIMEOUT_MS);
}

static enum attempt by_short_polls(const struct wait *wait)
{
    zmq_pollitem_t item = {.socket = wait->socket, .events = event_of(wait)};
    return after_poll(wait, &item, 1, (int)ts_random_below(wait->random, 15));
}

/* Beside a descriptor on which nothing ever happens. */
static enum attempt by_mixed_poll(const struct wait *wait)
{
    int quiet[2];
    ts_value(pipe(quiet), 0);
    zmq_pollitem_t items[] = {{.fd = quiet[0], .events = ZMQ_POLLIN},
                              {.socket = wait->socket, .events = event_of(wait)}};
    enum attempt result = after_poll(wait, items, 2, TS_TIMEOUT_MS);
    close(quiet[0]);
    close(quiet[1]);
    return result;
}

static enum attempt by_descriptor(const struct wait *wait)
{
    if (!ts_wait_by_descriptor_at(wait->socket, event_of(wait), wait->file, wait->line))
        return ENDED;
    return try_now(wait, ZMQ_DONTWAIT);
}

bool ts_wait_by_descriptor_at(void *socket, int event, const char *file, int line)
{
    struct pollfd item = {.events = POLLIN};
    size_t size = sizeof item.fd;
    if (zmq_getsockopt(socket, ZMQ_FD, &item.fd, &size) == -1)
        return false;
    for (;;) {
        int events = 0;
        size = sizeof events;
        if (zmq_getsockopt(socket, ZMQ_EVENTS, &events, &size) == -1)
            return false;
        if (events & event)
            return true;
        if (poll(&item, 1, TS_TIMEOUT_MS) != 1)
            ts_fail_at(file, line, "the descriptor is not signalled");
    }
}

static bool wait_somehow(const struct wait *wait, bool descriptor_allowed)
{
    static enum attempt (*const ways[])(const struct wait *) = {
        by_blocking,   by_short_waits, by_looking,    by_poll,       by_short_polls,
        by_mixed_poll, by_descriptor,  by_descriptor, by_descriptor, by_descriptor,
    };
    enum { BY_DESCRIPTOR = 4 }; /* the last ones; often, as only this way sleeps on it */
    int64_t deadline = ts_now_ms() + TS_TIMEOUT_MS;
    uint32_t count = TS_COUNT(ways) - (descriptor_allowed ? 0 : BY_DESCRIPTOR);
    for (;;) {
        enum attempt result = ways[ts_random_below(wait->random, count)](wait);
        if (result != NOT_YET)
            return result == DONE;
        if (ts_now_ms() >= deadline)
            ts_fail_at(wait->file, wait->line, "nothing could be %s within %d ms",
                       wait->sends ? "sent" : "received", TS_TIMEOUT_MS);
    }
}

bool ts_receive_somehow_at(void *socket, zmq_msg_t *message, bool descriptor_allowed,
                           struct ts_random *random, const char *file, int line)
{
    struct wait wait = {socket, message, false, random, file, line};
    return wait_somehow(&wait, descriptor_allowed);
}

bool ts_send_somehow_at(void *socket, zmq_msg_t *message, bool descriptor_allowed,
                        struct ts_random *random, const char *file, int line)
{
    struct wait wait = {socket, message, true, random, file, line};
    return wait_somehow(&wait, descriptor_allowed);
}
