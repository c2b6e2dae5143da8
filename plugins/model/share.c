// SPDX-License-Identifier: Apache-2.0
/*
 * Loading a model takes from milliseconds to minutes, so it is done once for a
 * content: what is loaded is in a list, by digest, while someone refers to it.
 * The lock guards the lists and is not held while a model loads.
 */
#include "model/share.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <vaccel/error.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t loaded = PTHREAD_COND_INITIALIZER; /* something is, or has failed */

static struct shared *find(const struct share *share, const struct digest *digest)
{
	struct shared *shared = share->first;

	while (shared && memcmp(&shared->digest, digest, sizeof(*digest)) != 0)
		shared = shared->next;
	return shared;
}

/* The lock is held. */
static void forget(struct share *share, const struct shared *shared)
{
	struct shared **at = &share->first;

	while (*at != shared)
		at = &(*at)->next;
	*at = shared->next;
}

/* The lock is held; it is let go while it loads. */
static void load(const struct share *share, struct shared *shared, const void *content)
{
	int ret;

	pthread_mutex_unlock(&lock);
	ret = share->load(shared, content);
	/* Whoever waits for it shares the failure; it is forgotten with the last of them. */
	if (ret)
		shared->failure = strdup(vaccel_error_text());
	pthread_mutex_lock(&lock);
	shared->failure_code = ret;
	shared->loading = false;
	pthread_cond_broadcast(&loaded);
}

static struct shared *add(struct share *share, const struct digest *digest)
{
	struct shared *shared = calloc(1, share->size);

	if (!shared)
		return NULL;
	shared->digest = *digest;
	shared->refs = 1;
	shared->loading = true;
	shared->next = share->first;
	share->first = shared;
	return shared;
}

/* That of the digest, counted, whether it was loaded or has failed; NULL without memory. */
static struct shared *get_settled(struct share *share, const struct digest *digest,
				  const void *content)
{
	struct shared *shared;

	pthread_mutex_lock(&lock);
	shared = find(share, digest);
	if (shared) {
		shared->refs++;
		while (shared->loading)
			pthread_cond_wait(&loaded, &lock);
	} else {
		shared = add(share, digest);
		if (shared)
			load(share, shared, content);
	}
	pthread_mutex_unlock(&lock);
	return shared;
}

int share_get(struct share *share, const struct digest *digest, const void *content,
	      struct shared **ret_shared)
{
	struct shared *shared = get_settled(share, digest, content);
	int ret;

	if (!shared)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a model");
	if (!shared->failure_code) {
		*ret_shared = shared;
		return VACCEL_OK;
	}
	ret = vaccel_fail(shared->failure_code, "%s",
			  shared->failure ? shared->failure : "the model cannot be loaded");
	share_put(share, shared);
	return ret;
}

void share_put(struct share *share, struct shared *shared)
{
	bool last;

	if (!shared)
		return;
	pthread_mutex_lock(&lock);
	last = --shared->refs == 0;
	if (last)
		forget(share, shared);
	pthread_mutex_unlock(&lock);
	if (!last)
		return;
	share->unload(shared);
	free(shared->failure);
	free(shared);
}

size_t share_count(const struct share *share)
{
	size_t count = 0;

	pthread_mutex_lock(&lock);
	for (const struct shared *shared = share->first; shared; shared = shared->next)
		count += !shared->loading && !shared->failure_code;
	pthread_mutex_unlock(&lock);
	return count;
}
