/* SPDX-License-Identifier: MPL-2.0 */
/*
 * zmq.h: the ZeroMQ messaging interface, as provided by zlink.
 *
 * Source and binary compatible with libzmq 4.3: programs and bindings made for libzmq.so.5 run on
 * this library unchanged. What zlink offers beyond that interface is in zlink.h (zlink_version()).
 *
 * Conventions that hold for every function unless its comment says otherwise:
 *
 *   Result     Functions that return int give 0 or a non-negative value on success; on failure
 *              they return -1 and set errno. Functions that return a pointer give NULL on failure
 *              and set errno. errno is left alone on success.
 *   Handles    Contexts, sockets, pollers and timers are opaque pointers. A NULL pointer, or one
 *              that is recognised as something else, is refused: EFAULT for contexts, pollers and
 *              timers, ENOTSOCK for sockets. Using a handle after it was closed or destroyed is
 *              an error that cannot always be detected.
 *   Time       Intervals and time limits are in milliseconds; -1 means "no limit", 0 "do not wait".
 *   Signals    A call that waits returns with EINTR when its thread handles a signal, unless said
 *              otherwise. The library's own threads block all signals, and SIGPIPE is not raised.
 *   Shutdown   Once a context is shut down or being terminated, every call on its sockets but
 *              zmq_close() fails with ETERM.
 *   Threads    "Any thread" marks functions that may be called from several threads at once on
 *              the same object. "One thread at a time" means the caller serialises calls on the
 *              object; handing a socket over to another thread needs a full memory barrier, which
 *              any lock or thread start provides. The socket types CLIENT, SERVER, RADIO, DISH,
 *              SCATTER, GATHER, PEER and CHANNEL can always be shared. With the other types,
 *              concurrent calls cannot corrupt memory here, but parts of different multipart
 *              messages may mix, and programs must not rely on it with other implementations.
 *   Fork       A child process must not use sockets and contexts of its parent, but may create a
 *              context of its own.
 *
 * Drafts: what stands below ZMQ_BUILD_DRAFT_API may still change. Define that macro before the
 * #include to see it. The library always exports these functions.
 */
#ifndef ZMQ_H_INCLUDED
#define ZMQ_H_INCLUDED

/* The version of the interface; zmq_version() tells that of the library in use. */
#define ZMQ_VERSION_MAJOR 4
#define ZMQ_VERSION_MINOR 3
#define ZMQ_VERSION_PATCH 5

#define ZMQ_MAKE_VERSION(major, minor, patch) ((major)*10000 + (minor)*100 + (patch))
#define ZMQ_VERSION ZMQ_MAKE_VERSION(ZMQ_VERSION_MAJOR, ZMQ_VERSION_MINOR, ZMQ_VERSION_PATCH)

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#if !defined _WIN32
#include <signal.h>
#endif

/* <stdint.h> has been included. */
#define ZMQ_DEFINED_STDINT 1

/* Marks what the library exports. */
#if defined ZMQ_NO_EXPORT
#define ZMQ_EXPORT
#elif defined _WIN32
#if defined ZMQ_STATIC
#define ZMQ_EXPORT
#elif defined DLL_EXPORT
#define ZMQ_EXPORT __declspec(dllexport)
#else
#define ZMQ_EXPORT __declspec(dllimport)
#endif
#elif defined __GNUC__ && __GNUC__ >= 4
#define ZMQ_EXPORT __attribute__((visibility("default")))
#else
#define ZMQ_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ============================================================================================
 * Errors
 * ============================================================================================ */

/* Error numbers of ZeroMQ's own start here, far from those of any system. */
#define ZMQ_HAUSNUMERO 156384712

#define EFSM (ZMQ_HAUSNUMERO + 51)           /* not allowed in the socket's present state */
#define ENOCOMPATPROTO (ZMQ_HAUSNUMERO + 52) /* transport cannot carry this socket type */
#define ETERM (ZMQ_HAUSNUMERO + 53)          /* context shut down or terminated */
#define EMTHREAD (ZMQ_HAUSNUMERO + 54)       /* no I/O thread available */

/* Stand-ins for what a system may lack. */
#ifndef ENOTSUP
#define ENOTSUP (ZMQ_HAUSNUMERO + 1)
#endif
#ifndef EPROTONOSUPPORT
#define EPROTONOSUPPORT (ZMQ_HAUSNUMERO + 2)
#endif
#ifndef ENOBUFS
#define ENOBUFS (ZMQ_HAUSNUMERO + 3)
#endif
#ifndef ENETDOWN
#define ENETDOWN (ZMQ_HAUSNUMERO + 4)
#endif
#ifndef EADDRINUSE
#define EADDRINUSE (ZMQ_HAUSNUMERO + 5)
#endif
#ifndef EADDRNOTAVAIL
#define EADDRNOTAVAIL (ZMQ_HAUSNUMERO + 6)
#endif
#ifndef ECONNREFUSED
#define ECONNREFUSED (ZMQ_HAUSNUMERO + 7)
#endif
#ifndef EINPROGRESS
#define EINPROGRESS (ZMQ_HAUSNUMERO + 8)
#endif
#ifndef ENOTSOCK
#define ENOTSOCK (ZMQ_HAUSNUMERO + 9)
#endif
#ifndef EMSGSIZE
#define EMSGSIZE (ZMQ_HAUSNUMERO + 10)
#endif
#ifndef EAFNOSUPPORT
#define EAFNOSUPPORT (ZMQ_HAUSNUMERO + 11)
#endif
#ifndef ENETUNREACH
#define ENETUNREACH (ZMQ_HAUSNUMERO + 12)
#endif
#ifndef ECONNABORTED
#define ECONNABORTED (ZMQ_HAUSNUMERO + 13)
#endif
#ifndef ECONNRESET
#define ECONNRESET (ZMQ_HAUSNUMERO + 14)
#endif
#ifndef ENOTCONN
#define ENOTCONN (ZMQ_HAUSNUMERO + 15)
#endif
#ifndef ETIMEDOUT
#define ETIMEDOUT (ZMQ_HAUSNUMERO + 16)
#endif
#ifndef EHOSTUNREACH
#define EHOSTUNREACH (ZMQ_HAUSNUMERO + 17)
#endif
#ifndef ENETRESET
#define ENETRESET (ZMQ_HAUSNUMERO + 18)
#endif

/* The calling thread's errno as the library sees it. Only needed where program and library use
 * different C runtimes; otherwise it is just errno. Never fails. Any thread. */
ZMQ_EXPORT int zmq_errno(void);

/* A text for an error number, of the system or one of the above. Never NULL; not to be modified
 * or freed; for an unknown number valid until the thread's next call. Any thread. */
ZMQ_EXPORT const char *zmq_strerror(int errnum);

/* Stores the version of the library in use. The pointers must not be NULL. Any thread. */
ZMQ_EXPORT void zmq_version(int *major, int *minor, int *patch);

/* ============================================================================================
 * Contexts
 * ============================================================================================ */

/* Context options, for zmq_ctx_set() and zmq_ctx_get(); all are int. Those that concern threads
 * count only when set before the context's first socket is created. */
#define ZMQ_IO_THREADS 1                 /* number of I/O threads, >= 0; with 0 only inproc works */
#define ZMQ_MAX_SOCKETS 2                /* sockets that may be open at once, >= 1 */
#define ZMQ_SOCKET_LIMIT 3               /* get only: highest possible ZMQ_MAX_SOCKETS */
#define ZMQ_THREAD_PRIORITY 3            /* set only: scheduling priority of the threads, >= 0 */
#define ZMQ_THREAD_SCHED_POLICY 4        /* scheduling policy of the threads (SCHED_...), >= 0 */
#define ZMQ_MAX_MSGSZ 5                  /* highest message size in bytes, >= 0; only reported */
#define ZMQ_MSG_T_SIZE 6                 /* get only: sizeof(zmq_msg_t) in the library */
#define ZMQ_THREAD_AFFINITY_CPU_ADD 7    /* set only: a CPU number the threads may run on */
#define ZMQ_THREAD_AFFINITY_CPU_REMOVE 8 /* set only: takes a CPU off that list again */
#define ZMQ_THREAD_NAME_PREFIX 9         /* number put in front of thread names */
/* Also ZMQ_IPV6 (0 or 1, default 0) and ZMQ_BLOCKY (0 or 1, default 1; with 0, new sockets start
 * with ZMQ_LINGER 0), the defaults for sockets created afterwards. */

#define ZMQ_IO_THREADS_DFLT 1
#define ZMQ_MAX_SOCKETS_DFLT 1023
#define ZMQ_THREAD_PRIORITY_DFLT -1
#define ZMQ_THREAD_SCHED_POLICY_DFLT -1

/* Creates a context: the container of sockets, and the namespace of inproc endpoints. Starts no
 * thread. Returns its handle, or NULL:
 *   EMFILE   out of file descriptors
 *   ENOMEM   out of memory
 * Any thread. */
ZMQ_EXPORT void *zmq_ctx_new(void);

/* Ends a context: calls on its sockets, waiting ones included, fail with ETERM; then waits until
 * the program has closed every socket and until what they still have to send is sent or given up
 * as their ZMQ_LINGER says; then frees everything. After success the handle is invalid.
 *   EFAULT   not a context
 *   EINTR    interrupted by a signal; call again to go on
 * Any thread, but not while that same thread would have to close one of the sockets. */
ZMQ_EXPORT int zmq_ctx_term(void *context);

/* The first half of zmq_ctx_term(), without waiting: socket calls fail with ETERM from now on.
 * Sockets must still be closed and the context still be terminated. May be repeated.
 *   EFAULT   not a context
 * Any thread. */
ZMQ_EXPORT int zmq_ctx_shutdown(void *context);

/* Sets a context option.
 *   EFAULT   not a context
 *   EINVAL   unknown option, not to be set, or value out of range
 * Any thread. */
ZMQ_EXPORT int zmq_ctx_set(void *context, int option, int value);

/* Returns the value of a context option, or -1:
 *   EFAULT   not a context
 *   EINVAL   unknown option, or not to be read
 * A scheduling policy that was never set reads as -1 too; errno is then left alone. Any thread. */
ZMQ_EXPORT int zmq_ctx_get(void *context, int option);

/* Deprecated: zmq_ctx_new() followed by setting ZMQ_IO_THREADS. EINVAL if io_threads < 0. */
ZMQ_EXPORT void *zmq_init(int io_threads);
/* Deprecated names of zmq_ctx_term(). */
ZMQ_EXPORT int zmq_term(void *context);
ZMQ_EXPORT int zmq_ctx_destroy(void *context);

/* ============================================================================================
 * Messages
 * ============================================================================================ */

/* One message part. Its content is private, its size is part of the binary interface. It may not
 * be copied or moved but by the functions below, and must be initialised by one of the
 * zmq_msg_init functions before any other use and closed in the end. Initialising a message that
 * holds something loses what it holds.
 *
 * Different messages may be used by different threads, even when copies share one content; one
 * message by one thread at a time. Functions that get a message that was never initialised or is
 * closed fail with EFAULT where they can tell. */
#if defined _MSC_VER && (defined _M_X64 || defined _M_ARM64)
typedef struct __declspec(align(8)) zmq_msg_t {
    unsigned char _[64];
} zmq_msg_t;
#elif defined _MSC_VER
typedef struct __declspec(align(4)) zmq_msg_t {
    unsigned char _[64];
} zmq_msg_t;
#elif defined __GNUC__ || defined __INTEL_COMPILER || defined __SUNPRO_C || defined __SUNPRO_CC
typedef struct zmq_msg_t {
    unsigned char _[64];
} __attribute__((aligned(sizeof(void *)))) zmq_msg_t;
#else
typedef struct zmq_msg_t {
    unsigned char _[64];
} zmq_msg_t;
#endif

/* Releases content that was handed over with zmq_msg_init_data(). Called exactly once, from any
 * thread, also one of the library's; it must not call functions of this library on the message. */
typedef void(zmq_free_fn)(void *data, void *hint);

/* Message properties, for zmq_msg_get(). */
#define ZMQ_MORE 1   /* 1 if more parts of the same message follow, else 0 */
#define ZMQ_SHARED 3 /* 1 if the content is shared with another message, or constant, else 0 */

/* Makes an empty message. Returns 0. */
ZMQ_EXPORT int zmq_msg_init(zmq_msg_t *msg);

/* Makes a message with room for `size` bytes, whose values are undefined.
 *   ENOMEM   out of memory */
ZMQ_EXPORT int zmq_msg_init_size(zmq_msg_t *msg, size_t size);

/* Makes a message of memory that the caller owns, without copying. From success on the message
 * owns it and gives it back with free_function(data, hint). With free_function NULL the memory is
 * constant: it must stay valid and unchanged for as long as any copy of the message may exist.
 * data may be NULL only if size is 0.
 *   ENOMEM   out of memory; the memory stays the caller's */
ZMQ_EXPORT int zmq_msg_init_data(zmq_msg_t *msg, void *data, size_t size,
                                 zmq_free_fn *free_function, void *hint);

/* Sends a message part, as zmq_send() does. On success the message is empty, as if made by
 * zmq_msg_init(): it may be used again, and closing it is optional. On failure it is unchanged.
 * Returns the number of bytes (at most INT_MAX), or -1 with the errors of zmq_send() and
 *   EFAULT   not an initialised message
 * One thread at a time. */
ZMQ_EXPORT int zmq_msg_send(zmq_msg_t *msg, void *socket, int flags);

/* Receives a message part into an initialised message, whose former content is released.
 * Returns its number of bytes (at most INT_MAX), or -1 with the errors of zmq_recv() and
 *   EFAULT   not an initialised message
 * After a failure the message is initialised still. One thread at a time. */
ZMQ_EXPORT int zmq_msg_recv(zmq_msg_t *msg, void *socket, int flags);

/* Releases a message. Every message must be closed, once.
 *   EFAULT   not initialised, or closed already */
ZMQ_EXPORT int zmq_msg_close(zmq_msg_t *msg);

/* Moves the content, properties included, from source to destination. What the destination held
 * is released; the source becomes empty. Both must be initialised. Moving to itself does nothing.
 *   EFAULT   one of the two is not initialised */
ZMQ_EXPORT int zmq_msg_move(zmq_msg_t *destination, zmq_msg_t *source);

/* Makes destination a copy of source. What the destination held is released. Long contents are
 * shared, not duplicated, so that neither may be modified afterwards. Both must be initialised.
 *   EFAULT   one of the two is not initialised */
ZMQ_EXPORT int zmq_msg_copy(zmq_msg_t *destination, zmq_msg_t *source);

/* The content. Valid until the message is closed, moved, sent or received into; a short content
 * lies within the zmq_msg_t itself. Never fails. */
ZMQ_EXPORT void *zmq_msg_data(zmq_msg_t *msg);

/* The number of bytes in the content. Never fails. */
ZMQ_EXPORT size_t zmq_msg_size(const zmq_msg_t *msg);

/* 1 if more parts of the same message follow this received one, else 0. Never fails. */
ZMQ_EXPORT int zmq_msg_more(const zmq_msg_t *msg);

/* Returns a property (ZMQ_MORE, ZMQ_SHARED), or -1:
 *   EINVAL   no such property */
ZMQ_EXPORT int zmq_msg_get(const zmq_msg_t *msg, int property);

/* No property can be set: always fails with EINVAL. */
ZMQ_EXPORT int zmq_msg_set(zmq_msg_t *msg, int property, int value);

/* Looks up what is known about the peer a message came from: "Socket-Type", "Routing-Id",
 * "Peer-Address", "User-Id", and whatever the peer ("X-...", see ZMQ_METADATA) or an
 * authenticator added. Names are case-sensitive. Returns a text that belongs to the message and
 * is valid until it is closed, or NULL:
 *   EINVAL   the message has no such property */
ZMQ_EXPORT const char *zmq_msg_gets(const zmq_msg_t *msg, const char *property);

/* ============================================================================================
 * Sockets
 * ============================================================================================ */

/* Socket types. */
#define ZMQ_PAIR 0    /* exactly one peer, both directions */
#define ZMQ_PUB 1     /* sends to all whose subscription matches */
#define ZMQ_SUB 2     /* receives what it subscribed to */
#define ZMQ_REQ 3     /* sends a request, receives its reply, and so on */
#define ZMQ_REP 4     /* receives a request, sends its reply, and so on */
#define ZMQ_DEALER 5  /* sends to its peers in turn, receives from all fairly */
#define ZMQ_ROUTER 6  /* addresses each peer by its routing id, the first part of a message */
#define ZMQ_PULL 7    /* receives from its peers fairly */
#define ZMQ_PUSH 8    /* sends to its peers in turn */
#define ZMQ_XPUB 9    /* as PUB; subscriptions can be received as messages */
#define ZMQ_XSUB 10   /* as SUB; subscriptions are sent as messages */
#define ZMQ_STREAM 11 /* bytes of plain TCP connections */

/* Flags for sending and receiving, to be combined. */
#define ZMQ_DONTWAIT 1 /* fail with EAGAIN rather than wait */
#define ZMQ_SNDMORE 2  /* more parts of this message follow */

/* Security mechanisms, values of ZMQ_MECHANISM. */
#define ZMQ_NULL 0
#define ZMQ_PLAIN 1
#define ZMQ_CURVE 2
#define ZMQ_GSSAPI 3

/* Longest group name of RADIO and DISH, in bytes. */
#define ZMQ_GROUP_MAX_LENGTH 255

/* Socket options, for zmq_setsockopt() and zmq_getsockopt().
 *
 * Each line tells the type of the value, its unit and range, the default, and the meaning. Types:
 * int; int64 and uint64; flag (an int: 0 or 1); bytes; text (need not end in NUL when set, does
 * when got). "set" or "get" alone means that only this direction exists. Options marked * act at
 * once; the others count for the endpoints that are bound or connected afterwards. */
#define ZMQ_AFFINITY 4           /* uint64, bit n allows I/O thread n; 0 = all */
#define ZMQ_ROUTING_ID 5         /* bytes, 1..255; none: our name to ROUTER peers */
#define ZMQ_SUBSCRIBE 6          /* set *, bytes: SUB wants messages that start with these */
#define ZMQ_UNSUBSCRIBE 7        /* set *, bytes: takes one such subscription back */
#define ZMQ_RATE 8               /* int, kbit/s, > 0; 100: multicast data rate */
#define ZMQ_RECOVERY_IVL 9       /* int, ms, >= 0; 10000: multicast recovery time */
#define ZMQ_SNDBUF 11            /* int, bytes, >= -1; -1 = the system's: kernel send buffer */
#define ZMQ_RCVBUF 12            /* int, bytes, >= -1; -1 = the system's: kernel receive buffer */
#define ZMQ_RCVMORE 13           /* get, int: 1 if the part last received has successors, else 0 */
#define ZMQ_FD 14                /* get, zmq_fd_t: readable when ZMQ_EVENTS may have changed */
#define ZMQ_EVENTS 15            /* get, int: ZMQ_POLLIN and ZMQ_POLLOUT, as they are now */
#define ZMQ_TYPE 16              /* get, int: the socket type */
#define ZMQ_LINGER 17            /* *, int, ms, >= -1; -1: how long unsent messages outlive close */
#define ZMQ_RECONNECT_IVL 18     /* int, ms, >= -1; 100, -1 = never: wait before reconnecting */
#define ZMQ_BACKLOG 19           /* int, >= 0; 100: connections waiting to be accepted */
#define ZMQ_RECONNECT_IVL_MAX 21 /* int, ms, >= 0; 0 = constant: growing waits end here */
#define ZMQ_MAXMSGSIZE 22       /* int64, bytes; -1 = no limit: a peer that sends more is cut off */
#define ZMQ_SNDHWM 23           /* *, int, messages, >= 0; 1000, 0 = no limit: unsent, per peer */
#define ZMQ_RCVHWM 24           /* *, int, messages, >= 0; 1000, 0 = no limit: unread, per peer */
#define ZMQ_MULTICAST_HOPS 25   /* int, > 0; 1: time-to-live of multicast packets */
#define ZMQ_RCVTIMEO 27         /* *, int, ms, >= -1; -1: time limit of receiving */
#define ZMQ_SNDTIMEO 28         /* *, int, ms, >= -1; -1: time limit of sending */
#define ZMQ_LAST_ENDPOINT 32    /* get, text; "": resolved endpoint of the last bind or connect */
#define ZMQ_ROUTER_MANDATORY 33 /* set *, flag; 0: fail to send to an unknown routing id */
#define ZMQ_TCP_KEEPALIVE 34    /* int, -1, 0 or 1; -1 = the system's: SO_KEEPALIVE */
#define ZMQ_TCP_KEEPALIVE_CNT 35   /* int, >= -1; -1 = the system's: probes before giving up */
#define ZMQ_TCP_KEEPALIVE_IDLE 36  /* int, s, >= -1; -1 = the system's: idle time before probes */
#define ZMQ_TCP_KEEPALIVE_INTVL 37 /* int, s, >= -1; -1 = the system's: time between probes */
#define ZMQ_IMMEDIATE 39           /* flag; 0: queue messages to completed connections only */
#define ZMQ_XPUB_VERBOSE 40        /* set *, flag; 0: XPUB passes repeated subscriptions up, too */
#define ZMQ_ROUTER_RAW 41          /* set, flag; 0: deprecated, use ZMQ_STREAM */
#define ZMQ_IPV6 42                /* flag; the context's: use IPv6 as well as IPv4 */
#define ZMQ_MECHANISM 43           /* get, int: ZMQ_NULL, ZMQ_PLAIN, ..., by the options set last */
#define ZMQ_PLAIN_SERVER 44        /* flag; 0: be a server that authenticates by PLAIN */
#define ZMQ_PLAIN_USERNAME 45      /* text, 1..255 bytes; NULL ends PLAIN: be a PLAIN client */
#define ZMQ_PLAIN_PASSWORD 46      /* text, 1..255 bytes; NULL ends PLAIN: be a PLAIN client */
#define ZMQ_CURVE_SERVER 47        /* flag; 0: be a server that uses CURVE */
#define ZMQ_CURVE_PUBLICKEY 48     /* 32 bytes, or text of 40: own long-term public key */
#define ZMQ_CURVE_SECRETKEY 49     /* 32 bytes, or text of 40: own long-term secret key */
#define ZMQ_CURVE_SERVERKEY 50     /* 32 bytes, or text of 40: the server's key; be a client */
#define ZMQ_PROBE_ROUTER 51    /* set *, flag; 0: send an empty message on each new connection */
#define ZMQ_REQ_CORRELATE 52   /* set *, flag; 0: number requests, accept matching replies only */
#define ZMQ_REQ_RELAXED 53     /* set *, flag; 0: allow a new request before the reply is here */
#define ZMQ_CONFLATE 54        /* flag; 0: keep only the newest message of each peer */
#define ZMQ_ZAP_DOMAIN 55      /* text, 1..255 bytes; "": domain told to the authenticator */
#define ZMQ_ROUTER_HANDOVER 56 /* set *, flag; 0: a new peer takes an id over from the old one */
#define ZMQ_TOS 57             /* int, >= 0; 0: IP type of service */
#define ZMQ_CONNECT_ROUTING_ID 61 /* set, bytes, > 0: our name for the next connected peer */
#define ZMQ_GSSAPI_SERVER 62      /* flag; 0: GSSAPI is not supported, all of these fail */
#define ZMQ_GSSAPI_PRINCIPAL 63
#define ZMQ_GSSAPI_SERVICE_PRINCIPAL 64
#define ZMQ_GSSAPI_PLAINTEXT 65
#define ZMQ_HANDSHAKE_IVL 66     /* int, ms, >= 0; 30000, 0 = none: time limit of the handshake */
#define ZMQ_SOCKS_PROXY 68       /* text "host:port"; "", NULL ends it: connect through SOCKS5 */
#define ZMQ_XPUB_NODROP 69       /* set *, flag; 0: wait for slow subscribers, do not drop */
#define ZMQ_BLOCKY 70            /* a context option */
#define ZMQ_XPUB_MANUAL 71       /* set *, flag; 0: the program subscribes for XPUB's peers */
#define ZMQ_XPUB_WELCOME_MSG 72  /* set *, bytes; none: sent to each new subscriber */
#define ZMQ_STREAM_NOTIFY 73     /* flag; 1: STREAM receives an empty part on (dis)connection */
#define ZMQ_INVERT_MATCHING 74   /* *, flag; 0: send what does not match; set on both ends */
#define ZMQ_HEARTBEAT_IVL 75     /* int, ms, >= 0; 0 = none: time between pings */
#define ZMQ_HEARTBEAT_TTL 76     /* int, ms, 0..6553599; 0: how long the peer waits for a ping */
#define ZMQ_HEARTBEAT_TIMEOUT 77 /* int, ms, >= 0; as IVL: how long to wait for any answer */
#define ZMQ_XPUB_VERBOSER 78     /* set *, flag; 0: as VERBOSE, for unsubscribing as well */
#define ZMQ_CONNECT_TIMEOUT 79   /* int, ms, >= 0; 0 = the system's: limit of one attempt */
#define ZMQ_TCP_MAXRT 80         /* int, ms, >= 0; 0 = the system's: limit of retransmission */
#define ZMQ_THREAD_SAFE 81       /* get, int: 1 if the socket type may be shared by threads */
#define ZMQ_MULTICAST_MAXTPDU 84 /* int, bytes, > 0; 1500: largest multicast packet */
#define ZMQ_VMCI_BUFFER_SIZE 85  /* VMCI is not supported, all of these fail */
#define ZMQ_VMCI_BUFFER_MIN_SIZE 86
#define ZMQ_VMCI_BUFFER_MAX_SIZE 87
#define ZMQ_VMCI_CONNECT_TIMEOUT 88
#define ZMQ_USE_FD 89 /* int, >= -1; -1: listening descriptor to use (and own) in bind */
#define ZMQ_GSSAPI_PRINCIPAL_NAMETYPE 90
#define ZMQ_GSSAPI_SERVICE_PRINCIPAL_NAMETYPE 91
#define ZMQ_BINDTODEVICE 92 /* text, 1..16 bytes; "", NULL ends it: network interface to use */

#define ZMQ_GSSAPI_NT_HOSTBASED 0
#define ZMQ_GSSAPI_NT_USER_NAME 1
#define ZMQ_GSSAPI_NT_KRB5_PRINCIPAL 2

/* Deprecated options and other names. */
#define ZMQ_IDENTITY ZMQ_ROUTING_ID
#define ZMQ_CONNECT_RID ZMQ_CONNECT_ROUTING_ID
#define ZMQ_IPV4ONLY 31          /* flag; 1: the opposite of ZMQ_IPV6 */
#define ZMQ_TCP_ACCEPT_FILTER 38 /* set, text address[/bits]: adds to the accepted peers */
#define ZMQ_IPC_FILTER_PID 58    /* set, pid_t: adds to the accepted peers */
#define ZMQ_IPC_FILTER_UID 59    /* set, uid_t: adds to the accepted peers */
#define ZMQ_IPC_FILTER_GID 60    /* set, gid_t: adds to the accepted peers */
#define ZMQ_DELAY_ATTACH_ON_CONNECT ZMQ_IMMEDIATE
#define ZMQ_FAIL_UNROUTABLE ZMQ_ROUTER_MANDATORY
#define ZMQ_ROUTER_BEHAVIOR ZMQ_ROUTER_MANDATORY
#define ZMQ_XREQ ZMQ_DEALER
#define ZMQ_XREP ZMQ_ROUTER
#define ZMQ_NOBLOCK ZMQ_DONTWAIT
#define ZMQ_SRCFD 2 /* message property: descriptor of the connection a message came over */

/* Creates a socket of a type. Returns its handle, or NULL:
 *   EINVAL   no such type
 *   EFAULT   not a context
 *   EMFILE   ZMQ_MAX_SOCKETS are open, or out of file descriptors
 *   ENOMEM   out of memory
 *   ETERM    the context is shut down
 * Any thread. */
ZMQ_EXPORT void *zmq_socket(void *context, int type);

/* Closes a socket. Never waits: unread messages are dropped, unsent ones are still sent in the
 * background for as long as ZMQ_LINGER says, and endpoints vanish soon after, not at once.
 *   ENOTSOCK not a socket
 * One thread at a time, and after every other call on the socket has returned. */
ZMQ_EXPORT int zmq_close(void *socket);

/* Sets a socket option. `value` points to `size` bytes of the type the option has.
 *   EINVAL   unknown option, not to be set, not of this socket type, wrong size or value
 *   ETERM    the context is shut down
 *   ENOTSOCK not a socket
 *   EINTR    interrupted by a signal
 * One thread at a time. */
ZMQ_EXPORT int zmq_setsockopt(void *socket, int option, const void *value, size_t size);

/* Gets a socket option. On entry *size is the room at `value`, on success the bytes stored there.
 *   EINVAL   unknown option, not to be got, not of this socket type, wrong size or too small
 *   ETERM    the context is shut down
 *   ENOTSOCK not a socket
 *   EINTR    interrupted by a signal
 * One thread at a time. */
ZMQ_EXPORT int zmq_getsockopt(void *socket, int option, void *value, size_t *size);

/* Accepts connections at an endpoint "transport://address". ZMQ_LAST_ENDPOINT tells afterwards
 * what wildcards were resolved to. A socket may have any number of endpoints.
 *   EINVAL          NULL or malformed
 *   EPROTONOSUPPORT no such transport
 *   ENOCOMPATPROTO  the transport cannot carry this socket type
 *   EADDRINUSE      in use
 *   EADDRNOTAVAIL   not an address of this machine
 *   ENODEV          no such network interface or host
 *   ENAMETOOLONG    the ipc path is too long
 *   EMTHREAD        the context has no I/O thread that could do it
 *   ETERM           the context is shut down
 *   ENOTSOCK        not a socket
 *   EINTR           interrupted by a signal
 * and errors of the system, such as EACCES. One thread at a time. */
ZMQ_EXPORT int zmq_bind(void *socket, const char *endpoint);

/* Connects to an endpoint, in the background and again and again until it is there, so that
 * success says nothing about the peer. With DEALER, SUB, PUB and REQ, repeating a connect to the
 * same endpoint (other than inproc) does nothing; with the other types it adds a connection.
 *   EINVAL          NULL or malformed
 *   EPROTONOSUPPORT no such transport
 *   ENOCOMPATPROTO  the transport cannot carry this socket type
 *   ENODEV          no such network interface
 *   ENAMETOOLONG    the ipc path is too long
 *   EMTHREAD        the context has no I/O thread that could do it
 *   ETERM           the context is shut down
 *   ENOTSOCK        not a socket
 *   EINTR           interrupted by a signal
 * One thread at a time. */
ZMQ_EXPORT int zmq_connect(void *socket, const char *endpoint);

/* Ends every endpoint of this socket with that name, bound or connected. Wildcard endpoints go by
 * the name ZMQ_LAST_ENDPOINT gave. Happens in the background; unsent messages follow ZMQ_LINGER.
 *   EINVAL          NULL or malformed
 *   EPROTONOSUPPORT no such transport
 *   ENOCOMPATPROTO  the transport cannot carry this socket type
 *   ENOENT          not an endpoint of this socket
 *   ETERM           the context is shut down
 *   ENOTSOCK        not a socket
 * One thread at a time. */
ZMQ_EXPORT int zmq_unbind(void *socket, const char *endpoint);
/* The same as zmq_unbind(). */
ZMQ_EXPORT int zmq_disconnect(void *socket, const char *endpoint);

/* Sends one message part of `size` bytes, copied from `data`. Waits while the message cannot be
 * taken (no peer, or ZMQ_SNDHWM reached, as the socket type has it) and ZMQ_SNDTIMEO allows. With
 * ZMQ_SNDMORE the message goes on with the next part; peers get all parts or none. Success means
 * that the message is queued, not that it arrived. Returns the number of bytes (at most INT_MAX),
 * or -1:
 *   EAGAIN       would have to wait, or the time limit is over
 *   ENOTSUP      this socket type does not send
 *   EFSM         REQ or REP is not in a state to send
 *   EHOSTUNREACH the addressed peer is unknown (ROUTER with ZMQ_ROUTER_MANDATORY, STREAM, ...)
 *   EINVAL       a multipart message where the socket type has none, or with too many parts
 *   ENOMEM       out of memory
 *   ETERM        the context is shut down
 *   ENOTSOCK     not a socket
 *   EINTR        interrupted by a signal; nothing was sent
 * One thread at a time. */
ZMQ_EXPORT int zmq_send(void *socket, const void *data, size_t size, int flags);

/* As zmq_send(), without a copy: the bytes must stay valid and unchanged for as long as the
 * process lives, or until they are known to have arrived. */
ZMQ_EXPORT int zmq_send_const(void *socket, const void *data, size_t size, int flags);

/* Receives one message part into `data`; what exceeds `size` bytes is dropped. Waits while there
 * is none and ZMQ_RCVTIMEO allows. Returns the full number of bytes the part had (at most
 * INT_MAX), so that a result greater than size means "cut"; or -1:
 *   EAGAIN   would have to wait, or the time limit is over
 *   ENOTSUP  this socket type does not receive
 *   EFSM     REQ or REP is not in a state to receive
 *   ETERM    the context is shut down
 *   ENOTSOCK not a socket
 *   EINTR    interrupted by a signal; nothing was lost
 * `data` may be NULL if size is 0. One thread at a time. */
ZMQ_EXPORT int zmq_recv(void *socket, void *data, size_t size, int flags);

/* Reports the events of a socket, a set of ZMQ_EVENT_..., as messages on a new PAIR socket bound
 * to an inproc endpoint, which the program connects a PAIR socket to. Each has two parts: 16 bits
 * of event and 32 bits of value, 6 bytes in host byte order; then the endpoint concerned.
 * A socket has one monitor; endpoint NULL ends it, as closing the socket does.
 *   EINVAL          malformed endpoint, or events unknown to this form
 *   EPROTONOSUPPORT not an inproc endpoint
 *   EADDRINUSE      the name is taken
 *   EMFILE          ZMQ_MAX_SOCKETS are open, or out of file descriptors
 *   ETERM           the context is shut down
 *   ENOTSOCK        not a socket
 * One thread at a time. */
ZMQ_EXPORT int zmq_socket_monitor(void *socket, const char *endpoint, int events);

/* Deprecated: zmq_msg_send() and zmq_msg_recv() with the arguments the other way round. */
ZMQ_EXPORT int zmq_sendmsg(void *socket, zmq_msg_t *msg, int flags);
ZMQ_EXPORT int zmq_recvmsg(void *socket, zmq_msg_t *msg, int flags);

struct iovec;

/* Sends `count` blocks of memory, copied: as one message of that many parts if flags contain
 * ZMQ_SNDMORE, or else as that many messages. Returns the size of the last one, or -1 with the
 * errors of zmq_send() and
 *   EINVAL   blocks is NULL or count is 0
 * On failure the blocks before are sent already. One thread at a time. */
ZMQ_EXPORT int zmq_sendiov(void *socket, struct iovec *blocks, size_t count, int flags);

/* Receives up to *count parts of one message, each into memory that the caller shall free().
 * *count becomes the number received, also on failure. Returns that number, or -1 with the errors
 * of zmq_recv() and
 *   EINVAL   blocks or count is NULL, or *count is 0
 *   ENOMEM   out of memory
 * One thread at a time. */
ZMQ_EXPORT int zmq_recviov(void *socket, struct iovec *blocks, size_t *count, int flags);

/* ============================================================================================
 * Monitor events
 * ============================================================================================ */

/* Event and, in parentheses, its value. */
#define ZMQ_EVENT_CONNECTED 0x0001       /* connected (descriptor) */
#define ZMQ_EVENT_CONNECT_DELAYED 0x0002 /* connecting in the background (errno) */
#define ZMQ_EVENT_CONNECT_RETRIED 0x0004 /* will try again (after this many ms) */
#define ZMQ_EVENT_LISTENING 0x0008       /* bound (descriptor) */
#define ZMQ_EVENT_BIND_FAILED 0x0010     /* could not bind (errno) */
#define ZMQ_EVENT_ACCEPTED 0x0020        /* accepted a connection (descriptor) */
#define ZMQ_EVENT_ACCEPT_FAILED 0x0040   /* could not, or would not, accept (errno) */
#define ZMQ_EVENT_CLOSED 0x0080          /* closed a listener or an attempt (descriptor) */
#define ZMQ_EVENT_CLOSE_FAILED 0x0100    /* could not clean up an endpoint (errno) */
#define ZMQ_EVENT_DISCONNECTED 0x0200    /* lost a connection (descriptor) */
#define ZMQ_EVENT_MONITOR_STOPPED 0x0400 /* monitoring ends (0) */
#define ZMQ_EVENT_ALL 0xFFFF
#define ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL 0x0800 /* broken off (errno) */
#define ZMQ_EVENT_HANDSHAKE_SUCCEEDED 0x1000        /* messages may flow (0) */
#define ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL 0x2000  /* error (ZMQ_PROTOCOL_ERROR_...) */
#define ZMQ_EVENT_HANDSHAKE_FAILED_AUTH 0x4000      /* refused (300, 400 or 500) */

#define ZMQ_PROTOCOL_ERROR_ZMTP_UNSPECIFIED 0x10000000
#define ZMQ_PROTOCOL_ERROR_ZMTP_UNEXPECTED_COMMAND 0x10000001
#define ZMQ_PROTOCOL_ERROR_ZMTP_INVALID_SEQUENCE 0x10000002
#define ZMQ_PROTOCOL_ERROR_ZMTP_KEY_EXCHANGE 0x10000003
#define ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED 0x10000011
#define ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_MESSAGE 0x10000012
#define ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_HELLO 0x10000013
#define ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_INITIATE 0x10000014
#define ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_ERROR 0x10000015
#define ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_READY 0x10000016
#define ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_WELCOME 0x10000017
#define ZMQ_PROTOCOL_ERROR_ZMTP_INVALID_METADATA 0x10000018
#define ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC 0x11000001
#define ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH 0x11000002
#define ZMQ_PROTOCOL_ERROR_ZAP_UNSPECIFIED 0x20000000
#define ZMQ_PROTOCOL_ERROR_ZAP_MALFORMED_REPLY 0x20000001
#define ZMQ_PROTOCOL_ERROR_ZAP_BAD_REQUEST_ID 0x20000002
#define ZMQ_PROTOCOL_ERROR_ZAP_BAD_VERSION 0x20000003
#define ZMQ_PROTOCOL_ERROR_ZAP_INVALID_STATUS_CODE 0x20000004
#define ZMQ_PROTOCOL_ERROR_ZAP_INVALID_METADATA 0x20000005
#define ZMQ_PROTOCOL_ERROR_WS_UNSPECIFIED 0x30000000

/* ============================================================================================
 * Waiting for several sockets
 * ============================================================================================ */

/* What zmq_poll() waits for and reports, to be combined. */
#define ZMQ_POLLIN 1  /* can receive */
#define ZMQ_POLLOUT 2 /* can send */
#define ZMQ_POLLERR 4 /* descriptors only: error or hang-up; reported without being asked for */
#define ZMQ_POLLPRI 8 /* descriptors only: urgent data */

/* A descriptor of the system. */
#if defined _WIN64
typedef unsigned __int64 zmq_fd_t;
#elif defined _WIN32
typedef unsigned int zmq_fd_t;
#else
typedef int zmq_fd_t;
#endif

typedef struct zmq_pollitem_t {
    void *socket;  /* a socket, or NULL to wait for fd */
    zmq_fd_t fd;   /* any descriptor the system can poll; ignored if socket is set */
    short events;  /* what to wait for */
    short revents; /* what there is; written by every call */
} zmq_pollitem_t;

#define ZMQ_POLLITEMS_DFLT 16

/* Waits until at least one of `count` items has an event, at most `timeout` ms (0: does not
 * wait, -1: no limit). Without items it just waits. Returns the number of items with events, 0
 * when the time is over, or -1:
 *   EINVAL   count < 0
 *   EFAULT   items is NULL and count is not 0
 *   ENOTSOCK an item's socket is not a socket
 *   ETERM    a socket's context is shut down
 *   EINTR    interrupted by a signal
 *   ENOMEM   out of memory
 * The sockets are used as by zmq_getsockopt(): one thread at a time. */
ZMQ_EXPORT int zmq_poll(zmq_pollitem_t *items, int count, long timeout);

/* ============================================================================================
 * Proxies
 * ============================================================================================ */

/* Forwards messages between two sockets in both directions, and copies each to the third, unless
 * that is NULL. Returns only on failure, with -1:
 *   EFAULT   frontend or backend is NULL
 *   ETERM    a socket's context is shut down
 *   EINTR    interrupted by a signal
 * and other errors of sending and receiving. Uses the sockets alone: no other thread may. */
ZMQ_EXPORT int zmq_proxy(void *frontend, void *backend, void *capture);

/* As zmq_proxy(), obeying the texts "PAUSE", "RESUME", "TERMINATE" and "STATISTICS" that arrive
 * on the control socket, unless that is NULL. STATISTICS is answered with eight parts of eight
 * bytes, numbers in host byte order: parts and bytes received, parts and bytes sent, first for
 * the frontend, then for the backend. Returns 0 after TERMINATE, or -1 as zmq_proxy() does. */
ZMQ_EXPORT int zmq_proxy_steerable(void *frontend, void *backend, void *capture, void *control);

/* Deprecated: zmq_proxy() without capture; type is ignored. */
#define ZMQ_STREAMER 1
#define ZMQ_FORWARDER 2
#define ZMQ_QUEUE 3
ZMQ_EXPORT int zmq_device(int type, void *frontend, void *backend);

/* ============================================================================================
 * Capabilities, keys
 * ============================================================================================ */

#define ZMQ_HAS_CAPABILITIES 1

/* 1 if the library has a capability ("ipc", "curve", "draft", "WS", "WSS", "pgm", "norm", "tipc",
 * "vmci", "vsock", "gssapi"), 0 if it has not, or does not know the name. Never fails. Any thread.
 */
ZMQ_EXPORT int zmq_has(const char *capability);

/* Writes `size` bytes as Z85 text (RFC 32): size * 5 / 4 characters and a NUL. Returns text, or
 * NULL:
 *   EINVAL   size is not a multiple of 4
 * Any thread. */
ZMQ_EXPORT char *zmq_z85_encode(char *text, const uint8_t *data, size_t size);

/* Reads Z85 text (RFC 32): strlen(text) * 4 / 5 bytes. Returns data, or NULL:
 *   EINVAL   shorter than 5, not a multiple of 5, or not Z85; data may be written in part
 * Any thread. */
ZMQ_EXPORT uint8_t *zmq_z85_decode(uint8_t *data, const char *text);

/* Makes a new pair of CURVE keys as Z85 text, 41 bytes each with the NUL.
 *   ENOTSUP  the library was built without CURVE
 * Any thread. */
ZMQ_EXPORT int zmq_curve_keypair(char *public_key, char *secret_key);

/* Computes the public key that belongs to a secret key, both Z85 text of 41 bytes with the NUL.
 *   EINVAL   the secret key is not such a text
 *   ENOTSUP  the library was built without CURVE
 * Any thread. */
ZMQ_EXPORT int zmq_curve_public(char *public_key, const char *secret_key);

/* ============================================================================================
 * Atomic counters
 * ============================================================================================ */

/* Makes a counter of value 0, or returns NULL: ENOMEM. Any thread, as all of these. */
ZMQ_EXPORT void *zmq_atomic_counter_new(void);
/* Sets the value. */
ZMQ_EXPORT void zmq_atomic_counter_set(void *counter, int value);
/* Adds 1 and returns the value before that. */
ZMQ_EXPORT int zmq_atomic_counter_inc(void *counter);
/* Subtracts 1 and returns 1 if the value after that is not 0, or 0 if it is. */
ZMQ_EXPORT int zmq_atomic_counter_dec(void *counter);
/* Returns the value. */
ZMQ_EXPORT int zmq_atomic_counter_value(void *counter);
/* Frees the counter, which no thread may be using any more, and sets *counter to NULL. */
ZMQ_EXPORT void zmq_atomic_counter_destroy(void **counter);

/* ============================================================================================
 * Timers
 * ============================================================================================ */

#define ZMQ_HAVE_TIMERS

/* Called by zmq_timers_execute() when a timer is due. May use all functions of its timers but
 * zmq_timers_destroy() and zmq_timers_execute(). */
typedef void(zmq_timer_fn)(int timer_id, void *arg);

/* Makes a set of timers, or returns NULL: ENOMEM. A set is for one thread at a time. */
ZMQ_EXPORT void *zmq_timers_new(void);

/* Frees a set of timers and sets *timers to NULL.
 *   EFAULT   timers is NULL, or *timers is not a set of timers */
ZMQ_EXPORT int zmq_timers_destroy(void **timers);

/* Adds a timer that is due every `interval` ms until it is cancelled, for the first time after
 * one interval. Returns its id, which is > 0 and greater than those before (unless INT_MAX ids were
 * used, then any that is free), or -1:
 *   EFAULT   not a set of timers, or handler is NULL
 *   ENOMEM   out of memory */
ZMQ_EXPORT int zmq_timers_add(void *timers, size_t interval, zmq_timer_fn handler, void *arg);

/* Cancels a timer. Its handler is not called any more.
 *   EFAULT   not a set of timers
 *   EINVAL   no such timer, or cancelled already */
ZMQ_EXPORT int zmq_timers_cancel(void *timers, int timer_id);

/* Changes the interval, in ms, and starts it anew from now.
 *   EFAULT   not a set of timers
 *   EINVAL   no such timer */
ZMQ_EXPORT int zmq_timers_set_interval(void *timers, int timer_id, size_t interval);

/* Starts the interval anew from now.
 *   EFAULT   not a set of timers
 *   EINVAL   no such timer */
ZMQ_EXPORT int zmq_timers_reset(void *timers, int timer_id);

/* Returns the ms until the next timer is due, 0 if one is; suits zmq_poll(). Or -1:
 *   EINVAL   there is no timer
 *   EFAULT   not a set of timers */
ZMQ_EXPORT long zmq_timers_timeout(void *timers);

/* Calls the handlers of all timers that are due, each once, in the order in which they became due.
 * Each is due again one interval after this call began: what was missed is not made up for. What
 * handlers add waits for the next call.
 *   EFAULT   not a set of timers */
ZMQ_EXPORT int zmq_timers_execute(void *timers);

/* ============================================================================================
 * Small helpers for portable programs
 * ============================================================================================ */

/* Starts a stopwatch, or returns NULL: ENOMEM. */
ZMQ_EXPORT void *zmq_stopwatch_start(void);
/* Returns the microseconds since the start; the watch runs on. */
ZMQ_EXPORT unsigned long zmq_stopwatch_intermediate(void *watch);
/* Returns the microseconds since the start and frees the watch. */
ZMQ_EXPORT unsigned long zmq_stopwatch_stop(void *watch);

/* Sleeps for this many seconds (0 or less: not at all), or until a signal is handled. */
ZMQ_EXPORT void zmq_sleep(int seconds);

typedef void(zmq_thread_fn)(void *arg);

/* Runs function(arg) in a new thread, with all signals blocked. Returns its handle, or NULL:
 *   EAGAIN   the system refuses to start a thread
 *   EFAULT   function is NULL
 *   ENOMEM   out of memory
 * Any thread. */
ZMQ_EXPORT void *zmq_threadstart(zmq_thread_fn *function, void *arg);

/* Waits for the thread to end and frees its handle. NULL is ignored. Any other thread, once. */
ZMQ_EXPORT void zmq_threadclose(void *thread);

/* ============================================================================================
 * Drafts
 * ============================================================================================ */

#ifdef ZMQ_BUILD_DRAFT_API

/* Socket types. All but DGRAM may be shared by threads; none has multipart messages but DGRAM. */
#define ZMQ_SERVER 12  /* addresses each CLIENT by the routing id of its messages */
#define ZMQ_CLIENT 13  /* sends to its SERVERs in turn, receives from all fairly */
#define ZMQ_RADIO 14   /* sends to all DISH sockets that joined the message's group */
#define ZMQ_DISH 15    /* receives the messages of the groups it joined */
#define ZMQ_GATHER 16  /* receives from its peers fairly */
#define ZMQ_SCATTER 17 /* sends to its peers in turn */
#define ZMQ_DGRAM 18   /* datagrams over udp: one part of address, one of content */
#define ZMQ_PEER 19    /* addresses other PEERs by the routing id of their messages */
#define ZMQ_CHANNEL 20 /* exactly one peer, both directions */

/* Socket options, described as above. */
#define ZMQ_ZAP_ENFORCE_DOMAIN 93     /* flag; 0: refuse peers when there is no authenticator */
#define ZMQ_LOOPBACK_FASTPATH 94      /* flag; 0: without effect */
#define ZMQ_METADATA 95               /* set, text "X-name:value": adds to what peers are told */
#define ZMQ_MULTICAST_LOOP 96         /* flag; 1: receive one's own multicast packets */
#define ZMQ_ROUTER_NOTIFY 97          /* int, ZMQ_NOTIFY_... combined; 0: ROUTER receives these */
#define ZMQ_XPUB_MANUAL_LAST_VALUE 98 /* set *, flag; 0: as MANUAL, send to the last subscriber */
#define ZMQ_SOCKS_USERNAME 99         /* text, <= 255 bytes; "": for the SOCKS5 proxy */
#define ZMQ_SOCKS_PASSWORD 100        /* text, <= 255 bytes; "": for the SOCKS5 proxy */
#define ZMQ_IN_BATCH_SIZE 101         /* int, bytes, > 0; 8192: limit of one read, at least 512 */
#define ZMQ_OUT_BATCH_SIZE                                                                         \
    102 /* int, bytes, > 0; 8192: limit of one gathered write; one message always goes */
#define ZMQ_WSS_KEY_PEM 103          /* set, text; "": private key of a wss server, PEM */
#define ZMQ_WSS_CERT_PEM 104         /* set, text; "": certificate of a wss server, PEM */
#define ZMQ_WSS_TRUST_PEM 105        /* set, text; "": what a wss client trusts, PEM */
#define ZMQ_WSS_HOSTNAME 106         /* set, text; "": the endpoint's host: name of the server */
#define ZMQ_WSS_TRUST_SYSTEM 107     /* set, flag; 0: trust what the system trusts, too */
#define ZMQ_ONLY_FIRST_SUBSCRIBE 108 /* set *, flag; 0: subscribe by the first part only */
#define ZMQ_RECONNECT_STOP 109 /* int, ZMQ_RECONNECT_STOP_... combined; 0: do not retry after */
#define ZMQ_HELLO_MSG 110      /* set, bytes; none: sent first on each connection */
#define ZMQ_DISCONNECT_MSG 111 /* set, bytes; none: received when a peer is gone */
#define ZMQ_PRIORITY 112       /* int, >= 0; 0: SO_PRIORITY */
#define ZMQ_BUSY_POLL 113      /* int, us; 0 = the system's: SO_BUSY_POLL */
#define ZMQ_HICCUP_MSG 114     /* set, bytes; none: received when a connection is lost */
#define ZMQ_XSUB_VERBOSE_UNSUBSCRIBE 115 /* set *, flag; 0: pass every unsubscription on */
#define ZMQ_TOPICS_COUNT 116             /* get, int: number of different subscriptions */
#define ZMQ_NORM_MODE 117                /* NORM is not supported, all of these fail */
#define ZMQ_NORM_UNICAST_NACK 118
#define ZMQ_NORM_BUFFER_SIZE 119
#define ZMQ_NORM_SEGMENT_SIZE 120
#define ZMQ_NORM_BLOCK_SIZE 121
#define ZMQ_NORM_NUM_PARITY 122
#define ZMQ_NORM_NUM_AUTOPARITY 123
#define ZMQ_NORM_PUSH 124

#define ZMQ_NOTIFY_CONNECT 1
#define ZMQ_NOTIFY_DISCONNECT 2

#define ZMQ_RECONNECT_STOP_CONN_REFUSED 1
#define ZMQ_RECONNECT_STOP_HANDSHAKE_FAILED 2
#define ZMQ_RECONNECT_STOP_AFTER_DISCONNECT 4

#define ZMQ_NORM_FIXED 0
#define ZMQ_NORM_CC 1
#define ZMQ_NORM_CCL 2
#define ZMQ_NORM_CCE 3
#define ZMQ_NORM_CCE_ECNONLY 4

/* Context option: 1 (default) to let long received messages refer to the receive buffer. */
#define ZMQ_ZERO_COPY_RECV 10

/* As zmq_ctx_set(), for values that are not int: ZMQ_THREAD_NAME_PREFIX takes a text of 1 to 16
 * bytes, but not of 4, which are taken for an int. Fails like zmq_ctx_set(). Any thread. */
ZMQ_EXPORT int zmq_ctx_set_ext(void *context, int option, const void *value, size_t size);

/* As zmq_ctx_get(), for values that are not int: writes up to *size bytes, without a NUL, and
 * leaves *size alone. Returns 0, or fails like zmq_ctx_get(). Any thread. */
ZMQ_EXPORT int zmq_ctx_get_ext(void *context, int option, void *value, size_t *size);

/* Makes a DISH socket receive the messages of a group.
 *   EINVAL   longer than ZMQ_GROUP_MAX_LENGTH, or joined already
 *   ENOTSUP  not a DISH socket
 *   ENOTSOCK not a socket
 * Any thread. */
ZMQ_EXPORT int zmq_join(void *socket, const char *group);

/* Takes zmq_join() back.
 *   EINVAL   longer than ZMQ_GROUP_MAX_LENGTH, or not joined
 *   ENOTSUP  not a DISH socket
 *   ENOTSOCK not a socket
 * Any thread. */
ZMQ_EXPORT int zmq_leave(void *socket, const char *group);

/* As zmq_connect(), for PEER sockets: returns the routing id to address the new peer by, which is
 * not 0. Returns 0 on failure, with the errors of zmq_connect() and
 *   ENOTSUP  not a PEER socket
 *   EFAULT   ZMQ_IMMEDIATE is set
 * Any thread. */
ZMQ_EXPORT uint32_t zmq_connect_peer(void *socket, const char *endpoint);

/* Ends the connection to one peer of a SERVER or PEER socket.
 *   EHOSTUNREACH no peer with that routing id
 *   ENOTSUP      not a SERVER or PEER socket
 *   ENOTSOCK     not a socket
 * Any thread. */
ZMQ_EXPORT int zmq_disconnect_peer(void *socket, uint32_t routing_id);

/* Tells whether a ROUTER socket could send to a peer now: returns ZMQ_POLLOUT or 0, or -1:
 *   EHOSTUNREACH no peer with that routing id
 *   ENOTSUP      not a ROUTER socket
 *   ENOTSOCK     not a socket
 * One thread at a time. */
ZMQ_EXPORT int zmq_socket_get_peer_state(void *socket, const void *routing_id, size_t size);

/* Message properties, for zmq_msg_gets(). */
#define ZMQ_MSG_PROPERTY_ROUTING_ID "Routing-Id"
#define ZMQ_MSG_PROPERTY_SOCKET_TYPE "Socket-Type"
#define ZMQ_MSG_PROPERTY_USER_ID "User-Id"
#define ZMQ_MSG_PROPERTY_PEER_ADDRESS "Peer-Address"

/* Makes a message of a copy of `size` bytes. data may be NULL only if size is 0.
 *   ENOMEM   out of memory */
ZMQ_EXPORT int zmq_msg_init_buffer(zmq_msg_t *msg, const void *data, size_t size);

/* Sets the peer that a SERVER or PEER socket shall send the message to.
 *   EINVAL   the routing id is 0 */
ZMQ_EXPORT int zmq_msg_set_routing_id(zmq_msg_t *msg, uint32_t routing_id);

/* The peer that a SERVER or PEER socket received the message from, 0 if none. Never fails. */
ZMQ_EXPORT uint32_t zmq_msg_routing_id(zmq_msg_t *msg);

/* Sets the group that a RADIO socket shall send the message to; more than ZMQ_GROUP_MAX_LENGTH
 * bytes are cut off.
 *   ENOMEM   out of memory */
ZMQ_EXPORT int zmq_msg_set_group(zmq_msg_t *msg, const char *group);

/* The group of a message, "" if none. Valid until the message is closed or its group is set. */
ZMQ_EXPORT const char *zmq_msg_group(zmq_msg_t *msg);

/* Version 2 of the monitor can report how full the queues are: two values, unsent and unread. */
#define ZMQ_EVENT_PIPES_STATS 0x10000

#define ZMQ_CURRENT_EVENT_VERSION 1
#define ZMQ_CURRENT_EVENT_VERSION_DRAFT 2

#define ZMQ_EVENT_ALL_V1 ZMQ_EVENT_ALL
#define ZMQ_EVENT_ALL_V2 (ZMQ_EVENT_ALL_V1 | ZMQ_EVENT_PIPES_STATS)

/* As zmq_socket_monitor(), with a choice of event_version and socket type (ZMQ_PAIR, ZMQ_PUB or
 * ZMQ_PUSH). Version 1 messages are as described there. Those of version 2 consist of 64-bit
 * numbers, one to a part, in host byte order: event, count, that many values; then two texts, the
 * local and the remote endpoint. Fails like zmq_socket_monitor(), and with
 *   EINVAL   another version or type, or events that version 1 does not have */
ZMQ_EXPORT int zmq_socket_monitor_versioned(void *socket, const char *endpoint, uint64_t events,
                                            int event_version, int type);

/* Asks for one ZMQ_EVENT_PIPES_STATS per connection.
 *   EINVAL   that event is not monitored
 *   EAGAIN   the socket has no connections
 *   ENOTSOCK not a socket
 * One thread at a time. */
ZMQ_EXPORT int zmq_socket_monitor_pipes_stats(void *socket);

/* A poller: waits for sockets and descriptors that were registered before. It keeps reporting an
 * event for as long as it lasts. One thread at a time. */
#define ZMQ_HAVE_POLLER

typedef struct zmq_poller_event_t {
    void *socket;    /* the socket, or NULL if the event is of a descriptor */
    zmq_fd_t fd;     /* the descriptor, or -1 if the event is of a socket */
    void *user_data; /* as registered */
    short events;    /* ZMQ_POLLIN, ... combined */
} zmq_poller_event_t;

/* Makes a poller, or returns NULL: ENOMEM. */
ZMQ_EXPORT void *zmq_poller_new(void);

/* Frees a poller and sets *poller to NULL. Registered sockets may be closed before or after.
 *   EFAULT   poller is NULL, or *poller is not a poller */
ZMQ_EXPORT int zmq_poller_destroy(void **poller);

/* Returns the number of registered sockets and descriptors, or -1:
 *   EFAULT   not a poller */
ZMQ_EXPORT int zmq_poller_size(void *poller);

/* Registers a socket for events; with none it is registered but not waited for.
 *   EFAULT   not a poller
 *   ENOTSOCK not a socket
 *   EINVAL   unknown events, or registered already
 *   ENOMEM   out of memory
 *   EMFILE   out of file descriptors */
ZMQ_EXPORT int zmq_poller_add(void *poller, void *socket, void *user_data, short events);

/* Changes the events of a registered socket.
 *   EFAULT   not a poller
 *   ENOTSOCK not a socket
 *   EINVAL   unknown events, or not registered */
ZMQ_EXPORT int zmq_poller_modify(void *poller, void *socket, short events);

/* Takes a socket off. Must be done before the socket is closed, or not at all.
 *   EFAULT   not a poller
 *   ENOTSOCK not a socket
 *   EINVAL   not registered */
ZMQ_EXPORT int zmq_poller_remove(void *poller, void *socket);

/* Waits for one event, at most `timeout` ms (0: does not wait, -1: no limit). On failure *event
 * is filled with "nothing". Fails like zmq_poller_wait_all(). */
ZMQ_EXPORT int zmq_poller_wait(void *poller, zmq_poller_event_t *event, long timeout);

/* Waits for events and stores up to `count` of them, in the order of registration. Returns their
 * number, which is at least 1, or -1:
 *   EFAULT   not a poller, events is NULL, or nothing to wait for and no time limit
 *   EINVAL   count < 0
 *   EAGAIN   the time is over
 *   ETERM    a socket's context is shut down
 *   EINTR    interrupted by a signal
 *   ENOMEM   out of memory */
ZMQ_EXPORT int zmq_poller_wait_all(void *poller, zmq_poller_event_t *events, int count,
                                   long timeout);

/* Stores a descriptor that is readable when the poller's thread-safe sockets may have events.
 *   EFAULT   not a poller
 *   EINVAL   no thread-safe socket was ever registered */
ZMQ_EXPORT int zmq_poller_fd(void *poller, zmq_fd_t *fd);

/* Registers a descriptor. Fails like zmq_poller_add(), with
 *   EBADF    fd is -1
 * instead of ENOTSOCK, as the next two do. */
ZMQ_EXPORT int zmq_poller_add_fd(void *poller, zmq_fd_t fd, void *user_data, short events);
/* Changes the events of a registered descriptor. */
ZMQ_EXPORT int zmq_poller_modify_fd(void *poller, zmq_fd_t fd, short events);
/* Takes a descriptor off. */
ZMQ_EXPORT int zmq_poller_remove_fd(void *poller, zmq_fd_t fd);

/* As zmq_poll(); while it waits, the thread's signal mask is the given one, unless that is NULL.
 *   ENOTSUP  the system cannot do that
 * Only declared where <signal.h> has sigset_t, which strict ISO C modes hide. */
#if defined _WIN32
ZMQ_EXPORT int zmq_ppoll(zmq_pollitem_t *items, int count, long timeout, const void *signal_mask);
#elif defined SIG_BLOCK
ZMQ_EXPORT int zmq_ppoll(zmq_pollitem_t *items, int count, long timeout,
                         const sigset_t *signal_mask);
#endif

#endif /* ZMQ_BUILD_DRAFT_API */

#undef ZMQ_EXPORT

#ifdef __cplusplus
}
#endif

#endif /* ZMQ_H_INCLUDED */
