// SPDX-License-Identifier: Apache-2.0
/*
 * One call, and what becomes of it if the connection is lost. What the agent never
 * had is sent again. What it may have run is repeated once at most, and only if
 * it may run twice and nothing that it reads has been overwritten by an answer; and
 * never if it may be what ended the agent's worker. What was to be unloaded is.
 */
#include "remote/call.h"

#include <inttypes.h>
#include <stdio.h>

#include <vaccel/error.h>
#include <vaccel/version.h>

#include "base/util.h"
#include "remote/settings.h"

/* Connections that may break before one takes the request. */
#define SENDS_MAX 4

struct call {
	struct session *session;
	const struct vaccel_op *op;
	void *args;
	int64_t until;
	int sends;     /* that failed */
	bool repeated; /* it was sent before, and may have run */
	bool anew;     /* the agent did not know the session, which has been made anew since */
	bool again;    /* it is to be sent once more; agents choose codes, so that none says it */
	size_t left;   /* loads that may be at the agent still, after an UNLOAD that is done */
};

static int fail_unknown(const struct channel *channel, const struct vaccel_op *op)
{
	return vaccel_fail(
		VACCEL_ENOTSUP,
		"%s: %s does not know this operation, or means something else by it than "
		"vaccel " VACCEL_VERSION " (hash %016" PRIx64
		"); install the same version at both ends",
		op->name, channel->server->name, vaccel_op_hash(op->signature));
}

static bool has_inout(const struct vaccel_op *op)
{
	for (size_t i = 0; i < op->nr_fields; i++)
		if (op->fields[i].dir == VACCEL_DIR_INOUT)
			return true;
	return false;
}

static bool may_repeat(const struct call *call, const struct request *request)
{
	return !call->repeated && call->op->repeat != VACCEL_REPEAT_EFFECT &&
	       !(request->written && has_inout(call->op));
}

static bool is_alive(const struct server *server, uint64_t client)
{
	SCOPED_LOCK(&remote_lock);

	return server->client == client;
}

/* Whether a LOAD or an UNLOAD has run makes a difference only where the client lives on. */
static void note_doubt(struct call *call, const struct server *server, uint64_t client)
{
	bool lives = is_alive(server, client);

	if (call->op->repeat == VACCEL_REPEAT_LOAD && lives)
		load_note(call->session, call->op, call->args, client, false);
	if (call->op->repeat == VACCEL_REPEAT_UNLOAD)
		call->left = load_forget(call->session, call->op, call->args, client, !lives);
}

/* The connection is gone, and whether the call ran is not known. The channel is given back. */
static int be_lost(struct call *call, const struct request *request, struct channel *channel)
{
	struct server *server = channel->server;
	uint64_t client = channel->client, epoch = channel->epoch;
	char why[256], words[256];
	bool reached, silent = channel->silent;
	int fate = VACCEL_OK;

	snprintf(why, sizeof(why), "%s", vaccel_error_text());
	channel_give(channel);
	/* Who is silent does not say what became of the call either. */
	if (!silent)
		fate = server_fate(server, epoch, call->until, &reached, words, sizeof(words));
	if (fate)
		return vaccel_fail(fate, "%s",
				   *words ? words : "the agent's worker ended in the middle of it");
	note_doubt(call, server, client);
	if (!may_repeat(call, request))
		return vaccel_fail(VACCEL_EREMOTEIO,
				   "%s: lost the agent in the middle of it (%s); whether it ran is "
				   "not known",
				   call->op->name, why);
	call->repeated = true;
	call->again = call->op->repeat != VACCEL_REPEAT_UNLOAD;
	return VACCEL_OK;
}

/* Whether that may be why the agent did not have the call: its ids were not to be found either. */
static bool is_gone(const struct call *call, const struct channel *channel)
{
	return channel->broken || !session_is_at(call->session, channel->client);
}

/* After a failure, which is the call's unless it is to be sent again. The channel is given back. */
static int judge(struct call *call, const struct request *request, struct channel *channel, int ret)
{
	bool late = ret == VACCEL_ETIMEDOUT;

	if (request->progress == SENT && channel->broken && !late)
		return be_lost(call, request, channel);
	if (request->unknown && !call->anew) {
		/* Nothing is known there of what was open, and it has not run. */
		call->anew = true;
		call->again = true;
		channel->leaving = true;
	} else if (request->progress == NOT_SENT && !late && is_gone(call, channel)) {
		call->again = ++call->sends < SENDS_MAX;
	}
	channel_give(channel);
	return ret;
}

/* What the rest of the session has to know of a call that the agent has had. */
static void note(struct call *call, const struct request *request, uint64_t client, int ret)
{
	enum vaccel_repeat repeat = call->op->repeat;

	if (repeat == VACCEL_REPEAT_EFFECT && request->progress != NOT_SENT && !request->unknown)
		session_note_effect(call->session);
	else if (repeat == VACCEL_REPEAT_LOAD && !ret)
		load_note(call->session, call->op, call->args, client, true);
	else if (repeat == VACCEL_REPEAT_UNLOAD && !ret)
		call->left = load_forget(call->session, call->op, call->args, client, true);
}

static int try(struct call *call, int64_t now)
{
	struct request request = {.op = call->op, .args = call->args, .fd = -1};
	struct channel *channel;
	uint64_t client;
	int ret = session_reach(call->session, now, call->until, &channel, &request.session);

	if (ret)
		return ret;
	if (unlikely(!channel_knows(channel, call->op))) {
		ret = fail_unknown(channel, call->op);
		channel_give(channel);
		return ret;
	}
	client = channel->client;
	ret = channel_ask(channel, &request);
	if (call->op->repeat != VACCEL_REPEAT_PURE)
		note(call, &request, client, ret);
	if (unlikely(ret))
		return judge(call, &request, channel, ret);
	channel_give(channel);
	return VACCEL_OK;
}

/* What the agent answers is all the same. */
static int sweep(const struct call *call)
{
	struct channel *channel;
	int64_t id;
	int ret = session_reach(call->session, time_about_now(), call->until, &channel, &id);

	if (ret)
		return ret;
	loads_sweep(call->op, call->args, call->left, channel, id);
	channel_give(channel);
	return VACCEL_OK;
}

int call_run(struct session *session, const struct vaccel_op *op, void *args)
{
	struct call call = {
		.session = session, .op = op, .args = args, .until = deadline_from_now()};
	int ret;

	do {
		call.again = false;
		ret = try(&call, time_about_now());
	} while (unlikely(call.again));
	if (unlikely(call.left)) {
		int swept = sweep(&call);

		/* An UNLOAD that was answered is done, even if more may be left. */
		if (call.repeated)
			ret = swept;
	}
	return ret;
}
