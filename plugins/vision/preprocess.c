/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps between a picture and a network, in the order that reference results
 * are made with: decode, resize to 8 bits, then (value - mean) * scale.
 */
#include "vision/preprocess.h"

void tensor_fill(const struct card_input *input, const struct picture *picture, float *ret_tensor)
{
	size_t pixels = (size_t)picture->width * picture->height;
	size_t step = input->layout == CARD_NCHW ? 1 : 3;
	size_t plane = input->layout == CARD_NCHW ? pixels : 1;

	for (size_t channel = 0; channel < 3; channel++) {
		size_t sample = input->color == CARD_BGR ? 2 - channel : channel;
		const uint8_t *from = picture->rgb + sample;
		float *to = ret_tensor + channel * plane;
		float mean = input->mean[channel];
		float scale = input->scale[channel];

		for (size_t i = 0; i < pixels; i++)
			to[i * step] = ((float)from[i * 3] - mean) * scale;
	}
}

int picture_to_tensor(const void *data, size_t size, const struct picture_limits *limits,
		      const struct card_input *input, struct preprocess_scratch *scratch,
		      float *ret_tensor)
{
	int err;

	err = picture_decode(&scratch->decoded, data, size, limits);
	if (err)
		return err;
	err = picture_resize(&scratch->decoded, input->width, input->height, &scratch->resize,
			     &scratch->resized);
	if (err)
		return err;
	tensor_fill(input, &scratch->resized, ret_tensor);
	return 0;
}

void preprocess_scratch_release(struct preprocess_scratch *scratch)
{
	picture_release(&scratch->decoded);
	picture_release(&scratch->resized);
	resize_scratch_release(&scratch->resize);
}
