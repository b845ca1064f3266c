/* SPDX-License-Identifier: MPL-2.0 */

/* A throw-away certificate for one run. */
#ifndef ZBENCH_TLS_FILES_H
#define ZBENCH_TLS_FILES_H

#define TLS_PEM_SIZE 4096

/* PEM texts. The certificate is signed by itself, so it is also the authority to be trusted. */
struct tls_files {
    char certificate[TLS_PEM_SIZE];
    char key[TLS_PEM_SIZE];
};

/* Has the command openssl make them in a temporary folder, which is gone when this returns. Ends
 * the program on failure. */
void tls_files_make(struct tls_files *files);

#endif
