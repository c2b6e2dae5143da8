/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent's log: lines of text, or of JSON, on one descriptor that all its
 * processes share. Who decides what to do about an error logs it, once; whoever
 * passes it on does not.
 */
#ifndef VACCEL_AGENT_BASE_LOG_H
#define VACCEL_AGENT_BASE_LOG_H

#include <stdint.h>

#include <vaccel/log.h>

#include "agent/base/setup.h"

/* Of a child: its standard output and error are a pipe to the supervisor, which logs their lines.
 */
#define LOG_FD 5

/* Of a process, beyond which all but errors are left out and counted, unless the level is debug. */
#define LOG_LINES_A_SECOND 100

/* What a line is about; what is NULL or 0 is left out. */
struct about {
	const char *tenant;
	int64_t session;
	uint64_t request;
};

/* To @fd from now on. Before any thread is made; until then text goes to stderr. */
void log_open(const struct log_setup *setup, int fd);

/* Any thread. @about may be NULL. A line is cut after some 2000 bytes. */
void log_line(vaccel_log_level_t level, const struct about *about, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
