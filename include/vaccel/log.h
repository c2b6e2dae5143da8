/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The library's log. It goes to VACCEL_LOG_FILE, else to stderr, and holds
 * nothing below VACCEL_LOG_LEVEL. A level that is off costs one load and one
 * predictable branch; its arguments are not evaluated.
 */
#ifndef VACCEL_LOG_H
#define VACCEL_LOG_H

#include <stdbool.h>
#include <vaccel/utils/enum.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VACCEL_LOG_LEVEL_LIST(X) \
	X(VACCEL_LOG_ERROR, 1)   \
	X(VACCEL_LOG_WARN, 2)    \
	X(VACCEL_LOG_INFO, 3)    \
	X(VACCEL_LOG_DEBUG, 4)

VACCEL_ENUM_DECLARE(vaccel_log_level, VACCEL_LOG, VACCEL_LOG_LEVEL_LIST)

/* The level in force. Read it through the macros; set it by configuration. */
extern int vaccel_log_threshold;

/**
 * vaccel_log_init() - open the log as the current configuration says
 *
 * Called by vaccel_bootstrap(); calling it again reopens the file, as after
 * a log rotation.
 *
 * Return: VACCEL_OK, or the errno of opening VACCEL_LOG_FILE (the log then
 * stays on stderr).
 */
int vaccel_log_init(void);

/**
 * vaccel_log_shutdown() - close the log file; later lines go to stderr
 *
 * Return: VACCEL_OK.
 */
int vaccel_log_shutdown(void);

/**
 * vaccel_log_line() - write one line to the log
 * @level: one of vaccel_log_level_t
 * @format: printf format, without a newline
 *
 * Lines of several threads do not mix. Use the macros below instead.
 */
void vaccel_log_line(vaccel_log_level_t level, const char *format, ...)
	__attribute__((format(printf, 2, 3), cold));

#define VACCEL_LOG(level, ...)                                                                \
	do {                                                                                  \
		if ((int)(level) <= __atomic_load_n(&vaccel_log_threshold, __ATOMIC_RELAXED)) \
			vaccel_log_line((level), __VA_ARGS__);                                \
	} while (0)

/** vaccel_error() - log a line at one of the levels, as vaccel_log_line() */
#define vaccel_fatal(...) VACCEL_LOG(VACCEL_LOG_ERROR, __VA_ARGS__)
#define vaccel_error(...) VACCEL_LOG(VACCEL_LOG_ERROR, __VA_ARGS__)
#define vaccel_warn(...)  VACCEL_LOG(VACCEL_LOG_WARN, __VA_ARGS__)
#define vaccel_info(...)  VACCEL_LOG(VACCEL_LOG_INFO, __VA_ARGS__)
#define vaccel_debug(...) VACCEL_LOG(VACCEL_LOG_DEBUG, __VA_ARGS__)
#define vaccel_trace(...) VACCEL_LOG(VACCEL_LOG_DEBUG, __VA_ARGS__)

#ifdef __cplusplus
}
#endif

#endif
