/* SPDX-License-Identifier: MPL-2.0 */
/* What goes wrong with TLS: a negative errno for the program, a text for people.

   OpenSSL keeps its errors in a queue per thread. Every function of the tls_ files leaves that queue
   empty, and those that depend on it empty it first: the thread may be the application's, which may
   use OpenSSL too. */
#ifndef ZL_TRANSPORT_TLS_ERROR_H
#define ZL_TRANSPORT_TLS_ERROR_H

#include <openssl/ssl.h>

#include <stddef.h>

/* The text has no control characters, whatever the peer sent, and no end of line. */
struct zl_tls_error {
    int code; /* negative errno, 0: none */
    char text[256];
};

/* Sets both; `error` may be NULL. Returns the code. */
int zl_tls_error_set(struct zl_tls_error *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Sets both; the text becomes "<format>: <OpenSSL's reason>". Empties the queue. Returns the code, or
   -ENOMEM if that was the reason. */
int zl_tls_error_openssl(struct zl_tls_error *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Why a connection failed, from the queue and the state of `ssl`; empties the queue. `host` is the
   name the peer should have had, or NULL. Returns the code:
     -EACCES           we do not accept the peer's certificate, or there was none
     -ECONNREFUSED     the peer ended it with an alert: it does not accept our certificate, say
     -EPROTONOSUPPORT  no version, cipher suite or application protocol in common
     -EPROTO           the peer does not speak TLS, or breaks its rules
     -ENOMEM */
int zl_tls_error_connection(struct zl_tls_error *error, SSL *ssl, const char *host);

/* The verification callback for an SSL_CTX: keeps the certificate that is for another name, so that
   the text above can say which. Changes nothing about the verdict. */
int zl_tls_error_on_verify(int good, X509_STORE_CTX *store);

#endif
