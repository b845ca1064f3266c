/* SPDX-License-Identifier: MPL-2.0 */
/* The TLS stream once it is open: what read, write, pending and close promise. */
#define _GNU_SOURCE
#include "unit/transport/tls_peers.h"

#include <poll.h>
#include <signal.h>

static struct zl_tls_context *contexts[2];

static int setup(void **state)
{
    make_world(state);
    contexts[CLIENT] = new_context(client_settings());
    contexts[SERVER] = new_context(server_settings());
    return 0;
}

static int teardown(void **state)
{
    zl_tls_context_release(contexts[CLIENT]);
    zl_tls_context_release(contexts[SERVER]);
    return free_world(state);
}

static void begin(struct pair *pair)
{
    connect_pair(pair, contexts[CLIENT], contexts[SERVER]);
}

static void set_buffers(struct pair *pair, int size)
{
    for (int i = 0; i < 2; i++) {
        setsockopt(pair->side[i].fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
        setsockopt(pair->side[i].fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    }
}

static void fill_pattern(uint8_t *data, size_t size, uint64_t seed)
{
    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)(octets_random(&seed) >> 8);
}

/* ---- Reading ---------------------------------------------------------------------------------- */

static void nothing_there_is_eagain(void **state)
{
    struct pair pair;
    char octet;
    (void)state;
    begin(&pair);
    for (int i = 0; i < 2; i++) {
        assert_true(pair.side[i].ops->half_duplex);
        assert_int_equal(read_some(&pair.side[i], &octet, 1), -EAGAIN);
        assert_int_equal(pair.side[i].want, ZL_STREAM_WANT_READ);
        assert_false(pair.side[i].ops->pending(&pair.side[i]));
    }
    close_pair(&pair);
}

static void many_records_fill_one_read(void **state)
{
    struct pair pair;
    char place[64];
    (void)state;
    begin(&pair);
    for (int i = 0; i < 5; i++)
        assert_int_equal(write_some(&pair.side[CLIENT], "abcde", 5), 5);
    assert_int_equal(read_some(&pair.side[SERVER], place, sizeof place), 25);
    assert_memory_equal(place, "abcdeabcdeabcdeabcdeabcde", 25);
    assert_int_equal(read_some(&pair.side[SERVER], place, sizeof place), -EAGAIN);
    close_pair(&pair);
}

static void pending_tells_of_decrypted_bytes(void **state)
{
    struct pair pair;
    struct zl_stream *server = &pair.side[SERVER];
    char octet;
    (void)state;
    begin(&pair);
    assert_int_equal(write_some(&pair.side[CLIENT], "abc", 3), 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(read_some(server, &octet, 1), 1);
        assert_int_equal(octet, "abc"[i]);
        assert_true(server->ops->pending(server)); /* the descriptor is not readable any more */
        assert_int_equal(poll(&(struct pollfd){.fd = server->fd, .events = POLLIN}, 1, 0), 0);
    }
    assert_int_equal(read_some(server, &octet, 1), -EAGAIN);
    assert_false(server->ops->pending(server));
    close_pair(&pair);
}

static void data_behind_the_handshake_is_pending(void **state)
{
    struct pair pair;
    char place[16];
    (void)state;
    begin_pair(&pair, contexts[CLIENT], contexts[SERVER]);
    assert_int_equal(zl_tls_handshake(&pair.side[CLIENT]), -EAGAIN);
    assert_int_equal(zl_tls_handshake(&pair.side[SERVER]), -EAGAIN);
    assert_int_equal(zl_tls_handshake(&pair.side[CLIENT]), 0);
    /* In one piece with the client's last handshake message. */
    assert_int_equal(write_some(&pair.side[CLIENT], "early", 5), 5);
    assert_int_equal(zl_tls_handshake(&pair.side[SERVER]), 0);
    assert_true(pair.side[SERVER].ops->pending(&pair.side[SERVER]));
    assert_int_equal(read_some(&pair.side[SERVER], place, sizeof place), 5);
    assert_memory_equal(place, "early", 5);
    close_pair(&pair);
}

static void reads_into_many_places(void **state)
{
    struct pair pair;
    char a[3], b[1], c[10];
    struct iovec vectors[3] = {{a, 3}, {b, 1}, {c, 10}};
    (void)state;
    begin(&pair);
    assert_int_equal(write_some(&pair.side[SERVER], "abcdefg", 7), 7);
    assert_int_equal(pair.side[CLIENT].ops->read(&pair.side[CLIENT], vectors, 3), 7);
    assert_memory_equal(a, "abc", 3);
    assert_memory_equal(b, "d", 1);
    assert_memory_equal(c, "efg", 3);
    close_pair(&pair);
}

/* ---- Writing ---------------------------------------------------------------------------------- */

/* How many ciphertext bytes wait at the other end. */
static size_t on_the_wire(int fd)
{
    static char waste[1 << 20];
    ssize_t size = recv(fd, waste, sizeof waste, MSG_PEEK | MSG_DONTWAIT);
    return size > 0 ? (size_t)size : 0;
}

static void small_pieces_share_a_record(void **state)
{
    struct pair pair;
    char place[256];
    struct iovec vectors[40];
    (void)state;
    begin(&pair);
    for (int i = 0; i < 40; i++)
        vectors[i] = (struct iovec){"wxyz", 4};
    assert_int_equal(read_some(&pair.side[SERVER], place, 1), -EAGAIN);
    assert_int_equal(pair.side[CLIENT].ops->write(&pair.side[CLIENT], vectors, 40), 160);
    /* 5 octets of header, 16 of authentication, 1 of type: once. */
    assert_int_equal(on_the_wire(pair.side[SERVER].fd), 160 + 22);
    assert_int_equal(read_some(&pair.side[SERVER], place, sizeof place), 160);
    close_pair(&pair);
}

static void large_and_small_pieces_mix(void **state)
{
    static uint8_t source[100000], place[100000];
    static const size_t cuts[] = {0, 9, 16384, 16385, 16385, 16400, 60000, 60001, 99990, 100000};
    enum { PIECES = sizeof cuts / sizeof *cuts - 1 };
    struct iovec vectors[PIECES];
    struct pair pair;
    (void)state;
    begin(&pair);
    set_buffers(&pair, 1 << 20);
    fill_pattern(source, sizeof source, 1);
    for (size_t i = 0; i < PIECES; i++)
        vectors[i] = (struct iovec){source + cuts[i], cuts[i + 1] - cuts[i]};
    assert_int_equal(pair.side[CLIENT].ops->write(&pair.side[CLIENT], vectors, PIECES),
                     sizeof source);
    /* Full records, whatever the pieces are. */
    assert_int_equal(on_the_wire(pair.side[SERVER].fd), sizeof source + 7 * 22);
    assert_int_equal(read_some(&pair.side[SERVER], place, sizeof place), sizeof source);
    assert_memory_equal(place, source, sizeof source);
    close_pair(&pair);
}

/* Writes until nothing more is taken; returns how much was reported. */
static size_t write_until_full(struct zl_stream *stream, const uint8_t *data, size_t size)
{
    size_t done = 0;
    ssize_t rc;
    while ((rc = write_some(stream, data + done, size - done)) > 0)
        done += (size_t)rc;
    assert_int_equal(rc, -EAGAIN);
    assert_int_equal(stream->want, ZL_STREAM_WANT_WRITE);
    return done;
}

static void what_is_owed_is_reported_when_it_is_gone(void **state)
{
    static uint8_t source[4 << 20], place[4 << 20];
    struct pair pair;
    struct zl_stream *client = &pair.side[CLIENT], *server = &pair.side[SERVER];
    size_t got = 0;
    (void)state;
    begin(&pair);
    fill_pattern(source, sizeof source, 2);
    size_t done = write_until_full(client, source, sizeof source);
    assert_true(client->owed > 0 && client->owed <= 16384);
    /* Nothing but the same bytes may be offered, and what is reported arrives whole. */
    while (done < sizeof source) {
        ssize_t rc = read_some(server, place + got, sizeof place - got);
        if (rc > 0)
            got += (size_t)rc;
        assert_true(got >= done); /* what was reported was with the kernel */
        rc = write_some(client, source + done, sizeof source - done);
        if (rc > 0)
            done += (size_t)rc;
    }
    ssize_t rc;
    while ((rc = read_some(server, place + got, sizeof place - got)) > 0)
        got += (size_t)rc;
    assert_int_equal(client->owed, 0);
    assert_int_equal(got, sizeof source);
    assert_memory_equal(place, source, sizeof source);
    close_pair(&pair);
}

static void offering_less_than_is_owed_fails(void **state)
{
    static uint8_t source[4 << 20], place[4 << 20];
    struct pair pair;
    (void)state;
    begin(&pair);
    size_t done = write_until_full(&pair.side[CLIENT], source, sizeof source);
    while (read_some(&pair.side[SERVER], place, sizeof place) > 0) {
    }
    assert_int_equal(write_some(&pair.side[CLIENT], source + done, pair.side[CLIENT].owed - 1),
                     -EINVAL);
    close_pair(&pair);
}

/* ---- The end ---------------------------------------------------------------------------------- */

static void close_is_told_apart_from_a_cut(void **state)
{
    struct pair pair;
    char place[8];
    (void)state;
    begin(&pair);
    assert_int_equal(write_some(&pair.side[CLIENT], "bye", 3), 3);
    pair.side[CLIENT].ops->close(&pair.side[CLIENT]);
    assert_int_equal(read_some(&pair.side[SERVER], place, sizeof place), 3);
    /* Nothing else will make the descriptor readable. */
    assert_true(pair.side[SERVER].ops->pending(&pair.side[SERVER]));
    assert_int_equal(read_some(&pair.side[SERVER], place, sizeof place), -EPIPE);
    assert_false(pair.side[SERVER].ops->pending(&pair.side[SERVER]));
    assert_string_equal(zl_tls_reason(&pair.side[SERVER]), "the peer closed the connection");
    assert_int_equal(read_some(&pair.side[SERVER], place, sizeof place), -EPIPE);
    close_pair(&pair);

    begin(&pair);
    assert_int_equal(write_some(&pair.side[CLIENT], "bye", 3), 3);
    assert_int_equal(shutdown(pair.side[CLIENT].fd, SHUT_WR), 0);
    assert_int_equal(read_some(&pair.side[SERVER], place, sizeof place), 3);
    assert_int_equal(read_some(&pair.side[SERVER], place, sizeof place), -EPIPE);
    assert_reason(&pair.side[SERVER], "without a TLS close");
    close_pair(&pair);
}

static void writing_to_a_peer_that_is_gone_fails_without_a_signal(void **state)
{
    struct pair pair;
    (void)state;
    assert_true(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    begin(&pair);
    close(pair.side[SERVER].fd);
    pair.side[SERVER].fd = -1;
    assert_int_equal(write_some(&pair.side[CLIENT], "x", 1), -EPIPE);
    assert_int_equal(write_some(&pair.side[CLIENT], "x", 1), -EPIPE);
    close_pair(&pair);
}

static void changed_data_ends_the_connection(void **state)
{
    static const char record[] = "\x17\x03\x03\0\x20"
                                 "0123456789abcdef0123456789abcdef";
    struct pair pair;
    char place[64];
    (void)state;
    begin(&pair);
    assert_int_equal(write_some(&pair.side[CLIENT], "good", 4), 4);
    assert_int_equal(send(pair.side[CLIENT].fd, record, sizeof record - 1, 0), sizeof record - 1);
    assert_int_equal(read_some(&pair.side[SERVER], place, sizeof place), 4);
    assert_true(pair.side[SERVER].ops->pending(&pair.side[SERVER]));
    assert_int_equal(read_some(&pair.side[SERVER], place, sizeof place), -EPROTO);
    assert_reason(&pair.side[SERVER], "changed on its way");
    close_pair(&pair);
}

/* ---- Peers that make trouble ------------------------------------------------------------------ */

/* A foreign client that has connected with the stream, over fds[1]. */
static SSL *connect_foreign(struct zl_stream *stream, int fds[2], int version)
{
    SSL_CTX *ssl_ctx = SSL_CTX_new(TLS_client_method());
    int rc = -EAGAIN;
    SSL_CTX_set_max_proto_version(ssl_ctx, version);
    SSL *ssl = SSL_new(ssl_ctx);
    SSL_CTX_free(ssl_ctx);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    open_side(stream, fds[0], contexts[SERVER]);
    SSL_set_fd(ssl, fds[1]);
    SSL_set_connect_state(ssl);
    for (int rounds = 0; rc == -EAGAIN || SSL_in_init(ssl); rounds++) {
        assert_true(rounds < 1000);
        SSL_do_handshake(ssl);
        ERR_clear_error();
        if (rc == -EAGAIN)
            rc = zl_tls_handshake(stream);
    }
    assert_int_equal(rc, 0);
    return ssl;
}

static void end_foreign(struct zl_stream *stream, SSL *ssl, int fds[2])
{
    stream->ops->close(stream);
    SSL_free(ssl);
    ERR_clear_error();
    close(fds[0]);
    close(fds[1]);
}

static void key_update_is_answered(void **state)
{
    struct zl_stream stream;
    char place[64];
    int fds[2];
    (void)state;
    SSL *ssl = connect_foreign(&stream, fds, TLS1_3_VERSION);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED), 1);
        assert_int_equal(SSL_write(ssl, "new keys", 8), 8);
        assert_int_equal(read_some(&stream, place, sizeof place), 8);
        assert_int_equal(write_some(&stream, "same here", 9), 9);
        assert_int_equal(SSL_read(ssl, place, sizeof place), 9);
        assert_memory_equal(place, "same here", 9);
    }
    end_foreign(&stream, ssl, fds);
}

static void renegotiation_is_refused(void **state)
{
    struct zl_stream stream;
    char place[64];
    int fds[2];
    (void)state;
    SSL *ssl = connect_foreign(&stream, fds, TLS1_2_VERSION);
    SSL_write(ssl, "a", 1);
    assert_int_equal(read_some(&stream, place, sizeof place), 1);
    SSL_renegotiate(ssl);
    SSL_do_handshake(ssl);
    ERR_clear_error();
    ssize_t rc = read_some(&stream, place, sizeof place);
    assert_int_equal(rc, -EAGAIN);
    /* The client is told no, by an alert that OpenSSL takes for fatal. */
    assert_true(SSL_do_handshake(ssl) <= 0);
    assert_int_equal(ERR_GET_REASON(ERR_peek_error()), SSL_R_NO_RENEGOTIATION);
    ERR_clear_error();
    end_foreign(&stream, ssl, fds);
}

static void key_updates_without_data_are_no_news(void **state)
{
    struct zl_stream stream;
    char place[64];
    int fds[2];
    (void)state;
    SSL *ssl = connect_foreign(&stream, fds, TLS1_3_VERSION);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
        assert_int_equal(SSL_do_handshake(ssl), 1);
        assert_int_equal(read_some(&stream, place, sizeof place), -EAGAIN);
        assert_false(stream.ops->pending(&stream));
    }
    assert_int_equal(SSL_write(ssl, "data", 4), 4);
    assert_int_equal(read_some(&stream, place, sizeof place), 4);
    end_foreign(&stream, ssl, fds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_there_is_eagain),
        cmocka_unit_test(many_records_fill_one_read),
        cmocka_unit_test(pending_tells_of_decrypted_bytes),
        cmocka_unit_test(data_behind_the_handshake_is_pending),
        cmocka_unit_test(reads_into_many_places),
        cmocka_unit_test(small_pieces_share_a_record),
        cmocka_unit_test(large_and_small_pieces_mix),
        cmocka_unit_test(what_is_owed_is_reported_when_it_is_gone),
        cmocka_unit_test(offering_less_than_is_owed_fails),
        cmocka_unit_test(close_is_told_apart_from_a_cut),
        cmocka_unit_test(writing_to_a_peer_that_is_gone_fails_without_a_signal),
        cmocka_unit_test(changed_data_ends_the_connection),
        cmocka_unit_test(key_update_is_answered),
        cmocka_unit_test(renegotiation_is_refused),
        cmocka_unit_test(key_updates_without_data_are_no_news),
    };
    return cmocka_run_group_tests_name(__FILE__, tests, setup, teardown);
}
