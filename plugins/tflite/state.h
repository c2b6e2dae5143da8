/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Models that keep something from run to run have, for each session, a runner of their
 * own: what one session does is not seen by others.
 */
#ifndef TFLITE_STATE_H
#define TFLITE_STATE_H

#include <vaccel/plugin.h>

#include "tflite/engine.h"

struct state;

/**
 * state_enter() - the session's runner of a model, made at first use
 * @ret_state: for this call alone until state_leave(); others of the session wait
 * @ret_runner: its runner
 *
 * Return: 0; the errors of runner_new().
 */
int state_enter(struct vaccel_call *call, struct engine *engine, struct state **ret_state,
		struct runner **ret_runner);

/** state_leave() - @usable: its last run went well; else the state is lost */
void state_leave(struct state *state, bool usable);

/** state_forget() - free what sessions have of a model that goes */
void state_forget(const struct engine *engine);

/* For the plugin's hook of this name; the slot is own_slot_open()'s. */
void state_session_close(struct vaccel_session *session, void *slot);

#endif
