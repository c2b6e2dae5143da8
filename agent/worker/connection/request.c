// SPDX-License-Identifier: Apache-2.0
/*
 * The way of a request: may it be, is there room, decode, run, reply. The thread
 * that read it runs it unless it has to wait; nothing on that way takes a lock or
 * memory. What had to wait has a copy of its own, and is run by whoever is given its turn.
 */
#include "agent/worker/connection/request.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <vaccel/error.h>
#include <vaccel/ops/describe.h>

#include "agent/worker/client/client.h"
#include "agent/worker/client/control.h"
#include "agent/worker/connection/connection.h"
#include "agent/worker/connection/mailbox.h"
#include "agent/worker/connection/words.h"
#include "agent/worker/policy.h"
#include "agent/worker/resource/resource.h"
#include "agent/worker/server.h"
#include "base/util.h"
#include "call/call.h"

/* Elements of one list, such as the files of a directory. */
#define LIST_MAX 65536

/* What is not worth counting as a tenant's memory. */
#define SMALL 65536

static void count_bytes(_Atomic uint64_t *counter, uint64_t size)
{
	if (size)
		atomic_fetch_add_explicit(counter, size, memory_order_relaxed);
}

/* What the codec asks of a request. */

static int request_resource(void *context, int64_t id, struct vaccel_resource **ret_resource)
{
	struct request *request = context;
	struct resource *resource;
	int ret;

	if (request->nr_resources == REQUEST_RESOURCES_MAX)
		return vaccel_fail(VACCEL_ENOTSUP, "a request with more than %d resources",
				   REQUEST_RESOURCES_MAX);
	ret = resource_find(request->connection->client, id, &resource);
	if (ret)
		return ret;
	request->resources[request->nr_resources++] = resource;
	*ret_resource = resource->vaccel;
	return VACCEL_OK;
}

static int request_at(void *context, const struct payload *payload, enum vaccel_dir dir,
		      void **ret_data)
{
	struct request *request = context;
	int ret;

	/* There is none yet in HELLO. */
	if (!request || (payload->place != PAYLOAD_PAGES && !request->borrowed.borrower))
		return vaccel_fail(VACCEL_EINVAL, "this connection has no regions");
	if (payload->place == PAYLOAD_PAGES)
		ret = link_at(request->connection->link, request->frame.request, payload, dir,
			      ret_data);
	else
		ret = borrowed_at(&request->borrowed, payload, dir, ret_data);
	if (ret == VACCEL_EPERM)
		count_refusal(request->connection->worker, REFUSED_FOREIGN);
	if (!ret && dir & VACCEL_DIR_IN)
		request->lent_in += payload->size;
	return ret;
}

static bool request_place(void *context, const void *data, enum vaccel_dir dir,
			  struct payload *payload)
{
	struct request *request = context;
	bool placed = false;

	if (request)
		placed = link_place(request->connection->link, request->frame.request, data, dir,
				    payload);
	if (request && !placed && request->borrowed.borrower)
		placed = borrowed_place(&request->borrowed, data, dir, payload);
	if (placed)
		request->lent_out += payload->size;
	return placed;
}

void bench_init(struct bench *bench, struct running *running)
{
	*bench = (struct bench){
		.hooks =
			{
				.resource = request_resource,
				.at = request_at,
				.place = request_place,
			},
		.running = running,
	};
	bench->encoder.hooks = &bench->hooks;
	bench->decoder.hooks = &bench->hooks;
	bench->now = time_now();
}

void bench_release(struct bench *bench)
{
	encoder_release(&bench->encoder);
	decoder_release(&bench->decoder);
}

/* In bench->lent: the call has ended, and nothing can be given back. */
static struct connection ended;

struct connection *bench_take_over(struct bench *bench)
{
	struct connection *lent = atomic_load(&bench->lent);

	if (!lent || lent == &ended || !atomic_compare_exchange_strong(&bench->lent, &lent, NULL))
		return NULL;
	return lent;
}

bool bench_give_back(struct bench *bench, struct connection *connection)
{
	struct connection *none = NULL;

	return atomic_compare_exchange_strong(&bench->lent, &none, connection);
}

/* Ending */

static void count_call(struct worker *worker, const struct vaccel_op *op, int code)
{
	if (op && (uint32_t)op->number < STATS_OPS)
		atomic_fetch_add_explicit(&worker->stats->calls[op->number][status_to_wire(code)],
					  1, memory_order_relaxed);
}

static void log_failure(const struct request *request, int code)
{
	const struct client *client = request->connection->client;
	const struct about about = {
		.tenant = request->connection->worker->setup.tenant,
		.session = request->frame.session,
		.request = request->frame.request,
	};

	log_line(VACCEL_LOG_INFO, &about, "client %" PRIu64 " (%s): %s: %s: %s",
		 client ? client->number : 0, client ? client->program : "?",
		 request->op ? request->op->name : "?", vaccel_error_name(code),
		 vaccel_error_text());
}

/*
 * The thread's last words go with it, but for paths of this machine, other than one that the
 * client has named; without @args the call never ran, which the client sees by the session.
 */
static void send_failure(const struct request *request, const void *args, const char *named,
			 int code, struct bench *bench)
{
	bool hello = request->frame.kind == FRAME_HELLO;
	struct frame frame = {
		.kind = hello ? FRAME_WELCOME : FRAME_REPLY,
		.op = hello ? 0 : request->frame.op,
		.request = request->frame.request,
		.session = args ? request->frame.session : 0,
		.status = code,
	};
	char words[FRAME_TEXT_MAX + 1];

	words_without_paths(vaccel_error_text(), named, words, sizeof(words));
	if (!encode_failure(&bench->encoder, request->op, args, words))
		connection_send(request->connection, &frame, &bench->encoder, bench->now);
	else
		link_shut_down(request->connection->link);
}

static int fail(struct request *request, int code, struct bench *bench)
{
	count_call(request->connection->worker, request->op, code);
	log_failure(request, code);
	send_failure(request, NULL, NULL, code, bench);
	return code;
}

static const struct vaccel_op *op_of(const struct frame *frame)
{
	return frame->op >= CONTROL_FIRST ? control_by_number(frame->op)
					  : vaccel_op_by_number(frame->op);
}

void request_refuse(struct connection *connection, const struct frame *frame, int code,
		    struct bench *bench)
{
	struct request request = {.connection = connection, .frame = *frame};

	/* Of a HELLO the log has the peer's address, which is all that is known of it. */
	if (frame->kind == FRAME_HELLO)
		send_failure(&request, NULL, NULL, code, bench);
	if (frame->kind != FRAME_CALL)
		return;
	request.op = op_of(frame);
	fail(&request, code, bench);
}

/* Gives back all that it holds. */
static void request_release(struct request *request)
{
	struct connection *connection = request->connection;

	for (size_t i = 0; i < request->nr_resources; i++)
		resource_unref(request->resources[i]);
	borrowed_release(&request->borrowed);
	if (request->session)
		session_leave(request->session);
	closep(&request->fd);
	spare_give(&connection->worker->spare, request->payload);
	meter_give(&connection->worker->memory, request->charged);
	connection_unref(connection);
}

/* Running */

/* What is another's has been counted where that was found; what is lacking here is no nonsense. */
static void count_undecoded(struct worker *worker, int code)
{
	if (code == VACCEL_EDQUOT)
		count_refusal(worker, REFUSED_QUOTA);
	else if (code != VACCEL_EPERM && code != VACCEL_ENOMEM && code != VACCEL_ENOTSUP)
		count_refusal(worker, REFUSED_MALFORMED);
}

/*
 * The arguments, in the decoder's memory. What it may take is what a message may;
 * what it has taken is then the tenant's.
 */
static int decode(struct request *request, struct bench *bench, void **ret_args)
{
	struct worker *worker = request->connection->worker;
	const struct codec_message message = {
		.head = request->head,
		.head_size = (size_t)request->frame.head_size,
		.payload = request->payload,
		.payload_size = (size_t)request->frame.payload_size,
	};
	struct decoder *decoder = &bench->decoder;
	uint32_t number = request->frame.op;
	uint64_t used;
	int ret;

	bench->hooks.context = request;
	request->borrowed.borrower = request->connection->borrower;
	decoder->limits.memory = (size_t)MIN_OF(worker->setup.policy.payload, PTRDIFF_MAX);
	decoder->limits.count = LIST_MAX;
	ret = decode_request(decoder, request->op, &message, ret_args);
	if (!ret && number >= CONTROL_FIRST && request->op->check)
		ret = request->op->check(*ret_args);
	if (unlikely(ret))
		count_undecoded(worker, ret);
	else
		count_bytes(&worker->stats->bytes_in, request->lent_in);
	used = decoder->limits.memory - decoder->arena.left;
	if (ret || used <= SMALL)
		return ret;
	ret = memory_take(worker, used);
	if (!ret)
		request->charged += used;
	return ret;
}

/* A call, in the counters from its start, so that whoever watches sees it whatever becomes of it.
 */
static int call(struct request *request, struct bench *bench, void *args)
{
	struct worker *worker = request->connection->worker;
	struct running *running = bench->running;
	uint32_t number = (uint32_t)request->op->number;
	int64_t start = time_now();
	int ret;

	histogram_add(&worker->stats->queue, request->came ? start - request->came : 0);
	atomic_store_explicit(&running->op, number, memory_order_relaxed);
	atomic_store_explicit(&running->since, start, memory_order_release);
	if (request->reads)
		atomic_store(&bench->lent, request->connection);
	server_wake(worker->server);
	request->ran = true;
	ret = vaccel_call(&request->session->vaccel, request->op, args);
	/* To do nothing takes no plugin: `vaccel ping` asks for it. */
	if (ret == VACCEL_ENOTSUP && number == VACCEL_OP_NOOP)
		ret = VACCEL_OK;
	if (request->reads)
		request->reads = atomic_exchange(&bench->lent, &ended);
	atomic_store_explicit(&running->since, 0, memory_order_relaxed);
	bench->now = time_now();
	histogram_add(&worker->stats->compute[number], bench->now - start);
	return ret;
}

static int execute(struct request *request, struct bench *bench, void *args)
{
	int ret;

	if ((uint32_t)request->op->number >= CONTROL_FIRST) {
		ret = control_run(request, args);
		bench->now = time_now();
		return ret;
	}
	ret = policy_check_call(request, args);
	if (!ret)
		ret = call(request, bench, args);
	if (!ret && request->nr_resources)
		resources_used(request);
	return ret;
}

static int encode(struct request *request, struct bench *bench, const void *args)
{
	const struct policy *policy = &request->connection->worker->setup.policy;
	int ret = encode_reply(&bench->encoder, request->op, args);

	if (!ret && bench->encoder.payload.size > policy->payload)
		ret = vaccel_fail(VACCEL_EDQUOT,
				  "%s: a reply of %" PRIu64 " bytes; policy '%s' permits %" PRIu64,
				  request->op->name, bench->encoder.payload.size, policy->name,
				  policy->payload);
	return ret;
}

static void reply(struct request *request, struct bench *bench, void *args, int ret)
{
	struct connection *connection = request->connection;
	struct worker *worker = connection->worker;
	struct frame frame = {
		.kind = FRAME_REPLY,
		.op = request->frame.op,
		.request = request->frame.request,
		.session = request->frame.session,
	};

	if (!ret)
		ret = encode(request, bench, args);
	count_call(worker, request->op, ret);
	if (unlikely(ret)) {
		log_failure(request, ret);
		send_failure(request, request->ran ? args : NULL,
			     args ? policy_named_path(request->op, args) : NULL, ret, bench);
		return;
	}
	count_bytes(&worker->stats->bytes_out, bench->encoder.payload.size + request->lent_out);
	connection_send(connection, &frame, &bench->encoder, bench->now);
	if (unlikely(request->frame.op == VACCEL_OP_MAILBOX_OPEN))
		mailbox_begin(connection);
}

/* It has its place. The place is free again before the reply, which a peer may be slow to take. */
static void run(struct request *request, struct bench *bench)
{
	struct worker *worker = request->connection->worker;
	struct request *next = NULL;
	void *args = NULL;
	int ret = decode(request, bench, &args);

	if (!ret)
		ret = execute(request, bench, args);
	if (request->queue)
		next = queue_leave(request->queue);
	if (unlikely(next))
		server_post(worker->server, next);
	reply(request, bench, args, ret);
	if (args)
		args_drop_outputs(request->op, args);
	decoder_clear(&bench->decoder);
	bench->hooks.context = NULL;
}

/* Whether it may be at all; finds its operation and session. */
static int admit(struct request *request)
{
	struct connection *connection = request->connection;
	struct worker *worker = connection->worker;
	uint32_t number = request->frame.op;

	request->op = op_of(&request->frame);
	if (unlikely(request->frame.epoch != worker->setup.epoch)) {
		count_refusal(worker, REFUSED_STALE);
		return vaccel_fail(VACCEL_ESESS, "the request is for an agent of earlier; "
						 "connect anew");
	}
	if (unlikely(!request->op || number == VACCEL_OP_HELLO))
		return vaccel_fail(number < CONTROL_FIRST ? VACCEL_ENOTSUP : VACCEL_ENOSYS,
				   "the agent has no operation %" PRIu32, number);
	if (number >= CONTROL_FIRST)
		return VACCEL_OK;
	if (unlikely(!worker->permitted[number]))
		return policy_refuse_op(worker, request->op);
	return session_use(connection->client, request->frame.session, &connection->last_session,
			   &request->session);
}

static struct queue *queue_for(struct worker *worker, uint32_t number)
{
	if (number < CONTROL_FIRST)
		return &worker->calls;
	return control_is_chore(number) ? &worker->chores : NULL;
}

/* A copy that is whole by itself: the head is the link's, until its next message. */
static struct request *copy_to_wait(const struct request *request)
{
	size_t size = (size_t)request->frame.head_size;
	struct request *copy = malloc(sizeof(*copy) + size);

	if (!copy) {
		vaccel_fail(VACCEL_ENOMEM, "no memory for a request that has to wait");
		return NULL;
	}
	*copy = *request;
	if (size)
		memcpy(copy->own_head, request->head, size);
	copy->head = copy->own_head;
	copy->came = time_now();
	copy->reads = false;
	return copy;
}

static int too_busy(struct worker *worker, const struct queue *queue)
{
	count_refusal(worker, REFUSED_BUSY);
	return vaccel_fail(VACCEL_EBUSY,
			   "policy '%s' lets %" PRIu32 " requests run and %" PRIu32
			   " wait, and so many do; try again later",
			   worker->setup.policy.name, queue->running_max, queue->waiting_max);
}

/* A place to run, which is VACCEL_OK, or to wait: VACCEL_EAGAIN, and somebody else has it. */
static int find_place(struct request *request)
{
	struct worker *worker = request->connection->worker;
	struct queue *queue = queue_for(worker, request->frame.op);
	enum queue_answer answer = QUEUE_RUN;
	struct request *copy;

	if (!queue)
		return VACCEL_OK;
	request->queue = queue;
	if (likely(queue_try(queue)))
		return VACCEL_OK;
	copy = copy_to_wait(request);
	if (copy)
		answer = queue_enter(queue, copy);
	if (copy && answer == QUEUE_WAIT)
		return VACCEL_EAGAIN;
	if (!copy || answer == QUEUE_FULL)
		request->queue = NULL;
	free(copy);
	if (answer == QUEUE_FULL)
		return too_busy(worker, queue);
	return request->queue ? VACCEL_OK : VACCEL_ENOMEM;
}

enum turn request_take(struct connection *connection, const struct message *message, void *payload,
		       uint64_t charged, struct bench *bench)
{
	struct request request = {
		.connection = connection,
		.frame = message->frame,
		.head = message->head,
		.payload = payload,
		.charged = charged,
		.fd = message->fd,
		.reads = true,
	};
	bool reads;
	int ret;

	connection_ref(connection);
	count_bytes(&connection->worker->stats->bytes_in, message->frame.payload_size);
	ret = admit(&request);
	if (!ret)
		ret = find_place(&request);
	if (ret == VACCEL_EAGAIN)
		return TURN_NEXT;
	if (likely(!ret))
		run(&request, bench);
	else
		fail(&request, ret, bench);
	reads = request.reads;
	request_release(&request);
	return reads ? TURN_NEXT : TURN_LENT;
}

void request_run_waiting(struct request *request, struct bench *bench)
{
	run(request, bench);
	request_release(request);
	free(request);
}

/* Requests that wait */

struct wanted {
	const struct connection *connection;
	bool any;
	uint64_t number;
};

static bool is_wanted(const struct request *request, const void *context)
{
	const struct wanted *wanted = context;

	return request->connection == wanted->connection &&
	       (wanted->any || request->frame.request == wanted->number);
}

static struct request *take_waiting(const struct wanted *wanted)
{
	struct worker *worker = wanted->connection->worker;
	struct request *request = queue_take(&worker->calls, is_wanted, wanted);

	return request ? request : queue_take(&worker->chores, is_wanted, wanted);
}

void request_cancel(struct connection *connection, uint64_t number, struct bench *bench)
{
	struct request *request = take_waiting(&(struct wanted){connection, false, number});

	/* It may have run; unless there has been none yet of that number. */
	if (!request && number > connection->last_request)
		count_refusal(connection->worker, REFUSED_FOREIGN);
	if (!request)
		return;
	fail(request, vaccel_fail(VACCEL_ECANCELED, "the request was cancelled before it ran"),
	     bench);
	request_release(request);
	free(request);
}

void requests_drop(struct connection *connection)
{
	struct request *request;

	while ((request = take_waiting(&(struct wanted){connection, true, 0}))) {
		request_release(request);
		free(request);
	}
}
