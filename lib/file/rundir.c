// SPDX-License-Identifier: Apache-2.0
/*
 * The directory of this process's run-time files.
 *
 * Each process holds a lock (flock) on its own directory, which the kernel drops
 * when the process is gone, so a directory that can be locked is nobody's. Who
 * makes or sweeps holds the lock of the parent directory, so that nothing is
 * swept between being made and being locked. The parent belongs to this user and
 * is closed to others, which makes paths below it safe to use; it goes when it
 * is empty.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vaccel/error.h>
#include <vaccel/log.h>
#include <vaccel/plugin.h>
#include <vaccel/utils/path.h>

#include "base/knob.h"
#include "base/util.h"
#include "file/file.h"
#include "file/rundir.h"

#define RUN_PREFIX   "run-"
#define DIR_FLAGS    (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define DEPTH_MAX    64 /* each level holds a descriptor */
#define PARENT_TRIES 16

static struct {
	pthread_mutex_t lock;
	char *path; /* lock; NULL while there is none */
	int fd;	    /* lock; holds the flock */
} own = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1};

void rundir_before_fork(void)
{
	pthread_mutex_lock(&own.lock);
}

void rundir_after_fork(bool in_child)
{
	/* Closing the child's descriptor leaves the parent's lock in force. */
	if (in_child && own.fd >= 0)
		close(TAKE_FD(own.fd));
	if (in_child)
		free(TAKE(own.path));
	pthread_mutex_unlock(&own.lock);
}

static void remove_tree_at(int dir, const char *name, unsigned int depth)
{
	_cleanup_(closedirp) DIR *stream = NULL;
	struct dirent *entry;
	int fd;

	if (!unlinkat(dir, name, 0) || (errno != EISDIR && errno != EPERM) || depth == DEPTH_MAX)
		return;
	fd = openat(dir, name, DIR_FLAGS);
	if (fd < 0)
		return;
	stream = fdopendir(fd);
	if (!stream) {
		close(fd);
		return;
	}
	while ((entry = readdir(stream)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			remove_tree_at(fd, entry->d_name, depth + 1);
	if (unlinkat(dir, name, AT_REMOVEDIR))
		vaccel_warn("cannot remove run-time files in '%s': %s", name, strerror(errno));
}

/* Belongs to this user, and others cannot write there. */
static bool is_ours(const char *dir)
{
	struct stat st;

	return !stat(dir, &st) && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	       !(st.st_mode & 022);
}

static char *parent_path(void)
{
	const char *runtime = knob_text(KNOB_XDG_RUNTIME_DIR);
	const char *tmp = knob_text(KNOB_TMPDIR);

	if (runtime && runtime[0] == '/' && is_ours(runtime))
		return file_path("%s/vaccel", runtime);
	return file_path("%s/vaccel-%u", tmp && tmp[0] == '/' ? tmp : "/tmp",
			 (unsigned int)geteuid());
}

/* As is_ours(), of a directory of which nobody can make another one meanwhile. */
static bool is_ours_itself(const char *dir)
{
	struct stat st;

	return !lstat(dir, &st) && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	       !(st.st_mode & 022);
}

char *rundir_agent_socket(bool *ret_is_safe)
{
	_cleanup_(freep) char *parent = parent_path();
	bool is_safe = parent && is_ours_itself(parent);

	if (!parent || (!is_safe && !access(parent, F_OK)))
		return NULL;
	*ret_is_safe = is_safe;
	return file_path("%s/agent.sock", parent);
}

static int lock_file(int fd, int operation)
{
	int ret;

	do {
		ret = flock(fd, operation);
	} while (ret && errno == EINTR);
	return ret;
}

/*
 * Opens and locks the parent directory. Words are the caller's: ENOENT if it is
 * not there, EPERM if others own it or may look into it, or the errno.
 */
static int lock_parent(const char *path, int operation, int *ret_fd)
{
	_cleanup_(closep) int fd = open(path, DIR_FLAGS);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return errno;
	if (st.st_uid != geteuid() || (st.st_mode & 077))
		return VACCEL_EPERM;
	/* Whoever held the lock before may have removed the directory. */
	if (lock_file(fd, operation) || fstat(fd, &st))
		return errno;
	if (st.st_nlink == 0)
		return VACCEL_ENOENT;
	*ret_fd = TAKE_FD(fd);
	return VACCEL_OK;
}

static int make_parent(const char *path, int *ret_fd)
{
	int ret = VACCEL_ENOENT;

	for (int i = 0; ret == VACCEL_ENOENT && i < PARENT_TRIES; i++) {
		if (mkdir(path, 0700) && errno != EEXIST)
			return vaccel_fail(errno, "cannot make directory '%s': %s", path,
					   strerror(errno));
		ret = lock_parent(path, LOCK_EX, ret_fd);
	}
	if (ret == VACCEL_EPERM || ret == VACCEL_ENOTDIR || ret == VACCEL_ELOOP)
		return vaccel_fail(VACCEL_EPERM,
				   "'%s' is not a private directory of this user; remove it, or "
				   "set XDG_RUNTIME_DIR to one",
				   path);
	if (ret)
		return vaccel_fail(ret, "cannot use '%s' for run-time files: %s", path,
				   strerror(ret));
	return VACCEL_OK;
}

/* The parent is locked. */
static void sweep(int parent)
{
	_cleanup_(closedirp) DIR *stream = NULL;
	int fd = openat(parent, ".", DIR_FLAGS);
	struct dirent *entry;

	if (fd < 0)
		return;
	stream = fdopendir(fd);
	if (!stream) {
		close(fd);
		return;
	}
	while ((entry = readdir(stream))) {
		_cleanup_(closep) int left = -1;

		if (strncmp(entry->d_name, RUN_PREFIX, strlen(RUN_PREFIX)))
			continue;
		left = openat(parent, entry->d_name, DIR_FLAGS);
		if (left < 0 || lock_file(left, LOCK_EX | LOCK_NB))
			continue;
		vaccel_debug("removing '%s', left by a process that crashed", entry->d_name);
		remove_tree_at(parent, entry->d_name, 0);
	}
}

/*
 * Makes the directory; one that somebody removed under the name that it had,
 * which programs know. own.lock and the parent's are held.
 */
static int make_own(const char *parent)
{
	_cleanup_(freep) char *path =
		own.path ? file_path("%s", own.path)
			 : file_path("%s/" RUN_PREFIX "%ld-XXXXXX", parent, (long)getpid());
	_cleanup_(closep) int fd = -1;

	if (!path)
		return VACCEL_ENOMEM;
	if (own.path ? mkdir(path, 0700) : !mkdtemp(path))
		return vaccel_fail(errno, "cannot make a directory in '%s': %s", parent,
				   strerror(errno));
	fd = open(path, DIR_FLAGS);
	if (fd < 0 || lock_file(fd, LOCK_EX | LOCK_NB)) {
		int code = errno;

		rmdir(path);
		return vaccel_fail(code, "cannot lock '%s': %s", path, strerror(code));
	}
	closep(&own.fd);
	own.fd = TAKE_FD(fd);
	if (!own.path)
		own.path = TAKE(path);
	return VACCEL_OK;
}

/* What the directory lies in, or NULL after vaccel_fail(). own.lock is held. */
static char *own_parent(void)
{
	return file_path("%.*s", (int)(strrchr(own.path, '/') - own.path), own.path);
}

static int ensure_own(const char **ret_path)
{
	_cleanup_(freep) char *parent = NULL;
	_cleanup_(closep) int parent_fd = -1;
	int ret = VACCEL_OK;

	SCOPED_LOCK(&own.lock);
	if (!vaccel_path_is_dir(own.path)) {
		parent = own.path ? own_parent() : parent_path();
		if (!parent)
			return VACCEL_ENOMEM;
		ret = make_parent(parent, &parent_fd);
		if (ret)
			return ret;
		sweep(parent_fd);
		ret = make_own(parent);
	}
	if (!ret)
		*ret_path = own.path;
	return ret;
}

const char *rundir_path(void)
{
	const char *path;

	return ensure_own(&path) ? NULL : path;
}

int rundir_make(const char *name_prefix, char **ret_path)
{
	_cleanup_(freep) char *path = NULL;
	const char *dir;
	int ret = ensure_own(&dir);

	if (ret)
		return ret;
	path = file_path("%s/%s-XXXXXX", dir, name_prefix);
	if (!path)
		return VACCEL_ENOMEM;
	if (!mkdtemp(path))
		return vaccel_fail(errno, "cannot make a directory in '%s': %s", dir,
				   strerror(errno));
	*ret_path = TAKE(path);
	return VACCEL_OK;
}

void rundir_remove_tree(const char *path)
{
	SCOPED_LOCK(&own.lock);
	size_t len = own.path ? strlen(own.path) : 0;

	if (len && path && !strncmp(path, own.path, len) && path[len] == '/')
		remove_tree_at(own.fd, path + len + 1, 1);
}

void rundir_sweep(void)
{
	_cleanup_(freep) char *parent = parent_path();
	_cleanup_(closep) int fd = -1;

	/* If the lock is taken somebody sweeps already. */
	if (!parent || lock_parent(parent, LOCK_EX | LOCK_NB, &fd))
		return;
	sweep(fd);
	rmdir(parent);
}

void rundir_cleanup(void)
{
	_cleanup_(freep) char *parent = NULL;
	_cleanup_(closep) int parent_fd = -1;

	SCOPED_LOCK(&own.lock);
	if (!own.path)
		return;
	parent = TAKE(own.path);
	*strrchr(parent, '/') = '\0';
	if (!lock_parent(parent, LOCK_EX, &parent_fd)) {
		remove_tree_at(parent_fd, parent + strlen(parent) + 1, 0);
		rmdir(parent);
	}
	close(TAKE_FD(own.fd));
}
