// SPDX-License-Identifier: Apache-2.0
/* The answers of the noop plugin, which programs written for 0.8's rely on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"

#define TAG   "This is a dummy classification tag!"
#define IMAGE "This is a dummy imgname!"

static struct vaccel_session sess;
static struct vaccel_resource model;

static int open_session(void **state)
{
	setenv("VACCEL_PLUGIN_DIR", PLUGIN_DIR, 1);
	return boot("noop") || vaccel_session_init(&sess, 0) ||
	       vaccel_resource_init_from_buf(&model, "model", 5, VACCEL_RESOURCE_MODEL, NULL,
					     true) ||
	       vaccel_resource_register(&model, &sess);
}

static int close_session(void **state)
{
	return vaccel_resource_release(&model) || vaccel_session_release(&sess) || vaccel_cleanup();
}

static void test_it_answers_every_operation(void **state)
{
	const struct vaccel_plugin *plugin = vaccel_plugin_at(0);
	const struct vaccel_op *op;

	assert_int_equal(plugin->info->type, VACCEL_PLUGIN_DEBUG);
	for (size_t i = 0; (op = vaccel_op_at(i)); i++)
		assert_true(vaccel_plugin_offers(plugin, op));
}

static void test_pictures(void **state)
{
	unsigned char text[64], name[64];
	int (*const annotate[])(struct vaccel_session *, const void *, unsigned char *, size_t,
				size_t) = {
		vaccel_image_detection,
		vaccel_image_segmentation,
		vaccel_image_pose,
		vaccel_image_depth,
	};
	struct vaccel_class *top;
	size_t nr;

	assert_int_equal(vaccel_image_classification(&sess, "x", text, name, 1, 64, 64), VACCEL_OK);
	assert_string_equal(text, TAG);
	assert_string_equal(name, IMAGE);
	assert_int_equal(vaccel_image_classification(&sess, "x", NULL, NULL, 1, 0, 0), VACCEL_OK);
	for (size_t i = 0; i < 4; i++) {
		memset(name, '?', sizeof(name));
		assert_int_equal(annotate[i](&sess, "x", name, 1, 64), VACCEL_OK);
		assert_string_equal(name, IMAGE);
		assert_int_equal(annotate[i](&sess, "x", NULL, 1, 0), VACCEL_OK);
	}
	assert_int_equal(vaccel_image_classify_top(&sess, "x", 1, 5, &top, &nr), VACCEL_OK);
	assert_int_equal(nr, 1);
	assert_string_equal(top[0].label, TAG);
	free(top);
}

static void test_what_is_where(void **state)
{
	struct vaccel_box *boxes;
	struct vaccel_mask mask;
	struct vaccel_point *points;
	struct vaccel_depth depth;
	size_t nr;

	assert_int_equal(vaccel_image_detect_boxes(&sess, "x", 1, &boxes, &nr), VACCEL_OK);
	assert_int_equal(nr, 1);
	assert_string_equal(boxes[0].label, TAG);
	assert_true(boxes[0].score == 1 && boxes[0].right == 1);
	free(boxes);
	assert_int_equal(vaccel_image_segment_mask(&sess, "x", 1, &mask), VACCEL_OK);
	assert_true(mask.width == 1 && mask.height == 1 && mask.pixels[0] == 0);
	assert_int_equal(mask.nr_areas, 1);
	assert_string_equal(mask.areas[0].label, TAG);
	free(mask.pixels);
	free(mask.areas);
	assert_int_equal(vaccel_image_pose_points(&sess, "x", 1, &points, &nr), VACCEL_OK);
	assert_int_equal(nr, 1);
	assert_string_equal(points[0].label, TAG);
	free(points);
	assert_int_equal(vaccel_image_depth_map(&sess, "x", 1, &depth), VACCEL_OK);
	assert_true(depth.width == 1 && depth.height == 1 && depth.values[0] == 0);
	free(depth.values);
}

static void test_texts_are_cut_to_the_room(void **state)
{
	unsigned char text[64];
	char expected[64];

	for (size_t size = 0; size <= sizeof(TAG) + 1; size++) {
		memset(text, '?', sizeof(text));
		memset(expected, '?', sizeof(expected));
		snprintf(expected, size, "%s", TAG);
		assert_int_equal(vaccel_image_classification(&sess, "x", text, NULL, 1, size, 0),
				 VACCEL_OK);
		assert_memory_equal(text, expected, sizeof(text));
	}
}

static void test_exec_echoes_one_of_the_same_size(void **state)
{
	int in[3] = {1, 2, 3}, out[3] = {7, 7, 7};
	struct vaccel_arg read = {.buf = in, .size = sizeof(in)};
	struct vaccel_arg write[2] = {{.buf = out, .size = sizeof(out)},
				      {.buf = out, .size = sizeof(out)}};

	assert_int_equal(vaccel_exec(&sess, "lib", "f", &read, 1, write, 1), VACCEL_OK);
	assert_memory_equal(in, out, sizeof(in));

	assert_int_equal(vaccel_exec(&sess, "lib", "f", &read, 1, NULL, 0), VACCEL_OK);
	assert_int_equal(vaccel_exec(&sess, "lib", "f", NULL, 0, NULL, 0), VACCEL_OK);
	memset(out, 0, sizeof(out));
	assert_int_equal(vaccel_exec(&sess, "lib", "f", NULL, 0, write, 1), VACCEL_OK);
	assert_int_equal(vaccel_exec(&sess, "lib", "f", &read, 1, write, 2), VACCEL_OK);
	write[0].size = 4;
	assert_int_equal(vaccel_exec(&sess, "lib", "f", &read, 1, write, 1), VACCEL_OK);
	write[0] = (struct vaccel_arg){0};
	assert_int_equal(vaccel_exec(&sess, "lib", "f", &read, 1, write, 1), VACCEL_OK);
	assert_int_equal(out[0] | out[1] | out[2], 0);

	model.type = VACCEL_RESOURCE_LIB;
	write[0] = write[1];
	assert_int_equal(vaccel_exec_with_resource(&sess, &model, "f", &read, 1, write, 1),
			 VACCEL_OK);
	assert_memory_equal(in, out, sizeof(in));
	model.type = VACCEL_RESOURCE_MODEL;
}

static void test_arrays(void **state)
{
	int from[3] = {1, -2, 3}, to[3];
	float a[4] = {1, 2, 3, 4}, b[4] = {5, 6, 7, 8}, c[4], d[4];
	double in[3] = {3, 2, 1}, out[3], min, max;

	assert_int_equal(vaccel_noop(&sess), VACCEL_OK);
	assert_int_equal(vaccel_fpga_arraycopy(&sess, from, to, 3), VACCEL_OK);
	assert_memory_equal(from, to, sizeof(to));
	assert_int_equal(vaccel_fpga_vadd(&sess, a, b, c, 4, 4), VACCEL_OK);
	assert_int_equal(vaccel_fpga_parallel(&sess, a, b, d, a, 4), VACCEL_OK);
	assert_memory_equal(c, ((float[]){6, 8, 10, 12}), sizeof(c));
	assert_memory_equal(d, c, sizeof(c));
	assert_memory_equal(a, ((float[]){1, 1, 1, 1}), sizeof(a));
	assert_int_equal(vaccel_fpga_mmult(&sess, a, b, c, 4), VACCEL_OK);
	assert_memory_equal(c, ((float[]){9.1F, 9.1F, 9.1F, 9.1F}), sizeof(c));
	assert_int_equal(vaccel_minmax(&sess, in, 3, 5, 6, out, &min, &max), VACCEL_OK);
	assert_memory_equal(out, in, sizeof(out));
	assert_true(min == -1 && max == 10000);
	assert_int_equal(vaccel_sgemm(&sess, 2, 2, 2, 1, a, 2, b, 2, 0, d, 2), VACCEL_OK);
}

static void test_opencv_tells_how_many_floats(void **state)
{
	char room[sizeof(size_t) + 5], small[3] = "ab";
	size_t floats;
	struct vaccel_arg write[2] = {{.buf = room, .size = sizeof(room)},
				      {.buf = small, .size = sizeof(small)}};

	assert_int_equal(vaccel_opencv_unpack(&sess, NULL, 0, write, 2), VACCEL_OK);
	memcpy(&floats, room, sizeof(floats));
	assert_int_equal(floats, sizeof(room) / sizeof(float));
	assert_string_equal(small, "ab");
}

static void test_tensorflow(void **state)
{
	struct vaccel_tf_status status;
	struct vaccel_tf_node node = {.name = (char *)"n", .id = 0};
	struct vaccel_tf_tensor *in, *out = NULL, *none[2] = {NULL, NULL};
	int64_t dims[2] = {1, 3};
	float values[3] = {1, 2, 3};

	memset(&status, 0x55, sizeof(status));
	assert_int_equal(vaccel_tf_model_load(&sess, &model, &status), VACCEL_OK);
	assert_int_equal(status.code, 0);
	assert_string_equal(status.message, "");
	vaccel_tf_status_release(&status);
	assert_int_equal(vaccel_tf_tensor_new(&in, 2, dims, VACCEL_TF_FLOAT), VACCEL_OK);
	vaccel_tf_tensor_set_data(in, values, sizeof(values));
	memset(&status, 0x55, sizeof(status));
	assert_int_equal(
		vaccel_tf_model_run(&sess, &model, NULL, &node, &in, 1, &node, &out, 1, &status),
		VACCEL_OK);
	assert_int_equal(status.code, 0);
	assert_string_equal(status.message, "");
	vaccel_tf_status_release(&status);
	assert_int_equal(out->nr_dims, 2);
	assert_memory_equal(out->dims, dims, sizeof(dims));
	assert_int_equal(out->data_type, VACCEL_TF_FLOAT);
	assert_int_equal(out->size, sizeof(values));
	assert_memory_equal(out->data, values, sizeof(values));
	vaccel_tf_tensor_delete(out);

	/* More outputs than there are inputs to copy. */
	assert_int_equal(vaccel_tf_model_run(&sess, &model, NULL, &node, &in, 1,
					     (struct vaccel_tf_node[]){node, node}, none, 2,
					     &status),
			 VACCEL_EINVAL);
	assert_int_not_equal(status.code, 0);
	assert_string_equal(status.message, vaccel_error_text());
	vaccel_tf_status_release(&status);
	vaccel_tf_tensor_delete(in);
	assert_int_equal(vaccel_tf_model_unload(&sess, &model, NULL), VACCEL_OK);
}

static void test_tflite(void **state)
{
	struct vaccel_tflite_tensor *in[2], *out[2] = {NULL, NULL};
	uint8_t status = 99;

	assert_int_equal(vaccel_tflite_model_load(&sess, &model), VACCEL_OK);
	vaccel_tflite_tensor_allocate(&in[0], 1, (int32_t[]){2}, VACCEL_TFLITE_INT16, 4);
	vaccel_tflite_tensor_allocate(&in[1], 1, NULL, VACCEL_TFLITE_INT8, 0);
	memcpy(in[0]->data, "abc", 4);
	assert_int_equal(vaccel_tflite_model_run(&sess, &model, in, 2, out, 2, &status), VACCEL_OK);
	assert_int_equal(status, 0);
	assert_string_equal(out[0]->data, "abc");
	assert_int_equal(out[1]->size, 0);
	for (int i = 0; i < 2; i++) {
		vaccel_tflite_tensor_delete(in[i]);
		vaccel_tflite_tensor_delete(out[i]);
	}
	assert_int_equal(vaccel_tflite_model_unload(&sess, &model), VACCEL_OK);
}

static void test_torch(void **state)
{
	struct vaccel_torch_tensor *a, *b, *c, *out = NULL;

	assert_int_equal(vaccel_torch_model_load(&sess, &model), VACCEL_OK);
	vaccel_torch_tensor_allocate(&a, 2, (int64_t[]){2, 3}, VACCEL_TORCH_FLOAT, 24);
	vaccel_torch_tensor_allocate(&b, 2, (int64_t[]){3, 1}, VACCEL_TORCH_FLOAT, 12);
	vaccel_torch_tensor_allocate(&c, 2, (int64_t[]){2, 1}, VACCEL_TORCH_FLOAT, 8);
	assert_int_equal(vaccel_torch_model_run(&sess, &model, NULL, &a, 1, &out, 1), VACCEL_OK);
	assert_int_equal(out->size, 24);
	vaccel_torch_tensor_delete(out);
	assert_int_equal(vaccel_torch_sgemm(&sess, &a, &b, &c, 2, 1, 3, &out), VACCEL_OK);
	assert_int_equal(out->nr_dims, 2);
	assert_memory_equal(out->dims, ((int64_t[]){2, 1}), 16);
	vaccel_torch_tensor_delete(out);
	vaccel_torch_tensor_delete(a);
	vaccel_torch_tensor_delete(b);
	vaccel_torch_tensor_delete(c);
}

static void test_onnx(void **state)
{
	struct vaccel_tensor *in, *out = NULL;

	assert_int_equal(vaccel_onnx_model_load(&sess, &model), VACCEL_OK);
	vaccel_tensor_allocate(&in, 0, NULL, VACCEL_TENSOR_DOUBLE, 8);
	assert_int_equal(vaccel_onnx_model_run(&sess, &model, NULL, &in, 1, NULL, &out, 1),
			 VACCEL_OK);
	assert_int_equal(out->size, 8);
	assert_int_equal(out->data_type, VACCEL_TENSOR_DOUBLE);
	vaccel_tensor_delete(out);
	vaccel_tensor_delete(in);
	assert_int_equal(vaccel_onnx_model_unload(&sess, &model), VACCEL_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_answers_every_operation),
		cmocka_unit_test(test_pictures),
		cmocka_unit_test(test_what_is_where),
		cmocka_unit_test(test_texts_are_cut_to_the_room),
		cmocka_unit_test(test_exec_echoes_one_of_the_same_size),
		cmocka_unit_test(test_arrays),
		cmocka_unit_test(test_opencv_tells_how_many_floats),
		cmocka_unit_test(test_tensorflow),
		cmocka_unit_test(test_tflite),
		cmocka_unit_test(test_torch),
		cmocka_unit_test(test_onnx),
	};

	return cmocka_run_group_tests(tests, open_session, close_session);
}
