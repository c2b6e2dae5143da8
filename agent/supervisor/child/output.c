// SPDX-License-Identifier: Apache-2.0
/*
 * Lines from a child's sockets: records of its log; of libvaccel's log, which are known by
 * their form; and whatever backends print. One that writes without end fills neither the
 * log nor its socket: all is read, and some lines a second are logged, as that tenant's.
 * Who reads a pipe waits for who writes to it, whose bytes may be in a page of FUSE that
 * never comes; so they are no pipes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "agent/base/closer.h"
#include "agent/base/log.h"
#include "agent/base/passed.h"
#include "agent/supervisor/child/output.h"
#include "base/util.h"

#define SECOND_MS 1000
#define READS_MAX 64 /* at once, so that others have their turn */

/* Of "session 5: …" the rest, and of which session it is. */
static const char *take_session(const char *words, int64_t *session)
{
	static const char form[] = "session ";
	long long id;
	char *end;

	if (strncmp(words, form, strlen(form)) != 0)
		return words;
	id = strtoll(words + strlen(form), &end, 10);
	if (id <= 0 || strncmp(end, ": ", 2) != 0)
		return words;
	*session = id;
	return end + 2;
}

/* Logs a line under its level if it is "2026-11-21T07:00:00.000Z vaccel warning: …". */
static bool log_of_library(const char *name, const char *line)
{
	struct about about = {.tenant = name};

	static const char *const levels[] = {"error: ", "warning: ", "info: ", "debug: "};
	static const char form[] = "0000-00-00T00:00:00.000Z vaccel ";
	size_t at = strlen(form);

	if (strlen(line) < at || line[10] != 'T' || memcmp(line + 23, form + 23, at - 23))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		size_t length = strlen(levels[i]);

		if (strncmp(line + at, levels[i], length) != 0)
			continue;
		line = take_session(line + at + length, &about.session);
		log_of_child((vaccel_log_level_t)(VACCEL_LOG_ERROR + i), &about, line);
		return true;
	}
	return false;
}

static void log_of_program(const char *name, const char *line)
{
	const struct about about = {.tenant = name};
	char words[sizeof("output: ") + LOG_RECORD_MAX];

	if (log_of_library(name, line))
		return;
	snprintf(words, sizeof(words), "output: %s", line);
	log_of_child(VACCEL_LOG_INFO, &about, words);
}

/* Says what was left out in it. */
static void end_second(struct output *output)
{
	const struct about about = {.tenant = output->name};
	char words[64];

	timer_clear(output->loop, &output->second);
	snprintf(words, sizeof(words), "%u more lines %s were left out in a second",
		 output->dropped, output->what == OUTPUT_OF_LOG ? "of its log" : "of output");
	if (output->dropped)
		log_of_child(VACCEL_LOG_WARN, &about, words);
	output->logged = output->dropped = 0;
}

static void second_expired(struct timer *timer)
{
	end_second(CONTAINER_OF(timer, struct output, second));
}

static void log_output(struct output *output, const char *line)
{
	if (!*line)
		return;
	if (!output->second.due)
		timer_set(output->loop, &output->second, SECOND_MS);
	if (output->logged == LOG_LINES_A_SECOND) {
		output->dropped++;
		return;
	}
	output->logged++;
	if (output->what == OUTPUT_OF_LOG)
		log_record(output->name, line);
	else
		log_of_program(output->name, line);
}

/* Logs whole lines, and what is too long to be one, or @all there is. */
static void take_lines(struct output *output, bool all)
{
	char *line = output->line;
	char *end;

	output->line[output->used] = '\0';
	while ((end = memchr(line, '\n', output->used))) {
		*end = '\0';
		log_output(output, line);
		output->used -= (size_t)(end + 1 - line);
		line = end + 1;
	}
	if (all || output->used == sizeof(output->line) - 1) {
		log_output(output, line);
		output->used = 0;
	}
	memmove(output->line, line, output->used);
}

/* False: there will be no more, or nobody wants it: of who brings more than can be closed. */
static bool take_some(struct output *output)
{
	for (int i = 0; i < READS_MAX; i++) {
		_cleanup_(passed_release) struct passed passed;
		struct iovec to = {
			.iov_base = output->line + output->used,
			.iov_len = sizeof(output->line) - 1 - output->used,
		};
		ssize_t got = passed_receive(output->source.fd, &to, MSG_DONTWAIT, &passed);

		if (got <= 0)
			return got < 0 && errno == EAGAIN;
		output->used += (size_t)got;
		take_lines(output, false);
		if (passed.nr)
			return false;
	}
	return true;
}

static void output_ready(struct source *source, uint32_t events)
{
	struct output *output = CONTAINER_OF(source, struct output, source);

	if (!take_some(output))
		output_close(output);
}

int output_open(struct output *output, struct loop *loop, enum output_of what, const char *name,
		int *ret_end)
{
	int ends[2];
	int ret;

	/* The child's end blocks, as programs expect of theirs. */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return vaccel_fail(errno, "cannot make a pair of sockets: %s", strerror(errno));
	*output = (struct output){
		.source = {.fd = ends[0], .ready = output_ready},
		.loop = loop,
		.what = what,
		.name = name,
		.second.expired = second_expired,
	};
	ret = loop_add(loop, &output->source, EPOLLIN);
	if (ret) {
		close(ends[0]);
		close(ends[1]);
		output->source.fd = -1;
		return ret;
	}
	*ret_end = ends[1];
	return VACCEL_OK;
}

void output_close(struct output *output)
{
	if (output->source.fd < 0)
		return;
	take_some(output);
	take_lines(output, true);
	end_second(output);
	loop_remove(output->loop, &output->source);
	close_own_elsewhere(TAKE_FD(output->source.fd));
}
