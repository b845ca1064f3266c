/* SPDX-License-Identifier: MPL-2.0 */

/* The TLS ceiling, with OpenSSL 1.1.1 or newer. */
#include "rawtls.h"

#include <limits.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "peers.h"

#define CIPHER "TLS_AES_256_GCM_SHA384"
#define VALID_SECONDS 86400

static EVP_PKEY *key;
static X509 *certificate;

_Noreturn static void failed(const char *what)
{
    char text[256];
    ERR_error_string_n(ERR_get_error(), text, sizeof text);
    fatal(EXIT_FAILED, "%s: %s", what, text);
}

static EVP_PKEY *make_key(void)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
    EVP_PKEY *made = NULL;

    if (context == NULL || EVP_PKEY_keygen_init(context) <= 0 ||
        EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1) <= 0 ||
        EVP_PKEY_keygen(context, &made) <= 0)
        failed("making a key");
    EVP_PKEY_CTX_free(context);
    return made;
}

static X509 *sign_certificate(void)
{
    X509 *made = X509_new();
    if (made == NULL)
        failed("making a certificate");
    X509_NAME *name = X509_get_subject_name(made);
    const unsigned char host[] = "localhost";

    if (!X509_set_version(made, 2) || !ASN1_INTEGER_set(X509_get_serialNumber(made), 1) ||
        X509_gmtime_adj(X509_getm_notBefore(made), -VALID_SECONDS) == NULL ||
        X509_gmtime_adj(X509_getm_notAfter(made), VALID_SECONDS) == NULL ||
        !X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, host, -1, -1, 0) ||
        !X509_set_issuer_name(made, name) || !X509_set_pubkey(made, key) ||
        !X509_sign(made, key, EVP_sha256()))
        failed("making a certificate");
    return made;
}

void rawtls_prepare(void)
{
    key = make_key();
    certificate = sign_certificate();
}

static SSL_CTX *make_context(bool server)
{
    SSL_CTX *context = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    if (context == NULL || !SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) ||
        !SSL_CTX_set_ciphersuites(context, CIPHER))
        failed("TLS 1.3 with " CIPHER);
    if (server && (SSL_CTX_use_certificate(context, certificate) != 1 ||
                   SSL_CTX_use_PrivateKey(context, key) != 1))
        failed("using the certificate");
    SSL_CTX_set_mode(context, SSL_MODE_AUTO_RETRY);
    return context;
}

void *rawtls_open(int fd, bool server)
{
    SSL *tls = SSL_new(make_context(server));
    if (tls == NULL || !SSL_set_fd(tls, fd))
        failed("TLS");
    if ((server ? SSL_accept(tls) : SSL_connect(tls)) != 1)
        failed("TLS handshake");
    return tls;
}

void rawtls_write(void *tls, const void *data, size_t size)
{
    const char *next = data;
    while (size > 0) {
        int written = SSL_write(tls, next, size < INT_MAX ? (int)size : INT_MAX);
        if (written <= 0)
            failed("SSL_write");
        next += written;
        size -= (size_t)written;
    }
}

/* A stream that ends without "close notify" ends here too: raw peers just shut the socket down. */
size_t rawtls_read_some(void *tls, void *data, size_t size)
{
    int got = SSL_read(tls, data, size < INT_MAX ? (int)size : INT_MAX);
    if (got > 0)
        return (size_t)got;
    int error = SSL_get_error(tls, got);
    bool truncated = error == SSL_ERROR_SYSCALL && ERR_peek_error() == 0;
#ifdef SSL_R_UNEXPECTED_EOF_WHILE_READING
    truncated |= ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
#endif
    if (error != SSL_ERROR_ZERO_RETURN && !truncated)
        failed("SSL_read");
    return 0;
}
