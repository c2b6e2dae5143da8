/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Softmax and ranking. The ranking keeps the best in a heap whose root is the
 * worst of them, so that most of a thousand classes cost one comparison and a
 * caller who wants all of them pays no more than for sorting.
 */
#include "vision/classify.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

void softmax(float *scores, size_t count)
{
	float max = -INFINITY;
	double sum = 0.0;

	for (size_t i = 0; i < count; i++)
		max = fmaxf(max, scores[i]);
	for (size_t i = 0; i < count; i++) {
		scores[i] = expf(scores[i] - max);
		sum += scores[i];
	}
	for (size_t i = 0; i < count; i++)
		scores[i] = (float)(scores[i] / sum);
}

static bool better(const struct rank *a, const struct rank *b)
{
	if (isnan(a->probability) || isnan(b->probability)) {
		if (isnan(a->probability) != isnan(b->probability))
			return isnan(b->probability);
	} else if (a->probability != b->probability) {
		return a->probability > b->probability;
	}
	return a->index < b->index;
}

/* Put an entry where the root was, and the worst of the heap at the root. */
static void replace_root(struct rank *heap, size_t count, struct rank entry)
{
	size_t at = 0;

	for (;;) {
		size_t child = 2 * at + 1;

		if (child + 1 < count && better(&heap[child], &heap[child + 1]))
			child++;
		if (child >= count || better(&heap[child], &entry))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = entry;
}

static void add_leaf(struct rank *heap, size_t at, struct rank entry)
{
	while (at > 0 && better(&heap[(at - 1) / 2], &entry)) {
		heap[at] = heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	heap[at] = entry;
}

size_t rank_classes(const float *probabilities, size_t count, struct rank *ret_top, size_t room)
{
	size_t kept = room < count ? room : count;

	for (size_t i = 0; kept > 0 && i < count; i++) {
		struct rank entry = {i, probabilities[i]};

		if (i < kept)
			add_leaf(ret_top, i, entry);
		else if (better(&entry, &ret_top[0]))
			replace_root(ret_top, kept, entry);
	}
	for (size_t left = kept; left > 1; left--) {
		struct rank worst = ret_top[0];

		replace_root(ret_top, left - 1, ret_top[left - 1]);
		ret_top[left - 1] = worst;
	}
	return kept;
}

size_t rank_text(char *text, size_t size, float probability, const char *label)
{
	int length = snprintf(text, size, "%.3f%% %s", (double)probability * 100.0, label);

	return length < 0 ? 0 : (size_t)length;
}
