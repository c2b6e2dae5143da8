/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration, from the environment or from the program. */
#ifndef VACCEL_CONFIG_H
#define VACCEL_CONFIG_H

#include <stdbool.h>

#include <vaccel/log.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct vaccel_config - what a program may set before bootstrap
 * @plugins: plugins to load, ":" between them, each a name, a file name, a path
 *	or a directory; NULL for none; "auto" as if VACCEL_PLUGINS were unset
 * @log_level: what the log shows
 * @log_file: where it goes; NULL is stderr
 * @profiling_enabled: whether operations are measured
 * @version_ignore: load plugins that were built against another version of vaccel
 *
 * The strings belong to the configuration.
 */
struct vaccel_config {
	char *plugins;
	vaccel_log_level_t log_level;
	char *log_file;
	bool profiling_enabled;
	bool version_ignore;
};

/**
 * vaccel_config_init() - fill a configuration
 * @config: memory for it
 * @plugins, @log_file: copied; may be NULL
 *
 * Return: VACCEL_OK; VACCEL_EINVAL for NULL or a log level that does not exist; VACCEL_ENOMEM.
 */
int vaccel_config_init(struct vaccel_config *config, const char *plugins,
		       vaccel_log_level_t log_level, const char *log_file, bool profiling_enabled,
		       bool version_ignore);

/** vaccel_config_new() - the same, allocated; free with vaccel_config_delete() */
int vaccel_config_new(struct vaccel_config **ret_config, const char *plugins,
		      vaccel_log_level_t log_level, const char *log_file, bool profiling_enabled,
		      bool version_ignore);

/**
 * vaccel_config_init_from_env() - fill a configuration from the environment
 * @config: memory for it
 *
 * Where VACCEL_PLUGINS is unset @plugins is "auto".
 *
 * Return: VACCEL_OK; VACCEL_EINVAL for NULL or a variable that makes no sense; VACCEL_ENOMEM.
 */
int vaccel_config_init_from_env(struct vaccel_config *config);

/** vaccel_config_from_env() - the same, allocated; free with vaccel_config_delete() */
int vaccel_config_from_env(struct vaccel_config **ret_config);

/**
 * vaccel_config_init_from() - copy a configuration
 * @config: memory for the copy
 * @source: what to copy
 *
 * Return: VACCEL_OK, VACCEL_EINVAL, VACCEL_ENOMEM.
 */
int vaccel_config_init_from(struct vaccel_config *config, const struct vaccel_config *source);

/** vaccel_config_from() - the same, allocated; free with vaccel_config_delete() */
int vaccel_config_from(struct vaccel_config **ret_config, const struct vaccel_config *source);

/**
 * vaccel_config_release() - free what a configuration holds; it has the defaults then
 * @config: the configuration
 *
 * Return: VACCEL_OK; VACCEL_EINVAL for NULL.
 */
int vaccel_config_release(struct vaccel_config *config);

/**
 * vaccel_config_delete() - free a configuration from _new or _from_*
 * @config: the configuration
 *
 * Return: VACCEL_OK; VACCEL_EINVAL for NULL.
 */
int vaccel_config_delete(struct vaccel_config *config);

/**
 * vaccel_config_print_debug() - write a configuration to the log, at DEBUG
 * @config: the configuration; NULL is ignored
 */
void vaccel_config_print_debug(const struct vaccel_config *config);

#ifdef __cplusplus
}
#endif

#endif
