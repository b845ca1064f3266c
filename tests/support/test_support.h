/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What all behaviour tests share. The library is used only through zmq.h.
 *
 * Every call that may wait is bounded: sockets made here carry TS_TIMEOUT_MS as receive and send
 * time limit, raw descriptors too, so that a defect ends as a failed assertion and not as a hang.
 * Every failure names the line of the test that asked. Helpers that can fail may be used from any
 * thread: outside the main thread a failure prints its message and aborts the process, because
 * cmocka cannot unwind another thread.
 *
 * A test whose name ends in "_beyond_stock" cannot be checked against a stable build of libzmq:
 * it uses a draft interface, or demands sane behaviour where libzmq is known to do something else
 * (its comment says which). TS_SKIP='*_beyond_stock*' leaves these tests out.
 */
#ifndef TESTS_SUPPORT_TEST_SUPPORT_H
#define TESTS_SUPPORT_TEST_SUPPORT_H

#ifndef ZMQ_BUILD_DRAFT_API
#define ZMQ_BUILD_DRAFT_API
#endif

#include "support/sanitizer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <zmq.h>

/* Long enough for a slow machine under a sanitizer, short enough for a test run to end. */
#define TS_TIMEOUT_MS 20000

#define TS_ENDPOINT_MAX 256

#define TS_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- running ---------------------------------------------------------------------------- */

/* Prepares the process (temporary directory, main thread, name filters TS_FILTER and TS_SKIP). */
void ts_init(void);
/* In a forked child: failures end the process, as there is no test runner to return to. */
void ts_enter_child(void);

#define TS_RUN(tests) (ts_init(), cmocka_run_group_tests_name(__FILE__, tests, NULL, NULL))

/* One entry per transport; the test receives the transport's name ("tcp"...) as *state. */
#define TS_ON(function, transport)                                                                 \
    {                                                                                              \
#function "_" transport, function, NULL, NULL, (void *)(uintptr_t)transport                \
    }
/* The same for what a stable libzmq lacks. Meanwhile ts_socket sets what the transport wants. */
#define TS_ON_BEYOND_STOCK(function, transport)                                                    \
    {                                                                                              \
#function "_" transport "_beyond_stock", function, ts_enter_transport, ts_leave_transport, \
            (void *)(uintptr_t)transport                                                           \
    }
int ts_enter_transport(void **state);
int ts_leave_transport(void **state);

/* The ones that something is put over before, or around, ZMTP. */
#define TS_ON_LAYERED(function)                                                                    \
    TS_ON_BEYOND_STOCK(function, "tls"), TS_ON_BEYOND_STOCK(function, "ws"),                       \
        TS_ON_BEYOND_STOCK(function, "wss")
/* The ones on which a bare socket can talk ZMTP with the library. */
#define TS_ON_NETWORK(function) TS_ON(function, "ipc"), TS_ON(function, "tcp")
/* All that make connections, and all there are; keep in step with the table in transports.c. */
#define TS_ON_CONNECTIONS(function) TS_ON_NETWORK(function), TS_ON_LAYERED(function)
#define TS_ON_ALL(function) TS_ON(function, "inproc"), TS_ON_CONNECTIONS(function)

/* ---- assertions ------------------------------------------------------------------------- */

_Noreturn void ts_fail_at(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define ts_fail(...) ts_fail_at(__FILE__, __LINE__, __VA_ARGS__)

/* As assert_true, but usable in every thread. */
#define ts_check(condition)                                                                        \
    ((condition) ? (void)0 : ts_fail_at(__FILE__, __LINE__, "not true: %s", #condition))

long long ts_expect_ok_at(long long rc, const char *text, const char *file, int line);
void ts_expect_error_at(long long rc, int error, const char *text, const char *file, int line);
void ts_expect_value_at(long long got, long long want, const char *text, const char *file,
                        int line);

/* The call succeeds (does not return -1); yields what it returned. */
#define ts_ok(call) ts_expect_ok_at((call), #call, __FILE__, __LINE__)
/* The call returns -1 with exactly this errno. errno is cleared before the call. */
#define ts_error(call, error)                                                                      \
    (errno = 0, ts_expect_error_at((call), (error), #call, __FILE__, __LINE__))
/* The call returns exactly this value. */
#define ts_value(call, want) ts_expect_value_at((call), (want), #call, __FILE__, __LINE__)

/* ---- contexts, sockets, options --------------------------------------------------------- */

void *ts_context_at(const char *file, int line);
#define ts_context() ts_context_at(__FILE__, __LINE__)
/* Terminates, going on after EINTR. */
void ts_terminate_at(void *context, const char *file, int line);
#define ts_terminate(context) ts_terminate_at((context), __FILE__, __LINE__)

/* A socket with TS_TIMEOUT_MS as time limits and LINGER 0, and with certificates in a test of
 * TS_ON_BEYOND_STOCK that runs over a transport that wants them. */
void *ts_socket_at(void *context, int type, const char *file, int line);
#define ts_socket(context, type) ts_socket_at((context), (type), __FILE__, __LINE__)
#define ts_close(socket) ts_value(zmq_close(socket), 0)

void ts_set_int_at(void *socket, int option, int value, const char *file, int line);
#define ts_set_int(socket, option, value)                                                          \
    ts_set_int_at((socket), (option), (value), __FILE__, __LINE__)
void ts_set_bytes_at(void *socket, int option, const void *value, size_t size, const char *file,
                     int line);
#define ts_set_bytes(socket, option, value, size)                                                  \
    ts_set_bytes_at((socket), (option), (value), (size), __FILE__, __LINE__)
#define ts_set_text(socket, option, text) ts_set_bytes((socket), (option), (text), strlen(text))
int ts_get_int_at(void *socket, int option, const char *file, int line);
#define ts_get_int(socket, option) ts_get_int_at((socket), (option), __FILE__, __LINE__)

/* ---- endpoints -------------------------------------------------------------------------- */

/* Binds to a free address of the transport ("inproc", "ipc", "tcp"), writes LAST_ENDPOINT. */
void ts_bind_at(void *socket, const char *transport, char endpoint[TS_ENDPOINT_MAX],
                const char *file, int line);
#define ts_bind(socket, transport, endpoint)                                                       \
    ts_bind_at((socket), (transport), (endpoint), __FILE__, __LINE__)
void ts_last_endpoint_at(void *socket, char endpoint[TS_ENDPOINT_MAX], const char *file, int line);
#define ts_last_endpoint(socket, endpoint)                                                         \
    ts_last_endpoint_at((socket), (endpoint), __FILE__, __LINE__)
/* Binds, retrying while an asynchronously closed listener still holds the address. */
void ts_rebind_at(void *socket, const char *endpoint, const char *file, int line);
#define ts_rebind(socket, endpoint) ts_rebind_at((socket), (endpoint), __FILE__, __LINE__)

/* An address nobody is bound to yet, kept free for this process until released. */
struct ts_address {
    char endpoint[TS_ENDPOINT_MAX];
    int held; /* tcp: bound but not listening, so that no other process gets the port */
};
void ts_address_reserve_at(struct ts_address *address, const char *transport, const char *file,
                           int line);
#define ts_address_reserve(address, transport)                                                     \
    ts_address_reserve_at((address), (transport), __FILE__, __LINE__)
void ts_address_release(struct ts_address *address);

/* Two connected sockets: `bound` and `connected` exist already, options set. Returns when each
 * side can use the other (network transports: both handshakes reported by their monitors). */
void ts_connect_pair_at(void *context, void *bound, void *connected, const char *transport,
                        const char *file, int line);
#define ts_connect_pair(context, bound, connected, transport)                                      \
    ts_connect_pair_at((context), (bound), (connected), (transport), __FILE__, __LINE__)

/* ---- messages --------------------------------------------------------------------------- */

void ts_send_at(void *socket, const void *data, size_t size, int flags, const char *file, int line);
#define ts_send_bytes(socket, data, size, flags)                                                   \
    ts_send_at((socket), (data), (size), (flags), __FILE__, __LINE__)
#define ts_send(socket, text, flags) ts_send_bytes((socket), (text), strlen(text), (flags))
/* Sends the texts, up to a NULL, as one message. */
void ts_send_parts_at(const char *file, int line, void *socket, ...);
#define ts_send_parts(...) ts_send_parts_at(__FILE__, __LINE__, __VA_ARGS__, (char *)NULL)

/* Receives one part and compares its bytes; `more` is what RCVMORE must say afterwards. */
void ts_recv_at(void *socket, const void *data, size_t size, bool more, const char *file, int line);
#define ts_recv_bytes(socket, data, size, more)                                                    \
    ts_recv_at((socket), (data), (size), (more), __FILE__, __LINE__)
/* Receives a message that consists of these texts, up to a NULL, and nothing else. */
void ts_recv_parts_at(const char *file, int line, void *socket, ...);
#define ts_recv_parts(...) ts_recv_parts_at(__FILE__, __LINE__, __VA_ARGS__, (char *)NULL)
#define ts_recv(socket, text) ts_recv_parts((socket), (text))
/* Receives one part into buffer, NUL-terminated; returns its size. */
size_t ts_recv_any_at(void *socket, void *buffer, size_t capacity, const char *file, int line);
#define ts_recv_any(socket, buffer, capacity)                                                      \
    ts_recv_any_at((socket), (buffer), (capacity), __FILE__, __LINE__)
#define ts_more(socket) ts_get_int((socket), ZMQ_RCVMORE)
/* Nothing can be received now. */
#define ts_recv_nothing(socket) ts_error(zmq_recv((socket), NULL, 0, ZMQ_DONTWAIT), EAGAIN)

/* Waits until zmq_poll reports the event (ZMQ_POLLIN, ZMQ_POLLOUT). */
void ts_wait_at(void *socket, short events, const char *file, int line);
#define ts_wait_readable(socket) ts_wait_at((socket), ZMQ_POLLIN, __FILE__, __LINE__)
#define ts_wait_writable(socket) ts_wait_at((socket), ZMQ_POLLOUT, __FILE__, __LINE__)
/* Sends copies of text until EAGAIN; returns how many were taken. Fails beyond `limit`. */
int ts_fill_at(void *socket, const char *text, int limit, const char *file, int line);
#define ts_fill(socket, text, limit) ts_fill_at((socket), (text), (limit), __FILE__, __LINE__)
/* Publishes probes until the subscriber gets one, then drops the surplus probes. The subscriber
 * must be subscribed to `topic`. */
void ts_pubsub_sync_at(void *publisher, void *subscriber, const char *topic, const char *file,
                       int line);
#define ts_pubsub_sync(publisher, subscriber, topic)                                               \
    ts_pubsub_sync_at((publisher), (subscriber), (topic), __FILE__, __LINE__)

/* A reproducible pattern, different for each seed, and its check. */
void ts_pattern(void *buffer, size_t size, uint32_t seed);
bool ts_pattern_ok(const void *buffer, size_t size, uint32_t seed);

/* ---- monitor ---------------------------------------------------------------------------- */

struct ts_event {
    int event;
    uint32_t value;
    char endpoint[TS_ENDPOINT_MAX];
};

/* Starts monitoring and returns the socket that receives the events. */
void *ts_monitor_at(void *context, void *socket, int events, const char *file, int line);
#define ts_monitor(context, socket, events)                                                        \
    ts_monitor_at((context), (socket), (events), __FILE__, __LINE__)
/* Ends it. Closing the receiving socket alone is not enough: libzmq waits for a reader. */
void ts_unmonitor(void *socket, void *monitor);
void ts_next_event_at(void *monitor, struct ts_event *event, const char *file, int line);
#define ts_next_event(monitor, event) ts_next_event_at((monitor), (event), __FILE__, __LINE__)
/* The next event is this one; yields its value. */
uint32_t ts_expect_event_at(void *monitor, int event, const char *file, int line);
#define ts_expect_event(monitor, event) ts_expect_event_at((monitor), (event), __FILE__, __LINE__)
/* Skips events until this one; yields its value. */
uint32_t ts_await_event_at(void *monitor, int event, const char *file, int line);
#define ts_await_event(monitor, event) ts_await_event_at((monitor), (event), __FILE__, __LINE__)
const char *ts_event_name(int event);

/* ---- threads and time ------------------------------------------------------------------- */

struct ts_thread;
struct ts_thread *ts_thread_start(void (*function)(void *), void *argument);
void ts_thread_join(struct ts_thread *thread);
/* Waits until the thread is asleep in the kernel, i.e. inside a blocking call, or has ended. */
void ts_thread_await_sleep(struct ts_thread *thread);
/* Sends the signal to that thread. */
void ts_thread_signal(struct ts_thread *thread, int signal_number);

int64_t ts_now_ms(void);

#endif
