// SPDX-License-Identifier: Apache-2.0
/*
 * Masks and depths: a map of the model's own size is made a surface, which cairo
 * stretches over the picture. What the colours mean stands below the picture.
 */
#include "draw/maps.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <strings.h>

#include "draw/canvas.h"
#include "model/util.h"

#define MASK_ALPHA  0.6
#define LEGEND_MAX  64 /* classes; more are not named */
#define LEGEND_TEXT 256
#define NUMBER_SIZE 32
#define NR_STOPS    5

static const struct color light = {0.95, 0.95, 0.95};

/* Cairo's pixel: alpha, and colours multiplied with it. */
static uint32_t to_pixel(struct color color, double alpha)
{
	uint32_t a = (uint32_t)lround(alpha * 255);
	uint32_t red = (uint32_t)lround(color.red * alpha * 255);
	uint32_t green = (uint32_t)lround(color.green * alpha * 255);
	uint32_t blue = (uint32_t)lround(color.blue * alpha * 255);

	return a << 24 | red << 16 | green << 8 | blue;
}

static int make_map(uint32_t width, uint32_t height, cairo_surface_t **ret_map)
{
	cairo_surface_t *map;

	if (!width || !height || width > INT16_MAX || height > INT16_MAX)
		return vaccel_fail(VACCEL_EINVAL, "a map of %ux%u cannot be drawn", width, height);
	map = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, (int)width, (int)height);
	if (cairo_surface_status(map)) {
		cairo_surface_destroy(map);
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a map of %ux%u", width, height);
	}
	*ret_map = map;
	return VACCEL_OK;
}

static uint32_t *row_of(cairo_surface_t *map, uint32_t y)
{
	return (uint32_t *)(cairo_image_surface_get_data(map) +
			    (size_t)y * (size_t)cairo_image_surface_get_stride(map));
}

/* Stretches a map over the picture, and frees it. */
static void lay_over(struct canvas *canvas, cairo_surface_t *map, cairo_filter_t filter)
{
	cairo_surface_mark_dirty(map);
	cairo_save(canvas->cr);
	cairo_rectangle(canvas->cr, 0, 0, canvas->width, canvas->height);
	cairo_clip(canvas->cr);
	cairo_scale(canvas->cr, (double)canvas->width / cairo_image_surface_get_width(map),
		    (double)canvas->height / cairo_image_surface_get_height(map));
	cairo_set_source_surface(canvas->cr, map, 0, 0);
	cairo_pattern_set_filter(cairo_get_source(canvas->cr), filter);
	cairo_pattern_set_extend(cairo_get_source(canvas->cr), CAIRO_EXTEND_PAD);
	cairo_paint(canvas->cr);
	cairo_restore(canvas->cr);
	cairo_surface_destroy(map);
}

/* What is not worth a colour. */
static bool is_background(const struct vaccel_area *area)
{
	return area->index == 0 && (!*area->label || !strcasecmp(area->label, "background"));
}

static void legend_text(const struct vaccel_mask *mask, const struct vaccel_area *area,
			char text[LEGEND_TEXT])
{
	double percent = 100.0 * (double)area->pixels / ((double)mask->width * mask->height);

	if (*area->label)
		snprintf(text, LEGEND_TEXT, "%.200s %.1f%%", area->label, percent);
	else
		snprintf(text, LEGEND_TEXT, "class %u %.1f%%", area->index, percent);
}

/*
 * Writes the legend line by line, or, with @write false, only finds how many lines it
 * takes.
 */
static int lay_legend(struct canvas *canvas, const struct vaccel_mask *mask, bool write)
{
	double pad = canvas->text / 2, x = pad;
	int lines = 1;
	size_t named = 0;

	for (size_t i = 0; i < mask->nr_areas && named < LEGEND_MAX; i++) {
		const struct vaccel_area *area = &mask->areas[i];
		char text[LEGEND_TEXT];
		double width, y;

		if (is_background(area))
			continue;
		legend_text(mask, area, text);
		width = canvas_text_width(canvas, text) + canvas->text * 1.2;
		if (named++ && x + width > canvas->width) {
			lines++;
			x = pad;
		}
		y = canvas->height + (lines - 1) * canvas->text * 1.3 + canvas->text * 0.3;
		if (write) {
			canvas_set_color(canvas, color_of(area->index), 1);
			cairo_rectangle(canvas->cr, x, y + canvas->text * 0.1, canvas->text * 0.8,
					canvas->text * 0.8);
			cairo_fill(canvas->cr);
			canvas_text(canvas, x + canvas->text * 1.1, y, text, light);
		}
		x += width + pad;
	}
	return named ? lines : 0;
}

static int colour_classes(struct canvas *canvas, const struct vaccel_mask *mask)
{
	_cleanup_(freep) uint32_t *colours = calloc(UINT16_MAX + 1, sizeof(*colours));
	cairo_surface_t *map;
	int ret;

	if (!colours)
		return vaccel_fail(VACCEL_ENOMEM, "no memory to draw in");
	for (size_t i = 0; i < mask->nr_areas; i++)
		if (!is_background(&mask->areas[i]) && mask->areas[i].index <= UINT16_MAX)
			colours[mask->areas[i].index] =
				to_pixel(color_of(mask->areas[i].index), MASK_ALPHA);
	ret = make_map(mask->width, mask->height, &map);
	if (ret)
		return ret;
	for (uint32_t y = 0; y < mask->height; y++) {
		const uint16_t *from = mask->pixels + (size_t)y * mask->width;
		uint32_t *row = row_of(map, y);

		for (uint32_t x = 0; x < mask->width; x++)
			row[x] = colours[from[x]];
	}
	lay_over(canvas, map, CAIRO_FILTER_BILINEAR);
	return VACCEL_OK;
}

int draw_mask(const void *img, size_t len, const struct vaccel_mask *mask, const char *path)
{
	_cleanup_(canvas_release) struct canvas canvas = {0};
	int lines, ret = canvas_open(&canvas, img, len);

	if (!ret)
		ret = colour_classes(&canvas, mask);
	if (ret)
		return ret;
	lines = lay_legend(&canvas, mask, false);
	if (lines)
		ret = canvas_add_strip(&canvas, (int)ceil((lines * 1.3 + 0.3) * canvas.text));
	if (!ret && lines)
		lay_legend(&canvas, mask, true);
	return ret ? ret : canvas_save(&canvas, path);
}

/* From dark violet by red to light yellow: brighter for larger numbers, also without colours. */
static const struct color stops[NR_STOPS] = {
	{0.05, 0.03, 0.25}, {0.42, 0.06, 0.43}, {0.80, 0.23, 0.30},
	{0.98, 0.58, 0.12}, {0.99, 0.99, 0.70},
};

static struct color color_at(double part)
{
	double at = fmin(fmax(part, 0), 1) * (NR_STOPS - 1);
	size_t from = at >= NR_STOPS - 1 ? NR_STOPS - 2 : (size_t)at;
	double rest = at - (double)from;

	return (struct color){stops[from].red + rest * (stops[from + 1].red - stops[from].red),
			      stops[from].green +
				      rest * (stops[from + 1].green - stops[from].green),
			      stops[from].blue + rest * (stops[from + 1].blue - stops[from].blue)};
}

/* The least and the largest number; what is none, or endless, does not count. */
static void find_range(const struct vaccel_depth *depth, float *ret_least, float *ret_most)
{
	float least = FLT_MAX, most = -FLT_MAX;

	for (size_t i = 0; i < (size_t)depth->width * depth->height; i++) {
		if (!isfinite(depth->values[i]))
			continue;
		least = fminf(least, depth->values[i]);
		most = fmaxf(most, depth->values[i]);
	}
	*ret_least = least <= most ? least : 0;
	*ret_most = least <= most ? most : 0;
}

static int colour_depths(struct canvas *canvas, const struct vaccel_depth *depth, float least,
			 float most)
{
	double range = most > least ? (double)most - least : 1;
	cairo_surface_t *map;
	int ret = make_map(depth->width, depth->height, &map);

	if (ret)
		return ret;
	for (uint32_t y = 0; y < depth->height; y++) {
		const float *from = depth->values + (size_t)y * depth->width;
		uint32_t *row = row_of(map, y);

		/* What is no number stays black. */
		for (uint32_t x = 0; x < depth->width; x++)
			row[x] = isfinite(from[x])
					 ? to_pixel(color_at(((double)from[x] - least) / range), 1)
					 : to_pixel((struct color){0}, 1);
	}
	lay_over(canvas, map, CAIRO_FILTER_BILINEAR);
	return VACCEL_OK;
}

static void draw_scale(struct canvas *canvas, float least, float most)
{
	char low[NUMBER_SIZE], high[NUMBER_SIZE];
	double pad = canvas->text / 2, y = canvas->height + canvas->text * 0.3;
	double left, right;

	snprintf(low, sizeof(low), "%.4g", (double)least);
	snprintf(high, sizeof(high), "%.4g", (double)most);
	left = canvas_text_width(canvas, low) + 2 * pad;
	right = canvas->width - canvas_text_width(canvas, high) - 2 * pad;
	canvas_text(canvas, pad, y, low, light);
	canvas_text(canvas, right + pad, y, high, light);
	for (int i = 0; i < right - left; i++) {
		canvas_set_color(canvas, color_at(i / (right - left)), 1);
		cairo_rectangle(canvas->cr, left + i, y, 1.5, canvas->text);
		cairo_fill(canvas->cr);
	}
}

int draw_depth(const void *img, size_t len, const struct vaccel_depth *depth, const char *path)
{
	_cleanup_(canvas_release) struct canvas canvas = {0};
	float least, most;
	int ret = canvas_open(&canvas, img, len);

	find_range(depth, &least, &most);
	if (!ret)
		ret = colour_depths(&canvas, depth, least, most);
	if (!ret)
		ret = canvas_add_strip(&canvas, (int)ceil(1.6 * canvas.text));
	if (ret)
		return ret;
	draw_scale(&canvas, least, most);
	return canvas_save(&canvas, path);
}
