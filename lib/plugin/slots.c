// SPDX-License-Identifier: Apache-2.0
/* See slots.h. The lists are as long as the plugins that met the object: one or two. */
#include <stdlib.h>

#include <vaccel/error.h>

#include "base/error.h"
#include "base/util.h"
#include "plugin/registry.h"
#include "plugin/slots.h"

struct slot {
	struct slot *next;
	const struct slot_kind *kind;
	const struct plugin *plugin;
	void *value;
};

static bool find(struct slots *slots, const struct plugin *plugin, void **ret_slot)
{
	const struct slot *slot = atomic_load_explicit(&slots->head, memory_order_acquire);

	for (; slot; slot = slot->next) {
		if (slot->plugin == plugin) {
			*ret_slot = slot->value;
			return true;
		}
	}
	return false;
}

int slots_get(struct slots *slots, const struct slot_kind *kind, const struct plugin *plugin,
	      void *object, void **ret_slot)
{
	_cleanup_(freep) struct slot *slot = NULL;
	int ret;

	if (find(slots, plugin, ret_slot))
		return VACCEL_OK;
	SCOPED_LOCK(&slots->lock);
	if (find(slots, plugin, ret_slot))
		return VACCEL_OK;
	slot = malloc(sizeof(*slot));
	if (!slot)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for plugin %s's slot",
				   plugin->desc.info->name);
	*slot = (struct slot){.kind = kind, .plugin = plugin};
	error_code_forget();
	ret = plugin_result(&plugin->desc, kind->what, kind->open(plugin, object, &slot->value));
	if (ret)
		return ret;
	*ret_slot = slot->value;
	slot->next = atomic_load(&slots->head);
	atomic_store_explicit(&slots->head, TAKE(slot), memory_order_release);
	return VACCEL_OK;
}

int slots_each(struct slots *slots,
	       int (*visit)(const struct plugin *plugin, void *slot, void *context), void *context)
{
	int ret = VACCEL_OK;

	SCOPED_LOCK(&slots->lock);
	for (const struct slot *slot = atomic_load(&slots->head); !ret && slot; slot = slot->next)
		ret = visit(slot->plugin, slot->value, context);
	return ret;
}

void slots_close(struct slots *slots, void *object)
{
	struct slot *slot = atomic_exchange(&slots->head, NULL);

	while (slot) {
		struct slot *next = slot->next;

		slot->kind->close(slot->plugin, object, slot->value);
		free(slot);
		slot = next;
	}
}
