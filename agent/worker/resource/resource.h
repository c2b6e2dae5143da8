/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resources that clients have made of contents. Those that are files lie in a
 * directory of the resource's own, which goes with it.
 */
#ifndef VACCEL_AGENT_WORKER_RESOURCE_RESOURCE_H
#define VACCEL_AGENT_WORKER_RESOURCE_RESOURCE_H

#include <vaccel/resource.h>

#include "agent/worker/client/client.h"
#include "agent/worker/resource/store.h"

struct request;

/* One of a resource's contents. */
struct part {
	struct digest digest;
	bool held;	 /* in the store */
	uint64_t taken;	 /* bytes of the store's room for files of its own */
	uint64_t memory; /* bytes of the tenant's memory */
	void *bytes;	 /* of one in memory */
	char *path;	 /* of one that is a file */
};

struct resource {
	int64_t id;
	struct client *client;
	struct vaccel_resource *vaccel;
	_Atomic unsigned int refs; /* the client's table, and requests */
	atomic_bool loaded;	   /* into a backend */
	bool in_memory;		   /* some of it */
	bool counted;		   /* among the bytes of models; under the client's lock */
	char *directory;	   /* NULL: none was needed */
	size_t nr_parts;
	struct part parts[];
};

/* The client's resource, counted, until resource_unref(). EPERM. */
int resource_find(struct client *client, int64_t id, struct resource **ret_resource);
void resource_unref(struct resource *resource);

/* With the client itself. */
void resources_release(struct client *client);

/* After a call that went well: backends keep the models that they were given. */
void resources_used(const struct request *request);

/* The control operations. What they give out is malloc'd. */
int resource_offer(struct client *client, struct vaccel_resource_offer_args *args);
int resource_register(struct client *client, int64_t id, int64_t session);
int resource_unregister(struct client *client, int64_t id, int64_t session);
int resource_release(struct client *client, int64_t id);
int resource_retype(struct client *client, int64_t id, uint32_t type);
int resource_sync(struct client *client, const struct vaccel_resource_sync_args *args);
int content_put(struct client *client, const struct vaccel_content_put_args *args);

/* For the files that make up the above */

/* Below the tenant's directory. */
#define RESOURCES_FOLDER "resources"

/* Bytes of the tenant's memory that a resource takes beside its contents. */
#define RESOURCE_COST(nr_parts) (4096 + (uint64_t)(nr_parts)*512)

/* Frees what there is of a resource that nobody uses. */
void resource_delete(struct resource *resource);

/* Gives up what a client has not finished sending. */
void uploads_release(struct client *client);

/* Removes what a worker before this one has left. */
void resources_sweep(const struct worker *worker);

#endif
