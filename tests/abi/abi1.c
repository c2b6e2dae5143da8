// SPDX-License-Identifier: Apache-2.0
/*
 * A plugin as it was built against the first release of plugin ABI 1. It has its
 * own copy of all that it took from the headers then, and includes none now. It
 * must keep loading and working for as long as the ABI's number stays; a change
 * that breaks it needs another number, and a file of its own beside this one.
 * FROZEN_SIZE builds it as if fewer members had been known yet.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct frozen_info {
	const char *name;
	const char *version;
	const char *vaccel_version;
	unsigned int type;
	const char *sentence;
};

struct frozen_op {
	int number;
	const char *signature;
	void (*run)(void);
};

struct frozen_knob {
	const char *name;
	const char *fallback;
	const char *sentence;
	int type;
	int64_t least;
	int64_t most;
};

struct frozen_needs {
	const char *const *read_paths;
	const char *const *write_paths;
	const char *const *devices;
	const char *const *system_calls;
	bool jit;
	bool children;
};

struct frozen_plugin {
	size_t size;
	uint32_t abi;
	const struct frozen_info *info;
	const struct frozen_op *ops;
	size_t nr_ops;
	const struct frozen_knob *knobs;
	size_t nr_knobs;
	const struct frozen_needs *needs;
	int (*init)(void);
	void (*fini)(void);
	int (*run_any)(void *call, const void *op, void *args);
	bool (*supports)(void *call, const void *op, const void *args);
	int (*session_open)(void *sess, void **ret_slot);
	void (*session_close)(void *sess, void *slot);
	int (*resource_open)(void *resource, void **ret_slot);
	void (*resource_close)(void *resource, void *slot);
	int (*resource_sync)(void *sess, void *resource);
	void (*report)(void *report, void *context);
};

struct frozen_minmax_args {
	struct {
		const double *data;
		size_t count;
	} samples;
	int32_t n;
	int32_t low;
	int32_t high;
	struct {
		double *data;
		size_t count;
	} out;
	double *min;
	double *max;
	char end_;
};

struct frozen_class {
	uint32_t index;
	float probability;
	char *label;
};

struct frozen_classify_top_args {
	struct {
		const uint8_t *data;
		size_t count;
	} image;
	uint64_t k;
	struct {
		struct frozen_class *data;
		size_t count;
	} top;
	char end_;
};

int vaccel_fail(int code, const char *format, ...);
void *vaccel_call_out(void *call, void *member, size_t size);
int vaccel_call_session_slot(void *call, void **ret_slot);

static int opened;

static int frozen_init(void)
{
	opened = 1;
	return 0;
}

static int frozen_session_open(void *sess, void **ret_slot)
{
	*ret_slot = sess;
	return 0;
}

/* Tells in min whether init() was called, in max whether it has a slot for the session. */
static int frozen_minmax(void *call, struct frozen_minmax_args *args)
{
	void *slot = NULL;
	int ret = vaccel_call_session_slot(call, &slot);

	if (args->n < 0)
		return vaccel_fail(22, "n is %d", args->n);
	for (int32_t i = 0; i < args->n; i++)
		args->out.data[i] = args->samples.data[i] + args->low + args->high;
	*args->min = opened;
	*args->max = ret ? -ret : slot != NULL;
	return 0;
}

static int frozen_classify_top(void *call, struct frozen_classify_top_args *args)
{
	struct frozen_class *top = vaccel_call_out(call, &args->top, args->k * sizeof(*top) + 2);

	if (!top)
		return 12;
	for (uint64_t i = 0; i < args->k; i++) {
		top[i].index = (uint32_t)i;
		top[i].probability = args->image.data[0];
		top[i].label = (char *)(top + args->k);
	}
	top[0].label[0] = 'z';
	args->top.count = args->k;
	return 0;
}

static const struct frozen_info info = {"frozen", "7", FROZEN_VACCEL, 0x1, "was built long ago"};

static const struct frozen_op ops[] = {
	{22,
	 "minmax: IN SPAN f64 samples NONE; IN ONE i32 n NONE; IN ONE i32 low NONE;"
	 " IN ONE i32 high NONE; OUT SPAN f64 out NONE; OUT ONE f64 min NONE;"
	 " OUT ONE f64 max NONE;",
	 (void (*)(void))frozen_minmax},
	{67,
	 "image_classify_top: IN SPAN u8 image STABLE; IN ONE u64 k NONE;"
	 " OUT LIST class{ONE u32 index;ONE f32 probability;TEXT char label;} top GROWS;",
	 (void (*)(void))frozen_classify_top},
	/* Once an operation, of other arguments: it is left out, and the rest kept. */
	{0, "noop: IN ONE i32 pause NONE;", (void (*)(void))frozen_minmax},
	/* One that was taken back before it came out. */
	{120, "never:", (void (*)(void))frozen_minmax},
};

static const struct frozen_knob knobs[] = {{"VACCEL_FROZEN", "1", "a knob", 2, 0, 9}};

__attribute__((visibility("default"))) const struct frozen_plugin vaccel_plugin = {
	.size = FROZEN_SIZE,
	.abi = FROZEN_ABI,
	.info = &info,
	.ops = ops,
	.nr_ops = sizeof(ops) / sizeof(ops[0]),
	.knobs = knobs,
	.nr_knobs = 1,
	.init = frozen_init,
	.session_open = frozen_session_open,
};
