// SPDX-License-Identifier: Apache-2.0
/* Counters that the supervisor makes, and keeps while those who count come and go. */
#include "agent/supervisor/tenant/tally.h"

#include <string.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "base/util.h"

int tally_new(struct tally *ret_tally)
{
	struct tally tally;
	int ret = stats_make(&tally.fd);

	if (ret)
		return ret;
	ret = stats_map(tally.fd, true, &tally.stats);
	if (ret) {
		close(tally.fd);
		return ret;
	}
	*ret_tally = tally;
	return VACCEL_OK;
}

void tally_release(struct tally *tally)
{
	if (tally->fd < 0)
		return;
	stats_unmap(tally->stats);
	close(TAKE_FD(tally->fd));
	tally->stats = NULL;
}

void tally_settle(struct tally *tally)
{
	struct stats *stats = tally->stats;

	atomic_store(&stats->connections, 0);
	atomic_store(&stats->strangers, 0);
	atomic_store(&stats->sessions, 0);
	atomic_store(&stats->resources, 0);
	atomic_store(&stats->models, 0);
	atomic_store(&stats->region_bytes, 0);
	atomic_store(&stats->queued, 0);
	atomic_store(&stats->busy, 0);
	atomic_store(&stats->watched, 0);
	for (size_t i = 0; i < STATS_RUNNING; i++)
		atomic_store(&stats->running[i].since, 0);
}

void tally_copy(struct tally *to, const struct tally *from)
{
	/* While @from's worker counts on: each number is whole, and there is no more to it. */
	memcpy((void *)to->stats, (const void *)from->stats, sizeof(*to->stats));
	tally_settle(to);
}
