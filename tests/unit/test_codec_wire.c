// SPDX-License-Identifier: Apache-2.0
/*
 * The codec byte by byte: the form that docs/protocol.md describes, and requests
 * made up by somebody who means harm.
 */
#include <stdlib.h>

#include <vaccel/op_headers.h>

#include "base/util.h"
#include "call/call.h"
#include "codec_made.h"

static void *args;

/* Decodes a request with @size bytes of payload; what it made stays until the next. */
static int request(const struct vaccel_op *op, const struct made *made, size_t size)
{
	const struct codec_message message = {made->bytes, made->size, section, size};

	decoder_release(&decoder);
	args = NULL;
	return decode_request(&decoder, op, &message, &args);
}

static void assert_head(const struct encoder *encoder, const struct made *made)
{
	assert_int_equal(encoder->head_size, made->size);
	assert_memory_equal(encoder->head, made->bytes, made->size);
}

/* minmax(samples = {1, 2, 3}, n = 3, low = -1, high = 7) */
static void minmax_request(struct made *made)
{
	payload(made, 24, PAYLOAD_INLINE, 0, 0);
	number(made, 3);
	number(made, 0xffffffff);
	number(made, 7);
	payload(made, 24, PAYLOAD_INLINE, 0, 0);
}

static void test_form_of_numbers(void **state)
{
	const double samples[] = {1, 2, 3};
	double out[3], min = 1.5, max = 2.5;
	struct vaccel_minmax_args call = {{samples, 3}, 3, -1, 7, {out, 3}, &min, &max, 0};
	struct encoder encoder = {0};
	struct made made = {0};

	minmax_request(&made);
	assert_int_equal(encode_request(&encoder, &vaccel_op_minmax, &call), 0);
	assert_head(&encoder, &made);
	/* The program's own memory, nothing copied. */
	assert_int_equal(encoder.payload.count, 1);
	assert_ptr_equal(encoder.payload.at[0].iov_base, samples);
	assert_int_equal(encoder.payload.at[0].iov_len, sizeof(samples));

	made.size = 0;
	payload(&made, 24, PAYLOAD_INLINE, 0, 0);
	memcpy(made.bytes + made.size, &min, sizeof(min));
	memcpy(made.bytes + made.size + sizeof(min), &max, sizeof(max));
	made.size += sizeof(min) + sizeof(max);
	assert_int_equal(encode_reply(&encoder, &vaccel_op_minmax, &call), 0);
	assert_head(&encoder, &made);
	assert_ptr_equal(encoder.payload.at[0].iov_base, out);
	encoder_release(&encoder);
}

/* tf_model_run with a node, a tensor of 2 x 1 bytes, and one output wanted */
static void test_form_of_lists(void **state)
{
	struct vaccel_tf_node in_node = {(char *)"in", -1}, out_node = {(char *)"", 2};
	int64_t dims[] = {2, 1};
	uint8_t data[] = {5, 6}, status;
	struct vaccel_tensor in = {data, 2, false, 2, dims, VACCEL_TF_UINT8}, out = {0};
	struct vaccel_tf_model_run_args call = {
		.model = codec_resources[VACCEL_RESOURCE_MODEL],
		.in_nodes = {&in_node, 1},
		.in = {&in, 1},
		.out_nodes = {&out_node, 1},
		.out = {&out, 1},
		.status = &status,
	};
	struct encoder encoder = {.hooks = &codec_hooks};
	struct made made = {0};
	char bytes[16];

	number(&made, 103);
	payload(&made, 0, PAYLOAD_NONE, 0, 0); /* run_options */
	number(&made, 1);		       /* in_nodes are there */
	number(&made, 1);
	payload(&made, 2, PAYLOAD_INLINE, 0, 0);
	number(&made, 0xffffffff);
	number(&made, 1); /* in is there */
	number(&made, 1);
	pair(&made, VACCEL_TF_UINT8, 2);
	number(&made, 2);
	number(&made, 1);
	payload(&made, 2, PAYLOAD_INLINE, 0, 8);
	number(&made, 1); /* out_nodes */
	payload(&made, 0, PAYLOAD_INLINE, 0, 16);
	number(&made, 2);
	number(&made, 1); /* out; the message is not asked for */
	assert_int_equal(encode_request(&encoder, &vaccel_op_tf_model_run, &call), 0);
	assert_head(&encoder, &made);
	assert_int_equal(encoder.payload.size, 16);
	pieces_gather(&encoder.payload, bytes);
	assert_memory_equal(bytes, "in\0\0\0\0\0\0\5\6\0\0\0\0\0\0", 16);
	encoder_release(&encoder);
}

/* exec reading a STRING and nothing, and writing a custom value */
static void test_form_of_arguments(void **state)
{
	uint32_t value = 9;
	struct vaccel_arg read[] = {{(char *)"abc", 4, VACCEL_ARG_STRING, 0, false},
				    {NULL, 0, VACCEL_ARG_RAW, 0, false}};
	struct vaccel_arg write = {&value, 4, VACCEL_ARG_CUSTOM, 77, false};
	struct vaccel_exec_args call = {"lib", "function", {read, 2}, {&write, 1}, 0};
	struct encoder encoder = {0};
	struct made made = {0};

	payload(&made, 3, PAYLOAD_INLINE, 0, 0);
	payload(&made, 8, PAYLOAD_INLINE, 0, 8);
	number(&made, 1);
	number(&made, 2);
	pair(&made, VACCEL_ARG_STRING, 0);
	payload(&made, 4, PAYLOAD_INLINE, 0, 16);
	pair(&made, VACCEL_ARG_RAW, 0);
	payload(&made, 0, PAYLOAD_NONE, 0, 0);
	number(&made, 1);
	number(&made, 1);
	pair(&made, VACCEL_ARG_CUSTOM, 77);
	payload(&made, 4, PAYLOAD_INLINE, 0, 24);
	assert_int_equal(encode_request(&encoder, &vaccel_op_exec, &call), 0);
	assert_head(&encoder, &made);
	assert_int_equal(encoder.payload.size, 32);

	made.size = 0;
	number(&made, 1);
	number(&made, 1);
	pair(&made, VACCEL_ARG_CUSTOM, 77);
	payload(&made, 4, PAYLOAD_INLINE, 0, 0);
	assert_int_equal(encode_reply(&encoder, &vaccel_op_exec, &call), 0);
	assert_head(&encoder, &made);
	encoder_release(&encoder);
}

static void test_spans_stay_in_place(void **state)
{
	struct made made = {0};
	struct vaccel_minmax_args *call;

	minmax_request(&made);
	assert_int_equal(request(&vaccel_op_minmax, &made, 24), 0);
	call = args;
	assert_ptr_equal(call->samples.data, section);
	assert_int_equal(call->samples.count, 3);
	assert_int_equal(call->low, -1);
	assert_int_equal(call->out.count, 3);
	assert_true(call->out.data[2] == 0);
}

/* A request with 8 bytes changed is refused with these words. */
static void refused(size_t offset, uint64_t value, int code, const char *words)
{
	struct made made = {0};

	minmax_request(&made);
	put(&made, offset, &value, sizeof(value));
	assert_int_equal(request(&vaccel_op_minmax, &made, 24), code);
	assert_null(args);
	assert_says(words);
}

static void test_bad_items(void **state)
{
	const uint64_t huge[] = {1ull << 63, (1ull << 63) - 8, UINT64_MAX, UINT64_MAX - 7};

	refused(0, 32, VACCEL_EINVAL, "minmax: 'samples' of the request is cut short: 32 bytes");
	refused(0, 16, VACCEL_EINVAL, "8 of payload too many");
	refused(0, 20, VACCEL_EINVAL, "no whole elements of 8");
	refused(8, 4, VACCEL_EINVAL, "is in place 4");
	refused(8, PAYLOAD_NONE, VACCEL_EINVAL, "is nowhere, with 24 bytes");
	refused(8, PAYLOAD_REGION, VACCEL_EINVAL, "is in region 0, and this connection has none");
	refused(8, PAYLOAD_PAGES, VACCEL_EINVAL, "connection has none");
	refused(8, PAYLOAD_INLINE | 1ull << 32, VACCEL_EINVAL, "starts at byte 0");
	refused(16, 8, VACCEL_EINVAL, "starts at byte 8 of the payload, not at byte 0");
	refused(24, 3 | 1ull << 32, VACCEL_EINVAL, "minmax: 'n' of the request has padding");
	refused(24, 3 | 1ull << 63, VACCEL_EINVAL, "padding that is not zero");
	refused(48, 20, VACCEL_EINVAL, "has room for 20 bytes, which are no whole elements of 8");
	refused(48, MEMORY, VACCEL_EDQUOT, "4096 bytes more than the 4096 permitted");
	refused(56, 4, VACCEL_EINVAL, "has room in place 4");
	refused(56, PAYLOAD_NONE, VACCEL_EINVAL, "is absent, with room for 24 bytes");
	refused(56, PAYLOAD_REGION, VACCEL_EINVAL, "connection has none");
	refused(56, PAYLOAD_INLINE | 7ull << 32, VACCEL_EINVAL, "room at byte 0 of nothing");
	refused(64, 8, VACCEL_EINVAL, "room at byte 8 of nothing");
	for (size_t i = 0; i < ARRAY_SIZE(huge); i++) {
		refused(0, huge[i], huge[i] > PTRDIFF_MAX ? VACCEL_ERANGE : VACCEL_EINVAL,
			"'samples' of the request");
		refused(48, huge[i], huge[i] > PTRDIFF_MAX ? VACCEL_ERANGE : VACCEL_EDQUOT,
			"'out' of the request");
	}
}

static void test_overlapping_payloads(void **state)
{
	struct made made = {0};

	payload(&made, 4, PAYLOAD_INLINE, 0, 0);
	payload(&made, 4, PAYLOAD_INLINE, 0, 0);
	number(&made, 0);
	number(&made, 0);
	memset(section, 'x', 16);
	assert_int_equal(request(&vaccel_op_exec, &made, 16), VACCEL_EINVAL);
	assert_says("exec: 'symbol' of the request starts at byte 0 of the payload, not at byte 8");
}

static void test_nul_in_text(void **state)
{
	struct vaccel_exec_args *call;
	struct made made = {0};

	payload(&made, 3, PAYLOAD_INLINE, 0, 0);
	payload(&made, 8, PAYLOAD_INLINE, 0, 8);
	number(&made, 0);
	number(&made, 0);
	set_bytes(section, "lib\0\0\0\0\0function", 16);
	assert_int_equal(request(&vaccel_op_exec, &made, 16), 0);
	call = args;
	assert_string_equal(call->library, "lib");
	assert_string_equal(call->symbol, "function");
	assert_null(call->read.data);
	section[1] = '\0';
	assert_int_equal(request(&vaccel_op_exec, &made, 16), VACCEL_EINVAL);
	assert_says("exec: 'library' of the request is a text with a NUL in it");
}

/* A presence word of 2, and counts that nobody can mean. */
static void test_bad_counts(void **state)
{
	const uint64_t counts[] = {COUNT + 1, 1ull << 32, 1ull << 58, 1ull << 63, UINT64_MAX};
	struct made made = {0};

	number(&made, 2);
	assert_int_equal(request(&vaccel_op_opencv, &made, 0), VACCEL_EINVAL);
	assert_says("'read' of the request has 2 where 1 says that it is there");
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		made.size = 0;
		number(&made, 1);
		number(&made, counts[i]);
		assert_int_equal(request(&vaccel_op_opencv, &made, 0), VACCEL_EDQUOT);
		assert_says("100 are permitted");
	}
	made.size = 0;
	number(&made, 1);
	number(&made, COUNT);
	assert_int_equal(request(&vaccel_op_opencv, &made, 0), VACCEL_EINVAL);
	assert_says("is cut short: 100 elements in 0 bytes");
	/* With no limit set by policy the bytes that are there still are one. */
	decoder.limits = (struct codec_limits){SIZE_MAX, SIZE_MAX};
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		made.size = 0;
		number(&made, 1);
		number(&made, counts[i]);
		assert_int_equal(request(&vaccel_op_opencv, &made, 0),
				 counts[i] > SIZE_MAX ? VACCEL_EDQUOT : VACCEL_EINVAL);
	}
}

/* Outputs are asked for by a number alone, with no bytes to bound it. */
static void test_too_many_outputs(void **state)
{
	const uint64_t counts[] = {1ull << 40, 1ull << 58, 1ull << 63, UINT64_MAX};
	struct made made = {0};

	decoder.limits.count = SIZE_MAX;
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		int ret;

		made.size = 0;
		number(&made, 103);
		payload(&made, 0, PAYLOAD_NONE, 0, 0);
		number(&made, 0);
		number(&made, counts[i]);
		ret = request(&vaccel_op_torch_model_run, &made, 0);
		assert_true(ret == VACCEL_EDQUOT || ret == VACCEL_ERANGE);
		assert_says("'out' of the request");
	}
}

static void test_too_many_dimensions(void **state)
{
	struct made made = {0};

	number(&made, 103);
	payload(&made, 0, PAYLOAD_NONE, 0, 0);
	number(&made, 1);
	number(&made, 1);
	pair(&made, 1, VACCEL_TENSOR_DIMS_MAX + 1);
	payload(&made, 0, PAYLOAD_NONE, 0, 0);
	number(&made, 0);
	assert_int_equal(request(&vaccel_op_torch_model_run, &made, 0), VACCEL_EINVAL);
	assert_says("'in' of the request has a tensor of 255 dimensions");
}

static void test_resources(void **state)
{
	struct vaccel_onnx_model_load_args call = {.model = codec_resources[VACCEL_RESOURCE_MODEL]};
	struct encoder encoder = {0};
	struct made made = {0};

	number(&made, 999);
	assert_int_equal(request(&vaccel_op_onnx_model_load, &made, 0), VACCEL_EPERM);
	assert_says("there is no such resource");
	decoder.hooks = NULL;
	assert_int_equal(request(&vaccel_op_onnx_model_load, &made, 0), VACCEL_ENOTSUP);
	made.size = 0;
	assert_int_equal(request(&vaccel_op_onnx_model_load, &made, 0), VACCEL_EINVAL);
	assert_int_equal(encode_request(&encoder, &vaccel_op_onnx_model_load, &call),
			 VACCEL_ENOTSUP);
	encoder_release(&encoder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WIRE_TEST(test_form_of_numbers),   WIRE_TEST(test_form_of_lists),
		WIRE_TEST(test_form_of_arguments), WIRE_TEST(test_spans_stay_in_place),
		WIRE_TEST(test_bad_items),	   WIRE_TEST(test_overlapping_payloads),
		WIRE_TEST(test_nul_in_text),	   WIRE_TEST(test_bad_counts),
		WIRE_TEST(test_too_many_outputs),  WIRE_TEST(test_too_many_dimensions),
		WIRE_TEST(test_resources),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
