// SPDX-License-Identifier: Apache-2.0
/*
 * The mailbox of a channel: a sealed memfd of our own, so that the agent cannot take
 * it away, which is announced like any other region.
 */
#include "remote/mailbox.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <vaccel/error.h>
#include <vaccel/log.h>

#include "base/memfd.h"
#include "remote/server.h"
#include "remote/settings.h"
#include "transport/control.h"

/* The lender counts its regions up from 1. */
#define MAILBOX_REGION UINT32_MAX

static int agree(struct channel *channel, int fd)
{
	uint32_t agreed_us = 0; /* the agent's; we spin as long as we like */
	struct vaccel_region_add_args add = {.region = MAILBOX_REGION, .size = MAILBOX_SIZE};
	struct vaccel_mailbox_open_args open = {
		.region = MAILBOX_REGION, .spin_us = settings.spin_us, .agreed_us = &agreed_us};
	struct request request = {.op = &vaccel_op_mailbox_open, .args = &open, .fd = -1};
	int ret = channel_share(channel, &add, fd);

	return ret ? ret : channel_ask(channel, &request);
}

/* Not wanted after all. */
static void withdraw(struct channel *channel)
{
	vaccel_info("%s: no spinning: %s", channel->server->name, vaccel_error_text());
	channel_unshare(channel, MAILBOX_REGION);
}

int mailbox_open(struct channel *channel)
{
	_cleanup_(closep) int fd = -1;
	int ret;

	channel->mailbox = memfd_map("vaccel-mailbox", MAILBOX_SIZE, false, &fd);
	if (!channel->mailbox || !memfd_fill(fd, channel->mailbox, MAILBOX_SIZE))
		return vaccel_fail(errno, "making shared memory: %s", strerror(errno));
	ret = agree(channel, fd);
	/* Without an answer it is not known whether the agent uses it. */
	if (ret && (channel->broken || channel->owed))
		return ret;
	if (ret) {
		withdraw(channel);
		return VACCEL_OK;
	}
	ret = link_use_mailbox(channel->link, channel->mailbox, true, settings.spin_us);
	/* The agent uses it already. */
	if (ret)
		channel->broken = true;
	return ret;
}

void mailbox_close(struct channel *channel)
{
	if (channel->mailbox)
		munmap(channel->mailbox, MAILBOX_SIZE);
}
