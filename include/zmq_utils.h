/* SPDX-License-Identifier: MPL-2.0 */
/*
 * zmq_utils.h: deprecated; there only for programs that still include it. All that it once
 * declared is in zmq.h.
 */
#if defined __GNUC__ || defined __clang__ || defined _MSC_VER
#pragma message("zmq_utils.h is deprecated: include zmq.h instead.")
#endif
