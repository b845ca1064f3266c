/* SPDX-License-Identifier: MPL-2.0 */
/* What tests do with a scripted link between two looks at it, and what its stream may take. */
#ifndef ZL_TEST_UNIT_CORE_SCRIPTED_STEPS_H
#define ZL_TEST_UNIT_CORE_SCRIPTED_STEPS_H

#include "unit/core/scripted_link.h"

/* Octets to send, such that another place or an octet that is missing shows. */
static uint8_t scripted_text[100000];

static inline void scripted_make_text(void)
{
    for (size_t i = 0; i < sizeof scripted_text; i++)
        scripted_text[i] = (uint8_t)(i * 7 + (i >> 8));
}

/* ---- Steps ------------------------------------------------------------------------------------ */

static inline void scripted_flag(struct scripted_link *script, uint32_t events)
{
    zl_socket_lock(script->socket);
    zl_link_flag_locked(&script->link, events);
    zl_socket_unlock(script->socket);
}

static inline bool scripted_flush(struct scripted_link *script)
{
    zl_socket_lock(script->socket);
    bool any = zl_link_flush_locked(&script->link, (struct zl_flush){0});
    zl_socket_unlock(script->socket);
    return any;
}

static inline size_t scripted_pending(const struct scripted_link *script)
{
    return zl_outq_pending(&script->link.pipe->outq);
}

static inline uint32_t scripted_below(struct scripted_link *script, uint32_t limit)
{
    return octets_random(&script->random) % limit;
}

/* ---- For `accept` ----------------------------------------------------------------------------- */

static inline ssize_t scripted_refuse(struct scripted_link *script, size_t offered)
{
    (void)script;
    (void)offered;
    return 0;
}

static inline ssize_t scripted_take_limit(struct scripted_link *script, size_t offered)
{
    return (ssize_t)(script->limit < offered ? script->limit : offered);
}

/* Nothing, one octet, everything, or anything between. */
static inline ssize_t scripted_take_some(struct scripted_link *script, size_t offered)
{
    switch (scripted_below(script, 4)) {
    case 0:
        return 0;
    case 1:
        return 1;
    case 2:
        return (ssize_t)offered;
    default:
        return 1 + (ssize_t)scripted_below(script, (uint32_t)offered);
    }
}

#endif
