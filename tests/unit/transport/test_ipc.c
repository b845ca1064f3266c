/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of the ipc transport: real sockets in an empty temporary directory, through the table of
   operations. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/options.h"
#include "transport/transport.h"

static const struct zl_transport_ops *const ipc = &zl_ipc_ops;

static struct zl_options options;
static char work_directory[] = "/tmp/zlink-ipc-XXXXXX";

static int set_up(void **state)
{
    (void)state;
    zl_options_init(&options, ZMQ_PAIR, false, true);
    strcpy(work_directory + sizeof work_directory - 7, "XXXXXX");
    unsetenv("TMPDIR");
    unsetenv("TEMPDIR");
    unsetenv("TMP");
    return mkdtemp(work_directory) && chdir(work_directory) == 0 ? 0 : -1;
}

/* Fails when a test left something behind. */
static int tear_down(void **state)
{
    (void)state;
    zl_options_clear(&options);
    return chdir("/") == 0 && rmdir(work_directory) == 0 ? 0 : -1;
}

static bool exists(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0;
}

static int lowest_free_descriptor(void)
{
    int fd = dup(STDIN_FILENO);
    assert_true(fd >= 0);
    close(fd);
    return fd;
}

static struct zl_listen listening(const char *address)
{
    struct zl_listen listener;
    assert_int_equal(ipc->listen(&listener, address, &options), 0);
    assert_true(listener.fd >= 0);
    assert_int_equal(fcntl(listener.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(fcntl(listener.fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    return listener;
}

static void unlisten(struct zl_listen *listener)
{
    assert_int_equal(ipc->unlisten(listener), 0);
}

static int try_to_connect(const char *address, int *fd)
{
    struct zl_target target;
    *fd = -1;
    assert_int_equal(ipc->resolve(address, &options, false, &target), 0);
    return ipc->connect(&target, &options, fd);
}

static int connect_to(const char *address)
{
    int fd;
    assert_int_equal(try_to_connect(address, &fd), 0);
    assert_true(fd >= 0);
    return fd;
}

static int accept_from(const struct zl_listen *listener)
{
    struct pollfd item = {.fd = listener->fd, .events = POLLIN};
    assert_int_equal(poll(&item, 1, 10000), 1);
    int fd = accept(listener->fd, NULL, NULL);
    assert_true(fd >= 0);
    return fd;
}

/* ---- Listening ------------------------------------------------------------------------------- */

static void socket_file_stays_after_unlisten(void **state)
{
    (void)state;
    struct zl_listen listener = listening("socket");
    assert_string_equal(listener.endpoint, "ipc://socket");
    assert_true(exists("socket"));
    unlisten(&listener);
    assert_true(exists("socket"));
    unlink("socket");
}

static void later_listener_takes_the_name(void **state)
{
    (void)state;
    struct zl_listen first = listening("socket");
    struct zl_listen second = listening("socket");
    int fd = connect_to("socket");
    close(accept_from(&second));
    close(fd);
    unlisten(&first);
    unlisten(&second);
    unlink("socket");
}

static void ordinary_file_is_replaced(void **state)
{
    (void)state;
    int file = open("name", O_CREAT | O_WRONLY, 0600);
    assert_true(file >= 0);
    close(file);
    struct zl_listen listener = listening("name");
    struct stat info;
    assert_int_equal(lstat("name", &info), 0);
    assert_true(S_ISSOCK(info.st_mode));
    unlisten(&listener);
    unlink("name");
}

static void bad_binds_leave_nothing_open(void **state)
{
    char long_name[200];
    memset(long_name, 'x', sizeof long_name);
    long_name[108] = '\0';
    const struct {
        const char *address;
        int error;
    } cases[] = {
        {"directory", -EADDRINUSE},
        {"missing/socket", -ENOENT},
        {"@", -EINVAL},
        {long_name, -ENAMETOOLONG},
    };
    (void)state;
    assert_int_equal(mkdir("directory", 0700), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct zl_listen listener;
        int before = lowest_free_descriptor();
        assert_int_equal(ipc->listen(&listener, cases[i].address, &options), cases[i].error);
        assert_int_equal(lowest_free_descriptor(), before);
        if (cases[i].error != -EADDRINUSE && cases[i].error != -ENOENT)
            assert_int_equal(ipc->check(cases[i].address), cases[i].error);
    }
    rmdir("directory");
}

static void wildcard_listener_removes_its_directory(void **state)
{
    (void)state;
    struct zl_listen listener = listening("*");
    const char *path = listener.endpoint + strlen("ipc://");
    struct stat info;
    assert_int_equal(stat(listener.temporary, &info), 0);
    assert_true(S_ISDIR(info.st_mode));
    assert_int_equal(info.st_mode & 0777, 0700);
    assert_true(exists(path));
    close(connect_to(path));
    unlisten(&listener);
    assert_false(exists(path));
    assert_false(exists(listener.temporary));
}

static void removal_that_fails_is_told(void **state)
{
    (void)state;
    struct zl_listen listener = listening("*");
    char other[ZL_IPC_TEXT_SIZE + 8];
    snprintf(other, sizeof other, "%s/other", listener.temporary);
    int file = open(other, O_CREAT | O_WRONLY, 0600);
    assert_true(file >= 0);
    close(file);
    int rc = ipc->unlisten(&listener);
    assert_true(rc == -ENOTEMPTY || rc == -EEXIST);
    unlink(other);
    rmdir(listener.temporary);
}

static void abstract_name_is_used_once(void **state)
{
    (void)state;
    char name[64], endpoint[80];
    snprintf(name, sizeof name, "@zlink-test-%d", (int)getpid());
    snprintf(endpoint, sizeof endpoint, "ipc://%s", name);
    struct zl_listen listener = listening(name), second;
    assert_string_equal(listener.endpoint, endpoint);
    assert_int_equal(ipc->listen(&second, name, &options), -EADDRINUSE);
    int fd = connect_to(name);
    int accepted = accept_from(&listener);
    char local[ZL_ADDRESS_TEXT_SIZE], remote[ZL_ADDRESS_TEXT_SIZE];
    ipc->names(fd, local, remote, sizeof local);
    assert_string_equal(remote, endpoint);
    close(fd);
    close(accepted);
    unlisten(&listener);
    listener = listening(name);
    unlisten(&listener);
}

static void foreign_descriptor_becomes_the_listener(void **state)
{
    (void)state;
    struct sockaddr_un local = {.sun_family = AF_UNIX, .sun_path = "foreign"};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&local, sizeof local), 0);
    assert_int_equal(zl_options_set(&options, ZMQ_USE_FD, &fd, sizeof fd), 0);
    struct zl_listen listener;
    assert_int_equal(ipc->listen(&listener, "ignored", &options), -EINVAL);
    assert_int_equal(listen(fd, 1), 0);
    listener = listening("ignored");
    assert_true(listener.foreign_fd);
    assert_int_equal(listener.fd, fd);
    assert_string_equal(listener.endpoint, "ipc://foreign");
    unlisten(&listener);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    assert_true(exists("foreign"));
    assert_false(exists("ignored"));
    unlink("foreign");
}

/* ---- Connecting ------------------------------------------------------------------------------ */

static void names_are_those_of_the_file(void **state)
{
    (void)state;
    struct zl_listen listener = listening("socket");
    int fd = connect_to("socket");
    int accepted = accept_from(&listener);
    char local[ZL_ADDRESS_TEXT_SIZE], remote[ZL_ADDRESS_TEXT_SIZE];
    ipc->names(fd, local, remote, sizeof local);
    assert_string_equal(local, "");
    assert_string_equal(remote, "ipc://socket");
    ipc->names(accepted, local, remote, sizeof local);
    assert_string_equal(local, "ipc://socket");
    assert_string_equal(remote, "");

    char peer[ZL_ADDRESS_TEXT_SIZE], expected[ZL_ADDRESS_TEXT_SIZE];
    snprintf(expected, sizeof expected, "localhost:%u:%u:%d", (unsigned)geteuid(),
             (unsigned)getegid(), (int)getpid());
    assert_true(ipc->peer_address(accepted, peer, sizeof peer));
    assert_string_equal(peer, expected);
    close(fd);
    close(accepted);
    unlisten(&listener);
    unlink("socket");
}

static void failed_connects_leave_nothing_open(void **state)
{
    (void)state;
    int fd, before = lowest_free_descriptor();
    assert_int_equal(try_to_connect("missing", &fd), -ENOENT);
    assert_int_equal(fd, -1);
    assert_int_equal(lowest_free_descriptor(), before);

    struct zl_listen listener = listening("socket");
    unlisten(&listener);
    assert_int_equal(try_to_connect("socket", &fd), -ECONNREFUSED);
    assert_int_equal(lowest_free_descriptor(), before);
    unlink("socket");
}

static void full_backlog_fails_the_attempt(void **state)
{
    (void)state;
    enum { ATTEMPTS = 64 };
    int value = 0, fds[ATTEMPTS], count = 0, rc = 0;
    assert_int_equal(zl_options_set(&options, ZMQ_BACKLOG, &value, sizeof value), 0);
    struct zl_listen listener = listening("socket");
    while (count < ATTEMPTS && (rc = try_to_connect("socket", &fds[count])) == 0)
        count++;
    assert_int_equal(rc, -EAGAIN);
    while (count > 0)
        close(fds[--count]);
    unlisten(&listener);
    unlink("socket");
}

/* ---- Accept filters -------------------------------------------------------------------------- */

/* What tune says to ourselves. */
static int verdict(void)
{
    struct zl_listen listener = listening("socket");
    int fd = connect_to("socket");
    int accepted = accept_from(&listener);
    int rc = ipc->tune(accepted, &options, true);
    assert_int_equal(ipc->tune(fd, &options, false), 0);
    close(fd);
    close(accepted);
    unlisten(&listener);
    unlink("socket");
    return rc;
}

static void everybody_is_accepted_without_filters(void **state)
{
    (void)state;
    assert_int_equal(verdict(), 0);
}

static void any_matching_filter_is_enough(void **state)
{
    (void)state;
    uid_t uid = geteuid();
    gid_t gid = getegid();
    pid_t pid = getpid();
    uid_t other_uid = uid + 12345;
    assert_int_equal(zl_options_set(&options, ZMQ_IPC_FILTER_UID, &other_uid, sizeof uid), 0);
    assert_int_equal(verdict(), -EACCES);
    assert_int_equal(zl_options_set(&options, ZMQ_IPC_FILTER_PID, &pid, sizeof pid), 0);
    assert_int_equal(verdict(), 0);
    assert_int_equal(zl_options_set(&options, ZMQ_IPC_FILTER_PID, NULL, 0), 0);
    assert_int_equal(verdict(), -EACCES);
    assert_int_equal(zl_options_set(&options, ZMQ_IPC_FILTER_GID, &gid, sizeof gid), 0);
    assert_int_equal(verdict(), 0);
    assert_int_equal(zl_options_set(&options, ZMQ_IPC_FILTER_GID, NULL, 0), 0);
    assert_int_equal(zl_options_set(&options, ZMQ_IPC_FILTER_UID, &uid, sizeof uid), 0);
    assert_int_equal(verdict(), 0);
}

static void unknown_group_is_refused(void **state)
{
    (void)state;
    gid_t gid = 3999999999u;
    assert_int_equal(zl_options_set(&options, ZMQ_IPC_FILTER_GID, &gid, sizeof gid), 0);
    assert_int_equal(verdict(), -EACCES);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(socket_file_stays_after_unlisten),
        TEST(later_listener_takes_the_name),
        TEST(ordinary_file_is_replaced),
        TEST(bad_binds_leave_nothing_open),
        TEST(wildcard_listener_removes_its_directory),
        TEST(removal_that_fails_is_told),
        TEST(abstract_name_is_used_once),
        TEST(foreign_descriptor_becomes_the_listener),
        TEST(names_are_those_of_the_file),
        TEST(failed_connects_leave_nothing_open),
        TEST(full_backlog_fails_the_attempt),
        TEST(everybody_is_accepted_without_filters),
        TEST(any_matching_filter_is_enough),
        TEST(unknown_group_is_refused),
    };
    return cmocka_run_group_tests_name("ipc", tests, NULL, NULL);
}
