/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent's log: lines of text, or of JSON, on one descriptor, which the supervisor
 * alone has. What its children say it hears of each on a socket of its own. Who decides what to do
 * about an error logs it, once; whoever passes it on does not.
 */
#ifndef VACCEL_AGENT_BASE_LOG_H
#define VACCEL_AGENT_BASE_LOG_H

#include <stdint.h>

#include <vaccel/log.h>

#include "agent/base/setup.h"

/* Of a child: where its records go. What it has for standard output and error is another. */
#define LOG_FD	       5
#define LOG_RECORD_MAX 2304

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

/* The same of a child, to LOG_FD. */
void log_open_child(const struct log_setup *setup);

/* Any thread. @about may be NULL. A line is cut after some 2000 bytes. */
void log_line(vaccel_log_level_t level, const struct about *about, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* What a child says: its record without the end of the line, or any words. They do not count as
 * this process's: whoever reads them bounds them. */
void log_record(const char *tenant, const char *record);
void log_of_child(vaccel_log_level_t level, const struct about *about, const char *words);

#endif
