/* SPDX-License-Identifier: MPL-2.0 */
/*
 * One socket with its context, endpoints, options and monitor, as send and recv use it. All waiting
 * goes through cli_session_wait, which also watches for signals and reports monitor events.
 */
#ifndef ZLINK_CLI_SESSION_H
#define ZLINK_CLI_SESSION_H

#include "args.h"
#include "monitor.h"
#include "tls.h"
#include "types.h"

/* The options that send and recv have in common. Fields hold defaults before parsing. */
struct cli_socket_args {
    struct cli_tls_args tls; /* first: cli_tls_opts count from here */
    const char *type_name;
    struct cli_list bind;
    struct cli_list connect;
    struct cli_list subscribe;
    struct cli_list group;
    struct cli_list options;
    const char *identity;
    const char *delimiter;
    const char *part_delimiter;
    bool null;
    bool multipart;
    bool verbose;
    int output;     /* enum cli_format */
    int timeout;    /* ms, -1: wait for ever */
    int linger;     /* ms, CLI_UNSET: follow timeout */
    int hwm;        /* CLI_UNSET: the library's default */
    int io_threads; /* CLI_UNSET: the library's default */
    int wait_peers; /* peers or subscribers to wait for first; only send has an option for it */
};

enum { CLI_UNSET = -1000000 };

#define CLI_SOCKET_ARGS_DEFAULTS                                                                   \
    {                                                                                              \
        .timeout = -1, .linger = CLI_UNSET, .hwm = CLI_UNSET, .io_threads = CLI_UNSET,             \
        .wait_peers = CLI_UNSET,                                                                   \
    }

/* Rows for the fields above; they must lie at the beginning of the command's own struct. */
extern const struct cli_opt cli_socket_opts[];

struct cli_session {
    const struct cli_socket_args *args;
    const struct cli_type *type;
    void *context;
    void *socket;
    bool watch_stdout; /* waiting ends when the reader of stdout goes away */
    bool hidden_xpub;  /* a pub that is an XPUB, to learn of its subscribers */
    uint32_t peer_id;  /* of the connected PEER, 0 if none */
    struct cli_monitor monitor;
    unsigned notices;             /* a STREAM's connection notices so far */
    unsigned char stream_id[256]; /* the one connection that a STREAM sends to */
    size_t stream_id_size;        /* 0: none */
};

/* What cli_session_wait found ready. */
enum { CLI_READY_SOCKET = 1, CLI_READY_FD = 2 };

/*
 * Resolves --type and checks that it has what `need` (CLI_CAN_SEND or CLI_CAN_RECV) says, that
 * there is an endpoint, and the syntax of the options. Returns CLI_CONTINUE or an exit code.
 */
int cli_session_check(const struct cli_socket_args *args, unsigned need,
                      const struct cli_type **type);

/* An endpoint with TLS if there is one, else any. */
const char *cli_session_tls_endpoint(const struct cli_socket_args *args);

/* Creates everything. On failure nothing stays open. Returns CLI_CONTINUE or an exit code. */
int cli_session_open(struct cli_session *session, const struct cli_socket_args *args,
                     const struct cli_type *type);

/*
 * Waits until the socket has `events` (ZMQ_POLLIN, ZMQ_POLLOUT or 0), `fd` is readable (-1: none)
 * or `deadline` (cli_now_ms, -1: never) passes. Returns a set of CLI_READY_ bits, 0 at the
 * deadline, -EINTR after SIGINT or SIGTERM, -EPIPE if a watched stdout lost its reader, or another
 * -errno. With events 0 and no fd it also returns 0 after monitor events.
 */
int cli_session_wait(struct cli_session *session, short events, int fd, int64_t deadline);

/* The deadline of a step that begins now: now + --timeout. */
int64_t cli_session_deadline(const struct cli_session *session);

/* How many peers are there, according to the monitor. */
unsigned cli_session_peers(const struct cli_session *session);

/*
 * Closes everything, delivering what is queued for as long as --linger allows (briefly if `result`
 * says that the command was interrupted). Returns `result`, or CLI_TIMEOUT if the linger time ran
 * out with messages undelivered.
 */
int cli_session_close(struct cli_session *session, int result);

/*
 * The exit code for a negative errno of one of these functions, after a message that names `what`
 * failed. -EINTR gives 128 + the signal, -EAGAIN and -EHOSTUNREACH CLI_TIMEOUT, -EPIPE CLI_OK, the
 * first and the last without a message.
 */
int cli_session_error(const struct cli_session *session, const char *what, int error);

/* The endpoints as text for messages: the first one, and "..." if there are more. */
const char *cli_session_endpoint(const struct cli_session *session);

#endif
