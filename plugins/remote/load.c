// SPDX-License-Identifier: Apache-2.0
/*
 * Operations that have loaded a resource, to be done again where it is brought anew. They are
 * kept as requests, with the program's own ids of resources: decoding one and
 * encoding it again with another end's ids does it for any operation.
 */
#include <stdlib.h>
#include <string.h>

#include <vaccel/error.h>
#include <vaccel/ops/describe.h>

#include "base/util.h"
#include "call/call.h"
#include "remote/session.h"

struct load {
	struct load *next;
	const struct vaccel_op *op;
	uint64_t client; /* where it has been done */
	size_t head_size, payload_size;
	_Alignas(CODEC_ALIGN) unsigned char bytes[]; /* head and payload */
};

static int own_id(void *context, struct vaccel_resource *res, int64_t *ret_id)
{
	*ret_id = res->id;
	return VACCEL_OK;
}

static int own_resource(void *context, int64_t id, struct vaccel_resource **ret_res)
{
	struct vaccel_resource *res = context;

	if (res->id != id)
		return vaccel_fail(VACCEL_ENOENT, "resource %lld is not there any more",
				   (long long)id);
	*ret_res = res;
	return VACCEL_OK;
}

static struct vaccel_resource *resource_of(const struct vaccel_op *op, const void *args)
{
	for (size_t i = 0; i < op->nr_fields; i++)
		if (op->fields[i].kind == VACCEL_KIND_RESOURCE)
			return pointer_get(args, &op->fields[i]);
	return NULL;
}

static struct load *load_new(const struct vaccel_op *op, const void *args)
{
	const struct codec_hooks hooks = {.resource_id = own_id};
	_cleanup_(encoder_release) struct encoder encoder = {.hooks = &hooks};
	struct load *load;

	if (encode_request(&encoder, op, args))
		return NULL;
	load = calloc(1, sizeof(*load) + encoder.head_size + (size_t)encoder.payload.size);
	if (!load)
		return NULL;
	load->op = op;
	load->head_size = encoder.head_size;
	load->payload_size = (size_t)encoder.payload.size;
	memcpy(load->bytes, encoder.head, encoder.head_size);
	pieces_gather(&encoder.payload, load->bytes + encoder.head_size);
	return load;
}

static bool is_same(const struct load *a, const struct load *b)
{
	return a->op == b->op && a->head_size == b->head_size &&
	       a->payload_size == b->payload_size &&
	       !memcmp(a->bytes, b->bytes, a->head_size + a->payload_size);
}

void load_note(struct session *session, const struct vaccel_op *op, const void *args,
	       uint64_t client)
{
	struct vaccel_resource *res = resource_of(op, args);
	struct load *load = res ? load_new(op, args) : NULL;
	struct registration *registration;
	struct load **link;

	/* Without it a lost agent means an error later, which says what is missing. */
	if (!load)
		return;
	load->client = client;
	SCOPED_LOCK(&remote_lock);
	registration = session_registration(session, res);
	link = registration ? &registration->resource->loads : NULL;
	while (link && *link && !is_same(*link, load))
		link = &(*link)->next;
	if (!link || *link) {
		free(load);
		return;
	}
	*link = load;
}

void loads_release(struct resource *resource)
{
	while (resource->loads) {
		struct load *load = resource->loads;

		resource->loads = load->next;
		free(load);
	}
}

void load_forget(struct session *session, const struct vaccel_op *op, const void *args)
{
	struct vaccel_resource *res = resource_of(op, args);
	struct registration *registration;

	SCOPED_LOCK(&remote_lock);
	registration = res ? session_registration(session, res) : NULL;
	if (registration)
		loads_release(registration->resource);
}

bool resource_has_undone(const struct resource *resource, uint64_t client)
{
	const struct load *load = resource->loads;

	while (load && load->client == client)
		load = load->next;
	return load;
}

/* One thread at a time does them again, since the others rely on what is loaded. */
static int begin(struct resource *resource, int64_t until)
{
	SCOPED_LOCK(&remote_lock);

	while (resource->loading)
		if (remote_wait(until))
			return vaccel_fail(VACCEL_ETIMEDOUT,
					   "a model could not be loaded anew in time");
	resource->loading = true;
	return VACCEL_OK;
}

static void end(struct resource *resource)
{
	SCOPED_LOCK(&remote_lock);

	resource->loading = false;
	pthread_cond_broadcast(&remote_changed);
}

/* A copy of the first that is not done there; NULL if all are. */
static int copy_undone(struct resource *resource, uint64_t client, struct load **ret_copy)
{
	SCOPED_LOCK(&remote_lock);
	const struct load *load = resource->loads;
	size_t size;

	while (load && load->client == client)
		load = load->next;
	*ret_copy = NULL;
	if (!load)
		return VACCEL_OK;
	size = sizeof(*load) + load->head_size + load->payload_size;
	*ret_copy = malloc(size);
	if (!*ret_copy)
		return vaccel_fail(VACCEL_ENOMEM, "no memory to do %s again", load->op->name);
	memcpy(*ret_copy, load, size);
	return VACCEL_OK;
}

static void note_done(struct resource *resource, const struct load *done, uint64_t client)
{
	SCOPED_LOCK(&remote_lock);

	for (struct load *load = resource->loads; load; load = load->next)
		if (is_same(load, done))
			load->client = client;
}

static int redo(struct load *load, struct resource *resource, struct channel *channel,
		int64_t session_id)
{
	const struct codec_hooks hooks = {.context = resource->res, .resource = own_resource};
	_cleanup_(decoder_release) struct decoder decoder = {
		.hooks = &hooks,
		.limits = {SIZE_MAX / 4, SIZE_MAX / 4},
	};
	const struct codec_message message = {load->bytes, load->head_size,
					      load->bytes + load->head_size, load->payload_size};
	struct request request = {.op = load->op, .session = session_id, .fd = -1};
	int ret = decode_request(&decoder, load->op, &message, &request.args);

	if (!ret)
		ret = channel_ask(channel, &request);
	if (!ret)
		args_drop_outputs(load->op, request.args);
	return ret;
}

int loads_redo(struct resource *resource, struct channel *channel, int64_t session_id)
{
	int ret = begin(resource, channel->until);

	if (ret)
		return ret;
	for (;;) {
		_cleanup_(freep) struct load *load = NULL;

		ret = copy_undone(resource, channel->client, &load);
		if (ret || !load)
			break;
		ret = redo(load, resource, channel, session_id);
		if (ret)
			break;
		note_done(resource, load, channel->client);
	}
	end(resource);
	return ret;
}
