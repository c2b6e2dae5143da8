// SPDX-License-Identifier: Apache-2.0
/* How near two words are: letters to add, to drop, to change, or to swap with the next. */
#include <stdint.h>
#include <string.h>

#include "agent/config/guess.h"
#include "base/util.h"

#define WORD_MAX 32

static size_t steps_between(const char *a, const char *b)
{
	size_t rows[3][WORD_MAX + 1]; /* of the letters of @a: this one, the last, and before */
	size_t width = strlen(b);

	if (strlen(a) > WORD_MAX || width > WORD_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= width; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= strlen(a); i++) {
		size_t *row = rows[i % 3];
		const size_t *last = rows[(i + 2) % 3];
		const size_t *before = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= width; j++) {
			row[j] = MIN_OF(last[j], row[j - 1]) + 1;
			row[j] = MIN_OF(row[j], last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = MIN_OF(row[j], before[j - 2] + 1);
		}
	}
	return rows[strlen(a) % 3][width];
}

void guess_offer(struct guess *guess, const char *word)
{
	size_t away = steps_between(guess->typed, word);

	/* Half of another word is no slip of the fingers. */
	if (away > (strlen(word) + 1) / 2 || (guess->best && away >= guess->away))
		return;
	guess->best = word;
	guess->away = away;
}
