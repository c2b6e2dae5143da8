// SPDX-License-Identifier: Apache-2.0
/*
 * See frame.h. Frames come from a peer that may be hostile: every field is
 * checked before anything is made of it, and one that this version does not use
 * must be zero.
 */
#include <inttypes.h>
#include <stddef.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "codec/codec.h"
#include "codec/frame.h"

/* Where the fields lie. */
enum {
	AT_MAGIC = 0,
	AT_VERSION = 4,
	AT_KIND = 6,
	AT_FLAGS = 8,
	AT_OP = 12,
	AT_REQUEST = 16,
	AT_SESSION = 24,
	AT_EPOCH = 32,
	AT_STATUS = 40,
	AT_RESERVED = 44,
	AT_HEAD_SIZE = 48,
	AT_PAYLOAD_SIZE = 56
};

/* By number on the wire: only ever appended to. */
static const int codes[] = {
	VACCEL_OK,     VACCEL_EINVAL,	 VACCEL_ENOMEM,	      VACCEL_ENOTSUP,  VACCEL_EINPROGRESS,
	VACCEL_EBUSY,  VACCEL_EEXIST,	 VACCEL_ENOENT,	      VACCEL_ELIBBAD,  VACCEL_ENODEV,
	VACCEL_EIO,    VACCEL_ENOEXEC,	 VACCEL_ENAMETOOLONG, VACCEL_EUSERS,   VACCEL_EPERM,
	VACCEL_ELOOP,  VACCEL_EMLINK,	 VACCEL_ENOSPC,	      VACCEL_ENOTDIR,  VACCEL_EROFS,
	VACCEL_EACCES, VACCEL_EBADF,	 VACCEL_EREMOTEIO,    VACCEL_EFAULT,   VACCEL_ERANGE,
	VACCEL_EAGAIN, VACCEL_ENOSYS,	 VACCEL_ESESS,	      VACCEL_EBACKEND, VACCEL_ETIMEDOUT,
	VACCEL_EDQUOT, VACCEL_ECANCELED,
};

uint32_t status_to_wire(int code)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (codes[i] == code)
			return i;
	return status_to_wire(VACCEL_EIO);
}

int status_from_wire(uint32_t number)
{
	return number < ARRAY_SIZE(codes) ? codes[number] : VACCEL_EIO;
}

static void put(unsigned char *at, uint64_t value, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		at[i] = (unsigned char)(value >> (8 * i));
}

static uint64_t get(const unsigned char *at, unsigned int bytes)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < bytes; i++)
		value |= (uint64_t)at[i] << (8 * i);
	return value;
}

void frame_put(const struct frame *frame, unsigned char bytes[FRAME_SIZE])
{
	put(bytes + AT_MAGIC, FRAME_MAGIC, 4);
	put(bytes + AT_VERSION, FRAME_VERSION, 2);
	put(bytes + AT_KIND, (uint64_t)frame->kind, 2);
	put(bytes + AT_FLAGS, 0, 4);
	put(bytes + AT_OP, frame->op, 4);
	put(bytes + AT_REQUEST, frame->request, 8);
	put(bytes + AT_SESSION, (uint64_t)frame->session, 8);
	put(bytes + AT_EPOCH, frame->epoch, 8);
	put(bytes + AT_STATUS, status_to_wire(frame->status), 4);
	put(bytes + AT_RESERVED, 0, 4);
	put(bytes + AT_HEAD_SIZE, frame->head_size, 8);
	put(bytes + AT_PAYLOAD_SIZE, frame->payload_size, 8);
}

static int check_start(const unsigned char *bytes)
{
	uint64_t version = get(bytes + AT_VERSION, 2);

	if (get(bytes + AT_MAGIC, 4) != FRAME_MAGIC)
		return vaccel_fail(VACCEL_EREMOTEIO, "the peer does not speak vaccel's protocol");
	if (version != FRAME_VERSION)
		return vaccel_fail(VACCEL_EREMOTEIO,
				   "the peer speaks version %" PRIu64 " of the protocol, not %d",
				   version, FRAME_VERSION);
	return VACCEL_OK;
}

static int check_fields(const unsigned char *bytes, const struct frame *frame)
{
	bool says_status = frame->kind == FRAME_REPLY || frame->kind == FRAME_WELCOME;

	if (frame->kind < FRAME_HELLO || frame->kind >= FRAME_KIND_END)
		return vaccel_fail(VACCEL_EREMOTEIO, "a frame is of the unknown kind %d",
				   (int)frame->kind);
	if (get(bytes + AT_FLAGS, 4) || get(bytes + AT_RESERVED, 4) ||
	    (frame->status && !says_status))
		return vaccel_fail(VACCEL_EREMOTEIO, "a frame has something where zeros must be");
	if (frame->head_size % CODEC_ALIGN || frame->payload_size % CODEC_ALIGN)
		return vaccel_fail(VACCEL_EREMOTEIO,
				   "a frame announces %" PRIu64 " and %" PRIu64
				   " bytes, which are no multiples of %d",
				   frame->head_size, frame->payload_size, CODEC_ALIGN);
	return VACCEL_OK;
}

int frame_get(const unsigned char bytes[FRAME_SIZE], const struct frame_limits *limits,
	      struct frame *ret_frame)
{
	struct frame frame = {
		.kind = (enum frame_kind)get(bytes + AT_KIND, 2),
		.op = (uint32_t)get(bytes + AT_OP, 4),
		.request = get(bytes + AT_REQUEST, 8),
		.session = (int64_t)get(bytes + AT_SESSION, 8),
		.epoch = get(bytes + AT_EPOCH, 8),
		.status = status_from_wire((uint32_t)get(bytes + AT_STATUS, 4)),
		.head_size = get(bytes + AT_HEAD_SIZE, 8),
		.payload_size = get(bytes + AT_PAYLOAD_SIZE, 8),
	};
	int ret = check_start(bytes);

	if (!ret)
		ret = check_fields(bytes, &frame);
	if (ret)
		return ret;
	*ret_frame = frame;
	if (frame.head_size > limits->head || frame.payload_size > limits->payload)
		return vaccel_fail(VACCEL_EDQUOT,
				   "a message of %" PRIu64 " and %" PRIu64
				   " bytes is larger than the %" PRIu64 " and %" PRIu64 " allowed",
				   frame.head_size, frame.payload_size, limits->head,
				   limits->payload);
	return VACCEL_OK;
}
