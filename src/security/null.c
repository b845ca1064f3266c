/* SPDX-License-Identifier: MPL-2.0 */
/* The NULL mechanism: both sides send READY at once (wire.md section 6). */
#include "security/mechanism.h"

#include "core/options.h"

#include <errno.h>
#include <stdlib.h>

static int null_start(struct zl_mechanism *mechanism)
{
    uint8_t *metadata;
    size_t size;
    int rc = zl_mechanism_own_metadata(mechanism, &metadata, &size);
    if (rc < 0)
        return rc;
    rc = mechanism->emit(mechanism, "READY", metadata, size);
    free(metadata);
    return rc;
}

static int refused(struct zl_mechanism *mechanism, const struct zl_command *command)
{
    struct zl_error error;
    if (zl_error_parse(command, &error) < 0)
        mechanism->protocol_error = ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_ERROR;
    else
        mechanism->auth_status = zl_error_status(&error);
    return -EPROTO;
}

static int null_command(struct zl_mechanism *mechanism, const uint8_t *body, size_t size)
{
    struct zl_command command;
    if (zl_command_parse(body, size, &command) < 0) {
        mechanism->protocol_error = ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED;
        return -EPROTO;
    }
    if (command.kind == ZL_COMMAND_ERROR)
        return refused(mechanism, &command);
    if (command.kind != ZL_COMMAND_READY) {
        mechanism->protocol_error = ZMQ_PROTOCOL_ERROR_ZMTP_UNEXPECTED_COMMAND;
        return -EPROTO;
    }
    int rc = mechanism->peer_metadata(mechanism, command.data, command.size);
    return rc < 0 ? rc : 1;
}

const struct zl_mechanism_ops zl_null_ops = {
    .name = "NULL",
    .unprompted = true,
    .start = null_start,
    .command = null_command,
};
