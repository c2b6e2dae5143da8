// SPDX-License-Identifier: Apache-2.0
/*
 * What each message of vhost-user does: changes what is known of the machine, says so to
 * whom it concerns, or finds it wrong. messages.c has seen to its size and its descriptors.
 */
#include "agent/vhost/requests.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#include <vaccel/error.h>

#include "agent/base/closer.h"
#include "base/util.h"

#define FEATURES (VIRTIO_INDIRECT | VIRTIO_EVENT_IDX | VHOST_USER_PROTOCOL | VIRTIO_VERSION_1)
#define PROTOCOL_FEATURES                                                                   \
	(uint64_t)(PROTOCOL_MQ | PROTOCOL_REPLY_ACK | PROTOCOL_CONFIG | PROTOCOL_INFLIGHT | \
		   PROTOCOL_RESET_DEVICE | PROTOCOL_MEM_SLOTS)

int refuse(const char *request, const char *why)
{
	return vaccel_fail(VACCEL_EREMOTEIO, "vhost-user: %s: %s", request, why);
}

/* What each message does */

static int get_features(struct backend *backend)
{
	return answer_number(backend, FEATURES | backend->model->features);
}

static bool is_running(const struct backend *backend)
{
	for (unsigned int i = 0; i < backend->model->queues; i++)
		if (backend->rings[i].started)
			return true;
	return false;
}

static int set_features(struct backend *backend)
{
	if (backend->body.number & ~(FEATURES | backend->model->features))
		return refuse("SET_FEATURES", "there are features in it that were not offered");
	if (is_running(backend) && backend->body.number != backend->features)
		return refuse("SET_FEATURES", "a queue runs by other features");
	backend->features = backend->body.number;
	return VACCEL_OK;
}

static int get_protocol_features(struct backend *backend)
{
	return answer_number(backend, PROTOCOL_FEATURES);
}

static int set_protocol_features(struct backend *backend)
{
	if (backend->body.number & ~PROTOCOL_FEATURES)
		return refuse("SET_PROTOCOL_FEATURES",
			      "there are some in it that were not offered");
	backend->protocol = backend->body.number;
	return VACCEL_OK;
}

static int get_queue_num(struct backend *backend)
{
	return answer_number(backend, backend->model->queues);
}

static int get_max_mem_slots(struct backend *backend)
{
	return answer_number(backend, REGIONS_MAX);
}

static int set_owner(struct backend *backend)
{
	backend->owned = true;
	return VACCEL_OK;
}

static int nothing(struct backend *backend)
{
	return VACCEL_OK;
}

/* Memory */

static int take_fd(struct backend *backend)
{
	int fd = backend->fds[0];

	memmove(backend->fds, backend->fds + 1, --backend->nr_fds * sizeof(fd));
	return fd;
}

/* Gives a descriptor to those that go with the message, which are closed after it. */
static void drop_fd(struct backend *backend, int *fd)
{
	if (*fd >= 0)
		backend->fds[backend->nr_fds++] = TAKE_FD(*fd);
}

static bool overlap(uint64_t one, uint64_t other, uint64_t size, uint64_t other_size)
{
	return one < other + other_size && other < one + size;
}

static int check_region(const struct backend *backend, const struct vhost_region *region)
{
	if (!region->size || region->guest + region->size < region->guest ||
	    region->front + region->size < region->front ||
	    region->offset + region->size < region->offset)
		return refuse("memory", "a region is empty, or goes round the end of addresses");
	for (unsigned int i = 0; i < backend->nr_regions; i++) {
		const struct vhost_region *other = &backend->regions[i].at;

		if (overlap(region->guest, other->guest, region->size, other->size) ||
		    overlap(region->front, other->front, region->size, other->size))
			return refuse("memory", "two regions overlap");
	}
	return VACCEL_OK;
}

static int add_region(struct backend *backend, const struct vhost_region *region)
{
	int ret = check_region(backend, region);

	if (!ret && backend->nr_regions == REGIONS_MAX)
		ret = refuse("memory", "there are too many regions");
	if (!ret)
		backend->regions[backend->nr_regions++] =
			(struct region){*region, take_fd(backend)};
	return ret;
}

static int set_mem_table(struct backend *backend)
{
	const struct vhost_table *table = &backend->body.table;
	struct region before[REGIONS_MAX];
	unsigned int nr_before = backend->nr_regions;
	int ret = VACCEL_OK;

	if (table->count > TABLE_MAX ||
	    backend->header.size < 8 + table->count * sizeof(table->regions[0]))
		return refuse("SET_MEM_TABLE", "it is shorter than it says");
	if (!table->count || backend->nr_fds != table->count)
		return refuse("SET_MEM_TABLE",
			      "the machine's memory comes without descriptors; " SHARE_MEMORY);
	memcpy(before, backend->regions, nr_before * sizeof(before[0]));
	backend->nr_regions = 0;
	for (unsigned int i = 0; !ret && i < table->count; i++)
		ret = add_region(backend, &table->regions[i]);
	for (unsigned int i = 0; i < nr_before; i++)
		close_elsewhere(before[i].fd);
	if (!ret)
		backend->events->memory(backend);
	return ret;
}

static int add_mem_reg(struct backend *backend)
{
	int ret = add_region(backend, &backend->body.one.region);

	if (!ret)
		backend->events->memory(backend);
	return ret;
}

static int rem_mem_reg(struct backend *backend)
{
	const struct vhost_region *wanted = &backend->body.one.region;

	for (unsigned int i = 0; i < backend->nr_regions; i++) {
		struct region *region = &backend->regions[i];

		if (region->at.guest != wanted->guest || region->at.front != wanted->front ||
		    region->at.size != wanted->size)
			continue;
		/* A descriptor that came along, as some front ends send, says nothing. */
		close_elsewhere(region->fd);
		*region = backend->regions[--backend->nr_regions];
		backend->events->memory(backend);
		return VACCEL_OK;
	}
	return refuse("REM_MEM_REG", "there is no such region");
}

/* Queues */

static struct vring *ring_of(struct backend *backend, uint64_t queue)
{
	if (queue < backend->model->queues)
		return &backend->rings[queue];
	vaccel_fail(VACCEL_EREMOTEIO,
		    "vhost-user: there is no queue %" PRIu64 "; the device has %u", queue,
		    backend->model->queues);
	return NULL;
}

/* One that does not run, so that it can be set up. */
static struct vring *resting_ring(struct backend *backend, uint32_t queue, const char *request)
{
	struct vring *ring = ring_of(backend, queue);

	if (!ring || !ring->started)
		return ring;
	refuse(request, "the queue runs");
	return NULL;
}

static int set_vring_num(struct backend *backend)
{
	const struct vhost_number *state = &backend->body.state;
	struct vring *ring = resting_ring(backend, state->queue, "SET_VRING_NUM");

	if (!ring)
		return VACCEL_EREMOTEIO;
	if (!state->number || state->number > QUEUE_SIZE_MAX || state->number & (state->number - 1))
		return refuse("SET_VRING_NUM", "the size is no power of two up to 1024; "
					       "lower the size of the device's queues");
	ring->size = state->number;
	return VACCEL_OK;
}

static int set_vring_addr(struct backend *backend)
{
	const struct vhost_addresses *addresses = &backend->body.addresses;
	struct vring *ring = resting_ring(backend, addresses->queue, "SET_VRING_ADDR");

	if (!ring)
		return VACCEL_EREMOTEIO;
	if (addresses->flags)
		return refuse("SET_VRING_ADDR", "it asks for a log of what is written, which was "
						"not offered");
	if (addresses->descriptors % 16 || addresses->available % 2 || addresses->used % 4)
		return refuse("SET_VRING_ADDR", "an address is not aligned");
	ring->addresses = *addresses;
	ring->has_addresses = true;
	return VACCEL_OK;
}

static int set_vring_base(struct backend *backend)
{
	const struct vhost_number *state = &backend->body.state;
	struct vring *ring = resting_ring(backend, state->queue, "SET_VRING_BASE");

	if (!ring)
		return VACCEL_EREMOTEIO;
	if (state->number > UINT16_MAX)
		return refuse("SET_VRING_BASE", "it is no index of a ring");
	ring->base = (uint16_t)state->number;
	return VACCEL_OK;
}

static int answer_base(struct backend *backend, uint32_t queue)
{
	const struct vhost_number answer = {queue, backend->rings[queue].base};

	return send_answer(backend, &answer, sizeof(answer), -1);
}

static void stop(struct backend *backend, unsigned int queue)
{
	backend->rings[queue].stopping = true;
	backend->events->stop(backend, queue);
}

static int get_vring_base(struct backend *backend)
{
	uint32_t queue = backend->body.state.queue;
	struct vring *ring = ring_of(backend, queue);

	if (!ring)
		return VACCEL_EREMOTEIO;
	if (!ring->started)
		return answer_base(backend, queue);
	backend->asked = (int)queue;
	stop(backend, queue);
	return VACCEL_OK;
}

/* The queue of a message that brings a descriptor, or says that there is none. */
static struct vring *ring_with_fd(struct backend *backend, const char *request)
{
	uint64_t number = backend->body.number;
	bool has_fd = !(number & VHOST_NO_DESCRIPTOR);

	if (!(number & ~(VHOST_QUEUE_MASK | VHOST_NO_DESCRIPTOR)) && backend->nr_fds == has_fd)
		return ring_of(backend, number & VHOST_QUEUE_MASK);
	refuse(request, "its descriptor is missing, or is not the only one");
	return NULL;
}

static void exchange_fd(struct backend *backend, int *fd)
{
	int before = *fd;

	*fd = backend->nr_fds ? take_fd(backend) : -1;
	drop_fd(backend, &before);
}

void leave_inflight(struct backend *backend)
{
	if (backend->inflight_own)
		munmap(TAKE(backend->inflight_own), backend->inflight.size);
}

/*
 * Memory of our own for what is under way, where the front end brings none. Front end and worker
 * have it, too: a write() would wait for one of theirs, which they can let take no end; so we
 * map it, and nobody can take away what is mapped.
 */
static int make_inflight(struct backend *backend, uint16_t queues, uint16_t queue_size)
{
	_cleanup_(closep) int fd = memfd_create("inflight", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	uint64_t size = INFLIGHT_STRIDE(queue_size) * queues;
	char *memory = MAP_FAILED;

	if (fd >= 0 && !ftruncate(fd, (off_t)size) &&
	    !fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return vaccel_fail(errno, "vhost-user: no memory for requests under way: %s",
				   strerror(errno));
	leave_inflight(backend);
	backend->inflight = (struct vhost_inflight){
		.size = size,
		.queues = queues,
		.queue_size = queue_size,
	};
	drop_fd(backend, &backend->inflight_fd);
	backend->inflight_fd = TAKE_FD(fd);
	backend->inflight_own = memory;
	backend->events->inflight(backend);
	return VACCEL_OK;
}

static int check_start(const struct backend *backend, const struct vring *ring)
{
	if (!(backend->features & VIRTIO_VERSION_1))
		return refuse("SET_VRING_KICK", "the guest's driver is one for virtio before 1.0; "
						"use a device with disable-legacy=on");
	if (!ring->size || !ring->has_addresses)
		return refuse("SET_VRING_KICK",
			      "it comes before the queue's size or its addresses");
	/* QEMU starts a queue without a word of memory that it cannot share. */
	if (!backend->nr_regions)
		return refuse("SET_VRING_KICK",
			      "the machine's memory is not shared; " SHARE_MEMORY);
	if (backend->inflight_fd >= 0 && (ring - backend->rings >= backend->inflight.queues ||
					  ring->size > backend->inflight.queue_size))
		return refuse("SET_VRING_KICK", "the memory for requests under way is made for "
						"fewer or smaller queues");
	return VACCEL_OK;
}

/*
 * Whether a driver begins, or a machine that was stopped goes on. Where all queues that it had used
 * were at a multiple of 65536 by chance, or start no more, one that begins is not known from one
 * that goes on. After RESET_DEVICE one that goes on is another, too, as of a snapshot.
 */
static bool begins(struct backend *backend, const struct vring *ring)
{
	bool ret = backend->was_reset || (!ring->base && (ring->left || backend->fresh));

	backend->fresh = backend->was_reset = false;
	for (unsigned int i = 0; ret && i < backend->model->queues; i++)
		backend->rings[i].left = 0;
	return ret;
}

static int set_vring_kick(struct backend *backend)
{
	struct vring *ring = ring_with_fd(backend, "SET_VRING_KICK");
	unsigned int queue = (unsigned int)(backend->body.number & VHOST_QUEUE_MASK);
	int ret;

	if (!ring)
		return VACCEL_EREMOTEIO;
	if (!backend->nr_fds)
		return refuse("SET_VRING_KICK",
			      "there is no descriptor, and queues are not polled");
	if (ring->started)
		return refuse("SET_VRING_KICK", "the queue runs");
	ret = check_start(backend, ring);
	if (ret)
		return ret;
	exchange_fd(backend, &ring->kick);
	if (backend->inflight_fd < 0)
		ret = make_inflight(backend, QUEUES_MAX, QUEUE_SIZE_MAX);
	if (ret)
		return ret;
	/* Without protocol features nobody ever enables it. */
	if (!(backend->features & VHOST_USER_PROTOCOL))
		ring->enabled = true;
	ring->anew = begins(backend, ring);
	ring->started = true;
	backend->events->start(backend, queue);
	return VACCEL_OK;
}

static int set_vring_call(struct backend *backend)
{
	struct vring *ring = ring_with_fd(backend, "SET_VRING_CALL");

	if (!ring)
		return VACCEL_EREMOTEIO;
	exchange_fd(backend, &ring->call);
	if (ring->started)
		backend->events->call(backend, (unsigned int)(ring - backend->rings));
	return VACCEL_OK;
}

static int set_vring_err(struct backend *backend)
{
	struct vring *ring = ring_with_fd(backend, "SET_VRING_ERR");

	if (!ring)
		return VACCEL_EREMOTEIO;
	exchange_fd(backend, &ring->error);
	return VACCEL_OK;
}

static int set_vring_enable(struct backend *backend)
{
	const struct vhost_number *state = &backend->body.state;
	struct vring *ring = ring_of(backend, state->queue);

	if (!ring)
		return VACCEL_EREMOTEIO;
	if (state->number > 1)
		return refuse("SET_VRING_ENABLE", "it is neither yes nor no");
	if (ring->enabled == state->number)
		return VACCEL_OK;
	ring->enabled = state->number;
	if (ring->started)
		backend->events->enable(backend, state->queue);
	return VACCEL_OK;
}

static int reset_device(struct backend *backend)
{
	backend->resetting = is_running(backend);
	backend->was_reset = !backend->fresh;
	for (unsigned int i = 0; i < backend->model->queues; i++) {
		backend->rings[i].enabled = false;
		if (backend->rings[i].started)
			stop(backend, i);
	}
	return VACCEL_OK;
}

/* The rest */

static int get_config(struct backend *backend)
{
	struct vhost_config *config = &backend->body.config;
	size_t front = offsetof(struct vhost_config, bytes);

	if (config->size > VHOST_CONFIG_MAX || config->offset > VHOST_CONFIG_MAX - config->size ||
	    backend->header.size != front + config->size)
		return refuse("GET_CONFIG", "it asks for more than there can be");
	memset(config->bytes, 0, sizeof(config->bytes));
	if (config->offset < backend->model->config_size)
		memcpy(config->bytes, backend->model->config + config->offset,
		       MIN_OF(config->size, backend->model->config_size - config->offset));
	return send_answer(backend, config, front + config->size, -1);
}

static int get_inflight_fd(struct backend *backend)
{
	struct vhost_inflight *wanted = &backend->body.inflight;
	int ret;

	if (is_running(backend))
		return refuse("GET_INFLIGHT_FD", "queues run");
	if (!wanted->queues || wanted->queues > backend->model->queues || !wanted->queue_size ||
	    wanted->queue_size > QUEUE_SIZE_MAX)
		return refuse("GET_INFLIGHT_FD",
			      "there are not so many queues, or they are smaller");
	ret = make_inflight(backend, wanted->queues, wanted->queue_size);
	if (ret)
		return ret;
	*wanted = backend->inflight;
	return send_answer(backend, wanted, backend->header.size, backend->inflight_fd);
}

static int set_inflight_fd(struct backend *backend)
{
	const struct vhost_inflight *given = &backend->body.inflight;

	if (is_running(backend))
		return refuse("SET_INFLIGHT_FD", "queues run");
	if (!given->queues || !given->queue_size || given->queue_size > QUEUE_SIZE_MAX ||
	    given->queues > QUEUES_MAX || given->offset + given->size < given->offset ||
	    given->size < INFLIGHT_STRIDE(given->queue_size) * given->queues)
		return refuse("SET_INFLIGHT_FD", "it is too small for its queues");
	exchange_fd(backend, &backend->inflight_fd);
	leave_inflight(backend);
	backend->inflight = *given;
	backend->events->inflight(backend);
	return VACCEL_OK;
}

/* All of them */

#define SIZE_OF(member) sizeof(((struct backend *)NULL)->body.member)
#define EXACTLY(member) SIZE_OF(member), SIZE_OF(member)

static const struct rule rules[VHOST_REQUEST_END] = {
	/* clang-format off */
	[GET_FEATURES] = {"GET_FEATURES", 0, 0, NO_FD, true, 0, get_features},
	[SET_FEATURES] = {"SET_FEATURES", EXACTLY(number), NO_FD, false, 0, set_features},
	[SET_OWNER] = {"SET_OWNER", 0, 0, NO_FD, false, 0, set_owner},
	[RESET_OWNER] = {"RESET_OWNER", 0, 0, NO_FD, false, 0, nothing},
	[SET_MEM_TABLE] = {"SET_MEM_TABLE", 8, SIZE_OF(table), SOME_FDS, false, 0, set_mem_table},
	[SET_VRING_NUM] = {"SET_VRING_NUM", EXACTLY(state), NO_FD, false, 0, set_vring_num},
	[SET_VRING_ADDR] = {"SET_VRING_ADDR", EXACTLY(addresses), NO_FD, false, 0, set_vring_addr},
	[SET_VRING_BASE] = {"SET_VRING_BASE", EXACTLY(state), NO_FD, false, 0, set_vring_base},
	[GET_VRING_BASE] = {"GET_VRING_BASE", EXACTLY(state), NO_FD, true, 0, get_vring_base},
	[SET_VRING_KICK] = {"SET_VRING_KICK", EXACTLY(number), SOME_FDS, false, 0, set_vring_kick},
	[SET_VRING_CALL] = {"SET_VRING_CALL", EXACTLY(number), SOME_FDS, false, 0, set_vring_call},
	[SET_VRING_ERR] = {"SET_VRING_ERR", EXACTLY(number), SOME_FDS, false, 0, set_vring_err},
	[GET_PROTOCOL_FEATURES] = {"GET_PROTOCOL_FEATURES", 0, 0, NO_FD, true, 0,
				   get_protocol_features},
	[SET_PROTOCOL_FEATURES] = {"SET_PROTOCOL_FEATURES", EXACTLY(number), NO_FD, false, 0,
				   set_protocol_features},
	[GET_QUEUE_NUM] = {"GET_QUEUE_NUM", 0, 0, NO_FD, true, PROTOCOL_MQ, get_queue_num},
	[SET_VRING_ENABLE] = {"SET_VRING_ENABLE", EXACTLY(state), NO_FD, false, 0,
			      set_vring_enable},
	[GET_CONFIG] = {"GET_CONFIG", 12, SIZE_OF(config), NO_FD, true, PROTOCOL_CONFIG,
			get_config},
	/* A guest that writes there changes nothing; some front ends end if they are told so. */
	[SET_CONFIG] = {"SET_CONFIG", 12, SIZE_OF(config), NO_FD, false, PROTOCOL_CONFIG, nothing},
	[GET_INFLIGHT_FD] = {"GET_INFLIGHT_FD", VHOST_INFLIGHT_SIZE, SIZE_OF(inflight), NO_FD,
			     true, PROTOCOL_INFLIGHT, get_inflight_fd},
	[SET_INFLIGHT_FD] = {"SET_INFLIGHT_FD", VHOST_INFLIGHT_SIZE, SIZE_OF(inflight), ONE_FD,
			     false, PROTOCOL_INFLIGHT, set_inflight_fd},
	[RESET_DEVICE] = {"RESET_DEVICE", 0, 0, NO_FD, false, PROTOCOL_RESET_DEVICE,
			  reset_device},
	[GET_MAX_MEM_SLOTS] = {"GET_MAX_MEM_SLOTS", 0, 0, NO_FD, true, PROTOCOL_MEM_SLOTS,
			       get_max_mem_slots},
	[ADD_MEM_REG] = {"ADD_MEM_REG", EXACTLY(one), ONE_FD, false, PROTOCOL_MEM_SLOTS,
			 add_mem_reg},
	[REM_MEM_REG] = {"REM_MEM_REG", EXACTLY(one), SOME_FDS, false, PROTOCOL_MEM_SLOTS,
			 rem_mem_reg},
	/* clang-format on */
};

const struct rule *rule_of(uint32_t request)
{
	return request < VHOST_REQUEST_END && rules[request].act ? &rules[request] : NULL;
}

static int end_reset(struct backend *backend)
{
	bool wants_ack =
		backend->header.flags & VHOST_NEED_REPLY && backend->protocol & PROTOCOL_REPLY_ACK;

	backend->resetting = false;
	return wants_ack ? answer_number(backend, 0) : VACCEL_OK;
}

int backend_stopped(struct backend *backend, unsigned int queue, uint16_t base)
{
	struct vring *ring = &backend->rings[queue];

	if (!ring->stopping)
		return VACCEL_OK;
	ring->base = ring->left = base;
	ring->started = ring->stopping = false;
	if (backend->asked == (int)queue) {
		backend->asked = -1;
		return answer_base(backend, queue);
	}
	if (backend->resetting && !is_running(backend))
		return end_reset(backend);
	return VACCEL_OK;
}
