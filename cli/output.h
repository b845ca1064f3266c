/* SPDX-License-Identifier: MPL-2.0 */
/* Writes received messages to stdout in the format the user chose. */
#ifndef ZLINK_CLI_OUTPUT_H
#define ZLINK_CLI_OUTPUT_H

#include "message.h"
#include "session.h"

/* In the order of the --output choices. */
enum cli_format {
    CLI_FORMAT_TEXT,   /* bytes as they are, messages end with the delimiter; on a terminal parts
                          with control characters are shown quoted, so that no peer can drive it */
    CLI_FORMAT_HEX,    /* two digits per byte */
    CLI_FORMAT_QUOTED, /* "..." with escapes that cli_unescape reads back */
    CLI_FORMAT_RAW,    /* bytes as they are and nothing else */
};

struct cli_output {
    enum cli_format format;
    char delimiter;      /* after each message */
    char part_delimiter; /* between parts */
    bool terminal;
};

/* Reads the output options. Returns CLI_CONTINUE or an exit code. */
int cli_output_open(struct cli_output *output, const struct cli_socket_args *args);

/*
 * The single byte that an option such as --delimiter stands for, escapes decoded; `fallback` if
 * it was not given. Returns CLI_CONTINUE or an exit code.
 */
int cli_output_byte(const char *option, const char *text, char fallback, char *byte);

/*
 * Writes one message. Unless --multipart is given, the routing id of an addressed type and an empty
 * delimiter after it are left out. 0 or a negative errno.
 */
int cli_output_message(struct cli_output *output, const struct cli_session *session,
                       struct cli_message *message);

/*
 * Receives the next message to print, flushing what was printed before it sleeps. Connection
 * notices of a STREAM are skipped unless --multipart is given. 0, -EAGAIN when --timeout passed,
 * -ENOTCONN when the connection that a STREAM made has ended, or another negative errno.
 */
int cli_output_next(struct cli_session *session, struct cli_message *message);

/* Hands everything written to the kernel. 0 or a negative errno. */
int cli_output_flush(void);

/* Writes one part in a format, without any delimiter. */
void cli_output_bytes(enum cli_format format, const unsigned char *data, size_t size);

#endif
