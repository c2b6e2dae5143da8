// SPDX-License-Identifier: Apache-2.0
/* The list is only read for models that have state. */
#include "tflite/state.h"

#include <stdlib.h>

#include <vaccel/error.h>

#include "model/own.h"

struct state {
	struct own own;
	pthread_mutex_t busy;
	struct runner *runner; /* NULL before the first use, and after a failure; under busy */
};

static void drop(struct own *own)
{
	struct state *state = (struct state *)own;

	runner_delete(state->runner);
	pthread_mutex_destroy(&state->busy);
	free(state);
}

static struct owns states = {.lock = PTHREAD_MUTEX_INITIALIZER, .drop = drop};

static struct state *add(const struct engine *engine, const void *session)
{
	struct state *state = calloc(1, sizeof(*state));

	if (!state)
		return NULL;
	pthread_mutex_init(&state->busy, NULL);
	owns_add(&states, &state->own, engine, session);
	return state;
}

static struct state *get(const struct engine *engine, const void *session)
{
	struct state *state;

	pthread_mutex_lock(&states.lock);
	state = (struct state *)owns_find(&states, engine, session);
	if (!state)
		state = add(engine, session);
	pthread_mutex_unlock(&states.lock);
	return state;
}

int state_enter(struct vaccel_call *call, struct engine *engine, struct state **ret_state,
		struct runner **ret_runner)
{
	struct state *state;
	void *slot;
	int ret = vaccel_call_session_slot(call, &slot);

	if (ret)
		return ret;
	state = get(engine, slot);
	if (!state)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a session's model");
	pthread_mutex_lock(&state->busy);
	if (!state->runner)
		ret = runner_new(engine->model, engine->cache, &state->runner);
	if (ret) {
		pthread_mutex_unlock(&state->busy);
		return ret;
	}
	*ret_state = state;
	*ret_runner = state->runner;
	return VACCEL_OK;
}

void state_leave(struct state *state, bool usable)
{
	if (!usable) {
		runner_delete(state->runner);
		state->runner = NULL;
	}
	pthread_mutex_unlock(&state->busy);
}

void state_forget(const struct engine *engine)
{
	owns_forget(&states, engine, NULL);
}

void state_session_close(struct vaccel_session *session, void *slot)
{
	owns_forget(&states, NULL, slot);
	free(slot);
}
