// SPDX-License-Identifier: Apache-2.0
/*
 * One thread waits for the supervisor, for who asks by HTTP, and for who asks on
 * the admin socket. Sockets come from the supervisor, so that this process,
 * which can make none, may be replaced while connections wait.
 */
#include "agent/monitor/monitor.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <vaccel/error.h>
#include <vaccel/plugin.h>

#include "agent/base/log.h"
#include "agent/monitor/admin.h"
#include "agent/monitor/http.h"
#include "agent/monitor/pages.h"
#include "agent/sandbox/sandbox.h"
#include "base/util.h"
#include "transport/transport.h"

struct monitor {
	struct state state;
	struct admin admin;
	const struct http_server *server;
	struct http *http;
	char why_no_server[256];
	int64_t asked; /* when the supervisor was last asked whether it lives */
};

#define HTTP_LIFE_MS 10000
#define ASK_NS	     SECOND /* the least between two questions to the supervisor */

enum { POLL_IPC, POLL_HTTP, POLL_ADMIN, POLLS = POLL_ADMIN + ADMIN_POLLS };

/* While files can still be opened. Whether it is needed is not known yet. */
static void load_server(struct monitor *monitor)
{
	_cleanup_(freep) char *path = NULL;
	void *module = NULL;

	if (asprintf(&path, "%s/" HTTP_MODULE, vaccel_plugindir()) > 0)
		module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	monitor->server = module ? dlsym(module, "agent_http") : NULL;
	if (!monitor->server)
		snprintf(monitor->why_no_server, sizeof(monitor->why_no_server), "%s", dlerror());
}

static int set_up(struct monitor *monitor)
{
	_cleanup_(freep) char *missing = NULL;
	struct sandbox sandbox = {.role = SANDBOX_MONITOR};
	struct worker_setup setup;
	int ret = ipc_receive_setup(IPC_FD, &setup);

	if (ret)
		return ret;
	log_open_child(&setup.log);
	worker_setup_release(&setup);
	state_init(&monitor->state);
	load_server(monitor);
	ret = sandbox_enter(&sandbox, &missing);
	if (!ret && missing)
		log_line(VACCEL_LOG_WARN, NULL, "the monitor's sandbox lacks: %s", missing);
	return ret;
}

static void close_http(struct monitor *monitor)
{
	if (monitor->http)
		monitor->server->close(TAKE(monitor->http));
}

static int serve_http(struct monitor *monitor, int listener)
{
	close_http(monitor);
	if (monitor->server)
		return monitor->server->open(listener, HTTP_LIFE_MS, pages_answer, &monitor->state,
					     &monitor->http);
	close(listener);
	return vaccel_fail(VACCEL_ENOTSUP,
			   "cannot serve metrics: %s; install libmicrohttpd, or leave metrics out "
			   "of the configuration",
			   monitor->why_no_server);
}

static int take_socket(struct monitor *monitor, const char *what, int fd)
{
	if (!strcmp(what, "admin")) {
		closep(&monitor->admin.listener);
		monitor->admin.listener = fd;
		return VACCEL_OK;
	}
	return serve_http(monitor, fd);
}

/* It asks, or has been asked. */
static void live(struct monitor *monitor)
{
	monitor->state.unheard_since = 0;
	ipc_live(IPC_FD);
}

/* While nobody wants to know how the agent does, the supervisor is left in peace. */
static void ask_supervisor(struct monitor *monitor)
{
	int64_t now = time_now();

	if (now - monitor->asked < ASK_NS)
		return;
	monitor->asked = now;
	if (!monitor->state.unheard_since)
		monitor->state.unheard_since = now;
	ipc_send(IPC_FD, &(struct ipc_message){.kind = IPC_ASK}, -1);
}

static bool has_visitors(const struct pollfd polls[POLLS])
{
	for (int i = POLL_HTTP; i < POLLS; i++)
		if (polls[i].fd >= 0 && polls[i].revents)
			return true;
	return false;
}

/* VACCEL_EAGAIN: it says nothing now. VACCEL_EREMOTEIO: the supervisor is gone. */
static int hear(struct monitor *monitor)
{
	_cleanup_(closep) int fd = -1;
	struct ipc_message message;
	int ret = ipc_receive(IPC_FD, false, &message, &fd);

	if (ret)
		return ret;
	if (message.kind == IPC_MONITOR)
		ret = take_socket(monitor, message.text, TAKE_FD(fd));
	else if (message.kind == IPC_ALIVE)
		live(monitor);
	else
		ret = state_take(&monitor->state, &message, fd);
	if (ret)
		log_line(VACCEL_LOG_ERROR, NULL, "monitor: %s", vaccel_error_text());
	return VACCEL_OK;
}

static int shorter(int a, int b)
{
	return a < 0 ? b : b < 0 ? a : MIN_OF(a, b);
}

static int wait_for_any(struct monitor *monitor, struct pollfd polls[POLLS])
{
	int patience = admin_prepare(&monitor->admin, polls + POLL_ADMIN);

	polls[POLL_IPC] = (struct pollfd){IPC_FD, POLLIN, 0};
	polls[POLL_HTTP] = (struct pollfd){-1, POLLIN, 0};
	if (monitor->http) {
		polls[POLL_HTTP].fd = monitor->server->fd(monitor->http);
		patience = shorter(patience, monitor->server->patience(monitor->http));
	}
	if (poll(polls, POLLS, patience) < 0 && errno != EINTR)
		return vaccel_fail(errno, "cannot wait: %s", strerror(errno));
	return VACCEL_OK;
}

static int serve(struct monitor *monitor)
{
	struct pollfd polls[POLLS];
	int ret;

	while (!(ret = wait_for_any(monitor, polls))) {
		/* All that the supervisor said before somebody asked is heard before he is
		 * answered. */
		while (!ret)
			ret = hear(monitor);
		if (ret != VACCEL_EAGAIN)
			break;
		if (has_visitors(polls))
			ask_supervisor(monitor);
		admin_run(&monitor->admin, &monitor->state, polls + POLL_ADMIN);
		if (monitor->http)
			monitor->server->run(monitor->http);
	}
	return ret;
}

int monitor_main(void)
{
	struct monitor monitor = {.http = NULL};
	int ret;

	admin_init(&monitor.admin);
	ret = set_up(&monitor);
	ipc_report(IPC_FD, ret);
	if (!ret)
		ret = serve(&monitor);
	close_http(&monitor);
	admin_release(&monitor.admin);
	state_release(&monitor.state);
	/* The supervisor's end is this one's. */
	return ret == VACCEL_EREMOTEIO ? 0 : 1;
}
