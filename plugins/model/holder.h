/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a plugin has of a resource: its model, from the first use, or from loading, to
 * unloading. A call finds it with two atomic additions: no lock, no reading, no hashing.
 */
#ifndef MODEL_HOLDER_H
#define MODEL_HOLDER_H

#include <stdbool.h>

#include <vaccel/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/** struct held - the first member of a model; holder.c's */
struct held {
	struct held *next;
};

/**
 * struct holder_kind - how models come and go
 * @open: makes one of a resource, or, for NULL, the default one of the holder's @context; a
 *	code, with words
 * @close: frees it
 */
struct holder_kind {
	int (*open)(struct vaccel_resource *resource, const void *context, struct held **ret_held);
	void (*close)(struct held *held);
};

struct holder;

/** holder_new() - one that holds nothing yet; 0 or ENOMEM */
int holder_new(const struct holder_kind *kind, const void *context, struct holder **ret_holder);

/** holder_delete() - frees what it holds, too. No call may be using that. NULL is fine. */
void holder_delete(struct holder *holder);

/** holder_is_open() - whether it holds something at this moment */
bool holder_is_open(struct holder *holder);

/**
 * struct use - a model while a call uses it
 *
 * It stays until use_end(), whoever unloads it meanwhile.
 */
struct use {
	const struct held *held;
	struct holder *holder;
	struct vaccel_resource *resource; /* counted */
};

/** use_default() - use what @holder holds of no resource, opened if it is not */
int use_default(struct holder *holder, struct use *ret_use);

/**
 * use_resource() - use the model of a resource, opened if it is not
 *
 * Return: 0; the errors of vaccel_call_resource_slot() and open().
 */
int use_resource(struct vaccel_call *call, struct vaccel_resource *resource, struct use *ret_use);

/** use_session() - use the session's first MODEL, or that of no resource, which @holder has */
int use_session(struct vaccel_call *call, struct holder *holder, struct use *ret_use);

/** use_end() - all zero is fine */
void use_end(struct use *use);

/**
 * holder_load() - open the model of a resource, and keep it until it is unloaded as often
 *
 * Return: as use_resource().
 */
int holder_load(struct vaccel_call *call, struct vaccel_resource *resource);

/** holder_unload() - undo holder_load(); EINVAL if it is not loaded */
int holder_unload(struct vaccel_call *call, struct vaccel_resource *resource);

#ifdef __cplusplus
}
#endif

#endif
