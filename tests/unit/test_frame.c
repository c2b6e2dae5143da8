// SPDX-License-Identifier: Apache-2.0
/* Frames: their bytes as the document has them, and every field that may be wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <vaccel/error.h>

#include "codec/frame.h"

static const struct frame_limits limits = {.head = 1 << 20, .payload = 1 << 30};

static const struct frame call = {
	.kind = FRAME_CALL,
	.op = 22,
	.request = 0x0102030405060708,
	.session = 9,
	.epoch = 0x1112131415161718,
	.head_size = 72,
	.payload_size = 24,
};

/* The call of docs/protocol.md's example, byte by byte. */
static const unsigned char call_bytes[FRAME_SIZE] = {
	'V',  'C',  'C',  'L',	1,    0,    3,	  0,	/* magic, version, kind */
	0,    0,    0,	  0,	22,   0,    0,	  0,	/* flags, op */
	8,    7,    6,	  5,	4,    3,    2,	  1,	/* request */
	9,    0,    0,	  0,	0,    0,    0,	  0,	/* session */
	0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11, /* epoch */
	0,    0,    0,	  0,	0,    0,    0,	  0,	/* status, reserved */
	72,   0,    0,	  0,	0,    0,    0,	  0,	/* head size */
	24,   0,    0,	  0,	0,    0,    0,	  0,	/* payload size */
};

static void test_bytes(void **state)
{
	unsigned char bytes[FRAME_SIZE];
	struct frame frame;

	memset(bytes, 0xff, sizeof(bytes));
	frame_put(&call, bytes);
	assert_memory_equal(bytes, call_bytes, FRAME_SIZE);
	memset(&frame, 0xff, sizeof(frame));
	assert_int_equal(frame_get(call_bytes, &limits, &frame), VACCEL_OK);
	assert_int_equal(frame.kind, call.kind);
	assert_int_equal(frame.op, call.op);
	assert_true(frame.request == call.request);
	assert_true(frame.session == call.session);
	assert_true(frame.epoch == call.epoch);
	assert_int_equal(frame.status, VACCEL_OK);
	assert_true(frame.head_size == 72 && frame.payload_size == 24);
}

static void test_every_kind(void **state)
{
	unsigned char bytes[FRAME_SIZE];
	struct frame frame;

	for (int kind = FRAME_HELLO; kind < FRAME_KIND_END; kind++) {
		frame_put(&(struct frame){.kind = (enum frame_kind)kind}, bytes);
		assert_int_equal(frame_get(bytes, &limits, &frame), VACCEL_OK);
		assert_int_equal(frame.kind, kind);
	}
}

/* No number on the wire moves, and what is unknown is an I/O error. */
static void test_statuses(void **state)
{
	static const struct {
		int code;
		uint32_t number;
	} fixed[] = {{VACCEL_OK, 0},	     {VACCEL_EINVAL, 1},    {VACCEL_EPERM, 14},
		     {VACCEL_EREMOTEIO, 22}, {VACCEL_ESESS, 27},    {VACCEL_EBACKEND, 28},
		     {VACCEL_EDQUOT, 30},    {VACCEL_ECANCELED, 31}};

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		assert_int_equal(status_to_wire(fixed[i].code), fixed[i].number);
	for (uint32_t i = 0; i < 32; i++)
		assert_int_equal(status_to_wire(status_from_wire(i)), i);
	assert_int_equal(status_from_wire(32), VACCEL_EIO);
	assert_int_equal(status_from_wire(UINT32_MAX), VACCEL_EIO);
	assert_int_equal(status_to_wire(12345), status_to_wire(VACCEL_EIO));
}

static void test_replies_have_a_status(void **state)
{
	unsigned char bytes[FRAME_SIZE];
	struct frame frame;

	frame_put(&(struct frame){.kind = FRAME_REPLY, .status = VACCEL_ESESS}, bytes);
	assert_int_equal(frame_get(bytes, &limits, &frame), VACCEL_OK);
	assert_int_equal(frame.status, VACCEL_ESESS);
	frame_put(&(struct frame){.kind = FRAME_CALL, .status = VACCEL_ESESS}, bytes);
	assert_int_equal(frame_get(bytes, &limits, &frame), VACCEL_EREMOTEIO);
}

/* Any byte of what must be so and not otherwise. */
static void test_what_is_no_frame(void **state)
{
	static const unsigned char fixed[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 44, 45, 46, 47};
	unsigned char bytes[FRAME_SIZE];
	struct frame frame;

	for (size_t i = 0; i < sizeof(fixed); i++) {
		memcpy(bytes, call_bytes, FRAME_SIZE);
		bytes[fixed[i]] ^= 0x40;
		assert_int_equal(frame_get(bytes, &limits, &frame), VACCEL_EREMOTEIO);
	}
	for (int kind = 0; kind < 0x100; kind++) {
		memcpy(bytes, call_bytes, FRAME_SIZE);
		bytes[6] = (unsigned char)kind;
		assert_int_equal(frame_get(bytes, &limits, &frame),
				 kind && kind < FRAME_KIND_END ? VACCEL_OK : VACCEL_EREMOTEIO);
	}
	memcpy(bytes, call_bytes, FRAME_SIZE);
	bytes[48] = 71;
	assert_int_equal(frame_get(bytes, &limits, &frame), VACCEL_EREMOTEIO);
	memcpy(bytes, call_bytes, FRAME_SIZE);
	bytes[56] = 23;
	assert_int_equal(frame_get(bytes, &limits, &frame), VACCEL_EREMOTEIO);
}

/* A message that is too large can be refused by its number. */
static void test_limits(void **state)
{
	unsigned char bytes[FRAME_SIZE];
	struct frame frame = {.request = 0};
	struct frame large = call;

	large.head_size = limits.head;
	large.payload_size = limits.payload;
	frame_put(&large, bytes);
	assert_int_equal(frame_get(bytes, &limits, &frame), VACCEL_OK);
	large.head_size = limits.head + 8;
	frame_put(&large, bytes);
	assert_int_equal(frame_get(bytes, &limits, &frame), VACCEL_EDQUOT);
	assert_true(frame.request == call.request);
	large.head_size = 8;
	large.payload_size = UINT64_MAX - 7;
	frame_put(&large, bytes);
	assert_int_equal(frame_get(bytes, &limits, &frame), VACCEL_EDQUOT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_every_kind),
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_replies_have_a_status),
		cmocka_unit_test(test_what_is_no_frame),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
