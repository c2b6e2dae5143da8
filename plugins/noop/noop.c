// SPDX-License-Identifier: Apache-2.0
/*
 * Answers every operation at once, with what vAccel 0.8's noop plugin answers:
 * for measuring what a call costs without the work, and for trying a set-up
 * out. No function does more than it must. Where 0.8 would have read or written
 * past an array, the answer is an error instead.
 */
#include <string.h>

#include <vaccel/ops/blas.h>
#include <vaccel/ops/exec.h>
#include <vaccel/ops/fpga.h>
#include <vaccel/ops/image.h>
#include <vaccel/ops/minmax.h>
#include <vaccel/ops/noop.h>
#include <vaccel/ops/onnx.h>
#include <vaccel/ops/opencv.h>
#include <vaccel/ops/tf.h>
#include <vaccel/ops/tflite.h>
#include <vaccel/ops/torch.h>
#include <vaccel/plugin.h>

static const char tag[] = "This is a dummy classification tag!";
static const char image_name[] = "This is a dummy imgname!";

/* Cuts the text to the room there is, as snprintf does. */
static void answer(char *room, size_t size, const char *text, size_t text_size)
{
	if (size >= text_size) {
		memcpy(room, text, text_size);
	} else if (size) {
		memcpy(room, text, size - 1);
		room[size - 1] = '\0';
	}
}

static int noop(struct vaccel_call *call, struct vaccel_noop_args *args)
{
	return VACCEL_OK;
}

/*
 * One argument to write, of the size of the first one read, becomes a copy of
 * it. Anything else is left as it is: what a function would have written is not
 * known here.
 */
static int echo(const struct vaccel_arg *read, size_t nr_read, struct vaccel_arg *write,
		size_t nr_write)
{
	if (nr_read && nr_write == 1 && write[0].size && write[0].size == read[0].size)
		memmove(write[0].buf, read[0].buf, write[0].size);
	return VACCEL_OK;
}

static int exec(struct vaccel_call *call, struct vaccel_exec_args *args)
{
	return echo(args->read.data, args->read.count, args->write.data, args->write.count);
}

static int exec_with_resource(struct vaccel_call *call, struct vaccel_exec_with_resource_args *args)
{
	return echo(args->read.data, args->read.count, args->write.data, args->write.count);
}

static int image_classify(struct vaccel_call *call, struct vaccel_image_classify_args *args)
{
	answer(args->text.data, args->text.size, tag, sizeof(tag));
	answer(args->imgname.data, args->imgname.size, image_name, sizeof(image_name));
	return VACCEL_OK;
}

static int image_classify_top(struct vaccel_call *call, struct vaccel_image_classify_top_args *args)
{
	struct vaccel_class *top = vaccel_call_out(call, &args->top, sizeof(*top) + sizeof(tag));

	if (!top)
		return VACCEL_ENOMEM;
	*top = (struct vaccel_class){.probability = 1, .label = (char *)(top + 1)};
	memcpy(top->label, tag, sizeof(tag));
	args->top.count = 1;
	return VACCEL_OK;
}

/* The operations that draw on a picture say where they put it. */
#define ANNOTATE(name)                                                                          \
	static int name(struct vaccel_call *call, struct vaccel_##name##_args *args)            \
	{                                                                                       \
		answer(args->imgname.data, args->imgname.size, image_name, sizeof(image_name)); \
		return VACCEL_OK;                                                               \
	}
ANNOTATE(image_detect)
ANNOTATE(image_segment)
ANNOTATE(image_pose)
ANNOTATE(image_depth)

/* One thing of the dummy class, in the corner. */
static int image_detect_boxes(struct vaccel_call *call, struct vaccel_image_detect_boxes_args *args)
{
	struct vaccel_box *box = vaccel_call_out(call, &args->boxes, sizeof(*box) + sizeof(tag));

	if (!box)
		return VACCEL_ENOMEM;
	*box = (struct vaccel_box){.score = 1, .right = 1, .bottom = 1, .label = (char *)(box + 1)};
	memcpy(box->label, tag, sizeof(tag));
	args->boxes.count = 1;
	return VACCEL_OK;
}

static int image_segment_mask(struct vaccel_call *call, struct vaccel_image_segment_mask_args *args)
{
	struct vaccel_area *area;

	if (!vaccel_call_out(call, &args->mask, sizeof(*args->mask.data)))
		return VACCEL_ENOMEM;
	area = vaccel_call_out(call, &args->areas, sizeof(*area) + sizeof(tag));
	if (!area)
		return VACCEL_ENOMEM;
	*area = (struct vaccel_area){.pixels = 1, .label = (char *)(area + 1)};
	memcpy(area->label, tag, sizeof(tag));
	*args->width = *args->height = 1;
	args->mask.count = args->areas.count = 1;
	return VACCEL_OK;
}

static int image_pose_points(struct vaccel_call *call, struct vaccel_image_pose_points_args *args)
{
	struct vaccel_point *point =
		vaccel_call_out(call, &args->points, sizeof(*point) + sizeof(tag));

	if (!point)
		return VACCEL_ENOMEM;
	*point = (struct vaccel_point){.score = 1, .label = (char *)(point + 1)};
	memcpy(point->label, tag, sizeof(tag));
	args->points.count = 1;
	return VACCEL_OK;
}

static int image_depth_map(struct vaccel_call *call, struct vaccel_image_depth_map_args *args)
{
	if (!vaccel_call_out(call, &args->depth, sizeof(*args->depth.data)))
		return VACCEL_ENOMEM;
	*args->width = *args->height = 1;
	args->depth.count = 1;
	return VACCEL_OK;
}

static int copy_tensor(struct vaccel_call *call, const struct vaccel_tensor *from,
		       struct vaccel_tensor *to)
{
	int ret = vaccel_call_out_tensor(call, to, from->data_type, from->nr_dims, from->dims,
					 from->size);

	if (!ret && from->size)
		memcpy(to->data, from->data, from->size);
	return ret;
}

/* Output i is a copy of input i. */
static int copy_tensors(struct vaccel_call *call, const struct vaccel_tensor *in, size_t nr_in,
			struct vaccel_tensor *out, size_t nr_out)
{
	int ret = VACCEL_OK;

	if (nr_out > nr_in)
		return vaccel_fail(VACCEL_EINVAL,
				   "noop copies inputs to outputs, and there are %zu outputs for "
				   "%zu inputs; ask for no more than that",
				   nr_out, nr_in);
	for (size_t i = 0; !ret && i < nr_out; i++)
		ret = copy_tensor(call, &in[i], &out[i]);
	return ret;
}

/* TensorFlow's code and message for a success. */
#define TF_SAY_OK(call, args) \
	(*(args)->status = 0, \
	 vaccel_call_out(call, &(args)->message, 1) ? VACCEL_OK : VACCEL_ENOMEM)

static int tf_model_load(struct vaccel_call *call, struct vaccel_tf_model_load_args *args)
{
	return TF_SAY_OK(call, args);
}

static int tf_model_unload(struct vaccel_call *call, struct vaccel_tf_model_unload_args *args)
{
	return TF_SAY_OK(call, args);
}

static int tf_model_run(struct vaccel_call *call, struct vaccel_tf_model_run_args *args)
{
	int ret =
		copy_tensors(call, args->in.data, args->in.count, args->out.data, args->out.count);

	return ret ? ret : TF_SAY_OK(call, args);
}

/* A model is brought and taken away without being looked at. */
#define TAKE_MODEL(name)                                                             \
	static int name(struct vaccel_call *call, struct vaccel_##name##_args *args) \
	{                                                                            \
		return VACCEL_OK;                                                    \
	}
TAKE_MODEL(onnx_model_load)
TAKE_MODEL(onnx_model_unload)
TAKE_MODEL(tflite_model_load)
TAKE_MODEL(tflite_model_unload)
TAKE_MODEL(torch_model_load)

static int onnx_model_run(struct vaccel_call *call, struct vaccel_onnx_model_run_args *args)
{
	return copy_tensors(call, args->in.data, args->in.count, args->out.data, args->out.count);
}

static int tflite_model_run(struct vaccel_call *call, struct vaccel_tflite_model_run_args *args)
{
	if (args->status)
		*args->status = 0;
	return copy_tensors(call, args->in.data, args->in.count, args->out.data, args->out.count);
}

static int torch_model_run(struct vaccel_call *call, struct vaccel_torch_model_run_args *args)
{
	return copy_tensors(call, args->in.data, args->in.count, args->out.data, args->out.count);
}

/* c, the one matrix that has the product's shape */
static int torch_sgemm(struct vaccel_call *call, struct vaccel_torch_sgemm_args *args)
{
	return copy_tensor(call, &args->in.data[2], &args->out.data[0]);
}

static int blas_sgemm(struct vaccel_call *call, struct vaccel_blas_sgemm_args *args)
{
	return VACCEL_OK;
}

static int fpga_arraycopy(struct vaccel_call *call, struct vaccel_fpga_arraycopy_args *args)
{
	memmove(args->out.data, args->a.data, args->a.count * sizeof(*args->a.data));
	return VACCEL_OK;
}

static int fpga_mmult(struct vaccel_call *call, struct vaccel_fpga_mmult_args *args)
{
	for (size_t i = 0; i < args->c.count; i++)
		args->c.data[i] = 9.1F;
	return VACCEL_OK;
}

static int fpga_parallel(struct vaccel_call *call, struct vaccel_fpga_parallel_args *args)
{
	for (size_t i = 0; i < args->a.count; i++) {
		args->sum.data[i] = args->a.data[i] + args->b.data[i];
		args->product.data[i] = 1;
	}
	return VACCEL_OK;
}

static int fpga_vectoradd(struct vaccel_call *call, struct vaccel_fpga_vectoradd_args *args)
{
	for (size_t i = 0; i < args->a.count; i++)
		args->c.data[i] = args->a.data[i] + args->b.data[i];
	return VACCEL_OK;
}

static int minmax(struct vaccel_call *call, struct vaccel_minmax_args *args)
{
	memmove(args->out.data, args->samples.data, (size_t)args->n * sizeof(*args->out.data));
	*args->min = -1;
	*args->max = 10000;
	return VACCEL_OK;
}

/* Each argument begins with how many floats it has room for, a matrix's header in 0.8. */
static int opencv(struct vaccel_call *call, struct vaccel_opencv_args *args)
{
	for (size_t i = 0; i < args->write.count; i++) {
		size_t floats = args->write.data[i].size / sizeof(float);

		if (args->write.data[i].size >= sizeof(floats))
			memcpy(args->write.data[i].buf, &floats, sizeof(floats));
	}
	return VACCEL_OK;
}

static const struct vaccel_plugin_info info = {
	.name = "noop",
	.version = VACCEL_VERSION,
	.vaccel_version = VACCEL_VERSION,
	.type = VACCEL_PLUGIN_DEBUG,
	.sentence = "answers every operation without doing it",
};

/* Every operation there is: a new one does not build before it has an answer above. */
#define ROW(name, NAME) VACCEL_PLUGIN_OP(NAME, name, name),
static const struct vaccel_plugin_op ops[] = {VACCEL_OP_NAME_LIST(ROW)};

VACCEL_PLUGIN(.info = &info, .ops = ops, .nr_ops = sizeof(ops) / sizeof(ops[0]));
