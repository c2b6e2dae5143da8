// SPDX-License-Identifier: Apache-2.0
/* The module's operations: each tells TensorFlow's status as well. See module.h. */
#include "model/own.h"
#include "tf/engine.h"
#include "tf/state.h"

const struct vaccel_knob *knobs;

/* Tells TensorFlow's code, and of success its words, which are none. */
#define TELL(call, args, ret)                                                       \
	({                                                                          \
		char *words_;                                                       \
                                                                                    \
		*(args)->status = status_code();                                    \
		words_ = (ret) ? NULL : vaccel_call_out(call, &(args)->message, 1); \
		if (words_)                                                         \
			*words_ = '\0';                                             \
		(ret) ? (ret) : words_ ? VACCEL_OK : VACCEL_ENOMEM;                 \
	})

static int load(struct vaccel_call *call, struct vaccel_tf_model_load_args *args)
{
	int ret;

	status_begin();
	ret = holder_load(call, args->model);
	return TELL(call, args, ret);
}

static int unload(struct vaccel_call *call, struct vaccel_tf_model_unload_args *args)
{
	int ret;

	status_begin();
	ret = holder_unload(call, args->model);
	return TELL(call, args, ret);
}

static int run(struct vaccel_call *call, struct vaccel_tf_model_run_args *args)
{
	int ret;

	status_begin();
	ret = model_run(call, args);
	return TELL(call, args, ret);
}

static const struct tf_module module = {
	.kind = &model_kind,
	.load = load,
	.run = run,
	.unload = unload,
	.version = TF_Version,
	.count = engine_count,
	.count_own = state_count,
	.session_open = own_slot_open,
	.session_close = state_session_close,
};

__attribute__((visibility("default"))) tf_module_open_fn tf_module_open;

const struct tf_module *tf_module_open(const struct vaccel_knob *plugin_knobs)
{
	knobs = plugin_knobs;
	return &module;
}
