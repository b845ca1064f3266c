/* SPDX-License-Identifier: MPL-2.0 */
/* zlink demo: the command line. */
#include "demo.h"
#include "args.h"
#include "cli.h"

#include <stdio.h>

#define FIELD(name) offsetof(struct demo_args, name)

static const struct cli_opt demo_opts[] = {
    {CLI_SECTION, "Options:", 0, 0, NULL, NULL},
    {CLI_SECONDS, "duration", 'd', FIELD(duration), "SECONDS",
     "of each measurement (default 0.3); there are two per library\nand row"},
    {CLI_TEXT, "libzmq", 0, FIELD(libzmq), "FILE",
     "compare with this library (default: the system's "
     "libzmq.so.5)"},
    {CLI_FLAG, "alone", 0, FIELD(alone), NULL, "do not compare"},
    {CLI_FLAG, "progress", 0, FIELD(progress), NULL,
     "show progress on stderr even if it is not a terminal"},
    {CLI_END, NULL, 0, 0, NULL, NULL},
};

static const struct cli_command demo_command = {
    .name = "demo",
    .synopsis = "[options]",
    .summary = "Shows messages on their way between processes over inproc, ipc and tcp, then "
               "measures rate\nand round-trip time of each transport, beside the stock libzmq of "
               "this machine if it has one.",
    .tables = {demo_opts, NULL},
    .notes =
        "It takes about ten seconds. For measurements that count, use a quiet machine, longer\n"
        "durations ('zlink perf --help') and the benchmark in benchwithzmq/.\n"
        "\n" CLI_EXIT_CODES "\nExamples:\n"
        "  zlink demo\n"
        "  zlink demo --duration 2\n"
        "  zlink demo --libzmq /opt/libzmq/lib/libzmq.so.5\n",
};

void cli_demo_help(void)
{
    cli_args_help(&demo_command);
}

int cli_demo_main(int argc, char **argv)
{
    struct demo_args args = {.duration = 0.3};
    struct cli_library library;
    int rc = cli_args_parse(&demo_command, &args, NULL, argc, argv);
    if (rc != CLI_CONTINUE)
        return rc;
    cli_library_identify(&library);
    printf("%s%s%s\n\n", library.name, *library.path ? ", " : "", library.path);
    rc = demo_show_messages();
    return rc == CLI_OK ? demo_table(&args) : rc;
}
