// SPDX-License-Identifier: Apache-2.0
/*
 * Operations by name, and the libraries that exec may run functions of: such code
 * does whatever it likes within the worker, so that none is permitted unless the policy
 * lists it.
 */
#include "agent/worker/policy.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <vaccel/error.h>
#include <vaccel/ops/exec.h>

#include "agent/worker/connection/connection.h"
#include "agent/worker/resource/resource.h"
#include "base/util.h"

static bool lists(const struct names *names, const char *name)
{
	for (unsigned int i = 0; i < names->count; i++)
		if (!strcmp(names->at[i], name))
			return true;
	return false;
}

static const struct vaccel_op *op_by_name(const char *name)
{
	const struct vaccel_op *op;

	for (size_t i = 0; (op = vaccel_op_at(i)); i++)
		if (!strcmp(op->name, name))
			return op;
	return NULL;
}

/* Where operations are not named, exec needs a list of what it may run. */
static bool permits(const struct policy *policy, const struct vaccel_op *op)
{
	if (policy->ops.count && !lists(&policy->ops, op->name))
		return false;
	if (op->number == VACCEL_OP_EXEC)
		return policy->exec_libraries.count;
	if (op->number == VACCEL_OP_EXEC_WITH_RESOURCE)
		return policy->exec_uploads.count;
	return true;
}

int policy_init(struct worker *worker)
{
	const struct policy *policy = &worker->setup.policy;
	const struct vaccel_op *op;

	for (unsigned int i = 0; i < policy->ops.count; i++)
		if (!op_by_name(policy->ops.at[i]))
			return vaccel_fail(
				VACCEL_EINVAL,
				"policy '%s': there is no operation '%s'; see vaccel ops",
				policy->name, policy->ops.at[i]);
	for (size_t i = 0; (op = vaccel_op_at(i)); i++)
		worker->permitted[op->number] = permits(policy, op);
	return VACCEL_OK;
}

/* The list that permits libraries to this operation, where there is nothing in it; else NULL. */
static const char *library_list(const struct policy *policy, const struct vaccel_op *op)
{
	if (op->number == VACCEL_OP_EXEC && !policy->exec_libraries.count)
		return "exec_libraries";
	if (op->number == VACCEL_OP_EXEC_WITH_RESOURCE && !policy->exec_uploads.count)
		return "exec_uploads";
	return NULL;
}

int policy_refuse_op(struct worker *worker, const struct vaccel_op *op)
{
	const struct policy *policy = &worker->setup.policy;
	bool is_listed = !policy->ops.count || lists(&policy->ops, op->name);
	const char *libraries = library_list(policy, op);

	count_refusal(worker, REFUSED_POLICY);
	if (is_listed)
		return vaccel_fail(VACCEL_EPERM,
				   "policy '%s' does not permit %s; the agent's administrator may "
				   "add the library to its list %s",
				   policy->name, op->name, libraries);
	return vaccel_fail(VACCEL_EPERM,
			   "policy '%s' does not permit %s; the agent's administrator may add %s "
			   "to its list ops%s%s",
			   policy->name, op->name, op->name,
			   libraries ? ", and the library to " : "", libraries ? libraries : "");
}

const char *policy_named_path(const struct vaccel_op *op, const void *args)
{
	return op->number == VACCEL_OP_EXEC ? ((const struct vaccel_exec_args *)args)->library
					    : NULL;
}

static int check_library(struct worker *worker, const struct vaccel_exec_args *args)
{
	const struct policy *policy = &worker->setup.policy;

	if (!args->library || lists(&policy->exec_libraries, args->library))
		return VACCEL_OK;
	count_refusal(worker, REFUSED_POLICY);
	return vaccel_fail(VACCEL_EPERM,
			   "policy '%s' does not permit exec of the library '%s'; the agent's "
			   "administrator may add it to its list exec_libraries",
			   policy->name, args->library);
}

static bool permits_upload(const struct policy *policy, const char *hex)
{
	for (unsigned int i = 0; i < policy->exec_uploads.count; i++)
		if (!strcasecmp(policy->exec_uploads.at[i], hex))
			return true;
	return lists(&policy->exec_uploads, "any");
}

/* Those before the last one are loaded, too. */
static int check_upload(struct worker *worker, const struct resource *resource)
{
	const struct policy *policy = &worker->setup.policy;
	char hex[DIGEST_HEX_SIZE];

	for (size_t i = 0; i < resource->nr_parts; i++) {
		digest_to_hex(resource->parts[i].digest.sha256, hex);
		if (permits_upload(policy, hex))
			continue;
		count_refusal(worker, REFUSED_POLICY);
		return vaccel_fail(VACCEL_EPERM,
				   "policy '%s' does not permit exec_with_resource of the library "
				   "with SHA-256 %s; the agent's administrator may add it to its "
				   "list exec_uploads",
				   policy->name, hex);
	}
	return VACCEL_OK;
}

int policy_check_call(const struct request *request, const void *args)
{
	struct worker *worker = request->connection->worker;

	if (request->op->number == VACCEL_OP_EXEC)
		return check_library(worker, args);
	if (request->op->number == VACCEL_OP_EXEC_WITH_RESOURCE && request->nr_resources)
		return check_upload(worker, request->resources[0]);
	return VACCEL_OK;
}
