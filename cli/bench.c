// SPDX-License-Identifier: Apache-2.0
/* vaccel bench: prints what the suites of bench/ measure, a row as soon as it is known. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/describe.h"
#include "bench/measure.h"
#include "command.h"

#define NAME_WIDTH 40

/* What is to be reached, each figure that has a goal, and whether it was. */
static void put_goals(const struct bench_row *row, const struct bench_result *result)
{
	const char *sign = bench_is_rate(row) ? ">=" : "<=";

	if (row->goal != 0)
		printf("  ratio %s %g", sign, row->goal);
	if (row->value_goal != 0)
		printf("  value %s %g", sign, row->value_goal);
	if (row->p99_goal != 0)
		printf("  p99 <= %g limits", row->p99_goal);
	if (!bench_reached(row, result))
		terminal_put(STYLE_BAD, 0, "  missed");
}

static int put_row(void *unused, const struct bench_row *row, const struct bench_result *result)
{
	(void)unused;
	terminal_put(STYLE_HEADING, NAME_WIDTH, row->name);
	if (result->skipped) {
		printf("  skipped: %s\n", result->skipped);
		return VACCEL_OK;
	}
	if (result->limit != 0)
		printf("%10.2f %10.2f %10.2f %-7s %8.3f", result->value, result->p99, result->limit,
		       row->unit, result->ratio);
	else
		printf("%10.2f %21s %-7s %8s", result->value, "", row->unit, "");
	put_goals(row, result);
	putchar('\n');
	fflush(stdout);
	return VACCEL_OK;
}

static void add_goals(struct json_object *json, const struct bench_row *row,
		      const struct bench_result *result)
{
	if (row->goal != 0)
		json_put(json, "ratio_goal", json_number(row->goal));
	if (row->value_goal != 0)
		json_put(json, "value_goal", json_number(row->value_goal));
	if (row->p99_goal != 0)
		json_put(json, "p99_goal", json_number(row->p99_goal * result->limit));
	if (row->goal != 0 || row->value_goal != 0 || row->p99_goal != 0)
		json_put(json, "reached", json_object_new_boolean(bench_reached(row, result)));
}

static int add_row(void *array, const struct bench_row *row, const struct bench_result *result)
{
	struct json_object *json = json_object_new_object();

	json_put(json, "name", json_text(row->name));
	if (result->skipped) {
		json_put(json, "skipped", json_text(result->skipped));
	} else {
		json_put(json, "value", json_number(result->value));
		json_put(json, "unit", json_text(row->unit));
		json_put(json, "p99", json_number(result->p99));
		json_put(json, "limit", json_number(result->limit));
		json_put(json, "ratio", json_number(result->ratio));
		add_goals(json, row, result);
	}
	json_append(array, json);
	return VACCEL_OK;
}

static int run_rpc(const struct bench_models *models, bench_show *show, void *context)
{
	char program[PATH_MAX] = "";

	/* The agent lies beside this command. */
	if (readlink("/proc/self/exe", program, sizeof(program) - 1) < 0)
		return vaccel_fail(errno, "cannot tell where this command lies: %s",
				   strerror(errno));
	return bench_rpc(program, models, show, context);
}

/* Before minutes are spent on what comes before them. */
static int look_for(const struct bench_models *models)
{
	if (models->picture && access(models->picture, R_OK))
		return vaccel_fail(errno, "cannot read the picture '%s': %s", models->picture,
				   strerror(errno));
	for (const char *const *model = models->models; model && *model; model++)
		if (access(*model, R_OK))
			return vaccel_fail(errno, "cannot read the model '%s': %s", *model,
					   strerror(errno));
	return VACCEL_OK;
}

/* The operands after the suite are models; the list of operands ends in NULL. */
static int run(const struct options *options, bench_show *show, void *context)
{
	const struct bench_models models = {
		.models = options->nr_operands > 1 ? (const char *const *)options->operands + 1
						   : NULL,
		.picture = options->picture,
		.brief = options->brief,
	};
	int ret = look_for(&models);

	if (ret)
		return ret;
	if (!strcmp(options->operands[0], "call"))
		return bench_call(show, context);
	if (!strcmp(options->operands[0], "sgemm"))
		return bench_sgemm(show, context);
	if (!strcmp(options->operands[0], "rpc"))
		return run_rpc(&models, show, context);
	if (!strcmp(options->operands[0], "vm"))
		return bench_vm(&models, show, context);
	if (!strcmp(options->operands[0], "infer"))
		return bench_infer(&models, show, context);
	return bench_model(options->operands[0], &models, show, context);
}

static bool is_suite(const char *name)
{
	static const char *const suites[] = {"call",   "infer", "sgemm", "tf",
					     "tflite", "torch", "rpc",	 "vm"};

	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
		if (!strcmp(name, suites[i]))
			return true;
	return false;
}

int bench_main(const struct options *options)
{
	struct json_object *json;
	int ret;

	if (!is_suite(options->operands[0])) {
		complain(
			"bench has the suites call, infer, sgemm, tf, tflite, torch, rpc and vm, not "
			"'%s'",
			options->operands[0]);
		return STATUS_USAGE;
	}
	if (!strcmp(options->operands[0], "rpc") && bench_rpc_settle(options->argv)) {
		complain("%s", vaccel_error_text());
		return STATUS_FAILED;
	}
	if (!options->json)
		printf("%-*s%10s %10s %10s %16s\n", NAME_WIDTH, "", "value", "p99", "limit",
		       "ratio");
	json = options->json ? json_object_new_array() : NULL;
	ret = run(options, json ? add_row : put_row, json);
	if (ret)
		complain("%s", vaccel_error_text());
	if (json)
		json_print(json);
	return ret ? STATUS_FAILED : STATUS_OK;
}
