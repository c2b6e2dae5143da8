/* SPDX-License-Identifier: Apache-2.0 */
/* A worker in this process and a machine that has its accelerator. */
#ifndef TESTS_VHOST_STAND_H
#define TESTS_VHOST_STAND_H

#include "bed.h"
#include "front.h"

struct stand {
	struct bed bed;
	struct front front;
	struct vhost *vhost;
	int channel;
	size_t lent_at; /* in the room of stand_lend()'s requests: STAND_LENT_AT */
};

/* For cmocka; *state is the stand. */
int stand_setup(void **state);
int stand_teardown(void **state);

/* The worker's part of the machine, as after a worker's start and at its end. */
void stand_attach(struct stand *stand, bool fresh);
void stand_detach(struct stand *stand);

/* A program in the machine, with so much room for each answer. */
void stand_connect(struct program *program, struct stand *stand, size_t room);

/* Somebody can call as if nothing had happened. */
void stand_call_often(struct stand *stand);

/* Lent memory lies so far behind the message, and behind the beginning of the room. */
#define STAND_GAP     512
#define STAND_LENT_AT 4096

/* A request of arraycopy whose arguments are lent: message and array, room and array. */
void stand_lend(struct stand *stand, struct program *program, int64_t session, const int32_t *in,
		size_t count, struct front_request *ret_request);

#endif
