/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resources that clients have made of contents. Files lie in a directory of the
 * resource's own, which goes with it.
 */
#ifndef VACCEL_AGENT_WORKER_RESOURCE_H
#define VACCEL_AGENT_WORKER_RESOURCE_H

#include <vaccel/resource.h>

#include "agent/worker/client.h"

struct resource {
	int64_t id;
	struct client *client;
	struct vaccel_resource *vaccel;
	_Atomic unsigned int refs;	      /* the client's table, and calls */
	atomic_bool loaded;		      /* into a backend */
	char *directory;		      /* NULL if it has no files */
	uint64_t charged;		      /* bytes of memory */
	unsigned char (*sha256)[SHA256_SIZE]; /* of its contents */
	size_t nr_contents;
};

/* The client's resource, counted, until resource_unref(). EPERM. */
int resource_find(struct client *client, int64_t id, struct resource **ret_resource);
void resource_unref(struct resource *resource);

/* With the client itself. */
void resources_release(struct client *client);

/* Control operations. */
int resource_offer(struct client *client, struct vaccel_resource_offer_args *args);
int resource_release(struct client *client, int64_t id);
int resource_sync(struct client *client, struct vaccel_resource_sync_args *args);

#endif
