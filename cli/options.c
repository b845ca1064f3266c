/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The table of socket options and the conversion of their values from text. Numbers are written
 * out because zmq.h hides some of them from programs that do not ask for the draft interface.
 */
#define _GNU_SOURCE
#include "options.h"
#include "cli.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#if defined __has_include
#if __has_include("zlink.h")
#include "zlink.h"
#endif
#endif

enum value_kind {
    INT,    /* C int */
    LONG,   /* 64-bit integer */
    STRING, /* text as it stands; @FILE takes the content of a file */
    BINARY, /* text with escapes; @FILE likewise */
};

struct option_row {
    const char *name;
    int number;
    enum value_kind kind;
};

static const struct option_row rows[] = {
    {"affinity", 4, LONG},
    {"routing_id", 5, BINARY},
    {"identity", 5, BINARY},
    {"subscribe", 6, BINARY},
    {"unsubscribe", 7, BINARY},
    {"rate", 8, INT},
    {"recovery_ivl", 9, INT},
    {"sndbuf", 11, INT},
    {"rcvbuf", 12, INT},
    {"linger", 17, INT},
    {"reconnect_ivl", 18, INT},
    {"backlog", 19, INT},
    {"reconnect_ivl_max", 21, INT},
    {"maxmsgsize", 22, LONG},
    {"sndhwm", 23, INT},
    {"rcvhwm", 24, INT},
    {"multicast_hops", 25, INT},
    {"rcvtimeo", 27, INT},
    {"sndtimeo", 28, INT},
    {"ipv4only", 31, INT},
    {"router_mandatory", 33, INT},
    {"tcp_keepalive", 34, INT},
    {"tcp_keepalive_cnt", 35, INT},
    {"tcp_keepalive_idle", 36, INT},
    {"tcp_keepalive_intvl", 37, INT},
    {"tcp_accept_filter", 38, STRING},
    {"immediate", 39, INT},
    {"xpub_verbose", 40, INT},
    {"router_raw", 41, INT},
    {"ipv6", 42, INT},
    {"plain_server", 44, INT},
    {"plain_username", 45, STRING},
    {"plain_password", 46, STRING},
    {"curve_server", 47, INT},
    {"curve_publickey", 48, STRING},
    {"curve_secretkey", 49, STRING},
    {"curve_serverkey", 50, STRING},
    {"probe_router", 51, INT},
    {"req_correlate", 52, INT},
    {"req_relaxed", 53, INT},
    {"conflate", 54, INT},
    {"zap_domain", 55, STRING},
    {"router_handover", 56, INT},
    {"tos", 57, INT},
    {"ipc_filter_pid", 58, INT},
    {"ipc_filter_uid", 59, INT},
    {"ipc_filter_gid", 60, INT},
    {"connect_routing_id", 61, BINARY},
    {"gssapi_server", 62, INT},
    {"gssapi_principal", 63, STRING},
    {"gssapi_service_principal", 64, STRING},
    {"gssapi_plaintext", 65, INT},
    {"handshake_ivl", 66, INT},
    {"socks_proxy", 68, STRING},
    {"xpub_nodrop", 69, INT},
    {"xpub_manual", 71, INT},
    {"xpub_welcome_msg", 72, BINARY},
    {"stream_notify", 73, INT},
    {"invert_matching", 74, INT},
    {"heartbeat_ivl", 75, INT},
    {"heartbeat_ttl", 76, INT},
    {"heartbeat_timeout", 77, INT},
    {"xpub_verboser", 78, INT},
    {"connect_timeout", 79, INT},
    {"tcp_maxrt", 80, INT},
    {"multicast_maxtpdu", 84, INT},
    {"vmci_buffer_size", 85, LONG},
    {"vmci_buffer_min_size", 86, LONG},
    {"vmci_buffer_max_size", 87, LONG},
    {"vmci_connect_timeout", 88, INT},
    {"use_fd", 89, INT},
    {"gssapi_principal_nametype", 90, INT},
    {"gssapi_service_principal_nametype", 91, INT},
    {"bindtodevice", 92, STRING},
    {"zap_enforce_domain", 93, INT},
    {"loopback_fastpath", 94, INT},
    {"metadata", 95, STRING},
    {"multicast_loop", 96, INT},
    {"router_notify", 97, INT},
    {"xpub_manual_last_value", 98, INT},
    {"socks_username", 99, STRING},
    {"socks_password", 100, STRING},
    {"in_batch_size", 101, INT},
    {"out_batch_size", 102, INT},
    {"wss_key_pem", 103, STRING},
    {"wss_cert_pem", 104, STRING},
    {"wss_trust_pem", 105, STRING},
    {"wss_hostname", 106, STRING},
    {"wss_trust_system", 107, INT},
    {"only_first_subscribe", 108, INT},
    {"reconnect_stop", 109, INT},
    {"hello_msg", 110, BINARY},
    {"disconnect_msg", 111, BINARY},
    {"priority", 112, INT},
    {"busy_poll", 113, INT},
    {"hiccup_msg", 114, BINARY},
    {"xsub_verbose_unsubscribe", 115, INT},
    {"norm_mode", 117, INT},
    {"norm_unicast_nack", 118, INT},
    {"norm_buffer_size", 119, INT},
    {"norm_segment_size", 120, INT},
    {"norm_block_size", 121, INT},
    {"norm_num_parity", 122, INT},
    {"norm_num_autoparity", 123, INT},
    {"norm_push", 124, INT},
    {"tls_certificate", 1000, STRING},
    {"tls_key", 1001, STRING},
    {"tls_ca", 1002, STRING},
    {"tls_verify", 1003, INT},
    {"tls_require_client_cert", 1004, INT},
    {"tls_hostname", 1005, STRING},
    {"tls_trust_system", 1006, INT},
    {"tls_key_password", 1007, STRING},
    {"tls_min_version", 1008, INT},
    {"tls_ciphers", 1009, STRING},
    {"tls_ciphersuites", 1010, STRING},
    {"tls_alpn", 1011, STRING},
};

enum { ROW_COUNT = sizeof rows / sizeof *rows };

/* A NAME=VALUE taken apart. */
struct assignment {
    struct option_row row;
    const char *value;
    char name[64]; /* as in the table: lower case, underscores, no prefix */
};

static void normalize_name(char name[64], const char *text, size_t length)
{
    static const char *const prefixes[] = {"zmq_", "zlink_"};
    if (length > 63)
        length = 63;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        name[i] = (char)(c == '-' ? '_' : c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    name[length] = '\0';
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        size_t prefix = strlen(prefixes[i]);
        if (length > prefix && strncmp(name, prefixes[i], prefix) == 0) {
            memmove(name, name + prefix, length - prefix + 1);
            return;
        }
    }
}

static bool find_row(struct assignment *assignment)
{
    int64_t number;
    if (cli_parse_integer(assignment->name, 0, &number) && number > 0 && number <= INT_MAX) {
        assignment->row = (struct option_row){assignment->name, (int)number, INT};
        return true;
    }
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (strcmp(rows[i].name, assignment->name) == 0) {
            assignment->row = rows[i];
            return true;
        }
    }
    return false;
}

static int unknown_name(const char *name)
{
    const char *names[ROW_COUNT];
    for (size_t i = 0; i < ROW_COUNT; i++)
        names[i] = rows[i].name;
    const char *close = cli_closest(name, names, ROW_COUNT);
    cli_error("no socket option is called '%s'", name);
    if (close)
        cli_hint("did you mean '%s'? 'zlink help options' lists them all", close);
    else
        cli_hint("'zlink help options' lists them all");
    return CLI_USAGE;
}

static int parse_assignment(struct assignment *assignment, const char *text)
{
    const char *equals = strchr(text, '=');
    if (!equals)
        return cli_usage("--option needs NAME=VALUE, for example sndhwm=5000, not '%s'", text);
    normalize_name(assignment->name, text, (size_t)(equals - text));
    assignment->value = equals + 1;
    if (!find_row(assignment))
        return unknown_name(assignment->name);
    int64_t number;
    bool integer = assignment->row.kind == INT || assignment->row.kind == LONG;
    if (integer && !cli_parse_integer(assignment->value, 0, &number))
        return cli_usage("option %s takes an integer, not '%s'", assignment->name,
                         assignment->value);
    return CLI_CONTINUE;
}

int cli_options_check(const struct cli_list *assignments)
{
    struct assignment assignment = {0};
    for (size_t i = 0; i < assignments->count; i++) {
        int rc = parse_assignment(&assignment, assignments->items[i]);
        if (rc != CLI_CONTINUE)
            return rc;
    }
    return CLI_CONTINUE;
}

static int set_integer(void *socket, const struct assignment *assignment)
{
    int64_t wide;
    cli_parse_integer(assignment->value, 0, &wide);
    if (assignment->row.kind == LONG)
        return zmq_setsockopt(socket, assignment->row.number, &wide, sizeof wide);
    int narrow = (int)wide;
    if (narrow != wide) {
        errno = ERANGE;
        return -1;
    }
    return zmq_setsockopt(socket, assignment->row.number, &narrow, sizeof narrow);
}

/* The bytes that a STRING or BINARY option's text stands for, malloc'ed. */
static char *text_value(const struct assignment *assignment, size_t *size)
{
    char *data = NULL;
    if (assignment->value[0] == '@') {
        int rc = cli_read_file(assignment->value + 1, &data, size);
        errno = rc < 0 ? -rc : 0;
        return data;
    }
    if (assignment->row.kind == BINARY) {
        errno = EILSEQ;
        return cli_unescape(assignment->value, size);
    }
    *size = strlen(assignment->value);
    return memcpy(cli_alloc(*size), assignment->value, *size);
}

static int set_text(void *socket, const struct assignment *assignment)
{
    size_t size;
    char *data = text_value(assignment, &size);
    if (!data)
        return -1;
    int rc = zmq_setsockopt(socket, assignment->row.number, data, size);
    int saved = errno;
    free(data);
    errno = saved;
    return rc;
}

int cli_options_apply(void *socket, const struct cli_list *assignments)
{
    struct assignment assignment = {0};
    for (size_t i = 0; i < assignments->count; i++) {
        int rc = parse_assignment(&assignment, assignments->items[i]);
        if (rc != CLI_CONTINUE)
            return rc;
        bool integer = assignment.row.kind == INT || assignment.row.kind == LONG;
        rc = integer ? set_integer(socket, &assignment) : set_text(socket, &assignment);
        if (rc == 0)
            continue;
        int error = zmq_errno();
        cli_error("cannot set option %s to '%s': %s", assignment.name, assignment.value,
                  zmq_strerror(error));
        if (error == EINVAL)
            cli_hint("the value is out of range, the socket type does not have this option, or "
                     "the library was built without it");
        return CLI_FAILURE;
    }
    return CLI_CONTINUE;
}

void cli_options_print_table(void)
{
    static const char *const kinds[] = {"integer", "64-bit integer", "text or @FILE",
                                        "bytes with escapes or @FILE"};
    for (size_t i = 0; i < ROW_COUNT; i++)
        printf("  %-34s %4d  %s\n", rows[i].name, rows[i].number, kinds[rows[i].kind]);
}
