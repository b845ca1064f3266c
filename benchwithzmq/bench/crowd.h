/* SPDX-License-Identifier: MPL-2.0 */

/* Many DEALER sockets connected to one ROUTER: what the scale modes have in common. */
#ifndef ZBENCH_CROWD_H
#define ZBENCH_CROWD_H

#include "load.h"

struct crowd {
    struct channel *channels; /* tx is NULL where the connection failed */
    int capacity, count;
    int failures;
};

/* Room for so many; nothing is opened yet. */
void crowd_init(struct crowd *crowd, int capacity);

/* Opens and connects `more` sockets, each of which sends a message and gets its answer. They come
 * in waves that the ROUTER's backlog has room for. */
void crowd_join(struct crowd *crowd, int more, struct peer *peer);

/* The last socket that is connected. Ends the program if there is none. */
struct channel *crowd_last(struct crowd *crowd);

/* The ROUTER, bound, with room for the waves of all. */
void crowd_open_router(struct channel *channel, struct peer *peer);

/* Answers until `ends` peers have sent TAG_END, which is not answered. */
void crowd_answer(struct channel *router, int ends);

#endif
