// SPDX-License-Identifier: Apache-2.0
#include "vmm.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/util.h"

#define PATIENCE_MS 60000

/* A bit that says that the configuration may be written to, which both send and nobody needs. */
#define CONFIG_WRITABLE 1

#define BLK_RO	  (UINT64_C(1) << 5)
#define BLK_FLUSH (UINT64_C(1) << 9)

/* With "cache_type": "Writeback" also FLUSH. */
const struct vmm_kind vmm_firecracker = {
	.name = "firecracker",
	.features = VIRTIO_VERSION_1 | VIRTIO_EVENT_IDX | VHOST_USER_PROTOCOL | BLK_RO | BLK_FLUSH,
	.protocol = PROTOCOL_CONFIG,
	.config_size = 60,
	.enables_at_once = true,
};

/* Bits of devices are dropped, and so are those of protocols that no agent offers. */
#define RING_FEATURES                                                                  \
	(VIRTIO_VERSION_1 | VIRTIO_EVENT_IDX | VIRTIO_INDIRECT | VHOST_USER_PROTOCOL | \
	 UINT64_C(7) << 35 /* in order, ordered by the platform, with data in kicks */)
#define RING_PROTOCOL                                                                      \
	(1 << 1 /* log of writes */ | PROTOCOL_MQ | PROTOCOL_REPLY_ACK | PROTOCOL_CONFIG | \
	 PROTOCOL_INFLIGHT | PROTOCOL_MEM_SLOTS)

/* Sizes and segments, geometry, RO, block size, FLUSH, topology, write back, discard, zeroes, MQ */
#define BLK_FEATURES UINT64_C(0x7e76)

const struct vmm_kind vmm_cloud_hypervisor_disk = {
	.name = "cloud-hypervisor-disk",
	.features = RING_FEATURES | BLK_FEATURES,
	.protocol = RING_PROTOCOL,
	.config_size = 60,
};

const struct vmm_kind vmm_cloud_hypervisor_device = {
	.name = "cloud-hypervisor-device",
	.features = RING_FEATURES,
	.protocol = RING_PROTOCOL,
};

/* Messages */

static void send_message(const struct vmm *vmm, enum vhost_request request, const void *body,
			 size_t size, const int *fds, size_t nr)
{
	struct vhost_header header = {request, VHOST_VERSION, (uint32_t)size};
	struct iovec pieces[] = {{&header, sizeof(header)}, {(void *)body, size}};
	struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 2};
	union {
		struct cmsghdr header;
		unsigned char room[CMSG_SPACE(TABLE_MAX * sizeof(int))];
	} passed = {};

	if (vmm->protocol & PROTOCOL_REPLY_ACK)
		header.flags |= VHOST_NEED_REPLY;
	if (nr) {
		passed.header.cmsg_level = SOL_SOCKET;
		passed.header.cmsg_type = SCM_RIGHTS;
		passed.header.cmsg_len = CMSG_LEN(nr * sizeof(int));
		memcpy(CMSG_DATA(&passed.header), fds, nr * sizeof(int));
		message.msg_control = &passed;
		message.msg_controllen = CMSG_SPACE(nr * sizeof(int));
	}
	assert_int_equal(sendmsg(vmm->socket, &message, MSG_NOSIGNAL), sizeof(header) + size);
}

/* An answer of just that size. */
static void receive(const struct vmm *vmm, enum vhost_request request, void *body, size_t size,
		    int *ret_fd)
{
	struct vhost_header header;
	struct iovec piece = {&header, sizeof(header)};
	union {
		struct cmsghdr header;
		unsigned char room[CMSG_SPACE(sizeof(int))];
	} passed = {};
	struct msghdr message = {
		.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = &passed,
		.msg_controllen = sizeof(passed),
	};

	assert_int_equal(recvmsg(vmm->socket, &message, MSG_WAITALL | MSG_CMSG_CLOEXEC),
			 sizeof(header));
	assert_int_equal(header.request, request);
	assert_int_equal(header.flags, VHOST_VERSION | VHOST_REPLY);
	assert_int_equal(header.size, size);
	assert_int_equal(recv(vmm->socket, body, size, MSG_WAITALL), size);
	assert_int_equal(message.msg_controllen != 0, ret_fd != NULL);
	if (ret_fd)
		memcpy(ret_fd, CMSG_DATA(&passed.header), sizeof(int));
}

/* One without an answer of its own: that it went well is asked if that was agreed on. */
static void say_with(const struct vmm *vmm, enum vhost_request request, const void *body,
		     size_t size, const int *fds, size_t nr)
{
	uint64_t code = 0;

	send_message(vmm, request, body, size, fds, nr);
	if (vmm->protocol & PROTOCOL_REPLY_ACK)
		receive(vmm, request, &code, sizeof(code), NULL);
	assert_int_equal(code, 0);
}

static void say(const struct vmm *vmm, enum vhost_request request, const void *body, size_t size)
{
	say_with(vmm, request, body, size, NULL, 0);
}

static void say_number(const struct vmm *vmm, enum vhost_request request, uint64_t number)
{
	say(vmm, request, &number, sizeof(number));
}

static void say_of_queue(const struct vmm *vmm, enum vhost_request request, uint32_t queue,
			 uint32_t number)
{
	say(vmm, request, &(struct vhost_number){queue, number}, sizeof(struct vhost_number));
}

static uint64_t ask(const struct vmm *vmm, enum vhost_request request)
{
	uint64_t number;

	send_message(vmm, request, NULL, 0, NULL, 0);
	receive(vmm, request, &number, sizeof(number), NULL);
	return number;
}

/* The configuration */

static size_t put_config(struct vhost_config *config, uint32_t offset, const void *bytes,
			 uint32_t size, uint32_t flags)
{
	*config = (struct vhost_config){offset, size, flags, {0}};
	assert_true(size <= sizeof(config->bytes));
	if (bytes)
		memcpy(config->bytes, bytes, size);
	return offsetof(struct vhost_config, bytes) + size;
}

static void read_config(struct vmm *vmm, uint32_t offset, void *to, uint32_t size, uint32_t flags)
{
	struct vhost_config config;
	size_t whole = put_config(&config, offset, NULL, size, flags);

	send_message(vmm, GET_CONFIG, &config, whole, NULL, 0);
	receive(vmm, GET_CONFIG, &config, whole, NULL);
	assert_int_equal(config.offset, offset);
	assert_int_equal(config.size, size);
	memcpy(to, config.bytes, size);
}

void vmm_read_config(struct vmm *vmm, uint32_t offset, void *to, uint32_t size)
{
	if (vmm->kind->config_size)
		memcpy(to, vmm->config + offset, size);
	else
		read_config(vmm, offset, to, size, 0);
}

void vmm_write_config(struct vmm *vmm, uint32_t offset, const void *from, uint32_t size)
{
	struct vhost_config config;

	say(vmm, SET_CONFIG, &config, put_config(&config, offset, from, size, CONFIG_WRITABLE));
}

/* Beginning and end */

/* Both wait for an agent that is not there yet. */
static void connect_to_agent(struct vmm *vmm)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
	int tries = 0;

	vmm->protocol = 0;
	vmm->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(vmm->socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	strncpy(address.sun_path, vmm->path, sizeof(address.sun_path) - 1);
	while (connect(vmm->socket, (struct sockaddr *)&address, sizeof(address))) {
		assert_true(tries++ < PATIENCE_MS / 100);
		usleep(100000);
	}
}

void vmm_boot(struct vmm *vmm, const struct vmm_kind *kind, struct front *front,
	      unsigned int queues, const char *path)
{
	uint64_t protocol;

	*vmm = (struct vmm){
		.kind = kind,
		.front = front,
		.path = path,
		.queues = queues,
		.inflight = -1,
	};
	connect_to_agent(vmm);
	say(vmm, SET_OWNER, NULL, 0);
	vmm->features = ask(vmm, GET_FEATURES) & kind->features;
	assert_true(vmm->features & VHOST_USER_PROTOCOL);
	protocol = ask(vmm, GET_PROTOCOL_FEATURES) & kind->protocol;
	say_number(vmm, SET_PROTOCOL_FEATURES, protocol);
	vmm->protocol = protocol;
	if (protocol & PROTOCOL_MQ)
		assert_true(ask(vmm, GET_QUEUE_NUM) >= queues);
	if (kind->config_size)
		read_config(vmm, 0, vmm->config, kind->config_size, CONFIG_WRITABLE);
}

void vmm_end(struct vmm *vmm)
{
	close(vmm->socket);
	closep(&vmm->inflight);
}

void vmm_wait_for_end(struct vmm *vmm)
{
	struct pollfd poller = {.fd = vmm->socket, .events = 0};

	assert_int_equal(poll(&poller, 1, PATIENCE_MS), 1);
	assert_true(poller.revents & POLLHUP);
	close(vmm->socket);
}

/* Queues */

static void say_memory(struct vmm *vmm)
{
	const struct vhost_table table = {
		.count = 2,
		.regions = {front_region(vmm->front, 0), front_region(vmm->front, 1)},
	};
	const int fds[] = {vmm->front->fd, vmm->front->fd};

	say_with(vmm, SET_MEM_TABLE, &table,
		 offsetof(struct vhost_table, regions) + 2 * sizeof(table.regions[0]), fds, 2);
}

/* What was given once is handed to every agent that comes after. */
static void say_inflight(struct vmm *vmm)
{
	if (vmm->inflight < 0) {
		vmm->shape = (struct vhost_inflight){
			.queues = (uint16_t)vmm->queues,
			.queue_size = vmm->front->size,
		};
		send_message(vmm, GET_INFLIGHT_FD, &vmm->shape, sizeof(vmm->shape), NULL, 0);
		receive(vmm, GET_INFLIGHT_FD, &vmm->shape, sizeof(vmm->shape), &vmm->inflight);
	}
	say_with(vmm, SET_INFLIGHT_FD, &vmm->shape, sizeof(vmm->shape), &vmm->inflight, 1);
}

static void say_ring(struct vmm *vmm, unsigned int number)
{
	const struct front_queue *queue = &vmm->front->queues[number];
	const struct vhost_addresses addresses = front_addresses(vmm->front, number);
	const uint64_t body = number;

	say(vmm, SET_VRING_ADDR, &addresses, sizeof(addresses));
	/* Where the guest is in the ring, not where the device is. */
	say_of_queue(vmm, SET_VRING_BASE, number, queue->available[1]);
	say_with(vmm, SET_VRING_CALL, &body, sizeof(body), &queue->call, 1);
	say_with(vmm, SET_VRING_KICK, &body, sizeof(body), &queue->kick, 1);
}

static void enable(struct vmm *vmm, unsigned int queue, bool yes)
{
	say_of_queue(vmm, SET_VRING_ENABLE, queue, yes);
}

void vmm_activate(struct vmm *vmm)
{
	say_number(vmm, SET_FEATURES, vmm->features);
	say_memory(vmm);
	for (unsigned int i = 0; i < vmm->queues; i++)
		say_of_queue(vmm, SET_VRING_NUM, i, vmm->front->size);
	if (vmm->protocol & PROTOCOL_INFLIGHT)
		say_inflight(vmm);
	for (unsigned int i = 0; i < vmm->queues; i++) {
		say_ring(vmm, i);
		if (vmm->kind->enables_at_once)
			enable(vmm, i, true);
	}
	for (unsigned int i = 0; i < vmm->queues && !vmm->kind->enables_at_once; i++)
		enable(vmm, i, true);
}

void vmm_reset(struct vmm *vmm)
{
	for (unsigned int i = 0; i < vmm->queues; i++) {
		struct vhost_number base = {i, 0};

		enable(vmm, i, false);
		send_message(vmm, GET_VRING_BASE, &base, sizeof(base), NULL, 0);
		receive(vmm, GET_VRING_BASE, &base, sizeof(base), NULL);
		assert_int_equal(base.number, vmm->front->queues[i].available[1]);
	}
	/* The next driver's is new. */
	closep(&vmm->inflight);
	vmm->inflight = -1;
}

void vmm_pause(struct vmm *vmm, bool pause)
{
	for (unsigned int i = 0; i < vmm->queues; i++)
		enable(vmm, i, !pause);
}

void vmm_connect_again(struct vmm *vmm)
{
	uint64_t protocol = vmm->protocol;

	connect_to_agent(vmm);
	say(vmm, SET_OWNER, NULL, 0);
	assert_int_equal(ask(vmm, GET_FEATURES) & vmm->features, vmm->features);
	say_number(vmm, SET_PROTOCOL_FEATURES, protocol);
	vmm->protocol = protocol;
	vmm_activate(vmm);
}

void vmm_add_memory(struct vmm *vmm, const struct vhost_region *region, int fd)
{
	const struct vhost_one_region one = {.region = *region};

	say_with(vmm, ADD_MEM_REG, &one, sizeof(one), &fd, 1);
}
