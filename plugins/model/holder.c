// SPDX-License-Identifier: Apache-2.0
/*
 * A call that uses a model counts itself among the holder's users before it
 * reads the pointer. Unloading takes the pointer away first and then looks at
 * the users: if there are any, the model is retired, and the last of
 * them to leave frees it.
 */
#include "model/holder.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct holder {
	const struct holder_kind *kind;
	const void *context;		/* for open() */
	_Atomic(struct held *) held;	/* NULL while it is not loaded */
	_Atomic(struct held *) retired; /* unloaded while calls used them */
	atomic_size_t users;
	pthread_mutex_t lock; /* loading, unloading, freeing */
	size_t loads;	      /* by holder_load(), not yet undone; under the lock */
};

int holder_new(const struct holder_kind *kind, const void *context, struct holder **ret_holder)
{
	struct holder *holder = calloc(1, sizeof(*holder));

	if (!holder)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a model");
	holder->kind = kind;
	holder->context = context;
	pthread_mutex_init(&holder->lock, NULL);
	*ret_holder = holder;
	return VACCEL_OK;
}

/* Frees what was retired, if nobody can be using it any more. The lock is held. */
static void reap(struct holder *holder)
{
	struct held *held;

	if (atomic_load(&holder->users))
		return;
	held = atomic_exchange(&holder->retired, NULL);
	while (held) {
		struct held *next = held->next;

		holder->kind->close(held);
		held = next;
	}
}

void holder_delete(struct holder *holder)
{
	struct held *held;

	if (!holder)
		return;
	held = atomic_exchange(&holder->held, NULL);
	if (held)
		holder->kind->close(held);
	reap(holder);
	pthread_mutex_destroy(&holder->lock);
	free(holder);
}

bool holder_is_open(struct holder *holder)
{
	return atomic_load(&holder->held) != NULL;
}

static void leave(struct holder *holder)
{
	if (atomic_fetch_sub(&holder->users, 1) != 1 || !atomic_load(&holder->retired))
		return;
	pthread_mutex_lock(&holder->lock);
	reap(holder);
	pthread_mutex_unlock(&holder->lock);
}

/* What it holds, which stays until leave(); NULL, and nothing to leave, while there is none. */
static const struct held *enter(struct holder *holder)
{
	const struct held *held;

	atomic_fetch_add(&holder->users, 1);
	held = atomic_load(&holder->held);
	if (!held)
		leave(holder);
	return held;
}

/* Sees that it holds something. The lock is held. */
static int ensure(struct holder *holder, struct vaccel_resource *resource)
{
	struct held *held;
	int ret;

	if (atomic_load(&holder->held))
		return VACCEL_OK;
	ret = holder->kind->open(resource, holder->context, &held);
	if (!ret)
		atomic_store(&holder->held, held);
	return ret;
}

static int use(struct holder *holder, struct vaccel_resource *resource, struct use *ret_use)
{
	const struct held *held = enter(holder);

	while (!held) {
		int ret;

		pthread_mutex_lock(&holder->lock);
		ret = ensure(holder, resource);
		if (!ret)
			held = enter(holder);
		pthread_mutex_unlock(&holder->lock);
		if (ret)
			return ret;
	}
	*ret_use = (struct use){.held = held, .holder = holder};
	return VACCEL_OK;
}

int use_default(struct holder *holder, struct use *ret_use)
{
	return use(holder, NULL, ret_use);
}

int use_resource(struct vaccel_call *call, struct vaccel_resource *resource, struct use *ret_use)
{
	void *slot;
	int ret = vaccel_call_resource_slot(call, resource, &slot);

	return ret ? ret : use(slot, resource, ret_use);
}

int use_session(struct vaccel_call *call, struct holder *holder, struct use *ret_use)
{
	struct vaccel_resource *resource = vaccel_call_resource(call, VACCEL_RESOURCE_MODEL);
	int ret;

	if (!resource)
		return use_default(holder, ret_use);
	ret = use_resource(call, resource, ret_use);
	if (ret)
		vaccel_resource_unref(resource);
	else
		ret_use->resource = resource;
	return ret;
}

void use_end(struct use *use)
{
	if (use->holder)
		leave(use->holder);
	vaccel_resource_unref(use->resource);
}

int holder_load(struct vaccel_call *call, struct vaccel_resource *resource)
{
	struct holder *holder;
	void *slot;
	int ret = vaccel_call_resource_slot(call, resource, &slot);

	if (ret)
		return ret;
	holder = slot;
	pthread_mutex_lock(&holder->lock);
	ret = ensure(holder, resource);
	if (!ret)
		holder->loads++;
	pthread_mutex_unlock(&holder->lock);
	return ret;
}

/* The lock is held. */
static int unload(struct holder *holder)
{
	struct held *held = atomic_load(&holder->held);

	if (!held)
		return vaccel_fail(VACCEL_EINVAL, "the model is not loaded");
	if (holder->loads)
		holder->loads--;
	/* Someone else loaded it, too. */
	if (holder->loads)
		return VACCEL_OK;
	atomic_store(&holder->held, NULL);
	held->next = atomic_load(&holder->retired);
	atomic_store(&holder->retired, held);
	reap(holder);
	return VACCEL_OK;
}

int holder_unload(struct vaccel_call *call, struct vaccel_resource *resource)
{
	struct holder *holder;
	void *slot;
	int ret = vaccel_call_resource_slot(call, resource, &slot);

	if (ret)
		return ret;
	holder = slot;
	pthread_mutex_lock(&holder->lock);
	ret = unload(holder);
	pthread_mutex_unlock(&holder->lock);
	return ret;
}
