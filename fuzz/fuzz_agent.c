// SPDX-License-Identifier: Apache-2.0
/*
 * Any bytes on a connection to a worker, as a client may send them: a message is
 * written, the worker reads, acts and answers, all in this one thread; then the next
 * one. So that inputs get far, a session or resource of the vectors' numbers stands for
 * the one that the worker has just made, and memory comes along with region_add. At
 * the end of each input the worker must have nothing left of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vaccel/config.h>
#include <vaccel/core.h>
#include <vaccel/error.h>

#include "agent/worker/connection.h"
#include "base/util.h"
#include "codec/frame.h"
#include "messages.h"
#include "transport/carrier.h"
#include "transport/control.h"

#define EPOCH	       0x1112131415161718 /* as in the vectors */
#define MESSAGE	       65536
#define REPLIES	       (1u << 20)
#define PASSED	       16 /* descriptors that an input may pass */
#define SESSION	       9  /* as in the vectors, like these */
#define RESOURCES      100
#define RESOURCE_TYPES 3

static struct worker worker;
static struct bench bench;
static char directory[] = "/tmp/vaccel-fuzz-XXXXXX";

/* The peer of one connection. */
struct peer {
	int socket;
	int64_t session, resource; /* the last ones that were made; 0 */
	int passed;
	unsigned char replies[REPLIES];
	size_t received, parsed;
};

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void name(struct names *names, const char *text)
{
	names->at = reallocarray(names->at, names->count + 1, sizeof(*names->at));
	require(names->at);
	names->at[names->count++] = strdup(text);
}

static void remove_directory(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", directory);
	require(!system(command));
}

/* Small limits, so that inputs get past them. */
static void start(void)
{
	struct worker_setup setup = {
		.tenant = strdup("fuzz"),
		.epoch = EPOCH,
		.policy = default_policy,
		.log = {.level = VACCEL_LOG_NONE},
	};
	struct vaccel_config config;

	require(mkdtemp(directory) && setup.tenant);
	atexit(remove_directory);
	setup.directory = strdup(directory);
	setup.policy.name = strdup("fuzz");
	setup.policy.sessions = 4;
	setup.policy.memory = 1 << 20;
	setup.policy.content = 1 << 16;
	setup.policy.payload = MESSAGE;
	setup.policy.spin = 1;
	for (size_t i = 0; vaccel_op_at(i); i++)
		name(&setup.policy.ops, vaccel_op_at(i)->name);
	name(&setup.policy.exec_libraries, "libx.so");
	log_open(&setup.log, STDERR_FILENO);
	require(!vaccel_config_init(&config, "noop", VACCEL_LOG_NONE, NULL, false, false));
	require(!vaccel_bootstrap_with_config(&config));
	vaccel_config_release(&config);
	require(!worker_init(&worker, &setup, calloc(1, sizeof(struct stats))));
	bench_init(&bench, &worker.stats->running[0]);
}

static struct connection *connect_peer(struct peer *peer)
{
	struct connection *connection;
	struct link *link;
	int fds[2];

	require(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
	peer->socket = fds[1];
	fcntl(peer->socket, F_SETFL, O_NONBLOCK);
	require(!link_adopt(&carrier_unix, fds[0], NULL, &link));
	require(!connection_new(&worker, link, "fuzz", NULL, &connection));
	return connection;
}

static int shared_memory(void)
{
	int fd = memfd_create("region", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	require(fd >= 0 && !ftruncate(fd, 16384));
	fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW);
	return fd;
}

/* As much as the socket takes; what it does not take the worker will miss. */
static void send_bytes(const struct peer *peer, const void *bytes, size_t size, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec piece = {(void *)bytes, size};
	struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};

	if (fd >= 0) {
		message.msg_control = control;
		message.msg_controllen = sizeof(control);
		*CMSG_FIRSTHDR(&message) = (struct cmsghdr){
			.cmsg_len = CMSG_LEN(sizeof(fd)),
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
		};
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), &fd, sizeof(fd));
	}
	(void)!sendmsg(peer->socket, &message, MSG_NOSIGNAL);
}

static int64_t known_by(const struct peer *peer, int64_t number)
{
	if (number == SESSION && peer->session)
		return peer->session;
	if (number >= RESOURCES && number < RESOURCES + RESOURCE_TYPES && peer->resource)
		return peer->resource;
	return number;
}

/* Numbers of the vectors become the worker's, in the frame and among the first items. */
static void translate(const struct peer *peer, unsigned char *bytes, size_t head_size)
{
	for (size_t i = 0; i < head_size / CODEC_ALIGN && i < 3; i++) {
		unsigned char *at = bytes + FRAME_SIZE + i * CODEC_ALIGN;
		int64_t number;

		memcpy(&number, at, sizeof(number));
		number = known_by(peer, number);
		memcpy(at, &number, sizeof(number));
	}
}

static void send_piece(struct peer *peer, const struct piece *piece)
{
	size_t size = FRAME_SIZE + piece->head_size + piece->payload_size;
	unsigned char *bytes = exact_copy(piece->frame, size);
	const struct frame_limits limits = {UINT64_MAX, UINT64_MAX};
	struct frame frame;
	int fd = -1;

	if (!frame_get(bytes, &limits, &frame)) {
		frame.session = known_by(peer, frame.session);
		frame_put(&frame, bytes);
		if (frame.kind == FRAME_CALL)
			translate(peer, bytes, piece->head_size);
		if (frame.op == VACCEL_OP_REGION_ADD && peer->passed++ < PASSED)
			fd = shared_memory();
	}
	send_bytes(peer, bytes, size, fd);
	closep(&fd);
	free(bytes);
}

/* What an answer says of something new. */
static void note(struct peer *peer, const struct frame *frame, const unsigned char *head)
{
	int64_t number;

	if (frame->kind != FRAME_REPLY || frame->status || frame->head_size < sizeof(number))
		return;
	memcpy(&number, head, sizeof(number));
	if (frame->op == VACCEL_OP_SESSION_OPEN)
		peer->session = number;
	else if (frame->op == VACCEL_OP_RESOURCE_OFFER)
		peer->resource = number;
}

/* Reads what the worker has answered, all of which makes sense. */
static void receive(struct peer *peer)
{
	const struct frame_limits limits = {REPLIES, REPLIES};
	ssize_t got;

	do {
		got = read(peer->socket, peer->replies + peer->received, REPLIES - peer->received);
		peer->received += got > 0 ? (size_t)got : 0;
	} while (got > 0);
	while (peer->received - peer->parsed >= FRAME_SIZE) {
		const unsigned char *at = peer->replies + peer->parsed;
		struct frame frame;
		uint64_t size;

		require(!frame_get(at, &limits, &frame));
		size = FRAME_SIZE + frame.head_size + frame.payload_size;
		if (size > peer->received - peer->parsed)
			break;
		note(peer, &frame, at + FRAME_SIZE);
		peer->parsed += (size_t)size;
	}
	if (peer->parsed == peer->received)
		peer->parsed = peer->received = 0;
}

static enum turn serve(struct connection *connection, struct peer *peer)
{
	enum turn turn;

	do {
		turn = connection_turn(connection, &bench, 0);
		receive(peer);
	} while (turn == TURN_NEXT);
	return turn;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct peer peer;
	enum turn turn = TURN_WAIT;
	struct connection *connection;
	struct piece piece;
	size_t offset = 0;

	if (!worker.stats)
		start();
	peer = (struct peer){.socket = -1};
	connection = connect_peer(&peer);
	while (turn != TURN_END && piece_next(data, size, &offset, &piece)) {
		messages_taken++;
		send_piece(&peer, &piece);
		turn = serve(connection, &peer);
	}
	shutdown(peer.socket, SHUT_WR);
	while (turn != TURN_END)
		turn = serve(connection, &peer);
	link_shut_down(connection->link);
	requests_drop(connection);
	connection_unref(connection);
	close(peer.socket);
	require(!worker.stats->connections && !worker.stats->sessions && !worker.stats->resources);
	require(!worker.memory.used && !worker.spinning && !worker.owing);
	return 0;
}
