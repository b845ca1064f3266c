/* SPDX-License-Identifier: MPL-2.0 */
/* Intrusive circular doubly linked list. A node outside any list points at itself. */
#ifndef ZL_BASE_LIST_H
#define ZL_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct zl_list {
    struct zl_list *next;
    struct zl_list *prev;
};

#define zl_container_of(pointer, type, member)                                                     \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

static inline void zl_list_init(struct zl_list *node)
{
    node->next = node;
    node->prev = node;
}

static inline bool zl_list_empty(const struct zl_list *list)
{
    return list->next == list;
}

/* True while the node is a member of some list. */
static inline bool zl_list_linked(const struct zl_list *node)
{
    return node->next != node;
}

static inline void zl_list_append(struct zl_list *list, struct zl_list *node)
{
    node->prev = list->prev;
    node->next = list;
    list->prev->next = node;
    list->prev = node;
}

/* Harmless on a node that is in no list. */
static inline void zl_list_remove(struct zl_list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    zl_list_init(node);
}

/* Takes the first node out, or returns NULL. */
static inline struct zl_list *zl_list_pop(struct zl_list *list)
{
    struct zl_list *node = list->next;
    if (node == list)
        return NULL;
    zl_list_remove(node);
    return node;
}

#define zl_list_for(iterator, list)                                                                \
    for (struct zl_list *iterator = (list)->next; iterator != (list); iterator = iterator->next)

/* Allows the current node to be removed inside the body. */
#define zl_list_for_safe(iterator, list)                                                           \
    for (struct zl_list *iterator = (list)->next, *iterator##_next = iterator->next;               \
         iterator != (list); iterator = iterator##_next, iterator##_next = iterator->next)

#endif
