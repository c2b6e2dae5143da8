/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VACCEL_BASE_LOG_H
#define VACCEL_BASE_LOG_H

#include <vaccel/log.h>

/* Sets the level and the file, NULL for stderr, and opens it. The errno of opening it. */
int log_configure(vaccel_log_level_t level, const char *file);

/* See unlock_in_child(). */
void log_after_fork(void);

#endif
