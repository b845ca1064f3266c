/* SPDX-License-Identifier: MPL-2.0 */
/* From OpenSSL's errors to an errno and a sentence. */
#define _GNU_SOURCE
#include "transport/tls_error.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Parts of the text may come from the peer, and it ends up on terminals and in logs. */
static void sanitize(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == '\x7f')
            *text = '?';
}

static int set(struct zl_tls_error *error, int code, const char *format, va_list arguments)
{
    if (!error)
        return code;
    error->code = code;
    vsnprintf(error->text, sizeof error->text, format, arguments);
    sanitize(error->text);
    return code;
}

int zl_tls_error_set(struct zl_tls_error *error, int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    code = set(error, code, format, arguments);
    va_end(arguments);
    return code;
}

/* Adds ": <text>" as far as there is room. */
static void append(struct zl_tls_error *error, const char *text)
{
    size_t length = error ? strlen(error->text) : 0;
    if (!error || !text || !*text)
        return;
    snprintf(error->text + length, sizeof error->text - length, ": %s", text);
    sanitize(error->text);
}

/* OpenSSL's first error is the cause, what follows are its consequences. */
static unsigned long take_queue(const char **text)
{
    const char *data = NULL;
    int flags = 0;
    unsigned long code = ERR_get_error_all(NULL, NULL, NULL, &data, &flags);
    /* Some reasons are empty without their data: a provider's "unsupported", a system error. */
    *text = code ? ERR_reason_error_string(code) : NULL;
    if (code && ERR_SYSTEM_ERROR(code))
        *text = strerror(ERR_GET_REASON(code));
    ERR_clear_error();
    return code;
}

int zl_tls_error_openssl(struct zl_tls_error *error, int code, const char *format, ...)
{
    const char *text;
    unsigned long cause = take_queue(&text);
    va_list arguments;
    if (cause && ERR_GET_REASON(cause) == ERR_R_MALLOC_FAILURE)
        code = -ENOMEM;
    va_start(arguments, format);
    set(error, code, format, arguments);
    va_end(arguments);
    append(error, text);
    return code;
}

/* ---- What a certificate lacks ----------------------------------------------------------------- */

/* The names a certificate is for, as far as there is room. */
static void list_names(X509 *certificate, char *text, size_t size)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    size_t length = 0;
    *text = '\0';
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && length < size; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        const char *separator = length ? ", " : "";
        if (name->type == GEN_DNS)
            length += (size_t)snprintf(text + length, size - length, "%s%.*s", separator,
                                       ASN1_STRING_length(name->d.dNSName),
                                       (const char *)ASN1_STRING_get0_data(name->d.dNSName));
        else if (name->type == GEN_IPADD)
            length += (size_t)snprintf(text + length, size - length, "%san IP address", separator);
    }
    GENERAL_NAMES_free(names);
    ERR_clear_error();
}

/* OpenSSL forgets a certificate that it has refused: it is kept in this slot of the SSL. */
static pthread_once_t slot_once = PTHREAD_ONCE_INIT;
static int slot = -1; /* written once, by make_slot */

static void free_kept(void *parent, void *kept, CRYPTO_EX_DATA *data, int index, long number,
                      void *argument)
{
    (void)parent;
    (void)data;
    (void)index;
    (void)number;
    (void)argument;
    X509_free(kept);
}

static void make_slot(void)
{
    slot = SSL_get_ex_new_index(0, NULL, NULL, NULL, free_kept);
}

int zl_tls_error_on_verify(int good, X509_STORE_CTX *store)
{
    int error = X509_STORE_CTX_get_error(store);
    if (good || (error != X509_V_ERR_HOSTNAME_MISMATCH && error != X509_V_ERR_IP_ADDRESS_MISMATCH))
        return good;
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    X509 *certificate = X509_STORE_CTX_get_current_cert(store);
    pthread_once(&slot_once, make_slot);
    if (slot < 0 || !certificate || SSL_get_ex_data(ssl, slot))
        return good;
    if (SSL_set_ex_data(ssl, slot, certificate) == 1)
        X509_up_ref(certificate);
    return good;
}

static int wrong_name(struct zl_tls_error *error, SSL *ssl, const char *host)
{
    pthread_once(&slot_once, make_slot);
    X509 *certificate = slot < 0 ? NULL : SSL_get_ex_data(ssl, slot);
    char names[160] = "";
    if (certificate)
        list_names(certificate, names, sizeof names);
    return zl_tls_error_set(error, -EACCES, "the peer's certificate is for %s, not for %s",
                            *names ? names : "no host name at all", host ? host : "this peer");
}

static int unverified(struct zl_tls_error *error, SSL *ssl, const char *host)
{
    long result = SSL_get_verify_result(ssl);
    const char *why;
    switch (result) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return wrong_name(error, ssl, host);
    case X509_V_ERR_CERT_HAS_EXPIRED:
        why = "has expired";
        break;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        why = "is not valid yet: compare the clocks";
        break;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        why = "is self-signed and not itself trusted";
        break;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        why = "comes from an unknown CA";
        break;
    case X509_V_ERR_INVALID_PURPOSE:
        why = "is not meant for this role (server or client)";
        break;
    default:
        why = NULL;
    }
    if (why)
        return zl_tls_error_set(error, -EACCES, "the peer's certificate %s", why);
    return zl_tls_error_set(error, -EACCES, "the peer's certificate is refused: %s",
                            X509_verify_cert_error_string(result));
}

/* ---- What ended a connection ------------------------------------------------------------------ */

struct meaning {
    int reason;
    int code;
    const char *text;
};

/* What the peer says with an alert, by its number; the others by OpenSSL's own words. */
static const struct meaning alerts[] = {
    {SSL_AD_HANDSHAKE_FAILURE, -EPROTONOSUPPORT,
     "the peer shares no cipher suite with us, or wants a certificate"},
    {SSL_AD_BAD_CERTIFICATE, -ECONNREFUSED, "the peer does not accept our certificate"},
    {SSL_AD_CERTIFICATE_EXPIRED, -ECONNREFUSED, "the peer says that our certificate has expired"},
    {SSL_AD_CERTIFICATE_UNKNOWN, -ECONNREFUSED, "the peer does not accept our certificate"},
    {SSL_AD_UNKNOWN_CA, -ECONNREFUSED,
     "the peer does not know the CA that our certificate comes from"},
    {SSL_AD_CERTIFICATE_REQUIRED, -ECONNREFUSED, "the peer requires a certificate from us"},
    {SSL_AD_PROTOCOL_VERSION, -EPROTONOSUPPORT,
     "the peer supports no version of TLS that we allow"},
    {SSL_AD_INSUFFICIENT_SECURITY, -EPROTONOSUPPORT, "the peer wants stronger cipher suites"},
    {SSL_AD_UNRECOGNIZED_NAME, -ECONNREFUSED, "the peer does not serve this host name"},
    {SSL_AD_NO_APPLICATION_PROTOCOL, -EPROTONOSUPPORT,
     "the peer supports none of our application protocols (ALPN)"},
};

static const struct meaning reasons[] = {
    {SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, -EACCES,
     "the peer sent no certificate, but one is required"},
    {SSL_R_UNSUPPORTED_PROTOCOL, -EPROTONOSUPPORT,
     "the peer offers no version of TLS that we allow"},
    {SSL_R_VERSION_TOO_LOW, -EPROTONOSUPPORT, "the peer offers no version of TLS that we allow"},
    {SSL_R_NO_SHARED_CIPHER, -EPROTONOSUPPORT, "no cipher suite in common with the peer"},
    {SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, -EPROTONOSUPPORT,
     "no signature algorithm in common with the peer"},
    {SSL_R_NO_SUITABLE_KEY_SHARE, -EPROTONOSUPPORT, "no key exchange in common with the peer"},
    {SSL_R_NO_APPLICATION_PROTOCOL, -EPROTONOSUPPORT,
     "no application protocol (ALPN) in common with the peer"},
    {SSL_R_WRONG_VERSION_NUMBER, -EPROTO, "the peer does not speak TLS"},
    {SSL_R_UNKNOWN_PROTOCOL, -EPROTO, "the peer does not speak TLS"},
    {SSL_R_PACKET_LENGTH_TOO_LONG, -EPROTO, "the peer does not speak TLS"},
    {SSL_R_RECORD_LENGTH_MISMATCH, -EPROTO, "the peer does not speak TLS"},
    {SSL_R_HTTP_REQUEST, -EPROTO, "the peer does not speak TLS but HTTP"},
    {SSL_R_HTTPS_PROXY_REQUEST, -EPROTO, "the peer does not speak TLS but HTTP"},
    {SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, -EPROTO, "data was changed on its way"},
};

static const struct meaning *find(const struct meaning *table, size_t count, int reason)
{
    for (size_t i = 0; i < count; i++)
        if (table[i].reason == reason)
            return &table[i];
    return NULL;
}

static int ended_by_alert(struct zl_tls_error *error, int alert)
{
    const struct meaning *meaning = find(alerts, sizeof alerts / sizeof *alerts, alert);
    if (meaning)
        return zl_tls_error_set(error, meaning->code, "%s", meaning->text);
    return zl_tls_error_set(error, -ECONNREFUSED, "the peer refused: %s (alert %d)",
                            SSL_alert_desc_string_long(alert), alert);
}

int zl_tls_error_connection(struct zl_tls_error *error, SSL *ssl, const char *host)
{
    const char *text;
    unsigned long cause = take_queue(&text);
    int reason = ERR_GET_REASON(cause);
    if (reason == ERR_R_MALLOC_FAILURE)
        return zl_tls_error_set(error, -ENOMEM, "out of memory");
    if (cause && ERR_GET_LIB(cause) == ERR_LIB_SSL) {
        if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED)
            return unverified(error, ssl, host);
        if (reason > SSL_AD_REASON_OFFSET && reason <= SSL_AD_REASON_OFFSET + 255)
            return ended_by_alert(error, reason - SSL_AD_REASON_OFFSET);
        const struct meaning *meaning = find(reasons, sizeof reasons / sizeof *reasons, reason);
        if (meaning)
            return zl_tls_error_set(error, meaning->code, "%s", meaning->text);
    }
    return zl_tls_error_set(error, -EPROTO, "TLS failed: %s", text ? text : "no reason given");
}
