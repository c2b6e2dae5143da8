/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plugin's two parts. TensorFlow reads variables of the environment as it is loaded,
 * and the plugin has some to set before: so what is linked to TensorFlow is a module,
 * tensorflow.so beside the plugin, which is loaded when that is done.
 */
#ifndef TF_MODULE_H
#define TF_MODULE_H

#include <vaccel/ops/tf.h>
#include <vaccel/plugin.h>

#include "model/holder.h"

enum knob { KNOB_THREADS, KNOB_TAGS, KNOB_SIGNATURE, KNOB_COUNT };

/**
 * struct tf_module - what the module has
 * @kind: how models come and go
 * @load: the operations; with TensorFlow's status told
 * @version: TensorFlow's
 * @count: how many models are loaded
 * @count_own: how many instances of them are sessions' own
 * @session_open, @session_close: the plugin's hooks
 */
struct tf_module {
	const struct holder_kind *kind;
	int (*load)(struct vaccel_call *call, struct vaccel_tf_model_load_args *args);
	int (*run)(struct vaccel_call *call, struct vaccel_tf_model_run_args *args);
	int (*unload)(struct vaccel_call *call, struct vaccel_tf_model_unload_args *args);
	const char *(*version)(void);
	size_t (*count)(void);
	size_t (*count_own)(void);
	int (*session_open)(struct vaccel_session *session, void **ret_slot);
	void (*session_close)(struct vaccel_session *session, void *slot);
};

/** What the module exports as tf_module_open: takes the plugin's knobs. */
typedef const struct tf_module *tf_module_open_fn(const struct vaccel_knob *knobs);

#endif
