/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of the addresses of ipc endpoints. Each runs in an empty temporary directory. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "transport/ipc_address.h"

#define PATH_OFFSET offsetof(struct sockaddr_un, sun_path)
#define PATH_MAX_LENGTH (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)

static char work_directory[] = "/tmp/zlink-ipc-XXXXXX";

static int enter_work_directory(void **state)
{
    (void)state;
    strcpy(work_directory + sizeof(work_directory) - 7, "XXXXXX");
    unsetenv("TMPDIR");
    unsetenv("TEMPDIR");
    unsetenv("TMP");
    return mkdtemp(work_directory) && chdir(work_directory) == 0 ? 0 : -1;
}

/* Fails when a test left something behind. */
static int leave_work_directory(void **state)
{
    (void)state;
    return chdir("/") == 0 && rmdir(work_directory) == 0 ? 0 : -1;
}

static bool exists(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0;
}

static void starts_with(const char *text, const char *prefix)
{
    if (strncmp(text, prefix, strlen(prefix)) != 0)
        fail_msg("%s does not start with %s", text, prefix);
}

/* ---- paths and abstract names ----------------------------------------------------------- */

static void parses_to_itself(const char *text, size_t length)
{
    struct zl_ipc_address address;
    char printed[ZL_IPC_TEXT_SIZE], directory[ZL_IPC_TEXT_SIZE] = "untouched";
    memset(&address, 0xA5, sizeof(address));
    assert_int_equal(zl_ipc_parse(text, &address), 0);
    assert_int_equal(address.un.sun_family, AF_UNIX);
    assert_int_equal(address.length, PATH_OFFSET + length);
    assert_int_equal(zl_ipc_format(&address, printed, sizeof(printed)), 0);
    assert_string_equal(printed, text);

    memset(&address, 0xA5, sizeof(address));
    assert_int_equal(zl_ipc_parse_bind(text, &address, directory), 0);
    assert_int_equal(address.length, PATH_OFFSET + length);
    assert_string_equal(directory, "");
    assert_int_equal(zl_ipc_format(&address, printed, sizeof(printed)), 0);
    assert_string_equal(printed, text);
}

static void paths_stay_as_they_are(void **state)
{
    static const char *const paths[] = {"/tmp/a", "a", "../a b", "x@y", "./@", "./*", ":", "a://b"};
    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        parses_to_itself(paths[i], strlen(paths[i]) + 1);
}

static void abstract_names_count_without_nul(void **state)
{
    struct zl_ipc_address address;
    (void)state;
    parses_to_itself("@a", 2);
    parses_to_itself("@@", 2);
    parses_to_itself("@some/name", 10);
    assert_int_equal(zl_ipc_parse("@abc", &address), 0);
    assert_memory_equal(address.un.sun_path, "\0abc", 4);
}

static void lengths_are_limited_by_the_address(void **state)
{
    char text[PATH_MAX_LENGTH + 2];
    struct zl_ipc_address address;
    (void)state;
    for (int abstract = 0; abstract < 2; abstract++) {
        memset(text, 'x', sizeof(text));
        text[0] = abstract ? '@' : '/';
        text[PATH_MAX_LENGTH + 1] = '\0';
        assert_int_equal(zl_ipc_parse(text, &address), -ENAMETOOLONG);
        text[PATH_MAX_LENGTH] = '\0';
        parses_to_itself(text, PATH_MAX_LENGTH + !abstract);
    }
}

static void empty_names_are_refused(void **state)
{
    struct zl_ipc_address address;
    char directory[ZL_IPC_TEXT_SIZE];
    (void)state;
    assert_int_equal(zl_ipc_parse("", &address), -EINVAL);
    assert_int_equal(zl_ipc_parse("@", &address), -EINVAL);
    assert_int_equal(zl_ipc_parse_bind("", &address, directory), -EINVAL);
    assert_int_equal(zl_ipc_parse_bind("@", &address, directory), -EINVAL);
    assert_string_equal(directory, "");
}

/* ---- temporary names -------------------------------------------------------------------- */

static void bind_here(const struct zl_ipc_address *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address->un, address->length), 0);
    assert_int_equal(close(fd), 0);
}

/* Makes a temporary name whose directory must begin with `prefix`, uses it, removes it. */
static void works_below(const char *text, const char *prefix)
{
    struct zl_ipc_address address;
    char directory[ZL_IPC_TEXT_SIZE], path[ZL_IPC_TEXT_SIZE], expected[ZL_IPC_TEXT_SIZE + 8];
    struct stat info;
    assert_int_equal(zl_ipc_parse_bind(text, &address, directory), 0);
    starts_with(directory, prefix);
    starts_with(directory + strlen(prefix), "tmp");
    assert_int_equal(strlen(directory), strlen(prefix) + 9);
    assert_int_equal(stat(directory, &info), 0);
    assert_true(S_ISDIR(info.st_mode));
    assert_int_equal(info.st_mode & 0777, 0700);

    assert_int_equal(zl_ipc_format(&address, path, sizeof(path)), 0);
    snprintf(expected, sizeof(expected), "%s/socket", directory);
    assert_string_equal(path, expected);
    assert_false(exists(path));
    bind_here(&address);
    assert_true(exists(path));
    assert_int_equal(zl_ipc_remove_temporary(&address, directory), 0);
    assert_false(exists(directory));
}

static void temporary_names_are_here_without_environment(void **state)
{
    (void)state;
    works_below("*", "");
    works_below("*anything", "");
    setenv("TMPDIR", "", 1);
    setenv("TMP", "./missing", 1);
    works_below("*", "");
}

static void temporary_names_follow_the_environment_in_order(void **state)
{
    (void)state;
    assert_int_equal(mkdir("first", 0700), 0);
    assert_int_equal(mkdir("second", 0700), 0);
    assert_int_equal(mkdir("third", 0700), 0);
    setenv("TMPDIR", "first", 1);
    setenv("TEMPDIR", "./second", 1);
    setenv("TMP", "third/", 1);
    works_below("*", "first/");
    assert_int_equal(rmdir("first"), 0);
    works_below("*", "./second/");
    unsetenv("TMPDIR");
    works_below("*", "./second/");
    assert_int_equal(rmdir("second"), 0);
    works_below("*", "third/");
    assert_int_equal(rmdir("third"), 0);
}

static void a_file_is_no_place_for_temporary_names(void **state)
{
    (void)state;
    int fd = open("file", O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
    setenv("TMPDIR", "file", 1);
    works_below("*", "");
    assert_int_equal(unlink("file"), 0);
}

static void temporary_names_have_their_limit_too(void **state)
{
    /* What has to fit: the directory, "/tmpXXXXXX/socket". */
    const size_t longest = PATH_MAX_LENGTH - 17;
    char root[PATH_MAX_LENGTH + 1], prefix[PATH_MAX_LENGTH + 2];
    struct zl_ipc_address address;
    char directory[ZL_IPC_TEXT_SIZE];
    (void)state;
    memset(root, 'x', sizeof(root));
    root[longest + 1] = '\0';
    assert_int_equal(mkdir(root, 0700), 0);
    setenv("TMPDIR", root, 1);
    assert_int_equal(zl_ipc_parse_bind("*", &address, directory), -ENAMETOOLONG);
    assert_string_equal(directory, "");
    assert_int_equal(rmdir(root), 0);

    root[longest] = '\0';
    assert_int_equal(mkdir(root, 0700), 0);
    setenv("TMPDIR", root, 1);
    snprintf(prefix, sizeof(prefix), "%s/", root);
    works_below("*", prefix);
    assert_int_equal(rmdir(root), 0);
}

static void a_place_where_nothing_can_be_made(void **state)
{
    struct zl_ipc_address address;
    char directory[ZL_IPC_TEXT_SIZE];
    (void)state;
    setenv("TMPDIR", "/proc/self", 1);
    if (!exists("/proc/self"))
        skip();
    assert_true(zl_ipc_parse_bind("*", &address, directory) < 0);
    assert_string_equal(directory, "");
}

static void removing_does_what_it_can(void **state)
{
    struct zl_ipc_address address;
    char directory[ZL_IPC_TEXT_SIZE], path[ZL_IPC_TEXT_SIZE];
    (void)state;
    /* Nothing was bound. */
    assert_int_equal(zl_ipc_parse_bind("*", &address, directory), 0);
    assert_int_equal(zl_ipc_remove_temporary(&address, directory), 0);
    assert_false(exists(directory));
    assert_int_equal(zl_ipc_remove_temporary(&address, directory), -ENOENT);

    /* Somebody put a directory in the place of the socket. */
    assert_int_equal(zl_ipc_parse_bind("*", &address, directory), 0);
    assert_int_equal(zl_ipc_format(&address, path, sizeof(path)), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_true(zl_ipc_remove_temporary(&address, directory) < 0);
    assert_true(exists(path));
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rmdir(directory), 0);
}

/* ---- addresses that the system gives ---------------------------------------------------- */

static void bound_addresses_are_printed(void **state)
{
    char abstract[ZL_IPC_TEXT_SIZE], printed[ZL_IPC_TEXT_SIZE];
    const char *const texts[] = {"here", abstract};
    (void)state;
    snprintf(abstract, sizeof(abstract), "@zlink-test-ipc-address-%ld", (long)getpid());
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct zl_ipc_address address, bound;
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        assert_true(fd >= 0);
        memset(&bound, 0xA5, sizeof(bound));
        bound.length = sizeof(bound.un);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&bound.un, &bound.length), 0);
        assert_int_equal(zl_ipc_format(&bound, printed, sizeof(printed)), 0);
        assert_string_equal(printed, "");

        assert_int_equal(zl_ipc_parse(texts[i], &address), 0);
        assert_int_equal(bind(fd, (struct sockaddr *)&address.un, address.length), 0);
        bound.length = sizeof(bound.un);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&bound.un, &bound.length), 0);
        assert_int_equal(zl_ipc_format(&bound, printed, sizeof(printed)), 0);
        assert_string_equal(printed, texts[i]);
        close(fd);
    }
    assert_int_equal(unlink("here"), 0);
}

static void printing_needs_room_and_a_unix_address(void **state)
{
    struct zl_ipc_address address;
    char printed[8];
    (void)state;
    assert_int_equal(zl_ipc_parse("abc", &address), 0);
    assert_int_equal(zl_ipc_format(&address, printed, 4), 0);
    assert_int_equal(zl_ipc_format(&address, printed, 3), -ENOSPC);
    assert_int_equal(zl_ipc_parse("@abc", &address), 0);
    assert_int_equal(zl_ipc_format(&address, printed, 5), 0);
    assert_int_equal(zl_ipc_format(&address, printed, 4), -ENOSPC);
    address.un.sun_family = AF_INET;
    assert_int_equal(zl_ipc_format(&address, printed, 8), -EINVAL);
}

#define TEST(function)                                                                             \
    cmocka_unit_test_setup_teardown(function, enter_work_directory, leave_work_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(paths_stay_as_they_are),
        TEST(abstract_names_count_without_nul),
        TEST(lengths_are_limited_by_the_address),
        TEST(empty_names_are_refused),
        TEST(temporary_names_are_here_without_environment),
        TEST(temporary_names_follow_the_environment_in_order),
        TEST(a_file_is_no_place_for_temporary_names),
        TEST(temporary_names_have_their_limit_too),
        TEST(a_place_where_nothing_can_be_made),
        TEST(removing_does_what_it_can),
        TEST(bound_addresses_are_printed),
        TEST(printing_needs_room_and_a_unix_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
