/* SPDX-License-Identifier: MPL-2.0 */
/* Making, reading and writing certificates. */
#define _GNU_SOURCE
#include "cert_issue.h"
#include "cli.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CA_DAYS = 3650, COMMON_NAME_MAX = 64 };

static int crypto_error(const char *what)
{
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    cli_error("cannot %s: %s", what, reason ? reason : "OpenSSL gives no reason");
    ERR_clear_error();
    return -1;
}

void cert_free(struct cert_pair *pair)
{
    X509_free(pair->certificate);
    EVP_PKEY_free(pair->key);
    *pair = (struct cert_pair){0};
}

/* ---- Names ------------------------------------------------------------------------------------ */

bool cert_is_address(const char *name)
{
    unsigned char address[16];
    return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

bool cert_is_host_name(const char *name)
{
    size_t label = 0;
    if (strlen(name) > 253)
        return false;
    if (strncmp(name, "*.", 2) == 0)
        name += 2;
    for (; *name; name++) {
        bool dot = *name == '.';
        if (!dot && !isalnum((unsigned char)*name) && (*name != '-' || label == 0) && *name != '_')
            return false;
        if (dot && label == 0)
            return false;
        label = dot ? 0 : label + 1;
        if (label > 63)
            return false;
    }
    return label > 0;
}

/* ---- Parts of a certificate ------------------------------------------------------------------- */

static int set_serial(X509 *certificate)
{
    unsigned char bytes[16];
    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return -1;
    bytes[0] &= 0x7f; /* positive, whatever comes */
    BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    bool good = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
    BN_free(number);
    return good ? 0 : -1;
}

static int set_subject(X509 *certificate, const char *common_name)
{
    X509_NAME *name = X509_get_subject_name(certificate);
    /* A longer one is not allowed; programs look at the alternative names anyway. */
    if (strlen(common_name) > COMMON_NAME_MAX)
        common_name = "zlink server";
    return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)common_name,
                                      -1, -1, 0) == 1
               ? 0
               : -1;
}

static int set_times(X509 *certificate, int64_t days, const X509 *ca)
{
    ASN1_TIME *end = X509_getm_notAfter(certificate);
    /* A little in the past, for clocks that differ. */
    if (!X509_gmtime_adj(X509_getm_notBefore(certificate), -300) ||
        !X509_time_adj_ex(end, (int)days, 0, NULL))
        return -1;
    if (ca && ASN1_TIME_compare(end, X509_get0_notAfter(ca)) > 0)
        return X509_set1_notAfter(certificate, X509_get0_notAfter(ca)) == 1 ? 0 : -1;
    return 0;
}

static int add_extension(X509 *certificate, const X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, (X509 *)issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool good = extension && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return good ? 0 : -1;
}

static int add_name(GENERAL_NAMES *names, const char *text)
{
    bool address = cert_is_address(text);
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_STRING *value = address ? a2i_IPADDRESS(text) : ASN1_IA5STRING_new();
    if (!name || !value || (!address && ASN1_STRING_set(value, text, -1) != 1)) {
        GENERAL_NAME_free(name);
        ASN1_STRING_free(value);
        return -1;
    }
    GENERAL_NAME_set0_value(name, address ? GEN_IPADD : GEN_DNS, value);
    if (sk_GENERAL_NAME_push(names, name) > 0)
        return 0;
    GENERAL_NAME_free(name);
    return -1;
}

static int add_names(X509 *certificate, const struct cli_list *list)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    int rc = names ? 0 : -1;
    for (size_t i = 0; i < list->count && rc == 0; i++)
        rc = add_name(names, list->items[i]);
    if (rc == 0 && X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, 0) != 1)
        rc = -1;
    GENERAL_NAMES_free(names);
    return rc;
}

/* ---- Issuing ---------------------------------------------------------------------------------- */

static int begin(struct cert_pair *pair, const char *common_name, int64_t days, const X509 *ca)
{
    pair->key = EVP_EC_gen("P-256");
    pair->certificate = X509_new();
    X509 *certificate = pair->certificate;
    if (!pair->key || !certificate || X509_set_version(certificate, X509_VERSION_3) != 1 ||
        set_serial(certificate) < 0 || set_subject(certificate, common_name) < 0 ||
        set_times(certificate, days, ca) < 0 || X509_set_pubkey(certificate, pair->key) != 1)
        return -1;
    const X509 *issuer = ca ? ca : certificate;
    return X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1 ? 0 : -1;
}

/* Other CAs of this kind must have other names: issuers are looked up by name. */
static int ca_name(char *name, size_t size)
{
    unsigned char random[4];
    if (RAND_bytes(random, sizeof random) != 1)
        return -1;
    snprintf(name, size, "zlink test CA %02x%02x%02x%02x", random[0], random[1], random[2],
             random[3]);
    return 0;
}

static int build_ca(struct cert_pair *ca)
{
    char name[COMMON_NAME_MAX];
    if (ca_name(name, sizeof name) < 0 || begin(ca, name, CA_DAYS, NULL) < 0)
        return -1;
    X509 *certificate = ca->certificate;
    if (add_extension(certificate, certificate, NID_basic_constraints,
                      "critical,CA:TRUE,pathlen:0") < 0 ||
        add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign") <
            0 ||
        add_extension(certificate, certificate, NID_subject_key_identifier, "hash") < 0)
        return -1;
    return X509_sign(certificate, ca->key, EVP_sha256()) > 0 ? 0 : -1;
}

static int build(struct cert_pair *pair, const struct cert_pair *ca,
                 const struct cert_request *request)
{
    if (begin(pair, request->common_name, request->days, ca->certificate) < 0)
        return -1;
    X509 *certificate = pair->certificate;
    const X509 *issuer = ca->certificate;
    if (add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE") < 0 ||
        add_extension(certificate, issuer, NID_key_usage, "critical,digitalSignature") < 0 ||
        add_extension(certificate, issuer, NID_ext_key_usage,
                      request->client ? "clientAuth" : "serverAuth") < 0 ||
        add_extension(certificate, issuer, NID_subject_key_identifier, "hash") < 0 ||
        add_extension(certificate, issuer, NID_authority_key_identifier, "keyid:always") < 0 ||
        (request->names && add_names(certificate, request->names) < 0))
        return -1;
    return X509_sign(certificate, ca->key, EVP_sha256()) > 0 ? 0 : -1;
}

int cert_new_ca(struct cert_pair *ca)
{
    *ca = (struct cert_pair){0};
    if (build_ca(ca) == 0)
        return 0;
    cert_free(ca);
    return crypto_error("make a CA");
}

int cert_issue(struct cert_pair *pair, const struct cert_pair *ca,
               const struct cert_request *request)
{
    *pair = (struct cert_pair){0};
    if (build(pair, ca, request) == 0)
        return 0;
    cert_free(pair);
    return crypto_error("make a certificate");
}

/* ---- Files ------------------------------------------------------------------------------------ */

static int no_password(char *place, int size, int writing, void *argument)
{
    (void)place;
    (void)size;
    (void)writing;
    (void)argument;
    return -1;
}

static BIO *open_file(const char *path)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        cli_error("cannot read %s: %s", path, strerror(errno));
        return NULL;
    }
    BIO *bio = BIO_new_fp(file, BIO_CLOSE);
    if (!bio)
        fclose(file);
    return bio;
}

static int load(struct cert_pair *pair, const char *certificate_path, const char *key_path)
{
    BIO *bio = open_file(certificate_path);
    if (!bio)
        return -1;
    pair->certificate = PEM_read_bio_X509(bio, NULL, no_password, NULL);
    BIO_free(bio);
    if (!pair->certificate) {
        cli_error("%s holds no certificate", certificate_path);
        return -1;
    }
    bio = open_file(key_path);
    if (!bio)
        return -1;
    pair->key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
    BIO_free(bio);
    if (pair->key && X509_check_private_key(pair->certificate, pair->key) == 1)
        return 0;
    cli_error("%s holds no key that belongs to %s", key_path, certificate_path);
    return -1;
}

int cert_load(struct cert_pair *pair, const char *certificate_path, const char *key_path)
{
    *pair = (struct cert_pair){0};
    int rc = load(pair, certificate_path, key_path);
    if (rc < 0)
        cert_free(pair);
    ERR_clear_error();
    return rc;
}

/* A file beside the final one that only its owner can read, to be renamed when it is complete. */
static FILE *open_temporary(const char *path, char **temporary)
{
    size_t size = strlen(path) + sizeof ".XXXXXX";
    *temporary = cli_alloc(size);
    snprintf(*temporary, size, "%s.XXXXXX", path);
    int fd = mkstemp(*temporary);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!file && fd >= 0)
        close(fd);
    return file;
}

static int write_error(const char *path)
{
    cli_error("cannot write %s: %s", path, strerror(errno));
    return -1;
}

/* What a new file gets. Reading the mask means setting it; there is one thread. */
static mode_t public_mode(void)
{
    mode_t mask = umask(077);
    umask(mask);
    return 0644 & ~mask;
}

/* Writes the certificate or, if it is NULL, the key. */
static int save(const char *path, X509 *certificate, EVP_PKEY *key)
{
    char *temporary;
    FILE *file = open_temporary(path, &temporary);
    int rc = -1;
    if (file) {
        int written = certificate ? PEM_write_X509(file, certificate)
                                  : PEM_write_PKCS8PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
        if (certificate && fchmod(fileno(file), public_mode()) < 0)
            written = 0;
        if (fclose(file) == 0 && written == 1 && rename(temporary, path) == 0)
            rc = 0;
    }
    if (rc < 0) {
        write_error(path);
        if (file)
            unlink(temporary);
    }
    free(temporary);
    return rc;
}

int cert_save(const struct cert_pair *pair, const char *certificate_path, const char *key_path)
{
    int rc = save(key_path, NULL, pair->key);
    return rc < 0 ? rc : save(certificate_path, pair->certificate, NULL);
}

char *cert_pem(const struct cert_pair *pair, bool with_key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data;
    char *text = NULL;
    if (bio && PEM_write_bio_X509(bio, pair->certificate) == 1 &&
        (!with_key ||
         PEM_write_bio_PKCS8PrivateKey(bio, pair->key, NULL, NULL, 0, NULL, NULL) == 1)) {
        size_t size = (size_t)BIO_get_mem_data(bio, &data);
        text = memcpy(cli_alloc(size + 1), data, size);
    }
    BIO_free(bio);
    if (!text)
        crypto_error("write a certificate");
    return text;
}
