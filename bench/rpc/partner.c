// SPDX-License-Identifier: Apache-2.0
/* See partner.h. A thread for each connection, which blocks in read(). */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "bench/rpc/partner.h"

#define SINK_ROOM ((size_t)64 << 20)

/* Each word has a cache line of its own. */
struct spin_words {
	_Alignas(64) _Atomic uint32_t ask;
	_Alignas(64) _Atomic uint32_t answer;
	_Alignas(64) _Atomic uint32_t stop;
};

struct partner_spin {
	struct spin_words *words;
	uint32_t count;
	int connection;
};

static int fail(const char *what)
{
	return vaccel_fail(errno, "cannot measure: %s: %s", what, strerror(errno));
}

/* The other process */

static void serve_echo(int connection)
{
	char byte;

	while (read(connection, &byte, 1) == 1)
		if (write(connection, &byte, 1) != 1)
			return;
}

static void serve_sink(int connection)
{
	static _Thread_local char *memory;
	uint64_t size;
	char byte = 0;

	if (!memory)
		memory = malloc(SINK_ROOM);
	while (memory && recv(connection, &size, sizeof(size), MSG_WAITALL) == sizeof(size)) {
		size_t done = 0;
		ssize_t got = 1;

		while (got > 0 && size <= SINK_ROOM && done < size) {
			got = read(connection, memory + done, (size_t)size - done);
			done += got > 0 ? (size_t)got : 0;
		}
		if (done != size || write(connection, &byte, 1) != 1)
			return;
	}
}

static int receive_fd(int connection)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec piece = {&byte, 1};
	struct msghdr message = {.msg_iov = &piece,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	int fd = -1;

	if (recvmsg(connection, &message, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR(&message))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

static struct spin_words *map_words(int fd)
{
	void *words =
		mmap(NULL, sizeof(struct spin_words), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return words == MAP_FAILED ? NULL : words;
}

/* Spins between a byte that comes and the word that stops it, and sleeps else. */
static void serve_spin(int connection)
{
	int fd = receive_fd(connection);
	struct spin_words *words = map_words(fd);
	uint32_t seen = 0;
	char byte = 0;

	close(fd);
	while (words && write(connection, &byte, 1) == 1 && read(connection, &byte, 1) == 1) {
		while (!atomic_load_explicit(&words->stop, memory_order_relaxed)) {
			uint32_t ask = atomic_load_explicit(&words->ask, memory_order_acquire);

			if (ask != seen)
				atomic_store_explicit(&words->answer, ask, memory_order_release);
			seen = ask;
		}
	}
	if (words)
		munmap(words, sizeof(*words));
}

static void *serve(void *argument)
{
	int connection = (int)(intptr_t)argument;
	char service = 0;

	if (read(connection, &service, 1) == 1) {
		if (service == PARTNER_ECHO)
			serve_echo(connection);
		else if (service == PARTNER_SINK)
			serve_sink(connection);
		else if (service == PARTNER_SPIN)
			serve_spin(connection);
	}
	close(connection);
	return NULL;
}

static void no_delay(int socket)
{
	setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
}

_Noreturn static void serve_all(const int listeners[2])
{
	struct pollfd waits[] = {{listeners[0], POLLIN, 0}, {listeners[1], POLLIN, 0}};

	while (poll(waits, 2, -1) >= 0) {
		for (size_t i = 0; i < 2; i++) {
			pthread_t thread;
			int connection = -1;

			if (waits[i].revents)
				connection = accept4(waits[i].fd, NULL, NULL, SOCK_CLOEXEC);
			if (connection < 0)
				continue;
			no_delay(connection);
			if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)connection))
				close(connection);
			else
				pthread_detach(thread);
		}
	}
	_exit(EXIT_FAILURE);
}

/* This process */

static int listen_unix(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd >= 0 && (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 64))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static int listen_tcp(unsigned short *ret_port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && (bind(fd, (struct sockaddr *)&address, size) || listen(fd, 64) ||
			getsockname(fd, (struct sockaddr *)&address, &size))) {
		close(fd);
		fd = -1;
	}
	*ret_port = ntohs(address.sin_port);
	return fd;
}

int partner_start(struct partner *partner, const char *directory)
{
	pid_t parent = getpid();
	int listeners[2];

	snprintf(partner->path, sizeof(partner->path), "%s/partner.sock", directory);
	listeners[0] = listen_unix(partner->path);
	listeners[1] = listen_tcp(&partner->port);
	if (listeners[0] < 0 || listeners[1] < 0)
		return fail("listening");
	partner->pid = fork();
	if (!partner->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(EXIT_FAILURE);
		signal(SIGPIPE, SIG_IGN);
		serve_all(listeners);
	}
	close(listeners[0]);
	close(listeners[1]);
	return partner->pid < 0 ? fail("fork") : VACCEL_OK;
}

void partner_stop(struct partner *partner)
{
	if (partner->pid <= 0)
		return;
	kill(partner->pid, SIGKILL);
	waitpid(partner->pid, NULL, 0);
	unlink(partner->path);
	partner->pid = 0;
}

static int connect_tcp(const struct partner *partner)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(partner->port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		close(fd);
		return -1;
	}
	no_delay(fd);
	return fd;
}

static int connect_unix(const struct partner *partner)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, partner->path, sizeof(address.sun_path));
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		close(fd);
		return -1;
	}
	return fd;
}

int partner_connect(const struct partner *partner, bool tcp, enum partner_service service)
{
	int fd = tcp ? connect_tcp(partner) : connect_unix(partner);
	char byte = (char)service;

	if (fd >= 0 && write(fd, &byte, 1) == 1)
		return fd;
	fail("connecting");
	if (fd >= 0)
		close(fd);
	return -1;
}

int partner_ping(int connection)
{
	char byte = 1;

	if (write(connection, &byte, 1) != 1 || read(connection, &byte, 1) != 1)
		return fail("ping-pong");
	return VACCEL_OK;
}

int partner_send(int connection, const void *bytes, size_t size)
{
	uint64_t announced = size;
	struct iovec pieces[] = {{&announced, sizeof(announced)}, {(void *)bytes, size}};
	char byte;

	while (pieces[1].iov_len) {
		ssize_t sent = writev(connection, pieces, 2);
		size_t done = sent < 0 ? 0 : (size_t)sent;
		size_t first = done < pieces[0].iov_len ? done : pieces[0].iov_len;

		if (sent < 0)
			return fail("stream");
		pieces[0].iov_base = (char *)pieces[0].iov_base + first;
		pieces[0].iov_len -= first;
		pieces[1].iov_base = (char *)pieces[1].iov_base + done - first;
		pieces[1].iov_len -= done - first;
	}
	return read(connection, &byte, 1) == 1 ? VACCEL_OK : fail("stream");
}

static int pass_fd(int connection, int fd)
{
	char byte = 0, control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec piece = {&byte, 1};
	struct msghdr message = {.msg_iov = &piece,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	return sendmsg(connection, &message, 0) == 1 && read(connection, &byte, 1) == 1
		       ? VACCEL_OK
		       : fail("passing memory");
}

int partner_spin_start(const struct partner *partner, struct partner_spin **ret_spin)
{
	struct partner_spin *spin = calloc(1, sizeof(*spin));
	int fd = memfd_create("spin", MFD_CLOEXEC);
	int ret;

	if (!spin || fd < 0 || ftruncate(fd, sizeof(struct spin_words))) {
		free(spin);
		return fail("shared memory");
	}
	spin->words = map_words(fd);
	spin->connection = partner_connect(partner, false, PARTNER_SPIN);
	ret = !spin->words || spin->connection < 0 ? VACCEL_ENOMEM : pass_fd(spin->connection, fd);
	close(fd);
	if (ret)
		partner_spin_stop(spin);
	else
		*ret_spin = spin;
	return ret;
}

int partner_spin_ping(struct partner_spin *spin, size_t times)
{
	char byte = 0;

	atomic_store(&spin->words->stop, 0);
	if (write(spin->connection, &byte, 1) != 1)
		return fail("spinning");
	for (size_t i = 0; i < times; i++) {
		uint32_t ask = ++spin->count;

		atomic_store_explicit(&spin->words->ask, ask, memory_order_release);
		while (atomic_load_explicit(&spin->words->answer, memory_order_acquire) != ask)
			;
	}
	atomic_store(&spin->words->stop, 1);
	return read(spin->connection, &byte, 1) == 1 ? VACCEL_OK : fail("spinning");
}

void partner_spin_stop(struct partner_spin *spin)
{
	if (!spin)
		return;
	if (spin->words) {
		atomic_store(&spin->words->stop, 1);
		munmap(spin->words, sizeof(*spin->words));
	}
	if (spin->connection >= 0)
		close(spin->connection);
	free(spin);
}
