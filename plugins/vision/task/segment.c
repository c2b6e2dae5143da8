// SPDX-License-Identifier: Apache-2.0
/*
 * Which class each pixel is of. The model's first output is a map: of a score for
 * each class, of one score for the only class there is, or of whole numbers, which
 * are the classes.
 */
#include <stdlib.h>
#include <string.h>

#include "model/util.h"
#include "vision/pass.h"
#include "vision/task/map.h"
#include "vision/task/task.h"

/* So many classes are told apart: what a pixel of the mask can say. */
#define CLASSES_MAX (UINT16_MAX + 1)

int segment_fit(const struct model *model)
{
	const struct port *port = &model->network->outputs[0];
	struct map map;

	if (!network_reads(port->type) ||
	    (port->nr_dims && !map_of(port->nr_dims, port->dims, model->card.output.layout, &map)))
		return vaccel_fail(
			VACCEL_EINVAL,
			"the model's output '%.60s' is %s; to segment pictures it must be "
			"a map of them, such as float [1, 21, 513, 513], with the order "
			"of dimensions that output.layout in model.json says",
			port->name, port_words(port).text);
	if (!port->nr_dims || map.channels < 2 || !model->labels.count)
		return VACCEL_OK;
	return labels_check(&model->labels, (size_t)map.channels);
}

/* The class with the highest score at each pixel; the first of equal ones. */
static void choose(const struct map *map, const float *scores, uint16_t *mask)
{
	size_t pixels = (size_t)(map->width * map->height);

	for (size_t i = 0; i < pixels; i++) {
		const float *score = scores + i * map->pixel_step;
		float most = score[0];
		size_t best = 0;

		for (size_t c = 1; c < (size_t)map->channels; c++) {
			if (score[c * map->channel_step] > most) {
				most = score[c * map->channel_step];
				best = c;
			}
		}
		mask[i] = (uint16_t)best;
	}
}

/* What is over the threshold is of the only class. */
static void divide(const float *scores, size_t pixels, float threshold, uint16_t *mask)
{
	for (size_t i = 0; i < pixels; i++)
		mask[i] = scores[i] > threshold;
}

/* The numbers are the classes, whatever scale the model may have for them. */
static int copy(struct pass *pass, size_t pixels, uint16_t *mask)
{
	static const struct port plain;
	float *room = scratch_room(pass->scratch, ROOM_OUTPUT, bytes_of(pixels, sizeof(*room), 0));
	const float *classes;

	if (!room)
		return VACCEL_ENOMEM;
	classes = network_floats(&pass->outputs.output[0], &plain, room);
	for (size_t i = 0; i < pixels; i++) {
		if (!(classes[i] >= 0 && classes[i] <= UINT16_MAX))
			return vaccel_fail(
				VACCEL_EBACKEND,
				"the model gives a pixel the class %g; classes are 0 to %d",
				(double)classes[i], UINT16_MAX);
		mask[i] = (uint16_t)classes[i];
	}
	return VACCEL_OK;
}

static bool is_fraction(int32_t type)
{
	return type == VACCEL_TENSOR_FLOAT || type == VACCEL_TENSOR_DOUBLE;
}

static int make_mask(struct pass *pass, const struct map *map, uint16_t *mask)
{
	size_t pixels = (size_t)(map->width * map->height);
	const float *numbers;

	if (map->channels == 1 && !is_fraction(pass->outputs.output[0].type))
		return copy(pass, pixels, mask);
	numbers = pass_floats(pass, 0);
	if (!numbers)
		return VACCEL_ENOMEM;
	if (map->channels > 1)
		choose(map, numbers, mask);
	else
		divide(numbers, pixels, pass->model->card.output.threshold, mask);
	return VACCEL_OK;
}

static const char *label_of(const struct model *model, size_t index)
{
	const char *label = labels_get(&model->labels, index);

	return label ? label : "";
}

static int compare(const void *a, const void *b)
{
	const struct vaccel_area *one = a, *other = b;

	if (one->pixels != other->pixels)
		return one->pixels < other->pixels ? 1 : -1;
	return (one->index > other->index) - (one->index < other->index);
}

/* The classes that are there, into one block, their labels behind them. */
static int tell(struct vaccel_call *call, const struct pass *pass, const uint64_t *counts,
		struct vaccel_image_segment_mask_args *args)
{
	struct vaccel_area *areas;
	size_t nr = 0, size = 0, at = 0;
	char *text;

	for (size_t i = 0; i < CLASSES_MAX; i++) {
		nr += counts[i] > 0;
		size += counts[i] ? strlen(label_of(pass->model, i)) + 1 : 0;
	}
	areas = vaccel_call_out(call, &args->areas, nr * sizeof(*areas) + size);
	if (!areas)
		return VACCEL_ENOMEM;
	text = (char *)(areas + nr);
	for (size_t i = 0; i < CLASSES_MAX; i++) {
		if (!counts[i])
			continue;
		areas[at++] = (struct vaccel_area){(uint32_t)i, counts[i], text};
		text = stpcpy(text, label_of(pass->model, i)) + 1;
	}
	qsort(areas, nr, sizeof(*areas), compare);
	args->areas.count = nr;
	return VACCEL_OK;
}

static int segment(struct vaccel_call *call, struct pass *pass,
		   struct vaccel_image_segment_mask_args *args)
{
	const struct network_output *output = &pass->outputs.output[0];
	size_t pixels;
	uint64_t *counts;
	struct map map;
	int ret;

	if (!map_of(output->nr_dims, output->dims, pass->model->card.output.layout, &map))
		return vaccel_fail(VACCEL_EBACKEND,
				   "the model's output is %s, which is no map of a picture",
				   shape_words(output->type, output->nr_dims, output->dims).text);
	pixels = (size_t)(map.width * map.height);
	counts = scratch_room(pass->scratch, ROOM_FOUND, CLASSES_MAX * sizeof(*counts));
	if (!counts ||
	    !vaccel_call_out(call, &args->mask, bytes_of(pixels, sizeof(*args->mask.data), 0)))
		return VACCEL_ENOMEM;
	ret = make_mask(pass, &map, args->mask.data);
	if (ret)
		return ret;
	memset(counts, 0, CLASSES_MAX * sizeof(*counts));
	for (size_t i = 0; i < pixels; i++)
		counts[args->mask.data[i]]++;
	args->mask.count = pixels;
	*args->width = (uint32_t)map.width;
	*args->height = (uint32_t)map.height;
	return tell(call, pass, counts, args);
}

int vision_image_segment_mask(struct vaccel_call *call, struct vaccel_image_segment_mask_args *args)
{
	_cleanup_(pass_end) struct pass pass = {0};
	int ret = pass_begin(call, CARD_SEGMENT, &pass);

	if (!ret)
		ret = pass_run(&pass, args->image.data, args->image.count, 1);
	return ret ? ret : segment(call, &pass, args);
}
