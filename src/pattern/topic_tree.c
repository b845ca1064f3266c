/* SPDX-License-Identifier: MPL-2.0 */
/* The radix tree behind subscriptions, and its two uses. */
#include "pattern/topic_tree.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Fills the node up to a size that malloc hands out without padding. */
enum { LABEL_MAX = 29 };

enum { SPELLING_MIN = 64 };

/* One half of a (topic, subscriber) pair. The other half lies at index `mirror` among the pairs at
 * the other end. */
struct pair {
    void *end; /* in a topic: the subscriber; in a subscriber: the node of the topic */
    uint32_t mirror;
};

struct zl_topic_node {
    struct zl_topic_node *parent;
    union {
        struct zl_topic_node *only;
        struct zl_topic_node **many; /* followed by their first bytes; both sorted by these */
    } children;                      /* `many` when child_count > 1 */
    union {
        struct pair one;
        struct pair *many;
    } pairs;           /* `many` when capacity > 0; unused in zl_topics */
    uint32_t count;    /* references (zl_topics) or pairs; 0 = no topic ends here */
    uint32_t capacity; /* of pairs.many */
    uint16_t child_count;
    uint8_t length; /* 0 in the root only */
    unsigned char label[LABEL_MAX];
};

/* --- Nodes and their children --- */

static struct zl_topic_node *node_new(const unsigned char *label, size_t length)
{
    struct zl_topic_node *node = malloc(sizeof *node);
    if (!node)
        return NULL;
    memset(node, 0, sizeof *node);
    node->length = (uint8_t)length;
    if (length > 0)
        memcpy(node->label, label, length);
    return node;
}

static void node_free(struct zl_topic_node *node)
{
    if (node->child_count > 1)
        free(node->children.many);
    if (node->capacity > 0)
        free(node->pairs.many);
    free(node);
}

/* Frees a whole subtree. The parent pointers, of no more use, make the list of what is left to do.
 */
static void subtree_free(struct zl_topic_node *top)
{
    if (top)
        top->parent = NULL;
    while (top) {
        struct zl_topic_node *node = top;
        top = node->parent;
        struct zl_topic_node **children =
            node->child_count > 1 ? node->children.many : &node->children.only;
        for (size_t i = 0; i < node->child_count; i++) {
            children[i]->parent = top;
            top = children[i];
        }
        node_free(node);
    }
}

static size_t children_size(size_t count)
{
    return count * (sizeof(struct zl_topic_node *) + 1);
}

/* The first bytes of `count` children that lie in one block. */
static unsigned char *first_bytes(struct zl_topic_node **many, size_t count)
{
    return (unsigned char *)(many + count);
}

/* Where the parent keeps the child that starts with `byte`, or NULL. */
static inline struct zl_topic_node **child_slot(struct zl_topic_node *parent, unsigned char byte)
{
    size_t count = parent->child_count;
    if (count > 1) {
        struct zl_topic_node **many = parent->children.many;
        const unsigned char *bytes = first_bytes(many, count);
        const unsigned char *found = memchr(bytes, byte, count);
        return found ? many + (found - bytes) : NULL;
    }
    if (count == 1 && parent->children.only->label[0] == byte)
        return &parent->children.only;
    return NULL;
}

static int add_child(struct zl_topic_node *parent, struct zl_topic_node *child)
{
    size_t count = parent->child_count;
    if (count == 0) {
        parent->children.only = child;
    } else {
        struct zl_topic_node *only = count == 1 ? parent->children.only : NULL;
        struct zl_topic_node **many =
            realloc(only ? NULL : parent->children.many, children_size(count + 1));
        if (!many)
            return -ENOMEM;
        if (only) {
            many[0] = only;
            *first_bytes(many, 1) = only->label[0];
        }
        unsigned char *bytes = first_bytes(many, count + 1);
        memmove(bytes, first_bytes(many, count), count);
        size_t at = 0;
        while (at < count && bytes[at] < child->label[0])
            at++;
        memmove(many + at + 1, many + at, (count - at) * sizeof(struct zl_topic_node *));
        memmove(bytes + at + 1, bytes + at, count - at);
        many[at] = child;
        bytes[at] = child->label[0];
        parent->children.many = many;
    }
    parent->child_count++;
    child->parent = parent;
    return 0;
}

static void remove_child(struct zl_topic_node *parent, const struct zl_topic_node *child)
{
    size_t count = parent->child_count--;
    if (count == 1) {
        parent->children.only = NULL;
        return;
    }
    struct zl_topic_node **many = parent->children.many;
    if (count == 2) {
        parent->children.only = many[0] == child ? many[1] : many[0];
        free(many);
        return;
    }
    unsigned char *bytes = first_bytes(many, count);
    size_t at = (size_t)((unsigned char *)memchr(bytes, child->label[0], count) - bytes);
    memmove(many + at, many + at + 1, (count - at - 1) * sizeof(struct zl_topic_node *));
    memmove(bytes + at, bytes + at + 1, count - at - 1);
    memmove(first_bytes(many, count - 1), bytes, count - 1);
    many = realloc(many, children_size(count - 1));
    if (many) /* else the block stays larger than needed */
        parent->children.many = many;
}

/* --- The tree --- */

static void tree_init(struct zl_topic_tree *tree)
{
    memset(tree, 0, sizeof *tree);
}

static void tree_free(struct zl_topic_tree *tree)
{
    subtree_free(tree->root);
    free(tree->spelling);
    tree_init(tree);
}

/* The child whose whole label the key starts with, which is then taken off the key; or NULL. */
static inline struct zl_topic_node *step(struct zl_topic_node *node, const unsigned char **key,
                                         size_t *n)
{
    struct zl_topic_node **slot = *n > 0 ? child_slot(node, **key) : NULL;
    if (!slot)
        return NULL;
    struct zl_topic_node *child = *slot;
    size_t length = child->length;
    if (length > *n)
        return NULL;
    for (size_t i = 1; i < length; i++) {
        if (child->label[i] != (*key)[i])
            return NULL;
    }
    *key += length;
    *n -= length;
    return child;
}

static struct zl_topic_node *find(const struct zl_topic_tree *tree, const unsigned char *key,
                                  size_t n)
{
    struct zl_topic_node *node = tree->root;
    while (node && n > 0)
        node = step(node, &key, &n);
    return node;
}

/* Joins a node that neither branches nor ends a topic with its child, if the labels fit into one.
 * The child remains, because pairs may point at it. Returns the node that now covers this place. */
static struct zl_topic_node *join(struct zl_topic_node *node)
{
    struct zl_topic_node *parent = node->parent;
    if (!parent || node->count > 0 || node->child_count != 1)
        return node;
    struct zl_topic_node *child = node->children.only;
    if (node->length + child->length > LABEL_MAX)
        return node;
    memmove(child->label + node->length, child->label, child->length);
    memcpy(child->label, node->label, node->length);
    child->length = (uint8_t)(child->length + node->length);
    child->parent = parent;
    *child_slot(parent, node->label[0]) = child;
    node_free(node);
    return child;
}

/* Removes what only the topic of this node needed. Does nothing while the topic is in use. */
static void prune(struct zl_topic_tree *tree, struct zl_topic_node *node)
{
    while (node && node->count == 0 && node->child_count == 0) {
        struct zl_topic_node *parent = node->parent;
        if (parent)
            remove_child(parent, node);
        else
            tree->root = NULL;
        node_free(node);
        node = parent;
    }
    if (!node)
        return;
    node = join(node);
    if (node->parent)
        join(node->parent);
}

/* Cuts the label of `lower`, which keeps the rest; returns the new node above it or NULL. */
static struct zl_topic_node *split(struct zl_topic_node *lower, size_t length)
{
    struct zl_topic_node *upper = node_new(lower->label, length);
    if (!upper)
        return NULL;
    upper->parent = lower->parent;
    upper->children.only = lower;
    upper->child_count = 1;
    *child_slot(lower->parent, lower->label[0]) = upper;
    lower->parent = upper;
    lower->length = (uint8_t)(lower->length - length);
    memmove(lower->label, lower->label + length, lower->length);
    return upper;
}

/* Hangs the key, n > 0, below a node without such a child. Returns its last node or NULL. */
static struct zl_topic_node *grow(struct zl_topic_node *node, const unsigned char *key, size_t n)
{
    struct zl_topic_node *top = NULL, *bottom = NULL;
    while (n > 0) {
        size_t length = n < LABEL_MAX ? n : LABEL_MAX;
        struct zl_topic_node *next = node_new(key, length);
        if (!next)
            goto failed;
        if (bottom)
            add_child(bottom, next); /* an only child needs no memory */
        else
            top = next;
        bottom = next;
        key += length;
        n -= length;
    }
    if (add_child(node, top) == 0)
        return bottom;
failed:
    subtree_free(top);
    return NULL;
}

static size_t common_length(const struct zl_topic_node *node, const unsigned char *key, size_t n)
{
    size_t limit = node->length < n ? node->length : n;
    size_t i = 0;
    while (i < limit && node->label[i] == key[i])
        i++;
    return i;
}

/* Finds or makes the node of this key; NULL when out of memory. The caller must give a new node a
 * count or prune it. */
static struct zl_topic_node *insert(struct zl_topic_tree *tree, const unsigned char *key, size_t n)
{
    if (!tree->root)
        tree->root = node_new(NULL, 0);
    struct zl_topic_node *node = tree->root;
    if (!node)
        return NULL;
    struct zl_topic_node *next;
    while ((next = step(node, &key, &n)))
        node = next;
    if (n == 0)
        return node;
    struct zl_topic_node **partial = child_slot(node, *key);
    if (partial) {
        size_t common = common_length(*partial, key, n);
        node = split(*partial, common);
        if (!node || n == common)
            return node;
        key += common;
        n -= common;
    }
    struct zl_topic_node *last = grow(node, key, n);
    if (!last)
        prune(tree, node);
    return last;
}

/* Makes room to spell a topic of n bytes. */
static int spelling_reserve(struct zl_topic_tree *tree, size_t n)
{
    if (tree->spelling && n <= tree->spelling_size)
        return 0;
    size_t size = tree->spelling_size ? tree->spelling_size * 2 : SPELLING_MIN;
    if (size < n)
        size = n;
    unsigned char *spelling = realloc(tree->spelling, size);
    if (!spelling)
        return -ENOMEM;
    tree->spelling = spelling;
    tree->spelling_size = size;
    return 0;
}

/* An empty tree holds no memory. */
static void spelling_release(struct zl_topic_tree *tree)
{
    if (!tree->root)
        tree_free(tree);
}

/* Spells the topic of a node at the end of the room, from its last byte back. */
static const unsigned char *spell(const struct zl_topic_tree *tree,
                                  const struct zl_topic_node *node, size_t *n)
{
    size_t at = tree->spelling_size;
    for (; node; node = node->parent) {
        at -= node->length;
        memcpy(tree->spelling + at, node->label, node->length);
    }
    *n = tree->spelling_size - at;
    return tree->spelling + at;
}

static struct zl_topic_node *first_child(const struct zl_topic_node *node)
{
    return node->child_count > 1 ? node->children.many[0] : node->children.only;
}

static struct zl_topic_node *next_sibling(const struct zl_topic_node *node)
{
    struct zl_topic_node *parent = node->parent;
    if (parent->child_count < 2)
        return NULL;
    struct zl_topic_node **next = child_slot(parent, node->label[0]) + 1;
    return next < parent->children.many + parent->child_count ? *next : NULL;
}

/* --- A counted set of prefixes --- */

void zl_topics_init(struct zl_topics *topics)
{
    tree_init(&topics->tree);
}

void zl_topics_free(struct zl_topics *topics)
{
    tree_free(&topics->tree);
}

int zl_topics_add(struct zl_topics *topics, const void *topic, size_t n)
{
    struct zl_topic_tree *tree = &topics->tree;
    int rc = spelling_reserve(tree, n);
    if (rc < 0)
        return rc;
    struct zl_topic_node *node = insert(tree, topic, n);
    if (!node) {
        spelling_release(tree);
        return -ENOMEM;
    }
    if (node->count == UINT32_MAX)
        return -EOVERFLOW;
    if (node->count++ > 0)
        return 0;
    tree->count++;
    return 1;
}

int zl_topics_remove(struct zl_topics *topics, const void *topic, size_t n)
{
    struct zl_topic_tree *tree = &topics->tree;
    struct zl_topic_node *node = find(tree, topic, n);
    if (!node || node->count == 0)
        return -ENOENT;
    if (--node->count > 0)
        return 0;
    tree->count--;
    prune(tree, node);
    spelling_release(tree);
    return 1;
}

bool zl_topics_match(const struct zl_topics *topics, const void *data, size_t n)
{
    const unsigned char *at = data;
    struct zl_topic_node *node = topics->tree.root;
    for (; node; node = step(node, &at, &n)) {
        if (node->count > 0)
            return true;
    }
    return false;
}

size_t zl_topics_count(const struct zl_topics *topics)
{
    return topics->tree.count;
}

void zl_topics_walk(const struct zl_topics *topics,
                    void (*visit)(const void *topic, size_t n, void *arg), void *arg)
{
    unsigned char *spelling = topics->tree.spelling;
    const struct zl_topic_node *node = topics->tree.root;
    size_t n = 0;
    while (node) {
        memcpy(spelling + n, node->label, node->length);
        n += node->length;
        if (node->count > 0)
            visit(spelling, n, arg);
        const struct zl_topic_node *next = first_child(node);
        while (!next && node->parent) {
            next = next_sibling(node);
            n -= node->length;
            node = node->parent;
        }
        node = next;
    }
}

/* --- Prefixes and their subscribers ---
 *
 * A second tree, keyed by the bytes of the subscriber's pointer, holds the same pairs, so that a
 * subscriber's topics are known without a search. */

void zl_subscriptions_init(struct zl_subscriptions *subscriptions)
{
    tree_init(&subscriptions->topics);
    tree_init(&subscriptions->subscribers);
}

void zl_subscriptions_free(struct zl_subscriptions *subscriptions)
{
    tree_free(&subscriptions->topics);
    tree_free(&subscriptions->subscribers);
}

static struct pair *pairs_of(struct zl_topic_node *node)
{
    return node->capacity > 0 ? node->pairs.many : &node->pairs.one;
}

/* Makes room for one more pair. */
static int pairs_reserve(struct zl_topic_node *node)
{
    if (node->count == UINT32_MAX)
        return -EOVERFLOW;
    if (node->count == 0 || node->count < node->capacity)
        return 0;
    uint32_t capacity = 2;
    if (node->capacity > 0)
        capacity = node->capacity <= UINT32_MAX / 2 ? node->capacity * 2 : UINT32_MAX;
    struct pair one = node->pairs.one;
    struct pair *many =
        realloc(node->capacity > 0 ? node->pairs.many : NULL, capacity * sizeof *many);
    if (!many)
        return -ENOMEM;
    if (node->capacity == 0)
        many[0] = one;
    node->pairs.many = many;
    node->capacity = capacity;
    return 0;
}

/* Gives memory back when three quarters of it are unused. */
static void pairs_shrink(struct zl_topic_node *node)
{
    if (node->capacity == 0 || node->count > node->capacity / 4)
        return;
    struct pair *many = node->pairs.many;
    if (node->count <= 1) {
        node->pairs.one = many[0];
        node->capacity = 0;
        free(many);
        return;
    }
    many = realloc(many, node->capacity / 2 * sizeof *many);
    if (!many)
        return;
    node->pairs.many = many;
    node->capacity /= 2;
}

static void pairs_append(struct zl_topic_tree *tree, struct zl_topic_node *node, void *end,
                         uint32_t mirror)
{
    if (node->count == 0)
        tree->count++;
    pairs_of(node)[node->count++] = (struct pair){.end = end, .mirror = mirror};
}

static struct zl_topic_node *find_subscriber(const struct zl_subscriptions *subscriptions,
                                             void *subscriber)
{
    return find(&subscriptions->subscribers, (const unsigned char *)&subscriber, sizeof subscriber);
}

/* Looks where there is less to look at. Gives the index of the pair among those of the topic. */
static bool find_pair(struct zl_topic_node *topic, struct zl_topic_node *holder, void *subscriber,
                      uint32_t *index)
{
    bool in_topic = topic->count <= holder->count;
    struct zl_topic_node *node = in_topic ? topic : holder;
    void *end = in_topic ? subscriber : topic;
    const struct pair *pairs = pairs_of(node);
    for (uint32_t i = 0; i < node->count; i++) {
        if (pairs[i].end == end) {
            *index = in_topic ? i : pairs[i].mirror;
            return true;
        }
    }
    return false;
}

/* Takes out one half of a pair: the last one fills its place. Returns true if one moved, whose
 * other half must then be told. */
static bool pairs_take(struct zl_topic_tree *tree, struct zl_topic_node *node, uint32_t index,
                       struct pair *moved)
{
    struct pair *pairs = pairs_of(node);
    uint32_t last = --node->count;
    *moved = pairs[last];
    pairs[index] = *moved;
    if (node->count == 0)
        tree->count--;
    pairs_shrink(node);
    return index != last;
}

/* Removes both halves; the nodes may go with them. Returns true when the topic has no others. */
static bool remove_pair(struct zl_subscriptions *subscriptions, struct zl_topic_node *topic,
                        struct zl_topic_node *holder, uint32_t index)
{
    struct pair moved;
    uint32_t mirror = pairs_of(topic)[index].mirror;
    if (pairs_take(&subscriptions->topics, topic, index, &moved))
        pairs_of(find_subscriber(subscriptions, moved.end))[moved.mirror].mirror = index;
    if (pairs_take(&subscriptions->subscribers, holder, mirror, &moved))
        pairs_of(moved.end)[moved.mirror].mirror = mirror;
    bool last = topic->count == 0;
    prune(&subscriptions->topics, topic);
    prune(&subscriptions->subscribers, holder);
    return last;
}

int zl_subscriptions_add(struct zl_subscriptions *subscriptions, const void *topic, size_t n,
                         void *subscriber)
{
    struct zl_topic_tree *topics = &subscriptions->topics;
    struct zl_topic_tree *subscribers = &subscriptions->subscribers;
    struct zl_topic_node *node = NULL, *holder = NULL;
    uint32_t index;
    int rc = spelling_reserve(topics, n);
    if (rc < 0)
        return rc;
    rc = -ENOMEM;
    node = insert(topics, topic, n);
    if (!node)
        goto failed;
    holder = insert(subscribers, (const unsigned char *)&subscriber, sizeof subscriber);
    if (!holder)
        goto failed;
    if (find_pair(node, holder, subscriber, &index))
        return -EEXIST;
    rc = pairs_reserve(node);
    if (rc == 0)
        rc = pairs_reserve(holder);
    if (rc < 0)
        goto failed;
    index = node->count;
    pairs_append(topics, node, subscriber, holder->count);
    pairs_append(subscribers, holder, node, index);
    return index == 0;
failed:
    prune(topics, node);
    prune(subscribers, holder);
    spelling_release(topics);
    return rc;
}

int zl_subscriptions_remove(struct zl_subscriptions *subscriptions, const void *topic, size_t n,
                            void *subscriber)
{
    struct zl_topic_node *node = find(&subscriptions->topics, topic, n);
    struct zl_topic_node *holder = find_subscriber(subscriptions, subscriber);
    uint32_t index;
    if (!node || !holder || !find_pair(node, holder, subscriber, &index))
        return -ENOENT;
    bool last = remove_pair(subscriptions, node, holder, index);
    spelling_release(&subscriptions->topics);
    return last;
}

void zl_subscriptions_match(const struct zl_subscriptions *subscriptions, const void *data,
                            size_t n, void (*matched)(void *subscriber, void *arg), void *arg)
{
    const unsigned char *at = data;
    struct zl_topic_node *node = subscriptions->topics.root;
    for (; node; node = step(node, &at, &n)) {
        const struct pair *pairs = pairs_of(node);
        for (uint32_t i = 0; i < node->count; i++)
            matched(pairs[i].end, arg);
    }
}

void zl_subscriptions_remove_subscriber(struct zl_subscriptions *subscriptions, void *subscriber,
                                        void (*dropped)(const void *topic, size_t n, bool last,
                                                        void *arg),
                                        void *arg)
{
    struct zl_topic_node *holder = find_subscriber(subscriptions, subscriber);
    if (!holder)
        return;
    for (uint32_t left = holder->count; left > 0; left--) {
        struct pair pair = pairs_of(holder)[left - 1];
        size_t n;
        const unsigned char *topic = spell(&subscriptions->topics, pair.end, &n);
        bool last = remove_pair(subscriptions, pair.end, holder, pair.mirror);
        if (dropped)
            dropped(topic, n, last, arg);
    }
    spelling_release(&subscriptions->topics);
}

size_t zl_subscriptions_count(const struct zl_subscriptions *subscriptions)
{
    return subscriptions->topics.count;
}
