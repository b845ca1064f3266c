/* SPDX-License-Identifier: MPL-2.0 */
/* The mechanism interface: the security handshake of ZMTP 3, and later the per-message
   transformation. Pure: commands in, commands out, no descriptor, no lock, no clock. [loop] */
#ifndef ZL_SECURITY_MECHANISM_H
#define ZL_SECURITY_MECHANISM_H

#include "wire/zmtp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zl_options;

/* What a handshake is about; lives in core/handshake.c for its duration. */
struct zl_mechanism {
    const struct zl_mechanism_ops *ops;
    const struct zl_options *options; /* ours */
    int socket_type;
    void *state; /* the implementation's, freed by `destroy` */

    /* Outgoing command frames. `emit` appends one; 0 or -ENOMEM. */
    int (*emit)(struct zl_mechanism *mechanism, const char *name, const void *data, size_t size);
    /* Gives the peer's properties to the connection: called once, before completion. The data is
       only valid during the call. 0, or a negative errno that ends the handshake. */
    int (*peer_metadata)(struct zl_mechanism *mechanism, const void *data, size_t size);

    /* Outcome of a failed handshake, for the monitor. */
    int protocol_error; /* ZMQ_PROTOCOL_ERROR_*; 0 none */
    int auth_status;    /* 300, 400, 500; 0 none */
};

struct zl_mechanism_ops {
    const char *name; /* as in the greeting */
    /* What `start` emits depends on nothing that the peer says, and may follow our greeting before the
       peer's is complete. */
    bool unprompted;
    /* Begins; may emit. 0 or a negative errno. */
    int (*start)(struct zl_mechanism *mechanism);
    /* The peer's next command. 1: the handshake is complete; 0: goes on; negative errno: failed. */
    int (*command)(struct zl_mechanism *mechanism, const uint8_t *body, size_t size);
    void (*destroy)(struct zl_mechanism *mechanism); /* NULL: nothing to do */
};

extern const struct zl_mechanism_ops zl_null_ops;

/* Our own property list: Socket-Type, Identity, X- properties. The caller frees *data.
   0 or -ENOMEM. */
int zl_mechanism_own_metadata(const struct zl_mechanism *mechanism, uint8_t **data, size_t *size);

#endif
