// SPDX-License-Identifier: Apache-2.0
#include "bed.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vaccel/core.h>
#include <vaccel/error.h>
#include <vaccel/ops/noop.h>
#include <vaccel/plugin.h>

#include "call/call.h"
#include "transport/carrier.h"

/* Long enough for a sanitizer on a machine that does other things. */
#define PATIENCE (60 * SECOND)

/* What waits when it is told to, and what answers all else. */
#define PLUGINS GATE_DIR "/libvaccel-gate.so:noop"

/* The worker */

void bed_init(struct bed *bed)
{
	struct policy *policy = &bed->setup.policy;

	memset(bed, 0, sizeof(*bed));
	*policy = default_policy;
	policy->name = strdup("default");
	policy->calls = 4;
	bed->setup.tenant = strdup("tester");
	bed->setup.epoch = EPOCH;
	bed->setup.log.level = VACCEL_LOG_ERROR;
	strcpy(bed->directory, "/tmp/vaccel-worker-XXXXXX");
	assert_non_null(mkdtemp(bed->directory));
	bed->setup.directory = strdup(bed->directory);
}

void bed_name(struct names *names, const char *name)
{
	names->at = reallocarray(names->at, names->count + 1, sizeof(*names->at));
	names->at[names->count++] = strdup(name);
}

static void *watch(void *context)
{
	struct bed *bed = context;
	struct pollfd fds[] = {
		{.fd = bed->stop[0], .events = POLLIN},
		{.fd = server_fd(bed->server), .events = POLLIN},
	};

	do {
		poll(fds, 2, server_watch(bed->server));
		atomic_fetch_add(&bed->looks, 1);
	} while (!fds[0].revents);
	return NULL;
}

void bed_watch(struct bed *bed)
{
	unsigned int enough = atomic_load(&bed->looks) + 4;

	while (atomic_load(&bed->looks) < enough)
		usleep(1000);
}

void bed_start_watcher(struct bed *bed)
{
	assert_int_equal(pipe(bed->stop), 0);
	assert_int_equal(pthread_create(&bed->watcher, NULL, watch, bed), 0);
}

void bed_stop_watcher(struct bed *bed)
{
	assert_int_equal(write(bed->stop[1], "x", 1), 1);
	pthread_join(bed->watcher, NULL);
	close(bed->stop[0]);
	close(bed->stop[1]);
}

void bed_start(struct bed *bed)
{
	struct vaccel_config config;
	struct stats *stats = calloc(1, sizeof(*stats));

	log_open(&bed->setup.log, STDERR_FILENO);
	assert_int_equal(vaccel_config_init(&config, PLUGINS, VACCEL_LOG_ERROR, NULL, false, false),
			 VACCEL_OK);
	assert_int_equal(vaccel_bootstrap_with_config(&config), VACCEL_OK);
	vaccel_config_release(&config);
	assert_int_equal(worker_init(&bed->worker, &bed->setup, stats), VACCEL_OK);
	assert_int_equal(server_new(&bed->worker, &bed->server), VACCEL_OK);
	bed_start_watcher(bed);
}

void bed_stop(struct bed *bed)
{
	struct stats *stats = bed->worker.stats;
	char command[128];

	bed_stop_watcher(bed);
	server_delete(bed->server);
	assert_int_equal(stats->connections, 0);
	assert_int_equal(stats->sessions, 0);
	assert_int_equal(stats->resources, 0);
	assert_int_equal(bed->worker.memory.used, 0);
	assert_int_equal(bed->worker.owing, 0);
	worker_release(&bed->worker);
	vaccel_cleanup();
	free(stats);
	snprintf(command, sizeof(command), "rm -rf %s", bed->directory);
	assert_int_equal(system(command), 0);
}

int bed_setup(void **state)
{
	bed_init(*state);
	bed_start(*state);
	return 0;
}

int bed_teardown(void **state)
{
	bed_stop(*state);
	return 0;
}

uint64_t bed_refused(const struct bed *bed, enum refusal refusal)
{
	return bed->worker.stats->refused[refusal];
}

/* Clients */

void program_open(struct program *program, struct bed *bed)
{
	struct connection *connection;
	struct link *link;
	int fds[2];

	memset(program, 0, sizeof(*program));
	program->epoch = EPOCH;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(link_adopt(&carrier_unix, fds[0], NULL, &link), VACCEL_OK);
	assert_int_equal(connection_new(&bed->worker, link, "a test", &bed->listener, &connection),
			 VACCEL_OK);
	server_add(bed->server, connection);
	assert_int_equal(link_adopt(&carrier_unix, fds[1], NULL, &program->link), VACCEL_OK);
	link_set_limits(program->link, &(struct frame_limits){1 << 24, UINT64_C(1) << 32});
	program->decoder.limits = (struct codec_limits){1 << 30, 1 << 16};
}

void program_close(struct program *program)
{
	link_delete(program->link);
	encoder_release(&program->encoder);
	decoder_release(&program->decoder);
}

static void send_as(struct program *program, struct frame *frame)
{
	frame->request = ++program->request;
	frame->head_size = program->encoder.head_size;
	assert_int_equal(link_send(program->link, frame, program->encoder.head,
				   &program->encoder.payload, -1, time_now() + PATIENCE),
			 VACCEL_OK);
}

void program_send(struct program *program, int64_t session, const struct vaccel_op *op,
		  const void *args)
{
	struct frame frame = {
		.kind = FRAME_CALL,
		.op = (uint32_t)op->number,
		.session = session,
		.epoch = program->epoch,
	};

	assert_int_equal(encode_request(&program->encoder, op, args), VACCEL_OK);
	send_as(program, &frame);
}

void program_send_frame(struct program *program, enum frame_kind kind, uint64_t request)
{
	struct frame frame = {.kind = kind, .request = request};

	assert_int_equal(link_send(program->link, &frame, NULL, NULL, -1, time_now() + PATIENCE),
			 VACCEL_OK);
}

void program_receive(struct program *program, struct message *ret_message)
{
	int ret = link_receive(program->link, time_now() + PATIENCE, ret_message);

	if (ret)
		fail_msg("nothing to receive: %s",
			 ret == VACCEL_EAGAIN ? "silence" : vaccel_error_text());
}

static int take_reply(struct program *program, const struct message *message,
		      const struct vaccel_op *op, void *args)
{
	const struct frame *frame = &message->frame;
	int ret;

	if (frame->status)
		ret = decode_failure(&program->decoder, op, message->head, (size_t)frame->head_size,
				     (size_t)frame->payload_size, args, program->words);
	else
		ret = decode_reply(&program->decoder, op, message->head, (size_t)frame->head_size,
				   (size_t)frame->payload_size, args);
	if (ret)
		fail_msg("%s", vaccel_error_text());
	assert_int_equal(link_receive_payload(program->link, &program->decoder.payload,
					      time_now() + PATIENCE),
			 VACCEL_OK);
	assert_int_equal(decode_reply_end(&program->decoder), VACCEL_OK);
	decoder_release(&program->decoder);
	return frame->status;
}

int program_reply(struct program *program, uint64_t request, const struct vaccel_op *op, void *args)
{
	struct message message;

	program_receive(program, &message);
	assert_int_equal(message.frame.kind, FRAME_REPLY);
	assert_int_equal(message.frame.request, request);
	assert_int_equal(message.frame.op, op->number);
	return take_reply(program, &message, op, args);
}

int program_call(struct program *program, int64_t session, const struct vaccel_op *op, void *args)
{
	program_send(program, session, op, args);
	return program_reply(program, program->request, op, args);
}

void program_expect_end(struct program *program)
{
	struct message message;

	assert_int_equal(link_receive(program->link, time_now() + PATIENCE, &message),
			 VACCEL_EREMOTEIO);
	assert_int_equal(message.frame.kind, 0);
}

int program_hello(struct program *program, const char *bearer, const unsigned char *token,
		  uint64_t epoch, uint32_t *ret_fate)
{
	struct vaccel_known_op known[VACCEL_OP_MAX];
	uint32_t agreed, spin_us, load, fate = 0;
	uint64_t now, head_max, payload_max, region_max;
	struct vaccel_hello_args args = {
		.version = PROTOCOL_VERSION,
		.program = "test",
		.token = {token, token ? TOKEN_SIZE : 0},
		.bearer = bearer,
		.epoch = epoch,
		.ops = {known, 0},
		.agreed = &agreed,
		.now = &now,
		.head_max = &head_max,
		.payload_max = &payload_max,
		.region_max = &region_max,
		.spin_us = &spin_us,
		.load = &load,
		.fate = &fate,
	};
	struct frame frame = {.kind = FRAME_HELLO};
	const struct vaccel_op *op;
	struct message message;
	int ret;

	for (size_t i = 0; (op = vaccel_op_at(i)); i++)
		known[args.ops.count++] = (struct vaccel_known_op){
			(uint32_t)op->number,
			vaccel_op_hash(op->signature) + (op->number == VACCEL_OP_EXEC)};
	assert_int_equal(encode_request(&program->encoder, &vaccel_op_hello, &args), VACCEL_OK);
	send_as(program, &frame);
	program_receive(program, &message);
	assert_int_equal(message.frame.kind, FRAME_WELCOME);
	assert_int_equal(message.frame.request, program->request);
	ret = take_reply(program, &message, &vaccel_op_hello, &args);
	if (ret)
		return ret;
	assert_int_equal(agreed, PROTOCOL_VERSION);
	assert_true(!program->epoch || now == program->epoch);
	program->epoch = now;
	assert_int_equal(args.common.count, args.ops.count - 1);
	assert_int_equal(args.client.count, TOKEN_SIZE);
	memcpy(program->token, args.client.data, TOKEN_SIZE);
	if (ret_fate)
		*ret_fate = fate;
	snprintf(program->words, sizeof(program->words), "%s", args.fate_text.data);
	args_drop_outputs(&vaccel_op_hello, &args);
	return VACCEL_OK;
}

void program_connect(struct program *program, struct bed *bed, const struct program *like)
{
	program_open(program, bed);
	assert_int_equal(
		program_hello(program, bed->listener.token, like ? like->token : NULL, 0, NULL),
		VACCEL_OK);
}

int64_t program_session(struct program *program)
{
	int64_t session = 0;
	struct vaccel_session_open_args args = {.session = &session};

	assert_int_equal(program_call(program, 0, &vaccel_op_session_open, &args), VACCEL_OK);
	assert_true(session > 0);
	return session;
}

int program_noop(struct program *program, int64_t session)
{
	struct vaccel_noop_args args = {0};

	return program_call(program, session, &vaccel_op_noop, &args);
}

/* The gate */

void gate_init(struct gate *gate)
{
	assert_int_equal(pipe(gate->started), 0);
	assert_int_equal(pipe(gate->go), 0);
	gate->in[0] = gate->started[1];
	gate->in[1] = gate->go[0];
	memset(gate->out, 0, sizeof(gate->out));
	gate->args = (struct vaccel_fpga_arraycopy_args){{gate->in, 2}, {gate->out, 2}};
}

void gate_release(struct gate *gate)
{
	for (int i = 0; i < 2; i++) {
		close(gate->started[i]);
		close(gate->go[i]);
	}
}

uint64_t gate_send(struct gate *gate, struct program *program, int64_t session)
{
	program_send(program, session, &vaccel_op_fpga_arraycopy, &gate->args);
	return program->request;
}

void gate_wait(struct gate *gate)
{
	char byte;

	assert_int_equal(read(gate->started[0], &byte, 1), 1);
}

void gate_open(struct gate *gate)
{
	assert_int_equal(write(gate->go[1], "g", 1), 1);
}

int gate_reply(struct gate *gate, struct program *program, uint64_t request)
{
	int ret = program_reply(program, request, &vaccel_op_fpga_arraycopy, &gate->args);

	if (!ret)
		assert_memory_equal(gate->out, gate->in, sizeof(gate->in));
	return ret;
}
