/* SPDX-License-Identifier: MPL-2.0 */
/* The BIO over a descriptor. */
#define _GNU_SOURCE
#include "transport/tls_wire.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static pthread_once_t method_once = PTHREAD_ONCE_INIT;
static BIO_METHOD *method; /* written once, by make_method; never freed */

/* Bytes sent, 0: the kernel takes none now, or a negative errno. */
static ssize_t send_some(struct zl_tls_wire *wire, const uint8_t *data, size_t size)
{
    ssize_t rc;
    do
        rc = send(wire->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (rc < 0 && errno == EINTR);
    if (rc >= 0)
        return rc;
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return 0;
    wire->error = -errno;
    return wire->error;
}

static void drop_held(struct zl_tls_wire *wire)
{
    free(wire->held);
    wire->held = NULL;
    wire->held_from = wire->held_to = wire->held_capacity = 0;
}

int zl_tls_wire_flush(struct zl_tls_wire *wire)
{
    while (zl_tls_wire_holds(wire)) {
        ssize_t sent =
            send_some(wire, wire->held + wire->held_from, wire->held_to - wire->held_from);
        if (sent <= 0)
            return sent ? (int)sent : -EAGAIN;
        wire->held_from += (size_t)sent;
    }
    drop_held(wire); /* an idle connection keeps no memory */
    return 0;
}

static int hold(struct zl_tls_wire *wire, const uint8_t *data, size_t size)
{
    size_t before = wire->held_to - wire->held_from;
    if (before + size > ZL_TLS_HELD_MAX)
        return -ENOBUFS;
    if (wire->held_from)
        memmove(wire->held, wire->held + wire->held_from, before);
    wire->held_from = 0;
    wire->held_to = before;
    if (before + size > wire->held_capacity) {
        uint8_t *grown = realloc(wire->held, before + size);
        if (!grown)
            return -ENOMEM;
        wire->held = grown;
        wire->held_capacity = before + size;
    }
    memcpy(wire->held + before, data, size);
    wire->held_to += size;
    return 0;
}

/* All of it is taken, or the connection is over. errno stays for OpenSSL, which looks at it. */
static int wire_write(BIO *bio, const char *data, int size)
{
    struct zl_tls_wire *wire = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (size <= 0 || wire->error)
        return -1;
    ssize_t sent = 0;
    int rc = zl_tls_wire_flush(wire);
    if (rc == 0)
        sent = send_some(wire, (const uint8_t *)data, (size_t)size);
    if (wire->error)
        return -1;
    if (sent < size)
        wire->error = hold(wire, (const uint8_t *)data + sent, (size_t)(size - sent));
    return wire->error ? -1 : size;
}

/* What the kernel has, within the budget; 0: the end, -1: nothing now, or an error. */
static int receive(struct zl_tls_wire *wire, char *place, size_t size)
{
    ssize_t rc;
    if (size > wire->budget)
        size = wire->budget;
    do
        rc = recv(wire->fd, place, size, MSG_DONTWAIT);
    while (rc < 0 && errno == EINTR);
    wire->drained = rc != (ssize_t)size;
    if (rc > 0)
        wire->budget -= (size_t)rc;
    else if (rc == 0)
        wire->ended = true;
    else if (errno != EAGAIN && errno != EWOULDBLOCK)
        wire->error = -errno;
    return (int)rc;
}

static int wire_read(BIO *bio, char *place, int size)
{
    struct zl_tls_wire *wire = BIO_get_data(bio);
    int rc = -1;
    BIO_clear_retry_flags(bio);
    if (wire->ended || size <= 0)
        return 0;
    if (!wire->drained && wire->budget > 0)
        rc = receive(wire, place, (size_t)size);
    if (rc < 0 && !wire->error)
        BIO_set_retry_read(bio);
    return rc;
}

static long wire_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH; /* "done"; what is held goes out by itself */
}

static void make_method(void)
{
    BIO_METHOD *made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "zlink stream");
    if (!made || !BIO_meth_set_write(made, wire_write) || !BIO_meth_set_read(made, wire_read) ||
        !BIO_meth_set_ctrl(made, wire_control))
        return; /* out of memory, for good: nobody connects any more */
    method = made;
}

BIO *zl_tls_wire_bio(struct zl_tls_wire *wire)
{
    pthread_once(&method_once, make_method);
    BIO *bio = method ? BIO_new(method) : NULL;
    if (!bio)
        return NULL;
    BIO_set_data(bio, wire);
    BIO_set_init(bio, 1);
    return bio;
}

void zl_tls_wire_init(struct zl_tls_wire *wire, int fd)
{
    *wire = (struct zl_tls_wire){.fd = fd};
}

void zl_tls_wire_free(struct zl_tls_wire *wire)
{
    drop_held(wire);
}
