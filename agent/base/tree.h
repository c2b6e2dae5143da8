/* SPDX-License-Identifier: Apache-2.0 */
/* Directories with all that is below them. */
#ifndef VACCEL_AGENT_BASE_TREE_H
#define VACCEL_AGENT_BASE_TREE_H

/* Removes what can be removed; what a link leads to stays. */
void tree_remove(const char *path);

#endif
