// SPDX-License-Identifier: Apache-2.0
/* Replies of calls that failed: words that can be shown, and the scalars that outlive the failure.
 */
#include <stdlib.h>

#include <vaccel/op_headers.h>

#include "base/util.h"
#include "codec/frame.h"
#include "codec_made.h"
#include "nomem.h"
#include "probe.h"

static char words[FRAME_TEXT_MAX + 1];

static int failure(const struct vaccel_op *op, const struct made *made, void *to)
{
	memset(words, '#', sizeof(words));
	return decode_failure(&decoder, op, made->bytes, made->size, 0, to, words);
}

static void text(struct made *made, const char *bytes, size_t size)
{
	number(made, size);
	memset(made->bytes + made->size, 0, size + padding_of(size));
	put(made, made->size, bytes, size);
	made->size += size + padding_of(size);
}

/* tf_model_run failed with status 3, and with no more said of it */
static void test_form(void **state)
{
	uint8_t status = 3;
	struct vaccel_tf_model_run_args call = {.status = &status};
	struct encoder encoder = {0};
	struct made made = {0};

	text(&made, "no such node", 12);
	number(&made, 3);
	assert_int_equal(encode_failure(&encoder, &vaccel_op_tf_model_run, &call, "no such node"),
			 0);
	assert_int_equal(encoder.head_size, made.size);
	assert_memory_equal(encoder.head, made.bytes, made.size);
	assert_int_equal(encoder.payload.size, 0);

	status = 0;
	assert_int_equal(failure(&vaccel_op_tf_model_run, &made, &call), 0);
	assert_string_equal(words, "no such node");
	assert_int_equal(status, 3);
	assert_true(decoder.has_run);
	encoder_release(&encoder);
}

/* What never ran, or was no operation at all, has words alone; and what has run may be read so. */
static void test_words_alone(void **state)
{
	uint8_t status = 7;
	struct vaccel_tf_model_run_args call = {.status = &status};
	struct encoder encoder = {0};
	struct made made = {0};

	text(&made, "", 0);
	assert_int_equal(encode_failure(&encoder, NULL, NULL, ""), 0);
	assert_int_equal(encoder.head_size, made.size);
	assert_memory_equal(encoder.head, made.bytes, made.size);
	assert_int_equal(failure(&vaccel_op_tf_model_run, &made, &call), 0);
	assert_string_equal(words, "");
	assert_int_equal(status, 7);
	assert_false(decoder.has_run);
	number(&made, 3);
	assert_int_equal(failure(&vaccel_op_tf_model_run, &made, NULL), 0);
	assert_true(decoder.has_run);
	encoder_release(&encoder);
}

/* Both ends see to it, since neither trusts the other. */
static void test_words_can_be_shown(void **state)
{
	static const char bad[] = "a\nb\x1b[2Jc\xff \xc2\x9b \xc3\xa9 \x7f";
	static const char good[] = "a?b?[2Jc? ?? \xc3\xa9 ?";
	struct encoder encoder = {0};
	struct made made = {0};

	text(&made, good, sizeof(good) - 1);
	assert_int_equal(encode_failure(&encoder, NULL, NULL, bad), 0);
	assert_int_equal(encoder.head_size, made.size);
	assert_memory_equal(encoder.head, made.bytes, made.size);
	made.size = 0;
	text(&made, bad, sizeof(bad) - 1);
	assert_int_equal(failure(&vaccel_op_noop, &made, NULL), 0);
	assert_string_equal(words, good);
	encoder_release(&encoder);
}

static void test_words_are_cut(void **state)
{
	struct encoder encoder = {0};
	char longest[FRAME_TEXT_MAX + 3];

	memset(longest, 'w', sizeof(longest));
	memcpy(longest + FRAME_TEXT_MAX - 1, "\xc3\xa9", 3);
	assert_int_equal(encode_failure(&encoder, NULL, NULL, longest), 0);
	assert_int_equal(encoder.head_size, 8 + FRAME_TEXT_MAX);
	assert_int_equal(encoder.head[7 + FRAME_TEXT_MAX], '?');
	assert_int_equal(decode_failure(&decoder, &vaccel_op_noop, encoder.head, encoder.head_size,
					0, NULL, words),
			 0);
	assert_int_equal(strlen(words), FRAME_TEXT_MAX);
	encoder_release(&encoder);
}

static void refused(struct made *made, const char *sentence)
{
	uint8_t status = 7;
	struct vaccel_tf_model_run_args call = {.status = &status};

	assert_int_equal(failure(&vaccel_op_tf_model_run, made, &call), VACCEL_EREMOTEIO);
	assert_says(sentence);
	assert_int_equal(words[0], '#');
}

static void test_what_is_no_failure(void **state)
{
	static const uint64_t sizes[] = {FRAME_TEXT_MAX + 1, 1ull << 32, UINT64_MAX - 7,
					 UINT64_MAX};
	struct made made = {0};

	refused(&made, "tf_model_run: the failure is cut short: 0 bytes where 8 belong");
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		made.size = 0;
		number(&made, sizes[i]);
		refused(&made, "bytes of words; 512 are permitted");
	}
	made.size = 0;
	number(&made, 9);
	number(&made, 0x2020202020202020);
	refused(&made, "is cut short: 8 bytes where 16 belong");
	made.size = 0;
	text(&made, "a\0b", 3);
	refused(&made, "has words with a NUL in them");
	made.size = 0;
	text(&made, "abc", 3);
	made.bytes[made.size - 1] = 1;
	refused(&made, "has padding that is not zero");
	made.size = 0;
	text(&made, "abc", 3);
	number(&made, 0x100);
	refused(&made, "'status' of the failure has padding");
	made.size = 0;
	text(&made, "abc", 3);
	number(&made, 3);
	number(&made, 3);
	refused(&made, "8 bytes of arguments");
}

/* What a backend has left in arguments, and what becomes of it. */
struct both {
	int16_t both_one;
	int64_t out_one;
	int32_t span[2];
	char text[4];
	struct vaccel_arg write[2];
	struct vaccel_probe_args args;
};

static void both_init(struct both *both)
{
	both->write[0] = (struct vaccel_arg){.buf = both->text, .size = sizeof(both->text)};
	both->args = (struct vaccel_probe_args){
		.both_one = &both->both_one,
		.out_one = &both->out_one,
		.both_span = {both->span, 2},
		.write = {both->write, 2},
	};
}

/* Every scalar that goes out, and all that goes both ways; what may be absent is. */
static void test_what_outlives_a_failure(void **state)
{
	struct both from = {7, -8, {1, 2}, "abc", {{0}}, {0}};
	struct both to = {0};
	struct encoder encoder = {0};
	uint8_t optional = 0;

	both_init(&from);
	both_init(&to);
	from.write[0].size = 2;
	assert_int_equal(encode_failure(&encoder, &vaccel_op_probe, &from.args, "words"), 0);
	/* both_one, none, out_one, none; two references; presence, count, two arguments */
	assert_int_equal(encoder.head_size, 8 + 8 + 4 * 8 + 2 * 24 + 8 + 8 + 2 * 32);
	assert_int_equal(encoder.payload.size, 8 + 8);
	pieces_gather(&encoder.payload, section);
	assert_int_equal(decode_failure(&decoder, &vaccel_op_probe, encoder.head, encoder.head_size,
					16, &to.args, words),
			 0);
	pieces_fill(&decoder.payload, section);
	assert_int_equal(decode_reply_end(&decoder), 0);
	assert_int_equal(to.both_one, 7);
	assert_true(to.out_one == -8);
	assert_memory_equal(to.span, from.span, sizeof(to.span));
	assert_int_equal(to.write[0].size, 2);
	assert_memory_equal(to.text, "ab\0", 4);

	/* There is room for no more than the program gave. */
	to.write[0].size = 1;
	assert_int_equal(decode_failure(&decoder, &vaccel_op_probe, encoder.head, encoder.head_size,
					16, &to.args, words),
			 VACCEL_EREMOTEIO);
	assert_says("'write' of the failure has 2 bytes, and there is room for 1");
	to.args.both_one_opt = &optional;
	assert_int_equal(decode_failure(&decoder, &vaccel_op_probe, encoder.head, encoder.head_size,
					16, &to.args, words),
			 VACCEL_EREMOTEIO);
	assert_says("'both_one_opt' of the failure is missing");
	encoder_release(&encoder);
}

/* What the program had in it stays where the backend has said nothing. */
static void test_a_scalar_not_said(void **state)
{
	struct both from = {.both_one = 5}, to = {.both_one = 7, .out_one = 8};
	struct encoder encoder = {0};

	both_init(&from);
	both_init(&to);
	assert_int_equal(encode_failure(&encoder, &vaccel_op_probe, &from.args, "words"), 0);
	assert_int_equal(decode_failure(&decoder, &vaccel_op_probe, encoder.head, encoder.head_size,
					encoder.payload.size, &to.args, words),
			 0);
	assert_int_equal(to.both_one, 5);
	assert_true(to.out_one == 8);
	encoder_release(&encoder);
}

static void test_no_memory(void **state)
{
	char longest[FRAME_TEXT_MAX + 1] = {0};
	struct encoder encoder = {0};

	memset(longest, 'w', FRAME_TEXT_MAX);
	nomem_after(0);
	assert_int_equal(encode_failure(&encoder, NULL, NULL, longest), VACCEL_ENOMEM);
	nomem_after(-1);
	assert_says("no memory to say what went wrong");
	NOMEM_SWEEP(encode_failure(&encoder, NULL, NULL, longest));
	encoder_release(&encoder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WIRE_TEST(test_form),
		WIRE_TEST(test_words_alone),
		WIRE_TEST(test_words_can_be_shown),
		WIRE_TEST(test_words_are_cut),
		WIRE_TEST(test_what_is_no_failure),
		WIRE_TEST(test_what_outlives_a_failure),
		WIRE_TEST(test_a_scalar_not_said),
		WIRE_TEST(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
