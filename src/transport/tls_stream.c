/* SPDX-License-Identifier: MPL-2.0 */
/* The TLS stream. */
#define _GNU_SOURCE
#include "transport/tls_stream.h"

#include "transport/tls_wire.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

/* The largest plaintext of a record. */
enum { RECORD = 16 * 1024 };

/* One operation receives no more than this beyond the room it was given. */
#define BUDGET ((size_t)1024 * 1024)

enum tls_state {
    TLS_AWAIT_HANDSHAKE,
    TLS_OPEN,
    TLS_FAILED, /* error.code says why, for good */
};

struct tls_stream {
    enum tls_state state;
    SSL *ssl;
    struct zl_tls_context *context; /* counted */
    struct zl_tls_wire wire;
    bool more; /* what `pending` says */
    struct zl_tls_error error;
};

/* ---- Failing ---------------------------------------------------------------------------------- */

static int fail(struct tls_stream *tls, int code, const char *text)
{
    tls->state = TLS_FAILED;
    return zl_tls_error_set(&tls->error, code, "%s", text);
}

static int fail_by_system(struct tls_stream *tls, int code)
{
    if (code == -ENOBUFS)
        return fail(tls, code, "the peer does not read what it asks for");
    return fail(tls, code, strerror(-code));
}

/* What an OpenSSL call that returned `rc` means: -EAGAIN, or the stream has failed. */
static int conclude(struct zl_stream *stream, int rc)
{
    struct tls_stream *tls = stream->state;
    bool handshake = tls->state == TLS_AWAIT_HANDSHAKE;
    int why = SSL_get_error(tls->ssl, rc);
    if (why == SSL_ERROR_WANT_READ) {
        stream->want = ZL_STREAM_WANT_READ;
        return -EAGAIN;
    }
    if (why == SSL_ERROR_ZERO_RETURN)
        return fail(tls, -EPIPE, "the peer closed the connection");
    if (ERR_peek_error()) {
        tls->state = TLS_FAILED;
        int code =
            zl_tls_error_connection(&tls->error, tls->ssl, zl_tls_context_host(tls->context));
        return tls->wire.error && code == -EPROTO ? fail_by_system(tls, tls->wire.error) : code;
    }
    ERR_clear_error();
    if (tls->wire.error)
        return fail_by_system(tls, tls->wire.error);
    return fail(tls, -EPIPE,
                handshake ? "the peer closed the connection during the TLS handshake"
                          : "the peer's connection ended without a TLS close");
}

/* A peer that refuses us says why and closes; our next write may fail before we have read that. Looks
   for the alert, which explains more than "broken pipe". Data before it is lost with the
   connection, as it would be on a plain one. */
static int fail_writing(struct zl_stream *stream, int code)
{
    struct tls_stream *tls = stream->state;
    char waste[4096];
    size_t got;
    int rounds = 16;
    if (code != -EPIPE && code != -ECONNRESET)
        return fail_by_system(tls, code);
    ERR_clear_error();
    zl_tls_wire_begin(&tls->wire, BUDGET);
    while (rounds-- > 0 && SSL_read_ex(tls->ssl, waste, sizeof waste, &got) == 1) {
    }
    if (ERR_peek_error()) {
        struct zl_tls_error found;
        zl_tls_error_connection(&found, tls->ssl, NULL);
        if (found.code == -ECONNREFUSED || found.code == -EPROTONOSUPPORT)
            return fail(tls, code = found.code, found.text);
    }
    ERR_clear_error();
    return fail_by_system(tls, code);
}

/* Sends held ciphertext. */
static int flush(struct zl_stream *stream)
{
    struct tls_stream *tls = stream->state;
    int rc = zl_tls_wire_flush(&tls->wire);
    if (rc == -EAGAIN)
        stream->want = ZL_STREAM_WANT_WRITE;
    return rc;
}

/* ---- Handshake -------------------------------------------------------------------------------- */

int zl_tls_handshake(struct zl_stream *stream)
{
    struct tls_stream *tls = stream->state;
    if (tls->state != TLS_AWAIT_HANDSHAKE)
        return tls->error.code;
    ERR_clear_error();
    zl_tls_wire_begin(&tls->wire, BUDGET);
    int rc = SSL_do_handshake(tls->ssl);
    if (rc != 1)
        rc = tls->wire.error ? fail_writing(stream, tls->wire.error) : conclude(stream, rc);
    /* Also after a failure: there may be an alert to be sent. */
    int flushed = flush(stream);
    if (rc != 1 && rc != -EAGAIN)
        return rc;
    if (flushed < 0)
        return flushed == -EAGAIN ? flushed : fail_writing(stream, flushed);
    if (rc == -EAGAIN)
        return rc;
    tls->state = TLS_OPEN;
    tls->more = true; /* OpenSSL may have read on */
    return 0;
}

/* ---- Reading ---------------------------------------------------------------------------------- */

/* Fills one vector. The bytes it got; *rc is 0 when it is full, else what ended it. */
static size_t fill(struct zl_stream *stream, const struct iovec *vector, int *rc)
{
    struct tls_stream *tls = stream->state;
    size_t filled = 0, got;
    *rc = 0;
    while (filled < vector->iov_len) {
        int result = SSL_read_ex(tls->ssl, (char *)vector->iov_base + filled,
                                 vector->iov_len - filled, &got);
        if (result != 1) {
            *rc = conclude(stream, result);
            break;
        }
        filled += got;
    }
    return filled;
}

static ssize_t tls_read(struct zl_stream *stream, const struct iovec *vectors, int count)
{
    struct tls_stream *tls = stream->state;
    size_t total = 0, room = 0;
    int rc = 0;
    if (tls->state == TLS_FAILED) {
        tls->more = false;
        return tls->error.code;
    }
    for (int i = 0; i < count; i++)
        room += vectors[i].iov_len;
    ERR_clear_error();
    zl_tls_wire_begin(&tls->wire, BUDGET + room);
    for (int i = 0; i < count && rc == 0; i++)
        total += fill(stream, &vectors[i], &rc);
    /* After all room was filled, or with an error behind the data, or out of budget. */
    tls->more = rc == 0 || (rc != -EAGAIN && total > 0) || (rc == -EAGAIN && !tls->wire.drained);
    /* Answers to the peer, and our last alert, wait for no write of ours. */
    flush(stream);
    stream->want = ZL_STREAM_WANT_READ;
    return total > 0 ? (ssize_t)total : rc;
}

static bool tls_pending(const struct zl_stream *stream)
{
    const struct tls_stream *tls = stream->state;
    return tls->more;
}

/* ---- Writing ---------------------------------------------------------------------------------- */

/* Where a write is within its vectors. */
struct cursor {
    const struct iovec *vector;
    const struct iovec *end;
    size_t at; /* in *vector */
};

/* What is left of the current vector; passes those that are used up. */
static size_t piece_size(struct cursor *cursor)
{
    while (cursor->vector < cursor->end && cursor->at == cursor->vector->iov_len) {
        cursor->vector++;
        cursor->at = 0;
    }
    return cursor->vector < cursor->end ? cursor->vector->iov_len - cursor->at : 0;
}

/* Passes up to `size` bytes, and copies them unless `copy` is NULL. Returns how many there were. */
static size_t advance(struct cursor *cursor, size_t size, char *copy)
{
    size_t done = 0, piece;
    while (done < size && (piece = piece_size(cursor)) > 0) {
        if (piece > size - done)
            piece = size - done;
        if (copy)
            memcpy(copy + done, (const char *)cursor->vector->iov_base + cursor->at, piece);
        cursor->at += piece;
        done += piece;
    }
    return done;
}

static ssize_t encrypt(struct zl_stream *stream, const void *data, size_t size)
{
    struct tls_stream *tls = stream->state;
    size_t written;
    int rc = SSL_write_ex(tls->ssl, data, size, &written);
    if (rc == 1)
        return (ssize_t)written;
    return tls->wire.error ? fail_writing(stream, tls->wire.error) : conclude(stream, rc);
}

static __attribute__((noinline)) ssize_t encrypt_gathered(struct zl_stream *stream,
                                                          struct cursor *cursor)
{
    char record[RECORD];
    size_t size = advance(cursor, sizeof record, record);
    return encrypt(stream, record, size);
}

/* Encrypts one record and gives it to the kernel, or to the wire to hold. Returns its plaintext size,
   0 at the end, or a negative errno. */
static ssize_t write_record(struct zl_stream *stream, struct cursor *cursor)
{
    size_t piece = piece_size(cursor);
    if (piece == 0)
        return 0;
    bool last = cursor->vector + 1 == cursor->end;
    if (piece < RECORD && !last)
        return encrypt_gathered(stream, cursor);
    const char *data = (const char *)cursor->vector->iov_base + cursor->at;
    size_t size = advance(cursor, piece < RECORD ? piece : RECORD, NULL);
    return encrypt(stream, data, size);
}

/* Writes records until the kernel is full. Bytes that are with the kernel, or a negative errno if
   there are none. */
static ssize_t write_records(struct zl_stream *stream, struct cursor *cursor, size_t total)
{
    struct tls_stream *tls = stream->state;
    ssize_t size;
    while ((size = write_record(stream, cursor)) > 0) {
        if (zl_tls_wire_holds(&tls->wire)) {
            stream->owed = (size_t)size;
            stream->want = ZL_STREAM_WANT_WRITE;
            size = -EAGAIN;
            break;
        }
        total += (size_t)size;
    }
    return total > 0 ? (ssize_t)total : size;
}

static ssize_t tls_write(struct zl_stream *stream, const struct iovec *vectors, int count)
{
    struct tls_stream *tls = stream->state;
    struct cursor cursor = {vectors, vectors + count, 0};
    if (tls->state == TLS_FAILED)
        return tls->error.code;
    ERR_clear_error();
    int rc = flush(stream);
    if (rc < 0)
        return rc == -EAGAIN ? rc : fail_writing(stream, rc);
    /* What was owed has just gone. */
    size_t owed = stream->owed;
    stream->owed = 0;
    if (advance(&cursor, owed, NULL) < owed)
        return fail(tls, -EINVAL, "the engine did not offer what it owes");
    return write_records(stream, &cursor, owed);
}

/* ---- Coming and going ------------------------------------------------------------------------- */

static void tls_free(struct tls_stream *tls)
{
    SSL_free(tls->ssl);
    zl_tls_wire_free(&tls->wire);
    zl_tls_context_release(tls->context);
    free(tls);
}

static void tls_close(struct zl_stream *stream)
{
    struct tls_stream *tls = stream->state;
    if (!tls)
        return;
    ERR_clear_error();
    /* Not after a fatal error, which OpenSSL forbids. After the peer's close it is the answer. */
    if (tls->state == TLS_OPEN || tls->error.code == -EPIPE)
        SSL_shutdown(tls->ssl);
    zl_tls_wire_flush(&tls->wire);
    ERR_clear_error();
    stream->state = NULL;
    stream->owed = 0;
    tls_free(tls);
}

const struct zl_stream_ops zl_tls_stream_ops = {
    .half_duplex = true,
    .handshake = zl_tls_handshake,
    .read = tls_read,
    .write = tls_write,
    .pending = tls_pending,
    .close = tls_close,
};

int zl_tls_stream_open(struct zl_stream *stream, struct zl_tls_context *context,
                       struct zl_tls_error *error)
{
    struct tls_stream *tls = calloc(1, sizeof *tls);
    if (!tls)
        return zl_tls_error_set(error, -ENOMEM, "out of memory");
    zl_tls_wire_init(&tls->wire, stream->fd);
    tls->context = zl_tls_context_retain(context);
    tls->ssl = zl_tls_context_open(context, error);
    BIO *bio = tls->ssl ? zl_tls_wire_bio(&tls->wire) : NULL;
    if (!bio) {
        tls_free(tls);
        return zl_tls_error_openssl(error, -ENOMEM, "cannot start TLS");
    }
    SSL_set_bio(tls->ssl, bio, bio);
    *stream = (struct zl_stream){.ops = &zl_tls_stream_ops, .fd = stream->fd, .state = tls};
    return 0;
}

const char *zl_tls_reason(const struct zl_stream *stream)
{
    const struct tls_stream *tls = stream->state;
    return tls ? tls->error.text : "";
}

void zl_tls_stream_info(const struct zl_stream *stream, struct zl_tls_info *info)
{
    const struct tls_stream *tls = stream->state;
    const unsigned char *alpn;
    unsigned alpn_size;
    SSL_get0_alpn_selected(tls->ssl, &alpn, &alpn_size);
    *info = (struct zl_tls_info){
        .version = SSL_get_version(tls->ssl),
        .cipher = SSL_get_cipher_name(tls->ssl),
        .resumed = SSL_session_reused(tls->ssl),
        .peer_certificate = SSL_get0_peer_certificate(tls->ssl) != NULL,
        .alpn = (const char *)alpn,
        .alpn_size = alpn_size,
    };
}
