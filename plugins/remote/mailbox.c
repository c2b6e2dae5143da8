// SPDX-License-Identifier: Apache-2.0
/*
 * The mailbox of a channel: a sealed memfd of our own, so that the agent cannot take
 * it away, which is announced like any other region.
 */
#include "remote/mailbox.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vaccel/error.h>
#include <vaccel/log.h>

#include "base/util.h"
#include "remote/server.h"
#include "remote/settings.h"
#include "transport/control.h"

/* The lender counts its regions up from 1. */
#define MAILBOX_REGION UINT32_MAX

static int make_memory(int *ret_fd, void **ret_memory)
{
	_cleanup_(closep) int fd = memfd_create("vaccel-mailbox", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *memory;

	if (fd < 0 || ftruncate(fd, MAILBOX_SIZE) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		return vaccel_fail(errno, "cannot make shared memory: %s", strerror(errno));
	memory = mmap(NULL, MAILBOX_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return vaccel_fail(errno, "cannot map shared memory: %s", strerror(errno));
	*ret_fd = TAKE_FD(fd);
	*ret_memory = memory;
	return VACCEL_OK;
}

static int agree(struct channel *channel, int fd, uint32_t *ret_spin_us)
{
	struct vaccel_region_add_args add = {.region = MAILBOX_REGION, .size = MAILBOX_SIZE};
	struct vaccel_mailbox_open_args open = {
		.region = MAILBOX_REGION, .spin_us = settings.spin_us, .agreed_us = ret_spin_us};
	struct request request = {.op = &vaccel_op_region_add, .args = &add, .fd = fd};
	int ret = channel_ask(channel, &request);

	if (ret)
		return ret;
	request = (struct request){.op = &vaccel_op_mailbox_open, .args = &open, .fd = -1};
	return channel_ask(channel, &request);
}

int mailbox_open(struct channel *channel)
{
	_cleanup_(closep) int fd = -1;
	uint32_t spin_us = 0;
	int ret = make_memory(&fd, &channel->mailbox);

	if (!ret)
		ret = agree(channel, fd, &spin_us);
	if (!ret && spin_us)
		link_use_mailbox(channel->link, channel->mailbox, true,
				 MIN_OF(spin_us, settings.spin_us));
	if (ret && !channel->broken)
		vaccel_info("%s: no spinning: %s", channel->server->name, vaccel_error_text());
	return channel->broken ? ret : VACCEL_OK;
}

void mailbox_close(struct channel *channel)
{
	if (channel->mailbox)
		munmap(channel->mailbox, MAILBOX_SIZE);
}
