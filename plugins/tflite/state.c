// SPDX-License-Identifier: Apache-2.0
/*
 * One list for all sessions and models: it is short, and is only read for models that
 * have state. An entry goes with its session or with its model, whichever is first;
 * neither goes while a call uses it.
 */
#include "tflite/state.h"

#include <stdlib.h>

#include <vaccel/error.h>

struct state {
	struct state *next;
	const struct engine *engine;
	const void *session; /* its slot */
	pthread_mutex_t busy;
	struct runner *runner; /* NULL before the first use, and after a failure; under busy */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct state *first; /* under the lock, as are all next */

static struct state *add(const struct engine *engine, const void *session)
{
	struct state *state = calloc(1, sizeof(*state));

	if (!state)
		return NULL;
	state->engine = engine;
	state->session = session;
	pthread_mutex_init(&state->busy, NULL);
	state->next = first;
	first = state;
	return state;
}

static struct state *get(const struct engine *engine, const void *session)
{
	struct state *state;

	pthread_mutex_lock(&lock);
	state = first;
	while (state && (state->engine != engine || state->session != session))
		state = state->next;
	if (!state)
		state = add(engine, session);
	pthread_mutex_unlock(&lock);
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

/* Frees those of a model, or of a session. */
static void forget(const struct engine *engine, const void *session)
{
	struct state **at = &first, *state;

	pthread_mutex_lock(&lock);
	while ((state = *at)) {
		if (state->engine != engine && state->session != session) {
			at = &state->next;
			continue;
		}
		*at = state->next;
		runner_delete(state->runner);
		pthread_mutex_destroy(&state->busy);
		free(state);
	}
	pthread_mutex_unlock(&lock);
}

void state_forget(const struct engine *engine)
{
	forget(engine, NULL);
}

int state_session_open(struct vaccel_session *session, void **ret_slot)
{
	/* All that is wanted is an address which no other session has. */
	*ret_slot = malloc(1);
	return *ret_slot ? VACCEL_OK : vaccel_fail(VACCEL_ENOMEM, "no memory for a session");
}

void state_session_close(struct vaccel_session *session, void *slot)
{
	forget(NULL, slot);
	free(slot);
}
