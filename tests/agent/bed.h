/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both sides of a worker for its tests: a worker within this process, whose threads serve
 * one end of socket pairs, and clients at the other ends that say what a test tells
 * them to.
 */
#ifndef TESTS_AGENT_BED_H
#define TESTS_AGENT_BED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <vaccel/ops/fpga.h>

#include "agent/worker/server.h"
#include "transport/transport.h"

#define EPOCH 77

/* A worker with the noop plugin. Members may be changed before bed_start(). */
struct bed {
	struct worker_setup setup;
	struct listener_setup listener;
	struct worker worker;
	struct server *server;
	pthread_t watcher;
	atomic_uint looks; /* that it has had */
	int stop[2];
	char directory[64];
};

void bed_init(struct bed *bed);
void bed_start(struct bed *bed);
void bed_stop(struct bed *bed);

/* For a test that watches itself meanwhile. */
void bed_stop_watcher(struct bed *bed);
void bed_start_watcher(struct bed *bed);

/* Until the watcher has seen a call run for longer than it lets a connection be. */
void bed_watch(struct bed *bed);

/* For a test with a bed of the usual setup. */
int bed_setup(void **state);
int bed_teardown(void **state);

#define IN_BED(bed, test) \
	cmocka_unit_test_prestate_setup_teardown(test, bed_setup, bed_teardown, bed)

/* Adds a name to one of the policy's lists. */
void bed_name(struct names *names, const char *name);

uint64_t bed_refused(const struct bed *bed, enum refusal refusal);

/* A client's connection. */
struct program {
	struct link *link;
	struct encoder encoder;
	struct decoder decoder;
	uint64_t request; /* the last one */
	uint64_t epoch;	  /* 0 before HELLO: the agent's, whatever it is */
	unsigned char token[TOKEN_SIZE];
	char words[FRAME_TEXT_MAX + 1]; /* of the last failure */
};

/* Only connects; connects and says HELLO, with another's token if @like is not NULL. */
void program_open(struct program *program, struct bed *bed);
void program_connect(struct program *program, struct bed *bed, const struct program *like);
void program_close(struct program *program);

/* HELLO with these arguments. Returns its status. */
int program_hello(struct program *program, const char *bearer, const unsigned char *token,
		  uint64_t epoch, uint32_t *ret_fate);

/* A request; its number is program->request afterwards. */
void program_send(struct program *program, int64_t session, const struct vaccel_op *op,
		  const void *args);
void program_send_frame(struct program *program, enum frame_kind kind, uint64_t request);

/* The next frame, whatever it is; fails after a while. */
void program_receive(struct program *program, struct message *ret_message);

/* The reply to the request of that number, into @args; its status. */
int program_reply(struct program *program, uint64_t request, const struct vaccel_op *op,
		  void *args);

/* Both, one after the other. */
int program_call(struct program *program, int64_t session, const struct vaccel_op *op, void *args);

/* That the agent closes the connection. */
void program_expect_end(struct program *program);

int64_t program_session(struct program *program);
int program_noop(struct program *program, int64_t session);

/* A call of fpga_arraycopy that waits at the gate of gate.c, until a test opens that. */
struct gate {
	int started[2], go[2];
	int32_t in[2], out[2];
	struct vaccel_fpga_arraycopy_args args;
};

void gate_init(struct gate *gate);
void gate_release(struct gate *gate);

/* Sends the call; its number. */
uint64_t gate_send(struct gate *gate, struct program *program, int64_t session);

/* Until it runs. */
void gate_wait(struct gate *gate);
void gate_open(struct gate *gate);

/* Its status. */
int gate_reply(struct gate *gate, struct program *program, uint64_t request);

#endif
