/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames: what a message begins with on every carrier; docs/protocol.md,
 * "Frames", has every byte. A frame is 64 bytes, followed by a head and a payload
 * section of the sizes that it gives.
 */
#ifndef VACCEL_CODEC_FRAME_H
#define VACCEL_CODEC_FRAME_H

#include <stdint.h>

#define FRAME_SIZE     64
#define FRAME_MAGIC    0x4c434356u /* "VCCL" */
#define FRAME_VERSION  1
#define FRAME_TEXT_MAX 512 /* an error's words, without NUL */

enum frame_kind {
	FRAME_HELLO = 1, /* the first one of a connection, client to agent */
	FRAME_WELCOME,	 /* its answer */
	FRAME_CALL,
	FRAME_REPLY,
	FRAME_CANCEL, /* of the request of that number; no answer of its own */
	FRAME_PING,
	FRAME_PONG,
	FRAME_GOAWAY,	/* the agent takes no new requests on this connection */
	FRAME_DOORBELL, /* there is a message in the mailbox for a peer that has gone to sleep */
	FRAME_KIND_END
};

struct frame {
	enum frame_kind kind;
	uint32_t op;	       /* CALL, REPLY: the operation's number */
	uint64_t request;      /* the client's number for it, never used twice on a connection */
	int64_t session;       /* CALL, REPLY: its id at the agent, or 0 */
	uint64_t epoch;	       /* CALL: the agent's as the client knows it */
	int status;	       /* REPLY, WELCOME: a VACCEL_E* code; see encode_failure() */
	uint64_t head_size;    /* a multiple of CODEC_ALIGN */
	uint64_t payload_size; /* a multiple of CODEC_ALIGN */
};

/* What a peer may announce. */
struct frame_limits {
	uint64_t head;
	uint64_t payload;
};

void frame_put(const struct frame *frame, unsigned char bytes[FRAME_SIZE]);

/*
 * VACCEL_OK; VACCEL_EREMOTEIO for bytes that are no frame of this version;
 * VACCEL_EDQUOT for sizes past the limits, with @ret_frame set, so that the
 * message can be refused by its number.
 */
int frame_get(const unsigned char bytes[FRAME_SIZE], const struct frame_limits *limits,
	      struct frame *ret_frame);

/* Error codes have numbers of their own on the wire; unknown ones become VACCEL_EIO. */
uint32_t status_to_wire(int code);
int status_from_wire(uint32_t number);

#endif
