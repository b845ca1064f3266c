/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of the stream over a descriptor, on both kinds of sockets that use it. */
#define _GNU_SOURCE
#include "unit/wire/octets.h"

#include "transport/stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

struct fixture {
    struct zl_stream stream; /* over fds[0] */
    int fds[2];
};

static void make_tcp_pair(int fds[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(listener >= 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    fds[0] = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fds[0] >= 0);
    assert_int_equal(connect(fds[0], (struct sockaddr *)&address, sizeof address), 0);
    fds[1] = accept(listener, NULL, NULL);
    assert_true(fds[1] >= 0);
    close(listener);
}

/* The far end blocks, so that what is written arrives before a read of it returns. */
static void begin(struct fixture *f, void **state)
{
    if (*state)
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, f->fds), 0);
    else
        make_tcp_pair(f->fds);
    assert_int_equal(fcntl(f->fds[0], F_SETFL, O_NONBLOCK), 0);
    f->stream = (struct zl_stream){.ops = &zl_fd_stream_ops, .fd = f->fds[0]};
}

static void end(struct fixture *f)
{
    f->stream.ops->close(&f->stream);
    f->stream.ops->close(&f->stream); /* again, and the descriptor is still ours to close */
    assert_int_equal(close(f->fds[0]), 0);
    if (f->fds[1] >= 0)
        assert_int_equal(close(f->fds[1]), 0);
}

static ssize_t stream_read(struct fixture *f, const struct iovec *vectors, int count)
{
    return f->stream.ops->read(&f->stream, vectors, count);
}

static ssize_t stream_write(struct fixture *f, const struct iovec *vectors, int count)
{
    return f->stream.ops->write(&f->stream, vectors, count);
}

/* Until something other than "nothing there" is said: octets, or the end, travel for a moment. */
static ssize_t await_read(struct fixture *f, const struct iovec *vectors, int count)
{
    ssize_t rc;
    do
        rc = stream_read(f, vectors, count);
    while (rc == -EAGAIN);
    return rc;
}

static void nothing_there_is_eagain(void **state)
{
    struct fixture f;
    char a[4], b[4];
    struct iovec vectors[2] = {{a, 4}, {b, 4}};
    begin(&f, state);
    assert_int_equal(stream_read(&f, vectors, 1), -EAGAIN);
    assert_int_equal(stream_read(&f, vectors, 2), -EAGAIN);
    end(&f);
}

static void reads_into_one_or_many_places(void **state)
{
    struct fixture f;
    char a[4] = "", b[4] = "";
    struct iovec vectors[2] = {{a, 3}, {b, 3}};
    begin(&f, state);
    assert_int_equal(send(f.fds[1], "abcdefgh", 8, 0), 8);
    assert_int_equal(await_read(&f, vectors, 1), 3);
    assert_string_equal(a, "abc");
    assert_int_equal(stream_read(&f, vectors, 2), 5);
    assert_string_equal(a, "def");
    assert_memory_equal(b, "gh", 2);
    assert_int_equal(stream_read(&f, vectors, 2), -EAGAIN);
    end(&f);
}

static void writes_from_one_or_many_places(void **state)
{
    struct fixture f;
    char buffer[16] = "";
    struct iovec vectors[3] = {{"one", 3}, {"", 0}, {"three", 5}};
    begin(&f, state);
    assert_int_equal(stream_write(&f, vectors, 1), 3);
    assert_int_equal(stream_write(&f, vectors, 3), 8);
    assert_int_equal(recv(f.fds[1], buffer, 11, MSG_WAITALL), 11);
    assert_string_equal(buffer, "oneonethree");
    end(&f);
}

static void the_end_is_epipe(void **state)
{
    struct fixture f;
    char a[8], b[8];
    struct iovec vectors[2] = {{a, 2}, {b, 8}};
    begin(&f, state);
    assert_int_equal(send(f.fds[1], "last", 4, 0), 4);
    assert_int_equal(shutdown(f.fds[1], SHUT_WR), 0);
    assert_int_equal(await_read(&f, vectors, 1), 2); /* what came before the end first */
    assert_int_equal(await_read(&f, vectors, 2), 2);
    assert_int_equal(await_read(&f, vectors, 1), -EPIPE);
    assert_int_equal(await_read(&f, vectors, 2), -EPIPE);
    assert_int_equal(stream_write(&f, vectors, 1), 2); /* the other direction is still open */
    end(&f);
}

/* All that goes in comes out, once, although the kernel takes it in pieces. */
static void a_full_kernel_is_eagain(void **state)
{
    struct fixture f;
    enum { SIZE = 4 << 20 };
    uint8_t *out = malloc(SIZE), *in = malloc(SIZE);
    size_t sent = 0, received = 0;
    bool was_full = false;
    int buffer = 65536; /* fixed: otherwise the kernel may let it grow to hold everything */
    begin(&f, state);
    assert_int_equal(setsockopt(f.fds[0], SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer), 0);
    assert_int_equal(setsockopt(f.fds[1], SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer), 0);
    assert_true(out && in);
    for (size_t i = 0; i < SIZE; i++)
        out[i] = (uint8_t)(i * 17 + (i >> 8));
    for (unsigned round = 0; received < SIZE; round++) {
        /* One vector and two in turn, the first of them of any size. */
        size_t first = round * 1000 % (SIZE - sent + 1);
        struct iovec vectors[2] = {{out + sent, first}, {out + sent + first, SIZE - sent - first}};
        ssize_t rc = -EAGAIN;
        if (sent < SIZE && round % 2)
            rc = stream_write(&f, vectors, 2);
        else if (sent < SIZE)
            rc = stream_write(&f, &(struct iovec){out + sent, SIZE - sent}, 1);
        assert_int_not_equal(rc, 0);
        if (rc > 0) {
            sent += (size_t)rc;
            continue;
        }
        assert_int_equal(rc, -EAGAIN);
        was_full |= sent < SIZE;
        ssize_t got = recv(f.fds[1], in + received, SIZE - received, 0);
        assert_true(got > 0);
        received += (size_t)got;
    }
    assert_int_equal(sent, SIZE);
    assert_true(was_full);
    assert_memory_equal(in, out, SIZE);
    free(out);
    free(in);
    end(&f);
}

static volatile sig_atomic_t pipe_signals;

static void count_signal(int number)
{
    (void)number;
    pipe_signals++;
}

/* Writing to a peer that has gone is an error and no signal. */
static void no_signal_when_the_peer_has_gone(void **state)
{
    struct sigaction action = {.sa_handler = count_signal}, before;
    struct fixture f;
    struct iovec vectors[2] = {{"x", 1}, {"y", 1}};
    ssize_t rc = 0;
    begin(&f, state);
    pipe_signals = 0;
    assert_int_equal(sigaction(SIGPIPE, &action, &before), 0);
    assert_int_equal(close(f.fds[1]), 0);
    f.fds[1] = -1;
    for (int i = 0; i < 4; i++) {
        /* The first write to a tcp peer may still succeed; then comes its reset. */
        do
            rc = stream_write(&f, vectors, 1 + i % 2);
        while (rc > 0);
        assert_true(rc == -EPIPE || rc == -ECONNRESET);
    }
    assert_int_equal(rc, -EPIPE);
    assert_int_equal(pipe_signals, 0);
    assert_int_equal(sigaction(SIGPIPE, &before, NULL), 0);
    end(&f);
}

/* A reset is told as such by whichever call comes first. */
static void a_reset_is_an_error(void **state)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    struct fixture f;
    char a[8];
    begin(&f, state);
    assert_int_equal(setsockopt(f.fds[1], SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    assert_int_equal(close(f.fds[1]), 0);
    f.fds[1] = -1;
    assert_int_equal(await_read(&f, &(struct iovec){a, 8}, 1), -ECONNRESET);
    end(&f);
}

static void a_bad_descriptor_is_an_error(void **state)
{
    struct zl_stream stream = {.ops = &zl_fd_stream_ops, .fd = -1};
    char a[8];
    struct iovec vectors[2] = {{a, 4}, {a + 4, 4}};
    (void)state;
    for (int count = 1; count <= 2; count++) {
        assert_int_equal(stream.ops->read(&stream, vectors, count), -EBADF);
        assert_int_equal(stream.ops->write(&stream, vectors, count), -EBADF);
    }
    assert_false(stream.ops->half_duplex);
}

/* state: NULL for tcp, else a pair of Unix sockets */
#define ON_BOTH(test)                                                                              \
    {#test "_tcp", test, NULL, NULL, NULL},                                                        \
    {                                                                                              \
#test "_unix", test, NULL, NULL, (void *)"unix"                                            \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(nothing_there_is_eagain),        ON_BOTH(reads_into_one_or_many_places),
        ON_BOTH(writes_from_one_or_many_places), ON_BOTH(the_end_is_epipe),
        ON_BOTH(a_full_kernel_is_eagain),        ON_BOTH(no_signal_when_the_peer_has_gone),
        cmocka_unit_test(a_reset_is_an_error),   cmocka_unit_test(a_bad_descriptor_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
