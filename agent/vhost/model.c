// SPDX-License-Identifier: Apache-2.0
/* See model.h. */
#include "agent/vhost/model.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#include "agent/vhost/blk.h"
#include "agent/vhost/device.h"
#include "agent/vhost/drive.h"
#include "agent/vhost/ring.h"
#include "base/util.h"
#include "transport/drive.h"

/* Beside its payload a message has a frame and a head. */
#define HEADS_MAX (UINT64_C(16) << 20)

uint64_t accel_bytes_max(const struct policy *policy)
{
	return MIN_OF(policy->payload, UINT64_MAX / 4) + HEADS_MAX;
}

void model_accel(const struct policy *policy, struct model *ret_model)
{
	const struct device_config config = {
		.magic = htole32(DEVICE_MAGIC),
		.version = htole16(DEVICE_VERSION),
		.num_queues = htole16(QUEUES_MAX),
		.features = htole32(DEVICE_ECHO),
		.segments_max = htole32(SEGMENTS_MAX),
		.readable_max = htole64(accel_bytes_max(policy)),
		.writable_max = htole64(accel_bytes_max(policy)),
	};

	*ret_model = (struct model){
		.scheme = "vhost-user",
		.queues = QUEUES_MAX,
		.config_size = sizeof(config),
	};
	memcpy(ret_model->config, &config, sizeof(config));
}

/* virtio-blk's, of VirtIO 1.2, 5.2.3 and 5.2.4; what is behind is for features that are not
 * offered. */
#define BLK_F_SEG_MAX  (UINT64_C(1) << 2)
#define BLK_F_BLK_SIZE (UINT64_C(1) << 6)
#define BLK_F_MQ       (UINT64_C(1) << 12)

struct blk_config {
	uint64_t capacity; /* sectors of 512 bytes */
	uint32_t size_max;
	uint32_t seg_max;
	uint32_t geometry;
	uint32_t blk_size;
	unsigned char topology[8];
	unsigned char writeback;
	unsigned char unused;
	uint16_t num_queues;
	unsigned char discard[24];
};

static_assert(sizeof(struct blk_config) == 64, "60 bytes, and 4 that nobody asks for");

void model_blk(struct model *ret_model)
{
	const struct blk_config config = {
		.capacity = htole64(drive_capacity() / DRIVE_SECTOR),
		.seg_max = htole32(BLK_QUEUE_SIZE - 2),
		.blk_size = htole32(DRIVE_BLOCK),
		.num_queues = htole16(QUEUES_MAX),
	};

	*ret_model = (struct model){
		.scheme = "vhost-user-blk",
		.features = BLK_F_SEG_MAX | BLK_F_BLK_SIZE | BLK_F_MQ,
		.queues = QUEUES_MAX,
		.config_size = 60,
	};
	memcpy(ret_model->config, &config, ret_model->config_size);
}
