// SPDX-License-Identifier: Apache-2.0
/* What is no address, where nobody can listen or connect, and what is said about it. */
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "files.h"
#include "transport/carrier.h"

#define PATIENCE_NS (10 * SECOND)

static void assert_says(const char *words)
{
	if (!strstr(vaccel_error_text(), words))
		fail_msg("'%s' is not in '%s'", words, vaccel_error_text());
}

static struct address address_of(const char *scheme, const char *rest)
{
	_cleanup_(freep) char *text = NULL;
	struct address address;

	assert_true(asprintf(&text, "%s%s", scheme, rest) > 0);
	assert_int_equal(address_parse(text, &address), VACCEL_OK);
	return address;
}

static void test_what_is_none(void **state)
{
	static const struct {
		const char *text, *words;
	} wrong[] = {
		{"", "the forms are unix:///PATH, tcp://HOST:PORT, "},
		{"nowhere", "'nowhere' is no address; the forms are "},
		{"a-scheme-that-is-long:", "the forms are "},
		{"ftp://host:1",
		 "the forms are unix:///PATH, tcp://HOST:PORT, tls://HOST:PORT, vsock://CID:PORT, "
		 "vsock-uds:///PATH:PORT, virtio:///dev/accelN, blk:///DEVICE"},
		{"unix://tmp/socket", "form unix:///PATH: the path does not begin with /"},
		{"unix:", "the path does not begin with /"},
		{"tcp:host:1", "form tcp://HOST:PORT: // is missing"},
		{"tcp://host", "the port is missing"},
		{"tcp://[::1]", "the port is missing"},
		{"tcp://[::1:1", "the port is missing"},
		{"tcp://:1", "the host is missing; 0.0.0.0 or [::] are all"},
		{"tcp://[]:1", "the host is missing"},
		{"tcp://fe80::1:1", "numbers with colons are put in brackets"},
		{"tcp://host:", "the port is no such number"},
		{"tcp://host:+1", "the port is no such number"},
		{"tcp://host:1 ", "the port is no such number"},
		{"tcp://host:65536", "the port is no such number"},
		{"tcp://host:00000000001", "the port is no such number"},
		{"tls://host:99999999999", "form tls://HOST:PORT: the port is no such number"},
		{"vsock:2:1", "form vsock://CID:PORT: // or the port is missing"},
		{"vsock://2", "// or the port is missing"},
		{"vsock://host:1", "the CID is no such number"},
		{"vsock://-2:1", "the CID is no such number"},
		{"vsock://4294967296:1", "the CID is no such number"},
		{"vsock://2:4294967296", "the port is no such number"},
		{"vsock-uds:///socket", "// or the port is missing"},
		{"vsock-uds:/socket:1", "// or the port is missing"},
		{"vsock-uds://socket:1", "the path does not begin with /"},
		{"vsock-uds:///socket:x", "the port is no such number"},
		{"vhost-user:/socket", "form vhost-user:///PATH: // is missing"},
		{"vhost-user-blk://socket", "the path does not begin with /"},
		{"virtio:/dev/accel0", "// is missing"},
		{"virtio://", "the path does not begin with /"},
		{"blk:/dev/vdb", "// is missing"},
	};
	char longest[520] = "unix:///";
	struct address address = {.port = 7};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(address_parse(wrong[i].text, &address), VACCEL_EINVAL);
		assert_says(wrong[i].words);
	}
	memset(longest + 8, 'a', sizeof(longest) - 9);
	assert_int_equal(address_parse(longest, &address), VACCEL_EINVAL);
	assert_says("is no address; the forms are ");
	/* Each is told what is of use to it. */
	assert_null(strstr(vaccel_error_text(), "vhost-user"));
	assert_int_equal(address_parse_to_listen(longest, &address), VACCEL_EINVAL);
	assert_says("vsock-uds:///PATH:PORT, vhost-user:///PATH, vhost-user-blk:///PATH");
	assert_null(strstr(vaccel_error_text(), "virtio"));
	assert_int_equal(address.port, 7);
	assert_null(address.carrier);
}

static void test_what_is_one(void **state)
{
	struct address address = address_of("tcp://", "[::1]:65535");

	assert_string_equal(address.host, "::1");
	assert_int_equal(address.port, 65535);
	address_release(&address);
	address = address_of("vsock://", "-1:4294967295");
	assert_true(address.cid == UINT32_MAX && address.port == UINT32_MAX);
	address_release(&address);
	address = address_of("vsock-uds://", "/a:b:7");
	assert_string_equal(address.path, "/a:b");
	assert_int_equal(address.port, 7);
	address_release(&address);
	address = address_of("blk:", "");
	assert_null(address.path);
	address_release(&address);
}

/* Each has the name by which it is found. */
static void test_names(void **state)
{
	size_t i = 0;

	for (; carrier_name_at(i); i++)
		assert_ptr_equal(carrier_by_scheme(carrier_name_at(i)), carrier_at(i));
	assert_true(i > 5);
	assert_null(carrier_at(i));
	assert_null(carrier_by_scheme("ftp"));
}

static void refuse_listening(const char *scheme, const char *rest, int code, const char *words)
{
	struct address address = address_of(scheme, rest);
	int fd = -1;

	assert_int_equal(address_listen(&address, 0600, &fd), code);
	assert_int_equal(fd, -1);
	assert_says(words);
	address_release(&address);
}

static void refuse_connecting(const char *scheme, const char *rest, int code, const char *words)
{
	struct address address = address_of(scheme, rest);
	int fd = -1;

	assert_int_equal(address.carrier->connect(&address, FOREVER, &fd), code);
	assert_int_equal(fd, -1);
	assert_says(words);
	address_release(&address);
}

static void test_where_nobody_listens(void **state)
{
	const char *dir = *state;
	_cleanup_(freep) char *file = path_in(dir, "file"), *socket = path_in(dir, "socket");
	char longest[120] = "/tmp/";
	struct address address = address_of("unix://", socket);
	int fd;

	memset(longest + 5, 'a', sizeof(longest) - 6);
	refuse_listening("unix://", longest, VACCEL_ENAMETOOLONG, "has a longer path than");
	refuse_listening("vhost-user://", longest, VACCEL_ENAMETOOLONG, "has a longer path");
	refuse_listening("unix://", "/no/such/socket", VACCEL_ENOENT,
			 "take a directory that is there and that this user may write to");
	file_fill(file, "content", 7);
	refuse_listening("unix://", file, VACCEL_EEXIST, "is there and no socket");
	refuse_listening("vhost-user://", file, VACCEL_EEXIST, "is there and no socket");
	assert_int_equal(address_listen(&address, 0600, &fd), VACCEL_OK);
	refuse_listening("unix://", socket, VACCEL_EBUSY, "another agent listens at '");
	address_unlisten(&address, fd);
	address_release(&address);
	refuse_listening("tcp://", "192.0.2.1:0", VACCEL_EIO, "no network of this machine");
	refuse_listening("blk:", "", VACCEL_EINVAL, "listens at vhost-user-blk:///PATH");
	refuse_listening("virtio://", "/dev/accel0", VACCEL_EINVAL, "vhost-user:///PATH");
	unlink(file);
}

enum { TICK_US = 5000, TICKS = 400 };

static const struct itimerval never;
static volatile sig_atomic_t ticks;

static void tick(int signal)
{
	if (++ticks == TICKS)
		setitimer(ITIMER_REAL, &never, NULL);
}

/* A program with a timer waits no longer than any other. */
static void test_a_queue_that_stays_full(void **state)
{
	const struct itimerval often = {{0, TICK_US}, {0, TICK_US}};
	const struct sigaction action = {.sa_handler = tick};
	_cleanup_(freep) char *socket = path_in(*state, "socket");
	int fd, first, second;

	assert_int_equal(unix_listen(socket, 0600, &fd), VACCEL_OK);
	assert_int_equal(listen(fd, 0), 0);
	assert_int_equal(unix_connect(socket, 0, &first), 0);
	assert_int_equal(unix_connect(socket, 0, &second), EAGAIN);
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	setitimer(ITIMER_REAL, &often, NULL);
	assert_int_equal(unix_connect(socket, time_now() + 50 * MILLISECOND, &second), EAGAIN);
	setitimer(ITIMER_REAL, &never, NULL);
	assert_true(ticks < TICKS);
	close(first);
	close(fd);
	unlink(socket);
}

/* A program without a deadline goes on to the next of its agents. */
static void test_a_queue_that_stays_full_for_ever(void **state)
{
	_cleanup_(freep) char *socket = path_in(*state, "socket");
	int64_t began = time_now();
	int fd, first;

	assert_int_equal(unix_listen(socket, 0600, &fd), VACCEL_OK);
	assert_int_equal(listen(fd, 0), 0);
	assert_int_equal(unix_connect(socket, 0, &first), 0);
	refuse_connecting("unix://", socket, VACCEL_ETIMEDOUT, "no answer in time");
	assert_true(time_now() - began >= 10 * SECOND);
	close(first);
	close(fd);
	unlink(socket);
}

static void test_a_port_that_is_taken(void **state)
{
	struct address address = address_of("tcp://", "127.0.0.1:0");
	char text[64];
	int fd;

	assert_int_equal(address_listen(&address, 0, &fd), VACCEL_OK);
	assert_int_equal(listener_text(&address, fd, text, sizeof(text)), VACCEL_OK);
	refuse_listening(text, "", VACCEL_EBUSY, "another process listens there");
	address_unlisten(&address, fd);
	address_release(&address);
}

static void test_where_none_can_connect(void **state)
{
	_cleanup_(freep) char *left = path_in(*state, "left"), *port = path_in(*state, "left:1");
	char longest[120] = "/tmp/";
	int fd;

	assert_int_equal(unix_listen(left, 0600, &fd), VACCEL_OK);
	close(fd);
	refuse_connecting("vsock-uds://", port, VACCEL_EREMOTEIO,
			  "no monitor of a virtual machine listens at");
	unlink(left);
	memset(longest + 5, 'a', sizeof(longest) - 6);
	refuse_connecting("vhost-user://", "/socket", VACCEL_EINVAL, "take virtio:///dev/accel0");
	refuse_connecting("vhost-user-blk://", "/socket", VACCEL_EINVAL, "take blk:");
	refuse_connecting("tcp://", "127.0.0.1:0", VACCEL_EINVAL, "nobody listens at port 0");
	refuse_connecting("unix://", "/no/such/socket", VACCEL_ENOENT, "/no/such/socket");
	refuse_connecting("unix://", longest, VACCEL_EREMOTEIO, "connecting to unix:///tmp/aaa");
	refuse_connecting("vsock-uds://", "/no/such/socket:1", VACCEL_ENOENT,
			  "there is no '/no/such/socket', which the monitor of a virtual machine");
	refuse_connecting("virtio://", "/no/such/device", VACCEL_ENOENT, "no such device");
	refuse_connecting("virtio://", "/dev/null", VACCEL_EREMOTEIO, "no device of vaccel's");
}

/* Who counts as one host: of IPv4 an address, of IPv6 all of a network. */
static void meet_over_ip(const char *at, const char *from, uint64_t expected)
{
	struct address address = address_of(at, ":0"), there;
	char text[64];
	struct peer peer;
	int listener, ours, theirs;

	if (address_listen(&address, 0, &listener)) {
		address_release(&address);
		return;
	}
	assert_int_equal(listener_text(&address, listener, text, sizeof(text)), VACCEL_OK);
	there = address_of(from, strrchr(text, ':') + 1);
	assert_int_equal(tcp_connect(&there, time_now() + PATIENCE_NS, &ours), VACCEL_OK);
	assert_int_equal(socket_wait(listener, POLLIN, time_now() + PATIENCE_NS), VACCEL_OK);
	assert_int_equal(address_accept(&address, listener, &peer, &theirs), VACCEL_OK);
	assert_true(peer.host == expected);
	close(ours);
	close(theirs);
	address_unlisten(&address, listener);
	address_release(&address);
	address_release(&there);
}

static void test_hosts(void **state)
{
	const uint64_t loopback = UINT64_C(1) << 32 | htonl(INADDR_LOOPBACK);

	meet_over_ip("tcp://127.0.0.1", "tcp://127.0.0.1:", loopback);
	meet_over_ip("tcp://[::]", "tcp://127.0.0.1:", loopback);
	meet_over_ip("tcp://[::1]", "tcp://[::1]:", 1);
}

/* A virtual machine's monitor, which answers once. */
struct monitor {
	int listener;
	const char *answer;
	int stop[2]; /* it leaves when this ends; none: at once */
};

static void *answer_once(void *context)
{
	struct monitor *monitor = context;
	struct ucred who;
	char asked[16] = "", byte;
	int fd;

	assert_int_equal(socket_wait(monitor->listener, POLLIN, FOREVER), VACCEL_OK);
	assert_int_equal(unix_accept(monitor->listener, &who, &fd), VACCEL_OK);
	assert_int_equal(recv(fd, asked, 10, MSG_WAITALL), 10);
	assert_string_equal(asked, "CONNECT 7\n");
	send(fd, monitor->answer, strlen(monitor->answer), MSG_NOSIGNAL);
	if (monitor->stop[0] >= 0)
		assert_int_equal(read(monitor->stop[0], &byte, 1), 0);
	close(fd);
	return NULL;
}

/* What it comes to if the monitor gives @answer, and then leaves or stays. */
static int connect_to_machine(const char *dir, const char *answer, bool stays)
{
	_cleanup_(freep) char *path = path_in(dir, "machine"), *at = path_in(dir, "machine:7");
	struct address address = address_of("vsock-uds://", at);
	struct monitor monitor = {.answer = answer, .stop = {-1, -1}};
	int64_t until = time_now() + (stays ? 30 * MILLISECOND : PATIENCE_NS);
	pthread_t thread;
	int ret, fd = -1;

	if (stays)
		assert_int_equal(pipe(monitor.stop), 0);
	assert_int_equal(unix_listen(path, 0600, &monitor.listener), VACCEL_OK);
	assert_int_equal(pthread_create(&thread, NULL, answer_once, &monitor), 0);
	ret = address.carrier->connect(&address, until, &fd);
	assert_int_equal(!ret, fd >= 0);
	closep(&monitor.stop[1]);
	pthread_join(thread, NULL);
	closep(&monitor.stop[0]);
	closep(&fd);
	close(monitor.listener);
	unlink(path);
	address_release(&address);
	return ret;
}

static void test_answers_of_a_monitor(void **state)
{
	const char *dir = *state;

	assert_int_equal(connect_to_machine(dir, "OK 1073741824\nfirst", false), VACCEL_OK);
	assert_int_equal(connect_to_machine(dir, "", false), VACCEL_EREMOTEIO);
	assert_says("nobody listens on this port of the machine, or it does not run");
	assert_int_equal(connect_to_machine(dir, "OK 1", false), VACCEL_EREMOTEIO);
	assert_int_equal(connect_to_machine(dir, "NO\n", false), VACCEL_EREMOTEIO);
	assert_says("it answers 'NO' instead of OK and a number");
	assert_int_equal(connect_to_machine(dir, "OK one\n", false), VACCEL_EREMOTEIO);
	assert_int_equal(connect_to_machine(dir, "OK 4294967296\n", false), VACCEL_EREMOTEIO);
	assert_int_equal(connect_to_machine(dir, "OK 000000000000000000000000000001\n", false),
			 VACCEL_EREMOTEIO);
	assert_says("it answers 'OK 0000000000000000000000000000' instead");
	assert_int_equal(connect_to_machine(dir, "OK 1", true), VACCEL_ETIMEDOUT);
}

static int make_dir(void **state)
{
	*state = dir_new();
	return 0;
}

static int drop_dir(void **state)
{
	int ret = rmdir(*state);

	free(*state);
	return ret;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_none),
		cmocka_unit_test(test_what_is_one),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_where_nobody_listens),
		cmocka_unit_test(test_a_queue_that_stays_full),
		cmocka_unit_test(test_a_queue_that_stays_full_for_ever),
		cmocka_unit_test(test_a_port_that_is_taken),
		cmocka_unit_test(test_where_none_can_connect),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_answers_of_a_monitor),
	};

	return cmocka_run_group_tests_name("addresses", tests, make_dir, drop_dir);
}
