/* SPDX-License-Identifier: MPL-2.0 */
/* Re-encoding of queued messages. */
#include "core/staging.h"

#include "wire/zmtp.h"

#include <stdlib.h>
#include <string.h>

/* ZMTP 1.0 headers are at most 2 octets longer per frame than the short one of the queue. */
static struct zl_staging *encode(const uint8_t *queued, size_t size, bool raw)
{
    size_t frames = 0;
    struct zl_frame_header header;
    for (size_t at = 0; at < size; at += header.header_size + header.body_size) {
        if (zl_zmtp_get_header(queued + at, queued + size, &header) <= 0)
            return NULL;
        frames++;
    }
    struct zl_staging *staging = malloc(sizeof *staging + size + frames * ZL_ZMTP_HEADER_MAX);
    if (!staging)
        return NULL;
    staging->size = 0;
    staging->sent = 0;
    staging->covers = size;
    for (size_t at = 0; at < size; at += header.header_size + header.body_size) {
        zl_zmtp_get_header(queued + at, queued + size, &header);
        if (!raw)
            staging->size +=
                zl_zmtp1_put_header(staging->data + staging->size, header.flags, header.body_size);
        memcpy(staging->data + staging->size, queued + at + header.header_size,
               (size_t)header.body_size);
        staging->size += (size_t)header.body_size;
    }
    return staging;
}

int zl_staging_gather(struct zl_staging **staging, const struct zl_outq *queue, bool raw,
                      struct iovec *vector, size_t *total)
{
    *total = 0;
    if (!*staging) {
        size_t size = zl_outq_first_message_size(queue);
        uint8_t *copy = size ? malloc(size) : NULL;
        if (!copy)
            return 0;
        zl_outq_copy(queue, copy, size);
        *staging = encode(copy, size, raw);
        free(copy);
        if (!*staging)
            return 0;
    }
    vector->iov_base = (*staging)->data + (*staging)->sent;
    vector->iov_len = (*staging)->size - (*staging)->sent;
    *total = vector->iov_len;
    return 1;
}

size_t zl_staging_consume(struct zl_staging **staging, size_t count)
{
    (*staging)->sent += count;
    if ((*staging)->sent < (*staging)->size)
        return 0;
    size_t covers = (*staging)->covers;
    zl_staging_free(staging);
    return covers;
}

void zl_staging_free(struct zl_staging **staging)
{
    free(*staging);
    *staging = NULL;
}
