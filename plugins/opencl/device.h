/* SPDX-License-Identifier: Apache-2.0 */
/* The device that all is done on, and queues to it. */
#ifndef OPENCL_DEVICE_H
#define OPENCL_DEVICE_H

#include <stdbool.h>

#include "opencl/opencl.h"

/**
 * struct device - one device, in use
 * @id: OpenCL's
 * @context: all buffers and programs are of it
 */
struct device {
	cl_device_id id;
	cl_context context;
};

/**
 * device_drivers() - find the drivers; they are loaded, and look for their devices later
 * @ret_pocl: whether one of them is PoCL, and may be used
 *
 * PoCL computes on the processor, where others may do so, too, and makes its kernels by a compiler
 * and a linker, which a sandbox has to permit. So it is used only if the knob chooses a device.
 *
 * Return: 0; ENODEV if there are none.
 */
int device_drivers(bool *ret_pocl);

/**
 * device_get() - the device of the knob, or the first GPU, accelerator or CPU
 *
 * Looked for when first asked for: drivers start threads then.
 *
 * Return: 0; ENODEV if there is none, with those that there are; EBACKEND.
 */
int device_get(const struct device **ret_device);

/** device_release() - no call may be running */
void device_release(void);

/** queue_take() - a queue of this call's alone; 0 or an error of OpenCL's */
int queue_take(const struct device *device, cl_command_queue *ret_queue);

/** queue_give() - keep it for another call. NULL is fine. */
void queue_give(cl_command_queue queue);

/** device_text() - one of the texts that describe a device, cut to @size */
void device_text(cl_device_id id, cl_device_info what, char *text, size_t size);

/** device_report() - the devices that there are and the one in use */
void device_report(vaccel_plugin_report_fn *say, void *context);

#endif
