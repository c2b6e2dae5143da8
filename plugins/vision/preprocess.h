/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the bytes of a picture to the input of a network.
 */
#ifndef VISION_PREPROCESS_H
#define VISION_PREPROCESS_H

#include "model/port.h"
#include "vision/card.h"
#include "vision/picture.h"
#include "vision/resize.h"

/**
 * struct preprocess_scratch - memory kept between pictures
 *
 * All zero at first; one call at a time may use it.
 */
struct preprocess_scratch {
	struct picture decoded;
	struct picture resized;
	struct resize_scratch resize;
};

/**
 * tensor_fill() - turn pixels into the numbers that a network takes
 * @input: layout, order of colours, means and scales; its sizes do not matter here
 * @port: the network's input: float, uint8 or int8, perhaps quantised
 * @picture: already of the network's sizes
 * @ret_tensor: width * height * 3 numbers of the input's type, (value - mean) * scale
 *	each. For uint8 and int8 that is quantised as the input says, or rounded if it
 *	says nothing; with an @input that is plain, pixels are handed over as they are,
 *	to int8 less 128.
 */
void tensor_fill(const struct card_input *input, const struct port *port,
		 const struct picture *picture, void *ret_tensor);

/**
 * picture_prepare() - decode a picture and resize it
 * @data: JPEG or PNG
 * @size: its bytes
 * @limits: for picture_decode()
 * @input: its sizes are set: the card's, or the model's where the card has none
 * @scratch: memory kept between calls; has both pictures afterwards
 *
 * Return: 0; the errors of picture_decode() and picture_resize().
 */
int picture_prepare(const void *data, size_t size, const struct picture_limits *limits,
		    const struct card_input *input, struct preprocess_scratch *scratch);

void preprocess_scratch_release(struct preprocess_scratch *scratch);

#endif
