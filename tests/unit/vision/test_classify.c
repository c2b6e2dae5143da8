/* SPDX-License-Identifier: Apache-2.0 */
/* Softmax, ranking (against sorting), and the text of a class. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"
#include "vision/classify.h"

static void softmax_gives_probabilities(void **state)
{
	float scores[] = {1.0f, 2.0f, 3.0f};
	float large[] = {1000.0f, 1000.0f, -1000.0f};

	(void)state;
	softmax(scores, 3);
	assert_true(fabsf(scores[0] - 0.09003057f) < 1e-6f);
	assert_true(fabsf(scores[1] - 0.24472848f) < 1e-6f);
	assert_true(fabsf(scores[2] - 0.66524094f) < 1e-6f);
	softmax(large, 3);
	assert_true(large[0] == 0.5f && large[1] == 0.5f && large[2] == 0.0f);
	softmax(large, 0);
}

/* Is a to stand before b? The rule of rank_classes(), as a sort would have it. */
static int compare(const void *a, const void *b)
{
	const struct rank *left = a, *right = b;
	double l = isnan(left->probability) ? -INFINITY : (double)left->probability;
	double r = isnan(right->probability) ? -INFINITY : (double)right->probability;

	if (l != r)
		return l > r ? -1 : 1;
	return left->index < right->index ? -1 : 1;
}

static void ranking_equals_sorting(void **state)
{
	struct rank sorted[200], top[200];
	float probabilities[200];
	uint32_t seed = 1;

	(void)state;
	for (int round = 0; round < 500; round++) {
		size_t count = next_random(&seed) % 200;
		size_t room = next_random(&seed) % 200;
		size_t expected = room < count ? room : count;

		for (size_t i = 0; i < count; i++) {
			uint32_t value = next_random(&seed) % 50;

			probabilities[i] = value == 7 ? NAN : (float)value / 50.0f;
			sorted[i] = (struct rank){i, probabilities[i]};
		}
		qsort(sorted, count, sizeof(sorted[0]), compare);
		assert_int_equal(rank_classes(probabilities, count, top, room), expected);
		for (size_t i = 0; i < expected; i++)
			assert_int_equal(top[i].index, sorted[i].index);
	}
}

static void of_equals_the_first_comes_first(void **state)
{
	const float probabilities[] = {0.1f, NAN, 0.4f, 0.4f, -INFINITY};
	struct rank top[5];

	(void)state;
	assert_int_equal(rank_classes(probabilities, 5, top, 5), 5);
	assert_int_equal(top[0].index, 2);
	assert_true(top[0].probability == 0.4f);
	assert_int_equal(top[1].index, 3);
	assert_int_equal(top[2].index, 0);
	assert_int_equal(top[3].index, 4);
	assert_int_equal(top[4].index, 1);
	assert_int_equal(rank_classes(probabilities, 5, top, 0), 0);
	assert_int_equal(rank_classes(NULL, 0, top, 5), 0);
}

static void text_is_percent_and_label(void **state)
{
	char text[32];

	(void)state;
	assert_int_equal(rank_text(text, sizeof(text), 0.99812f, "seven"), 13);
	assert_string_equal(text, "99.812% seven");
	assert_int_equal(rank_text(text, 8, 1.0f, "tench, Tinca tinca"), 27);
	assert_string_equal(text, "100.000");
	assert_int_equal(rank_text(NULL, 0, 0.0f, "%s"), 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(softmax_gives_probabilities),
		cmocka_unit_test(ranking_equals_sorting),
		cmocka_unit_test(of_equals_the_first_comes_first),
		cmocka_unit_test(text_is_percent_and_label),
	};

	return cmocka_run_group_tests_name("vision/classify", tests, NULL, NULL);
}
