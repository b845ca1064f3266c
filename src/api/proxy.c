/* SPDX-License-Identifier: MPL-2.0 */
/* zmq_proxy, zmq_proxy_steerable, zmq_device. */
#include "api/handles.h"

#include "core/proxy.h"

/* Of the optional ones NULL stands for none. */
static int check(void *handle, bool optional, struct zl_socket **socket)
{
    *socket = NULL;
    if (!handle)
        return optional ? 0 : -EFAULT;
    *socket = zl_api_socket(handle);
    if (!*socket)
        return -ENOTSOCK;
    return zl_api_is_inherited(*socket) ? -EINTR : 0;
}

int zmq_proxy_steerable(void *frontend, void *backend, void *capture, void *control)
{
    struct zl_socket *front, *back, *third, *steering;
    int rc = frontend && backend ? 0 : -EFAULT;
    if (rc == 0)
        rc = check(frontend, false, &front);
    if (rc == 0)
        rc = check(backend, false, &back);
    if (rc == 0)
        rc = check(capture, true, &third);
    if (rc == 0)
        rc = check(control, true, &steering);
    if (rc == 0)
        rc = zl_proxy(front, back, third, steering);
    return zl_api_result(rc);
}

int zmq_proxy(void *frontend, void *backend, void *capture)
{
    return zmq_proxy_steerable(frontend, backend, capture, NULL);
}

int zmq_device(int type, void *frontend, void *backend)
{
    (void)type;
    return zmq_proxy_steerable(frontend, backend, NULL, NULL);
}
