// SPDX-License-Identifier: Apache-2.0
/* The front, as a thread: the test is its supervisor, its clients, and the worker inside. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "house.h"
#include "passing.h"
#include "transport/tls_ssl.h"

/* Bytes that can be told from each other, by where they are. */
static unsigned char byte_at(size_t at)
{
	return (unsigned char)(at * 7 + at / 251);
}

struct job {
	const struct relayed *relayed;
	size_t size;
};

/* Either end's part in sending @size bytes; in the way of a thread. */
static void *client_writes(void *context)
{
	const struct job *job = context;
	unsigned char *bytes = malloc(job->size);
	size_t done = 0;

	for (size_t i = 0; i < job->size; i++)
		bytes[i] = byte_at(i);
	while (done < job->size) {
		struct iovec rest = {bytes + done, job->size - done};
		struct link *link = job->relayed->client;
		ssize_t size = link->write(link, &rest, 1, time_now() + PATIENCE_NS, -1);

		assert_true(size > 0);
		done += (size_t)size;
	}
	free(bytes);
	return NULL;
}

static void *worker_writes(void *context)
{
	const struct job *job = context;

	for (size_t done = 0; done < job->size;) {
		unsigned char bytes[50000];
		size_t size = MIN_OF(sizeof(bytes), job->size - done);

		for (size_t i = 0; i < size; i++)
			bytes[i] = byte_at(done + i);
		assert_int_equal(send(job->relayed->worker, bytes, size, MSG_NOSIGNAL), size);
		done += size;
	}
	return NULL;
}

static void client_reads(const struct relayed *relayed, size_t total)
{
	unsigned char bytes[50000];
	struct iovec to = {bytes, sizeof(bytes)};
	int passed;

	for (size_t done = 0; done < total;) {
		struct link *link = relayed->client;
		ssize_t size = link->read(link, &to, 1, time_now() + PATIENCE_NS, &passed);

		assert_true(size > 0);
		for (ssize_t i = 0; i < size; i++)
			assert_int_equal(bytes[i], byte_at(done + (size_t)i));
		done += (size_t)size;
	}
}

static void worker_reads(const struct relayed *relayed, size_t total)
{
	unsigned char bytes[50000];

	for (size_t done = 0; done < total;) {
		ssize_t size = recv(relayed->worker, bytes, sizeof(bytes), 0);

		assert_true(size > 0);
		for (ssize_t i = 0; i < size; i++)
			assert_int_equal(bytes[i], byte_at(done + (size_t)i));
		done += (size_t)size;
	}
}

static void exchange(const struct relayed *relayed, size_t size)
{
	struct job job = {relayed, size};
	pthread_t writer;

	pthread_create(&writer, NULL, client_writes, &job);
	worker_reads(relayed, size);
	pthread_join(writer, NULL);
	pthread_create(&writer, NULL, worker_writes, &job);
	client_reads(relayed, size);
	pthread_join(writer, NULL);
}

static void expect_client_end(const struct relayed *relayed)
{
	char byte;
	struct iovec to = {&byte, 1};
	int passed;
	struct link *link = relayed->client;

	assert_int_equal(link->read(link, &to, 1, time_now() + PATIENCE_NS, &passed), 0);
}

static void expect_worker_end(const struct relayed *relayed)
{
	char byte;

	assert_int_equal(recv(relayed->worker, &byte, 1, 0), 0);
}

static void test_bytes_both_ways(void **state)
{
	struct house *house = *state;
	struct relayed relayed;

	relayed_open(house, &relayed);
	exchange(&relayed, 1);
	exchange(&relayed, 100);
	exchange(&relayed, 16384);
	exchange(&relayed, 16385);
	exchange(&relayed, 5 << 20);
	relayed_close(&relayed);
}

/* Both directions are full at once, and neither waits for the other. */
static void test_both_ways_at_once(void **state)
{
	struct house *house = *state;
	struct relayed relayed;
	struct job job = {&relayed, 4 << 20};
	pthread_t client, worker;

	relayed_open(house, &relayed);
	pthread_create(&client, NULL, client_writes, &job);
	pthread_create(&worker, NULL, worker_writes, &job);
	worker_reads(&relayed, job.size);
	client_reads(&relayed, job.size);
	pthread_join(client, NULL);
	pthread_join(worker, NULL);
	relayed_close(&relayed);
}

static void test_one_slow_reader_holds_up_no_other(void **state)
{
	struct house *house = *state;
	struct relayed slow, other;
	struct job job = {&slow, 8 << 20};
	pthread_t writer;

	relayed_open(house, &slow);
	relayed_open(house, &other);
	pthread_create(&writer, NULL, client_writes, &job);
	for (int i = 0; i < 50; i++)
		exchange(&other, 100000);
	worker_reads(&slow, job.size);
	pthread_join(writer, NULL);
	relayed_close(&slow);
	relayed_close(&other);
}

#define MANY 100

static void test_many(void **state)
{
	struct house *house = *state;
	struct relayed relayed[MANY];

	for (int i = 0; i < MANY; i++)
		relayed_open(house, &relayed[i]);
	for (int i = 0; i < MANY; i++)
		exchange(&relayed[i], 70);
	for (int i = 0; i < MANY; i++)
		relayed_close(&relayed[i]);
}

static void test_the_client_goes(void **state)
{
	struct house *house = *state;
	struct relayed relayed;

	relayed_open(house, &relayed);
	link_delete(TAKE(relayed.client));
	expect_worker_end(&relayed);
	relayed_close(&relayed);
}

static int count_watched(int epoll)
{
	char path[64], line[256];
	int count = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", epoll);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		count += !strncmp(line, "tfd:", 4);
	fclose(file);
	return count;
}

/* A supervisor may be slow to close its own. Nothing must come any more of what is freed then. */
static void test_it_ends_though_others_have_it_open(void **state)
{
	struct house *house = *state;
	int64_t until = time_now() + PATIENCE_NS;
	char bytes[64];
	int fd;

	house->keeps = true;
	fd = bed_connect_plainly(house->bed);
	assert_int_equal(send(fd, "this is not TLS", 15, 0), 15);
	do
		assert_int_equal(socket_wait(fd, POLLIN, until), 0);
	while (recv(fd, bytes, sizeof(bytes), 0) > 0);
	/* Its channel to the supervisor. */
	assert_int_equal(count_watched(house->front.epoll), 1);
	close(fd);
}

/* What the worker said last arrives, though it has closed, with something unread. */
static void test_the_worker_goes(void **state)
{
	struct house *house = *state;
	struct relayed relayed;
	struct job job = {&relayed, 300};

	relayed_open(house, &relayed);
	client_writes(&job);
	assert_int_equal(socket_wait(relayed.worker, POLLIN, time_now() + PATIENCE_NS), 0);
	job.size = 200000;
	worker_writes(&job);
	close(TAKE_FD(relayed.worker));
	client_reads(&relayed, job.size);
	expect_client_end(&relayed);
	relayed_close(&relayed);
}

/* A client may end its direction first; the answer comes all the same. */
static void test_half_close(void **state)
{
	struct house *house = *state;
	struct relayed relayed;
	struct job job = {&relayed, 30000};

	relayed_open(house, &relayed);
	client_writes(&job);
	tls_end_writing(relayed.client);
	worker_reads(&relayed, job.size);
	expect_worker_end(&relayed);
	worker_writes(&job);
	close(TAKE_FD(relayed.worker));
	client_reads(&relayed, job.size);
	expect_client_end(&relayed);
	relayed_close(&relayed);
}

static void test_no_tenant(void **state)
{
	struct house *house = *state;
	struct tls *nobody = client_of(NULL, &house->bed->ca);
	struct link *link = NULL;
	struct ipc_message message;
	int fd = bed_connect_plainly(house->bed);
	char byte = 0;
	struct iovec to = {&byte, 1};

	assert_int_equal(send(fd, "GET / HTTP/1.0\r\n\r\n", 18, 0), 18);
	while (recv(fd, &byte, 1, 0) > 0)
		;
	close(fd);
	house_wait_for_refusals(house, REFUSED_MALFORMED, 1);

	assert_int_equal(
		link_connect(&house->bed->address, nobody, time_now() + PATIENCE_NS, &link), 0);
	assert_int_equal(link->read(link, &to, 1, time_now() + PATIENCE_NS, &fd), -VACCEL_EACCES);
	assert_non_null(strstr(vaccel_error_text(), "set VACCEL_TLS_CERT"));
	link_delete(link);
	tls_delete(nobody);
	house_wait_for_refusals(house, REFUSED_AUTH, 1);
	assert_int_equal(ipc_receive(house->ipc, false, &message, &fd), VACCEL_EAGAIN);
}

static void test_it_says_that_it_is_alive(void **state)
{
	struct house *house = *state;
	struct ipc_message message;
	int fd;

	house_tell(house, IPC_ALIVE, 0, -1);
	assert_int_equal(ipc_receive(house->ipc, true, &message, &fd), VACCEL_OK);
	assert_int_equal(message.kind, IPC_ALIVE);
}

int __real_ipc_send(int socket, const struct ipc_message *message, int fd);
int __wrap_ipc_send(int socket, const struct ipc_message *message, int fd);

static atomic_int refusals; /* of connections that are passed, by a socket that has room */

int __wrap_ipc_send(int socket, const struct ipc_message *message, int fd)
{
	if (atomic_load(&refusals) && message->kind == IPC_PEER) {
		atomic_fetch_sub(&refusals, 1);
		return VACCEL_EAGAIN;
	}
	return __real_ipc_send(socket, message, fd);
}

/* As where too many descriptors are under way. */
static void test_what_finds_no_room_is_tried_again_in_a_while(void **state)
{
	struct house *house = *state;
	int64_t start = time_now(), took;
	struct relayed relayed;

	atomic_store(&refusals, 100);
	relayed_open(house, &relayed);
	took = time_now() - start;
	exchange(&relayed, 100);
	relayed_close(&relayed);
	assert_int_equal(atomic_load(&refusals), 0);
	assert_true(took >= 100 * MILLISECOND);
}

/* Those who do not go on are closed in favour of those who may. */
static void test_half_open_ones_make_room(void **state)
{
	struct house *house = *state;
	int fds[HALF_OPEN_MAX + 10];
	struct relayed relayed;
	char byte;

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = bed_connect_plainly(house->bed);
	assert_int_equal(recv(fds[0], &byte, 1, 0), 0);
	relayed_open(house, &relayed);
	assert_int_equal(recv(fds[10], &byte, 1, 0), 0);
	assert_int_equal(recv(fds[11], &byte, 1, MSG_DONTWAIT), -1);
	exchange(&relayed, 100);
	relayed_close(&relayed);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
}

/* A worker could otherwise have it close what takes an hour. */
static void test_nothing_is_passed_to_the_front(void **state)
{
	struct house *house = *state;
	struct ipc_message message = {.kind = 0};
	struct relayed relayed;
	int ret;

	need_refusal_of_passed();
	relayed_open(house, &relayed);
	ret = ipc_send(relayed.worker, &message, relayed.worker);
	relayed_close(&relayed);
	assert_int_equal(ret, VACCEL_EREMOTEIO);
}

/* Nobody works for a client that changes its keys without end. */
static void test_changing_keys(void **state)
{
	struct house *house = *state;
	struct relayed relayed;
	struct ipc_message message;
	SSL *ssl = SSL_new(house->bed->tls->ctx);
	int fd = bed_connect_plainly(house->bed), worker = -1, changes = 0;

	assert_non_null(ssl);
	assert_int_equal(SSL_set_fd(ssl, fd), 1);
	assert_int_equal(SSL_connect(ssl), 1);
	assert_int_equal(socket_wait(house->ipc, POLLIN, time_now() + PATIENCE_NS), 0);
	assert_int_equal(ipc_receive(house->ipc, false, &message, &worker), VACCEL_OK);
	while (changes < 10000 && SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED) == 1 &&
	       SSL_do_handshake(ssl) == 1)
		changes++;
	ERR_clear_error();
	SSL_free(ssl);
	close(fd);
	assert_in_range(changes, 16, 9999);
	assert_int_equal(recv(worker, &message, sizeof(message), 0), 0);
	close(worker);
	relayed_open(house, &relayed);
	exchange(&relayed, 100);
	relayed_close(&relayed);
}

/* A client whose last bytes of the handshake are its last ones. */
static void test_leaving_at_once(void **state)
{
	struct house *house = *state;
	struct ipc_message message;
	SSL *ssl = SSL_new(house->bed->tls->ctx);
	int fd = bed_connect_plainly(house->bed), worker = -1, on = 1, ret;
	char byte;

	assert_non_null(ssl);
	assert_int_equal(SSL_set_fd(ssl, fd), 1);
	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on)), 0);
	assert_int_equal(SSL_connect(ssl), 1);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	assert_int_equal(socket_wait(house->ipc, POLLIN, time_now() + PATIENCE_NS), 0);
	assert_int_equal(ipc_receive(house->ipc, false, &message, &worker), VACCEL_OK);
	ret = socket_wait(worker, POLLIN, time_now() + PATIENCE_NS / 2);
	if (!ret)
		assert_int_equal(recv(worker, &byte, 1, 0), 0);
	SSL_free(ssl);
	close(worker);
	close(fd);
	assert_int_equal(ret, VACCEL_OK);
}

static void test_drain(void **state)
{
	struct house *house = *state;
	int half_open, late;
	struct relayed relayed;
	char byte;

	relayed_open(house, &relayed);
	half_open = bed_connect_plainly(house->bed);
	house_tell(house, IPC_DRAIN, 0, -1);
	assert_int_equal(recv(half_open, &byte, 1, 0), 0);
	late = bed_connect_plainly(house->bed);
	assert_int_equal(recv(late, &byte, 1, 0), 0);
	exchange(&relayed, 1000);
	relayed_close(&relayed);
	close(half_open);
	close(late);
	pthread_join(house->serving, NULL);
	assert_int_equal(house->ret, VACCEL_OK);
	house_serve(house);
}

static void test_closed_listener(void **state)
{
	struct house *house = *state;
	struct relayed before;
	int fd;
	char byte;

	relayed_open(house, &before);
	house_tell(house, IPC_LISTENER, LISTENER, -1);
	house_tell(house, IPC_LISTENER, LISTENER + 1, -1);
	fd = bed_connect_plainly(house->bed);
	assert_int_equal(recv(fd, &byte, 1, 0), 0);
	close(fd);
	exchange(&before, 1000);
	relayed_close(&before);
	house_tell_listener(house, LISTENER);
	house_tell_listener(house, LISTENER);
	relayed_open(house, &before);
	relayed_close(&before);
}

static void test_listener_without_certificate(void **state)
{
	struct house *house = *state;
	struct listener_setup setup = {.cert = NULL};
	struct relayed relayed;
	int fd;

	assert_int_equal(listener_setup_write(&setup, &fd), VACCEL_OK);
	house_tell(house, IPC_LISTENER, LISTENER + 2, fd);
	close(fd);
	relayed_open(house, &relayed);
	relayed_close(&relayed);
}

/* A house of its own, in which nobody is waited for as long. */
static void test_patience(void **state)
{
	struct house *house;
	struct relayed relayed;
	int silent, drip;
	char byte;

	house_open(&house, 200 * MILLISECOND);
	silent = bed_connect_plainly(house->bed);
	drip = bed_connect_plainly(house->bed);
	assert_int_equal(send(drip, "\x16\x03\x01", 3, 0), 3);
	assert_int_equal(recv(silent, &byte, 1, 0), 0);
	assert_true(recv(drip, &byte, 1, 0) <= 0);
	house_wait_for_refusals(house, REFUSED_MALFORMED, 2);
	close(silent);
	close(drip);

	/* A client that stays though its agent has closed. */
	relayed_open(house, &relayed);
	close(TAKE_FD(relayed.worker));
	expect_client_end(&relayed);
	while (send(relayed.client->fd, "", 1, MSG_NOSIGNAL) == 1)
		poll(NULL, 0, 1);
	relayed_close(&relayed);
	house_drop((void **)&house);
}

static void test_supervisor_goes(void **state)
{
	struct house *house;

	house_open(&house, PATIENCE_NS);
	house_stop_accepting(house);
	close(house->ipc);
	pthread_join(house->serving, NULL);
	assert_int_equal(house->ret, VACCEL_EREMOTEIO);
	front_close(&house->front);
	close(house->theirs);
	close(house->stop[0]);
	close(house->stop[1]);
	bed_drop((void **)&house->bed);
	free(house);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, house_make, house_drop)
		TEST(test_bytes_both_ways),
		TEST(test_both_ways_at_once),
		TEST(test_one_slow_reader_holds_up_no_other),
		TEST(test_many),
		TEST(test_the_client_goes),
		TEST(test_it_ends_though_others_have_it_open),
		TEST(test_the_worker_goes),
		TEST(test_half_close),
		TEST(test_no_tenant),
		TEST(test_half_open_ones_make_room),
		TEST(test_nothing_is_passed_to_the_front),
		TEST(test_changing_keys),
		TEST(test_leaving_at_once),
		TEST(test_drain),
		TEST(test_closed_listener),
		TEST(test_listener_without_certificate),
		TEST(test_it_says_that_it_is_alive),
		TEST(test_what_finds_no_room_is_tried_again_in_a_while),
#undef TEST
		cmocka_unit_test(test_patience),
		cmocka_unit_test(test_supervisor_goes),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("front", tests, NULL, NULL);
}
