/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Enums that know the names of their members, from one list:
 *
 *	#define FRUIT_LIST(X) X(FRUIT_APPLE, 0) X(FRUIT_PEAR, 4)
 *
 *	VACCEL_ENUM_DECLARE(fruit, FRUIT, FRUIT_LIST)		in a header
 *	VACCEL_ENUM_NAMES_DEFINE(fruit, FRUIT, FRUIT_LIST)	in one C file
 *
 * gives fruit_t, whose last member is FRUIT_MAX, and
 *
 *	fruit_to_str(FRUIT_PEAR)		"FRUIT_PEAR"
 *	fruit_to_base_str(FRUIT_PEAR)		"PEAR"
 *	fruit_name(FRUIT_PEAR, buf, size)	buf, holding "pear"
 *
 * A number that is not in the list, a gap included, reads as FRUIT_MAX. The
 * strings are constants; fruit_name() always ends its text with a NUL, cut to
 * fit if need be (VACCEL_ENUM_STR_MAX bytes hold any of them).
 *
 * The macros end what they say: no semicolon follows them.
 */
#ifndef VACCEL_UTILS_ENUM_H
#define VACCEL_UTILS_ENUM_H

#include <stddef.h>

#include <vaccel/utils/str.h>

#define VACCEL_ENUM_STR_MAX 128

/* A row as a member of the enum, and as a case that returns its name. */
#define VACCEL_ENUM_MEMBER(member, number) member = (number),
#define VACCEL_ENUM_CASE(member, number) \
	case (number):                   \
		return #member;

#define VACCEL_ENUM_DECLARE(name, prefix, LIST)                          \
	typedef enum { LIST(VACCEL_ENUM_MEMBER) prefix##_MAX } name##_t; \
	VACCEL_ENUM_NAMES_DECLARE(name)

/*
 * VACCEL_ENUM_NAMES_DECLARE() - declare the functions that name an enum's members
 *
 * ENUM_to_str(value) - the member as it is written in C
 * ENUM_to_base_str(value) - the same without the enum's prefix
 * ENUM_name(value, buf, size) - that in lower case, cut to fit @buf, which is returned
 *
 * A number that is no member reads as the last one, MAX.
 */
#define VACCEL_ENUM_NAMES_DECLARE(name)                 \
	const char *name##_to_str(name##_t value);      \
	const char *name##_to_base_str(name##_t value); \
	char *name##_name(name##_t value, char *buf, size_t size);

/* sizeof(#prefix) counts the NUL, and so the underscore after the prefix. */
#define VACCEL_ENUM_NAMES_DEFINE(name, prefix, LIST)                             \
	const char *name##_to_str(name##_t value)                                \
	{                                                                        \
		switch ((int)value) {                                            \
			LIST(VACCEL_ENUM_CASE)                                   \
		default:                                                         \
			return #prefix "_MAX";                                   \
		}                                                                \
	}                                                                        \
                                                                                 \
	const char *name##_to_base_str(name##_t value)                           \
	{                                                                        \
		return name##_to_str(value) + sizeof(#prefix);                   \
	}                                                                        \
                                                                                 \
	char *name##_name(name##_t value, char *buf, size_t size)                \
	{                                                                        \
		vaccel_str_to_lower(name##_to_base_str(value), buf, size, NULL); \
		return buf;                                                      \
	}

#endif
