// SPDX-License-Identifier: Apache-2.0
/*
 * How busy servers are, which they tell when they are connected to. Who opens a session
 * asks those that answer; one that is lost is asked aside, so that none waits for it as
 * long as there is another.
 */
#include "base/util.h"
#include "remote/aside.h"
#include "remote/server.h"

/* How busy an agent is may have changed after so long. */
#define LOAD_AGE SECOND

/* One is not waited for longer. */
#define LOAD_PATIENCE SECOND

static bool asks_aside; /* remote_lock: a thread asks lost servers */
static bool is_over;	/* remote_lock: it is to end */

enum need {
	NO_NEED,
	ASK, /* it may have another load by now */
	ASK_ASIDE
};

static enum need need_of(const struct server *server)
{
	SCOPED_LOCK(&remote_lock);
	int64_t now = time_now();

	if (!server->listed || server->retry_at > now)
		return NO_NEED;
	if (server->lost_at)
		return ASK_ASIDE;
	return !server->load_at || now - server->load_at > LOAD_AGE ? ASK : NO_NEED;
}

static bool has_idle(const struct server *server)
{
	SCOPED_LOCK(&remote_lock);

	return server->idle.count;
}

/* It takes a new connection, which is closed again where another one waits for work. */
static void ask(struct server *server, int64_t until)
{
	struct channel *channel;

	if (server_connect(server, MIN_OF(until, time_now() + LOAD_PATIENCE), &channel))
		return;
	channel->broken = has_idle(server);
	channel_give(channel);
}

static void *ask_lost(void *context)
{
	struct server *server = NULL;
	bool ends = false;

	while (!ends && (server = server_next(server))) {
		if (need_of(server) == ASK_ASIDE)
			ask(server, FOREVER);
		SCOPED_LOCK(&remote_lock);
		ends = is_over;
	}
	SCOPED_LOCK(&remote_lock);
	asks_aside = false;
	pthread_cond_broadcast(&remote_changed);
	return NULL;
}

/* Whether there is one to go to meanwhile. */
static bool one_answers(void)
{
	struct server *server = NULL;

	SCOPED_LOCK(&remote_lock);
	while ((server = server_next(server)))
		if (server->listed && server->load_at && !server->lost_at)
			return true;
	return false;
}

static void start_asking_lost(void)
{
	pthread_mutex_lock(&remote_lock);
	if (asks_aside) {
		pthread_mutex_unlock(&remote_lock);
		return;
	}
	asks_aside = true;
	pthread_mutex_unlock(&remote_lock);
	if (run_aside(ask_lost, NULL))
		return;
	SCOPED_LOCK(&remote_lock);
	asks_aside = false;
}

void servers_survey(int64_t until)
{
	struct server *server = server_next(NULL);
	bool any_lost = false;

	if (!server || !server_next(server))
		return;
	for (; server; server = server_next(server)) {
		enum need need = need_of(server);

		any_lost |= need == ASK_ASIDE;
		if (need == ASK)
			ask(server, half_of(until));
	}
	if (any_lost && one_answers())
		start_asking_lost();
}

void survey_end(void)
{
	SCOPED_LOCK(&remote_lock);

	is_over = true;
	while (asks_aside)
		remote_wait(FOREVER);
	is_over = false;
}

void survey_forget(void)
{
	asks_aside = false;
}
