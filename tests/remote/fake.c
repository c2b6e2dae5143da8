// SPDX-License-Identifier: Apache-2.0
/*
 * See fake.h. One thread accepts, one for each connection answers. All that the fake
 * agent has is under one lock, which no message is waited for with.
 */
#include "fake.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <vaccel.h>

#include "base/util.h"
#include "call/call.h"

#define CONNECTIONS_MAX 256
#define OBJECTS_MAX	256
#define CONTENTS_MAX	64
#define PATIENCE_S	30

struct stored {
	unsigned char sha256[SHA256_SIZE];
	unsigned char *bytes;
	size_t size, have;
};

struct object {
	int64_t id;
	uint32_t hint;		   /* of a session */
	int64_t has[CONTENTS_MAX]; /* a session's resources */
	uint32_t type;		   /* of a resource */
	size_t nr;		   /* contents; resources of a session */
	char *name[CONTENTS_MAX];
	unsigned char *bytes[CONTENTS_MAX];
	size_t size[CONTENTS_MAX];
	bool in_memory[CONTENTS_MAX];
};

struct connection {
	struct fake *fake;
	unsigned int number;
	pthread_t thread;
	struct link *link; /* lock; NULL once closed */
	bool greeted;
};

struct fake {
	char directory[64], address[128];
	struct address parsed;
	int listener;
	pthread_t accepting;
	int stop[2];

	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct connection connection[CONNECTIONS_MAX];
	unsigned int nr_connections, nr_open, nr_greeted;
	unsigned int messages[FRAME_KIND_END];
	unsigned int calls[CONTROL_FIRST + CONTROL_COUNT];
	fake_script_fn *script;
	void *context;
	uint64_t epoch, ended;
	int fate;
	char fate_text[256];
	uint32_t load;
	uint64_t payload_max;
	const struct vaccel_op *lacks;
	unsigned char token[TOKEN_SIZE];
	int64_t last_id;
	struct object session[OBJECTS_MAX], resource[OBJECTS_MAX];
	struct stored stored[OBJECTS_MAX];
};

/* What it has; lock is held */

static struct object *find(struct object *objects, int64_t id)
{
	for (size_t i = 0; id && i < OBJECTS_MAX; i++)
		if (objects[i].id == id)
			return &objects[i];
	return NULL;
}

static struct object *make(struct fake *fake, struct object *objects)
{
	for (size_t i = 0; i < OBJECTS_MAX; i++) {
		if (objects[i].id)
			continue;
		objects[i].id = ++fake->last_id;
		return &objects[i];
	}
	abort();
}

static void drop(struct object *object)
{
	for (size_t i = 0; i < CONTENTS_MAX; i++) {
		free(object->name[i]);
		free(object->bytes[i]);
	}
	*object = (struct object){0};
}

static void drop_client(struct fake *fake)
{
	for (size_t i = 0; i < OBJECTS_MAX; i++) {
		drop(&fake->session[i]);
		drop(&fake->resource[i]);
	}
	memset(fake->token, 0, sizeof(fake->token));
}

static struct stored *find_stored(struct fake *fake, const unsigned char *sha256, bool make_one)
{
	for (size_t i = 0; i < OBJECTS_MAX; i++) {
		struct stored *stored = &fake->stored[i];

		if (stored->bytes && !memcmp(stored->sha256, sha256, SHA256_SIZE))
			return stored;
		if (stored->bytes || !make_one)
			continue;
		memcpy(stored->sha256, sha256, SHA256_SIZE);
		return stored;
	}
	return NULL;
}

/* Answers */

const struct vaccel_op *turn_op(const struct turn *turn)
{
	uint32_t number = turn->message.frame.op;

	if (turn->message.frame.kind == FRAME_HELLO)
		return &vaccel_op_hello;
	if (turn->message.frame.kind != FRAME_CALL)
		return NULL;
	return number < CONTROL_FIRST ? vaccel_op_by_number(number) : control_by_number(number);
}

/* Resources are passed on as their ids, which nothing looks into. */
static int as_id(void *context, int64_t id, struct vaccel_resource **ret_resource)
{
	*ret_resource = (struct vaccel_resource *)(intptr_t)id;
	return VACCEL_OK;
}

void *turn_args(struct turn *turn)
{
	static const struct codec_hooks hooks = {.resource = as_id};
	const struct codec_message message = {turn->message.head,
					      (size_t)turn->message.frame.head_size, turn->payload,
					      (size_t)turn->message.frame.payload_size};
	void *args = NULL;

	decoder_release(&turn->decoder);
	turn->decoder.hooks = &hooks;
	turn->decoder.limits = (struct codec_limits){SIZE_MAX / 2, 1 << 20};
	if (decode_request(&turn->decoder, turn_op(turn), &message, &args))
		fprintf(stderr, "fake agent: %s\n", vaccel_error_text());
	return args;
}

static struct frame answer_to(const struct turn *turn)
{
	const struct frame *asked = &turn->message.frame;

	return (struct frame){
		.kind = asked->kind == FRAME_HELLO ? FRAME_WELCOME : FRAME_REPLY,
		.op = asked->kind == FRAME_HELLO ? 0 : asked->op,
		.request = asked->request,
		.session = asked->session,
	};
}

static void send_encoded(struct turn *turn, struct frame *frame, struct encoder *encoder)
{
	frame->head_size = encoder->head_size;
	frame->payload_size = encoder->payload.size;
	link_send(turn->link, frame, encoder->head, &encoder->payload, -1, FOREVER);
	encoder_release(encoder);
}

void turn_reply(struct turn *turn, const void *args)
{
	struct frame frame = answer_to(turn);
	struct encoder encoder = {0};

	if (!encode_reply(&encoder, turn_op(turn), args))
		send_encoded(turn, &frame, &encoder);
}

void turn_fail(struct turn *turn, int code, const char *words, bool ran)
{
	struct frame frame = answer_to(turn);
	struct encoder encoder = {0};

	frame.status = code;
	if (!ran)
		frame.session = 0;
	if (!encode_failure(&encoder, turn_op(turn), NULL, words))
		send_encoded(turn, &frame, &encoder);
}

void turn_write(struct turn *turn, const void *bytes, size_t size)
{
	send(link_fd(turn->link), bytes, size, MSG_NOSIGNAL);
}

void turn_frame(struct turn *turn, const struct frame *frame, const void *head, const void *payload)
{
	unsigned char bytes[FRAME_SIZE];

	frame_put(frame, bytes);
	turn_write(turn, bytes, sizeof(bytes));
	if (head)
		turn_write(turn, head, (size_t)frame->head_size);
	if (payload)
		turn_write(turn, payload, (size_t)frame->payload_size);
}

/* The honest agent */

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
	static const unsigned char none[TOKEN_SIZE];
	bool joins, known;

	if (!args)
		return;
	pthread_mutex_lock(&fake->lock);
	joins = args->token.count;
	known = joins && !memcmp(args->token.data, fake->token, TOKEN_SIZE) &&
		memcmp(fake->token, none, TOKEN_SIZE) != 0;
	if (!joins) {
		drop_client(fake);
		fake->last_id += 1000;
		memset(fake->token, 1 + (int)(fake->last_id / 1000 % 250), TOKEN_SIZE);
	}
	*args->agreed = PROTOCOL_VERSION;
	*args->now = fake->epoch;
	args->client.data = fake->token;
	args->client.count = TOKEN_SIZE;
	args->common.data = common;
	for (size_t i = 0; i < args->ops.count; i++)
		if (is_known(fake, &args->ops.data[i]))
			common[args->common.count++] = args->ops.data[i];
	*args->head_max = 1 << 20;
	*args->payload_max = fake->payload_max;
	*args->load = fake->load;
	args->fate_text.data = fake->ended && args->epoch == fake->ended ? fake->fate_text : NULL;
	args->fate_text.size = sizeof(fake->fate_text);
	if (args->fate_text.data)
		*args->fate = status_to_wire(fake->fate);
	pthread_mutex_unlock(&fake->lock);
	if (joins && !known)
		turn_fail(turn, VACCEL_EACCES, "no client has this token", false);
	else
		turn_reply(turn, args);
}

static bool content_is_here(struct fake *fake, const struct vaccel_content *content)
{
	struct stored *stored = find_stored(fake, content->sha256.data, content->bytes.count);

	if (content->bytes.count && !stored->bytes) {
		stored->bytes = malloc(content->bytes.count);
		memcpy(stored->bytes, content->bytes.data, content->bytes.count);
		stored->size = stored->have = content->bytes.count;
	}
	return stored && stored->bytes && stored->have == content->size;
}

static void offer(struct fake *fake, struct vaccel_resource_offer_args *args)
{
	static _Thread_local uint32_t missing[CONTENTS_MAX];
	struct object *resource;

	for (size_t i = 0; i < args->contents.count; i++)
		if (!content_is_here(fake, &args->contents.data[i]))
			missing[args->missing.count++] = (uint32_t)i;
	args->missing.data = missing;
	*args->resource = 0;
	if (args->missing.count)
		return;
	resource = make(fake, fake->resource);
	resource->type = args->type;
	resource->nr = args->contents.count;
	for (size_t i = 0; i < args->contents.count; i++) {
		const struct vaccel_content *content = &args->contents.data[i];
		struct stored *stored = find_stored(fake, content->sha256.data, false);

		resource->name[i] = strdup(content->name);
		resource->in_memory[i] = content->in_memory;
		resource->size[i] = stored->size;
		resource->bytes[i] = malloc(stored->size + 1);
		memcpy(resource->bytes[i], stored->bytes, stored->size);
	}
	*args->resource = resource->id;
}

static void put(struct fake *fake, const struct vaccel_content_put_args *args)
{
	struct stored *stored = find_stored(fake, args->sha256.data, true);

	if (!stored->bytes) {
		stored->bytes = malloc((size_t)args->size + 1);
		stored->size = (size_t)args->size;
	}
	memcpy(stored->bytes + args->offset, args->bytes.data, args->bytes.count);
	stored->have = (size_t)args->offset + args->bytes.count;
}

static void set_registered(struct object *session, int64_t resource, bool is)
{
	size_t at = 0;

	while (at < session->nr && session->has[at] != resource)
		at++;
	if (is && at == session->nr && at < CONTENTS_MAX)
		session->has[session->nr++] = resource;
	if (!is && at < session->nr)
		memmove(&session->has[at], &session->has[at + 1],
			(--session->nr - at) * sizeof(session->has[0]));
}

static void registration(struct fake *fake, const struct vaccel_resource_register_args *args,
			 bool begins)
{
	struct object *session = find(fake->session, args->session);

	if (session)
		set_registered(session, args->resource, begins);
}

/* It is in no session any more. */
static bool release_resource(struct fake *fake, int64_t id)
{
	struct object *resource = find(fake->resource, id);

	if (!resource)
		return false;
	for (size_t i = 0; i < OBJECTS_MAX; i++)
		set_registered(&fake->session[i], id, false);
	drop(resource);
	return true;
}

static void sync_one(struct fake *fake, struct vaccel_resource_sync_args *args)
{
	struct object *resource = find(fake->resource, args->resource);

	args->bytes.count = 0;
	if (!resource || args->content >= resource->nr)
		return;
	args->bytes.data = resource->bytes[args->content];
	args->bytes.count = resource->size[args->content];
}

/* Returns whether the session or the resource was there. */
static bool control(struct fake *fake, uint32_t number, void *args)
{
	struct vaccel_session_update_args *update = args;
	struct vaccel_session_open_args *open = args;
	struct vaccel_session_close_args *close = args;
	struct vaccel_resource_release_args *release = args;
	struct vaccel_resource_retype_args *retype = args;
	struct object *object = NULL;

	switch (number) {
	case VACCEL_OP_SESSION_OPEN:
		object = make(fake, fake->session);
		object->hint = open->hint;
		*open->session = object->id;
		return true;
	case VACCEL_OP_SESSION_UPDATE:
		object = find(fake->session, update->session);
		if (object)
			object->hint = update->hint;
		return object;
	case VACCEL_OP_SESSION_CLOSE:
		object = find(fake->session, close->session);
		if (object)
			drop(object);
		return object;
	case VACCEL_OP_RESOURCE_OFFER:
		offer(fake, args);
		return true;
	case VACCEL_OP_CONTENT_PUT:
		put(fake, args);
		return true;
	case VACCEL_OP_RESOURCE_REGISTER:
		registration(fake, args, true);
		return true;
	case VACCEL_OP_RESOURCE_UNREGISTER:
		registration(fake, args, false);
		return true;
	case VACCEL_OP_RESOURCE_RELEASE:
		return release_resource(fake, release->resource);
	case VACCEL_OP_RESOURCE_SYNC:
		sync_one(fake, args);
		return true;
	case VACCEL_OP_RESOURCE_RETYPE:
		object = find(fake->resource, retype->resource);
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
		known = control(fake, (uint32_t)op->number, args);
	else
		known = find(fake->session, turn->message.frame.session);
	pthread_mutex_unlock(&fake->lock);
	if (!known) {
		turn_fail(turn, VACCEL_ESESS, "no such session", false);
		return;
	}
	run(op, args);
	turn_reply(turn, args);
}

/* Connections */

static int receive(struct turn *turn)
{
	struct pieces pieces = {0};
	int ret = link_receive(turn->link, FOREVER, &turn->message);
	size_t size = (size_t)turn->message.frame.payload_size;

	if (ret)
		return ret;
	if (!size)
		return VACCEL_OK;
	turn->payload = aligned_alloc(CODEC_ALIGN, size);
	pieces_add(&pieces, turn->payload, size);
	ret = link_receive_payload(turn->link, &pieces, FOREVER);
	pieces_release(&pieces);
	return ret;
}

static enum verdict take_turn(struct turn *turn)
{
	struct fake *fake = turn->fake;
	const struct vaccel_op *op = turn_op(turn);
	fake_script_fn *script;
	enum verdict verdict;
	void *context;

	pthread_mutex_lock(&fake->lock);
	fake->messages[turn->message.frame.kind]++;
	if (op && op != &vaccel_op_hello)
		fake->calls[op->number]++;
	script = fake->script;
	context = fake->context;
	pthread_cond_broadcast(&fake->changed);
	pthread_mutex_unlock(&fake->lock);
	verdict = script ? script(turn, context) : GO_ON;
	if (verdict == GO_ON)
		turn_go_on(turn);
	return verdict;
}

static void *serve(void *context)
{
	static const struct frame_limits limits = {UINT64_MAX / 4, UINT64_MAX / 4};
	struct connection *connection = context;
	struct fake *fake = connection->fake;
	struct turn turn = {
		.fake = fake, .connection = connection->number, .link = connection->link};
	enum verdict verdict = GO_ON;

	link_set_limits(turn.link, &limits);
	while (verdict != HANG_UP && !receive(&turn)) {
		verdict = take_turn(&turn);
		if (turn.message.fd >= 0)
			close(turn.message.fd);
		decoder_release(&turn.decoder);
		free(TAKE(turn.payload));
	}
	free(turn.payload);
	pthread_mutex_lock(&fake->lock);
	connection->link = NULL;
	if (!--fake->nr_open)
		drop_client(fake);
	pthread_cond_broadcast(&fake->changed);
	pthread_mutex_unlock(&fake->lock);
	link_delete(turn.link);
	return NULL;
}

static void take_connection(struct fake *fake, int fd)
{
	struct connection *connection;

	pthread_mutex_lock(&fake->lock);
	assert_true(fake->nr_connections < CONNECTIONS_MAX);
	connection = &fake->connection[fake->nr_connections++];
	*connection = (struct connection){.fake = fake, .number = fake->nr_connections};
	assert_int_equal(link_adopt(fake->parsed.carrier, fd, NULL, &connection->link), VACCEL_OK);
	fake->nr_open++;
	pthread_cond_broadcast(&fake->changed);
	pthread_mutex_unlock(&fake->lock);
	pthread_create(&connection->thread, NULL, serve, connection);
}

static void *accept_all(void *context)
{
	struct fake *fake = context;
	struct pollfd ready[] = {{.fd = fake->stop[0], .events = POLLIN},
				 {.fd = fake->listener, .events = POLLIN}};
	struct peer peer;
	int fd;

	for (;;) {
		poll(ready, 2, -1);
		if (ready[0].revents)
			return NULL;
		if (ready[1].revents && !address_accept(&fake->parsed, fake->listener, &peer, &fd))
			take_connection(fake, fd);
	}
}

void fake_listen(struct fake *fake, bool listens)
{
	if (listens) {
		assert_int_equal(address_listen(&fake->parsed, 0600, &fake->listener), VACCEL_OK);
		assert_int_equal(pipe(fake->stop), 0);
		pthread_create(&fake->accepting, NULL, accept_all, fake);
		return;
	}
	close(fake->stop[1]);
	pthread_join(fake->accepting, NULL);
	close(fake->stop[0]);
	address_unlisten(&fake->parsed, fake->listener);
}

struct fake *fake_start(void)
{
	struct fake *fake = calloc(1, sizeof(*fake));

	pthread_mutex_init(&fake->lock, NULL);
	pthread_cond_init(&fake->changed, NULL);
	snprintf(fake->directory, sizeof(fake->directory), "/tmp/vaccel-fake-XXXXXX");
	assert_non_null(mkdtemp(fake->directory));
	snprintf(fake->address, sizeof(fake->address), "unix://%s/agent.sock", fake->directory);
	assert_int_equal(address_parse(fake->address, &fake->parsed), VACCEL_OK);
	fake->epoch = 100;
	fake->payload_max = UINT64_C(1) << 30;
	fake_listen(fake, true);
	return fake;
}

void fake_disconnect(struct fake *fake)
{
	pthread_mutex_lock(&fake->lock);
	for (unsigned int i = 0; i < fake->nr_connections; i++)
		if (fake->connection[i].link)
			link_shut_down(fake->connection[i].link);
	while (fake->nr_open)
		pthread_cond_wait(&fake->changed, &fake->lock);
	pthread_mutex_unlock(&fake->lock);
}

void fake_restart(struct fake *fake, int fate, const char *words)
{
	pthread_mutex_lock(&fake->lock);
	fake->ended = fake->epoch++;
	fake->fate = fate;
	snprintf(fake->fate_text, sizeof(fake->fate_text), "%s", words);
	drop_client(fake);
	for (unsigned int i = 0; i < fake->nr_connections; i++)
		if (fake->connection[i].link)
			link_shut_down(fake->connection[i].link);
	pthread_mutex_unlock(&fake->lock);
}

void fake_stop(struct fake *fake)
{
	fake_listen(fake, false);
	fake_disconnect(fake);
	for (unsigned int i = 0; i < fake->nr_connections; i++)
		pthread_join(fake->connection[i].thread, NULL);
	for (size_t i = 0; i < OBJECTS_MAX; i++)
		free(fake->stored[i].bytes);
	address_release(&fake->parsed);
	rmdir(fake->directory);
	pthread_cond_destroy(&fake->changed);
	pthread_mutex_destroy(&fake->lock);
	free(fake);
}

/* Settings and questions */

const char *fake_address(const struct fake *fake)
{
	return fake->address;
}

#define SET(fake, member, value)                     \
	do {                                         \
		pthread_mutex_lock(&(fake)->lock);   \
		(fake)->member = (value);            \
		pthread_mutex_unlock(&(fake)->lock); \
	} while (0)

void fake_script(struct fake *fake, fake_script_fn *script, void *context)
{
	pthread_mutex_lock(&fake->lock);
	fake->script = script;
	fake->context = context;
	pthread_mutex_unlock(&fake->lock);
}

void fake_set_load(struct fake *fake, uint32_t load)
{
	SET(fake, load, load);
}

void fake_set_payload_max(struct fake *fake, uint64_t most)
{
	SET(fake, payload_max, most);
}

void fake_hide_op(struct fake *fake, const struct vaccel_op *op)
{
	SET(fake, lacks, op);
}

static void await_count(struct fake *fake, const unsigned int *count, unsigned int wanted,
			bool most)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	pthread_mutex_lock(&fake->lock);
	while (most ? *count > wanted : *count < wanted)
		if (pthread_cond_timedwait(&fake->changed, &fake->lock, &until))
			break;
	if (most ? *count > wanted : *count < wanted) {
		unsigned int there = *count;

		pthread_mutex_unlock(&fake->lock);
		fail_msg("%u where %u were awaited", there, wanted);
	}
	pthread_mutex_unlock(&fake->lock);
}

void fake_await_calls(struct fake *fake, const struct vaccel_op *op, unsigned int count)
{
	await_count(fake, &fake->calls[op->number], count, false);
}

void fake_await_messages(struct fake *fake, enum frame_kind kind, unsigned int count)
{
	await_count(fake, &fake->messages[kind], count, false);
}

void fake_await_connections(struct fake *fake, unsigned int count)
{
	await_count(fake, &fake->nr_open, count, true);
}

static unsigned int read_count(struct fake *fake, const unsigned int *count)
{
	SCOPED_LOCK(&fake->lock);

	return *count;
}

unsigned int fake_messages(struct fake *fake, enum frame_kind kind)
{
	return read_count(fake, &fake->messages[kind]);
}

unsigned int fake_calls(struct fake *fake, const struct vaccel_op *op)
{
	return read_count(fake, &fake->calls[op->number]);
}

unsigned int fake_connections(struct fake *fake)
{
	return read_count(fake, &fake->nr_open);
}

static unsigned int count_objects(struct fake *fake, const struct object *objects)
{
	unsigned int nr = 0;

	SCOPED_LOCK(&fake->lock);
	for (size_t i = 0; i < OBJECTS_MAX; i++)
		nr += objects[i].id != 0;
	return nr;
}

unsigned int fake_sessions(struct fake *fake)
{
	return count_objects(fake, fake->session);
}

unsigned int fake_resources(struct fake *fake)
{
	return count_objects(fake, fake->resource);
}

uint32_t fake_hint(struct fake *fake, int64_t session)
{
	SCOPED_LOCK(&fake->lock);
	const struct object *object = find(fake->session, session);

	return object ? object->hint : UINT32_MAX;
}

void fake_describe(struct fake *fake, int64_t id, char *text, size_t room)
{
	SCOPED_LOCK(&fake->lock);
	const struct object *resource = find(fake->resource, id);
	size_t end;

	end = (size_t)snprintf(text, room, "%d:", resource ? (int)resource->type : -1);
	for (size_t i = 0; resource && i < resource->nr && end < room; i++)
		end += (size_t)snprintf(text + end, room - end, "%s%s%s=%.*s", i ? "," : "",
					resource->name[i], resource->in_memory[i] ? "*" : "",
					(int)MIN_OF(resource->size[i], (size_t)20),
					resource->bytes[i]);
}

void fake_describe_session(struct fake *fake, int64_t id, char *text, size_t room)
{
	SCOPED_LOCK(&fake->lock);
	const struct object *session = find(fake->session, id);
	size_t end = 0;

	*text = '\0';
	for (size_t i = 0; session && i < session->nr && end < room; i++) {
		const struct object *resource = find(fake->resource, session->has[i]);

		end += (size_t)snprintf(text + end, room - end, "%s%d:%s", i ? "," : "",
					resource ? (int)resource->type : -1,
					resource && resource->nr ? resource->name[0] : "");
	}
}

void fake_change(struct fake *fake, int64_t id)
{
	SCOPED_LOCK(&fake->lock);
	struct object *resource = find(fake->resource, id);

	for (size_t i = 0; resource && i < resource->nr; i++)
		for (size_t at = 0; resource->in_memory[i] && at < resource->size[i]; at++)
			resource->bytes[i][at]++;
}
