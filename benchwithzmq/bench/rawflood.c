/* SPDX-License-Identifier: MPL-2.0 */

/* The raw one-way ceiling: framing, gathering, parsing and one copy on each side, and nothing else.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "peers.h"
#include "raw.h"
#include "rawframe.h"
#include "rawtls.h"

#define BATCH_SIZE ((size_t)64 << 10)

static void *allocate(size_t size)
{
    void *memory = calloc(1, size);
    if (memory == NULL)
        fatal(EXIT_FAILED, "no memory for %zu bytes", size);
    return memory;
}

static size_t write_frame(const struct raw_run *run, unsigned char *out, const char *message)
{
    size_t header;

    if (run->layer == RAW_MASKED) {
        header = frame_write_ws(out, run->size);
        frame_mask((char *)out + header, message, run->size);
    } else {
        header = frame_write_zmtp(out, run->size);
        memcpy(out + header, message, run->size);
    }
    return header + run->size;
}

/* Writes what is worth a write, which of TLS is whole records; returns what is left. */
static size_t write_batch(struct raw_peer *peer, unsigned char *batch, size_t used)
{
    size_t now = peer->tls != NULL ? used - used % TLS_RECORD_SIZE : used;

    raw_write(peer, batch, now);
    memmove(batch, batch + now, used - now);
    return used - now;
}

static void send_gathered(struct raw_peer *peer, const char *message)
{
    size_t worth = peer->tls != NULL ? TLS_RECORD_SIZE : BATCH_SIZE;
    unsigned char *batch = allocate(BATCH_SIZE + FRAME_HEADER_MAX + peer->run->size);
    size_t used = 0;

    while (meter_tick(&peer->meter)) {
        used += write_frame(peer->run, batch + used, message);
        if (used >= worth)
            used = write_batch(peer, batch, used);
    }
    raw_write(peer, batch, used);
    free(batch);
}

static size_t read_header(const struct raw_run *run, const unsigned char *in, size_t available,
                          size_t *size)
{
    if (run->layer == RAW_MASKED)
        return frame_read_ws(in, available, size);
    return frame_read_zmtp(in, available, size);
}

static void copy_out(const struct raw_run *run, char *message, const unsigned char *data)
{
    if (run->layer == RAW_MASKED)
        frame_mask(message, (const char *)data, run->size);
    else
        memcpy(message, data, run->size);
    __asm__ volatile("" : : "r"(message) : "memory"); /* the copy must happen */
}

/* Copies out every whole message; returns the bytes used up. */
static size_t parse(struct raw_peer *peer, const unsigned char *data, size_t available,
                    char *message)
{
    size_t at = 0, size, header;

    while ((header = read_header(peer->run, data + at, available - at, &size)) != 0) {
        if (size != peer->run->size)
            fatal(EXIT_FAILED, "received a frame of %zu bytes", size);
        if (available - at < header + size)
            break;
        copy_out(peer->run, message, data + at + header);
        at += header + size;
        meter_tick(&peer->meter);
    }
    return at;
}

static void receive_gathered(struct raw_peer *peer, char *message)
{
    size_t capacity = BATCH_SIZE + FRAME_HEADER_MAX + peer->run->size;
    unsigned char *buffer = allocate(capacity);
    size_t have = 0, got;

    while ((got = raw_read_some(peer, buffer + have, capacity - have)) > 0) {
        have += got;
        size_t used = parse(peer, buffer, have, message);
        have -= used;
        memmove(buffer, buffer + used, have);
    }
    free(buffer);
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
        raw_receive_large(peer, message);
    else if (gather)
        send_gathered(peer, message);
    else
        raw_send_large(peer, message);
    if (peer->index != 0)
        shutdown(peer->fd, SHUT_WR);
    free(message);
}
