// SPDX-License-Identifier: Apache-2.0
/*
 * A connection from its first message to its last, and requests over it. Calls and
 * what two ends say to each other beside them go the same way. The agent is not
 * trusted: replies are limited, its words are made printable, and whatever
 * does not fit the protocol ends the connection.
 */
#include "remote/channel.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "call/call.h"
#include "remote/mailbox.h"
#include "remote/server.h"
#include "remote/session.h"
#include "remote/settings.h"
#include "remote/wait.h"
#include "transport/control.h"
#include "transport/secret.h"

/* Of a reply. What the program has room for is beside that. */
#define HEAD_MAX   (64u << 20)
#define GROWTH_MAX (SIZE_MAX / 4 < UINT32_MAX ? SIZE_MAX / 4 : (size_t)UINT32_MAX)
#define COUNT_MAX  (1u << 24)

/* An agent that loads its plugins first, as it does for a new tenant, is not lost. */
#define WELCOME_NS (30 * SECOND)

/* Of the program's name, for the agent's log; a HELLO has room for little. */
#define PROGRAM_MAX 256

static int resource_id(void *context, struct vaccel_resource *resource, int64_t *ret_id)
{
	struct channel *channel = context;

	return session_resource_id(channel->session, resource, channel->client, ret_id);
}

static bool place(void *context, const void *data, enum vaccel_dir dir, struct payload *payload)
{
	struct channel *channel = context;

	return lender_place(channel->lender, data, dir, payload);
}

static int at(void *context, const struct payload *payload, enum vaccel_dir dir, void **ret_data)
{
	struct channel *channel = context;

	return lender_at(channel->lender, payload, dir, ret_data);
}

static bool place_in_pages(void *context, const void *data, enum vaccel_dir dir,
			   struct payload *payload)
{
	struct channel *channel = context;

	return link_place(channel->link, channel->request + 1, data, dir, payload);
}

static int at_pages(void *context, const struct payload *payload, enum vaccel_dir dir,
		    void **ret_data)
{
	struct channel *channel = context;

	return link_at(channel->link, channel->request, payload, dir, ret_data);
}

/* Sending */

static int send_frame(struct channel *channel, struct frame *frame, const struct encoder *encoder,
		      int fd, int64_t until)
{
	int ret = link_send(channel->link, frame, encoder ? encoder->head : NULL,
			    encoder ? &encoder->payload : NULL, fd, until);

	if (ret)
		channel->broken = true;
	return ret;
}

static int check_size(const struct channel *channel, const struct vaccel_op *op,
		      const struct encoder *encoder)
{
	if (encoder->head_size <= channel->head_max &&
	    encoder->payload.size <= channel->payload_max)
		return VACCEL_OK;
	return vaccel_fail(VACCEL_EDQUOT,
			   "%s: a request of %zu and %" PRIu64 " bytes; %s takes at most %" PRIu64
			   " and %" PRIu64 " bytes",
			   op->name, encoder->head_size, encoder->payload.size,
			   channel->server->name, channel->head_max, channel->payload_max);
}

static int send_request(struct channel *channel, struct coder *coder, struct request *request)
{
	const struct vaccel_op *op = request->op;
	bool hello = op == &vaccel_op_hello;
	struct frame frame = {
		.kind = hello ? FRAME_HELLO : FRAME_CALL,
		.op = hello ? 0 : (uint32_t)op->number,
		.request = ++channel->request,
		.session = request->session,
		.epoch = hello ? 0 : channel->epoch,
		.head_size = coder->encoder.head_size,
		.payload_size = coder->encoder.payload.size,
	};
	int ret = check_size(channel, op, &coder->encoder);

	/* It may have broken while regions were announced. */
	if (!ret && channel->broken)
		ret = vaccel_fail(VACCEL_EREMOTEIO, "the connection to %s is lost",
				  channel->server->name);
	/* Or their time, which is this one's, may be over: one answer at a time is owed. */
	if (!ret && channel->owed)
		ret = not_in_time(channel->server->name, "has not answered");
	if (!ret)
		ret = send_frame(channel, &frame, &coder->encoder, request->fd, channel->until);
	return ret;
}

/* Receiving */

/* What follows the head, into the arguments. */
static int take_payload(struct channel *channel, struct decoder *decoder, struct wait *wait,
			const struct message *message)
{
	int ret = message->frame.payload_size ? wait_payload(channel, wait, &decoder->payload)
					      : VACCEL_OK;

	return ret ? ret : decode_reply_end(decoder);
}

static int fail_as_told(struct channel *channel, struct coder *coder, struct wait *wait,
			struct request *request, const struct message *message)
{
	char words[FRAME_TEXT_MAX + 1] = "";
	int code = message->frame.status;
	int ret = decode_failure(&coder->decoder, request->op, message->head,
				 (size_t)message->frame.head_size,
				 (size_t)message->frame.payload_size, request->args, words);

	if (ret) {
		channel->broken = true;
		return ret;
	}
	request->written = true;
	ret = take_payload(channel, &coder->decoder, wait, message);
	if (ret)
		return ret;
	/* Who has written to arguments has run it: they are no other agent's to read. */
	request->unknown =
		code == VACCEL_ESESS && !message->frame.session && !coder->decoder.has_run;
	if (*words)
		return vaccel_fail(code, "%s", words);
	return vaccel_fail(code, "%s: %s gives no reason: %s", request->op->name,
			   channel->server->name, strerror(code));
}

static int take_reply(struct channel *channel, struct coder *coder, struct wait *wait,
		      struct request *request, const struct message *message)
{
	struct decoder *decoder = &coder->decoder;
	int ret;

	if (message->frame.status)
		return fail_as_told(channel, coder, wait, request, message);
	request->written = true;
	ret = decode_reply(decoder, request->op, message->head, (size_t)message->frame.head_size,
			   (size_t)message->frame.payload_size, request->args);
	if (ret == VACCEL_EREMOTEIO)
		channel->broken = true;
	return ret ? ret : take_payload(channel, decoder, wait, message);
}

/* Nobody waits for the answer any more. It has to be read before the channel is used again. */
static void give_up(struct channel *channel, uint64_t number)
{
	struct frame cancel = {.kind = FRAME_CANCEL, .request = number};

	channel->owed = number;
	send_frame(channel, &cancel, NULL, -1, 0);
}

static int await(struct channel *channel, struct coder *coder, struct request *request)
{
	bool hello = request->op == &vaccel_op_hello;
	/* What it took to send the request is no silence. */
	struct wait wait = {.until = channel->until, .since = time_about_now()};
	uint64_t number = channel->request;
	struct message message;
	int ret;

	if (hello) {
		wait.since += WELCOME_NS;
		wait.until = MIN_OF(wait.until, wait.since);
	}
	ret = wait_message(channel, &wait, hello ? FRAME_WELCOME : FRAME_REPLY, number, &message);
	if (ret == VACCEL_ETIMEDOUT)
		give_up(channel, number);
	if (ret && link_has_declined(channel->link)) {
		/* Nor will it with what is sent on the client's other connections. */
		channel->leaving = true;
		request->progress = NOT_SENT;
	}
	if (ret)
		return ret;
	request->progress = ANSWERED;
	ret = take_reply(channel, coder, &wait, request, &message);
	/* An answer that did not come whole is none. */
	if (ret && (channel->broken || link_payload_left(channel->link)) && request->written)
		request->progress = SENT;
	return ret;
}

static int ask(struct channel *channel, struct coder *coder, struct request *request)
{
	int ret = encode_request(&coder->encoder, request->op, request->args);

	request->progress = NOT_SENT;
	request->unknown = false;
	request->written = false;
	if (!ret)
		ret = send_request(channel, coder, request);
	if (ret)
		return ret;
	request->progress = SENT;
	ret = await(channel, coder, request);
	decoder_clear(&coder->decoder);
	if (ret)
		args_drop_outputs(request->op, request->args);
	return ret;
}

int channel_ask(struct channel *channel, struct request *request)
{
	int ret;

	if (channel->lender)
		lender_begin(channel->lender);
	ret = ask(channel, &channel->coder, request);
	if (channel->lender && request->progress == ANSWERED)
		lender_end(channel->lender);
	return ret;
}

int channel_ask_aside(struct channel *channel, struct request *request)
{
	return ask(channel, &channel->aside, request);
}

bool channel_settle(struct channel *channel)
{
	struct wait wait = {0};
	struct message message;
	int ret = VACCEL_OK;

	if (link_payload_left(channel->link))
		ret = link_skip_payload(channel->link, 0);
	if (!ret && channel->owed) {
		ret = wait_message(channel, &wait, FRAME_REPLY, channel->owed, &message);
		if (!ret)
			channel->owed = 0;
		if (!ret && message.frame.payload_size)
			ret = link_skip_payload(channel->link, 0);
	}
	if (!ret && channel->lender)
		lender_end(channel->lender);
	if (ret && ret != VACCEL_EAGAIN && ret != VACCEL_ETIMEDOUT)
		channel->broken = true;
	return !ret;
}

bool channel_catch_up(struct channel *channel)
{
	struct wait wait = {0};
	struct message message;

	/* No answer is of this kind, so that any answer is nonsense. */
	wait_message(channel, &wait, FRAME_KIND_END, 0, &message);
	return !channel->broken && !channel->leaving;
}

int channel_ping(struct channel *channel, int64_t until, int64_t *ret_time)
{
	struct frame ping = {.kind = FRAME_PING, .request = ++channel->request};
	struct wait wait = {.until = until, .since = time_now()};
	struct message message;
	int ret = send_frame(channel, &ping, NULL, -1, until);

	if (!ret)
		ret = wait_message(channel, &wait, FRAME_PONG, ping.request, &message);
	if (!ret)
		*ret_time = time_now() - wait.since;
	return ret;
}

/* Regions */

int channel_share(struct channel *channel, struct vaccel_region_add_args *add, int fd)
{
	struct vaccel_region_expect_args expect = {0};
	struct request request = {.op = &vaccel_op_region_expect, .args = &expect, .fd = -1};
	int ret = channel_ask_aside(channel, &request);

	if (ret)
		return ret;
	request = (struct request){.op = &vaccel_op_region_add, .args = add, .fd = fd};
	return channel_ask_aside(channel, &request);
}

int channel_unshare(struct channel *channel, uint32_t region)
{
	struct vaccel_region_drop_args drop = {.region = region};
	struct request request = {.op = &vaccel_op_region_drop, .args = &drop, .fd = -1};

	return channel_ask_aside(channel, &request);
}

/* Of a lender: tells the agent of a region, or of its end. */
static int announce(void *context, uint32_t region, uint64_t size, bool read_only, int fd)
{
	struct vaccel_region_add_args add = {
		.region = region, .size = size, .read_only = read_only};

	return fd < 0 ? channel_unshare(context, region) : channel_share(context, &add, fd);
}

/* Beginning */

static int read_bearer(char **ret_bearer)
{
	return settings.token_file ? token_read(settings.token_file, ret_bearer) : VACCEL_OK;
}

static size_t list_ops(struct vaccel_known_op ops[VACCEL_OP_MAX])
{
	const struct vaccel_op *op;
	size_t nr = 0;

	for (; (op = vaccel_op_at(nr)); nr++)
		ops[nr] = (struct vaccel_known_op){(uint32_t)op->number,
						   vaccel_op_hash(op->signature)};
	return nr;
}

/* The operations of which the agent says that both know them, and which we know. */
static void note_common(struct channel *channel, const struct vaccel_hello_args *hello)
{
	for (size_t i = 0; i < hello->common.count; i++) {
		const struct vaccel_known_op *known = &hello->common.data[i];
		const struct vaccel_op *op = vaccel_op_by_number(known->number);

		if (op && vaccel_op_hash(op->signature) == known->hash)
			channel->common[known->number / 64] |= UINT64_C(1) << known->number % 64;
	}
}

static int note_welcome(struct channel *channel, const struct vaccel_hello_args *hello,
			struct welcome *ret_welcome)
{
	if (*hello->agreed != PROTOCOL_VERSION || !*hello->now ||
	    hello->client.count != sizeof(ret_welcome->token))
		return vaccel_fail(VACCEL_EREMOTEIO, "%s: the agent's greeting makes no sense",
				   channel->server->name);
	channel->epoch = *hello->now;
	note_common(channel, hello);
	ret_welcome->protocol = *hello->agreed;
	ret_welcome->load = *hello->load;
	ret_welcome->fate = status_from_wire(*hello->fate);
	memcpy(ret_welcome->token, hello->client.data, sizeof(ret_welcome->token));
	snprintf(ret_welcome->fate_text, sizeof(ret_welcome->fate_text), "%s",
		 hello->fate_text.data ? hello->fate_text.data : "");
	return VACCEL_OK;
}

/* Memory that both ends share, where the carrier can. Without it all goes by the socket. */
static int share_memory(struct channel *channel, uint64_t region_max, uint32_t spin_us)
{
	int ret;

	if (link_abilities(channel->link) & LINK_PAGES) {
		channel->hooks.place = place_in_pages;
		channel->hooks.at = at_pages;
	}
	if (!(link_abilities(channel->link) & LINK_REGIONS) || !region_max)
		return VACCEL_OK;
	ret = lender_new(region_max, announce, channel, &channel->lender);
	if (ret)
		return ret;
	channel->hooks.place = place;
	channel->hooks.at = at;
	return settings.spin_us && spin_us ? mailbox_open(channel) : VACCEL_OK;
}

/* Which of several agents it is about, where that is not said yet. */
static int in_words(const struct channel *channel, int ret)
{
	const char *name = channel->server->name;
	bool hung_up = ret == VACCEL_EREMOTEIO && channel->broken;
	char why[512];

	snprintf(why, sizeof(why), "%s", vaccel_error_text());
	if (strstr(why, name))
		return ret;
	return vaccel_fail(ret, "%s: %s%s", name, why,
			   hung_up ? "; the agent's log tells more" : "");
}

static int greet(struct channel *channel, const struct greeting *greeting,
		 struct welcome *ret_welcome)
{
	static const struct frame_limits limits = {.head = HEAD_MAX, .payload = PTRDIFF_MAX};
	_cleanup_(secret_freep) char *bearer = NULL;
	char program[PROGRAM_MAX];
	struct vaccel_known_op ops[VACCEL_OP_MAX];
	uint32_t agreed = 0, spin_us = 0, load = 0, fate = 0;
	uint64_t now = 0, region_max = 0;
	struct vaccel_hello_args hello = {
		.version = PROTOCOL_VERSION,
		.program = program,
		.token = {greeting->token, greeting->token ? TOKEN_SIZE : 0},
		.epoch = greeting->epoch,
		.ops = {ops, list_ops(ops)},
		.agreed = &agreed,
		.now = &now,
		.head_max = &channel->head_max,
		.payload_max = &channel->payload_max,
		.region_max = &region_max,
		.spin_us = &spin_us,
		.load = &load,
		.fate = &fate,
	};
	struct request request = {.op = &vaccel_op_hello, .args = &hello, .fd = -1};
	int ret = read_bearer(&bearer);

	if (ret)
		return ret;
	snprintf(program, sizeof(program), "%s", program_invocation_short_name);
	hello.bearer = bearer;
	ret = channel_ask(channel, &request);
	if (ret)
		return ret;
	ret = note_welcome(channel, &hello, ret_welcome);
	args_drop_outputs(request.op, &hello);
	if (ret)
		return ret;
	link_set_limits(channel->link, &limits);
	return share_memory(channel, region_max, spin_us);
}

static void coder_begin(struct coder *coder, const struct codec_hooks *hooks)
{
	coder->encoder.hooks = hooks;
	coder->decoder.hooks = hooks;
	coder->decoder.limits = (struct codec_limits){GROWTH_MAX, COUNT_MAX};
}

static void channel_deletep(struct channel **channel)
{
	channel_delete(*channel);
}

int channel_new(struct server *server, const struct greeting *greeting, int64_t until,
		struct channel **ret_channel, struct welcome *ret_welcome)
{
	_cleanup_(channel_deletep) struct channel *channel = calloc(1, sizeof(*channel));
	int ret;

	if (!channel)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a connection");
	channel->server = server;
	channel->since = time_now();
	channel->until = until;
	channel->head_max = channel->payload_max = UINT64_MAX;
	channel->hooks = (struct codec_hooks){.context = channel, .resource_id = resource_id};
	coder_begin(&channel->coder, &channel->hooks);
	coder_begin(&channel->aside, NULL);
	ret = link_connect(&server->address, servers_tls(), until, &channel->link);
	if (!ret)
		ret = greet(channel, greeting, ret_welcome);
	if (ret)
		return in_words(channel, ret);
	*ret_channel = TAKE(channel);
	return VACCEL_OK;
}

void channel_delete(struct channel *channel)
{
	if (!channel)
		return;
	encoder_release(&channel->coder.encoder);
	decoder_release(&channel->coder.decoder);
	encoder_release(&channel->aside.encoder);
	decoder_release(&channel->aside.decoder);
	link_delete(channel->link);
	lender_delete(channel->lender);
	mailbox_close(channel);
	free(channel);
}
