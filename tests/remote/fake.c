// SPDX-License-Identifier: Apache-2.0
/*
 * See fake.h. One thread accepts, one for each connection answers. All that the fake
 * agent has is under one lock, which no message is waited for with.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <vaccel.h>

#include "fake_insides.h"

#define PATIENCE_S 60

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
	fake->nr_open--;
	leave_client(fake, &connection->client);
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

/* The port that the system chose stays the same from now on. */
static void note_port(struct fake *fake)
{
	if (!fake->parsed.host || fake->parsed.port)
		return;
	assert_int_equal(
		listener_text(&fake->parsed, fake->listener, fake->address, sizeof(fake->address)),
		VACCEL_OK);
	address_release(&fake->parsed);
	assert_int_equal(address_parse(fake->address, &fake->parsed), VACCEL_OK);
}

void fake_listen(struct fake *fake, bool listens)
{
	if (listens) {
		assert_int_equal(address_listen(&fake->parsed, 0600, &fake->listener), VACCEL_OK);
		note_port(fake);
		assert_int_equal(pipe(fake->stop), 0);
		pthread_create(&fake->accepting, NULL, accept_all, fake);
		return;
	}
	close(fake->stop[1]);
	pthread_join(fake->accepting, NULL);
	close(fake->stop[0]);
	address_unlisten(&fake->parsed, fake->listener);
}

struct fake *fake_start_at(const char *address)
{
	struct fake *fake = calloc(1, sizeof(*fake));

	pthread_mutex_init(&fake->lock, NULL);
	pthread_cond_init(&fake->changed, NULL);
	snprintf(fake->directory, sizeof(fake->directory), "/tmp/vaccel-fake-XXXXXX");
	assert_non_null(mkdtemp(fake->directory));
	if (address)
		snprintf(fake->address, sizeof(fake->address), "%s", address);
	else
		snprintf(fake->address, sizeof(fake->address), "unix://%s/agent.sock",
			 fake->directory);
	assert_int_equal(address_parse(fake->address, &fake->parsed), VACCEL_OK);
	fake->epoch = 100;
	fake->payload_max = UINT64_C(1) << 30;
	fake_listen(fake, true);
	return fake;
}

struct fake *fake_start(void)
{
	return fake_start_at(NULL);
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
	drop_clients(fake);
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

void fake_set_region_max(struct fake *fake, uint64_t most)
{
	SET(fake, region_max, most);
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
