// SPDX-License-Identifier: Apache-2.0
/*
 * See frame.h. Frames come from a peer that may be hostile: every field is
 * checked before anything is made of it, and one that this version does not use
 * must be zero.
 */
#include <assert.h>
#include <endian.h>
#include <inttypes.h>
#include <string.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "codec/codec.h"
#include "codec/frame.h"

/* As it lies on the wire, little-endian. */
struct wire {
	uint32_t magic;
	uint16_t version;
	uint16_t kind;
	uint32_t flags;
	uint32_t op;
	uint64_t request;
	uint64_t session;
	uint64_t epoch;
	uint32_t status;
	uint32_t reserved;
	uint64_t head_size;
	uint64_t payload_size;
};

static_assert(sizeof(struct wire) == FRAME_SIZE, "a frame has no padding");

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

void frame_put(const struct frame *frame, unsigned char bytes[FRAME_SIZE])
{
	const struct wire wire = {
		.magic = htole32(FRAME_MAGIC),
		.version = htole16(FRAME_VERSION),
		.kind = htole16((uint16_t)frame->kind),
		.op = htole32(frame->op),
		.request = htole64(frame->request),
		.session = htole64((uint64_t)frame->session),
		.epoch = htole64(frame->epoch),
		.status = htole32(status_to_wire(frame->status)),
		.head_size = htole64(frame->head_size),
		.payload_size = htole64(frame->payload_size),
	};

	memcpy(bytes, &wire, sizeof(wire));
}

static int check_start(const struct wire *wire)
{
	if (le32toh(wire->magic) != FRAME_MAGIC)
		return vaccel_fail(VACCEL_EREMOTEIO, "the peer does not speak vaccel's protocol");
	if (le16toh(wire->version) != FRAME_VERSION)
		return vaccel_fail(VACCEL_EREMOTEIO,
				   "the peer speaks version %d of the protocol, not %d",
				   le16toh(wire->version), FRAME_VERSION);
	return VACCEL_OK;
}

static int check_fields(const struct wire *wire, const struct frame *frame)
{
	bool says_status = frame->kind == FRAME_REPLY || frame->kind == FRAME_WELCOME;

	if (frame->kind < FRAME_HELLO || frame->kind >= FRAME_KIND_END)
		return vaccel_fail(VACCEL_EREMOTEIO, "a frame is of the unknown kind %d",
				   (int)frame->kind);
	if (wire->flags || wire->reserved || (frame->status && !says_status))
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
	struct frame frame;
	struct wire wire;
	int ret;

	memcpy(&wire, bytes, sizeof(wire));
	frame = (struct frame){
		.kind = (enum frame_kind)le16toh(wire.kind),
		.op = le32toh(wire.op),
		.request = le64toh(wire.request),
		.session = (int64_t)le64toh(wire.session),
		.epoch = le64toh(wire.epoch),
		.status = status_from_wire(le32toh(wire.status)),
		.head_size = le64toh(wire.head_size),
		.payload_size = le64toh(wire.payload_size),
	};
	ret = check_start(&wire);
	if (!ret)
		ret = check_fields(&wire, &frame);
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
