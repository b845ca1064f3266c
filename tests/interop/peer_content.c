/* SPDX-License-Identifier: MPL-2.0 */
/* Deterministic message content; see peer_content.h. */
#include "peer_content.h"

#include <stdlib.h>
#include <string.h>

static bool parse_size(const char **text, size_t *size)
{
    char *end;
    if (**text < '0' || **text > '9')
        return false;
    *size = strtoull(*text, &end, 10);
    *text = end;
    return true;
}

static bool parse_shape(const char **text, struct shape *shape)
{
    shape->parts = 0;
    for (;;) {
        if (shape->parts == CONTENT_MAX_PARTS)
            return false;
        if (!parse_size(text, &shape->sizes[shape->parts++]))
            return false;
        if (**text != '+')
            return true;
        ++*text;
    }
}

bool shapes_parse(struct shapes *shapes, const char *text)
{
    shapes->count = 0;
    for (;;) {
        if (shapes->count == CONTENT_MAX_SHAPES)
            return false;
        if (!parse_shape(&text, &shapes->list[shapes->count++]))
            return false;
        if (*text == '\0')
            return true;
        if (*text++ != ',')
            return false;
    }
}

const struct shape *shapes_of(const struct shapes *shapes, uint32_t sequence)
{
    return &shapes->list[sequence % shapes->count];
}

size_t shapes_largest_part(const struct shapes *shapes)
{
    size_t largest = 0;
    for (size_t i = 0; i < shapes->count; i++)
        for (size_t j = 0; j < shapes->list[i].parts; j++)
            if (shapes->list[i].sizes[j] > largest)
                largest = shapes->list[i].sizes[j];
    return largest;
}

/* A 64-bit mixer (the finaliser of splitmix64): neighbouring inputs give unrelated outputs. */
static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* The eight bytes at offset 8 * index of a part of `size` bytes. */
static void word_at(struct content content, size_t size, uint64_t index, unsigned char word[8])
{
    bool is_tag = content.part == 0 && index == 0 && size >= CONTENT_TAG_SIZE;
    uint64_t value = (uint64_t)content.stream << 32 | content.sequence;
    if (!is_tag)
        value = mix(mix(value) + ((uint64_t)content.part << 48) + index);
    for (int i = 0; i < 8; i++)
        word[i] = (unsigned char)(value >> (56 - 8 * i));
}

void content_fill(struct content content, unsigned char *data, size_t size)
{
    unsigned char word[8];
    for (size_t at = 0; at < size; at += sizeof word) {
        word_at(content, size, at / sizeof word, word);
        memcpy(data + at, word, size - at < sizeof word ? size - at : sizeof word);
    }
}

size_t content_mismatch(struct content content, const unsigned char *data, size_t size)
{
    unsigned char word[8];
    for (size_t at = 0; at < size; at += sizeof word) {
        size_t length = size - at < sizeof word ? size - at : sizeof word;
        word_at(content, size, at / sizeof word, word);
        if (memcmp(data + at, word, length) == 0)
            continue;
        for (size_t i = 0;; i++)
            if (data[at + i] != word[i])
                return at + i;
    }
    return size;
}

bool content_read_tag(const unsigned char *data, size_t size, struct content *content)
{
    if (size < CONTENT_TAG_SIZE)
        return false;
    uint32_t words[2] = {0, 0};
    for (int i = 0; i < CONTENT_TAG_SIZE; i++)
        words[i / 4] = words[i / 4] << 8 | data[i];
    *content = (struct content){.stream = words[0], .sequence = words[1], .part = 0};
    return true;
}
