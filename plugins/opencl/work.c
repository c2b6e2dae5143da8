// SPDX-License-Identifier: Apache-2.0
/*
 * Each step does nothing after one that failed, so that a piece of work is
 * written down as what it does and asked once whether it did.
 */
#include "opencl/work.h"

#include "opencl/program.h"

struct work work_begin(void)
{
	struct work work = {0};

	work.ret = device_get(&work.device);
	if (!work.ret)
		work.ret = queue_take(work.device, &work.queue);
	return work;
}

int work_end(struct work *work)
{
	queue_give(work->queue);
	for (size_t i = 0; i < work->nr_buffers; i++)
		clReleaseMemObject(work->buffer[i]);
	return work->ret;
}

cl_mem work_buffer(struct work *work, const void *data, size_t size)
{
	cl_mem_flags flags = CL_MEM_READ_WRITE | (data ? CL_MEM_COPY_HOST_PTR : 0);
	cl_int status;
	cl_mem buffer;

	if (work->ret)
		return NULL;
	buffer = clCreateBuffer(work->device->context, flags, size, (void *)data, &status);
	work->ret = opencl_check(status, "clCreateBuffer");
	if (work->ret)
		return NULL;
	work->buffer[work->nr_buffers++] = buffer;
	return buffer;
}

/* Between a matrix of the program's and one on the device that has no gaps. */
struct region {
	size_t origin[3];
	size_t size[3];
	size_t pitch;
};

static struct region region_of(const struct matrix *matrix)
{
	return (struct region){
		.size = {matrix->columns * sizeof(float), matrix->rows, 1},
		.pitch = matrix->stride * sizeof(float),
	};
}

cl_mem work_matrix(struct work *work, const struct matrix *from, bool copy)
{
	size_t bytes = from->rows * from->columns * sizeof(float);
	bool dense = from->stride == from->columns;
	cl_mem buffer = work_buffer(work, copy && dense ? from->data : NULL, bytes);
	struct region region = region_of(from);

	if (work->ret || !copy || dense)
		return buffer;
	work->ret =
		opencl_check(clEnqueueWriteBufferRect(work->queue, buffer, CL_TRUE, region.origin,
						      region.origin, region.size, region.size[0], 0,
						      region.pitch, 0, from->data, 0, NULL, NULL),
			     "clEnqueueWriteBufferRect");
	return buffer;
}

static int set_arguments(const struct work *work, cl_kernel kernel, cl_ulong n)
{
	int ret = opencl_check(clSetKernelArg(kernel, 0, sizeof(n), &n), "clSetKernelArg");

	for (cl_uint i = 0; !ret && i < work->nr_buffers; i++)
		ret = opencl_check(clSetKernelArg(kernel, i + 1, sizeof(cl_mem), &work->buffer[i]),
				   "clSetKernelArg");
	return ret;
}

void work_run(struct work *work, const char *name, size_t nr, cl_ulong n)
{
	const size_t group = GROUP, all = (nr + GROUP - 1) / GROUP * GROUP;
	cl_kernel kernel;

	if (!work->ret)
		work->ret = program_kernel(work->device, name, &kernel);
	if (work->ret)
		return;
	work->ret = set_arguments(work, kernel, n);
	if (!work->ret)
		work->ret = opencl_check(clEnqueueNDRangeKernel(work->queue, kernel, 1, NULL, &all,
								&group, 0, NULL, NULL),
					 "clEnqueueNDRangeKernel");
	clReleaseKernel(kernel);
}

void work_read(struct work *work, cl_mem buffer, void *to, size_t size)
{
	if (!work->ret)
		work->ret = opencl_check(clEnqueueReadBuffer(work->queue, buffer, CL_TRUE, 0, size,
							     to, 0, NULL, NULL),
					 "clEnqueueReadBuffer");
}

void work_read_matrix(struct work *work, cl_mem buffer, const struct matrix *to)
{
	struct region region = region_of(to);

	if (!work->ret)
		work->ret = opencl_check(
			clEnqueueReadBufferRect(work->queue, buffer, CL_TRUE, region.origin,
						region.origin, region.size, region.size[0], 0,
						region.pitch, 0, to->data, 0, NULL, NULL),
			"clEnqueueReadBufferRect");
}
