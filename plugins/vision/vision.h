/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a plugin takes from here to answer all questions about pictures: it says
 * how its models are opened, and adds VISION_KNOBS and VISION_OPS to its tables.
 *
 *	static const struct vision_backend backend = {FORMAT_X, false, open_network, close_network};
 *
 *	static const struct vaccel_knob knobs[] = {..., VISION_KNOBS};
 *	static const struct vaccel_plugin_op ops[] = {..., VISION_OPS};
 *	VACCEL_PLUGIN(..., .supports = vision_supports, .resource_open = vision_resource_open,
 *		      .resource_close = vision_resource_close);
 *
 * with vision_init() in init() and vision_fini() in fini(). Each plugin has a copy
 * of this library for itself.
 */
#ifndef VISION_VISION_H
#define VISION_VISION_H

#include <vaccel/ops/image.h>
#include <vaccel/plugin.h>

#include "model/format.h"
#include "model/holder.h"
#include "vision/network.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct vision_backend - whose models they are
 * @format: of the models that it takes
 * @takes_unknown: it also takes those of which nothing is known, and says what is wrong
 * @open: loads a model, which the files may be written to disk for; a code, with words
 * @close: gives it back
 */
struct vision_backend {
	enum model_format format;
	bool takes_unknown;
	int (*open)(struct model_files *files, const struct network **ret_network);
	void (*close)(const struct network *network);
};

/* clang-format off */
#define VISION_KNOB_MODEL_PATH {"VACCEL_MODEL_PATH", NULL,                                                       \
	"directories of default models, ':' between them, each with TASK/model.json; then share/vaccel/models"}
#define VISION_KNOB_MAX_PIXELS {"VACCEL_IMAGE_MAX_PIXELS", "100000000",                                          \
	"largest picture that is decoded, in pixels", VACCEL_KNOB_NUMBER, 1, INT64_MAX}
/* clang-format on */

/** Rows for a plugin's table of knobs. */
#define VISION_KNOBS VISION_KNOB_MODEL_PATH, VISION_KNOB_MAX_PIXELS

/** Rows for a plugin's table of operations. */
#define VISION_OPS                                                                                \
	VACCEL_PLUGIN_OP(IMAGE_CLASSIFY, image_classify, vision_image_classify),                  \
		VACCEL_PLUGIN_OP(IMAGE_CLASSIFY_TOP, image_classify_top,                          \
				 vision_image_classify_top),                                      \
		VACCEL_PLUGIN_OP(IMAGE_DETECT_BOXES, image_detect_boxes,                          \
				 vision_image_detect_boxes),                                      \
		VACCEL_PLUGIN_OP(IMAGE_SEGMENT_MASK, image_segment_mask,                          \
				 vision_image_segment_mask),                                      \
		VACCEL_PLUGIN_OP(IMAGE_POSE_POINTS, image_pose_points, vision_image_pose_points), \
		VACCEL_PLUGIN_OP(IMAGE_DEPTH_MAP, image_depth_map, vision_image_depth_map)

/** vision_init() - 0, or ENOMEM. @backend stays until vision_fini(). */
int vision_init(const struct vision_backend *backend);
void vision_fini(void);

/** For the plugin's hooks of these names; @slot is a struct holder. */
bool vision_supports(struct vaccel_call *call, const struct vaccel_op *op, const void *args);
int vision_resource_open(struct vaccel_resource *resource, void **ret_slot);
void vision_resource_close(struct vaccel_resource *resource, void *slot);

/** vision_network() - the model that a call uses, as backend->open() gave it */
const struct network *vision_network(const struct use *use);

/**
 * vision_read_paths() - where default models are looked for, for the plugin's needs
 * @paths: takes as many as there is room for, valid until vision_fini()
 * @room: how many
 *
 * Return: how many there are.
 */
size_t vision_read_paths(const char **paths, size_t room);

/** vision_report() - which default models there are */
void vision_report(vaccel_plugin_report_fn *say, void *context);

int vision_image_classify(struct vaccel_call *call, struct vaccel_image_classify_args *args);
int vision_image_classify_top(struct vaccel_call *call,
			      struct vaccel_image_classify_top_args *args);
int vision_image_detect_boxes(struct vaccel_call *call,
			      struct vaccel_image_detect_boxes_args *args);
int vision_image_segment_mask(struct vaccel_call *call,
			      struct vaccel_image_segment_mask_args *args);
int vision_image_pose_points(struct vaccel_call *call, struct vaccel_image_pose_points_args *args);
int vision_image_depth_map(struct vaccel_call *call, struct vaccel_image_depth_map_args *args);

#ifdef __cplusplus
}
#endif

#endif
