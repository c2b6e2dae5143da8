// SPDX-License-Identifier: Apache-2.0
/*
 * Any bytes on a connection to a worker, as a client may send them: a message is
 * written, the worker reads, acts and answers, all in this one thread; then the next
 * one. So that inputs get far, a session or resource of the vectors' numbers stands for
 * the one that the worker has just made, and memory comes along with region_add. At
 * the end of each input the worker must have nothing left of it.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vaccel/config.h>
#include <vaccel/core.h>
#include <vaccel/error.h>

#include "agent/worker/connection/connection.h"
#include "base/util.h"
#include "codec/frame.h"
#include "mailbox_layout.h"
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

#define NOOP PLUGIN_DIR "/libvaccel-noop.so"

static struct worker worker;
static struct bench bench;
static char directory[] = "/tmp/vaccel-fuzz-XXXXXX";

/* Memory that was passed along. */
struct passed {
	uint32_t region;
	unsigned char *bytes;
};

/* The other end of one connection. */
struct far_end {
	int socket;
	int64_t session, resource; /* the last ones that were made; 0 */
	struct passed passed[PASSED];
	int nr_passed;
	uint32_t asked;		/* the region that is to become a mailbox */
	unsigned char *mailbox; /* or NULL */
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
		.log = {.level = VACCEL_LOG_ERROR},
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
	require(!vaccel_config_init(&config, NOOP, VACCEL_LOG_ERROR, NULL, false, false));
	require(!vaccel_bootstrap_with_config(&config));
	vaccel_config_release(&config);
	require(!worker_init(&worker, &setup, calloc(1, sizeof(struct stats))));
	bench_init(&bench, &worker.stats->running[0]);
}

static struct connection *open_end(struct far_end *end)
{
	struct connection *connection;
	struct link *link;
	int fds[2];

	end->session = end->resource = 0;
	end->nr_passed = 0;
	end->mailbox = NULL;
	end->received = end->parsed = 0;
	require(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
	end->socket = fds[1];
	fcntl(end->socket, F_SETFL, O_NONBLOCK);
	require(!link_adopt(&carrier_unix, fds[0], NULL, &link));
	require(!connection_new(&worker, link, "fuzz", NULL, &connection));
	return connection;
}

/* Memory for a region of that number; -1: an input has passed enough. */
static int shared_memory(struct far_end *end, uint32_t region)
{
	struct passed *passed = &end->passed[end->nr_passed];
	int fd;

	if (end->nr_passed == PASSED)
		return -1;
	fd = memfd_create("region", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	require(fd >= 0 && !ftruncate(fd, MAILBOX_SIZE));
	passed->region = region;
	passed->bytes = mmap(NULL, MAILBOX_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	require(passed->bytes != MAP_FAILED);
	memset(passed->bytes, 0, MAILBOX_SIZE);
	fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW);
	end->nr_passed++;
	return fd;
}

/* As much as the socket takes; what it does not take the worker will miss. */
static void send_bytes(const struct far_end *end, const void *bytes, size_t size, int fd)
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
	(void)!sendmsg(end->socket, &message, MSG_NOSIGNAL);
}

static int64_t known_by(const struct far_end *end, int64_t number)
{
	if (number == SESSION && end->session)
		return end->session;
	if (number >= RESOURCES && number < RESOURCES + RESOURCE_TYPES && end->resource)
		return end->resource;
	return number;
}

/* Numbers of the vectors become the worker's, in the frame and among the first items. */
static void translate(const struct far_end *end, unsigned char *bytes, size_t head_size)
{
	for (size_t i = 0; i < head_size / CODEC_ALIGN && i < 3; i++) {
		unsigned char *at = bytes + FRAME_SIZE + i * CODEC_ALIGN;
		int64_t number;

		memcpy(&number, at, sizeof(number));
		number = known_by(end, number);
		memcpy(at, &number, sizeof(number));
	}
}

/* A message in the slot of the mailbox, where there is one and it fits. */
static bool send_by_mailbox(const struct far_end *end, const unsigned char *bytes, size_t size)
{
	if (!end->mailbox || size > SLOT_SIZE)
		return false;
	memcpy(end->mailbox + AT_SLOT, bytes, size);
	return true;
}

static void send_piece(struct far_end *end, const struct piece *piece)
{
	size_t size = FRAME_SIZE + piece->head_size + piece->payload_size;
	unsigned char *bytes = exact_copy(piece->frame, size);
	const struct frame_limits limits = {UINT64_MAX, UINT64_MAX};
	uint32_t region = 0;
	struct frame frame;
	int fd = -1;

	if (!frame_get(bytes, &limits, &frame)) {
		frame.session = known_by(end, frame.session);
		frame_put(&frame, bytes);
		if (frame.kind == FRAME_CALL)
			translate(end, bytes, piece->head_size);
		if (piece->head_size >= sizeof(region))
			memcpy(&region, bytes + FRAME_SIZE, sizeof(region));
		if (frame.op == VACCEL_OP_REGION_ADD)
			fd = shared_memory(end, region);
		else if (frame.op == VACCEL_OP_MAILBOX_OPEN)
			end->asked = region;
	}
	if (fd >= 0 || !send_by_mailbox(end, bytes, size))
		send_bytes(end, bytes, size, fd);
	closep(&fd);
	free(bytes);
}

static void find_mailbox(struct far_end *end)
{
	for (int i = 0; i < end->nr_passed; i++)
		if (end->passed[i].region == end->asked)
			end->mailbox = end->passed[i].bytes;
}

/* What an answer says of something new. */
static void note(struct far_end *end, const struct frame *frame, const unsigned char *head)
{
	int64_t number;

	if (frame->kind != FRAME_REPLY || frame->status || frame->head_size < sizeof(number))
		return;
	memcpy(&number, head, sizeof(number));
	if (frame->op == VACCEL_OP_MAILBOX_OPEN)
		find_mailbox(end);
	else if (frame->op == VACCEL_OP_SESSION_OPEN)
		end->session = number;
	else if (frame->op == VACCEL_OP_RESOURCE_OFFER)
		end->resource = number;
}

/* What is in the slot of the worker's half is whole, and taken. */
static void read_mailbox(struct far_end *end)
{
	const struct frame_limits limits = {SLOT_SIZE, SLOT_SIZE};
	unsigned char *half = end->mailbox + HALF_SIZE;
	struct frame frame;
	uint32_t first;

	memcpy(&first, half + AT_SLOT, sizeof(first));
	if (!first)
		return;
	require(!frame_get(half + AT_SLOT, &limits, &frame));
	require(FRAME_SIZE + frame.head_size + frame.payload_size <= SLOT_SIZE);
	memset(half + AT_SLOT, 0, sizeof(first));
}

/* Reads what the worker has answered, all of which makes sense. */
static void receive(struct far_end *end)
{
	const struct frame_limits limits = {REPLIES, REPLIES};
	ssize_t got;

	do {
		got = read(end->socket, end->replies + end->received, REPLIES - end->received);
		end->received += got > 0 ? (size_t)got : 0;
	} while (got > 0);
	while (end->received - end->parsed >= FRAME_SIZE) {
		const unsigned char *at = end->replies + end->parsed;
		struct frame frame;
		uint64_t size;

		require(!frame_get(at, &limits, &frame));
		size = FRAME_SIZE + frame.head_size + frame.payload_size;
		if (size > end->received - end->parsed)
			break;
		note(end, &frame, at + FRAME_SIZE);
		end->parsed += (size_t)size;
	}
	if (end->parsed == end->received)
		end->parsed = end->received = 0;
	if (end->mailbox)
		read_mailbox(end);
}

static void close_end(struct far_end *end)
{
	close(end->socket);
	for (int i = 0; i < end->nr_passed; i++)
		munmap(end->passed[i].bytes, MAILBOX_SIZE);
}

static struct far_end far_end;

int __real_ppoll(struct pollfd *polled, nfds_t nr, const struct timespec *time,
		 const sigset_t *signals);
int __wrap_ppoll(struct pollfd *polled, nfds_t nr, const struct timespec *time,
		 const sigset_t *signals);

/*
 * By what the worker waits for a slot to be emptied: the one thread has to do that, too. Two
 * memories may have gone by the number of the mailbox.
 */
int __wrap_ppoll(struct pollfd *polled, nfds_t nr, const struct timespec *time,
		 const sigset_t *signals)
{
	static const struct timespec at_once;

	receive(&far_end);
	for (int i = 0; i < far_end.nr_passed; i++)
		memset(far_end.passed[i].bytes + HALF_SIZE + AT_SLOT, 0, sizeof(uint32_t));
	return __real_ppoll(polled, nr, &at_once, signals);
}

static enum turn serve(struct connection *connection, struct far_end *end)
{
	enum turn turn;

	do {
		turn = connection_act(connection, connection_read(connection, 0), &bench);
		receive(end);
	} while (turn == TURN_NEXT);
	return turn;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct far_end *end = &far_end;
	enum turn turn = TURN_WAIT;
	struct connection *connection;
	struct piece piece;
	size_t offset = 0;

	if (!worker.stats)
		start();
	connection = open_end(end);
	while (turn != TURN_END && piece_next(data, size, &offset, &piece)) {
		messages_taken++;
		send_piece(end, &piece);
		turn = serve(connection, end);
	}
	shutdown(end->socket, SHUT_WR);
	while (turn != TURN_END)
		turn = serve(connection, end);
	link_shut_down(connection->link);
	requests_drop(connection);
	connection_unref(connection);
	close_end(end);
	require(!worker.stats->connections && !worker.stats->sessions && !worker.stats->resources);
	require(!worker.memory.used && !worker.spinning && !worker.owing);
	return 0;
}
