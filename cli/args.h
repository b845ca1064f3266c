/* SPDX-License-Identifier: MPL-2.0 */
/* Command lines from tables: one row per option gives both the parser and the help text. */
#ifndef ZLINK_CLI_ARGS_H
#define ZLINK_CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How an option's value is read, and the type of the field it is stored in. */
enum cli_kind {
    CLI_END,     /* last row of a table */
    CLI_SECTION, /* no option: a heading in the help text */
    CLI_FLAG,    /* bool, takes no value */
    CLI_NUMBER,  /* int, may be negative */
    CLI_COUNT,   /* int64_t >= 0; k, M, G are powers of 1000 */
    CLI_SIZE,    /* int64_t >= 0; k, M, G are powers of 1024 */
    CLI_SECONDS, /* double > 0 */
    CLI_TEXT,    /* const char * */
    CLI_LIST,    /* struct cli_list, one entry per use of the option */
    CLI_CHOICE,  /* int, position in the list a|b|c that `value` holds */
};

struct cli_list {
    const char **items;
    size_t count;
};

struct cli_opt {
    enum cli_kind kind;
    const char *name;  /* long name, or the heading */
    char letter;       /* short name or 0 */
    size_t offset;     /* of the field within the target */
    const char *value; /* placeholder in the help text */
    const char *help;  /* lines are separated by \n */
};

struct cli_command {
    const char *name;
    const char *synopsis;            /* what follows "zlink NAME" */
    const char *summary;             /* one paragraph */
    const struct cli_opt *tables[4]; /* NULL-terminated; all offsets count from one target */
    const char *notes;               /* after the options: rules, exit codes, examples */
};

/* What every command ends its help text with. */
#define CLI_EXIT_CODES                                                                             \
    "Exit codes: 0 success, 1 failure at run time, 2 wrong command line, 3 --timeout passed,\n"    \
    "130 interrupted (SIGINT), 143 terminated (SIGTERM).\n"

/*
 * Stores the options in *target, which holds the defaults, and what is left over in *operands
 * (NULL: operands are an error; else a field of a CLI_LIST row). Returns CLI_CONTINUE, or the exit code after an error message or
 * after --help was answered. The strings stay owned by argv.
 */
int cli_args_parse(const struct cli_command *command, void *target, struct cli_list *operands,
                   int argc, char **argv);

/* Frees the lists that cli_args_parse filled, whatever it returned. */
void cli_args_free(const struct cli_command *command, void *target);

/* Prints the whole help text of a command. */
void cli_args_help(const struct cli_command *command);

/* Appends to a list. */
void cli_list_add(struct cli_list *list, const char *item);

/*
 * Reads a whole-string integer with an optional suffix k, M or G that multiplies by a power of
 * `unit` (0: no suffix allowed). False if it is not a number or does not fit.
 */
bool cli_parse_integer(const char *text, int64_t unit, int64_t *value);

#endif
