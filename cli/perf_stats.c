/* SPDX-License-Identifier: MPL-2.0 */
/* The library's own statistics in zlink perf. */
#define _GNU_SOURCE
#include "perf_stats.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#if defined __has_include
#if __has_include("zlink.h")
#include "zlink.h"
#define HAVE_ZLINK_H 1
#endif
#endif

#ifdef HAVE_ZLINK_H

/* False: this library has no such function, or another idea of the struct. */
static bool read_socket(void *socket, zlink_stats_t *read)
{
    static const char name[] = "zlink_socket_stats";
    __typeof__(&zlink_socket_stats) function;
    /* POSIX guarantees that the conversion works; ISO C has no cast for it. */
    *(void **)&function = dlsym(RTLD_DEFAULT, name);
    *read = (zlink_stats_t){.size = sizeof *read};
    return function && function(socket, read, NULL, NULL) == 0;
}

void perf_stats_add(struct perf_stats *stats, void *socket)
{
    zlink_stats_t read;
    if (!socket)
        return;
    if (!read_socket(socket, &read)) {
        stats->unknown = true;
        return;
    }
#define ADD(field) stats->field += read.field;
    PERF_COUNTERS(ADD)
    PERF_GAUGES(ADD)
#undef ADD
}

#else

void perf_stats_add(struct perf_stats *stats, void *socket)
{
    (void)socket;
    stats->unknown = true;
}

#endif

void perf_stats_since(struct perf_stats *stats, const struct perf_stats *before)
{
#define SUBTRACT(field) stats->field -= before->field;
    PERF_COUNTERS(SUBTRACT)
#undef SUBTRACT
}

/* ---- Text ------------------------------------------------------------------------------------ */

/* A cell of the table, "-" where there is nothing to say. */
struct cell {
    char text[48];
};

static struct cell nothing(void)
{
    return (struct cell){"-"};
}

static struct cell number(uint64_t value)
{
    struct cell cell;
    snprintf(cell.text, sizeof cell.text, "%llu", (unsigned long long)value);
    return cell;
}

static struct cell ratio(const char *format, double factor, uint64_t part, uint64_t whole)
    __attribute__((format(printf, 1, 0)));

static struct cell ratio(const char *format, double factor, uint64_t part, uint64_t whole)
{
    struct cell cell;
    if (!whole)
        return nothing();
    snprintf(cell.text, sizeof cell.text, format, factor * (double)part / (double)whole);
    return cell;
}

static struct cell two(uint64_t first, uint64_t second)
{
    struct cell cell;
    snprintf(cell.text, sizeof cell.text, "%llu / %llu", (unsigned long long)first,
             (unsigned long long)second);
    return cell;
}

static struct cell messages(const struct perf_stats *stats)
{
    return two(stats->messages_out, stats->messages_in);
}

static struct cell megabytes(const struct perf_stats *stats)
{
    struct cell cell;
    snprintf(cell.text, sizeof cell.text, "%.1f / %.1f", (double)stats->bytes_out / 1e6,
             (double)stats->bytes_in / 1e6);
    return cell;
}

static struct cell queued(const struct perf_stats *stats)
{
    return two(stats->queued_out, stats->queued_in);
}

static struct cell calls(const struct perf_stats *stats)
{
    return stats->writes || stats->reads ? two(stats->writes, stats->reads) : nothing();
}

static struct cell at_once(const struct perf_stats *stats)
{
    uint64_t taken = stats->writes_at_once - stats->writes_at_once_refused;
    return ratio("%.1f %%", 100, taken, stats->writes_at_once);
}

static struct cell batch(const struct perf_stats *stats)
{
    return ratio("%.1f", 1, stats->gathered_messages, stats->gathered_writes);
}

static struct cell would_blocks(const struct perf_stats *stats)
{
    return stats->writes ? number(stats->would_blocks) : nothing();
}

/* Only bytes that were written: over inproc there are no buffers for them. */
static struct cell copied(const struct perf_stats *stats)
{
    return ratio("%.2f", 1, stats->bytes_copied_out, stats->writes ? stats->bytes_out : 0);
}

static struct cell spins(const struct perf_stats *stats)
{
    return stats->spins_paid || stats->spins_unpaid ? two(stats->spins_paid, stats->spins_unpaid)
                                                    : nothing();
}

static struct cell reconnects(const struct perf_stats *stats)
{
    return number(stats->reconnects);
}

static struct cell dropped(const struct perf_stats *stats)
{
    return number(stats->dropped);
}

static const struct row {
    const char *name;
    struct cell (*cell)(const struct perf_stats *stats);
} rows[] = {
    {"messages sent / received", messages},
    {"megabytes sent / received", megabytes},
    {"write / read calls", calls},
    {"writes at once taken whole", at_once},
    {"messages per gathered write", batch},
    {"writes that would block", would_blocks},
    {"bytes copied per byte sent", copied},
    {"short waits paid / unpaid", spins},
    {"still queued to send / receive", queued},
    {"reconnects", reconnects},
    {"messages dropped", dropped},
};

static void print_row(const char *name, const char *near, const char *far)
{
    printf("    %-31s%22s%22s\n", name, near, far);
}

void perf_stats_text(const char *near, const struct perf_stats *at_near, const char *far,
                     const struct perf_stats *at_far)
{
    if (at_near->unknown || at_far->unknown)
        return;
    print_row("", near, far);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cell left = rows[i].cell(at_near);
        struct cell right = rows[i].cell(at_far);
        if (strcmp(left.text, "-") != 0 || strcmp(right.text, "-") != 0)
            print_row(rows[i].name, left.text, right.text);
    }
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void json_side(const char *name, const struct perf_stats *stats)
{
    const char *separator = "";
    printf("      \"%s\": {", name);
#define PRINT(field)                                                                               \
    printf("%s\"" #field "\": %llu", separator, (unsigned long long)stats->field);                 \
    separator = ", ";
    PERF_COUNTERS(PRINT)
    PERF_GAUGES(PRINT)
#undef PRINT
    printf("}");
}

void perf_stats_json(const char *near, const struct perf_stats *at_near, const char *far,
                     const struct perf_stats *at_far)
{
    if (at_near->unknown || at_far->unknown) {
        printf("    \"statistics\": null");
        return;
    }
    printf("    \"statistics\": {\n");
    json_side(near, at_near);
    printf(",\n");
    json_side(far, at_far);
    printf("\n    }");
}
