/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A child process: this same program, started anew with an environment, a
 * directory and descriptors of its own. It is killed when the supervisor is gone.
 */
#ifndef VACCEL_AGENT_SUPERVISOR_CHILD_CHILD_H
#define VACCEL_AGENT_SUPERVISOR_CHILD_CHILD_H

#include <sys/resource.h>
#include <sys/types.h>

#include "agent/base/ipc.h"
#include "agent/supervisor/child/output.h"
#include "agent/supervisor/loop.h"

struct child;

/* What happens to a child. Only the last may delete it. */
struct child_events {
	/* @fd is taken by setting it to -1; who passes one that is not taken is killed. */
	void (*said)(struct child *child, const struct ipc_message *message, int *fd);
	void (*writable)(struct child *child); /* after child_want_room() */
	void (*ended)(struct child *child, int status, const struct rusage *usage);
	/* Whether somebody may be waiting for it. */
	bool (*is_needed)(const struct child *child);
};

struct child {
	struct loop *loop;
	const struct child_events *events;
	pid_t pid;
	struct source process; /* the pidfd */
	struct source ipc;
	struct output log;
	struct output output; /* standard output and error */
	struct timer room;    /* when to look whether there is some for messages */
	struct timer pulse;   /* when it is asked for a sign of life */
	unsigned int unheard; /* times that it was since the last one */
	bool wanted;	      /* one more, of later than the last that it was asked for */
	bool frozen;	      /* it was killed for want of one */
};

/* After so long without a sign of life, of those that somebody may be waiting for. */
#define CHILD_PULSE_MS	  2500
#define CHILD_UNHEARD_MAX 4

/* Between tries to say what found no room. */
#define CHILD_ROOM_MS 10

/*
 * @role is what ps shows after the program's name, "worker NAME". @stats: its STATS_FD, or -1.
 * @name: of whom the log says that lines come. The descriptors stay the caller's.
 */
int child_start(struct child *child, struct loop *loop, const char *role, const char *name,
		const char *directory, int stats);

/* What the child must be told next, or never: VACCEL_EAGAIN, VACCEL_EREMOTEIO. */
int child_tell(struct child *child, enum ipc_kind kind, int fd);

/*
 * Asks for a sign of life, until there was one and nobody needs the child; kills
 * one that gives none. It must be ready. For nothing while that goes on.
 */
void child_watch(struct child *child);

/* Has @writable called once, when there may be room for messages again. */
void child_want_room(struct child *child);

/* And what it has started. */
void child_kill(struct child *child);

/* Kills it, and hears nothing more of what it says. */
void child_silence(struct child *child);

/* After its end; before that the process is killed, and waited for, but not for ever. */
void child_release(struct child *child);

#endif
