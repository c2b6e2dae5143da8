// SPDX-License-Identifier: Apache-2.0
/*
 * Bootstrap and cleanup, by the program or by the loading and the exit of the
 * process. A bootstrap that fails leaves the library unready and its error for
 * every vaccel_session_init() to report; nothing here ends the process.
 *
 * At exit only files are removed: other threads may still be in calls, and what
 * memory and plugins there are goes with the process.
 */
#include <vaccel/core.h>
#include <vaccel/log.h>
#include <vaccel/plugin.h>

#include "base/alloc.h"
#include "base/knob.h"
#include "base/log.h"
#include "base/prof.h"
#include "base/ready.h"
#include "base/util.h"
#include "call/call.h"
#include "file/rundir.h"
#include "file/url.h"
#include "object/resource.h"
#include "object/session.h"
#include "plugin/draw.h"
#include "plugin/registry.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* all below, and being ready */
static struct vaccel_config config = {.log_level = VACCEL_LOG_ERROR};

const char *vaccel_version(void)
{
	return VACCEL_VERSION;
}

const struct vaccel_config *vaccel_config(void)
{
	return &config;
}

static void clean_up(void)
{
	ready_end();
	profile_report();
	prof_enable(false);
	sessions_close_all();
	resources_close_all();
	registry_close();
	rundir_cleanup();
	alloc_forget_kept();
	vaccel_log_shutdown();
	vaccel_config_release(&config);
}

static int start(void)
{
	int ret = log_configure(config.log_level, config.log_file);

	knob_warn_of_old_names();
	prof_enable(config.profiling_enabled);
	vaccel_config_print_debug(&config);
	if (!ret)
		ret = registry_open(config.plugins, config.version_ignore);
	if (ret)
		return ret;
	rundir_sweep();
	ready_begin();
	return VACCEL_OK;
}

/* Who bootstraps hears what is wrong; where it is the process that loads, its calls do. */
static int remember(int ret)
{
	if (!ret)
		return VACCEL_OK;
	/* Said while the log is still where the configuration wants it. */
	vaccel_info("vaccel is not ready: %s", vaccel_error_text());
	clean_up();
	ready_fail(ret);
	return ret;
}

int vaccel_bootstrap(void)
{
	struct vaccel_config fresh;
	int ret;

	SCOPED_LOCK(&lock);
	clean_up();
	ret = vaccel_config_init_from_env(&fresh);
	if (!ret) {
		config = fresh;
		ret = start();
	}
	return remember(ret);
}

int vaccel_bootstrap_with_config(const struct vaccel_config *wanted)
{
	struct vaccel_config fresh;
	int ret;

	if (!wanted)
		return vaccel_fail(VACCEL_EINVAL, "the configuration is NULL");
	SCOPED_LOCK(&lock);
	/* Copied first: a program may pass what vaccel_config() returned. */
	ret = vaccel_config_init_from(&fresh, wanted);
	if (ret)
		return ret;
	clean_up();
	config = fresh;
	return remember(start());
}

int vaccel_cleanup(void)
{
	SCOPED_LOCK(&lock);
	clean_up();
	return VACCEL_OK;
}

const char *vaccel_rundir(void)
{
	return rundir_path();
}

static int load(int (*how)(const char *), const char *what)
{
	int ret = ready_or_why();

	if (ret)
		return ret;
	ret = how(what);
	/* What is new may fit better than what sessions chose before. */
	sessions_forget_choices();
	return ret;
}

int vaccel_plugin_load(const char *file)
{
	if (!file)
		return vaccel_fail(VACCEL_EINVAL, "the plugin to load is NULL");
	return load(registry_load, file);
}

int vaccel_plugin_parse_and_load(const char *list)
{
	if (!list)
		return vaccel_fail(VACCEL_EINVAL, "the list of plugins is NULL");
	return load(registry_load_list, list);
}

/*
 * A child has to live with the locks as they were. Those of what changes all the
 * time are not held while the process is copied: in the order in which they nest.
 * Those that are held for long, as while a plugin is loaded, the child frees, and
 * does without what was half done; plugins may also fork while they are held.
 */
static void before_fork(void)
{
	sessions_before_fork();
	resources_before_fork();
	rundir_before_fork();
	alloc_before_fork();
}

static void after_fork(bool in_child)
{
	alloc_after_fork(in_child);
	rundir_after_fork(in_child);
	resources_after_fork(in_child);
	sessions_after_fork(in_child);
}

static void after_fork_in_parent(void)
{
	after_fork(false);
}

static void after_fork_in_child(void)
{
	after_fork(true);
	profile_forget();
	log_after_fork();
	ready_after_fork();
	registry_after_fork();
	url_after_fork();
	draw_after_fork();
	/* Was another thread at a bootstrap, the child is not ready; what it configured is gone. */
	if (unlock_in_child(&lock))
		config = (struct vaccel_config){.log_level = VACCEL_LOG_ERROR};
}

__attribute__((constructor)) static void on_load(void)
{
	pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
	if (&vaccel_program_bootstraps || !knob_bool(KNOB_BOOTSTRAP_ENABLED) || !vaccel_bootstrap())
		return;
	/* To where the configuration wants it, if that can be had. */
	log_configure(VACCEL_LOG_ERROR, knob_text(KNOB_LOG_FILE));
	ready_owe();
}

__attribute__((destructor)) static void on_exit_of_process(void)
{
	ready_settle();
	if (!knob_bool(KNOB_CLEANUP_ENABLED))
		return;
	profile_report();
	rundir_cleanup();
}
