/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that another process changes while it is read, at a moment that the test chooses. Whatever
 * goes wrong in here fails the test.
 */
#ifndef TESTS_SUPPORT_CHANGING_H
#define TESTS_SUPPORT_CHANGING_H

#include <stddef.h>

/*
 * Room for some hundred bytes. When someone touches more than the @first of them, for the
 * first time since changing_guard(), @change is called before they can go on.
 */
void *changing_new(size_t first);
void changing_guard(void (*change)(void));

/* That it has come to the change, and frees the room. */
void changing_delete(void);

#endif
