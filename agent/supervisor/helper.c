// SPDX-License-Identifier: Apache-2.0
/*
 * Front and monitor as processes: told what they must know, started anew when they
 * end, more slowly if that happens again and again.
 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <vaccel/error.h>

#include "agent/base/log.h"
#include "agent/supervisor/supervisor.h"
#include "base/util.h"

#define SLOWEST_MS 10000 /* between an end and the next start */

static void run(struct helper *helper);

static void start_later(struct helper *helper)
{
	struct supervisor *supervisor = helper->supervisor;
	unsigned int doublings = MIN_OF(helper->failures + 1, 10U);

	helper->failures++;
	if (!supervisor->stopping)
		timer_set(&supervisor->loop, &helper->restart, MIN_OF(50 << doublings, SLOWEST_MS));
}

static void restart_expired(struct timer *timer)
{
	run(CONTAINER_OF(timer, struct helper, restart));
}

static void helper_said(struct child *child, const struct ipc_message *message, int *fd)
{
	struct helper *helper = CONTAINER_OF(child, struct helper, child);

	if (message->kind == IPC_FAILED) {
		/* Once: there is nothing more to hear of it. */
		log_line(VACCEL_LOG_ERROR, NULL, "%s cannot start: %s", helper->role,
			 message->text);
		child_silence(child);
	} else if (message->kind == IPC_READY && !helper->ready) {
		helper->ready = true;
		helper->failures = 0;
		helper->changed(helper);
		supervisor_step(helper->supervisor);
	} else if (helper->said) {
		helper->said(helper, message, fd);
	}
}

static void helper_writable(struct child *child)
{
	struct helper *helper = CONTAINER_OF(child, struct helper, child);

	helper->changed(helper);
}

static void helper_ended(struct child *child, int status, const struct rusage *usage)
{
	struct helper *helper = CONTAINER_OF(child, struct helper, child);
	struct supervisor *supervisor = helper->supervisor;

	if (WIFSIGNALED(status))
		log_line(VACCEL_LOG_ERROR, NULL, "%s was ended by signal %d (%s)", helper->role,
			 WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (status || !supervisor->stopping)
		log_line(VACCEL_LOG_ERROR, NULL, "%s exited with status %d", helper->role,
			 WEXITSTATUS(status));
	child_release(child);
	helper->running = helper->ready = false;
	helper->changed(helper);
	start_later(helper);
	supervisor_step(supervisor);
}

static bool helper_is_needed(const struct child *child)
{
	return false;
}

static int send_setup(struct helper *helper)
{
	const struct supervisor *supervisor = helper->supervisor;
	struct worker_setup setup = {
		.directory = supervisor->directory.path,
		.log = supervisor->config->log,
	};
	_cleanup_(closep) int fd = -1;
	int ret = worker_setup_write(&setup, &fd);

	return ret ? ret : child_tell(&helper->child, IPC_SETUP, fd);
}

static void run(struct helper *helper)
{
	static const struct child_events events = {helper_said, helper_writable, helper_ended,
						   helper_is_needed};
	struct supervisor *supervisor = helper->supervisor;

	helper->child.events = &events;
	if (child_start(&helper->child, &supervisor->loop, helper->role, NULL,
			supervisor->directory.path, helper->tally ? helper->tally->fd : -1)) {
		log_line(VACCEL_LOG_ERROR, NULL, "no %s: %s", helper->role, vaccel_error_text());
		start_later(helper);
		return;
	}
	helper->running = true;
	/* If it cannot hear this it is about to end. */
	if (!send_setup(helper))
		helper->brief(helper);
}

void helper_start(struct helper *helper, struct supervisor *supervisor, const char *role)
{
	helper->supervisor = supervisor;
	helper->role = role;
	helper->restart.expired = restart_expired;
	run(helper);
}

int helper_tell(struct helper *helper, const struct ipc_message *message, int fd)
{
	if (!helper->running || helper->child.ipc.fd < 0)
		return VACCEL_EREMOTEIO;
	if (helper->ready)
		child_watch(&helper->child);
	return ipc_send(helper->child.ipc.fd, message, fd);
}

void helper_stop(struct helper *helper)
{
	if (!helper->role)
		return;
	timer_clear(&helper->supervisor->loop, &helper->restart);
	if (helper->running)
		child_release(&helper->child);
	helper->running = helper->ready = false;
	helper->role = NULL;
}
