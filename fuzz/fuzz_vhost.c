// SPDX-License-Identifier: Apache-2.0
/*
 * What a virtual machine can do to its device. The first byte says which: 'M', what its
 * monitor says to the supervisor, each message behind a byte with the number of its
 * descriptors; 'I', what a lost worker has left, and then as all else: a guest's memory, with a
 * queue in its first page, which the device goes through. Connections are served by a
 * worker's threads, as they are; at the end everything must have been given back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vaccel/config.h>
#include <vaccel/core.h>
#include <vaccel/error.h>

#include "agent/vhost/device.h"
#include "agent/vhost/model.h"
#include "agent/vhost/ring.h"
#include "agent/worker/server.h"
#include "base/util.h"
#include "messages.h"
#include "tests/vhost/repeat.h"

#define QUEUE_SIZE 8
#define AVAILABLE  256
#define USED	   512
#define MEMORY	   65536
#define CHAINS_MAX 64

static struct worker worker;
static struct server *server;
static char directory[] = "/tmp/vaccel-fuzz-XXXXXX";

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void stop(void)
{
	char command[64];

	server_delete(server);
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	require(!system(command));
}

static void start(void)
{
	struct worker_setup setup = {
		.tenant = strdup("fuzz"),
		.epoch = 0x1112131415161718,
		.policy = default_policy,
		.log = {.level = VACCEL_LOG_ERROR},
	};
	struct vaccel_config config;

	require(mkdtemp(directory) && setup.tenant);
	setup.directory = strdup(directory);
	setup.policy.name = strdup("fuzz");
	setup.policy.memory = 1 << 22;
	setup.policy.payload = 1 << 20;
	log_open(&setup.log, STDERR_FILENO);
	require(!vaccel_config_init(&config, PLUGIN_DIR "/libvaccel-noop.so", VACCEL_LOG_ERROR,
				    NULL, false, false));
	require(!vaccel_bootstrap_with_config(&config));
	vaccel_config_release(&config);
	require(!worker_init(&worker, &setup, calloc(1, sizeof(struct stats))));
	require(!server_new(&worker, &server));
	atexit(stop);
}

/* Messages */

static void ignore(struct backend *backend)
{
}

static void ignore_queue(struct backend *backend, unsigned int queue)
{
	require(queue < backend->model->queues);
}

static const struct backend_events events = {
	.memory = ignore,
	.inflight = ignore,
	.start = ignore_queue,
	.enable = ignore_queue,
	.call = ignore_queue,
	.stop = ignore_queue,
};

static void send_with(int socket, const uint8_t *bytes, size_t size, unsigned int nr)
{
	_cleanup_(closep) int fd = eventfd(0, EFD_CLOEXEC);

	(void)!send_repeating(socket, bytes, size, fd, nr, MSG_DONTWAIT);
}

/* Every queue that is to stop does so at once. */
static int stop_queues(struct backend *backend)
{
	int ret = VACCEL_OK;

	for (unsigned int i = 0; !ret && i < backend->model->queues; i++)
		if (backend->rings[i].stopping)
			ret = backend_stopped(backend, i, (uint16_t)i);
	return ret;
}

static void hear_monitor(const uint8_t *data, size_t size)
{
	struct backend backend;
	struct model model;
	char answers[4096];
	int ends[2], ret = VACCEL_OK;

	require(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
	model_accel(&default_policy, &model);
	backend_init(&backend, &model, &events, ends[1]);
	while (!ret && size > sizeof(struct vhost_header)) {
		struct vhost_header header;
		size_t part = sizeof(header);

		memcpy(&header, data + 1, MIN_OF(sizeof(header), size - 1));
		part = MIN_OF(part + header.size % 1024, size - 1);
		send_with(ends[0], data + 1, part, data[0] % 12);
		data += 1 + part;
		size -= 1 + part;
		messages_taken++;
		ret = backend_read(&backend);
		if (!ret && backend_waits(&backend))
			ret = stop_queues(&backend);
		while (recv(ends[0], answers, sizeof(answers), MSG_DONTWAIT) > 0)
			;
	}
	backend_release(&backend);
	close(ends[0]);
}

/* Rings */

static void note_idle(struct ring *ring)
{
	*(bool *)ring->owner = true;
}

static bool is_idle(struct ring *ring)
{
	SCOPED_LOCK(&ring->lock);
	return !ring->under_way;
}

/* What is asked is answered, whatever it is, and soon. */
static void wait_until_idle(struct ring *ring)
{
	for (int i = 0; !is_idle(ring); i++) {
		require(i < 100000);
		usleep(100);
	}
}

static void walk(struct ring *ring, void *device)
{
	const struct device_kind *kind = device_by_scheme("vhost-user");
	struct chain *chain;

	for (int i = 0; i < CHAINS_MAX && !ring_take(ring, &chain); i++) {
		kind->take(device, chain);
		messages_taken++;
	}
	wait_until_idle(ring);
	kind->stop(device, 0);
	kind->end(device);
}

static unsigned char inflight[INFLIGHT_STRIDE(QUEUE_SIZE)] __attribute__((aligned(64)));

static void go_through(struct guest *guest)
{
	const struct ring_setup setup = {
		.size = QUEUE_SIZE,
		.features = VIRTIO_VERSION_1 | VIRTIO_INDIRECT | VIRTIO_EVENT_IDX,
		.addresses = {.available = AVAILABLE, .used = USED},
		.kick = -1,
		.call = -1,
	};
	bool idle = false;
	struct ring ring;
	void *device;

	ring_init(&ring, 0, &idle);
	require(!ring_start(&ring, &setup, guest, (struct inflight_queue *)inflight));
	ring.enabled = true;
	require(!device_by_scheme("vhost-user")->start(&worker, NULL, "fuzz", &device));
	walk(&ring, device);
	ring_stop(&ring, note_idle);
	require(idle);
	ring_release(&ring);
}

static void be_guest(const uint8_t *data, size_t size)
{
	const struct vhost_region halves[] = {
		{0, MEMORY / 2, 0, MEMORY / 2},
		{MEMORY / 2, MEMORY / 2, MEMORY / 2, 0},
	};
	_cleanup_(closep) int fd = memfd_create("guest", MFD_CLOEXEC);
	struct guest *guest;
	uint16_t nothing = 0;

	require(fd >= 0 && !ftruncate(fd, MEMORY));
	size = MIN_OF(size, (size_t)MEMORY / 2);
	require(pwrite(fd, data, size, MEMORY / 2) == (ssize_t)size);
	/* A used ring that has been used already is a guest's own affair. */
	require(pwrite(fd, &nothing, sizeof(nothing), MEMORY / 2 + USED + 2) == sizeof(nothing));
	require(!guest_new(&guest));
	for (size_t i = 0; i < ARRAY_SIZE(halves); i++)
		require(!guest_add(guest, &halves[i], fd));
	go_through(guest);
	guest_unref(guest);
	for (int i = 0; atomic_load(&worker.stats->connections); i++) {
		require(i < 100000);
		usleep(100);
	}
	require(!worker.memory.used && !worker.owing);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!worker.stats)
		start();
	memset(inflight, 0, sizeof(inflight));
	if (size && data[0] == 'M') {
		hear_monitor(data + 1, size - 1);
		return 0;
	}
	if (size > sizeof(inflight) && data[0] == 'I') {
		memcpy(inflight, data + 1, sizeof(inflight));
		data += 1 + sizeof(inflight);
		size -= 1 + sizeof(inflight);
	}
	be_guest(data, size);
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	return LLVMFuzzerMutate(data, size, max_size);
}

uint64_t messages_taken;
