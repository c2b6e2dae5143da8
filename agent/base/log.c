// SPDX-License-Identifier: Apache-2.0
/*
 * Lines of the log, each one write(2), so that those of threads and processes do
 * not mix. Words of peers and of backends are in them: whatever is not printable
 * UTF-8 is replaced before it is written, in text and in JSON alike. How many
 * there are is also for peers to say, by what they do wrong; so they are limited.
 * A child writes records, a line each, of which the supervisor makes lines of the log.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <vaccel/utils/str.h>

#include "agent/base/log.h"
#include "base/util.h"
#include "transport/transport.h"

#define MESSAGE_MAX 2048
#define LINE_MAX_   (2 * MESSAGE_MAX + 512) /* each byte may need a '\' before it */

static struct {
	struct log_setup setup;
	int fd;
	bool in_records; /* of a child, for log_record() */
} log_to = {.setup = {.level = VACCEL_LOG_INFO}, .fd = STDERR_FILENO};

/* Lines of this second, those that were left out among them. */
static struct {
	_Atomic int64_t second;
	_Atomic unsigned int lines;
} pace;

struct line {
	size_t used;
	char text[LINE_MAX_];
};

static const char *const level_names[] = {"", "error", "warning", "info", "debug"};

void log_open(const struct log_setup *setup, int fd)
{
	log_to.setup = *setup;
	log_to.fd = fd;
	log_to.in_records = false;
}

void log_open_child(const struct log_setup *setup)
{
	log_open(setup, LOG_FD);
	log_to.in_records = true;
}

static void add(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct line *line, const char *format, ...)
{
	size_t room = sizeof(line->text) - line->used;
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(line->text + line->used, room, format, args);
	va_end(args);
	if (length > 0)
		line->used += (size_t)length < room ? (size_t)length : room - 1;
}

/* A JSON string; @text is printable. */
static void add_quoted(struct line *line, const char *text)
{
	add(line, "\"");
	for (size_t length; *text; text += length) {
		length = strcspn(text, "\"\\");
		add(line, "%.*s", (int)length, text);
		if (text[length])
			add(line, "\\%c", text[length++]);
	}
	add(line, "\"");
}

static void add_time(struct line *line)
{
	struct timespec now;
	struct tm date;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &date);
	line->used += strftime(line->text + line->used, sizeof(line->text) - line->used,
			       "%Y-%m-%dT%H:%M:%S", &date);
	add(line, ".%03ldZ", now.tv_nsec / 1000000);
}

static void write_json(struct line *line, vaccel_log_level_t level, const struct about *about,
		       const char *message)
{
	add(line, "{\"time\":\"");
	add_time(line);
	add(line, "\",\"level\":\"%s\"", level_names[level]);
	if (about->tenant) {
		add(line, ",\"tenant\":");
		add_quoted(line, about->tenant);
	}
	if (about->session)
		add(line, ",\"session\":%" PRId64, about->session);
	if (about->request)
		add(line, ",\"request\":%" PRIu64, about->request);
	add(line, ",\"message\":");
	add_quoted(line, message);
	add(line, "}");
}

static void write_text(struct line *line, vaccel_log_level_t level, const struct about *about,
		       const char *message)
{
	add_time(line);
	add(line, " vaccel-agent %s: ", level_names[level]);
	if (about->tenant)
		add(line, "tenant %s: ", about->tenant);
	if (about->session)
		add(line, "session %" PRId64 ": ", about->session);
	if (about->request)
		add(line, "request %" PRIu64 ": ", about->request);
	add(line, "%s", message);
}

/* When it was and of which tenant it is, the supervisor knows better. */
static void write_record(struct line *line, vaccel_log_level_t level, const struct about *about,
			 const char *message)
{
	add(line, "%d %" PRId64 " %" PRIu64 " %s", (int)level, about->session, about->request,
	    message);
}

static void write_line(vaccel_log_level_t level, const struct about *about, const char *message)
{
	static const struct about nothing;
	struct line line;

	line.used = 0;
	if (log_to.in_records)
		write_record(&line, level, about ? about : &nothing, message);
	else
		(log_to.setup.format == LOG_JSON ? write_json : write_text)(
			&line, level, about ? about : &nothing, message);
	line.text[line.used++] = '\n';
	/* There is nowhere to report that the log cannot be written. */
	(void)!write(log_to.fd, line.text, line.used);
}

/* Errors are not a peer's to make, and who debugs wants to see all. */
static bool is_in_time(vaccel_log_level_t level)
{
	int64_t second = time_now() / SECOND;
	char words[64];
	unsigned int lines;

	if (level == VACCEL_LOG_ERROR || log_to.setup.level >= VACCEL_LOG_DEBUG)
		return true;
	if (atomic_exchange(&pace.second, second) != second) {
		lines = atomic_exchange(&pace.lines, 0);
		snprintf(words, sizeof(words), "%u lines were left out in a second",
			 lines - LOG_LINES_A_SECOND);
		if (lines > LOG_LINES_A_SECOND)
			write_line(VACCEL_LOG_WARN, NULL, words);
	}
	return atomic_fetch_add(&pace.lines, 1) < LOG_LINES_A_SECOND;
}

static bool is_wanted(vaccel_log_level_t level)
{
	return (int)level <= log_to.setup.level && (int)level >= VACCEL_LOG_ERROR &&
	       level < VACCEL_LOG_MAX;
}

void log_line(vaccel_log_level_t level, const struct about *about, const char *format, ...)
{
	char message[MESSAGE_MAX];
	va_list args;

	if (!is_wanted(level) || !is_in_time(level))
		return;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	vaccel_str_make_printable(message);
	write_line(level, about, message);
}

void log_of_child(vaccel_log_level_t level, const struct about *about, const char *words)
{
	char message[MESSAGE_MAX];

	if (!is_wanted(level))
		return;
	snprintf(message, sizeof(message), "%s", words);
	vaccel_str_make_printable(message);
	write_line(level, about, message);
}

void log_record(const char *tenant, const char *record)
{
	struct about about = {.tenant = tenant};
	long level;
	char *rest;

	level = strtol(record, &rest, 10);
	about.session = strtoll(rest, &rest, 10);
	about.request = strtoull(rest, &rest, 10);
	if (*rest == ' ' && level > 0 && level < VACCEL_LOG_MAX)
		log_of_child((vaccel_log_level_t)level, &about, rest + 1);
	else
		log_of_child(VACCEL_LOG_WARN, &(struct about){.tenant = tenant}, record);
}
