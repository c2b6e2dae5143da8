// SPDX-License-Identifier: Apache-2.0
/*
 * Resources. The program owns struct vaccel_resource; the library's truth is in
 * a struct resource_state, of which the program's struct shows a copy. A public
 * function finds the state by the id and sees whether it belongs to that struct,
 * so one that was released, or closed by a cleanup, is never looked into.
 */
#include <inttypes.h>
#include <stdlib.h>

#include <vaccel/log.h>
#include <vaccel/plugin.h>
#include <vaccel/session.h>

#include "base/error.h"
#include "base/new.h"
#include "base/ready.h"
#include "base/util.h"
#include "object/resource.h"
#include "object/session.h"
#include "plugin/registry.h"

VACCEL_ENUM_NAMES_DEFINE(vaccel_resource_type, VACCEL_RESOURCE, VACCEL_RESOURCE_TYPE_LIST)

static struct table resources = TABLE_INIT;
static _Atomic vaccel_id_t last_closed; /* by resources_close_all() */

void resource_state_delete(struct resource_state *state)
{
	struct vaccel_resource *own = &state->own;

	resource_drop_blobs(state);
	for (size_t i = 0; i < own->nr_paths; i++)
		free(own->paths[i]);
	free(own->paths);
	id_list_clear(&state->sessions);
	pthread_mutex_destroy(&state->slots.lock);
	pthread_mutex_destroy(&state->lock);
	free(state);
}

int resource_publish(struct vaccel_resource *res, struct resource_state **state)
{
	struct resource_state *ready = *state;
	int ret = table_insert(&resources, ready, &ready->own.id, &ready->entry);

	if (ret)
		return ret;
	ready->own.state = ready;
	*res = ready->own;
	atomic_store_explicit(&ready->shown, res, memory_order_release);
	*state = NULL;
	vaccel_debug("resource %" PRId64 ": made", res->id);
	return VACCEL_OK;
}

void resource_show(struct resource_state *state)
{
	struct vaccel_resource *res = atomic_load(&state->shown);

	res->rundir = state->own.rundir;
	res->blobs = state->own.blobs;
	res->nr_blobs = state->own.nr_blobs;
}

struct resource_state *resource_find(const struct vaccel_resource *res)
{
	struct table_entry *entry = res ? table_get(&resources, res->id) : NULL;
	struct resource_state *state;

	if (!entry)
		return NULL;
	state = atomic_load(&entry->object);
	if (atomic_load_explicit(&state->shown, memory_order_acquire) == res)
		return state;
	table_unref(&resources, entry);
	return NULL;
}

void resource_state_unref(struct resource_state *state)
{
	if (state)
		table_unref(&resources, state->entry);
}

int resource_fail_not_live(void)
{
	return vaccel_fail(VACCEL_EINVAL, "the resource is NULL or released already");
}

struct vaccel_resource *resource_get(vaccel_id_t id)
{
	struct table_entry *entry = table_get(&resources, id);
	struct vaccel_resource *shown;
	struct resource_state *state;

	if (!entry)
		return NULL;
	state = atomic_load(&entry->object);
	shown = atomic_load_explicit(&state->shown, memory_order_acquire);
	if (!shown)
		table_unref(&resources, entry);
	return shown;
}

void vaccel_resource_unref(struct vaccel_resource *resource)
{
	if (resource)
		resource_state_unref(resource->state);
}

/* Ending */

/* Claims the end of a resource for one caller and unregisters it everywhere. */
static bool begin_closing(struct resource_state *state)
{
	size_t position = 0;
	vaccel_id_t session;

	SCOPED_LOCK(&state->lock);
	if (state->closing)
		return false;
	state->closing = true;
	while ((session = id_list_next(&state->sessions, &position)))
		session_detach_by_id(session, state->own.id);
	return true;
}

int vaccel_resource_release(struct vaccel_resource *res)
{
	struct resource_state *state = resource_find(res);
	bool closing;

	if (!state && res && res->id > 0 && res->id <= atomic_load(&last_closed)) {
		*res = (struct vaccel_resource){0};
		return VACCEL_OK;
	}
	closing = state && begin_closing(state);
	resource_state_unref(state);
	if (!closing)
		return resource_fail_not_live();
	table_remove(&resources, state->entry);
	slots_close(&state->slots, res);
	vaccel_debug("resource %" PRId64 ": released", state->own.id);
	resource_state_delete(state);
	*res = (struct vaccel_resource){0};
	return VACCEL_OK;
}

int vaccel_resource_delete(struct vaccel_resource *res)
{
	return DELETE(res, vaccel_resource_release);
}

static bool add_to_list(void *object, void *context)
{
	struct resource_state *state = object, **list = context;

	state->next = *list;
	*list = state;
	return true;
}

void resources_before_fork(void)
{
	table_before_fork(&resources);
}

/* Its blobs may be half made, by a thread that the child has not; the parent's files stay. */
static void forget_resolving(struct resource_state *state)
{
	state->own.blobs = NULL;
	state->own.nr_blobs = 0;
	state->own.rundir = NULL;
}

/* A lock is held for long, as while large files are read, so that no fork waits for it. */
static bool free_locks(void *object, void *context)
{
	struct resource_state *state = object;

	if (unlock_in_child(&state->lock) && !state->resolved)
		forget_resolving(state);
	unlock_in_child(&state->slots.lock);
	id_list_after_fork(&state->sessions);
	return true;
}

void resources_after_fork(bool in_child)
{
	table_after_fork(&resources, in_child);
	if (in_child)
		table_each(&resources, free_locks, NULL);
}

void resources_close_all(void)
{
	struct resource_state *list = NULL;
	vaccel_id_t last = atomic_load(&last_closed);

	table_each(&resources, add_to_list, &list);
	table_clear(&resources);
	for (const struct resource_state *state = list; state; state = state->next)
		last = MAX_OF(last, state->own.id);
	atomic_store(&last_closed, last);
	/* See sessions_close_all(). */
	while (list) {
		struct resource_state *state = list;

		list = state->next;
		slots_close(&state->slots, &state->own);
		resource_state_delete(state);
	}
}

/* Finding */

long vaccel_resource_refcount(const struct vaccel_resource *res)
{
	_cleanup_(resource_state_unrefp) struct resource_state *state = resource_find(res);

	if (!state)
		return -resource_fail_not_live();
	return (long)id_list_count(&state->sessions);
}

int vaccel_resource_get_by_id(struct vaccel_resource **ret_res, vaccel_id_t id)
{
	struct vaccel_resource *res;
	int ret;

	if (!ret_res)
		return vaccel_fail(VACCEL_EINVAL, "no place for the resource");
	ret = ready_check(VACCEL_EPERM);
	if (ret)
		return ret;
	res = resource_get(id);
	if (!res)
		return vaccel_fail(VACCEL_ENOENT, "no resource has the id %" PRId64, id);
	vaccel_resource_unref(res);
	*ret_res = res;
	return VACCEL_OK;
}

struct found {
	vaccel_id_t id;
	struct vaccel_resource *res;
};

/* Live resources of one type, as far as there was memory. */
struct search {
	vaccel_resource_type_t type;
	struct found *found;
	size_t nr;
	size_t room;
	bool no_memory;
};

static bool add_if_type(void *object, void *context)
{
	struct resource_state *state = object;
	struct vaccel_resource *res = atomic_load(&state->shown);
	struct search *search = context;

	if (!res || res->type != search->type)
		return true;
	if (search->nr == search->room) {
		size_t room = search->room ? 2 * search->room : 16;
		struct found *larger = reallocarray(search->found, room, sizeof(*larger));

		search->no_memory = !larger;
		if (!larger)
			return false;
		search->found = larger;
		search->room = room;
	}
	search->found[search->nr++] = (struct found){state->own.id, res};
	return true;
}

static int compare_found(const void *a, const void *b)
{
	const struct found *left = a, *right = b;

	return left->id < right->id ? -1 : left->id > right->id;
}

/* The array belongs to the caller, also after an error. */
static int find_by_type(vaccel_resource_type_t type, struct search *ret_search)
{
	int ret;

	*ret_search = (struct search){.type = type};
	if ((int)type < 0 || type >= VACCEL_RESOURCE_MAX)
		return vaccel_fail(VACCEL_EINVAL, "there is no resource type %d", (int)type);
	ret = ready_check(VACCEL_EPERM);
	if (ret)
		return ret;
	table_each(&resources, add_if_type, ret_search);
	if (ret_search->no_memory)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a list of resources");
	if (!ret_search->nr)
		return vaccel_fail(VACCEL_ENOENT, "there is no resource of type %s",
				   vaccel_resource_type_to_base_str(type));
	qsort(ret_search->found, ret_search->nr, sizeof(struct found), compare_found);
	return VACCEL_OK;
}

int vaccel_resource_get_by_type(struct vaccel_resource **ret_res, vaccel_resource_type_t type)
{
	struct search search;
	int ret;

	if (!ret_res)
		return vaccel_fail(VACCEL_EINVAL, "no place for the resource");
	ret = find_by_type(type, &search);
	if (!ret)
		*ret_res = search.found[0].res;
	free(search.found);
	return ret;
}

int vaccel_resource_get_all_by_type(struct vaccel_resource ***ret_res, size_t *ret_nr,
				    vaccel_resource_type_t type)
{
	struct vaccel_resource **all = NULL;
	struct search search;
	int ret;

	if (!ret_res || !ret_nr)
		return vaccel_fail(VACCEL_EINVAL, "no place for the resources or their number");
	ret = find_by_type(type, &search);
	if (!ret && !(all = calloc(search.nr, sizeof(struct vaccel_resource *))))
		ret = vaccel_fail(VACCEL_ENOMEM, "no memory for a list of resources");
	for (size_t i = 0; !ret && i < search.nr; i++)
		all[i] = search.found[i].res;
	free(search.found);
	if (!ret)
		*ret_res = all;
	if (!ret || ret == VACCEL_ENOENT)
		*ret_nr = search.nr;
	return ret;
}

/* Registering */

/* What a registration has changed so far. */
struct change {
	bool resolved; /* the resource's paths have become blobs */
	bool attached; /* the session has the resource now, and had it not before */
};

/* Looks its files up, if nobody did, and lists it with the session. */
static int attach(struct resource_state *state, struct vaccel_session *sess,
		  struct change *ret_change)
{
	SCOPED_LOCK(&state->lock);
	bool fresh = !state->resolved;
	bool known = id_list_has(&state->sessions, sess->id);
	int ret;

	if (state->closing)
		return resource_fail_not_live();
	ret = fresh ? resource_resolve(state) : VACCEL_OK;
	if (ret)
		return ret;
	if (fresh)
		resource_show(state);
	ret = id_list_add(&state->sessions, sess->id);
	if (!ret)
		ret = session_attach(sess, state->own.id);
	if (!ret) {
		*ret_change = (struct change){fresh, !known};
		return VACCEL_OK;
	}
	id_list_remove(&state->sessions, sess->id);
	if (fresh) {
		resource_drop_blobs(state);
		resource_show(state);
	}
	return ret;
}

static int detach(struct resource_state *state, struct vaccel_session *sess)
{
	SCOPED_LOCK(&state->lock);
	int ret = session_detach(sess, state->own.id);

	if (!ret)
		id_list_remove(&state->sessions, sess->id);
	return ret;
}

/* A registration that a plugin refused leaves the resource as it was. */
static void undo(struct resource_state *state, struct vaccel_session *sess, struct change change)
{
	if (change.attached && !detach(state, sess))
		session_unregister(sess, atomic_load(&state->shown));
	SCOPED_LOCK(&state->lock);
	if (!change.resolved || state->closing || id_list_count(&state->sessions))
		return;
	resource_drop_blobs(state);
	resource_show(state);
}

int vaccel_resource_register(struct vaccel_resource *res, struct vaccel_session *sess)
{
	_cleanup_(resource_state_unrefp) struct resource_state *state = resource_find(res);
	struct change change = {0};
	int ret;

	if (!state)
		return resource_fail_not_live();
	ret = session_check(sess);
	if (!ret)
		ret = attach(state, sess, &change);
	if (ret)
		return ret;
	ret = session_register(sess, res);
	if (ret)
		undo(state, sess, change);
	return ret;
}

int vaccel_resource_unregister(struct vaccel_resource *res, struct vaccel_session *sess)
{
	_cleanup_(resource_state_unrefp) struct resource_state *state = resource_find(res);
	int ret;

	if (!state)
		return resource_fail_not_live();
	ret = session_check(sess);
	if (!ret)
		ret = detach(state, sess);
	if (!ret)
		session_unregister(sess, res);
	return ret;
}

int vaccel_resource_with_blobs(struct vaccel_resource *resource, vaccel_resource_use_fn *use,
			       void *context)
{
	_cleanup_(resource_state_unrefp) struct resource_state *state = resource_find(resource);

	if (!state)
		return resource_fail_not_live();
	if (!use)
		return vaccel_fail(VACCEL_EINVAL, "there is nobody to use the blobs");
	SCOPED_LOCK(&state->lock);
	return use(resource, context);
}

void resource_forget_session(vaccel_id_t resource, vaccel_id_t session)
{
	struct table_entry *entry = table_get(&resources, resource);
	struct resource_state *state;

	if (!entry)
		return;
	state = atomic_load(&entry->object);
	pthread_mutex_lock(&state->lock);
	id_list_remove(&state->sessions, session);
	pthread_mutex_unlock(&state->lock);
	table_unref(&resources, entry);
}

int vaccel_resource_sync(struct vaccel_resource *res, struct vaccel_session *sess)
{
	_cleanup_(resource_state_unrefp) struct resource_state *state = resource_find(res);
	int ret;

	if (!state)
		return resource_fail_not_live();
	ret = session_check(sess);
	if (ret)
		return ret;
	if (!id_list_has(&state->sessions, sess->id))
		return vaccel_fail(VACCEL_EPERM,
				   "resource %" PRId64 " is not registered with session %" PRId64,
				   res->id, sess->id);
	if (!res->nr_blobs || res->blobs[0]->type != VACCEL_BLOB_BUFFER)
		return vaccel_fail(VACCEL_EINVAL,
				   "resource %" PRId64 " has no bytes in memory only to bring back",
				   res->id);
	return session_sync(sess, res);
}
