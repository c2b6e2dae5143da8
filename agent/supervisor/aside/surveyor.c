// SPDX-License-Identifier: Apache-2.0
/*
 * The thread goes from place to place by their rising numbers, and holds no lock while
 * it counts: a place may be dropped meanwhile. What it finds it says by an eventfd.
 */
#include "agent/supervisor/aside/surveyor.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "agent/base/tree.h"
#include "base/util.h"
#include "transport/transport.h"

struct place {
	struct place *next;
	uint64_t number;
	uint64_t most;
	bool exceeded;
	char *path;
};

struct surveyor {
	struct source source; /* the eventfd */
	struct loop *loop;
	void (*exceeded)(void *context);
	void *context;
	pthread_t thread;
	pthread_mutex_t lock; /* all below */
	pthread_cond_t changed;
	struct place *first, **last; /* by their numbers */
	uint64_t last_number;
	bool over;
};

static void place_delete(struct place *place)
{
	free(place->path);
	free(place);
}

/* The lock is held. */
static struct place *find(const struct surveyor *surveyor, uint64_t number)
{
	struct place *place = surveyor->first;

	while (place && place->number != number)
		place = place->next;
	return place;
}

/* The thread */

/* A copy of the place that comes after @number. False: there is none, or no memory for it. */
static bool copy_next(struct surveyor *surveyor, uint64_t number, struct place *ret_place)
{
	const struct place *place;

	SCOPED_LOCK(&surveyor->lock);
	for (place = surveyor->first; place && place->number <= number; place = place->next)
		;
	if (!place || surveyor->over)
		return false;
	*ret_place = *place;
	ret_place->path = strdup(place->path);
	return ret_place->path;
}

static void tell(struct surveyor *surveyor, uint64_t number)
{
	struct place *place;

	SCOPED_LOCK(&surveyor->lock);
	place = find(surveyor, number);
	if (place)
		place->exceeded = true;
	if (place)
		eventfd_write(surveyor->source.fd, 1);
}

static void go_round(struct surveyor *surveyor)
{
	struct place place = {0};

	while (copy_next(surveyor, place.number, &place)) {
		if (!place.exceeded && tree_exceeds(place.path, place.most))
			tell(surveyor, place.number);
		free(place.path);
	}
}

/* A sixteenth of a processor, as long as that is often enough, and never more than half of one. */
int64_t surveyor_pause(int64_t round)
{
	int64_t pause = MIN_OF(16 * round, 10 * SECOND);

	return MAX_OF(MAX_OF(pause, round), SECOND);
}

/* False: there will be no more rounds. */
static bool pause_after(struct surveyor *surveyor, int64_t round)
{
	int64_t until = time_now() + surveyor_pause(round);
	struct timespec due = timespec_of(until);

	SCOPED_LOCK(&surveyor->lock);
	while (!surveyor->over && (!surveyor->first || time_now() < until)) {
		if (surveyor->first)
			pthread_cond_timedwait(&surveyor->changed, &surveyor->lock, &due);
		else
			pthread_cond_wait(&surveyor->changed, &surveyor->lock);
	}
	return !surveyor->over;
}

static void *survey(void *context)
{
	struct surveyor *surveyor = context;
	int64_t round = 0;
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	while (pause_after(surveyor, round)) {
		round = time_now();
		go_round(surveyor);
		round = time_now() - round;
	}
	return NULL;
}

/* The others */

static void found(struct source *source, uint32_t events)
{
	struct surveyor *surveyor = CONTAINER_OF(source, struct surveyor, source);
	eventfd_t times;

	if (!eventfd_read(source->fd, &times))
		surveyor->exceeded(surveyor->context);
}

static void release(struct surveyor *surveyor)
{
	while (surveyor->first) {
		struct place *place = surveyor->first;

		surveyor->first = place->next;
		place_delete(place);
	}
	if (surveyor->source.fd >= 0) {
		loop_remove(surveyor->loop, &surveyor->source);
		close(surveyor->source.fd);
	}
	pthread_cond_destroy(&surveyor->changed);
	pthread_mutex_destroy(&surveyor->lock);
	free(surveyor);
}

static int start(struct surveyor *surveyor)
{
	int ret;

	surveyor->source.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (surveyor->source.fd < 0)
		return vaccel_fail(errno, "cannot make an eventfd: %s", strerror(errno));
	ret = loop_add(surveyor->loop, &surveyor->source, EPOLLIN);
	if (ret)
		return ret;
	ret = pthread_create(&surveyor->thread, NULL, survey, surveyor);
	return ret ? vaccel_fail(ret, "cannot start a thread: %s", strerror(ret)) : VACCEL_OK;
}

int surveyor_new(struct loop *loop, void (*exceeded)(void *context), void *context,
		 struct surveyor **ret_surveyor)
{
	struct surveyor *surveyor = calloc(1, sizeof(*surveyor));
	pthread_condattr_t attributes;
	int ret;

	if (!surveyor)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a thread");
	*surveyor = (struct surveyor){
		.source.ready = found,
		.loop = loop,
		.exceeded = exceeded,
		.context = context,
		.last = &surveyor->first,
	};
	pthread_mutex_init(&surveyor->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&surveyor->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	ret = start(surveyor);
	if (ret) {
		release(surveyor);
		return ret;
	}
	*ret_surveyor = surveyor;
	return VACCEL_OK;
}

void surveyor_delete(struct surveyor *surveyor)
{
	if (!surveyor)
		return;
	pthread_mutex_lock(&surveyor->lock);
	surveyor->over = true;
	pthread_cond_signal(&surveyor->changed);
	pthread_mutex_unlock(&surveyor->lock);
	pthread_join(surveyor->thread, NULL);
	release(surveyor);
}

int surveyor_add(struct surveyor *surveyor, const char *path, uint64_t most, uint64_t *ret_number)
{
	struct place *place = calloc(1, sizeof(*place));
	char *copy = strdup(path);

	if (!place || !copy) {
		free(place);
		free(copy);
		return vaccel_fail(VACCEL_ENOMEM, "no memory to watch a directory");
	}
	SCOPED_LOCK(&surveyor->lock);
	*place = (struct place){.number = ++surveyor->last_number, .most = most, .path = copy};
	*surveyor->last = place;
	surveyor->last = &place->next;
	pthread_cond_signal(&surveyor->changed);
	*ret_number = place->number;
	return VACCEL_OK;
}

void surveyor_drop(struct surveyor *surveyor, uint64_t number)
{
	struct place **at = &surveyor->first;
	struct place *place;

	SCOPED_LOCK(&surveyor->lock);
	while (*at && (*at)->number != number)
		at = &(*at)->next;
	place = *at;
	if (!place)
		return;
	*at = place->next;
	if (!*at)
		surveyor->last = at;
	place_delete(place);
}

bool surveyor_found(struct surveyor *surveyor, uint64_t number)
{
	const struct place *place;

	SCOPED_LOCK(&surveyor->lock);
	place = find(surveyor, number);
	return place && place->exceeded;
}
