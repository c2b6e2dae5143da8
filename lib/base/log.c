// SPDX-License-Identifier: Apache-2.0
/*
 * The log: whole lines, each one write(2), so that lines of threads and
 * processes that share a file do not mix. Names from elsewhere are in them, so
 * only what is printable goes out.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <vaccel/error.h>
#include <vaccel/log.h>
#include <vaccel/utils/str.h>

#include "base/log.h"
#include "base/util.h"

#define LINE_MAX_BYTES 2048

VACCEL_ENUM_NAMES_DEFINE(vaccel_log_level, VACCEL_LOG, VACCEL_LOG_LEVEL_LIST)

int vaccel_log_threshold = VACCEL_LOG_ERROR;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* path, and opening and closing */
static char *path;
static atomic_int log_fd = STDERR_FILENO;
static int kept = -1;	      /* lock; the number of log files */
static struct stat kept_file; /* lock; where it leads */

/* A program may have closed what it did not open, and have got the number for a file of its own. */
static bool is_ours(void)
{
	struct stat found;

	return kept >= 0 && !fstat(kept, &found) && found.st_dev == kept_file.st_dev &&
	       found.st_ino == kept_file.st_ino;
}

/*
 * A file's number is never given up: a thread that has read it may still write to it, and
 * must not find what somebody else has opened since. It leads elsewhere in one step.
 */
static void switch_to(int fd)
{
	if (is_ours())
		dup3(fd, kept, O_CLOEXEC);
	else
		kept = fd == STDERR_FILENO ? -1 : fd;
	if (kept >= 0)
		fstat(kept, &kept_file);
	atomic_store(&log_fd, fd == STDERR_FILENO ? fd : kept);
	if (fd != STDERR_FILENO && fd != kept)
		close(fd);
}

static int open_log(void)
{
	int fd;

	if (!path) {
		switch_to(STDERR_FILENO);
		return VACCEL_OK;
	}
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0) {
		int code = errno;

		switch_to(STDERR_FILENO);
		return vaccel_fail(code,
				   "cannot open the log file '%s': %s; set VACCEL_LOG_FILE to "
				   "one that can be written",
				   path, strerror(code));
	}
	switch_to(fd);
	return VACCEL_OK;
}

int log_configure(vaccel_log_level_t level, const char *file)
{
	SCOPED_LOCK(&lock);
	char *copy = file && *file ? strdup(file) : NULL;

	free(path);
	path = copy;
	__atomic_store_n(&vaccel_log_threshold, (int)level, __ATOMIC_RELAXED);
	return open_log();
}

int vaccel_log_init(void)
{
	SCOPED_LOCK(&lock);
	return open_log();
}

int vaccel_log_shutdown(void)
{
	SCOPED_LOCK(&lock);
	switch_to(STDERR_FILENO);
	return VACCEL_OK;
}

void log_after_fork(void)
{
	if (unlock_in_child(&lock))
		path = NULL;
}

void vaccel_log_line(vaccel_log_level_t level, const char *format, ...)
{
	static const char *const words[] = {"", "error", "warning", "info", "debug"};
	char line[LINE_MAX_BYTES];
	struct timespec now;
	struct tm date;
	size_t used;
	va_list args;

	if ((int)level < VACCEL_LOG_ERROR || level >= VACCEL_LOG_MAX)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &date);
	used = strftime(line, sizeof(line), "%Y-%m-%dT%H:%M:%S", &date);
	used += (size_t)snprintf(line + used, sizeof(line) - used,
				 ".%03ldZ vaccel %s: ", now.tv_nsec / 1000000, words[level]);
	va_start(args, format);
	vsnprintf(line + used, sizeof(line) - used - 1, format, args);
	va_end(args);
	vaccel_str_make_printable(line + used);
	used = strlen(line);
	line[used++] = '\n';
	/* There is nowhere to report that the log cannot be written. */
	(void)!write(atomic_load(&log_fd), line, used);
}
