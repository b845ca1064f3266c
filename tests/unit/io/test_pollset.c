/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of the pollset: events name their owners, and events of what has gone name nobody. */
#include "unit/wire/octets.h"

#include "io/pollset.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct owner {
    int fd;
    uint64_t token;
};

static int setup(void **state)
{
    struct zl_pollset *set = malloc(sizeof *set);
    if (!set)
        return -1;
    zl_pollset_init(set);
    *state = set;
    return zl_pollset_open(set);
}

static int teardown(void **state)
{
    zl_pollset_close(*state);
    free(*state);
    return 0;
}

static void owner_init(struct zl_pollset *set, struct owner *owner, uint32_t events)
{
    owner->fd = eventfd(0, EFD_NONBLOCK);
    assert_true(owner->fd >= 0);
    assert_int_equal(zl_pollset_reserve(set, owner, &owner->token), 0);
    assert_int_equal(zl_pollset_register(set, owner->fd, owner->token, events), 0);
}

static void owner_end(struct zl_pollset *set, struct owner *owner)
{
    zl_pollset_unregister(set, owner->fd);
    zl_pollset_release(set, owner->token);
    close(owner->fd);
}

static void make_readable(int fd)
{
    uint64_t one = 1;
    assert_int_equal(write(fd, &one, sizeof one), sizeof one);
}

static void make_unreadable(int fd)
{
    uint64_t value;
    assert_int_equal(read(fd, &value, sizeof value), sizeof value);
}

static void a_set_without_descriptor(void **state)
{
    struct zl_pollset set;
    (void)state;
    zl_pollset_init(&set);
    assert_int_equal(set.fd, -1);
    assert_null(zl_pollset_owner(&set, 0));
    zl_pollset_close(&set);
    assert_int_equal(zl_pollset_open(&set), 0);
    zl_pollset_close(&set);
    assert_int_equal(set.fd, -1); /* closed once */
    zl_pollset_close(&set);
}

static void events_name_their_owner(void **state)
{
    struct zl_pollset *set = *state;
    struct owner owners[10];
    struct epoll_event events[16];
    for (int i = 0; i < 10; i++)
        owner_init(set, &owners[i], EPOLLIN | EPOLLET);
    assert_int_equal(zl_pollset_wait(set, events, 16, 0), 0);
    for (int i = 0; i < 10; i++) {
        make_readable(owners[i].fd);
        assert_int_equal(zl_pollset_wait(set, events, 16, -1), 1);
        assert_ptr_equal(zl_pollset_owner(set, events[0].data.u64), &owners[i]);
        assert_int_equal(events[0].events, EPOLLIN);
        assert_int_equal(zl_pollset_wait(set, events, 16, 0), 0); /* told once */
    }
    for (int i = 0; i < 10; i++)
        make_readable(owners[i].fd);
    assert_int_equal(zl_pollset_wait(set, events, 4, 0), 4); /* as many as there is room for */
    for (int i = 0; i < 10; i++)
        owner_end(set, &owners[i]);
}

static void what_is_watched_can_change(void **state)
{
    struct zl_pollset *set = *state;
    struct owner owner;
    struct epoll_event event;
    owner_init(set, &owner, EPOLLIN | EPOLLET);
    assert_int_equal(zl_pollset_register(set, owner.fd, owner.token, EPOLLIN), -EEXIST);
    assert_int_equal(zl_pollset_modify(set, owner.fd, owner.token, EPOLLIN | EPOLLOUT | EPOLLET),
                     0);
    assert_int_equal(zl_pollset_wait(set, &event, 1, -1), 1);
    assert_int_equal(event.events, EPOLLOUT);
    assert_ptr_equal(zl_pollset_owner(set, event.data.u64), &owner);
    zl_pollset_unregister(set, owner.fd);
    zl_pollset_unregister(set, owner.fd); /* harmless */
    make_readable(owner.fd);
    assert_int_equal(zl_pollset_wait(set, &event, 1, 0), 0);
    assert_int_equal(zl_pollset_modify(set, owner.fd, owner.token, EPOLLIN), -ENOENT);
    owner_end(set, &owner);
}

/* Events are collected, and before they are looked at some owners go and others take their places:
   also under the same descriptor numbers. */
static void events_of_what_has_gone_are_stale(void **state)
{
    struct zl_pollset *set = *state;
    struct owner old[4], new[4];
    struct epoll_event events[8];
    for (int i = 0; i < 4; i++) {
        owner_init(set, &old[i], EPOLLIN | EPOLLET);
        make_readable(old[i].fd);
    }
    assert_int_equal(zl_pollset_wait(set, events, 8, 0), 4);
    for (int i = 0; i < 4; i++)
        owner_end(set, &old[i]);
    for (int i = 0; i < 4; i++)
        assert_null(zl_pollset_owner(set, events[i].data.u64));
    for (int i = 0; i < 4; i++)
        owner_init(set, &new[i], EPOLLIN | EPOLLET);
    for (int i = 0; i < 4; i++) {
        assert_null(zl_pollset_owner(set, events[i].data.u64));
        assert_ptr_equal(zl_pollset_owner(set, new[i].token), &new[i]);
        owner_end(set, &new[i]);
    }
}

static void the_wake_is_nobodys(void **state)
{
    struct zl_pollset *set = *state;
    struct owner owner;
    struct epoll_event events[4];
    int wake = eventfd(0, EFD_NONBLOCK);
    assert_true(wake >= 0);
    owner_init(set, &owner, EPOLLIN | EPOLLET);
    assert_int_equal(zl_pollset_add_wake(set, wake), 0);
    make_readable(wake);
    for (int i = 0; i < 2; i++) { /* until it is read */
        assert_int_equal(zl_pollset_wait(set, events, 4, 0), 1);
        assert_true(events[0].data.u64 == ZL_POLLSET_WAKE);
        assert_null(zl_pollset_owner(set, events[0].data.u64));
    }
    make_unreadable(wake);
    assert_int_equal(zl_pollset_wait(set, events, 4, 0), 0);
    close(wake);
    owner_end(set, &owner);
}

static void errors_are_negative(void **state)
{
    struct zl_pollset *set = *state;
    struct epoll_event event;
    uint64_t token;
    assert_int_equal(zl_pollset_reserve(set, &token, &token), 0);
    assert_int_equal(zl_pollset_register(set, -1, token, EPOLLIN), -EBADF);
    assert_int_equal(zl_pollset_wait(set, &event, 0, 0), -EINVAL);
    assert_int_equal(zl_pollset_add_wake(set, -1), -EBADF);
}

static void generations_never_look_like_the_wake(void **state)
{
    struct zl_pollset *set = *state;
    uint64_t token;
    int owner;
    assert_int_equal(zl_pollset_reserve(set, &owner, &token), 0);
    zl_pollset_release(set, token);
    set->slots[0].generation = 0x7FFFFFFF; /* as after many years */
    assert_int_equal(zl_pollset_reserve(set, &owner, &token), 0);
    assert_ptr_equal(zl_pollset_owner(set, token), &owner);
    zl_pollset_release(set, token);
    assert_null(zl_pollset_owner(set, token));
    assert_int_equal(zl_pollset_reserve(set, &owner, &token), 0);
    assert_ptr_equal(zl_pollset_owner(set, token), &owner);
}

/* Tokens that come and go at random, against a table of all that ever were. */
static void tokens_are_never_used_twice(void **state)
{
    enum { TOKENS = 20000, ALIVE = 40 };
    struct zl_pollset *set = *state;
    uint64_t *tokens = malloc(TOKENS * sizeof *tokens);
    unsigned alive[ALIVE], count = 0, made = 0;
    uint64_t random = 1;
    assert_non_null(tokens);
    while (made < TOKENS) {
        if (count < ALIVE && octets_random(&random) % 100 < 52) {
            assert_int_equal(zl_pollset_reserve(set, &tokens[made], &tokens[made]), 0);
            alive[count++] = made++;
        } else if (count > 0) {
            unsigned index = octets_random(&random) % count;
            zl_pollset_release(set, tokens[alive[index]]);
            alive[index] = alive[--count];
        }
        if (made == 0)
            continue;
        unsigned some = octets_random(&random) % made;
        bool is_alive = false;
        for (unsigned i = 0; i < count; i++)
            is_alive |= alive[i] == some;
        assert_ptr_equal(zl_pollset_owner(set, tokens[some]), is_alive ? &tokens[some] : NULL);
    }
    assert_true(set->count <= ALIVE); /* places are used again */
    free(tokens);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_set_without_descriptor),
        TEST(events_name_their_owner),
        TEST(what_is_watched_can_change),
        TEST(events_of_what_has_gone_are_stale),
        TEST(the_wake_is_nobodys),
        TEST(errors_are_negative),
        TEST(generations_never_look_like_the_wake),
        TEST(tokens_are_never_used_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
