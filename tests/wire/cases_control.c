// SPDX-License-Identifier: Apache-2.0
/* A connection from its first frame to its last, as far as it is no operation. */
#include "base/util.h"
#include "wire.h"

#define EPOCH 0x1112131415161718

/* Frames alone */
const struct wire_case frame_cases[] = {
	{.name = "ping", .frame = {.kind = FRAME_PING, .request = 3}},
	{.name = "pong", .frame = {.kind = FRAME_PONG, .request = 3}},
	{.name = "cancel", .frame = {.kind = FRAME_CANCEL, .request = 0x0102030405060708}},
	{.name = "goaway", .frame = {.kind = FRAME_GOAWAY}},
	{.name = "doorbell", .frame = {.kind = FRAME_DOORBELL}},
	{0},
};

static uint8_t token[TOKEN_SIZE] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255};
static struct vaccel_known_op known[] = {
	{0, 0x7e31c471dc8c89d5},
	{22, 0x0123456789abcdef},
	{127, 1},
};
static uint8_t sha256[SHA256_SIZE] = {0xde, 0xad, [31] = 0xbe};
static uint8_t few_bytes[] = {'d', 'a', 't', 'a', 0xff};
static uint32_t missing[] = {0, 2};
static uint8_t synced[] = {9, 8, 7};

static uint32_t version = 1, spin_us = 50, load = 250, no_fate, fate = 28;
static uint64_t epoch = EPOCH, head_max = 1 << 20, payload_max = 1ull << 32, region_max = 1 << 28;
static int64_t session = 9, resource = 100, no_resource;

static struct vaccel_hello_args first_hello = {
	.version = 1,
	.program = "classify",
	.ops = {known, 3},
	.agreed = &version,
	.now = &epoch,
	.client = {token, TOKEN_SIZE},
	.common = {known, 1},
	.head_max = &head_max,
	.payload_max = &payload_max,
	.region_max = &region_max,
	.spin_us = &spin_us,
	.load = &load,
	.fate = &no_fate,
	.fate_text = {(char *)"", 1},
};
static struct vaccel_hello_args later_hello = {
	.version = 7,
	.program = "",
	.token = {token, TOKEN_SIZE},
	.bearer = "s3cret \xc3\xa9",
	.epoch = EPOCH - 1,
	.agreed = &version,
	.now = &epoch,
	.client = {token, TOKEN_SIZE},
	.common = {known, 0},
	.head_max = &head_max,
	.payload_max = &payload_max,
	.region_max = &(uint64_t){0},
	.spin_us = &(uint32_t){0},
	.load = &load,
	.fate = &fate,
	.fate_text = {(char *)"worker was ended by signal 6", 29},
};

static struct vaccel_session_open_args open_session = {.hint = 0x10, .session = &session};
static struct vaccel_session_update_args update_session = {.session = 9, .hint = 0x4000};
static struct vaccel_session_close_args close_session = {.session = 9};

static struct vaccel_content contents[] = {
	{(char *)"data", 5, 1, {sha256, SHA256_SIZE}, {few_bytes, 5}},
	{(char *)"sub/x", 0, 0, {sha256, SHA256_SIZE}, {NULL, 0}},
	{(char *)"large", 1ull << 40, 0, {sha256, SHA256_SIZE}, {NULL, 0}},
};
static struct vaccel_resource_offer_args offer_incomplete = {
	.type = VACCEL_RESOURCE_MODEL,
	.path_type = 2,
	.contents = {contents, 3},
	.resource = &no_resource,
	.missing = {missing, 2},
};
static struct vaccel_resource_offer_args offer_complete = {
	.type = VACCEL_RESOURCE_DATA,
	.contents = {contents, 1},
	.resource = &resource,
	.missing = {missing, 0},
};
static struct vaccel_content_put_args put = {
	.sha256 = {sha256, SHA256_SIZE},
	.size = 1ull << 40,
	.offset = 1 << 20,
	.bytes = {few_bytes, 5},
};
static struct vaccel_resource_register_args registered = {.resource = 100, .session = 9};
static struct vaccel_resource_unregister_args unregistered = {.resource = 100, .session = 9};
static struct vaccel_resource_release_args released = {.resource = 100};
static struct vaccel_resource_sync_args sync_in_place = {
	.resource = 100, .session = 9, .content = 1, .bytes = {synced, 3}};
static struct vaccel_resource_retype_args retyped = {.resource = 100, .type = VACCEL_RESOURCE_LIB};

static struct vaccel_region_expect_args expect_region = {0};
static struct vaccel_region_add_args add_region = {WIRE_REGION, WIRE_REGION_SIZE, 1, 0};
static struct vaccel_region_drop_args drop_region = {WIRE_REGION, 0};
static struct vaccel_mailbox_open_args open_mailbox = {8, 50, &spin_us, 0};

#define HELLO(text, arguments)                                                                    \
	{                                                                                         \
		.name = text, .frame = {.kind = FRAME_HELLO, .request = 1}, .form = FORM_REQUEST, \
		.op = &vaccel_op_hello, .args = (void *)&(arguments)                              \
	}
#define WELCOME(text, arguments)                                                                  \
	{                                                                                         \
		.name = text, .frame = {.kind = FRAME_WELCOME, .request = 1}, .form = FORM_REPLY, \
		.op = &vaccel_op_hello, .args = (void *)&(arguments)                              \
	}
#define REQUEST(text, NAME, name_, arguments)                                                \
	{                                                                                    \
		.name = text,                                                                \
		.frame = {.kind = FRAME_CALL,                                                \
			  .op = VACCEL_OP_##NAME,                                            \
			  .request = 2,                                                      \
			  .epoch = EPOCH},                                                   \
		.form = FORM_REQUEST, .op = &vaccel_op_##name_, .args = (void *)&(arguments) \
	}
#define REPLY(text, NAME, name_, arguments)                                                \
	{                                                                                  \
		.name = text,                                                              \
		.frame = {.kind = FRAME_REPLY, .op = VACCEL_OP_##NAME, .request = 2},      \
		.form = FORM_REPLY, .op = &vaccel_op_##name_, .args = (void *)&(arguments) \
	}
#define BOTH(text, NAME, name_, arguments) \
	REQUEST(text " call", NAME, name_, arguments), REPLY(text " reply", NAME, name_, arguments)
#define REFUSED(text, kind_, NAME, name_, code, sentence)                                       \
	{                                                                                       \
		.name = text,                                                                   \
		.frame = {.kind = kind_, .op = VACCEL_OP_##NAME, .request = 2, .status = code}, \
		.form = FORM_FAILURE, .op = &vaccel_op_##name_, .words = sentence               \
	}

const struct wire_case control_cases[] = {
	HELLO("first hello", first_hello),
	WELCOME("its welcome", first_hello),
	HELLO("hello of a further connection, after a lost one", later_hello),
	WELCOME("its welcome, with the former worker's fate", later_hello),
	{
		.name = "welcome that is none",
		.frame = {.kind = FRAME_WELCOME, .request = 1, .status = VACCEL_EACCES},
		.form = FORM_FAILURE,
		.op = &vaccel_op_hello,
		.words = "the token is not this listener's",
	},
	BOTH("session_open", SESSION_OPEN, session_open, open_session),
	BOTH("session_update", SESSION_UPDATE, session_update, update_session),
	BOTH("session_close", SESSION_CLOSE, session_close, close_session),
	BOTH("resource_offer of what the agent lacks", RESOURCE_OFFER, resource_offer,
	     offer_incomplete),
	BOTH("content_put", CONTENT_PUT, content_put, put),
	BOTH("resource_offer", RESOURCE_OFFER, resource_offer, offer_complete),
	BOTH("resource_register", RESOURCE_REGISTER, resource_register, registered),
	BOTH("resource_sync", RESOURCE_SYNC, resource_sync, sync_in_place),
	BOTH("resource_retype", RESOURCE_RETYPE, resource_retype, retyped),
	BOTH("resource_unregister", RESOURCE_UNREGISTER, resource_unregister, unregistered),
	BOTH("resource_release", RESOURCE_RELEASE, resource_release, released),
	BOTH("region_expect", REGION_EXPECT, region_expect, expect_region),
	BOTH("region_add", REGION_ADD, region_add, add_region),
	BOTH("mailbox_open", MAILBOX_OPEN, mailbox_open, open_mailbox),
	BOTH("region_drop", REGION_DROP, region_drop, drop_region),
	REFUSED("another's session", FRAME_REPLY, SESSION_CLOSE, session_close, VACCEL_ESESS,
		"no such session"),
	REFUSED("too many sessions", FRAME_REPLY, SESSION_OPEN, session_open, VACCEL_EDQUOT,
		"policy 'default' permits 64 sessions"),
	{0},
};
