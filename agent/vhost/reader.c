// SPDX-License-Identifier: Apache-2.0
/* See reader.h. */
#include "agent/vhost/reader.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "transport/transport.h"

static const uint64_t one_more = 1;

/* For whom this thread walks the rings. */
static __thread const struct reader *helping;

void helper_init(struct helper *helper, void (*help)(struct vhost *vhost, int64_t until),
		 int (*help_fd)(const struct vhost *vhost))
{
	pthread_mutex_init(&helper->helping, NULL);
	atomic_init(&helper->vhost, NULL);
	helper->help = help;
	helper->help_fd = help_fd;
}

void helper_release(struct helper *helper)
{
	pthread_mutex_destroy(&helper->helping);
}

void helper_set(struct helper *helper, struct vhost *vhost)
{
	if (atomic_load(&helper->vhost) != vhost)
		atomic_store(&helper->vhost, vhost);
}

void helper_end(struct helper *helper)
{
	pthread_mutex_lock(&helper->helping);
	atomic_store(&helper->vhost, NULL);
	pthread_mutex_unlock(&helper->helping);
}

void reader_init(struct reader *reader, pthread_mutex_t *lock, struct helper *helper, int event)
{
	*reader = (struct reader){.lock = lock, .helper = helper, .helped = -1, .event = event};
	pthread_cond_init(&reader->more, NULL);
}

void reader_release(struct reader *reader)
{
	pthread_cond_destroy(&reader->more);
}

void reader_tell(struct reader *reader)
{
	if (reader->waiting)
		pthread_cond_broadcast(&reader->more);
	if (reader == helping || reader->reads)
		return; /* looks itself */
	if (reader->helped >= 0) {
		(void)!write(reader->helped, &one_more, sizeof(one_more));
	} else if (!reader->signaled && reader->event >= 0) {
		reader->signaled = true;
		(void)!write(reader->event, &one_more, sizeof(one_more));
	}
}

void reader_be_quiet(struct reader *reader)
{
	uint64_t count;

	if (!reader->signaled)
		return;
	reader->signaled = false;
	(void)!read(reader->event, &count, sizeof(count));
}

bool reader_wait(struct reader *reader, int64_t until)
{
	const struct timespec end = timespec_of(until);
	int ret;

	if (!until || time_now() >= until)
		return false;
	reader->waiting++;
	ret = pthread_cond_clockwait(&reader->more, reader->lock, CLOCK_MONOTONIC, &end);
	reader->waiting--;
	return ret != ETIMEDOUT;
}

/* Walks the rings until something may have come. False: somebody else does. */
static bool help(struct reader *reader, int64_t until)
{
	struct helper *helper = reader->helper;
	struct vhost *vhost;

	if (pthread_mutex_trylock(&helper->helping))
		return false;
	vhost = atomic_load(&helper->vhost);
	if (vhost) {
		reader->helped = helper->help_fd(vhost);
		pthread_mutex_unlock(reader->lock);
		helping = reader;
		helper->help(vhost, until);
		helping = NULL;
		pthread_mutex_lock(reader->lock);
		reader->helped = -1;
	}
	pthread_mutex_unlock(&helper->helping);
	return vhost;
}

bool reader_await(struct reader *reader, int64_t until)
{
	bool ret;

	if (!until || time_now() >= until)
		return false;
	if (help(reader, until))
		return true;
	reader->reads = true;
	ret = reader_wait(reader, until);
	reader->reads = false;
	return ret;
}
