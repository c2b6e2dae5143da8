// SPDX-License-Identifier: Apache-2.0
/*
 * Lines from a child's pipe: of libvaccel's log, which are known by their form, and
 * whatever backends print. One that writes without end fills neither the log nor its pipe:
 * all is read, and some lines a second are logged.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "agent/base/log.h"
#include "agent/supervisor/output.h"
#include "base/util.h"
#include "transport/transport.h"

#define LINES_A_SECOND 50
#define NS_PER_S       INT64_C(1000000000)
#define READS_MAX      64 /* at once, so that others have their turn */

/* Logs a line under its level if it is "2026-11-21T07:00:00.000Z vaccel warning: …". */
static bool log_of_library(const struct about *about, const char *line, size_t length)
{
	static const char *const levels[] = {"error: ", "warning: ", "info: ", "debug: "};
	static const char form[] = "0000-00-00T00:00:00.000Z vaccel ";
	size_t at = strlen(form);

	if (length < at || line[10] != 'T' || memcmp(line + 23, form + 23, at - 23))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		size_t skip = at + strlen(levels[i]);

		if (length < skip || memcmp(line + at, levels[i], skip - at))
			continue;
		log_line((vaccel_log_level_t)(VACCEL_LOG_ERROR + i), about, "%.*s",
			 (int)(length - skip), line + skip);
		return true;
	}
	return false;
}

static void log_output(struct output *output, size_t length)
{
	struct about about = {.tenant = output->name};
	int64_t now = time_now();

	if (now - output->since >= NS_PER_S) {
		if (output->dropped)
			log_line(VACCEL_LOG_WARN, &about, "%u more lines of output in a second",
				 output->dropped);
		output->since = now;
		output->logged = output->dropped = 0;
	}
	if (!length)
		return;
	if (output->logged++ >= LINES_A_SECOND)
		output->dropped++;
	else if (!log_of_library(&about, output->line, length))
		log_line(VACCEL_LOG_INFO, &about, "output: %.*s", (int)length, output->line);
}

/* Logs whole lines, and what is too long to be one. */
static void take_lines(struct output *output)
{
	char *end;

	while ((end = memchr(output->line, '\n', output->used))) {
		size_t length = (size_t)(end - output->line);

		log_output(output, length);
		output->used -= length + 1;
		memmove(output->line, end + 1, output->used);
	}
	if (output->used == sizeof(output->line)) {
		log_output(output, output->used);
		output->used = 0;
	}
}

/* False: there will be no more. */
static bool take_some(struct output *output)
{
	for (int i = 0; i < READS_MAX; i++) {
		ssize_t got = read(output->source.fd, output->line + output->used,
				   sizeof(output->line) - output->used);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 && errno == EAGAIN;
		output->used += (size_t)got;
		take_lines(output);
	}
	return true;
}

static void output_ready(struct source *source, uint32_t events)
{
	struct output *output = CONTAINER_OF(source, struct output, source);

	if (!take_some(output))
		output_close(output);
}

int output_open(struct output *output, struct loop *loop, const char *name, int *ret_end)
{
	int ends[2];
	int ret;

	if (pipe2(ends, O_CLOEXEC))
		return vaccel_fail(errno, "cannot make a pipe: %s", strerror(errno));
	*output = (struct output){
		.source = {.fd = ends[0], .ready = output_ready}, .loop = loop, .name = name};
	/* The child's end blocks, as programs expect of theirs. */
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
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
	log_output(output, output->used);
	loop_remove(output->loop, &output->source);
	close(TAKE_FD(output->source.fd));
}
