// SPDX-License-Identifier: Apache-2.0
/* struct vaccel_config: made from the environment or by the program, copied, released. */
#include <stdlib.h>
#include <string.h>

#include <vaccel/config.h>
#include <vaccel/error.h>

#include "base/knob.h"
#include "base/new.h"
#include "base/util.h"

static int copy_text(const char *text, char **ret_copy)
{
	char *copy = text ? strdup(text) : NULL;

	if (text && !copy)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for the configuration");
	*ret_copy = copy;
	return VACCEL_OK;
}

int vaccel_config_init(struct vaccel_config *config, const char *plugins,
		       vaccel_log_level_t log_level, const char *log_file, bool profiling_enabled,
		       bool version_ignore)
{
	_cleanup_(freep) char *plugins_copy = NULL;
	_cleanup_(freep) char *file_copy = NULL;
	int ret;

	if (!config)
		return vaccel_fail(VACCEL_EINVAL, "config is NULL");
	if ((int)log_level < VACCEL_LOG_ERROR || log_level >= VACCEL_LOG_MAX)
		return vaccel_fail(VACCEL_EINVAL,
				   "log level %d: take one from 1, errors only, to "
				   "4, everything",
				   (int)log_level);
	ret = copy_text(plugins, &plugins_copy);
	if (!ret)
		ret = copy_text(log_file, &file_copy);
	if (ret)
		return ret;
	*config = (struct vaccel_config){
		.plugins = TAKE(plugins_copy),
		.log_level = log_level,
		.log_file = TAKE(file_copy),
		.profiling_enabled = profiling_enabled,
		.version_ignore = version_ignore,
	};
	return VACCEL_OK;
}

int vaccel_config_init_from_env(struct vaccel_config *config)
{
	int ret = knob_check_all();

	if (ret)
		return ret;
	return vaccel_config_init(config, knob_text(KNOB_PLUGINS),
				  (vaccel_log_level_t)knob_number(KNOB_LOG_LEVEL),
				  knob_text(KNOB_LOG_FILE), knob_bool(KNOB_PROFILING_ENABLED),
				  knob_bool(KNOB_VERSION_IGNORE));
}

int vaccel_config_init_from(struct vaccel_config *config, const struct vaccel_config *source)
{
	if (!source)
		return vaccel_fail(VACCEL_EINVAL, "the configuration to copy is NULL");
	return vaccel_config_init(config, source->plugins, source->log_level, source->log_file,
				  source->profiling_enabled, source->version_ignore);
}

int vaccel_config_new(struct vaccel_config **ret_config, const char *plugins,
		      vaccel_log_level_t log_level, const char *log_file, bool profiling_enabled,
		      bool version_ignore)
{
	return NEW(ret_config, vaccel_config_init, plugins, log_level, log_file, profiling_enabled,
		   version_ignore);
}

int vaccel_config_from_env(struct vaccel_config **ret_config)
{
	return NEW(ret_config, vaccel_config_init_from_env);
}

int vaccel_config_from(struct vaccel_config **ret_config, const struct vaccel_config *source)
{
	return NEW(ret_config, vaccel_config_init_from, source);
}

int vaccel_config_release(struct vaccel_config *config)
{
	if (!config)
		return vaccel_fail(VACCEL_EINVAL, "config is NULL");
	free(config->plugins);
	free(config->log_file);
	*config = (struct vaccel_config){.log_level = VACCEL_LOG_ERROR};
	return VACCEL_OK;
}

int vaccel_config_delete(struct vaccel_config *config)
{
	return DELETE(config, vaccel_config_release);
}

void vaccel_config_print_debug(const struct vaccel_config *config)
{
	if (!config)
		return;
	vaccel_debug("plugins = %s", config->plugins ? config->plugins : "(none)");
	vaccel_debug("log_level = %s", vaccel_log_level_to_base_str(config->log_level));
	vaccel_debug("log_file = %s", config->log_file ? config->log_file : "(stderr)");
	vaccel_debug("profiling_enabled = %s", config->profiling_enabled ? "true" : "false");
	vaccel_debug("version_ignore = %s", config->version_ignore ? "true" : "false");
}
