/* SPDX-License-Identifier: MPL-2.0 */
/* Messages whose every byte follows from a stream number, a sequence number and a list of shapes,
 * so that sender and receiver agree on them without talking, and nothing lost, torn, repeated or
 * mixed up can look right. */
#ifndef INTEROP_PEER_CONTENT_H
#define INTEROP_PEER_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CONTENT_MAX_PARTS = 16,
    CONTENT_MAX_SHAPES = 64,
    CONTENT_TAG_SIZE = 8 /* a first part of at least this size tells its stream and sequence */
};

/* How one message is cut into parts. */
struct shape {
    size_t parts;
    size_t sizes[CONTENT_MAX_PARTS];
};

/* Message number n has shape n modulo count. */
struct shapes {
    size_t count;
    struct shape list[CONTENT_MAX_SHAPES];
};

/* "0,1,32,3+0+5": four messages, the last one of three parts. False if malformed. */
bool shapes_parse(struct shapes *shapes, const char *text);
const struct shape *shapes_of(const struct shapes *shapes, uint32_t sequence);
size_t shapes_largest_part(const struct shapes *shapes);

/* Which part of which message. */
struct content {
    uint32_t stream;
    uint32_t sequence;
    uint32_t part;
};

void content_fill(struct content content, unsigned char *data, size_t size);

/* Index of the first byte that is not as content_fill makes it, or `size` if all are. */
size_t content_mismatch(struct content content, const unsigned char *data, size_t size);

/* Reads stream and sequence off a first part; false if it is too short to say. */
bool content_read_tag(const unsigned char *data, size_t size, struct content *content);

#endif
