/* SPDX-License-Identifier: MPL-2.0 */
/* The options of TLS connections (zlink.h), for tls:// and wss:// alike. */
#ifndef ZL_CORE_TLS_OPTIONS_H
#define ZL_CORE_TLS_OPTIONS_H

#include "core/option_row.h"
#include "transport/tls_context.h"
#include "zlink.h"

/* The table of ZLINK_TLS_CERTIFICATE and those that follow it. ZLINK_TLS_ERROR is not among them: the
 * socket answers it. */
enum { ZL_TLS_OPTION_ROWS = ZLINK_TLS_ALPN - ZLINK_TLS_CERTIFICATE + 1 };
extern const struct zl_option_row zl_tls_option_rows[ZL_TLS_OPTION_ROWS];

/* Sets a text of TLS, for the options of libzmq that mean the same. One NUL at the end is left out.
 * -EINVAL: a NUL elsewhere, where the text would end for OpenSSL but not for its reader. */
zl_option_row_set zl_tls_option_set_text;

/* Fills in all settings of one role. The strings are those of `options`, and live as long as these do
 * not change: for ever in a snapshot. `host` is only what ZLINK_TLS_HOSTNAME says, maybe "". */
void zl_options_tls_settings(const struct zl_options *options, bool server,
                             struct zl_tls_settings *settings);

#endif
