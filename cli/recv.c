/* SPDX-License-Identifier: MPL-2.0 */
/* zlink recv: prints messages, and can answer them. */
#include "cli.h"
#include "output.h"
#include "session.h"

#include <errno.h>
#include <string.h>

/* Answers that are still queued at the end get this long, unless an option says otherwise. */
enum { ANSWER_LINGER_MS = 3000 };

struct recv_args {
    struct cli_socket_args socket; /* first: cli_socket_opts count from here */
    int64_t count;
    int interval;
    bool echo;
    const char *reply;
};

#define FIELD(name) offsetof(struct recv_args, name)

static const struct cli_opt recv_opts[] = {
    {CLI_SECTION, "Receiving:", 0, 0, NULL, NULL},
    {CLI_COUNT, "count", 'n', FIELD(count), "N", "stop after N messages (default: never)"},
    {CLI_FLAG, "echo", 'e', FIELD(echo), NULL,
     "send every message back to where it came from (rep, router,\n"
     "dealer, pair, ...)"},
    {CLI_TEXT, "reply", 'r', FIELD(reply), "TEXT",
     "rep, server: answer with TEXT (default: an empty message)"},
    {CLI_NUMBER, "interval", 0, FIELD(interval), "MS", "pause after each message"},
    {CLI_END, NULL, 0, 0, NULL, NULL},
};

static const struct cli_command recv_command = {
    .name = "recv",
    .synopsis = "--type TYPE (--bind|--connect ENDPOINT)... [options]",
    .summary = "Prints every message it receives, one per line, until --count or Ctrl-C.",
    .tables = {cli_socket_opts, recv_opts, cli_tls_opts, NULL},
    .notes =
        "Parts of one message are separated by TAB. ID, TOPIC and BYTE understand the escapes\n"
        "\\n \\t \\r \\0 \\\\ \\xHH. When the reader of stdout goes away, recv ends with "
        "0.\n\n" CLI_EXIT_CODES "\nExamples:\n"
        "  zlink recv --type pull --bind tcp://*:5555\n"
        "  zlink recv --type sub --connect tcp://127.0.0.1:5556 --subscribe weather. --count 10\n"
        "  zlink recv --type rep --bind ipc:///tmp/echo.sock --echo\n"
        "  zlink recv --type router --bind tcp://*:5557 --multipart --output quoted\n"
        "  zlink recv --type pull --bind tcp://*:5555 --count 1 --output raw > copy.tar\n"
        "  zlink recv --type pull --bind tls://*:5555 --tls-cert certs/localhost.pem \\\n"
        "      --tls-key certs/localhost.key\n"
        "  zlink recv --type stream --bind tcp://*:8080          # then: curl localhost:8080\n",
};

void cli_recv_help(void)
{
    cli_args_help(&recv_command);
}

/* Sends back the message itself, or what --reply says where the type must answer. */
static int answer(struct cli_session *session, const struct recv_args *args,
                  struct cli_message *message)
{
    bool must = session->type->flags & CLI_ANSWERS;
    if (!args->echo && !must)
        return 0;
    if (!args->echo) {
        /* A routing id is a property of the received message: its content is replaced, not it. */
        const char *text = args->reply ? args->reply : "";
        struct cli_message reply = {0};
        int rc = cli_message_add(&reply, text, strlen(text));
        if (rc == 0)
            rc = cli_message_answer_to(&reply, &message->parts[0]);
        if (rc == 0)
            rc = cli_message_send(session, &reply, cli_session_deadline(session));
        cli_message_free(&reply);
        return rc;
    }
    int rc = cli_message_send(session, message, cli_session_deadline(session));
    return rc == -EHOSTUNREACH ? 0 : rc; /* it has gone since: nobody waits for the answer */
}

static int pause_after(struct cli_session *session, int interval)
{
    int64_t end = cli_now_ms() + interval;
    int rc = cli_output_flush();
    while (rc == 0 && interval > 0 && cli_now_ms() < end)
        rc = cli_session_wait(session, 0, -1, end);
    return rc;
}

/* Receives, prints and answers one message; *what names the step that failed. */
static int receive_one(struct cli_session *session, const struct recv_args *args,
                       struct cli_output *output, struct cli_message *message, const char **what)
{
    *what = "receiving";
    int rc = cli_output_next(session, message);
    if (rc < 0)
        return rc;
    *what = "writing to stdout";
    rc = cli_output_message(output, session, message);
    if (rc < 0)
        return rc;
    *what = "answering";
    rc = answer(session, args, message);
    return rc == 0 && args->interval > 0 ? pause_after(session, args->interval) : rc;
}

/* Receives until --count or trouble. Returns 0 or a negative errno. */
static int receive(struct cli_session *session, const struct recv_args *args,
                   struct cli_output *output, const char **what)
{
    struct cli_message message = {0};
    int rc = 0;
    for (int64_t i = 0; rc == 0 && (args->count < 0 || i < args->count); i++)
        rc = receive_one(session, args, output, &message, what);
    cli_message_free(&message);
    return rc;
}

static int check(const struct recv_args *args, const struct cli_type *type)
{
    if (args->echo && !(type->flags & CLI_CAN_SEND))
        return cli_usage("--echo needs a type that can send, which %s cannot", type->name);
    if (args->echo && args->reply)
        return cli_usage("--echo and --reply exclude each other");
    if (args->reply && !(type->flags & CLI_ANSWERS))
        return cli_usage("--reply is for types that must answer: rep, server");
    if (type->flags & CLI_ASKS) {
        cli_error("a %s socket receives only what it asked for", type->name);
        cli_hint("'zlink send --type %s' sends questions and prints the answers", type->name);
        return CLI_USAGE;
    }
    if (type->flags & CLI_GROUPS && !args->socket.group.count)
        return cli_usage("--group is missing: a %s socket receives only from groups", type->name);
    return CLI_CONTINUE;
}

static int run(struct recv_args *args, const struct cli_type *type)
{
    struct cli_output output;
    struct cli_session session;
    const char *what = "receiving";
    bool answers = args->echo || type->flags & CLI_ANSWERS;
    int rc = cli_output_open(&output, &args->socket);
    if (rc != CLI_CONTINUE)
        return rc;
    if (args->socket.linger == CLI_UNSET)
        args->socket.linger = answers ? ANSWER_LINGER_MS : 0;
    rc = cli_session_open(&session, &args->socket, type);
    if (rc != CLI_CONTINUE)
        return rc;
    session.watch_stdout = true;
    int error = receive(&session, args, &output, &what);
    int flushed = cli_output_flush();
    if (error == 0 && flushed < 0) {
        error = flushed;
        what = "writing to stdout";
    }
    rc = error < 0 ? cli_session_error(&session, what, error) : CLI_OK;
    return cli_session_close(&session, rc);
}

int cli_recv_main(int argc, char **argv)
{
    struct recv_args args = {.socket = CLI_SOCKET_ARGS_DEFAULTS, .count = -1};
    const struct cli_type *type = NULL;
    int rc = cli_args_parse(&recv_command, &args, NULL, argc, argv);
    if (rc == CLI_CONTINUE)
        rc = cli_session_check(&args.socket, CLI_CAN_RECV, &type);
    if (rc == CLI_CONTINUE)
        rc = check(&args, type);
    if (rc == CLI_CONTINUE)
        rc = run(&args, type);
    cli_args_free(&recv_command, &args);
    return rc;
}
