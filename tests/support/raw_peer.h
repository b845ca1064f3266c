/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Peers made of bare sockets: they speak exactly the bytes a test wants, also wrong ones.
 *
 * Descriptors are blocking with TS_TIMEOUT_MS as time limit. Frames are ZMTP 2.0 and later.
 */
#ifndef TESTS_SUPPORT_RAW_PEER_H
#define TESTS_SUPPORT_RAW_PEER_H

#include "support/test_support.h"

#define TS_FRAME_MORE 1
#define TS_FRAME_LONG 2
#define TS_FRAME_COMMAND 4

/* A new connection to an endpoint "tcp://127.0.0.1:port" or "ipc://path". */
int ts_raw_connect_at(const char *endpoint, const char *file, int line);
#define ts_raw_connect(endpoint) ts_raw_connect_at((endpoint), __FILE__, __LINE__)
/* A listening descriptor on a free tcp port; the library can connect to `endpoint`. */
int ts_raw_listen_at(char endpoint[TS_ENDPOINT_MAX], const char *file, int line);
#define ts_raw_listen(endpoint) ts_raw_listen_at((endpoint), __FILE__, __LINE__)
int ts_raw_accept_at(int listener, const char *file, int line);
#define ts_raw_accept(listener) ts_raw_accept_at((listener), __FILE__, __LINE__)

void ts_raw_send_at(int fd, const void *data, size_t size, const char *file, int line);
#define ts_raw_send(fd, data, size) ts_raw_send_at((fd), (data), (size), __FILE__, __LINE__)
/* Sends what it can; the other side may have closed already. */
void ts_raw_send_if_open(int fd, const void *data, size_t size);
void ts_raw_recv_at(int fd, void *buffer, size_t size, const char *file, int line);
#define ts_raw_recv(fd, buffer, size) ts_raw_recv_at((fd), (buffer), (size), __FILE__, __LINE__)
/* Receives size bytes and compares them. */
void ts_raw_expect_at(int fd, const void *data, size_t size, const char *file, int line);
#define ts_raw_expect(fd, data, size) ts_raw_expect_at((fd), (data), (size), __FILE__, __LINE__)
/* The other side closes or resets the connection; what it sent before is skipped. */
void ts_raw_expect_closed_at(int fd, const char *file, int line);
#define ts_raw_expect_closed(fd) ts_raw_expect_closed_at((fd), __FILE__, __LINE__)

/* The 64 bytes of a ZMTP 3 greeting. */
void ts_raw_greeting(unsigned char greeting[64], int minor, const char *mechanism);
/* Sends our greeting in one piece, receives and checks the library's. */
void ts_raw_greet_at(int fd, const char *file, int line);
#define ts_raw_greet(fd) ts_raw_greet_at((fd), __FILE__, __LINE__)
/* Sends a READY command with Socket-Type and, unless identity is NULL, Identity. */
void ts_raw_send_ready_at(int fd, const char *socket_type, const void *identity, size_t size,
                          const char *file, int line);
#define ts_raw_send_ready(fd, socket_type, identity, size)                                         \
    ts_raw_send_ready_at((fd), (socket_type), (identity), (size), __FILE__, __LINE__)
/* Greeting and NULL handshake, complete when this returns. */
void ts_raw_handshake_at(int fd, const char *socket_type, const void *identity, size_t size,
                         const char *file, int line);
#define ts_raw_handshake(fd, socket_type, identity, size)                                          \
    ts_raw_handshake_at((fd), (socket_type), (identity), (size), __FILE__, __LINE__)

/* What a DEALER named X says before its first message: greeting and READY. */
enum { TS_DEALER_OPENING = 64 + 44 };
void ts_raw_dealer_opening(unsigned char opening[TS_DEALER_OPENING]);

void ts_raw_send_frame_at(int fd, int flags, const void *body, size_t size, const char *file,
                          int line);
#define ts_raw_send_frame(fd, flags, body, size)                                                   \
    ts_raw_send_frame_at((fd), (flags), (body), (size), __FILE__, __LINE__)
/* Receives a frame; returns its size, at most capacity. */
size_t ts_raw_recv_frame_at(int fd, int *flags, void *body, size_t capacity, const char *file,
                            int line);
#define ts_raw_recv_frame(fd, flags, body, capacity)                                               \
    ts_raw_recv_frame_at((fd), (flags), (body), (capacity), __FILE__, __LINE__)
/* The next frame has these flags (LONG is not looked at) and this body. */
void ts_raw_expect_frame_at(int fd, int flags, const void *body, size_t size, const char *file,
                            int line);
#define ts_raw_expect_frame(fd, flags, body, size)                                                 \
    ts_raw_expect_frame_at((fd), (flags), (body), (size), __FILE__, __LINE__)

#endif
