// SPDX-License-Identifier: Apache-2.0
/* The accelerator in a worker, with a front end that does what it should, and one that does not. */
#include "bed.h"
#include "front.h"

#include <dirent.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vaccel/error.h>
#include <vaccel/ops/fpga.h>
#include <vaccel/ops/image.h>
#include <vaccel/ops/noop.h>

#include "agent/base/ipc.h"
#include "agent/vhost/ring.h"
#include "base/util.h"
#include "call/call.h"

struct stand {
	struct bed bed;
	struct front front;
	struct vhost *vhost;
	int channel;
};

static void attach(struct stand *stand, bool fresh)
{
	int ends[2];

	assert_int_equal(ipc_pair(ends), VACCEL_OK);
	stand->channel = ends[0];
	assert_int_equal(vhost_new(&stand->bed.worker, device_by_scheme("vhost-user"),
				   &stand->bed.listener, "a machine", ends[1], &stand->vhost),
			 VACCEL_OK);
	front_attach(&stand->front, stand->channel, fresh);
}

static void detach(struct stand *stand)
{
	close(stand->channel);
	vhost_delete(stand->vhost);
}

static int setup(void **state)
{
	struct stand *stand = calloc(1, sizeof(*stand));

	bed_init(&stand->bed);
	bed_start(&stand->bed);
	front_init(&stand->front);
	attach(stand, true);
	*state = stand;
	return 0;
}

static int teardown(void **state)
{
	struct stand *stand = *state;

	detach(stand);
	bed_stop(&stand->bed);
	front_release(&stand->front);
	free(stand);
	return 0;
}

static void connect_with_room(struct program *program, struct stand *stand, size_t room)
{
	memset(program, 0, sizeof(*program));
	program->epoch = EPOCH;
	program->link = front_open(&stand->front, room);
	link_set_limits(program->link, &(struct frame_limits){1 << 24, UINT64_C(1) << 32});
	program->decoder.limits = (struct codec_limits){1 << 30, 1 << 16};
	assert_int_equal(program_hello(program, NULL, NULL, 0, NULL), VACCEL_OK);
}

/* Messages */

static void test_echo(void **state)
{
	struct stand *stand = *state;
	struct front_request request = {
		.header = {.type = TYPE_ECHO, .flags = FLAG_BEGIN | FLAG_END, .request = 1},
	};

	front_send(&stand->front, &request, "hello", 5, 100);
	assert_int_equal(front_answer(&stand->front, &request), CODE_OK);
	assert_int_equal(request.status.used, 5);
	assert_memory_equal(request.out + 1, "hello", 5);
	assert_int_equal(request.written, sizeof(struct status) + 5);
	front_send(&stand->front, &request, "hello", 5, 3);
	assert_int_equal(front_answer(&stand->front, &request), CODE_OK);
	assert_int_equal(request.status.used, 3);
}

/* The work that a guest can ask for without a call has a bound, too. */
static void test_an_echo_that_is_too_large(void **state)
{
	struct stand *stand = *state;
	struct front_request request = {
		.header = {.type = TYPE_ECHO, .flags = FLAG_BEGIN | FLAG_END},
	};
	size_t most = 16 << 20;
	char *bytes = calloc(1, most + 1);

	detach(stand);
	stand->bed.worker.setup.policy.payload = 0;
	attach(stand, true);
	front_send(&stand->front, &request, bytes, most + 1, most + 1);
	assert_int_equal(front_answer(&stand->front, &request), CODE_BAD);
	free(bytes);
}

static void call_often(struct stand *stand)
{
	struct program program;
	int64_t session;

	connect_with_room(&program, stand, 4096);
	session = program_session(&program);
	for (int i = 0; i < 500; i++)
		assert_int_equal(program_noop(&program, session), VACCEL_OK);
	assert_int_equal(stand->bed.worker.stats->calls[VACCEL_OP_NOOP][0], 500);
	program_close(&program);
	while (stand->bed.worker.stats->sessions)
		usleep(1000);
}

static void test_calls(void **state)
{
	call_often(*state);
}

static void test_indirect_calls(void **state)
{
	struct stand *stand = *state;

	stand->front.indirect = true;
	call_often(stand);
}

static void copy_arrays(struct stand *stand, size_t room)
{
	static int32_t in[1 << 18], out[1 << 18];
	struct vaccel_fpga_arraycopy_args args = {{in, 1}, {out, 1}};
	struct program program;
	int64_t session;

	connect_with_room(&program, stand, room);
	session = program_session(&program);
	for (size_t i = 1; i < ARRAY_SIZE(in); i++)
		in[i] = (int32_t)i;
	for (size_t count = 1; count <= ARRAY_SIZE(in); count *= 8) {
		memset(out, 0, sizeof(out));
		args.a.count = args.out.count = count;
		assert_int_equal(program_call(&program, session, &vaccel_op_fpga_arraycopy, &args),
				 VACCEL_OK);
		assert_memory_equal(in, out, count * sizeof(in[0]));
	}
	program_close(&program);
}

static void test_payloads_both_ways(void **state)
{
	copy_arrays(*state, 2 << 20);
}

static void test_answers_larger_than_the_room(void **state)
{
	copy_arrays(*state, 256);
}

static void test_pieces_that_are_spread(void **state)
{
	struct stand *stand = *state;

	stand->front.indirect = stand->front.spread = true;
	copy_arrays(stand, 300);
}

static void test_outputs_that_grow(void **state)
{
	static const uint8_t picture[] = "not looked at";
	struct vaccel_image_classify_top_args args = {{picture, sizeof(picture)}, 1};
	struct program program;

	connect_with_room(&program, *state, 64);
	assert_int_equal(program_call(&program, program_session(&program),
				      &vaccel_op_image_classify_top, &args),
			 VACCEL_OK);
	assert_string_equal(args.top.data[0].label, "This is a dummy classification tag!");
	args_drop_outputs(&vaccel_op_image_classify_top, &args);
	program_close(&program);
}

static void test_two_files_at_once(void **state)
{
	struct program first, second;
	struct gate gate;
	uint64_t request;
	int64_t session;

	gate_init(&gate);
	connect_with_room(&first, *state, 4096);
	connect_with_room(&second, *state, 4096);
	request = gate_send(&gate, &first, program_session(&first));
	gate_wait(&gate);
	session = program_session(&second);
	assert_int_equal(program_noop(&second, session), VACCEL_OK);
	gate_open(&gate);
	assert_int_equal(gate_reply(&gate, &first, request), VACCEL_OK);
	gate_release(&gate);
	program_close(&first);
	program_close(&second);
}

static enum code say(struct stand *stand, uint64_t file, enum frame_kind kind, size_t size)
{
	struct front_request request = {
		.header =
			{
				.type = TYPE_MESSAGE,
				.flags = FLAG_BEGIN | FLAG_END,
				.file = file,
				.request = ++stand->front.last_request,
				.readable = size,
				.writable = 1000,
			},
	};
	unsigned char bytes[256] = "";

	frame_put(&(struct frame){.kind = kind,
				  .request = 1,
				  .head_size = size == FRAME_SIZE ? 0 : 64},
		  bytes);
	front_send(&stand->front, &request, bytes, size, 1000);
	return front_answer(&stand->front, &request);
}

static void test_cancel_of_what_waits(void **state)
{
	struct stand *stand = *state;
	struct program program[5];
	struct gate gate[5];
	uint64_t request[5];

	cancel_patience.alone = FOREVER;
	/* Four run, the fifth waits. */
	for (int i = 0; i < 5; i++) {
		int64_t session;

		gate_init(&gate[i]);
		connect_with_room(&program[i], stand, 4096);
		session = program_session(&program[i]);
		request[i] = gate_send(&gate[i], &program[i], session);
		if (i < 4)
			gate_wait(&gate[i]);
	}
	while (!queue_waiting(&stand->bed.worker.calls))
		usleep(1000);
	program_send_frame(&program[4], FRAME_CANCEL, request[4]);
	program_expect_end(&program[4]);
	for (int i = 0; i < 4; i++) {
		program_send_frame(&program[i], FRAME_CANCEL, request[i]);
		gate_open(&gate[i]);
		assert_int_equal(gate_reply(&gate[i], &program[i], request[i]), VACCEL_OK);
	}
	for (int i = 0; i < 5; i++) {
		gate_release(&gate[i]);
		program_close(&program[i]);
	}
}

static void test_cancel_of_what_runs(void **state)
{
	struct stand *stand = *state;
	struct program program, other;
	struct gate gate;
	uint64_t request;

	cancel_patience.alone = 0;
	gate_init(&gate);
	connect_with_room(&program, stand, 4096);
	request = gate_send(&gate, &program, program_session(&program));
	gate_wait(&gate);
	program_send_frame(&program, FRAME_CANCEL, request);
	program_expect_end(&program);
	/* It still runs; its file and others live. */
	assert_int_equal(say(stand, stand->front.last_file, FRAME_PING, FRAME_SIZE), CODE_OK);
	connect_with_room(&other, stand, 4096);
	assert_int_equal(program_noop(&other, program_session(&other)), VACCEL_OK);
	gate_open(&gate);
	program_close(&other);
	program_close(&program);
	while (stand->bed.worker.stats->sessions)
		usleep(1000);
	gate_release(&gate);
}

/* Lent pages */

/* Behind the message, and behind the beginning of the room. */
#define GAP	512
#define LENT_AT 4096

static bool place_in_pages(void *context, const void *data, enum vaccel_dir dir,
			   struct payload *payload)
{
	payload->place = PAYLOAD_PAGES;
	payload->region = dir == VACCEL_DIR_OUT;
	payload->offset = dir == VACCEL_DIR_OUT ? LENT_AT : GAP;
	return true;
}

/* A request of arraycopy whose arguments are lent: message and array, room and array. */
static void lend(struct stand *stand, struct program *program, int64_t session, const int32_t *in,
		 size_t count, struct front_request *ret_request)
{
	static int32_t out[1];
	const struct codec_hooks hooks = {.place = place_in_pages};
	struct vaccel_fpga_arraycopy_args args = {{in, count}, {out, count}};
	struct encoder encoder = {.hooks = &hooks};
	struct frame frame = {
		.kind = FRAME_CALL,
		.op = VACCEL_OP_FPGA_ARRAYCOPY,
		.request = ++program->request,
		.session = session,
		.epoch = EPOCH,
	};
	size_t bytes = (count * sizeof(*in) + 7) & ~(size_t)7;
	unsigned char *message;
	size_t size;

	assert_int_equal(encode_request(&encoder, &vaccel_op_fpga_arraycopy, &args), VACCEL_OK);
	assert_int_equal(encoder.payload.size, 0);
	frame.head_size = encoder.head_size;
	size = FRAME_SIZE + encoder.head_size + GAP + bytes;
	message = calloc(1, size);
	frame_put(&frame, message);
	memcpy(message + FRAME_SIZE, encoder.head, encoder.head_size);
	memcpy(message + size - bytes, in, count * sizeof(*in));
	encoder_release(&encoder);
	*ret_request = (struct front_request){
		.header =
			{
				.type = TYPE_MESSAGE,
				.flags = FLAG_BEGIN | FLAG_END,
				.file = stand->front.last_file,
				.request = ++stand->front.last_request,
				.readable = size,
				.writable = LENT_AT + bytes,
			},
	};
	front_send(&stand->front, ret_request, message, size, LENT_AT + bytes);
	free(message);
}

static void lend_arrays(struct stand *stand)
{
	static int32_t in[100000];
	struct front_request request;
	struct program program;
	struct frame frame;
	int64_t session;

	for (size_t i = 1; i < ARRAY_SIZE(in); i++)
		in[i] = (int32_t)(3 * i);
	connect_with_room(&program, stand, 4096);
	session = program_session(&program);
	for (size_t count = 1; count <= ARRAY_SIZE(in); count *= 10) {
		lend(stand, &program, session, in, count, &request);
		assert_int_equal(front_answer(&stand->front, &request), CODE_OK);
		assert_int_equal(frame_get((unsigned char *)(request.out + 1),
					   &(struct frame_limits){4096, 4096}, &frame),
				 VACCEL_OK);
		assert_int_equal(frame.status, VACCEL_OK);
		assert_int_equal(frame.payload_size, 0);
		assert_memory_equal((char *)(request.out + 1) + LENT_AT, in, count * sizeof(*in));
	}
	program_close(&program);
}

/* Only the worker's end could give back what such a call has, and that is asked for. */
static void test_cancel_of_what_is_lent(void **state)
{
	struct stand *stand = *state;
	struct pollfd poller = {.fd = stand->channel, .events = POLLIN};
	struct front_request request;
	struct program program;
	struct update update;
	struct gate gate;
	int fds[UPDATE_FDS];

	cancel_patience = (struct cancel_patience){.lent = 300 * MILLISECOND};
	gate_init(&gate);
	connect_with_room(&program, stand, 4096);
	lend(stand, &program, program_session(&program), gate.in, 2, &request);
	gate_wait(&gate);
	assert_int_equal(poll(&poller, 1, 0), 0);
	assert_int_equal(
		front_call(&stand->front, TYPE_CANCEL, request.header.file, request.header.request),
		CODE_OK);
	assert_int_equal(poll(&poller, 1, 60000), 1);
	assert_int_equal(update_receive(stand->channel, &update, fds), VACCEL_OK);
	assert_int_equal(update.kind, UPDATE_STUCK);
	assert_non_null(strstr(update.words, "canceled"));
	assert_false(front_is_done(&stand->front, 0, request.head));
	gate_open(&gate);
	assert_int_equal(front_answer(&stand->front, &request), CODE_OK);
	gate_release(&gate);
	program_close(&program);
}

static void test_lent_pages(void **state)
{
	lend_arrays(*state);
}

static void test_lent_pages_in_pieces(void **state)
{
	struct stand *stand = *state;

	stand->front.indirect = stand->front.spread = true;
	lend_arrays(stand);
}

/* Several chains */

static void test_several_chains(void **state)
{
	size_t cuts[] = {0, 10, 64, 1000, 3000, 0};
	struct stand *stand = *state;
	struct front_request whole, part;
	struct program program;
	int32_t in[1000];
	int64_t session;
	char *message;
	uint64_t used;
	size_t sent;

	for (size_t i = 0; i < ARRAY_SIZE(in); i++)
		in[i] = i ? (int32_t)(7 * i) : 1;
	connect_with_room(&program, stand, 4096);
	session = program_session(&program);
	/* What one chain says is taken apart. */
	lend(stand, &program, session, in, ARRAY_SIZE(in), &whole);
	assert_int_equal(front_answer(&stand->front, &whole), CODE_OK);
	message = (char *)(whole.in + 1);
	cuts[ARRAY_SIZE(cuts) - 1] = whole.in_size;
	whole.header.request = ++stand->front.last_request;
	for (size_t i = 0; i + 1 < ARRAY_SIZE(cuts); i++) {
		bool last = i + 2 == ARRAY_SIZE(cuts);

		part = (struct front_request){.header = whole.header};
		part.header.flags = (uint16_t)((i ? 0 : FLAG_BEGIN) | (last ? FLAG_END : 0));
		part.header.offset = cuts[i];
		front_send(&stand->front, &part, message + cuts[i], cuts[i + 1] - cuts[i],
			   last ? 100 : 0);
		assert_int_equal(front_answer(&stand->front, &part), CODE_OK);
		assert_int_equal(part.status.flags, last ? STATUS_MORE : 0);
	}
	assert_int_equal(part.written, sizeof(struct status) + 100);
	used = part.status.used;
	message = calloc(1, whole.room);
	memcpy(message, part.out + 1, 100);
	for (sent = 100; part.status.flags & STATUS_MORE; sent += 3000) {
		size_t room = MIN_OF((size_t)3000, whole.room - sent);

		part.header.flags = FLAG_ROOM;
		part.header.offset = sent;
		front_send(&stand->front, &part, NULL, 0, room);
		assert_int_equal(front_answer(&stand->front, &part), CODE_OK);
		memcpy(message + sent, part.out + 1, part.written - sizeof(struct status));
	}
	assert_memory_equal(message + LENT_AT, in, sizeof(in));
	/* Nothing else of the worker's memory came along. */
	for (size_t i = (size_t)used; i < LENT_AT; i++)
		assert_int_equal(message[i], 0);
	free(message);
	program_close(&program);
}

static void test_chains_out_of_order(void **state)
{
	struct stand *stand = *state;
	struct front_request part = {
		.header =
			{
				.type = TYPE_MESSAGE,
				.flags = FLAG_BEGIN,
				.file = 1,
				.request = 1,
				.readable = 1000,
			},
	};
	char bytes[1000] = "";

	front_send(&stand->front, &part, bytes, 100, 0);
	assert_int_equal(front_answer(&stand->front, &part), CODE_OK);
	part.header.flags = 0;
	part.header.offset = 200;
	front_send(&stand->front, &part, bytes, 100, 0);
	assert_int_equal(front_answer(&stand->front, &part), CODE_BAD);
	/* What still comes of it is answered alike. */
	part.header.flags = FLAG_END;
	part.header.offset = 100;
	front_send(&stand->front, &part, bytes, 900, 0);
	assert_int_equal(front_answer(&stand->front, &part), CODE_BAD);
	/* Larger than may be. */
	part.header.flags = FLAG_BEGIN;
	part.header.offset = 0;
	part.header.readable = UINT64_MAX;
	front_send(&stand->front, &part, bytes, 100, 0);
	assert_int_equal(front_answer(&stand->front, &part), CODE_BAD);
	part.header.readable = 1000;
	part.header.request = 2;
	front_send(&stand->front, &part, bytes, 100, 0);
	assert_int_equal(front_answer(&stand->front, &part), CODE_OK);
	assert_int_equal(front_call(&stand->front, TYPE_CANCEL, 1, 2), CODE_OK);
	part.header.flags = FLAG_END;
	part.header.offset = 100;
	front_send(&stand->front, &part, bytes, 900, 0);
	assert_int_equal(front_answer(&stand->front, &part), CODE_BAD);
}

/* Nonsense */

static void test_files_that_are_not_known(void **state)
{
	struct stand *stand = *state;

	assert_int_equal(say(stand, 9, FRAME_CALL, 128), CODE_STALE);
	assert_int_equal(say(stand, 9, FRAME_PING, 128), CODE_STALE);
	assert_int_equal(front_call(&stand->front, TYPE_CANCEL, 9, 1), CODE_OK);
	assert_int_equal(front_call(&stand->front, TYPE_CLOSE, 9, 0), CODE_OK);
}

static void test_messages_that_are_none(void **state)
{
	struct stand *stand = *state;
	struct front_request request = {
		.header = {.type = 77, .file = 1, .request = 1},
	};

	assert_int_equal(say(stand, 1, FRAME_CALL, 63), CODE_BAD);
	assert_int_equal(say(stand, 1, FRAME_CALL, 127), CODE_BAD);
	assert_int_equal(say(stand, 1, FRAME_GOAWAY, 128), CODE_BAD);
	assert_int_equal(say(stand, 0, FRAME_HELLO, 128), CODE_BAD);
	/* No HELLO in the head: words, and the file ends. */
	assert_int_equal(say(stand, 1, FRAME_HELLO, 128), CODE_OK);
	front_send(&stand->front, &request, NULL, 0, 0);
	assert_int_equal(front_answer(&stand->front, &request), CODE_BAD);
	request.header.type = TYPE_MESSAGE;
	request.header.flags = 0xffff;
	front_send(&stand->front, &request, NULL, 0, 0);
	assert_int_equal(front_answer(&stand->front, &request), CODE_BAD);
	request.header.flags = FLAG_ROOM;
	front_send(&stand->front, &request, NULL, 0, 0);
	assert_int_equal(front_answer(&stand->front, &request), CODE_STALE);
	request.header.type = TYPE_ECHO;
	front_send(&stand->front, &request, NULL, 0, 0);
	assert_int_equal(front_answer(&stand->front, &request), CODE_BAD);
}

/* Refused by its number before it has been read. */
static void test_a_hello_that_is_too_large(void **state)
{
	struct stand *stand = *state;
	const size_t size = FRAME_SIZE + 131072;
	unsigned char *bytes = calloc(1, size);
	struct front_request request = {
		.header =
			{
				.type = TYPE_MESSAGE,
				.flags = FLAG_BEGIN | FLAG_END,
				.file = 1,
				.request = 1,
				.readable = size,
				.writable = 1000,
			},
	};
	struct frame frame = {.kind = FRAME_HELLO, .request = 7, .head_size = 131072};

	frame_put(&frame, bytes);
	front_send(&stand->front, &request, bytes, size, 1000);
	assert_int_equal(front_answer(&stand->front, &request), CODE_OK);
	assert_int_equal(frame_get((unsigned char *)(request.out + 1),
				   &(struct frame_limits){1000, 1000}, &frame),
			 VACCEL_OK);
	assert_int_equal(frame.kind, FRAME_WELCOME);
	assert_int_equal(frame.status, VACCEL_EDQUOT);
	free(bytes);
}

/* Queues that stop, and workers that are lost */

static void test_stop_and_go_on(void **state)
{
	struct stand *stand = *state;
	uint16_t base;
	struct update update = {
		.kind = UPDATE_START,
		.size = FRONT_SIZE,
		.enabled = true,
		.features = VIRTIO_VERSION_1 | VIRTIO_INDIRECT | VIRTIO_EVENT_IDX,
	};

	for (int i = 0; i < 3; i++)
		assert_int_equal(front_call(&stand->front, TYPE_CANCEL, 9, 1), CODE_OK);
	front_stop(stand->channel, 0, &base);
	assert_int_equal(base, 3);
	update.base = base;
	update.addresses = front_addresses(&stand->front, 0);
	update.fresh = true;
	assert_int_equal(update_send(stand->channel, &update, dup(stand->front.queues[0].kick),
				     stand->front.queues[0].call),
			 VACCEL_OK);
	for (int i = 0; i < 100; i++)
		assert_int_equal(front_call(&stand->front, TYPE_CANCEL, 9, 1), CODE_OK);
}

static unsigned int open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int nr = 0;

	while (readdir(dir))
		nr++;
	closedir(dir);
	return nr;
}

static void expect_failure(struct stand *stand, const char *words)
{
	struct pollfd poller = {.fd = stand->channel, .events = POLLIN};
	struct update update;
	int fds[UPDATE_FDS];

	assert_int_equal(poll(&poller, 1, 60000), 1);
	assert_int_equal(update_receive(stand->channel, &update, fds), VACCEL_OK);
	assert_int_equal(update.kind, UPDATE_FAILED);
	assert_non_null(strstr(update.words, words));
}

/* What cannot start keeps nothing of what came with it. */
static void test_a_queue_that_starts_twice(void **state)
{
	struct stand *stand = *state;
	const struct update update = {
		.kind = UPDATE_START,
		.size = FRONT_SIZE,
		.addresses = front_addresses(&stand->front, 0),
	};
	unsigned int before;

	assert_int_equal(front_call(&stand->front, TYPE_CANCEL, 9, 1), CODE_OK);
	before = open_descriptors();
	for (int i = 0; i < 10; i++) {
		assert_int_equal(update_send(stand->channel, &update, stand->front.queues[0].kick,
					     stand->front.queues[0].call),
				 VACCEL_OK);
		expect_failure(stand, "too early");
	}
	assert_int_equal(open_descriptors(), before);
	call_often(stand);
}

/* Sizes whose sum is none are not mapped. */
static void test_memory_that_cannot_be_mapped(void **state)
{
	struct stand *stand = *state;
	struct update region = {
		.kind = UPDATE_REGION,
		.region = {.size = UINT64_MAX - 4095, .offset = 8192},
	};
	struct update inflight = {
		.kind = UPDATE_INFLIGHT,
		.inflight = {UINT64_MAX - 4095, 8192, 1, FRONT_SIZE, 0},
	};

	assert_int_equal(update_send(stand->channel, &region, stand->front.fd, -1), VACCEL_OK);
	expect_failure(stand, "too large to be mapped");
	for (unsigned int i = 0; i < FRONT_QUEUES; i++)
		front_stop(stand->channel, i, &(uint16_t){0});
	assert_int_equal(update_send(stand->channel, &inflight, stand->front.inflight, -1),
			 VACCEL_OK);
	expect_failure(stand, "cannot be mapped");
	inflight.inflight = (struct vhost_inflight){4096, 3, 1, FRONT_SIZE, 0};
	assert_int_equal(update_send(stand->channel, &inflight, stand->front.inflight, -1),
			 VACCEL_OK);
	expect_failure(stand, "cannot be mapped");
}

/* What the one before had taken: the inflight region says so, as it would have. */
static void test_a_lost_worker(void **state)
{
	struct stand *stand = *state;
	struct front *front = &stand->front;
	struct front_request lost[3] = {};
	struct inflight_queue *inflight;
	struct program program;

	connect_with_room(&program, stand, 4096);
	program_session(&program);
	detach(stand);
	inflight = mmap(NULL, INFLIGHT_STRIDE(FRONT_SIZE), PROT_READ | PROT_WRITE, MAP_SHARED,
			front->inflight, 0);
	for (unsigned int i = 0; i < 3; i++) {
		lost[i].header = (struct header){
			.type = TYPE_MESSAGE,
			.flags = FLAG_BEGIN | FLAG_END,
			.file = 1,
			.request = 100 + i,
			.readable = 64,
		};
		front_send(front, &lost[i], program.token, 64, 0);
		if (i == 2)
			break; /* it had not been taken */
		inflight->entries[lost[i].head].under_way = 1;
		inflight->entries[lost[i].head].counter = 1000 - i;
	}
	munmap(inflight, INFLIGHT_STRIDE(FRONT_SIZE));
	attach(stand, false);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(front_answer(front, &lost[i]), CODE_STALE);
	assert_int_equal(front_answer(front, &lost[2]), CODE_BAD);
	/* In the order in which they had come. */
	assert_int_equal(front->queues[0].used[2 + 4 * ((front->queues[0].seen - 3) % FRONT_SIZE)],
			 lost[1].head);
	/* The file is none any more: STALE, which a link's end stands for. */
	program_send(&program, 1, &vaccel_op_noop, &(struct vaccel_noop_args){0});
	program_expect_end(&program);
	program_close(&program);
}

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
		detach(stand);
		front_release(&stand->front);
		front_init(&stand->front);
		attach(stand, true);
	}
	call_often(stand);
}

/* A table of memory while a call runs: its answer goes where it was to go. */
static void test_memory_changes(void **state)
{
	struct stand *stand = *state;
	struct program program;
	struct gate gate;
	uint64_t request;

	gate_init(&gate);
	connect_with_room(&program, stand, 4096);
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
		detach(stand);
		front_release(&stand->front);
		front_init(&stand->front);
		attach(stand, true);
	}
	call_often(stand);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_echo),
		TEST(test_an_echo_that_is_too_large),
		TEST(test_calls),
		TEST(test_indirect_calls),
		TEST(test_payloads_both_ways),
		TEST(test_answers_larger_than_the_room),
		TEST(test_pieces_that_are_spread),
		TEST(test_outputs_that_grow),
		TEST(test_two_files_at_once),
		TEST(test_cancel_of_what_waits),
		TEST(test_cancel_of_what_runs),
		TEST(test_cancel_of_what_is_lent),
		TEST(test_lent_pages),
		TEST(test_lent_pages_in_pieces),
		TEST(test_several_chains),
		TEST(test_chains_out_of_order),
		TEST(test_files_that_are_not_known),
		TEST(test_messages_that_are_none),
		TEST(test_a_hello_that_is_too_large),
		TEST(test_stop_and_go_on),
		TEST(test_a_queue_that_starts_twice),
		TEST(test_memory_that_cannot_be_mapped),
		TEST(test_a_lost_worker),
		TEST(test_nonsense),
		TEST(test_memory_changes),
		TEST(test_memory_rewritten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
