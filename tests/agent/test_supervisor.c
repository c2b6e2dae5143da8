// SPDX-License-Identifier: Apache-2.0
/* What the supervisor is made of, without any process of its own: see test_service.c,
 * test_listeners.c and test_output.c. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

#include <cmocka.h>

#include <vaccel/error.h>

#include "agent/base/environment.h"
#include "agent/base/ipc.h"
#include "agent/supervisor/aside/directory.h"
#include "agent/supervisor/listener.h"
#include "agent/supervisor/loop.h"
#include "agent/supervisor/notify.h"
#include "agent/supervisor/tenant/fate.h"
#include "base/util.h"

#define EXITED(status) ((status) << 8)
#define NOBODY	       65534

/* Messages */

static void test_last_words_are_heard(void **state)
{
	struct ipc_message message = {.kind = IPC_LISTENER};
	int ends[2], fd;

	assert_int_equal(ipc_pair(ends), VACCEL_OK);
	/* What is left unread makes the system say so first. */
	assert_int_equal(ipc_send(ends[0], &message, -1), VACCEL_OK);
	message.kind = IPC_FAILED;
	strcpy(message.text, "why");
	assert_int_equal(ipc_send(ends[1], &message, -1), VACCEL_OK);
	close(ends[1]);
	assert_int_equal(ipc_receive(ends[0], false, &message, &fd), VACCEL_OK);
	assert_int_equal(message.kind, IPC_FAILED);
	assert_string_equal(message.text, "why");
	assert_int_equal(ipc_receive(ends[0], false, &message, &fd), VACCEL_EREMOTEIO);
	close(ends[0]);
}

/* The words for a worker's end */

static struct fate fate_after(int status, const struct ending *more)
{
	static const struct policy gold = {.name = (char *)"gold", .memory = 64 << 20};
	static const struct rusage small = {.ru_maxrss = 1024};
	static struct stats quiet;
	struct ending ending = *more;

	ending.epoch = 77;
	ending.status = status;
	ending.policy = &gold;
	ending.usage = more->usage ? more->usage : &small;
	ending.stats = more->stats ? more->stats : &quiet;
	ending.failed = more->failed ? more->failed : "";
	return fate_of(&ending);
}

static void assert_fate(struct fate fate, int code, const char *words)
{
	assert_int_equal(fate.epoch, 77);
	assert_int_equal(fate.status, code);
	assert_string_equal(fate.text, words);
}

static void test_ends_have_a_code_and_words(void **state)
{
	const struct rusage full = {.ru_maxrss = 60 << 10};
	static struct stats stats;

	assert_fate(fate_after(SIGSEGV, &(struct ending){}), VACCEL_EBACKEND,
		    "worker was ended by signal 11 (Segmentation fault)");
	assert_fate(fate_after(EXITED(3), &(struct ending){}), VACCEL_EBACKEND,
		    "worker exited with status 3");
	assert_fate(fate_after(EXITED(1), &(struct ending){.failed = "no plugin"}), VACCEL_EBACKEND,
		    "worker cannot start: no plugin");
	assert_fate(fate_after(SIGKILL, &(struct ending){.overran = 1}), VACCEL_ETIMEDOUT,
		    "worker overran the deadline of policy 'gold' in exec");
	stats.running[5].since = 1;
	stats.running[5].op = 22;
	assert_fate(fate_after(SIGSYS, &(struct ending){.stats = &stats}), VACCEL_EPERM,
		    "worker made a forbidden system call (SIGSYS) while it ran minmax");
	stats.running[200].since = 1;
	stats.running[200].op = UINT32_MAX;
	assert_fate(fate_after(SIGABRT, &(struct ending){.stats = &stats, .usage = &full}),
		    VACCEL_ENOMEM,
		    "worker ran out of memory, 64 MiB by policy 'gold', while it ran minmax, an "
		    "operation");
	stats.running[201].since = stats.running[202].since = 1;
	assert_fate(fate_after(SIGABRT, &(struct ending){.stats = &stats}), VACCEL_EBACKEND,
		    "worker was ended by signal 6 (Aborted) while it ran minmax, an operation and "
		    "2 more");
}

static void test_long_words_are_cut(void **state)
{
	char words[256] = "";
	struct fate fate;

	memset(words, 'x', sizeof(words) - 1);
	fate = fate_after(EXITED(1), &(struct ending){.failed = words});
	assert_true(strlen(fate.text) >= sizeof(fate.text) - 2);
}

/* The loop */

struct bell {
	struct timer timer;
	struct loop *loop;
	struct bell *other; /* that it clears */
	int rung;
	bool last;
};

static void ring(struct timer *timer)
{
	struct bell *bell = CONTAINER_OF(timer, struct bell, timer);

	bell->rung++;
	assert_int_equal(timer->due, 0);
	if (bell->other)
		timer_clear(bell->loop, &bell->other->timer);
	bell->loop->over = bell->last;
}

static void test_timers_come_in_their_order(void **state)
{
	struct loop loop;
	struct bell cleared = {.timer.expired = ring, .loop = &loop};
	struct bell first = {.timer.expired = ring, .loop = &loop, .other = &cleared};
	struct bell last = {.timer.expired = ring, .loop = &loop, .last = true};
	int64_t start = time_now();

	assert_int_equal(loop_open(&loop), VACCEL_OK);
	timer_set(&loop, &last.timer, 1);
	timer_set(&loop, &last.timer, 20); /* only this counts */
	timer_set(&loop, &cleared.timer, 10);
	timer_set(&loop, &first.timer, 0);
	assert_int_equal(loop_run(&loop), VACCEL_OK);
	assert_true(time_now() - start >= 20000000);
	assert_int_equal(first.rung, 1);
	assert_int_equal(cleared.rung, 0);
	assert_int_equal(last.rung, 1);
	assert_null(loop.timers);
	loop_close(&loop);
}

/* Directories */

static char house[] = "/tmp/vaccel-test-XXXXXX";
static char base[64];

static int house_make(void **state)
{
	strcpy(house, "/tmp/vaccel-test-XXXXXX");
	assert_non_null(mkdtemp(house));
	snprintf(base, sizeof(base), "%s/vaccel", house);
	return 0;
}

static int house_drop(void **state)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", house);
	return system(command);
}

/* In place of the library's: somebody may have it wait. */
void __real_tree_remove(const char *path);
void __wrap_tree_remove(const char *path);
static sem_t may_remove;

void __wrap_tree_remove(const char *path)
{
	struct timespec late;

	clock_gettime(CLOCK_REALTIME, &late);
	late.tv_sec += 30;
	if (sem_timedwait(&may_remove, &late))
		abort();
	sem_post(&may_remove);
	__real_tree_remove(path);
}

static bool is_there(const char *path)
{
	return !access(path, F_OK);
}

/* Each by 64 bits that nobody guesses; how many there are. */
static unsigned int count_secret(const char *path)
{
	DIR *stream = opendir(path);
	unsigned int count = 0;
	struct dirent *entry;

	assert_non_null(stream);
	while ((entry = readdir(stream))) {
		const char *dot = strrchr(entry->d_name, '.');

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		assert_non_null(dot);
		assert_int_equal(strspn(dot + 1, "0123456789abcdef"), 16);
		count++;
	}
	closedir(stream);
	return count;
}

/* However long it takes to remove them. */
static void test_nobody_waits_for_what_is_removed(void **state)
{
	struct directory directory, other;
	char left[96], was[128], *path;

	snprintf(left, sizeof(left), "%s/agent-1-abcdef", base);
	assert_int_equal(mkdir(base, 0700), 0);
	assert_int_equal(mkdir(left, 0700), 0);
	assert_int_equal(sem_trywait(&may_remove), 0);
	assert_int_equal(directory_open(base, &directory), VACCEL_OK);
	assert_true(is_there(left));
	/* Another agent does not remove it, too. */
	assert_int_equal(directory_open(base, &other), VACCEL_OK);
	assert_int_equal(directory_new(&directory, "alice", &path), VACCEL_OK);
	snprintf(was, sizeof(was), "%s", path);
	directory_remove(&directory, path);
	assert_false(is_there(was));
	assert_int_equal(directory_new(&directory, "alice", &path), VACCEL_OK);
	assert_int_equal(count_secret(directory.path), 2);
	directory_remove(&directory, path);
	directory_remove(&directory, NULL);
	assert_int_equal(count_secret(directory.path), 2);
	assert_int_equal(sem_post(&may_remove), 0);
	directory_close(&other);
	directory_close(&directory);
	assert_false(is_there(base));
}

static void test_what_killed_agents_left_is_removed(void **state)
{
	struct directory directory, other;
	char left[96], alien[96];

	snprintf(left, sizeof(left), "%s/agent-1-abcdef", base);
	snprintf(alien, sizeof(alien), "%s/program-1", base);
	assert_int_equal(mkdir(base, 0700), 0);
	assert_int_equal(mkdir(left, 0700), 0);
	assert_int_equal(mkdir(alien, 0700), 0);
	assert_int_equal(directory_open(base, &directory), VACCEL_OK);
	/* One that lives is left alone. */
	assert_int_equal(directory_open(base, &other), VACCEL_OK);
	directory_close(&other);
	assert_true(is_there(directory.path));
	directory_close(&directory);
	assert_false(is_there(left));
	assert_true(is_there(alien));
	assert_int_equal(rmdir(alien), 0);
	assert_int_equal(rmdir(base), 0);
}

static void test_a_workers_directory_is_its_own(void **state)
{
	struct directory directory;
	struct stat st;
	char *path, *again, inner[128];

	assert_int_equal(directory_open(base, &directory), VACCEL_OK);
	assert_int_equal(directory_new(&directory, "alice", &path), VACCEL_OK);
	assert_int_equal(directory_new(&directory, "alice", &again), VACCEL_OK);
	assert_string_not_equal(path, again);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	snprintf(inner, sizeof(inner), "%s/x", path);
	assert_int_equal(mkdir(inner, 0700), 0);
	directory_remove(&directory, again);
	assert_int_equal(access(inner, F_OK), 0);
	directory_close(&directory);
	/* Nobody else's is there. */
	assert_int_equal(access(base, F_OK), -1);
	free(path);
}

static void test_where_others_write_is_no_place(void **state)
{
	struct directory directory;
	char missing[96];

	assert_int_equal(mkdir(base, 0700), 0);
	assert_int_equal(chmod(base, 0777), 0);
	assert_int_equal(directory_open(base, &directory), VACCEL_EPERM);
	assert_non_null(strstr(vaccel_error_text(), "name another with --runtime-dir"));
	snprintf(missing, sizeof(missing), "%s/no/where", house);
	assert_int_equal(directory_open(missing, &directory), VACCEL_ENOENT);
	assert_non_null(strstr(vaccel_error_text(), "--runtime-dir"));
}

static void test_the_base_is_where_one_may_write(void **state)
{
	char *found;

	setenv("RUNTIME_DIRECTORY", "/run/one:/run/two", 1);
	assert_int_equal(environment_directory(&found), VACCEL_OK);
	assert_string_equal(found, "/run/one");
	free(found);
	unsetenv("RUNTIME_DIRECTORY");
	assert_int_equal(environment_directory(&found), VACCEL_OK);
	if (!geteuid())
		assert_string_equal(found, "/run/vaccel");
	free(found);
	if (!geteuid())
		assert_int_equal(seteuid(NOBODY), 0);
	setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
	assert_int_equal(environment_directory(&found), VACCEL_OK);
	assert_string_equal(found, "/run/user/7/vaccel");
	free(found);
	unsetenv("XDG_RUNTIME_DIR");
	assert_int_equal(seteuid(getuid()), 0);
}

/* How often a child finds @assignment in its environment. */
static size_t count_in_child(const char *assignment)
{
	char **list = environment_of_child(house);
	size_t count = 0;

	assert_non_null(list);
	for (char **at = list; *at; at++)
		count += !strncmp(*at, assignment, strlen(assignment));
	free(list);
	return count;
}

static void test_a_child_has_huge_pages_unless_told(void **state)
{
	assert_int_equal(count_in_child("GLIBC_TUNABLES=glibc.malloc.hugetlb=1"), 1);
	setenv("GLIBC_TUNABLES", "glibc.malloc.hugetlb=0", 1);
	assert_int_equal(count_in_child("GLIBC_TUNABLES=glibc.malloc.hugetlb=0"), 1);
	assert_int_equal(count_in_child("GLIBC_TUNABLES="), 1);
	unsetenv("GLIBC_TUNABLES");
}

/* systemd */

static int listen_at(struct sockaddr *name, socklen_t size, int kind)
{
	int fd = socket(name->sa_family, kind | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, name, size), 0);
	return fd;
}

static struct sockaddr_un named(const char *file)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};

	snprintf(name.sun_path, sizeof(name.sun_path), "%s/%s", house, file);
	return name;
}

static void test_systemd_is_told(void **state)
{
	struct sockaddr_un name = named("notify");
	int fd = listen_at((struct sockaddr *)&name, sizeof(name), SOCK_DGRAM);
	char words[64] = "";

	notify("READY=1"); /* nobody wants to know */
	setenv("NOTIFY_SOCKET", name.sun_path, 1);
	notify("STATUS=%d of %s", 7, "nine");
	assert_true(recv(fd, words, sizeof(words) - 1, MSG_DONTWAIT) > 0);
	assert_string_equal(words, "STATUS=7 of nine");
	notify_reloading();
	memset(words, 0, sizeof(words));
	assert_true(recv(fd, words, sizeof(words) - 1, MSG_DONTWAIT) > 0);
	assert_int_equal(strncmp(words, "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
	close(fd);
	notify("nobody is there");
	unsetenv("NOTIFY_SOCKET");
}

/* Puts a socket where systemd would, and what is there out of the way. */
static int place(int fd, int number, int *ret_kept)
{
	*ret_kept = fcntl(number, F_DUPFD_CLOEXEC, 100);
	assert_int_equal(dup2(fd, number), number);
	close(fd);
	return number;
}

static int find(const char *text)
{
	struct address address;
	int fd;

	assert_int_equal(address_parse(text, &address), VACCEL_OK);
	fd = activation_find(&address);
	address_release(&address);
	return fd;
}

/* Of listeners with copies of these. */
static int check(int one, int other)
{
	struct listener last = {.source.fd = fcntl(other, F_DUPFD_CLOEXEC, 0)};
	struct listener first = {&last, .source.fd = fcntl(one, F_DUPFD_CLOEXEC, 0)};
	int ret = activation_check(&first);

	closep(&first.source.fd);
	closep(&last.source.fd);
	return ret;
}

/* Sockets of vsock, which not every kernel has: what they are bound to. */
static struct sockaddr_vm of_vsock[2];

int __wrap_getsockname(int fd, struct sockaddr *name, socklen_t *size);
int __real_getsockname(int fd, struct sockaddr *name, socklen_t *size);

int __wrap_getsockname(int fd, struct sockaddr *name, socklen_t *size)
{
	if (!of_vsock[0].svm_family)
		return __real_getsockname(fd, name, size);
	*size = sizeof(of_vsock[0]);
	memcpy(name, &of_vsock[fd - 3], sizeof(of_vsock[0]));
	return 0;
}

static void assert_found_by_cid_and_port(void)
{
	of_vsock[0] = (struct sockaddr_vm){.svm_family = AF_VSOCK, .svm_cid = 2, .svm_port = 5};
	of_vsock[1] = (struct sockaddr_vm){.svm_family = AF_VSOCK, .svm_cid = 1, .svm_port = 5};
	assert_int_equal(find("vsock://2:5"), 3);
	assert_int_equal(find("vsock://1:5"), 4);
	assert_int_equal(find("vsock://1:6"), -1);
	assert_int_equal(find("vsock://-1:5"), -1);
	of_vsock[1].svm_cid = VMADDR_CID_ANY;
	assert_int_equal(find("vsock://-1:5"), 4);
	assert_int_equal(find("vsock://1:5"), -1);
	memset(of_vsock, 0, sizeof(of_vsock));
}

static void test_sockets_go_to_their_listeners(void **state)
{
	struct sockaddr_un name = named("agent.sock_52");
	struct sockaddr_in number = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
	socklen_t size = sizeof(number);
	int local = listen_at((struct sockaddr *)&name, sizeof(name), SOCK_STREAM);
	int tcp = listen_at((struct sockaddr *)&number, sizeof(number), SOCK_STREAM);
	char path[128], text[64], other[64], pid[16];
	int kept[2];

	assert_int_equal(getsockname(tcp, (struct sockaddr *)&number, &size), 0);
	local = fcntl(local, F_DUPFD_CLOEXEC, 100);
	tcp = fcntl(tcp, F_DUPFD_CLOEXEC, 100);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "2", 1);
	setenv("LISTEN_FDNAMES", "local:net", 1);
	place(local, 3, &kept[0]);
	place(tcp, 4, &kept[1]);

	assert_int_equal(find("unix:///another"), -1);
	assert_int_equal(find("vsock://2:3"), -1);
	snprintf(path, sizeof(path), "unix://%s", name.sun_path);
	snprintf(text, sizeof(text), "tcp://127.0.0.1:%d", ntohs(number.sin_port));
	snprintf(other, sizeof(other), "tcp://127.0.0.2:%d", ntohs(number.sin_port));
	assert_int_equal(find(path), 3);
	assert_int_equal(fcntl(3, F_GETFD), FD_CLOEXEC);
	assert_int_equal(find(text), 4);
	assert_int_equal(find(other), -1);
	assert_int_equal(check(3, -1), VACCEL_EINVAL);
	assert_non_null(strstr(vaccel_error_text(), "systemd passed socket 'net'"));
	assert_int_equal(check(-1, 4), VACCEL_EINVAL);
	assert_non_null(strstr(vaccel_error_text(), "systemd passed socket 'local'"));
	assert_int_equal(check(3, 4), VACCEL_OK);
	snprintf(text, sizeof(text), "tcp://localhost:%d", ntohs(number.sin_port));
	assert_int_equal(find(text), 4);
	snprintf(path, sizeof(path), "vsock-uds://%s/agent.sock:52", house);
	assert_int_equal(find(path), 3);
	snprintf(path, sizeof(path), "vsock-uds://%s/agent.sock:53", house);
	assert_int_equal(find(path), -1);
	assert_found_by_cid_and_port();
	for (int i = 0; i < 2; i++) {
		close(3 + i);
		if (kept[i] >= 0)
			dup2(kept[i], 3 + i);
		close(kept[i]);
	}
}

#define IN_HOUSE(name) cmocka_unit_test_setup_teardown(name, house_make, house_drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_last_words_are_heard),
		cmocka_unit_test(test_ends_have_a_code_and_words),
		cmocka_unit_test(test_long_words_are_cut),
		cmocka_unit_test(test_timers_come_in_their_order),
		IN_HOUSE(test_nobody_waits_for_what_is_removed),
		IN_HOUSE(test_what_killed_agents_left_is_removed),
		IN_HOUSE(test_a_workers_directory_is_its_own),
		IN_HOUSE(test_where_others_write_is_no_place),
		IN_HOUSE(test_the_base_is_where_one_may_write),
		cmocka_unit_test(test_a_child_has_huge_pages_unless_told),
		IN_HOUSE(test_systemd_is_told),
		IN_HOUSE(test_sockets_go_to_their_listeners),
	};

	sem_init(&may_remove, 0, 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
