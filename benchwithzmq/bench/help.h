/* SPDX-License-Identifier: MPL-2.0 */

/* What `zbench --help` prints. */
#ifndef ZBENCH_HELP_H
#define ZBENCH_HELP_H

extern const char zbench_help[];

#endif
