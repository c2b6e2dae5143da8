/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of the onnx plugin. Whatever goes wrong in here fails the test. */
#ifndef TESTS_ONNX_SUPPORT_H
#define TESTS_ONNX_SUPPORT_H

#include <vaccel/plugin.h>

#include "../support/model.h"

#define DIGITS_MODEL DIGITS "/model.onnx"

/*
 * For each test: a directory of its own, the plugin loaded anew, a session. The
 * log goes to a file in the directory.
 */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* The plugin is loaded anew, as after a change of knobs. */
void reload(void);

/* The path of @name in the test's directory; valid until the next call but three. */
const char *path_in(const char *name);

/* Makes a directory in the test's own, and gives its path. */
const char *make_dir(const char *name);

void write_file(const char *path, const void *data, size_t size);
void write_text(const char *path, const char *text);
void copy_file(const char *from, const char *to);

/* How often @text is in the log. */
size_t count_in_log(const char *text);

/* How often a model was loaded so far. */
size_t count_loads(void);

/* A picture of one colour, 1×1, in PNG; the caller frees. @channel: 0 red, 1 green, 2 blue, 3 black
 */
void *colour(int channel, size_t *ret_size);

#endif
