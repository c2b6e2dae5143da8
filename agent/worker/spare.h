/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of a large payload, kept for the next one for a while: touching fresh
 * pages costs half as much as receiving the bytes.
 */
#ifndef AGENT_WORKER_SPARE_H
#define AGENT_WORKER_SPARE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct spare {
	_Atomic(void *) memory;
	atomic_bool used; /* since spare_age() */
};

/* Memory for @size bytes, of undefined content, for spare_give(); NULL if there is none. */
void *spare_take(struct spare *spare, size_t size);
void spare_give(struct spare *spare, void *memory);

/* Now and then: frees what nobody has wanted since the last time. */
void spare_age(struct spare *spare);
bool spare_is_there(const struct spare *spare);
void spare_release(struct spare *spare);

#endif
