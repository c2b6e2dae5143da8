// SPDX-License-Identifier: Apache-2.0
/* What an agent would answer. It has clients like one, and no backends. */
#include <string.h>

#include <vaccel.h>

#include "fake_insides.h"

/* Clients; lock is held */

void leave_client(struct fake *fake, unsigned int *client)
{
	if (*client && !--fake->client[*client - 1].nr_connections)
		drop_objects_of(fake, *client);
	*client = 0;
}

void drop_clients(struct fake *fake)
{
	for (unsigned int i = 0; i < fake->nr_connections; i++)
		leave_client(fake, &fake->connection[i].client);
}

/* Of which a token is; 0: of none. */
static unsigned int client_of(const struct fake *fake, const unsigned char *token)
{
	unsigned int client = token[0];

	return client && fake->client[client - 1].nr_connections ? client : 0;
}

static unsigned int new_client(struct fake *fake)
{
	assert_true(fake->nr_clients < CLIENTS_MAX - 1);
	fake->last_id += 1000;
	return ++fake->nr_clients;
}

static bool is_known(const struct fake *fake, const struct vaccel_known_op *known)
{
	const struct vaccel_op *op = vaccel_op_by_number(known->number);

	return op && op != fake->lacks && vaccel_op_hash(op->signature) == known->hash;
}

static void welcome(struct turn *turn)
{
	struct fake *fake = turn->fake;
	struct vaccel_hello_args *args = turn_args(turn);
	struct vaccel_known_op common[VACCEL_OP_MAX];
	unsigned char token[TOKEN_SIZE];
	unsigned int client;

	if (!args)
		return;
	pthread_mutex_lock(&fake->lock);
	client = args->token.count ? client_of(fake, args->token.data) : new_client(fake);
	memset(token, (int)client, sizeof(token));
	leave_client(fake, turn_client(turn));
	if (client)
		fake->client[client - 1].nr_connections++;
	*turn_client(turn) = client;
	*args->agreed = PROTOCOL_VERSION;
	*args->now = fake->epoch;
	args->client.data = token;
	args->client.count = TOKEN_SIZE;
	args->common.data = common;
	for (size_t i = 0; i < args->ops.count; i++)
		if (is_known(fake, &args->ops.data[i]))
			common[args->common.count++] = args->ops.data[i];
	*args->head_max = 1 << 20;
	*args->payload_max = fake->payload_max;
	*args->region_max = fake->region_max;
	*args->spin_us = fake->region_max ? 50 : 0;
	*args->load = fake->load;
	args->fate_text.data = fake->ended && args->epoch == fake->ended ? fake->fate_text : NULL;
	args->fate_text.size = sizeof(fake->fate_text);
	if (args->fate_text.data)
		*args->fate = status_to_wire(fake->fate);
	pthread_mutex_unlock(&fake->lock);
	if (!client)
		turn_fail(turn, VACCEL_EACCES, "no client has this token", false);
	else
		turn_reply(turn, args);
}

/* Returns whether the session or the resource was there. */
static bool control(struct fake *fake, unsigned int client, uint32_t number, void *args)
{
	struct vaccel_session_update_args *update = args;
	struct vaccel_session_open_args *open = args;
	struct vaccel_session_close_args *close = args;
	struct vaccel_resource_release_args *release = args;
	struct vaccel_resource_retype_args *retype = args;
	struct object *object = NULL;

	switch (number) {
	case VACCEL_OP_SESSION_OPEN:
		object = make_object(fake, fake->session, client);
		object->hint = open->hint;
		*open->session = object->id;
		return true;
	case VACCEL_OP_SESSION_UPDATE:
		object = find_object(fake->session, client, update->session);
		if (object)
			object->hint = update->hint;
		return object;
	case VACCEL_OP_SESSION_CLOSE:
		object = find_object(fake->session, client, close->session);
		if (object)
			drop_object(object);
		return object;
	case VACCEL_OP_RESOURCE_OFFER:
		offer(fake, client, args);
		return true;
	case VACCEL_OP_CONTENT_PUT:
		put_content(fake, args);
		return true;
	case VACCEL_OP_RESOURCE_REGISTER:
		note_registration(fake, client, args, true);
		return true;
	case VACCEL_OP_RESOURCE_UNREGISTER:
		note_registration(fake, client, args, false);
		return true;
	case VACCEL_OP_RESOURCE_RELEASE:
		return release_resource(fake, client, release->resource);
	case VACCEL_OP_RESOURCE_SYNC:
		sync_resource(fake, client, args);
		return true;
	case VACCEL_OP_RESOURCE_RETYPE:
		object = find_object(fake->resource, client, retype->resource);
		if (object)
			object->type = retype->type;
		return object;
	default:
		return true;
	}
}

/* What an operation gives: minmax as the noop plugin's, an exec with a copy, else nothing. */
static void run(const struct vaccel_op *op, void *args)
{
	struct vaccel_minmax_args *minmax = args;
	struct vaccel_exec_args *exec = args;

	if (op->number == VACCEL_OP_MINMAX) {
		*minmax->min = -1;
		*minmax->max = 10000;
		memcpy(minmax->out.data, minmax->samples.data,
		       minmax->samples.count * sizeof(double));
	}
	if (op->number == VACCEL_OP_EXEC && exec->read.count && exec->write.count &&
	    exec->write.data[0].size == exec->read.data[0].size)
		memcpy(exec->write.data[0].buf, exec->read.data[0].buf, exec->read.data[0].size);
}

void turn_go_on(struct turn *turn)
{
	struct frame pong = {.kind = FRAME_PONG, .request = turn->message.frame.request};
	const struct vaccel_op *op = turn_op(turn);
	struct fake *fake = turn->fake;
	bool known = true;
	void *args;

	if (turn->message.frame.kind == FRAME_HELLO) {
		welcome(turn);
		return;
	}
	if (turn->message.frame.kind == FRAME_PING)
		link_send(turn->link, &pong, NULL, NULL, -1, FOREVER);
	args = op ? turn_args(turn) : NULL;
	if (!args)
		return;
	pthread_mutex_lock(&fake->lock);
	if (turn->message.frame.epoch != fake->epoch)
		known = false;
	else if ((uint32_t)op->number >= CONTROL_FIRST)
		known = control(fake, *turn_client(turn), (uint32_t)op->number, args);
	else
		known = find_object(fake->session, *turn_client(turn), turn->message.frame.session);
	pthread_mutex_unlock(&fake->lock);
	if (!known) {
		turn_fail(turn, VACCEL_ESESS, "no such session", false);
		return;
	}
	run(op, args);
	turn_reply(turn, args);
}
