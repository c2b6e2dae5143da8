// SPDX-License-Identifier: Apache-2.0
/*
 * See starter.h. The thread has a table of descriptors of its own, into which a socket
 * brings those of a child. Between fork() and execve() only system calls are made.
 * What the child gets is moved above all its final numbers first, so that none is
 * overwritten on the way; every other descriptor is closed.
 */
#include "agent/supervisor/child/starter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "agent/base/passed.h"
#include "base/util.h"

#define PROGRAM			 "/proc/self/exe"
#define WORSE_FOR_LACK_OF_MEMORY "500"

static struct {
	int ours, theirs;     /* ends of the socket, in either table; -1: there is no thread */
	pthread_mutex_t lock; /* all below */
	pthread_cond_t changed;
	bool busy; /* nothing has come of it yet */
	const struct image *image;
	int error;
	pid_t pid;
} starter = {-1, -1, PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, NULL, 0, -1};

/* In the child */

/* By system calls of the C library that are safe in a child of any process. */
static bool place_descriptors(int fds[CHILD_FDS])
{
	for (int i = 0; i < CHILD_FDS; i++)
		if (fds[i] >= 0 && (fds[i] = fcntl(fds[i], F_DUPFD, CHILD_FDS)) < 0)
			return false;
	for (int i = 0; i < CHILD_FDS; i++)
		if (fds[i] < 0 ? close(i) && errno != EBADF : dup2(fds[i], i) < 0)
			return false;
	return !close_range(CHILD_FDS, ~0U, 0);
}

static void prefer_for_lack_of_memory(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)!write(fd, WORSE_FOR_LACK_OF_MEMORY, strlen(WORSE_FOR_LACK_OF_MEMORY));
	close(fd);
}

static _Noreturn void become(const struct image *image, int fds[CHILD_FDS], pid_t parent)
{
	sigset_t none;

	/* The supervisor may have gone before it could take us along. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
		_exit(127);
	prefer_for_lack_of_memory();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* A terminal's signals are for the supervisor; and the group ends with the child. It stays
	 * one session for the scheduler. */
	setpgid(0, 0);
	umask(077);
	if (chdir(image->directory) || !place_descriptors(fds))
		_exit(127);
	execve(PROGRAM, image->argv, image->envp);
	_exit(127);
}

/* In the thread */

/* What is asked for, and its descriptors by their numbers here. An errno. */
static int receive(const struct image **ret_image, int ret_fds[CHILD_FDS])
{
	char byte;
	struct iovec bytes = {&byte, sizeof(byte)};
	struct passed passed;

	while (passed_receive(starter.theirs, &bytes, 0, &passed) < 0)
		;
	SCOPED_LOCK(&starter.lock);
	*ret_image = starter.image;
	for (int i = 0; i < CHILD_FDS; i++)
		ret_fds[i] = starter.image->fds[i] < 0 ? -1 : passed_take(&passed);
	return passed.flags & MSG_CTRUNC ? EMFILE : 0;
}

static int start(const struct image *image, int fds[CHILD_FDS], pid_t *ret_pid)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid == 0)
		become(image, fds, parent);
	*ret_pid = pid;
	return pid < 0 ? errno : 0;
}

/* What is above the socket is not even copied to the new table. An errno. */
static int leave_all_else(void)
{
	unsigned int end = (unsigned int)starter.theirs;

	if (close_range(end + 1, ~0U, CLOSE_RANGE_UNSHARE) ||
	    (end > STDERR_FILENO + 1 && close_range(STDERR_FILENO + 1, end - 1, 0)))
		return errno;
	return 0;
}

static void tell(int error, pid_t pid)
{
	SCOPED_LOCK(&starter.lock);
	starter.error = error;
	starter.pid = pid;
	starter.busy = false;
	pthread_cond_signal(&starter.changed);
}

static void *start_all(void *context)
{
	int error = leave_all_else();
	const struct image *image;
	int fds[CHILD_FDS];
	pid_t pid = -1;
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	tell(error, pid);
	if (error)
		return NULL;
	for (;;) {
		error = receive(&image, fds);
		if (!error)
			error = start(image, fds, &pid);
		for (int i = 0; i < CHILD_FDS; i++)
			closep(&fds[i]);
		tell(error, pid);
	}
}

/* For the supervisor */

static int hear(pid_t *ret_pid)
{
	SCOPED_LOCK(&starter.lock);
	while (starter.busy)
		pthread_cond_wait(&starter.changed, &starter.lock);
	if (starter.error)
		return vaccel_fail(starter.error, "cannot start a process: %s",
				   strerror(starter.error));
	*ret_pid = starter.pid;
	return VACCEL_OK;
}

static void ask_for(const struct image *image)
{
	SCOPED_LOCK(&starter.lock);
	starter.image = image;
	starter.busy = true;
}

static int starter_new(void)
{
	pthread_t thread;
	pid_t none;
	int ends[2];
	int ret;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return vaccel_fail(errno, "cannot make a pair of sockets: %s", strerror(errno));
	starter.ours = ends[0];
	starter.theirs = ends[1];
	ask_for(NULL);
	ret = pthread_create(&thread, NULL, start_all, NULL);
	if (ret) {
		ret = vaccel_fail(ret, "cannot start a thread: %s", strerror(ret));
	} else {
		pthread_detach(thread);
		ret = hear(&none);
	}
	if (ret) {
		close(TAKE_FD(starter.ours));
		close(TAKE_FD(starter.theirs));
	}
	return ret;
}

_Static_assert(CHILD_FDS <= PASSED_SENT_MAX, "all go with one message");

static int send_descriptors(const struct image *image)
{
	char byte = 0;
	struct iovec bytes = {&byte, sizeof(byte)};
	int fds[CHILD_FDS];
	size_t nr = 0;

	for (int i = 0; i < CHILD_FDS; i++)
		if (image->fds[i] >= 0)
			fds[nr++] = image->fds[i];
	if (passed_send(starter.ours, &bytes, 1, MSG_NOSIGNAL, fds, nr) < 0)
		return vaccel_fail(errno, "cannot start a process: %s", strerror(errno));
	return VACCEL_OK;
}

int image_start(const struct image *image, pid_t *ret_pid)
{
	int ret = starter.ours < 0 ? starter_new() : VACCEL_OK;

	if (ret)
		return ret;
	ask_for(image);
	ret = send_descriptors(image);
	return ret ? ret : hear(ret_pid);
}
