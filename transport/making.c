// SPDX-License-Identifier: Apache-2.0
/*
 * Connections that are being made. Who makes one has it in no list of its own yet, and
 * waits for the other end without a lock; so the child of a fork would keep a copy of its
 * descriptor, and the agent its client. Descriptors are kept in mind here from before
 * connect() on, and a child closes them. No fork comes between opening or closing one and
 * noting that.
 *
 * Closing a socket may take as long as its other end likes, where that has passed descriptors
 * which are closed with it; so that is done without the lock, which every thread that makes a
 * link waits for, and a fork. Another file takes the socket's number meanwhile, so that the number
 * is noted for as long as anything has it, and nobody else gets it.
 */
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/util.h"
#include "transport/carrier.h"

/* What is beyond these is not kept in mind. The remote plugin makes one at a time per agent. */
#define MAKING_MAX 128

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int making[MAKING_MAX]; /* lock */
static size_t nr_making;       /* lock */

/* Whether this thread makes a link: others use the same functions, and keep what they get. */
static _Thread_local bool makes_link;

/* lock is held by all three */
static size_t place_of(int fd)
{
	size_t place = 0;

	while (place < nr_making && making[place] != fd)
		place++;
	return place;
}

static void note(int fd)
{
	if (fd >= 0 && place_of(fd) == nr_making && nr_making < MAKING_MAX)
		making[nr_making++] = fd;
}

static void forget(int fd)
{
	size_t place = place_of(fd);

	if (place < nr_making)
		making[place] = making[--nr_making];
}

void making_links(bool begins)
{
	makes_link = begins;
}

int making_socket(int family, int type)
{
	int fd;

	if (!makes_link)
		return socket(family, type, 0);
	SCOPED_LOCK(&lock);
	fd = socket(family, type, 0);
	note(fd);
	return fd;
}

void making_note(int fd)
{
	SCOPED_LOCK(&lock);

	note(fd);
}

void making_forget(int fd)
{
	SCOPED_LOCK(&lock);

	forget(fd);
}

/* What closes at once; -1 if there is no room for it. */
static int open_stand_in(void)
{
	SCOPED_LOCK(&lock);
	int fd = eventfd(0, EFD_CLOEXEC);

	note(fd);
	return fd;
}

static void close_stand_in(int fd)
{
	SCOPED_LOCK(&lock);

	forget(fd);
	close(fd);
}

void making_close(int fd)
{
	int stand_in = open_stand_in();

	if (stand_in >= 0 && dup3(stand_in, fd, O_CLOEXEC) == fd) {
		close_stand_in(fd);
	} else {
		/* A child may be left with a copy; the other end hears that it is over all the
		 * same. */
		shutdown(fd, SHUT_RDWR);
		making_forget(fd);
		close(fd);
	}
	if (stand_in >= 0)
		close_stand_in(stand_in);
}

void making_closep(const int *fd)
{
	if (*fd >= 0 && makes_link)
		making_close(*fd);
	else
		closep(fd);
}

void links_before_fork(void)
{
	pthread_mutex_lock(&lock);
}

void links_after_fork(bool in_child)
{
	while (in_child && nr_making)
		close(making[--nr_making]);
	pthread_mutex_unlock(&lock);
}
