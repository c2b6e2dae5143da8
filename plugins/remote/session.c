// SPDX-License-Identifier: Apache-2.0
/*
 * The list of sessions, what is registered with each, and the hooks by which the
 * library tells of them. A hook brings the session in place and does one thing
 * more; one that ends something tells the agent if that can be reached at once,
 * and leaves the rest to the end of the connections.
 */
#include "remote/session.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <vaccel/error.h>
#include <vaccel/log.h>
#include <vaccel/plugin.h>

#include "base/util.h"
#include "remote/settings.h"
#include "transport/control.h"

static struct session *sessions; /* remote_lock */

/* Lists; remote_lock is held */

struct registration *session_registration(const struct session *session,
					  const struct vaccel_resource *res)
{
	struct registration *registration = session->registrations;

	while (registration && registration->resource->res != res)
		registration = registration->next;
	return registration;
}

struct registration *session_take_out(struct session *session, const struct resource *resource)
{
	struct registration **link = &session->registrations;
	struct registration *registration;

	while (*link && (*link)->resource != resource)
		link = &(*link)->next;
	registration = *link;
	if (registration)
		*link = registration->next;
	return registration;
}

bool session_is_in_place(const struct session *session)
{
	const struct registration *registration = session->registrations;

	if (!session->client || session->client != session->server->client)
		return false;
	for (; registration; registration = registration->next)
		if (has_other_type(registration))
			return false;
	return true;
}

void session_leave(struct session *session)
{
	if (session->opened)
		session->server->sessions--;
	session->opened = 0;
	session->client = 0;
}

void sessions_lose(uint64_t client)
{
	for (struct session *session = sessions; session; session = session->next) {
		struct registration *registration = session->registrations;

		for (; registration; registration = registration->next) {
			if (!is_placed(registration, client))
				continue;
			registration->lost |= registration->copy->changed;
			registration->copy = NULL;
		}
		if (session->opened == client)
			session_leave(session);
	}
	resources_lose(client);
}

void sessions_drop_resource(const struct resource *resource)
{
	for (struct session *session = sessions; session; session = session->next)
		free(session_take_out(session, resource));
}

void sessions_forget(void)
{
	for (struct session *session = sessions; session; session = session->next)
		session->busy = false;
}

/* What calls ask */

/* What is at a client; remote_lock is held. */
static int find_placed(struct session *session, const struct vaccel_resource *res, uint64_t client,
		       struct registration **ret_registration)
{
	struct registration *registration = session ? session_registration(session, res) : NULL;

	if (!registration || !is_placed(registration, client))
		return vaccel_fail(VACCEL_EPERM,
				   "resource %" PRId64 " is not registered with the session",
				   res->id);
	*ret_registration = registration;
	return VACCEL_OK;
}

int session_resource_id(struct session *session, const struct vaccel_resource *res, uint64_t client,
			int64_t *ret_id)
{
	SCOPED_LOCK(&remote_lock);
	struct registration *registration = NULL;
	int ret = find_placed(session, res, client, &registration);

	if (!ret)
		*ret_id = registration->copy->id;
	return ret;
}

bool session_is_at(const struct session *session, uint64_t client)
{
	SCOPED_LOCK(&remote_lock);

	return session->client == client;
}

void session_note_effect(struct session *session)
{
	struct registration *registration;

	SCOPED_LOCK(&remote_lock);
	for (registration = session->registrations; registration; registration = registration->next)
		if (registration->copy && registration->copy->in_memory &&
		    registration->copy->type == VACCEL_RESOURCE_DATA)
			registration->copy->changed = true;
}

/* Hooks */

static void list(struct session *session)
{
	SCOPED_LOCK(&remote_lock);

	session->next = sessions;
	session->link = &sessions;
	if (sessions)
		sessions->link = &session->next;
	sessions = session;
}

/* Takes it out of the list, with all that is registered. Returns the client that has it, or 0. */
static uint64_t unlist(struct session *session)
{
	SCOPED_LOCK(&remote_lock);
	uint64_t client = session->opened;

	*session->link = session->next;
	if (session->next)
		session->next->link = session->link;
	while (session->registrations)
		free(session_take_out(session, session->registrations->resource));
	session_leave(session);
	return client;
}

void session_close(struct vaccel_session *sess, void *slot)
{
	struct session *session = slot;
	struct vaccel_session_close_args args = {.session = session->id};
	uint64_t client = unlist(session);

	if (client)
		server_tell(session->server, client, &vaccel_op_session_close, &args);
	free(session);
}

static int reach(struct session *session, struct channel **ret_channel, int64_t *ret_id)
{
	return session_reach(session, time_about_now(), deadline_from_now(), ret_channel, ret_id);
}

int session_open(struct vaccel_session *sess, void **ret_slot)
{
	struct session *session = calloc(1, sizeof(*session));
	struct channel *channel;
	int64_t id;
	int ret;

	if (!session)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a session");
	session->sess = sess;
	session->hint = sess->hint;
	list(session);
	ret = reach(session, &channel, &id);
	if (ret) {
		session_close(sess, session);
		return ret;
	}
	channel_give(channel);
	*ret_slot = session;
	return VACCEL_OK;
}

int session_update(struct vaccel_session *sess, void *slot, uint32_t hint)
{
	struct session *session = slot;
	struct vaccel_session_update_args args = {.hint = hint & ~(uint32_t)VACCEL_PLUGIN_REMOTE};
	struct request request = {.op = &vaccel_op_session_update, .args = &args, .fd = -1};
	struct channel *channel;
	int ret = reach(session, &channel, &args.session);

	if (ret)
		return ret;
	ret = channel_ask(channel, &request);
	channel_give(channel);
	if (!ret)
		session->hint = hint;
	return ret;
}

/* Adds it to the list, unless it is there. */
static int add(struct session *session, struct resource *resource)
{
	struct registration *fresh = calloc(1, sizeof(*fresh));
	struct registration **link;

	if (!fresh)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a registration");
	fresh->resource = resource;
	SCOPED_LOCK(&remote_lock);
	for (link = &session->registrations; *link; link = &(*link)->next) {
		if ((*link)->resource == resource) {
			free(fresh);
			return VACCEL_OK;
		}
	}
	*link = fresh;
	return VACCEL_OK;
}

/* A registration takes as long as its bytes take to travel, whatever the deadline of a call. */
int session_register(struct vaccel_session *sess, void *slot, struct vaccel_resource *res,
		     void *resource_slot)
{
	struct session *session = slot;
	struct channel *channel;
	int ret = session_begin(session, FOREVER);

	if (ret)
		return ret;
	ret = add(session, resource_slot);
	if (!ret)
		ret = session_place(session, FOREVER, &channel);
	if (!ret)
		channel_give(channel);
	session_end(session);
	return ret;
}

void session_unregister(struct vaccel_session *sess, void *slot, struct vaccel_resource *res,
			void *resource_slot)
{
	struct session *session = slot;
	struct vaccel_resource_unregister_args args = {.session = session->id};
	struct registration *registration;
	uint64_t client = 0;

	pthread_mutex_lock(&remote_lock);
	registration = session_take_out(session, resource_slot);
	if (registration && registration->copy) {
		client = registration->copy->client;
		args.resource = registration->copy->id;
	}
	pthread_mutex_unlock(&remote_lock);
	free(registration);
	if (client)
		server_tell(session->server, client, &vaccel_op_resource_unregister, &args);
}

/* Bytes of a blob on their way back; NULL if it has none in memory only. */
struct returning {
	void *bytes;
	size_t size;
};

/* What is being brought back: into memory of its own, so that nobody waits for the agent with us.
 */
struct bringing {
	struct channel *channel;
	int64_t session;
	int64_t id; /* the resource's, there */
	struct resource *resource;
	struct returning *list; /* by blob */
	size_t nr;
};

static void bringing_release(struct bringing *bringing)
{
	for (size_t i = 0; i < bringing->nr; i++)
		free(bringing->list[i].bytes);
	free(bringing->list);
}

/* With what is there now, so that bytes which the agent leaves out stay as they are. */
static int make_room(struct vaccel_resource *res, void *context)
{
	struct bringing *bringing = context;

	bringing->list = calloc(res->nr_blobs + 1, sizeof(*bringing->list));
	for (; bringing->list && bringing->nr < res->nr_blobs; bringing->nr++) {
		struct returning *returning = &bringing->list[bringing->nr];
		const struct vaccel_blob *blob = res->blobs[bringing->nr];

		if (blob->type != VACCEL_BLOB_BUFFER)
			continue;
		returning->size = blob->size;
		returning->bytes = malloc(blob->size + 1);
		if (!returning->bytes)
			break;
		memcpy(returning->bytes, blob->data, blob->size);
	}
	if (bringing->list && bringing->nr == res->nr_blobs)
		return VACCEL_OK;
	return vaccel_fail(VACCEL_ENOMEM, "no memory to bring back a resource");
}

static int ask_for_all(const struct bringing *bringing)
{
	int ret = VACCEL_OK;

	for (size_t i = 0; !ret && i < bringing->nr; i++) {
		struct vaccel_resource_sync_args args = {
			.resource = bringing->id,
			.session = bringing->session,
			.content = (uint32_t)i,
			.bytes = {bringing->list[i].bytes, bringing->list[i].size},
		};
		struct request request = {.op = &vaccel_op_resource_sync, .args = &args, .fd = -1};

		if (bringing->list[i].bytes)
			ret = channel_ask(bringing->channel, &request);
	}
	return ret;
}

/* What is in memory only stays there, and of its size, as long as its resource. */
static int put_back(struct vaccel_resource *res, void *context)
{
	const struct bringing *bringing = context;

	resource_note_sync(bringing->resource);
	for (size_t i = 0; i < bringing->nr; i++)
		if (bringing->list[i].bytes)
			memcpy(res->blobs[i]->data, bringing->list[i].bytes,
			       bringing->list[i].size);
	return VACCEL_OK;
}

/* Holds the resource. */
static int begin_bringing(struct session *session, const struct vaccel_resource *res,
			  struct bringing *bringing)
{
	SCOPED_LOCK(&remote_lock);
	struct registration *registration = NULL;
	int ret = find_placed(session, res, bringing->channel->client, &registration);

	if (ret)
		return ret;
	bringing->id = registration->copy->id;
	bringing->resource = registration->resource;
	resource_hold(bringing->resource);
	return VACCEL_OK;
}

static int bring_all_back(struct session *session, const struct vaccel_resource *res,
			  struct bringing *bringing)
{
	int64_t until = bringing->channel->until;
	int ret = begin_bringing(session, res, bringing);

	if (ret)
		return ret;
	ret = resource_use(bringing->resource, until, make_room, bringing);
	if (!ret)
		ret = ask_for_all(bringing);
	if (!ret)
		ret = resource_use(bringing->resource, until, put_back, bringing);
	resource_unhold(bringing->resource);
	return ret;
}

static void note_unchanged(struct session *session, const struct vaccel_resource *res)
{
	SCOPED_LOCK(&remote_lock);
	struct registration *registration = session_registration(session, res);

	if (registration && registration->copy)
		registration->copy->changed = false;
}

static int sync_once(struct session *session, struct vaccel_resource *res, int64_t until,
		     bool *ret_again)
{
	_cleanup_(bringing_release) struct bringing bringing = {0};
	int ret = session_reach(session, time_about_now(), until, &bringing.channel,
				&bringing.session);

	*ret_again = false;
	if (ret)
		return ret;
	ret = bring_all_back(session, res, &bringing);
	if (!ret)
		note_unchanged(session, res);
	*ret_again = bringing.channel->broken || !session_is_at(session, bringing.channel->client);
	channel_give(bringing.channel);
	return ret;
}

static struct session *session_of(const struct vaccel_session *sess)
{
	SCOPED_LOCK(&remote_lock);
	struct session *session = sessions;

	while (session && session->sess != sess)
		session = session->next;
	return session;
}

int session_sync(struct vaccel_session *sess, struct vaccel_resource *res)
{
	struct session *session = session_of(sess);
	int64_t until = deadline_from_now();
	bool again = false;
	int ret;

	/* A session that has nothing at an agent has nothing to bring back. */
	if (!session)
		return VACCEL_OK;
	ret = sync_once(session, res, until, &again);
	return ret && again ? sync_once(session, res, until, &again) : ret;
}
