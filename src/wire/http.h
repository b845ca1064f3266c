/* SPDX-License-Identifier: MPL-2.0 */
/* Heads of HTTP/1.1 messages (RFC 9112): lines as they arrive, header fields, lists of tokens. As
 * strict as the standard allows: what two readers could understand differently is refused. */

#ifndef ZL_WIRE_HTTP_H
#define ZL_WIRE_HTTP_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Limits for what a peer may send before the head ends. */
#define ZL_HTTP_HEAD_MAX 16384 /* all lines with their ends */
#define ZL_HTTP_LINE_MAX 8192  /* one line without its end */
#define ZL_HTTP_FIELDS_MAX 100

/* Octets of somebody else, not terminated. */
struct zl_http_text {
    const char *at;
    size_t size;
};

/* Equal without regard to ASCII case. */
bool zl_http_is(struct zl_http_text text, const char *expected);
/* Exactly equal. */
bool zl_http_equals(struct zl_http_text text, const char *expected);
/* Without blanks and tabs at both ends. */
struct zl_http_text zl_http_trim(struct zl_http_text text);

/* Steps through a comma-separated list: the next element that is not empty, trimmed. False at the
 * end. */
bool zl_http_next(struct zl_http_text *list, struct zl_http_text *out);
/* Whether the list has this element, without regard to case. */
bool zl_http_has(struct zl_http_text list, const char *expected);

/* Whether this may be the name of a method or a field. */
bool zl_http_is_token(struct zl_http_text text);

/* Takes off what comes before the first blank, and the blank; all of it when there is none. */
struct zl_http_text zl_http_word(struct zl_http_text *rest);

/* HTTP/1.1, or a later 1.x. */
bool zl_http_is_version_1_1(struct zl_http_text text);

/* ---- Lines ------------------------------------------------------------------------------------ */

struct zl_http_reader {
    /* What zl_http_line has completed; kept until its next call. */
    size_t line_size;
    char line[ZL_HTTP_LINE_MAX];

    /* Private. */
    size_t head_size;
    bool return_seen;
    bool complete;
};

void zl_http_reader_init(struct zl_http_reader *reader);

/* Takes octets from `*at` on until a line is complete or `end` is reached; `*at` moves behind what
 * was taken. Must not be called again after an error.
 *   1          the line is complete; an empty one ends the head.
 *   0          all taken, more is needed.
 *   -EPROTO    control characters, a CR or an LF alone.
 *   -EMSGSIZE  the line or all of them are over the limit. */
int zl_http_line(struct zl_http_reader *reader, const uint8_t **at, const uint8_t *end);

static inline struct zl_http_text zl_http_line_text(const struct zl_http_reader *reader)
{
    return (struct zl_http_text){reader->line, reader->line_size};
}

struct zl_http_field {
    struct zl_http_text name;
    struct zl_http_text value; /* trimmed */
};

/* -EPROTO: no colon, a name that is not a token, a line folded in the obsolete way. */
int zl_http_parse_field(struct zl_http_text line, struct zl_http_field *out);

#endif
