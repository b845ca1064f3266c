/* SPDX-License-Identifier: MPL-2.0 */
/* The zlink command: picks the command and reports trouble with stdout at the end. */
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct command {
    const char *name;
    int (*main)(int argc, char **argv);
};

static const struct command commands[] = {
    {"send", cli_send_main}, {"recv", cli_recv_main}, {"perf", cli_perf_main},
    {"demo", cli_demo_main}, {"cert", cli_cert_main}, {"help", cli_help_main},
};

enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

static int print_version(void)
{
    struct cli_library library;
    cli_library_identify(&library);
    printf("%s\n", library.name);
    if (library.is_zlink)
        printf("compatible with libzmq %d.%d.%d\n", library.zmq[0], library.zmq[1], library.zmq[2]);
    printf("library: %s\n", *library.path ? library.path : "(linked statically)");
    return CLI_OK;
}

static int unknown_command(const char *word)
{
    const char *names[COMMAND_COUNT];
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        names[i] = commands[i].name;
    const char *close = cli_closest(word, names, COMMAND_COUNT);
    if (close)
        return cli_usage("unknown command '%s' (did you mean '%s'?)", word, close);
    return cli_usage("unknown command '%s' (commands: send recv perf demo cert help)", word);
}

static int dispatch(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    if (!*word) {
        fprintf(stderr, "zlink: no command given (commands: send recv perf demo cert help)\n"
                        "  'zlink --help' shows examples\n");
        return CLI_USAGE;
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        cli_help_overview();
        return CLI_OK;
    }
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
        return print_version();
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(word, commands[i].name) != 0)
            continue;
        cli_set_command(commands[i].name);
        return commands[i].main(argc - 1, argv + 1);
    }
    return unknown_command(word);
}

int main(int argc, char **argv)
{
    cli_signals_install();
    int rc = dispatch(argc, argv);
    errno = 0;
    if (fflush(stdout) != 0 && errno != EPIPE && rc == CLI_OK) {
        cli_error("cannot write to stdout: %s", strerror(errno));
        return CLI_FAILURE;
    }
    return rc;
}
