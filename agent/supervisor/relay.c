// SPDX-License-Identifier: Apache-2.0
/*
 * The supervisor's side of the front. While the front can take nothing, or there
 * is none, its listeners accept nothing: connections wait in the system's queue.
 */
#include <vaccel/error.h>

#include "agent/base/closer.h"
#include "agent/base/log.h"
#include "agent/supervisor/observe.h"
#include "agent/supervisor/relay.h"
#include "agent/supervisor/tenant/tenant.h"
#include "base/util.h"

static bool is_needed(const struct supervisor *supervisor)
{
	for (const struct listener *listener = supervisor->listeners; listener;
	     listener = listener->next)
		if (listener_is_relayed(listener->how))
			return true;
	return false;
}

/* One that cannot hear it ends, and is briefed anew. @setup: -1 for one that is gone. */
static void tell(struct helper *front, uint32_t number, int setup)
{
	struct ipc_message message = {.kind = IPC_LISTENER, .listener = number};

	if (helper_tell(front, &message, setup))
		child_kill(&front->child);
}

static void brief(struct helper *front)
{
	for (struct listener *listener = front->supervisor->listeners; listener;
	     listener = listener->next)
		if (listener_is_relayed(listener->how))
			tell(front, listener->number, listener->setup);
}

static void changed(struct helper *front)
{
	if (front->ready)
		observe_nobody(front->supervisor);
	if (front->supervisor->ready)
		listeners_hold_relayed(front->supervisor, !front->ready);
}

static void said(struct helper *front, const struct ipc_message *message, int *fd)
{
	struct supervisor *supervisor = front->supervisor;
	struct listener *listener = listener_by_number(supervisor, message->listener);
	struct arrival *arrival;

	if (message->kind != IPC_PEER || *fd < 0)
		return;
	/* One that is gone since has left its number with nobody. */
	if (!listener || !listener_is_relayed(listener->how)) {
		close_elsewhere(TAKE_FD(*fd));
		return;
	}
	/* Plain, whatever the front says: of a machine's channel workers believe more. */
	if (!arrival_new(listener, "tcp", message->peer, TAKE_FD(*fd), &arrival))
		tenant_take(supervisor, message->text, arrival);
}

void relay_apply(struct supervisor *supervisor)
{
	struct helper *front = &supervisor->front;

	if (front->running) {
		brief(front);
	} else if (!front->role && is_needed(supervisor)) {
		*front = (struct helper){
			.tally = &supervisor->nobody,
			.brief = brief,
			.changed = changed,
			.said = said,
		};
		helper_start(front, supervisor, "front");
	}
}

void relay_forget(struct supervisor *supervisor, uint32_t number)
{
	if (supervisor->front.running)
		tell(&supervisor->front, number, -1);
}

void relay_drain(struct supervisor *supervisor)
{
	struct ipc_message message = {.kind = IPC_DRAIN};

	if (helper_tell(&supervisor->front, &message, -1))
		helper_stop(&supervisor->front);
}

bool relay_is_ready(const struct supervisor *supervisor)
{
	return supervisor->front.ready || !is_needed(supervisor);
}

void relay_take(struct supervisor *supervisor, struct arrival *arrival)
{
	struct helper *front = &supervisor->front;
	int ret = helper_offer(front, &arrival->message, arrival->fd);

	if (ret == VACCEL_EAGAIN) {
		/* This one is lost to its peer, which tries again; no others will be. */
		listeners_hold_relayed(supervisor, true);
		child_want_room(&front->child);
	}
	arrival_delete(arrival);
}
