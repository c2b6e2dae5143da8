// SPDX-License-Identifier: Apache-2.0
/* What a child is started with, how it is watched while it runs, and its end. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <vaccel/error.h>

#include "agent/base/closer.h"
#include "agent/base/environment.h"
#include "agent/base/log.h"
#include "agent/supervisor/child/child.h"
#include "agent/supervisor/child/starter.h"
#include "base/util.h"

#define LAST_WORDS 64	/* messages that are still heard of a child that has ended */
#define END_MS	   1000 /* for one that is killed to end */

static void leave(struct child *child, struct source *source)
{
	if (source->fd < 0)
		return;
	loop_remove(child->loop, source);
	close_own_elsewhere(TAKE_FD(source->fd));
}

void child_silence(struct child *child)
{
	leave(child, &child->ipc);
	child_kill(child);
}

/* What finds no room is not heard, either; who makes some has given a sign. */
static void ask_for_sign(struct child *child)
{
	child->unheard++;
	child->wanted = false;
	child_tell(child, IPC_ALIVE, -1);
	timer_set(child->loop, &child->pulse, CHILD_PULSE_MS);
}

static void pulse_expired(struct timer *timer)
{
	struct child *child = CONTAINER_OF(timer, struct child, pulse);
	struct about whom = {.tenant = child->output.name};

	if (!child->unheard && !child->wanted && !child->events->is_needed(child))
		return;
	if (child->unheard == CHILD_UNHEARD_MAX) {
		log_line(VACCEL_LOG_WARN, &whom,
			 "process %ld gave no sign of life for %d s, and is killed",
			 (long)child->pid, CHILD_PULSE_MS * CHILD_UNHEARD_MAX / 1000);
		child->frozen = true;
		child_kill(child);
		return;
	}
	ask_for_sign(child);
}

void child_watch(struct child *child)
{
	/* The sign that is awaited, or was heard, may be of before. */
	child->wanted = true;
	if (child->pulse.due || child->frozen)
		return;
	child->unheard = 0;
	ask_for_sign(child);
}

/* One thing that it says. False: nothing now, or never again. */
static bool hear(struct child *child)
{
	struct source *source = &child->ipc;
	_cleanup_(close_elsewherep) int fd = -1;
	struct ipc_message message;
	int ret = source->fd < 0 ? VACCEL_EAGAIN : ipc_receive(source->fd, false, &message, &fd);

	if (!ret)
		child->unheard = 0;
	if (!ret && message.kind != IPC_ALIVE)
		child->events->said(child, &message, &fd);
	/* Lest one that passes what nobody asks for brings more than can be closed. */
	if (!ret && fd >= 0)
		ret = VACCEL_EINVAL;
	if (!ret || ret == VACCEL_EAGAIN)
		return !ret;
	/* It has closed its end or says nonsense: it is of no more use, if it runs at all. */
	child_silence(child);
	return false;
}

/* False: it runs. Of one that somebody else has waited for no more is known than that. */
static bool has_ended(struct child *child, int *ret_status, struct rusage *ret_usage)
{
	siginfo_t ended = {};

	if (waitid(P_PID, (id_t)child->pid, &ended, WEXITED | WNOHANG | WNOWAIT))
		return errno == ECHILD;
	if (!ended.si_pid)
		return false;
	/* What it has started; as long as nobody has waited for it its number is nobody else's. */
	child_kill(child);
	return wait4(child->pid, ret_status, WNOHANG, ret_usage) == child->pid;
}

static void process_ready(struct source *source, uint32_t events)
{
	struct child *child = CONTAINER_OF(source, struct child, process);
	struct rusage usage = {};
	int status = 0;

	if (!has_ended(child, &status, &usage))
		return;
	child->pid = -1;
	timer_clear(child->loop, &child->pulse);
	/* Its last words may be why it ended. */
	for (int i = 0; i < LAST_WORDS && hear(child); i++)
		;
	output_close(&child->log);
	output_close(&child->output);
	child->events->ended(child, status, &usage);
}

static void ipc_ready(struct source *source, uint32_t events)
{
	struct child *child = CONTAINER_OF(source, struct child, ipc);

	if (!(events & EPOLLOUT)) {
		hear(child);
		return;
	}
	loop_change(child->loop, source, EPOLLIN);
	child->unheard = 0;
	child->events->writable(child);
}

static int start(struct child *child, const struct image *image)
{
	int ret = image_start(image, &child->pid);

	if (ret)
		return ret;
	child->process.fd = (int)syscall(SYS_pidfd_open, child->pid, 0);
	ret = loop_add(child->loop, &child->process, EPOLLIN);
	return ret ? ret : loop_add(child->loop, &child->ipc, EPOLLIN);
}

static void room_expired(struct timer *timer)
{
	struct child *child = CONTAINER_OF(timer, struct child, room);

	if (child->ipc.fd >= 0)
		loop_change(child->loop, &child->ipc, EPOLLIN | EPOLLOUT);
}

/* Nothing is open, and no process runs. */
static void child_init(struct child *child, struct loop *loop)
{
	child->loop = loop;
	child->pid = -1;
	child->process = (struct source){.fd = -1, .ready = process_ready};
	child->ipc = (struct source){.fd = -1, .ready = ipc_ready};
	child->log.source.fd = child->output.source.fd = -1;
	child->pulse.expired = pulse_expired;
	child->room.expired = room_expired;
	child->wanted = child->frozen = false;
}

int child_start(struct child *child, struct loop *loop, const char *role, const char *name,
		const char *directory, int stats)
{
	_cleanup_(freep) char *title = NULL;
	_cleanup_(freep) char **envp = environment_of_child(directory);
	_cleanup_(closep) int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	_cleanup_(closep) int theirs = -1;
	_cleanup_(closep) int log = -1;
	_cleanup_(closep) int output = -1;
	int ends[2];
	int ret;

	if (!envp)
		return VACCEL_ENOMEM;
	if (asprintf(&title, "vaccel-agent: %s", role) < 0)
		return vaccel_fail(VACCEL_ENOMEM, "no memory to start a process");
	if (nothing < 0)
		return vaccel_fail(errno, "cannot open /dev/null: %s", strerror(errno));
	child_init(child, loop);
	ret = ipc_pair(ends);
	if (ret)
		return ret;
	child->ipc.fd = ends[0];
	theirs = ends[1];
	ret = output_open(&child->log, loop, OUTPUT_OF_LOG, name, &log);
	if (!ret)
		ret = output_open(&child->output, loop, OUTPUT_OF_PROGRAM, name, &output);
	if (!ret)
		ret = start(child, &(struct image){
					   .argv = {title},
					   .envp = envp,
					   .directory = directory,
					   .fds = {nothing, output, output, theirs, stats, log},
				   });
	if (ret)
		child_release(child);
	return ret;
}

int child_tell(struct child *child, enum ipc_kind kind, int fd)
{
	struct ipc_message message = {.kind = kind};

	return child->ipc.fd < 0 ? VACCEL_EREMOTEIO : ipc_send(child->ipc.fd, &message, fd);
}

void child_want_room(struct child *child)
{
	/* Not at once: a socket may have room where too many descriptors are under way. */
	if (child->ipc.fd >= 0 && !child->room.due)
		timer_set(child->loop, &child->room, CHILD_ROOM_MS);
}

void child_kill(struct child *child)
{
	if (child->pid <= 0)
		return;
	kill(child->pid, SIGKILL);
	/* There is none yet if it has just been started. */
	kill(-child->pid, SIGKILL);
}

/* A file of somebody else's may keep even one that is killed from its end, in the kernel. */
static void bury(const struct child *child)
{
	poll(&(struct pollfd){child->process.fd, POLLIN, 0}, 1, END_MS);
	if (!waitpid(child->pid, NULL, WNOHANG))
		log_line(VACCEL_LOG_WARN, &(struct about){.tenant = child->output.name},
			 "process %ld takes no end, and is left behind", (long)child->pid);
}

void child_release(struct child *child)
{
	child_kill(child);
	if (child->pid > 0)
		bury(child);
	child->pid = -1;
	timer_clear(child->loop, &child->room);
	timer_clear(child->loop, &child->pulse);
	leave(child, &child->process);
	leave(child, &child->ipc);
	output_close(&child->log);
	output_close(&child->output);
}
