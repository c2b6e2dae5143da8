// SPDX-License-Identifier: Apache-2.0
/*
 * Sessions. The program owns struct vaccel_session; what the library needs
 * beside it is in a struct session_state, which goes at release or, for a
 * session that the program forgot, at cleanup. A program's struct is never
 * written to at cleanup, since it may be gone: its epoch tells that it is stale.
 */
#include <inttypes.h>
#include <stdlib.h>

#include <vaccel/log.h>
#include <vaccel/ops/noop.h>
#include <vaccel/plugin.h>

#include "base/new.h"
#include "base/ready.h"
#include "base/util.h"
#include "file/rundir.h"
#include "object/resource.h"
#include "object/session.h"
#include "plugin/registry.h"

static struct table sessions = TABLE_INIT;

int session_check(const struct vaccel_session *sess)
{
	if (!sess)
		return vaccel_fail(VACCEL_EINVAL, "the session is NULL");
	if (ready_check(VACCEL_ESESS))
		return VACCEL_ESESS;
	if (sess->id <= 0 || !sess->state)
		return vaccel_fail(VACCEL_EINVAL, "the session is not open");
	if (sess->epoch != atomic_load_explicit(&ready_epoch, memory_order_acquire))
		return vaccel_fail(VACCEL_ESESS,
				   "session %" PRId64 " was closed by a cleanup; open a new one",
				   sess->id);
	return VACCEL_OK;
}

static void state_delete(struct session_state *state)
{
	if (!state)
		return;
	if (state->rundir)
		rundir_remove_tree(state->rundir);
	free(state->rundir);
	id_list_clear(&state->resources);
	pthread_mutex_destroy(&state->slots.lock);
	pthread_mutex_destroy(&state->lock);
	free(state);
}

static void state_deletep(struct session_state **state)
{
	state_delete(*state);
}

static struct session_state *state_new(struct vaccel_session *sess)
{
	struct session_state *state = calloc(1, sizeof(*state));

	if (!state) {
		vaccel_fail(VACCEL_ENOMEM, "no memory for a session");
		return NULL;
	}
	state->sess = sess;
	pthread_mutex_init(&state->lock, NULL);
	pthread_mutex_init(&state->slots.lock, NULL);
	return state;
}

/* A session whose work may all be done elsewhere is opened there at once. */
static int open_remote(struct vaccel_session *sess, struct plugin *plugin)
{
	const struct binding *binding;
	size_t position = 0;
	void *slot;
	int ret;

	if (!(plugin->desc.info->type & VACCEL_PLUGIN_REMOTE))
		return VACCEL_OK;
	sess->is_virtio = true;
	if (!insists_on_remote(sess->hint) && registry_has_local())
		return VACCEL_OK;
	ret = registry_choose(&vaccel_op_noop, sess->hint, &position, &binding);
	if (ret || !plugin->desc.session_open)
		return ret;
	return slots_get(&sess->state->slots, &slots_session, plugin, sess, &slot);
}

int vaccel_session_init(struct vaccel_session *sess, uint32_t flags)
{
	_cleanup_(state_deletep) struct session_state *state = NULL;
	struct vaccel_session fresh = {.hint = flags};
	struct plugin *plugin;
	int ret;

	if (!sess)
		return vaccel_fail(VACCEL_EINVAL, "the session is NULL");
	ret = ready_or_why();
	if (!ret)
		ret = registry_prefer(flags, &plugin);
	if (ret)
		return ret;
	state = state_new(sess);
	if (!state)
		return VACCEL_ENOMEM;
	fresh.plugin = &plugin->desc;
	fresh.state = state;
	fresh.epoch = atomic_load(&ready_epoch);
	ret = table_insert(&sessions, state, &fresh.id, &state->entry);
	if (ret)
		return ret;
	*sess = fresh;
	ret = open_remote(sess, plugin);
	if (ret) {
		table_remove(&sessions, state->entry);
		*sess = (struct vaccel_session){0};
		return ret;
	}
	state = NULL; /* the session's now */
	vaccel_debug("session %" PRId64 ": opened, prefers plugin %s", sess->id,
		     plugin->desc.info->name);
	return VACCEL_OK;
}

int vaccel_session_new(struct vaccel_session **ret_sess, uint32_t flags)
{
	return NEW(ret_sess, vaccel_session_init, flags);
}

int vaccel_session_release(struct vaccel_session *sess)
{
	struct session_state *state;
	vaccel_id_t resource;
	size_t position = 0;
	int ret = session_check(sess);

	if (ret)
		return ret;
	state = sess->state;
	table_remove(&sessions, state->entry);
	while ((resource = id_list_next(&state->resources, &position)))
		resource_forget_session(resource, sess->id);
	slots_close(&state->slots, sess);
	state_delete(state);
	vaccel_debug("session %" PRId64 ": closed", sess->id);
	sess->id = 0;
	sess->remote_id = 0;
	sess->plugin = NULL;
	sess->state = NULL;
	sess->epoch = 0;
	return VACCEL_OK;
}

int vaccel_session_delete(struct vaccel_session *sess)
{
	int ret = vaccel_session_release(sess);

	/* After a cleanup only the program's memory is left. */
	if (ret != VACCEL_EINVAL)
		free(sess);
	return ret;
}

static bool forget_choices(void *object, void *context)
{
	struct session_state *state = object;

	for (size_t i = 0; i < OP_COUNT; i++)
		atomic_store(&state->choice[i], NULL);
	for (size_t i = 0; i < ANNOTATIONS; i++)
		atomic_store(&state->drawn[i], false);
	return true;
}

int vaccel_session_update(struct vaccel_session *sess, uint32_t flags)
{
	struct plugin *plugin;
	int ret = session_check(sess);

	if (ret)
		return ret;
	if (id_list_count(&sess->state->resources))
		return vaccel_fail(VACCEL_ENOTSUP,
				   "session %" PRId64 " has resources; unregister them first",
				   sess->id);
	ret = registry_prefer(flags, &plugin);
	if (!ret)
		ret = session_update_sides(sess, flags);
	if (ret)
		return ret;
	sess->hint = flags;
	sess->plugin = &plugin->desc;
	sess->is_virtio = plugin->desc.info->type & VACCEL_PLUGIN_REMOTE;
	forget_choices(sess->state, NULL);
	return VACCEL_OK;
}

int session_attach(struct vaccel_session *sess, vaccel_id_t resource)
{
	int ret = session_check(sess);

	if (ret)
		return ret;
	SCOPED_LOCK(&sess->state->lock);
	return id_list_add(&sess->state->resources, resource);
}

int session_detach(struct vaccel_session *sess, vaccel_id_t resource)
{
	int ret = session_check(sess);

	if (ret)
		return ret;
	SCOPED_LOCK(&sess->state->lock);
	if (id_list_remove(&sess->state->resources, resource))
		return VACCEL_OK;
	return vaccel_fail(VACCEL_EINVAL,
			   "resource %" PRId64 " is not registered with session %" PRId64, resource,
			   sess->id);
}

void session_detach_by_id(vaccel_id_t session, vaccel_id_t resource)
{
	struct table_entry *entry = table_get(&sessions, session);
	struct session_state *state;

	if (!entry)
		return;
	state = atomic_load(&entry->object);
	pthread_mutex_lock(&state->lock);
	id_list_remove(&state->resources, resource);
	pthread_mutex_unlock(&state->lock);
	table_unref(&sessions, entry);
}

int vaccel_session_get_by_id(struct vaccel_session **ret_sess, vaccel_id_t id)
{
	struct table_entry *entry;
	struct session_state *state;

	if (!ret_sess || id <= 0)
		return vaccel_fail(VACCEL_EINVAL, "id %" PRId64 " cannot be a session's", id);
	if (ready_check(VACCEL_EPERM))
		return VACCEL_EPERM;
	entry = table_get(&sessions, id);
	if (!entry)
		return vaccel_fail(VACCEL_ENOENT, "no session has the id %" PRId64, id);
	state = atomic_load(&entry->object);
	*ret_sess = state->sess;
	table_unref(&sessions, entry);
	return VACCEL_OK;
}

bool vaccel_session_has_resource(const struct vaccel_session *sess,
				 const struct vaccel_resource *resource)
{
	return sess && resource && !session_check(sess) &&
	       id_list_has(&sess->state->resources, resource->id);
}

static int check_look_up(const struct vaccel_session *sess, const void *ret_place)
{
	if (!sess || !ret_place)
		return vaccel_fail(VACCEL_EINVAL,
				   "the session or the place for the result is NULL");
	if (ready_check(VACCEL_EPERM))
		return VACCEL_EPERM;
	return session_check(sess);
}

int vaccel_session_resource_by_id(struct vaccel_session *sess,
				  struct vaccel_resource **ret_resource, vaccel_id_t id)
{
	struct vaccel_resource *resource = NULL;
	int ret = check_look_up(sess, ret_resource);

	if (ret)
		return ret;
	if (id <= 0)
		return vaccel_fail(VACCEL_EINVAL, "id %" PRId64 " cannot be a resource's", id);
	if (id_list_has(&sess->state->resources, id))
		resource = resource_get(id);
	if (!resource)
		return vaccel_fail(VACCEL_ENOENT,
				   "session %" PRId64 " has no resource with the id %" PRId64,
				   sess->id, id);
	*ret_resource = resource;
	vaccel_resource_unref(resource);
	return VACCEL_OK;
}

struct vaccel_resource *session_next_resource(const struct session_state *state, size_t *position,
					      vaccel_resource_type_t type)
{
	vaccel_id_t id;

	while ((id = id_list_next(&state->resources, position))) {
		struct vaccel_resource *resource = resource_get(id);

		if (resource && resource->type == type)
			return resource;
		vaccel_resource_unref(resource);
	}
	return NULL;
}

static int none_of_type(const struct vaccel_session *sess, vaccel_resource_type_t type)
{
	return vaccel_fail(VACCEL_ENOENT, "session %" PRId64 " has no resource of type %s",
			   sess->id, vaccel_resource_type_to_base_str(type));
}

int vaccel_session_resource_by_type(struct vaccel_session *sess,
				    struct vaccel_resource **ret_resource,
				    vaccel_resource_type_t type)
{
	struct vaccel_resource *resource;
	size_t position = 0;
	int ret = check_look_up(sess, ret_resource);

	if (ret)
		return ret;
	if ((int)type < 0 || type >= VACCEL_RESOURCE_MAX)
		return vaccel_fail(VACCEL_EINVAL, "there is no resource type %d", (int)type);
	resource = session_next_resource(sess->state, &position, type);
	if (!resource)
		return none_of_type(sess, type);
	*ret_resource = resource;
	vaccel_resource_unref(resource);
	return VACCEL_OK;
}

int vaccel_session_resources_by_type(struct vaccel_session *sess,
				     struct vaccel_resource ***ret_resources, size_t *ret_nr,
				     vaccel_resource_type_t type)
{
	_cleanup_(freep) struct vaccel_resource **found = NULL;
	struct vaccel_resource *resource;
	size_t nr = 0, position = 0;
	int ret = check_look_up(sess, ret_resources);

	if (ret)
		return ret;
	if (!ret_nr || (int)type < 0 || type >= VACCEL_RESOURCE_MAX)
		return vaccel_fail(VACCEL_EINVAL, "no place for the number, or no resource type %d",
				   (int)type);
	SCOPED_LOCK(&sess->state->lock);
	found = calloc(id_list_count(&sess->state->resources) + 1,
		       sizeof(struct vaccel_resource *));
	if (!found)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a list of resources");
	while ((resource = session_next_resource(sess->state, &position, type))) {
		found[nr++] = resource;
		vaccel_resource_unref(resource);
	}
	if (!nr)
		return none_of_type(sess, type);
	*ret_resources = TAKE(found);
	*ret_nr = nr;
	return VACCEL_OK;
}

const char *vaccel_session_rundir(struct vaccel_session *sess)
{
	if (session_check(sess))
		return NULL;
	SCOPED_LOCK(&sess->state->lock);
	if (!sess->state->rundir && rundir_make("session", &sess->state->rundir))
		return NULL;
	return sess->state->rundir;
}

void sessions_forget_choices(void)
{
	table_each(&sessions, forget_choices, NULL);
}

static bool add_to_list(void *object, void *context)
{
	struct session_state *state = object, **list = context;

	state->next = *list;
	*list = state;
	return true;
}

void sessions_before_fork(void)
{
	table_before_fork(&sessions);
}

/* See those of resources. */
static bool free_locks(void *object, void *context)
{
	struct session_state *state = object;

	unlock_in_child(&state->lock);
	unlock_in_child(&state->slots.lock);
	id_list_after_fork(&state->resources);
	return true;
}

void sessions_after_fork(bool in_child)
{
	table_after_fork(&sessions, in_child);
	if (in_child)
		table_each(&sessions, free_locks, NULL);
}

void sessions_close_all(void)
{
	struct session_state *list = NULL;

	table_each(&sessions, add_to_list, &list);
	table_clear(&sessions);
	/* Without the table's lock, which a fork takes: plugins have locks of their own, or fork.
	 */
	while (list) {
		struct session_state *state = list;

		list = state->next;
		/* The program's struct may be gone with its stack. */
		slots_close(&state->slots, NULL);
		state_delete(state);
	}
}

/* Names of older programs */
int vaccel_sess_init(struct vaccel_session *sess, uint32_t flags)
{
	return vaccel_session_init(sess, flags);
}

int vaccel_sess_update(struct vaccel_session *sess, uint32_t flags)
{
	return vaccel_session_update(sess, flags);
}

int vaccel_sess_free(struct vaccel_session *sess)
{
	return vaccel_session_release(sess);
}

bool vaccel_sess_has_resource(const struct vaccel_session *sess,
			      const struct vaccel_resource *resource)
{
	return vaccel_session_has_resource(sess, resource);
}
