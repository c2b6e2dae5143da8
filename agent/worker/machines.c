// SPDX-License-Identifier: Apache-2.0
#include "agent/worker/machines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "agent/vhost/update.h"
#include "agent/vhost/vhost.h"
#include "agent/worker/worker.h"
#include "base/util.h"
#include "transport/transport.h"

int64_t succession_patience = 5 * SECOND;

struct machine {
	struct machine *next;
	struct vhost *vhost;
	char address[sizeof(((struct ipc_message *)NULL)->text)]; /* of its listener */
	int64_t wanted; /* since when another is to follow; 0: none is */
};

static struct machine *find(struct machine *machine, const char *address)
{
	while (machine && (strcmp(machine->address, address) != 0 || vhost_is_over(machine->vhost)))
		machine = machine->next;
	return machine;
}

/* A call that goes on for too long ends with the worker. */
static int refuse(struct machine *former, int channel)
{
	struct update stuck = {.kind = UPDATE_STUCK};
	int64_t now = time_now();
	int ret = vaccel_fail(VACCEL_EBUSY, "what ran by its listener before goes on");

	if (!former->wanted)
		former->wanted = now;
	snprintf(stuck.words, sizeof(stuck.words), "%s", vaccel_error_text());
	if (now - former->wanted >= succession_patience)
		update_send(channel, &stuck, -1, -1);
	close(channel);
	return ret;
}

int machines_add(struct machine **machines, struct worker *worker,
		 const struct ipc_message *message, const struct listener_setup *listener,
		 int channel)
{
	struct machine *machine = find(*machines, message->text);
	int ret;

	if (machine)
		return refuse(machine, channel);
	machine = calloc(1, sizeof(*machine));
	if (!machine) {
		close(channel);
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a machine");
	}
	snprintf(machine->address, sizeof(machine->address), "%s", message->text);
	ret = vhost_new(worker, device_by_scheme(message->carrier), listener, message->peer,
			channel, &machine->vhost);
	if (ret) {
		free(machine);
		return ret;
	}
	machine->next = *machines;
	*machines = machine;
	return VACCEL_OK;
}

bool machines_drop(struct machine **machines)
{
	struct machine **at = machines;

	while (*at) {
		struct machine *machine = *at;

		if (!vhost_is_over(machine->vhost)) {
			at = &machine->next;
			continue;
		}
		*at = machine->next;
		vhost_delete(machine->vhost);
		free(machine);
	}
	return !*machines;
}

void machines_drain(struct machine *machines)
{
	for (; machines; machines = machines->next)
		vhost_drain(machines->vhost);
}
