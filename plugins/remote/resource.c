// SPDX-License-Identifier: Apache-2.0
/*
 * The list of resources that sessions at agents use, and the copies of each there.
 * A copy stays as long as the resource, so that what is loaded of it stays, too,
 * though it may be registered with no session for a while.
 */
#include "remote/resource.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <vaccel/error.h>
#include <vaccel/plugin.h>

#include "base/util.h"
#include "remote/content.h"
#include "remote/session.h"
#include "transport/control.h"

static struct resource *resources; /* remote_lock */

int resource_open(struct vaccel_resource *res, void **ret_slot)
{
	struct resource *resource = calloc(1, sizeof(*resource));

	if (!resource)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a resource");
	resource->res = res;
	SCOPED_LOCK(&remote_lock);
	resource->next = resources;
	resource->link = &resources;
	if (resources)
		resources->link = &resource->next;
	resources = resource;
	*ret_slot = resource;
	return VACCEL_OK;
}

/* Nobody finds it from now on. */
static void unlist(struct resource *resource)
{
	SCOPED_LOCK(&remote_lock);

	sessions_drop_resource(resource);
	*resource->link = resource->next;
	if (resource->next)
		resource->next->link = resource->link;
	while (resource->users)
		remote_wait(FOREVER);
}

/* The next copy, taken out. */
static struct copy *next_copy(struct resource *resource)
{
	SCOPED_LOCK(&remote_lock);
	struct copy *copy = resource->copies;

	if (copy)
		resource->copies = copy->next;
	return copy;
}

void resource_close(struct vaccel_resource *res, void *slot)
{
	struct resource *resource = slot;
	struct copy *copy;

	unlist(resource);
	while ((copy = next_copy(resource))) {
		struct vaccel_resource_release_args args = {.resource = copy->id};

		server_tell(copy->server, copy->client, &vaccel_op_resource_release, &args);
		free(copy);
	}
	loads_release(resource);
	digests_delete(resource->digests);
	free(resource);
}

void resource_hold(struct resource *resource)
{
	resource->users++;
}

void resource_unhold(struct resource *resource)
{
	SCOPED_LOCK(&remote_lock);

	if (!--resource->users)
		pthread_cond_broadcast(&remote_changed);
}

static void drop_copies(struct resource *resource, uint64_t client)
{
	struct copy **link = &resource->copies;

	while (*link) {
		struct copy *copy = *link;

		if (copy->client != client) {
			link = &copy->next;
			continue;
		}
		*link = copy->next;
		free(copy);
	}
}

void resources_lose(uint64_t client)
{
	for (struct resource *resource = resources; resource; resource = resource->next) {
		drop_copies(resource, client);
		loads_lose(resource, client);
	}
}

void resources_forget(void)
{
	for (struct resource *resource = resources; resource; resource = resource->next) {
		resource->users = 0;
		resource->bringing = NULL;
		resource->loading = NULL;
		/* Another thread was at it, and may not have come to its end. */
		if (resource->reading)
			resource->digests = NULL;
		resource->reading = false;
	}
}

static bool is_under_way(const struct errand *list, uint64_t client)
{
	while (list && list->client != client)
		list = list->next;
	return list;
}

int errand_begin(struct errand **list, struct errand *errand, int64_t until)
{
	SCOPED_LOCK(&remote_lock);

	while (is_under_way(*list, errand->client))
		if (remote_wait(until))
			return VACCEL_ETIMEDOUT;
	errand->next = *list;
	*list = errand;
	return VACCEL_OK;
}

void errand_end(struct errand **list, const struct errand *errand)
{
	SCOPED_LOCK(&remote_lock);

	while (*list != errand)
		list = &(*list)->next;
	*list = errand->next;
	pthread_cond_broadcast(&remote_changed);
}

/* vaccel_resource_with_blobs() knows no deadline. */
static int begin_reading(struct resource *resource, int64_t until)
{
	SCOPED_LOCK(&remote_lock);

	while (resource->reading)
		if (remote_wait(until))
			return vaccel_fail(VACCEL_ETIMEDOUT,
					   "resource %" PRId64 " is being read, and takes long",
					   resource->res->id);
	resource->reading = true;
	return VACCEL_OK;
}

static void end_reading(struct resource *resource, bool released)
{
	SCOPED_LOCK(&remote_lock);

	resource->reading = false;
	resource->released |= released;
	pthread_cond_broadcast(&remote_changed);
}

struct reading {
	vaccel_resource_use_fn *use;
	void *context;
	bool alive; /* the resource is not being released */
};

static int read_now(struct vaccel_resource *res, void *context)
{
	struct reading *reading = context;

	reading->alive = true;
	return reading->use(res, reading->context);
}

int resource_use(struct resource *resource, int64_t until, vaccel_resource_use_fn *use,
		 void *context)
{
	struct reading reading = {.use = use, .context = context};
	int ret = begin_reading(resource, until);

	if (ret)
		return ret;
	ret = vaccel_resource_with_blobs(resource->res, read_now, &reading);
	end_reading(resource, !reading.alive);
	return ret;
}

void resource_note_sync(struct resource *resource)
{
	SCOPED_LOCK(&remote_lock);

	resource->syncs++;
}

struct copy *resource_copy(const struct resource *resource, uint64_t client, int64_t id)
{
	struct copy *copy = resource->copies;

	while (copy && (copy->client != client || copy->id != id))
		copy = copy->next;
	return copy;
}

/* Bringing a resource to a client */
struct bringing {
	struct resource *resource;
	struct channel *channel;
	int64_t id;
};

static bool find_copy(const struct bringing *bringing, const unsigned char *digest, int64_t *ret_id)
{
	SCOPED_LOCK(&remote_lock);
	const struct copy *copy = bringing->resource->copies;

	while (copy && (copy->client != bringing->channel->client ||
			memcmp(copy->digest, digest, sizeof(copy->digest)) != 0))
		copy = copy->next;
	if (copy)
		*ret_id = copy->id;
	return copy;
}

static int add_copy(const struct bringing *bringing, const struct contents *contents)
{
	struct copy *copy = calloc(1, sizeof(*copy));

	if (!copy)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a resource");
	*copy = (struct copy){
		.server = bringing->channel->server,
		.client = bringing->channel->client,
		.id = bringing->id,
		.type = contents->type,
		.in_memory = contents->in_memory,
	};
	memcpy(copy->digest, contents->digest, sizeof(copy->digest));
	SCOPED_LOCK(&remote_lock);
	/* The newest first. */
	copy->next = bringing->resource->copies;
	bringing->resource->copies = copy;
	return VACCEL_OK;
}

/* Whether what was sent may be a mixture, since some came back from an agent meanwhile. */
static bool is_outdated(const struct contents *contents)
{
	SCOPED_LOCK(&remote_lock);

	return contents->syncs != contents->resource->syncs;
}

/* *ret_again: it failed, and may have since the resource has changed. */
static int bring_once(struct bringing *bringing, bool *ret_again)
{
	_cleanup_(contents_release) struct contents contents = {0};
	struct channel *channel = bringing->channel;
	int ret = contents_read(bringing->resource, channel->until, &contents);

	*ret_again = false;
	if (ret || find_copy(bringing, contents.digest, &bringing->id))
		return ret;
	ret = contents_offer(&contents, channel, &bringing->id);
	*ret_again = ret && !channel->broken && is_outdated(&contents);
	return ret ? ret : add_copy(bringing, &contents);
}

static bool is_released(const struct resource *resource)
{
	SCOPED_LOCK(&remote_lock);

	return resource->released;
}

int resource_bring(struct resource *resource, struct channel *channel, int64_t *ret_id)
{
	struct bringing bringing = {.resource = resource, .channel = channel};
	struct errand errand = {.client = channel->client};
	bool again;
	int ret;

	if (errand_begin(&resource->bringing, &errand, channel->until))
		return vaccel_fail(VACCEL_ETIMEDOUT,
				   "resource %" PRId64 " is being sent, and takes long",
				   resource->res->id);
	do {
		ret = bring_once(&bringing, &again);
	} while (again);
	errand_end(&resource->bringing, &errand);
	if (ret && !is_released(resource))
		return ret;
	*ret_id = bringing.id;
	return VACCEL_OK;
}
