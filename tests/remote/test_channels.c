// SPDX-License-Identifier: Apache-2.0
/* Channels: what is not the answer that was asked for, and what happens while one is made. */
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "channel_bed.h"
#include "remote/settings.h"
#include "remote/wait.h"
#include "transport/link.h"

/* So many words lie before the second answer, which is there before it is asked for. */
#define WORDS 256

struct talker {
	unsigned int asked;
	sem_t has_talked;
};

static enum verdict talk(struct turn *turn, void *context)
{
	const struct frame pong = {.kind = FRAME_PONG};
	struct talker *talker = context;
	unsigned char words[WORDS * FRAME_SIZE];
	int64_t id = 7;
	const struct vaccel_session_open_args args = {.session = &id};

	if (turn_op(turn) != &vaccel_op_session_open)
		return GO_ON;
	if (talker->asked++)
		return DONE;
	turn_go_on(turn);
	for (size_t i = 0; i < WORDS; i++)
		frame_put(&pong, words + i * FRAME_SIZE);
	turn_write(turn, words, sizeof(words));
	turn->message.frame.request++;
	turn_reply(turn, &args);
	sem_post(&talker->has_talked);
	return DONE;
}

/* Listening ends with the time, also where there is always more to hear. */
static void test_one_that_talks_is_given_up_in_time(void **state)
{
	struct talker talker = {0};
	unsigned int looks = 1;

	sem_init(&talker.has_talked, 0, 0);
	fake_script(fake, talk, &talker);
	assert_int_equal(ask(), VACCEL_OK);
	sem_wait(&talker.has_talked);
	channel->until = time_now();
	assert_int_equal(ask(), VACCEL_ETIMEDOUT);
	assert_int_not_equal(channel->owed, 0);
	fake_await_messages(fake, FRAME_CANCEL, 1);
	/* Nor does one look at what is owed take all of it. */
	for (; !channel_settle(channel); looks++)
		assert_true(!channel->broken && looks < WORDS);
	assert_in_range(looks, 3, WORDS);
	assert_int_equal(channel->owed, 0);
	sem_destroy(&talker.has_talked);
}

static ssize_t read_always(struct link *link, const struct iovec *to, int nr, int64_t until,
			   int *ret_passed)
{
	return (ssize_t)to->iov_len;
}

/* Of an answer that nobody waits for any more, one look takes a bounded part. */
static void test_one_that_answers_for_ever(void **state)
{
	const uint64_t size = UINT64_C(1) << 36;

	channel->link->read = read_always;
	channel->link->payload_left = size;
	for (int i = 0; i < 3; i++) {
		uint64_t before = channel->link->payload_left;

		assert_false(channel_settle(channel));
		assert_in_range(before - channel->link->payload_left, 1, 16 << 20);
	}
	assert_false(channel->broken);
}

static enum verdict hang_up(struct turn *turn, void *context)
{
	return HANG_UP;
}

/* A carrier can know that what was sent has not been begun: it may be sent again. */
static void test_what_was_declined_counts_as_not_sent(void **state)
{
	int64_t id;
	struct vaccel_session_open_args args = {.session = &id};
	struct request request = {.op = &vaccel_op_session_open, .args = &args, .fd = -1};

	fake_script(fake, hang_up, NULL);
	channel->link->declined = true;
	assert_int_equal(channel_ask(channel, &request), VACCEL_EREMOTEIO);
	assert_int_equal(request.progress, NOT_SENT);
	assert_true(channel->broken && channel->leaving);
}

/* An agent asks as well. */
static enum verdict ask_back(struct turn *turn, void *context)
{
	const struct frame ping = {.kind = FRAME_PING, .request = 4711};

	if (turn_op(turn) == &vaccel_op_session_open)
		turn_frame(turn, &ping, NULL, NULL);
	return GO_ON;
}

static void test_agent_that_asks_is_answered(void **state)
{
	fake_script(fake, ask_back, NULL);
	assert_int_equal(ask(), VACCEL_OK);
	fake_await_messages(fake, FRAME_PONG, 1);
	assert_int_equal(fake_messages(fake, FRAME_PING), 0);
}

/* What comes after an answer */

struct afterthought {
	enum frame_kind kind;
	sem_t said;
};

static enum verdict add_a_word(struct turn *turn, void *context)
{
	struct afterthought *afterthought = context;
	const struct frame frame = {.kind = afterthought->kind, .request = 4711};

	if (turn_op(turn) != &vaccel_op_session_open)
		return GO_ON;
	turn_go_on(turn);
	turn_frame(turn, &frame, NULL, NULL);
	sem_post(&afterthought->said);
	return DONE;
}

/* Whether a channel can still be used once an answer was followed by that. */
static bool is_fresh_after(struct channel *used, enum frame_kind kind)
{
	struct afterthought afterthought = {.kind = kind};
	bool is_fresh;

	sem_init(&afterthought.said, 0, 0);
	fake_script(fake, add_a_word, &afterthought);
	used->until = FOREVER;
	assert_int_equal(ask_on(used), VACCEL_OK);
	sem_wait(&afterthought.said);
	fake_script(fake, NULL, NULL);
	is_fresh = channel_is_fresh(used, time_now() + SECOND);
	if (is_fresh)
		assert_int_equal(ask_on(used), VACCEL_OK);
	sem_destroy(&afterthought.said);
	return is_fresh;
}

static void test_words_after_an_answer(void **state)
{
	struct channel *first, *second;

	assert_int_equal(server_connect(&server, FOREVER, &first), VACCEL_OK);
	assert_int_equal(server_connect(&server, FOREVER, &second), VACCEL_OK);
	assert_true(is_fresh_after(first, FRAME_PONG));
	assert_true(is_fresh_after(first, FRAME_PING));
	fake_await_messages(fake, FRAME_PONG, 1);
	assert_false(is_fresh_after(first, FRAME_REPLY));
	assert_true(server.client == second->client && server.members == 1);
	assert_false(is_fresh_after(second, FRAME_GOAWAY));
	assert_true(server.client == 0);
}

/* Half of a PONG before one answer, and the other half before the next. */
static enum verdict halve(struct turn *turn, void *context)
{
	const struct frame frame = {.kind = FRAME_PONG, .request = 4711};
	unsigned char bytes[FRAME_SIZE];
	struct afterthought *afterthought = context;

	if (turn_op(turn) != &vaccel_op_session_open)
		return GO_ON;
	frame_put(&frame, bytes);
	if (afterthought->kind == FRAME_PONG) {
		turn_go_on(turn);
		turn_write(turn, bytes, FRAME_SIZE / 2);
		afterthought->kind = FRAME_PING;
	} else {
		turn_write(turn, bytes + FRAME_SIZE / 2, FRAME_SIZE / 2);
		turn_go_on(turn);
	}
	sem_post(&afterthought->said);
	return DONE;
}

static void test_half_a_word_after_an_answer(void **state)
{
	struct afterthought afterthought = {.kind = FRAME_PONG};
	struct channel *used;

	assert_int_equal(server_connect(&server, FOREVER, &used), VACCEL_OK);
	sem_init(&afterthought.said, 0, 0);
	fake_script(fake, halve, &afterthought);
	used->until = FOREVER;
	assert_int_equal(ask_on(used), VACCEL_OK);
	sem_wait(&afterthought.said);
	assert_true(channel_is_fresh(used, time_now() + SECOND));
	assert_int_equal(ask_on(used), VACCEL_OK);
	sem_wait(&afterthought.said);
	fake_script(fake, NULL, NULL);
	sem_destroy(&afterthought.said);
	used->broken = true;
	channel_give(used);
}

static ssize_t read_nothing(struct link *link, const struct iovec *to, int nr, int64_t until,
			    int *ret_passed)
{
	return -VACCEL_EAGAIN;
}

/* As over VirtIO, and a drive. */
static void test_end_that_is_not_read_at_once(void **state)
{
	struct channel *first;

	assert_int_equal(server_connect(&server, FOREVER, &first), VACCEL_OK);
	first->link->read = read_nothing;
	assert_true(channel_is_fresh(first, time_now() + SECOND));
	fake_disconnect(fake);
	assert_false(channel_is_fresh(first, time_now() + SECOND));
	assert_true(server.client == 0);
}

/* Connecting */

static enum verdict refuse(struct turn *turn, void *context)
{
	return turn->message.frame.kind == FRAME_HELLO ? HANG_UP : GO_ON;
}

/* One that takes no more connections is not lost as long as it answers on those that it has. */
static void test_agent_that_takes_no_more_connections(void **state)
{
	int64_t began = time_now(), time;
	struct channel *first, *second;

	assert_int_equal(server_connect(&server, FOREVER, &first), VACCEL_OK);
	fake_script(fake, refuse, NULL);
	assert_int_equal(server_connect(&server, FOREVER, &second), VACCEL_EREMOTEIO);
	assert_true(server.lost_at != 0);
	/* The clock of what is heard is some milliseconds late. */
	do {
		assert_int_equal(channel_ping(first, FOREVER, &time), VACCEL_OK);
		channel_give(first);
		assert_int_equal(server_channel(&server, FOREVER, &first), VACCEL_OK);
	} while (server.lost_at && time_now() - began < SLACK);
	assert_true(server.lost_at == 0 && server.retry_at != 0);
	first->broken = true;
	channel_give(first);
}

/* Up to half a minute, once it has been gone for longer than it is waited for. */
static void test_agent_that_is_gone_for_long(void **state)
{
	int64_t backoff = 10 * MILLISECOND;
	struct channel *none;

	fake_script(fake, refuse, NULL);
	for (; backoff < 2 * SECOND; backoff *= 2) {
		assert_int_equal(server_connect(&server, FOREVER, &none), VACCEL_EREMOTEIO);
		assert_true(server.backoff == (backoff < SECOND ? backoff : SECOND));
	}
	server.lost_at -= SERVER_PATIENCE;
	for (backoff = 2 * SECOND; backoff < 60 * SECOND; backoff *= 2) {
		assert_int_equal(server_connect(&server, FOREVER, &none), VACCEL_EREMOTEIO);
		assert_true(server.backoff == (backoff < 30 * SECOND ? backoff : 30 * SECOND));
	}
	assert_true(server.retry_at > time_now() + 20 * SECOND);
	fake_script(fake, NULL, NULL);
	assert_int_equal(server_connect(&server, FOREVER, &none), VACCEL_OK);
	assert_true(server.backoff == 0);
	none->broken = true;
	channel_give(none);
}

static struct server *reached;
static struct channel *found;

/* Another thread would do this, just then. */
static void find_it(struct link *link)
{
	fake_script(fake, NULL, NULL);
	assert_int_equal(server_connect(reached, FOREVER, &found), VACCEL_OK);
}

/* It is found while the failure of an attempt is on its way. */
static void test_agent_that_another_thread_finds(void **state)
{
	struct carrier carrier;
	struct channel *used;

	settings.addresses = strdup(fake_address(fake));
	assert_int_equal(servers_open(), VACCEL_OK);
	assert_int_equal(servers_reach(NULL, FOREVER, &used), VACCEL_OK);
	reached = used->server;
	carrier = *used->link->carrier;
	carrier.end = find_it;
	used->link->carrier = &carrier;
	channel_give(used);
	pthread_mutex_lock(&remote_lock);
	server_end_client(reached); /* the channel goes with the next attempt */
	pthread_mutex_unlock(&remote_lock);
	fake_script(fake, refuse, NULL);
	assert_int_equal(servers_reach(NULL, FOREVER, &used), VACCEL_OK);
	assert_true(used->client == found->client);
	channel_give(used);
	channel_give(found);
	servers_close();
	free(settings.addresses);
	settings.addresses = NULL;
}

static enum verdict ignore_mailboxes(struct turn *turn, void *context)
{
	return turn_op(turn) == &vaccel_op_mailbox_open ? DONE : GO_ON;
}

/* The agent may look into it or not: such a connection is of no use. */
static void test_mailbox_that_is_not_answered_for(void **state)
{
	const struct greeting greeting = {.epoch = 0};
	struct channel *second;
	unsigned int tries = 0;

	fake_set_region_max(fake, 1 << 20);
	fake_script(fake, ignore_mailboxes, NULL);
	settings.spin_us = 50;
	/* Its time may be over before there is a mailbox. */
	do {
		assert_true(tries++ < TRIES);
		assert_int_equal(channel_new(&server, &greeting, time_now() + 500 * MILLISECOND,
					     &second, &welcome),
				 VACCEL_ETIMEDOUT);
		fake_await_connections(fake, 1);
	} while (!fake_calls(fake, &vaccel_op_mailbox_open));
	settings.spin_us = 0;
	assert_int_equal(fake_calls(fake, &vaccel_op_mailbox_open), 1);
}

/* The client ends just when the agent has let one more connection join it. */
static enum verdict end_while_joining(struct turn *turn, void *context)
{
	if (turn->message.frame.kind != FRAME_HELLO || fake_messages(turn->fake, FRAME_HELLO) != 3)
		return GO_ON;
	pthread_mutex_lock(&remote_lock);
	turn_go_on(turn);
	server_end_client(&server);
	pthread_mutex_unlock(&remote_lock);
	return DONE;
}

static void test_client_that_ends_while_it_is_joined(void **state)
{
	struct channel *first, *second;
	uint64_t ended;

	assert_int_equal(server_connect(&server, FOREVER, &first), VACCEL_OK);
	ended = first->client;
	fake_script(fake, end_while_joining, NULL);
	assert_int_equal(server_connect(&server, FOREVER, &second), VACCEL_OK);
	/* What the agent has of that client goes, since no connection of it is kept. */
	assert_int_equal(fake_messages(fake, FRAME_HELLO), 4);
	assert_true(second->client != ended && second->client == server.client);
	assert_int_equal(server.members, 1);
	channel_give(first);
	assert_int_equal(server.members, 1);
	second->broken = true;
	channel_give(second);
	assert_true(server.client == 0);
	fake_await_connections(fake, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, channel_bed_begin, channel_bed_end)
	const struct CMUnitTest tests[] = {
		TEST(test_one_that_talks_is_given_up_in_time),
		TEST(test_one_that_answers_for_ever),
		TEST(test_what_was_declined_counts_as_not_sent),
		TEST(test_agent_that_asks_is_answered),
		TEST(test_words_after_an_answer),
		TEST(test_half_a_word_after_an_answer),
		TEST(test_end_that_is_not_read_at_once),
		TEST(test_agent_that_takes_no_more_connections),
		TEST(test_agent_that_is_gone_for_long),
		TEST(test_agent_that_another_thread_finds),
		TEST(test_mailbox_that_is_not_answered_for),
		TEST(test_client_that_ends_while_it_is_joined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
