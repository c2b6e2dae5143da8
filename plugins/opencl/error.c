// SPDX-License-Identifier: Apache-2.0
/* OpenCL's errors are numbers; the names of those that a user can do something about are here. */
#include "opencl/opencl.h"

static const struct {
	cl_int status;
	int code;
	const char *words;
} errors[] = {
	{CL_DEVICE_NOT_FOUND, VACCEL_ENODEV, "there is no such device"},
	{CL_DEVICE_NOT_AVAILABLE, VACCEL_ENODEV, "the device is not available"},
	{CL_COMPILER_NOT_AVAILABLE, VACCEL_EBACKEND, "the driver has no compiler"},
	{CL_MEM_OBJECT_ALLOCATION_FAILURE, VACCEL_ENOMEM, "the device has no memory for that"},
	{CL_OUT_OF_RESOURCES, VACCEL_ENOMEM, "the device is out of resources"},
	{CL_OUT_OF_HOST_MEMORY, VACCEL_ENOMEM, "no memory"},
	{CL_BUILD_PROGRAM_FAILURE, VACCEL_EBACKEND, "the driver cannot compile the kernels"},
	{CL_INVALID_BUFFER_SIZE, VACCEL_ENOMEM,
	 "that is more than the device has memory for in one piece"},
};

int opencl_check(cl_int status, const char *from)
{
	if (status == CL_SUCCESS)
		return VACCEL_OK;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].status == status)
			return vaccel_fail(errors[i].code, "OpenCL: %s: %s", from, errors[i].words);
	return vaccel_fail(VACCEL_EBACKEND, "OpenCL: %s: error %d", from, (int)status);
}
