/* SPDX-License-Identifier: Apache-2.0 */
/* A front in a thread, whose supervisor, clients and worker are the test's. */
#ifndef TESTS_TLS_HOUSE_H
#define TESTS_TLS_HOUSE_H

#include <pthread.h>

#include "agent/front/passage.h"
#include "bed.h"
#include "transport/link.h"

#define PATIENCE_NS (10 * SECOND)
#define LISTENER    7

struct house {
	struct bed *bed;
	struct front front;
	struct stats stats;
	int ipc; /* the supervisor's end */
	int theirs;
	uint32_t listener; /* that connections are said to come from */
	bool keeps;	   /* the one connection that a test makes, open in the supervisor, too */
	int kept;
	pthread_t serving, accepting;
	int stop[2];
	int ret;
};

void house_tell(const struct house *house, enum ipc_kind kind, uint32_t listener, int fd);
void house_tell_listener(const struct house *house, uint32_t number);
void house_serve(struct house *house);
void house_open(struct house **ret_house, int64_t patience_ns);

/* Setup and teardown of a test: one with PATIENCE_NS. */
int house_make(void **state);
int house_drop(void **state);

void house_stop_accepting(struct house *house);
void house_wait_for_refusals(struct house *house, enum refusal reason, uint64_t count);

/* Both ends of a connection through the front. */
struct relayed {
	struct link *client;
	int worker;
};

void relayed_open(struct house *house, struct relayed *ret_relayed);
void relayed_close(struct relayed *relayed);

#endif
