/* SPDX-License-Identifier: MPL-2.0 */
/* Where `zlink send` gets its messages from. */
#ifndef ZLINK_CLI_INPUT_H
#define ZLINK_CLI_INPUT_H

#include "args.h"

struct cli_session;

enum cli_source {
    CLI_SOURCE_LINES,     /* stdin, split at a delimiter */
    CLI_SOURCE_WHOLE,     /* stdin as one message */
    CLI_SOURCE_FILES,     /* each file is one message */
    CLI_SOURCE_MESSAGES,  /* --message */
    CLI_SOURCE_GENERATED, /* --size */
};

struct cli_input {
    enum cli_source source;
    const struct cli_list *items; /* of FILES and MESSAGES */
    char delimiter;               /* of LINES */
    int64_t size;                 /* of GENERATED */
    int64_t limit;                /* messages in all, -1: as many as there are */
    int64_t given;                /* so far */

    char *buffer; /* LINES: bytes read ahead; others: the current message */
    size_t capacity;
    size_t start; /* LINES: the unread part is buffer[start..end) */
    size_t end;
    bool at_end;
    const char *name; /* of the file that failed, for messages */
};

/* How many messages there will be: `limit`, or once through the items; -1 if only stdin knows. */
int64_t cli_input_total(const struct cli_input *input);

/*
 * The next message, valid until the next call. Returns 1, 0 at the end, or a negative errno; -EINTR
 * after a signal. While it waits for stdin the session's monitor is served.
 */
int cli_input_next(struct cli_input *input, struct cli_session *session, const char **data,
                   size_t *size);

void cli_input_close(struct cli_input *input);

#endif
