/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a link of the agent's whose bytes come by chains waits for them: who reads it walks the
 * rings itself meanwhile, if nobody else does, which saves going from one thread to another.
 */
#ifndef VACCEL_AGENT_VHOST_READER_H
#define VACCEL_AGENT_VHOST_READER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct vhost;

/* The rings of a machine's device, which one thread at a time walks instead of its own. */
struct helper {
	pthread_mutex_t helping;
	_Atomic(struct vhost *) vhost; /* goes under that; NULL: there is none yet, or any more */

	/* vhost_help() of vhost.h, and its descriptor. */
	void (*help)(struct vhost *vhost, int64_t until);
	int (*help_fd)(const struct vhost *vhost);
};

void helper_init(struct helper *helper, void (*help)(struct vhost *vhost, int64_t until),
		 int (*help_fd)(const struct vhost *vhost));
void helper_release(struct helper *helper);

/* By who walks the rings. */
void helper_set(struct helper *helper, struct vhost *vhost);

/* Nobody helps any more, and who did has returned. */
void helper_end(struct helper *helper);

/* Of a link. Its owner's lock is held for all of it, and given up while one waits. */
struct reader {
	pthread_mutex_t *lock;
	struct helper *helper;
	pthread_cond_t more;
	unsigned int waiting; /* for @more, whoever it is */
	bool reads;	      /* one of them is who reads */
	int helped;	      /* who reads walks the rings, and is woken by this; or -1 */
	int event;	      /* readable when there is something to read and nobody waits; or -1 */
	bool signaled;	      /* it is */
};

void reader_init(struct reader *reader, pthread_mutex_t *lock, struct helper *helper, int event);
void reader_release(struct reader *reader);

/* All who wait: there may be something. */
void reader_tell(struct reader *reader);

/* What the descriptor has told of has been read. */
void reader_be_quiet(struct reader *reader);

/* Until it is told, without helping; by who reads, or walks. False: the time is over. */
bool reader_wait(struct reader *reader, int64_t until);
bool reader_await(struct reader *reader, int64_t until);

#endif
