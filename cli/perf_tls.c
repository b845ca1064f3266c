/* SPDX-License-Identifier: MPL-2.0 */
/* Certificates for a measurement: those given, or some that are forgotten afterwards. */
#include "cert_issue.h"
#include "cli.h"
#include "perf.h"

#include <stdlib.h>

/* The name in the certificate. The client checks this one, whatever address it connects to. */
#define NAME "localhost"

enum { DAYS = 2 };

/* A certificate of the CA with its key, as PEM text; NULL after a message. */
static char *issue(const struct cert_pair *ca, bool client)
{
    struct cli_list names = {0};
    struct cert_pair pair;
    char *text = NULL;
    cli_list_add(&names, NAME);
    struct cert_request request = {
        .common_name = NAME, .names = client ? NULL : &names, .client = client, .days = DAYS};
    if (cert_issue(&pair, ca, &request) == 0) {
        text = cert_pem(&pair, true);
        cert_free(&pair);
    }
    free(names.items);
    return text;
}

static int make_certificates(struct perf_tls *tls)
{
    struct cert_pair ca;
    if (cert_new_ca(&ca) != 0)
        return CLI_FAILURE;
    tls->texts[0] = cert_pem(&ca, false);
    tls->texts[1] = issue(&ca, false);
    tls->texts[2] = issue(&ca, true);
    cert_free(&ca);
    if (!tls->texts[0] || !tls->texts[1] || !tls->texts[2])
        return CLI_FAILURE;
    tls->server.ca = tls->client.ca = tls->texts[0];
    tls->server.certificate = tls->texts[1];
    tls->client.certificate = tls->texts[2];
    tls->client.hostname = NAME;
    return CLI_CONTINUE;
}

int perf_tls_open(struct perf_tls *tls, const struct cli_tls_args *args, const char *endpoint)
{
    *tls = (struct perf_tls){.used = cli_tls_is_used(endpoint), .server = *args, .client = *args};
    if (!tls->used || args->certificate)
        return CLI_CONTINUE;
    return make_certificates(tls);
}

void perf_tls_close(struct perf_tls *tls)
{
    for (size_t i = 0; i < sizeof tls->texts / sizeof *tls->texts; i++)
        free(tls->texts[i]);
    *tls = (struct perf_tls){0};
}
