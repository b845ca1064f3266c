/* SPDX-License-Identifier: MPL-2.0 */
/* A sender's turn on a core that its receiver may be waiting for. A thread that writes and never sleeps
 * in the library is taken off its core only when its time slice is used up, milliseconds later, and for
 * so long its receiver waits. So it gives the core away once in a while by itself. Each thread has a
 * turn of its own: no locks. */
#ifndef ZL_CORE_TURN_H
#define ZL_CORE_TURN_H

#include <stdbool.h>

/* After a write. True if the calling thread has been writing for long enough without a wait in the
 * library or a long pause: zl_turn_give_away() is due. */
bool zl_turn_is_over(void);

/* Lets others run, if there are any; no lock is held. Who has to stay away for long shares the core
 * with programs that use up whole time slices, and would get little of it: turns become longer. */
void zl_turn_give_away(void);

/* The thread has waited in the library: its turn begins anew. */
void zl_turn_waited(void);

#endif
