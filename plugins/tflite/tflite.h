/* SPDX-License-Identifier: Apache-2.0 */
/* The plugin's settings and operations. */
#ifndef TFLITE_TFLITE_H
#define TFLITE_TFLITE_H

#include <vaccel/ops/tflite.h>
#include <vaccel/plugin.h>

enum knob { KNOB_THREADS, KNOB_DELEGATES, KNOB_OTHERS };

extern const struct vaccel_knob knobs[];

/** threads_wanted() - how many work on one run: as VACCEL_TFLITE_THREADS says */
int threads_wanted(void);

int model_run(struct vaccel_call *call, struct vaccel_tflite_model_run_args *args);

#endif
