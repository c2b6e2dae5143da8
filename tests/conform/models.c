// SPDX-License-Identifier: Apache-2.0
/*
 * Pictures, models and tensors. A backend that computes is given what is no
 * picture and no model, which it must refuse in words; what it makes of good ones
 * is shown by its own tests. One that only answers must give back what it got.
 */
#include <stdio.h>
#include <stdlib.h>

#include "conform.h"

static const char junk[] = "neither a picture nor a model\n";

typedef int annotate_fn(struct vaccel_session *sess, const void *img, unsigned char *out_imgname,
			size_t len_img, size_t len_out_imgname);

/* What must come of a well-formed call on junk. */
static void check_junk(int ret, const char *op)
{
	skip_unless_offered(ret, op);
	if (conform_computes) {
		assert_int_not_equal(ret, VACCEL_OK);
		assert_string_not_equal(vaccel_error_text(), "");
	} else {
		assert_int_equal(ret, VACCEL_OK);
	}
}

static void check_annotate(annotate_fn *annotate, const char *op)
{
	unsigned char name[300];

	memset(name, '?', sizeof(name));
	assert_refused(annotate(&conform_sess, NULL, name, 4, sizeof(name)));
	assert_refused(annotate(&conform_sess, junk, name, 0, sizeof(name)));
	assert_refused(annotate(&conform_sess, junk, NULL, 4, sizeof(name)));
	check_junk(annotate(&conform_sess, junk, name, sizeof(junk), sizeof(name)), op);
	if (!conform_computes)
		assert_non_null(memchr(name, '\0', sizeof(name)));
}

static void test_image_detect(void **state)
{
	check_annotate(vaccel_image_detection, "image_detect");
}

static void test_image_segment(void **state)
{
	check_annotate(vaccel_image_segmentation, "image_segment");
}

static void test_image_pose(void **state)
{
	check_annotate(vaccel_image_pose, "image_pose");
}

static void test_image_depth(void **state)
{
	check_annotate(vaccel_image_depth, "image_depth");
}

static void test_image_classify(void **state)
{
	unsigned char text[80], name[80];

	assert_refused(vaccel_image_classification(&conform_sess, NULL, text, name, 9, 80, 80));
	assert_refused(vaccel_image_classification(&conform_sess, junk, text, name, 0, 80, 80));
	assert_refused(vaccel_image_classification(&conform_sess, junk, NULL, name, 9, 80, 80));
	assert_refused(vaccel_image_classification(&conform_sess, junk, text, NULL, 9, 80, 80));
	for (size_t room = 0; room < sizeof(text); room++) {
		memset(text, '?', sizeof(text));
		check_junk(vaccel_image_classification(&conform_sess, junk, text, NULL,
						       sizeof(junk), room, 0),
			   "image_classify");
		/* Nothing behind the room, and in it, if anything, a text that ends. */
		assert_int_equal(text[room], '?');
		if (!conform_computes && room)
			assert_non_null(memchr(text, '\0', room));
	}
}

static void test_image_classify_top(void **state)
{
	struct vaccel_class *top = NULL;
	size_t nr = 99;

	assert_refused(vaccel_image_classify_top(&conform_sess, junk, 0, 1, &top, &nr));
	assert_refused(vaccel_image_classify_top(&conform_sess, junk, 9, 0, &top, &nr));
	assert_refused(vaccel_image_classify_top(&conform_sess, junk, 9, 1, NULL, &nr));
	assert_refused(vaccel_image_classify_top(&conform_sess, junk, 9, 1, &top, NULL));
	check_junk(vaccel_image_classify_top(&conform_sess, junk, sizeof(junk), 3, &top, &nr),
		   "image_classify_top");
	if (conform_computes) {
		assert_null(top);
		assert_int_equal(nr, 99);
		return;
	}
	assert_in_range(nr, 1, 3);
	for (size_t i = 0; i < nr; i++)
		assert_non_null(top[i].label);
	free(top);
}

/* Whatever was found is within what the operation says of it. */
static void test_image_detect_boxes(void **state)
{
	struct vaccel_box *boxes = NULL;
	size_t nr = 99;

	assert_refused(vaccel_image_detect_boxes(&conform_sess, junk, 0, &boxes, &nr));
	assert_refused(vaccel_image_detect_boxes(&conform_sess, NULL, 9, &boxes, &nr));
	assert_refused(vaccel_image_detect_boxes(&conform_sess, junk, 9, NULL, &nr));
	assert_refused(vaccel_image_detect_boxes(&conform_sess, junk, 9, &boxes, NULL));
	check_junk(vaccel_image_detect_boxes(&conform_sess, junk, sizeof(junk), &boxes, &nr),
		   "image_detect_boxes");
	if (conform_computes) {
		assert_null(boxes);
		assert_int_equal(nr, 99);
		return;
	}
	for (size_t i = 0; i < nr; i++) {
		assert_non_null(boxes[i].label);
		assert_true(boxes[i].left <= boxes[i].right && boxes[i].top <= boxes[i].bottom);
	}
	free(boxes);
}

static void test_image_segment_mask(void **state)
{
	struct vaccel_mask mask = {0};
	uint64_t pixels = 0;

	assert_refused(vaccel_image_segment_mask(&conform_sess, junk, 0, &mask));
	assert_refused(vaccel_image_segment_mask(&conform_sess, junk, 9, NULL));
	check_junk(vaccel_image_segment_mask(&conform_sess, junk, sizeof(junk), &mask),
		   "image_segment_mask");
	if (conform_computes) {
		assert_null(mask.pixels);
		return;
	}
	for (size_t i = 0; i < mask.nr_areas; i++) {
		assert_non_null(mask.areas[i].label);
		pixels += mask.areas[i].pixels;
	}
	assert_int_equal(pixels, (uint64_t)mask.width * mask.height);
	free(mask.pixels);
	free(mask.areas);
}

static void test_image_pose_points(void **state)
{
	struct vaccel_point *points = NULL;
	size_t nr = 99;

	assert_refused(vaccel_image_pose_points(&conform_sess, junk, 0, &points, &nr));
	assert_refused(vaccel_image_pose_points(&conform_sess, junk, 9, NULL, &nr));
	assert_refused(vaccel_image_pose_points(&conform_sess, junk, 9, &points, NULL));
	check_junk(vaccel_image_pose_points(&conform_sess, junk, sizeof(junk), &points, &nr),
		   "image_pose_points");
	if (conform_computes) {
		assert_null(points);
		return;
	}
	for (size_t i = 0; i < nr; i++)
		assert_non_null(points[i].label);
	free(points);
}

static void test_image_depth_map(void **state)
{
	struct vaccel_depth depth = {0};

	assert_refused(vaccel_image_depth_map(&conform_sess, junk, 0, &depth));
	assert_refused(vaccel_image_depth_map(&conform_sess, junk, 9, NULL));
	check_junk(vaccel_image_depth_map(&conform_sess, junk, sizeof(junk), &depth),
		   "image_depth_map");
	if (conform_computes) {
		assert_null(depth.values);
		return;
	}
	assert_true(depth.width && depth.height);
	free(depth.values);
}

static struct vaccel_resource model;

static int make_model(void **state)
{
	return vaccel_resource_init_from_buf(&model, junk, sizeof(junk), VACCEL_RESOURCE_MODEL,
					     "model", true) ||
	       vaccel_resource_register(&model, &conform_sess);
}

static int drop_model(void **state)
{
	return vaccel_resource_release(&model);
}

/*
 * What holds for each framework: a model must be a model and registered; of
 * tensors come tensors. The three differ in their types only.
 */
#define CHECK_OWNERSHIP(call)                                                                   \
	do {                                                                                    \
		model.type = VACCEL_RESOURCE_DATA;                                              \
		assert_refused(call);                                                           \
		model.type = VACCEL_RESOURCE_MODEL;                                             \
		assert_int_equal(vaccel_resource_unregister(&model, &conform_sess), VACCEL_OK); \
		assert_int_equal(call, VACCEL_EPERM);                                           \
		assert_string_not_equal(vaccel_error_text(), "");                               \
		assert_int_equal(vaccel_resource_register(&model, &conform_sess), VACCEL_OK);   \
	} while (0)

#define CHECK_ECHO(in, out)                                                         \
	do {                                                                        \
		assert_int_equal((out)->nr_dims, (in)->nr_dims);                    \
		assert_memory_equal((out)->dims, (in)->dims,                        \
				    (size_t)(in)->nr_dims * sizeof((in)->dims[0])); \
		assert_int_equal((out)->data_type, (in)->data_type);                \
		assert_int_equal((out)->size, (in)->size);                          \
		if ((in)->size)                                                     \
			assert_memory_equal((out)->data, (in)->data, (in)->size);   \
	} while (0)

/* Tensors of numbers of 4 bytes and of random shapes, filled; the first has no bytes. */
#define MAKE_TENSORS(framework, type, in, nr)                                                      \
	for (int i_ = 0; i_ < (nr); i_++) {                                                        \
		int rank_ = (int)random_between(1, 6), dims_[6] = {0};                             \
		size_t size_ = i_ ? 4 : 0;                                                         \
		for (int j_ = 0; j_ < rank_; j_++) {                                               \
			dims_[j_] = (int)random_between(i_ > 0, 4);                                \
			size_ *= (size_t)dims_[j_];                                                \
		}                                                                                  \
		dims_[0] *= i_ > 0;                                                                \
		assert_int_equal(                                                                  \
			vaccel_##framework##_tensor_allocate(&(in)[i_], rank_, NULL, type, size_), \
			VACCEL_OK);                                                                \
		for (size_t j_ = 0; j_ < size_; j_++)                                              \
			((char *)(in)[i_]->data)[j_] = (char)random_between(-128, 127);            \
		for (int j_ = 0; j_ < rank_; j_++)                                                 \
			(in)[i_]->dims[j_] = dims_[j_];                                            \
	}

#define DELETE_TENSORS(framework, tensors, nr) \
	for (int i_ = 0; i_ < (nr); i_++)      \
		vaccel_##framework##_tensor_delete((tensors)[i_]);

enum { NR = 4 };

static void test_tf(void **state)
{
	struct vaccel_tf_status status;
	struct vaccel_tf_tensor *in[NR], *out[NR] = {NULL};
	struct vaccel_tf_node nodes[NR] = {{(char *)"a", 0},
					   {(char *)"b", 1},
					   {(char *)"", -1},
					   {(char *)"a much longer name", 2147483647}};
	int ret;

	CHECK_OWNERSHIP(vaccel_tf_model_load(&conform_sess, &model, NULL));
	CHECK_OWNERSHIP(vaccel_tf_model_unload(&conform_sess, &model, NULL));
	/* The status is told on every return, into memory that holds anything. */
	memset(&status, 0x5a, sizeof(status));
	ret = vaccel_tf_model_load(&conform_sess, &model, &status);
	assert_non_null(status.message);
	assert_int_equal(status.code != 0, ret != 0);
	vaccel_tf_status_release(&status);
	check_junk(ret, "tf_model_load");
	if (conform_computes)
		return;
	MAKE_TENSORS(tf, VACCEL_TF_FLOAT, in, NR)
	assert_refused(vaccel_tf_model_run(&conform_sess, &model, NULL, nodes, in, NR, nodes, out,
					   0, NULL));
	assert_refused(vaccel_tf_model_run(&conform_sess, &model, NULL, nodes, in, -1, nodes, out,
					   1, NULL));
	assert_refused(vaccel_tf_model_run(&conform_sess, &model, NULL, NULL, in, NR, nodes, out, 1,
					   NULL));
	ret = vaccel_tf_model_run(&conform_sess, &model, NULL, nodes, in, NR, nodes, out, NR,
				  &status);
	assert_int_equal(ret, VACCEL_OK);
	for (int i = 0; i < NR; i++)
		CHECK_ECHO(in[i], out[i]);
	DELETE_TENSORS(tf, in, NR)
	DELETE_TENSORS(tf, out, NR)
	vaccel_tf_status_release(&status);
	assert_int_equal(vaccel_tf_model_unload(&conform_sess, &model, NULL), VACCEL_OK);
}

static void test_tflite(void **state)
{
	struct vaccel_tflite_tensor *in[NR], *out[NR] = {NULL};
	uint8_t status = 77;

	CHECK_OWNERSHIP(vaccel_tflite_model_load(&conform_sess, &model));
	CHECK_OWNERSHIP(vaccel_tflite_model_unload(&conform_sess, &model));
	check_junk(vaccel_tflite_model_load(&conform_sess, &model), "tflite_model_load");
	if (conform_computes)
		return;
	MAKE_TENSORS(tflite, VACCEL_TFLITE_FLOAT32, in, NR)
	assert_refused(vaccel_tflite_model_run(&conform_sess, &model, in, NR, NULL, NR, NULL));
	assert_refused(vaccel_tflite_model_run(&conform_sess, &model, NULL, NR, out, NR, NULL));
	assert_int_equal(vaccel_tflite_model_run(&conform_sess, &model, in, NR, out, NR, &status),
			 VACCEL_OK);
	assert_int_equal(status, 0);
	for (int i = 0; i < NR; i++)
		CHECK_ECHO(in[i], out[i]);
	DELETE_TENSORS(tflite, in, NR)
	DELETE_TENSORS(tflite, out, NR)
	assert_int_equal(vaccel_tflite_model_unload(&conform_sess, &model), VACCEL_OK);
}

static void test_torch(void **state)
{
	struct vaccel_torch_tensor *in[NR], *out[NR] = {NULL};
	struct vaccel_torch_buffer options = {.data = (char *)"options", .size = 7};

	CHECK_OWNERSHIP(vaccel_torch_model_load(&conform_sess, &model));
	check_junk(vaccel_torch_model_load(&conform_sess, &model), "torch_model_load");
	if (conform_computes)
		return;
	MAKE_TENSORS(torch, VACCEL_TORCH_FLOAT, in, NR)
	assert_int_equal(vaccel_torch_model_run(&conform_sess, &model, &options, in, NR, out, NR),
			 VACCEL_OK);
	for (int i = 0; i < NR; i++)
		CHECK_ECHO(in[i], out[i]);
	DELETE_TENSORS(torch, in, NR)
	DELETE_TENSORS(torch, out, NR)
}

static void test_torch_sgemm(void **state)
{
	struct vaccel_torch_tensor *a, *b, *c, *out = NULL;
	int ret;

	vaccel_torch_tensor_allocate(&a, 2, (int64_t[]){2, 3}, VACCEL_TORCH_FLOAT, 24);
	vaccel_torch_tensor_allocate(&b, 2, (int64_t[]){3, 1}, VACCEL_TORCH_FLOAT, 12);
	vaccel_torch_tensor_allocate(&c, 2, (int64_t[]){2, 1}, VACCEL_TORCH_FLOAT, 8);
	memcpy(a->data, (float[]){1, 2, 3, 4, 5, 6}, 24);
	memcpy(b->data, (float[]){1, 0, -1}, 12);
	memcpy(c->data, (float[]){10, 20}, 8);
	assert_refused(vaccel_torch_sgemm(&conform_sess, &a, &b, &c, 2, 2, 3, &out));
	assert_refused(vaccel_torch_sgemm(&conform_sess, &a, &b, &c, 0, 1, 3, &out));
	assert_refused(vaccel_torch_sgemm(&conform_sess, &a, NULL, &c, 2, 1, 3, &out));
	ret = vaccel_torch_sgemm(&conform_sess, &a, &b, &c, 2, 1, 3, &out);
	if (!ret) {
		assert_int_equal(out->size, 8);
		if (conform_computes)
			assert_memory_equal(out->data, ((float[]){8, 18}), 8);
		vaccel_torch_tensor_delete(out);
	}
	vaccel_torch_tensor_delete(a);
	vaccel_torch_tensor_delete(b);
	vaccel_torch_tensor_delete(c);
	skip_unless_offered(ret, "torch_sgemm");
	assert_int_equal(ret, VACCEL_OK);
}

static void test_onnx(void **state)
{
	static const char *const names[NR] = {"first", "second", "", "the fourth"};
	/* Of the types that have these numbers: none, floats, bytes, bytes. */
	static const int64_t dims[NR][NR] = {{0}, {2}, {4, 4}, {2, 3, 4}};
	struct vaccel_tensor *in[NR], *out[NR] = {NULL};

	CHECK_OWNERSHIP(vaccel_onnx_model_load(&conform_sess, &model));
	CHECK_OWNERSHIP(vaccel_onnx_model_unload(&conform_sess, &model));
	check_junk(vaccel_onnx_model_load(&conform_sess, &model), "onnx_model_load");
	if (conform_computes)
		return;
	for (int i = 0; i < NR; i++) {
		assert_int_equal(
			vaccel_tensor_allocate(&in[i], (size_t)i, dims[i], i, (size_t)i * 8),
			VACCEL_OK);
		if (i)
			memset(in[i]->data, i, (size_t)i * 8);
	}
	assert_int_equal(
		vaccel_onnx_model_run(&conform_sess, &model, names, in, NR, names, out, NR),
		VACCEL_OK);
	for (int i = 0; i < NR; i++) {
		assert_int_equal(out[i]->nr_dims, i);
		assert_int_equal(out[i]->data_type, i);
		assert_int_equal(out[i]->size, i * 8);
		if (i)
			assert_memory_equal(out[i]->data, in[i]->data, (size_t)i * 8);
		vaccel_tensor_delete(in[i]);
		vaccel_tensor_delete(out[i]);
	}
	assert_int_equal(vaccel_onnx_model_unload(&conform_sess, &model), VACCEL_OK);
}

#define WITH_MODEL(name) cmocka_unit_test_setup_teardown(name, make_model, drop_model)
const struct CMUnitTest model_tests[] = {
	cmocka_unit_test(test_image_classify),
	cmocka_unit_test(test_image_classify_top),
	cmocka_unit_test(test_image_detect),
	cmocka_unit_test(test_image_segment),
	cmocka_unit_test(test_image_pose),
	cmocka_unit_test(test_image_depth),
	cmocka_unit_test(test_image_detect_boxes),
	cmocka_unit_test(test_image_segment_mask),
	cmocka_unit_test(test_image_pose_points),
	cmocka_unit_test(test_image_depth_map),
	cmocka_unit_test(test_torch_sgemm),
	WITH_MODEL(test_tf),
	WITH_MODEL(test_tflite),
	WITH_MODEL(test_torch),
	WITH_MODEL(test_onnx),
};
const size_t nr_model_tests = sizeof(model_tests) / sizeof(model_tests[0]);
