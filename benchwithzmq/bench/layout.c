/* SPDX-License-Identifier: MPL-2.0 */

/* Dividing sockets among processes. */
#include "layout.h"

struct layout_side layout_share(int sockets)
{
    struct layout_side side = {sockets, sockets <= SOCKETS_ALONE ? sockets : PROCESSES_SHARED};
    return side;
}

int layout_receivers(const struct layout *layout)
{
    return layout->groups * layout->receive.processes;
}

int layout_senders(const struct layout *layout)
{
    return layout->groups * layout->send.processes;
}

/* The first `rest` processes have one socket more than the others. */
static void divide(const struct layout_side *side, int process, struct layout_place *place)
{
    int each = side->sockets / side->processes;
    int rest = side->sockets % side->processes;

    place->first_socket = process * each + (process < rest ? process : rest);
    place->sockets = each + (process < rest);
    place->last = process == side->processes - 1;
}

struct layout_place layout_find(const struct layout *layout, int peer)
{
    struct layout_place place = {.sender = peer >= layout_receivers(layout)};
    const struct layout_side *side = place.sender ? &layout->send : &layout->receive;

    if (place.sender)
        peer -= layout_receivers(layout);
    place.group = peer / side->processes;
    divide(side, peer % side->processes, &place);
    return place;
}
