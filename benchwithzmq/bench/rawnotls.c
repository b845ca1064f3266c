/* SPDX-License-Identifier: MPL-2.0 */

/* In place of rawtls.c where there is no OpenSSL to build with. */
#include "peers.h"
#include "rawtls.h"

_Noreturn static void unsupported(void)
{
    fatal(EXIT_UNSUPPORTED, "built without OpenSSL (Debian: libssl-dev): no tls");
}

void rawtls_prepare(void)
{
    unsupported();
}

void *rawtls_open(int fd, bool server)
{
    (void)fd, (void)server;
    unsupported();
}

void rawtls_write(void *tls, const void *data, size_t size)
{
    (void)tls, (void)data, (void)size;
    unsupported();
}

size_t rawtls_read_some(void *tls, void *data, size_t size)
{
    (void)tls, (void)data, (void)size;
    unsupported();
}
