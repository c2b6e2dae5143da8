/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Modules that keep something from run to run: each session has one of its own, until it or the
 * model goes.
 */
#ifndef TORCH_STATE_H
#define TORCH_STATE_H

#include <vector>

#include "model/own.h"
#include "torch/model.h"

/**
 * script_run() - forward() of @script for a session; throws what torch does
 * @session: own_slot_open()'s
 */
c10::IValue script_run(const struct script *script, const void *session,
		       std::vector<c10::IValue> arguments);

/** state_forget() - free what sessions have of a model that goes */
void state_forget(const struct script *script);

/* For the plugin's hook of this name; the slot is own_slot_open()'s. */
void state_session_close(struct vaccel_session *session, void *slot);

#endif
