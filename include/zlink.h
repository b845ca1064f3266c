/* SPDX-License-Identifier: MPL-2.0 */
/*
 * zlink.h: what zlink offers beyond the interface of libzmq (zmq.h). Conventions are those of
 * zmq.h. A program that uses this header does not run on other implementations.
 *
 * Numbers: socket and context options of zlink start at 1000, so that they never meet one of
 * libzmq.
 */
#ifndef ZLINK_H_INCLUDED
#define ZLINK_H_INCLUDED

#include <stddef.h>
#include <stdint.h>
#include <zmq.h>

/* The version of this header; zlink_version() tells that of the library in use. */
#define ZLINK_VERSION_MAJOR 0
#define ZLINK_VERSION_MINOR 1
#define ZLINK_VERSION_PATCH 0

/* Marks what the library exports. */
#if defined ZMQ_NO_EXPORT
#define ZLINK_EXPORT
#elif defined _WIN32
#if defined ZMQ_STATIC
#define ZLINK_EXPORT
#elif defined DLL_EXPORT
#define ZLINK_EXPORT __declspec(dllexport)
#else
#define ZLINK_EXPORT __declspec(dllimport)
#endif
#elif defined __GNUC__ && __GNUC__ >= 4
#define ZLINK_EXPORT __attribute__((visibility("default")))
#else
#define ZLINK_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Stores the version of zlink itself, 0.1.0 for this one; zmq_version() tells which libzmq it
 * stands in for. The pointers must not be NULL. Never fails. Any thread. */
ZLINK_EXPORT void zlink_version(int *major, int *minor, int *patch);

/* ---- TLS --------------------------------------------------------------------------------------
 * Options of sockets with tls:// and wss:// endpoints; others ignore them. For zmq_setsockopt and
 * zmq_getsockopt. They take effect at the next zmq_bind or zmq_connect, and not on endpoints that exist.
 * The side that binds is the TLS server, the side that connects the client, whatever their socket types.
 *
 * A text needs no NUL at its end, and one there is not part of it; NULL or "" takes the default back.
 * It is read back with a NUL, and needs a buffer with room for it. zmq_setsockopt only looks at the
 * form of a value (EINVAL: wrong size, out of range, a NUL inside a text). Whether files can be read,
 * a key fits, names of ciphers are known and so on is found out by zmq_bind and zmq_connect, which
 * fail then: EINVAL, or what reading the file gave (ENOENT, EACCES ...). ZLINK_TLS_ERROR says why.
 *
 * libzmq's options for wss:// set the same values: ZMQ_WSS_CERT_PEM, ZMQ_WSS_KEY_PEM,
 * ZMQ_WSS_TRUST_PEM, ZMQ_WSS_HOSTNAME and ZMQ_WSS_TRUST_SYSTEM are ZLINK_TLS_CERTIFICATE, _KEY, _CA,
 * _HOSTNAME and _TRUST_SYSTEM, except that they cannot be read. What differs from libzmq: without
 * ZMQ_WSS_HOSTNAME the name in the server's certificate is checked all the same, against the host of
 * the endpoint. A client that sets nothing but those verifies; to leave that out takes
 * ZLINK_TLS_VERIFY 0. */

/* Text; default none. The path of a PEM file, or the PEM text itself: our certificate and behind it
 * the chain up to (not including) the CA. A server must have one; a client needs one if the server
 * asks for it. A file is read again when it changes. */
#define ZLINK_TLS_CERTIFICATE 1000

/* Text; default: the key is in ZLINK_TLS_CERTIFICATE too. The private key of the certificate, path or
 * PEM text. Text with a private key in it, of this option or another, is not read back: EINVAL. */
#define ZLINK_TLS_KEY 1001

/* Text; default none. The CAs that we trust: the path of a PEM file with one or more, the PEM text
 * itself, or a directory made by `openssl rehash`. A client that verifies, and a server that looks at
 * client certificates, must have this or ZLINK_TLS_TRUST_SYSTEM, else EINVAL. */
#define ZLINK_TLS_CA 1002

/* int, 0 or 1; default 1. Client: whether the server must prove who it is (a certificate from a CA that
 * we trust, valid now, for the right name). 0 encrypts, but anybody on the way can pose as the
 * server. Servers: see ZLINK_TLS_REQUIRE_CLIENT_CERT. */
#define ZLINK_TLS_VERIFY 1003

/* int; default 0. Server: 0 does not ask clients for a certificate, 1 refuses clients without one from
 * a CA that we trust, 2 takes clients without one, but refuses those whose certificate is not valid.
 * Clients ignore it. */
#define ZLINK_TLS_REQUIRE_CLIENT_CERT 1004

/* Text; default: the host of the endpoint. Client: the host name or IP address that the server's
 * certificate must be for; a host name is also told to the server (SNI). Servers ignore it. */
#define ZLINK_TLS_HOSTNAME 1005

/* int, 0 or 1; default 0. Both sides: the CAs that the system trusts are trusted, too. */
#define ZLINK_TLS_TRUST_SYSTEM 1006

/* Text; default none; cannot be read (EINVAL). The password of an encrypted private key. Nobody is
 * ever prompted for it. */
#define ZLINK_TLS_KEY_PASSWORD 1007

/* int, 12 or 13; default 12. Both sides: the oldest version to speak, TLS 1.2 or 1.3. */
#define ZLINK_TLS_MIN_VERSION 1008

/* Text; default "ECDHE+AESGCM:ECDHE+CHACHA20". Both sides: the ciphers for TLS 1.2, in the format of
 * `openssl ciphers`. */
#define ZLINK_TLS_CIPHERS 1009

/* Text; default TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256. Both
 * sides: the cipher suites for TLS 1.3, separated by colons. */
#define ZLINK_TLS_CIPHERSUITES 1010

/* Text; default none. Both sides: application protocols for ALPN (RFC 7301), 1 to 255 bytes each,
 * separated by commas, best first. If both sides have some, they must have one in common. */
#define ZLINK_TLS_ALPN 1011

/* Text; read only (zmq_setsockopt: EINVAL). Why the last bind, connect, handshake or connection of this
 * socket with TLS failed, one line for people, in English; "" if none has. A later success does not
 * clear it. 256 bytes hold any. */
#define ZLINK_TLS_ERROR 1012

/* ---- Statistics -------------------------------------------------------------------------------
 * What a socket has done since it was made, and what is queued in it now. Counting is always on; it
 * costs a few additions per message. */

/* Grows when fields are added, always at the end; none is ever removed or changes its meaning. */
#define ZLINK_STATS_VERSION 1

typedef struct zlink_stats {
    uint32_t size; /* set by the caller: sizeof(zlink_stats_t) */
    uint32_t
        version; /* set by the library: its ZLINK_STATS_VERSION. Fields that came later than the
                         library's version are 0. */

    /* Subscriptions count where they travel as messages: PUB and XPUB in, SUB and XSUB out. */
    uint64_t messages_in;  /* whole messages handed to the application */
    uint64_t messages_out; /* whole messages accepted for sending; fan-out counts one per peer */
    uint64_t bytes_in;     /* read from the connection, framing included; inproc: payloads */
    uint64_t bytes_out;    /* given to the kernel, framing included; inproc: payloads */
    uint64_t queued_in;    /* messages now waiting to be received (inproc: parts) */
    uint64_t queued_out;   /* messages now waiting to be sent (inproc: to be received) */
    uint64_t dropped;      /* messages thrown away at the high-water mark (PUB, ROUTER) */

    /* System calls of connections; all 0 for inproc. */
    uint64_t reads;                  /* that brought something */
    uint64_t writes;                 /* of which the kernel took something */
    uint64_t writes_at_once;         /* tried by a sender right in its send */
    uint64_t writes_at_once_refused; /* those that the kernel did not take completely: the rest went
                                        out when the connection was writable again */
    uint64_t would_blocks;           /* all writes that the kernel did not take completely */
    uint64_t gathered_writes;        /* that finished more than one message */
    uint64_t gathered_messages;      /* messages in those: divided by gathered_writes, the batch */

    uint64_t bytes_copied_out; /* payload copied into output buffers; long messages are not */
    uint64_t bytes_copied_in;  /* moved between receive buffers before delivery */
    uint64_t reconnects;       /* connections made again after one was lost */
    uint64_t peers;            /* now connected; in the struct of a peer 0 or 1 */

    /* Waits, socket only: looking for a moment before going to sleep. */
    uint64_t spins_paid;   /* the wait ended while looking */
    uint64_t spins_unpaid; /* the thread had to sleep all the same */

    /* Peers only. */
    uint32_t routing_id_size;
    uint8_t routing_id[256 + 4]; /* as the peer told it, or as ROUTER made it up */
    char endpoint[256];          /* given to connect, or of the listener that accepted it;
                                    "" for inproc */
} zlink_stats_t;

/*
 * Fills in the statistics of a socket and, if wanted, of each of its peers.
 *
 *   socket      the socket
 *   stats       stats->size has to be set; gets the sums over all peers, those that are gone included
 *   peers       NULL, or an array of structs of stats->size bytes each, which needs no preparation
 *   peer_count  NULL if peers is; else *peer_count is the length of the array (ignored without one), and
 *               becomes the number of peers. More than fit are counted, but not described.
 *
 * A peer that this socket connects to counts from zmq_connect on, one that connects to us when its
 * handshake is complete. The numbers of one call belong together, except that an inproc peer may go on
 * meanwhile.
 *
 * Returns 0, or -1 and errno:
 *   ENOTSOCK  socket is not a socket
 *   EINVAL    stats is NULL, stats->size is not that of any version of the struct, or peers is given
 *             without peer_count
 *   EINTR     the socket belongs to the parent of this forked process
 * Any thread, also while others use the socket.
 */
ZLINK_EXPORT int zlink_socket_stats(void *socket, zlink_stats_t *stats, zlink_stats_t *peers,
                                    size_t *peer_count);

#ifdef __cplusplus
}
#endif

#undef ZLINK_EXPORT

#endif /* ZLINK_H_INCLUDED */
