// SPDX-License-Identifier: Apache-2.0
/*
 * The remote plugin: forwards every operation to an agent. This file is what vaccel
 * sees of it. Nothing is connected before a session is opened.
 *
 * A forked child has copies of its parent's connections. It lets go of them, and
 * its sessions are made anew at their next calls, by connections of its own.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include <vaccel/plugin.h>

#include "base/util.h"
#include "remote/call.h"
#include "remote/server.h"
#include "remote/session.h"
#include "remote/settings.h"

/* How long `vaccel info` waits for an agent. */
#define REPORT_NS (3 * SECOND)

static int run(struct vaccel_call *call, const struct vaccel_op *op, void *args)
{
	void *session;
	int ret = vaccel_call_session_slot(call, &session);

	return unlikely(ret) ? ret : call_run(session, op, args);
}

static void before_fork(void)
{
	pthread_mutex_lock(&remote_lock);
	links_before_fork();
}

static void after_fork_in_parent(void)
{
	links_after_fork(false);
	pthread_mutex_unlock(&remote_lock);
}

static void after_fork_in_child(void)
{
	links_after_fork(true);
	remote_changed_init();
	servers_forget();
	sessions_forget();
	resources_forget();
	pthread_mutex_unlock(&remote_lock);
}

static void prepare(void)
{
	/* Not torn down at exit, when other threads may still be making a digest. */
	OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
	remote_changed_init();
	pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

static int init(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int ret;

	pthread_once(&once, prepare);
	ret = settings_read();
	if (ret)
		return ret;
	ret = servers_open();
	if (ret)
		settings_release();
	return ret;
}

static void fini(void)
{
	servers_close();
	settings_release();
}

static void report_server(struct server *server, vaccel_plugin_report_fn *say, void *context)
{
	int64_t until = time_now() + REPORT_NS, time = 0;
	struct channel *channel;
	char text[512];
	int ret = server_channel(server, until, &channel);

	if (!ret) {
		ret = channel_ping(channel, until, &time);
		snprintf(text, sizeof(text), "%s: answers in %" PRId64 " us", server->name,
			 time / 1000);
		channel_give(channel);
	}
	if (ret)
		snprintf(text, sizeof(text), "%s", vaccel_error_text());
	say(context, "agent", text);
}

static void report(vaccel_plugin_report_fn *say, void *context)
{
	struct server *server = NULL;

	if (servers_resolve(0, time_now() + REPORT_NS))
		say(context, "agent", vaccel_error_text());
	while ((server = server_next(server)))
		report_server(server, say, context);
}

static const struct vaccel_plugin_info info = {
	.name = "remote",
	.version = VACCEL_VERSION,
	.vaccel_version = VACCEL_VERSION,
	.type = VACCEL_PLUGIN_REMOTE,
	.sentence = "forwards operations to an agent",
};

VACCEL_PLUGIN(.info = &info, .knobs = knobs, .nr_knobs = KNOB_COUNT, .init = init, .fini = fini,
	      .run_any = run, .session_open = session_open, .session_close = session_close,
	      .resource_open = resource_open, .resource_close = resource_close,
	      .resource_sync = session_sync, .report = report,
	      .resource_register = session_register, .resource_unregister = session_unregister,
	      .session_update = session_update);
