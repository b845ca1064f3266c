/* SPDX-License-Identifier: MPL-2.0 */
/*
 * zlink.h: what zlink offers beyond the interface of libzmq (zmq.h). Conventions are those of
 * zmq.h. A program that uses this header does not run on other implementations.
 *
 * Numbers: socket and context options of zlink start at 1000, so that they never meet one of
 * libzmq.
 */
#ifndef ZLINK_H_INCLUDED
#define ZLINK_H_INCLUDED

#include <zmq.h>

/* The version of this header; zlink_version() tells that of the library in use. */
#define ZLINK_VERSION_MAJOR 0
#define ZLINK_VERSION_MINOR 1
#define ZLINK_VERSION_PATCH 0

/* Marks what the library exports. */
#if defined ZMQ_NO_EXPORT
#define ZLINK_EXPORT
#elif defined _WIN32
#if defined ZMQ_STATIC
#define ZLINK_EXPORT
#elif defined DLL_EXPORT
#define ZLINK_EXPORT __declspec(dllexport)
#else
#define ZLINK_EXPORT __declspec(dllimport)
#endif
#elif defined __GNUC__ && __GNUC__ >= 4
#define ZLINK_EXPORT __attribute__((visibility("default")))
#else
#define ZLINK_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Stores the version of zlink itself, 0.1.0 for this one; zmq_version() tells which libzmq it
 * stands in for. The pointers must not be NULL. Never fails. Any thread. */
ZLINK_EXPORT void zlink_version(int *major, int *minor, int *patch);

#ifdef __cplusplus
}
#endif

#undef ZLINK_EXPORT

#endif /* ZLINK_H_INCLUDED */
