/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The binary interface as specified: layouts, error numbers, and the constants that are newer
 * than what test_abi.sh can compare with. Values are spelled out here on purpose.
 */
#ifndef ZMQ_BUILD_DRAFT_API
#define ZMQ_BUILD_DRAFT_API
#endif

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <zlink.h>

struct constant {
    const char *name;
    long long value;
    long long expected;
};

#define CONSTANT(name, expected)                                                                   \
    {                                                                                              \
#name, name, expected                                                                      \
    }

static void check(const struct constant *constants, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (constants[i].value != constants[i].expected)
            fail_msg("%s is %lld, not %lld", constants[i].name, constants[i].value,
                     constants[i].expected);
    }
}

#define CHECK(constants) check(constants, sizeof(constants) / sizeof((constants)[0]))

static void test_message_layout(void **state)
{
    (void)state;
    assert_int_equal(sizeof(zmq_msg_t), 64);
    assert_int_equal(_Alignof(zmq_msg_t), sizeof(void *));
}

static void test_poll_item_layout(void **state)
{
    (void)state;
    const size_t pointer = sizeof(void *);

    assert_int_equal(sizeof(zmq_fd_t), 4);
    assert_int_equal(offsetof(zmq_pollitem_t, socket), 0);
    assert_int_equal(offsetof(zmq_pollitem_t, fd), pointer);
    assert_int_equal(offsetof(zmq_pollitem_t, events), pointer + 4);
    assert_int_equal(offsetof(zmq_pollitem_t, revents), pointer + 6);
    assert_int_equal(sizeof(zmq_pollitem_t), pointer + 8);
}

static void test_poller_event_layout(void **state)
{
    (void)state;
    const size_t pointer = sizeof(void *);

    assert_int_equal(offsetof(zmq_poller_event_t, socket), 0);
    assert_int_equal(offsetof(zmq_poller_event_t, fd), pointer);
    assert_int_equal(offsetof(zmq_poller_event_t, user_data), 2 * pointer);
    assert_int_equal(offsetof(zmq_poller_event_t, events), 3 * pointer);
    assert_int_equal(sizeof(zmq_poller_event_t), 4 * pointer);
}

static void test_error_numbers(void **state)
{
    (void)state;
    const struct constant constants[] = {
        CONSTANT(ZMQ_HAUSNUMERO, 156384712), CONSTANT(EFSM, 156384763),
        CONSTANT(ENOCOMPATPROTO, 156384764), CONSTANT(ETERM, 156384765),
        CONSTANT(EMTHREAD, 156384766),
    };
    CHECK(constants);
}

static void test_versions(void **state)
{
    (void)state;
    const struct constant constants[] = {
        CONSTANT(ZMQ_VERSION, 40305),     CONSTANT(ZMQ_MAKE_VERSION(1, 2, 3), 10203),
        CONSTANT(ZLINK_VERSION_MAJOR, 0), CONSTANT(ZLINK_VERSION_MINOR, 1),
        CONSTANT(ZLINK_VERSION_PATCH, 0),
    };
    CHECK(constants);
}

static void test_constants_newer_than_4_3_4(void **state)
{
    (void)state;
    const struct constant constants[] = {
        CONSTANT(ZMQ_RECONNECT_STOP_AFTER_DISCONNECT, 4),
        CONSTANT(ZMQ_BUSY_POLL, 113),
        CONSTANT(ZMQ_HICCUP_MSG, 114),
        CONSTANT(ZMQ_XSUB_VERBOSE_UNSUBSCRIBE, 115),
        CONSTANT(ZMQ_TOPICS_COUNT, 116),
        CONSTANT(ZMQ_NORM_MODE, 117),
        CONSTANT(ZMQ_NORM_UNICAST_NACK, 118),
        CONSTANT(ZMQ_NORM_BUFFER_SIZE, 119),
        CONSTANT(ZMQ_NORM_SEGMENT_SIZE, 120),
        CONSTANT(ZMQ_NORM_BLOCK_SIZE, 121),
        CONSTANT(ZMQ_NORM_NUM_PARITY, 122),
        CONSTANT(ZMQ_NORM_NUM_AUTOPARITY, 123),
        CONSTANT(ZMQ_NORM_PUSH, 124),
        CONSTANT(ZMQ_NORM_FIXED, 0),
        CONSTANT(ZMQ_NORM_CC, 1),
        CONSTANT(ZMQ_NORM_CCL, 2),
        CONSTANT(ZMQ_NORM_CCE, 3),
        CONSTANT(ZMQ_NORM_CCE_ECNONLY, 4),
    };
    CHECK(constants);
}

/* Functions that 4.3.4 lacks, so that test_abi.sh has nothing to compare them with. */
static void test_prototypes_newer_than_4_3_4(void **state)
{
    (void)state;
    assert_true(_Generic(&zmq_disconnect_peer, int (*)(void *, uint32_t) : 1, default : 0));
    assert_true(_Generic(&zmq_ppoll, int (*)(zmq_pollitem_t *, int, long, const sigset_t *) : 1,
                         default : 0));
    assert_true(_Generic(&zlink_version, void (*)(int *, int *, int *) : 1, default : 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_message_layout),
        cmocka_unit_test(test_poll_item_layout),
        cmocka_unit_test(test_poller_event_layout),
        cmocka_unit_test(test_error_numbers),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_constants_newer_than_4_3_4),
        cmocka_unit_test(test_prototypes_newer_than_4_3_4),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
