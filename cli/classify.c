// SPDX-License-Identifier: Apache-2.0
/*
 * vaccel classify: what pictures show, by the operation image_classify_top. The
 * pictures go one by one through one session; what is wrong with one of them is
 * said on stderr and does not stop the others.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/describe.h"
#include "base/library.h"
#include "base/progress.h"
#include "command.h"

#define MILLISECONDS	1e3
#define PERCENT_DECIMAL 3

struct classify {
	const struct options *options;
	struct vaccel_session sess;
	struct vaccel_resource model;
	char **labels; /* of --labels */
	size_t nr_labels;
	double *seconds; /* what each of the repetitions took */
	bool hopeless;	 /* what failed would fail for every picture */
	struct progress progress;
	struct json_object *json; /* NULL for text */
};

static int read_labels(struct classify *classify, const char *path)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t room = 0;
	int ret = VACCEL_OK;

	if (!file)
		return vaccel_fail(errno, "cannot read the labels '%s': %s", path, strerror(errno));
	while (!ret && getline(&line, &room, file) >= 0) {
		char **more = realloc(classify->labels,
				      (classify->nr_labels + 1) * sizeof(*classify->labels));

		if (more)
			classify->labels = more;
		line[strcspn(line, "\r\n")] = '\0';
		if (!more || !(more[classify->nr_labels] = strdup(line)))
			ret = vaccel_fail(VACCEL_ENOMEM, "no memory for the labels '%s'", path);
		else
			classify->nr_labels++;
	}
	if (!ret && ferror(file))
		ret = vaccel_fail(VACCEL_EIO, "cannot read the labels '%s'", path);
	if (!ret && !classify->nr_labels)
		ret = vaccel_fail(VACCEL_EINVAL, "there are no labels in '%s'", path);
	free(line);
	fclose(file);
	return ret;
}

static int set_up(struct classify *classify)
{
	const struct options *options = classify->options;
	int ret = vaccel_session_init(&classify->sess, 0);

	if (!ret && options->model)
		ret = vaccel_resource_init(&classify->model, options->model, VACCEL_RESOURCE_MODEL);
	if (!ret && options->model)
		ret = vaccel_resource_register(&classify->model, &classify->sess);
	if (!ret && options->labels)
		ret = read_labels(classify, options->labels);
	if (ret)
		return ret;
	classify->seconds = calloc((size_t)options->repeat, sizeof(*classify->seconds));
	if (!classify->seconds)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for %ld times", options->repeat);
	return VACCEL_OK;
}

static void tear_down(struct classify *classify)
{
	for (size_t i = 0; i < classify->nr_labels; i++)
		free(classify->labels[i]);
	free(classify->labels);
	free(classify->seconds);
	if (classify->sess.id)
		vaccel_session_release(&classify->sess);
	if (classify->model.id)
		vaccel_resource_release(&classify->model);
}

/* Whether the label of each class is in --labels. */
static int check_labels(struct classify *classify, const struct vaccel_class *top, size_t nr)
{
	for (size_t i = 0; classify->labels && i < nr; i++) {
		if (top[i].index < classify->nr_labels)
			continue;
		classify->hopeless = true;
		return vaccel_fail(VACCEL_EINVAL,
				   "'%s' has %zu labels and the model has a class number %" PRIu32
				   ", "
				   "counted from 0; give the labels of this model",
				   classify->options->labels, classify->nr_labels, top[i].index);
	}
	return VACCEL_OK;
}

static const char *label_of(const struct classify *classify, const struct vaccel_class *class)
{
	return classify->labels ? classify->labels[class->index] : class->label;
}

static void put_class(const struct classify *classify, const struct vaccel_class *class)
{
	const char *label = label_of(classify, class);

	printf("  %7.*f%%  ", PERCENT_DECIMAL, 100 * (double)class->probability);
	if (label && *label)
		terminal_put(STYLE_PLAIN, 0, label);
	else
		printf("class %" PRIu32, class->index);
	putchar('\n');
}

static struct json_object *class_to_json(const struct classify *classify,
					 const struct vaccel_class *class)
{
	struct json_object *json = json_object_new_object();

	json_put(json, "index", json_object_new_int64(class->index));
	json_put(json, "label", json_text(label_of(classify, class)));
	json_put(json, "probability", json_number(class->probability));
	return json;
}

static int compare_seconds(const void *a, const void *b)
{
	double one = *(const double *)a, other = *(const double *)b;

	return (one > other) - (one < other);
}

/* Of the repetitions, in milliseconds; the first one apart, since it loads the model. */
struct times {
	double first;
	double median;
	double fastest;
};

static struct times times_of(struct classify *classify)
{
	size_t nr = (size_t)classify->options->repeat;
	struct times times = {.first = classify->seconds[0] * MILLISECONDS};

	qsort(classify->seconds, nr, sizeof(*classify->seconds), compare_seconds);
	times.median = classify->seconds[nr / 2] * MILLISECONDS;
	times.fastest = classify->seconds[0] * MILLISECONDS;
	return times;
}

static struct json_object *times_to_json(const struct times *times)
{
	struct json_object *json = json_object_new_object();

	json_put(json, "first", json_number(times->first));
	json_put(json, "median", json_number(times->median));
	json_put(json, "fastest", json_number(times->fastest));
	return json;
}

static void show(struct classify *classify, const char *image, const struct vaccel_class *top,
		 size_t nr)
{
	struct times times = times_of(classify);

	if (isatty(STDOUT_FILENO))
		progress_hide(&classify->progress);
	terminal_put(STYLE_HEADING, 0, image);
	putchar('\n');
	for (size_t i = 0; i < nr; i++)
		put_class(classify, &top[i]);
	if (classify->options->repeat > 1)
		printf("  %ld times: first %.3f ms, median %.3f ms, fastest %.3f ms\n",
		       classify->options->repeat, times.first, times.median, times.fastest);
}

static void add(struct classify *classify, const char *image, const struct vaccel_class *top,
		size_t nr)
{
	struct json_object *json = json_object_new_object();
	struct json_object *classes = json_object_new_array();
	struct times times = times_of(classify);

	for (size_t i = 0; i < nr; i++)
		json_append(classes, class_to_json(classify, &top[i]));
	json_put(json, "image", json_text(image));
	json_put(json, "top", classes);
	if (classify->options->repeat > 1)
		json_put(json, "ms", times_to_json(&times));
	json_append(classify->json, json);
}

/* The classes of the last repetition are the caller's to free. */
static int call(struct classify *classify, const uint8_t *picture, size_t size,
		struct vaccel_class **ret_top, size_t *ret_nr)
{
	struct vaccel_class *top = NULL;
	size_t nr = 0;

	for (long i = 0; i < classify->options->repeat; i++) {
		double began = seconds_now();
		int ret;

		free(top);
		ret = vaccel_image_classify_top(&classify->sess, picture, size,
						(size_t)classify->options->top, &top, &nr);
		/* No model, no plugin, no session */
		classify->hopeless =
			ret == VACCEL_ENOENT || ret == VACCEL_ENOTSUP || ret == VACCEL_ESESS;
		if (ret)
			return ret;
		classify->seconds[i] = seconds_now() - began;
	}
	*ret_top = top;
	*ret_nr = nr;
	return VACCEL_OK;
}

static int classify_image(struct classify *classify, const char *image)
{
	struct vaccel_blob blob;
	struct vaccel_class *top;
	const uint8_t *picture;
	size_t size, nr;
	int ret = vaccel_blob_init(&blob, image);

	if (ret)
		return ret;
	ret = vaccel_blob_read(&blob);
	if (!ret) {
		picture = vaccel_blob_data(&blob, &size);
		ret = call(classify, picture, size, &top, &nr);
	}
	vaccel_blob_release(&blob);
	if (ret)
		return ret;
	ret = check_labels(classify, top, nr);
	if (!ret && classify->json)
		add(classify, image, top, nr);
	else if (!ret)
		show(classify, image, top, nr);
	free(top);
	return ret;
}

static int classify_images(struct classify *classify)
{
	const struct options *options = classify->options;
	int status = STATUS_OK;

	progress_begin(&classify->progress, options->nr_operands);
	for (size_t i = 0; i < options->nr_operands && !classify->hopeless; i++) {
		if (classify_image(classify, options->operands[i])) {
			progress_hide(&classify->progress);
			complain("%s: %s", options->operands[i], vaccel_error_text());
			status = STATUS_FAILED;
		}
		progress_step(&classify->progress);
	}
	progress_hide(&classify->progress);
	return status;
}

int classify_main(const struct options *options)
{
	struct classify classify = {.options = options};
	int status = STATUS_FAILED;

	if (!library_ready())
		return STATUS_FAILED;
	if (set_up(&classify)) {
		complain("%s", vaccel_error_text());
	} else {
		classify.json = options->json ? json_object_new_array() : NULL;
		status = classify_images(&classify);
	}
	if (classify.json)
		json_print(classify.json);
	tear_down(&classify);
	return status;
}
