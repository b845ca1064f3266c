/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of the heads of HTTP messages: lines, fields, lists. */

#include "octets.h"

#include "wire/http.h"

static struct zl_http_text text_of(const char *text)
{
    return (struct zl_http_text){text, strlen(text)};
}

static void assert_text(struct zl_http_text text, const char *expected)
{
    assert_int_equal(text.size, strlen(expected));
    if (text.size)
        assert_memory_equal(text.at, expected, text.size);
}

/* ---- Lines ---- */

/* Feeds `data` in pieces of `piece` octets. Returns the first result that is not 0, or 0. */
static int feed(struct zl_http_reader *reader, const char *data, size_t size, size_t piece,
                size_t *used)
{
    struct octets in = octets_copy(data, size);
    const uint8_t *at = in.at, *end = in.at + in.size;
    int rc = 0;
    while (rc == 0 && at < end) {
        const uint8_t *stop = (size_t)(end - at) < piece ? end : at + piece;
        rc = zl_http_line(reader, &at, stop);
        if (rc == 0)
            assert_ptr_equal(at, stop);
    }
    *used = (size_t)(at - in.at);
    octets_free(in);
    return rc;
}

static void test_lines_in_pieces(void **state)
{
    (void)state;
    static const char head[] = "GET / HTTP/1.1\r\nHost: a\tb \xc3\xa4\r\n\r\n\x82\x01";
    static const char *const lines[] = {"GET / HTTP/1.1", "Host: a\tb \xc3\xa4", ""};
    for (size_t piece = 1; piece < sizeof head; piece++) {
        struct zl_http_reader reader;
        size_t at = 0, used;
        zl_http_reader_init(&reader);
        for (size_t i = 0; i < 3; i++) {
            assert_int_equal(feed(&reader, head + at, sizeof head - 1 - at, piece, &used), 1);
            assert_text(zl_http_line_text(&reader), lines[i]);
            at += used;
        }
        /* What follows the head is not touched. */
        assert_int_equal(at, sizeof head - 3);
    }
}

static void test_incomplete_lines(void **state)
{
    (void)state;
    static const char line[] = "Host: a\r\n";
    for (size_t n = 0; n < sizeof line - 1; n++) {
        struct zl_http_reader reader;
        size_t used;
        zl_http_reader_init(&reader);
        assert_int_equal(feed(&reader, line, n, 1, &used), 0);
        assert_int_equal(feed(&reader, line + n, sizeof line - 1 - n, 100, &used), 1);
        assert_text(zl_http_line_text(&reader), "Host: a");
    }
}

static void test_every_octet_of_a_line(void **state)
{
    (void)state;
    for (unsigned octet = 0; octet < 256; octet++) {
        char data[] = {'a', (char)octet, 'b', '\r', '\n'};
        bool allowed = octet == '\t' || (octet >= 0x20 && octet != 0x7F);
        struct zl_http_reader reader;
        size_t used;
        zl_http_reader_init(&reader);
        assert_int_equal(feed(&reader, data, sizeof data, 1, &used), allowed ? 1 : -EPROTO);
        if (!allowed)
            assert_int_equal(used, octet == '\r' ? 3 : 2);
    }
}

static void test_bad_line_ends(void **state)
{
    (void)state;
    static const char *const cases[] = {"a\n", "\n", "a\r\r\n", "a\rb\r\n", "\r\r", "a\r "};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct zl_http_reader reader;
        size_t used;
        zl_http_reader_init(&reader);
        assert_int_equal(feed(&reader, cases[i], strlen(cases[i]), 1, &used), -EPROTO);
    }
}

static void test_line_limit(void **state)
{
    (void)state;
    static char data[ZL_HTTP_LINE_MAX + 3];
    for (size_t over = 0; over < 2; over++) {
        memset(data, 'a', sizeof data);
        struct zl_http_reader reader;
        size_t used;
        memcpy(data + ZL_HTTP_LINE_MAX + over, "\r\n", 2);
        zl_http_reader_init(&reader);
        assert_int_equal(feed(&reader, data, ZL_HTTP_LINE_MAX + over + 2, 1000, &used),
                         over ? -EMSGSIZE : 1);
        assert_int_equal(used, ZL_HTTP_LINE_MAX + (over ? 1 : 2));
    }
}

static void test_head_limit(void **state)
{
    (void)state;
    struct zl_http_reader reader;
    size_t used, total = 0;
    int rc;
    zl_http_reader_init(&reader);
    while ((rc = feed(&reader, "name: value\r\n", 13, 13, &used)) == 1)
        total += used;
    assert_int_equal(rc, -EMSGSIZE);
    assert_in_range(total, ZL_HTTP_HEAD_MAX - 13, ZL_HTTP_HEAD_MAX);
}

/* ---- Fields ---- */

static void test_fields(void **state)
{
    (void)state;
    static const struct {
        const char *line, *name, *value; /* no name: refused */
    } cases[] = {
        {"Host: a", "Host", "a"},
        {"Host:a", "Host", "a"},
        {"Host: \t a b \t ", "Host", "a b"},
        {"Host:", "Host", ""},
        {"Host:  ", "Host", ""},
        {"A-b!#$%&'*+.^_`|~9: x:y", "A-b!#$%&'*+.^_`|~9", "x:y"},
        {"", NULL, NULL},
        {"Host", NULL, NULL},
        {": a", NULL, NULL},
        {"Host : a", NULL, NULL},
        {"Ho st: a", NULL, NULL},
        {" Host: a", NULL, NULL}, /* folded lines */
        {"\tHost: a", NULL, NULL},
        {" a", NULL, NULL},
        {"Ho\"st: a", NULL, NULL},
        {"H\xc3\xb6st: a", NULL, NULL},
        {"Host(: a", NULL, NULL},
        {"GET / HTTP/1.1", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct octets in = octets_copy(cases[i].line, strlen(cases[i].line));
        struct zl_http_text line = {(const char *)in.at, in.size};
        struct zl_http_field field;
        int rc = zl_http_parse_field(line, &field);
        assert_int_equal(rc, cases[i].name ? 0 : -EPROTO);
        if (rc == 0) {
            assert_text(field.name, cases[i].name);
            assert_text(field.value, cases[i].value);
        }
        octets_free(in);
    }
}

/* ---- Text ---- */

static void test_lists(void **state)
{
    (void)state;
    static const struct {
        const char *list;
        const char *elements[4];
    } cases[] = {
        {"", {NULL}},
        {",", {NULL}},
        {" , ,\t", {NULL}},
        {"a", {"a"}},
        {"a,b", {"a", "b"}},
        {" a ,\tb\t, c d ", {"a", "b", "c d"}},
        {",,a,,b,", {"a", "b"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct octets in = octets_copy(cases[i].list, strlen(cases[i].list));
        struct zl_http_text list = {(const char *)in.at, in.size}, element;
        for (size_t e = 0; cases[i].elements[e]; e++) {
            assert_true(zl_http_next(&list, &element));
            assert_text(element, cases[i].elements[e]);
        }
        assert_false(zl_http_next(&list, &element));
        assert_false(zl_http_next(&list, &element));
        octets_free(in);
    }
}

static void test_comparisons(void **state)
{
    (void)state;
    assert_true(zl_http_is(text_of("WebSocket"), "websocket"));
    assert_true(zl_http_is(text_of(""), ""));
    assert_false(zl_http_is(text_of("websocke"), "websocket"));
    assert_false(zl_http_is(text_of("websockets"), "websocket"));
    assert_false(zl_http_is((struct zl_http_text){"a\0", 2}, "a"));
    assert_false(zl_http_is(text_of("@"), "`")); /* differ by the bit of the case */
    assert_true(zl_http_equals(text_of("ZWS2.0"), "ZWS2.0"));
    assert_false(zl_http_equals(text_of("zws2.0"), "ZWS2.0"));
    assert_false(zl_http_equals(text_of("ZWS2.0 "), "ZWS2.0"));
    assert_true(zl_http_has(text_of("keep-alive, UPGRADE"), "upgrade"));
    assert_true(zl_http_has(text_of("Upgrade , x"), "upgrade"));
    assert_false(zl_http_has(text_of("keep-alive, upgrades"), "upgrade"));
    assert_false(zl_http_has(text_of("x upgrade"), "upgrade"));
}

static void test_words(void **state)
{
    (void)state;
    struct zl_http_text rest = text_of("GET  / ");
    assert_text(zl_http_word(&rest), "GET");
    assert_text(zl_http_word(&rest), "");
    assert_text(zl_http_word(&rest), "/");
    assert_text(rest, "");
    assert_text(zl_http_word(&rest), "");
}

static void test_versions(void **state)
{
    (void)state;
    static const char *const good[] = {"HTTP/1.1", "HTTP/1.2", "HTTP/1.9"};
    static const char *const bad[] = {"HTTP/1.0",  "HTTP/0.9", "HTTP/2.0", "HTTP/1.",
                                      "HTTP/1.10", "http/1.1", "HTTP/1.a", " HTTP/1.1",
                                      "HTTP/1.1 ", "",         "HTTP/2",   "HTTPS/1.1"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(zl_http_is_version_1_1(text_of(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(zl_http_is_version_1_1(text_of(bad[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_in_pieces),
        cmocka_unit_test(test_incomplete_lines),
        cmocka_unit_test(test_every_octet_of_a_line),
        cmocka_unit_test(test_bad_line_ends),
        cmocka_unit_test(test_line_limit),
        cmocka_unit_test(test_head_limit),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_comparisons),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
