// SPDX-License-Identifier: Apache-2.0
/*
 * What comes on a connection, message by message. A message is taken when it is
 * whole: what is there of it stays with the link and with the connection, so that
 * no thread waits for a slow peer. Whatever a peer sends ends in an answer, or with
 * the connection.
 */
#include "agent/worker/connection/connection.h"

#include <inttypes.h>
#include <stdio.h>

#include <vaccel/error.h>

#include "agent/worker/client/client.h"
#include "agent/worker/connection/mailbox.h"
#include "agent/worker/server.h"
#include "base/util.h"
#include "transport/link.h"

/* What a peer has to take an answer: for the worst of networks, a second for each MiB. */
#define SEND_TIME   (30 * SECOND)
#define NS_PER_BYTE 954

/* The same while half of the threads send, lest peers that take nothing have them all. */
#define CROWDED_SEND_TIME   SECOND
#define CROWDED_NS_PER_BYTE 60

/* What it has to say who it is, and to go on with a message that it has begun. */
#define HELLO_TIME    (10 * SECOND)
#define PROGRESS_TIME (30 * SECOND)

/* Connections that owe something are counted, so that nobody looks while there are none. */
static void set_due(struct connection *connection, int64_t due)
{
	int64_t before = atomic_exchange_explicit(&connection->due, due, memory_order_relaxed);

	if (before == FOREVER && due != FOREVER)
		atomic_fetch_add(&connection->worker->owing, 1);
	else if (before != FOREVER && due == FOREVER)
		atomic_fetch_sub(&connection->worker->owing, 1);
}

static bool is_due(const struct connection *connection)
{
	return atomic_load_explicit(&connection->due, memory_order_relaxed) != FOREVER;
}

bool connection_no_stranger(struct connection *connection)
{
	bool was = atomic_exchange(&connection->is_stranger, false);

	if (was) {
		atomic_fetch_sub(&connection->worker->stats->strangers, 1);
		atomic_fetch_sub(&connection->worker->by_tls, connection_is_tls(connection));
	}
	return was;
}

bool connection_is_tls(const struct connection *connection)
{
	return connection->listener && connection->listener->cert;
}

int connection_new(struct worker *worker, struct link *link, const char *peer,
		   const struct listener_setup *listener, struct connection **ret_connection)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	int64_t now = time_now();

	if (!connection) {
		link_delete(link);
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a connection");
	}
	connection->worker = worker;
	connection->link = link;
	connection->listener = listener;
	atomic_init(&connection->refs, 1);
	atomic_init(&connection->due, FOREVER);
	atomic_init(&connection->idle, now);
	set_due(connection, now + HELLO_TIME);
	atomic_init(&connection->is_stranger, true);
	atomic_fetch_add(&worker->stats->strangers, 1);
	atomic_fetch_add(&worker->by_tls, connection_is_tls(connection));
	snprintf(connection->peer, sizeof(connection->peer), "%s", peer);
	atomic_fetch_add(&worker->stats->connections, 1);
	*ret_connection = connection;
	return VACCEL_OK;
}

void connection_ref(struct connection *connection)
{
	atomic_fetch_add_explicit(&connection->refs, 1, memory_order_relaxed);
}

static void drop_message(struct connection *connection)
{
	spare_give(&connection->worker->spare, TAKE(connection->payload));
	meter_give(&connection->worker->memory, connection->charged);
	connection->charged = 0;
	if (connection->begun)
		closep(&connection->message.fd);
	connection->begun = false;
}

void connection_unref(struct connection *connection)
{
	struct worker *worker = connection->worker;

	if (atomic_fetch_sub_explicit(&connection->refs, 1, memory_order_acq_rel) != 1)
		return;
	drop_message(connection);
	set_due(connection, FOREVER);
	connection_no_stranger(connection);
	link_delete(connection->link);
	mailbox_close(connection);
	borrower_delete(connection->borrower);
	session_forget(&connection->last_session);
	client_unref(connection->client);
	atomic_fetch_sub(&worker->stats->connections, 1);
	free(connection);
}

/* By one more that sends. */
static int64_t time_to_take(struct worker *worker, const struct pieces *payload)
{
	uint32_t sending = atomic_fetch_add_explicit(&worker->sending, 1, memory_order_relaxed);
	int64_t size = payload ? (int64_t)payload->size : 0;

	if (likely(!worker->server || sending < server_threads(&worker->setup.policy) / 2))
		return SEND_TIME + size * NS_PER_BYTE;
	return CROWDED_SEND_TIME + size * CROWDED_NS_PER_BYTE;
}

void connection_send(struct connection *connection, struct frame *frame,
		     const struct encoder *encoder, int64_t now)
{
	const struct pieces *payload = encoder ? &encoder->payload : NULL;
	struct worker *worker = connection->worker;
	int64_t until = now + time_to_take(worker, payload);

	/* Its read side may have rested since before the call began. */
	atomic_store_explicit(&connection->idle, now, memory_order_relaxed);
	if (encoder)
		frame->head_size = encoder->head_size;
	if (link_send(connection->link, frame, encoder ? encoder->head : NULL, payload, -1, until))
		link_shut_down(connection->link);
	/* Nor was it idle while it took the answer, however long that was. */
	atomic_store_explicit(&connection->idle, MAX_OF(now, time_about_now()),
			      memory_order_relaxed);
	atomic_fetch_sub_explicit(&worker->sending, 1, memory_order_relaxed);
}

void connection_dismiss(struct connection *connection)
{
	struct frame frame = {.kind = FRAME_GOAWAY};

	/* Who has not said yet who it is, and may be in a handshake, is told when it has. */
	if (is_due(connection) || atomic_exchange(&connection->told_to_go, true))
		return;
	/* Where an answer is being sent the time is over at once. */
	if (link_send(connection->link, &frame, NULL, NULL, -1, 0) == VACCEL_ETIMEDOUT)
		atomic_store(&connection->told_to_go, false);
}

/* Silence */

void connection_rest(struct connection *connection)
{
	bool halfway = connection->begun || !link_is_between(connection->link);
	int64_t now = time_now();

	/* The head of a message whose payload is on its way is the link's. */
	if (!connection->begun)
		link_rest(connection->link);
	if (connection->client)
		set_due(connection, halfway ? now + PROGRESS_TIME : FOREVER);
	atomic_store_explicit(&connection->idle, now, memory_order_relaxed);
}

bool connection_is_overdue(const struct connection *connection, int64_t now)
{
	uint32_t idle_ms = connection->worker->setup.policy.idle_timeout_ms;
	int64_t idle = atomic_load_explicit(&connection->idle, memory_order_relaxed);

	if (now > atomic_load_explicit(&connection->due, memory_order_relaxed))
		return true;
	return idle_ms && atomic_load(&connection->refs) == 1 &&
	       now - idle > (int64_t)idle_ms * MILLISECOND;
}

/* Messages */

/*
 * The payload of a message that has come so far; a client's is the tenant's memory. A stranger's
 * is small, and must not keep clients from theirs.
 */
static void begin_payload(struct connection *connection)
{
	struct worker *worker = connection->worker;
	uint64_t size = connection->message.frame.payload_size;
	uint64_t charged = connection->client ? size : 0;

	connection->begun = true;
	connection->no_room = VACCEL_EDQUOT;
	if (!meter_take(&worker->memory, charged))
		return;
	connection->payload = spare_take(&worker->spare, (size_t)size);
	if (!connection->payload) {
		meter_give(&worker->memory, charged);
		connection->no_room = VACCEL_ENOMEM;
		return;
	}
	connection->charged = charged;
	connection->no_room = VACCEL_OK;
	connection->piece = (struct iovec){connection->payload, (size_t)size};
}

static int read_payload(struct connection *connection, int64_t until)
{
	const struct pieces pieces = {
		.at = &connection->piece,
		.count = 1,
		.room = 1,
		.size = connection->piece.iov_len,
	};

	if (connection->no_room)
		return link_skip_payload(connection->link, until);
	return link_receive_payload(connection->link, &pieces, until);
}

int connection_read(struct connection *connection, int64_t until)
{
	int ret = VACCEL_OK;

	if (!connection->begun) {
		ret = link_receive(connection->link, until, &connection->message);
		if (ret || !connection->message.frame.payload_size)
			return ret;
		begin_payload(connection);
	}
	ret = read_payload(connection, until);
	if (!ret)
		connection->begun = false;
	return ret;
}

/* Of one whose payload found no room. Strangers are told nothing. */
static enum turn refuse(struct connection *connection, struct bench *bench)
{
	uint64_t size = connection->message.frame.payload_size;
	int ret = connection->no_room;

	connection->no_room = VACCEL_OK;
	if (!connection->client)
		return TURN_END;
	bench->now = time_now();
	if (ret == VACCEL_EDQUOT)
		memory_fail(connection->worker, size);
	else
		vaccel_fail(ret, "no memory for a payload of %" PRIu64 " bytes", size);
	request_refuse(connection, &connection->message.frame, ret, bench);
	return TURN_NEXT;
}

void connection_warn(const struct connection *connection, const char *words)
{
	struct worker *worker = connection->worker;

	refusals_line(&worker->refusals, &(struct about){worker->setup.tenant}, connection->peer,
		      words);
	/* Somebody has to say how many there were. */
	server_wake(worker->server);
}

/* @refused: it is known to be somebody who may not. */
static void log_end(const struct connection *connection, bool refused)
{
	if (refused)
		connection_warn(connection, vaccel_error_text());
	else
		log_line(VACCEL_LOG_INFO, &(struct about){connection->worker->setup.tenant},
			 "%s: closed: %s", connection->peer, vaccel_error_text());
}

/*
 * What cannot be read ends the connection. Nonsense is counted, such as what is too large for a
 * stranger, and a handshake that fails; not the end of a peer in the middle of its message.
 */
static enum turn give_up(struct connection *connection, int code, struct bench *bench)
{
	const struct frame *frame = &connection->message.frame;
	/* One of whom somebody else had to take the place is counted as that. */
	bool unmet = !link_is_open(connection->link) && atomic_load(&connection->is_stranger);

	if (code == VACCEL_EDQUOT && connection->client) {
		count_refusal(connection->worker, REFUSED_QUOTA);
		request_refuse(connection, frame, code, bench);
	} else if (unmet || frame->kind) {
		if (unmet || code == VACCEL_EDQUOT || frame->kind == FRAME_KIND_END)
			count_refusal(connection->worker,
				      code == VACCEL_EACCES ? REFUSED_AUTH : REFUSED_MALFORMED);
		log_end(connection, unmet && code == VACCEL_EACCES);
	}
	return TURN_END;
}

static enum turn nonsense(struct connection *connection)
{
	const struct frame *frame = &connection->message.frame;

	count_refusal(connection->worker, REFUSED_MALFORMED);
	log_line(VACCEL_LOG_INFO, &(struct about){connection->worker->setup.tenant},
		 "%s: closed: a frame of kind %d %s", connection->peer, (int)frame->kind,
		 connection->client ? "is not a client's to send" : "came before HELLO");
	return TURN_END;
}

static bool says_nothing(enum frame_kind kind)
{
	return kind == FRAME_PONG || kind == FRAME_DOORBELL;
}

static enum turn act(struct connection *connection, struct bench *bench)
{
	struct message *message = &connection->message;
	void *payload = TAKE(connection->payload);
	uint64_t charged = connection->charged;
	struct frame pong = {.kind = FRAME_PONG, .request = message->frame.request};
	enum turn turn = TURN_NEXT;

	connection->charged = 0;
	if (likely(message->frame.kind == FRAME_CALL && connection->client))
		return request_take(connection, message, payload, charged, bench);
	bench->now = time_now();
	if (message->frame.kind == FRAME_HELLO && !connection->client) {
		if (connection_hello(connection, message, payload, bench))
			set_due(connection, FOREVER);
		else
			turn = TURN_END;
	} else if (connection->client && message->frame.kind == FRAME_PING) {
		connection_send(connection, &pong, NULL, bench->now);
	} else if (connection->client && message->frame.kind == FRAME_CANCEL) {
		request_cancel(connection, message->frame.request, bench);
	} else if (!connection->client || !says_nothing(message->frame.kind)) {
		turn = nonsense(connection);
	}
	closep(&message->fd);
	spare_give(&connection->worker->spare, payload);
	meter_give(&connection->worker->memory, charged);
	return turn;
}

enum turn connection_act(struct connection *connection, int read, struct bench *bench)
{
	const struct frame *frame = &connection->message.frame;

	if (read == VACCEL_EAGAIN)
		return TURN_WAIT;
	if (read)
		return give_up(connection, read, bench);
	if (likely(frame->kind != FRAME_CANCEL && frame->request > connection->last_request))
		connection->last_request = frame->request;
	/* The message is whole, and its call takes what time it takes. */
	if (unlikely(is_due(connection)) && connection->client)
		set_due(connection, FOREVER);
	if (likely(!connection->no_room))
		return act(connection, bench);
	closep(&connection->message.fd);
	return refuse(connection, bench);
}
