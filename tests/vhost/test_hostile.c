// SPDX-License-Identifier: Apache-2.0
/*
 * The accelerator in a worker, with a guest and a front end that mean harm: rings that are none,
 * memory that changes while it is looked at, and what a lost worker is said to have left.
 */
#include "stand.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vaccel/error.h>
#include <vaccel/ops/noop.h>

#include "agent/vhost/ring.h"
#include "base/util.h"

/* Rings that are none */

struct nonsense {
	const char *name;
	void (*make)(struct front *front);
};

static void put_one(struct front *front, struct front_descriptor descriptor)
{
	struct front_queue *queue = &front->queues[0];

	queue->descriptors[0] = descriptor;
	queue->available[2] = 0;
	queue->available[1] = 1;
}

static void loop(struct front *front)
{
	void *memory = front_take(front, 4096);

	put_one(front, (struct front_descriptor){front_address(front, memory), 64, 1, 0});
}

static void beyond_the_table(struct front *front)
{
	void *memory = front_take(front, 4096);

	put_one(front, (struct front_descriptor){front_address(front, memory), 64, 1, 64});
}

static void outside(struct front *front)
{
	put_one(front, (struct front_descriptor){FRONT_GUEST - 8, 64, 0, 0});
}

static void past_the_end(struct front *front)
{
	put_one(front, (struct front_descriptor){FRONT_GUEST + FRONT_MEMORY - 8, 64, 0, 0});
}

static void around_zero(struct front *front)
{
	put_one(front, (struct front_descriptor){UINT64_MAX - 8, 64, 0, 0});
}

static void wrong_order(struct front *front)
{
	uint64_t address = front_address(front, front_take(front, 4096));

	front->queues[0].descriptors[1] = (struct front_descriptor){address, 64, 0, 0};
	put_one(front, (struct front_descriptor){address, 64, 3, 1});
}

static void no_room_for_a_status(struct front *front)
{
	put_one(front,
		(struct front_descriptor){front_address(front, front_take(front, 4096)), 64, 0, 0});
}

static void table(struct front *front, uint32_t size, uint16_t flags, uint16_t inner)
{
	struct front_descriptor *at = front_take(front, 65536);

	at[0] = (struct front_descriptor){front_address(front, at), 64, inner, 0};
	put_one(front, (struct front_descriptor){front_address(front, at), size, flags, 0});
}

static void table_in_a_table(struct front *front)
{
	table(front, 16, 4, 4);
}

static void loop_in_a_table(struct front *front)
{
	table(front, 32, 4, 1);
}

static void table_and_more(struct front *front)
{
	table(front, 16, 5, 0);
}

static void table_of_no_size(struct front *front)
{
	table(front, 0, 4, 0);
}

static void table_of_odd_size(struct front *front)
{
	table(front, 17, 4, 0);
}

static void table_too_large(struct front *front)
{
	table(front, 16 * (SEGMENTS_MAX + 1), 4, 0);
}

static void table_outside(struct front *front)
{
	put_one(front, (struct front_descriptor){FRONT_GUEST + FRONT_MEMORY - 8, 16, 4, 0});
}

static void jump(struct front *front)
{
	front->queues[0].available[1] = FRONT_SIZE + 1;
}

static void head_outside(struct front *front)
{
	front->queues[0].available[2] = FRONT_SIZE;
	front->queues[0].available[1] = 1;
}

static void twice(struct front *front)
{
	struct front_request request = {.header = {.type = 77}};

	/* The first one never ends, as the file's connection does not read on. */
	front_send(front, &request, NULL, 0, 0);
	front->queues[0].available[2 + 1] = 5;
	front->queues[0].descriptors[5] = (struct front_descriptor){0, 64, 1, 5};
	front->queues[0].available[1] = 2;
}

static const struct nonsense nonsense[] = {
	{"loop", loop},
	{"beyond", beyond_the_table},
	{"outside", outside},
	{"past", past_the_end},
	{"around", around_zero},
	{"order", wrong_order},
	{"status", no_room_for_a_status},
	{"table in table", table_in_a_table},
	{"loop in table", loop_in_a_table},
	{"table and more", table_and_more},
	{"table of no size", table_of_no_size},
	{"table of odd size", table_of_odd_size},
	{"table too large", table_too_large},
	{"table outside", table_outside},
	{"jump", jump},
	{"head", head_outside},
	{"twice", twice},
};

/* The queue is dead, another one lives, and so does the worker. */
static void test_nonsense(void **state)
{
	struct stand *stand = *state;

	for (size_t i = 0; i < ARRAY_SIZE(nonsense); i++) {
		struct front_request request = {
			.queue = 1,
			.header = {.type = TYPE_ECHO, .flags = FLAG_BEGIN | FLAG_END},
		};

		nonsense[i].make(&stand->front);
		front_kick(&stand->front, 0);
		front_send(&stand->front, &request, "x", 1, 1);
		if (front_answer(&stand->front, &request) != CODE_OK)
			fail_msg("%s", nonsense[i].name);
		stand_detach(stand);
		front_release(&stand->front);
		front_init(&stand->front);
		stand_attach(stand, true);
	}
	stand_call_often(stand);
}

/* A table of memory while a call runs: its answer goes where it was to go. */
static void test_memory_changes(void **state)
{
	struct stand *stand = *state;
	struct program program;
	struct gate gate;
	uint64_t request;

	gate_init(&gate);
	stand_connect(&program, stand, 4096);
	request = gate_send(&gate, &program, program_session(&program));
	gate_wait(&gate);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(
			update_send(stand->channel,
				    &(struct update){.kind = UPDATE_REGION,
						     .region = front_region(&stand->front, 1 - i)},
				    stand->front.fd, -1),
			VACCEL_OK);
	assert_int_equal(
		update_send(stand->channel, &(struct update){.kind = UPDATE_MEMORY}, -1, -1),
		VACCEL_OK);
	assert_int_equal(front_call(&stand->front, TYPE_CANCEL, 99, 1), CODE_OK);
	gate_open(&gate);
	assert_int_equal(gate_reply(&gate, &program, request), VACCEL_OK);
	gate_release(&gate);
	program_close(&program);
}

struct scribbler {
	struct front *front;
	_Atomic bool stop;
};

/* The guest writes all over its memory, rings too. */
static void *scribble(void *context)
{
	struct scribbler *scribbler = context;
	struct front *front = scribbler->front;
	unsigned int seed = 7;

	while (!scribbler->stop) {
		size_t at =
			((size_t)rand_r(&seed) << 8 ^ (size_t)rand_r(&seed)) % (front->taken / 4);

		((volatile uint32_t *)front->memory)[at] = (uint32_t)rand_r(&seed);
		if (rand_r(&seed) % 64 == 0)
			front_kick(front, 0);
	}
	return NULL;
}

static void test_memory_rewritten(void **state)
{
	struct stand *stand = *state;
	struct scribbler scribbler = {.front = &stand->front};
	pthread_t thread;

	for (int round = 0; round < 20; round++) {
		struct front_request request[8];

		scribbler.stop = false;
		pthread_create(&thread, NULL, scribble, &scribbler);
		for (unsigned int i = 0; i < ARRAY_SIZE(request); i++) {
			request[i] = (struct front_request){
				.header =
					{
						.type = TYPE_MESSAGE,
						.flags = FLAG_BEGIN | FLAG_END,
						.file = 1 + i % 2,
						.request = i + 1,
						.readable = 128,
						.writable = 100,
					},
			};
			unsigned char bytes[128] = "";

			frame_put(&(struct frame){.kind = FRAME_HELLO, .head_size = 64}, bytes);
			front_send(&stand->front, &request[i], bytes, 128, 100);
		}
		usleep(20000);
		scribbler.stop = true;
		pthread_join(thread, NULL);
		stand_detach(stand);
		front_release(&stand->front);
		front_init(&stand->front);
		stand_attach(stand, true);
	}
	stand_call_often(stand);
}

/* Chains that are right but for the moments in which they are something else. */

struct rewriter {
	struct front *front;
	_Atomic size_t from, to; /* of the memory in which requests lie */
	_Atomic bool stop;
};

static const uint64_t surprises[] = {
	0,
	1,
	FRONT_GUEST - 8,
	FRONT_GUEST + FRONT_MEMORY - 8,
	UINT64_MAX,
	UINT64_C(0xffffffff00000004),
	UINT64_C(0x0007000700000040),
	INT64_MAX,
};

/* Descriptors and rings, tables and headers, and sizes in messages: there and back. */
static void *rewrite(void *context)
{
	struct rewriter *rewriter = context;
	struct front *front = rewriter->front;
	char *rings = (char *)front->queues[0].descriptors;
	size_t ring_bytes = (size_t)((char *)front->queues[0].used - rings);
	unsigned int seed = 3;

	while (!rewriter->stop) {
		/* One may be of the last call and one of the next. */
		size_t from = rewriter->from, to = rewriter->to, size = to > from ? to - from : 0;
		bool in_ring = !size || rand_r(&seed) % 4 == 0;
		char *base = in_ring ? rings : front->memory + from;
		size_t at = (size_t)rand_r(&seed) % (in_ring ? ring_bytes : size) & ~(size_t)7;
		volatile uint64_t *there = (volatile uint64_t *)(base + at);
		uint64_t before = *there;

		*there = rand_r(&seed) % 2
				 ? surprises[(size_t)rand_r(&seed) % ARRAY_SIZE(surprises)]
				 : before ^ UINT64_C(1) << rand_r(&seed) % 64;
		for (int i = rand_r(&seed) % 300; i; i--)
			atomic_signal_fence(memory_order_seq_cst);
		*there = before;
		if (rand_r(&seed) % 16 == 0)
			front_kick(front, 0);
	}
	return NULL;
}

static void tell_memory(struct stand *stand)
{
	for (unsigned int i = 0; i < 2; i++)
		update_send(stand->channel,
			    &(struct update){.kind = UPDATE_REGION,
					     .region = front_region(&stand->front, i)},
			    stand->front.fd, -1);
	update_send(stand->channel, &(struct update){.kind = UPDATE_MEMORY}, -1, -1);
}

/* Answered or not, and however: but not for long. */
static void call_while_rewritten(struct stand *stand, struct rewriter *rewriter,
				 struct program *program, int64_t session)
{
	static const int32_t in[300] = {1};
	struct front_request request;
	int64_t until;

	stand_lend(stand, program, session, in, ARRAY_SIZE(in), &request);
	rewriter->from = (size_t)((char *)request.in - stand->front.memory);
	rewriter->to = stand->front.taken;
	until = time_now() + SECOND / 50;
	while (!front_is_done(&stand->front, 0, request.head) && time_now() < until)
		if (program->request % 5 == 0)
			tell_memory(stand);
}

static void rewrite_in_a_round(struct stand *stand)
{
	struct rewriter rewriter = {.front = &stand->front};
	struct program program;
	pthread_t thread;
	int64_t session;

	stand_connect(&program, stand, 4096);
	session = program_session(&program);
	stand->front.hostile = true;
	pthread_create(&thread, NULL, rewrite, &rewriter);
	for (int i = 0; i < 25; i++)
		call_while_rewritten(stand, &rewriter, &program, session);
	rewriter.stop = true;
	pthread_join(thread, NULL);
	stand_detach(stand);
	for (unsigned int i = 0; i < FRONT_QUEUES; i++)
		front_reset_queue(&stand->front, i);
	stand->front.hostile = false;
	stand_attach(stand, true);
	program_close(&program);
}

static void test_calls_rewritten(void **state)
{
	struct stand *stand = *state;

	for (int round = 0; round < 12; round++) {
		stand->front.indirect = round % 2;
		stand->front.spread = round % 4 == 3;
		rewrite_in_a_round(stand);
	}
	stand->front.spread = false;
	stand_call_often(stand);
}

/* Numbers that are used twice */

/* A PING with that number; a PONG with it comes back. */
static void ping(struct stand *stand, uint64_t number)
{
	struct front_request request = {
		.header =
			{
				.type = TYPE_MESSAGE,
				.flags = FLAG_BEGIN | FLAG_END,
				.file = stand->front.last_file,
				.request = ++stand->front.last_request,
				.readable = FRAME_SIZE,
				.writable = FRAME_SIZE,
			},
	};
	struct frame frame = {.kind = FRAME_PING, .request = number};
	unsigned char bytes[FRAME_SIZE];

	frame_put(&frame, bytes);
	front_send(&stand->front, &request, bytes, sizeof(bytes), FRAME_SIZE);
	assert_int_equal(front_answer(&stand->front, &request), CODE_OK);
	assert_int_equal(
		frame_get((unsigned char *)(request.out + 1), &(struct frame_limits){0, 0}, &frame),
		VACCEL_OK);
	assert_int_equal(frame.kind, FRAME_PONG);
	assert_int_equal(frame.request, number);
}

/* The answer to a call of a gate that lends: its outputs lie where it has lent room for them. */
static void expect_lent(struct stand *stand, struct front_request *request, uint64_t number,
			const struct gate *gate)
{
	struct frame frame;

	assert_int_equal(front_answer(&stand->front, request), CODE_OK);
	assert_int_equal(frame_get((unsigned char *)(request->out + 1),
				   &(struct frame_limits){4096, 4096}, &frame),
			 VACCEL_OK);
	assert_int_equal(frame.kind, FRAME_REPLY);
	assert_int_equal(frame.request, number);
	assert_int_equal(frame.status, VACCEL_OK);
	assert_int_equal(frame.payload_size, 0);
	assert_memory_equal((char *)(request->out + 1) + STAND_LENT_AT, gate->in, sizeof(gate->in));
}

/* A message's number is the program's: what comes by one that is in use is answered for itself. */
static void test_a_number_that_is_in_use(void **state)
{
	struct stand *stand = *state;
	struct front_request request;
	struct program program;
	struct gate gate;

	gate_init(&gate);
	stand_connect(&program, stand, 4096);
	stand_lend(stand, &program, program_session(&program), gate.in, 2, &request);
	gate_wait(&gate);
	ping(stand, program.request);
	assert_false(front_is_done(&stand->front, 0, request.head));
	gate_open(&gate);
	expect_lent(stand, &request, program.request, &gate);
	gate_release(&gate);
	program_close(&program);
}

/* The call's answer goes nowhere, whatever else has its number by then. */
static void test_the_number_of_a_call_without_a_chain(void **state)
{
	struct stand *stand = *state;
	_Atomic uint64_t *calls = stand->bed.worker.stats->calls[VACCEL_OP_FPGA_ARRAYCOPY];
	struct gate first, second;
	struct front_request request;
	struct program program;
	int64_t session;

	cancel_patience.alone = 0;
	gate_init(&first);
	gate_init(&second);
	stand_connect(&program, stand, 4096);
	session = program_session(&program);
	gate_send(&first, &program, session);
	gate_wait(&first);
	program_send_frame(&program, FRAME_CANCEL, program.request);
	program_expect_end(&program);
	program.request--;
	stand_lend(stand, &program, session, second.in, 2, &request);
	gate_wait(&second);
	gate_open(&first);
	while (!calls[0])
		usleep(1000);
	gate_open(&second);
	expect_lent(stand, &request, program.request, &second);
	program_close(&program);
	while (stand->bed.worker.stats->sessions)
		usleep(1000);
	gate_release(&first);
	gate_release(&second);
}

/* What a lost worker is said to have left, while that changes. */

static void *rewrite_inflight(void *context)
{
	struct rewriter *rewriter = context;
	size_t size = INFLIGHT_STRIDE(FRONT_SIZE);
	volatile uint16_t *memory =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, rewriter->front->inflight, 0);
	unsigned int seed = 5;

	while (!rewriter->stop) {
		size_t at = (size_t)rand_r(&seed) % (size / 2);

		/* Its size and version stay as they are most of the time, so that it is believed.
		 */
		if (at < offsetof(struct inflight_queue, last_finished) / 2 && rand_r(&seed) % 64)
			at = offsetof(struct inflight_queue, last_finished) / 2;
		memory[at] = (uint16_t)rand_r(&seed);
	}
	munmap((void *)memory, size);
	return NULL;
}

static void test_inflight_rewritten(void **state)
{
	struct stand *stand = *state;
	struct rewriter rewriter = {.front = &stand->front};
	pthread_t thread;

	pthread_create(&thread, NULL, rewrite_inflight, &rewriter);
	for (int round = 0; round < 200; round++) {
		struct front_request request = {
			.queue = 1,
			.header = {.type = TYPE_ECHO, .flags = FLAG_BEGIN | FLAG_END},
		};

		front_kick(&stand->front, 0);
		front_send(&stand->front, &request, "x", 1, 1);
		assert_int_equal(front_answer(&stand->front, &request), CODE_OK);
		stand_detach(stand);
		/* As if something had been given to the guest since it was written down. */
		stand->front.queues[0].used[1] = (uint16_t)(77 * round);
		stand_attach(stand, false);
	}
	rewriter.stop = true;
	pthread_join(thread, NULL);
	stand_detach(stand);
	for (unsigned int i = 0; i < FRONT_QUEUES; i++)
		front_reset_queue(&stand->front, i);
	stand_attach(stand, true);
	stand_call_often(stand);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, stand_setup, stand_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nonsense),
		TEST(test_memory_changes),
		TEST(test_memory_rewritten),
		TEST(test_calls_rewritten),
		TEST(test_a_number_that_is_in_use),
		TEST(test_the_number_of_a_call_without_a_chain),
		TEST(test_inflight_rewritten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
