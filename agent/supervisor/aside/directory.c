// SPDX-License-Identifier: Apache-2.0
/*
 * The agent's directory. Each agent holds a lock (flock) on its own, which goes with
 * the process: one that can be locked was left by an agent that was killed. Making
 * and sweeping hold the lock of the base, so that nothing is swept between being
 * made and being locked. Programs of the same user may keep their run-time files in
 * the same base, and remove it when it is empty.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <vaccel/error.h>
#include <vaccel/log.h>

#include "agent/base/log.h"
#include "agent/supervisor/aside/directory.h"
#include "base/util.h"

#define PREFIX	  "agent-"
#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define TRIES	  16

static char *text_of(const char *format, ...) __attribute__((format(printf, 1, 2)));

static char *text_of(const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0) {
		text = NULL;
		vaccel_fail(VACCEL_ENOMEM, "no memory for a path");
	}
	va_end(args);
	return text;
}

/* The base is locked, and what is swept until it is gone. */
static void sweep(const char *base, struct remover *remover)
{
	_cleanup_(closedirp) DIR *stream = opendir(base);
	struct dirent *entry;

	while (stream && (entry = readdir(stream))) {
		_cleanup_(closep) int left = -1;
		_cleanup_(freep) char *path = NULL;

		if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)))
			continue;
		left = openat(dirfd(stream), entry->d_name, DIR_FLAGS);
		if (left < 0 || flock(left, LOCK_EX | LOCK_NB))
			continue;
		path = text_of("%s/%s", base, entry->d_name);
		if (!path)
			return;
		log_line(VACCEL_LOG_INFO, NULL, "removing '%s', left by an agent that was killed",
			 path);
		remover_take(remover, TAKE(path), TAKE_FD(left));
	}
}

static int fail_owner(const char *base, uid_t owner)
{
	const struct passwd *user = getpwuid(owner);
	char who[LOGIN_NAME_MAX + 32];

	if (user)
		snprintf(who, sizeof(who), "%s, uid %u", user->pw_name, (unsigned int)owner);
	else
		snprintf(who, sizeof(who), "uid %u", (unsigned int)owner);
	return vaccel_fail(VACCEL_EPERM,
			   "directory '%s' belongs to %s; start the agent as that user, or name "
			   "another with --runtime-dir",
			   base, who);
}

/* What others could write to is no place for a private directory's name. */
static int lock_base(const char *base, int *ret_fd)
{
	_cleanup_(closep) int fd = -1;
	struct stat st;

	/* Only we, or all of the group and others too, may look into it; who is in is ours. */
	if (mkdir(base, geteuid() == 0 ? 0755 : 0700) && errno != EEXIST)
		return vaccel_fail(errno,
				   "cannot make directory '%s': %s; name another with "
				   "--runtime-dir",
				   base, strerror(errno));
	fd = open(base, DIR_FLAGS);
	if (fd < 0 && errno == ENOENT)
		return VACCEL_EAGAIN;
	if (fd < 0 || fstat(fd, &st))
		return vaccel_fail(errno,
				   "cannot use directory '%s': %s; name another with "
				   "--runtime-dir",
				   base, strerror(errno));
	if (st.st_uid != geteuid())
		return fail_owner(base, st.st_uid);
	if (st.st_mode & 022)
		return vaccel_fail(VACCEL_EPERM,
				   "directory '%s' can be written to by others; name "
				   "another with --runtime-dir",
				   base);
	if (flock(fd, LOCK_EX) || fstat(fd, &st) || !st.st_nlink)
		return VACCEL_EAGAIN;
	*ret_fd = TAKE_FD(fd);
	return VACCEL_OK;
}

static void remover_deletep(struct remover **remover)
{
	remover_delete(*remover);
}

int directory_open(const char *base, struct directory *ret_directory)
{
	_cleanup_(freep) char *copy = text_of("%s", base);
	_cleanup_(freep) char *path = text_of("%s/" PREFIX "%ld-XXXXXX", base, (long)getpid());
	_cleanup_(closep) int base_lock = -1;
	_cleanup_(closep) int lock = -1;
	_cleanup_(remover_deletep) struct remover *remover = NULL;
	int ret = VACCEL_EAGAIN;

	if (!copy || !path)
		return VACCEL_ENOMEM;
	for (int i = 0; ret == VACCEL_EAGAIN && i < TRIES; i++)
		ret = lock_base(base, &base_lock);
	if (!ret)
		ret = remover_new(&remover);
	if (ret)
		return ret;
	sweep(base, remover);
	if (!mkdtemp(path))
		return vaccel_fail(errno, "cannot make a directory in '%s': %s", base,
				   strerror(errno));
	lock = open(path, DIR_FLAGS);
	if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB)) {
		int code = errno;

		rmdir(path);
		return vaccel_fail(code, "cannot lock directory '%s': %s", path, strerror(code));
	}
	*ret_directory = (struct directory){
		.base = TAKE(copy),
		.path = TAKE(path),
		.lock = TAKE_FD(lock),
		.remover = TAKE(remover),
	};
	return VACCEL_OK;
}

void directory_close(struct directory *directory)
{
	if (!directory->path)
		return;
	remover_take(directory->remover, TAKE(directory->path), TAKE_FD(directory->lock));
	remover_delete(TAKE(directory->remover));
	rmdir(directory->base);
	free(TAKE(directory->base));
}

/* Other workers can ask whether a file is there, if they know its name. */
static int secret_name(const struct directory *directory, const char *tenant, char **ret_path)
{
	uint64_t secret;
	char *path;

	if (getrandom(&secret, sizeof(secret), 0) != sizeof(secret))
		return vaccel_fail(errno, "no random numbers: %s", strerror(errno));
	path = text_of("%s/%s.%016" PRIx64, directory->path, tenant, secret);
	if (!path)
		return VACCEL_ENOMEM;
	*ret_path = path;
	return VACCEL_OK;
}

int directory_new(struct directory *directory, const char *tenant, char **ret_path)
{
	_cleanup_(freep) char *path = NULL;
	int ret = secret_name(directory, tenant, &path);

	if (ret)
		return ret;
	if (mkdir(path, 0700))
		return vaccel_fail(errno, "cannot make directory '%s': %s", path, strerror(errno));
	*ret_path = TAKE(path);
	return VACCEL_OK;
}

/* By another name first, no tenant's: what still writes to it does not find it again. */
void directory_remove(struct directory *directory, char *path)
{
	_cleanup_(freep) char *waste = NULL;

	if (path && !secret_name(directory, "", &waste) && !rename(path, waste))
		remover_take(directory->remover, TAKE(waste), -1);
	free(path);
}
