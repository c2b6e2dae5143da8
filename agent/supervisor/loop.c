// SPDX-License-Identifier: Apache-2.0
/*
 * The loop takes one event at a time from epoll, so that whatever an event
 * deletes has no event of its own waiting in a list. Timers are few, some for each
 * tenant, and are looked through.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "agent/supervisor/loop.h"
#include "base/util.h"
#include "transport/transport.h"

int loop_open(struct loop *loop)
{
	*loop = (struct loop){.epoll = epoll_create1(EPOLL_CLOEXEC)};
	if (loop->epoll < 0)
		return vaccel_fail(errno, "cannot wait for events: %s", strerror(errno));
	return VACCEL_OK;
}

void loop_close(struct loop *loop)
{
	closep(&loop->epoll);
	loop->epoll = -1;
}

static int control(struct loop *loop, int operation, struct source *source, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = source};

	if (epoll_ctl(loop->epoll, operation, source->fd, &event))
		return vaccel_fail(errno, "cannot wait for a descriptor: %s", strerror(errno));
	return VACCEL_OK;
}

int loop_add(struct loop *loop, struct source *source, uint32_t events)
{
	return control(loop, EPOLL_CTL_ADD, source, events);
}

int loop_change(struct loop *loop, struct source *source, uint32_t events)
{
	return control(loop, EPOLL_CTL_MOD, source, events);
}

void loop_remove(struct loop *loop, struct source *source)
{
	epoll_ctl(loop->epoll, EPOLL_CTL_DEL, source->fd, NULL);
}

void timer_set(struct loop *loop, struct timer *timer, int64_t ms)
{
	timer_clear(loop, timer);
	timer->due = time_now() + ms * MILLISECOND;
	timer->next = loop->timers;
	loop->timers = timer;
}

void timer_clear(struct loop *loop, struct timer *timer)
{
	struct timer **at = &loop->timers;

	while (*at && *at != timer)
		at = &(*at)->next;
	if (*at)
		*at = timer->next;
	timer->due = 0;
}

static struct timer *earliest(const struct loop *loop)
{
	struct timer *first = loop->timers;

	for (struct timer *timer = first; timer; timer = timer->next)
		if (timer->due < first->due)
			first = timer;
	return first;
}

/* Runs one timer that is due, or says for how many milliseconds none will be; -1: none is set. */
static int run_timers(struct loop *loop)
{
	struct timer *timer = earliest(loop);
	int64_t left = timer ? timer->due - time_now() : 0;

	if (!timer)
		return -1;
	if (left > 0)
		return (int)MIN_OF((left + MILLISECOND - 1) / MILLISECOND, INT32_MAX);
	timer_clear(loop, timer);
	timer->expired(timer);
	return 0;
}

int loop_run(struct loop *loop)
{
	while (!loop->over) {
		int wait = run_timers(loop);
		struct epoll_event event;
		struct source *source;
		int count;

		if (loop->over)
			break;
		count = epoll_wait(loop->epoll, &event, 1, wait);
		if (count < 0 && errno != EINTR)
			return vaccel_fail(errno, "cannot wait for events: %s", strerror(errno));
		source = event.data.ptr;
		if (count > 0)
			source->ready(source, event.events);
	}
	return VACCEL_OK;
}
