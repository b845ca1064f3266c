/* SPDX-License-Identifier: MPL-2.0 */
/* Monitor events, threads and time for the behaviour tests. */
#define _GNU_SOURCE
#include "test_support.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* ---- monitor ---------------------------------------------------------------------------- */

static const struct {
    int event;
    const char *name;
} event_names[] = {
    {ZMQ_EVENT_CONNECTED, "CONNECTED"},
    {ZMQ_EVENT_CONNECT_DELAYED, "CONNECT_DELAYED"},
    {ZMQ_EVENT_CONNECT_RETRIED, "CONNECT_RETRIED"},
    {ZMQ_EVENT_LISTENING, "LISTENING"},
    {ZMQ_EVENT_BIND_FAILED, "BIND_FAILED"},
    {ZMQ_EVENT_ACCEPTED, "ACCEPTED"},
    {ZMQ_EVENT_ACCEPT_FAILED, "ACCEPT_FAILED"},
    {ZMQ_EVENT_CLOSED, "CLOSED"},
    {ZMQ_EVENT_CLOSE_FAILED, "CLOSE_FAILED"},
    {ZMQ_EVENT_DISCONNECTED, "DISCONNECTED"},
    {ZMQ_EVENT_MONITOR_STOPPED, "MONITOR_STOPPED"},
    {ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, "HANDSHAKE_FAILED_NO_DETAIL"},
    {ZMQ_EVENT_HANDSHAKE_SUCCEEDED, "HANDSHAKE_SUCCEEDED"},
    {ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, "HANDSHAKE_FAILED_PROTOCOL"},
    {ZMQ_EVENT_HANDSHAKE_FAILED_AUTH, "HANDSHAKE_FAILED_AUTH"},
};

const char *ts_event_name(int event)
{
    for (size_t i = 0; i < TS_COUNT(event_names); ++i)
        if (event_names[i].event == event)
            return event_names[i].name;
    return "an unknown event";
}

void *ts_monitor_at(void *context, void *socket, int events, const char *file, int line)
{
    static atomic_uint number;
    char endpoint[64];
    snprintf(endpoint, sizeof endpoint, "inproc://test-monitor-%u", atomic_fetch_add(&number, 1));
    if (zmq_socket_monitor(socket, endpoint, events) != 0)
        ts_fail_at(file, line, "zmq_socket_monitor: %s", zmq_strerror(zmq_errno()));
    void *monitor = ts_socket_at(context, ZMQ_PAIR, file, line);
    if (zmq_connect(monitor, endpoint) != 0)
        ts_fail_at(file, line, "connect to the monitor: %s", zmq_strerror(zmq_errno()));
    return monitor;
}

void ts_unmonitor(void *socket, void *monitor)
{
    ts_check(zmq_socket_monitor(socket, NULL, 0) == 0);
    ts_check(zmq_close(monitor) == 0);
}

static size_t receive_frame(void *monitor, void *buffer, size_t capacity, const char *file,
                            int line)
{
    int rc = zmq_recv(monitor, buffer, capacity, 0);
    if (rc == -1)
        ts_fail_at(file, line, "waiting for a monitor event: %s", zmq_strerror(zmq_errno()));
    if ((size_t)rc > capacity)
        ts_fail_at(file, line, "monitor frame of %d bytes", rc);
    return (size_t)rc;
}

void ts_next_event_at(void *monitor, struct ts_event *event, const char *file, int line)
{
    unsigned char frame[6];
    uint16_t number;
    if (receive_frame(monitor, frame, sizeof frame, file, line) != sizeof frame)
        ts_fail_at(file, line, "the first monitor frame is not 6 bytes long");
    if (!ts_get_int_at(monitor, ZMQ_RCVMORE, file, line))
        ts_fail_at(file, line, "a monitor event without its endpoint frame");
    memcpy(&number, frame, sizeof number);
    memcpy(&event->value, frame + 2, sizeof event->value);
    event->event = number;
    size_t size = receive_frame(monitor, event->endpoint, sizeof event->endpoint - 1, file, line);
    event->endpoint[size] = 0;
    if (ts_get_int_at(monitor, ZMQ_RCVMORE, file, line))
        ts_fail_at(file, line, "a monitor event of more than two frames");
}

uint32_t ts_expect_event_at(void *monitor, int event, const char *file, int line)
{
    struct ts_event got;
    ts_next_event_at(monitor, &got, file, line);
    if (got.event != event)
        ts_fail_at(file, line, "event %s (value %u, %s) instead of %s", ts_event_name(got.event),
                   got.value, got.endpoint, ts_event_name(event));
    return got.value;
}

uint32_t ts_await_event_at(void *monitor, int event, const char *file, int line)
{
    struct ts_event got;
    do
        ts_next_event_at(monitor, &got, file, line);
    while (got.event != event);
    return got.value;
}

/* ---- threads ---------------------------------------------------------------------------- */

struct ts_thread {
    pthread_t handle;
    void (*function)(void *);
    void *argument;
    atomic_int id; /* kernel thread id, 0 until the thread runs */
    atomic_bool ended;
};

static void *thread_main(void *argument)
{
    struct ts_thread *thread = argument;
    atomic_store(&thread->id, (int)syscall(SYS_gettid));
    thread->function(thread->argument);
    atomic_store(&thread->ended, true);
    return NULL;
}

struct ts_thread *ts_thread_start(void (*function)(void *), void *argument)
{
    struct ts_thread *thread = calloc(1, sizeof *thread);
    ts_check(thread != NULL);
    thread->function = function;
    thread->argument = argument;
    ts_check(pthread_create(&thread->handle, NULL, thread_main, thread) == 0);
    return thread;
}

void ts_thread_join(struct ts_thread *thread)
{
    ts_check(pthread_join(thread->handle, NULL) == 0);
    free(thread);
}

static bool asleep(int id)
{
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", id);
    FILE *file = fopen(path, "r");
    if (!file)
        return false;
    char *text = fgets(line, sizeof line, file);
    fclose(file);
    /* The state letter follows the parenthesised name. */
    text = text ? strrchr(line, ')') : NULL;
    return text && text[1] == ' ' && text[2] == 'S';
}

void ts_thread_await_sleep(struct ts_thread *thread)
{
    /* A thread may also sleep for a moment on its way, so several looks in a row must agree. */
    for (int looks = 0; looks < 10 && !atomic_load(&thread->ended);) {
        struct timespec pause = {.tv_sec = 0, .tv_nsec = 500000};
        nanosleep(&pause, NULL);
        int id = atomic_load(&thread->id);
        looks = id && asleep(id) ? looks + 1 : 0;
    }
}

void ts_thread_signal(struct ts_thread *thread, int signal_number)
{
    ts_check(pthread_kill(thread->handle, signal_number) == 0);
}

int64_t ts_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
