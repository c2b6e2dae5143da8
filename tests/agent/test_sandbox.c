// SPDX-License-Identifier: Apache-2.0
/* What is left of a process's powers in a sandbox: files, sockets, signals, privileges. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <vaccel/error.h>

#include "inside.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char root[] = "/tmp/vaccel-sandbox-XXXXXX";

/* A path below the scratch directory. */
static const char *in(const char *name)
{
	static char paths[32][256];
	static int turn;
	char *path = paths[turn = (turn + 1) % 32];

	snprintf(path, sizeof(paths[0]), "%s/%s", root, name);
	return path;
}

static void put(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	assert_int_equal(write(fd, "text", 4), 4);
	close(fd);
}

static int setup(void **state)
{
	if (!mkdtemp(root))
		return -1;
	if (mkdir(in("own"), 0700) || mkdir(in("own/sub"), 0700) || mkdir(in("other"), 0700) ||
	    mkdir(in("declared"), 0700) || symlink(in("other/file"), in("own/link")))
		return -1;
	put(in("own/file"));
	put(in("other/file"));
	put(in("declared/file"));
	return 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	return remove(path);
}

static int teardown(void **state)
{
	return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* An attempt to open a file, and the errno it ends with. */
struct opening {
	const char *path;
	int flags;
	int expected;
};

static int open_all(const void *context)
{
	for (const struct opening *row = context; row->path; row++) {
		int fd = open(row->path, row->flags | O_CLOEXEC, 0600);
		int got = fd < 0 ? errno : 0;

		if (fd >= 0)
			close(fd);
		if (got == row->expected)
			continue;
		fprintf(stderr, "%s, flags %#x: %s\n", row->path, row->flags, strerror(got));
		return INSIDE_FAILED;
	}
	return INSIDE_FINE;
}

/* What an older kernel does not restrict cannot be tested there. */
static void need_landlock(long version)
{
	if (landlock_version() >= version)
		return;
	print_message("this kernel's Landlock is of version %ld, and this takes %ld\n",
		      landlock_version(), version);
	skip();
}

static void test_files(void **state)
{
	const struct opening rows[] = {
		{in("own/file"), O_RDWR, 0},
		{in("own/new"), O_RDWR | O_CREAT, 0},
		{in("own/new"), O_WRONLY | O_TRUNC, 0},
		{in("own/sub"), O_RDONLY | O_DIRECTORY, 0},
		{in("own/link"), O_RDONLY, EACCES},
		{in("other/file"), O_RDONLY, EACCES},
		{in("other/file"), O_WRONLY, EACCES},
		{in("other/new"), O_WRONLY | O_CREAT, EACCES},
		{in("other"), O_RDONLY | O_DIRECTORY, EACCES},
		{in("declared/file"), O_RDONLY, 0},
		{in("declared/file"), O_WRONLY, EACCES},
		{in("declared/file"), O_RDONLY | O_TRUNC, EACCES},
		{"/etc/passwd", O_RDONLY, EACCES},
		{"/proc/1/environ", O_RDONLY, EACCES},
		{"/proc/self/mem", O_RDWR, EACCES},
		{"/usr/lib", O_RDONLY | O_DIRECTORY, 0},
		{"/dev/null", O_RDWR, 0},
		{"/dev/urandom", O_RDONLY, 0},
		{"/dev/urandom", O_WRONLY, EACCES},
		{NULL},
	};
	const char *const declared[] = {in("declared"), in("none")};
	struct sandbox sandbox = {.role = SANDBOX_WORKER,
				  .directory = in("own"),
				  .read_paths = declared,
				  .nr_read_paths = COUNT(declared)};
	struct walls walls = {&sandbox, NULL, 0};

	need_landlock(3);
	assert_int_equal(in_child(open_all, rows), INSIDE_FAILED);
	assert_int_equal(inside(&walls, open_all, rows), INSIDE_FINE);
}

static void test_files_of_plugins(void **state)
{
	const struct opening rows[] = {
		{in("other/file"), O_RDONLY, 0},       {in("other/file"), O_WRONLY, EACCES},
		{in("own/made"), O_RDWR | O_CREAT, 0}, {"/dev/full", O_RDWR, 0},
		{"/dev/zero", O_RDWR, EACCES},	       {"/bin/true", O_RDONLY, 0},
		{"/etc/passwd", O_RDONLY, EACCES},     {NULL},
	};
	const char *const read_paths[] = {in("other/file"), NULL};
	const char *const write_paths[] = {in("own"), "/none", NULL};
	const char *const devices[] = {"/dev/full", NULL};
	const struct vaccel_plugin_needs reading = {.read_paths = read_paths};
	const struct vaccel_plugin_needs writing = {
		.write_paths = write_paths, .devices = devices, .children = true};
	const struct vaccel_plugin_needs *const needs[] = {&reading, &writing};
	struct sandbox sandbox = {.role = SANDBOX_WORKER};
	struct walls walls = {&sandbox, needs, COUNT(needs)};

	need_landlock(1);
	assert_int_equal(inside(&walls, open_all, rows), INSIDE_FINE);
}

static int make_files(const void *unused)
{
	int ret = 0;

	if (mkdir(in("own/d"), 0700) || rename(in("own/file"), in("own/d/file")) ||
	    link(in("own/d/file"), in("own/again")) || unlink(in("own/again")) ||
	    rename(in("own/d/file"), in("own/file")) || rmdir(in("own/d")))
		ret |= 1;
	if (!rename(in("own/file"), in("other/moved")) || !link(in("other/file"), in("own/l")) ||
	    !rename(in("other/file"), in("own/taken")) || !unlink(in("other/file")))
		ret |= 2;
	if (!symlink("/", in("own/root")))
		ret |= 4;
	return ret;
}

static void test_what_is_made(void **state)
{
	struct sandbox sandbox = {.role = SANDBOX_WORKER, .directory = in("own")};
	struct walls walls = {&sandbox, NULL, 0};

	need_landlock(2);
	assert_int_equal(inside(&walls, make_files, NULL), INSIDE_FINE);
	assert_int_equal(access(in("other/file"), F_OK), 0);
}

/* The monitor reads how much memory workers take, and nothing else of them. */
static int look_at_parent(const void *unused)
{
	char statm[64], settings[64], memory[64];

	snprintf(statm, sizeof(statm), "/proc/%d/statm", getppid());
	snprintf(settings, sizeof(settings), "/proc/%d/environ", getppid());
	snprintf(memory, sizeof(memory), "/proc/%d/mem", getppid());
	return open_all((struct opening[]){{statm, O_RDONLY, 0},
					   {settings, O_RDONLY, EACCES},
					   {memory, O_RDONLY, EACCES},
					   {statm, O_WRONLY, EACCES},
					   {NULL}});
}

static void test_files_of_the_monitor(void **state)
{
	need_landlock(1);
	assert_int_equal(inside_role(SANDBOX_MONITOR, look_at_parent, NULL), INSIDE_FINE);
	assert_int_equal(inside_role(SANDBOX_WORKER, look_at_parent, NULL), INSIDE_FAILED);
}

static bool is_left(const char *status, const char *key)
{
	const char *line = strstr(status, key);

	return !line || strtoull(line + strlen(key), NULL, 16);
}

static int has_privileges(const void *context)
{
	int file = open("/proc/self/status", O_RDONLY);
	struct rlimit core, data = {0};
	char status[8192] = "";

	if (!are_closed(context) || read(file, status, sizeof(status) - 1) <= 0)
		return INSIDE_NOT_CLOSED;
	if (is_left(status, "CapInh:") || is_left(status, "CapPrm:") ||
	    is_left(status, "CapEff:") || is_left(status, "CapAmb:"))
		return 1;
	if (!geteuid() && is_left(status, "CapBnd:"))
		return 2;
	if (!strstr(status, "NoNewPrivs:\t1") || !strstr(status, "Seccomp:\t2"))
		return 3;
	if (getrlimit(RLIMIT_CORE, &core) || core.rlim_max)
		return 4;
	if (getrlimit(RLIMIT_DATA, &data))
		return 5;
#ifndef SANITIZED
	if (data.rlim_max != 1 << 30)
		return 5;
#endif
	return INSIDE_FINE;
}

static void test_privileges(void **state)
{
	struct sandbox sandbox = {.role = SANDBOX_WORKER, .memory = 1 << 30};

	assert_int_equal(in_child(has_privileges, &(struct walls){&sandbox, NULL, 0}), INSIDE_FINE);
}

static int eat(const void *unused)
{
	void *much = malloc(256 << 20);
	void *little = malloc(1 << 20);

	return much ? 1 : little ? INSIDE_FINE : 2;
}

static void test_memory(void **state)
{
	struct sandbox sandbox = {.role = SANDBOX_WORKER, .memory = 128 << 20};

#ifdef SANITIZED
	skip();
#endif

	assert_int_equal(inside(&(struct walls){&sandbox, NULL, 0}, eat, NULL), INSIDE_FINE);
}

/* Nobody may look into it from outside either; a process that may be dumped may be traced. */
static void test_it_cannot_be_looked_into(void **state)
{
	int ends[2];
	char path[64], byte;
	pid_t child;
	struct stat file;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (!child) {
		struct sandbox sandbox = {.role = SANDBOX_WORKER};

		close(ends[0]);
		if (!are_closed(&(struct walls){&sandbox, NULL, 0}))
			_exit(1);
		_exit(write(ends[1], "x", 1) != 1 || pause());
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	snprintf(path, sizeof(path), "/proc/%d/mem", child);
	/* Files in /proc of what cannot be dumped are root's. */
	assert_int_equal(stat(path, &file), 0);
	assert_int_equal(file.st_uid, 0);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

/* Landlock alone, as it holds for what passes the filter. */
struct reach {
	struct walls *walls;
	int tcp;
	int abstract;
	struct sockaddr_in listener;
	struct sockaddr_un name;
};

static int reach_out(const void *context)
{
	const struct reach *reach = context;
	struct missing missing = {NULL};

	if (landlock_close(reach->walls, landlock_version(), &missing) || missing.text)
		return INSIDE_NOT_CLOSED;
	if (!connect(reach->tcp, (const void *)&reach->listener, sizeof(reach->listener)) ||
	    errno != EACCES)
		return 1;
	if (!connect(reach->abstract, (const void *)&reach->name,
		     offsetof(struct sockaddr_un, sun_path) + 16) ||
	    errno != EPERM)
		return 2;
	if (!kill(getppid(), 0) || errno != EPERM)
		return 3;
	return kill(getpid(), 0);
}

static int prepare(const void *context)
{
	const struct reach *reach = context;
	int ret = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);

	return ret ? ret : reach_out(reach);
}

static void test_others_are_out_of_reach(void **state)
{
	struct sandbox sandbox = {.role = SANDBOX_WORKER};
	struct walls walls = {&sandbox, NULL, 0};
	struct reach reach = {
		.walls = &walls,
		.tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
		.abstract = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
		.listener = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}},
		.name = {.sun_family = AF_UNIX},
	};
	int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int local = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof(reach.listener);

	need_landlock(6);
	snprintf(reach.name.sun_path + 1, 16, "vaccel-%08x", getpid());
	assert_int_equal(bind(tcp, (void *)&reach.listener, size), 0);
	assert_int_equal(getsockname(tcp, (void *)&reach.listener, &size), 0);
	assert_int_equal(listen(tcp, 1), 0);
	assert_int_equal(
		bind(local, (void *)&reach.name, offsetof(struct sockaddr_un, sun_path) + 16), 0);
	assert_int_equal(listen(local, 1), 0);
	assert_int_equal(in_child(prepare, &reach), INSIDE_FINE);
	close(tcp);
	close(local);
	close(reach.tcp);
	close(reach.abstract);
}

static void *wait_for_the_end(void *end)
{
	char byte;

	return read(*(int *)end, &byte, 1) ? NULL : end;
}

static int close_with_a_thread(const void *unused)
{
	struct sandbox sandbox = {.role = SANDBOX_WORKER};
	pthread_t thread;
	int ends[2];

	if (pipe(ends) || pthread_create(&thread, NULL, wait_for_the_end, &ends[0]))
		return INSIDE_FAILED;
	if (sandbox_enter(&sandbox, NULL) != VACCEL_EBUSY)
		return 1;
	return !strstr(vaccel_error_text(), "1 threads run");
}

static void test_threads_must_not_stay_outside(void **state)
{
	assert_int_equal(in_child(close_with_a_thread, NULL), INSIDE_FINE);
}

/* A kernel that lacks something: a filter stands in for it. */
struct kernel {
	const char *call;
	int error;
	const char *lacks;
	bool takes_words;
};

static bool pretend(const struct kernel *kernel)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int ret = seccomp_rule_add(filter, SCMP_ACT_ERRNO(kernel->error),
				   seccomp_syscall_resolve_name(kernel->call), 0);

	if (!strcmp(kernel->call, "seccomp"))
		ret |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(prctl), 1,
					SCMP_A0(SCMP_CMP_EQ, PR_SET_SECCOMP));
	ret |= seccomp_load(filter);
	seccomp_release(filter);
	return !ret;
}

static int close_on(const void *context)
{
	const struct kernel *kernel = context;
	struct sandbox sandbox = {.role = SANDBOX_WORKER};
	char *missing = NULL;
	int ret;

	if (!pretend(kernel))
		return INSIDE_FAILED;
	ret = sandbox_enter(&sandbox, kernel->takes_words ? &missing : NULL);
	if (ret != (kernel->takes_words ? VACCEL_OK : VACCEL_ENOTSUP))
		return 1;
	ret = !strstr(missing ? missing : vaccel_error_text(), kernel->lacks);
	free(missing);
	return ret;
}

static void test_kernels_without(void **state)
{
	struct kernel kernels[] = {
		{"landlock_create_ruleset", ENOSYS, "not restrict opening and making files; "},
		{"landlock_create_ruleset", EOPNOTSUPP, "signals and abstract sockets"},
		{"seccomp", ENOSYS, "does not filter system calls"},
	};

	for (size_t i = 0; i < COUNT(kernels); i++) {
		assert_int_equal(in_child(close_on, &kernels[i]), INSIDE_FINE);
		kernels[i].takes_words = true;
		assert_int_equal(in_child(close_on, &kernels[i]), INSIDE_FINE);
	}
}

static int close_as_version(const void *context)
{
	const struct opening rows[] = {
		{"/etc/passwd", O_RDONLY, EACCES}, {"/usr/lib", O_RDONLY, 0}, {NULL}};
	long version = *(const long *)context;
	struct sandbox sandbox = {.role = SANDBOX_WORKER};
	struct walls walls = {&sandbox, NULL, 0};
	struct missing missing = {NULL};
	bool tells_tcp, tells_scopes;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || landlock_close(&walls, version, &missing))
		return INSIDE_NOT_CLOSED;
	tells_tcp = missing.text && strstr(missing.text, "TCP");
	tells_scopes = missing.text && strstr(missing.text, "signals");
	free(missing.text);
	if (tells_tcp != (version < 4) || tells_scopes != (version < 6))
		return 1;
	return open_all(rows);
}

static void test_each_version_of_landlock(void **state)
{
	for (long version = 1; version <= landlock_version(); version++)
		assert_int_equal(in_child(close_as_version, &version), INSIDE_FINE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_files_of_plugins),
		cmocka_unit_test(test_what_is_made),
		cmocka_unit_test(test_files_of_the_monitor),
		cmocka_unit_test(test_privileges),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_it_cannot_be_looked_into),
		cmocka_unit_test(test_others_are_out_of_reach),
		cmocka_unit_test(test_threads_must_not_stay_outside),
		cmocka_unit_test(test_kernels_without),
		cmocka_unit_test(test_each_version_of_landlock),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
