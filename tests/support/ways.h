/* SPDX-License-Identifier: MPL-2.0 */
/* The ways in which programs wait for a message, or for room for one. */
#ifndef TESTS_SUPPORT_WAYS_H
#define TESTS_SUPPORT_WAYS_H

#include "support/random.h"
#include "support/test_support.h"

/* Waits for a part in a way chosen at random and receives it into `message`, which is
 * initialised. by_descriptor: ZMQ_FD may be asked for, which changes the socket for good.
 * Fails after TS_TIMEOUT_MS; returns false when the context is terminated. */
bool ts_receive_somehow_at(void *socket, zmq_msg_t *message, bool by_descriptor,
                           struct ts_random *random, const char *file, int line);
#define ts_receive_somehow(socket, message, by_descriptor, random)                                 \
    ts_receive_somehow_at((socket), (message), (by_descriptor), (random), __FILE__, __LINE__)

/* The same for sending: the message is sent, and empty, when this returns true. */
bool ts_send_somehow_at(void *socket, zmq_msg_t *message, bool by_descriptor,
                        struct ts_random *random, const char *file, int line);
#define ts_send_somehow(socket, message, by_descriptor, random)                                    \
    ts_send_somehow_at((socket), (message), (by_descriptor), (random), __FILE__, __LINE__)

/* Waits for ZMQ_EVENTS to show the event, by the edge-triggered descriptor. False when the context
 * is terminated. */
bool ts_wait_by_descriptor_at(void *socket, int event, const char *file, int line);
#define ts_wait_by_descriptor(socket, event)                                                       \
    ts_wait_by_descriptor_at((socket), (event), __FILE__, __LINE__)

#endif
