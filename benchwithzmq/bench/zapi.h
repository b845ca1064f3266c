/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The messaging library under test, as a table of functions found at run time. zbench links no such
 * library, so one binary measures every one of them, and each in the same way: one indirect call,
 * as through a procedure linkage table.
 */
#ifndef ZBENCH_ZAPI_H
#define ZBENCH_ZAPI_H

#include <zmq.h>

#include "shared.h"

struct zapi {
    __typeof__(zmq_errno) *get_errno;
    __typeof__(zmq_strerror) *strerror;
    __typeof__(zmq_version) *version;
    __typeof__(zmq_ctx_new) *ctx_new;
    __typeof__(zmq_ctx_set) *ctx_set;
    __typeof__(zmq_socket) *socket;
    __typeof__(zmq_close) *close;
    __typeof__(zmq_setsockopt) *setsockopt;
    __typeof__(zmq_getsockopt) *getsockopt;
    __typeof__(zmq_bind) *bind;
    __typeof__(zmq_connect) *connect;
    __typeof__(zmq_send) *send;
    __typeof__(zmq_recv) *recv;
    __typeof__(zmq_poll) *poll;
    __typeof__(zmq_msg_init) *msg_init;
    __typeof__(zmq_msg_init_size) *msg_init_size;
    __typeof__(zmq_msg_data) *msg_data;
    __typeof__(zmq_msg_size) *msg_size;
    __typeof__(zmq_msg_send) *msg_send;
    __typeof__(zmq_msg_recv) *msg_recv;
    __typeof__(zmq_msg_close) *msg_close;
};

/* Filled once, before any peer is started. */
extern struct zapi z;

/* Loads the library: a path, or a bare name to be found by the dynamic linker. Ends the program
 * when it cannot. */
void zapi_load(const char *library);

/* Writes version, file and implementation (zlink or libzmq) of what was loaded. */
void zapi_identify(struct shared *shared);

#endif
