/* SPDX-License-Identifier: Apache-2.0 */
/* What the typed functions of an argument array are made of. */
#ifndef VACCEL_VALUE_ARG_ARRAY_H
#define VACCEL_VALUE_ARG_ARRAY_H

#include <vaccel/arg.h>

/* Makes room for @count more; ERANGE if the array is of fixed size. */
int arg_array_reserve(struct vaccel_arg_array *array, size_t count);

/* Adds an argument of borrowed memory, of which there must be some. */
int arg_array_add(struct vaccel_arg_array *array, vaccel_arg_type_t type, uint32_t custom_id,
		  void *buf, size_t size);

/*
 * The argument at the position, if it is of this type and has memory. The
 * position does not move: the caller moves it when all has gone well.
 */
int arg_array_next(struct vaccel_arg_array *array, vaccel_arg_type_t type,
		   struct vaccel_arg **ret_arg);

/* Copies at most as many bytes as the next argument has into it, and moves on. */
int arg_array_set(struct vaccel_arg_array *array, vaccel_arg_type_t type, const void *buf,
		  size_t size);

#endif
