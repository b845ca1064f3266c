/* SPDX-License-Identifier: MPL-2.0 */
/* The outbound queue. */
#include "core/outq.h"

#include "wire/zws.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CACHE_LIMIT = 4 };

void zl_outq_init(struct zl_outq *queue)
{
    memset(queue, 0, sizeof *queue);
}

static struct zl_chunk *new_chunk(size_t capacity)
{
    struct zl_chunk *chunk = malloc(sizeof *chunk + capacity);
    if (!chunk)
        return NULL;
    chunk->next = NULL;
    chunk->data = chunk->bytes;
    chunk->size = 0;
    chunk->capacity = capacity;
    return chunk;
}

/* For at least `size` bytes; first: the queue is empty. */
static struct zl_chunk *take_chunk(struct zl_chunk_cache *cache, size_t size, bool first)
{
    struct zl_chunk *chunk = cache->spare;
    if (!chunk)
        return new_chunk(first && size <= ZL_FIRST_CHUNK_SIZE ? ZL_FIRST_CHUNK_SIZE
                                                              : ZL_CHUNK_SIZE);
    cache->spare = chunk->next;
    cache->count--;
    chunk->next = NULL;
    chunk->size = 0;
    return chunk;
}

static void discard_chunk(struct zl_chunk_cache *cache, struct zl_chunk *chunk,
                          struct zl_chunk **garbage)
{
    if (chunk->capacity == ZL_CHUNK_SIZE && cache && cache->count < CACHE_LIMIT) {
        chunk->next = cache->spare;
        cache->spare = chunk;
        cache->count++;
    } else {
        chunk->next = *garbage;
        *garbage = chunk;
    }
}

void zl_chunks_free(struct zl_chunk *list)
{
    while (list) {
        struct zl_chunk *next = list->next;
        if (list->capacity == 0)
            zl_msg_close(&list->msg);
        free(list);
        list = next;
    }
}

static void link_chunk(struct zl_outq *queue, struct zl_chunk *chunk)
{
    if (queue->tail) {
        queue->tail->next = chunk;
    } else {
        queue->head = chunk;
        queue->start.chunk = queue->scan.chunk = chunk;
        queue->sent.chunk = queue->committed.chunk = chunk;
        queue->start.at = queue->scan.at = queue->sent.at = queue->committed.at = 0;
    }
    queue->tail = chunk;
}

/* Room for `size` contiguous bytes at the end, or NULL. */
static uint8_t *reserve(struct zl_outq *queue, struct zl_chunk_cache *cache, size_t size)
{
    struct zl_chunk *tail = queue->tail;
    if (!tail || tail->capacity - tail->size < size || tail->capacity == 0) {
        struct zl_chunk *fresh = take_chunk(cache, size, tail == NULL);
        if (!fresh)
            return NULL;
        link_chunk(queue, fresh);
        tail = fresh;
    }
    return tail->data + tail->size;
}

static void advance_end(struct zl_outq *queue, size_t size)
{
    queue->tail->size += size;
    queue->appended += size;
}

/* A chunk with a copy of the payload; msg stays as it is. */
static struct zl_chunk *copying_chunk(const struct zl_msg *msg)
{
    struct zl_chunk *chunk = new_chunk(0);
    if (!chunk)
        return NULL;
    if (zl_msg_init_copy_of(&chunk->msg, zl_msg_bytes(msg), zl_msg_size(msg)) < 0) {
        free(chunk);
        return NULL;
    }
    chunk->data = zl_msg_data(&chunk->msg);
    chunk->size = zl_msg_size(&chunk->msg);
    return chunk;
}

/* A chunk that owns the payload. */
static struct zl_chunk *reference_chunk(struct zl_msg *msg)
{
    struct zl_chunk *chunk = new_chunk(0);
    if (!chunk)
        return NULL;
    if (zl_msg_detach(msg) < 0) {
        free(chunk);
        return NULL;
    }
    zl_msg_take(&chunk->msg, msg);
    chunk->data = zl_msg_data(&chunk->msg);
    chunk->size = zl_msg_size(&chunk->msg);
    return chunk;
}

static enum zl_websocket_side side_of(enum zl_framing framing)
{
    return framing == ZL_FRAMING_ZWS_CLIENT ? ZL_WEBSOCKET_CLIENT : ZL_WEBSOCKET_SERVER;
}

/* *mask: of the body, 0 for none. */
static size_t put_header(struct zl_outq *queue, uint8_t *place, size_t size, uint8_t frame_flags,
                         uint32_t *mask)
{
    *mask = 0;
    if (queue->framing == ZL_FRAMING_ZMTP)
        return zl_zmtp_put_header(place, frame_flags, size);
    if (queue->framing == ZL_FRAMING_ZWS_CLIENT)
        *mask = zl_random_next(queue->masks);
    return zl_zws_put_header(place, side_of(queue->framing), frame_flags, size, mask);
}

size_t zl_outq_put_zws(struct zl_outq *queue, uint8_t *place, const void *data, size_t size,
                       uint8_t frame_flags)
{
    uint32_t mask;
    size_t header = put_header(queue, place, size, frame_flags, &mask);
    if (size)
        zl_websocket_mask(place + header, data, size, mask);
    return header;
}

/* Where the header goes is reserved first, so that a failure changes nothing. */
static void append_chunk(struct zl_outq *queue, uint8_t *place, struct zl_chunk *chunk,
                         uint8_t frame_flags)
{
    uint32_t mask;
    advance_end(queue, put_header(queue, place, chunk->size, frame_flags, &mask));
    if (mask)
        zl_websocket_mask(chunk->data, chunk->data, chunk->size, mask);
    link_chunk(queue, chunk);
    queue->appended += chunk->size;
}

static int append_reference(struct zl_outq *queue, struct zl_chunk_cache *cache, struct zl_msg *msg,
                            uint8_t frame_flags)
{
    /* What gets masked has to be the queue's own. */
    bool copies = msg->kind == ZL_MSG_BORROWED || queue->framing == ZL_FRAMING_ZWS_CLIENT;
    size_t size = zl_msg_size(msg);
    uint8_t *place = reserve(queue, cache, ZL_FRAME_HEADER_MAX);
    struct zl_chunk *chunk = NULL;
    if (place)
        chunk = copies ? copying_chunk(msg) : reference_chunk(msg);
    if (!chunk)
        return -ENOMEM;
    if (copies)
        queue->bytes_copied += size;
    append_chunk(queue, place, chunk, frame_flags);
    return 0;
}

/* Refers to the caller's memory, and owns the memory that the payload may have to move to. */
static struct zl_chunk *borrowing_chunk(struct zl_msg *msg)
{
    struct zl_chunk *chunk = new_chunk(0);
    if (!chunk)
        return NULL;
    if (zl_msg_init_size(&chunk->msg, zl_msg_size(msg)) < 0) {
        free(chunk);
        return NULL;
    }
    chunk->data = zl_msg_data(msg);
    chunk->size = zl_msg_size(msg);
    return chunk;
}

int zl_outq_append_borrowed(struct zl_outq *queue, struct zl_chunk_cache *cache, struct zl_msg *msg,
                            uint8_t frame_flags)
{
    assert(!queue->borrowed && msg->kind == ZL_MSG_BORROWED);
    uint8_t *place = reserve(queue, cache, ZL_FRAME_HEADER_MAX);
    struct zl_chunk *chunk = place ? borrowing_chunk(msg) : NULL;
    if (!chunk)
        return -ENOMEM;
    append_chunk(queue, place, chunk, frame_flags);
    queue->borrowed = chunk;
    zl_msg_empty(msg);
    return 0;
}

void zl_outq_keep_borrowed(struct zl_outq *queue)
{
    struct zl_chunk *chunk = queue->borrowed;
    if (!chunk)
        return;
    memcpy(zl_msg_data(&chunk->msg), chunk->data, chunk->size);
    chunk->data = zl_msg_data(&chunk->msg);
    queue->bytes_copied += chunk->size;
    queue->borrowed = NULL;
}

int zl_outq_append(struct zl_outq *queue, struct zl_chunk_cache *cache, struct zl_msg *msg,
                   uint8_t frame_flags)
{
    size_t size = zl_msg_size(msg);
    bool copies = msg->kind == ZL_MSG_BORROWED && size < ZL_WRITE_ALONE_MIN;
    if (size >= ZL_REFERENCE_MIN && !copies)
        return append_reference(queue, cache, msg, frame_flags);
    if (!reserve(queue, cache, ZL_FRAME_HEADER_MAX + size))
        return -ENOMEM;
    zl_outq_copy_here(queue, zl_msg_bytes(msg), size, frame_flags);
    return 0;
}

void zl_outq_rollback(struct zl_outq *queue, struct zl_chunk **garbage)
{
    if (!zl_outq_has_open_message(queue))
        return;
    struct zl_chunk *chunk = queue->committed.chunk;
    struct zl_chunk *dropped = chunk->next;
    chunk->size = queue->committed.at;
    chunk->next = NULL;
    queue->tail = chunk;
    queue->appended = queue->committed.offset;
    while (dropped) {
        struct zl_chunk *next = dropped->next;
        discard_chunk(NULL, dropped, garbage);
        dropped = next;
    }
}

int zl_outq_gather(const struct zl_outq *queue, struct iovec *vectors, int capacity, size_t limit,
                   size_t *total)
{
    struct zl_chunk *chunk = queue->sent.chunk;
    size_t at = queue->sent.at;
    size_t left = zl_outq_pending(queue);
    int count = 0;
    *total = 0;
    while (left > 0 && count < capacity && *total < limit) {
        size_t piece = chunk->size - at;
        if (piece > left)
            piece = left;
        if (piece > limit - *total && chunk->capacity > 0)
            piece = limit - *total;
        if (piece > 0) {
            vectors[count].iov_base = chunk->data + at;
            vectors[count].iov_len = piece;
            count++;
            *total += piece;
            left -= piece;
        }
        chunk = chunk->next;
        at = 0;
    }
    return count;
}

/* Moves a position forward over chunk borders. It rests at the end of a chunk rather than at the
   start of the next, which may not exist yet. */
static void move(struct zl_outq_position *position, uint64_t count)
{
    position->offset += count;
    while (count > position->chunk->size - position->at) {
        count -= position->chunk->size - position->at;
        position->chunk = position->chunk->next;
        position->at = 0;
    }
    position->at += (size_t)count;
}

/* From the end of a chunk that is done with to the start of the next, so that the chunk can go. */
static void leave_end(struct zl_outq_position *position)
{
    while (position->at == position->chunk->size && position->chunk->next) {
        position->chunk = position->chunk->next;
        position->at = 0;
    }
}

static void drop_before(struct zl_outq *queue, struct zl_chunk_cache *cache,
                        const struct zl_chunk *keep, struct zl_chunk **garbage)
{
    while (queue->head != keep) {
        struct zl_chunk *chunk = queue->head;
        queue->head = chunk->next;
        if (chunk == queue->borrowed)
            queue->borrowed = NULL;
        discard_chunk(cache, chunk, garbage);
    }
}

/* Our own encoding, always in one piece. */
static void get_header(const struct zl_outq *queue, const uint8_t *at, const uint8_t *end,
                       struct zl_frame_header *header)
{
    int rc;
    if (queue->framing == ZL_FRAMING_ZMTP) {
        rc = zl_zmtp_get_header(at, end, header);
    } else {
        struct zl_zws_reader reader;
        struct zl_zws_header zws;
        bool client = queue->framing == ZL_FRAMING_ZWS_CLIENT;
        zl_zws_reader_init(&reader, client ? ZL_WEBSOCKET_SERVER : ZL_WEBSOCKET_CLIENT, -1);
        rc = zl_zws_get_header(&reader, at, end, &zws);
        *header = zws.frame;
    }
    assert(rc > 0);
    (void)rc;
}

/* Size of the frame at the position; *more tells whether its message goes on. */
static uint64_t frame_at(const struct zl_outq *queue, const struct zl_outq_position *position,
                         bool *more)
{
    const struct zl_chunk *chunk = position->chunk;
    size_t at = position->at;
    while (at == chunk->size) {
        chunk = chunk->next;
        at = 0;
    }
    struct zl_frame_header header;
    get_header(queue, chunk->data + at, chunk->data + chunk->size, &header);
    *more = header.flags & ZL_FRAME_MORE;
    return header.header_size + header.body_size;
}

static void scan_messages(struct zl_outq *queue)
{
    while (queue->scan.offset < queue->sent.offset) {
        bool more;
        uint64_t size = frame_at(queue, &queue->scan, &more);
        if (queue->scan.offset + size > queue->sent.offset)
            break;
        move(&queue->scan, size);
        if (!more) {
            queue->start = queue->scan;
            queue->messages--;
        }
    }
}

void zl_outq_consume(struct zl_outq *queue, struct zl_chunk_cache *cache, size_t count,
                     struct zl_chunk **garbage)
{
    if (count == zl_outq_pending(queue)) {
        queue->sent = queue->committed;
        queue->scan = queue->committed;
        queue->start = queue->committed;
        queue->messages = 0;
    } else {
        move(&queue->sent, count);
        scan_messages(queue);
    }
    leave_end(&queue->start);
    leave_end(&queue->scan);
    leave_end(&queue->sent);
    leave_end(&queue->committed);
    drop_before(queue, cache, queue->start.chunk, garbage);
    if (queue->start.offset == queue->appended) {
        /* Completely empty: an idle link keeps no memory. */
        drop_before(queue, cache, NULL, garbage);
        queue->tail = NULL;
    }
}

size_t zl_outq_first_message_size(const struct zl_outq *queue)
{
    struct zl_outq_position at = queue->sent;
    bool more = true;
    while (more && at.offset < queue->committed.offset)
        move(&at, frame_at(queue, &at, &more));
    return (size_t)(at.offset - queue->sent.offset);
}

void zl_outq_copy(const struct zl_outq *queue, uint8_t *destination, size_t size)
{
    const struct zl_chunk *chunk = queue->sent.chunk;
    size_t at = queue->sent.at;
    while (size > 0) {
        size_t piece = chunk->size - at < size ? chunk->size - at : size;
        memcpy(destination, chunk->data + at, piece);
        destination += piece;
        size -= piece;
        chunk = chunk->next;
        at = 0;
    }
}

void zl_outq_rewind(struct zl_outq *queue)
{
    queue->sent = queue->start;
    queue->scan = queue->start;
}

void zl_outq_clear(struct zl_outq *queue, struct zl_chunk **garbage)
{
    while (queue->head) {
        struct zl_chunk *chunk = queue->head;
        queue->head = chunk->next;
        discard_chunk(NULL, chunk, garbage);
    }
    enum zl_framing framing = queue->framing;
    struct zl_random_pool *masks = queue->masks;
    uint64_t copied = queue->bytes_copied;
    zl_outq_init(queue);
    queue->framing = framing;
    queue->masks = masks;
    queue->bytes_copied = copied;
}
