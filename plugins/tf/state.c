// SPDX-License-Identifier: Apache-2.0
/*
 * One list for all sessions and models: it is empty unless a model changes. An entry goes
 * with its session or with its model, whichever is first; neither goes while a call uses
 * it. The lock is held while an instance is made, so that a session makes one.
 */
#include "tf/state.h"

#include <stdlib.h>

#include <vaccel/error.h>

struct state {
	struct state *next;
	const struct engine *engine;
	const void *session; /* its slot */
	struct instance instance;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct state *first; /* under the lock, as are all next */

static struct state *find(const struct engine *engine, const void *session)
{
	struct state *state = first;

	while (state && (state->engine != engine || state->session != session))
		state = state->next;
	return state;
}

static int add(const struct model *model, const void *session, struct state **ret_state)
{
	struct state *state = calloc(1, sizeof(*state));
	int ret;

	if (!state)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a session's model");
	ret = instance_new(model, &state->instance);
	if (ret) {
		free(state);
		return ret;
	}
	state->engine = model->engine;
	state->session = session;
	state->next = first;
	first = state;
	*ret_state = state;
	return VACCEL_OK;
}

int state_find(struct vaccel_call *call, const struct model *model, bool writes,
	       const struct instance **ret_instance)
{
	struct state *state;
	void *slot;
	int ret = vaccel_call_session_slot(call, &slot);

	if (ret)
		return ret;
	pthread_mutex_lock(&lock);
	state = find(model->engine, slot);
	if (!state && writes)
		ret = add(model, slot, &state);
	pthread_mutex_unlock(&lock);
	if (!ret)
		*ret_instance = state ? &state->instance : &model->engine->instance;
	return ret;
}

size_t state_count(void)
{
	size_t nr = 0;

	pthread_mutex_lock(&lock);
	for (const struct state *state = first; state; state = state->next)
		nr++;
	pthread_mutex_unlock(&lock);
	return nr;
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
		instance_release(&state->instance);
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
