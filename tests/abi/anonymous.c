// SPDX-License-Identifier: Apache-2.0
/* A plugin that does not say who it is. */
#include <vaccel/plugin.h>

static const struct vaccel_plugin_info info = {.version = "1"};

VACCEL_PLUGIN(.info = &info);
