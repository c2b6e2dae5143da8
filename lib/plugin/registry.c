// SPDX-License-Identifier: Apache-2.0
/*
 * All plugins, and which one does what. The list is only appended to between
 * registry_open() and registry_close(), so that calls walk it without a lock.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <vaccel/log.h>

#include "base/error.h"
#include "base/knob.h"
#include "base/util.h"
#include "file/place.h"
#include "plugin/load.h"
#include "plugin/registry.h"

#define FILE_PREFIX   "libvaccel-"
#define AUTO	      "auto"
#define NAME_OF_LAST  "cpu"
#define PLUGIN_SUFFIX ".so"

VACCEL_ENUM_NAMES_DEFINE(vaccel_plugin_type, VACCEL_PLUGIN, VACCEL_PLUGIN_TYPE_LIST)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* adding plugins */
static _Atomic(struct plugin *) first;
static bool version_ignored;
static bool directory_is_empty; /* of plugins, though `auto` was to take what is in it */
static bool agent_is_named;	/* then nothing else will do where it cannot be reached */
static bool remote_goes_first;
static atomic_bool remote_is_named; /* in the list, not by `auto` or its directory */

int plugin_result(const struct vaccel_plugin *plugin, const char *what, int ret)
{
	if (!ret || error_code_now() == ret)
		return ret;
	return vaccel_fail(ret, "plugin %s could not %s: %s", plugin->info->name, what,
			   strerror(ret));
}

static struct plugin *next_of(const struct plugin *plugin)
{
	return atomic_load_explicit(plugin ? &plugin->next : &first, memory_order_acquire);
}

static void append(struct plugin *plugin)
{
	_Atomic(struct plugin *) *link = &first;

	while (atomic_load(link))
		link = &atomic_load(link)->next;
	atomic_store_explicit(link, plugin, memory_order_release);
}

/* NULL for a bare name: that is the dynamic linker's to find, never a file of the directory that a
 * program happens to be in. */
static char *real_path(const char *path)
{
	return strchr(path, '/') ? realpath(path, NULL) : NULL;
}

static bool is_directory(const char *path)
{
	struct stat status;

	return strchr(path, '/') && !stat(path, &status) && S_ISDIR(status.st_mode);
}

static struct plugin *known_by_path(const char *path)
{
	_cleanup_(freep) char *real = real_path(path);

	for (struct plugin *p = next_of(NULL); p; p = next_of(p))
		if (!strcmp(p->path, real ? real : path))
			return p;
	return NULL;
}

static struct plugin *known_by_handle(const struct plugin *plugin)
{
	for (struct plugin *p = next_of(NULL); p; p = next_of(p))
		if (p->handle == plugin->handle)
			return p;
	return NULL;
}

/* Opens a file as a plugin and appends it, unless it is there under any name or is unwanted. */
static int add_opened(const char *path, bool debug_too)
{
	_cleanup_(plugin_deletep) struct plugin *plugin = NULL;
	_cleanup_(freep) char *real = real_path(path);
	struct plugin *known = known_by_path(path);
	int ret;

	if (known)
		return plugin_open(known, version_ignored);
	plugin = plugin_new(real ? real : path);
	if (!plugin)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a plugin");
	ret = plugin_map(plugin);
	if (ret)
		return ret;
	/* The dynamic linker knows a file by more names than there are paths to it. */
	known = known_by_handle(plugin);
	if (known)
		return plugin_open(known, version_ignored);
	ret = plugin_open(plugin, version_ignored);
	if (ret)
		return ret;
	if (!debug_too && (plugin->desc.info->type & VACCEL_PLUGIN_DEBUG))
		return VACCEL_OK;
	append(TAKE(plugin));
	return VACCEL_OK;
}

static int is_plugin_file(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return !strncmp(entry->d_name, FILE_PREFIX, strlen(FILE_PREFIX)) &&
	       length > strlen(PLUGIN_SUFFIX) &&
	       !strcmp(entry->d_name + length - strlen(PLUGIN_SUFFIX), PLUGIN_SUFFIX);
}

/* Lists a plugin without opening it where its manifest allows. One that cannot be used is warned
 * of. */
static void add_listed(void *unused, const char *path)
{
	struct plugin *plugin;

	if (known_by_path(path))
		return;
	plugin = plugin_listed(path);
	if (plugin && (plugin->info.type & VACCEL_PLUGIN_DEBUG))
		plugin_delete(plugin);
	else if (plugin)
		append(plugin);
	else if (add_opened(path, false))
		vaccel_warn("%s", vaccel_error_text());
}

static void add_wanted(void *unused, const char *path)
{
	if (add_opened(path, false))
		vaccel_warn("%s", vaccel_error_text());
}

static bool is_last(const char *file)
{
	return !strcmp(file, FILE_PREFIX NAME_OF_LAST PLUGIN_SUFFIX);
}

/* Calls @take for each plugin file of a directory, alphabetically, `cpu` last. ENOENT if it has
 * none. */
static int each_in(const char *directory, void (*take)(void *context, const char *path),
		   void *context)
{
	struct dirent **entries = NULL;
	int nr = scandir(directory, &entries, is_plugin_file, alphasort);

	for (int last = 0; last <= 1; last++) {
		for (int i = 0; i < nr; i++) {
			_cleanup_(freep) char *path = NULL;
			_cleanup_(freep) char *real = NULL;

			if (is_last(entries[i]->d_name) != (last == 1) ||
			    asprintf(&path, "%s/%s", directory, entries[i]->d_name) < 0)
				continue;
			real = realpath(path, NULL);
			take(context, real ? real : path);
		}
	}
	for (int i = 0; i < nr; i++)
		free(entries[i]);
	free(entries);
	if (nr > 0)
		return VACCEL_OK;
	return vaccel_fail(VACCEL_ENOENT, "no plugins (libvaccel-NAME.so) in the directory '%s'",
			   directory);
}

/* What is there and cannot be used may be why a program's work is done elsewhere. */
static void consider(void *context, const struct vaccel_agent_place *place)
{
	bool *found = context;

	if (*found || place->code == VACCEL_ENOENT || place->code == VACCEL_ENOTSUP)
		return;
	*found = !place->code;
	if (place->code)
		vaccel_warn("%s; it is passed over", place->sentence);
}

static bool agent_is_found(void)
{
	bool found = false;

	places_look("", false, consider, &found);
	return found;
}

static bool is_remote(const struct plugin *plugin)
{
	return plugin->desc.info->type & VACCEL_PLUGIN_REMOTE;
}

static bool has_remote(void)
{
	for (struct plugin *p = next_of(NULL); p; p = next_of(p))
		if (is_remote(p))
			return true;
	return false;
}

static int add_auto(void)
{
	const char *address = knob_text(KNOB_RPC_ADDRESS);

	agent_is_named = address && *address;
	remote_goes_first = agent_is_named || agent_is_found();
	/* An installation without plugins is told to the program by its first session. */
	directory_is_empty = each_in(vaccel_plugindir(), add_listed, NULL) != VACCEL_OK;
	if (directory_is_empty)
		vaccel_info("%s", vaccel_error_text());
	if (agent_is_named && !has_remote())
		return vaccel_fail(VACCEL_ENOENT,
				   "VACCEL_RPC_ADDRESS names an agent, and there is no plugin "
				   "remote in '%s' to reach it; install it, or unset the variable",
				   vaccel_plugindir());
	return VACCEL_OK;
}

static bool is_name_of_remote(const char *item)
{
	_cleanup_(freep) char *path = NULL;
	struct plugin *plugin;

	if (!strcmp(item, AUTO) || plugin_find(item, &path))
		return false;
	plugin = known_by_path(path);
	return plugin && is_remote(plugin);
}

static int add_item(const char *item)
{
	_cleanup_(freep) char *path = NULL;
	int ret;

	if (!strcmp(item, AUTO))
		return add_auto();
	ret = plugin_find(item, &path);
	if (ret)
		return ret;
	if (is_directory(path))
		return each_in(path, add_wanted, NULL);
	return add_opened(path, true);
}

static int add_list(const char *list)
{
	_cleanup_(freep) char *copy = strdup(list);
	char *rest = copy, *item;
	int ret = VACCEL_OK;

	if (!copy)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for the list of plugins");
	while (!ret && (item = strsep(&rest, ":"))) {
		if (*item)
			ret = add_item(item);
		if (*item && !ret && is_name_of_remote(item))
			remote_is_named = true;
	}
	return ret;
}

int registry_open(const char *list, bool version_ignore)
{
	int ret;

	registry_close();
	SCOPED_LOCK(&lock);
	version_ignored = version_ignore;
	ret = list ? add_list(list) : VACCEL_OK;
	return ret;
}

void registry_close(void)
{
	SCOPED_LOCK(&lock);
	struct plugin *plugin = atomic_exchange(&first, NULL);

	directory_is_empty = false;
	agent_is_named = false;
	remote_goes_first = false;
	remote_is_named = false;
	while (plugin) {
		struct plugin *next = next_of(plugin);

		plugin_delete(plugin);
		plugin = next;
	}
}

void registry_after_fork(void)
{
	unlock_in_child(&lock);
	for (struct plugin *p = next_of(NULL); p; p = next_of(p))
		plugin_after_fork(p);
}

int registry_load(const char *name)
{
	SCOPED_LOCK(&lock);
	return add_item(name);
}

int registry_load_list(const char *list)
{
	SCOPED_LOCK(&lock);
	return add_list(list);
}

bool registry_has_local(void)
{
	for (struct plugin *p = next_of(NULL); p; p = next_of(p))
		if (!is_remote(p))
			return true;
	return false;
}

/* That no agent is there says less than what a plugin here lacks, or does not take. */
static bool is_idle(const struct plugin *plugin)
{
	return is_remote(plugin) && !remote_is_named && !remote_goes_first && !agent_is_found();
}

/* Plugins are asked in the order of their ranks, within a rank in the order of the list. */
enum { RANK_REMOTE_FIRST, RANK_FITS_HINT, RANK_LOCAL, RANK_REMOTE, RANK_COUNT };

static int rank_of(const struct plugin *plugin, unsigned int hint)
{
	if (insists_on_remote(hint))
		return is_remote(plugin) ? RANK_REMOTE : RANK_COUNT;
	if (is_remote(plugin))
		return remote_goes_first ? RANK_REMOTE_FIRST : RANK_REMOTE;
	return plugin->desc.info->type & hint ? RANK_FITS_HINT : RANK_LOCAL;
}

/* The plugin at @position of the order for @hint, or NULL. */
static struct plugin *plugin_ranked(unsigned int hint, size_t position)
{
	for (int rank = 0; rank < RANK_COUNT; rank++)
		for (struct plugin *p = next_of(NULL); p; p = next_of(p))
			if (rank_of(p, hint) == rank && position-- == 0)
				return p;
	return NULL;
}

static int fail_without_plugins(void)
{
	if (!directory_is_empty)
		return vaccel_fail(VACCEL_ENOTSUP,
				   "no plugin is loaded; set VACCEL_PLUGINS to what "
				   "`vaccel plugins` lists, or unset it");
	return vaccel_fail(VACCEL_ENOTSUP,
			   "no plugin is loaded: there is none (libvaccel-NAME.so) in the "
			   "directory '%s'; %s",
			   vaccel_plugindir(),
			   knob_is_set(KNOB_PLUGIN_DIR)
				   ? "set VACCEL_PLUGIN_DIR to where plugins lie, or unset it"
				   : "install vaccel anew, or set VACCEL_PLUGIN_DIR to where they "
				     "lie");
}

int registry_prefer(unsigned int hint, struct plugin **ret_plugin)
{
	struct plugin *plugin = plugin_ranked(hint, 0);

	if (plugin) {
		*ret_plugin = plugin;
		return VACCEL_OK;
	}
	if (insists_on_remote(hint))
		return vaccel_fail(VACCEL_ENOTSUP,
				   "the session asks for a remote plugin and there is none; set "
				   "VACCEL_PLUGINS=remote");
	return fail_without_plugins();
}

/* Why the first that has the operation could not be loaded, of those before @position. */
static const char *failure_before(const struct vaccel_op *op, unsigned int hint, size_t position)
{
	for (size_t i = 0; i < position; i++) {
		const struct plugin *plugin = plugin_ranked(hint, i);

		if (plugin && plugin->offers[op->index] && vaccel_plugin_failure(&plugin->desc))
			return vaccel_plugin_failure(&plugin->desc);
	}
	return NULL;
}

int registry_choose(const struct vaccel_op *op, unsigned int hint, size_t *position,
		    const struct binding **ret_binding)
{
	/* That others decline a call says less than why the first cannot take it. */
	const char *failure = failure_before(op, hint, *position);
	bool declined = *position > 0;
	struct plugin *plugin;
	int ret;

	while ((plugin = plugin_ranked(hint, (*position)++))) {
		if (!plugin->offers[op->index] || ((failure || declined) && is_idle(plugin)))
			continue;
		ret = plugin_open(plugin, version_ignored);
		if (ret && agent_is_named && is_remote(plugin))
			return ret;
		if (ret) {
			if (!failure)
				failure = vaccel_plugin_failure(&plugin->desc);
			continue;
		}
		if (plugin->binding[op->index].run) {
			*ret_binding = &plugin->binding[op->index];
			return VACCEL_OK;
		}
	}
	if (failure)
		return vaccel_fail(VACCEL_ENOTSUP, "%s", failure);
	if (declined)
		return vaccel_fail(VACCEL_ENOTSUP,
				   "no plugin that has '%s' takes what this call gives it, which "
				   "may be a model of another kind; `vaccel plugins` lists them",
				   op->name);
	return vaccel_fail(
		VACCEL_ENOTSUP,
		"no plugin of this session takes '%s'; `vaccel plugins` says which ones do",
		op->name);
}

const struct vaccel_plugin *vaccel_plugin_at(size_t index)
{
	const struct plugin *plugin = plugin_ranked(0, index);

	return plugin ? &plugin->desc : NULL;
}

struct onlooker {
	vaccel_plugin_seen_fn *seen;
	void *context;
};

static void show_to(void *context, const char *path)
{
	const struct onlooker *onlooker = context;
	_cleanup_(plugin_deletep) struct plugin *plugin = plugin_described(path);

	if (plugin)
		onlooker->seen(onlooker->context, &plugin->desc);
}

int vaccel_plugin_installed(vaccel_plugin_seen_fn *seen, void *context)
{
	if (!seen)
		return vaccel_fail(VACCEL_EINVAL, "there is nobody to look at the plugins");
	return each_in(vaccel_plugindir(), show_to, &(struct onlooker){seen, context});
}

int vaccel_agent_look(vaccel_agent_seen_fn *seen, void *context)
{
	if (!seen)
		return vaccel_fail(VACCEL_EINVAL, "there is nobody to look at the places");
	places_look("", remote_is_named, seen, context);
	return VACCEL_OK;
}

const char *vaccel_plugin_path(const struct vaccel_plugin *plugin)
{
	return plugin ? ((const struct plugin *)plugin)->path : NULL;
}

const char *vaccel_plugin_failure(const struct vaccel_plugin *desc)
{
	const struct plugin *plugin = (const struct plugin *)desc;

	if (!plugin || atomic_load(&plugin->state) != PLUGIN_FAILED)
		return NULL;
	return plugin->failure ? plugin->failure : "no memory for the reason";
}

bool vaccel_plugin_offers(const struct vaccel_plugin *plugin, const struct vaccel_op *op)
{
	return plugin && op && ((const struct plugin *)plugin)->offers[op->index];
}
