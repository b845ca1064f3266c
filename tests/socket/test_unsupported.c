/* SPDX-License-Identifier: MPL-2.0 */
/* The functions that are exported but not there yet: each is printed, and says ENOTSUP. A function that
   arrives has to leave this list. */
#include "support/test_support.h"

static int connect_peer(void *socket)
{
    return zmq_connect_peer(socket, "inproc://nobody") == 0 ? -1 : 0;
}

static int disconnect_peer(void *socket)
{
    return zmq_disconnect_peer(socket, 1);
}

static int join(void *socket)
{
    return zmq_join(socket, "group");
}

static int leave(void *socket)
{
    return zmq_leave(socket, "group");
}

static int curve_keypair(void *socket)
{
    char public_key[41], secret_key[41];
    (void)socket;
    return zmq_curve_keypair(public_key, secret_key);
}

static int curve_public(void *socket)
{
    char public_key[41];
    (void)socket;
    return zmq_curve_public(public_key, "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs");
}

static void functions_that_are_not_there_say_so(void **state)
{
    static const struct {
        const char *name;
        int (*call)(void *socket);
    } rows[] = {
        {"zmq_connect_peer", connect_peer},
        {"zmq_disconnect_peer", disconnect_peer},
        {"zmq_join", join},
        {"zmq_leave", leave},
        {"zmq_curve_keypair", curve_keypair},
        {"zmq_curve_public", curve_public},
    };
    (void)state;
    void *context = ts_context(), *socket = ts_socket(context, ZMQ_DEALER);
    for (size_t i = 0; i < TS_COUNT(rows); ++i) {
        print_message("not supported yet: %s\n", rows[i].name);
        ts_error(rows[i].call(socket), ENOTSUP);
    }
    ts_close(socket);
    ts_terminate(context);
}

/* The handle is looked at first. */
static void bad_handles_come_first(void **state)
{
    (void)state;
    ts_error(zmq_join(NULL, "group"), ENOTSOCK);
    ts_error(zmq_leave(NULL, "group"), ENOTSOCK);
    ts_error(zmq_disconnect_peer(NULL, 1), ENOTSOCK);
    ts_value(zmq_connect_peer(NULL, "inproc://nobody"), 0);
    ts_value(zmq_errno(), ENOTSOCK);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_that_are_not_there_say_so),
        cmocka_unit_test(bad_handles_come_first),
    };
    return TS_RUN(tests);
}
