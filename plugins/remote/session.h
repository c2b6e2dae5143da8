/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The remote side of sessions: at which server each is, what is registered with
 * it there, and making all of that anew where it was lost. What is at a server is
 * told by the number of its client; see server.h.
 */
#ifndef VACCEL_REMOTE_SESSION_H
#define VACCEL_REMOTE_SESSION_H

#include <vaccel/resource.h>
#include <vaccel/session.h>

#include "remote/resource.h"
#include "remote/server.h"

/* A resource that is registered with a session. */
struct registration {
	struct registration *next; /* in the order in which they were registered */
	struct resource *resource;
	struct copy *copy; /* what the session has at its server; or NULL */
	bool lost;	   /* what operations changed in it went with an agent */
};

struct session {
	struct session *next, **link; /* remote_lock, as all below */
	struct vaccel_session *sess;  /* the program's */
	uint32_t hint;
	bool busy; /* a thread is bringing it in place */

	struct server *server; /* where it is, or was last; or NULL */
	uint64_t opened;       /* the client that has it; 0: none */
	int64_t id;	       /* there */
	uint64_t client;       /* the same once it has all that is registered, else 0 */
	struct registration *registrations;
};

/* The plugin's hooks */
int session_open(struct vaccel_session *sess, void **ret_slot);
void session_close(struct vaccel_session *sess, void *slot);
int session_update(struct vaccel_session *sess, void *slot, uint32_t hint);
int session_register(struct vaccel_session *sess, void *slot, struct vaccel_resource *res,
		     void *resource_slot);
void session_unregister(struct vaccel_session *sess, void *slot, struct vaccel_resource *res,
			void *resource_slot);
int session_sync(struct vaccel_session *sess, struct vaccel_resource *res);

/*
 * A channel to where the session is, and its id there; brings it in place if it is
 * not. ESESS, once, if changes of its resources were lost; else the error of reaching an
 * agent, or the agent's.
 */
int session_reach(struct session *session, int64_t now, int64_t until, struct channel **ret_channel,
		  int64_t *ret_id);

/* The same for a thread that has it for itself, see session_begin(). */
int session_place(struct session *session, int64_t until, struct channel **ret_channel);

/* One thread at a time brings a session in place, or changes what there is to bring. ETIMEDOUT. */
int session_begin(struct session *session, int64_t until);
void session_end(struct session *session);

/* An operation that may change resources has run, or may have. */
void session_note_effect(struct session *session);

/* Whether it is at a client still: another thread may have found that gone. */
bool session_is_at(const struct session *session, uint64_t client);

/* Of a codec's hook: by which id the client's agent knows a resource of the session. */
int session_resource_id(struct session *session, const struct vaccel_resource *res, uint64_t client,
			int64_t *ret_id);

/* remote_lock is held */

/* NULL if it is not registered with the session. */
struct registration *session_registration(const struct session *session,
					  const struct vaccel_resource *res);

/* Takes a registration out, if there is one; the caller frees it. */
struct registration *session_take_out(struct session *session, const struct resource *resource);

static inline bool is_placed(const struct registration *registration, uint64_t client)
{
	return registration->copy && registration->copy->client == client;
}

/* A program may change the type of a resource at any time. */
static inline bool has_other_type(const struct registration *registration)
{
	return registration->copy && registration->copy->type != registration->resource->res->type;
}

/* Whether the present client of its server has it as it is to be. */
bool session_is_in_place(const struct session *session);

/* It is not at an agent any more. */
void session_leave(struct session *session);

/* All that was at a client is gone. */
void sessions_lose(uint64_t client);

/* A resource is being released. */
void sessions_drop_resource(const struct resource *resource);

/* In a forked child: no session is at an agent. */
void sessions_forget(void);

#endif
