/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The places where an agent is looked for that nobody has named: socket files of this machine,
 * then the devices by which a virtual machine reaches the agent of its host. All is read from
 * files; nothing is connected to, and no device opened.
 */
#ifndef VACCEL_FILE_PLACE_H
#define VACCEL_FILE_PLACE_H

#include <stdbool.h>

#include <vaccel/plugin.h>

/* The serial number of a drive that an agent serves. */
#define PLACE_DRIVE_SERIAL "vaccel-drive"

/*
 * Shows each place, best first. @root is put before all paths, "" but for tests; vsock is looked
 * at only if a remote plugin was named.
 */
void places_look(const char *root, bool is_remote_named, vaccel_agent_seen_fn *seen, void *context);

#endif
