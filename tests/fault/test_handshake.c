/* SPDX-License-Identifier: MPL-2.0 */
/* Foreign, silent and dying peers during the handshake. */
#include "support/raw_peer.h"
#include "support/setups.h"
#include "support/test_support.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define SIGNATURE "\xff\0\0\0\0\0\0\0\1\x7f"

/* An honest peer is heard. It repeats itself, for its own handshake may exceed a short deadline. */
static void serve_good_peer(struct ts_server *server)
{
    static int serial;
    char wanted[32], text[512] = "";
    int64_t deadline = ts_now_ms() + TS_TIMEOUT_MS;
    zmq_pollitem_t item = {.socket = server->socket, .events = ZMQ_POLLIN};
    void *push = ts_socket(server->context, ZMQ_PUSH);
    snprintf(wanted, sizeof wanted, "good peer %d", ++serial);
    ts_ok(zmq_connect(push, server->endpoint));
    while (strcmp(text, wanted) != 0) {
        ts_check(ts_now_ms() < deadline);
        ts_send(push, wanted, 0);
        if (zmq_poll(&item, 1, 100) == 1)
            ts_recv_any(server->socket, text, sizeof text);
    }
    ts_close(push);
}

/* Refused at once, whichever octet of the mechanism's name differs. */
static void other_mechanisms_are_refused(void **state)
{
    static const char *mechanisms[] = {"PLAIN", "CURVE", "null", "NUL", "NULLX", ""};
    struct ts_server server = ts_open_server(ZMQ_PULL, *state);
    void *monitor = ts_monitor(server.context, server.socket,
                               ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    for (size_t i = 0; i < TS_COUNT(mechanisms); ++i) {
        unsigned char greeting[64];
        int fd = ts_raw_connect(server.endpoint);
        ts_raw_greeting(greeting, 1, mechanisms[i]);
        ts_raw_send(fd, greeting, 64);
        ts_raw_expect_closed(fd);
        ts_value(ts_expect_event(monitor, ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL),
                 ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH);
        close(fd);
    }
    ts_unmonitor(server.socket, monitor);
    serve_good_peer(&server);
    ts_close_server(&server);
}

/* Something else knocks; whatever becomes of it, others are served. */
static void foreign_protocols(void **state)
{
    static const char *texts[] = {
        "GET / HTTP/1.1\r\nHost: example\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n",
        "\x16\x03\x01\x02\x01\x01\xfc\x03\x03 a TLS hello",
        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        "\xff",
        "\1",
        SIGNATURE "\3\1NULL",
    };
    struct ts_server server = ts_open_server(ZMQ_PULL, *state);
    int fds[TS_COUNT(texts)];
    for (size_t i = 0; i < TS_COUNT(texts); ++i) {
        fds[i] = ts_raw_connect(server.endpoint);
        ts_raw_send_if_open(fds[i], texts[i], strlen(texts[i]));
    }
    serve_good_peer(&server);
    for (size_t i = 0; i < TS_COUNT(texts); ++i)
        close(fds[i]);
    serve_good_peer(&server);
    ts_close_server(&server);
}

/* Peers that stop at any step of the handshake are dropped when HANDSHAKE_IVL is over. */
static void silent_peers_are_dropped(void **state)
{
    static const size_t steps[] = {0, 1, 9, 10, 11, 12, 32, 63, 64, 65, 66, 80, 104};
    unsigned char stream[TS_DEALER_OPENING];
    int fds[TS_COUNT(steps)];
    struct ts_server server = {.context = ts_context()};
    server.socket = ts_socket(server.context, ZMQ_PULL);
    ts_set_int(server.socket, ZMQ_HANDSHAKE_IVL, 100);
    ts_bind(server.socket, *state, server.endpoint);
    void *monitor = ts_monitor(server.context, server.socket,
                               ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_DISCONNECTED);
    ts_raw_dealer_opening(stream);
    for (size_t i = 0; i < TS_COUNT(steps); ++i) {
        fds[i] = ts_raw_connect(server.endpoint);
        ts_raw_send_if_open(fds[i], stream, steps[i]);
    }
    for (size_t i = 0; i < TS_COUNT(steps); ++i) {
        ts_raw_expect_closed(fds[i]);
        close(fds[i]);
        ts_await_event(monitor, ZMQ_EVENT_DISCONNECTED);
    }
    ts_unmonitor(server.socket, monitor);
    serve_good_peer(&server);
    ts_close_server(&server);
}

/* As above, but the peer says that it will send no more: no need to wait for the deadline. */
static void half_closed_peers_are_dropped(void **state)
{
    static const size_t steps[] = {0, 1, 10, 11, 64, 66, 80};
    unsigned char stream[TS_DEALER_OPENING];
    struct ts_server server = ts_open_server(ZMQ_PULL, *state);
    ts_raw_dealer_opening(stream);
    for (size_t i = 0; i < TS_COUNT(steps); ++i) {
        int fd = ts_raw_connect(server.endpoint);
        ts_raw_send(fd, stream, steps[i]);
        ts_ok(shutdown(fd, SHUT_WR));
        ts_raw_expect_closed(fd);
        close(fd);
    }
    serve_good_peer(&server);
    ts_close_server(&server);
}

/* The listening side dies at each step; the library comes back until somebody is well. */
static void connecting_side_tries_again(void **state)
{
    (void)state;
    static const size_t steps[] = {0, 5, 10, 11, 40, 64, 80};
    char endpoint[TS_ENDPOINT_MAX];
    unsigned char stream[TS_DEALER_OPENING], body[64];
    int flags, listener = ts_raw_listen(endpoint);
    void *context = ts_context();
    void *dealer = ts_socket(context, ZMQ_DEALER);
    ts_set_int(dealer, ZMQ_RECONNECT_IVL, 1);
    ts_ok(zmq_connect(dealer, endpoint));
    ts_send_parts(dealer, "kept", "until then");
    for (size_t i = 0; i < TS_COUNT(steps); ++i) {
        int fd = ts_raw_accept(listener);
        ts_raw_dealer_opening(stream);
        ts_raw_send(fd, stream, steps[i]);
        ts_raw_recv(fd, body, steps[i] >= 64 ? 64 : steps[i] >= 11 ? 11 : 10);
        close(fd);
    }
    int fd = ts_raw_accept(listener);
    ts_raw_handshake(fd, "ROUTER", "", 0);
    ts_value((long long)ts_raw_recv_frame(fd, &flags, body, sizeof body), 4);
    ts_value(flags, TS_FRAME_MORE);
    ts_raw_expect_frame(fd, 0, "until then", 10);
    close(fd);
    close(listener);
    ts_close(dealer);
    ts_terminate(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TS_ON_NETWORK(other_mechanisms_are_refused),   TS_ON_NETWORK(foreign_protocols),
        TS_ON_NETWORK(silent_peers_are_dropped),       TS_ON_NETWORK(half_closed_peers_are_dropped),
        cmocka_unit_test(connecting_side_tries_again),
    };
    return TS_RUN(tests);
}
