// SPDX-License-Identifier: Apache-2.0
/*
 * A child locks itself in: from here on it can do what its work needs and nothing
 * else, whoever takes it over. Capabilities, Landlock and "no new privileges" are a
 * thread's own and inherited by those it makes, hence the one thread.
 */
#include "agent/sandbox/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <vaccel/error.h>

#include "agent/sandbox/parts.h"
#include "agent/sandbox/system_calls.h"
#include "base/util.h"

#define PLUGINS_MAX 64

void missing_add(struct missing *missing, const char *format, ...)
{
	_cleanup_(freep) char *before = TAKE(missing->text);
	_cleanup_(freep) char *sentence = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&sentence, format, args) < 0)
		sentence = NULL;
	va_end(args);
	if (!sentence || asprintf(&missing->text, "%s%s%s", before ? before : "",
				  before ? "; " : "", sentence) < 0)
		missing->text = TAKE(before);
}

bool walls_declare(const struct walls *walls, const char *system_call)
{
	for (size_t i = 0; i < walls->nr_needs; i++)
		for (const char *const *name = walls->needs[i]->system_calls; name && *name; name++)
			if (!strcmp(*name, system_call))
				return true;
	return false;
}

unsigned int walls_needs(const struct walls *walls)
{
	unsigned int needs = walls->sandbox->libraries ? NEED_CODE : 0;

	for (size_t i = 0; i < walls->nr_needs; i++) {
		const struct vaccel_plugin_needs *plugin = walls->needs[i];

		needs |= (plugin->jit ? NEED_JIT : 0) | (plugin->children ? NEED_CHILDREN : 0) |
			 (plugin->devices && *plugin->devices ? NEED_DEVICES : 0);
	}
	return needs;
}

/* One that looks at threads has one of its own from when there was any other. */
#ifdef SANITIZES_THREADS
#define SANITIZERS 1
#else
#define SANITIZERS 0
#endif

static int check_alone(void)
{
	_cleanup_(closedirp) DIR *tasks = opendir("/proc/self/task");
	unsigned int threads = 0;
	struct dirent *entry;

	if (!tasks)
		return vaccel_fail(errno, "cannot look for threads in /proc/self/task: %s",
				   strerror(errno));
	while ((entry = readdir(tasks)))
		threads += entry->d_name[0] != '.';
	if (threads <= 1 + SANITIZERS)
		return VACCEL_OK;
	return vaccel_fail(VACCEL_EBUSY,
			   "%u threads run before the sandbox is closed, and would stay outside; "
			   "a plugin must not start threads when it is loaded",
			   threads - 1);
}

static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {0};

	/* Those that this process may never get again; without CAP_SETPCAP it cannot get any. */
	for (unsigned long i = 0; !prctl(PR_CAPBSET_DROP, i, 0, 0, 0); i++)
		continue;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) ||
	    syscall(SYS_capset, &header, none))
		return vaccel_fail(errno, "cannot drop capabilities: %s", strerror(errno));
	return VACCEL_OK;
}

/*
 * What a sanitizer keeps beside the data would count as data; and it looks for leaks by a
 * process that traces this one, as long as that is permitted.
 */
#ifdef SANITIZED
#define LIMITS_DATA false
static bool is_closed;
__attribute__((visibility("default"))) int __lsan_is_turned_off(void);

int __lsan_is_turned_off(void)
{
	return is_closed;
}
#else
#define LIMITS_DATA true
#endif

static int set_limit(int resource, uint64_t value, const char *what)
{
	struct rlimit limit = {(rlim_t)value, (rlim_t)value};

	/* An rlim_t of 32 bits */
	if (limit.rlim_cur != value)
		limit.rlim_cur = limit.rlim_max = RLIM_INFINITY;
	if (setrlimit(resource, &limit))
		return vaccel_fail(errno, "cannot limit %s to %" PRIu64 ": %s", what, value,
				   strerror(errno));
	return VACCEL_OK;
}

static int give_up_privileges(const struct sandbox *sandbox)
{
	int ret;

	/* No dump, and nobody of the same uid may trace it or look into its memory. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return vaccel_fail(errno, "cannot give up privileges: %s", strerror(errno));
	ret = set_limit(RLIMIT_CORE, 0, "core dumps");
	if (!ret && sandbox->memory && LIMITS_DATA)
		ret = set_limit(RLIMIT_DATA, sandbox->memory, "data");
	if (!ret && sandbox->file)
		ret = set_limit(RLIMIT_FSIZE, sandbox->file, "files");
	/* Whoever writes more has an error, which is kinder than the signal. */
	signal(SIGXFSZ, SIG_IGN);
#ifdef SANITIZED
	is_closed = true;
#endif
	return ret ? ret : drop_capabilities();
}

int walls_close(const struct walls *walls, char **ret_missing)
{
	struct missing missing = {NULL};
	int ret = check_alone();

	if (!ret)
		ret = give_up_privileges(walls->sandbox);
	if (!ret)
		ret = landlock_close(walls, landlock_version(), &missing);
	if (!ret)
		ret = filter_close(walls, &missing);
	if (!ret && missing.text && !ret_missing)
		ret = vaccel_fail(VACCEL_ENOTSUP, "%s", missing.text);
	if (!ret && ret_missing)
		*ret_missing = TAKE(missing.text);
	free(missing.text);
	return ret;
}

int sandbox_enter(const struct sandbox *sandbox, char **ret_missing)
{
	const struct vaccel_plugin_needs *needs[PLUGINS_MAX];
	struct walls walls = {sandbox, needs, 0};
	const struct vaccel_plugin *plugin;

	for (size_t i = 0; (plugin = vaccel_plugin_at(i)); i++) {
		if (!plugin->needs)
			continue;
		if (walls.nr_needs == PLUGINS_MAX)
			return vaccel_fail(VACCEL_EDQUOT, "a sandbox is for %d plugins at most",
					   PLUGINS_MAX);
		needs[walls.nr_needs++] = plugin->needs;
	}
	return walls_close(&walls, ret_missing);
}
