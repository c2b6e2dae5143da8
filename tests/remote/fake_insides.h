/* SPDX-License-Identifier: Apache-2.0 */
/* The insides of the fake agent, for the files that it is made of. */
#ifndef TESTS_REMOTE_FAKE_INSIDES_H
#define TESTS_REMOTE_FAKE_INSIDES_H

#include <pthread.h>

#include "base/util.h"
#include "fake.h"

#define CONNECTIONS_MAX 256
#define CLIENTS_MAX	256
#define OBJECTS_MAX	256
#define CONTENTS_MAX	64

/* A content, which all clients share. */
struct stored {
	unsigned char sha256[SHA256_SIZE];
	unsigned char *bytes;
	size_t size, have;
};

/* A session or a resource. */
struct object {
	int64_t id;
	unsigned int client;	   /* whose it is */
	uint32_t hint;		   /* of a session */
	int64_t has[CONTENTS_MAX]; /* a session's resources */
	uint32_t type;		   /* of a resource */
	size_t nr;		   /* contents; resources of a session */
	char *name[CONTENTS_MAX];
	unsigned char *bytes[CONTENTS_MAX];
	size_t size[CONTENTS_MAX];
	bool in_memory[CONTENTS_MAX];
};

/* Whose number, in each byte, is its token. What it has goes with its last connection. */
struct client {
	unsigned int nr_connections;
};

struct connection {
	struct fake *fake;
	unsigned int number;
	unsigned int client; /* its number; 0: it has not said who it is, or that is gone */
	pthread_t thread;
	struct link *link; /* lock; NULL once closed */
};

struct fake {
	char directory[64], address[128];
	struct address parsed;
	int listener;
	pthread_t accepting;
	int stop[2];

	pthread_mutex_t lock; /* over all below; no message is waited for with it */
	pthread_cond_t changed;
	struct connection connection[CONNECTIONS_MAX];
	unsigned int nr_connections, nr_open;
	unsigned int messages[FRAME_KIND_END];
	unsigned int calls[CONTROL_FIRST + CONTROL_COUNT];
	fake_script_fn *script;
	void *context;
	uint64_t epoch, ended;
	int fate;
	char fate_text[256];
	uint32_t load;
	uint64_t payload_max, region_max;
	const struct vaccel_op *lacks;
	struct client client[CLIENTS_MAX]; /* by their numbers less 1 */
	unsigned int nr_clients;	   /* so far */
	int64_t last_id;
	struct object session[OBJECTS_MAX], resource[OBJECTS_MAX];
	struct stored stored[OBJECTS_MAX];
};

/* The client of a message; 0 before its HELLO. */
static inline unsigned int *turn_client(const struct turn *turn)
{
	return &turn->fake->connection[turn->connection - 1].client;
}

/* fake_objects.c: what clients have; lock is held */

/* What of a client's has this id; NULL if there is none. */
struct object *find_object(struct object *objects, unsigned int client, int64_t id);

struct object *make_object(struct fake *fake, struct object *objects, unsigned int client);
void drop_object(struct object *object);
void drop_objects_of(struct fake *fake, unsigned int client);

/* Resources; whether what they name was there */
void offer(struct fake *fake, unsigned int client, struct vaccel_resource_offer_args *args);
void put_content(struct fake *fake, const struct vaccel_content_put_args *args);
void note_registration(struct fake *fake, unsigned int client,
		       const struct vaccel_resource_register_args *args, bool begins);
bool release_resource(struct fake *fake, unsigned int client, int64_t id);
void sync_resource(struct fake *fake, unsigned int client, struct vaccel_resource_sync_args *args);

/* fake_agent.c: what an agent does; lock is held */

/* A connection has ended, or with all of them what they knew. */
void leave_client(struct fake *fake, unsigned int *client);
void drop_clients(struct fake *fake);

#endif
