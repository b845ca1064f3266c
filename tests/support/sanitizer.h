/* SPDX-License-Identifier: MPL-2.0 */
/* Which sanitizer the tests are built with, and how much less they repeat under one. Only macros,
 * so that tests of every folder can use it. */
#ifndef TESTS_SUPPORT_SANITIZER_H
#define TESTS_SUPPORT_SANITIZER_H

#if defined(__SANITIZE_THREAD__)
#define TS_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TS_THREAD_SANITIZER 1
#endif
#endif
#ifndef TS_THREAD_SANITIZER
#define TS_THREAD_SANITIZER 0
#endif

/* Address and thread sanitizers multiply time and memory. */
#if TS_THREAD_SANITIZER || defined(__SANITIZE_ADDRESS__)
#define TS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TS_SANITIZER 1
#endif
#endif
#ifndef TS_SANITIZER
#define TS_SANITIZER 0
#endif

/* Whether a forked child may allocate and free although other threads of its parent did: glibc
 * hands its heap over in order, a sanitizer's may have lost a lock to a thread that is not there. */
#define TS_CHILD_HAS_HEAP (!TS_SANITIZER)

/* How often, or how much: a constant. For what is repeated to meet many moments or random inputs;
 * a sanitizer judges each of them, so it needs fewer, and takes many times as long for each. Where
 * a count is itself the subject (a border, a limit) it stays as it is. */
#define TS_ROUNDS(usual, sanitized) (TS_SANITIZER ? (sanitized) : (usual))

#endif
