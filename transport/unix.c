// SPDX-License-Identifier: Apache-2.0
/*
 * unix:///path: a socket file of this machine. Descriptors can be passed, and
 * the kernel says who is at the other end. The socket files of vsock-uds are made
 * here too.
 *
 * A new socket file gets its name when it is ready: it is made and listens under
 * another one first. So nobody finds one with the wrong mode or that refuses, and
 * what refuses under the right name is a stale one, of an agent that is gone.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "transport/carrier.h"

/* What follows the name of a socket file that is not ready yet: "~" and 4 digits. */
#define SUFFIX_SIZE 5

static int parse(const char *rest, struct address *address)
{
	if (!strncmp(rest, "//", 2))
		rest += 2;
	return parse_socket_path(rest, strlen(rest), address);
}

/* False: longer than the system allows the path of a socket file, less @spare. */
static bool name_of(const char *path, size_t spare, struct sockaddr_un *ret_name)
{
	if (strlen(path) >= sizeof(ret_name->sun_path) - spare)
		return false;
	memset(ret_name, 0, sizeof(*ret_name));
	ret_name->sun_family = AF_UNIX;
	strcpy(ret_name->sun_path, path);
	return true;
}

/* Of a socket file that is to be made. */
static int new_name_of(const char *path, struct sockaddr_un *ret_name)
{
	if (name_of(path, SUFFIX_SIZE, ret_name))
		return VACCEL_OK;
	return vaccel_fail(VACCEL_ENAMETOOLONG,
			   "the socket file '%.110s' has a longer path than the %zu bytes that "
			   "there is room for",
			   path, sizeof(ret_name->sun_path) - 1 - SUFFIX_SIZE);
}

int unix_check_path(const char *path)
{
	return new_name_of(path, &(struct sockaddr_un){});
}

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

void unix_refuse_passed(int fd)
{
	(void)setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &(int){0}, sizeof(int));
}

/*
 * A connect() here ends at once unless the listener's queue is full, and then waits as
 * a write would; poll() knows nothing of it.
 */
static int wait_as_until(int fd, int64_t until)
{
	int64_t left = until == FOREVER || !until ? 0 : until - time_now();
	struct timeval timeout = {
		.tv_sec = (time_t)(left / SECOND),
		.tv_usec = (suseconds_t)(left % SECOND / MICROSECOND),
	};

	if (until == FOREVER)
		return 0;
	if (left < MICROSECOND)
		return fcntl(fd, F_SETFL, O_NONBLOCK);
	return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
}

int unix_connect(const char *path, int64_t until, int *ret_fd)
{
	_cleanup_(making_closep) int fd = making_socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC);
	struct sockaddr_un name;
	int ret;

	if (!name_of(path, 0, &name))
		return ENAMETOOLONG;
	if (fd < 0)
		return errno;
	unix_refuse_passed(fd);
	do {
		if (wait_as_until(fd, until))
			return errno;
		ret = connect(fd, (struct sockaddr *)&name, sizeof(name));
	} while (ret && errno == EINTR);
	if (ret || fcntl(fd, F_SETFL, 0))
		return errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int connect_to(const struct address *address, int64_t until, int *ret_fd)
{
	int error = unix_connect(address->path, MIN_OF(until, time_now() + CONNECT_NS), ret_fd);

	if (error == EACCES)
		return vaccel_fail(VACCEL_EACCES,
				   "connecting to %s: this user may not; whoever may write to the "
				   "socket file and enter its directory may, by their groups and "
				   "modes",
				   address->text);
	return error ? connect_failed(address->text, error) : VACCEL_OK;
}

/*
 * The file has its mode from the first moment on. It is not given one by its name, which whoever
 * may write to the directory can give to something else. A mask is not heeded where the directory
 * has a default ACL, so the socket itself has the mode before.
 */
static int bind_with_mode(int fd, const struct sockaddr_un *name, mode_t mode)
{
	mode_t mask = umask(~mode & 0777);
	int ret = fchmod(fd, mode) || bind(fd, (const struct sockaddr *)name, sizeof(*name));
	int error = errno;

	umask(mask);
	errno = error;
	return ret;
}

/* A listening socket, of a name beside @path for now. */
static int listen_beside(const char *path, mode_t mode, struct sockaddr_un *ret_name, int *ret_fd)
{
	_cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un name;
	uint16_t digits;
	int ret = new_name_of(path, &name);

	if (ret)
		return ret;
	if (fd < 0 || getrandom(&digits, sizeof(digits), 0) < 0)
		return vaccel_fail(errno, "making a socket: %s", strerror(errno));
	snprintf(name.sun_path + strlen(path), SUFFIX_SIZE + 1, "~%04x", digits);
	if (bind_with_mode(fd, &name, mode))
		return vaccel_fail(
			errno,
			"making the socket file '%s': %s; take a directory that is there "
			"and that this user may write to",
			path, strerror(errno));
	if (listen(fd, SOMAXCONN)) {
		int error = errno;

		unlink(name.sun_path);
		return vaccel_fail(error, "listening at '%s': %s", path, strerror(error));
	}
	*ret_name = name;
	*ret_fd = TAKE_FD(fd);
	return VACCEL_OK;
}

/* VACCEL_OK for a socket file that nobody listens on; @path is its proper name, for words. */
static int check_stale(const char *file, const char *path)
{
	_cleanup_(closep) int fd = -1;
	struct stat status;
	int error;

	if (!lstat(file, &status) && !S_ISSOCK(status.st_mode))
		return vaccel_fail(VACCEL_EEXIST,
				   "'%s' is there and no socket; remove it or choose another path",
				   path);
	error = unix_connect(file, 0, &fd);
	if (error == ECONNREFUSED)
		return VACCEL_OK;
	if (!error || error == EAGAIN)
		return vaccel_fail(VACCEL_EBUSY,
				   "another agent listens at '%s'; stop it or choose another path",
				   path);
	return vaccel_fail(VACCEL_EBUSY, "the socket file '%s' is in the way: %s", path,
			   strerror(error));
}

/*
 * Gives the socket file @ready its name @path. Of two agents that find the same
 * stale file one wins: who has exchanged it for its own looks again at what it got.
 */
static int take_name(const char *ready, const char *path)
{
	int ret;

	if (!renameat2(AT_FDCWD, ready, AT_FDCWD, path, RENAME_NOREPLACE))
		return VACCEL_OK;
	if (errno != EEXIST)
		return vaccel_fail(errno, "making the socket file '%s': %s", path, strerror(errno));
	ret = check_stale(path, path);
	if (ret)
		return ret;
	if (renameat2(AT_FDCWD, ready, AT_FDCWD, path, RENAME_EXCHANGE))
		return vaccel_fail(errno, "replacing the socket file '%s': %s", path,
				   strerror(errno));
	ret = check_stale(ready, path);
	if (ret)
		renameat2(AT_FDCWD, ready, AT_FDCWD, path, RENAME_EXCHANGE);
	else
		unlink(ready);
	return ret;
}

int unix_listen(const char *path, mode_t mode, int *ret_fd)
{
	_cleanup_(closep) int fd = -1;
	struct sockaddr_un name;
	int ret = listen_beside(path, mode, &name, &fd);

	if (ret)
		return ret;
	ret = take_name(name.sun_path, path);
	if (ret) {
		unlink(name.sun_path);
		return ret;
	}
	*ret_fd = TAKE_FD(fd);
	return VACCEL_OK;
}

/* The kernel knows the socket by the name that it had before it was ready. */
int unix_set_mode(int listener, mode_t mode)
{
	struct sockaddr_un name = {};
	socklen_t size = sizeof(name) - 1;
	size_t length;

	if (getsockname(listener, (struct sockaddr *)&name, &size))
		return vaccel_fail(errno, "a listening socket has no name: %s", strerror(errno));
	length = strlen(name.sun_path);
	name.sun_path[length > SUFFIX_SIZE ? length - SUFFIX_SIZE : 0] = '\0';
	if (fchmodat(AT_FDCWD, name.sun_path, mode, AT_SYMLINK_NOFOLLOW))
		return vaccel_fail(errno, "changing the mode of '%s': %s", name.sun_path,
				   strerror(errno));
	return VACCEL_OK;
}

static int listen_at(const struct address *address, mode_t mode, int *ret_fd)
{
	return unix_listen(address->path, mode, ret_fd);
}

static void unlisten(const struct address *address)
{
	unlink(address->path);
}

int unix_accept(int listener, struct ucred *ret_who, int *ret_fd)
{
	_cleanup_(closep) int fd = -1;
	struct sockaddr_storage from;
	socklen_t size = sizeof(*ret_who);
	int ret = socket_accept(listener, &from, &fd);

	if (ret)
		return ret;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ret_who, &size))
		return vaccel_fail(errno, "who connects is unknown: %s", strerror(errno));
	*ret_fd = TAKE_FD(fd);
	return VACCEL_OK;
}

static int accept_from(const struct address *address, int listener, struct peer *ret_peer,
		       int *ret_fd)
{
	struct ucred who;
	int ret = unix_accept(listener, &who, ret_fd);

	if (ret)
		return ret;
	ret_peer->has_uid = true;
	ret_peer->uid = who.uid;
	ret_peer->pid = who.pid;
	snprintf(ret_peer->text, sizeof(ret_peer->text), "uid %ju, pid %jd", (uintmax_t)who.uid,
		 (intmax_t)who.pid);
	return VACCEL_OK;
}

int unix_accept_machine(const struct address *address, int listener, struct peer *ret_peer,
			int *ret_fd)
{
	struct ucred who;
	int ret = unix_accept(listener, &who, ret_fd);

	if (!ret)
		snprintf(ret_peer->text, sizeof(ret_peer->text), "machine of pid %jd",
			 (intmax_t)who.pid);
	return ret;
}

const struct carrier carrier_unix = {
	.scheme = "unix",
	.form = "unix:///PATH",
	.abilities = LINK_REGIONS,
	.parse = parse,
	.connect = connect_to,
	.listen = listen_at,
	.accept = accept_from,
	.unlisten = unlisten,
};
