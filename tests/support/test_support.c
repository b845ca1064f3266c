/* SPDX-License-Identifier: MPL-2.0 */
/* Assertions, contexts, sockets, endpoints and messages for the behaviour tests. */
#define _GNU_SOURCE
#include "test_support.h"

#include "transports.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static pthread_t main_thread;
static char temporary_directory[] = "/tmp/zlink-test-XXXXXX";
static bool in_child;

/* ---- running ---------------------------------------------------------------------------- */

static void remove_temporary_directory(void)
{
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", temporary_directory);
    if (system(command) != 0)
        perror(command);
}

static void remove_in_owner_only(void)
{
    static pid_t owner;
    if (!owner)
        owner = getpid();
    else if (owner == getpid())
        remove_temporary_directory();
}

void ts_init(void)
{
    main_thread = pthread_self();
    /* Wildcard ipc endpoints and our own both go to one short path, whatever the build tree. */
    if (!mkdtemp(temporary_directory)) {
        perror("mkdtemp");
        exit(2);
    }
    remove_in_owner_only();
    atexit(remove_in_owner_only);
    setenv("TMPDIR", temporary_directory, 1);
    if (getenv("TS_FILTER"))
        cmocka_set_test_filter(getenv("TS_FILTER"));
    if (getenv("TS_SKIP"))
        cmocka_set_skip_filter(getenv("TS_SKIP"));
}

void ts_enter_child(void)
{
    in_child = true;
}

/* ---- assertions ------------------------------------------------------------------------- */

void ts_fail_at(const char *file, int line, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (in_child) {
        fprintf(stderr, "%s:%d: failure in a child: %s\n", file, line, text);
        _exit(1);
    }
    if (pthread_equal(pthread_self(), main_thread)) {
        print_error("%s\n", text);
        _fail(file, line);
    }
    fprintf(stderr, "%s:%d: failure in a second thread: %s\n", file, line, text);
    abort();
}

long long ts_expect_ok_at(long long rc, const char *text, const char *file, int line)
{
    if (rc == -1)
        ts_fail_at(file, line, "%s: failed: %s", text, zmq_strerror(zmq_errno()));
    return rc;
}

void ts_expect_error_at(long long rc, int error, const char *text, const char *file, int line)
{
    int got = zmq_errno();
    if (rc != -1)
        ts_fail_at(file, line, "%s: returned %lld instead of failing with %s", text, rc,
                   zmq_strerror(error));
    if (got != error)
        ts_fail_at(file, line, "%s: failed with %d (%s) instead of %d (%s)", text, got,
                   zmq_strerror(got), error, zmq_strerror(error));
}

void ts_expect_value_at(long long got, long long want, const char *text, const char *file, int line)
{
    if (got == want)
        return;
    if (got == -1)
        ts_fail_at(file, line, "%s: failed: %s; %lld wanted", text, zmq_strerror(zmq_errno()),
                   want);
    ts_fail_at(file, line, "%s: got %lld, wanted %lld", text, got, want);
}

/* ---- contexts, sockets, options --------------------------------------------------------- */

void *ts_context_at(const char *file, int line)
{
    void *context = zmq_ctx_new();
    if (!context)
        ts_fail_at(file, line, "zmq_ctx_new: %s", zmq_strerror(zmq_errno()));
    return context;
}

void ts_terminate_at(void *context, const char *file, int line)
{
    int rc;
    do
        rc = zmq_ctx_term(context);
    while (rc == -1 && zmq_errno() == EINTR);
    ts_expect_ok_at(rc, "zmq_ctx_term", file, line);
}

void *ts_socket_at(void *context, int type, const char *file, int line)
{
    void *socket = zmq_socket(context, type);
    if (!socket)
        ts_fail_at(file, line, "zmq_socket(%d): %s", type, zmq_strerror(zmq_errno()));
    ts_set_int_at(socket, ZMQ_RCVTIMEO, TS_TIMEOUT_MS, file, line);
    ts_set_int_at(socket, ZMQ_SNDTIMEO, TS_TIMEOUT_MS, file, line);
    ts_set_int_at(socket, ZMQ_LINGER, 0, file, line);
    ts_prepare_for_test(socket);
    return socket;
}

void ts_set_int_at(void *socket, int option, int value, const char *file, int line)
{
    if (zmq_setsockopt(socket, option, &value, sizeof value) != 0)
        ts_fail_at(file, line, "zmq_setsockopt(%d, %d): %s", option, value,
                   zmq_strerror(zmq_errno()));
}

void ts_set_bytes_at(void *socket, int option, const void *value, size_t size, const char *file,
                     int line)
{
    if (zmq_setsockopt(socket, option, value, size) != 0)
        ts_fail_at(file, line, "zmq_setsockopt(%d, %zu bytes): %s", option, size,
                   zmq_strerror(zmq_errno()));
}

int ts_get_int_at(void *socket, int option, const char *file, int line)
{
    int value = 0;
    size_t size = sizeof value;
    if (zmq_getsockopt(socket, option, &value, &size) != 0)
        ts_fail_at(file, line, "zmq_getsockopt(%d): %s", option, zmq_strerror(zmq_errno()));
    return value;
}

/* ---- endpoints -------------------------------------------------------------------------- */

void ts_last_endpoint_at(void *socket, char endpoint[TS_ENDPOINT_MAX], const char *file, int line)
{
    size_t size = TS_ENDPOINT_MAX;
    if (zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &size) != 0)
        ts_fail_at(file, line, "ZMQ_LAST_ENDPOINT: %s", zmq_strerror(zmq_errno()));
}

void ts_bind_at(void *socket, const char *transport, char endpoint[TS_ENDPOINT_MAX],
                const char *file, int line)
{
    char text[TS_ENDPOINT_MAX];
    if (zmq_bind(socket, ts_free_address(transport, text)) != 0)
        ts_fail_at(file, line, "zmq_bind(%s): %s", text, zmq_strerror(zmq_errno()));
    ts_last_endpoint_at(socket, endpoint, file, line);
}

static void short_pause(void)
{
    struct timespec pause = {.tv_sec = 0, .tv_nsec = 1000000};
    nanosleep(&pause, NULL);
}

void ts_rebind_at(void *socket, const char *endpoint, const char *file, int line)
{
    int64_t deadline = ts_now_ms() + TS_TIMEOUT_MS;
    while (zmq_bind(socket, endpoint) != 0) {
        if (zmq_errno() != EADDRINUSE || ts_now_ms() > deadline)
            ts_fail_at(file, line, "zmq_bind(%s): %s", endpoint, zmq_strerror(zmq_errno()));
        short_pause();
    }
}

/* A descriptor bound to a tcp port but not listening: connections are refused, nobody else gets
 * the port as an ephemeral one, and a listener with SO_REUSEADDR may still bind to it. */
static int hold_tcp_port(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        return -1;
    *port = ntohs(address.sin_port);
    return fd;
}

void ts_address_reserve_at(struct ts_address *address, const char *transport, const char *file,
                           int line)
{
    int port = 0;
    address->held = -1;
    if (!ts_has_ports(transport)) {
        ts_free_address(transport, address->endpoint);
        return;
    }
    address->held = hold_tcp_port(&port);
    if (address->held == -1)
        ts_fail_at(file, line, "cannot reserve a port: %s", strerror(errno));
    ts_port_endpoint(transport, port, address->endpoint);
}

void ts_address_release(struct ts_address *address)
{
    if (address->held != -1)
        close(address->held);
    address->held = -1;
}

void ts_connect_pair_at(void *context, void *bound, void *connected, const char *transport,
                        const char *file, int line)
{
    char endpoint[TS_ENDPOINT_MAX];
    void *monitors[2] = {NULL, NULL};
    bool network = ts_makes_connections(transport);
    if (network) {
        monitors[0] = ts_monitor_at(context, bound, ZMQ_EVENT_HANDSHAKE_SUCCEEDED, file, line);
        monitors[1] = ts_monitor_at(context, connected, ZMQ_EVENT_HANDSHAKE_SUCCEEDED, file, line);
    }
    ts_bind_at(bound, transport, endpoint, file, line);
    if (zmq_connect(connected, endpoint) != 0)
        ts_fail_at(file, line, "zmq_connect(%s): %s", endpoint, zmq_strerror(zmq_errno()));
    for (int i = 0; network && i < 2; ++i) {
        ts_expect_event_at(monitors[i], ZMQ_EVENT_HANDSHAKE_SUCCEEDED, file, line);
        zmq_socket_monitor(i == 0 ? bound : connected, NULL, 0);
        zmq_close(monitors[i]);
    }
}

/* ---- messages --------------------------------------------------------------------------- */

void ts_send_at(void *socket, const void *data, size_t size, int flags, const char *file, int line)
{
    int rc = zmq_send(socket, data, size, flags);
    if (rc == -1)
        ts_fail_at(file, line, "zmq_send of %zu bytes \"%.*s\": %s", size,
                   size < 40 ? (int)size : 40, (const char *)data, zmq_strerror(zmq_errno()));
    if (rc != (int)size)
        ts_fail_at(file, line, "zmq_send of %zu bytes returned %d", size, rc);
}

void ts_send_parts_at(const char *file, int line, void *socket, ...)
{
    va_list arguments;
    va_start(arguments, socket);
    const char *text = va_arg(arguments, const char *);
    while (text) {
        const char *next = va_arg(arguments, const char *);
        ts_send_at(socket, text, strlen(text), next ? ZMQ_SNDMORE : 0, file, line);
        text = next;
    }
    va_end(arguments);
}

static void show(char *text, size_t capacity, const unsigned char *data, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < size && i < 40 && used + 5 < capacity; ++i)
        used += (size_t)(data[i] >= ' ' && data[i] < 127
                             ? snprintf(text + used, capacity - used, "%c", data[i])
                             : snprintf(text + used, capacity - used, "\\%02x", data[i]));
    text[used] = 0;
}

void ts_recv_at(void *socket, const void *data, size_t size, bool more, const char *file, int line)
{
    char wanted[256], got[256];
    zmq_msg_t message;
    zmq_msg_init(&message);
    show(wanted, sizeof wanted, data, size);
    if (zmq_msg_recv(&message, socket, 0) == -1)
        ts_fail_at(file, line, "waiting for \"%s\": %s", wanted, zmq_strerror(zmq_errno()));
    show(got, sizeof got, zmq_msg_data(&message), zmq_msg_size(&message));
    if (zmq_msg_size(&message) != size || memcmp(zmq_msg_data(&message), data, size) != 0)
        ts_fail_at(file, line, "received %zu bytes \"%s\", wanted %zu bytes \"%s\"",
                   zmq_msg_size(&message), got, size, wanted);
    if (zmq_msg_more(&message) != more)
        ts_fail_at(file, line, "after \"%s\": %s part expected", wanted,
                   more ? "another" : "no other");
    if (ts_get_int_at(socket, ZMQ_RCVMORE, file, line) != more)
        ts_fail_at(file, line, "after \"%s\": ZMQ_RCVMORE contradicts zmq_msg_more", wanted);
    zmq_msg_close(&message);
}

void ts_recv_parts_at(const char *file, int line, void *socket, ...)
{
    va_list arguments;
    va_start(arguments, socket);
    const char *text = va_arg(arguments, const char *);
    while (text) {
        const char *next = va_arg(arguments, const char *);
        ts_recv_at(socket, text, strlen(text), next != NULL, file, line);
        text = next;
    }
    va_end(arguments);
}

size_t ts_recv_any_at(void *socket, void *buffer, size_t capacity, const char *file, int line)
{
    int rc = zmq_recv(socket, buffer, capacity, 0);
    if (rc == -1)
        ts_fail_at(file, line, "zmq_recv: %s", zmq_strerror(zmq_errno()));
    if ((size_t)rc >= capacity)
        ts_fail_at(file, line, "zmq_recv: %d bytes do not fit into %zu", rc, capacity);
    ((char *)buffer)[rc] = 0;
    return (size_t)rc;
}

void ts_wait_at(void *socket, short events, const char *file, int line)
{
    zmq_pollitem_t item = {.socket = socket, .events = events};
    int rc = zmq_poll(&item, 1, TS_TIMEOUT_MS);
    if (rc == -1)
        ts_fail_at(file, line, "zmq_poll: %s", zmq_strerror(zmq_errno()));
    if (rc != 1 || !(item.revents & events))
        ts_fail_at(file, line, "event %d did not come", events);
}

int ts_fill_at(void *socket, const char *text, int limit, const char *file, int line)
{
    for (int count = 0; count <= limit; ++count) {
        if (zmq_send(socket, text, strlen(text), ZMQ_DONTWAIT) != -1)
            continue;
        if (zmq_errno() != EAGAIN)
            ts_fail_at(file, line, "zmq_send: %s", zmq_strerror(zmq_errno()));
        return count;
    }
    ts_fail_at(file, line, "more than %d messages were taken", limit);
}

static void drop_probes(void *publisher, void *subscriber, const char *topic, const char *file,
                        int line)
{
    char last[TS_ENDPOINT_MAX], got[TS_ENDPOINT_MAX];
    snprintf(last, sizeof last, "%s-last-probe", topic);
    ts_send_at(publisher, last, strlen(last), 0, file, line);
    do
        ts_recv_any_at(subscriber, got, sizeof got, file, line);
    while (strcmp(got, last) != 0);
}

void ts_pubsub_sync_at(void *publisher, void *subscriber, const char *topic, const char *file,
                       int line)
{
    int64_t deadline = ts_now_ms() + TS_TIMEOUT_MS;
    zmq_pollitem_t item = {.socket = subscriber, .events = ZMQ_POLLIN};
    char probe[TS_ENDPOINT_MAX];
    snprintf(probe, sizeof probe, "%s-probe", topic);
    do {
        if (ts_now_ms() > deadline)
            ts_fail_at(file, line, "no probe arrived for topic \"%s\"", topic);
        ts_send_at(publisher, probe, strlen(probe), 0, file, line);
    } while (zmq_poll(&item, 1, 5) != 1);
    drop_probes(publisher, subscriber, topic, file, line);
}

/* A 32-bit xorshift step for each four bytes; the byte order does not matter. */
enum { PATTERN_BLOCK = 4096 };

/* The next octets. By blocks, since a sanitizer looks at every access: here at none, as the memory
 * is the helper's own, and in the callers at one for each block. */
__attribute__((no_sanitize("thread", "address", "undefined"))) static void
pattern_block(uint32_t block[PATTERN_BLOCK / 4], size_t size, uint32_t *state)
{
    uint32_t word = *state;
    for (size_t i = 0; i * 4 < size; ++i) {
        word ^= word << 13;
        word ^= word >> 17;
        word ^= word << 5;
        block[i] = word;
    }
    *state = word;
}

static uint32_t pattern_start(uint32_t seed)
{
    return seed * 2654435761u + 1;
}

static size_t at_most(size_t size, size_t limit)
{
    return size < limit ? size : limit;
}

void ts_pattern(void *buffer, size_t size, uint32_t seed)
{
    uint32_t block[PATTERN_BLOCK / 4], state = pattern_start(seed);
    for (size_t done = 0, piece; done < size; done += piece) {
        piece = at_most(size - done, sizeof block);
        pattern_block(block, piece, &state);
        memcpy((unsigned char *)buffer + done, block, piece);
    }
}

bool ts_pattern_ok(const void *buffer, size_t size, uint32_t seed)
{
    uint32_t block[PATTERN_BLOCK / 4], state = pattern_start(seed);
    for (size_t done = 0, piece; done < size; done += piece) {
        piece = at_most(size - done, sizeof block);
        pattern_block(block, piece, &state);
        if (memcmp((const unsigned char *)buffer + done, block, piece) != 0)
            return false;
    }
    return true;
}
