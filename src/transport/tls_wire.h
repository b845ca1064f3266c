/* SPDX-License-Identifier: MPL-2.0 */
/* The ciphertext side of a TLS stream: a BIO over a descriptor.

   What OpenSSL writes is always taken as a whole: what the kernel refuses is held here and sent later.
   So OpenSSL never sees a would-block on writing, with its rules about repeating the same call. The
   kernel's own TLS would need OpenSSL's socket BIO, which cannot avoid SIGPIPE: it is not used.

   Used by the holder of the stream's claim only. Never raises SIGPIPE. */
#ifndef ZL_TRANSPORT_TLS_WIRE_H
#define ZL_TRANSPORT_TLS_WIRE_H

#include <openssl/bio.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More held output than this ends the connection: the peer makes us answer and does not read. One
   record, or the longest flight of a handshake, fits. */
#define ZL_TLS_HELD_MAX (256u * 1024u)

struct zl_tls_wire {
    int fd;
    bool drained; /* the kernel gave less than was asked for: it has no more */
    size_t
        budget; /* bytes that may still be received in this operation. The user sets it, so that a
                      peer which sends only what brings no data cannot keep one read busy. */
    bool ended; /* the peer has closed its side */
    int error;  /* negative errno of a system call that failed for good */
    uint8_t *held; /* [held_from, held_to) waits for the kernel */
    size_t held_from;
    size_t held_to;
    size_t held_capacity;
};

/* `budget` is what an operation begins with. */
static inline void zl_tls_wire_begin(struct zl_tls_wire *wire, size_t budget)
{
    wire->drained = false;
    wire->budget = budget;
}

void zl_tls_wire_init(struct zl_tls_wire *wire, int fd);
void zl_tls_wire_free(struct zl_tls_wire *wire);

/* A BIO for both directions, which refers to `wire`. NULL when out of memory. */
BIO *zl_tls_wire_bio(struct zl_tls_wire *wire);

static inline bool zl_tls_wire_holds(const struct zl_tls_wire *wire)
{
    return wire->held_from < wire->held_to;
}

/* Sends what is held. 0: nothing is left; -EAGAIN, or another negative errno. */
int zl_tls_wire_flush(struct zl_tls_wire *wire);

#endif
