// SPDX-License-Identifier: Apache-2.0
#include "agent/worker/resource.h"

#include <inttypes.h>

#include <vaccel/error.h>

#include "agent/worker/connection.h"
#include "base/util.h"

int resource_find(struct client *client, int64_t id, struct resource **ret_resource)
{
	count_refusal(client->worker, REFUSED_FOREIGN);
	return vaccel_fail(VACCEL_EPERM, "this client has no resource %" PRId64, id);
}
void resource_unref(struct resource *resource)
{
}
void resources_release(struct client *client)
{
}
