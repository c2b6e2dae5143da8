// SPDX-License-Identifier: Apache-2.0
/* Agents that say nothing for a while: one that is busy is not one that is gone. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "channel_bed.h"
#include "remote/settings.h"
#include "remote/wait.h"
#include "transport/link.h"

/* By which the clock of what is heard may be late. */
#define TICK (10 * MILLISECOND)

/* For those who want to see an agent asked, and lost. */
static const struct patience hasty = {.ping_after = 50 * MILLISECOND,
				      .lost_after = 400 * MILLISECOND};

struct habits {
	bool answers_pings;
	unsigned int late; /* the answer comes with that PING to the fake; 0: never */
	struct frame asked;
};

static enum verdict be_silent(struct turn *turn, void *context)
{
	struct habits *habits = context;
	int64_t id = 7;
	const struct vaccel_session_open_args args = {.session = &id};

	if (turn_op(turn) == &vaccel_op_session_open) {
		habits->asked = turn->message.frame;
		return DONE;
	}
	if (turn->message.frame.kind != FRAME_PING)
		return GO_ON;
	if (habits->answers_pings)
		turn_go_on(turn);
	if (fake_messages(turn->fake, FRAME_PING) == habits->late) {
		turn->message.frame = habits->asked;
		turn_reply(turn, &args);
	}
	return DONE;
}

/* Longer than a silent one would be waited for. It is lost where it was kept from answering. */
#define LATE 12

static void test_one_that_answers_may_take_its_time(void **state)
{
	const int64_t pause = hasty.ping_after - TICK;
	struct habits habits = {.answers_pings = true};
	int64_t began, took;
	unsigned int before;
	int ret, tries = 0;

	patience = hasty;
	fake_script(fake, be_silent, &habits);
	do {
		assert_true(tries++ < TRIES);
		connect_anew();
		before = fake_messages(fake, FRAME_PING);
		habits.late = before + LATE;
		began = time_now();
		ret = ask();
	} while (ret == VACCEL_EREMOTEIO);
	took = time_now() - began;
	assert_int_equal(ret, VACCEL_OK);
	assert_true(took >= LATE * pause);
	assert_in_range(fake_messages(fake, FRAME_PING) - before, LATE, took / pause + 1);
	assert_false(channel->broken);
	fake_script(fake, NULL, NULL);
	patience.lost_after = SLACK;
	assert_int_equal(ask(), VACCEL_OK);
}

static void test_one_that_answers_no_ping_is_lost(void **state)
{
	struct habits habits = {0};
	int64_t began = time_now();

	patience = hasty;
	fake_script(fake, be_silent, &habits);
	assert_int_equal(ask(), VACCEL_EREMOTEIO);
	assert_non_null(strstr(vaccel_error_text(), "has not been heard of for"));
	assert_in_range(time_now() - began, 450 * MILLISECOND - TICK, 450 * MILLISECOND + SLACK);
	assert_true(channel->broken);
	hang_up_here();
	assert_int_equal(fake_messages(fake, FRAME_PING), 1);
}

/* Whatever an agent says, it lives. */
static void test_any_message_is_a_sign_of_life(void **state)
{
	struct habits habits = {.late = 1};

	patience.ping_after = hasty.ping_after;
	fake_script(fake, be_silent, &habits);
	assert_int_equal(ask(), VACCEL_OK);
	assert_int_equal(fake_messages(fake, FRAME_PING), 1);
	assert_false(channel->broken);
}

/* The program's time is over before it is known whether the agent lives. */
static void test_deadline_comes_first(void **state)
{
	struct habits habits = {0};
	int64_t began = time_now();

	patience = hasty;
	channel->until = began + 150 * MILLISECOND;
	fake_script(fake, be_silent, &habits);
	assert_int_equal(ask(), VACCEL_ETIMEDOUT);
	assert_in_range(time_now() - began, 150 * MILLISECOND, 150 * MILLISECOND + SLACK);
	assert_false(channel->broken);
	assert_int_not_equal(channel->owed, 0);
}

/*
 * Reads nothing more for some times as long as a silent one is left in peace, and answers when
 * that had been too long.
 */
static enum verdict read_slowly(struct turn *turn, void *context)
{
	const struct timespec a_while = {.tv_nsec = 900 * MILLISECOND},
			      less = {.tv_nsec = 50 * MILLISECOND};

	if (turn_op(turn) == &vaccel_op_content_put)
		nanosleep(&less, NULL);
	if (turn->message.frame.kind != FRAME_CANCEL)
		return GO_ON;
	nanosleep(&a_while, NULL);
	return DONE;
}

/* What a request takes on its way is no silence. */
static void test_request_that_takes_long_to_send(void **state)
{
	struct frame cancel = {.kind = FRAME_CANCEL, .request = 4711};
	size_t size = 16 << 20;
	unsigned char sha256[SHA256_SIZE] = {1}, *bytes = calloc(1, size);
	struct vaccel_content_put_args args = {
		.sha256 = {sha256, sizeof(sha256)}, .size = size, .bytes = {bytes, size}};
	struct request request = {.op = &vaccel_op_content_put, .args = &args, .fd = -1};
	unsigned int before;
	int tries = 0;

	patience.ping_after = 300 * MILLISECOND;
	fake_script(fake, read_slowly, NULL);
	do {
		assert_true(tries++ < TRIES);
		before = fake_messages(fake, FRAME_PING);
		assert_int_equal(link_send(channel->link, &cancel, NULL, NULL, -1, FOREVER),
				 VACCEL_OK);
		assert_int_equal(channel_ask(channel, &request), VACCEL_OK);
		/* With its answer, all that was sent before has been taken. */
		assert_int_equal(ask(), VACCEL_OK);
	} while (fake_messages(fake, FRAME_PING) != before);
	free(bytes);
}

static enum verdict answer_half(struct turn *turn, void *context)
{
	const struct frame frame = {.kind = FRAME_REPLY,
				    .op = turn->message.frame.op,
				    .request = turn->message.frame.request,
				    .head_size = 8};

	if (turn_op(turn) != &vaccel_op_session_open)
		return turn->message.frame.kind == FRAME_PING ? DONE : GO_ON;
	turn_frame(turn, &frame, NULL, NULL);
	return DONE;
}

static void test_silence_in_the_middle_of_an_answer(void **state)
{
	patience = hasty;
	fake_script(fake, answer_half, NULL);
	assert_int_equal(ask(), VACCEL_EREMOTEIO);
	assert_true(channel->broken);
	hang_up_here();
	/* One more where that half was late as well. */
	assert_in_range(fake_messages(fake, FRAME_PING), 1, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, channel_bed_begin, channel_bed_end)
	const struct CMUnitTest tests[] = {
		TEST(test_one_that_answers_may_take_its_time),
		TEST(test_one_that_answers_no_ping_is_lost),
		TEST(test_any_message_is_a_sign_of_life),
		TEST(test_deadline_comes_first),
		TEST(test_request_that_takes_long_to_send),
		TEST(test_silence_in_the_middle_of_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
