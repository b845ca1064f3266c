/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of the map from routing ids to pipes, most of all against a plain table. */
#include "unit/wire/octets.h"

#include "core/pipe.h"
#include "pattern/peer_map.h"

/* A pipe that belongs to no socket. */
static struct zl_pipe *new_pipe(const void *id, size_t size)
{
    struct zl_pipe *pipe = zl_pipe_new(NULL, 0, 0);
    assert_non_null(pipe);
    assert_int_equal(zl_pipe_set_routing_id(pipe, id, size), 0);
    return pipe;
}

static void an_empty_map_finds_nothing(void **state)
{
    struct zl_peer_map map;
    (void)state;
    zl_peer_map_init(&map);
    assert_null(zl_peer_map_find(&map, "a", 1));
    struct zl_pipe *pipe = new_pipe("a", 1);
    zl_peer_map_remove(&map, pipe);
    zl_peer_map_free(&map);
    zl_peer_map_free(&map);
    zl_pipe_release(pipe);
}

static void ids_are_compared_to_their_last_octet(void **state)
{
    static const struct {
        const char *id;
        size_t size;
    } ids[] = {{"a", 1},  {"aa", 2},   {"ab", 2},     {"a\0", 2},   {"\0a", 2},
               {"\0", 1}, {"\0\0", 2}, {"\0bcde", 5}, {"\0bcdf", 5}};
    enum { IDS = sizeof ids / sizeof *ids };
    struct zl_pipe *pipes[IDS];
    struct zl_peer_map map;
    (void)state;
    zl_peer_map_init(&map);
    for (int i = 0; i < IDS; i++) {
        assert_null(zl_peer_map_find(&map, ids[i].id, ids[i].size));
        pipes[i] = new_pipe(ids[i].id, ids[i].size);
        assert_int_equal(zl_peer_map_add(&map, pipes[i]), 0);
    }
    for (int i = 0; i < IDS; i++)
        assert_ptr_equal(zl_peer_map_find(&map, ids[i].id, ids[i].size), pipes[i]);
    assert_null(zl_peer_map_find(&map, "aaa", 3));
    assert_null(zl_peer_map_find(&map, "b", 1));
    assert_null(zl_peer_map_find(&map, "\0bcd", 4));
    for (int i = 0; i < IDS; i++) {
        zl_peer_map_remove(&map, pipes[i]);
        zl_pipe_release(pipes[i]);
    }
    zl_peer_map_free(&map);
}

/* A newcomer with a name that is taken is not in the map, so removing it must not remove the first. */
static void removing_is_about_the_pipe_not_its_name(void **state)
{
    struct zl_pipe *first = new_pipe("same", 4), *second = new_pipe("same", 4);
    struct zl_peer_map map;
    (void)state;
    zl_peer_map_init(&map);
    assert_int_equal(zl_peer_map_add(&map, first), 0);
    zl_peer_map_remove(&map, second);
    assert_ptr_equal(zl_peer_map_find(&map, "same", 4), first);
    assert_int_equal(map.count, 1);
    zl_peer_map_remove(&map, first);
    assert_null(zl_peer_map_find(&map, "same", 4));
    assert_int_equal(map.count, 0);
    zl_peer_map_remove(&map, first); /* harmless */
    assert_int_equal(map.count, 0);
    assert_int_equal(zl_peer_map_add(&map, second), 0);
    assert_ptr_equal(zl_peer_map_find(&map, "same", 4), second);
    zl_peer_map_free(&map);
    zl_pipe_release(first);
    zl_pipe_release(second);
}

static void a_pipe_without_id_is_not_there(void **state)
{
    struct zl_pipe *named = new_pipe("a", 1), *nameless = new_pipe(NULL, 0);
    struct zl_peer_map map;
    (void)state;
    zl_peer_map_init(&map);
    assert_int_equal(zl_peer_map_add(&map, named), 0);
    zl_peer_map_remove(&map, nameless);
    assert_int_equal(map.count, 1);
    zl_peer_map_free(&map);
    zl_pipe_release(named);
    zl_pipe_release(nameless);
}

/* Peers that come and go for ever, few at a time, neither fill the map nor make it grow. */
static void the_map_stays_small_while_peers_come_and_go(void **state)
{
    struct zl_peer_map map;
    (void)state;
    zl_peer_map_init(&map);
    for (uint32_t i = 0; i < 20000; i++) {
        struct zl_pipe *pipe = new_pipe(&i, sizeof i);
        assert_int_equal(zl_peer_map_add(&map, pipe), 0);
        assert_ptr_equal(zl_peer_map_find(&map, &i, sizeof i), pipe);
        zl_peer_map_remove(&map, pipe);
        assert_null(zl_peer_map_find(&map, &i, sizeof i));
        zl_pipe_release(pipe);
    }
    assert_int_equal(map.count, 0);
    assert_true(map.capacity <= 64);
    zl_peer_map_free(&map);
}

enum { PIPES = 600, OPERATIONS = 60000 };

static void agrees_with_a_plain_table(void **state)
{
    struct zl_pipe *pipes[PIPES];
    bool present[PIPES] = {false};
    size_t count = 0;
    uint64_t random = 4;
    struct zl_peer_map map;
    (void)state;
    zl_peer_map_init(&map);
    for (unsigned i = 0; i < PIPES; i++) {
        /* Alike, and of all lengths. */
        uint8_t id[255] = {(uint8_t)(i >> 8), (uint8_t)i};
        pipes[i] = new_pipe(id, 2 + i % 254);
    }
    for (unsigned operation = 0; operation < OPERATIONS; operation++) {
        /* Phases with few and with many pipes. */
        unsigned range = operation / 6000 % 2 ? PIPES : 20;
        unsigned index = octets_random(&random) % range;
        struct zl_pipe *pipe = pipes[index];
        if (octets_random(&random) % 2 && !present[index]) {
            assert_int_equal(zl_peer_map_add(&map, pipe), 0);
            present[index] = true;
            count++;
        } else if (present[index] && octets_random(&random) % 2) {
            zl_peer_map_remove(&map, pipe);
            present[index] = false;
            count--;
        }
        index = octets_random(&random) % PIPES;
        pipe = pipes[index];
        assert_ptr_equal(zl_peer_map_find(&map, pipe->routing_id, pipe->routing_id_size),
                         present[index] ? pipe : NULL);
        assert_int_equal(map.count, count);
        assert_true(map.used * 2 <= map.capacity); /* so that every search ends */
    }
    zl_peer_map_free(&map);
    for (unsigned i = 0; i < PIPES; i++)
        zl_pipe_release(pipes[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_map_finds_nothing),
        cmocka_unit_test(ids_are_compared_to_their_last_octet),
        cmocka_unit_test(removing_is_about_the_pipe_not_its_name),
        cmocka_unit_test(a_pipe_without_id_is_not_there),
        cmocka_unit_test(the_map_stays_small_while_peers_come_and_go),
        cmocka_unit_test(agrees_with_a_plain_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
