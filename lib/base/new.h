/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bodies of all _new() and _delete() functions:
 *
 *	return NEW(arg, vaccel_arg_init, buf, size, type, custom_id);
 *	return DELETE(arg, vaccel_arg_release);
 *
 * NEW allocates an object and initialises it, and sets *out only if that
 * worked; a NULL out is VACCEL_EINVAL. DELETE frees the object if the release
 * function accepts it.
 */
#ifndef VACCEL_BASE_NEW_H
#define VACCEL_BASE_NEW_H

#include <stdlib.h>

#include <vaccel/error.h>

#include "base/util.h"

#define NEW(out, init, ...)                                                                \
	({                                                                                 \
		__typeof__(out) out_ = (out);                                              \
		_cleanup_(freep) __typeof__(*out_) new_ = malloc(sizeof(*new_));           \
		int ret_;                                                                  \
                                                                                           \
		if (!out_)                                                                 \
			ret_ = vaccel_fail(VACCEL_EINVAL, "%s: nowhere to put it", #init); \
		else if (!new_)                                                            \
			ret_ = vaccel_fail(VACCEL_ENOMEM, "%s: no memory", #init);         \
		else                                                                       \
			ret_ = init(new_, ##__VA_ARGS__);                                  \
		if (!ret_)                                                                 \
			*out_ = TAKE(new_);                                                \
		ret_;                                                                      \
	})

#define DELETE(object, release)                        \
	({                                             \
		__typeof__(object) object_ = (object); \
		int ret_ = release(object_);           \
                                                       \
		if (!ret_)                             \
			free(object_);                 \
		ret_;                                  \
	})

#endif
