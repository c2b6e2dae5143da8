/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client and an agent say to each other beside operations: who they are,
 * and which sessions and resources there are. Described like operations, with
 * numbers from 256, so that the one codec carries them; docs/protocol.md,
 * "Control", tells what each is for. They are private to the two ends: a program
 * cannot call them.
 */
#ifndef VACCEL_TRANSPORT_CONTROL_H
#define VACCEL_TRANSPORT_CONTROL_H

#include <vaccel/ops/describe.h>

#define PROTOCOL_VERSION 1
#define TOKEN_SIZE	 16
#define SHA256_SIZE	 32

#define CONTROL_FIRST 256

/* In the order of their numbers, which are never reused. */
#define CONTROL_LIST(X)                             \
	X(HELLO, hello)                             \
	X(SESSION_OPEN, session_open)               \
	X(SESSION_UPDATE, session_update)           \
	X(SESSION_CLOSE, session_close)             \
	X(RESOURCE_OFFER, resource_offer)           \
	X(CONTENT_PUT, content_put)                 \
	X(RESOURCE_REGISTER, resource_register)     \
	X(RESOURCE_UNREGISTER, resource_unregister) \
	X(RESOURCE_RELEASE, resource_release)       \
	X(RESOURCE_SYNC, resource_sync)             \
	X(REGION_ADD, region_add)                   \
	X(REGION_DROP, region_drop)                 \
	X(MAILBOX_OPEN, mailbox_open)               \
	X(RESOURCE_RETYPE, resource_retype)         \
	X(REGION_EXPECT, region_expect)

enum control_index {
#define CONTROL_INDEX_(NAME, name) VACCEL_OP_##NAME##_INDEX,
	CONTROL_LIST(CONTROL_INDEX_) CONTROL_COUNT
};

enum control_number {
#define CONTROL_NUMBER_(NAME, name) VACCEL_OP_##NAME = CONTROL_FIRST + VACCEL_OP_##NAME##_INDEX,
	CONTROL_LIST(CONTROL_NUMBER_)
};

/* In a HELLO and in its WELCOME. */
#define VACCEL_FIELDS_known_op(FIELD, item)                     \
	FIELD(item, ONE, u32, number, "the operation's number") \
	FIELD(item, ONE, u64, hash, "what the sender means by it")
VACCEL_ITEM(known_op)

#define VACCEL_HELLO_ARGS(ARG, op)                                                              \
	ARG(op, IN, ONE, u32, version, NONE, "the newest protocol that the client knows")       \
	ARG(op, IN, TEXT, char, program, NONE, "name of the program, for the agent's log")      \
	ARG(op, IN, SPAN, u8, token, OPTIONAL, "the client's, on a further connection of it")   \
	ARG(op, IN, TEXT, char, bearer, OPTIONAL, "what a listener with a token file asks for") \
	ARG(op, IN, ONE, u64, epoch, NONE, "the agent's epoch that the client knew last, or 0") \
	ARG(op, IN, LIST, known_op, ops, NONE, "the operations that the client knows")          \
	ARG(op, OUT, ONE, u32, agreed, NONE, "the protocol's version on this connection")       \
	ARG(op, OUT, ONE, u64, now, NONE, "the agent's epoch")                                  \
	ARG(op, OUT, SPAN, u8, client, GROWS, "the client's token")                             \
	ARG(op, OUT, LIST, known_op, common, GROWS, "the operations that both mean alike")      \
	ARG(op, OUT, ONE, u64, head_max, NONE, "largest head of a request, bytes")              \
	ARG(op, OUT, ONE, u64, payload_max, NONE, "largest payload section, bytes")             \
	ARG(op, OUT, ONE, u64, region_max, NONE, "shared memory of this client, bytes; or 0")   \
	ARG(op, OUT, ONE, u32, spin_us, NONE, "longest time that the agent may spin, or 0")     \
	ARG(op, OUT, ONE, u32, load, NONE, "calls running and waiting, per thousand allowed")   \
	ARG(op, OUT, ONE, u32, fate, NONE, "a status: how the epoch that was told ended, or 0") \
	ARG(op, OUT, TEXT, char, fate_text, GROWS, "the same in words")
VACCEL_OP_CHECKED(256, HELLO, hello, hello, EFFECT, "say who one is")

#define VACCEL_SESSION_OPEN_ARGS(ARG, op)                                              \
	ARG(op, IN, ONE, u32, hint, NONE, "bits of vaccel_plugin_type_t, none REMOTE") \
	ARG(op, OUT, ONE, i64, session, NONE, "its id")
VACCEL_OP(257, SESSION_OPEN, session_open, session_open, EFFECT, "open a session")

#define VACCEL_SESSION_UPDATE_ARGS(ARG, op)            \
	ARG(op, IN, ONE, i64, session, NONE, "its id") \
	ARG(op, IN, ONE, u32, hint, NONE, "bits of vaccel_plugin_type_t")
VACCEL_OP(258, SESSION_UPDATE, session_update, session_update, EFFECT,
	  "change what a session prefers")

#define VACCEL_SESSION_CLOSE_ARGS(ARG, op) ARG(op, IN, ONE, i64, session, NONE, "its id")
VACCEL_OP(259, SESSION_CLOSE, session_close, session_close, EFFECT, "close a session")

/* A file of a resource by what is in it. What is hashed may not change before it is kept. */
#define VACCEL_FIELDS_content(FIELD, item)                                          \
	FIELD(item, TEXT, char, name, "its name, with sub-folders as in sub/x")     \
	FIELD(item, ONE, u64, size, "bytes")                                        \
	FIELD(item, ONE, u32, in_memory, "1: bytes in memory only, else 0: a file") \
	FIELD(item, SPAN, u8, sha256, "of its bytes")                               \
	FIELD(item, SPAN, u8, bytes, "all of them, where they are few; else none")
VACCEL_ITEM(content)

#define VACCEL_RESOURCE_OFFER_ARGS(ARG, op)                                            \
	ARG(op, IN, ONE, u32, type, NONE, "a vaccel_resource_type_t")                  \
	ARG(op, IN, ONE, u32, path_type, NONE, "a vaccel_path_type_t")                 \
	ARG(op, IN, LIST, content, contents, STABLE, "its files, in their order")      \
	ARG(op, OUT, ONE, i64, resource, NONE, "its id; 0 while something is missing") \
	ARG(op, OUT, SPAN, u32, missing, GROWS, "which contents to put; then offer again")
VACCEL_OP_CHECKED(260, RESOURCE_OFFER, resource_offer, resource_offer, EFFECT,
		  "make a resource of contents")

#define VACCEL_CONTENT_PUT_ARGS(ARG, op)                                                \
	ARG(op, IN, SPAN, u8, sha256, STABLE, "of the whole content")                   \
	ARG(op, IN, ONE, u64, size, NONE, "of the whole content, bytes")                \
	ARG(op, IN, ONE, u64, offset, NONE, "where these bytes go; they come in order") \
	ARG(op, IN, SPAN, u8, bytes, STABLE, "some of them")
VACCEL_OP_CHECKED(261, CONTENT_PUT, content_put, content_put, EFFECT,
		  "send content that the agent lacks")

#define VACCEL_RESOURCE_REGISTER_ARGS(ARG, op)          \
	ARG(op, IN, ONE, i64, resource, NONE, "its id") \
	ARG(op, IN, ONE, i64, session, NONE, "the session's")
VACCEL_OP(262, RESOURCE_REGISTER, resource_register, resource_register, EFFECT,
	  "let a session use a resource")

#define VACCEL_RESOURCE_UNREGISTER_ARGS(ARG, op) VACCEL_RESOURCE_REGISTER_ARGS(ARG, op)
VACCEL_OP(263, RESOURCE_UNREGISTER, resource_unregister, resource_unregister, EFFECT,
	  "end a session's use of a resource")

#define VACCEL_RESOURCE_RELEASE_ARGS(ARG, op) ARG(op, IN, ONE, i64, resource, NONE, "its id")
VACCEL_OP(264, RESOURCE_RELEASE, resource_release, resource_release, EFFECT, "release a resource")

#define VACCEL_RESOURCE_SYNC_ARGS(ARG, op)                                    \
	ARG(op, IN, ONE, i64, resource, NONE, "its id")                       \
	ARG(op, IN, ONE, i64, session, NONE, "the session's")                 \
	ARG(op, IN, ONE, u32, content, NONE, "which of its contents, from 0") \
	ARG(op, OUT, SPAN, u8, bytes, NONE, "of that content")
VACCEL_OP(265, RESOURCE_SYNC, resource_sync, resource_sync, EFFECT,
	  "bring back what operations changed in a resource")

/* A memfd, sealed against shrinking and growing, comes with the message. */
#define VACCEL_REGION_ADD_ARGS(ARG, op)                                                      \
	ARG(op, IN, ONE, u32, region, NONE, "the client's number for it on this connection") \
	ARG(op, IN, ONE, u64, size, NONE, "bytes")                                           \
	ARG(op, IN, ONE, u32, read_only, NONE, "1: the agent only reads it")
VACCEL_OP_CHECKED(266, REGION_ADD, region_add, region_add, EFFECT,
		  "share memory on this connection")

#define VACCEL_REGION_DROP_ARGS(ARG, op) ARG(op, IN, ONE, u32, region, NONE, "its number")
VACCEL_OP(267, REGION_DROP, region_drop, region_drop, EFFECT, "end that")

#define VACCEL_MAILBOX_OPEN_ARGS(ARG, op)                                                        \
	ARG(op, IN, ONE, u32, region, NONE, "the region that becomes the mailbox")               \
	ARG(op, IN, ONE, u32, spin_us, NONE, "how long the client would like the agent to spin") \
	ARG(op, OUT, ONE, u32, agreed_us, NONE, "how long it will")
VACCEL_OP(268, MAILBOX_OPEN, mailbox_open, mailbox_open, EFFECT,
	  "pass small messages through shared memory")

/* A program may change the type of a resource at any time; each call reads it anew. */
#define VACCEL_RESOURCE_RETYPE_ARGS(ARG, op)            \
	ARG(op, IN, ONE, i64, resource, NONE, "its id") \
	ARG(op, IN, ONE, u32, type, NONE, "a vaccel_resource_type_t")
VACCEL_OP(269, RESOURCE_RETYPE, resource_retype, resource_retype, EFFECT,
	  "change what a resource is said to be")

/* Looking for descriptors makes every message dearer, and few have one. */
#define VACCEL_REGION_EXPECT_ARGS(ARG, op)
VACCEL_OP(270, REGION_EXPECT, region_expect, region_expect, EFFECT,
	  "announce that region_add comes next")

/*
 * The description by its number; NULL if there is none. Whoever decodes a request of one asks
 * op->check(), where there is one, for the rules between its arguments.
 */
const struct vaccel_op *control_by_number(uint32_t number);

#endif
