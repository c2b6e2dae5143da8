// SPDX-License-Identifier: Apache-2.0
/*
 * An agent that is silent is asked whether it lives. One that answers may take as
 * long as it likes, since only the program knows how long its calls may take; one
 * that does not is lost. All that an agent can do here is to keep its own caller
 * waiting.
 */
#include "remote/wait.h"

#include <unistd.h>

#include "base/util.h"
#include "remote/server.h"
#include "remote/settings.h"

/* After so many messages that are no answer it is looked whether there is time for more. */
#define ASIDES_MAX 16

struct patience patience = {.ping_after = 5 * SECOND, .lost_after = 10 * SECOND};

static int64_t last_heard(const struct channel *channel, const struct wait *wait)
{
	return MAX_OF(link_last_heard(channel->link), wait->since);
}

/*
 * Whether it has said nothing since it was asked. The clock of what is heard is some
 * milliseconds late, and an answer may come within microseconds: so the times of two
 * messages are compared, not those of a message and of a question.
 */
static bool owes_pong(const struct channel *channel, const struct wait *wait)
{
	return wait->pinged && wait->heard == last_heard(channel, wait);
}

/* When there is something to do, even if nothing comes. */
static int64_t wake_at(const struct channel *channel, const struct wait *wait)
{
	int64_t wake = owes_pong(channel, wait) ? wait->pinged + patience.lost_after
						: last_heard(channel, wait) + patience.ping_after;

	return MIN_OF(wake, wait->until);
}

static int ping(struct channel *channel, struct wait *wait, int64_t now)
{
	struct frame frame = {.kind = FRAME_PING, .request = channel->request};
	int ret;

	wait->pinged = now;
	wait->heard = last_heard(channel, wait);
	ret = link_send(channel->link, &frame, NULL, NULL, -1, wait->until);
	if (ret)
		channel->broken = true;
	return ret;
}

static int check_time(const struct channel *channel, const struct wait *wait, int64_t now)
{
	if (now < wait->until)
		return VACCEL_OK;
	return not_in_time(channel->server->name, "has not answered");
}

/* Nothing has come. VACCEL_OK: wait on. */
static int be_patient(struct channel *channel, struct wait *wait)
{
	int64_t now = time_now();
	int ret = check_time(channel, wait, now);

	if (ret || now < wake_at(channel, wait))
		return ret;
	if (!owes_pong(channel, wait))
		return ping(channel, wait, now);
	channel->broken = true;
	channel->silent = true;
	return vaccel_fail(VACCEL_EREMOTEIO, "%s has not been heard of for %d seconds",
			   channel->server->name, (int)((now - wait->heard) / SECOND));
}

static int is_nonsense(struct channel *channel, const struct message *message)
{
	channel->broken = true;
	return vaccel_fail(VACCEL_EREMOTEIO,
			   "%s has sent a message that nobody asked for, of kind %d",
			   channel->server->name, (int)message->frame.kind);
}

/* What is no answer. */
static int take_aside(struct channel *channel, struct wait *wait, const struct message *message)
{
	struct frame pong = {.kind = FRAME_PONG, .request = message->frame.request};

	if (message->frame.payload_size)
		return is_nonsense(channel, message);
	switch (message->frame.kind) {
	case FRAME_PING:
		if (!link_send(channel->link, &pong, NULL, NULL, -1, wait->until))
			return VACCEL_OK;
		channel->broken = true;
		return VACCEL_EREMOTEIO;
	case FRAME_PONG:
	case FRAME_DOORBELL:
		return VACCEL_OK;
	case FRAME_GOAWAY:
		channel->leaving = true;
		return VACCEL_OK;
	default:
		return is_nonsense(channel, message);
	}
}

int wait_message(struct channel *channel, struct wait *wait, enum frame_kind kind, uint64_t request,
		 struct message *ret_message)
{
	unsigned int asides = 0;
	struct message message;
	int ret;

	for (;;) {
		ret = link_receive(channel->link, wake_at(channel, wait), &message);
		if (ret == VACCEL_EAGAIN) {
			ret = be_patient(channel, wait);
		} else if (ret) {
			channel->broken = true;
			channel->silent = link_is_silent(channel->link);
		} else if (message.fd >= 0) {
			close(message.fd);
			ret = is_nonsense(channel, &message);
		} else if (message.frame.kind == kind && message.frame.request == request) {
			*ret_message = message;
			return VACCEL_OK;
		} else {
			ret = take_aside(channel, wait, &message);
			/* Where there is always one more, it is never waited for. */
			if (!ret && ++asides % ASIDES_MAX == 0)
				ret = check_time(channel, wait, time_now());
		}
		if (ret)
			return ret;
	}
}

int wait_payload(struct channel *channel, struct wait *wait, const struct pieces *payload)
{
	int ret;

	while ((ret = link_receive_payload(channel->link, payload, wake_at(channel, wait)))) {
		if (ret == VACCEL_EAGAIN)
			ret = be_patient(channel, wait);
		else
			channel->broken = true;
		if (ret)
			return ret;
	}
	return VACCEL_OK;
}
