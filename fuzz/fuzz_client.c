// SPDX-License-Identifier: Apache-2.0
/*
 * Any bytes as the answers of an agent to the remote plugin, see hostile.h. The program
 * is one that the answers fit: it opens a session, and does each time what the next
 * message could be the answer to. Whatever comes, it gets an error or arguments that
 * are whole, nothing beside them is written, and no connection is left at the end.
 */
#include <stdlib.h>
#include <string.h>

#include <vaccel/error.h>
#include <vaccel/ops/minmax.h>
#include <vaccel/resource.h>

#include "base/util.h"
#include "call/call.h"
#include "hostile.h"
#include "probe.h"
#include "random_args.h"
#include "remote/call.h"
#include "remote/session.h"
#include "remote/settings.h"
#include "transport/control.h"

#define SEED	   7  /* of a program's arguments */
#define STEPS	   32 /* of one program */
#define TIMEOUT_NS (20 * SECOND)
#define SPIN_US	   20
#define SMALL	   5 /* bytes of a resource that go with its offer, and that do not */
#define LARGE	   10000
#define MANY	   4096 /* numbers, so that they go by shared memory */
#define TYPES	   3

static struct vaccel_resource *resources[TYPES];

struct program {
	struct vaccel_session sess;
	void *session;
	void *resources[TYPES];
};

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* Memory that no machine has is not had. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1:max_allocation_size_mb=64";
}

static void start(void)
{
	static char address[] = "unix:///nowhere";
	static unsigned char bytes[LARGE] = {'d', 'a', 't', 'a', 0xff};

	remote_changed_init();
	settings.addresses = address;
	settings.timeout_ns = TIMEOUT_NS;
	settings.spin_us = SPIN_US;
	for (int type = 0; type < TYPES; type++)
		require(!vaccel_resource_from_buf(&resources[type], bytes,
						  type == VACCEL_RESOURCE_MODEL ? LARGE : SMALL,
						  (vaccel_resource_type_t)type, "data", true));
}

static void open_program(struct program *program)
{
	*program = (struct program){.sess.id = 1};
	require(!servers_open() && !servers_resolve(0, FOREVER));
	server_next(NULL)->address.carrier = &hostile_carrier;
	for (int type = 0; type < TYPES; type++)
		require(!resource_open(resources[type], &program->resources[type]));
}

static void close_program(struct program *program)
{
	if (program->session)
		session_close(&program->sess, program->session);
	for (int type = 0; type < TYPES; type++)
		resource_close(resources[type], program->resources[type]);
	servers_close();
	require(hostile_is_alone());
}

static int use_resource(struct program *program, unsigned int type)
{
	return session_register(&program->sess, program->session, resources[type],
				program->resources[type]);
}

static int use_resources(struct program *program, const struct vaccel_op *op)
{
	int ret = VACCEL_OK;

	for (size_t i = 0; !ret && i < op->nr_fields; i++)
		if (op->fields[i].kind == VACCEL_KIND_RESOURCE)
			ret = use_resource(program, op->fields[i].resource_type);
	return ret;
}

static void call(struct program *program, const struct vaccel_op *op)
{
	struct random_args *made = random_args_new(op, SEED, resources);

	if (!use_resources(program, op) && !call_run(program->session, op, made->args))
		args_drop_outputs(op, made->args);
	require(random_args_intact(made));
	random_args_delete(made);
}

/* With arguments that go by shared memory. */
static void call_large(struct program *program)
{
	double *values = calloc(2 * MANY, sizeof(*values)), min, max;
	struct vaccel_minmax_args args = {
		.samples = {values, MANY},
		.n = MANY,
		.out = {values + MANY, MANY},
		.min = &min,
		.max = &max,
	};

	require(values);
	call_run(program->session, &vaccel_op_minmax, &args);
	require(args.out.count == MANY && args.out.data == values + MANY);
	free(values);
}

/* Of control operations those that a program can bring about. */
static void ask(struct program *program, uint32_t number)
{
	const unsigned int data = VACCEL_RESOURCE_DATA;

	if (number == VACCEL_OP_RESOURCE_OFFER)
		use_resource(program, VACCEL_RESOURCE_MODEL);
	else if (number == VACCEL_OP_RESOURCE_SYNC && !use_resource(program, data))
		session_sync(&program->sess, resources[data]);
	else if (number == VACCEL_OP_RESOURCE_UNREGISTER)
		session_unregister(&program->sess, program->session, resources[data],
				   program->resources[data]);
	else
		session_update(&program->sess, program->session, 0);
}

static void step(struct program *program, const struct frame *next)
{
	const struct vaccel_op *op = vaccel_op_by_number(next->op);

	if (next->kind == FRAME_REPLY && next->op >= CONTROL_FIRST)
		ask(program, next->op);
	else if (next->kind == FRAME_REPLY && op == &vaccel_op_minmax && next->session % 2)
		call_large(program);
	else
		call(program, next->kind == FRAME_REPLY && op ? op : vaccel_op_at(0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct program program;
	struct frame next;

	if (!resources[0])
		start();
	hostile_begin(data, size);
	open_program(&program);
	if (!session_open(&program.sess, &program.session)) {
		for (int i = 0; i < STEPS && hostile_next(&next); i++)
			step(&program, &next);
	}
	close_program(&program);
	return 0;
}
