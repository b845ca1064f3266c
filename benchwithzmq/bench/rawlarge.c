/* SPDX-License-Identifier: MPL-2.0 */

/* The raw one-way ceiling of large messages: copied only where encryption or masking does it. */
#include <string.h>

#include "raw.h"
#include "rawframe.h"
#include "rawtls.h"

#define CHUNK_SIZE ((size_t)64 << 10) /* masked and written at once: stays in the cache */

static size_t write_header(const struct raw_run *run, unsigned char *out)
{
    if (run->layer == RAW_MASKED)
        return frame_write_ws(out, run->size);
    return frame_write_zmtp(out, run->size);
}

static void send_plain(struct raw_peer *peer, char *message)
{
    unsigned char header[FRAME_HEADER_MAX];
    size_t header_size = write_header(peer->run, header);

    while (meter_tick(&peer->meter)) {
        struct iovec vectors[2] = {{header, header_size}, {message, peer->run->size}};
        raw_write_two(peer->fd, vectors);
    }
}

/* The header shares the first record with the beginning of the message. */
static void send_tls(struct raw_peer *peer, const char *message)
{
    unsigned char first[TLS_RECORD_SIZE];
    size_t size = peer->run->size;

    while (meter_tick(&peer->meter)) {
        size_t header = write_header(peer->run, first);
        size_t part = size < sizeof first - header ? size : sizeof first - header;
        memcpy(first + header, message, part);
        raw_write(peer, first, header + part);
        raw_write(peer, message + part, size - part);
    }
}

static void send_masked(struct raw_peer *peer, const char *message)
{
    static unsigned char chunk[FRAME_HEADER_MAX + CHUNK_SIZE];
    size_t size = peer->run->size;

    while (meter_tick(&peer->meter)) {
        size_t header = write_header(peer->run, chunk);
        for (size_t at = 0; at < size; at += CHUNK_SIZE) {
            size_t part = size - at < CHUNK_SIZE ? size - at : CHUNK_SIZE;
            frame_mask((char *)chunk + header, message + at, part);
            raw_write(peer, chunk, header + part);
            header = 0;
        }
    }
}

void raw_send_large(struct raw_peer *peer, char *message)
{
    if (peer->run->layer == RAW_TLS)
        send_tls(peer, message);
    else if (peer->run->layer == RAW_MASKED)
        send_masked(peer, message);
    else
        send_plain(peer, message);
}

static void receive_plain(struct raw_peer *peer, char *message)
{
    unsigned char header[FRAME_HEADER_MAX];
    size_t header_size = write_header(peer->run, header);

    for (;;) {
        struct iovec vectors[2] = {{header, header_size}, {message, peer->run->size}};
        if (!raw_read_two(peer->fd, vectors))
            return;
        meter_tick(&peer->meter);
    }
}

void raw_receive_large(struct raw_peer *peer, char *message)
{
    unsigned char header[FRAME_HEADER_MAX];
    size_t header_size = write_header(peer->run, header);

    if (peer->run->layer == RAW_PLAIN) {
        receive_plain(peer, message);
        return;
    }
    while (raw_read_all(peer, header, header_size) &&
           raw_read_all(peer, message, peer->run->size)) {
        if (peer->run->layer == RAW_MASKED)
            frame_mask(message, message, peer->run->size);
        meter_tick(&peer->meter);
    }
}
