/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Given to clang-tidy before every source, so that its analyzer knows what it cannot see from one
 * source alone: vaccel_fail() returns the code it was given, hence never 0, as errno is not either.
 */
#if __has_include(<vaccel/error.h>)
#include <vaccel/error.h>
#define vaccel_fail(code, ...)                         \
	({                                             \
		int analyzed_ = (code);                \
		(vaccel_fail)(analyzed_, __VA_ARGS__); \
		analyzed_ ? analyzed_ : VACCEL_EIO;    \
	})
#endif
