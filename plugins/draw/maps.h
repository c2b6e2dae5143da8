/* SPDX-License-Identifier: Apache-2.0 */
/* What is drawn as colours over the whole picture. As the functions of <vaccel/draw.h>. */
#ifndef DRAW_MAPS_H
#define DRAW_MAPS_H

#include <vaccel/draw.h>

int draw_mask(const void *img, size_t len, const struct vaccel_mask *mask, const char *path);
int draw_depth(const void *img, size_t len, const struct vaccel_depth *depth, const char *path);

#endif
