// SPDX-License-Identifier: Apache-2.0
/*
 * Messages that bring more descriptors than are wanted, whose last close takes an hour: who reads
 * them does not wait for that. A test that fails does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "agent/base/closer.h"
#include "agent/base/ipc.h"
#include "agent/base/passed.h"
#include "agent/supervisor/child/output.h"
#include "agent/vhost/update.h"
#include "base/util.h"

/* A connection with something to send, and a peer that reads nothing. */
static int lingering(int *ret_peer)
{
	static const struct linger an_hour = {1, 3600};
	static const char bytes[1 << 16];
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, size), 0);
	*ret_peer = accept(listener, NULL, NULL);
	close(listener);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &an_hour, sizeof(an_hour)), 0);
	while (send(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	return fd;
}

/* The first is one that closes at once; the last close of the others is who reads them's. */
static void send_many(int socket, const void *bytes, size_t size, size_t nr)
{
	struct iovec piece = {(void *)bytes, size};
	union {
		struct cmsghdr header;
		unsigned char room[CMSG_SPACE(PASSED_MAX * sizeof(int))];
	} control = {};
	struct msghdr message = {
		.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_SPACE(nr * sizeof(int)),
	};
	int fds[PASSED_MAX], peer;

	fds[0] = eventfd(0, EFD_CLOEXEC);
	fds[1] = lingering(&peer);
	for (size_t i = 2; i < nr; i++)
		fds[i] = fds[1];
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(nr * sizeof(int));
	memcpy(CMSG_DATA(&control.header), fds, nr * sizeof(int));
	assert_int_equal(sendmsg(socket, &message, 0), size);
	close(fds[0]);
	close(fds[1]);
	/* Its other end lives as long as this process. */
	(void)peer;
}

static unsigned int open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int nr = 0;

	while (readdir(dir))
		nr++;
	closedir(dir);
	return nr;
}

/* What closes elsewhere takes its time. */
static void await_descriptors(unsigned int nr)
{
	while (open_descriptors() > nr)
		usleep(1000);
	assert_int_equal(open_descriptors(), nr);
}

static const size_t counts[] = {2, 3, 9, PASSED_MAX};

static void test_a_message_of_a_child(void **state)
{
	struct ipc_message message = {.kind = IPC_PEER};

	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		int ends[2], fd;
		unsigned int before;

		assert_int_equal(ipc_pair(ends), VACCEL_OK);
		before = open_descriptors() + 1;
		send_many(ends[1], &message, sizeof(message), counts[i]);
		assert_int_equal(ipc_receive(ends[0], false, &message, &fd), VACCEL_EREMOTEIO);
		await_descriptors(before);
		close(ends[0]);
		close(ends[1]);
	}
}

/* Of one that passes anything no more is heard: it could pass more than can be closed. */
static void test_what_a_child_prints(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		struct output output;
		struct loop loop;
		unsigned int before;
		int end;

		assert_int_equal(loop_open(&loop), VACCEL_OK);
		assert_int_equal(output_open(&output, &loop, OUTPUT_OF_LOG, "alice", &end),
				 VACCEL_OK);
		before = open_descriptors();
		send_many(end, "\n", 1, counts[i]);
		output.source.ready(&output.source, EPOLLIN);
		assert_int_equal(output.source.fd, -1);
		/* A peer of what lingers is open in place of the output. */
		await_descriptors(before);
		close(end);
		loop_close(&loop);
	}
}

static void test_a_message_of_a_worker_for_a_machine(void **state)
{
	struct update update = {.kind = UPDATE_STOPPED};

	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		size_t size = counts[i] > UPDATE_FDS ? sizeof(update) : sizeof(update) - 1;
		int ends[2], fds[UPDATE_FDS];
		unsigned int before;

		assert_int_equal(ipc_pair(ends), VACCEL_OK);
		before = open_descriptors() + 1;
		send_many(ends[1], &update, size, counts[i]);
		assert_int_equal(update_receive(ends[0], &update, fds), VACCEL_EREMOTEIO);
		await_descriptors(before);
		close(ends[0]);
		close(ends[1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_message_of_a_child),
		cmocka_unit_test(test_what_a_child_prints),
		cmocka_unit_test(test_a_message_of_a_worker_for_a_machine),
	};

	if (closer_start())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
