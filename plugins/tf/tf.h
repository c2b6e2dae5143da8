/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the module share: settings, and TensorFlow's errors in our form. */
#ifndef TF_TF_H
#define TF_TF_H

#include <tensorflow/c/c_api.h>

#include "tf/module.h"

/** The plugin's. */
extern const struct vaccel_knob *knobs;

/** How models come and go. */
extern const struct holder_kind model_kind;

/**
 * status_check() - 0 if TensorFlow is content; else EBACKEND with its words
 *
 * Its code is kept for the thread's operation; see status_code().
 */
int status_check(const TF_Status *status);

/** status_begin() - an operation begins: nothing has gone wrong in TensorFlow yet */
void status_begin(void);

/** status_code() - TensorFlow's code of what went wrong in this thread's operation, or 0 */
uint8_t status_code(void);

/* For variables declared _cleanup_(…p) */
void status_deletep(TF_Status **status);
void buffer_deletep(TF_Buffer **buffer);

int model_run(struct vaccel_call *call, struct vaccel_tf_model_run_args *args);

#endif
