/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Who does what in a run. A run has one or more independent groups; a group has senders and
 * receivers, each side its own number of sockets in its own number of processes (threads for
 * inproc). Peers, the processes, are numbered: receivers of all groups first, then senders.
 */
#ifndef ZBENCH_LAYOUT_H
#define ZBENCH_LAYOUT_H

#include <stdbool.h>

#define SOCKETS_ALONE 16   /* up to so many sockets of a side are each given a process */
#define PROCESSES_SHARED 8 /* more sockets share so many processes */

struct layout_side {
    int sockets, processes; /* of one group */
};

struct layout {
    int groups;
    struct layout_side receive, send;
};

struct layout_place {
    int group;
    bool sender;
    int first_socket, sockets; /* which ones of the group's side are this peer's */
    bool last;                 /* of its side in the group */
};

struct layout_side layout_share(int sockets);

int layout_receivers(const struct layout *layout);
int layout_senders(const struct layout *layout);

struct layout_place layout_find(const struct layout *layout, int peer);

#endif
