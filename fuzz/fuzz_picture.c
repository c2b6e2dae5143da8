/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a picture: decoded, then resized and made a tensor of sizes that
 * the last bytes choose. The limit is low, so that a run is many small pictures.
 */
#include <stdlib.h>

#include "vision/preprocess.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct picture_limits limits = {1 << 16};
	const struct port floats = {.type = VACCEL_TENSOR_FLOAT};
	struct preprocess_scratch scratch = {0};
	static float tensor[64 * 64 * 3];
	struct card card;

	card_init(&card, CARD_CLASSIFY);
	if (size >= 2) {
		card.input.width = 1 + data[size - 1] % 64;
		card.input.height = 1 + data[size - 2] % 64;
		card.input.layout = data[size - 1] & 64 ? CARD_NHWC : CARD_NCHW;
		card.input.color = data[size - 2] & 64 ? CARD_BGR : CARD_RGB;
	}
	if (!picture_prepare(data, size, &limits, &card.input, &scratch))
		tensor_fill(&card.input, &floats, &scratch.resized, tensor);
	preprocess_scratch_release(&scratch);
	return 0;
}
