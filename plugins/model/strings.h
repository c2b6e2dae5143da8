/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_STRINGS_H
#define MODEL_STRINGS_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * strings_are_whole() - whether the data of a tensor of strings are what they should be
 * @data: as TensorFlow Lite has them, and programs give them to any framework: a count,
 *	count + 1 offsets from the beginning, all of 32 bits, and the characters, which end
 *	where the last offset says
 * @size: bytes
 * @count: how many strings there should be
 *
 * TensorFlow Lite itself trusts them.
 */
bool strings_are_whole(const void *data, size_t size, size_t count);

#ifdef __cplusplus
}
#endif

#endif
