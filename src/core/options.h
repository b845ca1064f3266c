/* SPDX-License-Identifier: MPL-2.0 */
/* Socket options: their storage, the table that rules them, and immutable snapshots of them. */
#ifndef ZL_CORE_OPTIONS_H
#define ZL_CORE_OPTIONS_H

#ifndef ZMQ_BUILD_DRAFT_API
#define ZMQ_BUILD_DRAFT_API
#endif
#include <zmq.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/option_value.h"
#include "transport/ip_address.h"

/* A list that each successful set makes longer by one. `items` points to the first of `count`
 * entries, whose type the field's comment gives; NULL when there are none. */
struct zl_option_list {
    void *items;
    size_t count;
};

/* One application property of the handshake (ZMQ_METADATA). Both are NUL-terminated. */
struct zl_option_property {
    char *name;
    char *value;
};

/* Sorted by name, the order in which they are sent. */
struct zl_option_properties {
    struct zl_option_property *items;
    size_t count;
};

#define ZL_ROUTING_ID_MAX 255
#define ZL_CURVE_KEY_SIZE 32

/* Every generic socket option. Read the fields directly; write them only through
 * zl_options_set(). Times are in milliseconds unless the name says otherwise, sizes in bytes. The
 * number behind a field is its ZMQ_ or ZLINK_ option; the accepted range is in the table in options.c
 * or tls_options.c.
 *
 * The live options of a socket are guarded by the gate of that socket. A snapshot is immutable.
 *
 * SNDHWM, RCVHWM, LINGER, RCVTIMEO, SNDTIMEO and INVERT_MATCHING act at once: read them from the
 * live options, not from the snapshot of an endpoint. */
struct zl_options {
    int type; /* ZMQ_PAIR and so on; never changes */

    /* Queues and waiting. */
    int sndhwm; /* messages, 0 unlimited */
    int rcvhwm;
    int linger;   /* -1 for ever, 0 drop */
    int rcvtimeo; /* -1 for ever */
    int sndtimeo;
    bool immediate;
    bool conflate;
    bool invert_matching;

    /* Connecting and accepting. */
    int reconnect_ivl;     /* -1 never */
    int reconnect_ivl_max; /* 0 no back-off */
    int reconnect_stop;    /* ZMQ_RECONNECT_STOP_ bits */
    int connect_timeout;   /* 0 as the system does */
    int handshake_ivl;     /* 0 none */
    int backlog;
    int use_fd; /* -1 none */
    uint64_t affinity;
    struct zl_option_list accept_filters; /* of struct zl_ip_filter; empty: accept all */
    struct zl_option_list ipc_uids;       /* of uid_t */
    struct zl_option_list ipc_gids;       /* of gid_t */
    struct zl_option_list ipc_pids;       /* of pid_t; all three empty: accept all */

    /* The stream and what travels on it. */
    int64_t maxmsgsize; /* negative: no limit */
    int in_batch_size;
    int out_batch_size;
    bool in_batch_size_set; /* tells an explicit value from the default */
    bool out_batch_size_set;
    int heartbeat_ivl;        /* 0 off */
    int heartbeat_ttl_tenths; /* tenths of a second, 0..65535, as PING carries it */
    int heartbeat_timeout;    /* -1: use heartbeat_ivl */
    unsigned char routing_id[ZL_ROUTING_ID_MAX + 1];
    size_t routing_id_size;               /* 0 none */
    struct zl_option_properties metadata; /* sent in the handshake */
    struct zl_option_bytes hello_msg;
    struct zl_option_bytes disconnect_msg;
    struct zl_option_bytes hiccup_msg;

    /* IP. -1 leaves the choice to the system. */
    bool ipv6;
    int sndbuf;
    int rcvbuf;
    int tcp_keepalive;
    int tcp_keepalive_cnt;
    int tcp_keepalive_idle;  /* seconds */
    int tcp_keepalive_intvl; /* seconds */
    int tcp_maxrt;           /* 0 as the system does */
    int tos;
    int priority;
    int busy_poll; /* microseconds, 0 off */
    bool loopback_fastpath;
    struct zl_option_bytes bind_to_device;
    struct zl_option_bytes socks_proxy;
    struct zl_option_bytes socks_username;
    struct zl_option_bytes socks_password;

    /* Multicast. */
    int rate; /* kbit/s */
    int recovery_ivl;
    int multicast_hops;
    int multicast_maxtpdu;
    bool multicast_loop;

    /* Security. */
    int mechanism; /* ZMQ_NULL, ZMQ_PLAIN, ZMQ_CURVE or ZMQ_GSSAPI: the choice of the last setter */
    bool as_server; /* shared by all mechanisms; means the server role of `mechanism` */
    bool zap_enforce_domain;
    struct zl_option_bytes zap_domain;
    struct zl_option_bytes plain_username;
    struct zl_option_bytes plain_password;
    unsigned char curve_public_key[ZL_CURVE_KEY_SIZE];
    unsigned char curve_secret_key[ZL_CURVE_KEY_SIZE];
    unsigned char curve_server_key[ZL_CURVE_KEY_SIZE];
    struct zl_option_bytes gssapi_principal;
    struct zl_option_bytes gssapi_service_principal;
    int gssapi_principal_nametype;
    int gssapi_service_principal_nametype;
    bool gssapi_plaintext;

    /* TLS, for tls:// and wss://; zl_options_tls_settings() puts them together. */
    struct zl_option_bytes tls_certificate; /* this, key and CA: a path or PEM text */
    struct zl_option_bytes tls_key;
    struct zl_option_bytes tls_key_password;
    struct zl_option_bytes tls_ca;
    struct zl_option_bytes tls_hostname; /* empty: the endpoint's host */
    struct zl_option_bytes tls_ciphers;
    struct zl_option_bytes tls_ciphersuites;
    struct zl_option_bytes tls_alpn;
    bool tls_verify; /* client */
    bool tls_trust_system;
    int tls_require_client_cert; /* server: 0 no, 1 yes, 2 if it has one */
    int tls_min_version;         /* 12, 13 */

    /* NORM and VMCI. */
    int norm_mode;
    bool norm_unicast_nack;
    int norm_buffer_size; /* KiB */
    int norm_segment_size;
    int norm_block_size;
    int norm_num_parity;
    int norm_num_autoparity;
    bool norm_push;
    uint64_t vmci_buffer_size;
    uint64_t vmci_buffer_min_size;
    uint64_t vmci_buffer_max_size;
    int vmci_connect_timeout;
};

/* Defaults for a socket of this type. `ipv6` and `blocky` are the options of its context: sockets
 * of a context that is not blocky start with LINGER 0, as SUB, XSUB and DISH always do.
 * Allocates nothing. Pair with zl_options_clear(). */
void zl_options_init(struct zl_options *options, int socket_type, bool ipv6, bool blocky);

/* Frees what live options own and leaves them without any owned memory; idempotent.
 * Not for snapshots. */
void zl_options_clear(struct zl_options *options);

/* zmq_setsockopt for the generic options. 0; -EINVAL unknown, not settable, not compiled in, wrong
 * size or value; -ENOMEM. On failure nothing has changed.
 * Options that belong to a pattern or to the socket itself (SUBSCRIBE, ROUTER_MANDATORY, TYPE, FD,
 * EVENTS, LAST_ENDPOINT ...) are unknown here. */
int zl_options_set(struct zl_options *options, int option, const void *value, size_t size);

/* zmq_getsockopt for the generic options. On success `*size` is the number of bytes of the value
 * (with the NUL of a text). 0; -EINVAL unknown, not readable, not compiled in, or a buffer whose
 * size does not fit; then neither buffer nor `*size` has been written. */
int zl_options_get(const struct zl_options *options, int option, void *value, size_t *size);

/* A deep, immutable copy with a reference count of one: made once per bind or connect and shared
 * by all connections of that endpoint. NULL when out of memory. Thread-safe from then on. */
const struct zl_options *zl_options_snapshot(const struct zl_options *options);

/* Takes one more reference to a snapshot; returns its argument. */
const struct zl_options *zl_options_acquire(const struct zl_options *snapshot);

/* Gives one reference back; the last one frees the snapshot. NULL is allowed. */
void zl_options_release(const struct zl_options *snapshot);

#endif
