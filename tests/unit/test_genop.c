// SPDX-License-Identifier: Apache-2.0
/*
 * vaccel_genop() over the operations that programs use it for, in the order of
 * arguments that they rely on, and lists that do not fit. The plugin cpu computes,
 * noop answers the rest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <vaccel.h>

#include "base/util.h"
#include "codec/codec.h"
#include "nomem.h"

static struct vaccel_session sess;
static struct vaccel_resource library, model, stranger;

/* Any memory as an argument. */
#define ARG(type_, buf_, size_)                                                    \
	{                                                                          \
		.buf = (void *)(buf_), .size = (size_), .type = VACCEL_ARG_##type_ \
	}
#define VALUE(type_, c_type, value) ARG(type_, &(c_type){value}, sizeof(c_type))
#define ARRAY(type_, array)	    ARG(type_, array, sizeof(array))
#define TEXT(text)		    ARG(STRING, text, sizeof(text))
#define NUMBER(name)		    VALUE(UINT8, uint8_t, VACCEL_OP_##name)
#define EMPTY			    ARG(RAW, NULL, 0)
#define GENOP(read, write)	    vaccel_genop(&sess, read, ARRAY_SIZE(read), write, ARRAY_SIZE(write))
#define GENOP_READ(read)	    vaccel_genop(&sess, read, ARRAY_SIZE(read), NULL, 0)

static int start(void **state)
{
	struct vaccel_config config = {.plugins = (char *)"cpu:noop",
				       .log_level = VACCEL_LOG_ERROR};

	assert_int_equal(vaccel_bootstrap_with_config(&config), 0);
	assert_int_equal(vaccel_session_init(&sess, 0), 0);
	assert_int_equal(
		vaccel_resource_init_from_buf(&library, "l", 1, VACCEL_RESOURCE_LIB, "l", true), 0);
	assert_int_equal(
		vaccel_resource_init_from_buf(&model, "m", 1, VACCEL_RESOURCE_MODEL, "m", true), 0);
	assert_int_equal(
		vaccel_resource_init_from_buf(&stranger, "s", 1, VACCEL_RESOURCE_LIB, "s", true),
		0);
	assert_int_equal(vaccel_resource_register(&library, &sess), 0);
	assert_int_equal(vaccel_resource_register(&model, &sess), 0);
	return 0;
}

static int stop(void **state)
{
	vaccel_resource_release(&library);
	vaccel_resource_release(&model);
	vaccel_resource_release(&stranger);
	vaccel_session_release(&sess);
	return vaccel_cleanup();
}

static void assert_says(const char *words)
{
	if (!strstr(vaccel_error_text(), words))
		fail_msg("\"%s\" does not say \"%s\"", vaccel_error_text(), words);
}

static void test_number(void **state)
{
	struct vaccel_arg byte[] = {NUMBER(NOOP)}, word[] = {VALUE(UINT32, uint32_t, 0)};
	struct vaccel_arg unknown[] = {VALUE(UINT32, uint32_t, 999)};
	struct vaccel_arg text[] = {TEXT("noop")}, wide[] = {ARG(UINT8, "ab", 2)}, none[] = {EMPTY};
	struct vaccel_session closed = {0};

	assert_int_equal(GENOP_READ(byte), VACCEL_OK);
	assert_int_equal(GENOP_READ(word), VACCEL_OK);
	assert_int_equal(GENOP_READ(unknown), VACCEL_EINVAL);
	assert_says("no operation has the number 999");
	assert_int_equal(GENOP_READ(text), VACCEL_EINVAL);
	assert_says("as one UINT8 or UINT32");
	assert_int_equal(GENOP_READ(wide), VACCEL_EINVAL);
	assert_int_equal(GENOP_READ(none), VACCEL_EINVAL);
	assert_int_equal(vaccel_genop(&sess, NULL, 1, NULL, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_genop(&sess, byte, 0, NULL, 0), VACCEL_EINVAL);
	assert_int_equal(vaccel_genop(&sess, byte, 1, NULL, -1), VACCEL_EINVAL);
	assert_int_equal(vaccel_genop(&sess, byte, 1, NULL, 1), VACCEL_EINVAL);
	assert_int_equal(vaccel_genop(NULL, byte, 1, NULL, 0), VACCEL_EINVAL);
	assert_int_not_equal(vaccel_genop(&closed, byte, 1, NULL, 0), VACCEL_OK);
}

static void test_image_classify(void **state)
{
	unsigned char name[40] = "", text[12] = "";
	struct vaccel_arg read[] = {NUMBER(IMAGE_CLASSIFY), ARG(BUFFER, "picture", 7)};
	struct vaccel_arg write[] = {ARRAY(UCHAR_ARRAY, name), ARRAY(UCHAR_ARRAY, text)};
	struct vaccel_arg no_name[] = {EMPTY, ARRAY(CHAR_ARRAY, text)};
	struct vaccel_arg doubles[] = {ARRAY(UCHAR_ARRAY, name), ARRAY(FLOAT64_ARRAY, text)};

	assert_int_equal(GENOP(read, write), VACCEL_OK);
	assert_string_equal((char *)name, "This is a dummy imgname!");
	assert_string_equal((char *)text, "This is a d");
	/* Not one that grows: the size stays. */
	assert_int_equal(write[1].size, sizeof(text));
	text[0] = '\0';
	assert_int_equal(GENOP(read, no_name), VACCEL_OK);
	assert_string_equal((char *)text, "This is a d");
	assert_int_equal(GENOP(read, doubles), VACCEL_EINVAL);
	assert_says("'text' of image_classify is an argument of type FLOAT64_ARRAY with 12 bytes");
}

static void test_image_annotations(void **state)
{
	static const uint8_t numbers[] = {VACCEL_OP_IMAGE_DETECT, VACCEL_OP_IMAGE_SEGMENT,
					  VACCEL_OP_IMAGE_POSE, VACCEL_OP_IMAGE_DEPTH};

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		char name[40] = "";
		struct vaccel_arg read[] = {ARG(UINT8, &numbers[i], 1), ARG(BUFFER, "picture", 7)};
		struct vaccel_arg write[] = {ARRAY(UCHAR_ARRAY, name)};

		assert_int_equal(GENOP(read, write), VACCEL_OK);
		assert_string_equal(name, "This is a dummy imgname!");
	}
}

static void test_sgemm(void **state)
{
	float a[] = {1, 2, 3, 4}, b[] = {5, 6, 7, 8}, c[] = {1, 1, 1, 1};
	const float product[] = {39, 45, 87, 101};
	struct vaccel_arg read[] = {
		NUMBER(BLAS_SGEMM),	  VALUE(INT64, int64_t, 2), VALUE(INT64, int64_t, 2),
		VALUE(INT64, int64_t, 2), VALUE(FLOAT32, float, 2), ARRAY(FLOAT32_ARRAY, a),
		VALUE(INT64, int64_t, 2), ARRAY(FLOAT32_ARRAY, b),  VALUE(INT64, int64_t, 2),
		VALUE(FLOAT32, float, 1), VALUE(INT64, int64_t, 2),
	};
	struct vaccel_arg write[] = {ARRAY(FLOAT32_ARRAY, c)};

	assert_int_equal(GENOP(read, write), VACCEL_OK);
	assert_memory_equal(c, product, sizeof(c));
	/* RAW of the same size is as good. */
	c[0] = c[1] = c[2] = c[3] = 1;
	read[1].type = VACCEL_ARG_RAW;
	assert_int_equal(GENOP(read, write), VACCEL_OK);
	assert_memory_equal(c, product, sizeof(c));
	read[1].type = VACCEL_ARG_UINT64;
	assert_int_equal(GENOP(read, write), VACCEL_EINVAL);
	assert_says("'m' of blas_sgemm is an argument of type UINT64 with 8 bytes; give one i64");
	read[1].type = VACCEL_ARG_RAW;
	read[1].size = 4;
	assert_int_equal(GENOP(read, write), VACCEL_EINVAL);
	read[1] = (struct vaccel_arg)VALUE(INT64, int64_t, 3);
	assert_int_equal(GENOP(read, write), VACCEL_EINVAL);
	assert_says("a needs 6 elements and there are 4");
}

static void test_exec(void **state)
{
	char in[] = "abc", out[] = "xyz";
	struct vaccel_arg read[] = {NUMBER(EXEC), TEXT("lib.so"), TEXT("function"),
				    ARRAY(CHAR_ARRAY, in), VALUE(CUSTOM, int, 1)};
	struct vaccel_arg write[] = {ARRAY(CHAR_ARRAY, out)};

	assert_int_equal(GENOP(read, write), VACCEL_OK);
	assert_string_equal(out, "abc");
	/* With arguments of its own or without. */
	assert_int_equal(vaccel_genop(&sess, read, 3, NULL, 0), VACCEL_OK);
	assert_int_equal(vaccel_genop(&sess, read, 2, NULL, 0), VACCEL_EINVAL);
	assert_says("exec, which reads its number, then library, symbol, read…, and writes write…");
	read[2].size = 3;
	assert_int_equal(GENOP(read, write), VACCEL_EINVAL);
	assert_says("'symbol' of exec is an argument of type STRING with 3 bytes; give text that "
		    "ends in NUL");
	read[2] = (struct vaccel_arg)EMPTY;
	assert_int_equal(GENOP(read, write), VACCEL_EINVAL);
	assert_says("'symbol' (name of the function) is missing");
}

static void test_exec_with_resource(void **state)
{
	char in[] = "abc", out[] = "xyz";
	struct vaccel_arg read[] = {NUMBER(EXEC_WITH_RESOURCE), ARG(INT64, &library.id, 8),
				    TEXT("function"), ARRAY(CHAR_ARRAY, in)};
	struct vaccel_arg write[] = {ARRAY(CHAR_ARRAY, out)};

	assert_int_equal(GENOP(read, write), VACCEL_OK);
	assert_string_equal(out, "abc");
	read[1].buf = &stranger.id;
	assert_int_equal(GENOP(read, write), VACCEL_EPERM);
	assert_says("is not registered with the session");
	read[1].buf = &model.id;
	assert_int_equal(GENOP(read, write), VACCEL_EINVAL);
	assert_says("type MODEL; give a LIB");
	read[1].type = VACCEL_ARG_INT32;
	assert_int_equal(GENOP(read, write), VACCEL_EINVAL);
	assert_says("the id of a resource, INT64");
	read[1].type = VACCEL_ARG_INT64;
	assert_int_equal(vaccel_genop(NULL, read, 4, write, 1), VACCEL_EINVAL);
}

static void test_minmax(void **state)
{
	double in[] = {3, -2, 9}, out[3], min = 0, max = 0;
	struct vaccel_arg read[] = {NUMBER(MINMAX), ARRAY(FLOAT64_ARRAY, in),
				    VALUE(INT32, int32_t, 3), VALUE(INT32, int32_t, -5),
				    VALUE(INT32, int32_t, 5)};
	struct vaccel_arg write[] = {ARRAY(FLOAT64_ARRAY, out), ARG(FLOAT64, &min, 8),
				     ARG(FLOAT64, &max, 8)};

	assert_int_equal(GENOP(read, write), VACCEL_OK);
	assert_true(min == -2 && max == 3);
	assert_true(out[0] == 3 && out[1] == -2 && out[2] == 5);
	/* Not optional. */
	write[1] = (struct vaccel_arg)EMPTY;
	assert_int_equal(GENOP(read, write), VACCEL_EINVAL);
	assert_says("'min' of minmax is an argument of type RAW with 0 bytes; give one f64");
	write[1] = (struct vaccel_arg)ARG(FLOAT64, NULL, 8);
	assert_int_equal(GENOP(read, write), VACCEL_EINVAL);
	assert_says("give memory for them");
}

static void test_wrong_counts(void **state)
{
	double data[3] = {0};
	struct vaccel_arg read[] = {NUMBER(MINMAX),	      ARRAY(FLOAT64_ARRAY, data),
				    VALUE(INT32, int32_t, 3), VALUE(INT32, int32_t, 0),
				    VALUE(INT32, int32_t, 1), EMPTY};
	struct vaccel_arg write[] = {ARRAY(FLOAT64_ARRAY, data), ARG(FLOAT64, data, 8),
				     ARG(FLOAT64, data + 1, 8), EMPTY};
	struct vaccel_arg noop[] = {NUMBER(NOOP), EMPTY};

	for (int nr_read = 1; nr_read <= 6; nr_read++) {
		for (int nr_write = 0; nr_write <= 4; nr_write++) {
			int ret = vaccel_genop(&sess, read, nr_read, write, nr_write);

			if (nr_read == 5 && nr_write == 3) {
				assert_int_equal(ret, VACCEL_OK);
				continue;
			}
			assert_int_equal(ret, VACCEL_EINVAL);
			assert_says("minmax, which reads its number, then samples, n, low, high, "
				    "and writes out, min, max");
		}
	}
	assert_int_equal(GENOP_READ(noop), VACCEL_EINVAL);
	assert_says("noop, which reads its number, then nothing, and writes nothing");
}

/* Arrays by any type, with their lengths from the sizes. */
static void test_fpga(void **state)
{
	int32_t from[] = {1, 2, 3}, to[3];
	float a[] = {1, 2, 3, 4}, b[] = {5, 6, 7, 8}, sum[4], product[4];
	struct vaccel_arg copy[] = {NUMBER(FPGA_ARRAYCOPY), ARRAY(INT32_ARRAY, from)};
	struct vaccel_arg copied[] = {ARRAY(RAW, to)};
	struct vaccel_arg both[] = {NUMBER(FPGA_PARALLEL), ARRAY(RAW, a), ARRAY(BUFFER, b)};
	struct vaccel_arg results[] = {ARRAY(RAW, sum), ARRAY(FLOAT32_ARRAY, product)};

	assert_int_equal(GENOP(copy, copied), VACCEL_OK);
	assert_memory_equal(to, from, sizeof(to));
	assert_int_equal(GENOP(both, results), VACCEL_OK);
	assert_true(sum[3] == 12 && product[3] == 32);
	both[0] = (struct vaccel_arg)NUMBER(FPGA_VECTORADD);
	sum[3] = 0;
	assert_int_equal(vaccel_genop(&sess, both, 3, results, 1), VACCEL_OK);
	assert_true(sum[3] == 12);
	both[0] = (struct vaccel_arg)NUMBER(FPGA_MMULT);
	assert_int_equal(vaccel_genop(&sess, both, 3, results, 1), VACCEL_OK);
	assert_true(sum[0] == 19 && sum[3] == 50);
	both[1].size = 14;
	assert_int_equal(vaccel_genop(&sess, both, 3, results, 1), VACCEL_EINVAL);
	assert_says("give whole elements of 4 bytes");
	both[1].size = 12;
	assert_int_equal(vaccel_genop(&sess, both, 3, results, 1), VACCEL_EINVAL);
}

/* Outputs whose size the backend decides. */

static void test_growing_text(void **state)
{
	char message[8] = "unknown";
	uint8_t status = 9;
	struct vaccel_arg read[] = {NUMBER(TF_MODEL_LOAD), ARG(INT64, &model.id, 8)};
	struct vaccel_arg write[] = {ARG(UINT8, &status, 1), ARRAY(CHAR_ARRAY, message)};

	assert_int_equal(GENOP(read, write), VACCEL_OK);
	assert_int_equal(status, 0);
	assert_string_equal(message, "");
	assert_int_equal(write[1].size, 1);
	write[1].size = 0;
	assert_int_equal(GENOP(read, write), VACCEL_ENOSPC);
	assert_says("'message' of tf_model_load needs 1 bytes, and there is room for 0");
}

static void test_growing_list(void **state)
{
	_Alignas(8) unsigned char room[200];
	struct vaccel_arg read[] = {NUMBER(IMAGE_CLASSIFY_TOP), ARG(BUFFER, "picture", 7),
				    VALUE(UINT64, uint64_t, 1)};
	struct vaccel_arg write[] = {ARRAY(RAW, room)};
	uint64_t words[4];

	assert_int_equal(GENOP(read, write), VACCEL_OK);
	memcpy(words, room, sizeof(words));
	/* The head's size, presence, count, index of the first; its label at the end. */
	assert_int_equal(words[0], 2 * 8 + 2 * 8 + 24);
	assert_int_equal(words[1], 1);
	assert_int_equal(words[2], 1);
	assert_int_equal(words[3], 0);
	assert_int_equal(write[0].size, 8 + words[0] + 40);
	assert_memory_equal(room + 8 + words[0], "This is a dummy classification tag!", 36);
	write[0].size--;
	assert_int_equal(GENOP(read, write), VACCEL_ENOSPC);
	assert_says("'top' of image_classify_top needs 104 bytes, and there is room for 103");
}

/* A torch model with one input and one output, in the codec's form. */
struct torch_run {
	struct vaccel_arg read[4];
	struct vaccel_arg write[1];
	_Alignas(8) unsigned char in[256];
	_Alignas(8) unsigned char out[256];
};

static size_t form(unsigned char *to, const uint64_t *words, size_t count)
{
	const uint64_t head_size = count * sizeof(*words);

	memcpy(to, &head_size, sizeof(head_size));
	memcpy(to + sizeof(head_size), words, head_size);
	return sizeof(head_size) + head_size;
}

static void torch_run(struct torch_run *run)
{
	const uint64_t in[] = {1, 1, 7 | 2ull << 32, 2, 1, 8, PAYLOAD_INLINE, 0};
	const uint64_t out[] = {1};
	const float data[] = {1.5F, 2.5F};
	static const uint8_t op = VACCEL_OP_TORCH_MODEL_RUN;
	size_t head;

	*run = (struct torch_run){
		.read = {ARG(UINT8, &op, 1), ARG(INT64, &model.id, 8), EMPTY,
			 ARG(BUFFER, run->in, sizeof(uint64_t) + sizeof(in) + sizeof(data))},
		.write = {ARRAY(RAW, run->out)},
	};
	head = form(run->in, in, ARRAY_SIZE(in));
	memcpy(run->in + head, data, sizeof(data));
	form(run->out, out, ARRAY_SIZE(out));
}

static void test_tensors(void **state)
{
	struct torch_run run;
	const uint64_t none = 0;
	const uint64_t expected[] = {56, 1, 7 | 2ull << 32, 2, 1, 8, PAYLOAD_INLINE, 0};

	torch_run(&run);
	assert_int_equal(GENOP(run.read, run.write), VACCEL_OK);
	assert_int_equal(run.write[0].size, sizeof(expected) + 8);
	assert_memory_equal(run.out, expected, sizeof(expected));
	assert_memory_equal(run.out + sizeof(expected), run.in + 72, 8);
	/* No inputs at all: noop has nothing to copy. */
	torch_run(&run);
	run.read[3] = (struct vaccel_arg)EMPTY;
	assert_int_equal(GENOP(run.read, run.write), VACCEL_EINVAL);
	form(run.out, &none, 1);
	assert_int_equal(GENOP(run.read, run.write), VACCEL_OK);
	assert_int_equal(run.write[0].size, 16);
}

static void test_bad_forms(void **state)
{
	struct torch_run run;
	uint64_t huge = SIZE_MAX;

	torch_run(&run);
	run.read[3].type = VACCEL_ARG_STRING;
	assert_int_equal(GENOP(run.read, run.write), VACCEL_EINVAL);
	assert_says("give RAW or a BUFFER of its encoded form");
	torch_run(&run);
	memmove(run.in + 1, run.in, run.read[3].size);
	run.read[3].buf = run.in + 1;
	assert_int_equal(GENOP(run.read, run.write), VACCEL_EINVAL);
	torch_run(&run);
	run.read[3].size = 7;
	assert_int_equal(GENOP(run.read, run.write), VACCEL_EINVAL);
	torch_run(&run);
	run.read[3].size -= 1;
	assert_int_equal(GENOP(run.read, run.write), VACCEL_EINVAL);
	assert_says("torch_model_run: 'in' of the list is cut short: 8 bytes, of which 7");
	torch_run(&run);
	memcpy(run.in, &huge, sizeof(huge));
	assert_int_equal(GENOP(run.read, run.write), VACCEL_EINVAL);
	assert_says("as many bytes as its first 8 say");
	torch_run(&run);
	memcpy(run.out + 8, &huge, sizeof(huge));
	assert_int_equal(GENOP(run.read, run.write), VACCEL_ERANGE);
	torch_run(&run);
	run.write[0].size = 70;
	assert_int_equal(GENOP(run.read, run.write), VACCEL_ENOSPC);
}

static void test_no_memory(void **state)
{
	struct torch_run run;

	torch_run(&run);
	assert_int_equal(GENOP(run.read, run.write), VACCEL_OK);
	NOMEM_SWEEP((torch_run(&run), GENOP(run.read, run.write)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_image_classify),
		cmocka_unit_test(test_image_annotations),
		cmocka_unit_test(test_sgemm),
		cmocka_unit_test(test_exec),
		cmocka_unit_test(test_exec_with_resource),
		cmocka_unit_test(test_minmax),
		cmocka_unit_test(test_wrong_counts),
		cmocka_unit_test(test_fpga),
		cmocka_unit_test(test_growing_text),
		cmocka_unit_test(test_growing_list),
		cmocka_unit_test(test_tensors),
		cmocka_unit_test(test_bad_forms),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
