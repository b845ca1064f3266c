/* SPDX-License-Identifier: MPL-2.0 */
/* What mechanisms share. */
#include "security/mechanism.h"

#include "core/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int zl_mechanism_own_metadata(const struct zl_mechanism *mechanism, uint8_t **data, size_t *size)
{
    const struct zl_options *options = mechanism->options;
    size_t capacity = ZL_METADATA_OWN_MAX;
    for (size_t i = 0; i < options->metadata.count; i++)
        capacity += zl_metadata_size(options->metadata.items[i].name,
                                     strlen(options->metadata.items[i].value));
    uint8_t *buffer = malloc(capacity);
    if (!buffer)
        return -ENOMEM;
    size_t used = zl_metadata_put_own(buffer, capacity, mechanism->socket_type, options->routing_id,
                                      options->routing_id_size);
    for (size_t i = 0; i < options->metadata.count; i++) {
        const struct zl_option_property *property = &options->metadata.items[i];
        used += zl_metadata_put(buffer + used, capacity - used, property->name, property->value,
                                strlen(property->value));
    }
    *data = buffer;
    *size = used;
    return 0;
}
