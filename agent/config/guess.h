/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the words that there are somebody may have meant. */
#ifndef VACCEL_AGENT_CONFIG_GUESS_H
#define VACCEL_AGENT_CONFIG_GUESS_H

#include <stddef.h>

struct guess {
	const char *typed;
	const char *best; /* NULL: none is near */
	size_t away;
};

/* Keeps @word, which stays the caller's, if it is near and nearer than those before. */
void guess_offer(struct guess *guess, const char *word);

#endif
