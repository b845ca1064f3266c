/* SPDX-License-Identifier: MPL-2.0 */
/* A stock ticker for browsers: publishes prices on a PUB socket and answers questions about them on a
 * REP socket, both over WebSocket.
 *
 *     ticker [TICKS ENDPOINT] [QUESTIONS ENDPOINT]      default: ws://127.0.0.1:5555 and ...:5556
 *
 * A tick has two parts, symbol and price, so that subscribers choose by symbol. A question is a
 * symbol; the answer is its price, lowest and highest so far. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

enum { TICK_MS = 200 };

struct stock {
    const char *symbol;
    double price, low, high;
};

static struct stock stocks[] = {
    {"ACME", 120.00, 120.00, 120.00},
    {"BOLT", 45.50, 45.50, 45.50},
    {"CRUX", 310.20, 310.20, 310.20},
};
static const size_t stock_count = sizeof stocks / sizeof *stocks;

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

static void *bound_socket(void *context, int type, const char *endpoint)
{
    char bound[256];
    size_t size = sizeof bound;
    void *socket = zmq_socket(context, type);
    if (!socket || zmq_bind(socket, endpoint) != 0 ||
        zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, bound, &size) != 0) {
        fprintf(stderr, "%s: %s\n", endpoint, zmq_strerror(zmq_errno()));
        exit(EXIT_FAILURE);
    }
    printf("%s %s\n", type == ZMQ_PUB ? "ticks" : "questions", bound);
    return socket;
}

static void move_price(struct stock *stock)
{
    stock->price *= 1 + (rand() % 201 - 100) / 20000.0; /* half a per cent at most */
    if (stock->price < stock->low)
        stock->low = stock->price;
    if (stock->price > stock->high)
        stock->high = stock->price;
}

static void publish(void *ticks)
{
    char price[32];
    for (size_t i = 0; i < stock_count; i++) {
        move_price(&stocks[i]);
        int size = snprintf(price, sizeof price, "%.2f", stocks[i].price);
        zmq_send(ticks, stocks[i].symbol, strlen(stocks[i].symbol), ZMQ_SNDMORE);
        zmq_send(ticks, price, (size_t)size, 0);
    }
}

static void answer(void *questions)
{
    char symbol[16], text[128] = "no such symbol";
    int size = zmq_recv(questions, symbol, sizeof symbol - 1, ZMQ_DONTWAIT);
    if (size < 0)
        return;
    symbol[size < (int)sizeof symbol ? size : (int)sizeof symbol - 1] = '\0';
    for (size_t i = 0; i < stock_count; i++)
        if (strcmp(symbol, stocks[i].symbol) == 0)
            snprintf(text, sizeof text, "%s is at %.2f, between %.2f and %.2f so far",
                     stocks[i].symbol, stocks[i].price, stocks[i].low, stocks[i].high);
    zmq_send(questions, text, strlen(text), 0);
}

static long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int main(int argc, char **argv)
{
    void *context = zmq_ctx_new();
    void *ticks = bound_socket(context, ZMQ_PUB, argc > 1 ? argv[1] : "ws://127.0.0.1:5555");
    void *questions = bound_socket(context, ZMQ_REP, argc > 2 ? argv[2] : "ws://127.0.0.1:5556");
    fflush(stdout);
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    for (long next = now_ms(); !stopped;) {
        zmq_pollitem_t item = {.socket = questions, .events = ZMQ_POLLIN};
        long wait = next - now_ms();
        if (zmq_poll(&item, 1, wait > 0 ? wait : 0) > 0)
            answer(questions);
        if (now_ms() >= next) {
            publish(ticks);
            next = now_ms() + TICK_MS;
        }
    }
    zmq_close(ticks);
    zmq_close(questions);
    return zmq_ctx_term(context);
}
