// SPDX-License-Identifier: Apache-2.0
#include "stand.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vaccel/error.h>
#include <vaccel/ops/fpga.h>

#include "agent/base/ipc.h"
#include "call/call.h"

void stand_attach(struct stand *stand, bool fresh)
{
	int ends[2];

	assert_int_equal(ipc_pair(ends), VACCEL_OK);
	stand->channel = ends[0];
	assert_int_equal(vhost_new(&stand->bed.worker, device_by_scheme("vhost-user"),
				   &stand->bed.listener, "a machine", ends[1], &stand->vhost),
			 VACCEL_OK);
	front_attach(&stand->front, stand->channel, fresh);
}

void stand_detach(struct stand *stand)
{
	close(stand->channel);
	vhost_delete(stand->vhost);
}

int stand_setup(void **state)
{
	struct stand *stand = calloc(1, sizeof(*stand));

	stand->lent_at = STAND_LENT_AT;
	bed_init(&stand->bed);
	bed_start(&stand->bed);
	front_init(&stand->front);
	stand_attach(stand, true);
	*state = stand;
	return 0;
}

int stand_teardown(void **state)
{
	struct stand *stand = *state;

	stand_detach(stand);
	bed_stop(&stand->bed);
	front_release(&stand->front);
	free(stand);
	return 0;
}

void stand_connect(struct program *program, struct stand *stand, size_t room)
{
	memset(program, 0, sizeof(*program));
	program->epoch = EPOCH;
	program->link = front_open(&stand->front, room);
	link_set_limits(program->link, &(struct frame_limits){1 << 24, UINT64_C(1) << 32});
	program->decoder.limits = (struct codec_limits){1 << 30, 1 << 16};
	assert_int_equal(program_hello(program, NULL, NULL, 0, NULL), VACCEL_OK);
}

void stand_call_often(struct stand *stand)
{
	struct program program;
	int64_t session;

	stand_connect(&program, stand, 4096);
	session = program_session(&program);
	for (int i = 0; i < 500; i++)
		assert_int_equal(program_noop(&program, session), VACCEL_OK);
	assert_int_equal(stand->bed.worker.stats->calls[VACCEL_OP_NOOP][0], 500);
	program_close(&program);
	while (stand->bed.worker.stats->sessions)
		usleep(1000);
}

static bool place_in_pages(void *context, const void *data, enum vaccel_dir dir,
			   struct payload *payload)
{
	const struct stand *stand = context;

	payload->place = PAYLOAD_PAGES;
	payload->region = dir == VACCEL_DIR_OUT;
	payload->offset = dir == VACCEL_DIR_OUT ? stand->lent_at : STAND_GAP;
	return true;
}

/* A request of arraycopy whose arguments are lent: message and array, room and array. */
void stand_lend(struct stand *stand, struct program *program, int64_t session, const int32_t *in,
		size_t count, struct front_request *ret_request)
{
	static int32_t out[1];
	const struct codec_hooks hooks = {.context = stand, .place = place_in_pages};
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
	size = FRAME_SIZE + encoder.head_size + STAND_GAP + bytes;
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
				.writable = stand->lent_at + bytes,
			},
	};
	front_send(&stand->front, ret_request, message, size, stand->lent_at + bytes);
	free(message);
}
