/* SPDX-License-Identifier: Apache-2.0 */
/* Whether what a configuration names is there, before it is in force. */
#ifndef VACCEL_AGENT_SUPERVISOR_CHECK_H
#define VACCEL_AGENT_SUPERVISOR_CHECK_H

#include "agent/config/config.h"

/* Logs what workers would not find now, though it may come. */
void check_ahead(const struct config *config);

/*
 * Does so, and whether the files that @config names can be read, and make sense, and there are
 * directories for its socket files. @base: as of supervisor_run(), which need not be there yet.
 */
int check_config(const struct config *config, const char *base);

#endif
