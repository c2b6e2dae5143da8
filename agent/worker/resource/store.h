/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tenant's contents on disk, by their SHA-256. A content is there as a whole
 * and as announced, or not at all, and never changes. Those that no resource uses make
 * room for others, the longest unused first. What is there stays over restarts of the
 * worker, as long as the machine runs.
 */
#ifndef VACCEL_AGENT_WORKER_RESOURCE_STORE_H
#define VACCEL_AGENT_WORKER_RESOURCE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "transport/control.h"

struct store;

/* A content by what it is. */
struct digest {
	unsigned char sha256[SHA256_SIZE];
	uint64_t size;
};

/* Below @directory, which must be there; with at most @limit bytes. @policy: its name, for words.
 */
int store_open(const char *directory, uint64_t limit, const char *policy, struct store **ret_store);
void store_close(struct store *store);

/* Whether the content is there. If so it stays until store_drop(). */
bool store_hold(struct store *store, const struct digest *digest);
void store_drop(struct store *store, const struct digest *digest);

/* A new file at @path with the content, which is held: the stored one itself, read only, or a copy
 * to write to. EDQUOT: one from outside has no room. */
int store_link(struct store *store, const struct digest *digest, const char *path);
int store_copy(struct store *store, const struct digest *digest, const char *path);

/* The content, which is held, in memory. */
int store_read(struct store *store, const struct digest *digest, void *ret_bytes);

/* Makes a file outside of the store known. It counts only when it is used, of which there is a copy
 * then. */
int store_know(struct store *store, const char *path);

/* Room for so many bytes of a resource's own file, in whole blocks and at least one. EDQUOT. */
int store_take(struct store *store, uint64_t bytes);
void store_give(struct store *store, uint64_t bytes);

/* Contents on their way, by one thread at a time. */
struct incoming;

/* EDQUOT, ENOSPC and other errors of writing. */
int incoming_new(struct store *store, const struct digest *digest, struct incoming **ret_incoming);

/* Gives up what has come so far. */
void incoming_delete(struct incoming *incoming);

int incoming_add(struct incoming *incoming, const void *bytes, size_t size);

/* When all of it has come: EINVAL if it is not what was announced. */
int incoming_finish(struct incoming *incoming);
const struct digest *incoming_digest(const struct incoming *incoming);

/* Bytes of it that are there. */
uint64_t incoming_written(const struct incoming *incoming);

#define DIGEST_HEX_SIZE (2 * SHA256_SIZE + 1)
void digest_to_hex(const unsigned char sha256[SHA256_SIZE], char ret_hex[DIGEST_HEX_SIZE]);

/* Whether these bytes have the SHA-256. EINVAL. */
int digest_check(const unsigned char sha256[SHA256_SIZE], const void *bytes, size_t size);

#endif
