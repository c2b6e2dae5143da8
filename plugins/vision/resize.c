/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Separable antialiasing resize in fixed point. Along the rows first, each row of the
 * source is filtered once, into a ring of as many rows as one row of the result looks
 * at, which stays in the first-level cache; rows of the result are weighted sums over
 * the ring. Along the columns first, each row of the result is a weighted sum of rows
 * of the source, filtered then. Weights have 22 fractional bits and sum to about one, so a sum
 * over 8-bit samples fits 32 bits; it may exceed 255 by rounding and is clipped.
 */
#include "vision/resize.h"

#include <stdbool.h>
#include <stdlib.h>
#include <vaccel/error.h>

#include "vision/decode.h"

enum {
	WEIGHT_BITS = 22,
	ONE = 1 << WEIGHT_BITS,
	HALF = ONE / 2,
	CHANNELS = 3,
	LINE_SIZE = 64,
};

/*
 * For one direction: sample i of the result is the sum over span[i].count samples
 * of the source from span[i].first on, by the weights from weights[i * taps] on.
 */
struct axis {
	uint32_t size;
	uint32_t source_size;
	double scale;
	double support;
	uint32_t taps;
	struct span {
		uint32_t first;
		uint32_t count;
	} * spans;
	uint32_t *weights;
};

struct resize {
	struct axis x;
	struct axis y;
	bool columns_first;
	uint32_t *sums;
	uint8_t *rows; /* between the two directions: the ring, or one row */
};

static struct axis axis_measure(uint32_t source_size, uint32_t size)
{
	double scale = (double)source_size / size;
	double support = scale < 1.0 ? 1.0 : scale;
	uint32_t reach = (uint32_t)support;

	reach += reach < support;
	return (struct axis){
		.size = size,
		.source_size = source_size,
		.scale = scale,
		.support = support,
		.taps = 2 * reach + 1,
	};
}

static double triangle(double x)
{
	if (x < 0.0)
		x = -x;
	return x < 1.0 ? 1.0 - x : 0.0;
}

/* The weights of sample i; computed twice, since their sum comes before them. */
static void fill_weights(const struct axis *axis, uint32_t i)
{
	double centre = (i + 0.5) * axis->scale;
	double narrow = 1.0 / axis->support;
	double from = centre - axis->support + 0.5;
	double to = centre + axis->support + 0.5;
	uint32_t first = from > 0.0 ? (uint32_t)from : 0;
	uint32_t end = to < axis->source_size ? (uint32_t)to : axis->source_size;
	uint32_t *weights = axis->weights + (size_t)i * axis->taps;
	double sum = 0.0;

	for (uint32_t s = first; s < end; s++)
		sum += triangle((s - centre + 0.5) * narrow);
	for (uint32_t s = first; s < end; s++) {
		double weight = triangle((s - centre + 0.5) * narrow) / sum;

		weights[s - first] = (uint32_t)(0.5 + weight * ONE);
	}
	axis->spans[i] = (struct span){first, end - first};
}

static void axis_fill(const struct axis *axis)
{
	for (uint32_t i = 0; i < axis->size; i++)
		fill_weights(axis, i);
}

static uint8_t to_byte(uint32_t sum)
{
	uint32_t value = sum >> WEIGHT_BITS;

	return value > 255 ? 255 : (uint8_t)value;
}

static void filter_row(const struct axis *x, const uint8_t *row, uint8_t *restrict out)
{
	const uint32_t *weights = x->weights;

	for (uint32_t i = 0; i < x->size; i++, weights += x->taps, out += CHANNELS) {
		const uint8_t *pixel = row + (size_t)x->spans[i].first * CHANNELS;
		uint32_t count = x->spans[i].count;
		uint32_t r = HALF, g = HALF, b = HALF;

		for (uint32_t t = 0; t < count; t++, pixel += CHANNELS) {
			r += pixel[0] * weights[t];
			g += pixel[1] * weights[t];
			b += pixel[2] * weights[t];
		}
		out[0] = to_byte(r);
		out[1] = to_byte(g);
		out[2] = to_byte(b);
	}
}

static void add_row(uint32_t *restrict sums, const uint8_t *restrict row, uint32_t weight,
		    size_t stride)
{
	for (size_t i = 0; i < stride; i++)
		sums[i] += row[i] * weight;
}

/*
 * The weighted sum that row @y of the result looks at; row i of what is summed up lies at
 * @rows, in the place i % @places.
 */
static void filter_column(const struct resize *resize, uint32_t y, const uint8_t *rows,
			  uint32_t places, size_t stride, uint8_t *restrict out)
{
	const struct axis *axis = &resize->y;
	const uint32_t *weights = axis->weights + (size_t)y * axis->taps;
	uint32_t *restrict sums = resize->sums;

	for (size_t i = 0; i < stride; i++)
		sums[i] = HALF;
	for (uint32_t t = 0; t < axis->spans[y].count; t++) {
		uint32_t place = (axis->spans[y].first + t) % places;

		add_row(sums, rows + place * stride, weights[t], stride);
	}
	for (size_t i = 0; i < stride; i++)
		out[i] = to_byte(sums[i]);
}

/*
 * Whether columns go first: where the height shrinks by so much that rows are less work
 * afterwards. The rule is Pillow's from 13 on, to the bit.
 */
static bool columns_first(const struct axis *x, const struct axis *y)
{
	int64_t lower = (int64_t)y->source_size - y->size;
	int64_t narrower = (int64_t)x->source_size - x->size;

	return lower > 0 && lower > 2 * narrower;
}

static uint64_t round_up(uint64_t size)
{
	return (size + LINE_SIZE - 1) / LINE_SIZE * LINE_SIZE;
}

/*
 * Lays the tables out one after the other. What the inner loops run over begins with a line
 * of the cache: where it lies otherwise, by chance, they take half as long again.
 */
static int resize_init(struct resize *resize, struct resize_scratch *scratch)
{
	struct axis *x = &resize->x;
	struct axis *y = &resize->y;
	uint64_t stride = (uint64_t)(resize->columns_first ? x->source_size : x->size) * CHANNELS;
	uint64_t sums = round_up(stride * sizeof(uint32_t));
	uint64_t rows = round_up(stride * (resize->columns_first ? 1 : y->taps));
	uint64_t spans = ((uint64_t)x->size + y->size) * sizeof(struct span);
	uint64_t weights =
		((uint64_t)x->size * x->taps + (uint64_t)y->size * y->taps) * sizeof(uint32_t);
	uint64_t size = LINE_SIZE + sums + rows + spans + weights;
	uint8_t *at;

	if (!scratch->memory || size > scratch->size) {
		void *memory = size > PTRDIFF_MAX ? NULL : malloc(size);

		if (!memory)
			return vaccel_fail(VACCEL_ENOMEM, "no memory to resize a picture");
		free(scratch->memory);
		scratch->memory = memory;
		scratch->size = size;
	}
	at = (uint8_t *)scratch->memory + LINE_SIZE - (uintptr_t)scratch->memory % LINE_SIZE;
	resize->sums = (uint32_t *)at;
	resize->rows = at + sums;
	x->spans = (struct span *)(resize->rows + rows);
	y->spans = x->spans + x->size;
	x->weights = (uint32_t *)(y->spans + y->size);
	y->weights = x->weights + (size_t)x->size * x->taps;
	return 0;
}

static bool in_range(uint32_t side, uint32_t max)
{
	return side > 0 && side <= max;
}

static void rows_then_columns(const struct resize *resize, const uint8_t *rgb, uint8_t *out)
{
	const struct axis *y = &resize->y;
	size_t source_stride = (size_t)resize->x.source_size * CHANNELS;
	size_t stride = (size_t)resize->x.size * CHANNELS;
	uint32_t filtered = 0;

	for (uint32_t i = 0; i < y->size; i++, out += stride) {
		uint32_t end = y->spans[i].first + y->spans[i].count;

		for (; filtered < end; filtered++, rgb += source_stride)
			filter_row(&resize->x, rgb, resize->rows + filtered % y->taps * stride);
		filter_column(resize, i, resize->rows, y->taps, stride, out);
	}
}

static void columns_then_rows(const struct resize *resize, const uint8_t *rgb, uint8_t *out)
{
	const struct axis *y = &resize->y;
	size_t source_stride = (size_t)resize->x.source_size * CHANNELS;
	size_t stride = (size_t)resize->x.size * CHANNELS;

	for (uint32_t i = 0; i < y->size; i++, out += stride) {
		filter_column(resize, i, rgb, y->source_size, source_stride, resize->rows);
		filter_row(&resize->x, resize->rows, out);
	}
}

int picture_resize(const struct picture *picture, uint32_t width, uint32_t height,
		   struct resize_scratch *scratch, struct picture *result)
{
	struct resize resize;
	int err;

	if (!in_range(picture->width, PICTURE_SIDE_MAX) ||
	    !in_range(picture->height, PICTURE_SIDE_MAX))
		return vaccel_fail(VACCEL_EINVAL, "there is no picture to resize");
	if (!in_range(width, RESIZE_SIDE_MAX) || !in_range(height, RESIZE_SIDE_MAX))
		return vaccel_fail(VACCEL_EINVAL,
				   "cannot resize to %ux%u pixels: sides are 1 to %d pixels long",
				   width, height, RESIZE_SIDE_MAX);
	resize.x = axis_measure(picture->width, width);
	resize.y = axis_measure(picture->height, height);
	resize.columns_first = columns_first(&resize.x, &resize.y);
	err = resize_init(&resize, scratch);
	if (err)
		return err;
	err = picture_reserve(result, width, height);
	if (err)
		return err;
	axis_fill(&resize.x);
	axis_fill(&resize.y);
	if (resize.columns_first)
		columns_then_rows(&resize, picture->rgb, result->rgb);
	else
		rows_then_columns(&resize, picture->rgb, result->rgb);
	return 0;
}

void resize_scratch_release(struct resize_scratch *scratch)
{
	free(scratch->memory);
	*scratch = (struct resize_scratch){0};
}
