/* SPDX-License-Identifier: Apache-2.0 */
/* One call's work on the device: a queue, buffers, a kernel, all given back at the end. */
#ifndef OPENCL_WORK_H
#define OPENCL_WORK_H

#include "opencl/device.h"

#define BUFFERS_MAX 4

/** struct work - zero but for what work_begin() filled; the first error ends it */
struct work {
	const struct device *device;
	cl_command_queue queue;
	cl_mem buffer[BUFFERS_MAX];
	size_t nr_buffers;
	int ret;
};

/** struct matrix - rows of floats in a program's memory, as far apart as it likes */
struct matrix {
	float *data;
	size_t rows;
	size_t columns;
	size_t stride;
};

/** work_begin() - take the device and a queue */
struct work work_begin(void);

/** work_end() - give all back; the first error of the work */
int work_end(struct work *work);

/** work_buffer() - @size bytes on the device, with a copy of @data if that is not NULL */
cl_mem work_buffer(struct work *work, const void *data, size_t size);

/** work_matrix() - a matrix on the device, row behind row, with @from's values if it is to @copy */
cl_mem work_matrix(struct work *work, const struct matrix *from, bool copy);

/** work_run() - @nr work items of a kernel whose arguments are @n and all buffers so far */
void work_run(struct work *work, const char *kernel, size_t nr, cl_ulong n);

/** work_read() - wait for all that, and copy a buffer to the program */
void work_read(struct work *work, cl_mem buffer, void *to, size_t size);

/** work_read_matrix() - the same; what lies between rows stays */
void work_read_matrix(struct work *work, cl_mem buffer, const struct matrix *to);

#endif
