// SPDX-License-Identifier: Apache-2.0
/*
 * vaccel doctor: one check after the other, each of which says what it found and,
 * where that is wrong, what to do. The plugins are tried in a library without any
 * others; the last check does real work in the set-up as the environment has it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/describe.h"
#include "base/library.h"
#include "command.h"

#define VERDICT_WIDTH 9
#define PREFIX	      "VACCEL_"
#define NAME_MOST     256

/* How long an agent may take to answer, unless the user has said. */
#define AGENT_PATIENCE_MS "10000"

enum verdict { FINE, DOUBTFUL, WRONG };

/* More plugins that cannot be loaded are not asked what they would have read. */
#define FAILED_MOST 32

struct doctor {
	struct json_object *json; /* NULL for text */
	size_t counts[WRONG + 1];
	const struct vaccel_plugin *failed[FAILED_MOST];
	size_t nr_failed;
};

/* A picture of one grey pixel, in PNG. */
static const uint8_t pixel[] = {
	0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48,
	0x44, 0x52, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x00, 0x00, 0x00,
	0x00, 0x3a, 0x7e, 0x9b, 0x55, 0x00, 0x00, 0x00, 0x0a, 0x49, 0x44, 0x41, 0x54, 0x78,
	0xda, 0x63, 0x68, 0x00, 0x00, 0x00, 0x82, 0x00, 0x81, 0xda, 0x45, 0x08, 0x3b, 0x00,
	0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
};

static __attribute__((format(printf, 4, 5))) void find(struct doctor *doctor, enum verdict verdict,
						       const char *what_to_do, const char *format,
						       ...)
{
	static const char *const words[] = {"fine", "doubtful", "wrong"};
	static const enum style styles[] = {STYLE_GOOD, STYLE_DOUBTFUL, STYLE_BAD};
	char sentence[2048];
	struct json_object *json;
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	doctor->counts[verdict]++;
	if (!doctor->json) {
		terminal_put(styles[verdict], VERDICT_WIDTH, words[verdict]);
		terminal_wrap(VERDICT_WIDTH, sentence);
		if (what_to_do) {
			printf("%*s", VERDICT_WIDTH, "");
			terminal_wrap(VERDICT_WIDTH, what_to_do);
		}
		return;
	}
	json = json_object_new_object();
	json_put(json, "verdict", json_text(words[verdict]));
	json_put(json, "sentence", json_text(sentence));
	json_put(json, "what_to_do", json_text(what_to_do));
	json_append(doctor->json, json);
}

static const struct vaccel_knob *knob_named(const char *name)
{
	const struct vaccel_knob *knob;

	for (size_t i = 0; (knob = vaccel_knob_at(i)); i++)
		if (!strcmp(knob->name, name))
			return knob;
	return NULL;
}

/* The value of one of the library's knobs, if the environment sets it. */
static const char *value_set(const char *name)
{
	const struct vaccel_knob *knob = knob_named(name);

	return knob && vaccel_knob_source(knob) ? vaccel_knob_text(knob) : NULL;
}

static void check_settings(struct doctor *doctor)
{
	struct vaccel_config config;

	if (vaccel_config_init_from_env(&config)) {
		find(doctor, WRONG, NULL, "%s", vaccel_error_text());
		return;
	}
	vaccel_config_release(&config);
	find(doctor, FINE, NULL, "the library's settings make sense");
}

/*
 * A plugin that refuses a setting reads it all the same. Only what the library has opened is
 * looked at, since a file that is cut short ends who opens it; and what it found to be no plugin
 * of this ABI is none here. Returns whether it is one.
 */
static bool note_failed(struct doctor *doctor, const char *path)
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
	const struct vaccel_plugin *plugin = handle ? dlsym(handle, "vaccel_plugin") : NULL;
	bool is_one = plugin && plugin->abi == VACCEL_PLUGIN_ABI &&
		      plugin->size >= offsetof(struct vaccel_plugin, needs) && plugin->info &&
		      plugin->info->name && doctor->nr_failed < FAILED_MOST;

	if (is_one)
		doctor->failed[doctor->nr_failed++] = plugin;
	if (handle)
		dlclose(handle);
	return is_one;
}

static bool is_noted(const struct doctor *doctor, const char *name)
{
	for (size_t i = 0; i < doctor->nr_failed; i++)
		if (!strcmp(doctor->failed[i]->info->name, name))
			return true;
	return false;
}

static void check_plugin(void *context, const struct vaccel_plugin *plugin)
{
	const char *path = vaccel_plugin_path(plugin);
	const char *why, *what_to_do = NULL;
	int ret = vaccel_plugin_load(path);

	if (!ret) {
		find(context, FINE, NULL, "the plugin %s can be loaded", plugin->info->name);
		return;
	}
	why = vaccel_error_text();
	note_failed(context, path);
	/* Not every machine has everything. */
	if (ret == VACCEL_ENODEV) {
		find(context, FINE, NULL, "the plugin %s is left out: %s", plugin->info->name, why);
		return;
	}
	if (strstr(why, "cannot open shared object file"))
		what_to_do = "Install the library that is missing, or put it beside the plugin; if "
			     "the plugin is not wanted, remove its file.";
	find(context, WRONG, what_to_do, "%s", why);
}

static void check_plugins(struct doctor *doctor)
{
	if (library_empty() || vaccel_plugin_installed(check_plugin, doctor))
		find(doctor, WRONG,
		     "Install vaccel anew, or set VACCEL_PLUGIN_DIR to where its plugins lie.",
		     "%s", vaccel_error_text());
}

/* One that refuses a setting is rightly in the list; one whose device is not there is not. */
static void check_listed(struct doctor *doctor, const char *item)
{
	int ret = vaccel_plugin_load(item);
	bool refuses = ret && ret != VACCEL_ENODEV;

	/* Of those that are installed it has been said. */
	if (!ret || (refuses && is_noted(doctor, item)))
		return;
	refuses &= note_failed(doctor, item);
	find(doctor, WRONG,
	     refuses ? NULL : "Correct VACCEL_PLUGINS, or unset it to use what is installed.", "%s",
	     vaccel_error_text());
}

/* Names in VACCEL_PLUGINS may lie anywhere. */
static void check_plugin_list(struct doctor *doctor)
{
	const char *set = value_set("VACCEL_PLUGINS");
	char *copy = strdup(set ? set : "");
	char *rest = copy, *item;

	while ((item = strsep(&rest, ":")))
		if (*item)
			check_listed(doctor, item);
	free(copy);
}

static void each_knob_of(const struct vaccel_plugin *plugin,
			 void (*visit)(void *context, const struct vaccel_knob *knob),
			 void *context)
{
	for (size_t k = 0; k < plugin->nr_knobs; k++)
		visit(context, &plugin->knobs[k]);
}

/* Calls @visit for each knob of the library and of the plugins that there are. */
static void each_knob(const struct doctor *doctor,
		      void (*visit)(void *context, const struct vaccel_knob *knob), void *context)
{
	const struct vaccel_plugin *plugin;
	const struct vaccel_knob *knob;

	for (size_t i = 0; (knob = vaccel_knob_at(i)); i++)
		visit(context, knob);
	for (size_t i = 0; (plugin = vaccel_plugin_at(i)); i++)
		each_knob_of(plugin, visit, context);
	for (size_t i = 0; i < doctor->nr_failed; i++)
		each_knob_of(doctor->failed[i], visit, context);
}

struct variable {
	struct guess guess;		/* its name */
	const struct vaccel_knob *knob; /* which it sets, or NULL */
};

static void compare(void *context, const struct vaccel_knob *knob)
{
	struct variable *variable = context;
	const char *source = vaccel_knob_source(knob);

	if (source && !strcmp(source, variable->guess.typed))
		variable->knob = knob;
	guess_offer(&variable->guess, knob->name);
}

struct owner {
	const char *variable;
	bool found;
};

/* Whether a variable VACCEL_NAME_... is likely to be of a plugin that could not be loaded. */
static void is_owner(void *context, const struct vaccel_plugin *plugin)
{
	struct owner *owner = context;
	const char *rest = owner->variable + strlen(PREFIX);
	size_t length = strlen(plugin->info->name);

	if (!strncasecmp(rest, plugin->info->name, length) && rest[length] == '_' &&
	    !library_has(vaccel_plugin_path(plugin)))
		owner->found = true;
}

static void check_variable(struct doctor *doctor, const char *name)
{
	struct variable variable = {.guess.typed = name};
	struct owner owner = {.variable = name};
	char what_to_do[2 * NAME_MOST];

	each_knob(doctor, compare, &variable);
	if (variable.knob && !strcmp(variable.knob->name, name))
		return;
	if (variable.knob) {
		snprintf(what_to_do, sizeof(what_to_do), "Set %s instead.", variable.knob->name);
		find(doctor, DOUBTFUL, what_to_do, "%s is the old name of a setting", name);
		return;
	}
	vaccel_plugin_installed(is_owner, &owner);
	if (owner.found)
		return;
	if (guess_best(&variable.guess))
		snprintf(what_to_do, sizeof(what_to_do), "Did you mean %s? Otherwise unset it.",
			 guess_best(&variable.guess));
	else
		snprintf(what_to_do, sizeof(what_to_do),
			 "Unset it; `vaccel config` lists what there is.");
	find(doctor, WRONG, what_to_do, "%s is set, and nothing reads it", name);
}

static void check_variables(struct doctor *doctor)
{
	for (char **variable = environ; *variable; variable++) {
		char name[NAME_MOST];

		if (strncmp(*variable, PREFIX, strlen(PREFIX)) != 0)
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(*variable, "="), *variable);
		check_variable(doctor, name);
	}
}

static void check_log_file(struct doctor *doctor)
{
	const char *path = value_set("VACCEL_LOG_FILE");
	FILE *file;

	if (!path || !*path)
		return;
	file = fopen(path, "ae");
	if (file)
		find(doctor, FINE, NULL, "the log file '%s' can be written", path);
	else
		find(doctor, WRONG, "Set VACCEL_LOG_FILE to a file that can be written.",
		     "the log file '%s' cannot be written: %s", path, strerror(errno));
	if (file)
		fclose(file);
}

static void check_run_directory(struct doctor *doctor)
{
	const char *path = vaccel_rundir();

	if (path)
		find(doctor, FINE, NULL, "files can be made in the run directory '%s'", path);
	else
		find(doctor, WRONG, "Set XDG_RUNTIME_DIR or TMPDIR to a directory of yours.", "%s",
		     vaccel_error_text());
}

/* One that can be used. */
static bool has_remote(void)
{
	const struct vaccel_plugin *plugin;

	for (size_t i = 0; (plugin = vaccel_plugin_at(i)); i++)
		if (plugin->info->type & VACCEL_PLUGIN_REMOTE &&
		    !vaccel_plugin_load(vaccel_plugin_path(plugin)))
			return true;
	return false;
}

struct wanted {
	const char *name;
	bool found;
};

static void look(void *context, const struct vaccel_plugin *plugin)
{
	struct wanted *wanted = context;

	wanted->found |= !strcmp(plugin->info->name, wanted->name);
}

static bool is_installed(const char *name)
{
	struct wanted wanted = {.name = name};

	vaccel_plugin_installed(look, &wanted);
	return wanted.found;
}

static int reach_agent(void)
{
	struct vaccel_session sess;
	int ret;

	setenv("VACCEL_TIMEOUT_MS", AGENT_PATIENCE_MS, 0);
	ret = vaccel_bootstrap();
	if (!ret)
		ret = vaccel_session_init(&sess, VACCEL_PLUGIN_REMOTE);
	if (!ret)
		ret = vaccel_session_release(&sess);
	return ret;
}

struct search {
	struct doctor *doctor;
	char address[512];  /* of the first place that can be used; else empty */
	char nothing[1024]; /* where there is nothing */
};

static void check_place(void *context, const struct vaccel_agent_place *place)
{
	struct search *search = context;
	size_t used = strlen(search->nothing);
	bool is_enough = *search->address || !place->code || place->code == VACCEL_ENOTSUP;

	if (place->code == VACCEL_ENOENT) {
		snprintf(search->nothing + used, sizeof(search->nothing) - used, "%s%s",
			 used ? "; " : "", place->sentence);
		return;
	}
	find(search->doctor, is_enough ? FINE : DOUBTFUL, place->advice, "%s", place->sentence);
	if (!place->code && !*search->address)
		snprintf(search->address, sizeof(search->address), "%s", place->address);
}

/* Where nobody has named an agent. */
static void check_places(struct doctor *doctor)
{
	struct search search = {.doctor = doctor};

	/* Which plugins are named decides what is looked at. */
	if (vaccel_bootstrap() || !has_remote())
		return;
	vaccel_agent_look(check_place, &search);
	if (!*search.address)
		find(doctor, FINE, NULL, "no agent is configured, and none was found: %s",
		     search.nothing);
	else if (!reach_agent())
		find(doctor, FINE, NULL, "the agent at %s answers", search.address);
	else
		find(doctor, WRONG,
		     "Mend that, or set VACCEL_RPC_ADDRESS to where another agent listens.", "%s",
		     vaccel_error_text());
}

/* One of several that answers is enough for a program, and hides the others from it. */
static void check_each_address(struct doctor *doctor, const char *addresses)
{
	char *all = strdup(addresses), *copy = strdup(addresses);
	char *rest = copy, *item;

	while (all && (item = strsep(&rest, ","))) {
		if (!*item)
			continue;
		setenv("VACCEL_RPC_ADDRESS", item, 1);
		if (!reach_agent())
			find(doctor, FINE, NULL, "the agent at %s answers", item);
		else
			find(doctor, DOUBTFUL, "Mend that, or take it out of VACCEL_RPC_ADDRESS.",
			     "%s", vaccel_error_text());
	}
	if (all)
		setenv("VACCEL_RPC_ADDRESS", all, 1);
	free(copy);
	free(all);
}

static void check_agent(struct doctor *doctor, const char *failure)
{
	const char *address = value_set("VACCEL_RPC_ADDRESS");

	if ((!address || !*address) && failure)
		return;
	if (!address || !*address)
		check_places(doctor);
	else if (!has_remote() && !is_installed("remote"))
		find(doctor, WRONG, "Install the plugin remote, or unset VACCEL_RPC_ADDRESS.",
		     "an agent is set, %s, and no plugin here can reach one", address);
	else if (failure || !has_remote())
		return;
	else if (!reach_agent())
		check_each_address(doctor, address);
	else if (!has_remote())
		find(doctor, DOUBTFUL,
		     "Name remote in VACCEL_PLUGINS too, or unset VACCEL_RPC_ADDRESS.",
		     "an agent is set, %s, and the plugin remote is not in use", address);
	else
		find(doctor, WRONG, "Mend that, or correct or unset VACCEL_RPC_ADDRESS.", "%s",
		     vaccel_error_text());
}

static int classify_pixel(void)
{
	struct vaccel_session sess;
	struct vaccel_class *top = NULL;
	size_t nr;
	int ret = vaccel_session_init(&sess, 0);

	if (ret)
		return ret;
	ret = vaccel_image_classify_top(&sess, pixel, sizeof(pixel), 1, &top, &nr);
	free(top);
	vaccel_session_release(&sess);
	return ret;
}

/* What to do where no plugin classifies. */
static const char *plugin_advice(void)
{
	const char *address = value_set("VACCEL_RPC_ADDRESS");

	if (address && *address && has_remote())
		return "If pictures are to be classified, the agent needs the plugin onnx, and a "
		       "policy that loads it.";
	return is_installed("onnx")
		       ? "If pictures are to be classified, name onnx in VACCEL_PLUGINS too, or "
			 "unset it."
		       : "If pictures are to be classified, install the plugin onnx.";
}

/* What was found before may be the reason, and is not said again. */
static void check_work(struct doctor *doctor, const char *failure)
{
	const char *advice;

	if (failure) {
		if (!doctor->counts[WRONG])
			find(doctor, WRONG, NULL, "%s", failure);
		return;
	}
	advice = plugin_advice();
	switch (vaccel_bootstrap() ? VACCEL_ESESS : classify_pixel()) {
	case VACCEL_OK:
		find(doctor, FINE, NULL, "a picture can be classified");
		break;
	case VACCEL_ENOTSUP:
		if (doctor->counts[WRONG])
			break;
		find(doctor, DOUBTFUL, advice, "pictures cannot be classified: %s",
		     vaccel_error_text());
		break;
	default:
		if (!doctor->counts[WRONG])
			find(doctor, WRONG, NULL, "pictures cannot be classified: %s",
			     vaccel_error_text());
	}
}

static void put_summary(const struct doctor *doctor)
{
	if (doctor->counts[WRONG])
		printf("\n%zu of %zu checks found something wrong.\n", doctor->counts[WRONG],
		       doctor->counts[FINE] + doctor->counts[DOUBTFUL] + doctor->counts[WRONG]);
	else if (doctor->counts[DOUBTFUL])
		puts("\nNothing is wrong, though something is doubtful.");
	else
		puts("\nAll is well.");
}

int doctor_main(const struct options *options)
{
	struct doctor doctor = {.json = options->json ? json_object_new_array() : NULL};
	const char *failure = library_failure();

	check_settings(&doctor);
	check_plugins(&doctor);
	check_plugin_list(&doctor);
	check_variables(&doctor);
	check_log_file(&doctor);
	check_run_directory(&doctor);
	check_agent(&doctor, failure);
	check_work(&doctor, failure);
	if (doctor.json)
		json_print(doctor.json);
	else
		put_summary(&doctor);
	return doctor.counts[WRONG] ? STATUS_FAILED : STATUS_OK;
}
