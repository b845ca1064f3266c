/* SPDX-License-Identifier: MPL-2.0 */
/* Asking the loop to drive: for whoever lists a link and does not drive himself. Gate held. What the
   loop does then is in core/drive.h, above the links. */
#ifndef ZL_CORE_DRIVE_POST_H
#define ZL_CORE_DRIVE_POST_H

#include <stdbool.h>

struct zl_socket;

/* Whether nobody is sure to drive what has just been listed: no owner is out with the lease, or one
   sleeps with it, who may have consumed the event before the link could be listed. */
bool zl_drive_needs_post(const struct zl_socket *socket);

/* Asks the loop to drive the flagged links, when no caller is sure to. */
void zl_drive_post_locked(struct zl_socket *socket);

#endif
