/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The remote side of resources: the copies of each at agents, and the operations
 * that have loaded it there.
 */
#ifndef VACCEL_REMOTE_RESOURCE_H
#define VACCEL_REMOTE_RESOURCE_H

#include <vaccel/op.h>
#include <vaccel/plugin.h>
#include <vaccel/resource.h>

#include "remote/server.h"

struct session;
struct digests;
struct load;

/*
 * What one thread at a time does with a resource at a client, on that thread's stack. It may take
 * as long as the client's agent likes, and keeps nobody at others waiting.
 */
struct errand {
	struct errand *next;
	uint64_t client;
};

/* A resource as an agent has it. All is under remote_lock. */
struct copy {
	struct copy *next;
	struct server *server;
	uint64_t client;
	int64_t id; /* there */
	vaccel_resource_type_t type;
	bool in_memory; /* some of it is memory of the program's, which operations may change */
	bool changed;	/* they may have, and it was not brought back since */
	unsigned char digest[32]; /* of what it is made of */
};

struct resource {
	struct resource *next, **link; /* remote_lock */
	struct vaccel_resource *res;   /* the program's */
	unsigned int users;	       /* remote_lock: threads that keep it for a moment */
	struct copy *copies;	       /* remote_lock */
	struct load *loads;	       /* remote_lock: in their order */
	struct errand *bringing;       /* remote_lock: making copies */
	struct errand *loading;	       /* remote_lock: doing loads again */
	bool reading;		       /* remote_lock: a thread uses its blobs */
	bool released;		       /* remote_lock: it was found to be */
	unsigned int syncs;	 /* remote_lock: counts what was brought back into its memory */
	struct digests *digests; /* of its files; while its blobs are held */
};

/* The plugin's hooks */
int resource_open(struct vaccel_resource *res, void **ret_slot);
void resource_close(struct vaccel_resource *res, void *slot);

/* Keeps a resource from being closed, and lets it go. The first with remote_lock held. */
void resource_hold(struct resource *resource);
void resource_unhold(struct resource *resource);

/* Waits for who does it at that client. ETIMEDOUT without words. */
int errand_begin(struct errand **list, struct errand *errand, int64_t until);
void errand_end(struct errand **list, const struct errand *errand);

/*
 * Uses its blobs while they stay as they are; it is held. Everybody who uses them waits meanwhile,
 * so no agent is waited for in there. ETIMEDOUT, EINVAL if it was released, what @use returns.
 */
int resource_use(struct resource *resource, int64_t until, vaccel_resource_use_fn *use,
		 void *context);

/* Of such a use: its memory has changed. */
void resource_note_sync(struct resource *resource);

/*
 * Finds the resource's copy at the channel's client, or makes one. *ret_id is 0 if the program
 * is releasing the resource.
 */
int resource_bring(struct resource *resource, struct channel *channel, int64_t *ret_id);

/* The copy by its id; remote_lock is held. */
struct copy *resource_copy(const struct resource *resource, uint64_t client, int64_t id);

/* Operations that loaded it */

/*
 * One has succeeded at a client: to be done again where the resource is brought anew. If it is not
 * sure, it may have, and is not the program's.
 */
void load_note(struct session *session, const struct vaccel_op *op, const void *args,
	       uint64_t client, bool is_sure);

/*
 * One was undone at a client, or, if it is not sure, is as if it were. Returns how many may be left
 * there that are not the program's, if none is.
 */
size_t load_forget(struct session *session, const struct vaccel_op *op, const void *args,
		   uint64_t client, bool is_sure);

/* Undoes those, as far as they are there. */
void loads_sweep(const struct vaccel_op *op, const void *args, size_t left, struct channel *channel,
		 int64_t session_id);

/* Does them at the channel's client, in a session there, as often as they were not done there. */
int loads_redo(struct resource *resource, struct channel *channel, int64_t session_id);
void loads_release(struct resource *resource);

/* remote_lock is held */

/* Whether something that loaded it has not been done at the client. */
bool resource_has_undone(const struct resource *resource, uint64_t client);
void loads_lose(struct resource *resource, uint64_t client);
void resources_lose(uint64_t client);
void resources_forget(void);

#endif
