// SPDX-License-Identifier: Apache-2.0
/*
 * The rules between the arguments of each operation. The noop plugin takes
 * whatever it gets, so what is refused here is refused by the rule, in words
 * that name what is wrong.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <vaccel.h>

static struct vaccel_session sess;
static struct vaccel_resource model;

static int start(void **state)
{
	struct vaccel_config config = {.plugins = (char *)"noop", .log_level = VACCEL_LOG_ERROR};

	return vaccel_bootstrap_with_config(&config) || vaccel_session_init(&sess, 0) ||
	       vaccel_resource_init_from_buf(&model, "m", 1, VACCEL_RESOURCE_MODEL, "m", true) ||
	       vaccel_resource_register(&model, &sess);
}

static int stop(void **state)
{
	return vaccel_resource_release(&model) || vaccel_session_release(&sess) || vaccel_cleanup();
}

static void assert_refused(int ret, const char *words)
{
	assert_int_equal(ret, VACCEL_EINVAL);
	if (!strstr(vaccel_error_text(), words))
		fail_msg("'%s' is not in '%s'", words, vaccel_error_text());
}

static void test_sgemm(void **state)
{
	float a[6], b[6], c[6];

	assert_int_equal(vaccel_sgemm(&sess, 2, 3, 2, 1, a, 2, b, 3, 0, c, 3), VACCEL_OK);
	/* Nothing to multiply needs no memory. */
	assert_int_equal(vaccel_sgemm(&sess, 0, 0, 0, 1, NULL, 1, NULL, 1, 0, NULL, 1), VACCEL_OK);
	assert_refused(vaccel_sgemm(&sess, -1, 3, 2, 1, a, 2, b, 3, 0, c, 3), "a cannot have");
	assert_refused(vaccel_sgemm(&sess, 2, 3, 2, 1, a, 1, b, 3, 0, c, 3), "a cannot have");
	assert_refused(vaccel_sgemm(&sess, 2, 3, 2, 1, a, 2, b, 2, 0, c, 3), "b cannot have");
	assert_refused(vaccel_sgemm(&sess, 2, 3, 2, 1, a, 2, b, 3, 0, c, 0), "c cannot have");
	assert_refused(vaccel_sgemm(&sess, INT64_MAX, 3, 2, 1, a, 2, b, 3, 0, c, 3),
		       "a cannot have");
	assert_refused(vaccel_sgemm(&sess, 1LL << 40, 1, 1LL << 40, 1, a, 1LL << 40, b, 1, 0, c, 1),
		       "a cannot have");
	assert_refused(vaccel_sgemm(&sess, 2, 3, 2, 1, NULL, 2, b, 3, 0, c, 3), "'a'");
	assert_refused(vaccel_sgemm(&sess, 2, 3, 2, 1, a, 2, b, 3, 0, NULL, 3), "'c'");
}

static void test_fpga(void **state)
{
	int i[4] = {0};
	float f[4] = {0}, g[4], h[4], k[4];

	assert_int_equal(vaccel_fpga_arraycopy(&sess, i, i, 4), VACCEL_OK);
	assert_refused(vaccel_fpga_arraycopy(&sess, i, i, 0), "no elements");
	assert_refused(vaccel_fpga_arraycopy(&sess, NULL, i, 4), "'a'");
	assert_refused(vaccel_fpga_arraycopy(&sess, i, i, SIZE_MAX), "cannot have");
	assert_int_equal(vaccel_fpga_mmult(&sess, f, g, h, 4), VACCEL_OK);
	assert_int_equal(vaccel_fpga_mmult(&sess, f, g, h, 1), VACCEL_OK);
	assert_refused(vaccel_fpga_mmult(&sess, f, g, h, 3), "no square");
	assert_refused(vaccel_fpga_mmult(&sess, f, g, h, 2), "no square");
	assert_refused(vaccel_fpga_mmult(&sess, f, g, h, 0), "no elements");
	assert_int_equal(vaccel_fpga_parallel(&sess, f, g, h, k, 4), VACCEL_OK);
	assert_refused(vaccel_fpga_parallel(&sess, f, g, h, NULL, 4), "'product'");
	assert_refused(vaccel_fpga_parallel(&sess, f, g, h, k, 0), "no elements");
	assert_int_equal(vaccel_fpga_vadd(&sess, f, g, h, 4, 4), VACCEL_OK);
	assert_refused(vaccel_fpga_vadd(&sess, f, g, h, 4, 3), "4, 3 and 4");
}

static void test_minmax(void **state)
{
	const double in[2] = {1, 2};
	double out[2], min, max;

	assert_int_equal(vaccel_minmax(&sess, in, 2, 1, 1, out, &min, &max), VACCEL_OK);
	assert_refused(vaccel_minmax(&sess, in, 0, 1, 1, out, &min, &max), "at least 1");
	assert_refused(vaccel_minmax(&sess, in, INT_MIN, 1, 1, out, &min, &max), "at least 1");
	assert_refused(vaccel_minmax(&sess, in, 2, 2, 1, out, &min, &max), "above");
}

static void test_exec_and_opencv(void **state)
{
	assert_refused(vaccel_exec(&sess, "", "f", NULL, 0, NULL, 0), "empty");
	assert_refused(vaccel_exec(&sess, "l", "", NULL, 0, NULL, 0), "empty");
	assert_refused(vaccel_exec(&sess, "l", NULL, NULL, 0, NULL, 0), "'symbol'");
	model.type = VACCEL_RESOURCE_LIB;
	assert_refused(vaccel_exec_with_resource(&sess, &model, "", NULL, 0, NULL, 0), "empty");
	model.type = VACCEL_RESOURCE_MODEL;
	assert_refused(vaccel_exec_with_resource(&sess, &model, "f", NULL, 0, NULL, 0),
		       "give a LIB");
	assert_refused(vaccel_opencv_unpack(&sess, NULL, -1, NULL, 0), "negative");
	assert_refused(vaccel_opencv_unpack(&sess, NULL, 0, NULL, -1), "negative");
}

static void test_images(void **state)
{
	unsigned char name[64];

	assert_int_equal(vaccel_image_detection(&sess, "x", name, 1, sizeof(name)), VACCEL_OK);
	assert_refused(vaccel_image_detection(&sess, "x", name, 0, sizeof(name)), "no bytes");
	assert_refused(vaccel_image_segmentation(&sess, NULL, name, 1, sizeof(name)), "'image'");
	assert_refused(vaccel_image_pose(&sess, "x", NULL, 1, 5), "'imgname'");
	assert_refused(vaccel_image_depth(&sess, "x", name, SIZE_MAX, 5), "cannot have");
	/* Nobody need take an answer. */
	assert_int_equal(vaccel_image_classification(&sess, "x", NULL, NULL, 1, 0, 0), VACCEL_OK);
}

static void test_tensorflow(void **state)
{
	struct vaccel_tf_node node = {(char *)"n", 0}, nameless = {NULL, 0};
	struct vaccel_tf_buffer options = {(char *)"o", 1};
	struct vaccel_tf_tensor *in, *out[1] = {NULL};
	struct vaccel_tf_status status;
	const int64_t dims[] = {1};

	assert_int_equal(vaccel_tf_tensor_allocate(&in, 1, dims, VACCEL_TF_FLOAT, 4), VACCEL_OK);
	assert_int_equal(
		vaccel_tf_model_run(&sess, &model, &options, &node, &in, 1, &node, out, 1, &status),
		VACCEL_OK);
	vaccel_tf_status_release(&status);
	vaccel_tf_tensor_delete(out[0]);
	assert_refused(
		vaccel_tf_model_run(&sess, &model, NULL, &nameless, &in, 1, &node, out, 1, &status),
		"in_nodes[0]");
	assert_string_equal(status.message, vaccel_error_text());
	vaccel_tf_status_release(&status);
	assert_refused(vaccel_tf_model_run(&sess, &model, NULL, &node, &in, 1, NULL, out, 1, NULL),
		       "out_nodes");
	assert_refused(
		vaccel_tf_model_run(&sess, &model, NULL, &node, &in, -1, &node, out, 1, NULL),
		"tensors");
	assert_refused(vaccel_tf_model_run(&sess, &model, NULL, &node, &in, 1, &node, out, 0, NULL),
		       "1 or more");
	assert_int_equal(vaccel_tf_model_unload(&sess, &model, &status), VACCEL_OK);
	vaccel_tf_status_release(&status);
	vaccel_tf_tensor_delete(in);
}

static void test_torch(void **state)
{
	struct vaccel_torch_tensor *a, *b, *c, *out = NULL;
	struct vaccel_torch_buffer options = {(char *)"o", 1};
	const int64_t dims[] = {2, 2};

	assert_int_equal(vaccel_torch_tensor_allocate(&a, 2, dims, VACCEL_TORCH_FLOAT, 16),
			 VACCEL_OK);
	assert_int_equal(vaccel_torch_tensor_allocate(&b, 2, dims, VACCEL_TORCH_FLOAT, 16),
			 VACCEL_OK);
	assert_int_equal(vaccel_torch_tensor_allocate(&c, 2, dims, VACCEL_TORCH_INT, 16),
			 VACCEL_OK);
	assert_int_equal(vaccel_torch_jitload_forward(&sess, &model, &options, &a, 1, &out, 1),
			 VACCEL_OK);
	vaccel_torch_tensor_delete(out);
	out = NULL;
	assert_int_equal(vaccel_torch_sgemm(&sess, &a, &b, &b, 2, 2, 2, &out), VACCEL_OK);
	vaccel_torch_tensor_delete(out);
	assert_refused(vaccel_torch_sgemm(&sess, &a, &b, &c, 2, 2, 2, &out), "c has type");
	assert_refused(vaccel_torch_sgemm(&sess, &a, &b, &b, 2, 3, 2, &out), "b has type");
	assert_refused(vaccel_torch_sgemm(&sess, &a, &b, &b, 3, 2, 2, &out), "a has type");
	assert_refused(vaccel_torch_sgemm(&sess, &a, &b, &b, 0, 2, 2, &out), "at least 1");
	assert_refused(vaccel_torch_sgemm(&sess, &a, NULL, &b, 2, 2, 2, &out), "tensor 1 is NULL");
	assert_refused(vaccel_torch_sgemm(&sess, &a, &b, &b, 2, 2, 2, NULL), "no place");
	vaccel_torch_tensor_delete(a);
	vaccel_torch_tensor_delete(b);
	vaccel_torch_tensor_delete(c);
}

static void test_tflite_and_onnx(void **state)
{
	struct vaccel_tensor tensor = {.data = (char *)"d", .size = 1};
	struct vaccel_tensor *in[] = {&tensor}, *out[1] = {NULL};
	const char *const names[] = {"n"};
	struct vaccel_tflite_tensor *lite[1] = {NULL};

	assert_int_equal(vaccel_onnx_model_run(&sess, &model, names, in, 1, names, out, 1),
			 VACCEL_OK);
	vaccel_tensor_delete(out[0]);
	assert_refused(vaccel_onnx_model_run(&sess, &model, names, in, SIZE_MAX, names, out, 1),
		       "tensors");
	assert_refused(vaccel_tflite_model_run(&sess, &model, lite, 1, lite, 1, NULL),
		       "tensor 0 is NULL");
	assert_refused(vaccel_tflite_model_run(&sess, &model, NULL, 0, lite, 0, NULL), "1 or more");
	assert_refused(vaccel_tflite_model_load(&sess, NULL), "'model'");
	assert_refused(vaccel_onnx_model_unload(&sess, NULL), "'model'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sgemm),  cmocka_unit_test(test_fpga),
		cmocka_unit_test(test_minmax), cmocka_unit_test(test_exec_and_opencv),
		cmocka_unit_test(test_images), cmocka_unit_test(test_tensorflow),
		cmocka_unit_test(test_torch),  cmocka_unit_test(test_tflite_and_onnx),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
