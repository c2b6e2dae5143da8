// SPDX-License-Identifier: Apache-2.0
/* Each control operation in a function of its own, found by its number. */
#include "agent/worker/client/control.h"

#include <inttypes.h>

#include <vaccel/error.h>

#include "agent/worker/client/client.h"
#include "agent/worker/connection/connection.h"
#include "agent/worker/connection/mailbox.h"
#include "agent/worker/resource/resource.h"
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

static int offer_resource(struct request *request, void *args)
{
	return resource_offer(client_of(request), args);
}

static int put_content(struct request *request, void *args)
{
	return content_put(client_of(request), args);
}

static int register_resource(struct request *request, void *context)
{
	const struct vaccel_resource_register_args *args = context;

	return resource_register(client_of(request), args->resource, args->session);
}

static int unregister_resource(struct request *request, void *context)
{
	const struct vaccel_resource_unregister_args *args = context;

	return resource_unregister(client_of(request), args->resource, args->session);
}

static int release_resource(struct request *request, void *context)
{
	const struct vaccel_resource_release_args *args = context;

	return resource_release(client_of(request), args->resource);
}

static int retype_resource(struct request *request, void *context)
{
	const struct vaccel_resource_retype_args *args = context;

	return resource_retype(client_of(request), args->resource, args->type);
}

static int sync_resource(struct request *request, void *args)
{
	return resource_sync(client_of(request), args);
}

static int no_regions(void)
{
	return vaccel_fail(VACCEL_ENOTSUP, "memory cannot be shared over this connection");
}

static int expect_region(struct request *request, void *context)
{
	if (!request->connection->borrower)
		return no_regions();
	link_take_passed(request->connection->link, true);
	return VACCEL_OK;
}

static int add_region(struct request *request, void *context)
{
	const struct vaccel_region_add_args *args = context;
	struct borrower *borrower = request->connection->borrower;
	int ret;

	if (!borrower)
		return no_regions();
	link_take_passed(request->connection->link, false);
	if (request->fd < 0)
		return vaccel_fail(VACCEL_EINVAL, "region_add: no descriptor came along; send "
						  "region_expect before");
	ret = borrower_add(borrower, args->region, args->size, args->read_only,
			   TAKE_FD(request->fd));
	if (ret == VACCEL_EINVAL)
		count_refusal(request->connection->worker, REFUSED_MALFORMED);
	return ret;
}

static int drop_region(struct request *request, void *context)
{
	const struct vaccel_region_drop_args *args = context;
	struct borrower *borrower = request->connection->borrower;
	int ret = borrower ? borrower_drop(borrower, args->region) : no_regions();

	if (ret == VACCEL_EPERM)
		count_refusal(request->connection->worker, REFUSED_FOREIGN);
	return ret;
}

static control_fn *const table[CONTROL_COUNT] = {
	[VACCEL_OP_SESSION_OPEN_INDEX] = open_session,
	[VACCEL_OP_SESSION_UPDATE_INDEX] = update_session,
	[VACCEL_OP_SESSION_CLOSE_INDEX] = close_session,
	[VACCEL_OP_RESOURCE_OFFER_INDEX] = offer_resource,
	[VACCEL_OP_CONTENT_PUT_INDEX] = put_content,
	[VACCEL_OP_RESOURCE_REGISTER_INDEX] = register_resource,
	[VACCEL_OP_RESOURCE_UNREGISTER_INDEX] = unregister_resource,
	[VACCEL_OP_RESOURCE_RELEASE_INDEX] = release_resource,
	[VACCEL_OP_RESOURCE_SYNC_INDEX] = sync_resource,
	[VACCEL_OP_REGION_ADD_INDEX] = add_region,
	[VACCEL_OP_REGION_DROP_INDEX] = drop_region,
	[VACCEL_OP_MAILBOX_OPEN_INDEX] = mailbox_open,
	[VACCEL_OP_RESOURCE_RETYPE_INDEX] = retype_resource,
	[VACCEL_OP_REGION_EXPECT_INDEX] = expect_region,
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
	       number == VACCEL_OP_RESOURCE_RELEASE;
}
