// SPDX-License-Identifier: Apache-2.0
/*
 * The supervisor's side of the monitor. Its sockets are the supervisor's, so that a
 * monitor which is started anew goes on where the last one was.
 */
#include <stdio.h>
#include <string.h>

#include <vaccel/error.h>

#include "agent/base/log.h"
#include "agent/supervisor/listener.h"
#include "agent/supervisor/observe.h"
#include "agent/supervisor/tenant/tenant.h"
#include "base/util.h"
#include "transport/carrier.h"

static void tell_listener(struct helper *monitor, const struct listener *listener)
{
	const struct listener_config *how = listener->how;
	struct ipc_message message = {.kind = IPC_LISTENER, .listener = listener->number};

	strncpy(message.carrier, how->address.carrier->scheme, sizeof(message.carrier) - 1);
	strncpy(message.peer, how->tenant ? how->tenant : "", sizeof(message.peer) - 1);
	strncpy(message.text, how->address.text, sizeof(message.text) - 1);
	helper_tell(monitor, &message, -1);
}

static void tell_window(struct helper *monitor, const struct window *window, const char *what)
{
	struct ipc_message message = {.kind = IPC_MONITOR};

	strncpy(message.text, what, sizeof(message.text) - 1);
	if (window->fd >= 0)
		helper_tell(monitor, &message, window->fd);
}

static void brief(struct helper *monitor)
{
	struct supervisor *supervisor = monitor->supervisor;

	tell_window(monitor, &supervisor->admin, "admin");
	tell_window(monitor, &supervisor->metrics, "metrics");
	for (struct listener *listener = supervisor->listeners; listener; listener = listener->next)
		tell_listener(monitor, listener);
	observe_nobody(supervisor);
	tenants_brief_monitor(supervisor);
	if (supervisor->ready || supervisor->stopping)
		observe_serving(supervisor, !supervisor->stopping);
}

/* Where nobody does TLS nobody is refused before his tenant is known. */
static bool does_tls(const struct supervisor *supervisor)
{
	const struct listener *listener = supervisor->listeners;

	while (listener && !listener_does_tls(listener->how))
		listener = listener->next;
	return listener;
}

void observe_nobody(struct supervisor *supervisor)
{
	const struct helper *front = &supervisor->front;
	struct ipc_message message = {
		.kind = IPC_STATS,
		.pid = front->running ? front->child.pid : 0,
	};

	strcpy(message.peer, NOBODY);
	if (front->running || does_tls(supervisor))
		helper_tell(&supervisor->monitor, &message, supervisor->nobody.fd);
}

void observe_listeners(struct supervisor *supervisor)
{
	for (struct listener *listener = supervisor->listeners; listener; listener = listener->next)
		tell_listener(&supervisor->monitor, listener);
	observe_nobody(supervisor);
}

void observe_listener_gone(struct supervisor *supervisor, uint32_t number)
{
	struct ipc_message message = {.kind = IPC_LISTENER, .listener = number};

	helper_tell(&supervisor->monitor, &message, -1);
}

void observe_serving(struct supervisor *supervisor, bool serving)
{
	struct ipc_message message = {.kind = serving ? IPC_SERVING : IPC_DRAIN};

	helper_tell(&supervisor->monitor, &message, -1);
}

static void changed(struct helper *monitor)
{
}

/* It asks again if there is no room for the answer. */
static void said(struct helper *monitor, const struct ipc_message *message, int *fd)
{
	if (message->kind == IPC_ASK)
		helper_offer(monitor, &(struct ipc_message){.kind = IPC_ALIVE}, -1);
}

static void window_close(struct window *window)
{
	if (window->fd >= 0)
		address_unlisten(&window->address, window->fd);
	window->fd = -1;
	address_release(&window->address);
}

static bool window_is(const struct window *window, const struct window *other)
{
	if (window->fd < 0 || !other->address.carrier)
		return window->fd < 0 && !other->address.carrier;
	return address_is_same(&window->address, &other->address);
}

/* What @config wants of the admin socket: where it says nothing, one below the base. */
static int admin_of(const struct supervisor *supervisor, const struct config *config,
		    struct window *ret_window)
{
	_cleanup_(freep) char *text = NULL;
	int length = config->admin_socket
			     ? asprintf(&text, "unix://%s", config->admin_socket)
			     : asprintf(&text, "unix://%s/admin.sock", supervisor->directory.base);

	if (length < 0)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for an address");
	*ret_window = (struct window){.mode = config->admin_mode, .fd = -1};
	return address_parse(text, &ret_window->address);
}

static int metrics_of(const struct config *config, struct window *ret_window)
{
	*ret_window = (struct window){.fd = -1};
	return config->metrics.carrier ? address_parse(config->metrics.text, &ret_window->address)
				       : VACCEL_OK;
}

/* Opens @wanted unless @window is the same; takes its address. */
static int window_prepare(const struct supervisor *supervisor, const struct window *window,
			  struct window *wanted)
{
	if (window_is(window, wanted) || !wanted->address.carrier)
		return VACCEL_OK;
	return listen_anew(supervisor, &wanted->address, wanted->mode, &wanted->fd);
}

static void window_change_mode(struct window *window, const struct window *wanted)
{
	if (window->fd < 0 || window->mode == wanted->mode || !window_is(window, wanted))
		return;
	if (listener_set_mode(window->fd, wanted->mode))
		log_line(VACCEL_LOG_ERROR, NULL, "%s", vaccel_error_text());
	window->mode = wanted->mode;
}

static void window_replace(struct window *window, struct window *wanted)
{
	if (window_is(window, wanted)) {
		address_release(&wanted->address);
		return;
	}
	window_close(window);
	*window = *wanted;
}

static void say_where(const struct window *metrics)
{
	char where[256];

	if (metrics->fd >= 0 &&
	    !listener_text(&metrics->address, metrics->fd, where, sizeof(where)))
		log_line(VACCEL_LOG_INFO, NULL, "metrics at http%s/metrics", strstr(where, "://"));
}

static int prepare(struct supervisor *supervisor, const struct config *config,
		   struct windows *wanted)
{
	int ret = admin_of(supervisor, config, &wanted->admin);

	if (!ret)
		ret = metrics_of(config, &wanted->metrics);
	if (!ret)
		ret = window_prepare(supervisor, &supervisor->admin, &wanted->admin);
	if (ret == VACCEL_EBUSY && !config->admin_socket) {
		/* Nobody has asked for it: another agent may have the default. */
		log_line(VACCEL_LOG_WARN, NULL, "no admin socket: %s", vaccel_error_text());
		address_release(&wanted->admin.address);
		ret = VACCEL_OK;
	}
	if (ret)
		return ret;
	ret = window_prepare(supervisor, &supervisor->metrics, &wanted->metrics);
	return ret ? vaccel_fail(ret, "metrics.address: %s", vaccel_error_text()) : VACCEL_OK;
}

void observe_abandon(struct windows *wanted)
{
	window_close(&wanted->admin);
	window_close(&wanted->metrics);
}

int observe_prepare(struct supervisor *supervisor, const struct config *config,
		    struct windows *ret_wanted)
{
	struct windows wanted = {.admin.fd = -1, .metrics.fd = -1};
	int ret = prepare(supervisor, config, &wanted);

	if (ret)
		observe_abandon(&wanted);
	else
		*ret_wanted = wanted;
	return ret;
}

void observe_commit(struct supervisor *supervisor, struct windows *wanted)
{
	struct helper *monitor = &supervisor->monitor;
	bool same_metrics = window_is(&supervisor->metrics, &wanted->metrics);
	bool same = same_metrics && window_is(&supervisor->admin, &wanted->admin);

	window_change_mode(&supervisor->admin, &wanted->admin);
	if (same && monitor->role) {
		observe_abandon(wanted);
		return;
	}
	helper_stop(monitor);
	window_replace(&supervisor->admin, &wanted->admin);
	window_replace(&supervisor->metrics, &wanted->metrics);
	if (!same_metrics)
		say_where(&supervisor->metrics);
	*monitor = (struct helper){.brief = brief, .changed = changed, .said = said};
	helper_start(monitor, supervisor, "monitor");
}

void observe_close(struct supervisor *supervisor)
{
	helper_stop(&supervisor->monitor);
	window_close(&supervisor->admin);
	window_close(&supervisor->metrics);
}
