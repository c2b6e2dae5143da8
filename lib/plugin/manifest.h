/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin's manifest: what it offers, as a few lines of text beside it, so that
 * `auto` need not load it to know. libvaccel-onnx.so has libvaccel-onnx.manifest:
 *
 *	vaccel-plugin 1
 *	name onnx
 *	version 0.9.0
 *	type 0x3
 *	sentence runs ONNX models
 *	op image_classify
 *
 * with a line `op NAME` for each operation, or `op *` for a plugin that forwards.
 */
#ifndef VACCEL_PLUGIN_MANIFEST_H
#define VACCEL_PLUGIN_MANIFEST_H

#include <stdbool.h>

struct plugin;

/* Fills info, manifest and offers from the file beside plugin->path; false if there is none. */
bool manifest_read(struct plugin *plugin);

/* The same from @text, which is malloc'd and becomes the plugin's. */
bool manifest_take(struct plugin *plugin, char *text);

#endif
