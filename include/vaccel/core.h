/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The library's own life: its version, bootstrap and cleanup.
 *
 * After fork() the child has the library as it was, and the thread that forked alone. It
 * may use sessions and resources, also those that other threads were using: bytes that one
 * was changing just then are as it left them, and what it had not finished is begun anew.
 * One that uses an agent becomes a client of its own there. A plugin that another thread was
 * loading cannot be used in the child, and a library behind a plugin may wait in it for threads
 * that it has not: a child is best forked before the first call, or calls execve().
 */
#ifndef VACCEL_CORE_H
#define VACCEL_CORE_H

#include <stdbool.h>

#include <vaccel/config.h>
#include <vaccel/version.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * vaccel_version() - the version of the library that is loaded
 *
 * VACCEL_VERSION is that of the headers that a program was built with. Programs that
 * find the library at run time compare the two; libraries of the same MAJOR.MINOR
 * stand in for each other.
 *
 * Return: "MAJOR.MINOR.PATCH", a constant.
 */
const char *vaccel_version(void);

/**
 * vaccel_bootstrap() - make the library ready, configured from the environment
 *
 * Done by itself when the library is loaded, unless VACCEL_BOOTSTRAP_ENABLED=0.
 * Called again it closes every session and resource and starts anew with the
 * environment of now. Not to be called while operations run.
 *
 * Return: VACCEL_OK; VACCEL_EINVAL for a setting that makes no sense; else the
 * error of a plugin that is named and cannot be loaded. The error is then also
 * that of every vaccel_session_init() until a bootstrap succeeds.
 */
int vaccel_bootstrap(void);

/**
 * vaccel_bootstrap_with_config() - make the library ready, configured by the program
 * @config: copied; a NULL @plugins in it means none
 *
 * Return: as vaccel_bootstrap(); VACCEL_EINVAL for NULL.
 */
int vaccel_bootstrap_with_config(const struct vaccel_config *config);

/**
 * vaccel_cleanup() - close all sessions and resources, unload the plugins
 *
 * Not to be called while operations run. At the exit of the process the
 * library removes its files by itself, unless VACCEL_CLEANUP_ENABLED=0.
 *
 * Return: VACCEL_OK, also where there is nothing to clean up.
 */
int vaccel_cleanup(void);

/**
 * vaccel_is_initialized() - whether the library is ready
 *
 * Return: true between a bootstrap that succeeded and the cleanup.
 */
bool vaccel_is_initialized(void);

/**
 * vaccel_rundir() - the directory for this process's files
 *
 * Made when first asked for, under XDG_RUNTIME_DIR or else in a private
 * temporary directory; removed at cleanup, or at the next start after a crash.
 *
 * Return: its path, valid until cleanup; NULL after vaccel_fail() if it cannot be made.
 */
const char *vaccel_rundir(void);

/**
 * vaccel_config() - the configuration in force
 *
 * Return: the configuration; its defaults before bootstrap. Never NULL.
 */
const struct vaccel_config *vaccel_config(void);

#ifdef __cplusplus
}
#endif

#endif
