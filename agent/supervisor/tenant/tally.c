// SPDX-License-Identifier: Apache-2.0
/* Counters that the supervisor makes, and keeps while those who count come and go. */
#include "agent/supervisor/tenant/tally.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vaccel/error.h>

#include "base/util.h"

int tally_new(struct tally *ret_tally)
{
	struct tally tally = {.fd = -1};
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
	free(tally->parted);
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

int tally_part(struct tally *tally, struct tally *ret_left)
{
	struct stats *parted = malloc(sizeof(*parted));
	struct tally fresh;
	int ret = parted ? tally_new(&fresh) : vaccel_fail(VACCEL_ENOMEM, "no memory for counters");

	if (ret) {
		free(parted);
		return ret;
	}
	/* While a worker counts on: each number is whole, and there is no more to it. */
	memcpy((void *)parted, (const void *)tally->stats, sizeof(*parted));
	memcpy((void *)fresh.stats, (const void *)parted, sizeof(*parted));
	tally_settle(&fresh);
	*ret_left = *tally;
	ret_left->parted = parted;
	*tally = fresh;
	return VACCEL_OK;
}

static void join(_Atomic uint64_t *to, const _Atomic uint64_t *now, const _Atomic uint64_t *before,
		 size_t count)
{
	for (size_t i = 0; i < count; i++)
		atomic_fetch_add_explicit(&to[i], atomic_load(&now[i]) - atomic_load(&before[i]),
					  memory_order_relaxed);
}

static void join_times(struct histogram *to, const struct histogram *now,
		       const struct histogram *before)
{
	join(to->bucket, now->bucket, before->bucket, STATS_BUCKETS);
	join(&to->sum_ns, &now->sum_ns, &before->sum_ns, 1);
}

void tally_join(struct tally *tally, const struct tally *left)
{
	struct stats *to = tally->stats;
	const struct stats *now = left->stats, *before = left->parted;

	for (size_t i = 0; i < STATS_OPS; i++) {
		join(to->calls[i], now->calls[i], before->calls[i], STATS_CODES);
		join_times(&to->compute[i], &now->compute[i], &before->compute[i]);
	}
	join_times(&to->queue, &now->queue, &before->queue);
	join(&to->bytes_in, &now->bytes_in, &before->bytes_in, 1);
	join(&to->bytes_out, &now->bytes_out, &before->bytes_out, 1);
	join(to->refused, now->refused, before->refused, REFUSED_COUNT);
}
