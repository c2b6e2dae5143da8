/* SPDX-License-Identifier: Apache-2.0 */
/* Files and hashes, as the store and resources need them. */
#ifndef VACCEL_AGENT_WORKER_RESOURCE_STORE_FILE_H
#define VACCEL_AGENT_WORKER_RESOURCE_STORE_FILE_H

#include <sys/types.h>

#include <openssl/evp.h>

#include "agent/worker/resource/store.h"

/* To be freed; NULL without memory. */
char *file_path_of(const char *folder, const char *name);

/* A file that was not there before, to be written. The errno, in words without the path. */
int file_make(const char *path, mode_t mode, int *ret_fd);
int file_write_all(int fd, const void *bytes, size_t size);
int file_copy(const char *from, const char *to, mode_t mode);

/* Hands all of a file to @take, step by step; what that returns, unless it is 0, is the end. */
int file_walk(const char *path, int (*take)(void *context, const void *bytes, size_t size),
	      void *context, uint64_t *ret_size);

/* Exactly so many bytes. */
int file_read(const char *path, void *ret_bytes, size_t size);
int file_digest(const char *path, struct digest *ret_digest);

/* SHA-256, bytes after bytes. */
int hash_new(EVP_MD_CTX **ret_hash);
int hash_add(EVP_MD_CTX *hash, const void *bytes, size_t size);
int hash_finish(EVP_MD_CTX *hash, unsigned char ret_sha256[SHA256_SIZE]);

#endif
