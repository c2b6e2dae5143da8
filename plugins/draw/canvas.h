/* SPDX-License-Identifier: Apache-2.0 */
/* A picture to draw on, with room below it for a legend. */
#ifndef DRAW_CANVAS_H
#define DRAW_CANVAS_H

#include <stddef.h>
#include <stdint.h>

#include <cairo.h>

/** struct color - red, green, blue, 0 to 1 each */
struct color {
	double red, green, blue;
};

/** So many tags keep out of each other's way. */
enum { TAGS_MAX = 64 };

/** struct tag - where one stands */
struct tag {
	double x, y, width;
};

/**
 * struct canvas - a picture while it is drawn on; all zero before canvas_open()
 * @cr: cairo's, in pixels of the drawing
 * @width: of the drawing, in pixels
 * @height: of the picture in it, without the legend
 * @scale: pixels of the drawing for one of the picture
 * @text: the height of a line of text, in pixels
 * @line: how thick lines are
 */
struct canvas {
	cairo_t *cr;
	int width;
	int height;
	double scale;
	double text;
	double line;

	/* The rest is canvas.c's. */
	cairo_surface_t *surface;
	int strip;
	struct tag tags[TAGS_MAX];
	size_t nr_tags;
};

/**
 * canvas_open() - decode a picture and make it a canvas
 *
 * Return: 0; the errors of picture_decode(); ENOMEM.
 */
int canvas_open(struct canvas *canvas, const void *img, size_t len);

/** canvas_add_strip() - make room below the picture, and clear it; 0 or ENOMEM */
int canvas_add_strip(struct canvas *canvas, int height);

/** canvas_save() - write a PNG: 0; EIO; ENOMEM if memory ran out while something was drawn */
int canvas_save(struct canvas *canvas, const char *path);

void canvas_release(struct canvas *canvas);

void canvas_set_color(struct canvas *canvas, struct color color, double alpha);

/** canvas_text_width() - of one line, in pixels */
double canvas_text_width(struct canvas *canvas, const char *text);

/** canvas_text() - write one line whose upper left corner is at @x, @y */
void canvas_text(struct canvas *canvas, double x, double y, const char *text, struct color color);

/**
 * canvas_tag() - write one line on a ground of a colour, near @x, @y
 *
 * It stays within the picture, and beside the tags before it where there is room.
 */
void canvas_tag(struct canvas *canvas, double x, double y, const char *text, struct color ground);

/** color_of() - a colour for a class, so that neighbours in number are easy to tell apart */
struct color color_of(uint32_t index);

/** color_on() - black or white, whichever can be read on @ground */
struct color color_on(struct color ground);

#endif
