/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drawing on pictures what operations found in them. It is done in the calling
 * process, wherever the operation ran, by the module draw.so beside the plugins,
 * which is loaded when something is first drawn.
 *
 * The drawing is a PNG of the picture the right way up. A picture whose longer side
 * has fewer than 480 pixels is enlarged by a whole factor until it has as many, so
 * that words can be read.
 */
#ifndef VACCEL_DRAW_H
#define VACCEL_DRAW_H

#include <vaccel/ops/image.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * vaccel_draw_boxes() - draw boxes, each with its label and score
 * @img: the picture, @len bytes of a JPEG or PNG
 * @len: bytes of @img
 * @boxes: what vaccel_image_detect_boxes() gave for it
 * @nr: how many
 * @path: the PNG to write; a file that is there is replaced
 *
 * Return: VACCEL_OK; VACCEL_EINVAL for a picture that cannot be read; VACCEL_EIO if
 * the file cannot be written; VACCEL_ENOTSUP if there is no module that draws;
 * VACCEL_ENOMEM.
 */
int vaccel_draw_boxes(const void *img, size_t len, const struct vaccel_box *boxes, size_t nr,
		      const char *path);

/** vaccel_draw_mask() - colour a picture by class, with a legend; as vaccel_draw_boxes() */
int vaccel_draw_mask(const void *img, size_t len, const struct vaccel_mask *mask, const char *path);

/** vaccel_draw_points() - draw the joints of people, and limbs between them; as above */
int vaccel_draw_points(const void *img, size_t len, const struct vaccel_point *points, size_t nr,
		       const char *path);

/** vaccel_draw_depth() - colour a picture by the numbers of a map, with a scale; as above */
int vaccel_draw_depth(const void *img, size_t len, const struct vaccel_depth *depth,
		      const char *path);

#define VACCEL_DRAW_ABI 1

/**
 * struct vaccel_draw_module - what draw.so exports as `vaccel_draw_module`
 * @abi: VACCEL_DRAW_ABI
 *
 * The functions are those above, and may be called by several threads at once.
 */
struct vaccel_draw_module {
	uint32_t abi;
	int (*boxes)(const void *img, size_t len, const struct vaccel_box *boxes, size_t nr,
		     const char *path);
	int (*mask)(const void *img, size_t len, const struct vaccel_mask *mask, const char *path);
	int (*points)(const void *img, size_t len, const struct vaccel_point *points, size_t nr,
		      const char *path);
	int (*depth)(const void *img, size_t len, const struct vaccel_depth *depth,
		     const char *path);
};

#ifdef __cplusplus
}
#endif

#endif
