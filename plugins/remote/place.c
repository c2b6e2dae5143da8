// SPDX-License-Identifier: Apache-2.0
/*
 * A session is *in place* when its server's present client has it with all that is
 * registered. A call finds that out with one look; where it is not, one thread at
 * a time brings it there. What is interrupted is taken up by the next attempt: each
 * step sees for itself whether it has been done.
 */
#include <inttypes.h>
#include <stdlib.h>

#include <vaccel/error.h>
#include <vaccel/plugin.h>

#include "base/util.h"
#include "remote/session.h"
#include "transport/control.h"

/* So often it is begun anew after a connection was lost in the middle of it. */
#define TRIES 4

int session_begin(struct session *session, int64_t until)
{
	SCOPED_LOCK(&remote_lock);

	while (session->busy)
		if (remote_wait(until))
			return vaccel_fail(VACCEL_ETIMEDOUT,
					   "the session could not be made anew in time");
	session->busy = true;
	return VACCEL_OK;
}

void session_end(struct session *session)
{
	SCOPED_LOCK(&remote_lock);

	session->busy = false;
	pthread_cond_broadcast(&remote_changed);
}

static int ask(struct channel *channel, const struct vaccel_op *op, void *args)
{
	struct request request = {.op = op, .args = args, .fd = -1};

	return channel_ask(channel, &request);
}

/* Says once what cannot be made anew. */
static int check_losses(struct session *session)
{
	struct registration *registration;
	vaccel_id_t lost = 0;

	SCOPED_LOCK(&remote_lock);
	for (registration = session->registrations; registration;
	     registration = registration->next) {
		if (registration->lost)
			lost = registration->resource->res->id;
		registration->lost = false;
	}
	if (!lost)
		return VACCEL_OK;
	return vaccel_fail(
		VACCEL_ESESS,
		"the agent is gone, and with it what operations have changed in resource "
		"%" PRId64 " since its last sync; what comes next finds it as it is here",
		lost);
}

/* The session is somewhere else now, without anything. */
static void note_opened(struct session *session, const struct channel *channel, int64_t id)
{
	struct registration *registration;

	SCOPED_LOCK(&remote_lock);
	session_leave(session);
	session->server = channel->server;
	session->server->sessions++;
	session->opened = channel->client;
	session->id = id;
	for (registration = session->registrations; registration;
	     registration = registration->next) {
		if (registration->copy)
			registration->lost |= registration->copy->changed;
		registration->copy = NULL;
	}
}

static int open_there(struct session *session, struct channel *channel)
{
	int64_t id;
	struct vaccel_session_open_args args = {
		.hint = session->hint & ~(uint32_t)VACCEL_PLUGIN_REMOTE, .session = &id};
	int ret;

	if (session->opened == channel->client)
		return VACCEL_OK;
	ret = ask(channel, &vaccel_op_session_open, &args);
	if (!ret)
		note_opened(session, channel, id);
	return ret;
}

/* The first resource that is not registered there yet, held; or NULL. */
static struct resource *next_missing(struct session *session, uint64_t client)
{
	struct registration *registration;

	SCOPED_LOCK(&remote_lock);
	for (registration = session->registrations; registration;
	     registration = registration->next) {
		if (is_placed(registration, client))
			continue;
		resource_hold(registration->resource);
		return registration->resource;
	}
	return NULL;
}

/* The agent has it now. Another thread may have unregistered the resource since. */
static int note_registered(struct session *session, struct channel *channel,
			   struct resource *resource, int64_t id)
{
	SCOPED_LOCK(&remote_lock);
	struct registration *registration = session_registration(session, resource->res);
	struct copy *copy = id ? resource_copy(resource, channel->client, id) : NULL;

	if (!id) {
		/* It is being released. */
		free(session_take_out(session, resource));
		return VACCEL_OK;
	}
	if (!copy) {
		channel->broken = true;
		return vaccel_fail(VACCEL_EREMOTEIO, "the connections to %s were lost",
				   channel->server->name);
	}
	if (registration)
		registration->copy = copy;
	resource->res->remote_id = id;
	return VACCEL_OK;
}

static int register_there(struct session *session, struct channel *channel,
			  struct resource *resource)
{
	struct vaccel_resource_register_args args = {.session = session->id};
	int ret = resource_bring(resource, channel, &args.resource);

	if (!ret && args.resource)
		ret = ask(channel, &vaccel_op_resource_register, &args);
	if (!ret)
		ret = note_registered(session, channel, resource, args.resource);
	return ret;
}

static int register_all(struct session *session, struct channel *channel)
{
	struct resource *resource;
	int ret = VACCEL_OK;

	while (!ret && (resource = next_missing(session, channel->client))) {
		ret = register_there(session, channel, resource);
		resource_unhold(resource);
	}
	return ret;
}

/* A resource whose type is another one than the agent knows. */
static bool next_retyped(struct session *session, struct vaccel_resource_retype_args *ret_args)
{
	struct registration *registration;

	SCOPED_LOCK(&remote_lock);
	for (registration = session->registrations; registration;
	     registration = registration->next) {
		if (!has_other_type(registration))
			continue;
		ret_args->resource = registration->copy->id;
		ret_args->type = registration->resource->res->type;
		return true;
	}
	return false;
}

static void note_type(struct session *session, const struct vaccel_resource_retype_args *args)
{
	struct registration *registration;

	SCOPED_LOCK(&remote_lock);
	for (registration = session->registrations; registration; registration = registration->next)
		if (registration->copy && registration->copy->id == args->resource)
			registration->copy->type = (vaccel_resource_type_t)args->type;
}

static int retype_all(struct session *session, struct channel *channel)
{
	struct vaccel_resource_retype_args args;
	int ret = VACCEL_OK;

	while (!ret && next_retyped(session, &args)) {
		ret = ask(channel, &vaccel_op_resource_retype, &args);
		if (!ret)
			note_type(session, &args);
	}
	return ret;
}

/* The first resource that something had loaded, and is not loaded there, held; or NULL. */
static struct resource *next_unloaded(struct session *session, uint64_t client)
{
	struct registration *registration;

	SCOPED_LOCK(&remote_lock);
	for (registration = session->registrations; registration;
	     registration = registration->next) {
		if (!resource_has_undone(registration->resource, client))
			continue;
		resource_hold(registration->resource);
		return registration->resource;
	}
	return NULL;
}

static int load_all(struct session *session, struct channel *channel)
{
	struct resource *resource;
	int ret = VACCEL_OK;

	while (!ret && (resource = next_unloaded(session, channel->client))) {
		ret = loads_redo(resource, channel, session->id);
		resource_unhold(resource);
	}
	return ret;
}

static void note_place(struct session *session)
{
	SCOPED_LOCK(&remote_lock);

	session->client = session->opened;
	session->sess->remote_id = session->id;
}

static int bring(struct session *session, struct channel *channel)
{
	int ret = open_there(session, channel);

	if (!ret)
		ret = check_losses(session);
	if (!ret)
		ret = register_all(session, channel);
	if (!ret)
		ret = retype_all(session, channel);
	if (!ret)
		ret = load_all(session, channel);
	if (!ret)
		note_place(session);
	return ret;
}

int session_place(struct session *session, int64_t until, struct channel **ret_channel)
{
	struct channel *channel;
	int ret;

	for (int i = 0; i < TRIES; i++) {
		bool broken;

		ret = servers_reach(session->server, until, &channel);
		if (ret)
			return ret;
		channel->until = until;
		channel->session = session;
		ret = bring(session, channel);
		if (!ret) {
			*ret_channel = channel;
			return VACCEL_OK;
		}
		broken = channel->broken;
		channel_give(channel);
		if (!broken)
			return ret;
	}
	return ret;
}

/* A channel that can be used at once; NULL if there is none, and whether the session is in place.
 */
static struct channel *take(struct session *session, bool *ret_in_place, int64_t *ret_id)
{
	SCOPED_LOCK(&remote_lock);

	*ret_in_place = session_is_in_place(session);
	*ret_id = session->id;
	return *ret_in_place ? server_take(session->server, session->client) : NULL;
}

/* Another channel to where it is by then. */
static struct channel *connect(struct session *session, int64_t until, int64_t *ret_id)
{
	struct channel *channel;
	bool is_there;

	if (servers_extend(session->server, until, &channel))
		return NULL;
	pthread_mutex_lock(&remote_lock);
	is_there = session->client == channel->client;
	*ret_id = session->id;
	pthread_mutex_unlock(&remote_lock);
	if (is_there)
		return channel;
	channel_give(channel);
	return NULL;
}

/* Takes what there is, as far as it is still good. */
static struct channel *find(struct session *session, int64_t now, int64_t until, int64_t *ret_id)
{
	struct channel *channel;
	bool in_place;

	do {
		channel = take(session, &in_place, ret_id);
	} while (channel && !channel_is_fresh(channel, now));
	return channel || !in_place ? channel : connect(session, until, ret_id);
}

int session_reach(struct session *session, int64_t now, int64_t until, struct channel **ret_channel,
		  int64_t *ret_id)
{
	struct channel *channel = find(session, now, until, ret_id);
	int ret;

	if (!channel) {
		ret = session_begin(session, until);
		if (ret)
			return ret;
		ret = session_place(session, until, &channel);
		*ret_id = session->id;
		session_end(session);
		if (ret)
			return ret;
	}
	channel->until = until;
	channel->session = session;
	*ret_channel = channel;
	return VACCEL_OK;
}
