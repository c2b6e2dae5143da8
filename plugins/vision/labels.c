/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One copy of the text, cut into lines in place, and a table of where they start.
 */
#include "vision/labels.h"

#include <string.h>
#include <vaccel/error.h>

#include "model/file.h"
#include "model/util.h"

static size_t count_lines(const char *text, size_t size)
{
	size_t count = 0;

	for (size_t i = 0; i < size; i++)
		count += text[i] == '\n';
	return count + (size > 0 && text[size - 1] != '\n');
}

static void cut_lines(char *text, const char **lines, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t length = strcspn(text, "\n");
		char *next = text + length + 1;

		if (length > 0 && text[length - 1] == '\r')
			length--;
		text[length] = '\0';
		lines[i] = text;
		text = next;
	}
}

/* Takes the text over on success. */
static int adopt(char **text, size_t size, struct labels *ret_labels)
{
	size_t mark = size >= 3 && !memcmp(*text, "\xef\xbb\xbf", 3) ? 3 : 0;
	struct labels labels = {0};

	if (memchr(*text, '\0', size))
		return vaccel_fail(VACCEL_EINVAL,
				   "the labels hold NUL bytes: a text is wanted, one label a line");
	labels.count = count_lines(*text + mark, size - mark);
	labels.lines = calloc(labels.count + 1, sizeof(*labels.lines));
	if (!labels.lines)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for %zu labels", labels.count);
	cut_lines(*text + mark, labels.lines, labels.count);
	labels.text = TAKE(*text);
	*ret_labels = labels;
	return 0;
}

int labels_parse(const char *text, size_t size, struct labels *ret_labels)
{
	_cleanup_(freep) char *copy = NULL;

	if (size > LABELS_SIZE_MAX)
		return vaccel_fail(VACCEL_EINVAL, "the labels have %zu bytes, %d are allowed", size,
				   LABELS_SIZE_MAX);
	copy = malloc(size + 1);
	if (!copy)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for labels");
	memcpy(copy, text, size);
	copy[size] = '\0';
	return adopt(&copy, size, ret_labels);
}

int labels_load(const char *path, struct labels *ret_labels)
{
	_cleanup_(freep) char *text = NULL;
	size_t size;
	int err;

	err = file_read(path, LABELS_SIZE_MAX, &text, &size);
	if (err)
		return err;
	return adopt(&text, size, ret_labels);
}

const char *labels_get(const struct labels *labels, size_t index)
{
	return index < labels->count ? labels->lines[index] : NULL;
}

int labels_check(const struct labels *labels, size_t classes)
{
	if (labels->count >= classes)
		return 0;
	return vaccel_fail(VACCEL_EINVAL,
			   "%zu labels for a model of %zu classes: one line for each is needed",
			   labels->count, classes);
}

void labels_release(struct labels *labels)
{
	free(labels->text);
	free(labels->lines);
	*labels = (struct labels){0};
}
