// SPDX-License-Identifier: Apache-2.0
/*
 * vhost-user:///path and vhost-user-blk:///path: a socket file at which an agent waits for the
 * monitor of a virtual machine, and is its accelerator, or a drive; docs/virtio.md. What comes
 * there is no message of ours: agent/vhost has what is said, and in the machine programs use its
 * device.
 */
#include <string.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "transport/carrier.h"

static int parse(const char *rest, struct address *address)
{
	if (strncmp(rest, "//", 2))
		return address_is_not(address, "// is missing");
	return parse_socket_path(rest + 2, strlen(rest + 2), address);
}

static int connect_to(const struct address *address, int64_t until, int *ret_fd)
{
	return vaccel_fail(VACCEL_EINVAL,
			   "%s is for the monitor of a virtual machine; programs in the machine "
			   "take %s",
			   address->text,
			   address->carrier == &carrier_vhost_user ? "virtio:///dev/accel0"
								   : "blk:");
}

static int listen_at(const struct address *address, mode_t mode, int *ret_fd)
{
	return unix_listen(address->path, mode, ret_fd);
}

static void unlisten(const struct address *address)
{
	unlink(address->path);
}

const struct carrier carrier_vhost_user = {
	.scheme = "vhost-user",
	.form = "vhost-user:///PATH",
	.only_listens = true,
	.parse = parse,
	.connect = connect_to,
	.listen = listen_at,
	.accept = unix_accept_machine,
	.unlisten = unlisten,
};

const struct carrier carrier_vhost_user_blk = {
	.scheme = "vhost-user-blk",
	.form = "vhost-user-blk:///PATH",
	.only_listens = true,
	.parse = parse,
	.connect = connect_to,
	.listen = listen_at,
	.accept = unix_accept_machine,
	.unlisten = unlisten,
};
