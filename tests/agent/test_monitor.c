// SPDX-License-Identifier: Apache-2.0
/* The monitor as a process, in its sandbox, told by a supervisor that this test plays. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <vaccel/error.h>

#include "agent/base/log.h"
#include "agent/monitor/http.h"
#include "agent/monitor/monitor.h"
#include "made_state.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

static char directory[] = "/tmp/vaccel-monitor-XXXXXX";
static int ipc;
static pid_t child;

/* The descriptors of a child are where it looks for them. */
static _Noreturn void be_monitor(int its)
{
	if (dup2(its, IPC_FD) < 0 || dup2(STDERR_FILENO, LOG_FD) < 0)
		_exit(120);
	close_range(LOG_FD + 1, ~0U, 0);
	_exit(monitor_main());
}

static int setup(void **state)
{
	int ends[2];

	strcpy(directory, "/tmp/vaccel-monitor-XXXXXX");
	if (!mkdtemp(directory) || ipc_pair(ends))
		return -1;
	/* Clear of the numbers that the child uses. */
	ipc = fcntl(ends[0], F_DUPFD_CLOEXEC, 32);
	close(ends[0]);
	child = fork();
	if (!child)
		be_monitor(ends[1]);
	close(ends[1]);
	return 0;
}

/* It goes when its supervisor goes. */
static int teardown(void **state)
{
	int status;

	close(ipc);
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return -1;
	return rmdir(directory);
}

static void tell(struct ipc_message message, int fd)
{
	assert_int_equal(ipc_send(ipc, &message, fd), VACCEL_OK);
	if (fd >= 0)
		close(fd);
}

static struct ipc_message hear(void)
{
	struct ipc_message message;
	int fd;

	assert_int_equal(ipc_receive(ipc, true, &message, &fd), VACCEL_OK);
	assert_int_equal(fd, -1);
	return message;
}

static void brief(void)
{
	struct worker_setup setup = {.directory = directory,
				     .log = {.level = VACCEL_LOG_INFO, .format = LOG_TEXT}};
	int fd;

	assert_int_equal(worker_setup_write(&setup, &fd), VACCEL_OK);
	tell(message_of(IPC_SETUP, "", ""), fd);
	assert_int_equal(hear().kind, IPC_READY);
}

static char *ask_http(unsigned short port, const char *request)
{
	int fd = connect_to_port(port);

	assert_int_equal(send(fd, request, strlen(request), 0), strlen(request));
	return read_all(fd);
}

/* What was told before has been heard when a later question is answered. */
static void test_a_life(void **state)
{
	struct ipc_message message = message_of(IPC_STATS, "uid-7", "default");
	char path[64], *text;
	unsigned short port;
	struct stats *stats;
	int fd;

	brief();
	tell(message_of(IPC_ALIVE, "", ""), -1);
	assert_int_equal(hear().kind, IPC_ALIVE);
	snprintf(path, sizeof(path), "%s/admin", directory);
	tell(message_of(IPC_MONITOR, "", "admin"), listen_at(path));
	tell(message_of(IPC_MONITOR, "", "metrics"), listen_on_port(&port));
	assert_int_equal(stats_make(&fd), VACCEL_OK);
	assert_int_equal(stats_map(fd, true, &stats), VACCEL_OK);
	stats->sessions = 42;
	message.pid = getpid();
	tell(message, fd);
	tell(message_of(IPC_SERVING, "", ""), -1);

	text = read_all(connect_to(path));
	assert_non_null(strstr(text, "\"name\":\"uid-7\""));
	assert_non_null(strstr(text, "\"sessions\":42"));
	assert_null(strstr(text, "\"resident_bytes\":0"));
	free(text);
#ifdef HAS_MICROHTTPD
	text = ask_http(port, GET("/metrics"));
	assert_non_null(strstr(text, "\nvaccel_sessions{tenant=\"uid-7\"} 42\n"));
	free(text);
	stats->sessions = 41;
	text = ask_http(port, GET("/metrics"));
	assert_non_null(strstr(text, "\nvaccel_sessions{tenant=\"uid-7\"} 41\n"));
	free(text);
	text = ask_http(port, GET("/readyz"));
	assert_non_null(strstr(text, "200 OK"));
	free(text);
	/* Who asks has the supervisor asked. */
	assert_int_equal(hear().kind, IPC_ASK);
	tell(message_of(IPC_DRAIN, "", ""), -1);
	do {
		text = ask_http(port, GET("/readyz"));
		fd = !!strstr(text, "draining\n");
		free(text);
	} while (!fd);
#endif
	stats_unmap(stats);
	unlink(path);
}

/* Sockets may be exchanged for others, and what makes no sense changes nothing. */
static void test_other_sockets(void **state)
{
	char path[64], *text;

	brief();
	snprintf(path, sizeof(path), "%s/admin", directory);
	tell(message_of(IPC_MONITOR, "", "admin"), listen_at(path));
	free(read_all(connect_to(path)));
	unlink(path);
	tell(message_of(IPC_MONITOR, "", "metrics"), -1);
	tell(message_of(IPC_STATS, "nobody", ""), -1);
	tell(message_of(IPC_BUSY, "", ""), -1);
	tell(message_of(IPC_MONITOR, "", "admin"), listen_at(path));
	text = read_all(connect_to(path));
	assert_non_null(strstr(text, "\"tenants\":[]"));
	free(text);
	unlink(path);
}

static void test_no_set_up(void **state)
{
	struct ipc_message answer;

	tell(message_of(IPC_SERVING, "", ""), -1);
	answer = hear();
	assert_int_equal(answer.kind, IPC_FAILED);
	assert_non_null(strstr(answer.text, "came before the setup"));
}

static void test_a_bad_set_up(void **state)
{
	tell(message_of(IPC_SETUP, "", ""), open("/dev/null", O_RDONLY));
	assert_int_equal(hear().kind, IPC_FAILED);
}

static void test_no_supervisor(void **state)
{
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_life),	 TEST(test_other_sockets), TEST(test_no_set_up),
		TEST(test_a_bad_set_up), TEST(test_no_supervisor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
