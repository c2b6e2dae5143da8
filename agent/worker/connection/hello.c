// SPDX-License-Identifier: Apache-2.0
/*
 * The first message of a connection: who the client is, and what both ends know.
 * Nothing is answered before the listener's token was shown, if it has one.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <vaccel/error.h>
#include <vaccel/op.h>

#include "agent/worker/client/client.h"
#include "agent/worker/connection/connection.h"
#include "agent/worker/connection/mailbox.h"
#include "base/util.h"
#include "call/call.h"
#include "transport/secret.h"

#define HELLO_MEMORY (256 << 10)
#define HELLO_OPS    512
#define HEAD_MAX     (UINT64_C(8) << 20)

static int check_bearer(const struct connection *connection, const char *bearer)
{
	const struct listener_setup *listener = connection->listener;

	if (!listener || token_matches(listener->token, bearer))
		return VACCEL_OK;
	count_refusal(connection->worker, REFUSED_AUTH);
	connection_warn(connection,
			bearer ? "refused: it shows another token than that of the listener's "
				 "token_file"
			       : "refused: it shows no token, and the listener has a token_file");
	return vaccel_fail(VACCEL_EACCES, "this agent asks for %s token; set VACCEL_TOKEN_FILE",
			   bearer ? "another" : "a");
}

static int check_room(struct worker *worker)
{
	uint64_t permitted = worker->setup.policy.connections;

	if (atomic_load(&worker->stats->connections) <= permitted)
		return VACCEL_OK;
	count_refusal(worker, REFUSED_QUOTA);
	return vaccel_fail(VACCEL_EDQUOT, "policy '%s' permits %" PRIu64 " connections at once",
			   worker->setup.policy.name, permitted);
}

static int find_client(struct connection *connection, const struct vaccel_hello_args *args)
{
	struct worker *worker = connection->worker;
	int ret = check_room(worker);

	if (ret)
		return ret;
	if (!args->token.count)
		return client_new(worker, args->program, &connection->client);
	if (args->epoch && args->epoch != worker->setup.epoch) {
		count_refusal(worker, REFUSED_STALE);
		return vaccel_fail(VACCEL_EACCES, "the token is of a client of an earlier worker; "
						  "connect without one");
	}
	ret = client_join(worker, args->token.data, &connection->client);
	if (ret)
		count_refusal(worker, REFUSED_FOREIGN);
	return ret;
}

static int compare(struct vaccel_hello_args *args)
{
	struct vaccel_known_op *common = calloc(args->ops.count + 1, sizeof(*common));
	size_t nr = 0;

	if (!common)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a list of operations");
	for (size_t i = 0; i < args->ops.count; i++) {
		const struct vaccel_op *op = vaccel_op_by_number(args->ops.data[i].number);

		if (op && vaccel_op_hash(op->signature) == args->ops.data[i].hash)
			common[nr++] = args->ops.data[i];
	}
	args->common.data = common;
	args->common.count = nr;
	return VACCEL_OK;
}

static uint32_t load_of(const struct queue *queue)
{
	uint64_t busy = (uint64_t)queue_running(queue) + queue_waiting(queue);

	return (uint32_t)(busy * 1000 / ((uint64_t)queue->running_max + queue->waiting_max));
}

static int tell_fate(const struct worker *worker, struct vaccel_hello_args *args)
{
	const struct fate *fate = NULL;
	const char *text = "";

	for (size_t i = 0; args->epoch && i < FATES_MAX; i++)
		if (worker->setup.fates[i].epoch == args->epoch)
			fate = &worker->setup.fates[i];
	if (fate) {
		*args->fate = status_to_wire(fate->status);
		text = fate->text;
	}
	args->fate_text.data = strdup(text);
	args->fate_text.size = strlen(text) + 1;
	return args->fate_text.data ? VACCEL_OK
				    : vaccel_fail(VACCEL_ENOMEM, "no memory for a sentence");
}

static int tell(struct connection *connection, struct vaccel_hello_args *args)
{
	const struct worker *worker = connection->worker;
	const struct policy *policy = &worker->setup.policy;
	bool regions = link_abilities(connection->link) & LINK_REGIONS;
	int ret = compare(args);

	*args->agreed = PROTOCOL_VERSION;
	*args->now = worker->setup.epoch;
	*args->head_max = MIN_OF(HEAD_MAX, policy->payload);
	*args->payload_max = policy->payload;
	*args->region_max = regions ? policy->memory : 0;
	*args->spin_us = regions && policy->spin ? SPIN_US_MAX : 0;
	*args->load = load_of(&worker->calls);
	args->client.data = malloc(TOKEN_SIZE);
	if (!args->client.data)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a token");
	memcpy(args->client.data, connection->client->token, TOKEN_SIZE);
	args->client.count = TOKEN_SIZE;
	return ret ? ret : tell_fate(worker, args);
}

/* For the regions that a client lends. */
static bool charge(void *context, int64_t bytes)
{
	struct worker *worker = context;

	if (bytes > 0 && !meter_take(&worker->memory, (uint64_t)bytes)) {
		count_refusal(worker, REFUSED_QUOTA);
		return false;
	}
	if (bytes < 0)
		meter_give(&worker->memory, (uint64_t)-bytes);
	atomic_fetch_add(&worker->stats->region_bytes, (uint64_t)bytes);
	return true;
}

static int answer(struct connection *connection, struct vaccel_hello_args *args,
		  struct bench *bench)
{
	int ret = find_client(connection, args);

	if (!ret && link_abilities(connection->link) & LINK_REGIONS)
		ret = borrower_new(charge, connection->worker, &connection->borrower);
	if (!ret)
		ret = tell(connection, args);
	return ret ? ret : encode_reply(&bench->encoder, &vaccel_op_hello, args);
}

static void log_refusal(const struct connection *connection)
{
	log_line(VACCEL_LOG_INFO, &(struct about){connection->worker->setup.tenant},
		 "%s: refused: %s", connection->peer, vaccel_error_text());
}

/* Who has no token has been warned of. */
static int let_in(struct connection *connection, struct vaccel_hello_args *args,
		  struct bench *bench)
{
	int ret = check_bearer(connection, args->bearer);

	if (ret)
		return ret;
	ret = answer(connection, args, bench);
	if (ret)
		log_refusal(connection);
	return ret;
}

bool connection_hello(struct connection *connection, const struct message *message, void *payload,
		      struct bench *bench)
{
	const struct codec_message request = {
		.head = message->head,
		.head_size = (size_t)message->frame.head_size,
		.payload = payload,
		.payload_size = (size_t)message->frame.payload_size,
	};
	struct frame frame = {.kind = FRAME_WELCOME, .request = message->frame.request};
	struct frame_limits limits;
	void *args = NULL;
	int ret;

	bench->decoder.limits = (struct codec_limits){HELLO_MEMORY, HELLO_OPS};
	ret = decode_request(&bench->decoder, &vaccel_op_hello, &request, &args);
	if (!ret)
		ret = vaccel_op_hello.check(args);
	if (ret) {
		count_refusal(connection->worker, REFUSED_MALFORMED);
		log_refusal(connection);
	} else {
		ret = let_in(connection, args, bench);
	}
	if (ret) {
		request_refuse(connection, &message->frame, ret, bench);
	} else {
		limits.head = *((struct vaccel_hello_args *)args)->head_max;
		limits.payload = *((struct vaccel_hello_args *)args)->payload_max;
		link_set_limits(connection->link, &limits);
		connection_no_stranger(connection);
		connection_send(connection, &frame, &bench->encoder, bench->now);
	}
	if (args)
		args_drop_outputs(&vaccel_op_hello, args);
	decoder_clear(&bench->decoder);
	return !ret;
}
