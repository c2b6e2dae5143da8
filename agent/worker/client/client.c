// SPDX-License-Identifier: Apache-2.0
/*
 * Clients and their sessions. A session is used by many calls at once and closed
 * by one request: the count of its uses says when nobody is in it any more, and
 * whoever leaves last closes libvaccel's side of it.
 */
#include "agent/worker/client/client.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include <vaccel/error.h>
#include <vaccel/plugin.h>

#include "agent/worker/resource/resource.h"
#include "agent/worker/tend.h"
#include "base/util.h"

#define SESSION_CLOSED 0x80000000u

static void client_delete(struct client *client);

int client_new(struct worker *worker, const char *program, struct client **ret_client)
{
	struct client *client = calloc(1, sizeof(*client));

	if (!client)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a client");
	if (getrandom(client->token, sizeof(client->token), 0) != sizeof(client->token)) {
		free(client);
		return vaccel_fail(VACCEL_EIO, "no random numbers for a token");
	}
	client->worker = worker;
	client->refs = 1;
	snprintf(client->program, sizeof(client->program), "%s", program ? program : "");
	pthread_mutex_init(&client->lock, NULL);
	pthread_mutex_init(&client->upload_lock, NULL);
	SCOPED_LOCK(&worker->lock);
	client->number = ++worker->last_client;
	client->next = worker->clients;
	worker->clients = client;
	*ret_client = client;
	return VACCEL_OK;
}

/* In a time that does not depend on where they differ. */
static bool same_token(const unsigned char *a, const unsigned char *b)
{
	unsigned char differ = 0;

	for (size_t i = 0; i < TOKEN_SIZE; i++)
		differ |= a[i] ^ b[i];
	return !differ;
}

int client_join(struct worker *worker, const unsigned char token[TOKEN_SIZE],
		struct client **ret_client)
{
	struct client *client;

	SCOPED_LOCK(&worker->lock);
	for (client = worker->clients; client; client = client->next)
		if (same_token(client->token, token))
			break;
	if (!client)
		return vaccel_fail(VACCEL_EACCES,
				   "the token is of no client here; connect without one");
	client->refs++;
	*ret_client = client;
	return VACCEL_OK;
}

void client_unref(struct client *client)
{
	struct client **link;

	if (!client)
		return;
	pthread_mutex_lock(&client->worker->lock);
	if (--client->refs) {
		pthread_mutex_unlock(&client->worker->lock);
		return;
	}
	for (link = &client->worker->clients; *link != client; link = &(*link)->next)
		;
	*link = client->next;
	pthread_mutex_unlock(&client->worker->lock);
	client_delete(client);
}

/* Sessions */

static void session_unkeep(struct session *session)
{
	if (atomic_fetch_sub(&session->keeps, 1) == 1)
		free(session);
}

static void close_for_good(struct session *session)
{
	struct worker *worker = session->client->worker;

	tend_begin(worker, VACCEL_OP_SESSION_CLOSE);
	vaccel_session_release(&session->vaccel);
	tend_end(worker);
	meter_give(&worker->sessions, 1);
	atomic_fetch_sub(&worker->stats->sessions, 1);
	session_unkeep(session);
}

void session_leave(struct session *session)
{
	if (atomic_fetch_sub(&session->uses, 1) == (SESSION_CLOSED | 1))
		close_for_good(session);
}

static bool try_use(struct session *session)
{
	uint32_t uses = atomic_load(&session->uses);

	while (!(uses & SESSION_CLOSED))
		if (atomic_compare_exchange_weak(&session->uses, &uses, uses + 1))
			return true;
	return false;
}

/* Takes it out of the table's use. */
static void end_session(struct session *session)
{
	atomic_fetch_or(&session->uses, SESSION_CLOSED);
	session_leave(session);
}

static int too_many(struct worker *worker)
{
	count_refusal(worker, REFUSED_QUOTA);
	return vaccel_fail(VACCEL_EDQUOT, "policy '%s' permits %" PRIu64 " sessions at once",
			   worker->setup.policy.name, worker->sessions.limit);
}

/* By the id that it has in libvaccel's lines of the log, too. */
static int publish(struct client *client, struct session *session, int64_t *ret_id)
{
	int64_t id = session->id = session->vaccel.id;
	int ret;

	SCOPED_LOCK(&client->lock);
	ret = table_add(&client->sessions, id, session);
	if (ret)
		return ret;
	atomic_fetch_add(&client->worker->stats->sessions, 1);
	*ret_id = id;
	return VACCEL_OK;
}

static int open_in(struct client *client, uint32_t hint, int64_t *ret_id)
{
	_cleanup_(freep) struct session *session = calloc(1, sizeof(*session));
	int ret;

	if (!session)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a session");
	session->client = client;
	atomic_init(&session->uses, 1);
	atomic_init(&session->keeps, 1);
	ret = vaccel_session_init(&session->vaccel, hint & ~(uint32_t)VACCEL_PLUGIN_REMOTE);
	if (ret)
		return ret;
	ret = publish(client, session, ret_id);
	if (ret)
		vaccel_session_release(&session->vaccel);
	else
		session = NULL; /* the table's now */
	return ret;
}

int session_open(struct client *client, uint32_t hint, int64_t *ret_id)
{
	struct worker *worker = client->worker;
	int ret;

	if (!meter_take(&worker->sessions, 1))
		return too_many(worker);
	ret = open_in(client, hint, ret_id);
	if (ret)
		meter_give(&worker->sessions, 1);
	return ret;
}

static int no_session(struct client *client, int64_t id)
{
	count_refusal(client->worker, REFUSED_FOREIGN);
	return vaccel_fail(VACCEL_ESESS, "this client has no session %" PRId64 "; open one", id);
}

int session_close(struct client *client, int64_t id)
{
	struct session *session;

	pthread_mutex_lock(&client->lock);
	session = table_remove(&client->sessions, id);
	pthread_mutex_unlock(&client->lock);
	if (!session)
		return no_session(client, id);
	end_session(session);
	return VACCEL_OK;
}

void session_forget(struct session **last)
{
	if (*last)
		session_unkeep(TAKE(*last));
}

int session_use(struct client *client, int64_t id, struct session **last,
		struct session **ret_session)
{
	struct session *session = *last;

	if (likely(session && session->id == id && try_use(session))) {
		*ret_session = session;
		return VACCEL_OK;
	}
	session_forget(last);
	SCOPED_LOCK(&client->lock);
	session = table_find(&client->sessions, id);
	if (!session || !try_use(session))
		return no_session(client, id);
	atomic_fetch_add(&session->keeps, 1);
	*ret_session = *last = session;
	return VACCEL_OK;
}

int session_update(struct client *client, int64_t id, uint32_t hint)
{
	struct session *session, *last = NULL;
	int ret = session_use(client, id, &last, &session);

	if (ret)
		return ret;
	tend_begin(client->worker, VACCEL_OP_SESSION_UPDATE);
	ret = vaccel_session_update(&session->vaccel, hint & ~(uint32_t)VACCEL_PLUGIN_REMOTE);
	tend_end(client->worker);
	session_leave(session);
	session_forget(&last);
	return ret;
}

/* No connection is left, so no call runs and nobody else knows it. */
static void client_delete(struct client *client)
{
	for (size_t i = 0; i < client->sessions.count; i++)
		end_session(client->sessions.rows[i].object);
	table_release(&client->sessions);
	resources_release(client);
	pthread_mutex_destroy(&client->lock);
	pthread_mutex_destroy(&client->upload_lock);
	free(client);
}
