/* SPDX-License-Identifier: Apache-2.0 */
/* Running a model of any framework: each has an operation of its own, alike but for details. */
#ifndef CLI_FRAMEWORK_H
#define CLI_FRAMEWORK_H

#include <vaccel.h>

enum framework { FRAMEWORK_ONNX, FRAMEWORK_TFLITE, FRAMEWORK_TF, FRAMEWORK_TORCH, FRAMEWORK_NONE };

/* Whose model a file or a directory is, by names and first bytes; FRAMEWORK_NONE if unknown. */
enum framework framework_of(const char *path);

/* Whether its inputs and outputs go by names; those of others go by their places. */
bool framework_has_names(enum framework framework);

/*
 * A run of a model.
 * @in_names, @out_names: NULL where they go by their places
 * @in: with ONNX's types of numbers
 * @out: set by framework_run(), to be released; the types are ONNX's, UNDEFINED where
 *	ONNX has no such type
 */
struct framework_run {
	enum framework framework;
	struct vaccel_session *sess;
	struct vaccel_resource *model;
	const char *const *in_names;
	const struct vaccel_tensor *in;
	size_t nr_in;
	const char *const *out_names;
	struct vaccel_tensor *out;
	size_t nr_out;
};

/* 0, or a code with words. */
int framework_run(struct framework_run *run);

#endif
