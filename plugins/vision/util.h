/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ownership, for the picture code: plugins see the installed headers only, so
 * these few lines are their own.
 */
#ifndef VISION_UTIL_H
#define VISION_UTIL_H

#include <stdlib.h>

#define _cleanup_(fn) __attribute__((cleanup(fn)))

#define TAKE(p)                             \
	({                                  \
		__typeof__(p) taken_ = (p); \
		(p) = NULL;                 \
		taken_;                     \
	})

static inline void freep(void *p)
{
	free(*(void **)p);
}

#endif
