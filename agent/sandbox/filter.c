// SPDX-License-Identifier: Apache-2.0
/*
 * Two filters made of the table of system calls, of which the kernel heeds the
 * stricter answer: one says what kills or is refused and lets all else pass, the
 * other knows what is permitted at all and answers ENOSYS to the rest. Calls
 * that pass both whatever their arguments cost next to nothing, since the kernel
 * remembers them; for others, such as the sendto() of each answer, it runs both filters, and so
 * they are trees: lists made a round trip 2 % longer.
 */
#include <errno.h>
#include <seccomp.h>
#include <string.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "agent/sandbox/parts.h"
#include "agent/sandbox/system_calls.h"
#include "base/util.h"

#define API_KILLS_PROCESSES 3 /* libseccomp's level for what the kernel can do */
#define TREE		    2 /* libseccomp's word for how to look a call up */

struct filters {
	const struct walls *walls;
	unsigned int needs;
	scmp_filter_ctx forbidding;
	scmp_filter_ctx permitting;
	int error; /* libseccomp's first, a negative errno */
};

static bool row_names(const struct system_call *row, const char *name)
{
	char one[SYSTEM_CALL_NAME_MAX];

	for (const char *at = row->names; system_call_next(&at, one);)
		if (!strcmp(one, name))
			return true;
	return false;
}

static bool row_holds(const struct filters *filters, const struct system_call *row)
{
	return system_call_holds(row, filters->walls->sandbox->role, filters->needs);
}

/* Whether there is any way to make the call and live. */
static bool is_survivable(const struct filters *filters, const char *name)
{
	const struct system_call *row;

	if (walls_declare(filters->walls, name))
		return true;
	for (size_t i = 0; (row = system_call_at(i)); i++)
		if (row->verdict != KILL && row_names(row, name) && row_holds(filters, row))
			return true;
	return false;
}

static void add_rule(struct filters *filters, scmp_filter_ctx filter, uint32_t action, int number,
		     const struct scmp_arg_cmp *when)
{
	int ret = seccomp_rule_add_array(filter, action, number, when ? 1 : 0, when);

	if (ret && ret != -EEXIST && !filters->error)
		filters->error = ret;
}

static void add(struct filters *filters, scmp_filter_ctx filter, uint32_t action, int number,
		const struct condition *when)
{
	uint64_t value = when->value == OWN_PID ? (uint64_t)getpid() : when->value;
	struct scmp_arg_cmp compare = {when->arg, SCMP_CMP_MASKED_EQ, value, value};

	switch (when->test) {
	case ALWAYS:
		add_rule(filters, filter, action, number, NULL);
		return;
	case IS:
		compare.datum_a = UINT32_MAX;
		break;
	case IS_NOT:
		compare = (struct scmp_arg_cmp){when->arg, SCMP_CMP_NE, value};
		break;
	case HAS:
		break;
	case LACKS:
		compare.datum_b = 0;
		break;
	case HAS_ANY:
		for (uint64_t bit = value & -value; value; value -= bit, bit = value & -value) {
			compare.datum_a = compare.datum_b = bit;
			add_rule(filters, filter, action, number, &compare);
		}
		return;
	}
	add_rule(filters, filter, action, number, &compare);
}

static void add_call(struct filters *filters, const struct system_call *row, const char *name)
{
	static const struct condition always = {ALWAYS};
	bool is_declared = walls_declare(filters->walls, name);
	int number = seccomp_syscall_resolve_name(name);

	/* Not a call of this machine */
	if (number < 0)
		return;
	if (!is_survivable(filters, name))
		add(filters, filters->forbidding, SCMP_ACT_KILL_PROCESS, number, &always);
	if (!is_survivable(filters, name) || !row_holds(filters, row))
		return;
	if (row->verdict == KILL)
		add(filters, filters->forbidding, SCMP_ACT_KILL_PROCESS, number, &row->when);
	if (row->verdict == REFUSE && (!is_declared || row->when.test != ALWAYS))
		add(filters, filters->forbidding, SCMP_ACT_ERRNO(EACCES), number, &row->when);
	/* What the first refuses must not be answered by the second. */
	if (row->verdict == PERMIT || (row->verdict == REFUSE && row->when.test == ALWAYS))
		add(filters, filters->permitting, SCMP_ACT_ALLOW, number, &row->when);
}

static bool is_forbidden(const char *name)
{
	const struct system_call *row;

	for (size_t i = 0; (row = system_call_at(i)); i++)
		if (row->verdict == KILL && row->roles == NOBODY && row_names(row, name))
			return true;
	return false;
}

static int add_declared(struct filters *filters, const char *name)
{
	static const struct condition always = {ALWAYS};
	int number = seccomp_syscall_resolve_name(name);

	if (number == __NR_SCMP_ERROR)
		return vaccel_fail(VACCEL_EINVAL,
				   "a plugin needs the system call '%s', which is none", name);
	if (is_forbidden(name))
		return vaccel_fail(VACCEL_EACCES,
				   "a plugin needs the system call '%s', which no sandbox permits",
				   name);
	if (number >= 0)
		add(filters, filters->permitting, SCMP_ACT_ALLOW, number, &always);
	return VACCEL_OK;
}

static int fill(struct filters *filters)
{
	const struct system_call *row;
	char name[SYSTEM_CALL_NAME_MAX];
	int ret = VACCEL_OK;

	for (size_t i = 0; i < filters->walls->nr_needs; i++) {
		const char *const *declared = filters->walls->needs[i]->system_calls;

		for (; !ret && declared && *declared; declared++)
			ret = add_declared(filters, *declared);
	}
	for (size_t i = 0; !ret && (row = system_call_at(i)); i++)
		for (const char *at = row->names; system_call_next(&at, name);)
			add_call(filters, row, name);
	if (!ret && filters->error)
		ret = vaccel_fail(-filters->error, "cannot make a filter of system calls: %s",
				  strerror(-filters->error));
	return ret;
}

static int load(struct filters *filters, struct missing *missing)
{
	int ret = seccomp_load(filters->forbidding);

	if (!ret)
		ret = seccomp_load(filters->permitting);
	if (ret)
		missing_add(missing, "this kernel does not filter system calls (%s)",
			    strerror(-ret));
	return VACCEL_OK;
}

int filter_close(const struct walls *walls, struct missing *missing)
{
	struct filters filters = {.walls = walls, .needs = walls_needs(walls)};
	int ret;

	if (seccomp_api_get() < API_KILLS_PROCESSES) {
		missing_add(missing, "this kernel does not filter system calls, or ends no process "
				     "for one");
		return VACCEL_OK;
	}
	filters.forbidding = seccomp_init(SCMP_ACT_ALLOW);
	filters.permitting = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	/* By numbers of another architecture there would be other calls. */
	if (!filters.forbidding || !filters.permitting ||
	    seccomp_attr_set(filters.forbidding, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) ||
	    seccomp_attr_set(filters.forbidding, SCMP_FLTATR_CTL_OPTIMIZE, TREE) ||
	    seccomp_attr_set(filters.permitting, SCMP_FLTATR_CTL_OPTIMIZE, TREE))
		ret = vaccel_fail(VACCEL_ENOMEM, "no memory for filters of system calls");
	else
		ret = fill(&filters);
	if (!ret)
		ret = load(&filters, missing);
	seccomp_release(filters.forbidding);
	seccomp_release(filters.permitting);
	return ret;
}
