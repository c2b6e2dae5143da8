/* SPDX-License-Identifier: Apache-2.0 */
/* Label files: line ends, empty lines, limits, and too few of them. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support.h"
#include "vision/labels.h"

static void lines_become_labels(void **state)
{
	static const struct {
		const char *text;
		size_t count;
		const char *labels[3];
	} rows[] = {
		{"", 0, {NULL}},
		{"\n", 1, {""}},
		{"tench, Tinca tinca\ngoldfish\n", 2, {"tench, Tinca tinca", "goldfish"}},
		{"one\r\ntwo\r\nthree", 3, {"one", "two", "three"}},
		{"a\n\nc", 3, {"a", "", "c"}},
		{"\r\n\r", 2, {"", ""}},
		{"\xef\xbb\xbfone\n two \n", 2, {"one", " two "}},
		{"\xef\xbb\xbf", 0, {NULL}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct labels labels = {0};

		assert_int_equal(labels_parse(rows[i].text, strlen(rows[i].text), &labels), 0);
		assert_int_equal(labels.count, rows[i].count);
		for (size_t l = 0; l < rows[i].count; l++)
			assert_string_equal(labels_get(&labels, l), rows[i].labels[l]);
		assert_null(labels_get(&labels, rows[i].count));
		assert_null(labels_get(&labels, SIZE_MAX));
		labels_release(&labels);
		assert_null(labels_get(&labels, 0));
		labels_release(&labels);
	}
}

static void no_text_is_refused(void **state)
{
	struct labels labels = {0};
	char *large = malloc(LABELS_SIZE_MAX + 1);

	(void)state;
	assert_non_null(large);
	memset(large, '\n', LABELS_SIZE_MAX + 1);
	assert_failed(labels_parse("a\0b", 3, &labels), VACCEL_EINVAL, "NUL");
	assert_failed(labels_parse(large, LABELS_SIZE_MAX + 1, &labels), VACCEL_EINVAL, "allowed");
	assert_null(labels.text);
	assert_int_equal(labels_parse(large, LABELS_SIZE_MAX, &labels), 0);
	assert_int_equal(labels.count, LABELS_SIZE_MAX);
	labels_release(&labels);
	free(large);
}

static void fewer_labels_than_classes_are_an_error(void **state)
{
	struct labels labels = {0};

	(void)state;
	assert_int_equal(labels_parse("a\nb\n", 4, &labels), 0);
	assert_int_equal(labels_check(&labels, 1), 0);
	assert_int_equal(labels_check(&labels, 2), 0);
	assert_failed(labels_check(&labels, 3), VACCEL_EINVAL, "3 classes");
	assert_failed(labels_check(&labels, 1001), VACCEL_EINVAL,
		      "2 labels for a model of 1001 classes");
	labels_release(&labels);
}

static void labels_come_from_files(void **state)
{
	char *path = write_temporary("zero\none\n", 9);
	struct labels labels = {0};

	(void)state;
	assert_int_equal(labels_load(path, &labels), 0);
	assert_int_equal(labels.count, 2);
	assert_string_equal(labels_get(&labels, 1), "one");
	labels_release(&labels);
	unlink(path);
	assert_failed(labels_load(path, &labels), VACCEL_ENOENT, path);
	free(path);
	path = write_temporary("", 0);
	assert_int_equal(labels_load(path, &labels), 0);
	assert_int_equal(labels.count, 0);
	labels_release(&labels);
	unlink(path);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_become_labels),
		cmocka_unit_test(no_text_is_refused),
		cmocka_unit_test(fewer_labels_than_classes_are_an_error),
		cmocka_unit_test(labels_come_from_files),
	};

	return cmocka_run_group_tests_name("vision/labels", tests, NULL, NULL);
}
