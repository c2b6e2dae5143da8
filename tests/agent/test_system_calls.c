// SPDX-License-Identifier: Apache-2.0
/* The table of system calls, and what becomes of those who make forbidden ones. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/sandbox/system_calls.h"
#include "inside.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define KILLED	     (INSIDE_SIGNAL + SIGSYS)

/* What mmap() calls, where a file's offset may be larger than a register. */
#ifdef SYS_mmap2
#define MMAP SYS_mmap2
#else
#define MMAP SYS_mmap
#endif

/* A system call, and what it answers: an errno, 0 for none, or KILLED. */
struct attempt {
	const char *what;
	long number;
	long args[6];
	int expected;
	unsigned int roles;
};

static int make(const void *context)
{
	const struct attempt *attempt = context;
	const long *args = attempt->args;

	errno = 0;
	syscall(attempt->number, args[0], args[1], args[2], args[3], args[4], args[5]);
	return errno;
}

static void check(const struct walls *walls, const struct attempt *attempt)
{
	int got = inside(walls, make, attempt);

	if (got != attempt->expected)
		fail_msg("%s for role %d: %d instead of %d (%s)", attempt->what,
			 walls->sandbox->role, got, attempt->expected, strerror(attempt->expected));
}

static void check_roles(const struct attempt *attempt)
{
	for (int role = SANDBOX_WORKER; role <= SANDBOX_MONITOR; role++) {
		struct sandbox sandbox = {.role = (enum sandbox_role)role};
		struct walls walls = {&sandbox, NULL, 0};

		if (attempt->roles & ROLE(role))
			check(&walls, attempt);
	}
}

static void test_each_row_is_sound(void **state)
{
	const struct system_call *row;
	char name[SYSTEM_CALL_NAME_MAX];
	size_t i;

	for (i = 0; (row = system_call_at(i)); i++) {
		assert_non_null(row->reason);
		assert_true(strlen(row->reason) > 2);
		assert_true(row->roles <= ALL);
		assert_int_equal(row->when.test == ALWAYS, !row->when.text);
		for (const char *at = row->names; system_call_next(&at, name);)
			if (seccomp_syscall_resolve_name(name) == __NR_SCMP_ERROR)
				fail_msg("there is no system call '%s'", name);
	}
	assert_true(i > 50);
}

/* No call has two rows without a condition, so that none contradict each other. */
static void test_no_call_is_told_twice(void **state)
{
	const struct system_call *row, *other;
	char name[SYSTEM_CALL_NAME_MAX], again[SYSTEM_CALL_NAME_MAX];

	for (size_t i = 0; (row = system_call_at(i)); i++)
		for (const char *at = row->names; system_call_next(&at, name);)
			for (size_t j = 0; j <= i && (other = system_call_at(j)); j++)
				for (const char *rest = j < i ? other->names : at;
				     system_call_next(&rest, again);)
					if (!strcmp(name, again) && row->when.test == ALWAYS &&
					    other->when.test == ALWAYS && row->need == other->need)
						fail_msg("'%s' is told twice", name);
}

static void test_what_is_for_nobody_kills(void **state)
{
	const struct system_call *row;
	char name[SYSTEM_CALL_NAME_MAX];
	unsigned int tried = 0;

	for (size_t i = 0; (row = system_call_at(i)); i++) {
		if (row->roles != NOBODY)
			continue;
		for (const char *at = row->names; system_call_next(&at, name); tried++) {
			struct attempt attempt = {name,
						  seccomp_syscall_resolve_name(name),
						  {-1, -1, -1, -1, -1, -1},
						  KILLED,
						  ALL};

			if (attempt.number >= 0)
				check_roles(&attempt);
		}
	}
	assert_true(tried > 70);
}

/* The three classes, with arguments that would reach others. */
static void test_reach(void **state)
{
	long page = sysconf(_SC_PAGESIZE);
	struct rlimit limit = {0};
	const struct attempt attempts[] = {
		{"kill the parent", SYS_kill, {getppid(), 0}, KILLED, ALL},
		{"kill all", SYS_kill, {-1, 0}, KILLED, ALL},
		{"kill the group", SYS_kill, {0, 0}, KILLED, ALL},
		{"tgkill another", SYS_tgkill, {getpid(), getpid(), 0}, KILLED, ALL},
		{"own by fcntl", SYS_fcntl, {1, F_SETOWN, getpid()}, KILLED, ALL},
#if LONG_MAX > INT_MAX
		{"own by fcntl, higher bits", SYS_fcntl, {1, F_SETOWN | 1L << 32, 1}, KILLED, ALL},
#endif
		{"own by fcntl, extended", SYS_fcntl, {1, F_SETOWN_EX, 0}, KILLED, ALL},
		{"signal by fcntl", SYS_fcntl, {1, F_SETSIG, SIGKILL}, KILLED, ALL},
		{"lease", SYS_fcntl, {-1, F_SETLEASE, F_RDLCK}, EACCES, ALL},
		{"own by ioctl", SYS_ioctl, {1, 0x8901, 0}, KILLED, ALL},
		{"own by another ioctl", SYS_ioctl, {1, 0x8902, 0}, KILLED, ALL},
		{"type", SYS_ioctl, {1, TIOCSTI, 0}, KILLED, ALL},
		{"paste", SYS_ioctl, {1, TIOCLINUX, 0}, KILLED, ALL},
		{"ptrace", SYS_ptrace, {0, 0, 0, 0}, KILLED, ALL},
		{"read memory", SYS_process_vm_readv, {getpid(), 0, 0, 0, 0, 0}, KILLED, ALL},
		{"limits of another", SYS_prlimit64, {getppid(), RLIMIT_DATA, 0, 0}, EACCES, ALL},
		{"a limit", SYS_prlimit64, {0, RLIMIT_CORE, (long)&limit, 0}, EACCES, ALL},
		{"place another", SYS_sched_setaffinity, {getppid(), 0, 0}, EACCES, WORKER},
		{"priority of another", SYS_setpriority, {0, getppid(), 19}, ENOSYS, ALL},
		/* Connections */
		{"a socket", SYS_socket, {2, 1, 0}, EACCES, ALL},
		{"connect", SYS_connect, {0, 0, 0}, KILLED, ALL},
		{"connect", SYS_connect, {-1, 0, sizeof(struct sockaddr)}, KILLED, ALL},
		{"connect", SYS_connect, {-1, 0, sizeof(struct sockaddr_un)}, KILLED, ALL},
		{"reset", SYS_connect, {-1, 0, sizeof(sa_family_t)}, EBADF, FRONT},
		{"reset", SYS_connect, {-1, 0, sizeof(sa_family_t)}, KILLED, WORKER | MONITOR},
		{"bind", SYS_bind, {0, 0, 0}, KILLED, ALL},
		{"listen", SYS_listen, {0, 0}, KILLED, ALL},
		{"accept", SYS_accept4, {-1, 0, 0, 0}, KILLED, WORKER | FRONT},
		{"accept", SYS_accept4, {-1, 0, 0, 0}, EBADF, MONITOR},
		{"pair", SYS_socketpair, {1, 1, 0, 0}, KILLED, MONITOR | WORKER},
		{"pair", SYS_socketpair, {1, 1, 0, 0}, EFAULT, FRONT},
		{"datagrams", SYS_socketpair, {1, 2 | SOCK_CLOEXEC}, EACCES, FRONT},
		{"raw pair", SYS_socketpair, {1, 3, 0, 0}, EACCES, FRONT},
		{"pair of packets", SYS_socketpair, {1, 5, 0, 0}, EFAULT, FRONT},
		{"pass a descriptor", SYS_sendmsg, {-1, 0, 0}, KILLED, WORKER},
		{"pass a descriptor", SYS_sendmsg, {-1, 0, 0}, EBADF, FRONT | MONITOR},
		{"reach", SYS_sendmsg, {-1, 0, MSG_FASTOPEN}, EACCES, FRONT | MONITOR},
		{"reach at once", SYS_sendmsg, {-1, 0, 0x20004040}, EACCES, FRONT | MONITOR},
		{"reach many", SYS_sendmmsg, {-1, 0, 0, 0}, KILLED, ALL},
		{"send to a socket file", SYS_sendto, {-1, 0, 0, 0, page, 0}, EACCES, ALL},
		{"send", SYS_sendto, {-1, 0, 0, 0, 0, 0}, EBADF, ALL},
		{"linger", SYS_setsockopt, {-1, SOL_SOCKET, SO_LINGER, 0, 0}, EACCES, ALL},
		{"an option", SYS_setsockopt, {-1, SOL_SOCKET, SO_RCVTIMEO, 0, 0}, EBADF, ALL},
	};

	for (size_t i = 0; i < COUNT(attempts); i++)
		check_roles(&attempts[i]);
}

/* And with such as would do harm here. */
static void test_harm(void **state)
{
	long page = sysconf(_SC_PAGESIZE);
	const struct attempt attempts[] = {
		/* Processes */
		{"run", SYS_execve, {(long)"/bin/true", 0, 0}, KILLED, ALL},
		{"run what is open", SYS_execveat, {-1, (long)"/bin/true", 0, 0}, KILLED, ALL},
#ifdef SYS_vfork
		{"a process for a moment", SYS_vfork, {0}, KILLED, ALL},
#endif
		{"a process", SYS_clone, {SIGCHLD, 0, 0, 0, 0}, KILLED, ALL},
		{"a group", SYS_setpgid, {0, 0}, EACCES, WORKER},
		{"a group", SYS_setpgid, {0, 0}, KILLED, FRONT | MONITOR},
		{"a session", SYS_setsid, {0}, EACCES, WORKER},
		{"a user namespace", SYS_clone, {CLONE_THREAD | CLONE_NEWUSER}, KILLED, ALL},
		{"a network", SYS_clone, {CLONE_THREAD | CLONE_NEWNET}, KILLED, ALL},
		{"clone3", SYS_clone3, {0, 0}, ENOSYS, ALL},
		{"unshare", SYS_unshare, {CLONE_NEWUSER}, KILLED, ALL},
		/* Code, and memory that is not counted */
		{"code", MMAP, {0, page, 7, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0}, EACCES, ALL},
		{"data as code", SYS_mprotect, {page, page, 5}, EACCES, ALL},
		{"shared", MMAP, {0, page, 3, MAP_SHARED | MAP_ANONYMOUS, -1}, EACCES, WORKER},
		{"stack",
		 MMAP,
		 {0, page, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN, -1},
		 EACCES,
		 ALL},
		{"memfd", SYS_memfd_create, {(long)"x", 0}, KILLED, ALL},
		{"System V memory", SYS_shmget, {0, page, 01600}, ENOSYS, ALL},
		/* Files */
		{"mode", SYS_fchmodat, {AT_FDCWD, (long)".", 0700}, EACCES, ALL},
		{"owner", SYS_fchownat, {AT_FDCWD, (long)".", -1, -1, 0}, EACCES, ALL},
		{"times", SYS_utimensat, {AT_FDCWD, (long)".", 0, 0}, EACCES, ALL},
		{"delete", SYS_unlinkat, {AT_FDCWD, (long)"none", 0}, KILLED, FRONT | MONITOR},
		{"chroot", SYS_chroot, {(long)"/"}, KILLED, ALL},
		{"watch", SYS_inotify_init1, {0}, ENOSYS, ALL},
		/* Itself */
		{"a filter", SYS_seccomp, {0, 0, 0}, ENOSYS, ALL},
		{"dumpable", SYS_prctl, {PR_SET_DUMPABLE, 1}, ENOSYS, ALL},
		{"setuid", SYS_setuid, {0}, KILLED, ALL},
		{"nobody's number", 4095, {0}, ENOSYS, ALL},
	};

	for (size_t i = 0; i < COUNT(attempts); i++)
		check_roles(&attempts[i]);
}

static void test_what_work_needs(void **state)
{
	const struct attempt attempts[] = {
		{"its name", SYS_prctl, {PR_SET_NAME, (long)"name"}, 0, ALL},
		{"is it a terminal", SYS_ioctl, {-1, TCGETS, 0}, EBADF, ALL},
		{"its limits", SYS_prlimit64, {0, RLIMIT_NOFILE, 0, 0}, 0, ALL},
		{"its own place", SYS_sched_setaffinity, {0, 0, 0}, EINVAL, WORKER},
		{"memory", MMAP, {0, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0}, 0, ALL},
	};

	for (size_t i = 0; i < COUNT(attempts); i++)
		check_roles(&attempts[i]);
}

static int abort_itself(const void *unused)
{
	abort();
}

static int raise_and_live(const void *unused)
{
	signal(SIGUSR1, SIG_IGN);
	return raise(SIGUSR1) || kill(getpid(), SIGUSR1);
}

static void test_signals_to_itself(void **state)
{
	assert_int_equal(inside_role(SANDBOX_WORKER, abort_itself, NULL), INSIDE_SIGNAL + SIGABRT);
	assert_int_equal(inside_role(SANDBOX_WORKER, raise_and_live, NULL), INSIDE_FINE);
}

/* What plugins declare is let through, and nothing else. */
static void test_needs(void **state)
{
	static const char *const calls[] = {"connect", "socket", "shmget", NULL};
	const struct vaccel_plugin_needs declaring = {.system_calls = calls};
	const struct vaccel_plugin_needs making_code = {.jit = true};
	static const char *const devices[] = {"/dev/null", NULL};
	const struct vaccel_plugin_needs driving = {.devices = devices};
	const struct vaccel_plugin_needs *const needs[] = {&declaring, &making_code, &driving};
	struct sandbox plain = {.role = SANDBOX_WORKER};
	struct sandbox loading = {.role = SANDBOX_WORKER, .libraries = true};
	const struct {
		struct walls walls;
		struct attempt attempt;
	} rows[] = {
		{{&plain, needs, 1}, {"connect", SYS_connect, {-1, 0, 0}, EBADF}},
		{{&plain, needs, 1}, {"a socket", SYS_socket, {-1, 1, 0}, EAFNOSUPPORT}},
		{{&plain, needs, 1}, {"shmget", SYS_shmget, {0, 0, 01600}, EINVAL}},
		{{&plain, needs, 1}, {"bind", SYS_bind, {-1, 0, 0}, KILLED}},
		{{&plain, needs + 1, 1}, {"code", MMAP, {0, 4096, 7, 0x22, -1, 0}, 0}},
		{{&plain, needs + 1, 1}, {"mprotect", SYS_mprotect, {4096, 4096, 5}, ENOMEM}},
		{{&loading, needs, 0}, {"code of a file", MMAP, {0, 4096, 5, 2, -1, 0}, EBADF}},
		{{&loading, needs, 0}, {"mprotect", SYS_mprotect, {4096, 4096, 5}, EACCES}},
		{{&plain, needs, 0}, {"a request", SYS_ioctl, {-1, 0x1234, 0}, ENOSYS}},
		{{&plain, needs + 2, 1}, {"a request", SYS_ioctl, {-1, 0x1234, 0}, EBADF}},
		{{&plain, needs + 2, 1}, {"type", SYS_ioctl, {-1, TIOCSTI, 0}, KILLED}},
		{{&plain, needs + 2, 1}, {"paste", SYS_ioctl, {-1, TIOCLINUX, 0}, KILLED}},
		{{&plain, needs + 2, 1}, {"own", SYS_ioctl, {-1, 0x8901, 0}, KILLED}},
		{{&plain, needs + 2, 1}, {"own", SYS_ioctl, {-1, 0x8902, 0}, KILLED}},
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		check(&rows[i].walls, &rows[i].attempt);
}

static int run_true(const void *unused)
{
	char *const arguments[] = {(char *)"true", NULL};
	int status = 1;
	pid_t child;

	return posix_spawn(&child, "/bin/true", NULL, NULL, arguments, NULL) ||
	       waitpid(child, &status, 0) != child || status;
}

static void test_children_of_plugins(void **state)
{
	const struct vaccel_plugin_needs starting = {.children = true};
	const struct vaccel_plugin_needs *const needs[] = {&starting};
	struct sandbox sandbox = {.role = SANDBOX_WORKER};
	struct walls walls = {&sandbox, needs, 1};
	/* Which the system refuses, too, whoever asks. */
	const struct attempt sibling = {
		"a sibling", SYS_clone, {CLONE_PARENT | CLONE_SIGHAND}, KILLED};

	assert_int_equal(inside(&walls, run_true, NULL), INSIDE_FINE);
	check(&walls, &sibling);
	walls.nr_needs = 0;
	assert_int_equal(inside(&walls, run_true, NULL), KILLED);
}

static int closes(const void *walls)
{
	int ret = walls_close(walls, NULL);

	return ret == VACCEL_EACCES && strstr(vaccel_error_text(), "ptrace")   ? 1
	       : ret == VACCEL_EINVAL && strstr(vaccel_error_text(), "nosuch") ? 2
									       : INSIDE_FAILED;
}

static void test_needs_that_cannot_be_met(void **state)
{
	static const char *const ptrace[] = {"ptrace", NULL}, *const none[] = {"nosuch", NULL};
	const struct vaccel_plugin_needs wanting[] = {{.system_calls = ptrace},
						      {.system_calls = none}};
	const struct vaccel_plugin_needs *const needs[] = {&wanting[0], &wanting[1]};
	struct sandbox sandbox = {.role = SANDBOX_WORKER};

	assert_int_equal(in_child(closes, &(struct walls){&sandbox, needs, 1}), 1);
	assert_int_equal(in_child(closes, &(struct walls){&sandbox, needs + 1, 1}), 2);
}

#ifdef __x86_64__
/* The numbers of 32-bit programs mean other calls. */
static int call_as_32_bit(const void *unused)
{
	long number = 20; /* getpid there, writev here */

	__asm__ volatile("int $0x80" : "+a"(number) : : "memory");
	return number < 0 ? INSIDE_FAILED : INSIDE_FINE;
}

static void test_other_architectures_kill(void **state)
{
	const struct attempt x32 = {"x32", 0x40000000 + SYS_getpid, {0}, KILLED, ALL};

	if (in_child(call_as_32_bit, NULL) == INSIDE_FINE)
		assert_int_equal(inside_role(SANDBOX_WORKER, call_as_32_bit, NULL), KILLED);
	check_roles(&x32);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_row_is_sound),
		cmocka_unit_test(test_no_call_is_told_twice),
		cmocka_unit_test(test_what_is_for_nobody_kills),
		cmocka_unit_test(test_reach),
		cmocka_unit_test(test_harm),
		cmocka_unit_test(test_what_work_needs),
		cmocka_unit_test(test_signals_to_itself),
		cmocka_unit_test(test_needs),
		cmocka_unit_test(test_children_of_plugins),
		cmocka_unit_test(test_needs_that_cannot_be_met),
#ifdef __x86_64__
		cmocka_unit_test(test_other_architectures_kill),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
