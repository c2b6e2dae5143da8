/* SPDX-License-Identifier: Apache-2.0 */
/* The kernels of our own. */
#ifndef OPENCL_PROGRAM_H
#define OPENCL_PROGRAM_H

#include "opencl/device.h"

/* Places of a work group. A size that is the same for all keeps drivers from compiling for each. */
#define GROUP 64

#define CACHE_ROOM 4096

/** program_cache() - the directory for compiled kernels; false if there is none to be had */
bool program_cache(char path[CACHE_ROOM]);

/**
 * program_kernel() - a kernel of this call's alone
 *
 * They are compiled when one is first asked for, unless the cache has them.
 *
 * Return: 0; an error of OpenCL's, with the compiler's words in the log.
 */
int program_kernel(const struct device *device, const char *name, cl_kernel *ret_kernel);

/** program_release() - no call may be running */
void program_release(void);

#endif
