// SPDX-License-Identifier: Apache-2.0
/*
 * Plugins to be listed, chosen and refused by the tests of the loader; the build
 * makes several of this one source. Each answers minmax with its own number,
 * FAKE_NUMBER, so that a test sees who was asked.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <vaccel/ops/minmax.h>
#include <vaccel/ops/noop.h>
#include <vaccel/plugin.h>

#ifndef FAKE_VERSION
#define FAKE_VERSION VACCEL_VERSION
#endif

static int fake_minmax(struct vaccel_call *call, struct vaccel_minmax_args *args)
{
	memcpy(args->out.data, args->samples.data, (size_t)args->n * sizeof(double));
	*args->min = FAKE_NUMBER;
	*args->max = FAKE_NUMBER;
	return VACCEL_OK;
}

static const struct vaccel_plugin_info info = {
	.name = FAKE_NAME,
	.version = "1.2.3",
	.vaccel_version = FAKE_VERSION,
	.type = FAKE_TYPE,
	.sentence = "is there for tests",
};

#ifdef FAKE_REMOTE
/* Forwards everything; that is, it answers minmax as above and nothing else. */
static int fake_run_any(struct vaccel_call *call, const struct vaccel_op *op, void *args)
{
	if (op->number == VACCEL_OP_MINMAX)
		return fake_minmax(call, args);
	if (op->number == VACCEL_OP_NOOP)
		return VACCEL_OK;
	return vaccel_fail(VACCEL_ENOTSUP, "nobody there has '%s'", op->name);
}

/* Counts the sessions that are open at the far side. */
static int fake_session_open(struct vaccel_session *sess, void **ret_slot)
{
	sess->remote_id = 1000 + sess->id;
	*ret_slot = sess;
	return VACCEL_OK;
}

VACCEL_PLUGIN(.info = &info, .run_any = fake_run_any, .session_open = fake_session_open);
#else

static const struct vaccel_plugin_op ops[] = {
	VACCEL_PLUGIN_OP(MINMAX, minmax, fake_minmax),
};

#ifdef FAKE_INIT_CODE
static int fake_init(void)
{
#ifdef FAKE_SILENT
	return FAKE_INIT_CODE;
#else
	return vaccel_fail(FAKE_INIT_CODE, "the fake device is on holiday");
#endif
}
#elif defined(FAKE_SLOW)
/* Says that it is being loaded, and waits to be told to go on. */
static int fake_init(void)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/loading", vaccel_plugindir());
	close(open(path, O_WRONLY | O_CLOEXEC));
	snprintf(path, sizeof(path), "%s/go-on", vaccel_plugindir());
	close(open(path, O_RDONLY | O_CLOEXEC));
	return VACCEL_OK;
}
#else
#define fake_init NULL
#endif

#ifdef FAKE_PICKY
/* Takes no more than ten values. */
static bool fake_supports(struct vaccel_call *call, const struct vaccel_op *op, const void *args)
{
	return ((const struct vaccel_minmax_args *)args)->n <= 10;
}
#else
#define fake_supports NULL
#endif

static const struct vaccel_knob knobs[] = {
	{"VACCEL_FAKE_LEVEL", "3", "a number for tests", VACCEL_KNOB_NUMBER, 1, 9},
};

VACCEL_PLUGIN(.info = &info, .ops = ops, .nr_ops = sizeof(ops) / sizeof(ops[0]), .knobs = knobs,
	      .nr_knobs = 1, .init = fake_init, .supports = fake_supports);
#endif
