/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the two text files of a model: its card and its labels. */
#include <stdlib.h>

#include "vision/card.h"
#include "vision/labels.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct labels labels = {0};
	struct card card;

	if (!card_parse((const char *)data, size, &card) &&
	    (card.task >= CARD_NR_TASKS || card.input.scale[0] == 0.0f))
		abort();
	if (!labels_parse((const char *)data, size, &labels) && labels.count > 0 &&
	    (!labels_get(&labels, labels.count - 1) || labels_get(&labels, labels.count)))
		abort();
	labels_release(&labels);
	return 0;
}
