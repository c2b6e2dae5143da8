// SPDX-License-Identifier: Apache-2.0
/*
 * Operations that have loaded a resource, to be done again where it is brought anew, as often
 * as the program has them done: agents count. They are kept as requests, with the
 * program's own ids of resources: decoding one and encoding it again with another
 * end's ids does it for any operation.
 *
 * Where an answer was lost and its client lives on, one may be done there once more than is
 * known. That does no harm until the program has undone all; then it is undone there, too.
 */
#include <stdlib.h>
#include <string.h>

#include <vaccel/error.h>
#include <vaccel/ops/describe.h>

#include "base/util.h"
#include "call/call.h"
#include "remote/session.h"

/* How often something has been done at a client, and may have been done beside that. */
struct done {
	struct done *next;
	uint64_t client;
	size_t times, perhaps;
};

/* All but what is sent is under remote_lock. */
struct load {
	struct load *next;
	struct done *done;
	size_t count; /* of the program's, not undone since */
	const struct vaccel_op *op;
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

static void load_delete(struct load *load)
{
	while (load && load->done) {
		struct done *done = load->done;

		load->done = done->next;
		free(done);
	}
	free(load);
}

static void load_deletep(struct load **load)
{
	load_delete(*load);
}

/* Takes a load, unless there is one like it already. Returns which is kept; remote_lock is held. */
static struct load *keep(struct resource *resource, struct load *load)
{
	struct load **link = &resource->loads;

	while (*link && !is_same(*link, load))
		link = &(*link)->next;
	if (*link)
		load_delete(load);
	else
		*link = load;
	return *link;
}

static struct done *find_done(const struct load *load, uint64_t client)
{
	struct done *done = load->done;

	while (done && done->client != client)
		done = done->next;
	return done;
}

/* One is done at a client, or may be. Without memory it may be done there once too often. */
static void count_done(struct load *load, uint64_t client, bool is_sure)
{
	struct done *done = find_done(load, client);

	if (!done) {
		done = calloc(1, sizeof(*done));
		if (!done)
			return;
		*done = (struct done){.next = load->done, .client = client};
		load->done = done;
	}
	*(is_sure ? &done->times : &done->perhaps) += 1;
}

static bool is_undone(const struct load *load, uint64_t client)
{
	const struct done *done = find_done(load, client);

	return load->count > (done ? done->times : 0);
}

void load_note(struct session *session, const struct vaccel_op *op, const void *args,
	       uint64_t client, bool is_sure)
{
	struct vaccel_resource *res = resource_of(op, args);
	struct load *load = res ? load_new(op, args) : NULL;
	struct registration *registration;

	/* Without it a lost agent means an error later, which says what is missing. */
	if (!load)
		return;
	SCOPED_LOCK(&remote_lock);
	registration = session_registration(session, res);
	if (!registration) {
		load_delete(load);
		return;
	}
	load = keep(registration->resource, load);
	load->count += is_sure;
	count_done(load, client, is_sure);
}

void loads_release(struct resource *resource)
{
	while (resource->loads) {
		struct load *load = resource->loads;

		resource->loads = load->next;
		load_delete(load);
	}
}

void loads_lose(struct resource *resource, uint64_t client)
{
	for (struct load *load = resource->loads; load; load = load->next) {
		struct done **link = &load->done, *done;

		while (*link && (*link)->client != client)
			link = &(*link)->next;
		done = *link;
		if (done)
			*link = done->next;
		free(done);
	}
}

/* As onnx_model_unload does onnx_model_load. */
static bool undoes(const struct vaccel_op *op, const struct load *load)
{
	size_t stem = (size_t)(strrchr(load->op->name, '_') - load->op->name);

	return !strncmp(op->name, load->op->name, stem + 1);
}

/* One that counts, if there is one: it may have been done with several arguments. */
static struct load *find_to_undo(const struct resource *resource, const struct vaccel_op *op)
{
	struct load *load, *found = NULL;

	for (load = resource->loads; load; load = load->next) {
		if (!undoes(op, load))
			continue;
		if (load->count)
			return load;
		if (!found)
			found = load;
	}
	return found;
}

/* None counts any more. Returns how often they may be done at a client still. */
static size_t drop_undone(struct resource *resource, const struct vaccel_op *op, uint64_t client)
{
	struct load **link = &resource->loads;
	size_t left = 0;

	while (*link) {
		struct load *load = *link;
		const struct done *done = find_done(load, client);

		if (!undoes(op, load)) {
			link = &load->next;
			continue;
		}
		left += done ? done->perhaps : 0;
		*link = load->next;
		load_delete(load);
	}
	return left;
}

size_t load_forget(struct session *session, const struct vaccel_op *op, const void *args,
		   uint64_t client, bool is_sure)
{
	struct vaccel_resource *res = resource_of(op, args);
	struct registration *registration;
	struct load *load;
	struct done *done;

	SCOPED_LOCK(&remote_lock);
	registration = res ? session_registration(session, res) : NULL;
	if (!registration)
		return 0;
	load = find_to_undo(registration->resource, op);
	if (!load)
		return !is_sure;
	load->count -= load->count > 0;
	done = find_done(load, client);
	if (done)
		done->times -= done->times > 0;
	if (!is_sure)
		count_done(load, client, false);
	if (find_to_undo(registration->resource, op)->count)
		return 0;
	return drop_undone(registration->resource, op, client);
}

bool resource_has_undone(const struct resource *resource, uint64_t client)
{
	const struct load *load = resource->loads;

	while (load && !is_undone(load, client))
		load = load->next;
	return load;
}

/* A copy of the first that is not done there; NULL if all are. */
static int copy_undone(struct resource *resource, uint64_t client, struct load **ret_copy)
{
	SCOPED_LOCK(&remote_lock);
	const struct load *load = resource->loads;
	size_t size;

	while (load && !is_undone(load, client))
		load = load->next;
	*ret_copy = NULL;
	if (!load)
		return VACCEL_OK;
	size = sizeof(*load) + load->head_size + load->payload_size;
	*ret_copy = malloc(size);
	if (!*ret_copy)
		return vaccel_fail(VACCEL_ENOMEM, "no memory to do %s again", load->op->name);
	memcpy(*ret_copy, load, size);
	(*ret_copy)->done = NULL;
	return VACCEL_OK;
}

static void note_done(struct resource *resource, const struct load *done, uint64_t client,
		      bool is_sure)
{
	SCOPED_LOCK(&remote_lock);

	for (struct load *load = resource->loads; load; load = load->next)
		if (is_same(load, done))
			count_done(load, client, is_sure);
}

/* Does what is kept; *ret_lost: without an answer. */
static int redo(struct load *load, struct vaccel_resource *res, struct channel *channel,
		int64_t session_id, bool *ret_lost)
{
	const struct codec_hooks hooks = {.context = res, .resource = own_resource};
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
	*ret_lost = ret && request.progress == SENT;
	return ret;
}

/* One thread at a time does them at a client, since the others rely on what is loaded. */
int loads_redo(struct resource *resource, struct channel *channel, int64_t session_id)
{
	struct errand errand = {.client = channel->client};
	int ret;

	if (errand_begin(&resource->loading, &errand, channel->until))
		return vaccel_fail(VACCEL_ETIMEDOUT, "a model could not be loaded anew in time");
	for (;;) {
		_cleanup_(load_deletep) struct load *load = NULL;
		bool lost;

		ret = copy_undone(resource, channel->client, &load);
		if (ret || !load)
			break;
		ret = redo(load, resource->res, channel, session_id, &lost);
		if (!ret || lost)
			note_done(resource, load, channel->client, !ret);
		if (ret)
			break;
	}
	errand_end(&resource->loading, &errand);
	return ret;
}

void loads_sweep(const struct vaccel_op *op, const void *args, size_t left, struct channel *channel,
		 int64_t session_id)
{
	_cleanup_(load_deletep) struct load *unload = load_new(op, args);
	bool lost;

	while (unload && left-- && !redo(unload, resource_of(op, args), channel, session_id, &lost))
		;
}
