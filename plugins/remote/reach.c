// SPDX-License-Identifier: Apache-2.0
/*
 * Which server is asked. One that a session has been at comes first, then the
 * others, least loaded first; one that failed is passed over for a while if there
 * are others. An agent that has been there and is gone is waited for, since it may
 * be about to start anew.
 */
#include <time.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "remote/server.h"
#include "remote/settings.h"

/* What a name stands for may have changed after so long. */
#define NAMES_AGE	  (30 * SECOND)
#define NAMES_AGE_IN_NEED SECOND

/* And after so long those that were given a part of the time get one of what is left. */
#define NEXT_ROUND (10 * MILLISECOND)

/* Which servers have been tried in this round, by their places in the list. */
typedef uint64_t server_set;

/* Whether others come first; remote_lock is held. */
static bool rests_for_others(const struct server *server, int64_t now)
{
	return server->lost_at || server->retry_at > now;
}

/* Whether @a is to be asked rather than @b; remote_lock is held. */
static bool is_better(const struct server *a, const struct server *b, int64_t now)
{
	bool a_rests = rests_for_others(a, now), b_rests = rests_for_others(b, now);

	if (a_rests || b_rests)
		return a_rests == b_rests ? a->retry_at < b->retry_at : b_rests;
	if (a->load != b->load)
		return a->load < b->load;
	return a->sessions + a->busy.count < b->sessions + b->busy.count;
}

/* The best one that has not been tried. */
static struct server *choose(const struct server *preferred, server_set *tried)
{
	struct server *server = NULL, *best = NULL;
	unsigned int place = 0, best_place = 0;
	int64_t now = time_now();

	SCOPED_LOCK(&remote_lock);
	for (; (server = server_next(server)); place++) {
		if (*tried >> place & 1 || (!server->listed && server != preferred))
			continue;
		if (server == preferred && !rests_for_others(server, now)) {
			best = server;
			best_place = place;
			break;
		}
		if (!best || is_better(server, best, now)) {
			best = server;
			best_place = place;
		}
	}
	if (best)
		*tried |= UINT64_C(1) << best_place;
	return best;
}

/* Whether one that has not been tried is left. */
static bool has_more(server_set tried)
{
	struct server *server = NULL;

	SCOPED_LOCK(&remote_lock);
	for (unsigned int place = 0; (server = server_next(server)); place++)
		if (server->listed && !(tried >> place & 1))
			return true;
	return false;
}

int64_t half_of(int64_t until)
{
	int64_t now = time_now();

	return until == FOREVER ? FOREVER : now + (until - now) / 2;
}

/* Where a server cannot be reached, its name may stand for another one by now. */
static int64_t names_age(void)
{
	struct server *server = NULL;

	SCOPED_LOCK(&remote_lock);
	while ((server = server_next(server)))
		if (server->listed && server->lost_at)
			return NAMES_AGE_IN_NEED;
	return NAMES_AGE;
}

/*
 * Only one that has been there. One that others still hear of is as if it were lost just now. One
 * without a backoff has been reached by another thread since it failed.
 */
static bool is_waited_for(const struct server *server, int64_t failed_at, int64_t now)
{
	int64_t lost_at = server->lost_at ? MIN_OF(server->lost_at, failed_at) : failed_at;

	if (!server->backoff)
		return server->client && server->listed;
	return server->epoch && now < lost_at + SERVER_PATIENCE;
}

/* When what failed, first at @failed_at, is to be tried again; FOREVER: not at all. */
static int64_t retry_at(const struct server *only, int64_t failed_at)
{
	int64_t when = FOREVER, now = time_now();

	SCOPED_LOCK(&remote_lock);
	for (struct server *server = server_next(NULL); server; server = server_next(server))
		if ((!only || server == only) && is_waited_for(server, failed_at, now))
			when = MIN_OF(when, MAX_OF(server->retry_at, now));
	return when;
}

static void sleep_until(int64_t when)
{
	struct timespec time = timespec_of(when);

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

static int fail_in_time(const struct server *server)
{
	SCOPED_LOCK(&remote_lock);

	return not_in_time(server->name, "could not be reached");
}

/* Tries each server once, as far as there is time; whether one might have answered in all of it. */
static int try_all(struct server *preferred, int64_t until, struct channel **ret_channel,
		   bool *ret_cut_short)
{
	struct server *server;
	server_set tried = 0;
	int64_t share;
	int ret = VACCEL_OK;

	*ret_cut_short = false;
	while ((server = choose(preferred, &tried))) {
		if (time_now() >= until)
			return ret ? ret : fail_in_time(server);
		share = has_more(tried) ? half_of(until) : until;
		ret = server_channel(server, share, ret_channel);
		if (!ret)
			return ret;
		*ret_cut_short |= share < until && time_now() >= share;
	}
	return ret ? ret : vaccel_fail(VACCEL_ENOENT, "the addresses of agents lead nowhere");
}

/*
 * Waits until it is time to try again, or names stand for something else, for which those that none
 * is waited for get one chance. False: there is nothing to wait for.
 */
static bool await_chance(int64_t when, int64_t until, bool *has_waited)
{
	if (when < until) {
		if (!names_await(when))
			sleep_until(when);
		return true;
	}
	if (*has_waited)
		return false;
	*has_waited = true;
	return names_await(until);
}

int servers_reach(struct server *preferred, int64_t until, struct channel **ret_channel)
{
	int64_t when, failed_at = 0;
	bool cut_short, has_waited = false;
	int ret = servers_resolve(names_age(), until);

	if (ret)
		return ret;
	if (!preferred)
		servers_survey(until);
	while ((ret = try_all(preferred, until, ret_channel, &cut_short))) {
		failed_at = failed_at ? failed_at : time_now();
		when = retry_at(NULL, failed_at);
		if (cut_short)
			when = MIN_OF(when, time_now() + NEXT_ROUND);
		if (!await_chance(when, until, &has_waited))
			return ret;
		servers_resolve(NAMES_AGE_IN_NEED, until);
	}
	return VACCEL_OK;
}

static bool is_only(const struct server *server)
{
	return server == server_next(NULL) && !server_next(server);
}

static bool rests(const struct server *server)
{
	SCOPED_LOCK(&remote_lock);

	return server->retry_at > time_now();
}

int servers_extend(struct server *server, int64_t until, struct channel **ret_channel)
{
	if (!is_only(server))
		until = rests(server) ? 0 : half_of(until);
	return server_channel(server, until, ret_channel);
}

int servers_await(struct server *server, int64_t until, struct channel **ret_channel)
{
	int64_t when, failed_at = 0;
	int ret;

	while ((ret = server_connect(server, is_only(server) ? until : half_of(until),
				     ret_channel))) {
		failed_at = failed_at ? failed_at : time_now();
		when = is_only(server) ? retry_at(server, failed_at) : FOREVER;
		if (when >= until)
			return ret;
		sleep_until(when);
		servers_resolve(NAMES_AGE_IN_NEED, until);
	}
	return VACCEL_OK;
}
