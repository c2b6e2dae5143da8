// SPDX-License-Identifier: Apache-2.0
/*
 * Strings. Case is changed by hand rather than by tolower(), and UTF-8 is read
 * as such: what comes out must not depend on the program's locale.
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

/* Bytes of the printable character that begins here, 0 if none does. */
static size_t printable_length(const unsigned char *at)
{
	/* The second byte of what could be written shorter, or is a control character, is lower;
	 * that of half a pair, or of what is beyond the last character, is higher. */
	unsigned char least = at[0] == 0xe0 || at[0] == 0xc2 ? 0xa0 : at[0] == 0xf0 ? 0x90 : 0x80;
	unsigned char most = at[0] == 0xed ? 0x9f : at[0] == 0xf4 ? 0x8f : 0xbf;
	size_t length = at[0] < 0x80 ? 1 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;

	if (length == 1)
		return at[0] >= ' ' && at[0] != 0x7f;
	if (at[0] < 0xc2 || at[0] > 0xf4 || at[1] < least || at[1] > most)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	return length;
}

void vaccel_str_make_printable(char *text)
{
	while (text && *text) {
		size_t length = printable_length((const unsigned char *)text);

		if (!length)
			*text = '?';
		text += length ? length : 1;
	}
}
