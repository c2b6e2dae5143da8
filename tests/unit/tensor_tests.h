/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tests of a kind of tensor, and, if BUFFER is defined, of its buffer.
 * test_tensor.c includes this once for each, having defined TENSOR,
 * TENSOR_DIM, TENSOR_MIN_RANK, SOME_TYPE and FLOAT_TYPE, and perhaps BUFFER and
 * BUFFER_DATA; all are undefined again at the end.
 */
#define FUNCTION(verb) CONCAT(TENSOR, verb)
#define TEST(what)     CONCAT(CONCAT(test_, TENSOR), what)

static const TENSOR_DIM CONCAT(dims_of_, TENSOR)[] = {1, 30, -1};
#define DIMS CONCAT(dims_of_, TENSOR)

static void TEST(_init)(void **state)
{
	struct TENSOR tensor;

	assert_int_equal(FUNCTION(_init)(&tensor, 3, DIMS, SOME_TYPE), VACCEL_OK);
	assert_null(tensor.data);
	assert_int_equal(tensor.size, 0);
	assert_false(tensor.owned);
	assert_int_equal(tensor.nr_dims, 3);
	assert_ptr_not_equal(tensor.dims, DIMS);
	assert_memory_equal(tensor.dims, DIMS, sizeof(DIMS));
	assert_int_equal(tensor.data_type, SOME_TYPE);

	assert_int_equal(FUNCTION(_release)(&tensor), VACCEL_OK);
	assert_null(tensor.data);
	assert_null(tensor.dims);
	assert_int_equal(tensor.nr_dims, 0);
	assert_int_equal(FUNCTION(_release)(&tensor), VACCEL_OK);

	assert_int_equal(FUNCTION(_init)(&tensor, 2, NULL, SOME_TYPE), VACCEL_OK);
	assert_true(tensor.dims[0] == 0 && tensor.dims[1] == 0);
	assert_int_equal(FUNCTION(_release)(&tensor), VACCEL_OK);
}

static void TEST(_new)(void **state)
{
	struct TENSOR *tensor = NULL;

	assert_int_equal(FUNCTION(_new)(&tensor, 3, DIMS, SOME_TYPE), VACCEL_OK);
	assert_int_equal(tensor->nr_dims, 3);
	assert_memory_equal(tensor->dims, DIMS, sizeof(DIMS));
	assert_null(tensor->data);
	assert_int_equal(FUNCTION(_delete)(tensor), VACCEL_OK);
}

static void TEST(_allocate)(void **state)
{
	static const char zeros[100];
	struct TENSOR *tensor = NULL;

	assert_int_equal(FUNCTION(_allocate)(&tensor, 3, DIMS, SOME_TYPE, 100), VACCEL_OK);
	assert_int_equal(tensor->size, 100);
	assert_true(tensor->owned);
	assert_memory_equal(tensor->data, zeros, 100);
	assert_memory_equal(tensor->dims, DIMS, sizeof(DIMS));
	assert_int_equal(FUNCTION(_delete)(tensor), VACCEL_OK);

	assert_int_equal(FUNCTION(_allocate)(&tensor, 3, DIMS, SOME_TYPE, 0), VACCEL_OK);
	assert_null(tensor->data);
	assert_int_equal(tensor->size, 0);
	assert_false(tensor->owned);
	assert_int_equal(FUNCTION(_delete)(tensor), VACCEL_OK);
}

static void TEST(_data)(void **state)
{
	struct TENSOR *tensor = NULL;
	char mine[] = "mine";
	void *data = NULL;
	size_t size = 0;

	assert_int_equal(FUNCTION(_allocate)(&tensor, 3, DIMS, SOME_TYPE, 8), VACCEL_OK);
	assert_int_equal(FUNCTION(_take_data)(tensor, &data, &size), VACCEL_OK);
	assert_non_null(data);
	assert_int_equal(size, 8);
	assert_null(tensor->data);
	assert_int_equal(tensor->size, 0);
	assert_false(tensor->owned);
	free(data);

	assert_int_equal(FUNCTION(_set_data)(tensor, mine, sizeof(mine)), VACCEL_OK);
	assert_ptr_equal(tensor->data, mine);
	assert_int_equal(tensor->size, sizeof(mine));
	assert_false(tensor->owned);
	assert_int_equal(FUNCTION(_set_data)(tensor, NULL, 0), VACCEL_OK);
	assert_null(tensor->data);

	/* Earlier data is left alone, owned or not. */
	tensor->data = malloc(1);
	tensor->owned = true;
	data = tensor->data;
	assert_int_equal(FUNCTION(_set_data)(tensor, mine, 1), VACCEL_OK);
	assert_false(tensor->owned);
	free(data);

	assert_int_equal(FUNCTION(_release)(tensor), VACCEL_OK);
	assert_string_equal(mine, "mine");

	/* As programs do it. */
	tensor->data = malloc(3);
	tensor->size = 3;
	tensor->owned = true;
	assert_int_equal(FUNCTION(_delete)(tensor), VACCEL_OK);
}

static void TEST(_rank)(void **state)
{
	struct TENSOR tensor;

	assert_int_equal(FUNCTION(_init)(&tensor, 254, NULL, SOME_TYPE), VACCEL_OK);
	assert_true(tensor.dims[253] == 0);
	assert_int_equal(FUNCTION(_release)(&tensor), VACCEL_OK);
	assert_int_equal(FUNCTION(_init)(&tensor, 255, NULL, SOME_TYPE), VACCEL_EINVAL);
	assert_int_equal(FUNCTION(_init)(&tensor, -1, DIMS, SOME_TYPE), VACCEL_EINVAL);
	if (TENSOR_MIN_RANK > 0) {
		assert_int_equal(FUNCTION(_init)(&tensor, 0, DIMS, SOME_TYPE), VACCEL_EINVAL);
	} else {
		assert_int_equal(FUNCTION(_init)(&tensor, 0, DIMS, SOME_TYPE), VACCEL_OK);
		assert_null(tensor.dims);
		assert_int_equal(FUNCTION(_release)(&tensor), VACCEL_OK);
	}
}

static void TEST(_nonsense)(void **state)
{
	struct TENSOR tensor, before, *made = &tensor;
	void *data = &tensor;
	size_t size = 5;

	memset(&tensor, 0x5a, sizeof(tensor));
	memcpy(&before, &tensor, sizeof(tensor));
	assert_int_equal(FUNCTION(_init)(NULL, 3, DIMS, SOME_TYPE), VACCEL_EINVAL);
	assert_int_equal(FUNCTION(_init)(&tensor, -1, DIMS, SOME_TYPE), VACCEL_EINVAL);
	assert_int_equal(FUNCTION(_new)(NULL, 3, DIMS, SOME_TYPE), VACCEL_EINVAL);
	assert_int_equal(FUNCTION(_new)(&made, -1, DIMS, SOME_TYPE), VACCEL_EINVAL);
	assert_int_equal(FUNCTION(_allocate)(NULL, 3, DIMS, SOME_TYPE, 4), VACCEL_EINVAL);
	assert_int_equal(FUNCTION(_allocate)(&made, -1, DIMS, SOME_TYPE, 4), VACCEL_EINVAL);
	assert_int_equal(FUNCTION(_release)(NULL), VACCEL_EINVAL);
	assert_int_equal(FUNCTION(_delete)(NULL), VACCEL_EINVAL);
	assert_int_equal(FUNCTION(_set_data)(NULL, data, 1), VACCEL_EINVAL);
	assert_int_equal(FUNCTION(_set_data)(&tensor, NULL, 1), VACCEL_EINVAL);
	assert_int_equal(FUNCTION(_take_data)(NULL, &data, &size), VACCEL_EINVAL);
	assert_int_equal(FUNCTION(_take_data)(&tensor, NULL, &size), VACCEL_EINVAL);
	assert_int_equal(FUNCTION(_take_data)(&tensor, &data, NULL), VACCEL_EINVAL);
	assert_memory_equal(&tensor, &before, sizeof(tensor));
	assert_ptr_equal(made, &tensor);
	assert_ptr_equal(data, &tensor);
	assert_int_equal(size, 5);
}

static void TEST(_no_memory)(void **state)
{
	struct TENSOR *tensor = NULL;

	NOMEM_SWEEP(FUNCTION(_allocate)(&tensor, 3, DIMS, SOME_TYPE, 100));
	assert_int_equal(FUNCTION(_delete)(tensor), VACCEL_OK);
}

/* Two tensors of a number each, as a backend leaves them. */
static struct vaccel_tensor *CONCAT(outputs_of_, TENSOR)(void)
{
	const int64_t dims[] = {1, 1, 1};
	struct vaccel_tensor *tensors = calloc(2, sizeof(*tensors));

	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(vaccel_tensor_init(&tensors[i], 3, dims, FLOAT_TYPE), VACCEL_OK);
		tensors[i].data = strdup("out");
		tensors[i].size = 4;
		tensors[i].owned = true;
	}
	return tensors;
}

/* An agent may say anything; a program reads as much as the dimensions tell. */
static void TEST(_shape_and_size)(void **state)
{
	const struct {
		int64_t dims[3];
		int type;
		size_t size;
		int ret;
	} cases[] = {
		{{1, 1, 1}, FLOAT_TYPE, 4, VACCEL_OK},
		{{1, 1000, 1}, FLOAT_TYPE, 4, VACCEL_EBACKEND},
		{{1, 1, 1}, FLOAT_TYPE, 3, VACCEL_EBACKEND},
		{{1, 0, 1}, FLOAT_TYPE, 0, VACCEL_OK},
		{{1, 0, 1}, FLOAT_TYPE, 4, VACCEL_EBACKEND},
		{{1, 1, -1}, FLOAT_TYPE, 4, VACCEL_EBACKEND},
		{{-1, -1, 1}, FLOAT_TYPE, 4, VACCEL_EBACKEND},
		{{INT64_MAX, 4, 1}, FLOAT_TYPE, 4, VACCEL_EBACKEND},
		{{1, (INT64_C(1) << 32) + 1, 0},
		 FLOAT_TYPE,
		 0,
		 sizeof(TENSOR_DIM) == 4 ? VACCEL_EBACKEND : VACCEL_OK},
		/* Of an unknown type the program cannot know either. */
		{{1, 1000, 1}, 99, 4, VACCEL_OK},
		{{1, -1, 1}, 99, 4, VACCEL_EBACKEND},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct vaccel_tensor *outputs = CONCAT(outputs_of_, TENSOR)();
		struct TENSOR *got[2] = {NULL, NULL};

		memcpy(outputs[1].dims, cases[i].dims, sizeof(cases[i].dims));
		outputs[1].data_type = cases[i].type;
		outputs[1].size = cases[i].size;
		assert_int_equal(CONCAT(export_, TENSOR)(outputs, 2, got), cases[i].ret);
		assert_null(outputs[1].data);
		free(outputs);
		for (size_t j = 0; j < 2; j++) {
			assert_int_equal(got[j] != NULL, !cases[i].ret);
			if (got[j])
				FUNCTION(_delete)(got[j]);
		}
	}
}

static void TEST(_conversion)(void **state)
{
	struct TENSOR *tensors[2], *back[2] = {NULL, NULL}, *with_null[2];
	struct vaccel_tensor *carried = NULL, *moved;

	for (size_t i = 0; i < 2; i++)
		assert_int_equal(FUNCTION(_allocate)(&tensors[i], 3, DIMS, SOME_TYPE, 8 + i),
				 VACCEL_OK);
	NOMEM_SWEEP(CONCAT(import_, TENSOR)(tensors, 2, &carried));
	for (size_t i = 0; i < 2; i++) {
		assert_ptr_equal(carried[i].data, tensors[i]->data);
		assert_int_equal(carried[i].size, 8 + i);
		assert_false(carried[i].owned);
		assert_int_equal(carried[i].nr_dims, 3);
		assert_int_equal(carried[i].dims[1], 30);
		assert_int_equal(carried[i].dims[2], -1);
		assert_int_equal(carried[i].data_type, SOME_TYPE);
	}
	free(carried);

	with_null[0] = tensors[0];
	with_null[1] = NULL;
	assert_int_equal(CONCAT(import_, TENSOR)(with_null, 2, &carried), VACCEL_EINVAL);
	assert_int_equal(CONCAT(import_, TENSOR)(NULL, 1, &carried), VACCEL_EINVAL);
	assert_int_equal(CONCAT(import_, TENSOR)(tensors, SIZE_MAX, &carried), VACCEL_EINVAL);
	tensors[1]->nr_dims = 255;
	assert_int_equal(CONCAT(import_, TENSOR)(tensors, 2, &carried), VACCEL_EINVAL);
	for (size_t i = 0; i < 2; i++)
		FUNCTION(_delete)(tensors[i]);

	for (long passed = 0; passed < 4; passed++) {
		moved = CONCAT(outputs_of_, TENSOR)();
		nomem_after(passed);
		assert_int_equal(CONCAT(export_, TENSOR)(moved, 2, back), VACCEL_ENOMEM);
		nomem_after(-1);
		assert_null(back[0]);
		free(moved);
	}
	moved = CONCAT(outputs_of_, TENSOR)();
	assert_int_equal(CONCAT(export_, TENSOR)(moved, 2, back), VACCEL_OK);
	assert_null(moved[0].data);
	assert_null(moved[1].dims);
	free(moved);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(back[i]->size, 4);
		assert_memory_equal(back[i]->data, "out", 4);
		assert_true(back[i]->owned);
		assert_int_equal(back[i]->nr_dims, 3);
		assert_int_equal(back[i]->dims[2], 1);
		assert_int_equal(back[i]->data_type, FLOAT_TYPE);
		assert_int_equal(FUNCTION(_delete)(back[i]), VACCEL_OK);
	}
}

#ifdef BUFFER
#undef FUNCTION
#define FUNCTION(verb) CONCAT(BUFFER, verb)

static void CONCAT(test_, BUFFER)(void **state)
{
	BUFFER_DATA *data = strdup("data");
	struct BUFFER buffer, *made = NULL;
	void *taken = NULL;
	size_t size = 0;

	assert_int_equal(FUNCTION(_init)(&buffer, data, 5), VACCEL_OK);
	assert_ptr_equal(buffer.data, data);
	assert_int_equal(buffer.size, 5);
	assert_int_equal(FUNCTION(_take_data)(&buffer, &taken, &size), VACCEL_OK);
	assert_ptr_equal(taken, data);
	assert_int_equal(size, 5);
	assert_null(buffer.data);
	assert_int_equal(buffer.size, 0);

	assert_int_equal(FUNCTION(_new)(&made, data, 5), VACCEL_OK);
	assert_ptr_equal(made->data, data);
	assert_int_equal(FUNCTION(_release)(made), VACCEL_OK);
	assert_null(made->data);
	assert_int_equal(made->size, 0);
	assert_int_equal(FUNCTION(_delete)(made), VACCEL_OK);

	NOMEM_SWEEP(FUNCTION(_new)(&made, NULL, 0));
	assert_int_equal(FUNCTION(_delete)(made), VACCEL_OK);
}

static void CONCAT(CONCAT(test_, BUFFER), _nonsense)(void **state)
{
	struct BUFFER buffer = {0}, *made = NULL;
	char byte;
	void *taken = NULL;
	size_t size = 0;

	assert_int_equal(FUNCTION(_init)(NULL, &byte, 1), VACCEL_EINVAL);
	assert_int_equal(FUNCTION(_init)(&buffer, NULL, 1), VACCEL_EINVAL);
	assert_int_equal(FUNCTION(_new)(NULL, &byte, 1), VACCEL_EINVAL);
	assert_int_equal(FUNCTION(_new)(&made, NULL, 1), VACCEL_EINVAL);
	assert_null(made);
	assert_int_equal(FUNCTION(_release)(NULL), VACCEL_EINVAL);
	assert_int_equal(FUNCTION(_delete)(NULL), VACCEL_EINVAL);
	assert_int_equal(FUNCTION(_take_data)(NULL, &taken, &size), VACCEL_EINVAL);
	assert_int_equal(FUNCTION(_take_data)(&buffer, NULL, &size), VACCEL_EINVAL);
	assert_int_equal(FUNCTION(_take_data)(&buffer, &taken, NULL), VACCEL_EINVAL);
}

#undef BUFFER
#undef BUFFER_DATA
#endif

#undef DIMS
#undef FUNCTION
#undef TEST
#undef TENSOR
#undef TENSOR_DIM
#undef TENSOR_MIN_RANK
#undef SOME_TYPE
#undef FLOAT_TYPE
