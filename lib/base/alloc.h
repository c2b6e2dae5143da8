/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VACCEL_BASE_ALLOC_H
#define VACCEL_BASE_ALLOC_H

#include <stdbool.h>

/* Gives back what is kept for reuse. */
void alloc_forget_kept(void);

/* Around a fork(): nobody is in the middle of something meanwhile. */
void alloc_before_fork(void);
void alloc_after_fork(bool in_child);

#endif
