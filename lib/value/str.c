// SPDX-License-Identifier: Apache-2.0
/*
 * Strings. Case is changed by hand rather than by tolower(): names are ASCII,
 * and must not come out otherwise under a Turkish locale.
 */
#include <stdlib.h>
#include <string.h>

#include <vaccel/error.h>
#include <vaccel/utils/str.h>

static void copy_lower(char *out, const char *in, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = in[i] >= 'A' && in[i] <= 'Z' ? (char)(in[i] - 'A' + 'a') : in[i];
	out[len] = '\0';
}

int vaccel_str_to_lower(const char *in, char *out, size_t size, char **alloc)
{
	size_t len;

	if (!in || (!alloc && (!out || !size)))
		return vaccel_fail(VACCEL_EINVAL, "lower case: no string, or no room for it");

	len = strlen(in);
	if (alloc) {
		out = malloc(len + 1);
		if (!out)
			return vaccel_fail(VACCEL_ENOMEM, "lower case: no memory for %zu bytes",
					   len + 1);
		*alloc = out;
	} else if (len >= size) {
		len = size - 1;
	}
	copy_lower(out, in, len);
	return VACCEL_OK;
}
