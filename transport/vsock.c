// SPDX-License-Identifier: Apache-2.0
/*
 * vsock://cid:port: between a virtual machine and its host, where the kernels of
 * both have it. The host is CID 2; a listener may say -1 for all of its own.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/vm_sockets.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "transport/carrier.h"

static int parse(const char *rest, struct address *address)
{
	char cid[16] = "";
	const char *colon = strchr(rest, ':');

	if (strncmp(rest, "//", 2) || !colon)
		return address_is_not(address, "// or the port is missing");
	rest += 2;
	if ((size_t)(colon - rest) < sizeof(cid))
		memcpy(cid, rest, (size_t)(colon - rest));
	if (!strcmp(cid, "-1"))
		address->cid = VMADDR_CID_ANY;
	else if (!parse_number(cid, UINT32_MAX, &address->cid))
		return address_is_not(address, "the CID is no such number");
	return parse_port(colon + 1, UINT32_MAX, address);
}

static struct sockaddr_vm name_of(const struct address *address)
{
	return (struct sockaddr_vm){
		.svm_family = AF_VSOCK,
		.svm_cid = address->cid,
		.svm_port = address->port,
	};
}

/* What to look at where nobody answers. Some monitors refuse then, others say nothing. */
static const char *advice_for(const struct address *address)
{
	return address->cid == VMADDR_CID_HOST
		       ? "on the host vaccel-agent has to listen at vsock-uds:///PATH:PORT with the "
			 "path of this machine's vsock (Firecracker, Cloud Hypervisor, "
			 "vhost-device-vsock) or at vsock://2:PORT (vhost_vsock), with the same "
			 "port"
		       : "start vaccel-agent there, or correct the address; from a virtual machine "
			 "its host has CID 2";
}

static int why_not(const struct address *address, int error)
{
	switch (error) {
	case ECONNRESET: /* so the kernel says that nobody listens */
	case ECONNREFUSED:
		return vaccel_fail(VACCEL_EREMOTEIO, "connecting to %s: nobody listens; %s",
				   address->text, advice_for(address));
	case ETIMEDOUT:
		return vaccel_fail(VACCEL_ETIMEDOUT, "connecting to %s: no answer in time; %s",
				   address->text, advice_for(address));
	case EAFNOSUPPORT:
	case EADDRNOTAVAIL:
	case ENODEV:
		return vaccel_fail(VACCEL_EREMOTEIO,
				   "connecting to %s: this machine has no vsock (%s); add one to "
				   "it, and load its driver, for VirtIO vmw_vsock_virtio_transport",
				   address->text, strerror(error));
	default:
		return connect_failed(address->text, error);
	}
}

static int connect_to(const struct address *address, int64_t until, int *ret_fd)
{
	struct sockaddr_vm name = name_of(address);
	int error = socket_connect(AF_VSOCK, &name, sizeof(name),
				   MIN_OF(until, time_now() + CONNECT_NS), ret_fd);

	return error ? why_not(address, error) : VACCEL_OK;
}

static int listen_at(const struct address *address, mode_t mode, int *ret_fd)
{
	_cleanup_(closep) int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_vm name = name_of(address);

	if (fd < 0 || bind(fd, (struct sockaddr *)&name, sizeof(name)) || listen(fd, SOMAXCONN))
		return vaccel_fail(
			errno, "listening at %s: %s%s", address->text, strerror(errno),
			errno == EADDRNOTAVAIL
				? "; a host has CID 2 once the module vhost_vsock is loaded"
				: "");
	*ret_fd = TAKE_FD(fd);
	return VACCEL_OK;
}

static int accept_from(const struct address *address, int listener, struct peer *ret_peer,
		       int *ret_fd)
{
	struct sockaddr_storage from;
	struct sockaddr_vm name;
	int ret = socket_accept(listener, &from, ret_fd);

	if (ret)
		return ret;
	memcpy(&name, &from, sizeof(name));
	ret_peer->has_cid = true;
	ret_peer->cid = name.svm_cid;
	snprintf(ret_peer->text, sizeof(ret_peer->text), "cid %u", name.svm_cid);
	return VACCEL_OK;
}

const struct carrier carrier_vsock = {
	.scheme = "vsock",
	.form = "vsock://CID:PORT",
	.parse = parse,
	.connect = connect_to,
	.listen = listen_at,
	.accept = accept_from,
};
