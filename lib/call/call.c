// SPDX-License-Identifier: Apache-2.0
/*
 * The way of every operation: check the arguments, choose the plugin, run it.
 * It takes no lock and touches no memory that another call writes, so that
 * calls of several threads on one session do not slow each other.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <vaccel/log.h>
#include <vaccel/ops/describe.h>
#include <vaccel/plugin.h>
#include <vaccel/prof.h>

#include "base/error.h"
#include "base/prof.h"
#include "base/ready.h"
#include "base/util.h"
#include "call/call.h"
#include "object/session.h"
#include "plugin/registry.h"

/* So many elements of any scalar type are fewer bytes than memory can have. */
#define PLAIN_COUNT_MAX (PTRDIFF_MAX / 8)

#define REGION(name, NAME) VACCEL_PROF_REGION_INIT("vaccel_" #name),
static struct vaccel_prof_region regions[] = {VACCEL_OP_NAME_LIST(REGION)};

/*
 * The first plugin in the session's order that takes the call. Remembered for
 * the session, unless it or one before it wants to see each call's arguments.
 */
static int choose(struct vaccel_call *call, const struct binding **ret_binding)
{
	const struct binding *binding;
	bool for_good = true;
	size_t position = 0;
	int ret;

	do {
		ret = registry_choose(call->op, call->sess->hint, &position, &binding);
		if (ret)
			return ret;
		call->plugin = binding->plugin;
		for_good = for_good && !call->plugin->desc.supports;
	} while (call->plugin->desc.supports &&
		 !call->plugin->desc.supports(call, call->op, call->args));
	vaccel_debug("session %" PRId64 ": %s goes to plugin %s", call->sess->id, call->op->name,
		     call->plugin->desc.info->name);
	if (for_good)
		atomic_store_explicit(&call->sess->state->choice[call->op->index], binding,
				      memory_order_release);
	*ret_binding = binding;
	return VACCEL_OK;
}

/* A plugin that failed without a word still gets a sentence. */
static int in_words(const struct vaccel_call *call, int ret)
{
	if (error_code_now() == ret)
		return ret;
	return vaccel_fail(ret, "plugin %s could not run '%s': %s", call->plugin->desc.info->name,
			   call->op->name, strerror(ret));
}

/* Memory of a size beyond doubt: what most arguments are, and all that need be known of them. */
static bool is_plain_memory(const struct vaccel_field *field, const void *args)
{
	struct extent extent;

	if (field->kind != VACCEL_KIND_SPAN && field->kind != VACCEL_KIND_TEXT)
		return false;
	if (field->kind == VACCEL_KIND_TEXT && field->dir == VACCEL_DIR_IN)
		return false;
	extent = extent_get(args, field);
	return extent.data && extent.count <= PLAIN_COUNT_MAX;
}

static int check(const struct vaccel_call *call)
{
	const struct vaccel_op *op = call->op;
	int ret = VACCEL_OK;

	for (size_t i = 0; !ret && i < op->nr_fields; i++)
		if (!is_plain_memory(&op->fields[i], call->args))
			ret = field_check(op, &op->fields[i], call->sess, call->args);
	if (!ret && op->check)
		ret = op->check(call->args);
	return ret;
}

static int run_measured(struct vaccel_call *call, const struct binding *binding)
{
	int ret;

	vaccel_prof_region_start(&regions[call->op->index]);
	ret = binding->run(call, call->args);
	vaccel_prof_region_stop(&regions[call->op->index]);
	return ret;
}

static int fail(struct vaccel_call *call, int ret)
{
	args_drop_outputs(call->op, call->args);
	return in_words(call, ret);
}

int vaccel_call(struct vaccel_session *sess, const struct vaccel_op *op, void *args)
{
	struct vaccel_call call = {.op = op, .sess = sess, .args = args};
	const struct binding *binding;
	int ret;

	/* Zero is no epoch of a session that is open, nor of a library that is ready. */
	if (unlikely(!sess || !sess->epoch || sess->epoch != atomic_load(&ready_epoch)))
		return session_check(sess);
	error_code_forget();
	ret = check(&call);
	if (unlikely(ret))
		return ret;
	binding = atomic_load_explicit(&sess->state->choice[op->index], memory_order_acquire);
	if (unlikely(!binding)) {
		ret = choose(&call, &binding);
		if (ret)
			return ret;
	}
	call.plugin = binding->plugin;
	ret = prof_is_on() ? run_measured(&call, binding) : binding->run(&call, args);
	return likely(!ret) ? VACCEL_OK : fail(&call, ret);
}

void profile_forget(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(regions); i++)
		prof_region_forget(&regions[i]);
}

void profile_report(void)
{
	if (prof_is_on())
		vaccel_prof_regions_print_all(regions, ARRAY_SIZE(regions));
	profile_forget();
}
