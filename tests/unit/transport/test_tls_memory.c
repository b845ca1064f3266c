/* SPDX-License-Identifier: MPL-2.0 */
/* Memory runs out somewhere inside OpenSSL: a connection may fail, but with an errno, without a crash, a
   hang or a leak, and the next one works. */
#define _GNU_SOURCE
#include "unit/transport/tls_peers.h"

#include <openssl/crypto.h>
#include <stdlib.h>

static long granted = -1; /* allocations that still succeed before one fails; -1: all do */

static bool is_granted(void)
{
    return granted < 0 || granted-- != 0; /* one fails, and then all succeed again */
}

static void *grudging_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return is_granted() ? malloc(size) : NULL;
}

static void *grudging_realloc(void *old, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return is_granted() ? realloc(old, size) : NULL;
}

static void plain_free(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    free(block);
}

static bool is_failure(int code)
{
    return code < 0 && code != -EAGAIN;
}

static int open_sides(struct pair *pair, struct zl_tls_context *contexts[2])
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    *pair = (struct pair){.result = {-EAGAIN, -EAGAIN}};
    int rc = 0;
    for (int i = 0; i < 2; i++) {
        pair->side[i].fd = fds[i];
        if (rc == 0)
            rc = zl_tls_stream_open(&pair->side[i], contexts[i], NULL);
    }
    return rc;
}

static void exchange(struct pair *pair)
{
    char place[16];
    for (int i = 0; i < 2; i++) {
        ssize_t rc = write_some(&pair->side[i], "text", 4);
        assert_true(rc == 4 || is_failure((int)rc));
        rc = read_some(&pair->side[1 - i], place, sizeof place);
        assert_true(rc == 4 || rc == -EAGAIN || is_failure((int)rc));
    }
}

static void end(struct pair *pair)
{
    for (int i = 0; i < 2; i++) {
        if (pair->side[i].ops)
            pair->side[i].ops->close(&pair->side[i]);
        close(pair->side[i].fd);
    }
    assert_int_equal(ERR_peek_error(), 0);
}

static unsigned failures; /* of connections */

/* A whole connection with the n-th allocation failing. True when it was not even reached. */
static bool connection_with_failure(struct zl_tls_context *contexts[2], long n)
{
    struct pair pair;
    granted = n;
    int rc = open_sides(&pair, contexts);
    assert_true(rc == 0 || rc == -ENOMEM);
    if (rc == 0) {
        shake_hands(&pair);
        if (pair.result[CLIENT] == 0 && pair.result[SERVER] == 0)
            exchange(&pair);
        else
            failures++;
    }
    end(&pair);
    bool reached = granted < 0;
    granted = -1;
    return !reached;
}

static void connections_survive_lack_of_memory(void **state)
{
    struct zl_tls_context *contexts[2] = {new_context(client_settings()),
                                          new_context(server_settings())};
    struct pair pair;
    long n = 0;
    (void)state;
    while (!connection_with_failure(contexts, n)) {
        n += 1 + n / 50;
        assert_true(n < 1000000);
    }
    assert_true(n > 100 && failures > 10);
    connect_pair(&pair, contexts[CLIENT], contexts[SERVER]);
    assert_works(&pair);
    close_pair(&pair);
    zl_tls_context_release(contexts[CLIENT]);
    zl_tls_context_release(contexts[SERVER]);
}

static void contexts_survive_lack_of_memory(void **state)
{
    struct zl_tls_settings settings = server_settings();
    bool reached = true;
    (void)state;
    settings.ca = world.ca.certificate;
    settings.verify = ZL_TLS_VERIFY_REQUIRED;
    settings.alpn = "zmtp";
    for (long n = 0; reached; n += 1 + n / 50) {
        struct zl_tls_context *context = NULL;
        struct zl_tls_error error = {0};
        granted = n;
        int rc = zl_tls_context_new(&settings, &context, &error);
        reached = granted < 0;
        granted = -1;
        assert_true(rc < 0 ? context == NULL && *error.text : context != NULL);
        assert_int_equal(ERR_peek_error(), 0);
        zl_tls_context_release(context);
    }
}

static int setup(void **state)
{
    if (!CRYPTO_set_mem_functions(grudging_malloc, grudging_realloc, plain_free))
        return -1;
    return make_world(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_survive_lack_of_memory),
        cmocka_unit_test(contexts_survive_lack_of_memory),
    };
    return cmocka_run_group_tests_name(__FILE__, tests, setup, free_world);
}
