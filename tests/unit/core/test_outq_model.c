/* SPDX-License-Identifier: MPL-2.0 */
/* Random operations on the outbound queue. What leaves it is parsed as the peer would parse it:
   whatever was appended, taken back, written in pieces and sent again over new connections, the
   peer must get every committed message once, whole and in order. */
#include "unit/wire/octets.h"

#include "core/outq.h"
#include "wire/zmtp.h"

enum { OPERATIONS = 2500, PARTS_MAX = 4, VECTORS_MAX = 9, PART_MAX = 70000 };

/* Every message follows from its number and the seed, so that nothing has to be remembered. */
static uint32_t mix(uint64_t seed, uint32_t message, uint32_t part)
{
    uint64_t value = seed * 1000003 + message * 7919u + part;
    for (int i = 0; i < 3; i++)
        octets_random(&value);
    return octets_random(&value);
}

static uint32_t parts_of(uint64_t seed, uint32_t message)
{
    uint32_t random = mix(seed, message, 1000);
    return random % 3 ? 1 : 1 + random / 3 % PARTS_MAX;
}

static size_t size_of(uint64_t seed, uint32_t message, uint32_t part)
{
    static const size_t borders[] = {0, 1, 33, 34, 255, 256, 8191, 8192, 65526, 65527};
    uint32_t random = mix(seed, message, part);
    switch (random % 16) {
    case 0:
        return borders[random / 16 % (sizeof borders / sizeof *borders)];
    case 1:
        return random / 16 % PART_MAX;
    case 2:
        return random / 16 % 20000;
    default:
        return random / 16 % 300;
    }
}

/* Any stretch of this may be a payload; where it begins tells payloads apart. */
static uint8_t text[2 * PART_MAX];

static const uint8_t *payload_of(uint64_t seed, uint32_t message, uint32_t part)
{
    return text + mix(seed, message, part + 100) % PART_MAX;
}

/* ---- The peer: what it has got ---- */

struct peer {
    uint64_t seed;
    uint32_t message; /* the next one */
    uint32_t part;
    uint8_t *bytes; /* of the connection, not yet parsed */
    size_t size;
    size_t capacity;
};

static size_t take_frame(struct peer *peer)
{
    struct zl_frame_header header;
    int rc = zl_zmtp_get_header(peer->bytes, peer->bytes + peer->size, &header);
    assert_true(rc >= 0);
    if (rc == 0 || peer->size - header.header_size < header.body_size)
        return 0;
    size_t size = size_of(peer->seed, peer->message, peer->part);
    bool more = peer->part + 1 < parts_of(peer->seed, peer->message);
    assert_int_equal(header.body_size, size);
    assert_int_equal(header.flags, more ? ZL_FRAME_MORE : 0);
    assert_memory_equal(peer->bytes + header.header_size,
                        payload_of(peer->seed, peer->message, peer->part), size);
    peer->part++;
    if (!more) {
        peer->message++;
        peer->part = 0;
    }
    return header.header_size + size;
}

static void receive(struct peer *peer, const uint8_t *bytes, size_t size)
{
    if (peer->size + size > peer->capacity) {
        peer->capacity = 2 * (peer->size + size);
        peer->bytes = realloc(peer->bytes, peer->capacity);
        assert_non_null(peer->bytes);
    }
    memcpy(peer->bytes + peer->size, bytes, size);
    peer->size += size;
    size_t frame;
    while (peer->size > 0 && (frame = take_frame(peer)) > 0) {
        peer->size -= frame;
        memmove(peer->bytes, peer->bytes + frame, peer->size);
    }
}

/* The unfinished message is worth nothing on the next connection. */
static void lose_connection(struct peer *peer)
{
    peer->size = 0;
    peer->part = 0;
}

/* ---- The queue under test ---- */

struct model {
    uint64_t random;
    struct zl_outq queue;
    struct zl_chunk_cache cache;
    struct zl_chunk *garbage;
    struct peer peer;
    uint32_t committed; /* whole messages */
    uint32_t parts;     /* of the open one */
    size_t pending;     /* octets, counted independently */
    size_t open;
    unsigned taken; /* payloads with a free function */
    unsigned freed;
};

static void note_freed(void *data, void *hint)
{
    struct model *model = hint;
    (void)data;
    model->freed++;
}

/* A message of some kind with that payload. */
static void make(struct model *m, struct zl_msg *msg, const uint8_t *data, size_t size)
{
    switch (octets_random(&m->random) % 3) {
    case 0:
        zl_msg_borrow(msg, data, size);
        break;
    case 1:
        assert_int_equal(zl_msg_init_copy_of(msg, data, size), 0);
        break;
    default:
        assert_int_equal(zl_msg_init_data(msg, (void *)(uintptr_t)data, size, note_freed, m), 0);
        m->taken++;
    }
}

static void append(struct model *m)
{
    uint64_t seed = m->peer.seed;
    size_t size = size_of(seed, m->committed, m->parts);
    bool last = m->parts + 1 == parts_of(seed, m->committed);
    struct zl_msg msg;
    make(m, &msg, payload_of(seed, m->committed, m->parts), size);
    assert_int_equal(zl_outq_append(&m->queue, &m->cache, &msg, last ? 0 : ZL_FRAME_MORE), 0);
    zl_msg_close(&msg);
    m->open += zl_zmtp_header_size(size) + size;
    m->parts++;
    if (!last)
        return;
    zl_outq_commit(&m->queue);
    m->committed++;
    m->parts = 0;
    m->pending += m->open;
    m->open = 0;
}

static void take_back(struct model *m)
{
    zl_outq_rollback(&m->queue, &m->garbage);
    m->parts = 0;
    m->open = 0;
}

static void write_some(struct model *m)
{
    struct iovec vectors[VECTORS_MAX];
    int capacity = 1 + (int)(octets_random(&m->random) % VECTORS_MAX);
    size_t limit = 1 + octets_random(&m->random) % 100000, total;
    int count = zl_outq_gather(&m->queue, vectors, capacity, limit, &total);
    assert_in_range(count, m->pending > 0, capacity);
    assert_in_range(total, m->pending > 0, m->pending);
    if (count == 0)
        return;
    /* While the kernel has them, others go on appending. */
    for (unsigned i = octets_random(&m->random) % 4; i > 0; i--)
        append(m);
    if (octets_random(&m->random) % 4 == 0)
        take_back(m);
    /* The kernel takes some or all of it. */
    size_t taken = octets_random(&m->random) % 3 ? total : 1 + octets_random(&m->random) % total;
    size_t left = taken, sum = 0;
    for (int i = 0; i < count; i++) {
        size_t piece = vectors[i].iov_len < left ? vectors[i].iov_len : left;
        assert_true(vectors[i].iov_len > 0);
        sum += vectors[i].iov_len;
        receive(&m->peer, vectors[i].iov_base, piece);
        left -= piece;
    }
    assert_int_equal(sum, total);
    zl_outq_consume(&m->queue, &m->cache, taken, &m->garbage);
    m->pending -= taken;
}

static void reconnect(struct model *m)
{
    struct peer *peer = &m->peer;
    /* What the peer has of the unfinished message comes again. */
    for (uint32_t part = 0; part < peer->part; part++) {
        size_t size = size_of(peer->seed, peer->message, part);
        m->pending += zl_zmtp_header_size(size) + size;
    }
    m->pending += peer->size;
    lose_connection(peer);
    zl_outq_rewind(&m->queue);
}

static void check(struct model *m)
{
    struct zl_outq *queue = &m->queue;
    assert_int_equal(zl_outq_pending(queue), m->pending);
    assert_int_equal(queue->messages, m->committed - m->peer.message);
    assert_int_equal(zl_outq_has_open_message(queue), m->parts > 0);
    bool boundary = m->peer.part == 0 && m->peer.size == 0;
    assert_int_equal(zl_outq_at_boundary(queue), boundary);
    if (boundary) {
        size_t first = 0;
        for (uint32_t i = 0; m->pending && i < parts_of(m->peer.seed, m->peer.message); i++) {
            size_t size = size_of(m->peer.seed, m->peer.message, i);
            first += zl_zmtp_header_size(size) + size;
        }
        assert_int_equal(zl_outq_first_message_size(queue), first);
    }
    zl_chunks_free(m->garbage);
    m->garbage = NULL;
}

static void operate(struct model *m)
{
    switch (octets_random(&m->random) % 32) {
    case 0:
        take_back(m);
        break;
    case 1:
        reconnect(m);
        break;
    case 2: /* a pause: all is written */
        while (m->pending > 0)
            write_some(m);
        break;
    default:
        if (octets_random(&m->random) % 4 == 0)
            write_some(m);
        else
            append(m);
    }
}

static void run(uint64_t seed)
{
    struct model *m = calloc(1, sizeof *m);
    assert_non_null(m);
    m->random = m->peer.seed = seed;
    zl_outq_init(&m->queue);
    for (int i = 0; i < OPERATIONS; i++) {
        operate(m);
        check(m);
    }
    take_back(m);
    reconnect(m);
    while (m->pending > 0 || m->parts > 0) {
        write_some(m);
        take_back(m);
        check(m);
    }
    assert_int_equal(m->peer.message, m->committed);
    /* Idle: whatever happened, one more message leaves nothing behind. */
    while (m->parts > 0 || m->committed == m->peer.message)
        append(m);
    zl_outq_consume(&m->queue, &m->cache, zl_outq_pending(&m->queue), &m->garbage);
    assert_null(m->queue.head);
    zl_chunks_free(m->garbage);
    assert_int_equal(m->freed, m->taken);
    zl_chunks_free(m->cache.spare);
    free(m->peer.bytes);
    free(m);
}

static void the_peer_gets_every_message_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i * 31 + (i >> 8) * 17 + (i >> 16));
    for (uint64_t seed = 1; seed <= 12; seed++)
        run(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_peer_gets_every_message_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
