// SPDX-License-Identifier: Apache-2.0
/* See own.h. */
#include "model/own.h"

#include <stdlib.h>

#include <vaccel/error.h>

struct own *owns_find(const struct owns *owns, const void *model, const void *session)
{
	struct own *own = owns->first;

	while (own && (own->model != model || own->session != session))
		own = own->next;
	return own;
}

void owns_add(struct owns *owns, struct own *own, const void *model, const void *session)
{
	own->model = model;
	own->session = session;
	own->next = owns->first;
	owns->first = own;
}

void owns_forget(struct owns *owns, const void *model, const void *session)
{
	struct own **at = &owns->first, *own;

	pthread_mutex_lock(&owns->lock);
	while ((own = *at)) {
		if (own->model != model && own->session != session) {
			at = &own->next;
			continue;
		}
		*at = own->next;
		owns->drop(own);
	}
	pthread_mutex_unlock(&owns->lock);
}

int own_slot_open(struct vaccel_session *session, void **ret_slot)
{
	/* All that is wanted is an address which no other session has. */
	*ret_slot = malloc(1);
	return *ret_slot ? VACCEL_OK : vaccel_fail(VACCEL_ENOMEM, "no memory for a session");
}
