/* SPDX-License-Identifier: MPL-2.0 */
/* A ZeroMQ program under remote control, for tests between processes and between libraries.
 *
 *     interop_peer LIBRARY COMMAND... [-]
 *
 * LIBRARY is the libzmq to run on; each COMMAND is one argument; "-" reads further commands from
 * the standard input, one a line. Each command prints one line: "OK", perhaps with a result, or
 * "FAIL" with the reason, which also goes to stderr and ends the program with status 1.
 *
 * S is the name of a socket, FRAMES a comma-separated list of byte strings (see peer.h); results
 * that are frames are printed in hexadecimal. FLOW stands for these, all optional:
 *     stream=N first=N count=N    which messages; the stream number tells senders apart
 *     shapes=SIZE[+SIZE...],...   how they are cut into parts, in turn
 *     head=FRAMES                 frames before each; "head=@" is the head received last
 *     topic=BYTES                 prefix of each first part
 *
 *     version                     the library's version
 *     socket S TYPE [OPTION=VALUE...]
 *     set S OPTION=VALUE...
 *     text S OPTION               the result is the value of an option that is a text
 *     bind S ENDPOINT             the result is the resolved endpoint
 *     connect | unbind | disconnect S ENDPOINT
 *     send S FLOW
 *     recv S FLOW [skip=BYTES]    exactly these, in order, ignoring messages that begin so
 *     follow S FLOW [until=STREAM:SEQUENCE] [skip=BYTES]
 *                                 whatever comes, up to that message or as many as the count
 *                                 says: each must be whole and in order within its stream, also
 *                                 from one follow to the next; the result counts messages, gaps
 *                                 and what is missing there
 *     ask S FLOW [window=N]       send each and get it back; at most N under way
 *     exchange S FLOW in=STREAM   send all and receive as many of the stream, both at once
 *     echo S count=N              send N messages back as they came
 *     put S FRAMES                send one message
 *     get S [MILLISECONDS]        receive one; with a limit the result may be "nothing"
 *     poll S                      which of IN and OUT zmq_poll reports at once
 *     monitor S                   start monitoring
 *     event S NAME                wait for such an event; the result is its value
 *     noevent S NAME MILLISECONDS fail if such an event comes within that time
 *     events S                    the events reported so far, without waiting
 *     serve S                     echo without end, on a thread of its own
 *     proxy S S [S]               run zmq_proxy on them, on a thread of its own
 *     refused ERRNO COMMAND       the command must fail with this error number
 *     until ERRNO COMMAND         repeat the command until it fails with this error number
 *     close S
 *     term                        close all, terminate (the linger periods apply) and exit; the
 *                                 result counts the buffers lent to the library and never returned
 *     quit                        the same after setting all linger periods to 0
 */
#include "peer_commands.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "peer_options.h"

enum { MAX_SOCKETS = 16 };
enum { LIFETIME_S = 110 };

struct peer_zmq lib;
void *context;
static struct sock sockets[MAX_SOCKETS];
static bool quiet; /* a command runs inside another one, which will print the result */
static _Thread_local char reason[512];
static _Thread_local int reason_errno;

bool fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    reason_errno = 0;
    return false;
}

bool fail_zmq(const char *what)
{
    int error = lib.zmq_errno();
    fail("%s: %s", what, error == EAGAIN ? "timed out" : lib.zmq_strerror(error));
    reason_errno = error;
    return false;
}

int failure_errno(void)
{
    return reason_errno;
}

bool ok(const char *format, ...)
{
    va_list args;
    if (quiet)
        return true;
    va_start(args, format);
    fputs("OK ", stdout);
    vprintf(format, args);
    putchar('\n');
    va_end(args);
    return true;
}

bool done(void)
{
    if (!quiet)
        puts("OK");
    return true;
}

long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Arguments */

const char *arg_value(const struct args *args, const char *name, const char *otherwise)
{
    size_t length = strlen(name);
    for (int i = 1; i < args->count; i++)
        if (strncmp(args->list[i], name, length) == 0 && args->list[i][length] == '=')
            return args->list[i] + length + 1;
    return otherwise;
}

uint32_t arg_number(const struct args *args, const char *name, const char *otherwise)
{
    return (uint32_t)strtoul(arg_value(args, name, otherwise), NULL, 10);
}

const char *arg_at(const struct args *args, int index)
{
    return index < args->count ? args->list[index] : "";
}

struct sock *find_socket(const char *name)
{
    for (int i = 0; i < MAX_SOCKETS; i++)
        if (sockets[i].handle && strcmp(sockets[i].name, name) == 0)
            return &sockets[i];
    fail("no socket %s", name);
    return NULL;
}

bool parse_flow(struct flow *flow, const struct args *args, const struct sock *sock)
{
    const char *head = arg_value(args, "head", NULL);
    *flow = (struct flow){.stream = arg_number(args, "stream", "1"),
                          .first = arg_number(args, "first", "0"),
                          .count = arg_number(args, "count", "1")};
    if (!shapes_parse(&flow->shapes, arg_value(args, "shapes", "16")))
        return fail("bad shapes");
    if (head && strcmp(head, "@") == 0)
        flow->head = sock->last_head;
    else if (head && !frames_parse(&flow->head, head))
        return false;
    return bytes_parse(&flow->topic, arg_value(args, "topic", "-"));
}

/* Sockets */

static bool set_option(void *socket, const char *name, const char *value)
{
    const struct option_name *option = find_option(name);
    int number = atoi(value);
    int64_t wide = strtoll(value, NULL, 10);
    struct bytes bytes;
    int rc = -1;
    if (!option)
        return fail("no option %s", name);
    switch (option->kind) {
    case OPTION_INT:
        rc = lib.zmq_setsockopt(socket, option->option, &number, sizeof number);
        break;
    case OPTION_INT64:
        rc = lib.zmq_setsockopt(socket, option->option, &wide, sizeof wide);
        break;
    case OPTION_BYTES:
        if (!bytes_parse(&bytes, value))
            return false;
        rc = lib.zmq_setsockopt(socket, option->option, bytes.data, bytes.size);
        break;
    }
    return rc == 0 || fail_zmq(name);
}

static bool set_options(void *socket, const struct args *args, int from)
{
    for (int i = from; i < args->count; i++) {
        char *equals = strchr(args->list[i], '=');
        if (!equals)
            return fail("OPTION=VALUE expected, not %s", args->list[i]);
        *equals = '\0';
        if (!set_option(socket, args->list[i], equals + 1))
            return false;
    }
    return true;
}

bool set_timeouts(void *socket)
{
    int ms = CALL_TIMEOUT_MS;
    return (lib.zmq_setsockopt(socket, ZMQ_RCVTIMEO, &ms, sizeof ms) == 0 &&
            lib.zmq_setsockopt(socket, ZMQ_SNDTIMEO, &ms, sizeof ms) == 0) ||
           fail_zmq("timeouts");
}

static bool cmd_socket(const struct args *args)
{
    struct sock *sock = sockets;
    int type = find_socket_type(arg_at(args, 2));
    while (sock < sockets + MAX_SOCKETS && sock->handle)
        sock++;
    if (type < 0 || sock == sockets + MAX_SOCKETS)
        return fail("no socket type %s, or too many sockets", arg_at(args, 2));
    void *handle = lib.zmq_socket(context, type);
    if (!handle)
        return fail_zmq("zmq_socket");
    *sock = (struct sock){.name = strdup(arg_at(args, 1)), .handle = handle};
    return set_timeouts(handle) && set_options(handle, args, 3) && done();
}

static bool cmd_set(const struct args *args)
{
    struct sock *sock = find_socket(arg_at(args, 1));
    return sock && set_options(sock->handle, args, 2) && done();
}

static bool cmd_text(const struct args *args)
{
    struct sock *sock = find_socket(arg_at(args, 1));
    const struct option_name *option = find_option(arg_at(args, 2));
    char text[512];
    size_t size = sizeof text;
    if (!sock)
        return false;
    if (!option || option->kind != OPTION_BYTES)
        return fail("no text option %s", arg_at(args, 2));
    if (lib.zmq_getsockopt(sock->handle, option->option, text, &size) != 0)
        return fail_zmq(option->name);
    return ok("%.*s", (int)size, text);
}

static bool cmd_bind(const struct args *args)
{
    struct sock *sock = find_socket(arg_at(args, 1));
    char endpoint[256];
    size_t size = sizeof endpoint;
    if (!sock)
        return false;
    if (lib.zmq_bind(sock->handle, arg_at(args, 2)) != 0)
        return fail_zmq("zmq_bind");
    if (lib.zmq_getsockopt(sock->handle, ZMQ_LAST_ENDPOINT, endpoint, &size) != 0)
        return fail_zmq("zmq_getsockopt(ZMQ_LAST_ENDPOINT)");
    return ok("%s", endpoint);
}

static bool cmd_connect(const struct args *args)
{
    struct sock *sock = find_socket(arg_at(args, 1));
    if (sock && lib.zmq_connect(sock->handle, arg_at(args, 2)) != 0)
        return fail_zmq("zmq_connect");
    return sock && done();
}

static bool cmd_unbind(const struct args *args)
{
    struct sock *sock = find_socket(arg_at(args, 1));
    if (sock && lib.zmq_unbind(sock->handle, arg_at(args, 2)) != 0)
        return fail_zmq("zmq_unbind");
    return sock && done();
}

static bool cmd_disconnect(const struct args *args)
{
    struct sock *sock = find_socket(arg_at(args, 1));
    if (sock && lib.zmq_disconnect(sock->handle, arg_at(args, 2)) != 0)
        return fail_zmq("zmq_disconnect");
    return sock && done();
}

static bool close_socket(struct sock *sock)
{
    void *handle = sock->handle;
    sock->handle = NULL;
    /* The monitor's end first: the library must cope with either order, and this one is rarer. */
    if (sock->monitor && lib.zmq_close(sock->monitor) != 0)
        return fail_zmq("zmq_close of a monitor");
    return lib.zmq_close(handle) == 0 || fail_zmq("zmq_close");
}

static bool cmd_close(const struct args *args)
{
    struct sock *sock = find_socket(arg_at(args, 1));
    return sock && close_socket(sock) && done();
}

/* The end */

static bool finish(bool keep_linger)
{
    int zero = 0, rc;
    for (struct sock *sock = sockets; sock < sockets + MAX_SOCKETS; sock++) {
        if (!sock->handle)
            continue;
        if (!keep_linger && lib.zmq_setsockopt(sock->handle, ZMQ_LINGER, &zero, sizeof zero) != 0)
            return fail_zmq("zmq_setsockopt(ZMQ_LINGER)");
        if (!close_socket(sock))
            return false;
    }
    if (!stop_worker())
        return false;
    do
        rc = lib.zmq_ctx_term(context);
    while (rc != 0 && lib.zmq_errno() == EINTR);
    if (rc != 0)
        return fail_zmq("zmq_ctx_term");
    return ok("lent=%d", atomic_load(&buffers_lent));
}

/* Ends the program after a command that ended everything, or failed. */
_Noreturn static void leave(bool good)
{
    if (!good) {
        printf("FAIL %s\n", reason);
        fprintf(stderr, "interop_peer: %s\n", reason);
    }
    fflush(stdout);
    exit(good ? EXIT_SUCCESS : EXIT_FAILURE);
}

static bool cmd_quit(const struct args *args)
{
    (void)args;
    leave(finish(false));
}

static bool cmd_term(const struct args *args)
{
    (void)args;
    leave(finish(true));
}

static bool cmd_version(const struct args *args)
{
    int major, minor, patch;
    (void)args;
    lib.zmq_version(&major, &minor, &patch);
    return ok("%d.%d.%d", major, minor, patch);
}

static bool cmd_refused(const struct args *args);

static const struct {
    const char *name;
    bool (*run)(const struct args *args);
} commands[] = {
    {"ask", cmd_ask},
    {"bind", cmd_bind},
    {"close", cmd_close},
    {"connect", cmd_connect},
    {"disconnect", cmd_disconnect},
    {"echo", cmd_echo},
    {"event", cmd_event},
    {"events", cmd_events},
    {"exchange", cmd_exchange},
    {"follow", cmd_follow},
    {"get", cmd_get},
    {"monitor", cmd_monitor},
    {"noevent", cmd_noevent},
    {"poll", cmd_poll},
    {"proxy", cmd_proxy},
    {"put", cmd_put},
    {"quit", cmd_quit},
    {"recv", cmd_recv},
    {"refused", cmd_refused},
    {"send", cmd_send},
    {"serve", cmd_serve},
    {"set", cmd_set},
    {"socket", cmd_socket},
    {"term", cmd_term},
    {"text", cmd_text},
    {"unbind", cmd_unbind},
    {"until", cmd_refused},
    {"version", cmd_version},
};

static bool run_args(const struct args *args)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(commands[i].name, arg_at(args, 0)) == 0)
            return commands[i].run(args);
    return fail("no command %s", arg_at(args, 0));
}

static bool cmd_refused(const struct args *args)
{
    bool until = strcmp(args->list[0], "until") == 0;
    long end = now_ms() + CALL_TIMEOUT_MS;
    if (args->count < 3)
        return fail("no command");
    struct args inner = {.count = args->count - 2};
    memcpy(inner.list, args->list + 2, (size_t)inner.count * sizeof *inner.list);
    quiet = true;
    while (run_args(&inner)) {
        if (!until || now_ms() >= end)
            return fail("not refused");
        usleep(1000); /* whatever will lead to the refusal needs the processor too */
    }
    quiet = false;
    return reason_errno == atoi(args->list[1]) && done();
}

static void run_command(char *text)
{
    struct args args = {.count = 0};
    char *rest = text;
    for (char *word; args.count < MAX_ARGS && (word = strtok_r(rest, " \n", &rest));)
        args.list[args.count++] = word;
    if (args.count > 0 && !run_args(&args))
        leave(false);
    fflush(stdout);
}

static void run_input(void)
{
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stdin) > 0)
        run_command(line);
    free(line);
}

int main(int argc, char **argv)
{
    /* Never outlive the driver, nor a test that hangs. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(LIFETIME_S);
    if (argc < 3) {
        fprintf(stderr, "usage: %s LIBRARY COMMAND... [-]\n", argv[0]);
        return 2;
    }
    if (!peer_zmq_load(&lib, argv[1]))
        return 2;
    context = lib.zmq_ctx_new();
    if (!context)
        return 2;
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "-") == 0)
            run_input();
        else
            run_command(argv[i]);
    }
    return 0;
}
