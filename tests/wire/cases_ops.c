// SPDX-License-Identifier: Apache-2.0
/* Operations of every shape: scalars, spans, texts, lists, tensors, arguments, resources, regions.
 */
#include <vaccel/op_headers.h>

#include "base/util.h"
#include "wire.h"

#define EPOCH 0x1112131415161718

/* A resource by its place among wire_resources[], whose addresses are known only as the test runs.
 */
static struct vaccel_noop_args noop;

static const double samples[] = {1, 2, 3};
static double clamped[] = {1, 2, 3}, min = 1, max = 3;
static struct vaccel_minmax_args minmax = {{samples, 3}, 3, -1, 7, {clamped, 3}, &min, &max, 0};

static const float a[] = {1, 2, 3, 4}, b[] = {0.5f, -0.25f, 1024, 0};
static float c[] = {1, 1, 1, 1};
static struct vaccel_blas_sgemm_args sgemm = {2,      2, 2,    1.5f,   {a, 4}, 2,
					      {b, 4}, 2, 0.5f, {c, 4}, 2,      0};
static struct vaccel_blas_sgemm_args sgemm_of_nothing = {.alpha = 1, .lda = 1, .ldb = 1, .ldc = 1};

static const uint8_t picture[] = {0x89, 'P', 'N', 'G', 0};
static char tags[64] = "99.90% seven";
static struct vaccel_image_classify_args classify = {.image = {picture, 5},
						     .text = {tags, sizeof(tags)}};
static struct vaccel_class classes[] = {{7, 0.875f, (char *)"seven"}, {1, 0.125f, (char *)""}};
static struct vaccel_image_classify_top_args classify_top = {{picture, 5}, 2, {classes, 2}, 0};
static struct vaccel_image_classify_top_args no_class = {{picture, 5}, 1, {NULL, 0}, 0};

static uint32_t map_width = 2, map_height = 1;
static uint16_t mask_pixels[] = {15, 0x1234};
static struct vaccel_area areas[] = {{15, 1, (char *)"person"}, {0x1234, 1, (char *)""}};
static struct vaccel_image_segment_mask_args segment_mask = {
	{picture, 5}, &map_width, &map_height, {mask_pixels, 2}, {areas, 2}, 0};
static struct vaccel_box boxes[] = {{2, 0.75f, 1.5f, 0, 20, 10.25f, (char *)"car"}};
static struct vaccel_image_detect_boxes_args detect_boxes = {{picture, 5}, {boxes, 1}, 0};

static int32_t whole = -5;
static uint8_t written[] = {1, 2, 3};
static struct vaccel_arg read_args[] = {
	{(char *)"abc", 4, VACCEL_ARG_STRING, 0, false},
	{&whole, 4, VACCEL_ARG_INT32, 0, false},
	{NULL, 0, VACCEL_ARG_RAW, 0, false},
	{wire_region + 64, 1000, VACCEL_ARG_RAW, 0, false},
};
static struct vaccel_arg write_args[] = {
	{written, 3, VACCEL_ARG_CUSTOM, 77, false},
	{wire_region + 2048, 16, VACCEL_ARG_RAW, 0, false},
};
static struct vaccel_exec_args exec = {"libx.so", "function", {read_args, 3}, {write_args, 1}, 0};
static struct vaccel_exec_args exec_shared = {
	"libx.so", "function", {read_args + 3, 1}, {write_args + 1, 1}, 0};
static struct vaccel_exec_args exec_nothing = {"libx.so", "function", {NULL, 0}, {NULL, 0}, 0};

static int32_t numbers[] = {-1, 2, INT32_MAX};
static struct vaccel_fpga_arraycopy_args copy = {{numbers, 3}, {numbers, 3}, 0};

static int64_t dims[] = {2, 1};
static uint8_t pixels[] = {5, 6};
static struct vaccel_tensor tensors[] = {
	{pixels, 2, false, 2, dims, VACCEL_TF_UINT8},
	{NULL, 0, false, 0, NULL, VACCEL_TF_FLOAT},
};
static struct vaccel_tf_node in_nodes[] = {{(char *)"in", -1}}, out_nodes[] = {{(char *)"", 2}};
static uint8_t status, bad_status = 3;
static struct vaccel_tf_model_run_args tf_run = {
	.in_nodes = {in_nodes, 1},
	.in = {tensors, 1},
	.out_nodes = {out_nodes, 1},
	.out = {tensors, 2},
	.status = &status,
	.message = {(char *)"fine", 5},
};
static struct vaccel_tf_model_run_args tf_failed = {
	.run_options = {pixels, 2},
	.out_nodes = {out_nodes, 1},
	.out = {tensors, 1},
	.status = &bad_status,
};
static struct vaccel_tf_model_run_args tf_fitting = {
	.in_nodes = {in_nodes, 1},
	.in = {tensors, 1},
	.out_nodes = {out_nodes, 1},
	.out = {tensors, 1},
	.status = &status,
	.message = {(char *)"", 1},
};
static struct vaccel_torch_model_run_args torch_run = {
	.run_options = {"x=1", 3}, .in = {tensors, 2}, .out = {tensors, 1}};
static struct vaccel_onnx_name name = {(char *)"input"};
static struct vaccel_onnx_model_run_args onnx_run = {
	.in_names = {&name, 1}, .in = {tensors, 1}, .out = {tensors, 1}};
static struct vaccel_tflite_model_run_args tflite_run = {.in = {tensors, 1}, .out = {tensors, 1}};
static struct vaccel_tflite_model_run_args tflite_told = {
	.in = {tensors, 2}, .out = {tensors, 1}, .status = &status};
static struct vaccel_onnx_model_load_args onnx_load;

/* What needs the address of a resource. */
__attribute__((constructor)) static void name_resources(void)
{
	struct vaccel_resource *model = wire_resources[VACCEL_RESOURCE_MODEL];

	tf_run.model = tf_failed.model = tf_fitting.model = torch_run.model = onnx_run.model =
		tflite_run.model = tflite_told.model = onnx_load.model = model;
}

#define CALL_FRAME(NAME)                  \
	.frame = {.kind = FRAME_CALL,     \
		  .op = VACCEL_OP_##NAME, \
		  .request = 2,           \
		  .session = 9,           \
		  .epoch = EPOCH}
#define REPLY_FRAME(NAME, code)           \
	.frame = {.kind = FRAME_REPLY,    \
		  .op = VACCEL_OP_##NAME, \
		  .request = 2,           \
		  .session = 9,           \
		  .status = code}
#define BOTH(text, NAME, name_, arguments)                                       \
	{.name = text " call",                                                   \
	 CALL_FRAME(NAME),                                                       \
	 .form = FORM_REQUEST,                                                   \
	 .op = &vaccel_op_##name_,                                               \
	 .args = (void *)&(arguments)},                                          \
	{                                                                        \
		.name = text " reply", REPLY_FRAME(NAME, 0), .form = FORM_REPLY, \
		.op = &vaccel_op_##name_, .args = (void *)&(arguments)           \
	}
#define FAILED(text, NAME, name_, arguments, code, sentence)                             \
	{                                                                                \
		.name = text, REPLY_FRAME(NAME, code), .form = FORM_FAILURE,             \
		.op = &vaccel_op_##name_, .args = (void *)(arguments), .words = sentence \
	}
#define REFUSED(text, NAME, name_, code, sentence)                                \
	{                                                                         \
		.name = text,                                                     \
		.frame = {.kind = FRAME_REPLY,                                    \
			  .op = VACCEL_OP_##NAME,                                 \
			  .request = 2,                                           \
			  .status = code},                                        \
		.form = FORM_FAILURE, .op = &vaccel_op_##name_, .words = sentence \
	}

const struct wire_case op_cases[] = {
	BOTH("noop", NOOP, noop, noop),
	BOTH("minmax", MINMAX, minmax, minmax),
	BOTH("blas_sgemm", BLAS_SGEMM, blas_sgemm, sgemm),
	BOTH("blas_sgemm of nothing", BLAS_SGEMM, blas_sgemm, sgemm_of_nothing),
	BOTH("image_classify without a picture's name", IMAGE_CLASSIFY, image_classify, classify),
	BOTH("image_classify_top", IMAGE_CLASSIFY_TOP, image_classify_top, classify_top),
	BOTH("image_classify_top that finds nothing", IMAGE_CLASSIFY_TOP, image_classify_top,
	     no_class),
	BOTH("image_detect_boxes", IMAGE_DETECT_BOXES, image_detect_boxes, detect_boxes),
	BOTH("image_segment_mask", IMAGE_SEGMENT_MASK, image_segment_mask, segment_mask),
	BOTH("exec with arguments", EXEC, exec, exec),
	BOTH("exec with arguments in a region", EXEC, exec, exec_shared),
	BOTH("exec without arguments", EXEC, exec, exec_nothing),
	BOTH("fpga_arraycopy", FPGA_ARRAYCOPY, fpga_arraycopy, copy),
	BOTH("onnx_model_load", ONNX_MODEL_LOAD, onnx_model_load, onnx_load),
	BOTH("onnx_model_run", ONNX_MODEL_RUN, onnx_model_run, onnx_run),
	BOTH("tf_model_run", TF_MODEL_RUN, tf_model_run, tf_run),
	BOTH("torch_model_run", TORCH_MODEL_RUN, torch_model_run, torch_run),
	BOTH("tflite_model_run without a status", TFLITE_MODEL_RUN, tflite_model_run, tflite_run),
	FAILED("exec failed", EXEC, exec, &exec, VACCEL_EBACKEND,
	       "exec: function 'function' returned 7"),
	FAILED("tf_model_run failed", TF_MODEL_RUN, tf_model_run, &tf_failed, VACCEL_EBACKEND,
	       "TensorFlow: no such node"),
	REFUSED("tf_model_run never ran", TF_MODEL_RUN, tf_model_run, VACCEL_EBUSY,
		"policy 'default' permits 8 calls at once and 32 waiting"),
	REFUSED("exec refused", EXEC, exec, VACCEL_EPERM, "policy 'default' permits no exec"),
	REFUSED("a session of an earlier epoch", NOOP, noop, VACCEL_ESESS, ""),
	BOTH("tf_model_run whose nodes fit", TF_MODEL_RUN, tf_model_run, tf_fitting),
	{.name = "tf_model_run that fails call",
	 CALL_FRAME(TF_MODEL_RUN),
	 .form = FORM_REQUEST,
	 .op = &vaccel_op_tf_model_run,
	 .args = &tf_failed},
	BOTH("tflite_model_run with a status", TFLITE_MODEL_RUN, tflite_model_run, tflite_told),
	{0},
};
