// SPDX-License-Identifier: Apache-2.0
/*
 * The agent from its start to its end: what is opened in which order, signals,
 * a new configuration, and the shutdown that answers what is under way.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "agent/base/closer.h"
#include "agent/base/log.h"
#include "agent/supervisor/check.h"
#include "agent/supervisor/listener.h"
#include "agent/supervisor/notify.h"
#include "agent/supervisor/observe.h"
#include "agent/supervisor/relay.h"
#include "agent/supervisor/supervisor.h"
#include "agent/supervisor/tenant/tenant.h"
#include "agent/vhost/machine.h"
#include "base/util.h"

#define DESCRIPTORS_WANTED 1048576

/* Each connection is a descriptor, here for a moment, in a worker for as long as it lives. */
static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	/* Whoever may raise the hard limit does; what is there is used to the full. */
	if (limit.rlim_max < DESCRIPTORS_WANTED &&
	    !setrlimit(RLIMIT_NOFILE, &(struct rlimit){DESCRIPTORS_WANTED, DESCRIPTORS_WANTED}))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void patience_expired(struct timer *timer)
{
	CONTAINER_OF(timer, struct supervisor, patience)->loop.over = true;
}

static void begin_to_stop(struct supervisor *supervisor)
{
	notify("STOPPING=1\nSTATUS=answering what is under way");
	log_line(VACCEL_LOG_INFO, NULL, "ending; calls that run are answered first");
	supervisor->stopping = true;
	observe_serving(supervisor, false);
	listeners_close(supervisor);
	machines_close(supervisor);
	tenants_drain(supervisor);
	relay_drain(supervisor);
	/* Somewhat longer than workers have, so that they are seen to end. */
	timer_set(&supervisor->loop, &supervisor->patience,
		  (int64_t)supervisor->config->drain_ms + 1000);
	supervisor_step(supervisor);
}

static void serve(struct supervisor *supervisor)
{
	listeners_begin(supervisor);
	notify("READY=1\nSTATUS=serving");
}

void supervisor_step(struct supervisor *supervisor)
{
	if (supervisor->stopping) {
		/* The front ends when it has passed on what the workers said last. */
		if (!tenants_have_workers(supervisor) && !supervisor->front.running)
			supervisor->loop.over = true;
		return;
	}
	if (supervisor->ready || !relay_is_ready(supervisor))
		return;
	supervisor->ready = true;
	observe_serving(supervisor, true);
	serve(supervisor);
	log_line(VACCEL_LOG_INFO, NULL, "ready");
}

/* All of it or nothing. */
static int apply(struct supervisor *supervisor, struct config *config)
{
	struct windows windows;
	int ret = observe_prepare(supervisor, config, &windows);

	if (ret)
		return ret;
	ret = listeners_apply(supervisor, config);
	if (ret) {
		observe_abandon(&windows);
		return ret;
	}
	config_unref(supervisor->config);
	supervisor->config = config_ref(config);
	log_open(&config->log, STDERR_FILENO);
	check_ahead(config);
	observe_commit(supervisor, &windows);
	observe_listeners(supervisor);
	relay_apply(supervisor);
	tenants_reload(supervisor);
	machines_reload(supervisor);
	return VACCEL_OK;
}

static int read_anew(struct supervisor *supervisor)
{
	struct config *config = NULL;
	int ret = config_load(supervisor->file, &config);

	if (!ret)
		ret = apply(supervisor, config);
	config_unref(config);
	return ret;
}

/* Until it is ready systemd hears nothing of this. */
static void reload(struct supervisor *supervisor)
{
	if (!supervisor->file) {
		log_line(VACCEL_LOG_WARN, NULL,
			 "there is no configuration file to read again; start with --config");
		return;
	}
	if (supervisor->ready)
		notify_reloading();
	if (read_anew(supervisor)) {
		log_line(VACCEL_LOG_ERROR, NULL, "the configuration stays as it was: %s",
			 vaccel_error_text());
		if (supervisor->ready)
			notify("READY=1\nSTATUS=%s", vaccel_error_text());
		return;
	}
	log_line(VACCEL_LOG_INFO, NULL, "the configuration is in force");
	if (activation_check(supervisor->listeners))
		log_line(VACCEL_LOG_WARN, NULL, "%s", vaccel_error_text());
	if (supervisor->ready)
		serve(supervisor);
	else
		supervisor_step(supervisor);
}

static void signal_ready(struct source *source, uint32_t events)
{
	struct supervisor *supervisor = CONTAINER_OF(source, struct supervisor, signals);
	struct signalfd_siginfo info;

	if (read(source->fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGHUP && !supervisor->stopping)
		reload(supervisor);
	else if (info.ssi_signo == SIGHUP)
		return;
	else if (supervisor->stopping)
		supervisor->loop.over = true; /* asked twice: now */
	else
		begin_to_stop(supervisor);
}

static int watch_signals(struct supervisor *supervisor)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	/* A log that nobody reads any more is no reason to end, for children either. */
	signal(SIGPIPE, SIG_IGN);
	/* Who started the agent may have ignored it: then nobody learns how a child ended. */
	signal(SIGCHLD, SIG_DFL);
	supervisor->signals.ready = signal_ready;
	supervisor->signals.fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (supervisor->signals.fd < 0)
		return vaccel_fail(errno, "cannot wait for signals: %s", strerror(errno));
	return loop_add(&supervisor->loop, &supervisor->signals, EPOLLIN);
}

static int start(struct supervisor *supervisor, struct config *config, const char *base)
{
	int ret = loop_open(&supervisor->loop);

	if (!ret)
		ret = watch_signals(supervisor);
	if (!ret)
		ret = closer_start();
	if (!ret)
		ret = directory_open(base, &supervisor->directory);
	if (!ret)
		ret = surveyor_new(&supervisor->loop, tenants_look_at_directories, supervisor,
				   &supervisor->surveyor);
	if (!ret)
		ret = tally_new(&supervisor->nobody);
	if (!ret)
		ret = apply(supervisor, config);
	return ret ? ret : activation_check(supervisor->listeners);
}

int supervisor_run(struct config *config, const char *file, const char *base)
{
	struct supervisor supervisor = {
		.config = config_ref(config),
		.file = file,
		.loop.epoll = -1,
		.signals.fd = -1,
		.admin.fd = -1,
		.metrics.fd = -1,
		.nobody.fd = -1,
		.patience.expired = patience_expired,
	};
	int ret;

	log_open(&config->log, STDERR_FILENO);
	raise_descriptors();
	pace_init(&supervisor.pace);
	ret = start(&supervisor, config, base);
	if (!ret) {
		supervisor_step(&supervisor);
		ret = loop_run(&supervisor.loop);
	}
	listeners_close(&supervisor);
	machines_close(&supervisor);
	tenants_delete(&supervisor);
	helper_stop(&supervisor.front);
	observe_close(&supervisor);
	tally_release(&supervisor.nobody);
	surveyor_delete(supervisor.surveyor);
	directory_close(&supervisor.directory);
	closep(&supervisor.signals.fd);
	loop_close(&supervisor.loop);
	config_unref(supervisor.config);
	config_unref(config);
	return ret;
}
