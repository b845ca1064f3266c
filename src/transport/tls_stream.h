/* SPDX-License-Identifier: MPL-2.0 */
/* TLS 1.2 and 1.3 over a connected descriptor, as a stream (stream.h says who calls and what).

   One state machine: reading, writing and the handshake share one claim (`half_duplex`).

   Writing: a call encrypts record by record (up to 16 KiB; small pieces are gathered into one
   record, large ones are encrypted from where they are) and stops at the first record that the
   kernel does not take as a whole. The plaintext of that record is `owed`: it is not reported as
   written before its last ciphertext byte is with the kernel. So what is reported is exactly what a
   plain descriptor would have reported, and after a would-block the engine has to come again with
   the same bytes; more may follow them. At most 16 KiB are owed.

   Reading: a call decrypts until the room is full or the kernel has nothing more. One that ends with
   all room filled, that met an error behind the data, or that has received a megabyte more than its
   room (a peer that sends what brings no data must not keep a thread) leaves `pending` true; in the
   last case it may have returned -EAGAIN.

   End: close_notify is -EPIPE; so is a connection that just ends, and only the reason tells them
   apart (a truncated message is recognised by framing; the reason serves the curious).

   Closing sends close_notify, if the kernel takes it. So a forked child must not close a stream of its
   parent: it would speak in the middle of the parent's records. It closes the descriptor alone.

   Errors, of all operations: those of zl_tls_error_connection (tls_error.h), -EPIPE, -ENOBUFS (the
   peer makes us answer and does not read), errnos of the system calls. They are final, and every
   later call says the same. */
#ifndef ZL_TRANSPORT_TLS_STREAM_H
#define ZL_TRANSPORT_TLS_STREAM_H

#include "transport/stream.h"
#include "transport/tls_context.h"

extern const struct zl_stream_ops zl_tls_stream_ops;

/* Puts TLS over stream->fd, in the role of the context: sets every field but `fd`. The descriptor
   stays the caller's. Then comes `handshake`. The stream keeps a reference to the context. Any
   thread. 0, or -ENOMEM with the reason in *error (which may be NULL) and the stream unchanged. */
int zl_tls_stream_open(struct zl_stream *stream, struct zl_tls_context *context,
                       struct zl_tls_error *error);

/* Same as the op: 0, -EAGAIN with stream->want, another negative errno with zl_tls_reason. */
int zl_tls_handshake(struct zl_stream *stream);

/* Why the stream failed or ended: a sentence without a full stop, "" while it has not. Valid until
   close. Under the claim. */
const char *zl_tls_reason(const struct zl_stream *stream);

/* What was agreed. Under the claim, between handshake and close; the texts are valid until close. */
struct zl_tls_info {
    const char *version; /* "TLSv1.3" */
    const char *cipher;  /* "TLS_AES_128_GCM_SHA256" */
    bool resumed;
    bool peer_certificate; /* there is one (and it was verified, if verification is on) */
    const char *alpn;      /* not NUL-terminated; alpn_size 0: none was agreed */
    size_t alpn_size;
};
void zl_tls_stream_info(const struct zl_stream *stream, struct zl_tls_info *info);

#endif
