// SPDX-License-Identifier: Apache-2.0
/*
 * What becomes of resources once they are made; resource_make.c makes them. A
 * resource is used by several requests at once, and goes with the last one after it
 * was released.
 */
#include "agent/worker/resource/resource.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <vaccel/blob.h>
#include <vaccel/error.h>
#include <vaccel/session.h>

#include "agent/base/tree.h"
#include "agent/worker/connection/connection.h"
#include "agent/worker/resource/models.h"
#include "agent/worker/resource/store_file.h"
#include "agent/worker/tend.h"
#include "base/util.h"

static int no_resource(struct client *client, int64_t id)
{
	count_refusal(client->worker, REFUSED_FOREIGN);
	return vaccel_fail(VACCEL_EPERM, "this client has no resource %" PRId64, id);
}

int resource_find(struct client *client, int64_t id, struct resource **ret_resource)
{
	struct resource *resource;

	SCOPED_LOCK(&client->lock);
	resource = table_find(&client->resources, id);
	if (!resource)
		return no_resource(client, id);
	atomic_fetch_add(&resource->refs, 1);
	*ret_resource = resource;
	return VACCEL_OK;
}

/* Removing */

void resources_sweep(const struct worker *worker)
{
	_cleanup_(freep) char *path = file_path_of(worker->setup.directory, RESOURCES_FOLDER);

	if (path)
		tree_remove(path);
}

static void part_release(struct worker *worker, struct part *part)
{
	if (part->held)
		store_drop(worker->store, &part->digest);
	if (part->taken)
		store_give(worker->store, part->taken);
	meter_give(&worker->memory, part->memory);
	free(part->bytes);
	free(part->path);
}

static void set_loaded(struct resource *resource, bool loaded)
{
	struct stats *stats = resource->client->worker->stats;

	if (atomic_exchange(&resource->loaded, loaded) == loaded)
		return;
	if (loaded)
		atomic_fetch_add(&stats->models, 1);
	else
		atomic_fetch_sub(&stats->models, 1);
}

static uint64_t size_of(const struct resource *resource)
{
	uint64_t size = 0;

	for (size_t i = 0; i < resource->nr_parts; i++)
		size += resource->parts[i].digest.size;
	return size;
}

/* One that a session may use is taken for one that a backend has loaded. */
static int count_model(struct resource *resource, vaccel_resource_type_t type)
{
	int ret;

	if (type != VACCEL_RESOURCE_MODEL)
		return VACCEL_OK;
	SCOPED_LOCK(&resource->client->lock);
	if (resource->counted)
		return VACCEL_OK;
	ret = models_take(resource->client->worker, size_of(resource));
	resource->counted = !ret;
	return ret;
}

void resource_delete(struct resource *resource)
{
	struct worker *worker = resource->client->worker;

	if (resource->vaccel) {
		tend_begin(worker, VACCEL_OP_RESOURCE_RELEASE);
		vaccel_resource_delete(resource->vaccel);
		tend_end(worker);
	}
	set_loaded(resource, false);
	if (resource->counted)
		meter_give(&worker->models, size_of(resource));
	if (resource->directory)
		tree_remove(resource->directory);
	for (size_t i = 0; i < resource->nr_parts; i++)
		part_release(worker, &resource->parts[i]);
	meter_give(&worker->memory, RESOURCE_COST(resource->nr_parts));
	free(resource->directory);
	free(resource);
}

void resource_unref(struct resource *resource)
{
	struct worker *worker;

	if (!resource || atomic_fetch_sub(&resource->refs, 1) != 1)
		return;
	worker = resource->client->worker;
	resource_delete(resource);
	atomic_fetch_sub(&worker->stats->resources, 1);
}

int resource_release(struct client *client, int64_t id)
{
	struct resource *resource;

	pthread_mutex_lock(&client->lock);
	resource = table_remove(&client->resources, id);
	pthread_mutex_unlock(&client->lock);
	if (!resource)
		return no_resource(client, id);
	resource_unref(resource);
	return VACCEL_OK;
}

void resources_release(struct client *client)
{
	for (size_t i = 0; i < client->resources.count; i++)
		resource_unref(client->resources.rows[i].object);
	table_release(&client->resources);
	uploads_release(client);
}

/* Using */

void resources_used(const struct request *request)
{
	for (size_t i = 0; i < request->nr_resources; i++)
		if (request->resources[i]->vaccel->type == VACCEL_RESOURCE_MODEL)
			set_loaded(request->resources[i],
				   request->op->repeat != VACCEL_REPEAT_UNLOAD);
}

/* Both of one client, for as long as something is done to them. */
struct pair {
	struct resource *resource;
	struct session *session;
};

static void pair_release(struct pair *pair)
{
	resource_unref(pair->resource);
	if (pair->session)
		session_leave(pair->session);
}

static int find_pair(struct client *client, int64_t id, int64_t session, struct pair *ret_pair)
{
	struct session *last = NULL;
	int ret = session_use(client, session, &last, &ret_pair->session);

	session_forget(&last);
	return ret ? ret : resource_find(client, id, &ret_pair->resource);
}

int resource_register(struct client *client, int64_t id, int64_t session)
{
	_cleanup_(pair_release) struct pair pair = {0};
	int ret = find_pair(client, id, session, &pair);

	if (!ret)
		ret = count_model(pair.resource, pair.resource->vaccel->type);
	if (ret)
		return ret;
	tend_begin(client->worker, VACCEL_OP_RESOURCE_REGISTER);
	ret = vaccel_resource_register(pair.resource->vaccel, &pair.session->vaccel);
	tend_end(client->worker);
	return ret;
}

int resource_unregister(struct client *client, int64_t id, int64_t session)
{
	_cleanup_(pair_release) struct pair pair = {0};
	int ret = find_pair(client, id, session, &pair);

	if (ret)
		return ret;
	tend_begin(client->worker, VACCEL_OP_RESOURCE_UNREGISTER);
	ret = vaccel_resource_unregister(pair.resource->vaccel, &pair.session->vaccel);
	tend_end(client->worker);
	return ret;
}

int resource_retype(struct client *client, int64_t id, uint32_t type)
{
	struct resource *resource = NULL;
	int ret = resource_find(client, id, &resource);

	if (ret)
		return ret;
	if (type < VACCEL_RESOURCE_MAX) {
		ret = count_model(resource, (vaccel_resource_type_t)type);
		if (!ret)
			resource->vaccel->type = (vaccel_resource_type_t)type;
	} else {
		ret = vaccel_fail(VACCEL_EINVAL, "there is no resource type %" PRIu32, type);
	}
	resource_unref(resource);
	return ret;
}

int resource_sync(struct client *client, const struct vaccel_resource_sync_args *args)
{
	_cleanup_(pair_release) struct pair pair = {0};
	const struct part *part;
	int ret = find_pair(client, args->resource, args->session, &pair);

	if (ret)
		return ret;
	if (!vaccel_session_has_resource(&pair.session->vaccel, pair.resource->vaccel))
		return vaccel_fail(VACCEL_EPERM,
				   "resource %" PRId64 " is not registered with session %" PRId64,
				   args->resource, args->session);
	part = args->content < pair.resource->nr_parts ? &pair.resource->parts[args->content]
						       : NULL;
	if (!part || !part->bytes || part->digest.size != args->bytes.count)
		return vaccel_fail(VACCEL_EINVAL,
				   "resource %" PRId64 " has no content %" PRIu32
				   " of %zu bytes in memory",
				   args->resource, args->content, args->bytes.count);
	memcpy(args->bytes.data, part->bytes, args->bytes.count);
	return VACCEL_OK;
}
