/* SPDX-License-Identifier: MPL-2.0 */
/* The ciphertext side of a TLS stream by itself: nothing that was taken is lost or reordered. */
#include "unit/wire/octets.h"

#include "transport/tls_wire.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

struct fixture {
    struct zl_tls_wire wire;
    BIO *bio;
    int far;
};

static void begin(struct fixture *f)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    zl_tls_wire_init(&f->wire, fds[0]);
    f->bio = zl_tls_wire_bio(&f->wire);
    assert_non_null(f->bio);
    f->far = fds[1];
    zl_tls_wire_begin(&f->wire, 1000000);
}

static void end(struct fixture *f)
{
    BIO_free(f->bio);
    close(f->wire.fd);
    if (f->far >= 0)
        close(f->far);
    zl_tls_wire_free(&f->wire);
}

static void reading_stops_where_the_kernel_has_no_more(void **state)
{
    struct fixture f;
    char place[16];
    (void)state;
    begin(&f);
    assert_int_equal(BIO_read(f.bio, place, 4), -1);
    assert_true(BIO_should_read(f.bio));
    zl_tls_wire_begin(&f.wire, 100);
    assert_int_equal(send(f.far, "abcdef", 6, 0), 6);
    assert_int_equal(BIO_read(f.bio, place, 4), 4);
    assert_false(f.wire.drained);
    assert_int_equal(BIO_read(f.bio, place, 4), 2);
    assert_true(f.wire.drained);
    /* What came since waits for the next operation. */
    assert_int_equal(send(f.far, "gh", 2, 0), 2);
    assert_int_equal(BIO_read(f.bio, place, 4), -1);
    assert_true(BIO_should_read(f.bio));
    zl_tls_wire_begin(&f.wire, 100);
    assert_int_equal(BIO_read(f.bio, place, 4), 2);
    assert_memory_equal(place, "gh", 2);
    end(&f);
}

static void reading_stops_at_the_budget(void **state)
{
    struct fixture f;
    char place[16];
    (void)state;
    begin(&f);
    assert_int_equal(send(f.far, "abcdef", 6, 0), 6);
    zl_tls_wire_begin(&f.wire, 5);
    assert_int_equal(BIO_read(f.bio, place, 3), 3);
    assert_int_equal(BIO_read(f.bio, place, 3), 2);
    assert_int_equal(BIO_read(f.bio, place, 3), -1);
    assert_true(BIO_should_read(f.bio));
    assert_false(f.wire.drained); /* so there may be more */
    end(&f);
}

static void the_end_and_errors_are_kept(void **state)
{
    struct fixture f;
    char place[16];
    (void)state;
    begin(&f);
    close(f.far);
    f.far = -1;
    assert_int_equal(BIO_read(f.bio, place, 4), 0);
    assert_true(f.wire.ended);
    assert_false(BIO_should_retry(f.bio));
    assert_int_equal(BIO_write(f.bio, "x", 1), -1);
    assert_int_equal(f.wire.error, -EPIPE);
    assert_false(BIO_should_retry(f.bio));
    assert_int_equal(BIO_write(f.bio, "x", 1), -1);
    end(&f);
}

static void what_the_kernel_refuses_is_held_in_order(void **state)
{
    static uint8_t block[8192], place[8192];
    struct fixture f;
    unsigned written = 0;
    (void)state;
    begin(&f);
    while (!zl_tls_wire_holds(&f.wire) || written % 3 != 0) {
        memset(block, (int)written++, sizeof block);
        assert_int_equal(BIO_write(f.bio, block, sizeof block), sizeof block);
    }
    assert_int_equal(zl_tls_wire_flush(&f.wire), -EAGAIN);
    for (unsigned i = 0; i < written; i++) {
        size_t got = 0;
        while (got < sizeof place) {
            ssize_t size = recv(f.far, place + got, sizeof place - got, 0);
            if (size < 0)
                zl_tls_wire_flush(&f.wire);
            else
                got += (size_t)size;
        }
        memset(block, (int)i, sizeof block);
        assert_memory_equal(place, block, sizeof block);
    }
    assert_int_equal(zl_tls_wire_flush(&f.wire), 0);
    assert_null(f.wire.held);
    end(&f);
}

static void a_peer_that_never_reads_is_not_held_for(void **state)
{
    static uint8_t block[16384];
    struct fixture f;
    int writes = 0;
    (void)state;
    begin(&f);
    while (BIO_write(f.bio, block, sizeof block) > 0) {
        assert_true(f.wire.held_to - f.wire.held_from <= ZL_TLS_HELD_MAX);
        assert_true(writes++ < 10000);
    }
    assert_int_equal(f.wire.error, -ENOBUFS);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_stops_where_the_kernel_has_no_more),
        cmocka_unit_test(reading_stops_at_the_budget),
        cmocka_unit_test(the_end_and_errors_are_kept),
        cmocka_unit_test(what_the_kernel_refuses_is_held_in_order),
        cmocka_unit_test(a_peer_that_never_reads_is_not_held_for),
    };
    return cmocka_run_group_tests_name(__FILE__, tests, NULL, NULL);
}
