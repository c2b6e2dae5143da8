/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What driver and device say to each other, as docs/virtio.md has it.
 */
#ifndef VIRTIO_VACCEL_WIRE_H
#define VIRTIO_VACCEL_WIRE_H

#include <linux/build_bug.h>
#include <linux/types.h>

#define VACCEL_MAGIC	    0x4c434356 /* "VCCL" */
#define VACCEL_VERSION	    1
#define VACCEL_FEATURE_ECHO 1
#define VACCEL_SEGMENTS_MIN 4
#define VACCEL_BYTES_MIN    65536

struct vaccel_config {
	__le32 magic;
	__le16 version;
	__le16 num_queues;
	__le32 features;
	__le32 segments_max;
	__le64 readable_max;
	__le64 writable_max;
	u8 reserved[32];
};

static_assert(sizeof(struct vaccel_config) == 64);

enum vaccel_type {
	VACCEL_MESSAGE = 1,
	VACCEL_CANCEL = 2,
	VACCEL_CLOSE = 3,
	VACCEL_ECHO = 4,
};

enum vaccel_flag {
	VACCEL_BEGIN = 1,
	VACCEL_END = 2,
	VACCEL_ROOM = 4,
	VACCEL_FETCH = 8,
};

struct vaccel_header {
	__le16 type;
	__le16 flags;
	__le32 uid;
	__le32 pid;
	__le32 reserved;
	__le64 file;
	__le64 request;
	__le64 offset;
	__le64 readable;
	__le64 writable;
	__le64 timeout_ns;
};

static_assert(sizeof(struct vaccel_header) == 64);

enum vaccel_status_flag {
	VACCEL_GOAWAY = 1,
	VACCEL_MORE = 2,
};

struct vaccel_status {
	__le32 code; /* enum accel_code */
	__le32 flags;
	__le64 used;
	__le64 wanted;
	__le64 reserved;
};

static_assert(sizeof(struct vaccel_status) == 32);

#endif
