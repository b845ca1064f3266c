/* SPDX-License-Identifier: MPL-2.0 */
/* The resolver thread. */
#define _GNU_SOURCE
#include "io/resolver.h"

#include <errno.h>
#include <signal.h>

void zl_resolver_init(struct zl_resolver *resolver)
{
    pthread_mutex_init(&resolver->lock, NULL);
    pthread_cond_init(&resolver->changed, NULL);
    zl_list_init(&resolver->requests);
    resolver->running = false;
    resolver->stopping = false;
}

static void *resolver_main(void *argument)
{
    struct zl_resolver *resolver = argument;
    pthread_setname_np(pthread_self(), "ZMQbg/Resolver");
    pthread_mutex_lock(&resolver->lock);
    for (;;) {
        struct zl_list *node = zl_list_pop(&resolver->requests);
        if (!node && resolver->stopping)
            break;
        if (!node) {
            pthread_cond_wait(&resolver->changed, &resolver->lock);
            continue;
        }
        bool work = !resolver->stopping;
        pthread_mutex_unlock(&resolver->lock);
        struct zl_request *request = zl_container_of(node, struct zl_request, node);
        if (work)
            request->work(request);
        zl_loop_post(request->loop, &request->done);
        pthread_mutex_lock(&resolver->lock);
    }
    pthread_mutex_unlock(&resolver->lock);
    return NULL;
}

static int start(struct zl_resolver *resolver)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &old);
    int rc = pthread_create(&resolver->thread, NULL, resolver_main, resolver);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    resolver->running = rc == 0;
    return -rc;
}

int zl_resolver_submit(struct zl_resolver *resolver, struct zl_request *request)
{
    pthread_mutex_lock(&resolver->lock);
    int rc = resolver->running ? 0 : start(resolver);
    if (rc == 0) {
        zl_list_append(&resolver->requests, &request->node);
        pthread_cond_signal(&resolver->changed);
    }
    pthread_mutex_unlock(&resolver->lock);
    return rc;
}

void zl_resolver_stop(struct zl_resolver *resolver)
{
    pthread_mutex_lock(&resolver->lock);
    bool running = resolver->running;
    resolver->stopping = true;
    pthread_cond_signal(&resolver->changed);
    pthread_mutex_unlock(&resolver->lock);
    if (running)
        pthread_join(resolver->thread, NULL);
    pthread_cond_destroy(&resolver->changed);
    pthread_mutex_destroy(&resolver->lock);
}
