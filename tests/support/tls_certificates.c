/* SPDX-License-Identifier: MPL-2.0 */
/* Certificates for tests. */
#define _GNU_SOURCE
#include "tls_certificates.h"

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "certificates: %s failed\n", what);
    abort();
}

static char *text_of(BIO *bio)
{
    char *data;
    long size = BIO_get_mem_data(bio, &data);
    char *text = calloc(1, (size_t)size + 1);
    check(text != NULL, "copying");
    memcpy(text, data, (size_t)size);
    BIO_free(bio);
    return text;
}

static X509 *parse_certificate(const char *text)
{
    BIO *bio = BIO_new_mem_buf(text, -1);
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    check(certificate != NULL, "reading a certificate");
    BIO_free(bio);
    return certificate;
}

static EVP_PKEY *parse_key(const char *text)
{
    BIO *bio = BIO_new_mem_buf(text, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    check(key != NULL, "reading a key");
    BIO_free(bio);
    return key;
}

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    check(extension && X509_add_ext(certificate, extension, -1), value);
    X509_EXTENSION_free(extension);
}

static void set_serial(X509 *certificate)
{
    unsigned char bytes[8];
    check(RAND_bytes(bytes, sizeof bytes) == 1, "random");
    BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    check(number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)), "serial");
    BN_free(number);
}

static void set_extensions(X509 *certificate, X509 *issuer, const struct tc_request *request)
{
    add_extension(certificate, issuer, NID_basic_constraints,
                  request->ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    add_extension(certificate, issuer, NID_subject_key_identifier, "hash");
    if (request->ca)
        add_extension(certificate, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
    else
        add_extension(certificate, issuer, NID_ext_key_usage,
                      request->client ? "clientAuth" : "serverAuth");
    if (request->alternatives)
        add_extension(certificate, issuer, NID_subject_alt_name, request->alternatives);
}

static void set_subject(X509 *certificate, const char *name)
{
    X509_NAME *subject = X509_get_subject_name(certificate);
    check(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1,
                                     -1, 0),
          "subject");
}

static X509 *new_certificate(const struct tc_request *request, EVP_PKEY *key, X509 *issuer)
{
    X509 *certificate = X509_new();
    check(certificate && X509_set_version(certificate, X509_VERSION_3), "version");
    set_serial(certificate);
    set_subject(certificate, request->name);
    X509 *signer = issuer ? issuer : certificate;
    X509_set_issuer_name(certificate, X509_get_subject_name(signer));
    X509_gmtime_adj(X509_getm_notBefore(certificate),
                    -(request->starts_before ? request->starts_before : 3600));
    X509_gmtime_adj(X509_getm_notAfter(certificate),
                    request->ends_after ? request->ends_after : 24 * 3600);
    X509_set_pubkey(certificate, key);
    set_extensions(certificate, signer, request);
    return certificate;
}

struct tc_identity tc_issue(const struct tc_request *request)
{
    struct tc_identity identity;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    check(key != NULL, "key");
    X509 *issuer = request->issuer ? parse_certificate(request->issuer->certificate) : NULL;
    EVP_PKEY *issuer_key = request->issuer ? parse_key(request->issuer->key) : NULL;
    X509 *certificate = new_certificate(request, key, issuer);
    check(X509_sign(certificate, issuer_key ? issuer_key : key, EVP_sha256()) > 0, "signing");
    BIO *bio = BIO_new(BIO_s_mem());
    check(PEM_write_bio_X509(bio, certificate), "writing");
    identity.certificate = text_of(bio);
    bio = BIO_new(BIO_s_mem());
    check(PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), "writing");
    identity.key = text_of(bio);
    X509_free(certificate);
    X509_free(issuer);
    EVP_PKEY_free(issuer_key);
    EVP_PKEY_free(key);
    return identity;
}

void tc_free(struct tc_identity *identity)
{
    free(identity->certificate);
    free(identity->key);
    *identity = (struct tc_identity){0};
}

char *tc_encrypted_key(const struct tc_identity *identity, const char *password)
{
    EVP_PKEY *key = parse_key(identity->key);
    BIO *bio = BIO_new(BIO_s_mem());
    check(PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_256_cbc(), password,
                                        (int)strlen(password), NULL, NULL),
          "encrypting");
    EVP_PKEY_free(key);
    return text_of(bio);
}

char *tc_join(const char *first, const char *second)
{
    char *text;
    check(asprintf(&text, "%s%s", first, second) >= 0, "joining");
    return text;
}

void tc_write_file(const char *path, const char *text)
{
    char *temporary;
    check(asprintf(&temporary, "%s.new", path) >= 0, "naming");
    FILE *file = fopen(temporary, "we");
    check(file && fputs(text, file) >= 0 && fclose(file) == 0, "writing a file");
    check(rename(temporary, path) == 0, "renaming");
    free(temporary);
}
