/* SPDX-License-Identifier: Apache-2.0 */
/* What a resource is made of, by SHA-256, and bringing it to an agent. */
#ifndef VACCEL_REMOTE_CONTENT_H
#define VACCEL_REMOTE_CONTENT_H

#include <vaccel/resource.h>

#include "remote/channel.h"
#include "remote/resource.h"
#include "transport/control.h"

/* What is known of the files, so that one that has not changed is not read again. */
struct digests;

void digests_delete(struct digests *digests);

/* The contents of a resource as they were when they were read; the resource is held. */
struct contents {
	struct resource *resource;
	unsigned int syncs; /* of the resource, so far */
	vaccel_path_type_t path_type;
	struct vaccel_content *list; /* and what it points to */
	size_t nr;
	unsigned char digest[SHA256_SIZE]; /* of all of it */
	vaccel_resource_type_t type;	   /* as it was at the time */
	bool in_memory;			   /* some of it is memory of the program's */
};

/* Reads what has to be read. EIO, ENOMEM, the errno of reading, what resource_use() fails with. */
int contents_read(struct resource *resource, int64_t until, struct contents *ret_contents);
void contents_release(struct contents *contents);

/* Makes a resource of them at the agent, sending what it lacks. */
int contents_offer(const struct contents *contents, struct channel *channel, int64_t *ret_id);

#endif
