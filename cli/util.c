/* SPDX-License-Identifier: MPL-2.0 */
/* Messages to the user, allocation, time, escapes and the other small helpers of the command. */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *command_name = "";

void cli_set_command(const char *name)
{
    command_name = name;
}

static void print_error(const char *format, va_list arguments)
{
    fflush(stdout);
    fprintf(stderr, "zlink%s%s: ", *command_name ? " " : "", command_name);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

void cli_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_error(format, arguments);
    va_end(arguments);
}

void cli_hint(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("  hint: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

int cli_usage(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_error(format, arguments);
    va_end(arguments);
    fprintf(stderr, "  'zlink%s%s --help' shows options and examples\n", *command_name ? " " : "",
            command_name);
    return CLI_USAGE;
}

void *cli_realloc(void *old, size_t size)
{
    void *memory = realloc(old, size ? size : 1);
    if (!memory) {
        cli_error("out of memory (%zu bytes wanted)", size);
        exit(CLI_FAILURE);
    }
    return memory;
}

void *cli_alloc(size_t size)
{
    return memset(cli_realloc(NULL, size), 0, size);
}

uint64_t cli_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int64_t cli_now_ms(void)
{
    return (int64_t)(cli_now_ns() / 1000000u);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Decodes the escape whose backslash precedes *text; advances *text. -1: not a known escape. */
static int decode_escape(const char **text)
{
    static const char letters[] = "ntr0\\\"";
    static const char values[] = "\n\t\r\0\\\"";
    char c = *(*text)++;
    if (c == 'x') {
        int high = hex_digit((*text)[0]);
        int low = high < 0 ? -1 : hex_digit((*text)[1]);
        *text += low < 0 ? 0 : 2;
        return low < 0 ? -1 : high * 16 + low;
    }
    const char *found = c ? strchr(letters, c) : NULL;
    return found ? (unsigned char)values[found - letters] : -1;
}

char *cli_unescape(const char *text, size_t *size)
{
    char *result = cli_alloc(strlen(text) + 1);
    size_t length = 0;
    while (*text) {
        int byte = (unsigned char)*text++;
        if (byte == '\\')
            byte = decode_escape(&text);
        if (byte < 0) {
            free(result);
            return NULL;
        }
        result[length++] = (char)byte;
    }
    *size = length;
    return result;
}

/* Edit distance with one row of the matrix; words longer than the row are simply not close. */
static size_t distance(const char *a, const char *b)
{
    size_t row[64];
    size_t width = strlen(b);
    if (width >= sizeof row / sizeof *row)
        return SIZE_MAX;
    for (size_t j = 0; j <= width; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= width; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[width];
}

const char *cli_closest(const char *word, const char *const *names, size_t count)
{
    const char *best = NULL;
    size_t length = strlen(word);
    size_t best_distance = length < 4 ? 2 : length < 7 ? 3 : 4; /* exclusive */
    for (size_t i = 0; i < count; i++) {
        size_t d = distance(word, names[i]);
        if (d < best_distance) {
            best_distance = d;
            best = names[i];
        }
    }
    return best;
}

int cli_read_file(const char *path, char **data, size_t *size)
{
    int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    size_t capacity = 65536;
    size_t length = 0;
    char *buffer = cli_alloc(capacity);
    ssize_t n;
    while ((n = read(fd, buffer + length, capacity - length)) != 0) {
        if (n < 0 && errno == EINTR && !cli_signal())
            continue;
        if (n < 0)
            break;
        length += (size_t)n;
        if (length == capacity)
            buffer = cli_realloc(buffer, capacity *= 2);
    }
    int rc = n < 0 ? -errno : 0;
    close(fd);
    if (rc < 0) {
        free(buffer);
        return rc;
    }
    *data = buffer;
    *size = length;
    return 0;
}
