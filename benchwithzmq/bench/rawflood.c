/* SPDX-License-Identifier: MPL-2.0 */

/* The raw one-way ceiling: framing, gathering, parsing and one copy on each side, and nothing else.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "peers.h"
#include "raw.h"

#define BATCH_SIZE ((size_t)64 << 10)
#define SHORT_HEADER 2 /* flags, length in one byte */
#define LONG_HEADER 9  /* flags, length in eight bytes, most significant first */
#define LONG_FLAG 2
#define SHORT_MAX 255

static size_t write_header(unsigned char *out, size_t size)
{
    if (size <= SHORT_MAX) {
        out[0] = 0;
        out[1] = (unsigned char)size;
        return SHORT_HEADER;
    }
    uint64_t length = __builtin_bswap64(size);
    out[0] = LONG_FLAG;
    memcpy(out + 1, &length, sizeof length);
    return LONG_HEADER;
}

/* The size of the header, 0 while it is incomplete. */
static size_t read_header(const unsigned char *in, size_t available, size_t *size)
{
    if (available < SHORT_HEADER)
        return 0;
    if (!(in[0] & LONG_FLAG)) {
        *size = in[1];
        return SHORT_HEADER;
    }
    if (available < LONG_HEADER)
        return 0;
    uint64_t length;
    memcpy(&length, in + 1, sizeof length);
    *size = __builtin_bswap64(length);
    return LONG_HEADER;
}

static void *allocate(size_t size)
{
    void *memory = calloc(1, size);
    if (memory == NULL)
        fatal(EXIT_FAILED, "no memory for %zu bytes", size);
    return memory;
}

static void send_gathered(struct raw_peer *peer, const char *message)
{
    size_t size = peer->run->size;
    unsigned char *batch = allocate(BATCH_SIZE + LONG_HEADER + size);
    size_t used = 0;

    while (meter_tick(&peer->meter)) {
        used += write_header(batch + used, size);
        memcpy(batch + used, message, size);
        used += size;
        if (used >= BATCH_SIZE) {
            raw_write(peer->fd, batch, used);
            used = 0;
        }
    }
    raw_write(peer->fd, batch, used);
    free(batch);
}

static void send_in_place(struct raw_peer *peer, char *message)
{
    unsigned char header[LONG_HEADER];
    size_t header_size = write_header(header, peer->run->size);

    while (meter_tick(&peer->meter)) {
        struct iovec vectors[2] = {{header, header_size}, {message, peer->run->size}};
        raw_write_two(peer->fd, vectors);
    }
}

/* Copies out every whole message; returns the bytes used up. */
static size_t parse(struct raw_peer *peer, const unsigned char *data, size_t available,
                    char *message)
{
    size_t at = 0, size, header;

    while ((header = read_header(data + at, available - at, &size)) != 0) {
        if (size != peer->run->size)
            fatal(EXIT_FAILED, "received a frame of %zu bytes", size);
        if (available - at < header + size)
            break;
        memcpy(message, data + at + header, size);
        __asm__ volatile("" : : "r"(message) : "memory"); /* the copy must happen */
        at += header + size;
        meter_tick(&peer->meter);
    }
    return at;
}

static void receive_gathered(struct raw_peer *peer, char *message)
{
    size_t capacity = BATCH_SIZE + LONG_HEADER + peer->run->size;
    unsigned char *buffer = allocate(capacity);
    size_t have = 0, got;

    while ((got = raw_read_some(peer->fd, buffer + have, capacity - have)) > 0) {
        have += got;
        size_t used = parse(peer, buffer, have, message);
        have -= used;
        memmove(buffer, buffer + used, have);
    }
    free(buffer);
}

static void receive_in_place(struct raw_peer *peer, char *message)
{
    unsigned char header[LONG_HEADER];
    size_t header_size = write_header(header, peer->run->size);

    for (;;) {
        struct iovec vectors[2] = {{header, header_size}, {message, peer->run->size}};
        if (!raw_read_two(peer->fd, vectors))
            return;
        meter_tick(&peer->meter);
    }
}

/* The receiver reads on after its window until the sender, who then sees that it is over, ends the
 * stream. */
void raw_flood(struct raw_peer *peer)
{
    char *message = allocate(peer->run->size);
    bool gather = peer->run->size < peer->run->gather_below;

    if (peer->index == 0 && gather)
        receive_gathered(peer, message);
    else if (peer->index == 0)
        receive_in_place(peer, message);
    else if (gather)
        send_gathered(peer, message);
    else
        send_in_place(peer, message);
    if (peer->index != 0)
        shutdown(peer->fd, SHUT_WR);
    free(message);
}
