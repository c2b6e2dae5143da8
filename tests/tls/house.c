// SPDX-License-Identifier: Apache-2.0
/* See house.h. */
#include "house.h"

#include <poll.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "base/util.h"

static void *serve(void *context)
{
	struct house *house = context;

	house->ret = front_serve(&house->front);
	return NULL;
}

void house_tell(const struct house *house, enum ipc_kind kind, uint32_t listener, int fd)
{
	struct ipc_message message = {
		.kind = kind,
		.listener = listener,
		.carrier = "tls",
		.peer = "a client",
	};

	int ret;

	while ((ret = ipc_send(house->ipc, &message, fd)) == VACCEL_EAGAIN)
		socket_wait(house->ipc, POLLOUT, time_now() + PATIENCE_NS);
	assert_int_equal(ret, VACCEL_OK);
}

/* What the supervisor does with connections. */
static void *accept_all(void *context)
{
	struct house *house = context;
	const struct bed *bed = house->bed;

	for (;;) {
		struct pollfd polls[] = {{bed->listener, POLLIN, 0}, {house->stop[0], POLLIN, 0}};
		struct peer peer;
		int fd;

		assert_true(poll(polls, 2, -1) > 0);
		if (polls[1].revents)
			return NULL;
		while (!address_accept(&bed->address, bed->listener, &peer, &fd)) {
			if (house->keeps)
				house->kept = dup(fd);
			house_tell(house, IPC_CONNECTION, house->listener, fd);
			close(fd);
		}
	}
}

void house_tell_listener(const struct house *house, uint32_t number)
{
	struct listener_setup setup = {
		.cert = house->bed->agent.cert,
		.key = house->bed->agent.key,
		.client_ca = house->bed->ca.cert,
	};
	int fd;

	assert_int_equal(listener_setup_write(&setup, &fd), VACCEL_OK);
	house_tell(house, IPC_LISTENER, number, fd);
	close(fd);
}

void house_serve(struct house *house)
{
	assert_int_equal(pthread_create(&house->serving, NULL, serve, house), 0);
}

void house_open(struct house **ret_house, int64_t patience_ns)
{
	struct house *house = calloc(1, sizeof(*house));
	int ends[2];

	assert_non_null(house);
	bed_make((void **)&house->bed);
	assert_int_equal(ipc_pair(ends), VACCEL_OK);
	assert_int_equal(pipe(house->stop), 0);
	house->ipc = ends[0];
	house->theirs = ends[1];
	house->listener = LISTENER;
	house->kept = -1;
	assert_int_equal(front_open(&house->front, ends[1]), VACCEL_OK);
	house->front.stats = &house->stats;
	house->front.greeting.patience_ns = patience_ns;
	house->front.leaving.patience_ns = patience_ns;
	house_serve(house);
	assert_int_equal(pthread_create(&house->accepting, NULL, accept_all, house), 0);
	house_tell_listener(house, LISTENER);
	*ret_house = house;
}

int house_make(void **state)
{
	house_open((struct house **)state, PATIENCE_NS);
	return 0;
}

void house_stop_accepting(struct house *house)
{
	assert_int_equal(write(house->stop[1], "", 1), 1);
	pthread_join(house->accepting, NULL);
}

int house_drop(void **state)
{
	struct house *house = *state;

	house_stop_accepting(house);
	house_tell(house, IPC_DRAIN, 0, -1);
	pthread_join(house->serving, NULL);
	assert_int_equal(house->ret, VACCEL_OK);
	front_close(&house->front);
	closep(&house->kept);
	close(house->ipc);
	close(house->theirs);
	close(house->stop[0]);
	close(house->stop[1]);
	bed_drop((void **)&house->bed);
	free(house);
	return 0;
}

void house_wait_for_refusals(struct house *house, enum refusal reason, uint64_t count)
{
	int64_t until = time_now() + PATIENCE_NS;

	while (house->stats.refused[reason] != count) {
		assert_true(time_now() < until);
		poll(NULL, 0, 1);
	}
}

void relayed_open(struct house *house, struct relayed *ret_relayed)
{
	struct ipc_message message;

	assert_int_equal(link_connect(&house->bed->address, house->bed->tls,
				      time_now() + PATIENCE_NS, &ret_relayed->client),
			 VACCEL_OK);
	assert_int_equal(socket_wait(house->ipc, POLLIN, time_now() + PATIENCE_NS), 0);
	assert_int_equal(ipc_receive(house->ipc, false, &message, &ret_relayed->worker), VACCEL_OK);
	assert_int_equal(message.kind, IPC_PEER);
	assert_int_equal(message.listener, house->listener);
	assert_string_equal(message.text, "alice");
	assert_string_equal(message.peer, "a client");
	assert_true(ret_relayed->worker >= 0);
}

void relayed_close(struct relayed *relayed)
{
	link_delete(relayed->client);
	closep(&relayed->worker);
}
