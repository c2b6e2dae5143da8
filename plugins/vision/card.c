/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads model.json with json-c. Whoever writes a card learns which key is wrong
 * and what it may be: a card that is read wrongly gives no error later, only
 * poor results. Each read_*() leaves its default alone where the key is missing.
 */
#include "vision/card.h"

#include <float.h>
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <vaccel/error.h>

#include "model/file.h"
#include "model/util.h"
#include "vision/resize.h"

enum { CARD_DEPTH_MAX = 16 };

static const char *const task_names[CARD_NR_TASKS + 1] = {
	[CARD_CLASSIFY] = "classify", [CARD_DETECT] = "detect", [CARD_SEGMENT] = "segment",
	[CARD_POSE] = "pose",	      [CARD_DEPTH] = "depth",
};
static const char *const layout_names[] = {"NCHW", "NHWC", NULL};
static const char *const color_names[] = {"RGB", "BGR", NULL};
static const char *const decoder_names[CARD_NR_DECODERS + 1] = {
	[CARD_SSD] = "ssd", [CARD_FASTESTDET] = "fastestdet"};
static const char *const part_names[CARD_NR_PARTS + 1] = {[CARD_BOXES] = "boxes",
							  [CARD_CLASSES] = "classes",
							  [CARD_SCORES] = "scores",
							  [CARD_COUNT] = "count"};

/* What holds of a decoder where the card says nothing. */
static const struct {
	float threshold;
	float nms;
} usual[CARD_NR_DECODERS] = {[CARD_SSD] = {0.5f, 1}, [CARD_FASTESTDET] = {0.65f, 0.45f}};

static void json_putp(json_object **json)
{
	json_object_put(*json);
}

static void tokener_freep(json_tokener **tokener)
{
	if (*tokener)
		json_tokener_free(*tokener);
}

const char *card_task_name(enum card_task task)
{
	return task_names[task];
}

void card_init(struct card *card, enum card_task task)
{
	*card = (struct card){.task = task, .input = {.layout = CARD_ANY, .plain = true}};
	card->output.layout = CARD_ANY;
	for (int i = 0; i < 3; i++)
		card->input.scale[i] = 1.0f / 255.0f;
	card->output.threshold = usual[CARD_SSD].threshold;
	card->output.nms = usual[CARD_SSD].nms;
	card->output.nr_parts = CARD_NR_PARTS;
	for (int i = 0; i < CARD_NR_PARTS; i++)
		card->output.order[i] = (uint8_t)i;
}

/* Is there a member of this name? JSON's null counts as none. */
static bool find(json_object *parent, const char *path, json_object **ret_value)
{
	const char *dot = strrchr(path, '.');

	return json_object_object_get_ex(parent, dot ? dot + 1 : path, ret_value) && *ret_value;
}

static int read_object(json_object *parent, const char *path, json_object **ret_value)
{
	if (find(parent, path, ret_value) && !json_object_is_type(*ret_value, json_type_object))
		return vaccel_fail(VACCEL_EINVAL, "model.json: %s is to be an object {…}", path);
	return 0;
}

static int read_side(json_object *parent, const char *path, uint32_t *side)
{
	json_object *value;
	int64_t number;

	if (!find(parent, path, &value))
		return 0;
	number = json_object_get_int64(value);
	if (!json_object_is_type(value, json_type_int) || number < 0 || number > RESIZE_SIDE_MAX)
		return vaccel_fail(VACCEL_EINVAL,
				   "model.json: %s is to be a whole number from 1 to %d, "
				   "or 0 for the model's own",
				   path, RESIZE_SIDE_MAX);
	*side = (uint32_t)number;
	return 0;
}

/* The names as a list for a sentence; a buffer of 64 holds the longest of them. */
static void list_names(const char *const *names, char *list, size_t size)
{
	size_t used = 0;

	for (; *names && used < size; names++)
		used += (size_t)snprintf(list + used, size - used, "%s%s", *names,
					 names[1] ? ", " : "");
}

static int read_name(json_object *parent, const char *path, const char *const *names,
		     unsigned int *ret_index)
{
	json_object *value;
	char list[64];

	if (!find(parent, path, &value))
		return 0;
	if (json_object_is_type(value, json_type_string))
		for (unsigned int i = 0; names[i]; i++)
			if (!strcmp(json_object_get_string(value), names[i])) {
				*ret_index = i;
				return 0;
			}
	list_names(names, list, sizeof(list));
	return vaccel_fail(VACCEL_EINVAL, "model.json: %s is to be one of %s", path, list);
}

static bool is_number(json_object *value)
{
	return json_object_is_type(value, json_type_int) ||
	       json_object_is_type(value, json_type_double);
}

static int read_triple(json_object *parent, const char *path, bool zero_allowed, float triple[3])
{
	json_object *value;
	float numbers[3];
	bool good;

	if (!find(parent, path, &value))
		return 0;
	good = json_object_is_type(value, json_type_array) && json_object_array_length(value) == 3;
	for (size_t i = 0; good && i < 3; i++) {
		json_object *item = json_object_array_get_idx(value, i);
		double number = json_object_get_double(item);

		/* False of NaN too. */
		good = is_number(item) && fabs(number) <= FLT_MAX;
		numbers[i] = good ? (float)number : 0.0f;
		good = good && (zero_allowed || numbers[i] != 0.0f);
	}
	if (!good)
		return vaccel_fail(
			VACCEL_EINVAL,
			"model.json: %s is to be three finite numbers%s, one per channel", path,
			zero_allowed ? "" : " other than 0");
	memcpy(triple, numbers, sizeof(numbers));
	return 0;
}

static int read_bool(json_object *parent, const char *path, bool *ret_value)
{
	json_object *value;

	if (!find(parent, path, &value))
		return 0;
	if (!json_object_is_type(value, json_type_boolean))
		return vaccel_fail(VACCEL_EINVAL, "model.json: %s is to be true or false", path);
	*ret_value = json_object_get_boolean(value);
	return 0;
}

static int read_part(json_object *parent, const char *path, float *part)
{
	json_object *value;
	double number;

	if (!find(parent, path, &value))
		return 0;
	number = json_object_get_double(value);
	/* False of NaN too. */
	if (!is_number(value) || !(number >= 0 && number <= 1))
		return vaccel_fail(VACCEL_EINVAL, "model.json: %s is to be a number from 0 to 1",
				   path);
	*part = (float)number;
	return 0;
}

static int read_line(json_object *parent, const char *path, uint32_t *line)
{
	json_object *value;
	int64_t number;

	if (!find(parent, path, &value))
		return 0;
	number = json_object_get_int64(value);
	if (!json_object_is_type(value, json_type_int) || number < 0 || number > UINT16_MAX)
		return vaccel_fail(VACCEL_EINVAL,
				   "model.json: %s is to be a whole number from 0 to %d", path,
				   UINT16_MAX);
	*line = (uint32_t)number;
	return 0;
}

/* The position of a part among the names; CARD_NR_PARTS if it is not one or there twice. */
static unsigned int part_of(json_object *item, const struct card_output *output)
{
	unsigned int part = 0;

	if (!json_object_is_type(item, json_type_string))
		return CARD_NR_PARTS;
	while (part < CARD_NR_PARTS && strcmp(json_object_get_string(item), part_names[part]))
		part++;
	return part < CARD_NR_PARTS && output->order[part] == CARD_NR_PARTS ? part : CARD_NR_PARTS;
}

static int read_order(json_object *parent, const char *path, struct card_output *output)
{
	struct card_output read = *output;
	unsigned int part = 0;
	json_object *value;
	size_t nr;

	if (!find(parent, path, &value))
		return 0;
	memset(read.order, CARD_NR_PARTS, sizeof(read.order));
	nr = json_object_is_type(value, json_type_array) ? json_object_array_length(value) : 0;
	for (size_t i = 0; i < nr && i < CARD_NR_PARTS && part < CARD_NR_PARTS; i++) {
		part = part_of(json_object_array_get_idx(value, i), &read);
		if (part < CARD_NR_PARTS)
			read.order[part] = (uint8_t)i;
	}
	if (nr < CARD_COUNT || nr > CARD_NR_PARTS || part == CARD_NR_PARTS ||
	    read.order[CARD_BOXES] == CARD_NR_PARTS || read.order[CARD_CLASSES] == CARD_NR_PARTS ||
	    read.order[CARD_SCORES] == CARD_NR_PARTS)
		return vaccel_fail(VACCEL_EINVAL,
				   "model.json: %s is to name the model's outputs in their order: "
				   "\"boxes\", \"classes\", \"scores\" and perhaps \"count\"",
				   path);
	read.nr_parts = (uint8_t)nr;
	*output = read;
	return 0;
}

static int read_detection(json_object *json, struct card_output *output)
{
	unsigned int decoder = output->decoder;
	int err = read_name(json, "output.decoder", decoder_names, &decoder);

	if (err)
		return err;
	output->decoder = decoder;
	output->threshold = usual[decoder].threshold;
	output->nms = usual[decoder].nms;
	err = read_part(json, "output.nms", &output->nms);
	if (!err)
		err = read_line(json, "output.first_label", &output->first_label);
	return err ? err : read_order(json, "output.order", output);
}

static int read_output(json_object *root, struct card *card)
{
	unsigned int layout = card->output.layout;
	json_object *json = NULL;
	int err = read_object(root, "output", &json);

	if (err || !json)
		return err;
	err = read_bool(json, "output.softmax", &card->output.softmax);
	if (!err && card->task == CARD_DETECT)
		err = read_detection(json, &card->output);
	if (!err)
		err = read_part(json, "output.threshold", &card->output.threshold);
	if (!err)
		err = read_name(json, "output.layout", layout_names, &layout);
	card->output.layout = layout;
	return err;
}

static int read_input(json_object *root, struct card_input *input)
{
	unsigned int layout = input->layout;
	unsigned int color = input->color;
	json_object *json = NULL, *value;
	int err;

	err = read_object(root, "input", &json);
	if (err || !json)
		return err;
	err = read_side(json, "input.width", &input->width);
	if (!err)
		err = read_side(json, "input.height", &input->height);
	if (!err)
		err = read_name(json, "input.layout", layout_names, &layout);
	if (!err)
		err = read_name(json, "input.color", color_names, &color);
	if (!err)
		err = read_triple(json, "input.mean", true, input->mean);
	if (!err)
		err = read_triple(json, "input.scale", false, input->scale);
	input->layout = layout;
	input->color = color;
	input->plain = !find(json, "input.mean", &value) && !find(json, "input.scale", &value);
	return err;
}

static int read_card(json_object *root, struct card *card)
{
	unsigned int task = CARD_NR_TASKS;
	int err;

	if (!json_object_is_type(root, json_type_object))
		return vaccel_fail(VACCEL_EINVAL, "model.json is to be one object {…}");
	err = read_name(root, "task", task_names, &task);
	if (err)
		return err;
	if (task == CARD_NR_TASKS)
		return vaccel_fail(VACCEL_EINVAL,
				   "model.json has no task: add \"task\": \"classify\" or another");
	card_init(card, task);
	err = read_input(root, &card->input);
	return err ? err : read_output(root, card);
}

int card_parse(const char *text, size_t size, struct card *ret_card)
{
	_cleanup_(tokener_freep) json_tokener *tokener = json_tokener_new_ex(CARD_DEPTH_MAX);
	_cleanup_(json_putp) json_object *root = NULL;
	enum json_tokener_error failure;
	struct card card;
	int err;

	if (!tokener)
		return vaccel_fail(VACCEL_ENOMEM, "no memory to read model.json");
	if (size > CARD_SIZE_MAX)
		return vaccel_fail(VACCEL_EINVAL, "model.json has %zu bytes, %d are allowed", size,
				   CARD_SIZE_MAX);
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	root = json_tokener_parse_ex(tokener, text, (int)size);
	failure = json_tokener_get_error(tokener);
	if (failure == json_tokener_continue)
		return vaccel_fail(VACCEL_EINVAL, "model.json is empty or cut short");
	if (failure != json_tokener_success)
		return vaccel_fail(VACCEL_EINVAL, "model.json is not JSON: %s at byte %zu",
				   json_tokener_error_desc(failure),
				   json_tokener_get_parse_end(tokener));
	err = read_card(root, &card);
	if (err)
		return err;
	*ret_card = card;
	return 0;
}

int card_load(const char *path, struct card *ret_card)
{
	_cleanup_(freep) char *text = NULL;
	size_t size;
	int err;

	err = file_read(path, CARD_SIZE_MAX, &text, &size);
	if (err)
		return err;
	return card_parse(text, size, ret_card);
}
