// SPDX-License-Identifier: Apache-2.0
/* The sums on the drive. They are quick for a processor that is emulated, too. */
#include "transport/drive.h"

#include "base/util.h"

uint64_t drive_sum(uint64_t sum, const void *bytes, size_t size)
{
	const unsigned char *at = bytes;

	while (size) {
		size_t part = MIN_OF(size, sizeof(uint64_t));
		uint64_t word = 0;

		memcpy(&word, at, part);
		sum = (sum ^ le64toh(word)) * UINT64_C(0x9e3779b97f4a7c15);
		sum ^= sum >> 32;
		at += part;
		size -= part;
	}
	return sum;
}

static uint64_t parcel_sum(const void *block, uint32_t size)
{
	uint64_t sum = drive_sum(DRIVE_SUM_START, block, offsetof(struct drive_head, sum));

	return htole64(drive_sum(sum, (const char *)block + sizeof(struct drive_head),
				 drive_head_bytes(size)));
}

void drive_seal_parcel(void *block, uint32_t size)
{
	struct drive_head *head = block;

	head->sum = parcel_sum(block, size);
}

bool drive_parcel_is_sealed(const void *block, uint32_t size)
{
	const struct drive_head *head = block;

	return head->sum == parcel_sum(block, size);
}
