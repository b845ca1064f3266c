/* SPDX-License-Identifier: MPL-2.0 */
/* Heads of HTTP/1.1 messages. */

#include "wire/http.h"

#include <string.h>

/* ---- Text ---- */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool zl_http_is(struct zl_http_text text, const char *expected)
{
    for (size_t i = 0; i < text.size; i++)
        if (expected[i] == '\0' || lower(text.at[i]) != lower(expected[i]))
            return false;
    return expected[text.size] == '\0';
}

bool zl_http_equals(struct zl_http_text text, const char *expected)
{
    return strlen(expected) == text.size && memcmp(text.at, expected, text.size) == 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct zl_http_text zl_http_trim(struct zl_http_text text)
{
    while (text.size && is_blank(text.at[0])) {
        text.at++;
        text.size--;
    }
    while (text.size && is_blank(text.at[text.size - 1]))
        text.size--;
    return text;
}

/* Cuts off the text before the first `separator`, and the separator; all when there is none. */
static struct zl_http_text cut(struct zl_http_text *rest, char separator)
{
    struct zl_http_text part = *rest;
    const char *found = rest->size ? memchr(rest->at, separator, rest->size) : NULL;
    size_t step = part.size;
    if (found) {
        part.size = (size_t)(found - part.at);
        step = part.size + 1;
    }
    if (step) {
        rest->at += step;
        rest->size -= step;
    }
    return part;
}

bool zl_http_next(struct zl_http_text *list, struct zl_http_text *out)
{
    while (list->size) {
        *out = zl_http_trim(cut(list, ','));
        if (out->size)
            return true;
    }
    return false;
}

bool zl_http_has(struct zl_http_text list, const char *expected)
{
    struct zl_http_text element;
    while (zl_http_next(&list, &element))
        if (zl_http_is(element, expected))
            return true;
    return false;
}

static bool is_token_char(char c)
{
    if ((c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z'))
        return true;
    return c != '\0' && strchr("!#$%&'*+-.^_`|~", c);
}

bool zl_http_is_token(struct zl_http_text text)
{
    for (size_t i = 0; i < text.size; i++)
        if (!is_token_char(text.at[i]))
            return false;
    return text.size > 0;
}

struct zl_http_text zl_http_word(struct zl_http_text *rest)
{
    return cut(rest, ' ');
}

bool zl_http_is_version_1_1(struct zl_http_text text)
{
    static const char start[] = "HTTP/1.";
    size_t size = sizeof start - 1;
    return text.size == size + 1 && memcmp(text.at, start, size) == 0 && text.at[size] >= '1' &&
           text.at[size] <= '9';
}

/* ---- Lines ---- */

void zl_http_reader_init(struct zl_http_reader *reader)
{
    reader->line_size = 0; /* the line itself needs no value */
    reader->head_size = 0;
    reader->return_seen = false;
    reader->complete = false;
}

static bool is_control(uint8_t octet)
{
    return (octet < 0x20 && octet != '\t') || octet == 0x7F;
}

/* 1 when the octet completes the line. */
static int take_octet(struct zl_http_reader *reader, uint8_t octet)
{
    if (++reader->head_size > ZL_HTTP_HEAD_MAX)
        return -EMSGSIZE;
    if (reader->return_seen)
        return octet == '\n' ? 1 : -EPROTO;
    if (octet == '\r') {
        reader->return_seen = true;
        return 0;
    }
    if (is_control(octet))
        return -EPROTO;
    if (reader->line_size == ZL_HTTP_LINE_MAX)
        return -EMSGSIZE;
    reader->line[reader->line_size++] = (char)octet;
    return 0;
}

int zl_http_line(struct zl_http_reader *reader, const uint8_t **at, const uint8_t *end)
{
    int rc = 0;
    if (reader->complete) {
        reader->line_size = 0;
        reader->return_seen = false;
        reader->complete = false;
    }
    while (rc == 0 && *at < end)
        rc = take_octet(reader, *(*at)++);
    reader->complete = rc == 1;
    return rc;
}

int zl_http_parse_field(struct zl_http_text line, struct zl_http_field *out)
{
    struct zl_http_text value = line;
    struct zl_http_text name = cut(&value, ':');
    /* A folded line begins with a blank, which no token has; without a colon all is name. */
    if (name.size == line.size || !zl_http_is_token(name))
        return -EPROTO;
    out->name = name;
    out->value = zl_http_trim(value);
    return 0;
}
