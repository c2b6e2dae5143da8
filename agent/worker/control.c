// SPDX-License-Identifier: Apache-2.0
/* Each control operation in a function of its own, found by its number. */
#include "agent/worker/control.h"

#include <inttypes.h>

#include <vaccel/error.h>

#include "agent/worker/client.h"
#include "agent/worker/connection.h"
#include "agent/worker/resource.h"
#include "base/util.h"

typedef int control_fn(struct request *request, void *args);

static struct client *client_of(const struct request *request)
{
	return request->connection->client;
}

static int open_session(struct request *request, void *context)
{
	struct vaccel_session_open_args *args = context;

	return session_open(client_of(request), args->hint, args->session);
}

static int update_session(struct request *request, void *context)
{
	const struct vaccel_session_update_args *args = context;

	return session_update(client_of(request), args->session, args->hint);
}

static int close_session(struct request *request, void *context)
{
	const struct vaccel_session_close_args *args = context;

	return session_close(client_of(request), args->session);
}

static control_fn *const table[CONTROL_COUNT] = {
	[VACCEL_OP_SESSION_OPEN_INDEX] = open_session,
	[VACCEL_OP_SESSION_UPDATE_INDEX] = update_session,
	[VACCEL_OP_SESSION_CLOSE_INDEX] = close_session,
};

int control_run(struct request *request, void *args)
{
	control_fn *function = table[request->frame.op - CONTROL_FIRST];

	if (!function)
		return vaccel_fail(VACCEL_ENOTSUP, "the agent does not do %s", request->op->name);
	return function(request, args);
}

bool control_is_chore(uint32_t number)
{
	return number == VACCEL_OP_RESOURCE_OFFER || number == VACCEL_OP_CONTENT_PUT ||
	       number == VACCEL_OP_RESOURCE_RELEASE || number == VACCEL_OP_RESOURCE_SYNC;
}
