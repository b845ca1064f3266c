/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The socket options of encrypted transports, by number, since zbench is built with any zmq.h. All
 * are texts: PEM, or the path of a PEM file. A library that does not know them has no tls and wss.
 */
#ifndef ZBENCH_TLS_OPTIONS_H
#define ZBENCH_TLS_OPTIONS_H

#define TLS_OPTION_CERTIFICATE 1000 /* of the side that binds, with its chain */
#define TLS_OPTION_KEY 1001         /* the certificate's private key */
#define TLS_OPTION_CA 1002          /* whom the side that connects trusts */

#endif
