/* SPDX-License-Identifier: Apache-2.0 */
/* The module that draws; what programs call is in <vaccel/draw.h>. */
#ifndef VACCEL_PLUGIN_DRAW_H
#define VACCEL_PLUGIN_DRAW_H

/* See unlock_in_child(). */
void draw_after_fork(void);

#endif
