// SPDX-License-Identifier: Apache-2.0
/*
 * Front and monitor as processes: told what they must know, started anew when they
 * end, more slowly if that happens again and again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <vaccel/error.h>

#include "agent/base/log.h"
#include "agent/supervisor/supervisor.h"
#include "base/util.h"

#define SLOWEST_MS 10000 /* between an end and the next start */

#define ERRANDS_MAX 8192 /* more than a monitor must be told of as it begins */

struct errand {
	struct errand *next;
	struct ipc_message message;
	int fd;
};

static void run(struct helper *helper);

static void drop_first(struct helper *helper)
{
	struct errand *errand = helper->errands;

	helper->errands = errand->next;
	if (!helper->errands)
		helper->errands_end = &helper->errands;
	helper->nr_errands--;
	closep(&errand->fd);
	free(errand);
}

static int remember(struct helper *helper, const struct ipc_message *message, int fd)
{
	struct errand *errand = helper->nr_errands < ERRANDS_MAX ? malloc(sizeof(*errand)) : NULL;

	if (!errand)
		return vaccel_fail(VACCEL_ENOMEM, "%s does not listen", helper->role);
	*errand = (struct errand){.message = *message, .fd = -1};
	if (fd >= 0)
		errand->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (fd >= 0 && errand->fd < 0) {
		free(errand);
		return vaccel_fail(errno, "no descriptor for what %s must know", helper->role);
	}
	*helper->errands_end = errand;
	helper->errands_end = &errand->next;
	helper->nr_errands++;
	child_want_room(&helper->child);
	return VACCEL_OK;
}

static void forget_errands(struct helper *helper)
{
	while (helper->errands)
		drop_first(helper);
}

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

	int ret = VACCEL_OK;

	while (helper->errands &&
	       !(ret = ipc_send(child->ipc.fd, &helper->errands->message, helper->errands->fd)))
		drop_first(helper);
	if (ret == VACCEL_EAGAIN)
		child_want_room(child);
	else
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
	forget_errands(helper);
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
	helper->errands_end = &helper->errands;
	run(helper);
}

int helper_offer(struct helper *helper, const struct ipc_message *message, int fd)
{
	if (!helper->running || helper->child.ipc.fd < 0)
		return VACCEL_EREMOTEIO;
	/* What it must know comes first. */
	if (helper->errands)
		return VACCEL_EAGAIN;
	if (helper->ready)
		child_watch(&helper->child);
	return ipc_send(helper->child.ipc.fd, message, fd);
}

int helper_tell(struct helper *helper, const struct ipc_message *message, int fd)
{
	int ret = helper_offer(helper, message, fd);

	return ret == VACCEL_EAGAIN ? remember(helper, message, fd) : ret;
}

void helper_stop(struct helper *helper)
{
	if (!helper->role)
		return;
	timer_clear(&helper->supervisor->loop, &helper->restart);
	if (helper->running)
		child_release(&helper->child);
	forget_errands(helper);
	helper->running = helper->ready = false;
	helper->role = NULL;
}
