/* SPDX-License-Identifier: MPL-2.0 */
/* The TLS context. */
#define _GNU_SOURCE
#include "transport/tls_context.h"

#include "transport/tls_files.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* AES-128 in front: as good as it needs to be, and a third faster. */
#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"
#define CIPHER_SUITES "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"

/* OpenSSL reads so many bytes at once, some full records. */
enum { READ_BUFFER = 64 * 1024 };

enum { STAMPS = 3 };

struct zl_tls_context {
    atomic_uint references;

    /* Constant. */
    struct zl_tls_settings settings; /* the strings are ours */
    bool host_is_ip;
    unsigned char *alpn; /* in wire form: octet length, name, ... */
    unsigned alpn_size;

    pthread_mutex_t lock;
    SSL_CTX *ssl_ctx;                   /* guarded by lock; the object itself is OpenSSL's */
    struct zl_tls_stamp stamps[STAMPS]; /* guarded by lock: of the last attempt to load */
    SSL_SESSION *session;               /* guarded by lock: the newest one of a client */
};

static bool given(const char *text)
{
    return text && *text;
}

/* ---- Settings --------------------------------------------------------------------------------- */

/* The strings of the settings, to be copied and freed. */
static const size_t strings[] = {
    offsetof(struct zl_tls_settings, certificate),   offsetof(struct zl_tls_settings, key),
    offsetof(struct zl_tls_settings, key_password),  offsetof(struct zl_tls_settings, ca),
    offsetof(struct zl_tls_settings, host),          offsetof(struct zl_tls_settings, ciphers),
    offsetof(struct zl_tls_settings, cipher_suites), offsetof(struct zl_tls_settings, alpn),
};

enum { STRINGS = sizeof strings / sizeof *strings };

static const char **string_at(struct zl_tls_settings *settings, size_t i)
{
    return (const char **)(void *)((char *)settings + strings[i]);
}

static void free_settings(struct zl_tls_settings *settings)
{
    for (size_t i = 0; i < STRINGS; i++) {
        char *text = (char *)*string_at(settings, i);
        if (text)
            OPENSSL_cleanse(text, strlen(text)); /* keys and passwords among them */
        free(text);
    }
}

static int copy_settings(struct zl_tls_settings *copy, const struct zl_tls_settings *from)
{
    *copy = *from;
    for (size_t i = 0; i < STRINGS; i++)
        *string_at(copy, i) = NULL;
    for (size_t i = 0; i < STRINGS; i++) {
        const char *text = *string_at((struct zl_tls_settings *)from, i);
        if (!given(text))
            continue;
        *string_at(copy, i) = strdup(text);
        if (!*string_at(copy, i))
            return -ENOMEM;
    }
    return 0;
}

static enum zl_tls_verify verification(const struct zl_tls_settings *settings)
{
    if (settings->server && settings->verify == ZL_TLS_VERIFY_DEFAULT)
        return ZL_TLS_VERIFY_NONE;
    if (settings->server || settings->verify == ZL_TLS_VERIFY_NONE)
        return settings->verify;
    return ZL_TLS_VERIFY_REQUIRED;
}

static int check_settings(const struct zl_tls_settings *settings, struct zl_tls_error *error)
{
    bool verifies = verification(settings) != ZL_TLS_VERIFY_NONE;
    if (settings->server && !given(settings->certificate))
        return zl_tls_error_set(error, -EINVAL, "a TLS server needs a certificate and its key");
    if (given(settings->key) && !given(settings->certificate))
        return zl_tls_error_set(error, -EINVAL, "there is a key, but no certificate for it");
    if (settings->min_version != 0 && settings->min_version != 12 && settings->min_version != 13)
        return zl_tls_error_set(error, -EINVAL, "the minimum TLS version must be 12 or 13, not %d",
                                settings->min_version);
    if (verifies && !given(settings->ca) && !settings->trust_system)
        return zl_tls_error_set(error, -EINVAL,
                                "certificates are to be verified, but no CA is trusted: give one, "
                                "or trust the system's");
    if (verifies && !settings->server && !given(settings->host))
        return zl_tls_error_set(error, -EINVAL,
                                "the server's certificate is to be verified, but there is no host "
                                "name to check it against");
    return 0;
}

/* Brackets and zone go, and the dot behind a fully qualified name. */
static void normalise_host(struct zl_tls_context *context)
{
    char *host = (char *)context->settings.host;
    unsigned char address[16];
    if (!host)
        return;
    size_t length = strlen(host);
    if (length > 2 && host[0] == '[' && host[length - 1] == ']') {
        memmove(host, host + 1, length - 2);
        host[length - 2] = '\0';
    }
    char *zone = strchr(host, '%');
    if (zone)
        *zone = '\0';
    length = strlen(host);
    if (length > 1 && host[length - 1] == '.')
        host[length - 1] = '\0';
    context->host_is_ip =
        inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

static int encode_alpn(struct zl_tls_context *context, struct zl_tls_error *error)
{
    const char *at = context->settings.alpn;
    if (!at)
        return 0;
    unsigned char *out = context->alpn = malloc(strlen(at) + 2);
    if (!out)
        return zl_tls_error_set(error, -ENOMEM, "out of memory");
    for (;;) {
        size_t length = strcspn(at, ",");
        if (length == 0 || length > 255)
            return zl_tls_error_set(error, -EINVAL,
                                    "a name in the ALPN list '%s' is empty or over 255 bytes",
                                    context->settings.alpn);
        *out++ = (unsigned char)length;
        memcpy(out, at, length);
        out += length;
        at += length;
        if (!*at++)
            break;
    }
    context->alpn_size = (unsigned)(out - context->alpn);
    return 0;
}

/* ---- Callbacks: on whatever thread has the stream's claim ------------------------------------- */

/* Server: the client's order decides, within what we have. */
static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_size,
                       const unsigned char *offered, unsigned offered_size, void *argument)
{
    const struct zl_tls_context *context = argument;
    unsigned char *chosen;
    (void)ssl;
    if (SSL_select_next_proto(&chosen, out_size, context->alpn, context->alpn_size, offered,
                              offered_size) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* Client: a copy is kept, since the connection goes on using its own without a lock. */
static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    struct zl_tls_context *context = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    SSL_SESSION *copy = SSL_SESSION_dup(session);
    if (!copy)
        return 0;
    pthread_mutex_lock(&context->lock);
    SSL_SESSION *unwanted = copy;
    /* A late ticket of a connection from before a reload was verified against other CAs. */
    if (SSL_get_SSL_CTX(ssl) == context->ssl_ctx) {
        unwanted = context->session;
        context->session = copy;
    }
    pthread_mutex_unlock(&context->lock);
    SSL_SESSION_free(unwanted);
    return 0;
}

/* ---- Building an SSL_CTX ---------------------------------------------------------------------- */

static int set_ciphers(SSL_CTX *ssl_ctx, const struct zl_tls_settings *settings,
                       struct zl_tls_error *error)
{
    const char *ciphers = given(settings->ciphers) ? settings->ciphers : CIPHERS;
    const char *suites = given(settings->cipher_suites) ? settings->cipher_suites : CIPHER_SUITES;
    if (SSL_CTX_set_cipher_list(ssl_ctx, ciphers) != 1)
        return zl_tls_error_openssl(error, -EINVAL, "no TLS 1.2 cipher in '%s' is known", ciphers);
    if (SSL_CTX_set_ciphersuites(ssl_ctx, suites) != 1)
        return zl_tls_error_openssl(error, -EINVAL, "cannot use the TLS 1.3 cipher suites '%s'",
                                    suites);
    return 0;
}

static int set_alpn(struct zl_tls_context *context, SSL_CTX *ssl_ctx)
{
    if (!context->alpn)
        return 0;
    if (context->settings.server)
        SSL_CTX_set_alpn_select_cb(ssl_ctx, choose_alpn, context);
    else if (SSL_CTX_set_alpn_protos(ssl_ctx, context->alpn, context->alpn_size) != 0)
        return -ENOMEM;
    return 0;
}

static void set_sessions(struct zl_tls_context *context, SSL_CTX *ssl_ctx)
{
    static const unsigned char id[] = "zlink";
    SSL_CTX_set_app_data(ssl_ctx, context);
    if (context->settings.server) {
        /* Tickets hold everything, so there is nothing to keep here. One is enough. */
        SSL_CTX_set_session_cache_mode(ssl_ctx, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_session_id_context(ssl_ctx, id, sizeof id - 1);
        SSL_CTX_set_num_tickets(ssl_ctx, 1);
    } else {
        SSL_CTX_set_session_cache_mode(ssl_ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(ssl_ctx, keep_session);
    }
}

static int set_limits(struct zl_tls_context *context, SSL_CTX *ssl_ctx, struct zl_tls_error *error)
{
    int version = context->settings.min_version == 13 ? TLS1_3_VERSION : TLS1_2_VERSION;
    SSL_CTX_set_options(ssl_ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(ssl_ctx, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(ssl_ctx, 1);
    SSL_CTX_set_default_read_buffer_len(ssl_ctx, READ_BUFFER);
    set_sessions(context, ssl_ctx);
    if (SSL_CTX_set_min_proto_version(ssl_ctx, version) != 1 ||
        SSL_CTX_set_max_proto_version(ssl_ctx, TLS1_3_VERSION) != 1 ||
        set_alpn(context, ssl_ctx) < 0)
        return zl_tls_error_openssl(error, -EINVAL, "cannot set up TLS");
    return set_ciphers(ssl_ctx, &context->settings, error);
}

static int set_trust(const struct zl_tls_settings *settings, SSL_CTX *ssl_ctx,
                     struct zl_tls_error *error)
{
    enum zl_tls_verify verify = verification(settings);
    int mode = verify == ZL_TLS_VERIFY_NONE ? SSL_VERIFY_NONE : SSL_VERIFY_PEER;
    if (verify == ZL_TLS_VERIFY_REQUIRED)
        mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_verify(ssl_ctx, mode, zl_tls_error_on_verify);
    if (verify == ZL_TLS_VERIFY_NONE)
        return 0;
    /* What the user names is trusted as it is, whether it is a root or not. */
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ssl_ctx), X509_V_FLAG_PARTIAL_CHAIN);
    if (settings->trust_system && SSL_CTX_set_default_verify_paths(ssl_ctx) != 1)
        return zl_tls_error_openssl(error, -EINVAL, "cannot use the system's CAs");
    return given(settings->ca) ? zl_tls_trust(ssl_ctx, settings->ca, settings->server, error) : 0;
}

static int set_identity(const struct zl_tls_settings *settings, SSL_CTX *ssl_ctx,
                        struct zl_tls_error *error)
{
    if (!given(settings->certificate))
        return 0;
    int rc = zl_tls_use_certificate(ssl_ctx, settings->certificate, error);
    if (rc < 0)
        return rc;
    const char *key = given(settings->key) ? settings->key : settings->certificate;
    return zl_tls_use_key(ssl_ctx, key, settings->key_password, error);
}

static int build(struct zl_tls_context *context, SSL_CTX **out, struct zl_tls_error *error)
{
    const struct zl_tls_settings *settings = &context->settings;
    ERR_clear_error();
    SSL_CTX *ssl_ctx = SSL_CTX_new(settings->server ? TLS_server_method() : TLS_client_method());
    if (!ssl_ctx)
        return zl_tls_error_openssl(error, -ENOMEM, "cannot set up TLS");
    int rc = set_limits(context, ssl_ctx, error);
    if (rc == 0)
        rc = set_trust(settings, ssl_ctx, error);
    if (rc == 0)
        rc = set_identity(settings, ssl_ctx, error);
    if (rc < 0)
        SSL_CTX_free(ssl_ctx);
    else
        *out = ssl_ctx;
    ERR_clear_error();
    return rc;
}

/* ---- Coming and going ------------------------------------------------------------------------- */

static void take_stamps(const struct zl_tls_context *context, struct zl_tls_stamp stamps[STAMPS])
{
    stamps[0] = zl_tls_stamp(context->settings.certificate);
    stamps[1] = zl_tls_stamp(context->settings.key);
    stamps[2] = zl_tls_stamp(context->settings.ca);
}

static int start(struct zl_tls_context *context, const struct zl_tls_settings *settings,
                 struct zl_tls_error *error)
{
    int rc = copy_settings(&context->settings, settings);
    if (rc < 0)
        return zl_tls_error_set(error, rc, "out of memory");
    normalise_host(context);
    rc = encode_alpn(context, error);
    if (rc < 0)
        return rc;
    /* Before the files are read: a change in between shows at the next refresh. */
    take_stamps(context, context->stamps);
    return build(context, &context->ssl_ctx, error);
}

int zl_tls_context_new(const struct zl_tls_settings *settings, struct zl_tls_context **out,
                       struct zl_tls_error *error)
{
    int rc = check_settings(settings, error);
    if (rc < 0)
        return rc;
    /* Without its exit handler, since our threads may outlive main. Has no effect when the
       application was first. */
    OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, NULL);
    struct zl_tls_context *context = calloc(1, sizeof *context);
    if (!context)
        return zl_tls_error_set(error, -ENOMEM, "out of memory");
    atomic_init(&context->references, 1);
    pthread_mutex_init(&context->lock, NULL);
    rc = start(context, settings, error);
    if (rc < 0)
        zl_tls_context_release(context);
    else
        *out = context;
    return rc;
}

struct zl_tls_context *zl_tls_context_retain(struct zl_tls_context *context)
{
    atomic_fetch_add_explicit(&context->references, 1, memory_order_relaxed);
    return context;
}

void zl_tls_context_release(struct zl_tls_context *context)
{
    /* Release, so that what others did with it comes before the end, which acquires. */
    if (!context || atomic_fetch_sub_explicit(&context->references, 1, memory_order_acq_rel) != 1)
        return;
    SSL_SESSION_free(context->session);
    SSL_CTX_free(context->ssl_ctx);
    pthread_mutex_destroy(&context->lock);
    free_settings(&context->settings);
    free(context->alpn);
    free(context);
}

const char *zl_tls_context_host(const struct zl_tls_context *context)
{
    return context->settings.host;
}

/* ---- Refreshing ------------------------------------------------------------------------------- */

static int reload_locked(struct zl_tls_context *context, const struct zl_tls_stamp *stamps,
                         struct zl_tls_error *error)
{
    SSL_CTX *fresh = NULL;
    memcpy(context->stamps, stamps, sizeof context->stamps);
    int rc = build(context, &fresh, error);
    if (rc < 0)
        return rc;
    /* Connections that are open keep the old one alive. A session of it may rest on a CA that is
       not trusted any more. */
    SSL_CTX_free(context->ssl_ctx);
    SSL_SESSION_free(context->session);
    context->ssl_ctx = fresh;
    context->session = NULL;
    return 1;
}

int zl_tls_context_refresh(struct zl_tls_context *context, struct zl_tls_error *error)
{
    struct zl_tls_stamp now[STAMPS];
    int rc = 0;
    pthread_mutex_lock(&context->lock);
    take_stamps(context, now);
    for (size_t i = 0; i < STAMPS && rc == 0; i++)
        if (!zl_tls_stamp_same(&now[i], &context->stamps[i]))
            rc = reload_locked(context, now, error);
    pthread_mutex_unlock(&context->lock);
    return rc;
}

/* ---- Opening ---------------------------------------------------------------------------------- */

/* A reference to the SSL_CTX in use, and a copy of the session. */
static SSL_CTX *take_current(struct zl_tls_context *context, SSL_SESSION **session)
{
    pthread_mutex_lock(&context->lock);
    SSL_CTX *ssl_ctx = context->ssl_ctx;
    SSL_CTX_up_ref(ssl_ctx);
    *session = context->session ? SSL_SESSION_dup(context->session) : NULL;
    pthread_mutex_unlock(&context->lock);
    return ssl_ctx;
}

static bool set_host(const struct zl_tls_context *context, SSL *ssl)
{
    const char *host = context->settings.host;
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    if (!host)
        return true;
    if (context->host_is_ip)
        return X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1;
    /* The common name is no host name (RFC 9525). */
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                               X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    return X509_VERIFY_PARAM_set1_host(param, host, 0) == 1 &&
           SSL_set_tlsext_host_name(ssl, host) == 1;
}

static bool set_role(const struct zl_tls_context *context, SSL *ssl, SSL_SESSION *session)
{
    if (context->settings.server) {
        SSL_set_accept_state(ssl);
        return true;
    }
    SSL_set_connect_state(ssl);
    if (session && SSL_SESSION_is_resumable(session) && SSL_set_session(ssl, session) != 1)
        return false;
    return set_host(context, ssl);
}

SSL *zl_tls_context_open(struct zl_tls_context *context, struct zl_tls_error *error)
{
    SSL_SESSION *session;
    ERR_clear_error();
    SSL_CTX *ssl_ctx = take_current(context, &session);
    SSL *ssl = SSL_new(ssl_ctx);
    if (ssl && !set_role(context, ssl, session)) {
        SSL_free(ssl);
        ssl = NULL;
    }
    if (!ssl)
        zl_tls_error_openssl(error, -ENOMEM, "cannot start TLS");
    SSL_SESSION_free(session);
    SSL_CTX_free(ssl_ctx);
    ERR_clear_error();
    return ssl;
}
