/* SPDX-License-Identifier: Apache-2.0 */
/* Directories with all that is below them. */
#ifndef VACCEL_AGENT_BASE_TREE_H
#define VACCEL_AGENT_BASE_TREE_H

#include <stdbool.h>
#include <stdint.h>

/* Removes what can be removed; what a link leads to stays. */
void tree_remove(const char *path);

/* Whether what lies below takes more than @most bytes, or is deeper than anything that the agent
 * makes. Whatever has a name takes 4 KiB at least. */
bool tree_exceeds(const char *path, uint64_t most);

#endif
