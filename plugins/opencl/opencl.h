/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the plugin share: its settings, and OpenCL's errors in our form. */
#ifndef OPENCL_OPENCL_H
#define OPENCL_OPENCL_H

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>

#include <vaccel/plugin.h>

enum { KNOB_DEVICE, KNOB_CACHE, KNOB_XDG_CACHE_HOME, KNOB_HOME, KNOB_COUNT };

extern const struct vaccel_knob knobs[KNOB_COUNT];

/** opencl_check() - 0, or OpenCL's @status as a code, with the name of the function @from */
int opencl_check(cl_int status, const char *from);

#endif
