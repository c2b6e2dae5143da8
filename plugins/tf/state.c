// SPDX-License-Identifier: Apache-2.0
/*
 * The list is empty unless a model changes. Its lock is held while an instance is made, so
 * that a session makes one.
 */
#include "tf/state.h"

#include <stdlib.h>

#include <vaccel/error.h>

#include "model/own.h"

struct state {
	struct own own;
	struct instance instance;
};

static void drop(struct own *own)
{
	struct state *state = (struct state *)own;

	instance_release(&state->instance);
	free(state);
}

static struct owns states = {.lock = PTHREAD_MUTEX_INITIALIZER, .drop = drop};

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
	owns_add(&states, &state->own, model->engine, session);
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
	pthread_mutex_lock(&states.lock);
	state = (struct state *)owns_find(&states, model->engine, slot);
	if (!state && writes)
		ret = add(model, slot, &state);
	pthread_mutex_unlock(&states.lock);
	if (!ret)
		*ret_instance = state ? &state->instance : &model->engine->instance;
	return ret;
}

size_t state_count(void)
{
	size_t nr = 0;

	pthread_mutex_lock(&states.lock);
	for (const struct own *own = states.first; own; own = own->next)
		nr++;
	pthread_mutex_unlock(&states.lock);
	return nr;
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
