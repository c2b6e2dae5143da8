/* SPDX-License-Identifier: Apache-2.0 */
/* What the guest's driver and the device say to each other: docs/virtio.md, "The device". */
#ifndef VACCEL_AGENT_VHOST_WIRE_H
#define VACCEL_AGENT_VHOST_WIRE_H

#include <stdint.h>

#define DEVICE_MAGIC   0x4c434356u /* "VCCL" */
#define DEVICE_VERSION 1
#define DEVICE_ECHO    1u /* of its features */

struct device_config {
	uint32_t magic;
	uint16_t version;
	uint16_t num_queues;
	uint32_t features;
	uint32_t segments_max;
	uint64_t readable_max;
	uint64_t writable_max;
	uint64_t reserved[4];
};

enum request_type { TYPE_MESSAGE = 1, TYPE_CANCEL, TYPE_CLOSE, TYPE_ECHO };
enum request_flag { FLAG_BEGIN = 1, FLAG_END = 2, FLAG_ROOM = 4, FLAG_FETCH = 8, FLAGS_KNOWN = 15 };

/* What a chain begins with. */
struct header {
	uint16_t type;
	uint16_t flags;
	uint32_t uid;
	uint32_t pid;
	uint32_t reserved;
	uint64_t file;
	uint64_t request;
	uint64_t offset;
	uint64_t readable;
	uint64_t writable;
	uint64_t timeout_ns;
};

enum code { CODE_OK, CODE_BAD, CODE_NOSPACE, CODE_CANCELED, CODE_STALE, CODE_BUSY, CODE_GONE };
enum status_flag { STATUS_GOAWAY = 1, STATUS_MORE = 2 };

/* What its writable bytes begin with. */
struct status {
	uint32_t code;
	uint32_t flags;
	uint64_t used;
	uint64_t wanted;
	uint64_t reserved;
};

#endif
