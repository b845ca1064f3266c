/* SPDX-License-Identifier: MPL-2.0 */
/* zlink send: command line and set-up. */
#include "send.h"
#include "cli.h"
#include "output.h"
#include "peers.h"

#include <string.h>

#define FIELD(name) offsetof(struct cli_send_args, name)

static const struct cli_opt send_opts[] = {
    {CLI_SECTION, "What to send (default: each line of stdin):", 0, 0, NULL, NULL},
    {CLI_LIST, "message", 'M', FIELD(messages), "TEXT", "send TEXT (repeatable)"},
    {CLI_LIST, "file", 'f', FIELD(files), "FILE",
     "send the content of FILE as one message, like the operand FILE\n"
     "(repeatable; - is stdin)"},
    {CLI_FLAG, "whole", 0, FIELD(whole), NULL, "send all of stdin as one message"},
    {CLI_SIZE, "size", 0, FIELD(size), "N", "send made-up messages of N bytes (k, M, G allowed)"},
    {CLI_COUNT, "count", 'n', FIELD(count), "N",
     "send N messages: --message, files and --size begin again where\n"
     "they end, stdin is left unread after N"},
    {CLI_SECTION, "How:", 0, 0, NULL, NULL},
    {CLI_NUMBER, "interval", 0, FIELD(interval), "MS", "pause between messages"},
    {CLI_NUMBER, "wait-peers", 'w', FIELD(socket.wait_peers), "N",
     "first wait for N peers, a publisher: for N subscribers\n"
     "(default 1 for pub, xpub and radio, with --timeout and with TLS,\n"
     "else 0)"},
    {CLI_NUMBER, "replies", 'r', FIELD(replies), "N",
     "after each message print N messages that come back (req: 1);\n"
     "-1: until the connection ends or --timeout passes"},
    {CLI_TEXT, "to", 0, FIELD(to), "ID",
     "router: routing id of the peer; dgram: its address IP:PORT"},
    {CLI_END, NULL, 0, 0, NULL, NULL},
};

static const struct cli_command send_command = {
    .name = "send",
    .synopsis = "--type TYPE (--bind|--connect ENDPOINT)... [options] [FILE...]",
    .summary =
        "Sends messages: lines of stdin, arguments, files or made-up ones. Prints what comes "
        "back\nwhere the type is answered (req) or --replies asks for it.",
    .tables = {cli_socket_opts, send_opts, cli_tls_opts, NULL},
    .notes =
        "At the end send waits until everything is delivered; --timeout or --linger limit that.\n"
        "rep and server answer: each message waits for a request, which is printed, and goes back\n"
        "to the one who asked. To learn of its subscribers, pub is an XPUB socket unless\n"
        "--wait-peers is 0; subscribers see no difference. A peer older than ZMTP 3 is not seen "
        "by\n"
        "--wait-peers. ID, TOPIC and BYTE understand the escapes \\n \\t \\r \\0 \\\\ \\xHH.\n"
        "\n" CLI_EXIT_CODES "\nExamples:\n"
        "  seq 1000 | zlink send --type push --connect tcp://127.0.0.1:5555\n"
        "  zlink send --type pub --bind tcp://*:5556 --message 'weather.berlin 21'\n"
        "  zlink send --type req --connect ipc:///tmp/echo.sock --message hello --timeout 2000\n"
        "  zlink send --type push --connect tcp://127.0.0.1:5555 backup.tar\n"
        "  zlink send --type push --connect tcp://127.0.0.1:5555 --size 1k --count 1M\n"
        "  printf 'key\\tvalue\\n' | zlink send --type dealer --connect tcp://127.0.0.1:5557 "
        "--multipart\n"
        "  zlink send --type push --connect tls://localhost:5555 --tls-ca certs/ca.pem --message "
        "hello\n"
        "  printf 'GET / HTTP/1.0\\r\\n\\r\\n' | zlink send --type stream --whole --replies -1 \\\n"
        "      --output raw --connect tcp://127.0.0.1:80\n",
};

void cli_send_help(void)
{
    cli_args_help(&send_command);
}

static int check_sources(const struct cli_send_args *args)
{
    int sources =
        (args->messages.count > 0) + (args->files.count > 0) + args->whole + (args->size >= 0);
    if (sources > 1)
        return cli_usage("choose one of --message, files, --whole and --size");
    if (args->socket.multipart && args->size >= 0)
        return cli_usage("--size and --multipart exclude each other");
    return CLI_CONTINUE;
}

/* What the type demands or forbids. */
static int check_type(const struct cli_send_args *args, const struct cli_type *type)
{
    bool addressed = type->flags & CLI_ADDRESSED && type->number != ZMQ_STREAM;
    if (addressed && !args->to && !args->socket.multipart) {
        cli_error("a %s socket must know where to send", type->name);
        cli_hint("add --to ID, or --multipart with the id as the first part of each message");
        return CLI_USAGE;
    }
    if (args->to && !addressed)
        return cli_usage("--to is for types that address a peer: router, dgram");
    if (type->flags & CLI_PEER_IDS && !(type->flags & CLI_ANSWERS) && !args->socket.connect.count)
        return cli_usage("a %s socket sends to the peer that it connects to: add --connect",
                         type->name);
    if (args->socket.multipart && type->flags & CLI_SINGLE)
        return cli_usage("a %s socket has no multipart messages", type->name);
    if (type->flags & CLI_GROUPS && args->socket.group.count != 1)
        return cli_usage("a %s socket sends to exactly one --group", type->name);
    if (args->replies != CLI_UNSET && type->flags & (CLI_ASKS | CLI_ANSWERS))
        return cli_usage("--replies is fixed for a %s socket", type->name);
    if (args->replies != CLI_UNSET && args->replies && !(type->flags & CLI_CAN_RECV))
        return cli_usage("a %s socket receives no replies", type->name);
    return CLI_CONTINUE;
}

static bool only_udp(const struct cli_socket_args *args)
{
    const char *first = args->bind.count ? args->bind.items[0] : args->connect.items[0];
    return strncmp(first, "udp://", 6) == 0;
}

static void apply_defaults(struct cli_send_args *args, const struct cli_type *type)
{
    if (args->replies == CLI_UNSET)
        args->replies = type->flags & CLI_ASKS ? 1 : 0;
    if (args->socket.wait_peers != CLI_UNSET)
        return;
    /* With TLS, so that a certificate that does not work is heard of before the final waiting. */
    bool wait = type->flags & CLI_PUBLISHES || args->socket.timeout >= 0 ||
                cli_tls_is_used(cli_session_tls_endpoint(&args->socket));
    /* Who answers waits for a request anyhow; udp knows no connections. */
    if (type->flags & CLI_ANSWERS || only_udp(&args->socket))
        wait = false;
    args->socket.wait_peers = wait;
}

static struct cli_input make_input(const struct cli_send_args *args, char delimiter)
{
    struct cli_input input = {.source = CLI_SOURCE_LINES,
                              .delimiter = delimiter,
                              .size = args->size,
                              .limit = args->count};
    if (args->messages.count) {
        input.source = CLI_SOURCE_MESSAGES;
        input.items = &args->messages;
    } else if (args->files.count) {
        input.source = CLI_SOURCE_FILES;
        input.items = &args->files;
    } else if (args->whole) {
        input.source = CLI_SOURCE_WHOLE;
    } else if (args->size >= 0) {
        input.source = CLI_SOURCE_GENERATED;
    }
    return input;
}

static int run(struct cli_send_args *args, const struct cli_type *type)
{
    struct cli_session session;
    struct cli_sender sender = {.args = args, .session = &session};
    apply_defaults(args, type);
    int rc = cli_output_open(&sender.output, &args->socket);
    if (rc != CLI_CONTINUE)
        return rc;
    if (args->to && !(sender.to = cli_unescape(args->to, &sender.to_size)))
        return cli_usage("--to '%s' holds an unknown escape", args->to);
    rc = cli_session_open(&session, &args->socket, type);
    if (rc != CLI_CONTINUE)
        return rc;
    session.watch_stdout = args->replies != 0 || type->flags & CLI_ANSWERS;
    sender.input = make_input(args, sender.output.delimiter);
    rc = cli_send_all(&sender);
    cli_input_close(&sender.input);
    return cli_session_close(&session, rc);
}

int cli_send_main(int argc, char **argv)
{
    struct cli_send_args args = {
        .socket = CLI_SOCKET_ARGS_DEFAULTS, .count = -1, .size = -1, .replies = CLI_UNSET};
    const struct cli_type *type = NULL;
    int rc = cli_args_parse(&send_command, &args, &args.files, argc, argv);
    if (rc == CLI_CONTINUE)
        rc = check_sources(&args);
    if (rc == CLI_CONTINUE)
        rc = cli_session_check(&args.socket, CLI_CAN_SEND, &type);
    if (rc == CLI_CONTINUE)
        rc = check_type(&args, type);
    if (rc == CLI_CONTINUE)
        rc = run(&args, type);
    cli_args_free(&send_command, &args);
    return rc;
}
