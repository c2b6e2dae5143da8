// SPDX-License-Identifier: Apache-2.0
/*
 * Bootstrap and cleanup, by the program or by the loading and the exit of the
 * process. A bootstrap that fails leaves the library unready and its error for
 * every vaccel_session_init() to report; nothing here ends the process.
 *
 * At exit only files are removed: other threads may still be in calls, and what
 * memory and plugins there are goes with the process.
 */
#include <stdlib.h>
#include <string.h>

#include <vaccel/core.h>
#include <vaccel/log.h>
#include <vaccel/plugin.h>

#include "base/knob.h"
#include "base/log.h"
#include "base/prof.h"
#include "base/util.h"
#include "call/call.h"
#include "lifecycle.h"
#include "object/resource.h"
#include "object/rundir.h"
#include "object/session.h"
#include "plugin/registry.h"

_Atomic uint64_t lifecycle_epoch;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* all below, and changing the epoch */
static uint64_t bootstraps;
static struct vaccel_config config = {.log_level = VACCEL_LOG_ERROR};
static int failure_code;
static char failure[1024];

bool vaccel_is_initialized(void)
{
	return atomic_load_explicit(&lifecycle_epoch, memory_order_acquire) != 0;
}

const struct vaccel_config *vaccel_config(void)
{
	return &config;
}

int lifecycle_check(void)
{
	if (likely(vaccel_is_initialized()))
		return VACCEL_OK;
	SCOPED_LOCK(&lock);
	if (failure_code)
		return vaccel_fail(failure_code, "%s", failure);
	return vaccel_fail(VACCEL_ESESS, "the library is not ready; call vaccel_bootstrap() first");
}

static void clean_up(void)
{
	atomic_store(&lifecycle_epoch, 0);
	profile_report();
	sessions_close_all();
	resources_close_all();
	registry_close();
	rundir_cleanup();
	vaccel_log_shutdown();
	vaccel_config_release(&config);
	failure_code = VACCEL_OK;
}

static int start(void)
{
	int ret = log_configure(config.log_level, config.log_file);

	prof_enable(config.profiling_enabled);
	vaccel_config_print_debug(&config);
	if (!ret)
		ret = registry_open(config.plugins, config.version_ignore);
	if (ret)
		return ret;
	rundir_sweep();
	atomic_store_explicit(&lifecycle_epoch, ++bootstraps, memory_order_release);
	return VACCEL_OK;
}

static int remember(int ret)
{
	if (!ret)
		return VACCEL_OK;
	clean_up();
	failure_code = ret;
	strncpy(failure, vaccel_error_text(), sizeof(failure) - 1);
	vaccel_error("vaccel is not ready: %s", failure);
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

int vaccel_plugin_load(const char *file)
{
	int ret;

	if (!file)
		return vaccel_fail(VACCEL_EINVAL, "the plugin to load is NULL");
	ret = lifecycle_check();
	return ret ? ret : registry_load(file);
}

int vaccel_plugin_parse_and_load(const char *list)
{
	int ret;

	if (!list)
		return vaccel_fail(VACCEL_EINVAL, "the list of plugins is NULL");
	ret = lifecycle_check();
	return ret ? ret : registry_load_list(list);
}

__attribute__((constructor)) static void on_load(void)
{
	if (knob_bool(KNOB_BOOTSTRAP_ENABLED))
		vaccel_bootstrap();
}

__attribute__((destructor)) static void on_exit_of_process(void)
{
	if (!knob_bool(KNOB_CLEANUP_ENABLED))
		return;
	profile_report();
	rundir_cleanup();
}
