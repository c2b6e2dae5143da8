// SPDX-License-Identifier: Apache-2.0
/*
 * See onnx_floor.h. What a careful program would write by hand for one model:
 * everything that can be is made once, and a picture costs decoding, resizing,
 * one run and a look for the largest value.
 */
#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <onnxruntime_c_api.h>
#include <png.h>

#include <vaccel/error.h>

#include "bench/onnx_floor.h"
#include "vision/card.h"
#include "vision/preprocess.h"

struct model {
	OrtEnv *env;
	OrtSession *session;
	OrtMemoryInfo *memory;
	char *input_name;
	char *output_name;
	struct card card;
	int64_t shape[4];
	float *tensor;
	size_t tensor_bytes;
	struct picture decoded;
	struct picture resized;
	struct resize_scratch scratch;
};

static const OrtApi *ort;

static int check(OrtStatus *status)
{
	int ret;

	if (!status)
		return VACCEL_OK;
	ret = vaccel_fail(VACCEL_EBACKEND, "ONNX Runtime: %s", ort->GetErrorMessage(status));
	ort->ReleaseStatus(status);
	return ret;
}

static void close_model(void *opaque)
{
	struct model *model = opaque;

	if (!model)
		return;
	free(model->input_name);
	free(model->output_name);
	free(model->tensor);
	picture_release(&model->decoded);
	picture_release(&model->resized);
	resize_scratch_release(&model->scratch);
	if (model->memory)
		ort->ReleaseMemoryInfo(model->memory);
	if (model->session)
		ort->ReleaseSession(model->session);
	if (model->env)
		ort->ReleaseEnv(model->env);
	free(model);
}

static int open_session(struct model *model, const char *path)
{
	OrtSessionOptions *options = NULL;
	int ret;

	/* As the plugin does: what is run is nobody else's business. */
	setenv("ORT_DISABLE_TELEMETRY", "1", 0);
	ret = check(ort->CreateEnv(ORT_LOGGING_LEVEL_ERROR, "bench", &model->env));
	if (!ret)
		ret = check(ort->CreateSessionOptions(&options));
	if (!ret)
		ret = check(ort->SetIntraOpNumThreads(options, 1));
	if (!ret)
		ret = check(ort->CreateSession(model->env, path, options, &model->session));
	if (!ret)
		ret = check(ort->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault,
						     &model->memory));
	if (options)
		ort->ReleaseSessionOptions(options);
	return ret;
}

/* The name is the allocator's; ours is a copy. */
static int copy_name(OrtStatus *status, OrtAllocator *allocator, char *name, char **ret_copy)
{
	int ret = check(status);

	if (ret)
		return ret;
	*ret_copy = strdup(name);
	return check(ort->AllocatorFree(allocator, name));
}

static int name_ends(struct model *model)
{
	OrtAllocator *allocator;
	char *name = NULL;
	OrtStatus *status;
	int ret = check(ort->GetAllocatorWithDefaultOptions(&allocator));

	if (ret)
		return ret;
	status = ort->SessionGetInputName(model->session, 0, allocator, &name);
	ret = copy_name(status, allocator, name, &model->input_name);
	if (ret)
		return ret;
	status = ort->SessionGetOutputName(model->session, 0, allocator, &name);
	return copy_name(status, allocator, name, &model->output_name);
}

static void shape_input(struct model *model)
{
	const struct card_input *input = &model->card.input;
	bool planes = input->layout != CARD_NHWC;

	model->shape[0] = 1;
	model->shape[1] = planes ? 3 : input->height;
	model->shape[2] = planes ? input->height : input->width;
	model->shape[3] = planes ? input->width : 3;
	model->tensor_bytes = sizeof(float) * 3 * input->width * input->height;
}

static int fill_model(struct model *model, const char *directory)
{
	char path[4096];
	int ret;

	snprintf(path, sizeof(path), "%s/model.json", directory);
	ret = card_load(path, &model->card);
	if (ret)
		return ret;
	snprintf(path, sizeof(path), "%s/model.onnx", directory);
	ret = open_session(model, path);
	if (!ret)
		ret = name_ends(model);
	if (ret)
		return ret;
	shape_input(model);
	if (!model->tensor_bytes)
		return vaccel_fail(VACCEL_EINVAL, "the card of '%s' gives no width and height",
				   directory);
	model->tensor = malloc(model->tensor_bytes);
	return model->tensor ? VACCEL_OK : vaccel_fail(VACCEL_ENOMEM, "no memory for a tensor");
}

static int open_model(const char *directory, void **ret_model)
{
	struct model *model;
	int ret;

	ort = OrtGetApiBase()->GetApi(ORT_API_VERSION);
	if (!ort)
		return vaccel_fail(VACCEL_ELIBBAD, "ONNX Runtime is older than its header");
	model = calloc(1, sizeof(*model));
	if (!model)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a model");
	ret = fill_model(model, directory);
	if (ret) {
		close_model(model);
		return ret;
	}
	*ret_model = model;
	return VACCEL_OK;
}

static int make_room(struct picture *picture, uint32_t width, uint32_t height)
{
	size_t room = (size_t)width * height * 3;
	uint8_t *rgb = picture->room >= room ? picture->rgb : realloc(picture->rgb, room);

	if (!rgb)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a picture");
	picture->rgb = rgb;
	picture->room = picture->room > room ? picture->room : room;
	picture->width = width;
	picture->height = height;
	return VACCEL_OK;
}

static int decode_jpeg(struct picture *picture, const void *data, size_t size)
{
	struct jpeg_decompress_struct jpeg;
	struct jpeg_error_mgr errors;
	int ret;

	/* The library's own handler ends the process; the picture is one that can be read. */
	jpeg.err = jpeg_std_error(&errors);
	jpeg_create_decompress(&jpeg);
	jpeg_mem_src(&jpeg, data, size);
	jpeg_read_header(&jpeg, TRUE);
	jpeg.out_color_space = JCS_RGB;
	jpeg.dct_method = JDCT_ISLOW;
	jpeg_start_decompress(&jpeg);
	ret = make_room(picture, jpeg.output_width, jpeg.output_height);
	while (!ret && jpeg.output_scanline < jpeg.output_height) {
		JSAMPROW row = picture->rgb + (size_t)jpeg.output_scanline * picture->width * 3;

		jpeg_read_scanlines(&jpeg, &row, 1);
	}
	if (!ret)
		jpeg_finish_decompress(&jpeg);
	jpeg_destroy_decompress(&jpeg);
	return ret;
}

static int decode_png(struct picture *picture, const void *data, size_t size)
{
	png_image image = {.version = PNG_IMAGE_VERSION};
	int ret;

	if (!png_image_begin_read_from_memory(&image, data, size))
		return vaccel_fail(VACCEL_EINVAL, "libpng: %s", image.message);
	image.format = PNG_FORMAT_RGB;
	ret = make_room(picture, image.width, image.height);
	if (!ret && !png_image_finish_read(&image, NULL, picture->rgb, 0, NULL))
		ret = vaccel_fail(VACCEL_EINVAL, "libpng: %s", image.message);
	png_image_free(&image);
	return ret;
}

static int prepare(struct model *model, const void *data, size_t size)
{
	const struct card_input *input = &model->card.input;
	const struct port floats = {.type = VACCEL_TENSOR_FLOAT};
	bool png = size > 8 && !png_sig_cmp((png_const_bytep)data, 0, 8);
	int ret = png ? decode_png(&model->decoded, data, size)
		      : decode_jpeg(&model->decoded, data, size);

	if (!ret)
		ret = picture_resize(&model->decoded, input->width, input->height, &model->scratch,
				     &model->resized);
	if (!ret)
		tensor_fill(input, &floats, &model->resized, model->tensor);
	return ret;
}

static int count_classes(const OrtValue *output, size_t *ret_count)
{
	OrtTensorTypeAndShapeInfo *info;
	int ret = check(ort->GetTensorTypeAndShape(output, &info));

	if (ret)
		return ret;
	ret = check(ort->GetTensorShapeElementCount(info, ret_count));
	ort->ReleaseTensorTypeAndShapeInfo(info);
	return ret;
}

/* The largest value; with @softmax as the probability that it stands for. */
static void best_of(const float *values, size_t count, bool softmax, size_t *ret_class,
		    float *ret_probability)
{
	size_t best = 0;
	float sum = 0;

	for (size_t i = 1; i < count; i++)
		if (values[i] > values[best])
			best = i;
	for (size_t i = 0; softmax && i < count; i++)
		sum += expf(values[i] - values[best]);
	*ret_class = best;
	*ret_probability = softmax ? 1 / sum : values[best];
}

static int classify(void *opaque, const void *picture, size_t size, size_t *ret_class,
		    float *ret_probability)
{
	struct model *model = opaque;
	const char *in_names[] = {model->input_name};
	const char *out_names[] = {model->output_name};
	OrtValue *input = NULL, *output = NULL;
	size_t classes = 0;
	float *values = NULL;
	int ret = prepare(model, picture, size);

	if (!ret)
		ret = check(ort->CreateTensorWithDataAsOrtValue(
			model->memory, model->tensor, model->tensor_bytes, model->shape, 4,
			ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &input));
	if (!ret)
		ret = check(ort->Run(model->session, NULL, in_names,
				     (const OrtValue *const *)&input, 1, out_names, 1, &output));
	if (!ret)
		ret = count_classes(output, &classes);
	if (!ret)
		ret = check(ort->GetTensorMutableData(output, (void **)&values));
	if (!ret)
		best_of(values, classes, model->card.output.softmax, ret_class, ret_probability);
	if (input)
		ort->ReleaseValue(input);
	if (output)
		ort->ReleaseValue(output);
	return ret;
}

__attribute__((visibility("default"))) extern const struct onnx_floor onnx_floor;
const struct onnx_floor onnx_floor = {open_model, classify, close_model};
