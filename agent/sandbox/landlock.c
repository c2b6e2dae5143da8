// SPDX-License-Identifier: Apache-2.0
/*
 * Landlock: a process says which files it will open, and the kernel holds it to
 * that. What a kernel's Landlock can restrict grew over the years, so each
 * restriction has the version that brought it; the numbers are the kernel's, given
 * here where older headers lack them.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <vaccel/error.h>

#include "agent/sandbox/parts.h"
#include "agent/sandbox/system_calls.h"
#include "base/util.h"

#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif
#ifndef LANDLOCK_ACCESS_NET_BIND_TCP
#define LANDLOCK_ACCESS_NET_BIND_TCP	(1ULL << 0)
#define LANDLOCK_ACCESS_NET_CONNECT_TCP (1ULL << 1)
#endif
#ifndef LANDLOCK_SCOPE_SIGNAL
#define LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0)
#define LANDLOCK_SCOPE_SIGNAL		    (1ULL << 1)
#endif

/* The kernel's struct landlock_ruleset_attr as of version 6. */
struct ruleset {
	uint64_t fs;
	uint64_t net;
	uint64_t scopes;
};

#define READING (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define RUNNING (READING | LANDLOCK_ACCESS_FS_EXECUTE)
#define FILLING (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE)
#define WRITING                                                                               \
	(READING | FILLING | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
	 LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REFER)
#define DRIVING (READING | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_IOCTL_DEV)
/* Of a file that is no directory */
#define OF_FILES                                                               \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | FILLING | \
	 LANDLOCK_ACCESS_FS_IOCTL_DEV)
#define ALL_OF_VERSION_1 ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)

/* What each version brought; words for what is not restricted without it, or NULL. */
static const struct {
	long version;
	struct ruleset adds;
	const char *else_free;
} versions[] = {
	{1, {.fs = ALL_OF_VERSION_1}, "opening and making files"},
	{2, {.fs = LANDLOCK_ACCESS_FS_REFER}, NULL},
	{3, {.fs = LANDLOCK_ACCESS_FS_TRUNCATE}, "truncating files"},
	{4,
	 {.net = LANDLOCK_ACCESS_NET_BIND_TCP | LANDLOCK_ACCESS_NET_CONNECT_TCP},
	 "connecting by TCP"},
	{5, {.fs = LANDLOCK_ACCESS_FS_IOCTL_DEV}, "requests to devices"},
	{6,
	 {.scopes = LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | LANDLOCK_SCOPE_SIGNAL},
	 "signals and abstract sockets"},
};

/* What programs read for the C library, the dynamic linker, OpenSSL and the like. */
static const char *const system_files[] = {
	"/lib",
	"/lib64",
	"/usr/lib",
	"/usr/lib64",
	"/usr/local/lib",
	"/etc/ld.so.cache",
	"/etc/localtime",
	"/usr/share/zoneinfo",
	"/usr/share/locale",
	"/etc/ssl/openssl.cnf",
	"/dev/zero",
	"/dev/random",
	"/dev/urandom",
	"/proc/cpuinfo",
	"/proc/meminfo",
	"/proc/stat",
	"/sys/devices/system/cpu",
	NULL,
};
static const char *const programs[] = {"/bin",	   "/usr/bin",	 "/lib", "/lib64",
				       "/usr/lib", "/usr/lib64", NULL};
static const char *const null_device[] = {"/dev/null", NULL};
/* Of the workers' processes: how much memory they take. */
static const char *const processes[] = {"/proc", NULL};

struct builder {
	int fd;
	uint64_t handled;
};

static int allow(const struct builder *rules, const char *path, uint64_t access)
{
	_cleanup_(closep) int fd = open(path, O_PATH | O_CLOEXEC);
	struct landlock_path_beneath_attr beneath = {.allowed_access = access & rules->handled};
	struct stat file;

	/* What is not there needs no rule. */
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES))
		return VACCEL_OK;
	if (fd >= 0 && !fstat(fd, &file) && !S_ISDIR(file.st_mode))
		beneath.allowed_access &= OF_FILES;
	beneath.parent_fd = fd;
	if (fd < 0 ||
	    syscall(SYS_landlock_add_rule, rules->fd, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0))
		return vaccel_fail(errno, "cannot let '%s' into the sandbox: %s", path,
				   strerror(errno));
	return VACCEL_OK;
}

static int allow_all(const struct builder *rules, const char *const *paths, uint64_t access)
{
	int ret = VACCEL_OK;

	for (; !ret && paths && *paths; paths++)
		ret = allow(rules, *paths, access);
	return ret;
}

static int allow_plugin(const struct builder *rules, const struct vaccel_plugin_needs *needs)
{
	int ret = allow_all(rules, needs->read_paths, READING);

	if (!ret)
		ret = allow_all(rules, needs->write_paths, WRITING);
	if (!ret)
		ret = allow_all(rules, needs->devices, DRIVING);
	if (!ret && needs->children)
		ret = allow_all(rules, programs, RUNNING);
	return ret;
}

static int allow_own(const struct builder *rules, const struct sandbox *sandbox)
{
	const char *const own[] = {vaccel_plugindir(), vaccel_datadir(), NULL};
	int ret = allow_all(rules, system_files, READING);

	if (!ret)
		ret = allow_all(rules, own, READING);
	if (!ret)
		ret = allow_all(rules, null_device, READING | LANDLOCK_ACCESS_FS_WRITE_FILE);
	if (!ret && sandbox->role == SANDBOX_MONITOR)
		ret = allow_all(rules, processes, READING);
	for (size_t i = 0; !ret && i < sandbox->nr_read_paths; i++)
		ret = allow(rules, sandbox->read_paths[i], READING);
	if (!ret && sandbox->directory)
		ret = allow(rules, sandbox->directory, WRITING);
	return ret;
}

static int restrict_self(const struct walls *walls, const struct ruleset *ruleset)
{
	_cleanup_(closep) int fd =
		(int)syscall(SYS_landlock_create_ruleset, ruleset, sizeof(*ruleset), 0);
	struct builder rules = {fd, ruleset->fs};
	int ret;

	if (fd < 0)
		return vaccel_fail(errno, "cannot make rules of Landlock: %s", strerror(errno));
	ret = allow_own(&rules, walls->sandbox);
	for (size_t i = 0; !ret && i < walls->nr_needs; i++)
		ret = allow_plugin(&rules, walls->needs[i]);
	if (!ret && syscall(SYS_landlock_restrict_self, fd, 0))
		ret = vaccel_fail(errno, "cannot close Landlock: %s", strerror(errno));
	return ret;
}

long landlock_version(void)
{
	long version =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return MAX_OF(version, 0);
}

int landlock_close(const struct walls *walls, long version, struct missing *missing)
{
	struct ruleset ruleset = {0};

	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		if (version >= versions[i].version) {
			ruleset.fs |= versions[i].adds.fs;
			ruleset.net |= versions[i].adds.net;
			ruleset.scopes |= versions[i].adds.scopes;
		} else if (versions[i].else_free) {
			missing_add(missing, "this kernel's Landlock does not restrict %s",
				    versions[i].else_free);
		}
	}
	if (walls_declare(walls, "connect"))
		ruleset.net = 0;
	return ruleset.fs ? restrict_self(walls, &ruleset) : VACCEL_OK;
}
