/* SPDX-License-Identifier: MPL-2.0 */
/* The message sources of `zlink send`. */
#define _GNU_SOURCE
#include "input.h"
#include "cli.h"
#include "session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int64_t cli_input_total(const struct cli_input *input)
{
    if (input->limit >= 0)
        return input->limit;
    switch (input->source) {
    case CLI_SOURCE_FILES:
    case CLI_SOURCE_MESSAGES:
        return (int64_t)input->items->count;
    case CLI_SOURCE_GENERATED:
    case CLI_SOURCE_WHOLE:
        return 1;
    case CLI_SOURCE_LINES:
        break;
    }
    return -1;
}

/* Files are always readable and some pollers refuse them, so only the rest is waited for. */
static bool can_wait_for(int fd)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return false;
    return S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode) || isatty(fd);
}

/* Reads more of stdin behind buffer[end). Returns bytes, 0 at the end, or a negative errno. */
static ssize_t read_more(struct cli_input *input, struct cli_session *session)
{
    if (input->start > 0) {
        memmove(input->buffer, input->buffer + input->start, input->end - input->start);
        input->end -= input->start;
        input->start = 0;
    }
    if (input->end == input->capacity) {
        input->capacity = input->capacity ? 2 * input->capacity : 65536;
        input->buffer = cli_realloc(input->buffer, input->capacity);
    }
    for (;;) {
        int rc = can_wait_for(STDIN_FILENO) ? cli_session_wait(session, 0, STDIN_FILENO, -1) : 0;
        if (rc < 0)
            return rc;
        ssize_t n = read(STDIN_FILENO, input->buffer + input->end, input->capacity - input->end);
        if (n >= 0) {
            input->end += (size_t)n;
            return n;
        }
        if (errno != EINTR && errno != EAGAIN)
            return -errno;
        if (cli_signal())
            return -EINTR;
    }
}

/* Gives out the next `length` unread bytes. */
static int give(struct cli_input *input, size_t length, const char **data, size_t *size)
{
    *data = input->buffer + input->start;
    *size = length;
    input->start += length;
    return 1;
}

static int next_line(struct cli_input *input, struct cli_session *session, const char **data,
                     size_t *size)
{
    size_t searched = 0;
    for (;;) {
        size_t unread = input->end - input->start;
        char *from = unread ? input->buffer + input->start + searched : NULL;
        char *stop = unread ? memchr(from, input->delimiter, unread - searched) : NULL;
        if (stop) {
            int rc = give(input, (size_t)(stop - (input->buffer + input->start)), data, size);
            input->start++; /* the delimiter belongs to nobody */
            return rc;
        }
        if (input->at_end)
            return unread ? give(input, unread, data, size) : 0;
        searched = unread;
        ssize_t n = read_more(input, session);
        if (n < 0)
            return (int)n;
        input->at_end = n == 0;
    }
}

static int whole_stdin(struct cli_input *input, struct cli_session *session, const char **data,
                       size_t *size)
{
    while (!input->at_end) {
        ssize_t n = read_more(input, session);
        if (n < 0)
            return (int)n;
        input->at_end = n == 0;
    }
    *data = input->buffer;
    *size = input->end;
    return 1;
}

static int next_file(struct cli_input *input, const char **data, size_t *size)
{
    input->name = input->items->items[(size_t)input->given % input->items->count];
    free(input->buffer);
    input->buffer = NULL;
    int rc = cli_read_file(input->name, &input->buffer, size);
    *data = input->buffer;
    return rc < 0 ? rc : 1;
}

/* Letters that begin with the message's number, cut off where the message is too short for it. */
static int generated(struct cli_input *input, const char **data, size_t *size)
{
    char number[32];
    *size = (size_t)input->size;
    if (!input->buffer) {
        input->buffer = cli_alloc(*size);
        for (size_t i = 0; i < *size; i++)
            input->buffer[i] = (char)('a' + i % 26);
    }
    size_t length = (size_t)snprintf(number, sizeof number, "%lld ", (long long)input->given);
    memcpy(input->buffer, number, length < *size ? length : *size);
    *data = input->buffer;
    return 1;
}

int cli_input_next(struct cli_input *input, struct cli_session *session, const char **data,
                   size_t *size)
{
    int rc = 0;
    int64_t total = cli_input_total(input);
    if (total >= 0 && input->given >= total)
        return 0;
    switch (input->source) {
    case CLI_SOURCE_LINES:
        rc = next_line(input, session, data, size);
        break;
    case CLI_SOURCE_WHOLE:
        rc = whole_stdin(input, session, data, size);
        break;
    case CLI_SOURCE_FILES:
        rc = next_file(input, data, size);
        break;
    case CLI_SOURCE_MESSAGES:
        *data = input->items->items[(size_t)input->given % input->items->count];
        *size = strlen(*data);
        rc = 1;
        break;
    case CLI_SOURCE_GENERATED:
        rc = generated(input, data, size);
        break;
    }
    input->given += rc == 1;
    return rc;
}

void cli_input_close(struct cli_input *input)
{
    free(input->buffer);
    input->buffer = NULL;
}
