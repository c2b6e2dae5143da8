/* SPDX-License-Identifier: Apache-2.0 */
/* The library's side of a session. */
#ifndef VACCEL_OBJECT_SESSION_H
#define VACCEL_OBJECT_SESSION_H

#include <pthread.h>
#include <stdatomic.h>

#include <vaccel/session.h>

#include "call/op.h"
#include "object/id_list.h"
#include "object/table.h"
#include "plugin/slots.h"

struct binding;

/* So many operations give the name of an annotated picture. */
enum { ANNOTATIONS = 4 };

struct session_state {
	struct table_entry *entry;
	struct session_state *next;  /* of those that a cleanup closes */
	struct vaccel_session *sess; /* the program's struct */
	pthread_mutex_t lock;	     /* changing resources; rundir */
	struct id_list resources;    /* in the order of registration; read without the lock */
	char *rundir;
	struct slots slots;
	/* The first plugin for each operation; NULL until the first call. */
	_Atomic(const struct binding *) choice[OP_COUNT];
	/* The annotations that were drawn here, since no plugin has them; see annotate.c. */
	atomic_bool drawn[ANNOTATIONS];
};

/* A plugin's side of a session; all that is registered with the session is with it, too. */
extern const struct slot_kind slots_session;

/* Lets the plugins that have a side of the session do there what is being done here. */
int session_register(struct vaccel_session *sess, struct vaccel_resource *resource);
void session_unregister(struct vaccel_session *sess, struct vaccel_resource *resource);
int session_sync(struct vaccel_session *sess, struct vaccel_resource *resource);
int session_update_sides(struct vaccel_session *sess, uint32_t hint);

/* VACCEL_OK if the session is open; EINVAL or ESESS with words if not. */
int session_check(const struct vaccel_session *sess);

/* Adds a resource to the session's, or takes it away. The resource's lock is held by the caller. */
int session_attach(struct vaccel_session *sess, vaccel_id_t resource);
int session_detach(struct vaccel_session *sess, vaccel_id_t resource);

/* The same for a session known by its id, which may be gone. */
void session_detach_by_id(vaccel_id_t session, vaccel_id_t resource);

/* The next resource of a type at or after *position, counted; NULL at the end. Start with 0. */
struct vaccel_resource *session_next_resource(const struct session_state *state, size_t *position,
					      vaccel_resource_type_t type);

/* Lets every session choose anew at its next calls. */
void sessions_forget_choices(void);

/* Closes the library's side of every session left. No call may be running. */
void sessions_close_all(void);

/* See table_before_fork(). */
void sessions_before_fork(void);
void sessions_after_fork(bool in_child);

#endif
