// SPDX-License-Identifier: Apache-2.0
/* See model.h. */
#include "agent/vhost/model.h"

#include <endian.h>
#include <string.h>

#include "agent/vhost/device.h"
#include "agent/vhost/ring.h"
#include "base/util.h"

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
