/* SPDX-License-Identifier: Apache-2.0 */
/* Strings. */
#ifndef VACCEL_UTILS_STR_H
#define VACCEL_UTILS_STR_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * vaccel_str_to_lower() - copy a string, its letters A to Z in lower case
 * @in: the string; other bytes are kept, whatever the locale
 * @out: where to write, cut to fit and always ended by a NUL; unused with @alloc
 * @size: bytes at @out
 * @alloc: NULL, or where to put a whole copy that the caller frees
 *
 * Return: VACCEL_OK; VACCEL_EINVAL if there is no @in, or neither @alloc nor
 * room at @out; VACCEL_ENOMEM.
 */
int vaccel_str_to_lower(const char *in, char *out, size_t size, char **alloc);

/**
 * vaccel_str_make_printable() - make a string fit for a terminal or a log, in place
 * @text: changed: each control character, and each byte that is not UTF-8,
 *        becomes '?'; NULL is left alone
 */
void vaccel_str_make_printable(char *text);

#ifdef __cplusplus
}
#endif

#endif
