// SPDX-License-Identifier: Apache-2.0
/* Where the models are that are used if a session has none. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <vaccel/log.h>

#include "vision/model.h"

static const struct vaccel_knob knob = VISION_KNOB_MODEL_PATH;

/* Whether the directory of a task lies in @dir; its path then. */
static bool find_below(const char *dir, size_t length, enum card_task task,
		       char path[MODEL_PATH_SIZE])
{
	int used = snprintf(path, MODEL_PATH_SIZE, "%.*s/%s/model.json", (int)length, dir,
			    card_task_name(task));

	if (!length || used >= MODEL_PATH_SIZE || access(path, F_OK))
		return false;
	*strrchr(path, '/') = '\0';
	return true;
}

static void own_directory(char path[MODEL_PATH_SIZE])
{
	snprintf(path, MODEL_PATH_SIZE, "%s/models", vaccel_datadir());
}

int model_default_find(enum card_task task, char path[MODEL_PATH_SIZE])
{
	const char *list = vaccel_knob_text(&knob);
	char own[MODEL_PATH_SIZE];

	for (const char *at = list ? list : ""; *at; at += strspn(at, ":")) {
		size_t length = strcspn(at, ":");

		if (find_below(at, length, task, path))
			return VACCEL_OK;
		at += length;
	}
	own_directory(own);
	if (find_below(own, strlen(own), task, path))
		return VACCEL_OK;
	return vaccel_fail(VACCEL_ENOENT,
			   "there is no model: none is registered with the session, and where the "
			   "work is done no %s/model.json is in %s%s%s; register a MODEL, name one "
			   "to the command vaccel by --model, or set %s there",
			   card_task_name(task), list ? list : "", list ? " or " : "", own,
			   knob.name);
}

void model_default_remark(enum card_task task, const char *path)
{
	const char *list = vaccel_knob_text(&knob);
	char own[MODEL_PATH_SIZE];

	own_directory(own);
	if (list && *list && !strncmp(path, own, strlen(own)))
		vaccel_warn("no %s/model.json is in %s, which %s names; taking the one in %s",
			    card_task_name(task), list, knob.name, own);
}

void vision_report(vaccel_plugin_report_fn *say, void *context)
{
	char path[MODEL_PATH_SIZE], key[64];

	for (enum card_task task = 0; task < CARD_NR_TASKS; task++) {
		bool found = !model_default_find(task, path);

		/* Where there is none, one sentence says where it would be. */
		if (task != CARD_CLASSIFY && !found)
			continue;
		snprintf(key, sizeof(key), "default for %s", card_task_name(task));
		say(context, key, found ? path : vaccel_error_text());
	}
}
