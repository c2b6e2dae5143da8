// SPDX-License-Identifier: Apache-2.0
/* What comes out of networks as floats, whatever the type that they compute in. */
#include "vision/network.h"

bool network_reads(int32_t type)
{
	switch (type) {
	case VACCEL_TENSOR_FLOAT:
	case VACCEL_TENSOR_DOUBLE:
	case VACCEL_TENSOR_UINT8:
	case VACCEL_TENSOR_INT8:
	case VACCEL_TENSOR_INT16:
	case VACCEL_TENSOR_INT32:
	case VACCEL_TENSOR_INT64:
		return true;
	default:
		return false;
	}
}

size_t network_count(const struct network_output *output)
{
	size_t count = 1;

	for (size_t i = 0; i < output->nr_dims; i++)
		count *= (size_t)output->dims[i];
	return count;
}

/* One function for each type, so that the loop is the compiler's to make wide. */
#define CONVERT(name, type)                                                                   \
	static void convert_##name(const type *data, size_t count, float scale, float offset, \
				   float *floats)                                             \
	{                                                                                     \
		for (size_t i = 0; i < count; i++)                                            \
			floats[i] = ((float)data[i] - offset) * scale;                        \
	}
CONVERT(double, double)
CONVERT(uint8, uint8_t)
CONVERT(int8, int8_t)
CONVERT(int16, int16_t)
CONVERT(int32, int32_t)
CONVERT(int64, int64_t)

const float *network_floats(const struct network_output *output, const struct port *port,
			    float *room)
{
	size_t count = network_count(output);
	bool quantised = port->scale != 0;
	float scale = quantised ? port->scale : 1;
	float offset = quantised ? (float)port->zero_point : 0;

	switch (output->type) {
	case VACCEL_TENSOR_DOUBLE:
		convert_double(output->data, count, scale, offset, room);
		break;
	case VACCEL_TENSOR_UINT8:
		convert_uint8(output->data, count, scale, offset, room);
		break;
	case VACCEL_TENSOR_INT8:
		convert_int8(output->data, count, scale, offset, room);
		break;
	case VACCEL_TENSOR_INT16:
		convert_int16(output->data, count, scale, offset, room);
		break;
	case VACCEL_TENSOR_INT32:
		convert_int32(output->data, count, scale, offset, room);
		break;
	case VACCEL_TENSOR_INT64:
		convert_int64(output->data, count, scale, offset, room);
		break;
	default:
		return output->data;
	}
	return room;
}
