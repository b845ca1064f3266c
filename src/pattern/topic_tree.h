/* SPDX-License-Identifier: MPL-2.0 */
/* Topic matching: the prefixes that a subscriber asked for, and who asked for which prefix.
 *
 * Both are kept in a radix tree: every node holds a short piece of a topic (its label), the topic
 * of a node is what the labels from the root spell, and no two children of a node start with the
 * same byte. Labels lie inside the node and are limited in size, so a long topic is a chain of
 * nodes; splitting and joining nodes then moves a few bytes and joining needs no memory. A node
 * finds its children through a sorted array of their first bytes.
 *
 * With n the size of the topic or data in bytes:
 *   match       O(n) at worst; stops where no stored topic continues. Never allocates.
 *   add/remove  O(n), and for subscriptions also O(min(s, t)): a scan of the s subscribers of
 *               that prefix or of the t prefixes of that subscriber, whichever are fewer.
 *   walk        O(bytes in all nodes). Topics come in byte order, a prefix before what it begins.
 * Nothing recurses, so neither the length nor the number of topics is limited by the stack.
 * Only the two add functions can run out of memory, and then nothing has changed.
 *
 * Topics are any bytes of any size; the empty one (the pointer may then be NULL) matches
 * everything.
 *
 * Not thread-safe: guarded by the owner (the gate of the socket). A callback must not change or
 * walk the structure that calls it. The topic it is given is valid until it returns. */
#ifndef ZL_PATTERN_TOPIC_TREE_H
#define ZL_PATTERN_TOPIC_TREE_H

#include <stdbool.h>
#include <stddef.h>

/* Private to topic_tree.c. */
struct zl_topic_node;
struct zl_topic_tree {
    struct zl_topic_node *root; /* NULL when there are no topics */
    size_t count;               /* distinct topics */
    unsigned char *spelling;    /* room to spell the longest topic, so that a walk cannot fail */
    size_t spelling_size;
};

/* --- SUB, XSUB: a counted set of prefixes --- */

struct zl_topics {
    struct zl_topic_tree tree;
};

void zl_topics_init(struct zl_topics *topics);

/* Leaves an empty set, ready for use. */
void zl_topics_free(struct zl_topics *topics);

/* Adds one reference. 1: the first to this topic; 0: there were others; -ENOMEM; -EOVERFLOW (2^32
 * references to one topic). */
int zl_topics_add(struct zl_topics *topics, const void *topic, size_t n);

/* Drops one reference. 1: it was the last; 0: others remain; -ENOENT: no such topic. */
int zl_topics_remove(struct zl_topics *topics, const void *topic, size_t n);

/* True when some topic in the set is a prefix of the data. */
bool zl_topics_match(const struct zl_topics *topics, const void *data, size_t n);

/* The number of distinct topics. */
size_t zl_topics_count(const struct zl_topics *topics);

/* Calls back once for each distinct topic. */
void zl_topics_walk(const struct zl_topics *topics,
                    void (*visit)(const void *topic, size_t n, void *arg), void *arg);

/* --- XPUB: prefixes and their subscribers --- */

struct zl_subscriptions {
    struct zl_topic_tree topics;
    struct zl_topic_tree subscribers; /* the same pairs the other way round, by pointer value */
};

void zl_subscriptions_init(struct zl_subscriptions *subscriptions);

/* Leaves it empty, ready for use. The subscribers themselves are not touched. */
void zl_subscriptions_free(struct zl_subscriptions *subscriptions);

/* `subscriber` is only compared, never dereferenced; NULL is as good as any other.
 * 1: the first subscriber of this topic; 0: one more; -EEXIST: this subscriber already has this
 * topic (not counted twice); -ENOMEM; -EOVERFLOW (2^32 subscribers of a topic or topics of a
 * subscriber). */
int zl_subscriptions_add(struct zl_subscriptions *subscriptions, const void *topic, size_t n,
                         void *subscriber);

/* 1: the topic has no subscribers left; 0: others remain; -ENOENT: this subscriber does not have
 * it. */
int zl_subscriptions_remove(struct zl_subscriptions *subscriptions, const void *topic, size_t n,
                            void *subscriber);

/* Calls back for every (topic, subscriber) whose topic is a prefix of the data; so more than once
 * for a subscriber with several matching topics. */
void zl_subscriptions_match(const struct zl_subscriptions *subscriptions, const void *data,
                            size_t n, void (*matched)(void *subscriber, void *arg), void *arg);

/* Forgets a subscriber, calling back after the removal of each of its topics, in no particular
 * order; `last` when that topic has no subscribers left. Costs in proportion to its own topics
 * only. Harmless for an unknown one. `dropped` may be NULL. */
void zl_subscriptions_remove_subscriber(struct zl_subscriptions *subscriptions, void *subscriber,
                                        void (*dropped)(const void *topic, size_t n, bool last,
                                                        void *arg),
                                        void *arg);

/* The number of distinct topics that have subscribers. */
size_t zl_subscriptions_count(const struct zl_subscriptions *subscriptions);

#endif
