// SPDX-License-Identifier: Apache-2.0
/*
 * A range of the drive as a link of the agent's: bytes are read from, and written to, its
 * windows. Who waits for bytes takes the guest's requests itself meanwhile, so that a
 * small call is one thread's work, and large arguments are copied once.
 */
#include "agent/vhost/claim.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>

#include <vaccel/error.h>

#include "base/util.h"
#include "transport/link.h"

/* Reading and writing */

static bool is_over(const struct claim *claim)
{
	return claim->range.ended || claim->range.closed || claim->is_shut;
}

static bool is_readable(struct claim *claim)
{
	return range_has_bytes(&claim->range) || is_over(claim);
}

static void be_quiet(struct claim *claim)
{
	if (!is_readable(claim))
		reader_be_quiet(&claim->reader);
}

/* Bytes that come while somebody waits may go to their place at once. */
static void await(struct claim *claim, struct stretch *to, int64_t until)
{
	be_quiet(claim);
	claim->range.awaited = to;
	while (!to->done && !is_readable(claim))
		if (!reader_await(&claim->reader, until))
			break;
	claim->range.awaited = NULL;
}

static struct stretch stretch_of(const struct iovec *at, int nr)
{
	struct stretch stretch = {.at = at, .nr = (size_t)nr};

	for (int i = 0; i < nr; i++)
		stretch.size += at[i].iov_len;
	return stretch;
}

static ssize_t claim_read(struct link *link, const struct iovec *at, int nr, int64_t until,
			  int *ret_passed)
{
	struct claim *claim = link->io;
	struct stretch to = stretch_of(at, nr);

	SCOPED_LOCK(&claim->drive->lock);
	range_take(&claim->range, &to);
	if (!to.done && !is_over(claim)) {
		await(claim, &to, until);
		range_take(&claim->range, &to);
	}
	be_quiet(claim);
	if (to.done)
		return (ssize_t)to.done;
	return is_over(claim) ? 0 : -VACCEL_EAGAIN;
}

static ssize_t claim_write(struct link *link, const struct iovec *at, int nr, int64_t until,
			   int passed)
{
	struct claim *claim = link->io;
	struct stretch from = stretch_of(at, nr);
	bool in_time = true;

	SCOPED_LOCK(&claim->drive->lock);
	while (!from.done && !is_over(claim) && in_time) {
		range_put(&claim->range, &from);
		in_time = from.done || reader_wait(&claim->reader, until);
	}
	if (is_over(claim))
		return -vaccel_fail(VACCEL_EREMOTEIO, "the program has given up its range");
	if (!from.done)
		return -VACCEL_EAGAIN;
	claim_let_go(claim);
	return (ssize_t)from.done;
}

static bool claim_has_read_ahead(const struct link *link)
{
	struct claim *claim = link->io;

	SCOPED_LOCK(&claim->drive->lock);
	return is_readable(claim);
}

static bool claim_is_stale(struct link *link)
{
	return claim_has_read_ahead(link);
}

/* The end */

static void claim_shut_down(struct link *link)
{
	struct claim *claim = link->io;

	SCOPED_LOCK(&claim->drive->lock);
	claim->is_shut = true;
	claim->range.ended = true;
	claim_let_go(claim);
	reader_tell(&claim->reader);
}

static void claim_end(struct link *link)
{
	struct claim *claim = link->io;
	struct drive *drive;

	if (!claim)
		return;
	drive = claim->drive;
	pthread_mutex_lock(&drive->lock);
	claim->range.ended = true;
	claim->reader.event = -1; /* the link's, and about to be closed */
	claim_let_go(claim);
	claim_unref(claim);
	pthread_mutex_unlock(&drive->lock);
	drive_unref(drive);
}

static const struct carrier carrier_claim = {
	.scheme = "blk",
	.read = claim_read,
	.write = claim_write,
	.has_read_ahead = claim_has_read_ahead,
	.is_stale = claim_is_stale,
	.shut_down = claim_shut_down,
	.end = claim_end,
};

int claim_connect(struct claim *claim)
{
	struct drive *drive = claim->drive;
	struct link *link;
	int ret, event = eventfd(0, EFD_CLOEXEC);

	if (event < 0)
		return vaccel_fail(errno, "no descriptor for a range of the drive: %s",
				   strerror(errno));
	ret = link_adopt(&carrier_claim, event, NULL, &link);
	if (ret)
		return ret;
	pthread_mutex_lock(&drive->lock);
	atomic_fetch_add(&drive->refs, 1);
	claim->refs++;
	claim->reader.event = event;
	link->io = claim;
	if (is_readable(claim))
		reader_tell(&claim->reader);
	pthread_mutex_unlock(&drive->lock);
	return drive->setup.connect(drive->setup.context, link)
		       ? VACCEL_OK
		       : vaccel_fail(VACCEL_EREMOTEIO, "the agent takes no connection");
}
