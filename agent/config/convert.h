/* SPDX-License-Identifier: Apache-2.0 */
/* From the texts of a document to what they mean. */
#ifndef VACCEL_AGENT_CONFIG_CONVERT_H
#define VACCEL_AGENT_CONFIG_CONVERT_H

#include "agent/config/config.h"
#include "agent/config/document.h"

/*
 * Fills @config, all zero, with what @raw says and defaults for the rest; lists and texts that are
 * taken over are empty in @raw. EINVAL. What is there then is the caller's to release, also if it
 * fails.
 */
int config_convert(struct document *document, const struct schema *schema, struct raw_config *raw,
		   struct config *config);

/* What is allowed in each key, but not together. */
int config_check_rules(struct document *document, const struct config *config);

#endif
