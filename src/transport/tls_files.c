/* SPDX-License-Identifier: MPL-2.0 */
/* Loading PEM. */
#define _GNU_SOURCE
#include "transport/tls_files.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

bool zl_tls_is_pem(const char *text)
{
    return strstr(text, "-----BEGIN") != NULL;
}

/* For messages; PEM text may be a secret. */
static const char *name_of(const char *source)
{
    return zl_tls_is_pem(source) ? "(PEM text)" : source;
}

static bool is_directory(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static int open_source(const char *source, const char *what, BIO **out, struct zl_tls_error *error)
{
    ERR_clear_error();
    if (zl_tls_is_pem(source)) {
        *out = BIO_new_mem_buf(source, -1);
    } else {
        int code = is_directory(source) ? EISDIR : 0;
        FILE *file = code ? NULL : fopen(source, "rbe");
        if (!file) {
            code = code ? code : errno;
            return zl_tls_error_set(error, -code, "cannot read the %s %s: %s", what, source,
                                    strerror(code));
        }
        *out = BIO_new_fp(file, BIO_CLOSE);
        if (!*out)
            fclose(file);
    }
    return *out ? 0 : zl_tls_error_openssl(error, -ENOMEM, "cannot read the %s", what);
}

/* ---- Certificate ------------------------------------------------------------------------------ */

/* OpenSSL would ask on the terminal otherwise. */
static int no_password(char *place, int size, int writing, void *argument)
{
    (void)place;
    (void)size;
    (void)writing;
    (void)argument;
    return -1;
}

/* The next certificate; NULL at the end (*rc 0) or where something else is wrong (*rc < 0). */
static X509 *next_certificate(BIO *bio, const char *source, int *rc, struct zl_tls_error *error)
{
    X509 *certificate = PEM_read_bio_X509_AUX(bio, NULL, no_password, NULL);
    unsigned long last = ERR_peek_last_error();
    *rc = 0;
    if (!certificate &&
        (ERR_GET_LIB(last) != ERR_LIB_PEM || ERR_GET_REASON(last) != PEM_R_NO_START_LINE))
        *rc =
            zl_tls_error_openssl(error, -EINVAL, "%s holds a damaged certificate", name_of(source));
    ERR_clear_error();
    return certificate;
}

static int use_chain(SSL_CTX *ssl_ctx, BIO *bio, const char *source, struct zl_tls_error *error)
{
    int rc;
    X509 *certificate = next_certificate(bio, source, &rc, error);
    if (rc < 0)
        return rc;
    if (!certificate)
        return zl_tls_error_set(error, -EINVAL, "there is no certificate in %s", name_of(source));
    int used = SSL_CTX_use_certificate(ssl_ctx, certificate);
    X509_free(certificate);
    if (used != 1)
        return zl_tls_error_openssl(error, -EINVAL, "cannot use the certificate %s",
                                    name_of(source));
    while ((certificate = next_certificate(bio, source, &rc, error))) {
        if (SSL_CTX_add0_chain_cert(ssl_ctx, certificate) == 1)
            continue;
        X509_free(certificate);
        return zl_tls_error_openssl(error, -EINVAL, "cannot use the certificate chain in %s",
                                    name_of(source));
    }
    return rc;
}

int zl_tls_use_certificate(SSL_CTX *ssl_ctx, const char *certificate, struct zl_tls_error *error)
{
    BIO *bio;
    int rc = open_source(certificate, "certificate", &bio, error);
    if (rc < 0)
        return rc;
    rc = use_chain(ssl_ctx, bio, certificate, error);
    BIO_free(bio);
    return rc;
}

/* ---- Key -------------------------------------------------------------------------------------- */

struct password {
    const char *text;
    bool wanted; /* the key is encrypted */
};

static int give_password(char *place, int size, int writing, void *argument)
{
    struct password *password = argument;
    (void)writing;
    password->wanted = true;
    size_t length = password->text ? strlen(password->text) : 0;
    if (length == 0 || length > (size_t)size)
        return -1;
    memcpy(place, password->text, length);
    return (int)length;
}

static int no_key(const char *source, const struct password *password, struct zl_tls_error *error)
{
    unsigned long last = ERR_peek_last_error();
    const char *name = name_of(source);
    /* The second is what OpenSSL's decoders say of anything else. */
    bool nothing =
        (ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE) ||
        ERR_GET_REASON(last) == ERR_R_UNSUPPORTED;
    if (password->wanted && (!password->text || !*password->text)) {
        ERR_clear_error();
        return zl_tls_error_set(error, -EINVAL, "the key %s is encrypted: its password is needed",
                                name);
    }
    if (password->wanted)
        return zl_tls_error_openssl(error, -EINVAL, "the password of the key %s is wrong", name);
    if (nothing) {
        ERR_clear_error();
        return zl_tls_error_set(error, -EINVAL, "there is no private key that can be used in %s",
                                name);
    }
    return zl_tls_error_openssl(error, -EINVAL, "cannot use the key %s", name);
}

int zl_tls_use_key(SSL_CTX *ssl_ctx, const char *key, const char *password,
                   struct zl_tls_error *error)
{
    struct password giver = {.text = password};
    BIO *bio;
    int rc = open_source(key, "key", &bio, error);
    if (rc < 0)
        return rc;
    EVP_PKEY *loaded = PEM_read_bio_PrivateKey(bio, NULL, give_password, &giver);
    BIO_free(bio);
    if (!loaded)
        return no_key(key, &giver, error);
    int used = SSL_CTX_use_PrivateKey(ssl_ctx, loaded);
    EVP_PKEY_free(loaded);
    if (used != 1 || SSL_CTX_check_private_key(ssl_ctx) != 1)
        return zl_tls_error_openssl(error, -EINVAL, "the key %s does not belong to the certificate",
                                    name_of(key));
    ERR_clear_error(); /* decoders that did not fit leave their errors */
    return 0;
}

/* ---- Trust ------------------------------------------------------------------------------------ */

static int trust_one(SSL_CTX *ssl_ctx, X509 *certificate, bool name_it)
{
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(ssl_ctx), certificate) != 1)
        return -1;
    return !name_it || SSL_CTX_add_client_CA(ssl_ctx, certificate) == 1 ? 0 : -1;
}

static int trust_all(SSL_CTX *ssl_ctx, BIO *bio, const char *ca, bool name_them,
                     struct zl_tls_error *error)
{
    X509 *certificate;
    unsigned count = 0;
    int rc;
    while ((certificate = next_certificate(bio, ca, &rc, error))) {
        int trusted = trust_one(ssl_ctx, certificate, name_them);
        X509_free(certificate);
        if (trusted < 0)
            return zl_tls_error_openssl(error, -EINVAL, "cannot use the CA %s", name_of(ca));
        count++;
    }
    if (rc == 0 && count == 0)
        return zl_tls_error_set(error, -EINVAL, "there is no certificate in %s", name_of(ca));
    return rc;
}

int zl_tls_trust(SSL_CTX *ssl_ctx, const char *ca, bool name_them, struct zl_tls_error *error)
{
    BIO *bio;
    if (!zl_tls_is_pem(ca) && is_directory(ca)) {
        ERR_clear_error();
        if (SSL_CTX_load_verify_dir(ssl_ctx, ca) == 1)
            return 0;
        return zl_tls_error_openssl(error, -EINVAL, "cannot use the CA directory %s", ca);
    }
    int rc = open_source(ca, "CA", &bio, error);
    if (rc < 0)
        return rc;
    rc = trust_all(ssl_ctx, bio, ca, name_them, error);
    BIO_free(bio);
    return rc;
}

/* ---- Changes ---------------------------------------------------------------------------------- */

struct zl_tls_stamp zl_tls_stamp(const char *path_or_pem)
{
    struct zl_tls_stamp stamp = {0};
    struct stat status;
    if (!path_or_pem || zl_tls_is_pem(path_or_pem) || stat(path_or_pem, &status) < 0)
        return stamp;
    stamp.device = status.st_dev;
    stamp.inode = status.st_ino;
    stamp.size = status.st_size;
    stamp.modified = status.st_mtim;
    return stamp;
}

bool zl_tls_stamp_same(const struct zl_tls_stamp *a, const struct zl_tls_stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->modified.tv_sec == b->modified.tv_sec && a->modified.tv_nsec == b->modified.tv_nsec;
}
