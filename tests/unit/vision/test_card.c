/* SPDX-License-Identifier: Apache-2.0 */
/* Model cards: defaults, every key, and every way in which a card can be wrong. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"
#include "vision/card.h"

static int parse(const char *text, struct card *card)
{
	return card_parse(text, strlen(text), card);
}

static void missing_keys_have_defaults(void **state)
{
	struct card card, expected;

	(void)state;
	card_init(&expected, CARD_CLASSIFY);
	assert_int_equal(expected.input.width, 0);
	assert_int_equal(expected.input.layout, CARD_ANY);
	assert_int_equal(expected.output.layout, CARD_ANY);
	assert_int_equal(expected.input.color, CARD_RGB);
	assert_true(expected.input.mean[2] == 0.0f && expected.input.scale[2] == 1.0f / 255.0f);
	assert_false(expected.output.softmax);
	memset(&card, 0, sizeof(card));
	assert_int_equal(parse("{\"task\":\"classify\"}", &card), 0);
	assert_memory_equal(&card, &expected, sizeof(card));
	assert_int_equal(parse("{\"task\":\"classify\",\"input\":{},\"output\":null}\n", &card), 0);
	assert_memory_equal(&card, &expected, sizeof(card));
}

static void every_key_is_read(void **state)
{
	struct card card;

	(void)state;
	assert_int_equal(parse("{\"task\":\"classify\",\"input\":{\"width\":224,\"height\":192,"
			       "\"layout\":\"NHWC\",\"color\":\"BGR\",\"mean\":[128,127.5,-1],"
			       "\"scale\":[0.0078125,1,2]},\"output\":{\"softmax\":true}}",
			       &card),
			 0);
	assert_int_equal(card.input.width, 224);
	assert_int_equal(card.input.height, 192);
	assert_int_equal(card.input.layout, CARD_NHWC);
	assert_int_equal(card.input.color, CARD_BGR);
	assert_true(card.input.mean[0] == 128.0f && card.input.mean[1] == 127.5f &&
		    card.input.mean[2] == -1.0f);
	assert_true(card.input.scale[0] == 0.0078125f && card.input.scale[2] == 2.0f);
	assert_true(card.output.softmax);
}

/* What the keys of "output" mean depends on the task, and some defaults on the decoder. */
static void outputs_are_read(void **state)
{
	struct card card;

	(void)state;
	assert_int_equal(parse("{\"task\":\"detect\"}", &card), 0);
	assert_int_equal(card.output.decoder, CARD_SSD);
	assert_true(card.output.threshold == 0.5f && card.output.nms == 1);
	assert_int_equal(card.output.nr_parts, CARD_NR_PARTS);
	assert_int_equal(card.output.order[CARD_COUNT], 3);
	assert_int_equal(
		parse("{\"task\":\"detect\",\"output\":{\"decoder\":\"fastestdet\"}}", &card), 0);
	assert_int_equal(card.output.decoder, CARD_FASTESTDET);
	assert_true(card.output.threshold == 0.65f && card.output.nms == 0.45f);
	assert_int_equal(parse("{\"task\":\"detect\",\"output\":{\"threshold\":0.25,\"nms\":0.5,"
			       "\"first_label\":1,\"order\":[\"scores\",\"boxes\",\"classes\"]}}",
			       &card),
			 0);
	assert_true(card.output.threshold == 0.25f && card.output.nms == 0.5f);
	assert_int_equal(card.output.first_label, 1);
	assert_int_equal(card.output.nr_parts, 3);
	assert_int_equal(card.output.order[CARD_SCORES], 0);
	assert_int_equal(card.output.order[CARD_BOXES], 1);
	assert_int_equal(card.output.order[CARD_COUNT], CARD_NR_PARTS);
	/* Without a word of its own the output lies as the model's input does. */
	assert_int_equal(parse("{\"task\":\"segment\",\"input\":{\"layout\":\"NHWC\"}}", &card), 0);
	assert_int_equal(card.output.layout, CARD_ANY);
	assert_int_equal(parse("{\"task\":\"segment\",\"input\":{\"layout\":\"NHWC\"},"
			       "\"output\":{\"layout\":\"NCHW\"}}",
			       &card),
			 0);
	assert_int_equal(card.output.layout, CARD_NCHW);
}

static void wrong_outputs_are_named(void **state)
{
	static const struct {
		const char *output, *words;
	} rows[] = {
		{"{\"decoder\":\"x\"}", "output.decoder is to be one of ssd, fastestdet"},
		{"{\"threshold\":1.5}", "output.threshold is to be a number from 0 to 1"},
		{"{\"threshold\":\"1\"}", "output.threshold"},
		{"{\"nms\":-1}", "output.nms is to be a number from 0 to 1"},
		{"{\"first_label\":0.5}", "output.first_label is to be a whole number"},
		{"{\"first_label\":-1}", "output.first_label"},
		{"{\"order\":\"boxes\"}", "output.order is to name the model's outputs"},
		{"{\"order\":[\"boxes\",\"classes\"]}", "output.order"},
		{"{\"order\":[\"boxes\",\"classes\",\"boxes\"]}", "output.order"},
		{"{\"order\":[\"boxes\",\"classes\",\"count\"]}", "output.order"},
		{"{\"order\":[\"boxes\",\"classes\",\"scores\",\"count\",\"x\"]}", "output.order"},
		{"{\"layout\":\"HW\"}", "output.layout is to be one of NCHW, NHWC"},
	};
	struct card card;
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "{\"task\":\"detect\",\"output\":%s}", rows[i].output);
		assert_failed(parse(text, &card), VACCEL_EINVAL, rows[i].words);
	}
}

static void tasks_have_names(void **state)
{
	static const char *const names[] = {"classify", "detect", "segment", "pose", "depth"};

	(void)state;
	for (unsigned int task = 0; task < CARD_NR_TASKS; task++) {
		struct card card;
		char text[64];

		assert_string_equal(card_task_name(task), names[task]);
		snprintf(text, sizeof(text), "{\"task\":\"%s\"}", names[task]);
		assert_int_equal(parse(text, &card), 0);
		assert_int_equal(card.task, task);
	}
}

static void unknown_keys_are_passed_over(void **state)
{
	struct card card;

	(void)state;
	assert_int_equal(
		parse("{\"task\":\"detect\",\"decoder\":\"yolo\",\"input\":{\"x\":[1]}}", &card),
		0);
}

static void wrong_cards_say_what_is_wrong(void **state)
{
	static const struct {
		const char *text, *words;
	} rows[] = {
		{"", "cut short"},
		{" ", "cut short"},
		{"{\"task\":\"classify\"", "cut short"},
		{"{\"task\":\"classify\"} x", "not JSON"},
		{"{task:1}", "not JSON"},
		{"{\"task\":\"\xff\"}", "not JSON"},
		{"[[[[[[[[[[[[[[[[[[[[", "not JSON"},
		{"[]", "one object"},
		{"null\n", "one object"},
		{"{}", "no task"},
		{"{\"task\":null}", "no task"},
		{"{\"task\":7}", "task is to be one of classify, detect, segment, pose, depth"},
		{"{\"task\":\"Classify\"}", "one of classify"},
		{"{\"task\":\"pose\",\"input\":[]}", "input is to be an object"},
		{"{\"task\":\"pose\",\"output\":3}", "output is to be an object"},
		{"{\"task\":\"pose\",\"input\":{\"width\":\"224\"}}", "input.width"},
		{"{\"task\":\"pose\",\"input\":{\"width\":224.0}}", "input.width"},
		{"{\"task\":\"pose\",\"input\":{\"width\":-1}}", "input.width"},
		{"{\"task\":\"pose\",\"input\":{\"height\":8193}}", "from 1 to 8192"},
		{"{\"task\":\"pose\",\"input\":{\"height\":99999999999999999999}}", "input.height"},
		{"{\"task\":\"pose\",\"input\":{\"layout\":\"CHW\"}}",
		 "input.layout is to be one of NCHW, NHWC"},
		{"{\"task\":\"pose\",\"input\":{\"color\":1}}",
		 "input.color is to be one of RGB, BGR"},
		{"{\"task\":\"pose\",\"input\":{\"mean\":1}}", "input.mean"},
		{"{\"task\":\"pose\",\"input\":{\"mean\":[1,2]}}", "input.mean"},
		{"{\"task\":\"pose\",\"input\":{\"mean\":[1,2,3,4]}}", "input.mean"},
		{"{\"task\":\"pose\",\"input\":{\"mean\":[1,2,\"3\"]}}", "input.mean"},
		{"{\"task\":\"pose\",\"input\":{\"mean\":[1,2,null]}}", "input.mean"},
		{"{\"task\":\"pose\",\"input\":{\"mean\":[1,NaN,3]}}", "input.mean"},
		{"{\"task\":\"pose\",\"input\":{\"mean\":[1,1e39,3]}}", "finite"},
		{"{\"task\":\"pose\",\"input\":{\"scale\":[1,0,3]}}", "input.scale"},
		{"{\"task\":\"pose\",\"input\":{\"scale\":[1,1e-60,3]}}", "other than 0"},
		{"{\"task\":\"pose\",\"input\":{\"scale\":[-Infinity,1,3]}}", "input.scale"},
		{"{\"task\":\"pose\",\"output\":{\"softmax\":1}}",
		 "output.softmax is to be true or false"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct card card = {.task = CARD_DEPTH};

		print_message("%s\n", rows[i].text);
		assert_failed(parse(rows[i].text, &card), VACCEL_EINVAL, rows[i].words);
		assert_int_equal(card.task, CARD_DEPTH);
	}
}

static void size_is_limited(void **state)
{
	char *text = malloc(CARD_SIZE_MAX + 2);
	struct card card;
	char *path;

	(void)state;
	assert_non_null(text);
	snprintf(text, CARD_SIZE_MAX + 2, "{\"task\":\"pose\"}%*s", CARD_SIZE_MAX + 1 - 15, "");
	assert_int_equal(card_parse(text, CARD_SIZE_MAX, &card), 0);
	assert_failed(card_parse(text, CARD_SIZE_MAX + 1, &card), VACCEL_EINVAL, "allowed");
	path = write_temporary(text, CARD_SIZE_MAX + 1);
	assert_failed(card_load(path, &card), VACCEL_EINVAL, "larger than the 65536 bytes");
	unlink(path);
	free(path);
	free(text);
}

static void cards_come_from_files(void **state)
{
	char *path = write_temporary("{\"task\":\"depth\"}\n", 17);
	struct card card;

	(void)state;
	assert_int_equal(card_load(path, &card), 0);
	assert_int_equal(card.task, CARD_DEPTH);
	unlink(path);
	assert_failed(card_load(path, &card), VACCEL_ENOENT, path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_failed(card_load(path, &card), VACCEL_EINVAL, "not a regular file");
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_failed(card_load(path, &card), VACCEL_EINVAL, "not a regular file");
	rmdir(path);
	assert_int_equal(symlink(path, path), 0);
	assert_failed(card_load(path, &card), VACCEL_EIO, "cannot open");
	unlink(path);
	free(path);
	/* A regular file whose first page is not there to be read. */
	assert_failed(card_load("/proc/self/mem", &card), VACCEL_EIO, "cannot read");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(missing_keys_have_defaults),
		cmocka_unit_test(every_key_is_read),
		cmocka_unit_test(outputs_are_read),
		cmocka_unit_test(wrong_outputs_are_named),
		cmocka_unit_test(tasks_have_names),
		cmocka_unit_test(unknown_keys_are_passed_over),
		cmocka_unit_test(wrong_cards_say_what_is_wrong),
		cmocka_unit_test(size_is_limited),
		cmocka_unit_test(cards_come_from_files),
	};

	return cmocka_run_group_tests_name("vision/card", tests, NULL, NULL);
}
