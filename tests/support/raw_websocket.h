/* SPDX-License-Identifier: MPL-2.0 */
/*
 * WebSocket peers made of bare sockets, as those of raw_peer.h: they speak exactly the octets a test
 * wants, also wrong ones.
 */
#ifndef TESTS_SUPPORT_RAW_WEBSOCKET_H
#define TESTS_SUPPORT_RAW_WEBSOCKET_H

#include "support/raw_peer.h"

/* First octets of whole frames; 0x80 is FIN. */
#define TS_WS_BINARY 0x82
#define TS_WS_TEXT 0x81
#define TS_WS_CLOSE 0x88
#define TS_WS_PING 0x89
#define TS_WS_PONG 0x8A

struct ts_ws {
    int fd;
    bool is_client; /* we have connected, and mask what we send */
};

/* A connection to an endpoint "ws://127.0.0.1:port/path", with nothing sent. */
struct ts_ws ts_ws_connect_at(const char *endpoint, const char *file, int line);
#define ts_ws_connect(endpoint) ts_ws_connect_at((endpoint), __FILE__, __LINE__)
/* Sends a correct request, and receives the answer into `answer`. */
void ts_ws_request_at(struct ts_ws ws, const char *path, const char *protocols, char answer[2048],
                      const char *file, int line);
#define ts_ws_request(ws, path, protocols, answer)                                                 \
    ts_ws_request_at((ws), (path), (protocols), (answer), __FILE__, __LINE__)
/* Connects, requests and expects 101 with that protocol. */
struct ts_ws ts_ws_open_at(const char *endpoint, const char *protocol, const char *file, int line);
#define ts_ws_open(endpoint, protocol) ts_ws_open_at((endpoint), (protocol), __FILE__, __LINE__)
/* The header of a request or of an answer, with the empty line, as text. */
void ts_ws_recv_head_at(int fd, char head[2048], const char *file, int line);
#define ts_ws_recv_head(fd, head) ts_ws_recv_head_at((fd), (head), __FILE__, __LINE__)
/* As server: accepts a connection, receives the request into `request`, answers with the protocol. */
struct ts_ws ts_ws_accept_at(int listener, const char *protocol, char request[2048],
                             const char *file, int line);
#define ts_ws_accept(listener, protocol, request)                                                  \
    ts_ws_accept_at((listener), (protocol), (request), __FILE__, __LINE__)
/* READY both ways (ZWS2.0/NULL). */
void ts_ws_handshake_at(struct ts_ws ws, const char *socket_type, const char *file, int line);
#define ts_ws_handshake(ws, socket_type) ts_ws_handshake_at((ws), (socket_type), __FILE__, __LINE__)

/* One frame, masked if we are the client. */
void ts_ws_send_at(struct ts_ws ws, int first_octet, const void *payload, size_t size,
                   const char *file, int line);
#define ts_ws_send(ws, first_octet, payload, size)                                                 \
    ts_ws_send_at((ws), (first_octet), (payload), (size), __FILE__, __LINE__)
/* One frame, unmasked; its size, at most capacity. Its mask bit must be right. */
size_t ts_ws_recv_at(struct ts_ws ws, int *first_octet, void *payload, size_t capacity,
                     const char *file, int line);
#define ts_ws_recv(ws, first_octet, payload, capacity)                                             \
    ts_ws_recv_at((ws), (first_octet), (payload), (capacity), __FILE__, __LINE__)
void ts_ws_expect_at(struct ts_ws ws, int first_octet, const void *payload, size_t size,
                     const char *file, int line);
#define ts_ws_expect(ws, first_octet, payload, size)                                               \
    ts_ws_expect_at((ws), (first_octet), (payload), (size), __FILE__, __LINE__)
/* A close frame with that code, then the end of the connection. */
void ts_ws_expect_close_at(struct ts_ws ws, int code, const char *file, int line);
#define ts_ws_expect_close(ws, code) ts_ws_expect_close_at((ws), (code), __FILE__, __LINE__)

#endif
