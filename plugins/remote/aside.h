/* SPDX-License-Identifier: Apache-2.0 */
/* Work that no call waits for to its end. */
#ifndef VACCEL_REMOTE_ASIDE_H
#define VACCEL_REMOTE_ASIDE_H

#include <stdbool.h>

/* In a thread of its own, which gets none of the program's signals. False: there is none. */
bool run_aside(void *(*work)(void *context), void *context);

#endif
