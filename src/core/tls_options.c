/* SPDX-License-Identifier: MPL-2.0 */
/* The options of TLS connections. */
#include "core/tls_options.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

enum client_certificate { CLIENT_CERT_NONE, CLIENT_CERT_REQUIRED, CLIENT_CERT_OPTIONAL };

int zl_tls_option_set_text(struct zl_options *options, const struct zl_option_row *row,
                           const void *value, size_t size)
{
    const char *text = value;
    if (!text || size == 0) {
        zl_option_bytes_clear(field_of(options, row));
        return 0;
    }
    size_t length = strnlen(text, size);
    if (length + 1 < size || length > (size_t)row->max)
        return -EINVAL;
    return zl_option_bytes_set(field_of(options, row), text, length);
}

/* Paths and public PEM text only: whoever may look at a socket need not see its key. */
static int get_public_text(const struct zl_options *options, const struct zl_option_row *row,
                           void *value, size_t *size)
{
    const struct zl_option_bytes *bytes = const_field_of(options, row);
    if (strstr(zl_option_text(bytes), "PRIVATE KEY"))
        return -EINVAL;
    return zl_option_write_string(bytes->data, bytes->size, value, size);
}

#define ROW(option) [ZLINK_TLS_##option - ZLINK_TLS_CERTIFICATE]
#define TEXT(access, field) KIND_BYTES, access, AT(field), 0, INT_MAX, .set = zl_tls_option_set_text

/* clang-format off */
const struct zl_option_row zl_tls_option_rows[ZL_TLS_OPTION_ROWS] = {
    ROW(CERTIFICATE)         = {TEXT(GS, tls_certificate), .get = get_public_text},
    ROW(KEY)                 = {TEXT(GS, tls_key),         .get = get_public_text},
    ROW(CA)                  = {TEXT(GS, tls_ca),          .get = get_public_text},
    ROW(VERIFY)              = {KIND_BOOL, GS, AT(tls_verify), .initial = 1},
    ROW(REQUIRE_CLIENT_CERT) = {KIND_INT,  GS, AT(tls_require_client_cert), CLIENT_CERT_NONE,
                                CLIENT_CERT_OPTIONAL, .initial = CLIENT_CERT_NONE},
    ROW(HOSTNAME)            = {TEXT(GS, tls_hostname)},
    ROW(TRUST_SYSTEM)        = {KIND_BOOL, GS, AT(tls_trust_system), .initial = 0},
    ROW(KEY_PASSWORD)        = {TEXT(SET, tls_key_password)},
    ROW(MIN_VERSION)         = {KIND_INT,  GS, AT(tls_min_version), 12, 13, .initial = 12},
    ROW(CIPHERS)             = {TEXT(GS, tls_ciphers)},
    ROW(CIPHERSUITES)        = {TEXT(GS, tls_ciphersuites)},
    ROW(ALPN)                = {TEXT(GS, tls_alpn)},
};
/* clang-format on */

static enum zl_tls_verify verification(const struct zl_options *options, bool server)
{
    static const enum zl_tls_verify of_clients[] = {
        [CLIENT_CERT_NONE] = ZL_TLS_VERIFY_NONE,
        [CLIENT_CERT_REQUIRED] = ZL_TLS_VERIFY_REQUIRED,
        [CLIENT_CERT_OPTIONAL] = ZL_TLS_VERIFY_OPTIONAL,
    };
    if (server)
        return of_clients[options->tls_require_client_cert];
    return options->tls_verify ? ZL_TLS_VERIFY_REQUIRED : ZL_TLS_VERIFY_NONE;
}

void zl_options_tls_settings(const struct zl_options *options, bool server,
                             struct zl_tls_settings *settings)
{
    *settings = (struct zl_tls_settings){
        .server = server,
        .verify = verification(options, server),
        .certificate = zl_option_text(&options->tls_certificate),
        .key = zl_option_text(&options->tls_key),
        .key_password = zl_option_text(&options->tls_key_password),
        .ca = zl_option_text(&options->tls_ca),
        .trust_system = options->tls_trust_system,
        .host = zl_option_text(&options->tls_hostname),
        .min_version = options->tls_min_version,
        .ciphers = zl_option_text(&options->tls_ciphers),
        .cipher_suites = zl_option_text(&options->tls_ciphersuites),
        .alpn = zl_option_text(&options->tls_alpn),
    };
}
