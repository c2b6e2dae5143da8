/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Labels: a text file whose line i, counted from 0, names class i.
 */
#ifndef VISION_LABELS_H
#define VISION_LABELS_H

#include <stddef.h>

/** The largest labels file that is read, in bytes. */
#define LABELS_SIZE_MAX (4 << 20)

/** struct labels - all zero: no labels */
struct labels {
	char *text;
	const char **lines;
	size_t count;
};

/**
 * labels_parse() - take a text apart into labels
 * @text: lines that end in LF or CRLF, the last perhaps in nothing; a byte order
 *        mark at the front is passed over
 * @size: its bytes
 * @ret_labels: set on success, with copies
 *
 * Empty lines count: the class of that number has an empty label.
 *
 * Return: 0; EINVAL for a text that is too large or holds NUL bytes; ENOMEM.
 */
int labels_parse(const char *text, size_t size, struct labels *ret_labels);

/** labels_load() - labels_parse() of a file; and the errors of file_read() */
int labels_load(const char *path, struct labels *ret_labels);

/** labels_get() - the label of a class, the whole line; NULL if it has none */
const char *labels_get(const struct labels *labels, size_t index);

/**
 * labels_check() - are there labels for all of a model's classes?
 *
 * Return: 0; EINVAL if there are fewer labels than classes.
 */
int labels_check(const struct labels *labels, size_t classes);

void labels_release(struct labels *labels);

#endif
