/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a session has changed in a model is its own: its runs that change variables, and
 * all of its runs after the first of those, are of an instance that no other session sees.
 */
#ifndef TF_STATE_H
#define TF_STATE_H

#include "tf/engine.h"

/**
 * state_find() - the instance in which a run of a session takes place
 * @model: of a resource that is in use
 * @writes: whether the run changes something
 *
 * Return: 0; the errors of instance_new().
 */
int state_find(struct vaccel_call *call, const struct model *model, bool writes,
	       const struct instance **ret_instance);

/** state_count() - how many instances are sessions' own */
size_t state_count(void);

/** state_forget() - free what sessions have of a model that goes */
void state_forget(const struct engine *engine);

/* For the plugin's hook of this name; the slot is own_slot_open()'s. */
void state_session_close(struct vaccel_session *session, void *slot);

#endif
