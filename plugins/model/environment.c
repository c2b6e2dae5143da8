// SPDX-License-Identifier: Apache-2.0
/*
 * setenv() could free what other threads read, so the list of variables is exchanged for
 * a longer one, and the old one is left to those who read it. What is made here is
 * never freed.
 */
#include "model/environment.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vaccel/error.h>

static bool is_set(const char *variable, const char *name, size_t length)
{
	return !strncmp(variable, name, length) && variable[length] == '=';
}

int environment_default(const char *name, const char *value)
{
	static char **kept; /* all lists made here, each with the one before in front */
	char **longer, *variable;
	size_t nr = 0;

	while (environ && environ[nr] && !is_set(environ[nr], name, strlen(name)))
		nr++;
	if (environ && environ[nr])
		return VACCEL_OK;
	longer = calloc(nr + 3, sizeof(*longer));
	if (!longer || asprintf(&variable, "%s=%s", name, value) < 0) {
		free(longer);
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a variable of the environment");
	}
	longer[0] = (char *)kept;
	kept = longer++;
	if (nr)
		memcpy(longer, environ, nr * sizeof(*longer));
	longer[nr] = variable;
	__atomic_store_n(&environ, longer, __ATOMIC_RELEASE);
	return VACCEL_OK;
}
