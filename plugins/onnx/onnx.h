/* SPDX-License-Identifier: Apache-2.0 */
/* The plugin's settings and operations. */
#ifndef ONNX_ONNX_H
#define ONNX_ONNX_H

#include <vaccel/ops/onnx.h>
#include <vaccel/plugin.h>

enum knob {
	KNOB_PROVIDERS,
	KNOB_THREADS,
	KNOB_CACHE,
	KNOB_XDG_CACHE_HOME,
	KNOB_HOME,
	KNOB_OF_VISION,
	KNOB_COUNT = KNOB_OF_VISION + 2
};

extern const struct vaccel_knob knobs[KNOB_COUNT];

int model_run(struct vaccel_call *call, struct vaccel_onnx_model_run_args *args);

#endif
