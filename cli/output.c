/* SPDX-License-Identifier: MPL-2.0 */
/* The output formats. */
#define _GNU_SOURCE
#include "output.h"
#include "cli.h"
#include "draft.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int cli_output_byte(const char *option, const char *text, char fallback, char *byte)
{
    *byte = fallback;
    if (!text)
        return CLI_CONTINUE;
    size_t size = 0;
    char *decoded = cli_unescape(text, &size);
    if (decoded && size == 1)
        *byte = decoded[0];
    free(decoded);
    if (size != 1)
        return cli_usage("--%s must be one byte such as , or \\t or \\x1e, not '%s'", option, text);
    return CLI_CONTINUE;
}

int cli_output_open(struct cli_output *output, const struct cli_socket_args *args)
{
    if (args->null && args->delimiter)
        return cli_usage("--null and --delimiter exclude each other");
    *output = (struct cli_output){.format = (enum cli_format)args->output};
    output->terminal = isatty(STDOUT_FILENO);
    setvbuf(stdout, NULL, _IOFBF, 65536);
    int rc =
        cli_output_byte("delimiter", args->delimiter, args->null ? '\0' : '\n', &output->delimiter);
    if (rc != CLI_CONTINUE)
        return rc;
    return cli_output_byte("part-delimiter", args->part_delimiter, '\t', &output->part_delimiter);
}

static void write_hex(const unsigned char *data, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        putchar_unlocked(digits[data[i] >> 4]);
        putchar_unlocked(digits[data[i] & 15]);
    }
}

/*
 * The length of the printable UTF-8 character of two to four bytes at the beginning of data, or 0:
 * overlong forms, surrogates and the control characters U+0080 to U+009F are refused.
 */
static size_t utf8_length(const unsigned char *data, size_t size)
{
    static const uint32_t smallest[] = {0, 0, 0xa0, 0x800, 0x10000};
    size_t length = data[0] >= 0xf0 ? 4 : data[0] >= 0xe0 ? 3 : 2;
    if (data[0] < 0xc2 || data[0] > 0xf4 || length > size)
        return 0;
    uint32_t code = data[0] & (0xffu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((data[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (data[i] & 0x3f);
    }
    bool surrogate = code >= 0xd800 && code <= 0xdfff;
    return code >= smallest[length] && code <= 0x10ffff && !surrogate ? length : 0;
}

static void write_escaped(unsigned char byte)
{
    switch (byte) {
    case '\n':
        fputs("\\n", stdout);
        break;
    case '\t':
        fputs("\\t", stdout);
        break;
    case '\r':
        fputs("\\r", stdout);
        break;
    case '"':
    case '\\':
        printf("\\%c", byte);
        break;
    default:
        printf("\\x%02x", byte);
    }
}

static void write_quoted(const unsigned char *data, size_t size)
{
    putchar_unlocked('"');
    for (size_t i = 0; i < size;) {
        bool plain = data[i] >= 0x20 && data[i] < 0x7f && data[i] != '"' && data[i] != '\\';
        size_t length = plain ? 1 : data[i] >= 0x80 ? utf8_length(data + i, size - i) : 0;
        if (length)
            fwrite(data + i, 1, length, stdout);
        else
            write_escaped(data[i]);
        i += length ? length : 1;
    }
    putchar_unlocked('"');
}

void cli_output_bytes(enum cli_format format, const unsigned char *data, size_t size)
{
    switch (format) {
    case CLI_FORMAT_HEX:
        write_hex(data, size);
        break;
    case CLI_FORMAT_QUOTED:
        write_quoted(data, size);
        break;
    case CLI_FORMAT_TEXT:
    case CLI_FORMAT_RAW:
        fwrite(data, 1, size, stdout);
        break;
    }
}

/* Whether bytes could do something to a terminal other than show characters. */
static bool has_controls(const unsigned char *data, size_t size)
{
    for (size_t i = 0; i < size;) {
        size_t length = data[i] >= 0x80                      ? utf8_length(data + i, size - i)
                        : data[i] >= 0x20 && data[i] != 0x7f ? 1
                                                             : data[i] == '\t';
        if (!length)
            return true;
        i += length;
    }
    return false;
}

static void write_part(const struct cli_output *output, const void *data, size_t size)
{
    bool quote = output->format == CLI_FORMAT_TEXT && output->terminal && has_controls(data, size);
    cli_output_bytes(quote ? CLI_FORMAT_QUOTED : output->format, data, size);
}

/* How many parts at the front are addressing and not content. */
static size_t envelope(const struct cli_session *session, struct cli_message *message)
{
    if (session->args->multipart || !(session->type->flags & CLI_ADDRESSED) || message->count < 2)
        return 0;
    bool delimiter = session->type->number == ZMQ_ROUTER && message->count > 2 &&
                     zmq_msg_size(&message->parts[1]) == 0;
    return delimiter ? 2 : 1;
}

static void write_group(const struct cli_output *output, const struct cli_session *session,
                        struct cli_message *message)
{
    if (!session->args->multipart || !(session->type->flags & CLI_GROUPS))
        return;
    const char *group = cli_draft_group(&message->parts[0]);
    write_part(output, group, strlen(group));
    if (output->format != CLI_FORMAT_RAW)
        putchar_unlocked(output->part_delimiter);
}

int cli_output_message(struct cli_output *output, const struct cli_session *session,
                       struct cli_message *message)
{
    size_t first = envelope(session, message);
    errno = 0;
    write_group(output, session, message);
    for (size_t i = first; i < message->count; i++) {
        if (i > first && output->format != CLI_FORMAT_RAW)
            putchar_unlocked(output->part_delimiter);
        write_part(output, zmq_msg_data(&message->parts[i]), zmq_msg_size(&message->parts[i]));
    }
    if (output->format != CLI_FORMAT_RAW)
        putchar_unlocked(output->delimiter);
    return ferror(stdout) ? -(errno ? errno : EIO) : 0;
}

/* A connection notice of a STREAM socket: an id and nothing else. */
static bool is_notice(const struct cli_session *session, struct cli_message *message)
{
    return session->type->number == ZMQ_STREAM && message->count == 2 &&
           zmq_msg_size(&message->parts[1]) == 0;
}

static int next_message(struct cli_session *session, struct cli_message *message)
{
    int rc = cli_message_recv(session, message);
    int64_t deadline = cli_session_deadline(session);
    while (rc == -EAGAIN) {
        rc = cli_output_flush();
        if (rc == 0)
            rc = cli_session_wait(session, ZMQ_POLLIN, -1, deadline);
        if (rc <= 0)
            return rc == 0 ? -EAGAIN : rc;
        rc = cli_message_recv(session, message);
    }
    return rc == 0 && cli_signal() ? -EINTR : rc;
}

int cli_output_next(struct cli_session *session, struct cli_message *message)
{
    for (;;) {
        int rc = next_message(session, message);
        if (rc < 0 || !is_notice(session, message))
            return rc;
        bool ended = session->notices++ % 2; /* a connection is announced, then its end */
        if (ended && session->stream_id_size)
            return -ENOTCONN;
        if (session->args->multipart)
            return 0;
    }
}

int cli_output_flush(void)
{
    errno = 0;
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : -(errno ? errno : EIO);
}
