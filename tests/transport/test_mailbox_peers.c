// SPDX-License-Identifier: Apache-2.0
/*
 * A mailbox whose other end does not take what is there, or is this test, which
 * writes what it likes into the memory and the socket.
 */
#include "pair.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"

/* Who does not take what is there */

static void test_a_slot_that_stays_full(void **state)
{
	struct pair *pair = *state;
	struct frame frame = {.kind = FRAME_PING};

	open_both(pair, 1);
	assert_int_equal(send_kind(pair->ends.client, FRAME_PING, 1), VACCEL_OK);
	pair->ends.client->patience_ns = 2 * MILLISECOND;
	assert_int_equal(link_send(pair->ends.client, &frame, NULL, NULL, -1, soon()),
			 VACCEL_EREMOTEIO);
	assert_int_equal(send_kind(pair->ends.client, FRAME_PING, 3), VACCEL_EREMOTEIO);
	/* What was sent before can still be read. */
	expect(pair->ends.agent, 1);
}

/* Who drains waits for nobody, and nothing that is under way is lost. */
static void test_goaway_overtakes(void **state)
{
	struct frame goaway = {.kind = FRAME_GOAWAY};
	struct pair *pair = *state;

	open_both(pair, 1);
	assert_int_equal(send_kind(pair->ends.agent, FRAME_PONG, 1), VACCEL_OK);
	assert_true(is_full(pair->to_client));
	assert_int_equal(link_send(pair->ends.agent, &goaway, NULL, NULL, -1, 0), VACCEL_OK);
	assert_true(pair->to_client->sent == FRAME_SIZE);
	assert_int_equal(next(pair->ends.client).frame.kind, FRAME_GOAWAY);
	expect(pair->ends.client, 1);
	/* Into an empty slot it goes like any other. */
	assert_int_equal(link_send(pair->ends.agent, &goaway, NULL, NULL, -1, 0), VACCEL_OK);
	assert_true(is_full(pair->to_client));
	assert_int_equal(next(pair->ends.client).frame.kind, FRAME_GOAWAY);
	assert_int_equal(send_kind(pair->ends.agent, FRAME_PONG, 2), VACCEL_OK);
	expect(pair->ends.client, 2);
}

static void *shut_down(void *context)
{
	struct link *link = context;
	const struct timespec moment = {.tv_nsec = 2 * MILLISECOND};

	nanosleep(&moment, NULL);
	link_shut_down(link);
	return NULL;
}

static void test_a_sender_that_is_shut_down(void **state)
{
	struct pair *pair = *state;
	pthread_t thread;

	open_both(pair, 1);
	assert_int_equal(send_kind(pair->ends.client, FRAME_PING, 1), VACCEL_OK);
	assert_int_equal(pthread_create(&thread, NULL, shut_down, pair->ends.client), 0);
	assert_int_equal(send_kind(pair->ends.client, FRAME_PING, 2), VACCEL_EREMOTEIO);
	assert_non_null(strstr(vaccel_error_text(), "at its end"));
	pthread_join(thread, NULL);
}

static void test_a_reader_that_is_gone(void **state)
{
	struct pair *pair = *state;

	open_both(pair, 1);
	assert_int_equal(send_kind(pair->ends.agent, FRAME_PONG, 1), VACCEL_OK);
	link_delete(TAKE(pair->ends.client));
	assert_int_equal(send_kind(pair->ends.agent, FRAME_PONG, 2), VACCEL_EREMOTEIO);
	assert_non_null(strstr(vaccel_error_text(), "closed"));
}

/* Hostile contents */

static void test_impossible_sizes(void **state)
{
	static const uint64_t sizes[] = {4040,
					 8192,
					 UINT32_MAX - 7,
					 UINT64_MAX - 71,
					 UINT64_MAX - 63,
					 UINT64_MAX - 7,
					 UINT64_C(1) << 63};
	struct message message;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct pair *pair = *state;
		struct ends ends = ends_open(pair->bed);

		memset(pair->memory, 0, MAILBOX_SIZE);
		assert_int_equal(link_use_mailbox(ends.agent, pair->memory, false, 1), VACCEL_OK);
		frame_put(&(struct frame){.kind = FRAME_CALL, .head_size = sizes[i]},
			  pair->to_agent->slot);
		/* Past what may be announced at all, or past the slot. */
		assert_int_equal(link_receive(ends.agent, soon(), &message),
				 sizes[i] > UINT64_MAX / 4 ? VACCEL_EDQUOT : VACCEL_EREMOTEIO);
		assert_non_null(strstr(vaccel_error_text(), "a message of"));
		/* It is at its end, and not asked again. */
		assert_int_equal(link_receive(ends.agent, soon(), &message), VACCEL_EREMOTEIO);
		assert_non_null(strstr(vaccel_error_text(), "at its end"));
		ends_close(&ends);
	}
}

static void test_nonsense_in_the_slot(void **state)
{
	struct pair *pair = *state;
	struct message message;

	assert_int_equal(link_use_mailbox(pair->ends.agent, pair->memory, false, 1), VACCEL_OK);
	memset(pair->to_agent->slot, 0x55, sizeof(pair->to_agent->slot));
	assert_int_equal(link_receive(pair->ends.agent, soon(), &message), VACCEL_EREMOTEIO);
	assert_int_equal(message.frame.kind, FRAME_KIND_END);
}

/* Numbers that say that there is more than there is keep nobody but who waits. */
static void test_counts_that_lie(void **state)
{
	static const uint64_t counts[] = {1, 4096, INT64_MAX, UINT64_MAX, UINT64_C(1) << 63};
	struct pair *pair = *state;
	struct message message;

	assert_int_equal(link_use_mailbox(pair->ends.agent, pair->memory, false, 1), VACCEL_OK);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		pair->to_agent->sent = counts[i];
		assert_int_equal(
			link_receive(pair->ends.agent, time_now() + 2 * MILLISECOND, &message),
			VACCEL_EAGAIN);
	}
}

/* In a process of its own, as a peer's are: the rules of memory that threads share are not for it.
 */
static void rage(volatile struct half *half)
{
	unsigned char frame[FRAME_SIZE];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (uint32_t i = 0;; i++) {
		struct frame lie = {
			.kind = i % 3 ? FRAME_PING : FRAME_CALL,
			.head_size = i % 5 ? 0 : (uint64_t)i * 8,
			.payload_size = i % 7 ? 0 : UINT64_MAX - 7 - i % 4096 * 8,
		};

		frame_put(&lie, frame);
		for (size_t j = 0; j < sizeof(frame); j++)
			half->slot[j] = frame[j];
		half->asleep = i;
		half->sent += i % 11 ? 0 : i;
	}
}

/* Whatever is read was copied once: what it says cannot change after it was checked. */
static void test_a_slot_that_changes_while_it_is_read(void **state)
{
	struct pair *pair = *state;
	pid_t vandal = fork();

	assert_true(vandal >= 0);
	if (!vandal)
		rage(pair->to_agent);
	for (int i = 0; i < 300; i++) {
		struct ends ends = ends_open(pair->bed);
		int ret = VACCEL_OK;

		assert_int_equal(link_use_mailbox(ends.agent, pair->memory, false, 1), VACCEL_OK);
		for (int j = 0; j < 1000 && !ret; j++) {
			struct message message;

			ret = link_receive(ends.agent, 0, &message);
			if (!ret && message.frame.payload_size)
				ret = link_skip_payload(ends.agent, 0);
			assert_in_range(ret, 0, VACCEL_EDQUOT);
		}
		ends_close(&ends);
	}
	kill(vandal, SIGKILL);
	assert_int_equal(waitpid(vandal, NULL, 0), vandal);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_make, pair_drop)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_a_slot_that_stays_full),
		TEST(test_goaway_overtakes),
		TEST(test_a_sender_that_is_shut_down),
		TEST(test_a_reader_that_is_gone),
		TEST(test_impossible_sizes),
		TEST(test_nonsense_in_the_slot),
		TEST(test_counts_that_lie),
		TEST(test_a_slot_that_changes_while_it_is_read),
	};

	return cmocka_run_group_tests_name("mailbox peers", tests, NULL, NULL);
}
