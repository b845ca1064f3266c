/* SPDX-License-Identifier: MPL-2.0 */
/* zlink --help, zlink help TOPIC. */
#include "cli.h"
#include "options.h"
#include "tls.h"
#include "types.h"

#include <stdio.h>
#include <string.h>

static void help_types(void)
{
    printf("Socket types (--type), what they can do and what they talk to:\n\n");
    cli_type_print_table();
    printf("\nWhich type to take:\n"
           "  push -> pull      jobs for workers: each message goes to one of them\n"
           "  pub -> sub        news: each message goes to everyone who subscribed to it\n"
           "  req <-> rep       question and answer, one at a time\n"
           "  dealer <-> router questions and answers in any order, many at once\n"
           "  pair <-> pair     two programs and nobody else\n"
           "  stream            plain TCP, to talk to programs that are not ZeroMQ\n");
}

static void help_endpoints(void)
{
    printf(
        "Endpoints (--bind, --connect) are TRANSPORT://ADDRESS:\n\n"
        "  tcp://HOST:PORT     --bind tcp://*:5555, tcp://127.0.0.1:* (free port), "
        "tcp://eth0:5555\n"
        "                      --connect tcp://server.example:5555\n"
        "  ipc://PATH          processes of this machine: ipc:///tmp/news.sock; ipc://@news needs\n"
        "                      no file; --bind ipc://* picks a path\n"
        "  inproc://NAME       threads of one process: for programs, not for this command\n"
        "  tls://HOST:PORT     tcp inside TLS: 'zlink help tls'\n"
        "  ws://HOST:PORT/PATH WebSocket, wss:// with TLS\n"
        "  udp://HOST:PORT     radio, dish and dgram only\n\n"
        "Either side may bind. Who is found by others binds: bind the side that lives longer.\n"
        "Connecting works before the other side is there.\n");
}

static void help_options(void)
{
    printf(
        "Socket options (--option NAME=VALUE), their numbers and values. NAME may be written in\n"
        "any case, with - or _, with ZMQ_ or ZLINK_ in front, or as a number (integers only):\n\n");
    cli_options_print_table();
    printf("\nExamples:\n"
           "  --option tcp_keepalive=1 --option heartbeat_ivl=2000\n"
           "  --option tls_ca=@ca.pem --option tls_ciphersuites=TLS_AES_256_GCM_SHA384\n");
}

void cli_help_overview(void)
{
    printf(
        "Usage: zlink COMMAND [options]\n\n"
        "Sends and receives ZeroMQ messages, and measures how fast that goes.\n\n"
        "Commands:\n"
        "  send    send lines, files or arguments as messages, print the answers\n"
        "  recv    print messages, or answer them\n"
        "  perf    measure throughput and round-trip time, and what the sockets did for it\n"
        "  demo    show messages on their way and compare with libzmq\n"
        "  cert    make certificates to try TLS with\n"
        "  help    'zlink help COMMAND', and: zlink help types | endpoints | options | tls\n\n"
        "  --version, --help\n\n"
        "Try it, in two terminals:\n"
        "  zlink recv --type pull --bind tcp://127.0.0.1:5555\n"
        "  echo hello | zlink send --type push --connect tcp://127.0.0.1:5555\n\n"
        "A question and its answer:\n"
        "  zlink recv --type rep --bind ipc:///tmp/echo.sock --echo\n"
        "  zlink send --type req --connect ipc:///tmp/echo.sock --message 'anybody there?'\n\n"
        "One publisher, many subscribers:\n"
        "  zlink recv --type sub --connect tcp://127.0.0.1:5556 --subscribe weather.\n"
        "  zlink send --type pub --bind tcp://*:5556 --wait-peers 2 --message 'weather.berlin "
        "21'\n\n"
        "How fast:\n"
        "  zlink perf --transport tcp --pattern push --size 64\n\n"
        "Exit codes: 0 success, 1 failure at run time, 2 wrong command line, 3 --timeout passed,\n"
        "130 interrupted (SIGINT), 143 terminated (SIGTERM).\n");
}

int cli_help_main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*print)(void);
    } topics[] = {
        {"send", cli_send_help},       {"recv", cli_recv_help},   {"perf", cli_perf_help},
        {"demo", cli_demo_help},       {"cert", cli_cert_help},   {"types", help_types},
        {"endpoints", help_endpoints}, {"options", help_options}, {"tls", cli_tls_help},
        {"help", cli_help_overview},
    };
    const char *names[sizeof topics / sizeof *topics];
    if (argc < 2 || strncmp(argv[1], "--", 2) == 0) {
        cli_help_overview();
        return CLI_OK;
    }
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
        names[i] = topics[i].name;
        if (strcmp(argv[1], topics[i].name) == 0) {
            topics[i].print();
            return CLI_OK;
        }
    }
    const char *close = cli_closest(argv[1], names, sizeof topics / sizeof *topics);
    cli_error("no help about '%s'", argv[1]);
    cli_hint("topics: send recv perf demo cert types endpoints options tls%s%s%s",
             close ? "; did you mean '" : "", close ? close : "", close ? "'?" : "");
    return CLI_USAGE;
}
