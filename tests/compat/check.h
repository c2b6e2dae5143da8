/* SPDX-License-Identifier: Apache-2.0 */
/* How a name, a value and a member of the API are checked, by the compiler and the linker. */
#ifndef COMPAT_CHECK_H
#define COMPAT_CHECK_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A function of this type is there; taking its address makes the linker look for it. */
#define FUNCTION(type, name, ...)                     \
	do {                                          \
		type (*function)(__VA_ARGS__) = name; \
		use((void (*)(void))function);        \
	} while (0)

#define VALUE(constant, value) static_assert((long long)(constant) == (value), #constant)

/* The first member of a struct, and one that comes after another. */
#define FIRST(type, member) static_assert(offsetof(struct type, member) == 0, #member)
#define NEXT(type, before, member) \
	static_assert(offsetof(struct type, before) < offsetof(struct type, member), #member)

/* The member can be read and written as this type. */
#define MEMBER(object, type, member)             \
	do {                                     \
		type *place = &(object)->member; \
		(void)place;                     \
	} while (0)

/* The three functions of an enum. */
#define NAMES(name)                                                      \
	do {                                                             \
		FUNCTION(const char *, name##_to_str, name##_t);         \
		FUNCTION(const char *, name##_to_base_str, name##_t);    \
		FUNCTION(char *, name##_name, name##_t, char *, size_t); \
	} while (0)

/* Counts, so that nothing is optimised away. */
void use(void (*function)(void));

void check_core(void);
void check_values(void);
void check_args(void);
void check_ops(void);

#endif
