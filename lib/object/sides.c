// SPDX-License-Identifier: Apache-2.0
/*
 * The plugins' own sides of sessions and resources, kept in step: where a session's
 * work is done elsewhere, what is registered here has to be there, too. A
 * session's slots are locked meanwhile, so that a side that is being made and a
 * resource that is being registered do not miss each other.
 */
#include <vaccel/plugin.h>

#include "base/error.h"
#include "base/util.h"
#include "object/resource.h"
#include "object/session.h"
#include "plugin/registry.h"

static int open_resource(const struct plugin *plugin, void *object, void **ret_value)
{
	if (!plugin->desc.resource_open)
		return vaccel_fail(VACCEL_ENOTSUP, "plugin %s keeps nothing for resources",
				   plugin->desc.info->name);
	return plugin->desc.resource_open(object, ret_value);
}

static void close_resource(const struct plugin *plugin, void *object, void *value)
{
	if (plugin->desc.resource_close)
		plugin->desc.resource_close(object, value);
}

const struct slot_kind slots_resource = {"take a resource", open_resource, close_resource};

/* A session, and what is to be done with it; @resource may be NULL. */
struct side {
	struct vaccel_session *sess;
	struct vaccel_resource *resource;
	uint32_t hint;
	bool met; /* the plugin that the session prefers */
};

static int resource_slot(const struct plugin *plugin, struct vaccel_resource *resource,
			 void **ret_slot)
{
	*ret_slot = NULL;
	if (!plugin->desc.resource_open)
		return VACCEL_OK;
	return slots_get(&resource->state->slots, &slots_resource, plugin, resource, ret_slot);
}

static int register_there(const struct plugin *plugin, void *slot, void *context)
{
	const struct side *side = context;
	const struct session_state *state = side->sess->state;
	void *resource_side;
	int ret;

	/* Another thread may have unregistered it since. */
	if (!plugin->desc.resource_register || !id_list_has(&state->resources, side->resource->id))
		return VACCEL_OK;
	ret = resource_slot(plugin, side->resource, &resource_side);
	if (ret)
		return ret;
	error_code_forget();
	ret = plugin->desc.resource_register(side->sess, slot, side->resource, resource_side);
	return plugin_result(&plugin->desc, "register a resource", ret);
}

static int unregister_there(const struct plugin *plugin, void *slot, void *context)
{
	const struct side *side = context;
	void *resource_side;

	if (plugin->desc.resource_unregister &&
	    !resource_slot(plugin, side->resource, &resource_side))
		plugin->desc.resource_unregister(side->sess, slot, side->resource, resource_side);
	return VACCEL_OK;
}

int session_register(struct vaccel_session *sess, struct vaccel_resource *resource)
{
	struct side side = {.sess = sess, .resource = resource};

	return slots_each(&sess->state->slots, register_there, &side);
}

void session_unregister(struct vaccel_session *sess, struct vaccel_resource *resource)
{
	struct side side = {.sess = sess, .resource = resource};

	slots_each(&sess->state->slots, unregister_there, &side);
}

/* All that the session has already, in its order. */
static int register_all(const struct plugin *plugin, struct vaccel_session *sess, void *slot)
{
	struct side side = {.sess = sess};
	size_t position = 0;
	vaccel_id_t id;
	int ret = VACCEL_OK;

	while (!ret && (id = id_list_next(&sess->state->resources, &position))) {
		side.resource = resource_get(id);
		if (side.resource)
			ret = register_there(plugin, slot, &side);
		vaccel_resource_unref(side.resource);
	}
	return ret;
}

static void close_session(const struct plugin *plugin, void *object, void *value)
{
	if (plugin->desc.session_close)
		plugin->desc.session_close(object, value);
}

static int open_session(const struct plugin *plugin, void *object, void **ret_value)
{
	void *slot;
	int ret;

	if (!plugin->desc.session_open)
		return vaccel_fail(VACCEL_ENOTSUP, "plugin %s keeps nothing for sessions",
				   plugin->desc.info->name);
	ret = plugin->desc.session_open(object, &slot);
	if (ret)
		return ret;
	if (plugin->desc.resource_register)
		ret = register_all(plugin, object, slot);
	if (ret)
		close_session(plugin, object, slot);
	else
		*ret_value = slot;
	return ret;
}

const struct slot_kind slots_session = {"open a session", open_session, close_session};

static int update_there(const struct plugin *plugin, void *slot, void *context)
{
	const struct side *side = context;

	if (!plugin->desc.session_update)
		return VACCEL_OK;
	error_code_forget();
	return plugin_result(&plugin->desc, "update a session",
			     plugin->desc.session_update(side->sess, slot, side->hint));
}

int session_update_sides(struct vaccel_session *sess, uint32_t hint)
{
	struct side side = {.sess = sess, .hint = hint};

	return slots_each(&sess->state->slots, update_there, &side);
}

static int sync_with(const struct vaccel_plugin *plugin, const struct side *side)
{
	if (!plugin->resource_sync)
		return VACCEL_OK;
	error_code_forget();
	return plugin_result(plugin, "bring a resource back",
			     plugin->resource_sync(side->sess, side->resource));
}

static int sync_there(const struct plugin *plugin, void *slot, void *context)
{
	struct side *side = context;

	side->met |= &plugin->desc == side->sess->plugin;
	return sync_with(&plugin->desc, side);
}

int session_sync(struct vaccel_session *sess, struct vaccel_resource *resource)
{
	struct side side = {.sess = sess, .resource = resource};
	int ret = slots_each(&sess->state->slots, sync_there, &side);

	/* One that keeps nothing for sessions may still know. */
	if (!ret && !side.met)
		ret = sync_with(sess->plugin, &side);
	return ret;
}
