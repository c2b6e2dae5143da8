// SPDX-License-Identifier: Apache-2.0
/*
 * The channels of a server. The one that was used last is taken first, since its
 * memory is warm on both ends, and those that were not needed for a while are closed.
 * A channel whose answer nobody waited for is put aside until that has come.
 */
#include <string.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "remote/server.h"
#include "remote/session.h"

/* A connection that rested for so long may have been closed; asking costs a system call. */
#define FRESH_NS (10 * MILLISECOND)

/* One that nobody needed for so long is closed, unless it is the last. */
#define REST_NS (10 * SECOND)

/* So many answers at most are waited for. */
#define OWING_MAX 64

static void push(struct channels *list, struct channel *channel)
{
	channel->list = list;
	channel->previous = NULL;
	channel->next = list->first;
	if (list->first)
		list->first->previous = channel;
	else
		list->last = channel;
	list->first = channel;
	list->count++;
}

static void unlist(struct channel *channel)
{
	struct channels *list = channel->list;

	if (channel->previous)
		channel->previous->next = channel->next;
	else
		list->first = channel->next;
	if (channel->next)
		channel->next->previous = channel->previous;
	else
		list->last = channel->previous;
	list->count--;
}

static void move(struct channels *list, struct channel *channel)
{
	unlist(channel);
	push(list, channel);
}

static void move_all(struct channels *to, struct channels *from)
{
	while (from->first)
		move(to, from->first);
}

void server_end_client(struct server *server)
{
	if (!server->client)
		return;
	sessions_lose(server->client);
	server->client = 0;
	server->members = 0;
	explicit_bzero(server->token, sizeof(server->token));
	move_all(&server->dead, &server->idle);
	move_all(&server->dead, &server->owing);
}

void server_adopt(struct channel *channel)
{
	push(&channel->server->busy, channel);
}

/* Out of use; with the last one goes the client. */
static void retire(struct channel *channel)
{
	struct server *server = channel->server;

	move(&server->dead, channel);
	if (channel->client == server->client && (channel->leaving || !--server->members))
		server_end_client(server);
}

void server_bury(struct server *server)
{
	struct channel *channel;

	for (;;) {
		pthread_mutex_lock(&remote_lock);
		channel = server->dead.first;
		if (channel)
			unlist(channel);
		pthread_mutex_unlock(&remote_lock);
		if (!channel)
			return;
		channel_delete(channel);
	}
}

static bool owes(const struct channel *channel)
{
	return channel->owed || link_payload_left(channel->link);
}

/* Puts a channel where it belongs now. */
static void put(struct channel *channel)
{
	struct server *server = channel->server;
	struct channel *last;

	channel->session = NULL;
	if (channel->broken || channel->leaving || channel->client != server->client) {
		retire(channel);
		return;
	}
	/* It is there, though it may take no more connections for now. */
	if (link_last_heard(channel->link) > server->lost_at)
		server->lost_at = 0;
	move(owes(channel) ? &server->owing : &server->idle, channel);
	last = server->idle.last;
	if (last && last != server->idle.first &&
	    link_last_heard(last->link) + REST_NS < link_last_heard(channel->link))
		retire(last);
	if (server->owing.count > OWING_MAX)
		retire(server->owing.last);
}

void channel_give(struct channel *channel)
{
	struct server *server = channel->server;
	bool any_dead;

	pthread_mutex_lock(&remote_lock);
	put(channel);
	any_dead = server->dead.first;
	pthread_mutex_unlock(&remote_lock);
	if (any_dead)
		server_bury(server);
}

struct channel *server_take(struct server *server, uint64_t client)
{
	struct channel *channel = server->client == client ? server->idle.first : NULL;

	if (channel)
		move(&server->busy, channel);
	return channel;
}

/* Not all carriers read at once that they have ended: what is not read leaves it stale. */
bool channel_is_fresh(struct channel *channel, int64_t now)
{
	if (now - link_last_heard(channel->link) < FRESH_NS || !link_is_stale(channel->link))
		return true;
	if (channel_catch_up(channel) && !link_is_stale(channel->link))
		return true;
	channel->broken = true;
	channel_give(channel);
	return false;
}

/* Looks whether answers have come that nobody waits for any more. */
static void settle(struct server *server)
{
	struct channel *channel;
	size_t left;

	pthread_mutex_lock(&remote_lock);
	left = server->owing.count;
	pthread_mutex_unlock(&remote_lock);
	while (left--) {
		pthread_mutex_lock(&remote_lock);
		channel = server->owing.last;
		if (channel)
			move(&server->busy, channel);
		pthread_mutex_unlock(&remote_lock);
		if (!channel)
			return;
		channel_settle(channel);
		channel_give(channel);
	}
}

/* A channel that is there already; NULL if none can be used. */
static struct channel *find_free(struct server *server)
{
	struct channel *channel;

	do {
		pthread_mutex_lock(&remote_lock);
		channel = server->client ? server_take(server, server->client) : NULL;
		pthread_mutex_unlock(&remote_lock);
	} while (channel && !channel_is_fresh(channel, time_now()));
	return channel;
}

int server_channel(struct server *server, int64_t until, struct channel **ret_channel)
{
	struct channel *channel = find_free(server);

	if (!channel) {
		settle(server);
		channel = find_free(server);
	}
	if (!channel)
		return server_connect(server, until, ret_channel);
	*ret_channel = channel;
	return VACCEL_OK;
}
