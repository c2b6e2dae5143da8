/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Servers: the agents that the addresses lead to, and the channels to each. At an
 * agent all channels of this process belong to one object, its *client*, which has
 * the sessions and resources; it goes when its last connection goes. Each one gets a
 * number here, so that what was made at an earlier one is known to be gone.
 */
#ifndef VACCEL_REMOTE_SERVER_H
#define VACCEL_REMOTE_SERVER_H

#include <pthread.h>

#include "remote/channel.h"

/*
 * Over all that threads share in this plugin: servers, the lists of sessions and
 * resources, and what of these is at which server. Held for moments only, never while
 * anything is sent or waited for; and during a fork.
 */
extern pthread_mutex_t remote_lock;

/* Something that is waited for under remote_lock has changed. */
extern pthread_cond_t remote_changed;

void remote_changed_init(void);

/* Waits for it up to @until; VACCEL_ETIMEDOUT without words. */
int remote_wait(int64_t until);

struct channels {
	struct channel *first, *last;
	size_t count;
};

/*
 * One whose place another has taken looks as if it had been there all along, and lost its client:
 * a pointer may be kept. Its name and address are whose they are for who has a channel of it, or
 * makes one; others look under remote_lock.
 */
struct server {
	struct address address; /* with the number that its host's name stands for */
	const char *name;	/* the same for words */

	/* remote_lock */
	struct channels busy, idle, owing, dead; /* idle: the last one given back first */
	uint64_t client;			 /* the present one's number; 0: there is none */
	size_t members;				 /* its channels */
	unsigned char token[16];		 /* by which more can join it */
	uint64_t epoch;				 /* of the last answer; 0: it has never answered */
	uint64_t ended;				 /* an epoch of which it is known how it ended */
	int fate;				 /* how: a VACCEL_E* code, or 0 */
	char fate_text[256];			 /* the same in words */
	uint32_t load;				 /* as it said last, at @load_at */
	int64_t load_at;
	size_t sessions;    /* of this process, there */
	bool connecting;    /* by one thread at a time */
	bool listed;	    /* the addresses still lead there */
	uint64_t seen;	    /* the last listing that had it */
	int64_t lost_at;    /* since when it cannot be reached; 0: it can */
	int64_t retry_at;   /* not to be tried before */
	int64_t backoff;    /* what is added then */
	int64_t deaf_until; /* it gave no answer lately: it is not told of what has ended */
	bool uploading;	    /* one content at a time is sent there */
};

/* Servers */

#define SERVERS_MAX 64

/* So long, in nanoseconds, an agent that has been there is waited for. */
#define SERVER_PATIENCE (5 * SECOND)

/* Parses the addresses; nothing is connected. EINVAL, or what a file for TLS has wrong. */
int servers_open(void);

/* Closes all channels. Nobody uses them. */
void servers_close(void);

/* In a forked child: lets go of all connections, which are the parent's. remote_lock is held. */
void servers_forget(void);

/*
 * A channel to an agent: to @preferred if that is reached, else to the least loaded
 * that is. An agent that has been there before is waited for, a few seconds at most.
 * ETIMEDOUT, or what the last agent that was tried has given as its reason.
 */
int servers_reach(struct server *preferred, int64_t until, struct channel **ret_channel);

/* The same of one server, in whose place no other will do. */
int servers_await(struct server *server, int64_t until, struct channel **ret_channel);

/*
 * One more channel to a server that is in use. Where there are others, one that failed lately is
 * not connected to, and time is left for the others.
 */
int servers_extend(struct server *server, int64_t until, struct channel **ret_channel);

/*
 * Has looked up what the addresses stand for, unless that was done less than @age ago and gave
 * any server. Waits only where no server is known: ten seconds at most. ENOENT, EREMOTEIO,
 * ETIMEDOUT.
 */
int servers_resolve(int64_t age, int64_t until);

/* Has all servers say how busy they are, if there is more than one, and that is not known. */
void servers_survey(int64_t until);

/* Half of the time: so that there is some for another one where this one does not answer. */
int64_t half_of(int64_t until);

/* Walks the servers: NULL first. */
struct server *server_next(const struct server *server);

/* What all connections by TLS use; NULL if no address is of that kind. */
struct tls *servers_tls(void);

/* Connections of one server */

/* A free channel of the server's present client, or a new one, of a new client if need be. */
int server_channel(struct server *server, int64_t until, struct channel **ret_channel);

/* A new one in any case: so that the server says what became of it. */
int server_connect(struct server *server, int64_t until, struct channel **ret_channel);

/* A channel of @client if one is free at once, else NULL; remote_lock is held. */
struct channel *server_take(struct server *server, uint64_t client);

/* Whether a channel that server_take() gave can still be used; if not it is given back. */
bool channel_is_fresh(struct channel *channel, int64_t now);

/* Gives a channel back, also one that is broken. */
void channel_give(struct channel *channel);

/*
 * Tells a client's agent that something has ended, and waits a little for the answer. Where the
 * client is gone, so is what it had.
 */
void server_tell(struct server *server, uint64_t client, const struct vaccel_op *op, void *args);

/* What addresses stand for. */
struct found {
	struct address *list;
	size_t nr;
};

/* names.c: the addresses as they were given. */
int names_open(char *list);
void names_close(void);
void names_forget(void); /* in a forked child */
bool names_use(const char *scheme);

/* survey.c: waits a second at most for the thread that it may have; and has none, in a forked
 * child. */
void survey_end(void);
void survey_forget(void);

/* Waits for the look-up that goes on. False: none does, or not to its end by then. */
bool names_await(int64_t until);

/* For the files that make this up; remote_lock is held. */

/* Takes what has been found. Unless that is @all there is, what was listed before stays. */
void servers_list(struct found *found, bool all);
void server_adopt(struct channel *channel);    /* it is in use now */
void server_end_client(struct server *server); /* and all that was made at it */

/* Deletes channels that are out of use; of one server, or of all. */
void server_bury(struct server *server);
void servers_bury(void);

/*
 * How the agent's worker of an epoch ended: a VACCEL_E* code and words, or 0 if
 * nothing is known of it. Connects to find out; if that fails, *ret_reached is false.
 */
int server_fate(struct server *server, uint64_t epoch, int64_t until, bool *ret_reached,
		char *ret_words, size_t room);

#endif
