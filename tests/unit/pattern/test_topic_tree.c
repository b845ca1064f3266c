/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of topic matching: against naive models, at the extremes, and with failing allocations.
 * ctest-timeout: 120
 *
 * The source is included so that its allocations can be counted and made to fail, and so that
 * the shape of the tree can be checked. */
#include "support/sanitizer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

/* With a model: the set fills and empties at least twice. */
enum { OPERATIONS = TS_ROUNDS(100000, 24000) };

/* Allocations that exist, that are still granted (-1: all), and of which one in so many fails. */
static size_t live_blocks;
static long granted = -1;
static uint32_t failure_rate;

static uint32_t random_seed;

static uint32_t random_below(uint32_t limit)
{
    random_seed ^= random_seed << 13;
    random_seed ^= random_seed >> 17;
    random_seed ^= random_seed << 5;
    return random_seed % limit;
}

static int must_fail(void)
{
    if (failure_rate > 0 && random_below(failure_rate) == 0)
        return 1;
    if (granted == 0)
        return 1;
    if (granted > 0)
        granted--;
    return 0;
}

static void *test_malloc_hook(size_t size)
{
    void *block = must_fail() ? NULL : malloc(size);
    live_blocks += block != NULL;
    return block;
}

static void *test_realloc_hook(void *old, size_t size)
{
    void *block = must_fail() ? NULL : realloc(old, size);
    live_blocks += block != NULL && old == NULL;
    return block;
}

static void test_free_hook(void *block)
{
    live_blocks -= block != NULL;
    free(block);
}

#define malloc test_malloc_hook
#define realloc test_realloc_hook
#define free test_free_hook
#include "pattern/topic_tree.c"
#undef malloc
#undef realloc
#undef free

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* --- the shape of a tree --- */

static void check_node(const struct zl_topic_node *node)
{
    assert_true(node->length <= LABEL_MAX);
    if (node->parent) {
        assert_true(node->length > 0);
        assert_true(node->count > 0 || node->child_count > 0);
        assert_ptr_equal(*child_slot(node->parent, node->label[0]), node);
    }
    if (node->child_count == 1)
        assert_ptr_equal(node->children.only->parent, node);
    if (node->child_count > 1) {
        const unsigned char *bytes = first_bytes(node->children.many, node->child_count);
        for (size_t i = 0; i < node->child_count; i++) {
            assert_ptr_equal(node->children.many[i]->parent, node);
            assert_int_equal(node->children.many[i]->label[0], bytes[i]);
            assert_true(i == 0 || bytes[i - 1] < bytes[i]);
        }
    }
}

/* Checks every node and returns the next one in walking order. */
static struct zl_topic_node *next_node(struct zl_topic_node *node)
{
    check_node(node);
    struct zl_topic_node *next = first_child(node);
    while (!next && node->parent) {
        next = next_sibling(node);
        node = node->parent;
    }
    return next;
}

static void check_topics_shape(struct zl_topics *topics)
{
    size_t count = 0;
    for (struct zl_topic_node *node = topics->tree.root; node; node = next_node(node))
        count += node->count > 0;
    assert_int_equal(count, zl_topics_count(topics));
}

/* Both halves of every pair point at each other. */
static void check_subscriptions_shape(struct zl_subscriptions *subscriptions)
{
    size_t count = 0, pairs = 0, mirrored = 0;
    struct zl_topic_node *node;
    for (node = subscriptions->topics.root; node; node = next_node(node)) {
        count += node->count > 0;
        pairs += node->count;
        for (uint32_t i = 0; i < node->count; i++) {
            struct pair pair = pairs_of(node)[i];
            struct zl_topic_node *holder = find_subscriber(subscriptions, pair.end);
            assert_non_null(holder);
            assert_true(pair.mirror < holder->count);
            assert_ptr_equal(pairs_of(holder)[pair.mirror].end, node);
            assert_int_equal(pairs_of(holder)[pair.mirror].mirror, i);
        }
    }
    assert_int_equal(count, zl_subscriptions_count(subscriptions));
    for (node = subscriptions->subscribers.root; node; node = next_node(node))
        mirrored += node->count;
    assert_int_equal(mirrored, pairs);
}

/* --- topics to choose from, so that a model can be an array of flags --- */

enum { POOL_MAX = 300, TOPIC_MAX = 100, DATA_MAX = TOPIC_MAX + 10 };

struct topic {
    size_t n;
    unsigned char bytes[DATA_MAX];
};

static struct topic pool[POOL_MAX];
static size_t pool_size;

static int same_topic(const struct topic *topic, const void *bytes, size_t n)
{
    return topic->n == n && memcmp(topic->bytes, bytes, n) == 0;
}

static size_t pool_index(const void *bytes, size_t n)
{
    size_t i = 0;
    while (i < pool_size && !same_topic(&pool[i], bytes, n))
        i++;
    return i;
}

static struct topic random_topic(const unsigned char *alphabet, uint32_t letters, size_t longest)
{
    struct topic topic = {0};
    /* Often a beginning of a known one, so that topics nest and labels are cut anywhere. */
    if (pool_size > 0 && random_below(3) > 0) {
        topic = pool[random_below((uint32_t)pool_size)];
        topic.n = random_below((uint32_t)topic.n + 1);
    }
    size_t more = random_below((uint32_t)(longest - topic.n) + 1);
    if (random_below(2) == 0 && more > 3)
        more = random_below(4);
    while (more-- > 0)
        topic.bytes[topic.n++] = alphabet[random_below(letters)];
    return topic;
}

static void fill_pool(const unsigned char *alphabet, uint32_t letters, size_t longest)
{
    pool_size = 0;
    for (int tries = 0; tries < POOL_MAX * 4 && pool_size < POOL_MAX; tries++) {
        struct topic topic = random_topic(alphabet, letters, longest);
        if (pool_index(topic.bytes, topic.n) == pool_size)
            pool[pool_size++] = topic;
    }
}

static struct topic random_data(const unsigned char *alphabet, uint32_t letters)
{
    struct topic data = pool[random_below((uint32_t)pool_size)];
    data.n = random_below((uint32_t)data.n + 1);
    for (uint32_t more = random_below(10); more > 0; more--)
        data.bytes[data.n++] = alphabet[random_below(letters)];
    return data;
}

static int begins_with(const struct topic *data, const struct topic *topic)
{
    return topic->n <= data->n && memcmp(topic->bytes, data->bytes, topic->n) == 0;
}

/* The data in a block of just its size, where a sanitizer sees a read past its end. */
static void *exact_copy(const struct topic *topic)
{
    void *copy = malloc(topic->n);
    if (topic->n > 0)
        memcpy(copy, topic->bytes, topic->n);
    return copy;
}

/* --- the counted set against a model --- */

static uint32_t references[POOL_MAX];
static uint32_t visits[POOL_MAX];
static struct topic previous_visit;

static void visit_known(const void *topic, size_t n, void *arg)
{
    size_t *visited = arg;
    size_t i = pool_index(topic, n);
    assert_in_range(i, 0, pool_size - 1);
    visits[i]++;
    if ((*visited)++ > 0) {
        size_t shorter = n < previous_visit.n ? n : previous_visit.n;
        int order = memcmp(previous_visit.bytes, topic, shorter);
        assert_true(order < 0 || (order == 0 && previous_visit.n < n));
    }
    previous_visit = pool[i];
}

static void check_topics(struct zl_topics *topics)
{
    size_t visited = 0, expected = 0;
    memset(visits, 0, sizeof visits);
    zl_topics_walk(topics, visit_known, &visited);
    for (size_t i = 0; i < pool_size; i++) {
        assert_int_equal(visits[i], references[i] > 0);
        expected += references[i] > 0;
    }
    assert_int_equal(visited, expected);
    assert_int_equal(zl_topics_count(topics), expected);
    check_topics_shape(topics);
}

static void random_topics_change(struct zl_topics *topics, uint32_t add_percent)
{
    size_t i = random_below((uint32_t)pool_size);
    void *topic = exact_copy(&pool[i]);
    if (random_below(100) < add_percent) {
        int rc = zl_topics_add(topics, topic, pool[i].n);
        if (failure_rate == 0 || rc != -ENOMEM) {
            assert_int_equal(rc, references[i] == 0);
            references[i]++;
        }
    } else {
        int rc = zl_topics_remove(topics, topic, pool[i].n);
        assert_int_equal(rc, references[i] == 0 ? -ENOENT : references[i] == 1);
        references[i] -= references[i] > 0;
    }
    free(topic);
}

static void random_topics_match(struct zl_topics *topics, const unsigned char *alphabet,
                                uint32_t letters)
{
    struct topic data = random_data(alphabet, letters);
    int expected = 0;
    for (size_t i = 0; i < pool_size; i++)
        expected |= references[i] > 0 && begins_with(&data, &pool[i]);
    void *copy = exact_copy(&data);
    assert_int_equal(zl_topics_match(topics, copy, data.n), expected);
    free(copy);
}

/* The set fills and empties in turn; `failures`: one in so many allocations fails. */
static void random_topics(uint32_t seed, const void *alphabet, uint32_t letters, size_t longest,
                          uint32_t failures)
{
    struct zl_topics topics;
    zl_topics_init(&topics);
    random_seed = seed;
    fill_pool(alphabet, letters, longest);
    memset(references, 0, sizeof references);
    failure_rate = failures;
    for (uint32_t operation = 0; operation < OPERATIONS; operation++) {
        static const uint32_t add_percents[] = {80, 20, 50, 5};
        random_topics_change(&topics, add_percents[operation / 2000 % 4]);
        random_topics_match(&topics, alphabet, letters);
        if (operation % 1000 == 0)
            check_topics(&topics);
    }
    check_topics(&topics);
    for (size_t i = 0; i < pool_size; i++) {
        while (references[i] > 0)
            assert_int_equal(zl_topics_remove(&topics, pool[i].bytes, pool[i].n),
                             --references[i] == 0);
    }
    assert_int_equal(live_blocks, 0);
    failure_rate = 0;
    zl_topics_free(&topics);
}

static void test_topics_two_letters(void **state)
{
    (void)state;
    random_topics(1, "ab", 2, 8, 0);
}

static void test_topics_extreme_bytes(void **state)
{
    (void)state;
    random_topics(2, "\0\377\200", 3, 6, 0);
}

static void test_topics_longer_than_labels(void **state)
{
    (void)state;
    random_topics(3, "ab", 2, TOPIC_MAX, 0);
}

static void test_topics_with_many_branches(void **state)
{
    (void)state;
    unsigned char all[256];
    for (int i = 0; i < 256; i++)
        all[i] = (unsigned char)i;
    random_topics(4, all, 256, 2, 0);
}

static void test_topics_with_failing_allocations(void **state)
{
    (void)state;
    random_topics(5, "ab", 2, TOPIC_MAX, 3);
    random_topics(6, "abcdef", 6, 3, 2);
}

/* --- the counted set, case by case --- */

static void test_topics_counts_references(void **state)
{
    (void)state;
    struct zl_topics topics;
    zl_topics_init(&topics);
    assert_int_equal(zl_topics_remove(&topics, "A", 1), -ENOENT);
    assert_int_equal(zl_topics_add(&topics, "A", 1), 1);
    assert_int_equal(zl_topics_add(&topics, "A", 1), 0);
    assert_int_equal(zl_topics_add(&topics, "AB", 2), 1);
    assert_int_equal(zl_topics_count(&topics), 2);
    assert_int_equal(zl_topics_remove(&topics, "A", 1), 0);
    assert_true(zl_topics_match(&topics, "AX", 2));
    assert_int_equal(zl_topics_remove(&topics, "A", 1), 1);
    assert_false(zl_topics_match(&topics, "AX", 2));
    assert_true(zl_topics_match(&topics, "ABX", 3));
    assert_int_equal(zl_topics_remove(&topics, "A", 1), -ENOENT);
    assert_int_equal(zl_topics_remove(&topics, "ABC", 3), -ENOENT);
    zl_topics_free(&topics);
    assert_int_equal(live_blocks, 0);
    assert_int_equal(zl_topics_count(&topics), 0);
    assert_int_equal(zl_topics_add(&topics, "again", 5), 1);
    zl_topics_free(&topics);
}

static void test_topics_reference_overflow(void **state)
{
    (void)state;
    struct zl_topics topics;
    zl_topics_init(&topics);
    assert_int_equal(zl_topics_add(&topics, "A", 1), 1);
    find(&topics.tree, (const unsigned char *)"A", 1)->count = UINT32_MAX;
    assert_int_equal(zl_topics_add(&topics, "A", 1), -EOVERFLOW);
    assert_int_equal(zl_topics_remove(&topics, "A", 1), 0);
    zl_topics_free(&topics);
}

static void test_topics_empty_topic(void **state)
{
    (void)state;
    struct zl_topics topics;
    zl_topics_init(&topics);
    assert_false(zl_topics_match(&topics, NULL, 0));
    assert_int_equal(zl_topics_remove(&topics, NULL, 0), -ENOENT);
    assert_int_equal(zl_topics_add(&topics, "A", 1), 1);
    assert_false(zl_topics_match(&topics, NULL, 0));
    assert_int_equal(zl_topics_remove(&topics, NULL, 0), -ENOENT);
    assert_int_equal(zl_topics_add(&topics, NULL, 0), 1);
    assert_int_equal(zl_topics_add(&topics, "", 0), 0);
    assert_true(zl_topics_match(&topics, NULL, 0));
    assert_true(zl_topics_match(&topics, "B", 1));
    assert_int_equal(zl_topics_count(&topics), 2);
    assert_int_equal(zl_topics_remove(&topics, "", 0), 0);
    assert_int_equal(zl_topics_remove(&topics, NULL, 0), 1);
    assert_false(zl_topics_match(&topics, "B", 1));
    assert_int_equal(zl_topics_remove(&topics, "A", 1), 1);
    assert_int_equal(live_blocks, 0);
    zl_topics_free(&topics);
}

static void count_visit(const void *topic, size_t n, void *arg)
{
    (void)topic;
    (void)n;
    ++*(size_t *)arg;
}

static void expect_length(const void *topic, size_t n, void *arg)
{
    size_t *expected = arg;
    assert_int_equal(n, *expected);
    assert_int_equal(((const char *)topic)[n - 1], 'a');
    ++*expected;
}

static unsigned char *long_topic(size_t n)
{
    unsigned char *bytes = malloc(n);
    assert_non_null(bytes);
    memset(bytes, 'a', n);
    return bytes;
}

/* More nodes above each other than limit_stack leaves room for the smallest of frames. The time
 * grows with the square: each topic is walked from the root. */
static void test_topics_nested_deeply(void **state)
{
    (void)state;
    enum { DEPTH = TS_ROUNDS(20000, 10000) };
    struct zl_topics topics;
    zl_topics_init(&topics);
    unsigned char *bytes = long_topic(DEPTH);
    for (size_t n = DEPTH; n > 0; n--)
        assert_int_equal(zl_topics_add(&topics, bytes, n), 1);
    assert_int_equal(zl_topics_count(&topics), DEPTH);
    size_t expected = 1;
    zl_topics_walk(&topics, expect_length, &expected);
    assert_int_equal(expected, DEPTH + 1);
    check_topics_shape(&topics);
    assert_int_equal(zl_topics_remove(&topics, bytes, DEPTH), 1);
    assert_int_equal(zl_topics_remove(&topics, bytes, DEPTH), -ENOENT);
    for (size_t n = 1; n < 100; n++)
        assert_int_equal(zl_topics_remove(&topics, bytes, n), 1);
    assert_false(zl_topics_match(&topics, bytes, 99));
    assert_true(zl_topics_match(&topics, bytes, 100));
    zl_topics_free(&topics);
    assert_int_equal(live_blocks, 0);
    free(bytes);
}

static void test_topics_long_topic(void **state)
{
    (void)state;
    const size_t n = 1 << 20;
    struct zl_topics topics;
    zl_topics_init(&topics);
    unsigned char *bytes = long_topic(n);
    assert_int_equal(zl_topics_add(&topics, bytes, n), 1);
    assert_true(zl_topics_match(&topics, bytes, n));
    assert_false(zl_topics_match(&topics, bytes, n - 1));
    bytes[n - 1] = 'b';
    assert_false(zl_topics_match(&topics, bytes, n));
    assert_int_equal(zl_topics_add(&topics, bytes, n), 1);
    assert_int_equal(zl_topics_add(&topics, bytes, n / 2), 1);
    size_t visited = 0;
    zl_topics_walk(&topics, count_visit, &visited);
    assert_int_equal(visited, 3);
    check_topics_shape(&topics);
    assert_int_equal(zl_topics_remove(&topics, bytes, n / 2), 1);
    assert_int_equal(zl_topics_remove(&topics, bytes, n), 1);
    bytes[n - 1] = 'a';
    assert_int_equal(zl_topics_remove(&topics, bytes, n), 1);
    assert_int_equal(live_blocks, 0);
    free(bytes);
    zl_topics_free(&topics);
}

/* Cutting a long topic everywhere and taking the cuts back must not leave the pieces behind. */
static void test_topics_pieces_join_again(void **state)
{
    (void)state;
    enum { LENGTH = TS_ROUNDS(20000, 5000) };
    struct zl_topics topics;
    zl_topics_init(&topics);
    unsigned char *bytes = long_topic(LENGTH);
    assert_int_equal(zl_topics_add(&topics, bytes, LENGTH), 1);
    size_t whole = live_blocks;
    for (size_t n = 0; n < LENGTH; n++)
        assert_int_equal(zl_topics_add(&topics, bytes, n), 1);
    assert_int_equal(live_blocks, LENGTH + 2); /* with the root and the room to spell */
    for (size_t i = 0; i < LENGTH; i++)
        assert_int_equal(zl_topics_remove(&topics, bytes, i * 7919 % LENGTH), 1);
    assert_true(live_blocks < whole * 2);
    assert_int_equal(zl_topics_remove(&topics, bytes, LENGTH), 1);
    assert_int_equal(live_blocks, 0);
    free(bytes);
    zl_topics_free(&topics);
}

static void add_string(struct zl_topics *topics, const char *topic)
{
    assert_int_equal(zl_topics_add(topics, topic, strlen(topic)), 1);
}

static void remove_string(struct zl_topics *topics, const char *topic)
{
    assert_int_equal(zl_topics_remove(topics, topic, strlen(topic)), 1);
}

/* Above a node that branches, and so cannot join what is below, a short piece may remain. */
static void test_topics_branch_joins_what_is_above(void **state)
{
    (void)state;
    struct zl_topics topics;
    zl_topics_init(&topics);
    /* Pieces of 29 and 29 bytes, then of 19, 10 and 29, with a topic at the end of the first. */
    add_string(&topics, "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffff");
    add_string(&topics, "aaaaaaaaaabbbbbbbbb");
    add_string(&topics, "aaaaaaaaaabbbbbbbbbbccccccccccddddx");
    size_t before = live_blocks; /* pieces of 19, 10 and 5, and two branches */
    add_string(&topics, "aaaaaaaaaabbbbbbbbbbccccccccccddddy");
    assert_int_equal(live_blocks, before + 1);
    remove_string(&topics, "aaaaaaaaaabbbbbbbbbbccccccccccddddy");
    assert_int_equal(live_blocks, before - 1);
    check_topics_shape(&topics);
    assert_true(zl_topics_match(&topics, "aaaaaaaaaabbbbbbbbb", 19));
    remove_string(&topics, "aaaaaaaaaabbbbbbbbb");
    remove_string(&topics, "aaaaaaaaaabbbbbbbbbbccccccccccddddx");
    remove_string(&topics, "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffff");
    assert_int_equal(live_blocks, 0);
    zl_topics_free(&topics);
}

static void test_topics_very_many(void **state)
{
    (void)state;
    enum { COUNT = TS_ROUNDS(1000000, 100000) };
    struct zl_topics topics;
    zl_topics_init(&topics);
    for (uint32_t i = 0; i < COUNT; i++) {
        uint32_t topic = i * 2654435761u;
        assert_int_equal(zl_topics_add(&topics, &topic, sizeof topic), 1);
    }
    assert_int_equal(zl_topics_count(&topics), COUNT);
    size_t visited = 0;
    zl_topics_walk(&topics, count_visit, &visited);
    assert_int_equal(visited, COUNT);
    for (uint32_t i = 0; i < COUNT; i += 2) {
        uint32_t topic = i * 2654435761u;
        assert_int_equal(zl_topics_remove(&topics, &topic, sizeof topic), 1);
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        uint32_t topic = i * 2654435761u;
        assert_int_equal(zl_topics_match(&topics, &topic, sizeof topic), i % 2);
    }
    zl_topics_free(&topics);
    assert_int_equal(live_blocks, 0);
}

/* --- subscriptions against a model --- */

enum { SUBSCRIBERS = 40 };

static char peers[SUBSCRIBERS][64];
static unsigned char held[POOL_MAX][SUBSCRIBERS];
static uint32_t matches[SUBSCRIBERS];

static uint32_t holders(size_t topic)
{
    uint32_t count = 0;
    for (size_t i = 0; i < SUBSCRIBERS; i++)
        count += held[topic][i];
    return count;
}

static void count_match(void *subscriber, void *arg)
{
    (void)arg;
    size_t i = (size_t)((char *)subscriber - peers[0]) / sizeof peers[0];
    assert_in_range(i, 0, SUBSCRIBERS - 1);
    matches[i]++;
}

static void random_subscriptions_match(struct zl_subscriptions *subscriptions,
                                       const unsigned char *alphabet, uint32_t letters)
{
    struct topic data = random_data(alphabet, letters);
    uint32_t expected[SUBSCRIBERS] = {0};
    for (size_t i = 0; i < pool_size; i++) {
        for (size_t j = 0; j < SUBSCRIBERS && begins_with(&data, &pool[i]); j++)
            expected[j] += held[i][j];
    }
    memset(matches, 0, sizeof matches);
    void *copy = exact_copy(&data);
    zl_subscriptions_match(subscriptions, copy, data.n, count_match, NULL);
    free(copy);
    assert_memory_equal(matches, expected, sizeof expected);
}

static void check_subscriptions(struct zl_subscriptions *subscriptions)
{
    size_t expected = 0;
    for (size_t i = 0; i < pool_size; i++)
        expected += holders(i) > 0;
    assert_int_equal(zl_subscriptions_count(subscriptions), expected);
    check_subscriptions_shape(subscriptions);
}

static void drop_known(const void *topic, size_t n, bool last, void *arg)
{
    size_t peer = *(size_t *)arg;
    size_t i = pool_index(topic, n);
    assert_in_range(i, 0, pool_size - 1);
    assert_int_equal(held[i][peer], 1);
    held[i][peer] = 0;
    assert_int_equal(last, holders(i) == 0);
}

static void drop_subscriber(struct zl_subscriptions *subscriptions, size_t peer)
{
    zl_subscriptions_remove_subscriber(subscriptions, peers[peer], drop_known, &peer);
    for (size_t i = 0; i < pool_size; i++)
        assert_int_equal(held[i][peer], 0);
}

static void random_subscriptions_change(struct zl_subscriptions *subscriptions,
                                        uint32_t add_percent)
{
    size_t i = random_below(2) ? random_below((uint32_t)pool_size) : random_below(5);
    size_t peer = random_below(2) ? random_below(SUBSCRIBERS) : random_below(3);
    void *topic = exact_copy(&pool[i]);
    if (random_below(100) < add_percent) {
        int rc = zl_subscriptions_add(subscriptions, topic, pool[i].n, peers[peer]);
        if (failure_rate == 0 || rc != -ENOMEM) {
            assert_int_equal(rc, held[i][peer] ? -EEXIST : holders(i) == 0);
            held[i][peer] = 1;
        }
    } else {
        int rc = zl_subscriptions_remove(subscriptions, topic, pool[i].n, peers[peer]);
        assert_int_equal(rc, held[i][peer] ? holders(i) == 1 : -ENOENT);
        held[i][peer] = 0;
    }
    free(topic);
}

static void random_subscriptions(uint32_t seed, const void *alphabet, uint32_t letters,
                                 size_t longest, uint32_t failures)
{
    struct zl_subscriptions subscriptions;
    zl_subscriptions_init(&subscriptions);
    random_seed = seed;
    fill_pool(alphabet, letters, longest);
    memset(held, 0, sizeof held);
    failure_rate = failures;
    for (uint32_t operation = 0; operation < OPERATIONS; operation++) {
        static const uint32_t add_percents[] = {90, 20, 60, 5};
        random_subscriptions_change(&subscriptions, add_percents[operation / 3000 % 4]);
        if (operation % 4 == 0)
            random_subscriptions_match(&subscriptions, alphabet, letters);
        if (operation % 100 == 0)
            drop_subscriber(&subscriptions, random_below(SUBSCRIBERS));
        if (operation % 500 == 0)
            check_subscriptions(&subscriptions);
    }
    for (size_t peer = 0; peer < SUBSCRIBERS; peer++) {
        drop_subscriber(&subscriptions, peer);
        check_subscriptions(&subscriptions);
    }
    assert_int_equal(live_blocks, 0);
    failure_rate = 0;
    zl_subscriptions_free(&subscriptions);
}

static void test_subscriptions_two_letters(void **state)
{
    (void)state;
    random_subscriptions(11, "ab", 2, 6, 0);
}

static void test_subscriptions_extreme_bytes(void **state)
{
    (void)state;
    random_subscriptions(12, "\0\377", 2, TOPIC_MAX, 0);
}

static void test_subscriptions_with_failing_allocations(void **state)
{
    (void)state;
    random_subscriptions(13, "abc", 3, 40, 3);
}

/* --- subscriptions, case by case --- */

static void test_subscriptions_results(void **state)
{
    (void)state;
    struct zl_subscriptions subscriptions;
    zl_subscriptions_init(&subscriptions);
    assert_int_equal(zl_subscriptions_remove(&subscriptions, "A", 1, peers[0]), -ENOENT);
    zl_subscriptions_remove_subscriber(&subscriptions, peers[0], NULL, NULL);
    assert_int_equal(zl_subscriptions_add(&subscriptions, "A", 1, peers[0]), 1);
    assert_int_equal(zl_subscriptions_add(&subscriptions, "A", 1, peers[0]), -EEXIST);
    assert_int_equal(zl_subscriptions_add(&subscriptions, "A", 1, peers[1]), 0);
    assert_int_equal(zl_subscriptions_add(&subscriptions, NULL, 0, NULL), 1);
    assert_int_equal(zl_subscriptions_remove(&subscriptions, NULL, 0, peers[0]), -ENOENT);
    assert_int_equal(zl_subscriptions_remove(&subscriptions, NULL, 0, NULL), 1);
    assert_int_equal(zl_subscriptions_remove(&subscriptions, "A", 1, peers[2]), -ENOENT);
    assert_int_equal(zl_subscriptions_remove(&subscriptions, "A", 1, peers[0]), 0);
    assert_int_equal(zl_subscriptions_count(&subscriptions), 1);
    assert_int_equal(zl_subscriptions_remove(&subscriptions, "A", 1, peers[1]), 1);
    assert_int_equal(live_blocks, 0);
    assert_int_equal(zl_subscriptions_add(&subscriptions, "A", 1, peers[1]), 1);
    zl_subscriptions_remove_subscriber(&subscriptions, peers[1], NULL, NULL);
    assert_int_equal(zl_subscriptions_count(&subscriptions), 0);
    zl_subscriptions_free(&subscriptions);
}

static void count_call(void *subscriber, void *arg)
{
    (void)subscriber;
    ++*(size_t *)arg;
}

static void test_subscriptions_many_to_one_topic(void **state)
{
    (void)state;
    enum { COUNT = 10000, SIZE = 448 };
    struct zl_subscriptions subscriptions;
    zl_subscriptions_init(&subscriptions);
    char *many = malloc((size_t)COUNT * SIZE);
    assert_non_null(many);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(zl_subscriptions_add(&subscriptions, "", 0, many + i * SIZE), i == 0);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(zl_subscriptions_add(&subscriptions, "", 0, many + i * SIZE), -EEXIST);
    size_t calls = 0;
    zl_subscriptions_match(&subscriptions, "any", 3, count_call, &calls);
    assert_int_equal(calls, COUNT);
    check_subscriptions_shape(&subscriptions);
    for (size_t i = 0; i < COUNT; i++) {
        char *subscriber = many + i * 7919 % COUNT * SIZE;
        assert_int_equal(zl_subscriptions_remove(&subscriptions, "", 0, subscriber),
                         i == COUNT - 1);
    }
    assert_int_equal(live_blocks, 0);
    free(many);
    zl_subscriptions_free(&subscriptions);
}

static void drop_nested(const void *topic, size_t n, bool last, void *arg)
{
    size_t *sum = arg;
    assert_true(last);
    assert_int_equal(((const char *)topic)[n - 1], 'a');
    *sum += n;
}

static void test_subscriptions_many_topics_of_one(void **state)
{
    (void)state;
    enum { DEPTH = TS_ROUNDS(10000, 5000) };
    struct zl_subscriptions subscriptions;
    zl_subscriptions_init(&subscriptions);
    unsigned char *bytes = long_topic(DEPTH);
    for (size_t n = DEPTH; n > 0; n--)
        assert_int_equal(zl_subscriptions_add(&subscriptions, bytes, n, peers[0]), 1);
    assert_int_equal(zl_subscriptions_add(&subscriptions, "b", 1, peers[1]), 1);
    size_t calls = 0;
    zl_subscriptions_match(&subscriptions, bytes, DEPTH, count_call, &calls);
    assert_int_equal(calls, DEPTH);
    size_t sum = 0;
    zl_subscriptions_remove_subscriber(&subscriptions, peers[0], drop_nested, &sum);
    assert_int_equal(sum, (size_t)DEPTH * (DEPTH + 1) / 2);
    assert_int_equal(zl_subscriptions_count(&subscriptions), 1);
    check_subscriptions_shape(&subscriptions);
    zl_subscriptions_free(&subscriptions);
    assert_int_equal(live_blocks, 0);
    free(bytes);
}

/* --- every single allocation of an add fails in turn --- */

static const char *const steps[] = {
    "market/stock/a",
    "market/stock/b",
    "market/stock/c", /* one more child */
    "market",         /* cuts a label where a topic ends */
    "marble",         /* cuts a label and branches */
    "",
    "a topic longer than any label and than the room to spell has been so far: several nodes",
    "a topic longer than any label and unlike the one before: branches off inside the chain",
};

static void expect_only_steps(struct zl_topics *topics, size_t count)
{
    assert_int_equal(zl_topics_count(topics), count);
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        const unsigned char *bytes = (const unsigned char *)steps[i];
        const struct zl_topic_node *node = find(&topics->tree, bytes, strlen(steps[i]));
        assert_int_equal(node && node->count > 0, i < count);
    }
    check_topics_shape(topics);
}

static void test_topics_each_allocation_fails(void **state)
{
    (void)state;
    struct zl_topics topics;
    zl_topics_init(&topics);
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        long allocations = 0;
        for (;; allocations++) {
            granted = allocations;
            int rc = zl_topics_add(&topics, steps[i], strlen(steps[i]));
            granted = -1;
            if (rc == 1)
                break;
            assert_int_equal(rc, -ENOMEM);
            expect_only_steps(&topics, i);
            assert_true(i > 0 || live_blocks == 0);
        }
        assert_true(allocations > 0 || steps[i][0] == '\0');
        expect_only_steps(&topics, i + 1);
    }
    zl_topics_free(&topics);
    assert_int_equal(live_blocks, 0);
}

static size_t calls_for(struct zl_subscriptions *subscriptions, const char *data)
{
    size_t calls = 0;
    zl_subscriptions_match(subscriptions, data, strlen(data), count_call, &calls);
    return calls;
}

static void test_subscriptions_each_allocation_fails(void **state)
{
    (void)state;
    struct zl_subscriptions subscriptions;
    zl_subscriptions_init(&subscriptions);
    for (size_t i = 0; i < SUBSCRIBERS; i++) {
        const char *topic = steps[i % ARRAY_SIZE(steps)];
        size_t count = zl_subscriptions_count(&subscriptions);
        size_t calls = calls_for(&subscriptions, topic);
        for (long allocations = 0;; allocations++) {
            granted = allocations;
            int rc = zl_subscriptions_add(&subscriptions, topic, strlen(topic), peers[i]);
            granted = -1;
            if (rc >= 0)
                break;
            assert_int_equal(rc, -ENOMEM);
            assert_int_equal(zl_subscriptions_count(&subscriptions), count);
            assert_int_equal(calls_for(&subscriptions, topic), calls);
            assert_int_equal(
                zl_subscriptions_remove(&subscriptions, topic, strlen(topic), peers[i]), -ENOENT);
            check_subscriptions_shape(&subscriptions);
            assert_true(i > 0 || live_blocks == 0);
        }
        assert_int_equal(calls_for(&subscriptions, topic), calls + 1);
    }
    granted = 0; /* taking away needs no memory at all */
    for (size_t i = 0; i < SUBSCRIBERS; i++)
        zl_subscriptions_remove_subscriber(&subscriptions, peers[i], NULL, NULL);
    granted = -1;
    assert_int_equal(live_blocks, 0);
    zl_subscriptions_free(&subscriptions);
}

/* A small stack, so that anything that recurses over a deep tree is found. */
static int limit_stack(void **state)
{
    (void)state;
    struct rlimit limit;
    if (getrlimit(RLIMIT_STACK, &limit) < 0)
        return -1;
    limit.rlim_cur = 512 * 1024;
    return setrlimit(RLIMIT_STACK, &limit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_topics_counts_references),
        cmocka_unit_test(test_topics_reference_overflow),
        cmocka_unit_test(test_topics_empty_topic),
        cmocka_unit_test(test_topics_two_letters),
        cmocka_unit_test(test_topics_extreme_bytes),
        cmocka_unit_test(test_topics_longer_than_labels),
        cmocka_unit_test(test_topics_with_many_branches),
        cmocka_unit_test(test_topics_with_failing_allocations),
        cmocka_unit_test(test_topics_each_allocation_fails),
        cmocka_unit_test(test_topics_nested_deeply),
        cmocka_unit_test(test_topics_long_topic),
        cmocka_unit_test(test_topics_pieces_join_again),
        cmocka_unit_test(test_topics_branch_joins_what_is_above),
        cmocka_unit_test(test_topics_very_many),
        cmocka_unit_test(test_subscriptions_results),
        cmocka_unit_test(test_subscriptions_two_letters),
        cmocka_unit_test(test_subscriptions_extreme_bytes),
        cmocka_unit_test(test_subscriptions_with_failing_allocations),
        cmocka_unit_test(test_subscriptions_each_allocation_fails),
        cmocka_unit_test(test_subscriptions_many_to_one_topic),
        cmocka_unit_test(test_subscriptions_many_topics_of_one),
    };
    return cmocka_run_group_tests(tests, limit_stack, NULL);
}
