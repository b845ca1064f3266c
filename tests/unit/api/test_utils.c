/* SPDX-License-Identifier: MPL-2.0 */
/* The functions of zmq.h that need no context. */
#define _GNU_SOURCE /* pthread_getname_np */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include <zlink.h>
#include <zmq.h>

/* ---- errors, versions, capabilities ----------------------------------------------------- */

static void errno_is_that_of_the_thread(void **state)
{
    (void)state;
    errno = EAGAIN;
    assert_int_equal(zmq_errno(), EAGAIN);
    errno = 0;
    assert_int_equal(zmq_errno(), 0);
}

static void own_errors_have_texts(void **state)
{
    (void)state;
    assert_string_equal(zmq_strerror(EFSM), "Operation cannot be accomplished in current state");
    assert_string_equal(zmq_strerror(ENOCOMPATPROTO),
                        "The protocol is not compatible with the socket type");
    assert_string_equal(zmq_strerror(ETERM), "Context was terminated");
    assert_string_equal(zmq_strerror(EMTHREAD), "No thread available");
    assert_string_equal(zmq_strerror(EHOSTUNREACH), "Host unreachable");
}

static void other_errors_have_the_texts_of_the_system(void **state)
{
    (void)state;
    const int numbers[] = {0, EINVAL, EAGAIN, EADDRINUSE, -1, 123456, INT_MAX, INT_MIN};
    char expected[200];

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        assert_non_null(zmq_strerror(numbers[i]));
        strncpy(expected, strerror(numbers[i]), sizeof(expected) - 1);
        expected[sizeof(expected) - 1] = '\0';
        assert_string_equal(zmq_strerror(numbers[i]), expected);
    }
}

static void versions_are_told(void **state)
{
    (void)state;
    int major = -1, minor = -1, patch = -1;

    zmq_version(&major, &minor, &patch);
    assert_int_equal(ZMQ_MAKE_VERSION(major, minor, patch), 40305);
    zlink_version(&major, &minor, &patch);
    assert_int_equal(major, 0);
    assert_int_equal(minor, 1);
    assert_int_equal(patch, 0);
}

static void capabilities_are_told(void **state)
{
    (void)state;
    const char *absent[] = {"pgm",   "tipc", "norm", "gssapi", "vmci",
                            "vsock", "",     "IPC",  "ipc ",   "no such thing"};

    const char *present[] = {"ipc", "draft", "WS", "WSS", "ws", "wss", "tls"};

    for (size_t i = 0; i < sizeof(present) / sizeof(present[0]); i++)
        assert_int_equal(zmq_has(present[i]), 1);
    for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
        assert_int_equal(zmq_has(absent[i]), 0);
    assert_int_equal(zmq_has(NULL), 0);
}

/* Known pair of keys from the documentation of the CURVE mechanism. */
static void curve_functions_do_what_the_capability_says(void **state)
{
    (void)state;
    const char *secret = "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6";
    char public_key[41] = "", secret_key[41] = "";

    errno = 0;
    if (zmq_has("curve")) {
        assert_int_equal(zmq_curve_keypair(public_key, secret_key), 0);
        assert_int_equal(strlen(public_key), 40);
        assert_int_equal(strlen(secret_key), 40);
        assert_int_equal(zmq_curve_public(public_key, secret), 0);
        assert_string_equal(public_key, "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7");
        assert_int_equal(zmq_curve_public(public_key, "short"), -1);
        assert_int_equal(errno, EINVAL);
    } else {
        assert_int_equal(zmq_curve_keypair(public_key, secret_key), -1);
        assert_int_equal(errno, ENOTSUP);
        errno = 0;
        assert_int_equal(zmq_curve_public(public_key, secret), -1);
        assert_int_equal(errno, ENOTSUP);
    }
}

/* ---- Z85 -------------------------------------------------------------------------------- */

static void z85_of_the_rfc(void **state)
{
    (void)state;
    const uint8_t data[8] = {0x86, 0x4F, 0xD2, 0x6F, 0xB5, 0x59, 0xF7, 0x5B};
    char text[11] = "xxxxxxxxxx";
    uint8_t back[8] = {0};

    assert_ptr_equal(zmq_z85_encode(text, data, sizeof(data)), text);
    assert_string_equal(text, "HelloWorld");
    assert_ptr_equal(zmq_z85_decode(back, text), back);
    assert_memory_equal(back, data, sizeof(data));
}

static void z85_of_nothing(void **state)
{
    (void)state;
    char text[2] = "x";

    assert_ptr_equal(zmq_z85_encode(text, (const uint8_t *)"", 0), text);
    assert_string_equal(text, "");
}

static void z85_brings_back_every_octet(void **state)
{
    (void)state;
    uint8_t data[1024], back[1024 + 1];
    char text[1024 / 4 * 5 + 1];

    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 7 + i / 256);
    memset(data, 0xFF, 4);
    memset(data + 4, 0, 4);
    back[1024] = 0x5A;
    assert_ptr_equal(zmq_z85_encode(text, data, sizeof(data)), text);
    assert_int_equal(strlen(text), sizeof(text) - 1);
    assert_memory_equal(text, "%nSc000000", 10);
    assert_ptr_equal(zmq_z85_decode(back, text), back);
    assert_memory_equal(back, data, sizeof(data));
    assert_int_equal(back[1024], 0x5A);
}

static void z85_refuses_odd_sizes(void **state)
{
    (void)state;
    const uint8_t data[9] = {0};
    const size_t sizes[] = {1, 2, 3, 5, 9};
    char text[20];

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        errno = 0;
        assert_null(zmq_z85_encode(text, data, sizes[i]));
        assert_int_equal(errno, EINVAL);
    }
}

static void z85_refuses_what_is_not_z85(void **state)
{
    (void)state;
    const char *texts[] = {
        "",         "0",         "0000",
        "000000",   "HelloWorl", /* lengths */
        "0000,",    "0 000",     "\"0000",
        "0000\x7f", "\3770000",  "HelloW~rld",      /* characters */
        "%nSc1",    "#####",     "HelloWorld#####", /* more than four octets hold */
    };
    uint8_t data[16];

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        errno = 0;
        if (zmq_z85_decode(data, texts[i]) || errno != EINVAL)
            fail_msg("accepted: \"%s\"", texts[i]);
    }
}

/* ---- counters --------------------------------------------------------------------------- */

static void counter_counts(void **state)
{
    (void)state;
    void *counter = zmq_atomic_counter_new();

    assert_non_null(counter);
    assert_int_equal(zmq_atomic_counter_value(counter), 0);
    assert_int_equal(zmq_atomic_counter_inc(counter), 0);
    assert_int_equal(zmq_atomic_counter_inc(counter), 1);
    assert_int_equal(zmq_atomic_counter_inc(counter), 2);
    assert_int_equal(zmq_atomic_counter_value(counter), 3);
    assert_int_equal(zmq_atomic_counter_dec(counter), 1);
    assert_int_equal(zmq_atomic_counter_dec(counter), 1);
    assert_int_equal(zmq_atomic_counter_dec(counter), 0);
    assert_int_equal(zmq_atomic_counter_dec(counter), 1); /* -1 is not 0 */
    zmq_atomic_counter_set(counter, 42);
    assert_int_equal(zmq_atomic_counter_value(counter), 42);
    zmq_atomic_counter_destroy(&counter);
    assert_null(counter);
    zmq_atomic_counter_destroy(&counter);
}

enum { COUNTERS = 4, INCREMENTS = 200000 };

static pthread_barrier_t all_started;

static void increment(void *counter)
{
    pthread_barrier_wait(&all_started);
    for (int i = 0; i < INCREMENTS; i++)
        zmq_atomic_counter_inc(counter);
}

static void counter_is_shared_by_threads(void **state)
{
    (void)state;
    void *counter = zmq_atomic_counter_new();
    void *threads[COUNTERS];

    pthread_barrier_init(&all_started, NULL, COUNTERS);
    for (int i = 0; i < COUNTERS; i++) {
        threads[i] = zmq_threadstart(increment, counter);
        assert_non_null(threads[i]);
    }
    for (int i = 0; i < COUNTERS; i++)
        zmq_threadclose(threads[i]);
    pthread_barrier_destroy(&all_started);
    assert_int_equal(zmq_atomic_counter_value(counter), COUNTERS * INCREMENTS);
    zmq_atomic_counter_destroy(&counter);
}

/* ---- time ------------------------------------------------------------------------------- */

static unsigned long now_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (unsigned long)ts.tv_sec * 1000000 + (unsigned long)ts.tv_nsec / 1000;
}

/* What the watch tells lies between two measurements, one within its run and one around it. */
static void stopwatch_tells_microseconds(void **state)
{
    (void)state;
    unsigned long outer = now_us();
    void *watch = zmq_stopwatch_start();
    unsigned long inner = now_us();
    unsigned long intermediate, inside, total, outside;

    assert_non_null(watch);
    while (now_us() - inner < 3000)
        ;
    inside = now_us() - inner;
    intermediate = zmq_stopwatch_intermediate(watch);
    total = zmq_stopwatch_stop(watch);
    outside = now_us() - outer;
    /* One is lost by rounding at each end. */
    assert_true(intermediate + 2 >= inside);
    assert_true(total >= intermediate);
    assert_true(total <= outside + 2);
}

static void sleep_lasts_at_least_that_long(void **state)
{
    (void)state;
    unsigned long start = now_us();

    zmq_sleep(1);
    assert_true(now_us() - start >= 1000000 - 2);
    zmq_sleep(0);
    zmq_sleep(-5); /* does not hang */
}

/* ---- threads ---------------------------------------------------------------------------- */

struct seen {
    pthread_t id;
    char name[16];
    sigset_t blocked;
};

static void look_around(void *arg)
{
    struct seen *seen = arg;

    seen->id = pthread_self();
    pthread_getname_np(pthread_self(), seen->name, sizeof(seen->name));
    pthread_sigmask(SIG_BLOCK, NULL, &seen->blocked);
}

static void thread_runs_named_and_without_signals(void **state)
{
    (void)state;
    const int signals[] = {SIGINT, SIGTERM, SIGUSR1, SIGALRM, SIGPIPE, SIGCHLD};
    struct seen seen = {0};
    sigset_t before, after;
    void *thread;

    sigemptyset(&before);
    sigaddset(&before, SIGUSR1);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    thread = zmq_threadstart(look_around, &seen);
    assert_non_null(thread);
    zmq_threadclose(thread);
    pthread_sigmask(SIG_BLOCK, NULL, &after);

    assert_false(pthread_equal(seen.id, pthread_self()));
    assert_string_equal(seen.name, "ZMQapp");
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        assert_int_equal(sigismember(&seen.blocked, signals[i]), 1);
        assert_int_equal(sigismember(&after, signals[i]), sigismember(&before, signals[i]));
    }
}

static void no_thread_without_function(void **state)
{
    (void)state;
    errno = 0;
    assert_null(zmq_threadstart(NULL, NULL));
    assert_int_equal(errno, EFAULT);
    zmq_threadclose(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errno_is_that_of_the_thread),
        cmocka_unit_test(own_errors_have_texts),
        cmocka_unit_test(other_errors_have_the_texts_of_the_system),
        cmocka_unit_test(versions_are_told),
        cmocka_unit_test(capabilities_are_told),
        cmocka_unit_test(curve_functions_do_what_the_capability_says),
        cmocka_unit_test(z85_of_the_rfc),
        cmocka_unit_test(z85_of_nothing),
        cmocka_unit_test(z85_brings_back_every_octet),
        cmocka_unit_test(z85_refuses_odd_sizes),
        cmocka_unit_test(z85_refuses_what_is_not_z85),
        cmocka_unit_test(counter_counts),
        cmocka_unit_test(counter_is_shared_by_threads),
        cmocka_unit_test(stopwatch_tells_microseconds),
        cmocka_unit_test(sleep_lasts_at_least_that_long),
        cmocka_unit_test(thread_runs_named_and_without_signals),
        cmocka_unit_test(no_thread_without_function),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
