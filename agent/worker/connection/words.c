// SPDX-License-Identifier: Apache-2.0
/*
 * Backends put the paths of files into their errors. Where those lie is nobody's
 * business outside of this machine; which file it is may help.
 */
#include "agent/worker/connection/words.h"

#include <stdbool.h>
#include <string.h>

#define ENDS_PATH " \t\"'`,;:()[]{}<>|=\\"

/* Whether an absolute path can begin behind such a character. */
static bool may_begin_behind(char c)
{
	return !c || strchr(ENDS_PATH, c);
}

/* Where the last component of the path begins; one that ends in '/' is kept from its last '/'. */
static const char *last_component(const char *path, const char *end)
{
	const char *name = end;

	while (name > path && name[-1] != '/')
		name--;
	return name < end ? name : end - 1;
}

/* How long @named is, if it is this path and no other that begins so; else 0. */
static size_t length_of_named(const char *path, const char *named)
{
	size_t length = named ? strlen(named) : 0;

	if (!length || strncmp(path, named, length) || !may_begin_behind(path[length]))
		return 0;
	return length;
}

void words_without_paths(const char *words, const char *named, char *ret_words, size_t room)
{
	size_t used = 0;
	char before = '\0';

	while (*words && used + 1 < room) {
		size_t length = 1;

		if (*words == '/' && may_begin_behind(before)) {
			const char *end = words + strcspn(words, ENDS_PATH);

			length = length_of_named(words, named);
			if (!length) {
				words = last_component(words, end);
				length = (size_t)(end - words);
			}
		}
		if (length > room - 1 - used)
			length = room - 1 - used;
		memcpy(ret_words + used, words, length);
		used += length;
		words += length;
		before = words[-1];
	}
	ret_words[used] = '\0';
}
