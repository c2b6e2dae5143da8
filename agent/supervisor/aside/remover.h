/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removes directories in a thread of its own: who filled one decides how long that takes.
 */
#ifndef VACCEL_AGENT_SUPERVISOR_ASIDE_REMOVER_H
#define VACCEL_AGENT_SUPERVISOR_ASIDE_REMOVER_H

struct remover;

int remover_new(struct remover **ret_remover);

/* Takes @path, a whole one, and the descriptor @lock, or -1, which is closed when @path is gone. */
void remover_take(struct remover *remover, char *path, int lock);

/* When all that it was given is removed. NULL is fine. */
void remover_delete(struct remover *remover);

#endif
