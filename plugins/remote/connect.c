// SPDX-License-Identifier: Apache-2.0
/*
 * Connecting to a server: one thread at a time, so that the first connection has
 * made the client that the next ones join, and so that an agent that comes back is
 * not overrun. A server that cannot be reached is tried again ever more rarely.
 */
#include <stdio.h>
#include <string.h>

#include <vaccel/error.h>
#include <vaccel/log.h>

#include "base/util.h"
#include "remote/server.h"
#include "remote/session.h"
#include "remote/settings.h"
#include "transport/control.h"

#define BACKOFF_LEAST (10 * MILLISECOND)
#define BACKOFF_MOST  SECOND	    /* as long as it is waited for */
#define BACKOFF_GONE  (30 * SECOND) /* afterwards */

/* How long it is waited for an answer that changes nothing. */
#define TELL_NS (3 * SECOND)

/* The number of the last client, of any server. */
static uint64_t last_client; /* remote_lock */

struct attempt {
	struct greeting greeting;
	uint64_t client; /* that is to be joined; or 0 */
	unsigned char token[TOKEN_SIZE];
	struct welcome welcome;
};

/* Waits until nobody else connects. */
static int begin(struct server *server, int64_t until, struct attempt *ret_attempt)
{
	SCOPED_LOCK(&remote_lock);

	while (server->connecting && !remote_wait(until))
		;
	/* An attempt without time would tell nothing of the server. */
	if (server->connecting || time_now() >= until)
		return not_in_time(server->name, "could not be connected to");
	server->connecting = true;
	*ret_attempt = (struct attempt){.greeting.epoch = server->epoch, .client = server->client};
	if (server->client)
		ret_attempt->greeting.token = memcpy(ret_attempt->token, server->token, TOKEN_SIZE);
	return VACCEL_OK;
}

static int try(struct server *server, struct attempt *attempt, int64_t until,
	       struct channel **ret_channel)
{
	int ret = channel_new(server, &attempt->greeting, until, ret_channel, &attempt->welcome);

	/* An agent that ends leaves whom it has not greeted yet to the next one. */
	if (ret == VACCEL_EREMOTEIO)
		ret = channel_new(server, &attempt->greeting, until, ret_channel,
				  &attempt->welcome);
	if (!attempt->client || (ret != VACCEL_EACCES && ret != VACCEL_ESESS))
		return ret;
	/* The client is gone: with the agent, or with the last of its connections. */
	attempt->client = 0;
	attempt->greeting.token = NULL;
	return channel_new(server, &attempt->greeting, until, ret_channel, &attempt->welcome);
}

static void note_epoch(struct server *server, uint64_t epoch, const struct welcome *welcome)
{
	if (server->epoch && server->epoch != epoch) {
		server->ended = server->epoch;
		server->fate = welcome->fate;
		memcpy(server->fate_text, welcome->fate_text, sizeof(server->fate_text));
	}
	server->epoch = epoch;
}

static void admit(struct channel *channel, const struct attempt *attempt)
{
	struct server *server = channel->server;

	note_epoch(server, channel->epoch, &attempt->welcome);
	if (!attempt->client) {
		server_end_client(server);
		server->client = ++last_client;
		memcpy(server->token, attempt->welcome.token, TOKEN_SIZE);
	}
	channel->client = server->client;
	server->members++;
	server_adopt(channel);
	link_is_made(channel->link);
	server->load = attempt->welcome.load;
	server->load_at = channel->since;
	server->lost_at = server->retry_at = server->backoff = 0;
}

static void note_failure(struct server *server)
{
	int64_t now = time_now(), most;

	if (!server->lost_at)
		server->lost_at = now;
	most = now - server->lost_at < SERVER_PATIENCE ? BACKOFF_MOST : BACKOFF_GONE;
	server->backoff = MIN_OF(MAX_OF(2 * server->backoff, BACKOFF_LEAST), most);
	server->retry_at = now + server->backoff;
}

/*
 * False: the client that was joined is given up here by now, though the agent has it as
 * long as this connection lasts.
 */
static bool end(struct server *server, struct channel *channel, const struct attempt *attempt)
{
	SCOPED_LOCK(&remote_lock);

	server->connecting = false;
	pthread_cond_broadcast(&remote_changed);
	if (channel && attempt->client && attempt->client != server->client)
		return false;
	if (channel)
		admit(channel, attempt);
	else
		note_failure(server);
	return true;
}

int server_connect(struct server *server, int64_t until, struct channel **ret_channel)
{
	struct channel *channel = NULL;
	struct attempt attempt = {0};
	bool is_good;
	int ret;

	do {
		channel_delete(TAKE(channel));
		ret = begin(server, until, &attempt);
		if (ret)
			return ret;
		ret = try(server, &attempt, until, &channel);
		is_good = end(server, channel, &attempt);
		explicit_bzero(&attempt, sizeof(attempt));
		server_bury(server);
	} while (!is_good);
	if (ret)
		return ret;
	vaccel_debug("%s: connected", server->name);
	*ret_channel = channel;
	return VACCEL_OK;
}

static bool can_be_told(struct server *server, uint64_t client, int64_t now)
{
	SCOPED_LOCK(&remote_lock);

	return server->client == client && server->deaf_until <= now;
}

void server_tell(struct server *server, uint64_t client, const struct vaccel_op *op, void *args)
{
	struct request request = {.op = op, .args = args, .fd = -1};
	int64_t now = time_now();
	int64_t until = MIN_OF(now + TELL_NS, deadline_from_now());
	struct channel *channel;
	int ret = VACCEL_OK;

	if (!can_be_told(server, client, now) || server_channel(server, until, &channel))
		return;
	channel->until = until;
	if (channel->client == client)
		ret = channel_ask(channel, &request);
	channel_give(channel);
	if (ret != VACCEL_ETIMEDOUT)
		return;
	SCOPED_LOCK(&remote_lock);
	server->deaf_until = time_now() + TELL_NS;
}

int server_fate(struct server *server, uint64_t epoch, int64_t until, bool *ret_reached,
		char *ret_words, size_t room)
{
	struct channel *channel;
	bool known;

	pthread_mutex_lock(&remote_lock);
	known = server->ended == epoch;
	pthread_mutex_unlock(&remote_lock);
	*ret_reached = true;
	if (!known) {
		*ret_reached = !servers_await(server, until, &channel);
		if (*ret_reached)
			channel_give(channel);
	}
	SCOPED_LOCK(&remote_lock);
	snprintf(ret_words, room, "%s", server->fate_text);
	return server->ended == epoch ? server->fate : VACCEL_OK;
}
