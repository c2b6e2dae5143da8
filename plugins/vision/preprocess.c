/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps between a picture and a network, in the order that reference results
 * are made with: decode, resize to 8 bits, then (value - mean) * scale. Where the
 * network takes bytes there are but 256 different results, which are looked up.
 */
#include "vision/preprocess.h"

#include <math.h>
#include <string.h>

/* Where the samples of one channel are, and where they go. */
struct channel {
	const uint8_t *from;
	size_t pixels;
	size_t first;
	size_t step;
	float mean;
	float scale;
};

static void fill_floats(const struct channel *channel, float *tensor)
{
	float *to = tensor + channel->first;

	for (size_t i = 0; i < channel->pixels; i++)
		to[i * channel->step] =
			((float)channel->from[i * 3] - channel->mean) * channel->scale;
}

/* The byte that a sample becomes; an int8 as its bits. */
static uint8_t to_byte(const struct channel *channel, const struct port *port, bool plain,
		       int sample)
{
	float least = port->type == VACCEL_TENSOR_INT8 ? INT8_MIN : 0;
	float most = port->type == VACCEL_TENSOR_INT8 ? INT8_MAX : UINT8_MAX;
	float value = ((float)sample - channel->mean) * channel->scale;

	if (plain)
		value = (float)sample + least;
	else if (port->scale != 0)
		value = value / port->scale + (float)port->zero_point;
	return (uint8_t)(int)fminf(fmaxf(rintf(value), least), most);
}

static void fill_bytes(const struct channel *channel, const struct port *port, bool plain,
		       uint8_t *tensor)
{
	uint8_t *to = tensor + channel->first;
	uint8_t bytes[UINT8_MAX + 1];

	for (int i = 0; i <= UINT8_MAX; i++)
		bytes[i] = to_byte(channel, port, plain, i);
	for (size_t i = 0; i < channel->pixels; i++)
		to[i * channel->step] = bytes[channel->from[i * 3]];
}

void tensor_fill(const struct card_input *input, const struct port *port,
		 const struct picture *picture, void *ret_tensor)
{
	size_t pixels = (size_t)picture->width * picture->height;
	bool planes = input->layout == CARD_NCHW;

	for (size_t i = 0; i < 3; i++) {
		struct channel channel = {
			.from = picture->rgb + (input->color == CARD_BGR ? 2 - i : i),
			.pixels = pixels,
			.first = i * (planes ? pixels : 1),
			.step = planes ? 1 : 3,
			.mean = input->mean[i],
			.scale = input->scale[i],
		};

		if (port->type == VACCEL_TENSOR_FLOAT)
			fill_floats(&channel, ret_tensor);
		else
			fill_bytes(&channel, port, input->plain, ret_tensor);
	}
}

int picture_prepare(const void *data, size_t size, const struct picture_limits *limits,
		    const struct card_input *input, struct preprocess_scratch *scratch)
{
	int err = picture_decode(&scratch->decoded, data, size, limits);

	if (err)
		return err;
	return picture_resize(&scratch->decoded, input->width, input->height, &scratch->resize,
			      &scratch->resized);
}

void preprocess_scratch_release(struct preprocess_scratch *scratch)
{
	picture_release(&scratch->decoded);
	picture_release(&scratch->resized);
	resize_scratch_release(&scratch->resize);
}
