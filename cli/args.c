/* SPDX-License-Identifier: MPL-2.0 */
/* The option tables' parser and help printer. */
#define _GNU_SOURCE
#include "args.h"
#include "cli.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_OPTIONS = 64, HELP_LETTER = 'h' };

/* getopt_long's view of the tables; rows[i] belongs to longs[i]. */
struct parser {
    struct option longs[MAX_OPTIONS + 2];
    const struct cli_opt *rows[MAX_OPTIONS];
    const char *names[MAX_OPTIONS];
    char shorts[2 * MAX_OPTIONS + 4];
    size_t count;
};

void cli_list_add(struct cli_list *list, const char *item)
{
    list->items = cli_realloc(list->items, (list->count + 1) * sizeof *list->items);
    list->items[list->count++] = item;
}

bool cli_parse_integer(const char *text, int64_t unit, int64_t *value)
{
    static const char suffixes[] = "kMG";
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 0);
    if (end == text || errno)
        return false;
    if (*end && unit) {
        const char *suffix = strchr(suffixes, *end == 'K' ? 'k' : *end);
        if (!suffix)
            return false;
        for (const char *s = suffixes; s <= suffix; s++)
            if (__builtin_mul_overflow(number, unit, &number))
                return false;
        end++;
    }
    *value = number;
    return *end == '\0';
}

static int choice_index(const char *choices, const char *word)
{
    size_t length = strlen(word);
    for (int i = 0;; i++) {
        size_t n = strcspn(choices, "|");
        if (n == length && memcmp(choices, word, n) == 0)
            return i;
        if (!choices[n])
            return -1;
        choices += n + 1;
    }
}

static bool store_integer(const struct cli_opt *row, char *field, const char *value)
{
    int64_t unit = row->kind == CLI_COUNT ? 1000 : row->kind == CLI_SIZE ? 1024 : 0;
    int64_t number;
    if (!cli_parse_integer(value, unit, &number))
        return false;
    if (row->kind == CLI_NUMBER) {
        *(int *)(void *)field = (int)number;
        return number >= INT_MIN && number <= INT_MAX;
    }
    *(int64_t *)(void *)field = number;
    return number >= 0;
}

static bool store_seconds(char *field, const char *value)
{
    char *end;
    double number = strtod(value, &end);
    *(double *)(void *)field = number;
    return end != value && *end == '\0' && isfinite(number) && number > 0;
}

/* Stores one value; false if the text does not suit the kind. */
static bool store(const struct cli_opt *row, char *field, const char *value)
{
    switch (row->kind) {
    case CLI_FLAG:
        *(bool *)(void *)field = true;
        return true;
    case CLI_NUMBER:
    case CLI_COUNT:
    case CLI_SIZE:
        return store_integer(row, field, value);
    case CLI_SECONDS:
        return store_seconds(field, value);
    case CLI_TEXT:
        *(const char **)(void *)field = value;
        return true;
    case CLI_LIST:
        cli_list_add((struct cli_list *)(void *)field, value);
        return true;
    case CLI_CHOICE:
        return (*(int *)(void *)field = choice_index(row->value, value)) >= 0;
    case CLI_END:
    case CLI_SECTION:
        break;
    }
    return false;
}

static int bad_value(const struct cli_opt *row, const char *value)
{
    switch (row->kind) {
    case CLI_CHOICE:
        return cli_usage("--%s must be one of %s, not '%s'", row->name, row->value, value);
    case CLI_SECONDS:
        return cli_usage("--%s must be a positive number of seconds, not '%s'", row->name, value);
    case CLI_NUMBER:
        return cli_usage("--%s must be an integer, not '%s'", row->name, value);
    default:
        return cli_usage("--%s must be a number, not '%s' (k, M and G may follow it)", row->name,
                         value);
    }
}

static void add_row(struct parser *parser, const struct cli_opt *row)
{
    size_t i = parser->count++;
    bool takes_value = row->kind != CLI_FLAG;
    parser->rows[i] = row;
    parser->names[i] = row->name;
    /* Values above any character, so that they cannot meet a short option. */
    parser->longs[i] = (struct option){row->name, takes_value, NULL, UCHAR_MAX + 1 + (int)i};
    if (row->letter) {
        size_t length = strlen(parser->shorts);
        snprintf(parser->shorts + length, sizeof parser->shorts - length, "%c%s", row->letter,
                 takes_value ? ":" : "");
    }
}

static void build_parser(struct parser *parser, const struct cli_command *command)
{
    memset(parser, 0, sizeof *parser);
    /* A leading colon makes getopt report a missing value apart from an unknown option. */
    strcpy(parser->shorts, ":h");
    for (size_t t = 0; command->tables[t]; t++)
        for (const struct cli_opt *row = command->tables[t]; row->kind != CLI_END; row++)
            if (row->kind != CLI_SECTION && parser->count < MAX_OPTIONS)
                add_row(parser, row);
    parser->longs[parser->count] = (struct option){"help", no_argument, NULL, HELP_LETTER};
}

static const struct cli_opt *find_row(const struct parser *parser, int code)
{
    if (code > UCHAR_MAX)
        return parser->rows[code - UCHAR_MAX - 1];
    for (size_t i = 0; i < parser->count; i++)
        if (parser->rows[i]->letter == code)
            return parser->rows[i];
    return NULL;
}

static int unknown_option(const struct parser *parser, const char *word)
{
    if (strncmp(word, "--", 2) != 0)
        return cli_usage("unknown option '%s'", word);
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
    const char *close = cli_closest(name, parser->names, parser->count);
    if (close)
        return cli_usage("unknown option '%s' (did you mean '--%s'?)", word, close);
    return cli_usage("unknown, ambiguous or wrongly used option '%s'", word);
}

static int take_operands(struct cli_list *operands, int argc, char **argv)
{
    if (optind < argc && !operands)
        return cli_usage("unexpected '%s'", argv[optind]);
    for (; optind < argc; optind++)
        cli_list_add(operands, argv[optind]);
    return CLI_CONTINUE;
}

int cli_args_parse(const struct cli_command *command, void *target, struct cli_list *operands,
                   int argc, char **argv)
{
    struct parser parser;
    build_parser(&parser, command);
    opterr = 0;
    optind = 0; /* 0, not 1: makes glibc forget an earlier command line */
    int code;
    while ((code = getopt_long(argc, argv, parser.shorts, parser.longs, NULL)) != -1) {
        if (code == HELP_LETTER) {
            cli_args_help(command);
            return CLI_OK;
        }
        if (code == ':')
            return cli_usage("option '%s' needs a value", argv[optind - 1]);
        const struct cli_opt *row = code == '?' ? NULL : find_row(&parser, code);
        if (!row)
            return unknown_option(&parser, argv[optind > 0 ? optind - 1 : 0]);
        if (!store(row, (char *)target + row->offset, optarg))
            return bad_value(row, optarg);
    }
    return take_operands(operands, argc, argv);
}

void cli_args_free(const struct cli_command *command, void *target)
{
    for (size_t t = 0; command->tables[t]; t++) {
        for (const struct cli_opt *row = command->tables[t]; row->kind != CLI_END; row++) {
            if (row->kind != CLI_LIST)
                continue;
            struct cli_list *list = (void *)((char *)target + row->offset);
            free(list->items);
            *list = (struct cli_list){0};
        }
    }
}

static void print_row(const struct cli_opt *row)
{
    enum { COLUMN = 28 };
    char left[128];
    int width = snprintf(left, sizeof left, "  %s%c%s--%s%s%s", row->letter ? "-" : " ",
                         row->letter ? row->letter : ' ', row->letter ? ", " : "  ", row->name,
                         row->value ? " " : "", row->value ? row->value : "");
    fputs(left, stdout);
    if (width >= COLUMN) {
        putchar('\n');
        width = 0;
    }
    for (const char *line = row->help; *line;) {
        int length = (int)strcspn(line, "\n");
        printf("%*s%.*s\n", COLUMN - width, "", length, line);
        width = 0;
        line += length + (line[length] == '\n');
    }
}

void cli_args_help(const struct cli_command *command)
{
    printf("Usage: zlink %s %s\n\n%s\n", command->name, command->synopsis, command->summary);
    for (size_t t = 0; command->tables[t]; t++) {
        for (const struct cli_opt *row = command->tables[t]; row->kind != CLI_END; row++) {
            if (row->kind == CLI_SECTION)
                printf("\n%s\n", row->name);
            else
                print_row(row);
        }
    }
    printf("\n%s", command->notes);
}
