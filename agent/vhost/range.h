/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A range of the drive that is held: bytes both ways between its blocks and the agent. Two
 * windows of memory, in which each byte lies at its position modulo the window's size.
 * Not for several threads.
 */
#ifndef VACCEL_AGENT_VHOST_RANGE_H
#define VACCEL_AGENT_VHOST_RANGE_H

#include "agent/vhost/drive.h"
#include "transport/drive.h"

#define RANGE_AREA   (UINT64_C(1) << 30)
#define RANGE_WINDOW (2u << 20)
#define RANGE_PARCEL (512u << 10)

/* Where the agent wants to have bytes, or has them. */
struct stretch {
	const struct iovec *at;
	size_t nr;
	size_t size; /* of all */
	size_t done; /* of that */
};

struct range {
	unsigned char nonce[DRIVE_NONCE];
	bool closed; /* by the guest: nothing more comes, and nothing is read */
	bool ended; /* by the agent, or by nonsense of the guest's, who still reads what is there */

	/* What the guest writes */
	unsigned char *out;
	uint64_t taken; /* all before this position the agent has */
	uint64_t came[RANGE_WINDOW / DRIVE_SECTOR / 64]; /* a bit for each sector from there on */
	uint32_t parcel;	 /* bytes of the parcel at @taken; 0: not known */
	uint32_t sectors;	 /* of that one, without a hole */
	uint32_t sent;		 /* bytes of it that the agent has */
	struct stretch *awaited; /* NULL, or where the agent, which has all else, wants more */

	/* What it reads */
	unsigned char *in;
	uint64_t read;	 /* all before this position it has */
	uint64_t open;	 /* all before this one is sealed: it is read the same for ever */
	uint32_t filled; /* bytes of the parcel that begins there */
};

/* ENOMEM */
int range_init(struct range *range, const unsigned char nonce[DRIVE_NONCE]);
void range_release(struct range *range);

/* The guest's side */

/* Bytes of the request from @from on, for that place in the area. False: not as agreed. */
bool range_write(struct range *range, const struct drive_request *request, uint64_t from,
		 uint64_t place, uint64_t size);

/* The same to be read. */
void range_read(struct range *range, const struct drive_request *request, uint64_t from,
		uint64_t place, uint64_t size);

/* Whether that block has nothing yet, and may have later. */
bool range_is_waited_for(const struct range *range, uint64_t place, uint64_t size);

/* The guest has read all before @position. */
void range_advance(struct range *range, uint64_t position);

/* Up to which position something is there. */
uint64_t range_ready(const struct range *range);

/* The agent's side */

/* Whether there is a parcel; what is none where one must begin ends the range. */
bool range_has_bytes(struct range *range);

/* As many as there are, and as there is room for. */
void range_take(struct range *range, struct stretch *to);
void range_put(struct range *range, struct stretch *from);

/* Gives back the memory of windows in which nothing is. */
void range_rest(struct range *range);

/* Between bytes and the request's memory from @from on; @bytes NULL: zeros. */
void request_get(const struct drive_request *request, uint64_t from, void *bytes, size_t size);
void request_put(const struct drive_request *request, uint64_t from, const void *bytes,
		 size_t size);

#endif
