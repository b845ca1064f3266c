/* SPDX-License-Identifier: MPL-2.0 */
/* Pipes by routing id: an open-addressing hash table. Gate held. */
#ifndef ZL_PATTERN_PEER_MAP_H
#define ZL_PATTERN_PEER_MAP_H

#include <stddef.h>
#include <stdint.h>

struct zl_pipe;

struct zl_peer_map {
    struct zl_pipe **slots; /* NULL: never used; TOMBSTONE: removed */
    size_t capacity;        /* a power of two, or 0 */
    size_t count;
    size_t used;   /* with tombstones */
    uint64_t seed; /* of the hash; peers cannot know it */
};

void zl_peer_map_init(struct zl_peer_map *map);
void zl_peer_map_free(struct zl_peer_map *map);
/* The pipe whose routing_id is this, or NULL. */
struct zl_pipe *zl_peer_map_find(const struct zl_peer_map *map, const void *id, size_t size);
/* Adds a pipe under its routing_id, which is not in the map. 0 or -ENOMEM. */
int zl_peer_map_add(struct zl_peer_map *map, struct zl_pipe *pipe);
/* Removes this very pipe, if it is there. */
void zl_peer_map_remove(struct zl_peer_map *map, const struct zl_pipe *pipe);

#endif
