// SPDX-License-Identifier: Apache-2.0
/* The module that draws, as libvaccel sees it, and what is drawn with lines: boxes and people. */
#include <vaccel/draw.h>

#include <math.h>
#include <stdio.h>

#include "draw/canvas.h"
#include "draw/maps.h"
#include "model/util.h"

/* Joints of which the model is less sure are not drawn. */
#define POINT_SCORE_LEAST 0.2f

#define TAG_SIZE 256

/* The thinnest line that is drawn, in pixels. */
#define LINE_THIN 1.5

static void draw_box(struct canvas *canvas, const struct vaccel_box *box)
{
	double left = box->left * canvas->scale, top = box->top * canvas->scale;
	double right = box->right * canvas->scale, bottom = box->bottom * canvas->scale;

	cairo_rectangle(canvas->cr, left, top, right - left, bottom - top);
	/* A dark rim, so that it stands out from a ground of its own colour. */
	canvas_set_color(canvas, (struct color){0}, 0.5);
	cairo_set_line_width(canvas->cr, canvas->line * 2);
	cairo_stroke_preserve(canvas->cr);
	canvas_set_color(canvas, color_of(box->index), 1);
	cairo_set_line_width(canvas->cr, canvas->line);
	cairo_stroke(canvas->cr);
}

static void tag_box(struct canvas *canvas, const struct vaccel_box *box)
{
	double left = box->left * canvas->scale, top = box->top * canvas->scale;
	char tag[TAG_SIZE];

	if (*box->label)
		snprintf(tag, sizeof(tag), "%.200s %.0f%%", box->label, 100.0 * box->score);
	else
		snprintf(tag, sizeof(tag), "class %u %.0f%%", box->index, 100.0 * box->score);
	canvas_tag(canvas, left, top - canvas->text, tag, color_of(box->index));
}

static int draw_boxes(const void *img, size_t len, const struct vaccel_box *boxes, size_t nr,
		      const char *path)
{
	_cleanup_(canvas_release) struct canvas canvas = {0};
	int ret = canvas_open(&canvas, img, len);

	/* The surest box lies over the others, and its words have the first place. */
	for (size_t i = nr; !ret && i-- > 0;)
		draw_box(&canvas, &boxes[i]);
	for (size_t i = 0; !ret && i < nr; i++)
		tag_box(&canvas, &boxes[i]);
	return ret ? ret : canvas_save(&canvas, path);
}

/* The limbs of a person of 17 joints, as COCO numbers them; which side they are on. */
static const struct {
	uint8_t from, to;
	enum { LEFT, RIGHT, MIDDLE } side;
} limbs[] = {
	{0, 1, LEFT},	{1, 3, LEFT},	{0, 2, RIGHT},	 {2, 4, RIGHT},
	{5, 6, MIDDLE}, {5, 7, LEFT},	{7, 9, LEFT},	 {6, 8, RIGHT},
	{8, 10, RIGHT}, {5, 11, LEFT},	{6, 12, RIGHT},	 {11, 12, MIDDLE},
	{11, 13, LEFT}, {13, 15, LEFT}, {12, 14, RIGHT}, {14, 16, RIGHT},
};

enum { NR_JOINTS = 17, NR_LIMBS = sizeof(limbs) / sizeof(limbs[0]) };

static const struct color sides[] = {
	[LEFT] = {0.1, 0.8, 1}, [RIGHT] = {1, 0.6, 0.1}, [MIDDLE] = {0.6, 1, 0.3}};

static bool is_seen(const struct vaccel_point *point)
{
	return point->score >= POINT_SCORE_LEAST && isfinite(point->x) && isfinite(point->y);
}

/* Lines as thick as suits a person of that size. */
static double thickness(const struct canvas *canvas, const struct vaccel_point *points, size_t nr)
{
	double top = INFINITY, bottom = -INFINITY;

	for (size_t i = 0; i < nr; i++) {
		if (!is_seen(&points[i]))
			continue;
		top = fmin(top, points[i].y * canvas->scale);
		bottom = fmax(bottom, points[i].y * canvas->scale);
	}
	return fmax(LINE_THIN, fmin(canvas->line, (bottom - top) / 40));
}

static void draw_limb(struct canvas *canvas, const struct vaccel_point *from,
		      const struct vaccel_point *to, struct color color, double line)
{
	if (!is_seen(from) || !is_seen(to))
		return;
	cairo_move_to(canvas->cr, from->x * canvas->scale, from->y * canvas->scale);
	cairo_line_to(canvas->cr, to->x * canvas->scale, to->y * canvas->scale);
	canvas_set_color(canvas, (struct color){0}, 0.6);
	cairo_set_line_width(canvas->cr, line * 2);
	cairo_stroke_preserve(canvas->cr);
	canvas_set_color(canvas, color, 1);
	cairo_set_line_width(canvas->cr, line);
	cairo_stroke(canvas->cr);
}

static void draw_joint(struct canvas *canvas, const struct vaccel_point *point, double line)
{
	if (!is_seen(point))
		return;
	cairo_arc(canvas->cr, point->x * canvas->scale, point->y * canvas->scale, line * 1.4, 0,
		  2 * M_PI);
	canvas_set_color(canvas, (struct color){1, 1, 1}, 1);
	cairo_fill_preserve(canvas->cr);
	canvas_set_color(canvas, (struct color){0}, 0.8);
	cairo_set_line_width(canvas->cr, line / 2);
	cairo_stroke(canvas->cr);
}

static void draw_person(struct canvas *canvas, const struct vaccel_point *points, size_t nr)
{
	double line = thickness(canvas, points, nr);

	for (size_t i = 0; nr == NR_JOINTS && i < NR_LIMBS; i++)
		draw_limb(canvas, &points[limbs[i].from], &points[limbs[i].to],
			  sides[limbs[i].side], line);
	for (size_t i = 0; i < nr; i++)
		draw_joint(canvas, &points[i], line);
}

static int draw_points(const void *img, size_t len, const struct vaccel_point *points, size_t nr,
		       const char *path)
{
	_cleanup_(canvas_release) struct canvas canvas = {0};
	int ret = canvas_open(&canvas, img, len);

	for (size_t i = 0, end; !ret && i < nr; i = end) {
		for (end = i + 1; end < nr && points[end].person == points[i].person; end++)
			;
		draw_person(&canvas, &points[i], end - i);
	}
	return ret ? ret : canvas_save(&canvas, path);
}

__attribute__((visibility("default"))) extern const struct vaccel_draw_module vaccel_draw_module;

const struct vaccel_draw_module vaccel_draw_module = {
	.abi = VACCEL_DRAW_ABI,
	.boxes = draw_boxes,
	.mask = draw_mask,
	.points = draw_points,
	.depth = draw_depth,
};
