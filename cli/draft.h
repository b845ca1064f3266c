/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Draft functions of the library, looked up at run time: a libzmq without them still runs the
 * command. Where the library lacks one the call fails with ENOTSUP, as if the type refused it.
 */
#ifndef ZLINK_CLI_DRAFT_H
#define ZLINK_CLI_DRAFT_H

#include <stdbool.h>
#include <stdint.h>
#include <zmq.h>

/* Whether draft socket types can be used at all. */
bool cli_draft_available(void);

int cli_draft_join(void *socket, const char *group);
int cli_draft_set_group(zmq_msg_t *message, const char *group);
const char *cli_draft_group(zmq_msg_t *message); /* "" if there is none */
int cli_draft_set_routing_id(zmq_msg_t *message, uint32_t id);
uint32_t cli_draft_routing_id(zmq_msg_t *message);                   /* 0 if there is none */
uint32_t cli_draft_connect_peer(void *socket, const char *endpoint); /* 0 on failure */

#endif
