/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_ENVIRONMENT_H
#define MODEL_ENVIRONMENT_H

#ifdef __cplusplus
extern "C" {
#endif

/**
 * environment_default() - set a variable that a framework reads, unless it is set
 * @name: of the variable
 * @value: its value
 *
 * Unlike setenv() it takes nothing from threads that read variables meanwhile. The variable stays
 * to the end of the process.
 *
 * Return: 0 or ENOMEM.
 */
int environment_default(const char *name, const char *value);

#ifdef __cplusplus
}
#endif

#endif
