// SPDX-License-Identifier: Apache-2.0
/*
 * Tensors and buffers of all frameworks, each through the same tests; nodes
 * and statuses of TensorFlow; sizes of ONNX's types.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <vaccel/error.h>
#include <vaccel/ops/tf.h>
#include <vaccel/ops/tflite.h>
#include <vaccel/ops/torch.h>
#include <vaccel/tensor.h>

#include "base/util.h"
#include "nomem.h"
#include "value/tensor.h"

#define TENSOR		vaccel_tensor
#define TENSOR_DIM	int64_t
#define TENSOR_MIN_RANK 0
#define SOME_TYPE	VACCEL_TENSOR_BFLOAT16
#define FLOAT_TYPE	VACCEL_TENSOR_FLOAT
#include "tensor_tests.h"

#define TENSOR		vaccel_tf_tensor
#define TENSOR_DIM	int64_t
#define TENSOR_MIN_RANK 1
#define SOME_TYPE	VACCEL_TF_UINT64
#define FLOAT_TYPE	VACCEL_TF_FLOAT
#define BUFFER		vaccel_tf_buffer
#define BUFFER_DATA	void
#include "tensor_tests.h"

#define TENSOR		vaccel_tflite_tensor
#define TENSOR_DIM	int32_t
#define TENSOR_MIN_RANK 1
#define SOME_TYPE	VACCEL_TFLITE_INT4
#define FLOAT_TYPE	VACCEL_TFLITE_FLOAT32
#include "tensor_tests.h"

#define TENSOR		vaccel_torch_tensor
#define TENSOR_DIM	int64_t
#define TENSOR_MIN_RANK 1
#define SOME_TYPE	VACCEL_TORCH_BFLOAT16
#define FLOAT_TYPE	VACCEL_TORCH_FLOAT
#define BUFFER		vaccel_torch_buffer
#define BUFFER_DATA	char
#include "tensor_tests.h"

static void test_numbers_of_the_frameworks(void **state)
{
	assert_int_equal(VACCEL_TF_FLOAT, 1);
	assert_int_equal(VACCEL_TF_COMPLEX, VACCEL_TF_COMPLEX64);
	assert_int_equal(VACCEL_TF_HALF, 19);
	assert_int_equal(VACCEL_TF_UINT64, 23);
	assert_int_equal(VACCEL_TFLITE_NOTYPE, 0);
	assert_int_equal(VACCEL_TFLITE_FLOAT32, 1);
	assert_int_equal(VACCEL_TFLITE_INT4, 18);
	assert_int_equal(VACCEL_TORCH_BYTE, 1);
	assert_int_equal(VACCEL_TORCH_FLOAT, 7);
	assert_int_equal(VACCEL_TORCH_BFLOAT16, 10);
	assert_int_equal(VACCEL_TENSOR_FLOAT, 1);
	assert_int_equal(VACCEL_TENSOR_INT4, 22);
}

static void test_tf_node(void **state)
{
	struct vaccel_tf_node node, *made = NULL;
	const char name[] = "serving_default";

	assert_int_equal(vaccel_tf_node_init(&node, name, 3), VACCEL_OK);
	assert_ptr_not_equal(node.name, name);
	assert_string_equal(node.name, name);
	assert_int_equal(node.id, 3);
	assert_int_equal(vaccel_tf_node_release(&node), VACCEL_OK);
	assert_null(node.name);
	assert_int_equal(node.id, -1);

	NOMEM_SWEEP(vaccel_tf_node_new(&made, name, 1));
	assert_string_equal(made->name, name);
	assert_int_equal(vaccel_tf_node_delete(made), VACCEL_OK);

	made = NULL;
	assert_int_equal(vaccel_tf_node_init(NULL, name, 1), VACCEL_EINVAL);
	assert_int_equal(vaccel_tf_node_init(&node, NULL, 1), VACCEL_EINVAL);
	assert_int_equal(vaccel_tf_node_new(NULL, name, 1), VACCEL_EINVAL);
	assert_int_equal(vaccel_tf_node_new(&made, NULL, 1), VACCEL_EINVAL);
	assert_int_equal(vaccel_tf_node_release(NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_tf_node_delete(NULL), VACCEL_EINVAL);
	assert_null(made);
	assert_int_equal(node.id, -1);
}

static void test_tf_status(void **state)
{
	struct vaccel_tf_status status, *made = NULL;
	const char message[] = "no such operation";

	assert_int_equal(vaccel_tf_status_init(&status, 5, message), VACCEL_OK);
	assert_ptr_not_equal(status.message, message);
	assert_string_equal(status.message, message);
	assert_int_equal(status.code, 5);
	assert_int_equal(vaccel_tf_status_release(&status), VACCEL_OK);
	assert_null(status.message);
	assert_int_equal(status.code, 0);

	NOMEM_SWEEP(vaccel_tf_status_new(&made, 1, message));
	assert_string_equal(made->message, message);
	assert_int_equal(vaccel_tf_status_delete(made), VACCEL_OK);

	made = NULL;
	assert_int_equal(vaccel_tf_status_init(NULL, 1, message), VACCEL_EINVAL);
	assert_int_equal(vaccel_tf_status_init(&status, 1, NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_tf_status_new(NULL, 1, message), VACCEL_EINVAL);
	assert_int_equal(vaccel_tf_status_new(&made, 1, NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_tf_status_release(NULL), VACCEL_EINVAL);
	assert_int_equal(vaccel_tf_status_delete(NULL), VACCEL_EINVAL);
	assert_null(made);
	assert_int_equal(status.code, 0);
}

static void test_element_size(void **state)
{
	static const size_t sizes[] = {0, 4, 1, 1,  2, 2, 4, 8, 0, 1, 2, 8,
				       4, 8, 8, 16, 2, 1, 1, 1, 1, 0, 0};

	for (int32_t type = 0; type < (int32_t)ARRAY_SIZE(sizes); type++)
		assert_int_equal(vaccel_tensor_element_size(type), sizes[type]);
	assert_int_equal(vaccel_tensor_element_size(ARRAY_SIZE(sizes)), 0);
	assert_int_equal(vaccel_tensor_element_size(-1), 0);
	assert_int_equal(vaccel_tensor_element_size(INT32_MAX), 0);
}

static void test_data_size(void **state)
{
	const int64_t dims[] = {2, 3, 5}, none[] = {4, 0}, negative[] = {2, -1};
	const int64_t huge[] = {INT64_MAX, INT64_MAX}, large[] = {INT64_MAX / 8};
	size_t size = 0;

	assert_int_equal(vaccel_tensor_data_size(3, dims, VACCEL_TENSOR_FLOAT, &size), VACCEL_OK);
	assert_int_equal(size, 120);
	assert_int_equal(vaccel_tensor_data_size(0, NULL, VACCEL_TENSOR_INT64, &size), VACCEL_OK);
	assert_int_equal(size, 8);
	assert_int_equal(vaccel_tensor_data_size(2, none, VACCEL_TENSOR_INT64, &size), VACCEL_OK);
	assert_int_equal(size, 0);
	assert_int_equal(vaccel_tensor_data_size(2, dims + 1, VACCEL_TENSOR_INT4, &size),
			 VACCEL_OK);
	assert_int_equal(size, 8);

	assert_int_equal(vaccel_tensor_data_size(3, dims, VACCEL_TENSOR_FLOAT, NULL),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_tensor_data_size(3, NULL, VACCEL_TENSOR_FLOAT, &size),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_tensor_data_size(3, dims, VACCEL_TENSOR_STRING, &size),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_tensor_data_size(3, dims, 99, &size), VACCEL_EINVAL);
	assert_int_equal(vaccel_tensor_data_size(2, negative, VACCEL_TENSOR_FLOAT, &size),
			 VACCEL_EINVAL);
	assert_int_equal(vaccel_tensor_data_size(2, huge, VACCEL_TENSOR_UINT8, &size),
			 VACCEL_ERANGE);
	assert_int_equal(vaccel_tensor_data_size(1, large, VACCEL_TENSOR_COMPLEX128, &size),
			 VACCEL_ERANGE);
	assert_int_equal(size, 8);
}

static void test_room_for_outputs(void **state)
{
	struct vaccel_tensor *array = NULL;
	char out;

	assert_int_equal(tensor_count(3), 3);
	assert_int_equal(tensor_count(-1), SIZE_MAX);
	assert_int_equal(tensor_outputs_new("op", NULL, 1, &array), VACCEL_EINVAL);
	assert_int_equal(tensor_outputs_new("op", &out, 0, &array), VACCEL_EINVAL);
	assert_int_equal(tensor_outputs_new("op", &out, tensor_count(-1), &array), VACCEL_EINVAL);
	assert_null(array);
	assert_int_equal(tensor_outputs_new("op", &out, 2, &array), VACCEL_OK);
	assert_null(array[1].data);
	free(array);
}

/* Absurd sizes need an allocator that says no rather than aborts. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

#define TESTS_OF(tensor)                                                                        \
	cmocka_unit_test(test_##tensor##_init), cmocka_unit_test(test_##tensor##_new),          \
		cmocka_unit_test(test_##tensor##_allocate),                                     \
		cmocka_unit_test(test_##tensor##_data), cmocka_unit_test(test_##tensor##_rank), \
		cmocka_unit_test(test_##tensor##_nonsense),                                     \
		cmocka_unit_test(test_##tensor##_no_memory),                                    \
		cmocka_unit_test(test_##tensor##_shape_and_size),                               \
		cmocka_unit_test(test_##tensor##_conversion)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTS_OF(vaccel_tensor),
		TESTS_OF(vaccel_tf_tensor),
		TESTS_OF(vaccel_tflite_tensor),
		TESTS_OF(vaccel_torch_tensor),
		cmocka_unit_test(test_vaccel_tf_buffer),
		cmocka_unit_test(test_vaccel_tf_buffer_nonsense),
		cmocka_unit_test(test_vaccel_torch_buffer),
		cmocka_unit_test(test_vaccel_torch_buffer_nonsense),
		cmocka_unit_test(test_numbers_of_the_frameworks),
		cmocka_unit_test(test_tf_node),
		cmocka_unit_test(test_tf_status),
		cmocka_unit_test(test_element_size),
		cmocka_unit_test(test_data_size),
		cmocka_unit_test(test_room_for_outputs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
