// SPDX-License-Identifier: Apache-2.0
/* What clients have at the fake agent: sessions, resources, and what these are made of. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vaccel.h>

#include "fake_insides.h"

/* Ids are those of one client, whoever it is. */
static struct object *find(struct object *objects, int64_t id)
{
	for (size_t i = 0; id && i < OBJECTS_MAX; i++)
		if (objects[i].id == id)
			return &objects[i];
	return NULL;
}

struct object *find_object(struct object *objects, unsigned int client, int64_t id)
{
	struct object *object = find(objects, id);

	return object && object->client == client ? object : NULL;
}

struct object *make_object(struct fake *fake, struct object *objects, unsigned int client)
{
	for (size_t i = 0; i < OBJECTS_MAX; i++) {
		if (objects[i].id)
			continue;
		objects[i].id = ++fake->last_id;
		objects[i].client = client;
		return &objects[i];
	}
	abort();
}

void drop_object(struct object *object)
{
	for (size_t i = 0; i < CONTENTS_MAX; i++) {
		free(object->name[i]);
		free(object->bytes[i]);
	}
	*object = (struct object){0};
}

void drop_objects_of(struct fake *fake, unsigned int client)
{
	for (size_t i = 0; i < OBJECTS_MAX; i++) {
		if (fake->session[i].client == client)
			drop_object(&fake->session[i]);
		if (fake->resource[i].client == client)
			drop_object(&fake->resource[i]);
	}
}

static struct stored *find_stored(struct fake *fake, const unsigned char *sha256, bool make_one)
{
	for (size_t i = 0; i < OBJECTS_MAX; i++) {
		struct stored *stored = &fake->stored[i];

		if (stored->bytes && !memcmp(stored->sha256, sha256, SHA256_SIZE))
			return stored;
		if (stored->bytes || !make_one)
			continue;
		memcpy(stored->sha256, sha256, SHA256_SIZE);
		return stored;
	}
	return NULL;
}

static bool content_is_here(struct fake *fake, const struct vaccel_content *content)
{
	struct stored *stored = find_stored(fake, content->sha256.data, content->bytes.count);

	if (content->bytes.count && !stored->bytes) {
		stored->bytes = malloc(content->bytes.count);
		memcpy(stored->bytes, content->bytes.data, content->bytes.count);
		stored->size = stored->have = content->bytes.count;
	}
	return stored && stored->bytes && stored->have == content->size;
}

void offer(struct fake *fake, unsigned int client, struct vaccel_resource_offer_args *args)
{
	static _Thread_local uint32_t missing[CONTENTS_MAX];
	struct object *resource;

	for (size_t i = 0; i < args->contents.count; i++)
		if (!content_is_here(fake, &args->contents.data[i]))
			missing[args->missing.count++] = (uint32_t)i;
	args->missing.data = missing;
	*args->resource = 0;
	if (args->missing.count)
		return;
	resource = make_object(fake, fake->resource, client);
	resource->type = args->type;
	resource->nr = args->contents.count;
	for (size_t i = 0; i < args->contents.count; i++) {
		const struct vaccel_content *content = &args->contents.data[i];
		struct stored *stored = find_stored(fake, content->sha256.data, false);

		resource->name[i] = strdup(content->name);
		resource->in_memory[i] = content->in_memory;
		resource->size[i] = stored->size;
		resource->bytes[i] = malloc(stored->size + 1);
		memcpy(resource->bytes[i], stored->bytes, stored->size);
	}
	*args->resource = resource->id;
}

void put_content(struct fake *fake, const struct vaccel_content_put_args *args)
{
	struct stored *stored = find_stored(fake, args->sha256.data, true);

	if (!stored->bytes) {
		stored->bytes = malloc((size_t)args->size + 1);
		stored->size = (size_t)args->size;
	}
	memcpy(stored->bytes + args->offset, args->bytes.data, args->bytes.count);
	stored->have = (size_t)args->offset + args->bytes.count;
}

static void set_registered(struct object *session, int64_t resource, bool is)
{
	size_t at = 0;

	while (at < session->nr && session->has[at] != resource)
		at++;
	if (is && at == session->nr && at < CONTENTS_MAX)
		session->has[session->nr++] = resource;
	if (!is && at < session->nr)
		memmove(&session->has[at], &session->has[at + 1],
			(--session->nr - at) * sizeof(session->has[0]));
}

void note_registration(struct fake *fake, unsigned int client,
		       const struct vaccel_resource_register_args *args, bool begins)
{
	struct object *session = find_object(fake->session, client, args->session);

	if (session)
		set_registered(session, args->resource, begins);
}

/* It is in no session any more. */
bool release_resource(struct fake *fake, unsigned int client, int64_t id)
{
	struct object *resource = find_object(fake->resource, client, id);

	if (!resource)
		return false;
	for (size_t i = 0; i < OBJECTS_MAX; i++)
		set_registered(&fake->session[i], id, false);
	drop_object(resource);
	return true;
}

void sync_resource(struct fake *fake, unsigned int client, struct vaccel_resource_sync_args *args)
{
	struct object *resource = find_object(fake->resource, client, args->resource);

	args->bytes.count = 0;
	if (!resource || args->content >= resource->nr)
		return;
	args->bytes.data = resource->bytes[args->content];
	args->bytes.count = resource->size[args->content];
}

/* Questions */

static unsigned int count_objects(struct fake *fake, const struct object *objects)
{
	unsigned int nr = 0;

	SCOPED_LOCK(&fake->lock);
	for (size_t i = 0; i < OBJECTS_MAX; i++)
		nr += objects[i].id != 0;
	return nr;
}

unsigned int fake_sessions(struct fake *fake)
{
	return count_objects(fake, fake->session);
}

unsigned int fake_resources(struct fake *fake)
{
	return count_objects(fake, fake->resource);
}

uint32_t fake_hint(struct fake *fake, int64_t session)
{
	SCOPED_LOCK(&fake->lock);
	const struct object *object = find(fake->session, session);

	return object ? object->hint : UINT32_MAX;
}

void fake_describe(struct fake *fake, int64_t id, char *text, size_t room)
{
	SCOPED_LOCK(&fake->lock);
	const struct object *resource = find(fake->resource, id);
	size_t end;

	end = (size_t)snprintf(text, room, "%d:", resource ? (int)resource->type : -1);
	for (size_t i = 0; resource && i < resource->nr && end < room; i++)
		end += (size_t)snprintf(text + end, room - end, "%s%s%s=%.*s", i ? "," : "",
					resource->name[i], resource->in_memory[i] ? "*" : "",
					(int)MIN_OF(resource->size[i], (size_t)20),
					resource->bytes[i]);
}

void fake_describe_session(struct fake *fake, int64_t id, char *text, size_t room)
{
	SCOPED_LOCK(&fake->lock);
	const struct object *session = find(fake->session, id);
	size_t end = 0;

	*text = '\0';
	for (size_t i = 0; session && i < session->nr && end < room; i++) {
		const struct object *resource = find(fake->resource, session->has[i]);

		end += (size_t)snprintf(text + end, room - end, "%s%d:%s", i ? "," : "",
					resource ? (int)resource->type : -1,
					resource && resource->nr ? resource->name[0] : "");
	}
}

void fake_change(struct fake *fake, int64_t id)
{
	SCOPED_LOCK(&fake->lock);
	struct object *resource = find(fake->resource, id);

	for (size_t i = 0; resource && i < resource->nr; i++)
		for (size_t at = 0; resource->in_memory[i] && at < resource->size[i]; at++)
			resource->bytes[i][at]++;
}
