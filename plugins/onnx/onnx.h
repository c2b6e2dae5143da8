/* SPDX-License-Identifier: Apache-2.0 */
/* The plugin's settings and operations. */
#ifndef ONNX_ONNX_H
#define ONNX_ONNX_H

#include <vaccel/ops/image.h>
#include <vaccel/ops/onnx.h>
#include <vaccel/plugin.h>

#include "model/holder.h"
#include "vision/picture.h"

enum knob {
	KNOB_PROVIDERS,
	KNOB_THREADS,
	KNOB_CACHE,
	KNOB_MODEL_PATH,
	KNOB_MAX_PIXELS,
	KNOB_XDG_CACHE_HOME,
	KNOB_HOME,
	KNOB_COUNT
};

extern const struct vaccel_knob knobs[KNOB_COUNT];

/** How large a picture may be; as VACCEL_IMAGE_MAX_PIXELS was when the plugin was loaded. */
extern struct picture_limits limits;

/** For pictures, if the session has no model. From init() to fini(). */
extern struct holder *default_model;

int model_run(struct vaccel_call *call, struct vaccel_onnx_model_run_args *args);
int image_classify(struct vaccel_call *call, struct vaccel_image_classify_args *args);
int image_classify_top(struct vaccel_call *call, struct vaccel_image_classify_top_args *args);

#endif
