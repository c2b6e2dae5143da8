// SPDX-License-Identifier: Apache-2.0
/*
 * Which objects are in a picture. What a decoder finds, whatever the model, is
 * boxes whose corners are parts of the picture's sides; from there on all are the
 * same: the surest first, no box twice, pixels of the picture that was given.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/util.h"
#include "vision/pass.h"
#include "vision/task/task.h"

/* A box: its corners from 0 to 1. */
struct found {
	uint32_t index;
	float score;
	float left, top, right, bottom;
};

/* The boxes that a decoder found. */
struct findings {
	struct found *found;
	size_t nr;
};

/* How a kind of models is read. */
struct decoder {
	int (*fit)(const struct model *model);
	/* How many outputs it reads. */
	size_t (*nr_outputs)(const struct model *model);
	int (*decode)(struct pass *pass, struct findings *findings);
};

static struct found *make_room(struct pass *pass, size_t nr)
{
	return scratch_room(pass->scratch, ROOM_FOUND, bytes_of(nr, sizeof(struct found), 0));
}

/* Keeps a box if it is sure enough, and one at all. */
static void keep(struct findings *findings, const struct model *model, struct found found)
{
	if (!(found.score >= model->card.output.threshold) || !isfinite(found.left + found.right) ||
	    !isfinite(found.top + found.bottom))
		return;
	findings->found[findings->nr++] = found;
}

static int misfit(const struct port *port, const char *wanted)
{
	return vaccel_fail(VACCEL_EINVAL,
			   "the model's output '%.60s' is %s; to detect objects it must be %s",
			   port->name, port_words(port).text, wanted);
}

/* Models with their post-processing inside: boxes, classes, scores, count, one output each. */

static size_t ssd_nr_outputs(const struct model *model)
{
	return model->card.output.nr_parts;
}

static int ssd_fit(const struct model *model)
{
	const struct card_output *output = &model->card.output;
	const struct network *network = model->network;
	const struct port *boxes;

	if (network->nr_outputs < output->nr_parts)
		return vaccel_fail(
			VACCEL_EINVAL,
			"the model has %zu outputs; to detect objects by the decoder ssd "
			"it must have %u: boxes, classes, scores and count, in the order "
			"of output.order in model.json",
			network->nr_outputs, output->nr_parts);
	for (size_t i = 0; i < output->nr_parts; i++)
		if (!network_reads(network->outputs[i].type))
			return misfit(&network->outputs[i], "of numbers");
	boxes = &network->outputs[output->order[CARD_BOXES]];
	if (boxes->nr_dims && boxes->dims[boxes->nr_dims - 1] >= 0 &&
	    boxes->dims[boxes->nr_dims - 1] != 4)
		return misfit(boxes, "boxes of four numbers, such as float [1, 10, 4]");
	return VACCEL_OK;
}

/* The numbers of a part and how many there are; NULL, without words, if it has no output. */
static const float *part(struct pass *pass, enum card_part part, size_t *ret_count)
{
	uint8_t output = pass->model->card.output.order[part];

	if (output == CARD_NR_PARTS)
		return NULL;
	*ret_count = network_count(&pass->outputs.output[output]);
	return pass_floats(pass, output);
}

static int ssd_decode(struct pass *pass, struct findings *findings)
{
	size_t nr_boxes = 0, nr_classes = 0, nr_scores = 0, nr_counts = 0, nr;
	const float *boxes = part(pass, CARD_BOXES, &nr_boxes);
	const float *classes = part(pass, CARD_CLASSES, &nr_classes);
	const float *scores = part(pass, CARD_SCORES, &nr_scores);
	const float *count = part(pass, CARD_COUNT, &nr_counts);

	nr = nr_boxes / 4;
	if (nr_classes < nr || nr_scores < nr)
		return vaccel_fail(VACCEL_EBACKEND,
				   "the model gave %zu boxes, %zu classes and %zu scores; is "
				   "output.order in model.json right?",
				   nr, nr_classes, nr_scores);
	findings->found = make_room(pass, nr);
	if (!boxes || !classes || !scores || !findings->found)
		return VACCEL_ENOMEM;
	if (count && nr_counts && *count >= 0 && *count < (float)nr)
		nr = (size_t)*count;
	for (size_t i = 0; i < nr; i++, boxes += 4)
		if (classes[i] >= 0 && classes[i] <= UINT16_MAX)
			keep(findings, pass->model,
			     (struct found){(uint32_t)lrintf(classes[i]), scores[i], boxes[1],
					    boxes[0], boxes[3], boxes[2]});
	return VACCEL_OK;
}

/*
 * FastestDet and its like: no anchors, one output of 5 + classes planes of height *
 * width cells: how likely there is an object, where its middle lies as seen from the
 * cell, how wide and high it is, and how likely each class.
 */

enum { PLANE_OBJECT, PLANE_X, PLANE_Y, PLANE_WIDTH, PLANE_HEIGHT, PLANE_CLASSES };

static size_t fastestdet_nr_outputs(const struct model *model)
{
	return 1;
}

static int fastestdet_fit(const struct model *model)
{
	const struct port *port = &model->network->outputs[0];

	if (!network_reads(port->type) || port->nr_dims != 4 ||
	    (port->dims[1] >= 0 && port->dims[1] <= PLANE_CLASSES))
		return misfit(port, "planes of numbers, such as float [1, 85, 22, 22]");
	if (port->dims[1] < 0 || !model->labels.count)
		return VACCEL_OK;
	return labels_check(&model->labels,
			    (size_t)port->dims[1] - PLANE_CLASSES + model->card.output.first_label);
}

static float sigmoid(float x)
{
	return 1 / (1 + expf(-x));
}

/* The map of a run: its planes lie one behind the other. */
struct cells {
	const float *numbers;
	size_t width, height;
	size_t nr_classes;
};

/* What a cell has found. */
static struct found read_cell(const struct cells *cells, size_t at)
{
	size_t plane = cells->width * cells->height, best = 0;
	size_t column = at % cells->width, row = at / cells->width;
	const float *cell = cells->numbers + at;
	const float *classes = cell + PLANE_CLASSES * plane;
	float x = ((float)column + tanhf(cell[PLANE_X * plane])) / (float)cells->width;
	float y = ((float)row + tanhf(cell[PLANE_Y * plane])) / (float)cells->height;
	float half_width = sigmoid(cell[PLANE_WIDTH * plane]) / 2;
	float half_height = sigmoid(cell[PLANE_HEIGHT * plane]) / 2;

	for (size_t i = 1; i < cells->nr_classes; i++)
		if (classes[i * plane] > classes[best * plane])
			best = i;
	return (struct found){
		.index = (uint32_t)best,
		/* The two are weighed as its training does. */
		.score = powf(cell[PLANE_OBJECT * plane], 0.6f) * powf(classes[best * plane], 0.4f),
		.left = x - half_width,
		.top = y - half_height,
		.right = x + half_width,
		.bottom = y + half_height,
	};
}

static int fastestdet_decode(struct pass *pass, struct findings *findings)
{
	const struct network_output *output = &pass->outputs.output[0];
	struct cells cells;

	if (output->nr_dims != 4 || !output->dims[0] || output->dims[1] <= PLANE_CLASSES)
		return vaccel_fail(VACCEL_EBACKEND, "the model's output is %s, which are no planes",
				   shape_words(output->type, output->nr_dims, output->dims).text);
	cells = (struct cells){
		.numbers = pass_floats(pass, 0),
		.width = (size_t)output->dims[3],
		.height = (size_t)output->dims[2],
		.nr_classes = (size_t)output->dims[1] - PLANE_CLASSES,
	};
	findings->found = make_room(pass, cells.width * cells.height);
	if (!cells.numbers || !findings->found)
		return VACCEL_ENOMEM;
	for (size_t i = 0; i < cells.width * cells.height; i++)
		keep(findings, pass->model, read_cell(&cells, i));
	return VACCEL_OK;
}

static const struct decoder decoders[CARD_NR_DECODERS] = {
	[CARD_SSD] = {ssd_fit, ssd_nr_outputs, ssd_decode},
	[CARD_FASTESTDET] = {fastestdet_fit, fastestdet_nr_outputs, fastestdet_decode},
};

int detect_fit(const struct model *model)
{
	return decoders[model->card.output.decoder].fit(model);
}

static int compare(const void *a, const void *b)
{
	const struct found *one = a, *other = b;

	return (one->score < other->score) - (one->score > other->score);
}

static float area(const struct found *found)
{
	return fmaxf(0, found->right - found->left) * fmaxf(0, found->bottom - found->top);
}

/* What two boxes share, as part of what both cover. */
static float overlap(const struct found *a, const struct found *b)
{
	struct found both = {
		.left = fmaxf(a->left, b->left),
		.top = fmaxf(a->top, b->top),
		.right = fminf(a->right, b->right),
		.bottom = fminf(a->bottom, b->bottom),
	};
	float shared = area(&both), covered = area(a) + area(b) - shared;

	return covered > 0 ? shared / covered : 0;
}

static bool is_double(const struct findings *kept, const struct found *found, float most)
{
	for (size_t i = 0; i < kept->nr; i++)
		if (kept->found[i].index == found->index && overlap(&kept->found[i], found) > most)
			return true;
	return false;
}

/* Sorts the boxes, and of those that mean the same object leaves the surest. */
static void settle(struct findings *findings, float nms)
{
	struct findings kept = {.found = findings->found};

	if (findings->nr)
		qsort(findings->found, findings->nr, sizeof(*findings->found), compare);
	for (size_t i = 0; i < findings->nr; i++) {
		struct found found = findings->found[i];

		if (nms >= 1 || !is_double(&kept, &found, nms))
			kept.found[kept.nr++] = found;
	}
	findings->nr = kept.nr;
}

static const char *label_of(const struct model *model, const struct found *found)
{
	const char *label =
		labels_get(&model->labels, found->index + (size_t)model->card.output.first_label);

	return label ? label : "";
}

static float pixels(float part, uint32_t side)
{
	return fminf(fmaxf(part, 0), 1) * (float)side;
}

/* Puts the boxes into one block, their labels behind them. */
static int tell(struct vaccel_call *call, const struct pass *pass, const struct findings *findings,
		struct vaccel_image_detect_boxes_args *args)
{
	size_t size = bytes_of(findings->nr, sizeof(struct vaccel_box), 0);
	struct vaccel_box *boxes;
	char *text;

	for (size_t i = 0; i < findings->nr; i++)
		size = bytes_of(1, strlen(label_of(pass->model, &findings->found[i])) + 1, size);
	boxes = vaccel_call_out(call, &args->boxes, size);
	if (!boxes)
		return VACCEL_ENOMEM;
	text = (char *)(boxes + findings->nr);
	for (size_t i = 0; i < findings->nr; i++) {
		const struct found *found = &findings->found[i];

		boxes[i] = (struct vaccel_box){
			.index = found->index,
			.score = found->score,
			.left = pixels(found->left, pass->width),
			.top = pixels(found->top, pass->height),
			.right = pixels(found->right, pass->width),
			.bottom = pixels(found->bottom, pass->height),
			.label = text,
		};
		text = stpcpy(text, label_of(pass->model, found)) + 1;
	}
	args->boxes.count = findings->nr;
	return VACCEL_OK;
}

int vision_image_detect_boxes(struct vaccel_call *call, struct vaccel_image_detect_boxes_args *args)
{
	_cleanup_(pass_end) struct pass pass = {0};
	struct findings findings = {0};
	const struct decoder *decoder;
	int ret = pass_begin(call, CARD_DETECT, &pass);

	if (ret)
		return ret;
	decoder = &decoders[pass.model->card.output.decoder];
	ret = pass_run(&pass, args->image.data, args->image.count, decoder->nr_outputs(pass.model));
	if (!ret)
		ret = decoder->decode(&pass, &findings);
	if (ret)
		return ret;
	settle(&findings, pass.model->card.output.nms);
	return tell(call, &pass, &findings, args);
}
