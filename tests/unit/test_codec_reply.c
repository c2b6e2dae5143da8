// SPDX-License-Identifier: Apache-2.0
/* Replies byte by byte: an agent that means harm gets nowhere beyond the outputs' room. */
#include <stdlib.h>

#include <vaccel/op_headers.h>

#include "base/util.h"
#include "call/call.h"
#include "codec_made.h"

static int reply(const struct vaccel_op *op, const struct made *made, size_t size, void *to)
{
	int ret;

	decoder_release(&decoder);
	ret = decode_reply(&decoder, op, made->bytes, made->size, size, to);
	if (ret)
		return ret;
	assert_int_equal(decoder.payload.size, size);
	pieces_fill(&decoder.payload, section);
	return decode_reply_end(&decoder);
}

static struct vaccel_image_classify_args classify(char *name, size_t name_size, char *text,
						  size_t text_size)
{
	return (struct vaccel_image_classify_args){
		.image = {(const uint8_t *)"x", 1},
		.imgname = {name, name_size},
		.text = {text, text_size},
	};
}

static void test_text_is_cut(void **state)
{
	char name[4], text[] = "abcdefghijk";
	struct vaccel_image_classify_args call = classify(name, 4, text, 6);
	struct made made = {0};

	payload(&made, 3, PAYLOAD_INLINE, 0, 0);
	payload(&made, 9, PAYLOAD_INLINE, 0, 8);
	set_bytes(section,
		  "abc\0\0\0\0\0"
		  "012345678",
		  17);
	assert_int_equal(reply(&vaccel_op_image_classify, &made, 24, &call), 0);
	assert_string_equal(name, "abc");
	assert_memory_equal(text, "01234\0ghijk", sizeof(text));

	call = classify(name, 1, text, 0);
	assert_int_equal(reply(&vaccel_op_image_classify, &made, 24, &call), 0);
	assert_string_equal(name, "");
	assert_int_equal(text[0], '0');
	/* A limit bounds what is read for nothing, too. */
	decoder.limits.memory = 100;
	made.size = 0;
	payload(&made, 0, PAYLOAD_INLINE, 0, 0);
	payload(&made, 200, PAYLOAD_INLINE, 0, 0);
	assert_int_equal(reply(&vaccel_op_image_classify, &made, 200, &call), VACCEL_EDQUOT);
}

static void test_bad_texts_in_reply(void **state)
{
	char name[4] = "old", text[12];
	struct vaccel_image_classify_args call = classify(name, 4, text, 12);
	struct made made = {0};

	payload(&made, 3, PAYLOAD_INLINE, 0, 0);
	payload(&made, 0, PAYLOAD_INLINE, 0, 8);
	set_bytes(section, "a\0c", 3);
	assert_int_equal(reply(&vaccel_op_image_classify, &made, 8, &call), VACCEL_EREMOTEIO);
	assert_says("image_classify: the reply has a text with a NUL in it");
	made.size = 0;
	payload(&made, 0, PAYLOAD_NONE, 0, 0);
	payload(&made, 0, PAYLOAD_INLINE, 0, 0);
	assert_int_equal(reply(&vaccel_op_image_classify, &made, 0, &call), VACCEL_EREMOTEIO);
	assert_says("'imgname' of the reply is missing");
	call = classify(NULL, 0, text, 12);
	made.size = 0;
	payload(&made, 0, PAYLOAD_INLINE, 0, 0);
	payload(&made, 0, PAYLOAD_INLINE, 0, 0);
	assert_int_equal(reply(&vaccel_op_image_classify, &made, 0, &call), VACCEL_EREMOTEIO);
	assert_says("'imgname' of the reply was not asked for");
}

static void test_span_larger_than_room(void **state)
{
	int32_t in[4] = {0}, out[4] = {1, 2, 3, 4};
	struct vaccel_fpga_arraycopy_args call = {{in, 3}, {out, 3}, 0};
	struct made made = {0};

	payload(&made, 16, PAYLOAD_INLINE, 0, 0);
	assert_int_equal(reply(&vaccel_op_fpga_arraycopy, &made, 16, &call), VACCEL_EREMOTEIO);
	assert_says("'out' of the reply has 16 bytes, and there is room for 12");
	assert_int_equal(out[3], 4);
	/* Less is written as far as it goes. */
	made.size = 0;
	payload(&made, 8, PAYLOAD_INLINE, 0, 0);
	assert_int_equal(reply(&vaccel_op_fpga_arraycopy, &made, 8, &call), 0);
	assert_int_equal(out[1], 0);
	assert_int_equal(out[2], 3);
	made.size = 0;
	payload(&made, 0, PAYLOAD_NONE, 0, 0);
	assert_int_equal(reply(&vaccel_op_fpga_arraycopy, &made, 0, &call), VACCEL_EREMOTEIO);
	assert_says("is missing");
}

/* The bytes go from the carrier's read straight to where they belong. */
static void test_reply_is_read_into_place(void **state)
{
	int32_t in[3] = {0}, out[3];
	struct vaccel_fpga_arraycopy_args call = {{in, 3}, {out, 3}, 0};
	struct made made = {0};

	payload(&made, 12, PAYLOAD_INLINE, 0, 0);
	assert_int_equal(
		decode_reply(&decoder, &vaccel_op_fpga_arraycopy, made.bytes, made.size, 16, &call),
		0);
	assert_int_equal(decoder.payload.count, 2);
	assert_ptr_equal(decoder.payload.at[0].iov_base, out);
	assert_int_equal(decoder.payload.at[0].iov_len, 12);
	assert_int_equal(decoder.payload.at[1].iov_len, 4);
}

static void user_args_reply(struct made *made, uint64_t count, uint64_t size, uint32_t place)
{
	made->size = 0;
	number(made, 1);
	number(made, count);
	pair(made, VACCEL_ARG_STRING, 5);
	payload(made, size, place, 0, 0);
}

static void test_user_args_in_reply(void **state)
{
	char buf[] = "abcdefgh";
	struct vaccel_arg write = {buf, 6, VACCEL_ARG_RAW, 1, false};
	struct vaccel_opencv_args call = {.write = {&write, 1}};
	struct made made;

	memset(section, 'x', 8);
	user_args_reply(&made, 1, 2, PAYLOAD_INLINE);
	assert_int_equal(reply(&vaccel_op_opencv, &made, 8, &call), 0);
	assert_string_equal(buf, "xxcdefgh");
	assert_int_equal(write.size, 2);
	/* Buffer and types are the program's. */
	assert_ptr_equal(write.buf, buf);
	assert_int_equal(write.type, VACCEL_ARG_RAW);
	assert_int_equal(write.custom_type_id, 1);

	user_args_reply(&made, 1, 3, PAYLOAD_INLINE);
	assert_int_equal(reply(&vaccel_op_opencv, &made, 8, &call), VACCEL_EREMOTEIO);
	assert_says("has 3 bytes, and there is room for 2");
	user_args_reply(&made, 1, 0, PAYLOAD_NONE);
	assert_int_equal(reply(&vaccel_op_opencv, &made, 0, &call), VACCEL_EREMOTEIO);
	user_args_reply(&made, 2, 0, PAYLOAD_NONE);
	payload(&made, 0, PAYLOAD_NONE, 0, 0);
	number(&made, 0);
	assert_int_equal(reply(&vaccel_op_opencv, &made, 0, &call), VACCEL_EREMOTEIO);
	assert_says("has 2 elements; 1 were asked for");
	made.size = 0;
	number(&made, 0);
	assert_int_equal(reply(&vaccel_op_opencv, &made, 0, &call), VACCEL_EREMOTEIO);
	assert_says("is missing");
	call = (struct vaccel_opencv_args){0};
	user_args_reply(&made, 1, 2, PAYLOAD_INLINE);
	assert_int_equal(reply(&vaccel_op_opencv, &made, 8, &call), VACCEL_EREMOTEIO);
	assert_says("was not asked for");
}

/* One free() gives a list back, its texts included. */
static void test_list_is_one_block(void **state)
{
	struct vaccel_image_classify_top_args call = {.image = {(const uint8_t *)"x", 1}, .k = 2};
	struct made made = {0};

	number(&made, 1);
	number(&made, 2);
	number(&made, 7);
	number(&made, 0x3f000000);
	payload(&made, 5, PAYLOAD_INLINE, 0, 0);
	number(&made, 8);
	number(&made, 0);
	payload(&made, 0, PAYLOAD_INLINE, 0, 8);
	set_bytes(section, "seven", 5);
	assert_int_equal(reply(&vaccel_op_image_classify_top, &made, 8, &call), 0);
	assert_int_equal(call.top.count, 2);
	assert_int_equal(call.top.data[0].index, 7);
	assert_true(call.top.data[0].probability == 0.5f);
	assert_string_equal(call.top.data[0].label, "seven");
	assert_string_equal(call.top.data[1].label, "");
	free(call.top.data);

	call.top.data = NULL;
	made.size = 0;
	number(&made, 0);
	assert_int_equal(reply(&vaccel_op_image_classify_top, &made, 0, &call), 0);
	assert_null(call.top.data);
	assert_int_equal(call.top.count, 0);
}

/* Programs rely on the label of an element. */
static void test_list_with_a_text_missing(void **state)
{
	struct vaccel_image_classify_top_args call = {.image = {(const uint8_t *)"x", 1}, .k = 1};
	struct made made = {0};

	number(&made, 1);
	number(&made, 1);
	number(&made, 7);
	number(&made, 0);
	payload(&made, 0, PAYLOAD_NONE, 0, 0);
	assert_int_equal(reply(&vaccel_op_image_classify_top, &made, 0, &call), VACCEL_EREMOTEIO);
	assert_says("'top' of the reply has an element without its 'label'");
	assert_null(call.top.data);
}

/* What a backend made is checked before it is sent. */
static void test_bad_outputs(void **state)
{
	struct vaccel_class classes[] = {{.label = (char[]){"seven"}}, {.label = NULL}};
	struct vaccel_image_classify_top_args top = {.top = {classes, 2}};
	struct vaccel_tensor tensor = {.nr_dims = VACCEL_TENSOR_DIMS_MAX + 1};
	struct vaccel_torch_model_run_args run = {.out = {&tensor, 1}};
	double one = 1;
	struct vaccel_minmax_args minmax = {.out = {&one, SIZE_MAX / 2}, .min = &one, .max = &one};
	struct encoder encoder = {0};

	assert_int_equal(encode_reply(&encoder, &vaccel_op_torch_model_run, &run), VACCEL_ERANGE);
	assert_says("out[0] has 255 dimensions");
	assert_int_equal(encode_reply(&encoder, &vaccel_op_minmax, &minmax), VACCEL_ERANGE);
	assert_says("cannot have");
	assert_int_equal(encode_reply(&encoder, &vaccel_op_image_classify_top, &top),
			 VACCEL_EBACKEND);
	assert_says("'label' of top[1] is NULL");
	encoder_release(&encoder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WIRE_TEST(test_text_is_cut),
		WIRE_TEST(test_bad_texts_in_reply),
		WIRE_TEST(test_span_larger_than_room),
		WIRE_TEST(test_reply_is_read_into_place),
		WIRE_TEST(test_user_args_in_reply),
		WIRE_TEST(test_list_is_one_block),
		WIRE_TEST(test_list_with_a_text_missing),
		WIRE_TEST(test_bad_outputs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
