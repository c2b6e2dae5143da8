// SPDX-License-Identifier: Apache-2.0
/*
 * Sizes of text and lines go with the size of the picture, and a small picture is
 * enlarged, so that both can be read. Text is written with the font that libcairo has
 * within itself, for which no font need be installed; it has ASCII only, so other
 * labels take what the system has.
 */
#include "draw/canvas.h"

#include <math.h>
#include <string.h>

#include <vaccel/plugin.h>
#include <vaccel/utils/str.h>

#include "model/util.h"
#include "vision/picture.h"
#include "vision/resize.h"
#include "vision/vision.h"

/* A picture's longer side is made so long if it is shorter, by a whole factor, or longer. */
#define SIDE_LEAST 480
#define SIDE_MOST  RESIZE_SIDE_MAX

#define TEXT_LEAST	17.0
#define TEXTS_ON_SIDE	30.0
#define LINE_LEAST	2.0
#define LINES_ON_SIDE	220.0
#define TAG_LINES	6
#define TEXT_SIZE_MAX	256
#define GOLDEN_FRACTION 0.618033988749895

static const struct vaccel_knob max_pixels = VISION_KNOB_MAX_PIXELS;

static int check(cairo_status_t status)
{
	switch (status) {
	case CAIRO_STATUS_SUCCESS:
		return VACCEL_OK;
	case CAIRO_STATUS_NO_MEMORY:
		return vaccel_fail(VACCEL_ENOMEM, "no memory to draw in");
	default:
		return vaccel_fail(VACCEL_EIO, "cannot draw: %s", cairo_status_to_string(status));
	}
}

static int shrink(struct picture *picture)
{
	_cleanup_(resize_scratch_release) struct resize_scratch scratch = {0};
	uint32_t longer = picture->width > picture->height ? picture->width : picture->height;
	double factor = (double)SIDE_MOST / longer;
	struct picture small = {0};
	int ret;

	if (longer <= SIDE_MOST)
		return VACCEL_OK;
	ret = picture_resize(picture, (uint32_t)fmax(1, picture->width * factor),
			     (uint32_t)fmax(1, picture->height * factor), &scratch, &small);
	picture_release(picture);
	*picture = small;
	return ret;
}

/* The picture as cairo has pixels: 32 bits each, in the order of this machine. */
static cairo_surface_t *to_surface(const struct picture *picture)
{
	int width = (int)picture->width, height = (int)picture->height;
	cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
	unsigned char *data = cairo_image_surface_get_data(surface);
	const uint8_t *from = picture->rgb;

	for (int y = 0; data && y < height; y++) {
		uint32_t *row = (uint32_t *)(data + y * cairo_image_surface_get_stride(surface));

		for (int x = 0; x < width; x++, from += 3)
			row[x] = (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2];
	}
	cairo_surface_mark_dirty(surface);
	return surface;
}

static cairo_surface_t *enlarge(cairo_surface_t *surface, int factor)
{
	int width = cairo_image_surface_get_width(surface) * factor;
	int height = cairo_image_surface_get_height(surface) * factor;
	cairo_surface_t *large = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
	cairo_t *cr = cairo_create(large);

	cairo_scale(cr, factor, factor);
	cairo_set_source_surface(cr, surface, 0, 0);
	/* Beyond its edges the picture goes on as it ends there. */
	cairo_pattern_set_extend(cairo_get_source(cr), CAIRO_EXTEND_PAD);
	cairo_paint(cr);
	cairo_destroy(cr);
	cairo_surface_destroy(surface);
	return large;
}

static void begin(struct canvas *canvas)
{
	double side;

	canvas->width = cairo_image_surface_get_width(canvas->surface);
	canvas->height = cairo_image_surface_get_height(canvas->surface) - canvas->strip;
	side = canvas->width < canvas->height ? canvas->width : canvas->height;
	canvas->text = fmax(TEXT_LEAST, side / TEXTS_ON_SIDE);
	canvas->line = fmax(LINE_LEAST, side / LINES_ON_SIDE);
	canvas->cr = cairo_create(canvas->surface);
	cairo_set_line_join(canvas->cr, CAIRO_LINE_JOIN_ROUND);
	cairo_set_line_cap(canvas->cr, CAIRO_LINE_CAP_ROUND);
}

int canvas_open(struct canvas *canvas, const void *img, size_t len)
{
	const struct picture_limits limits = {(uint64_t)vaccel_knob_number(&max_pixels)};
	_cleanup_(picture_release) struct picture picture = {0};
	uint32_t width, longer;
	int factor, ret = picture_decode(&picture, img, len, &limits);

	width = picture.width;
	if (!ret)
		ret = shrink(&picture);
	if (ret)
		return ret;
	longer = picture.width > picture.height ? picture.width : picture.height;
	factor = (int)((SIDE_LEAST + longer - 1) / longer);
	canvas->surface = to_surface(&picture);
	if (factor > 1)
		canvas->surface = enlarge(canvas->surface, factor);
	canvas->scale = (double)picture.width * factor / width;
	begin(canvas);
	return check(cairo_status(canvas->cr));
}

int canvas_add_strip(struct canvas *canvas, int height)
{
	cairo_surface_t *picture = canvas->surface;

	cairo_destroy(canvas->cr);
	canvas->strip = height;
	canvas->surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, canvas->width,
						     canvas->height + height);
	begin(canvas);
	canvas_set_color(canvas, (struct color){0.1, 0.1, 0.1}, 1);
	cairo_paint(canvas->cr);
	cairo_set_source_surface(canvas->cr, picture, 0, 0);
	cairo_paint(canvas->cr);
	cairo_surface_destroy(picture);
	return check(cairo_status(canvas->cr));
}

int canvas_save(struct canvas *canvas, const char *path)
{
	int ret = check(cairo_status(canvas->cr));
	cairo_status_t status;

	if (ret)
		return ret;
	cairo_surface_flush(canvas->surface);
	errno = 0;
	status = cairo_surface_write_to_png(canvas->surface, path);
	if (status == CAIRO_STATUS_SUCCESS || status == CAIRO_STATUS_NO_MEMORY)
		return check(status);
	return vaccel_fail(VACCEL_EIO, "cannot write the picture '%s': %s", path,
			   errno ? strerror(errno) : cairo_status_to_string(status));
}

void canvas_release(struct canvas *canvas)
{
	if (canvas->cr)
		cairo_destroy(canvas->cr);
	if (canvas->surface)
		cairo_surface_destroy(canvas->surface);
}

void canvas_set_color(struct canvas *canvas, struct color color, double alpha)
{
	cairo_set_source_rgba(canvas->cr, color.red, color.green, color.blue, alpha);
}

/* What cairo takes: UTF-8 without control characters, not too long. Sets the font for it. */
static void prepare(struct canvas *canvas, const char *text, char clean[TEXT_SIZE_MAX])
{
	size_t used = strnlen(text, TEXT_SIZE_MAX - 4);
	bool ascii = true;

	/* No character is cut in two. */
	for (int i = 0; i < 3 && used && ((unsigned char)text[used] & 0xc0) == 0x80; i++)
		used--;
	memcpy(clean, text, used);
	clean[used] = '\0';
	vaccel_str_make_printable(clean);
	for (size_t i = 0; i < used; i++)
		ascii = ascii && !((unsigned char)clean[i] & 0x80);
	cairo_select_font_face(canvas->cr, ascii ? "@cairo:sans" : "sans-serif",
			       CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_BOLD);
	cairo_set_font_size(canvas->cr, canvas->text * 0.8);
}

double canvas_text_width(struct canvas *canvas, const char *text)
{
	cairo_text_extents_t extents;
	char clean[TEXT_SIZE_MAX];

	prepare(canvas, text, clean);
	cairo_text_extents(canvas->cr, clean, &extents);
	return extents.x_advance;
}

void canvas_text(struct canvas *canvas, double x, double y, const char *text, struct color color)
{
	cairo_font_extents_t font;
	char clean[TEXT_SIZE_MAX];

	prepare(canvas, text, clean);
	cairo_font_extents(canvas->cr, &font);
	canvas_set_color(canvas, color, 1);
	cairo_move_to(canvas->cr, x,
		      y + (canvas->text - font.ascent - font.descent) / 2 + font.ascent);
	cairo_show_text(canvas->cr, clean);
}

static bool is_free(const struct canvas *canvas, const struct tag *tag)
{
	for (size_t i = 0; i < canvas->nr_tags; i++) {
		const struct tag *other = &canvas->tags[i];

		if (tag->x < other->x + other->width && other->x < tag->x + tag->width &&
		    fabs(tag->y - other->y) < canvas->text)
			return false;
	}
	return true;
}

/* Moves a tag by half lines, down rather than up, until no other is in its way. */
static void place(struct canvas *canvas, struct tag *tag)
{
	double wanted = tag->y, last = canvas->height - canvas->text;

	for (int step = 0; step < 4 * TAG_LINES; step++) {
		int halves = (step + 1) / 2;
		double moved = wanted + (step % 2 ? 0.5 : -0.5) * halves * canvas->text;

		tag->y = fmax(0, fmin(moved, last));
		if (is_free(canvas, tag))
			break;
	}
	if (!is_free(canvas, tag))
		tag->y = fmax(0, fmin(wanted, last));
	if (canvas->nr_tags < TAGS_MAX)
		canvas->tags[canvas->nr_tags++] = *tag;
}

void canvas_tag(struct canvas *canvas, double x, double y, const char *text, struct color ground)
{
	double pad = canvas->text / 4;
	struct tag tag = {.y = y, .width = canvas_text_width(canvas, text) + 2 * pad};

	tag.x = fmax(0, fmin(x, canvas->width - tag.width));
	place(canvas, &tag);
	canvas_set_color(canvas, ground, 0.9);
	cairo_rectangle(canvas->cr, tag.x, tag.y, tag.width, canvas->text);
	cairo_fill(canvas->cr);
	canvas_text(canvas, tag.x + pad, tag.y, text, color_on(ground));
}

/* A hue, 0 to 1, at full strength. */
static struct color color_of_hue(double hue)
{
	double red = fabs(fmod(hue * 6 + 0, 6) - 3) - 1;
	double green = fabs(fmod(hue * 6 + 4, 6) - 3) - 1;
	double blue = fabs(fmod(hue * 6 + 2, 6) - 3) - 1;

	return (struct color){fmin(fmax(red, 0), 1), fmin(fmax(green, 0), 1),
			      fmin(fmax(blue, 0), 1)};
}

struct color color_of(uint32_t index)
{
	/* Each step by the golden section of the circle is far from those before it. */
	struct color color = color_of_hue(fmod(0.33 + index * GOLDEN_FRACTION, 1));
	double white = index % 2 ? 0.35 : 0.1;

	return (struct color){white + (1 - white) * color.red, white + (1 - white) * color.green,
			      white + (1 - white) * color.blue};
}

struct color color_on(struct color ground)
{
	double light = 0.3 * ground.red + 0.59 * ground.green + 0.11 * ground.blue;

	return light > 0.5 ? (struct color){0, 0, 0} : (struct color){1, 1, 1};
}
