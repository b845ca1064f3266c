/* SPDX-License-Identifier: MPL-2.0 */
/* Tests of metadata: property lists, what the handshake takes from them, hostile ones. */
#define _GNU_SOURCE

#include "octets.h"

#include "wire/zmtp.h"

#include <sys/mman.h>

enum { PUB = 1, REQ = 3, DEALER = 5, ROUTER = 6, XPUB = 9 };

#define SOCKET_TYPE_DEALER "0b 53 6f 63 6b 65 74 2d 54 79 70 65 00 00 00 06 44 45 41 4c 45 52"
#define IDENTITY_EMPTY "08 49 64 65 6e 74 69 74 79 00 00 00 00"
#define IDENTITY_ALICE "08 49 64 65 6e 74 69 74 79 00 00 00 05 61 6c 69 63 65"

/* Reads a whole list; returns how it ended and counts its properties. */
static int read_all(const struct octets *in, size_t *count)
{
    struct zl_metadata_reader reader;
    struct zl_property property;
    int rc;
    zl_metadata_reader_init(&reader, in->at, in->size);
    *count = 0;
    while ((rc = zl_metadata_next(&reader, &property)) == 1) {
        assert_true(property.name >= in->at && property.name_size > 0);
        assert_true(property.value + property.value_size <= in->at + in->size);
        ++*count;
    }
    /* The end is final. */
    assert_int_equal(zl_metadata_next(&reader, &property), rc);
    return rc;
}

/* What a ROUTER says of a list. */
static int check_hex(const char *hex)
{
    struct octets in = octets_hex(hex);
    struct zl_peer_metadata peer;
    int rc = zl_metadata_check(in.at, in.size, ROUTER, &peer);
    octets_free(in);
    return rc;
}

static void test_reads_properties_in_order(void **state)
{
    (void)state;
    struct octets in = octets_hex(SOCKET_TYPE_DEALER IDENTITY_ALICE "03 58 2d 61 00 00 00 00");
    struct zl_metadata_reader reader;
    struct zl_property property;
    zl_metadata_reader_init(&reader, in.at, in.size);
    assert_int_equal(zl_metadata_next(&reader, &property), 1);
    assert_int_equal(property.name_size, 11);
    assert_memory_equal(property.name, "Socket-Type", 11);
    assert_int_equal(property.value_size, 6);
    assert_memory_equal(property.value, "DEALER", 6);
    assert_int_equal(zl_metadata_next(&reader, &property), 1);
    assert_true(zl_property_is(&property, "Identity"));
    assert_int_equal(property.value_size, 5);
    assert_memory_equal(property.value, "alice", 5);
    assert_int_equal(zl_metadata_next(&reader, &property), 1);
    assert_true(zl_property_is(&property, "X-a"));
    assert_int_equal(property.value_size, 0);
    assert_int_equal(zl_metadata_next(&reader, &property), 0);
    assert_int_equal(zl_metadata_next(&reader, &property), 0);
    octets_free(in);
}

static void test_empty_list_has_no_property(void **state)
{
    (void)state;
    struct octets in = octets_copy(NULL, 0);
    size_t count;
    assert_int_equal(read_all(&in, &count), 0);
    assert_int_equal(count, 0);
    octets_free(in);
}

/* Only the ends of properties may end a list. */
static void test_every_truncation(void **state)
{
    (void)state;
    struct octets whole = octets_hex(SOCKET_TYPE_DEALER IDENTITY_ALICE);
    for (size_t size = 0; size <= whole.size; size++) {
        struct octets in = octets_copy(whole.at, size);
        struct zl_peer_metadata peer;
        size_t count;
        bool complete = size == 0 || size == 22 || size == whole.size;
        assert_int_equal(read_all(&in, &count), complete ? 0 : -EPROTO);
        assert_int_equal(count, (size >= 22) + (size >= whole.size));
        assert_int_equal(zl_metadata_check(in.at, in.size, ROUTER, &peer), complete ? 0 : -EPROTO);
        octets_free(in);
    }
    octets_free(whole);
}

static void test_malformed_properties(void **state)
{
    (void)state;
    static const char *const lists[] = {
        SOCKET_TYPE_DEALER "00",                   /* stray octet */
        SOCKET_TYPE_DEALER "00 00 00 00 00",       /* empty name */
        "00 00 00 00 01 41",                       /* empty name */
        "01 41 00 00 00 02 42",                    /* value longer than what is left */
        "01 41 7f ff ff ff 42",                    /* the same */
        "01 41 80 00 00 00 42",                    /* length over 2^31-1 */
        "01 41 ff ff ff ff 42",                    /* the same */
        "ff 41",                                   /* name longer than what is left */
        SOCKET_TYPE_DEALER "01 41 00 00 00 00 01", /* second stray octet */
    };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        struct octets in = octets_hex(lists[i]);
        size_t count;
        assert_int_equal(read_all(&in, &count), -EPROTO);
        assert_int_equal(check_hex(lists[i]), -EPROTO);
        octets_free(in);
    }
}

/* A list so long that only the limit itself can refuse the value; its pages are never touched. */
static void test_value_size_is_at_most_31_bits(void **state)
{
    (void)state;
    const size_t size = 6 + ((size_t)1 << 31);
    uint8_t *list = mmap(NULL, size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    struct zl_metadata_reader reader;
    struct zl_property property;
    if (list == MAP_FAILED)
        skip();
    memcpy(list, "\001A\177\377\377\377", 6);
    zl_metadata_reader_init(&reader, list, size - 1);
    assert_int_equal(zl_metadata_next(&reader, &property), 1);
    assert_int_equal(property.value_size, INT32_MAX);
    memcpy(list, "\001A\200\000\000\000", 6);
    zl_metadata_reader_init(&reader, list, size);
    assert_int_equal(zl_metadata_next(&reader, &property), -EPROTO);
    munmap(list, size);
}

static void test_number_of_properties_is_bounded(void **state)
{
    (void)state;
    for (unsigned extra = 0; extra < 3; extra++) {
        struct octets in;
        uint8_t buffer[(ZL_METADATA_PROPERTIES_MAX + 2) * 8];
        size_t size = 0;
        size_t count;
        struct zl_peer_metadata peer;
        int expected = extra ? -EPROTO : 0;
        for (unsigned i = 0; i < ZL_METADATA_PROPERTIES_MAX + extra; i++) {
            const char name[] = {(char)('A' + i / 16), (char)('0' + i % 16), '\0'};
            size += zl_metadata_put(buffer + size, sizeof buffer - size, name, "v", 1);
        }
        in = octets_copy(buffer, size);
        assert_int_equal(read_all(&in, &count), expected);
        assert_int_equal(count, ZL_METADATA_PROPERTIES_MAX);
        assert_int_equal(zl_metadata_check(in.at, in.size, ROUTER, &peer), expected);
        octets_free(in);
    }
}

static void test_names_compare_without_case(void **state)
{
    (void)state;
    struct zl_property property = {.name = (const uint8_t *)"sOcket-tYPE", .name_size = 11};
    assert_true(zl_property_is(&property, "Socket-Type"));
    assert_false(zl_property_is(&property, "Socket-Typ"));
    assert_false(zl_property_is(&property, "Socket-Types"));
    assert_false(zl_property_is(&property, "Socket_Type"));
    /* Only letters have a case: these pairs differ in bit 5 too. */
    property = (struct zl_property){.name = (const uint8_t *)"@[", .name_size = 2};
    assert_true(zl_property_is(&property, "@["));
    assert_false(zl_property_is(&property, "`["));
    assert_false(zl_property_is(&property, "@{"));
    property = (struct zl_property){.name = (const uint8_t *)"AZ", .name_size = 2};
    assert_true(zl_property_is(&property, "az"));
}

static void test_check_takes_type_and_identity(void **state)
{
    (void)state;
    struct zl_peer_metadata peer;
    struct octets in = octets_hex("03 58 2d 61 00 00 00 01 41" IDENTITY_ALICE SOCKET_TYPE_DEALER);
    assert_int_equal(zl_metadata_check(in.at, in.size, ROUTER, &peer), 0);
    assert_int_equal(peer.socket_type, DEALER);
    assert_int_equal(peer.identity_size, 5);
    assert_memory_equal(peer.identity, "alice", 5);
    octets_free(in);

    in = octets_hex(SOCKET_TYPE_DEALER IDENTITY_EMPTY);
    assert_int_equal(zl_metadata_check(in.at, in.size, ROUTER, &peer), 0);
    assert_int_equal(peer.identity_size, 0);
    assert_non_null(peer.identity);
    octets_free(in);

    /* In lower case, as other implementations may spell names. */
    in = octets_hex("0b 73 6f 63 6b 65 74 2d 74 79 70 65 00 00 00 03 52 45 51"
                    "08 69 64 65 6e 74 69 74 79 00 00 00 01 78");
    assert_int_equal(zl_metadata_check(in.at, in.size, ROUTER, &peer), 0);
    assert_int_equal(peer.socket_type, REQ);
    assert_memory_equal(peer.identity, "x", 1);
    octets_free(in);

    /* libzmq accepts READY without a socket type. */
    assert_int_equal(zl_metadata_check(NULL, 0, ROUTER, &peer), 0);
    assert_int_equal(peer.socket_type, -1);
    assert_null(peer.identity);
    assert_int_equal(peer.identity_size, 0);
}

static void test_check_refuses_socket_types(void **state)
{
    (void)state;
#define TYPE "0b 53 6f 63 6b 65 74 2d 54 79 70 65 00 00 00 "
    assert_int_equal(check_hex(SOCKET_TYPE_DEALER), 0);
    assert_int_equal(check_hex(TYPE "03 50 55 42"), -EPROTOTYPE);
    assert_int_equal(check_hex(TYPE "06 64 65 61 6c 65 72"), -EPROTOTYPE);
    assert_int_equal(check_hex(TYPE "05 44 45 41 4c 45"), -EPROTOTYPE);
    assert_int_equal(check_hex(TYPE "07 44 45 41 4c 45 52 00"), -EPROTOTYPE);
    assert_int_equal(check_hex(TYPE "00"), -EPROTOTYPE);
    assert_int_equal(check_hex(TYPE "06 53 54 52 45 41 4d"), -EPROTOTYPE);
    /* A list that is malformed besides is not trusted for its type. */
    assert_int_equal(check_hex(TYPE "03 50 55 42" IDENTITY_EMPTY), -EPROTOTYPE);
    assert_int_equal(check_hex(TYPE "03 50 55 42 00"), -EPROTO);
#undef TYPE
}

static void test_check_refuses_repeated_names(void **state)
{
    (void)state;
    assert_int_equal(check_hex(SOCKET_TYPE_DEALER SOCKET_TYPE_DEALER), -EPROTO);
    assert_int_equal(check_hex(IDENTITY_ALICE SOCKET_TYPE_DEALER IDENTITY_EMPTY), -EPROTO);
    assert_int_equal(check_hex("01 41 00 00 00 00 01 41 00 00 00 00"), -EPROTO);
    assert_int_equal(check_hex("01 41 00 00 00 00 01 61 00 00 00 00"), -EPROTO);
    assert_int_equal(check_hex("01 41 00 00 00 00 01 42 00 00 00 00"), 0);
    assert_int_equal(check_hex("01 41 00 00 00 00 02 41 41 00 00 00 00"), 0);
}

static void test_check_refuses_identities(void **state)
{
    (void)state;
    static const struct {
        size_t size;
        uint8_t first;
        int result;
    } cases[] = {
        {0, 'a', 0},         {1, 'a', 0},     {255, 'a', 0},   {256, 'a', -EPROTO},
        {300, 'a', -EPROTO}, {1, 0, -EPROTO}, {5, 0, -EPROTO}, {255, 0xFF, 0},
    };
    /* Outweighs a socket type that does not fit. */
    assert_int_equal(check_hex("08 49 64 65 6e 74 69 74 79 00 00 00 01 00"
                               "0b 53 6f 63 6b 65 74 2d 54 79 70 65 00 00 00 03 50 55 42"),
                     -EPROTO);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t identity[300];
        uint8_t buffer[400];
        struct zl_peer_metadata peer;
        memset(identity, 'a', sizeof identity);
        identity[0] = cases[i].first;
        size_t size = zl_metadata_put(buffer, sizeof buffer, "Identity", identity, cases[i].size);
        struct octets in = octets_copy(buffer, size);
        assert_int_equal(zl_metadata_check(in.at, in.size, ROUTER, &peer), cases[i].result);
        if (cases[i].result == 0)
            assert_int_equal(peer.identity_size, cases[i].size);
        octets_free(in);
    }
}

static void test_put_writes_within_its_capacity(void **state)
{
    (void)state;
    uint8_t buffer[32];
    assert_int_equal(zl_metadata_size("X-key", 3), 13);
    for (size_t cap = 0; cap <= sizeof buffer; cap++) {
        memset(buffer, 0xA5, sizeof buffer);
        size_t size = zl_metadata_put(buffer, cap, "X-key", "abc", 3);
        assert_int_equal(size, cap < 13 ? 0 : 13);
        assert_int_equal(buffer[size], 0xA5);
    }
    assert_hex(buffer, 13, "05 58 2d 6b 65 79 00 00 00 03 61 62 63");
    assert_hex(buffer, zl_metadata_put(buffer, 6, "A", NULL, 0), "01 41 00 00 00 00");
}

static void test_put_refuses_what_cannot_be_written(void **state)
{
    (void)state;
    static uint8_t buffer[600];
    static char name[257];
    memset(name, 'n', 256);
    assert_int_equal(zl_metadata_put(buffer, sizeof buffer, name, "v", 1), 0);
    name[255] = '\0';
    assert_int_equal(zl_metadata_put(buffer, sizeof buffer, name, "v", 1), 261);
    assert_int_equal(buffer[0], 255);
    assert_int_equal(zl_metadata_put(buffer, sizeof buffer, "", "v", 1), 0);
    /* Refused for its size before the value is looked at. */
    assert_int_equal(zl_metadata_put(buffer, SIZE_MAX, "A", "v", (size_t)INT32_MAX + 1), 0);
    assert_int_equal(zl_metadata_put(buffer, sizeof buffer, "A", "v", INT32_MAX), 0);
    assert_int_equal(zl_metadata_put(buffer, sizeof buffer, "A", "v", SIZE_MAX), 0);
}

static void test_own_properties(void **state)
{
    (void)state;
    uint8_t buffer[ZL_METADATA_OWN_MAX];
    assert_hex(buffer, zl_metadata_put_own(buffer, sizeof buffer, DEALER, NULL, 0),
               SOCKET_TYPE_DEALER IDENTITY_EMPTY);
    assert_hex(buffer, zl_metadata_put_own(buffer, sizeof buffer, DEALER, "alice", 5),
               SOCKET_TYPE_DEALER IDENTITY_ALICE);
    /* A type that has no Identity property keeps a configured one to itself. */
    assert_hex(buffer, zl_metadata_put_own(buffer, sizeof buffer, PUB, "alice", 5),
               "0b 53 6f 63 6b 65 74 2d 54 79 70 65 00 00 00 03 50 55 42");
    assert_int_equal(zl_metadata_put_own(buffer, sizeof buffer, -1, NULL, 0), 0);
    assert_int_equal(zl_metadata_put_own(buffer, sizeof buffer, 99, NULL, 0), 0);
}

static void test_own_properties_within_their_capacity(void **state)
{
    (void)state;
    for (size_t cap = 0; cap < 40; cap++) {
        struct octets out = {malloc(cap), cap};
        assert_int_equal(zl_metadata_put_own(out.at, cap, DEALER, "alice", 5), cap < 40 ? 0 : 40);
        assert_int_equal(zl_metadata_put_own(out.at, cap, XPUB, NULL, 0), cap < 20 ? 0 : 20);
        octets_free(out);
    }
    /* The constant suffices for every type with the longest identity. */
    uint8_t identity[255];
    memset(identity, 'i', sizeof identity);
    for (int type = 0; zl_socket_type_name(type); type++) {
        struct octets out = {malloc(ZL_METADATA_OWN_MAX), ZL_METADATA_OWN_MAX};
        assert_true(zl_metadata_put_own(out.at, out.size, type, identity, sizeof identity) > 0);
        octets_free(out);
    }
}

static void test_random_octets(void **state)
{
    (void)state;
    uint64_t seed = 3;
    struct octets valid = octets_hex(SOCKET_TYPE_DEALER IDENTITY_ALICE "01 41 00 00 00 01 42");
    for (int round = 0; round < 20000; round++) {
        struct octets in = octets_copy(valid.at, octets_random(&seed) % (valid.size + 1));
        struct zl_peer_metadata peer;
        size_t count;
        for (int changes = round % 4; changes > 0 && in.size; changes--)
            in.at[octets_random(&seed) % in.size] = (uint8_t)octets_random(&seed);
        int rc = read_all(&in, &count);
        int check = zl_metadata_check(in.at, in.size, ROUTER, &peer);
        assert_true(rc == 0 || rc == -EPROTO);
        if (rc == -EPROTO)
            assert_int_equal(check, -EPROTO);
        if (check == 0 && peer.identity_size)
            assert_true(peer.identity >= in.at &&
                        peer.identity + peer.identity_size <= in.at + in.size);
        octets_free(in);
    }
    octets_free(valid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_properties_in_order),
        cmocka_unit_test(test_empty_list_has_no_property),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_malformed_properties),
        cmocka_unit_test(test_value_size_is_at_most_31_bits),
        cmocka_unit_test(test_number_of_properties_is_bounded),
        cmocka_unit_test(test_names_compare_without_case),
        cmocka_unit_test(test_check_takes_type_and_identity),
        cmocka_unit_test(test_check_refuses_socket_types),
        cmocka_unit_test(test_check_refuses_repeated_names),
        cmocka_unit_test(test_check_refuses_identities),
        cmocka_unit_test(test_put_writes_within_its_capacity),
        cmocka_unit_test(test_put_refuses_what_cannot_be_written),
        cmocka_unit_test(test_own_properties),
        cmocka_unit_test(test_own_properties_within_their_capacity),
        cmocka_unit_test(test_random_octets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
