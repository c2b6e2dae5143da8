/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lies on the drive by which messages travel where a virtual machine has nothing but
 * virtio-blk: docs/virtio.md, "The drive". Both ends use it, blk.c in the guest and
 * agent/vhost/drive.c on the host. All numbers on the drive are little-endian.
 */
#ifndef VACCEL_TRANSPORT_DRIVE_H
#define VACCEL_TRANSPORT_DRIVE_H

#include <assert.h>
#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* What VIRTIO_BLK_T_GET_ID says, less than 20 bytes. */
#define DRIVE_SERIAL "vaccel-drive"

#define DRIVE_BLOCK   4096
#define DRIVE_SECTOR  512
#define DRIVE_VERSION 1
#define DRIVE_NONCE   16

/* Offset in the first block of a text for people who look at it. */
#define DRIVE_TEXT 512

/* The first block. Places are bytes from the drive's beginning, or from that of a range. */
struct drive_front {
	char magic[16]; /* DRIVE_MAGIC */
	uint32_t version;
	uint32_t block;
	uint64_t epoch;
	uint64_t ranges_at, range_size;
	uint32_t ranges;
	uint32_t parcel_max; /* bytes of a parcel, its head included */
	uint64_t out_at, in_at;
	uint64_t area;	 /* bytes from out_at and from in_at; a power of two */
	uint32_t window; /* bytes from the first one not yet taken */
	uint32_t hold_ms;
	uint32_t lease_ms;
	uint32_t reserved;
	uint64_t sum; /* of all before it */
};

#define DRIVE_MAGIC "vaccel drive\r\n\x1a"

enum drive_control_kind { DRIVE_CLAIM = 1, DRIVE_KEEP, DRIVE_RELEASE };

#define DRIVE_CONTROL_MAGIC 0x434c4356u /* "VCLC" */
#define DRIVE_STATUS_MAGIC  0x534c4356u /* "VCLS" */
#define DRIVE_HEAD_MAGIC    0x504c4356u /* "VCLP" */

/* Written to a range's first sector. */
struct drive_control {
	uint32_t magic;
	uint32_t kind;
	uint64_t epoch;
	unsigned char nonce[DRIVE_NONCE];
	uint64_t read; /* position up to which what came in has been read */
	uint64_t reserved[2];
	uint64_t sum;
};

enum drive_state { DRIVE_FREE, DRIVE_HELD, DRIVE_ENDED };

/* Read from there. */
struct drive_status {
	uint32_t magic;
	uint32_t state;
	uint64_t epoch;
	unsigned char nonce[DRIVE_NONCE]; /* the holder's */
	uint64_t taken;			  /* position up to which what was written is done with */
	uint64_t ready;			  /* position up to which something is there to read */
	uint32_t held, held_max;	  /* ranges of the drive */
	uint64_t sum;
};

/* What a parcel begins with; its bytes follow at once. */
struct drive_head {
	uint32_t magic;
	uint32_t size; /* bytes that follow; reading: 0 if there are none yet */
	uint64_t position;
	unsigned char nonce[DRIVE_NONCE];
	uint64_t done;	/* of the other direction: a control's read, a status' taken */
	uint32_t ended; /* reading: nothing comes any more */
	uint32_t reserved;
	uint64_t reserved2;
	uint64_t sum; /* of all before it, and of the bytes in the first block */
};

static_assert(sizeof(struct drive_front) == 104, "as docs/virtio.md has it");
static_assert(sizeof(struct drive_control) == 64, "as docs/virtio.md has it");
static_assert(sizeof(struct drive_status) == 64, "as docs/virtio.md has it");
static_assert(sizeof(struct drive_head) == 64, "as docs/virtio.md has it");

/* Bytes of a parcel that are in its first block, and those that are not. */
static inline size_t drive_head_bytes(uint32_t size)
{
	size_t room = DRIVE_BLOCK - sizeof(struct drive_head);

	return size < room ? size : room;
}

/* What a parcel of @size bytes takes on the drive. */
static inline uint64_t drive_parcel_size(uint32_t size)
{
	uint64_t all = sizeof(struct drive_head) + (uint64_t)size;

	return (all + DRIVE_BLOCK - 1) & ~(uint64_t)(DRIVE_BLOCK - 1);
}

/* Against accidents, not against people: words of 8 bytes, the last one filled with zeros. */
uint64_t drive_sum(uint64_t sum, const void *bytes, size_t size);

#define DRIVE_SUM_START UINT64_C(0x76616363656c0001)

/* Sets or checks the sum of a front, control or status. */
#define drive_seal(what) \
	((what)->sum =   \
		 htole64(drive_sum(DRIVE_SUM_START, (what), offsetof(__typeof__(*(what)), sum))))
#define drive_is_sealed(what) \
	((what)->sum ==       \
	 htole64(drive_sum(DRIVE_SUM_START, (what), offsetof(__typeof__(*(what)), sum))))

/* The same of a parcel whose first block is @block; size is that of its head. */
void drive_seal_parcel(void *block, uint32_t size);
bool drive_parcel_is_sealed(const void *block, uint32_t size);

#endif
