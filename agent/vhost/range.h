/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A range of the drive that is held: bytes both ways between its blocks and a socket. Two
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

struct range {
	unsigned char nonce[DRIVE_NONCE];
	int fd; /* -1: the connection has ended */
	int64_t lease;
	uint32_t watched;	    /* events of @fd in the drive's epoll set; 0: it is not there */
	unsigned int quiet;	    /* looks of the drive's thread since bytes were moved */
	bool is_released;	    /* by the guest; what it wrote before is still sent */
	struct drive_request *held; /* a read of what is not there yet */

	/* What the guest writes */
	unsigned char *out;
	uint64_t taken;					 /* all before this position was sent */
	uint64_t came[RANGE_WINDOW / DRIVE_SECTOR / 64]; /* a bit for each sector from there on */
	uint32_t parcel;  /* bytes of the parcel at @taken; 0: not known */
	uint32_t sectors; /* of that one, without a hole */
	uint32_t sent;	  /* bytes of it */
	bool is_full;	  /* the socket */

	/* What it reads */
	unsigned char *in;
	uint64_t read;	 /* all before this position it has */
	uint64_t open;	 /* all before this one is sealed: it is read the same for ever */
	uint32_t filled; /* bytes of the parcel that begins there */
};

/* *ret_peer: the other end of its socket. ENOMEM, EMFILE … */
int range_new(const unsigned char nonce[DRIVE_NONCE], struct range **ret_range, int *ret_peer);

/* Nothing may be held of it. */
void range_delete(struct range *range);

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

/* Send what is whole, and take what is there and has room; neither waits. */
void range_send(struct range *range);
void range_receive(struct range *range);

bool range_has_room(const struct range *range);

/* Up to which position something is there. */
uint64_t range_ready(const struct range *range);

/* Gives back the memory of windows in which nothing is. */
void range_rest(struct range *range);

/* Between bytes and the request's memory from @from on; @bytes NULL: zeros. */
void request_get(const struct drive_request *request, uint64_t from, void *bytes, size_t size);
void request_put(const struct drive_request *request, uint64_t from, const void *bytes,
		 size_t size);

#endif
