/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers and layouts of vhost-user, as its specification has them: the machine's monitor
 * is the front end, this agent the back end. Numbers are those of the host.
 */
#ifndef VACCEL_AGENT_VHOST_PROTOCOL_H
#define VACCEL_AGENT_VHOST_PROTOCOL_H

#include <stdint.h>

#define VIRTIO_INDIRECT	    (UINT64_C(1) << 28)
#define VIRTIO_EVENT_IDX    (UINT64_C(1) << 29)
#define VHOST_USER_PROTOCOL (UINT64_C(1) << 30) /* there are protocol features */
#define VIRTIO_VERSION_1    (UINT64_C(1) << 32)

enum protocol_feature {
	PROTOCOL_MQ = 1 << 0,
	PROTOCOL_REPLY_ACK = 1 << 3,
	PROTOCOL_CONFIG = 1 << 9,
	PROTOCOL_INFLIGHT = 1 << 12,
	PROTOCOL_RESET_DEVICE = 1 << 13,
	PROTOCOL_MEM_SLOTS = 1 << 15,
};

enum vhost_request {
	GET_FEATURES = 1,
	SET_FEATURES = 2,
	SET_OWNER = 3,
	RESET_OWNER = 4,
	SET_MEM_TABLE = 5,
	SET_VRING_NUM = 8,
	SET_VRING_ADDR = 9,
	SET_VRING_BASE = 10,
	GET_VRING_BASE = 11,
	SET_VRING_KICK = 12,
	SET_VRING_CALL = 13,
	SET_VRING_ERR = 14,
	GET_PROTOCOL_FEATURES = 15,
	SET_PROTOCOL_FEATURES = 16,
	GET_QUEUE_NUM = 17,
	SET_VRING_ENABLE = 18,
	GET_CONFIG = 24,
	SET_CONFIG = 25,
	GET_INFLIGHT_FD = 31,
	SET_INFLIGHT_FD = 32,
	RESET_DEVICE = 34,
	GET_MAX_MEM_SLOTS = 36,
	ADD_MEM_REG = 37,
	REM_MEM_REG = 38,
	VHOST_REQUEST_END
};

#define VHOST_VERSION	  1u
#define VHOST_FLAGS_KNOWN 0xfu
#define VHOST_REPLY	  (1u << 2)
#define VHOST_NEED_REPLY  (1u << 3)

struct vhost_header {
	uint32_t request;
	uint32_t flags;
	uint32_t size; /* of what follows */
};

struct vhost_region {
	uint64_t guest; /* its address in the guest */
	uint64_t size;
	uint64_t front;	 /* its address in the front end */
	uint64_t offset; /* where it begins in what the descriptor stands for */
};

#define TABLE_MAX 8 /* regions, and descriptors, of one message */

struct vhost_table {
	uint32_t count;
	uint32_t padding;
	struct vhost_region regions[TABLE_MAX];
};

struct vhost_one_region {
	uint64_t padding;
	struct vhost_region region;
};

struct vhost_number {
	uint32_t queue;
	uint32_t number;
};

struct vhost_addresses {
	uint32_t queue;
	uint32_t flags;
	uint64_t descriptors, used, available; /* in the front end */
	uint64_t log;
};

/* With a descriptor, or a bit that says that there is none. */
#define VHOST_QUEUE_MASK    UINT64_C(0xff)
#define VHOST_NO_DESCRIPTOR (UINT64_C(1) << 8)

#define VHOST_CONFIG_MAX 256

struct vhost_config {
	uint32_t offset;
	uint32_t size;
	uint32_t flags;
	unsigned char bytes[VHOST_CONFIG_MAX];
};

#define VHOST_INFLIGHT_SIZE 20 /* some front ends send four bytes of padding more */

struct vhost_inflight {
	uint64_t size;
	uint64_t offset;
	uint16_t queues;
	uint16_t queue_size;
	uint32_t padding;
};

/*
 * What memory of requests under way has for each queue: this, and an entry for each
 * descriptor. A queue's part begins at a multiple of INFLIGHT_ALIGN.
 */
#define INFLIGHT_ALIGN	 64
#define INFLIGHT_VERSION 1

struct inflight_entry {
	uint8_t under_way;
	uint8_t padding[5];
	uint16_t next;	  /* the one that was finished before */
	uint64_t counter; /* in which order they came */
};

struct inflight_queue {
	uint64_t features;
	uint16_t version;
	uint16_t size;
	uint16_t last_finished; /* its head */
	uint16_t used;		/* the used ring's index then */
	struct inflight_entry entries[];
};

#define INFLIGHT_STRIDE(queue_size)                                                              \
	((sizeof(struct inflight_queue) + sizeof(struct inflight_entry) * (size_t)(queue_size) + \
	  INFLIGHT_ALIGN - 1) /                                                                  \
	 INFLIGHT_ALIGN * INFLIGHT_ALIGN)

#endif
