// SPDX-License-Identifier: Apache-2.0
/*
 * A mailbox is a region of the connection, which stays for as long as the connection
 * even if the client drops it. A policy's `spin` says how many connections may
 * have one: each keeps a thread busy for the agreed time after each message.
 */
#include "agent/worker/connection/mailbox.h"

#include <inttypes.h>

#include <vaccel/error.h>

#include "agent/worker/worker.h"
#include "base/util.h"
#include "transport/control.h"

/* A place among those that may spin. */
static bool take_place(struct worker *worker)
{
	uint32_t spinning = atomic_load(&worker->spinning);

	while (spinning < worker->setup.policy.spin)
		if (atomic_compare_exchange_weak(&worker->spinning, &spinning, spinning + 1))
			return true;
	return false;
}

static int find_memory(struct connection *connection, uint32_t region)
{
	const struct payload payload = {
		.size = MAILBOX_SIZE, .place = PAYLOAD_REGION, .region = region};

	connection->mailbox.borrower = connection->borrower;
	return borrowed_at(&connection->mailbox, &payload, VACCEL_DIR_INOUT,
			   &connection->mailbox_memory);
}

int mailbox_open(struct request *request, void *context)
{
	struct vaccel_mailbox_open_args *args = context;
	struct connection *connection = request->connection;
	struct worker *worker = connection->worker;
	int ret;

	if (!connection->borrower || connection->spins)
		return vaccel_fail(VACCEL_EINVAL, "this connection %s",
				   connection->spins ? "has a mailbox already" : "has no regions");
	if (!take_place(worker)) {
		count_refusal(worker, REFUSED_QUOTA);
		return vaccel_fail(VACCEL_EDQUOT,
				   "policy '%s' lets %" PRIu32 " connections spin at a time",
				   worker->setup.policy.name, worker->setup.policy.spin);
	}
	ret = find_memory(connection, args->region);
	if (ret) {
		if (ret == VACCEL_EPERM)
			count_refusal(worker, REFUSED_FOREIGN);
		atomic_fetch_sub(&worker->spinning, 1);
		return ret;
	}
	connection->spins = true;
	connection->spin_us = MIN_OF(args->spin_us, SPIN_US_MAX);
	*args->agreed_us = connection->spin_us;
	return VACCEL_OK;
}

void mailbox_begin(struct connection *connection)
{
	if (link_use_mailbox(connection->link, connection->mailbox_memory, false,
			     connection->spin_us))
		link_shut_down(connection->link);
}

void mailbox_close(struct connection *connection)
{
	borrowed_release(&connection->mailbox);
	if (connection->spins)
		atomic_fetch_sub(&connection->worker->spinning, 1);
}
