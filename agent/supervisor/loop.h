/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor's one thread: descriptors that become ready, and times that
 * come. A loop without a time to wait for sleeps until a descriptor is ready.
 */
#ifndef VACCEL_AGENT_SUPERVISOR_LOOP_H
#define VACCEL_AGENT_SUPERVISOR_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

#define CONTAINER_OF(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

/* Lies in what it is about. It may be deleted in its own @ready, or any other. */
struct source {
	int fd;
	void (*ready)(struct source *source, uint32_t events);
};

struct timer {
	int64_t due; /* time_now(); 0: not set */
	void (*expired)(struct timer *timer);
	struct timer *next;
};

struct loop {
	int epoll;
	struct timer *timers;
	bool over;
};

int loop_open(struct loop *loop);
void loop_close(struct loop *loop);

/* Until @over. */
int loop_run(struct loop *loop);

/* Neither takes the descriptor over; one must be left out before it is closed. */
int loop_add(struct loop *loop, struct source *source, uint32_t events);
int loop_change(struct loop *loop, struct source *source, uint32_t events);
void loop_remove(struct loop *loop, struct source *source);

/* In so many milliseconds, once; set anew, only the new time counts. */
void timer_set(struct loop *loop, struct timer *timer, int64_t ms);
void timer_clear(struct loop *loop, struct timer *timer);

#endif
