/* SPDX-License-Identifier: Apache-2.0 */
/* What runs parts of a model faster than TensorFlow Lite itself. */
#ifndef TFLITE_DELEGATES_H
#define TFLITE_DELEGATES_H

#include "tflite/api.h"

enum { DELEGATES_MAX = 4 };

/**
 * struct delegates - those of one interpreter
 *
 * All zero: none. They go after it.
 */
struct delegates {
	struct {
		TfLiteDelegate *delegate;
		void (*destroy)(TfLiteDelegate *delegate);
		void *library; /* that it is in; NULL: TensorFlow Lite's own */
	} each[DELEGATES_MAX];
	size_t nr;
};

/**
 * delegates_make() - make those that VACCEL_TFLITE_DELEGATES names
 * @cache: of XNNPACK's weights, shared by all interpreters of a model
 * @ret_delegates: filled as far as it went, also after an error
 *
 * Return: 0; EINVAL for a setting that is wrong; ENOENT for a library without a delegate; EBACKEND
 * for one that cannot make it; ENOMEM.
 */
int delegates_make(struct TfLiteXNNPackDelegateWeightsCache *cache,
		   struct delegates *ret_delegates);

void delegates_release(struct delegates *delegates);

/** delegates_paths() - the libraries that are named, for a sandbox; how many, at most @room */
size_t delegates_paths(const char **paths, size_t room);

/** delegates_fini() - forget what delegates_paths() gave */
void delegates_fini(void);

#endif
