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
	return decode_failure(&decoder, op, made->bytes, made->size, to, words);
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
	number(&made, 3);
	assert_int_equal(failure(&vaccel_op_tf_model_run, &made, NULL), 0);
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
					NULL, words),
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

/* Every scalar that goes out, those that may be absent included, and nothing else. */
static void test_every_scalar(void **state)
{
	struct random_args *said = random_args_new(&vaccel_op_probe, 5, codec_resources);
	struct vaccel_probe_args *from = said->args;
	int16_t both = 0;
	uint8_t optional = 0;
	int64_t one = 0;
	struct vaccel_probe_args to = {.both_one = &both, .out_one = &one};
	struct encoder encoder = {0};

	from->both_one_opt = NULL;
	from->out_one_opt = NULL;
	assert_int_equal(encode_failure(&encoder, &vaccel_op_probe, from, "words"), 0);
	assert_int_equal(encoder.head_size, 8 + 8 + 4 * 8);
	assert_int_equal(decode_failure(&decoder, &vaccel_op_probe, encoder.head, encoder.head_size,
					&to, words),
			 0);
	assert_int_equal(both, *from->both_one);
	assert_true(one == *from->out_one);
	to.both_one_opt = &optional;
	assert_int_equal(decode_failure(&decoder, &vaccel_op_probe, encoder.head, encoder.head_size,
					&to, words),
			 VACCEL_EREMOTEIO);
	assert_says("'both_one_opt' of the failure is missing");
	encoder_release(&encoder);
	random_args_delete(said);
}

/* What the program had in it stays where the backend has said nothing. */
static void test_a_scalar_not_said(void **state)
{
	struct random_args *said = random_args_new(&vaccel_op_probe, 5, codec_resources);
	struct vaccel_probe_args *from = said->args;
	int16_t both = 7;
	int64_t one = 8;
	struct vaccel_probe_args to = {.both_one = &both, .out_one = &one};
	struct encoder encoder = {0};

	from->both_one_opt = NULL;
	from->out_one_opt = NULL;
	*from->both_one = 5;
	*from->out_one = 0;
	assert_int_equal(encode_failure(&encoder, &vaccel_op_probe, from, "words"), 0);
	assert_int_equal(decode_failure(&decoder, &vaccel_op_probe, encoder.head, encoder.head_size,
					&to, words),
			 0);
	assert_int_equal(both, 5);
	assert_true(one == 8);
	encoder_release(&encoder);
	random_args_delete(said);
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
		WIRE_TEST(test_every_scalar),
		WIRE_TEST(test_a_scalar_not_said),
		WIRE_TEST(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
