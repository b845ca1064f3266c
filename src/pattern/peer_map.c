/* SPDX-License-Identifier: MPL-2.0 */
/* Pipes by routing id. */
#include "pattern/peer_map.h"

#include "base/random.h"
#include "core/pipe_base.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct zl_pipe tombstone;

void zl_peer_map_init(struct zl_peer_map *map)
{
    memset(map, 0, sizeof *map);
    map->seed = (uint64_t)zl_random_u32() << 32 | zl_random_u32();
}

void zl_peer_map_free(struct zl_peer_map *map)
{
    free(map->slots);
    zl_peer_map_init(map);
}

/* FNV-1a, from a start that peers cannot know: they choose the ids. */
static size_t hash(const struct zl_peer_map *map, const uint8_t *id, size_t size)
{
    uint64_t value = 0xcbf29ce484222325u ^ map->seed;
    for (size_t i = 0; i < size; i++)
        value = (value ^ id[i]) * 0x100000001b3u;
    return (size_t)(value ^ value >> 29);
}

struct zl_pipe *zl_peer_map_find(const struct zl_peer_map *map, const void *id, size_t size)
{
    if (map->capacity == 0)
        return NULL;
    for (size_t i = hash(map, id, size);; i++) {
        struct zl_pipe *pipe = map->slots[i & (map->capacity - 1)];
        if (!pipe)
            return NULL;
        if (pipe != &tombstone && pipe->routing_id_size == size &&
            memcmp(pipe->routing_id, id, size) == 0)
            return pipe;
    }
}

static void place(const struct zl_peer_map *map, struct zl_pipe **slots, size_t capacity,
                  struct zl_pipe *pipe)
{
    size_t i = hash(map, pipe->routing_id, pipe->routing_id_size);
    while (slots[i & (capacity - 1)])
        i++;
    slots[i & (capacity - 1)] = pipe;
}

/* At most half of the slots are used, so that searches end soon. */
static int rehash(struct zl_peer_map *map)
{
    size_t capacity = 16;
    while (capacity < (map->count + 1) * 4)
        capacity *= 2;
    struct zl_pipe **slots = calloc(capacity, sizeof(struct zl_pipe *));
    if (!slots)
        return -ENOMEM;
    for (size_t i = 0; i < map->capacity; i++)
        if (map->slots[i] && map->slots[i] != &tombstone)
            place(map, slots, capacity, map->slots[i]);
    free(map->slots);
    map->slots = slots;
    map->capacity = capacity;
    map->used = map->count;
    return 0;
}

int zl_peer_map_add(struct zl_peer_map *map, struct zl_pipe *pipe)
{
    if ((map->used + 1) * 2 > map->capacity) {
        int rc = rehash(map);
        if (rc < 0)
            return rc;
    }
    place(map, map->slots, map->capacity, pipe);
    map->count++;
    map->used++;
    return 0;
}

void zl_peer_map_remove(struct zl_peer_map *map, const struct zl_pipe *pipe)
{
    if (map->capacity == 0 || !pipe->routing_id)
        return;
    for (size_t i = hash(map, pipe->routing_id, pipe->routing_id_size);; i++) {
        struct zl_pipe **slot = &map->slots[i & (map->capacity - 1)];
        if (!*slot)
            return;
        if (*slot == pipe) {
            *slot = &tombstone;
            map->count--;
            return;
        }
    }
}
