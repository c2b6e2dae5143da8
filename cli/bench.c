// SPDX-License-Identifier: Apache-2.0
/* vaccel bench: prints what the suites of bench/ measure, a row as soon as it is known. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/describe.h"
#include "bench/measure.h"
#include "command.h"

#define NAME_WIDTH 32

static int put_row(void *unused, const struct bench_row *row, const struct bench_result *result)
{
	(void)unused;
	terminal_put(STYLE_HEADING, NAME_WIDTH, row->name);
	printf("%10.2f %10.2f %10.2f %2s %8.3f\n", result->value, result->p99, result->limit,
	       row->unit, result->ratio);
	fflush(stdout);
	return VACCEL_OK;
}

static int add_row(void *array, const struct bench_row *row, const struct bench_result *result)
{
	struct json_object *json = json_object_new_object();

	json_put(json, "name", json_text(row->name));
	json_put(json, "value", json_number(result->value));
	json_put(json, "unit", json_text(row->unit));
	json_put(json, "p99", json_number(result->p99));
	json_put(json, "limit", json_number(result->limit));
	json_put(json, "ratio", json_number(result->ratio));
	json_append(array, json);
	return VACCEL_OK;
}

/* The operands after the suite are models; the list of operands ends in NULL. */
static int run(const struct options *options, bench_show *show, void *context)
{
	const struct bench_models models = {
		.models = options->nr_operands > 1 ? (const char *const *)options->operands + 1
						   : NULL,
		.picture = options->picture,
	};

	if (!strcmp(options->operands[0], "call"))
		return bench_call(show, context);
	return bench_infer(&models, show, context);
}

int bench_main(const struct options *options)
{
	struct json_object *json;
	int ret;

	if (strcmp(options->operands[0], "call") != 0 &&
	    strcmp(options->operands[0], "infer") != 0) {
		complain("bench has the suites call and infer, not '%s'", options->operands[0]);
		return STATUS_USAGE;
	}
	if (!options->json)
		printf("%-*s%10s %10s %10s %11s\n", NAME_WIDTH, "", "value", "p99", "limit",
		       "ratio");
	json = options->json ? json_object_new_array() : NULL;
	ret = run(options, json ? add_row : put_row, json);
	if (ret)
		complain("%s", vaccel_error_text());
	if (json)
		json_print(json);
	return ret ? STATUS_FAILED : STATUS_OK;
}
