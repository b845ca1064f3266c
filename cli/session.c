/* SPDX-License-Identifier: MPL-2.0 */
/* Opening, waiting on and closing the socket of send and recv. */
#define _GNU_SOURCE
#include "session.h"
#include "cli.h"
#include "draft.h"
#include "errors.h"
#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

/* An interrupted command may spend this long on delivering what it has queued. */
enum { LINGER_AFTER_SIGNAL_MS = 500 };

static int library_error(const char *what)
{
    cli_error("%s: %s", what, zmq_strerror(zmq_errno()));
    return CLI_FAILURE;
}

static int set_int(struct cli_session *session, int option, int value, const char *name)
{
    if (value == CLI_UNSET || zmq_setsockopt(session->socket, option, &value, sizeof value) == 0)
        return CLI_CONTINUE;
    cli_error("cannot set --%s %d: %s", name, value, zmq_strerror(zmq_errno()));
    return CLI_USAGE;
}

static int set_identity(struct cli_session *session)
{
    const char *text = session->args->identity;
    if (!text)
        return CLI_CONTINUE;
    size_t size;
    char *id = cli_unescape(text, &size);
    if (!id)
        return cli_usage("--identity '%s' ends in an unknown escape (known: \\n \\t \\xHH \\\\)",
                         text);
    int rc = zmq_setsockopt(session->socket, ZMQ_ROUTING_ID, id, size);
    int error = zmq_errno();
    free(id);
    if (rc == 0)
        return CLI_CONTINUE;
    cli_error("cannot set --identity '%s': %s", text, zmq_strerror(error));
    cli_hint("an identity has 1 to 255 bytes");
    return CLI_USAGE;
}

/* SUB subscribes by option; XSUB by sending 1 and the topic, which happens once it has endpoints.
 */
static int subscribe_topic(struct cli_session *session, const char *topic, size_t size)
{
    if (session->type->number == ZMQ_SUB)
        return zmq_setsockopt(session->socket, ZMQ_SUBSCRIBE, topic, size);
    char *message = cli_alloc(size + 1);
    message[0] = 1;
    memcpy(message + 1, topic, size);
    int rc = zmq_send(session->socket, message, size + 1, 0);
    free(message);
    return rc < 0 ? -1 : 0;
}

static int subscribe(struct cli_session *session)
{
    const struct cli_list *topics = &session->args->subscribe;
    if (!(session->type->flags & CLI_SUBSCRIBES))
        return CLI_CONTINUE;
    if (!topics->count && subscribe_topic(session, "", 0) != 0)
        return library_error("cannot subscribe");
    for (size_t i = 0; i < topics->count; i++) {
        size_t size;
        char *topic = cli_unescape(topics->items[i], &size);
        if (!topic)
            return cli_usage("--subscribe '%s' holds an unknown escape", topics->items[i]);
        int rc = subscribe_topic(session, topic, size);
        free(topic);
        if (rc != 0)
            return library_error("cannot subscribe");
    }
    return CLI_CONTINUE;
}

static int join_groups(struct cli_session *session)
{
    const struct cli_list *groups = &session->args->group;
    if (!(session->type->flags & CLI_GROUPS) || !(session->type->flags & CLI_CAN_RECV))
        return CLI_CONTINUE;
    for (size_t i = 0; i < groups->count; i++) {
        if (cli_draft_join(session->socket, groups->items[i]) != 0) {
            cli_error("cannot join group '%s': %s", groups->items[i], zmq_strerror(zmq_errno()));
            return CLI_FAILURE;
        }
    }
    return CLI_CONTINUE;
}

static void announce_bound(const struct cli_session *session, const char *endpoint)
{
    char actual[1024];
    size_t size = sizeof actual;
    if (!session->args->verbose && !strchr(endpoint, '*'))
        return;
    if (zmq_getsockopt(session->socket, ZMQ_LAST_ENDPOINT, actual, &size) == 0)
        fprintf(stderr, "zlink: listening on %s\n", actual);
}

static int connect_one(struct cli_session *session, const char *endpoint)
{
    if (session->type->flags & CLI_PEER_IDS && !(session->type->flags & CLI_ANSWERS)) {
        session->peer_id = cli_draft_connect_peer(session->socket, endpoint);
        return session->peer_id ? 0 : -1;
    }
    return zmq_connect(session->socket, endpoint);
}

/* Tells the reason, and not once more when the monitor's events are looked at. */
static int endpoint_error(struct cli_session *session, const char *endpoint, bool bind)
{
    int error = zmq_errno();
    cli_tls_reason(session->socket, session->monitor.tls_reason);
    return cli_endpoint_error(session->socket, endpoint, bind, error);
}

static int attach_endpoints(struct cli_session *session)
{
    const struct cli_list *bind = &session->args->bind;
    const struct cli_list *connect = &session->args->connect;
    for (size_t i = 0; i < bind->count; i++) {
        if (zmq_bind(session->socket, bind->items[i]) != 0)
            return endpoint_error(session, bind->items[i], true);
        announce_bound(session, bind->items[i]);
    }
    for (size_t i = 0; i < connect->count; i++)
        if (connect_one(session, connect->items[i]) != 0)
            return endpoint_error(session, connect->items[i], false);
    return CLI_CONTINUE;
}

/* What must be set before the first endpoint. */
static int configure(struct cli_session *session)
{
    const struct cli_socket_args *args = session->args;
    int linger = args->linger != CLI_UNSET ? args->linger : args->timeout;
    int rc = set_int(session, ZMQ_LINGER, linger, "linger");
    if (rc == CLI_CONTINUE)
        rc = set_int(session, ZMQ_SNDHWM, args->hwm, "hwm");
    if (rc == CLI_CONTINUE)
        rc = set_int(session, ZMQ_RCVHWM, args->hwm, "hwm");
    if (rc == CLI_CONTINUE && session->type->number == ZMQ_ROUTER)
        rc = set_int(session, ZMQ_ROUTER_MANDATORY, 1, "type router");
    /* Without it an XPUB tells only of the first of several peers that want the same topic. */
    bool xpub = session->hidden_xpub || session->type->number == ZMQ_XPUB;
    if (rc == CLI_CONTINUE && xpub && args->wait_peers > 0)
        rc = set_int(session, ZMQ_XPUB_VERBOSE, 1, "wait-peers");
    if (rc == CLI_CONTINUE)
        rc = set_identity(session);
    if (rc == CLI_CONTINUE)
        rc = cli_tls_apply(session->socket, &args->tls);
    if (rc == CLI_CONTINUE)
        rc = cli_options_apply(session->socket, &args->options);
    if (rc == CLI_CONTINUE && session->type->number == ZMQ_SUB)
        rc = subscribe(session);
    return rc == CLI_CONTINUE ? join_groups(session) : rc;
}

/* inproc names live within one process, and this process has only one socket. */
static int refuse_inproc(const struct cli_list *endpoints)
{
    for (size_t i = 0; i < endpoints->count; i++) {
        if (strncmp(endpoints->items[i], "inproc://", 9) != 0)
            continue;
        cli_error("%s reaches only threads of one process, so nothing could talk to this command",
                  endpoints->items[i]);
        cli_hint("ipc:///tmp/NAME connects processes of this machine");
        return CLI_USAGE;
    }
    return CLI_CONTINUE;
}

const char *cli_session_tls_endpoint(const struct cli_socket_args *args)
{
    const struct cli_list *lists[] = {&args->bind, &args->connect};
    const char *endpoint = NULL;
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < lists[i]->count; k++)
            if (!endpoint || cli_tls_is_used(lists[i]->items[k]))
                endpoint = lists[i]->items[k];
    return endpoint;
}

static int check_endpoints(const struct cli_socket_args *args)
{
    if (!args->bind.count && !args->connect.count)
        return cli_usage("--bind or --connect is missing, for example --connect "
                         "tcp://127.0.0.1:5555");
    int rc = refuse_inproc(&args->bind);
    if (rc == CLI_CONTINUE)
        rc = refuse_inproc(&args->connect);
    return rc == CLI_CONTINUE ? cli_tls_check(&args->tls, cli_session_tls_endpoint(args)) : rc;
}

static int create_socket(struct cli_session *session)
{
    const struct cli_type *type = session->type;
    int io_threads = session->args->io_threads;
    if (type->flags & CLI_DRAFT && !cli_draft_available()) {
        cli_error("the library was built without draft socket types such as %s", type->name);
        return CLI_FAILURE;
    }
    session->context = zmq_ctx_new();
    if (!session->context)
        return library_error("cannot create a context");
    if (io_threads != CLI_UNSET && zmq_ctx_set(session->context, ZMQ_IO_THREADS, io_threads) != 0)
        return cli_usage("--io-threads must be 0 or more, not %d", io_threads);
    session->socket = zmq_socket(session->context, session->hidden_xpub ? ZMQ_XPUB : type->number);
    if (session->socket)
        return CLI_CONTINUE;
    cli_error("the library refuses a %s socket: %s", type->name, zmq_strerror(zmq_errno()));
    return CLI_FAILURE;
}

static void destroy(struct cli_session *session)
{
    cli_monitor_close(&session->monitor);
    if (session->socket)
        zmq_close(session->socket);
    if (session->context)
        zmq_ctx_term(session->context);
}

int cli_session_open(struct cli_session *session, const struct cli_socket_args *args,
                     const struct cli_type *type)
{
    int peers = args->wait_peers == CLI_UNSET ? 0 : args->wait_peers;
    *session = (struct cli_session){.args = args, .type = type};
    session->hidden_xpub = type->number == ZMQ_PUB && peers > 0;
    int rc = create_socket(session);
    if (rc == CLI_CONTINUE)
        rc = configure(session);
    /* With TLS there is always something to tell: why nobody gets through. */
    const char *endpoint = cli_session_tls_endpoint(args);
    bool watch = args->verbose || peers > 0 || args->timeout >= 0 || cli_tls_is_used(endpoint);
    if (rc == CLI_CONTINUE && watch &&
        cli_monitor_open(&session->monitor, session->context, session->socket, endpoint,
                         args->verbose) != 0)
        rc = library_error("cannot monitor the socket");
    if (rc == CLI_CONTINUE)
        rc = attach_endpoints(session);
    if (rc == CLI_CONTINUE && type->number == ZMQ_XSUB)
        rc = subscribe(session);
    if (rc == CLI_CONTINUE)
        return rc;
    if (session->socket)
        zmq_setsockopt(session->socket, ZMQ_LINGER, &(int){0}, sizeof(int));
    destroy(session);
    return rc;
}

int cli_session_check(const struct cli_socket_args *args, unsigned need,
                      const struct cli_type **type)
{
    const char *name = args->type_name;
    if (!name)
        return cli_usage("--type is missing, for example --type %s",
                         need == CLI_CAN_SEND ? "push" : "pull");
    *type = cli_type_find(name);
    if (!*type) {
        const char *close = cli_type_closest(name);
        cli_error("no socket type is called '%s'", name);
        cli_hint("%s%s%s'zlink help types' lists them", close ? "did you mean '" : "",
                 close ? close : "", close ? "'? " : "");
        return CLI_USAGE;
    }
    if (!((*type)->flags & need)) {
        cli_error("a %s socket cannot %s", (*type)->name,
                  need == CLI_CAN_SEND ? "send" : "receive");
        cli_hint("use 'zlink %s', or one of its peers here: %s",
                 need == CLI_CAN_SEND ? "recv" : "send", (*type)->peers);
        return CLI_USAGE;
    }
    int rc = check_endpoints(args);
    return rc == CLI_CONTINUE ? cli_options_check(&args->options) : rc;
}

int64_t cli_session_deadline(const struct cli_session *session)
{
    return session->args->timeout < 0 ? -1 : cli_now_ms() + session->args->timeout;
}

/* Whether waiting for the far end of stdout to go makes sense. */
static bool stdout_is_pipe(void)
{
    struct stat status;
    return fstat(STDOUT_FILENO, &status) == 0 &&
           (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
}

static long poll_timeout(int64_t deadline)
{
    if (deadline < 0)
        return -1;
    int64_t left = deadline - cli_now_ms();
    return left > 0 ? (long)left : 0;
}

int cli_session_wait(struct cli_session *session, short events, int fd, int64_t deadline)
{
    zmq_pollitem_t items[5] = {
        {.socket = session->socket, .events = events},
        {.fd = cli_signal_fd(), .events = ZMQ_POLLIN},
    };
    int count = 2;
    int monitor = session->monitor.socket ? count++ : 0;
    int input = fd >= 0 ? count++ : 0;
    int output = session->watch_stdout && stdout_is_pipe() ? count++ : 0;
    if (monitor)
        items[monitor] = (zmq_pollitem_t){.socket = session->monitor.socket, .events = ZMQ_POLLIN};
    if (input)
        items[input] = (zmq_pollitem_t){.fd = fd, .events = ZMQ_POLLIN};
    if (output)
        items[output] = (zmq_pollitem_t){.fd = STDOUT_FILENO, .events = ZMQ_POLLERR};
    for (;;) {
        int rc = cli_signal() ? -1 : zmq_poll(items, count, poll_timeout(deadline));
        if (cli_signal())
            return -EINTR;
        if (rc < 0 && zmq_errno() != EINTR)
            return -zmq_errno();
        if (rc <= 0 && deadline >= 0 && cli_now_ms() >= deadline)
            return 0;
        if (rc <= 0)
            continue;
        if (monitor && items[monitor].revents) {
            cli_monitor_drain(&session->monitor);
            if (events == 0 && fd < 0)
                return 0; /* somebody waits for peers: let them count */
        }
        int ready = items[0].revents ? CLI_READY_SOCKET : 0;
        if (input && items[input].revents)
            ready |= CLI_READY_FD;
        if (ready)
            return ready;
        if (output && items[output].revents)
            return -EPIPE;
    }
}

unsigned cli_session_peers(const struct cli_session *session)
{
    const struct cli_peers *peers = &session->monitor.peers;
    if (session->type->flags & CLI_RAW)
        return peers->attached;
    /* The smaller one: a WebSocket connection reports two handshakes. */
    return peers->attached < peers->greeted ? peers->attached : peers->greeted;
}

static void shorten_linger(struct cli_session *session)
{
    int linger = -1;
    size_t size = sizeof linger;
    if (zmq_getsockopt(session->socket, ZMQ_LINGER, &linger, &size) == 0 &&
        (linger < 0 || linger > LINGER_AFTER_SIGNAL_MS)) {
        linger = LINGER_AFTER_SIGNAL_MS;
        zmq_setsockopt(session->socket, ZMQ_LINGER, &linger, sizeof linger);
    }
}

int cli_session_close(struct cli_session *session, int result)
{
    int linger = -1;
    size_t size = sizeof linger;
    if (cli_signal())
        shorten_linger(session);
    zmq_getsockopt(session->socket, ZMQ_LINGER, &linger, &size);
    int64_t start = cli_now_ms();
    int signal_before = cli_signal();
    cli_monitor_close(&session->monitor);
    zmq_close(session->socket);
    while (zmq_ctx_term(session->context) != 0 && zmq_errno() == EINTR) {
        if (cli_signal() == signal_before)
            continue;
        cli_error("interrupted: messages that were still queued may be lost");
        exit(128 + cli_signal());
    }
    bool expired = linger > 0 && cli_now_ms() - start >= linger;
    if (expired && result == CLI_OK) {
        cli_error("not everything could be delivered within %d ms; the rest is discarded", linger);
        return CLI_TIMEOUT;
    }
    return result;
}

int cli_session_error(const struct cli_session *session, const char *what, int error)
{
    const char *endpoint = cli_session_endpoint(session);
    if (error == -EINTR)
        return 128 + cli_signal();
    if (error == -EPIPE)
        return CLI_OK; /* the reader of stdout has seen enough */
    if (error == -EHOSTUNREACH) {
        cli_error("%s: no peer with this routing id within %d ms on %s", what,
                  session->args->timeout, endpoint);
        return CLI_TIMEOUT;
    }
    if (error != -EAGAIN) {
        cli_error("%s failed on %s: %s", what, endpoint, zmq_strerror(-error));
        return CLI_FAILURE;
    }
    cli_error("%s: nothing within %d ms on %s", what, session->args->timeout, endpoint);
    bool reports = strncmp(endpoint, "udp://", 6) != 0;
    if (*session->monitor.tls_reason && cli_session_peers(session) == 0)
        cli_hint("no TLS connection came about: %s", session->monitor.tls_reason);
    else if (session->monitor.socket && reports && cli_session_peers(session) == 0)
        cli_hint("no peer is connected: is the other side running, with a type that suits %s (%s)?",
                 session->type->name, session->type->peers);
    return CLI_TIMEOUT;
}

const char *cli_session_endpoint(const struct cli_session *session)
{
    static char text[300];
    const struct cli_list *bind = &session->args->bind;
    const struct cli_list *connect = &session->args->connect;
    const char *first = bind->count ? bind->items[0] : connect->items[0];
    snprintf(text, sizeof text, "%s%s", first, bind->count + connect->count > 1 ? " ..." : "");
    return text;
}
