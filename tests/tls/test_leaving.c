// SPDX-License-Identifier: Apache-2.0
/* Clients of the front that take nothing, or little, when their agent has closed. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/tcp.h>
#include <netinet/in.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "house.h"

/* Of those that are not waited for. */
#define SHORT_NS (200 * MILLISECOND)

/* Longer than the front finds room in between. */
#define FULL_MS 300

/* More than is on its way for a moment only, and less than the kernel takes. */
#define ENOUGH 65536

/* Until no more goes; how much went. */
static size_t fill(const struct relayed *relayed)
{
	static const unsigned char bytes[65536];
	struct pollfd room = {relayed->worker, POLLOUT, 0};
	size_t total = 0;

	while (poll(&room, 1, FULL_MS) == 1) {
		ssize_t size =
			send(relayed->worker, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_NOSIGNAL);

		assert_true(size > 0 || errno == EAGAIN);
		total += (size_t)MAX_OF(size, 0);
	}
	return total;
}

/* The client learns that the rest is not to be had, though it has not asked. */
static void expect_reset(const struct relayed *relayed)
{
	struct pollfd end = {link_fd(relayed->client), 0, 0};
	char bytes[65536];
	ssize_t size;

	assert_int_equal(poll(&end, 1, (int)(PATIENCE_NS / MILLISECOND)), 1);
	do
		size = recv(end.fd, bytes, sizeof(bytes), 0);
	while (size > 0);
	assert_int_equal(size, -1);
	assert_int_equal(errno, ECONNRESET);
}

/* The front resets what the kernel has not sent; an emulator does not tell of it. */
static void need_unsent(void)
{
	struct tcp_info info = {0};
	socklen_t size = sizeof(info);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
	close(fd);
	if (size > offsetof(struct tcp_info, tcpi_notsent_bytes))
		return;
	print_message("here is no telling how much of a stream has not been sent\n");
	skip();
}

static void test_taking_nothing(void **state)
{
	struct house *house;
	struct relayed relayed;

	need_unsent();
	house_open(&house, SHORT_NS);
	relayed_open(house, &relayed);
	fill(&relayed);
	close(TAKE_FD(relayed.worker));
	expect_reset(&relayed);
	relayed_close(&relayed);
	house_drop((void **)&house);
}

/* A client that was slow, and takes all in the end. */
static void expect_all(const struct relayed *relayed, size_t total)
{
	char bytes[65536];
	struct iovec to = {bytes, sizeof(bytes)};
	size_t taken = 0;
	ssize_t size;
	int passed;

	while ((size = relayed->client->read(relayed->client, &to, 1, time_now() + PATIENCE_NS,
					     &passed)) > 0)
		taken += (size_t)size;
	assert_int_equal(size, 0);
	assert_int_equal(taken, total);
}

static void test_taking_all_in_the_end(void **state)
{
	struct house *house;
	struct relayed relayed;
	size_t total;

	house_open(&house, 6 * PATIENCE_NS);
	relayed_open(house, &relayed);
	total = fill(&relayed);
	close(TAKE_FD(relayed.worker));
	expect_all(&relayed, total);
	relayed_close(&relayed);
	house_drop((void **)&house);
}

static uint32_t unsent(int fd)
{
	struct tcp_info info = {0};
	socklen_t size = sizeof(info);

	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
	return info.tcpi_notsent_bytes;
}

/* The client has ended its direction, its agent has ended, and the rest is the kernel's. */
static size_t leave_to_the_kernel(struct house *house, struct relayed *relayed)
{
	static const unsigned char bytes[4096];
	size_t total = 0;
	char byte;

	house->keeps = true;
	relayed_open(house, relayed);
	tls_end_writing(relayed->client);
	assert_int_equal(recv(relayed->worker, &byte, 1, 0), 0);
	while (unsent(house->kept) < ENOUGH) {
		assert_int_equal(send(relayed->worker, bytes, sizeof(bytes), MSG_NOSIGNAL),
				 sizeof(bytes));
		total += sizeof(bytes);
		poll(NULL, 0, 1);
	}
	close(TAKE_FD(relayed->worker));
	return total;
}

static void test_taking_nothing_after_ones_end(void **state)
{
	struct house *house;
	struct relayed relayed;

	need_unsent();
	house_open(&house, SHORT_NS);
	leave_to_the_kernel(house, &relayed);
	expect_reset(&relayed);
	relayed_close(&relayed);
	house_drop((void **)&house);
}

static void test_taking_all_after_ones_end(void **state)
{
	struct house *house;
	struct relayed relayed;
	int64_t began;
	size_t total;

	need_unsent();
	house_open(&house, 6 * PATIENCE_NS);
	total = leave_to_the_kernel(house, &relayed);
	/* Until the front knows, too. */
	poll(NULL, 0, FULL_MS);
	expect_all(&relayed, total);
	/* And is not waited for any longer. */
	began = time_now();
	house_drop((void **)&house);
	assert_true(time_now() - began < 3 * PATIENCE_NS);
	relayed_close(&relayed);
}

/* Whether nobody is there any more who would take a byte; one that alone means nothing. */
static bool is_reset(const struct relayed *relayed, int64_t within_ns)
{
	struct pollfd end = {link_fd(relayed->client), 0, 0};

	assert_int_equal(send(end.fd, "\x17", 1, MSG_NOSIGNAL), 1);
	return poll(&end, 1, (int)(within_ns / MILLISECOND)) == 1;
}

static void test_too_many(void **state)
{
	static struct relayed relayed[LEAVING_MAX + 2];
	struct house *house;

	house_open(&house, 6 * PATIENCE_NS);
	for (size_t i = 0; i < ARRAY_SIZE(relayed); i++) {
		relayed_open(house, &relayed[i]);
		close(TAKE_FD(relayed[i].worker));
		/* The order in which they leave. */
		assert_int_equal(socket_wait(link_fd(relayed[i].client), POLLRDHUP,
					     time_now() + PATIENCE_NS),
				 VACCEL_OK);
	}
	/* Those that were there for longest, and no others. */
	assert_true(is_reset(&relayed[0], PATIENCE_NS));
	assert_true(is_reset(&relayed[1], PATIENCE_NS));
	assert_false(is_reset(&relayed[2], SHORT_NS));
	for (size_t i = 0; i < ARRAY_SIZE(relayed); i++)
		relayed_close(&relayed[i]);
	house_drop((void **)&house);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taking_nothing),
		cmocka_unit_test(test_taking_all_in_the_end),
		cmocka_unit_test(test_taking_nothing_after_ones_end),
		cmocka_unit_test(test_taking_all_after_ones_end),
		cmocka_unit_test(test_too_many),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("leaving", tests, NULL, NULL);
}
