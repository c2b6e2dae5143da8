/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An agent in this process, for tests of the client: threads that listen on a socket
 * of their own and answer as an agent does, unless a test's script sees to a
 * message itself, in ways that no agent would.
 */
#ifndef TESTS_REMOTE_FAKE_H
#define TESTS_REMOTE_FAKE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <vaccel/op.h>

#include "transport/control.h"
#include "transport/transport.h"

struct fake;

/* A message that has come. */
struct turn {
	struct fake *fake;
	unsigned int connection; /* they count up from 1 */
	struct link *link;
	struct message message;
	void *payload;
	struct decoder decoder; /* for its arguments */
};

enum verdict {
	GO_ON,	/* answer as an agent does */
	DONE,	/* the script has dealt with it */
	HANG_UP /* close the connection */
};

typedef enum verdict fake_script_fn(struct turn *turn, void *context);

/* At a socket file of its own, or at any address; of port 0, a free one. */
struct fake *fake_start(void);
struct fake *fake_start_at(const char *address);

/* Ends all connections and threads, and fails the test if a descriptor came that nobody closed. */
void fake_stop(struct fake *fake);

const char *fake_address(const struct fake *fake);

/* What sees messages first, in the threads of the fake; NULL for nothing. */
void fake_script(struct fake *fake, fake_script_fn *script, void *context);

/* A new worker: all connections break, nothing is known any more, and the old one ended so. */
void fake_restart(struct fake *fake, int fate, const char *words);

/* Breaks all connections, or those that are not busy with a message; with the last goes the client.
 */
void fake_disconnect(struct fake *fake);

/* Refuses connections, or takes them again. */
void fake_listen(struct fake *fake, bool listens);

void fake_set_load(struct fake *fake, uint32_t load);
void fake_set_payload_max(struct fake *fake, uint64_t most);
void fake_set_region_max(struct fake *fake,
			 uint64_t most); /* 0, as at first: no memory is shared */
void fake_hide_op(struct fake *fake, const struct vaccel_op *op);

/* Messages so far: of a kind; CALLs of an operation. */
unsigned int fake_messages(struct fake *fake, enum frame_kind kind);
unsigned int fake_calls(struct fake *fake, const struct vaccel_op *op);
unsigned int fake_connections(struct fake *fake); /* that are open */

/* Waits until there have been so many. Fails the test if they do not come. */
void fake_await_calls(struct fake *fake, const struct vaccel_op *op, unsigned int count);
void fake_await_messages(struct fake *fake, enum frame_kind kind, unsigned int count);
void fake_await_connections(struct fake *fake, unsigned int count);

/* What clients have there now. */
unsigned int fake_sessions(struct fake *fake);
unsigned int fake_resources(struct fake *fake);
uint32_t fake_hint(struct fake *fake, int64_t session);

/* A resource there, as "TYPE:name=text,name=text", in memory with a *; and those of a session. */
void fake_describe(struct fake *fake, int64_t resource, char *text, size_t room);
void fake_describe_session(struct fake *fake, int64_t session, char *text, size_t room);

/* Changes each byte of a resource that is in memory. */
void fake_change(struct fake *fake, int64_t resource);

/* For scripts */

/* The CALL's operation; NULL for other messages. */
const struct vaccel_op *turn_op(const struct turn *turn);

/* Its arguments, good until the script returns. */
void *turn_args(struct turn *turn);

void turn_reply(struct turn *turn, const void *args);
void turn_fail(struct turn *turn, int code, const char *words, bool ran);

/* What an agent would do. */
void turn_go_on(struct turn *turn);

/* Bytes that may be no message at all. */
void turn_write(struct turn *turn, const void *bytes, size_t size);
void turn_frame(struct turn *turn, const struct frame *frame, const void *head,
		const void *payload);

#endif
