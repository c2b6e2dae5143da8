// SPDX-License-Identifier: Apache-2.0
/* What systemd has of the agent: sockets that it passes, and word when all is ready. */
#include "house.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "agent/supervisor/notify.h"
#include "base/util.h"
#include "certified.h"
#include "fake_child.h"

/* One socket that systemd has made, at passed.sock, and what was there before in its place. */
#define PASSED 3
#define PLACES 2

static int kept[PLACES];

static int house_make_with_socket(void **state)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	struct house *house;
	char pid[16];
	int fd;

	for (int i = 0; i < PLACES; i++) {
		kept[i] = fcntl(PASSED + i, F_DUPFD_CLOEXEC, 100);
		assert_int_equal(dup2(STDERR_FILENO, PASSED + i), PASSED + i);
	}
	house_make(state);
	house = *state;
	snprintf(name.sun_path, sizeof(name.sun_path), "%s/passed.sock", house->directory);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)) || listen(fd, 8), 0);
	assert_int_equal(dup2(fd, PASSED), PASSED);
	close(fd);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
	return 0;
}

static int house_drop_with_socket(void **state)
{
	house_drop(state);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	for (int i = 0; i < PLACES; i++) {
		close(PASSED + i);
		if (kept[i] >= 0)
			dup2(kept[i], PASSED + i);
		closep(&kept[i]);
	}
	return 0;
}

/* Whoever connects meanwhile waits, as systemd has it. */
static void test_a_passed_socket_that_goes_and_comes_back(void **state)
{
	struct house *house = *state;
	int early;

	apply(house, "listeners:\n" LISTENER("stays") LISTENER("passed"));
	assert_int_equal(activation_check(house->supervisor.listeners), VACCEL_OK);
	ask(house, "passed");
	apply(house, "listeners:\n" LISTENER("stays"));
	assert_int_equal(activation_check(house->supervisor.listeners), VACCEL_EINVAL);
	early = knock(house, "passed");
	ask(house, "stays");
	apply(house, "listeners:\n" LISTENER("stays") LISTENER("passed"));
	read_line(house, early);
	close(early);
	ask(house, "passed");
}

/* At any port if it is 0. */
static int pass_at_loopback(int place, int port)
{
	struct sockaddr_in name = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(0x7f000001),
		.sin_port = htons((uint16_t)port),
	};
	socklen_t size = sizeof(name);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &(int){1}, sizeof(int)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)) || listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &size), 0);
	assert_int_equal(dup2(fd, PASSED + place), PASSED + place);
	close(fd);
	return ntohs(name.sin_port);
}

/* @other may be NULL. */
static struct config *config_at(const struct house *house, int port, const char *one,
				const char *other)
{
	const char *hosts[] = {one, other};
	char text[256] = "listeners:\n";

	for (size_t i = 0; i < ARRAY_SIZE(hosts) && hosts[i]; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 "  - {address: 'tcp://%s:%d', tenant: of-%s}\n", hosts[i], port, hosts[i]);
	return config_of(house, text);
}

static void assert_shared(struct house *house, int port, const char *one, const char *other)
{
	struct config *config = config_at(house, port, one, other);

	assert_int_equal(listeners_apply(&house->supervisor, config), VACCEL_EBUSY);
	assert_non_null(strstr(vaccel_error_text(), " has the socket that systemd passed for it"));
	config_unref(config);
}

static void apply_at(struct house *house, int port, const char *one)
{
	struct config *config = config_at(house, port, one, NULL);

	assert_int_equal(listeners_apply(&house->supervisor, config), VACCEL_OK);
	config_unref(config);
}

/* Else all who connect would be of one of the tenants. */
static void test_a_passed_socket_has_one_listener(void **state)
{
	struct house *house = *state;
	int port = pass_at_loopback(0, 0);

	assert_shared(house, port, "127.0.0.1", "localhost");
	apply_at(house, port, "127.0.0.1");
	assert_shared(house, port, "127.0.0.1", "localhost");
	assert_shared(house, port, "localhost", "127.0.0.1");
	apply_at(house, port, "localhost");
}

static int looked_up;

int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
		       struct addrinfo **list);
int __real_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
		       struct addrinfo **list);

int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
		       struct addrinfo **list)
{
	looked_up++;
	return __real_getaddrinfo(host, service, hints, list);
}

/* By the sockets themselves: to ask for a name may take long, and it may have several. */
static void test_passed_sockets_that_nobody_has(void **state)
{
	struct house *house = *state;
	int port = pass_at_loopback(0, 0);

	apply_at(house, port, "localhost");
	looked_up = 0;
	assert_int_equal(activation_check(house->supervisor.listeners), VACCEL_OK);
	pass_at_loopback(1, port);
	setenv("LISTEN_FDS", "2", 1);
	assert_int_equal(activation_check(house->supervisor.listeners), VACCEL_EINVAL);
	apply_at(house, port, "localhost");
	assert_int_equal(looked_up, 0);
}

/* The whole supervisor, by the house's agent.yaml, as a process of its own */

#define SUPERVISE "supervise" /* this program, if it is called so */

static int supervise(const char *directory)
{
	struct config *config;
	char file[64], base[64];

	snprintf(file, sizeof(file), "%s/agent.yaml", directory);
	snprintf(base, sizeof(base), "%s/whole", directory);
	if (!config_load(file, &config) && !supervisor_run(config, file, base))
		return EXIT_SUCCESS;
	dprintf(STDERR_FILENO, "%s\n", vaccel_error_text());
	return EXIT_FAILURE;
}

/* Its process, and what it logs. What takes too long ends this program. */
static pid_t start_supervisor(const struct house *house, FILE **ret_log)
{
	char number[16];
	int log[2];
	pid_t pid;

	assert_int_equal(pipe2(log, O_CLOEXEC), 0);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(log[1], STDERR_FILENO);
		snprintf(number, sizeof(number), "%d", (int)getpid());
		setenv("LISTEN_PID", number, 1);
		execl("/proc/self/exe", SUPERVISE, house->directory, NULL);
		_exit(EXIT_FAILURE);
	}
	alarm(PATIENCE / SECOND);
	close(log[1]);
	*ret_log = fdopen(log[0], "r");
	assert_non_null(*ret_log);
	return pid;
}

static void read_until(FILE *log, const char *words)
{
	char line[1024];

	do
		assert_non_null(fgets(line, sizeof(line), log));
	while (!strstr(line, words));
}

static void assert_ends(pid_t pid, FILE *log, int expected)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), expected);
	alarm(0);
	fclose(log);
}

/* Where systemd would hear. */
static int listen_as_systemd(const struct house *house)
{
	const struct timeval patience = {.tv_sec = PATIENCE / SECOND};
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(name.sun_path, sizeof(name.sun_path), "%s/notify", house->directory);
	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	setenv("NOTIFY_SOCKET", name.sun_path, 1);
	return fd;
}

static void assert_told(int systemd, const char *words)
{
	char said[512] = "";

	assert_true(recv(systemd, said, sizeof(said) - 1, 0) > 0);
	if (strncmp(said, words, strlen(words)))
		fail_msg("says '%s', not '%s'", said, words);
}

/* Not by a reload that comes before; and by one that needs no front any more. */
static void test_systemd_is_told_when_all_is_ready(void **state)
{
	struct house *house = *state;
	int systemd = listen_as_systemd(house);
	FILE *log;
	pid_t pid;

	certify(house);
	setenv("VACCEL_TEST_FRONT", "fails", 1);
	write_config(house, RELAYED);
	pid = start_supervisor(house, &log);
	read_until(log, "front cannot start");
	kill(pid, SIGHUP);
	read_until(log, "in force");
	write_config(house, "listeners:\n" LISTENER("stays"));
	kill(pid, SIGHUP);
	assert_told(systemd, "READY=1\nSTATUS=serving");
	kill(pid, SIGHUP);
	assert_told(systemd, "RELOADING=1\n");
	assert_told(systemd, "READY=1\nSTATUS=serving");
	write_config(house, "drain: soon");
	kill(pid, SIGHUP);
	assert_told(systemd, "RELOADING=1\n");
	assert_told(systemd, "READY=1\nSTATUS=/tmp/");
	kill(pid, SIGTERM);
	assert_told(systemd, "STOPPING=1\n");
	assert_ends(pid, log, EXIT_SUCCESS);
	unsetenv("NOTIFY_SOCKET");
	close(systemd);
}

static void test_a_front_that_does_not_end(void **state)
{
	struct house *house = *state;
	FILE *log;
	pid_t pid;

	certify(house);
	setenv("VACCEL_TEST_FRONT", "lingers", 1);
	write_config(house, RELAYED "drain: 20ms\n");
	pid = start_supervisor(house, &log);
	read_until(log, " ready");
	kill(pid, SIGTERM);
	assert_ends(pid, log, EXIT_SUCCESS);
}

static void test_a_passed_socket_without_a_listener(void **state)
{
	struct house *house = *state;
	FILE *log;
	pid_t pid;

	write_config(house, "listeners:\n" LISTENER("stays"));
	pid = start_supervisor(house, &log);
	read_until(log, "systemd passed socket '?', which no listener has");
	assert_ends(pid, log, EXIT_FAILURE);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_passed_socket_that_goes_and_comes_back,
						house_make_with_socket, house_drop_with_socket),
		cmocka_unit_test_setup_teardown(test_a_passed_socket_has_one_listener,
						house_make_with_socket, house_drop_with_socket),
		cmocka_unit_test_setup_teardown(test_passed_sockets_that_nobody_has,
						house_make_with_socket, house_drop_with_socket),
		IN_HOUSE(test_systemd_is_told_when_all_is_ready),
		IN_HOUSE(test_a_front_that_does_not_end),
		cmocka_unit_test_setup_teardown(test_a_passed_socket_without_a_listener,
						house_make_with_socket, house_drop_with_socket),
	};

	fake_child(argc, argv);
	if (!strcmp(argv[0], SUPERVISE))
		return supervise(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
