/* SPDX-License-Identifier: MPL-2.0 */
/* Connections of one context on several threads: made, used, resumed and closed at once, while a third
   thread has the files looked at and changes them. Worth running under the thread sanitizer. */
#define _GNU_SOURCE
#include "unit/transport/tls_peers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { CONNECTIONS = 20 };

static struct zl_tls_context *client, *server;
static atomic_bool over;
static char path[] = "/tmp/zlink-tls-threads-XXXXXX";

/* Assertions of cmocka do not work off the main thread. */
#define demand(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static void shake(struct zl_stream sides[2])
{
    int rc[2] = {-EAGAIN, -EAGAIN};
    while (rc[0] || rc[1]) {
        for (int i = 0; i < 2; i++)
            if (rc[i])
                rc[i] = zl_tls_handshake(&sides[i]);
        demand(rc[0] == 0 || rc[0] == -EAGAIN);
        demand(rc[1] == 0 || rc[1] == -EAGAIN);
    }
}

static void exchange(struct zl_stream sides[2])
{
    static const char text[] = "to and fro";
    char place[sizeof text];
    for (int i = 0; i < 2; i++) {
        struct iovec out = {(void *)text, sizeof text}, in = {place, sizeof place};
        demand(sides[i].ops->write(&sides[i], &out, 1) == sizeof text);
        demand(sides[1 - i].ops->read(&sides[1 - i], &in, 1) == sizeof text);
        demand(memcmp(place, text, sizeof text) == 0);
    }
}

static void *connect_often(void *argument)
{
    struct zl_tls_info info;
    int *resumed = argument;
    for (int n = 0; n < CONNECTIONS; n++) {
        struct zl_stream sides[2];
        int fds[2];
        demand(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
        for (int i = 0; i < 2; i++) {
            sides[i].fd = fds[i];
            demand(zl_tls_stream_open(&sides[i], i == CLIENT ? client : server, NULL) == 0);
        }
        shake(sides);
        exchange(sides);
        zl_tls_stream_info(&sides[CLIENT], &info);
        *resumed += info.resumed;
        for (int i = 0; i < 2; i++) {
            sides[i].ops->close(&sides[i]);
            close(fds[i]);
        }
    }
    return NULL;
}

static void *refresh_often(void *argument)
{
    (void)argument;
    while (!atomic_load(&over)) {
        demand(zl_tls_context_refresh(server, NULL) >= 0);
        demand(zl_tls_context_refresh(client, NULL) >= 0);
        sched_yield();
    }
    tc_write_file(path, world.ca.certificate);
    demand(zl_tls_context_refresh(client, NULL) == 1);
    return NULL;
}

static void connections_of_one_context_are_independent(void **state)
{
    struct zl_tls_settings settings = client_settings();
    pthread_t threads[2], refresher;
    int resumed[2] = {0, 0};
    (void)state;
    close(mkstemp(path));
    tc_write_file(path, world.ca.certificate);
    settings.ca = path;
    client = new_context(settings);
    server = new_context(server_settings());
    assert_int_equal(pthread_create(&refresher, NULL, refresh_often, NULL), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, connect_often, &resumed[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    atomic_store(&over, true);
    pthread_join(refresher, NULL);
    /* Each thread has had a session of one or the other from its second connection on. */
    assert_true(resumed[0] >= CONNECTIONS - 1);
    assert_true(resumed[1] >= CONNECTIONS - 1);
    zl_tls_context_release(client);
    zl_tls_context_release(server);
    unlink(path);
}

/* One descriptor pair, one side per thread: the streams share nothing but the context. */
static void *serve(void *argument)
{
    struct zl_stream *stream = argument;
    char place[1000];
    struct iovec vector = {place, sizeof place};
    int rc;
    while ((rc = zl_tls_handshake(stream)) == -EAGAIN)
        sched_yield();
    demand(rc == 0);
    for (;;) {
        ssize_t size = stream->ops->read(stream, &vector, 1);
        if (size == -EPIPE)
            return NULL;
        demand(size > 0 || size == -EAGAIN);
        struct iovec echo = {place, size > 0 ? (size_t)size : 0};
        while (echo.iov_len > 0) {
            ssize_t sent = stream->ops->write(stream, &echo, 1);
            demand(sent > 0 || sent == -EAGAIN);
            if (sent > 0) {
                echo.iov_base = (char *)echo.iov_base + sent;
                echo.iov_len -= (size_t)sent;
            }
        }
    }
}

static void both_ends_on_their_own_threads(void **state)
{
    struct pair pair;
    pthread_t thread;
    size_t total = 0;
    char place[1000];
    (void)state;
    client = new_context(client_settings());
    server = new_context(server_settings());
    begin_pair(&pair, client, server);
    assert_int_equal(pthread_create(&thread, NULL, serve, &pair.side[SERVER]), 0);
    while ((pair.result[CLIENT] = zl_tls_handshake(&pair.side[CLIENT])) == -EAGAIN)
        sched_yield();
    assert_int_equal(pair.result[CLIENT], 0);
    for (int i = 0; i < 100; i++) {
        memset(place, i, sizeof place);
        assert_int_equal(write_some(&pair.side[CLIENT], place, sizeof place), sizeof place);
        for (size_t got = 0; got < sizeof place;) {
            ssize_t size = read_some(&pair.side[CLIENT], place, sizeof place - got);
            if (size > 0)
                got += (size_t)size, total += (size_t)size;
            else
                sched_yield();
        }
    }
    assert_int_equal(total, 100 * sizeof place);
    pair.side[CLIENT].ops->close(&pair.side[CLIENT]);
    pthread_join(thread, NULL);
    close_pair(&pair);
    zl_tls_context_release(client);
    zl_tls_context_release(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_of_one_context_are_independent),
        cmocka_unit_test(both_ends_on_their_own_threads),
    };
    return cmocka_run_group_tests_name(__FILE__, tests, make_world, free_world);
}
