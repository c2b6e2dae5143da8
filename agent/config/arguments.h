/* SPDX-License-Identifier: Apache-2.0 */
/* The command line as a configuration: the established flags, in the terms of agent.yaml. */
#ifndef VACCEL_AGENT_CONFIG_ARGUMENTS_H
#define VACCEL_AGENT_CONFIG_ARGUMENTS_H

#include "agent/config/config.h"

/*
 * @listeners: "ADDRESS" or "ADDRESS,tenant=NAME,…" with any key of a listener; none: the default.
 * @vaccel: "plugins=a:b,log_level=4", or NULL. EINVAL.
 */
int config_from_arguments(char *const *listeners, size_t nr_listeners, const char *vaccel,
			  struct config **ret_config);

#endif
