/* SPDX-License-Identifier: MPL-2.0 */
/*
 * zlink demo, second part: rate and round-trip time per transport. Every cell is one run of
 * `zlink perf --json` in a child process, the same program on either library, taken in turns.
 */
#define _GNU_SOURCE
#include "child.h"
#include "cli.h"
#include "demo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OURS, THEIRS, LIBRARIES };

struct row {
    const char *transport;
    const char *pattern;
};

static const struct row rows[] = {
    {"inproc", "pair"}, {"ipc", "pair"}, {"tcp", "pair"},
    {"tcp", "push"},    {"tcp", "pub"},  {"tcp", "req"},
};

enum { ROW_COUNT = sizeof rows / sizeof *rows };

struct cell {
    bool valid;
    double rate; /* messages per second */
    double p50_us;
    double p99_us;
};

struct table {
    const struct demo_args *args;
    const char *names[LIBRARIES];
    char *libzmq; /* path, NULL: no comparison */
    bool show_progress;
    int done;
    int total;
    int64_t started;
};

/* The number behind a key that occurs once in the output of `zlink perf --json`. */
static bool json_number(const char *text, const char *key, double *value)
{
    char pattern[64];
    snprintf(pattern, sizeof pattern, "\"%s\": ", key);
    const char *found = strstr(text, pattern);
    return found && sscanf(found + strlen(pattern), "%lf", value) == 1;
}

static void progress(const struct table *table, const struct row *row, int library)
{
    if (!table->show_progress)
        return;
    bool terminal = isatty(STDERR_FILENO);
    double elapsed = (double)(cli_now_ms() - table->started) / 1000;
    double each = table->done ? elapsed / table->done : 2 * table->args->duration + 0.2;
    fprintf(stderr, "%s[%d/%d] measuring %s %s on %s, about %.0f s left%s",
            terminal ? "\r\033[K" : "", table->done + 1, table->total, row->transport, row->pattern,
            table->names[library], each * (table->total - table->done), terminal ? "" : "\n");
    fflush(stderr);
}

static void progress_clear(const struct table *table)
{
    if (table->show_progress && isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
}

static struct cell measure(struct table *table, const struct row *row, int library)
{
    char duration[32];
    char *output = NULL;
    struct cell cell = {0};
    snprintf(duration, sizeof duration, "%g", table->args->duration);
    const char *const argv[] = {"zlink",        "perf",      "--json",     "--transport",
                                row->transport, "--pattern", row->pattern, "--duration",
                                duration,       "--timeout", "5000",       NULL};
    progress(table, row, library);
    int rc = cli_child_run(argv, library == THEIRS ? table->libzmq : NULL, false, &output);
    progress_clear(table);
    table->done++;
    cell.valid = rc == CLI_OK && output && json_number(output, "msgs_per_s", &cell.rate) &&
                 json_number(output, "p50_us", &cell.p50_us) &&
                 json_number(output, "p99_us", &cell.p99_us);
    free(output);
    return cell;
}

/* A rate with a fitting unit, in ten columns. */
static const char *rate_text(const struct cell *cell, char text[32])
{
    if (!cell->valid)
        return "failed";
    if (cell->rate >= 1e6)
        snprintf(text, 32, "%.2f M/s", cell->rate / 1e6);
    else
        snprintf(text, 32, "%.1f k/s", cell->rate / 1e3);
    return text;
}

static const char *time_text(const struct cell *cell, char text[64])
{
    if (!cell->valid)
        return "-";
    snprintf(text, 64, "%.1f / %.1f", cell->p50_us, cell->p99_us);
    return text;
}

static void print_head(const struct table *table)
{
    printf("Rate and round-trip time (RTT) of 64-byte messages, two processes (inproc: threads), "
           "%ld cores:\n\n",
           sysconf(_SC_NPROCESSORS_ONLN));
    printf("  %-6s  %-4s  %12s", "", "", table->names[OURS]);
    if (table->libzmq)
        printf("  %12s  %6s", table->names[THEIRS], "");
    printf("  %17s", table->names[OURS]);
    if (table->libzmq)
        printf("  %17s", table->names[THEIRS]);
    printf("\n  %-6s  %-4s  %12s", "", "", "rate");
    if (table->libzmq)
        printf("  %12s  %6s", "rate", "ratio");
    printf("  %17s", "RTT p50 / p99 us");
    if (table->libzmq)
        printf("  %17s", "RTT p50 / p99 us");
    putchar('\n');
    fflush(stdout);
}

static void print_row(const struct table *table, const struct row *row, const struct cell *cells)
{
    char rate[32], time[64];
    const struct cell *ours = &cells[OURS];
    const struct cell *theirs = &cells[THEIRS];
    printf("  %-6s  %-4s  %12s", row->transport, row->pattern, rate_text(ours, rate));
    if (table->libzmq) {
        char ratio[16] = "-";
        if (ours->valid && theirs->valid && theirs->rate > 0)
            snprintf(ratio, sizeof ratio, "%.1fx", ours->rate / theirs->rate);
        printf("  %12s  %6s", rate_text(theirs, rate), ratio);
    }
    printf("  %17s", time_text(ours, time));
    if (table->libzmq)
        printf("  %17s", time_text(theirs, time));
    putchar('\n');
    fflush(stdout);
}

static int fill(struct table *table)
{
    int rc = CLI_OK;
    print_head(table);
    table->started = cli_now_ms();
    for (size_t i = 0; i < ROW_COUNT; i++) {
        struct cell cells[LIBRARIES] = {0};
        cells[OURS] = measure(table, &rows[i], OURS);
        if (table->libzmq && !cli_signal())
            cells[THEIRS] = measure(table, &rows[i], THEIRS);
        if (cli_signal())
            return 128 + cli_signal();
        print_row(table, &rows[i], cells);
        if (!cells[OURS].valid)
            rc = CLI_FAILURE;
    }
    printf("\npub waits for its subscriber instead of dropping messages; req is one request and "
           "its reply at\na time. For other sizes and patterns: zlink perf --help\n");
    return rc;
}

int demo_table(const struct demo_args *args)
{
    struct cli_library library;
    char *name = NULL;
    struct table table = {.args = args};
    cli_library_identify(&library);
    table.names[OURS] = library.name;
    table.show_progress = args->progress || isatty(STDERR_FILENO);
    if (!args->alone)
        table.libzmq = cli_child_find_libzmq(args->libzmq, &name);
    if (table.libzmq)
        printf("Compared with %s, %s\n", name, table.libzmq);
    else if (!args->alone)
        printf("No stock libzmq to compare with%s%s (Debian: apt install libzmq5)\n",
               args->libzmq ? " at " : " on this machine", args->libzmq ? args->libzmq : "");
    table.names[THEIRS] = name ? name : "";
    table.total = ROW_COUNT * (table.libzmq ? 2 : 1);
    int rc = fill(&table);
    free(table.libzmq);
    free(name);
    return rc;
}
