/* SPDX-License-Identifier: MPL-2.0 */
/* zlink cert: certificates to try TLS with. */
#define _GNU_SOURCE
#include "args.h"
#include "cert_issue.h"
#include "cli.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct cert_args {
    struct cli_list names;
    const char *client;
    const char *ca_dir;
    int64_t days;
    bool force;
};

#define FIELD(name) offsetof(struct cert_args, name)

static const struct cli_opt cert_opts[] = {
    {CLI_SECTION, "Options:", 0, 0, NULL, NULL},
    {CLI_LIST, "name", 'n', FIELD(names), "HOST",
     "make a server certificate for this host name or IP address;\nagain for further names of the "
     "same server; *.example for all\nnames one level below"},
    {CLI_TEXT, "client", 'c', FIELD(client), "NAME",
     "make a client certificate for this name, for servers that\nrequire one"},
    {CLI_TEXT, "ca-dir", 'd', FIELD(ca_dir), "DIR",
     "where the files are and go; made if missing (default: here)"},
    {CLI_COUNT, "days", 0, FIELD(days), "N",
     "how long the certificates are valid (default 365; never\nlonger than the CA, which is made "
     "for ten years)"},
    {CLI_FLAG, "force", 'f', FIELD(force), NULL, "replace certificates that exist (never the CA)"},
    {CLI_END, NULL, 0, 0, NULL, NULL},
};

static const struct cli_command cert_command = {
    .name = "cert",
    .synopsis = "--name HOST [--name ...] [--client NAME] [options]",
    .summary = "Makes certificates to try TLS with: a CA, the first time, and server and client\n"
               "certificates that it signs. All keys are EC P-256.",
    .tables = {cert_opts, NULL},
    .notes =
        "Files: ca.pem (for everyone who shall trust the certificates), ca.key (for nobody),\n"
        "HOST.pem and HOST.key (for the server), NAME.pem and NAME.key (for the client). Keys\n"
        "can be read by their owner only. A running server takes up replaced files by itself.\n"
        "Whoever has ca.key can pretend to be any of your servers: for production use your own\n"
        "CA, or a public one.\n"
        "\n" CLI_EXIT_CODES "\nExamples:\n"
        "  zlink cert --name localhost --name 127.0.0.1\n"
        "  zlink cert --name server.example --ca-dir certs --days 30\n"
        "  zlink cert --client alice --ca-dir certs\n",
};

void cli_cert_help(void)
{
    cli_args_help(&cert_command);
}

/* ---- Checking --------------------------------------------------------------------------------- */

/* Names that are files, and nothing else. */
static bool is_file_name(const char *name)
{
    size_t length = strlen(name);
    if (length == 0 || length > 64 || *name == '.' || *name == '-')
        return false;
    for (; *name; name++)
        if (*name == '/' || iscntrl((unsigned char)*name))
            return false;
    return true;
}

static int check(const struct cert_args *args)
{
    if (!args->names.count && !args->client)
        return cli_usage("--name HOST (a server) or --client NAME is missing");
    for (size_t i = 0; i < args->names.count; i++)
        if (!cert_is_address(args->names.items[i]) && !cert_is_host_name(args->names.items[i]))
            return cli_usage("--name '%s' is neither a host name nor an IP address",
                             args->names.items[i]);
    if (args->client && !is_file_name(args->client))
        return cli_usage("--client '%s' must have 1 to 64 bytes, no / and no . or - in front",
                         args->client);
    if ((args->client && strcmp(args->client, "ca") == 0) ||
        (args->names.count && strcmp(args->names.items[0], "ca") == 0))
        return cli_usage("'ca' is the name of the CA's own files");
    if (args->client && args->names.count && strcmp(args->client, args->names.items[0]) == 0)
        return cli_usage("server and client '%s' would share their files: run the command twice, "
                         "with another --ca-dir or name",
                         args->client);
    if (args->days < 1 || args->days > 36500)
        return cli_usage("--days must be from 1 to 36500");
    return CLI_CONTINUE;
}

/* ---- Files ------------------------------------------------------------------------------------ */

struct paths {
    char *certificate;
    char *key;
};

static char *join(const char *dir, const char *name, const char *suffix)
{
    bool here = strcmp(dir, ".") == 0;
    size_t size = strlen(dir) + strlen(name) + strlen(suffix) + 2;
    char *path = cli_alloc(size);
    snprintf(path, size, "%s%s%s%s", here ? "" : dir, here ? "" : "/", name, suffix);
    return path;
}

/* '*' in a file name would make trouble in shells. */
static struct paths paths_of(const char *dir, const char *name)
{
    struct paths paths = {join(dir, name, ".pem"), join(dir, name, ".key")};
    size_t start = strlen(paths.key) - strlen(name) - strlen(".key");
    if (*name == '*')
        paths.certificate[start] = paths.key[start] = '_';
    return paths;
}

static void free_paths(struct paths *paths)
{
    free(paths->certificate);
    free(paths->key);
}

static bool exists(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0;
}

static int make_dir(const char *dir)
{
    if (mkdir(dir, 0777) == 0 || errno == EEXIST)
        return CLI_CONTINUE;
    cli_error("cannot make the directory %s: %s", dir, strerror(errno));
    return CLI_FAILURE;
}

/* ---- The CA ----------------------------------------------------------------------------------- */

static int new_ca(struct cert_pair *ca, const struct paths *paths)
{
    if (cert_new_ca(ca) < 0)
        return CLI_FAILURE;
    if (cert_save(ca, paths->certificate, paths->key) < 0) {
        cert_free(ca);
        return CLI_FAILURE;
    }
    printf("%s: a new CA\n", paths->certificate);
    return CLI_CONTINUE;
}

static int old_ca(struct cert_pair *ca, const struct paths *paths)
{
    if (cert_load(ca, paths->certificate, paths->key) < 0)
        return CLI_FAILURE;
    if (X509_check_ca(ca->certificate) != 1)
        cli_error("%s is no CA", paths->certificate);
    else if (X509_cmp_current_time(X509_get0_notAfter(ca->certificate)) <= 0)
        cli_error("the CA %s has expired", paths->certificate);
    else
        return CLI_CONTINUE;
    cli_hint("remove %s and %s, or choose another --ca-dir", paths->certificate, paths->key);
    cert_free(ca);
    return CLI_FAILURE;
}

static int get_ca(struct cert_pair *ca, const struct paths *paths)
{
    bool has_certificate = exists(paths->certificate), has_key = exists(paths->key);
    if (!has_certificate && !has_key)
        return new_ca(ca, paths);
    if (has_certificate && has_key)
        return old_ca(ca, paths);
    cli_error("there is %s, but no %s", has_key ? paths->key : paths->certificate,
              has_key ? paths->certificate : paths->key);
    cli_hint("remove it to get a new CA, or choose another --ca-dir");
    return CLI_FAILURE;
}

/* ---- Certificates ----------------------------------------------------------------------------- */

static int refuse_existing(const struct cert_args *args, const struct paths *paths)
{
    const char *found = exists(paths->certificate) ? paths->certificate
                        : exists(paths->key)       ? paths->key
                                                   : NULL;
    if (args->force || !found)
        return CLI_CONTINUE;
    cli_error("%s exists already", found);
    cli_hint("--force replaces it");
    return CLI_FAILURE;
}

static void report(const struct cert_pair *pair, const struct paths *paths,
                   const struct cert_request *request)
{
    struct tm end;
    char date[32] = "?";
    if (ASN1_TIME_to_tm(X509_get0_notAfter(pair->certificate), &end) == 1)
        strftime(date, sizeof date, "%Y-%m-%d", &end);
    printf("%s, %s: %s certificate for", paths->certificate, paths->key,
           request->client ? "client" : "server");
    if (request->client)
        printf(" %s", request->common_name);
    for (size_t i = 0; request->names && i < request->names->count; i++)
        printf("%s %s", i ? "," : "", request->names->items[i]);
    printf(", valid until %s\n", date);
}

static int make(const struct cert_pair *ca, const struct paths *paths,
                const struct cert_request *request)
{
    struct cert_pair pair;
    if (cert_issue(&pair, ca, request) < 0)
        return CLI_FAILURE;
    int rc = cert_save(&pair, paths->certificate, paths->key);
    if (rc == 0)
        report(&pair, paths, request);
    cert_free(&pair);
    return rc < 0 ? CLI_FAILURE : CLI_CONTINUE;
}

/* ---- What to do next -------------------------------------------------------------------------- */

/* Prints the text so that a shell reads it back as one word. */
static void print_word(const char *text)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "_-./:,@%+=[]";
    /* Brackets are patterns, but one that matches no file stays as it is; not so in zsh. */
    bool plain = *text && text[strspn(text, safe)] == '\0' && !strchr(text, '[');
    if (plain) {
        fputs(text, stdout);
        return;
    }
    putchar('\'');
    for (; *text; text++) {
        if (*text == '\'')
            fputs("'\\''", stdout);
        else
            putchar(*text);
    }
    putchar('\'');
}

static void print_option(const char *option, const char *value)
{
    printf(" %s ", option);
    print_word(value);
}

/* The endpoint to connect to: a name that the certificate is for. */
static void print_endpoint(const char *name)
{
    char endpoint[300];
    bool ipv6 = strchr(name, ':') != NULL;
    bool any = *name == '*';
    snprintf(endpoint, sizeof endpoint, "tls://%s%s%s%s:5555", ipv6 ? "[" : "", any ? "host" : "",
             any ? name + 1 : name, ipv6 ? "]" : "");
    print_option("--connect", endpoint);
}

static void print_next(const struct cert_args *args, const struct paths *ca,
                       const struct paths *server, const struct paths *client)
{
    /* Without a server of this run, the words in capitals are for the reader to fill in. */
    const char *name = args->names.count ? args->names.items[0] : "HOST";
    printf("\nTry it, in two terminals:\n  zlink recv --type pull --bind 'tls://*:5555'");
    print_option("--tls-cert", server->certificate);
    print_option("--tls-key", server->key);
    if (args->client) {
        print_option("--tls-ca", ca->certificate);
        printf(" --tls-verify require");
    }
    printf("\n  zlink send --type push");
    print_endpoint(name);
    print_option("--tls-ca", ca->certificate);
    if (args->client) {
        print_option("--tls-cert", client->certificate);
        print_option("--tls-key", client->key);
    }
    printf(" --message hello\n\nLook at a certificate:\n  openssl x509 -noout -text -in ");
    print_word(args->names.count ? server->certificate : client->certificate);
    printf("\n\nThe other side needs %s, and must not get %s.\n", ca->certificate, ca->key);
}

/* ---- The command ------------------------------------------------------------------------------ */

static int make_all(const struct cert_args *args, const struct paths *ca_paths,
                    const struct paths *server, const struct paths *client)
{
    struct cert_pair ca;
    int rc = get_ca(&ca, ca_paths);
    if (rc != CLI_CONTINUE)
        return rc;
    if (args->names.count)
        rc = make(&ca, server,
                  &(struct cert_request){.common_name = args->names.items[0],
                                         .names = &args->names,
                                         .days = args->days});
    if (args->client && rc == CLI_CONTINUE)
        rc = make(&ca, client,
                  &(struct cert_request){
                      .common_name = args->client, .client = true, .days = args->days});
    cert_free(&ca);
    return rc;
}

static int run(const struct cert_args *args)
{
    const char *dir = args->ca_dir;
    const char *name = args->names.count ? args->names.items[0] : "HOST";
    struct paths ca = paths_of(dir, "ca"), server = paths_of(dir, name);
    struct paths client = paths_of(dir, args->client ? args->client : "NAME");
    int rc = make_dir(dir);
    if (rc == CLI_CONTINUE && args->names.count)
        rc = refuse_existing(args, &server);
    if (rc == CLI_CONTINUE && args->client)
        rc = refuse_existing(args, &client);
    if (rc == CLI_CONTINUE)
        rc = make_all(args, &ca, &server, &client);
    if (rc == CLI_CONTINUE) {
        print_next(args, &ca, &server, &client);
        rc = CLI_OK;
    }
    free_paths(&ca);
    free_paths(&server);
    free_paths(&client);
    return rc;
}

int cli_cert_main(int argc, char **argv)
{
    struct cert_args args = {.ca_dir = ".", .days = 365};
    int rc = cli_args_parse(&cert_command, &args, NULL, argc, argv);
    if (rc == CLI_CONTINUE)
        rc = check(&args);
    if (rc == CLI_CONTINUE)
        rc = run(&args);
    cli_args_free(&cert_command, &args);
    return rc;
}
