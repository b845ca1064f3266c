/* SPDX-License-Identifier: MPL-2.0 */
/* From an established transport connection to a ready link, and the last words on it. Everything here
   is called on the link's loop, without the gate unless it says otherwise. */
#ifndef ZL_CORE_LINK_SETUP_H
#define ZL_CORE_LINK_SETUP_H

#include "core/link_base.h"

#include <stdbool.h>
#include <stdint.h>

/* The transport connection is there; setting it up begins. */
void zl_link_established(struct zl_link *link);
void zl_link_on_setup_events(struct zl_link *link, uint32_t events);
void zl_link_setup_timed_out(struct zl_link *link);

/* Gate held, read claim free. A message of the library's own in the peer's input: it keeps its place
   among the peer's messages. */
void zl_link_inject(struct zl_link *link, const uint8_t *data, uint8_t size);

/* Says goodbye where the framing has a way, on a connection whose output is at the end of a message
   (`clean`). error: why it ends, 0 or a negative errno. */
void zl_link_say_goodbye(struct zl_link *link, bool clean, int error);

#endif
