// SPDX-License-Identifier: Apache-2.0
/*
 * Counters and histograms in shared memory. A histogram's buckets are powers of two
 * of a microsecond, so that counting a call costs a few instructions and two
 * additions that no thread waits for.
 */
#include "agent/base/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <vaccel/error.h>

#include "base/util.h"

#define US    1000 /* ns */
#define LAST  (STATS_BUCKETS - 1)
#define FIXED (F_SEAL_SHRINK | F_SEAL_GROW)

static const char *const refusal_names[REFUSED_COUNT] = {
	[REFUSED_BUSY] = "busy",       [REFUSED_QUOTA] = "quota", [REFUSED_POLICY] = "policy",
	[REFUSED_FOREIGN] = "foreign", [REFUSED_STALE] = "stale", [REFUSED_MALFORMED] = "malformed",
	[REFUSED_AUTH] = "auth",
};

const char *refusal_name(enum refusal refusal)
{
	return refusal_names[refusal];
}

int stats_make(int *ret_fd)
{
	_cleanup_(closep) int fd = memfd_create("vaccel-stats", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, sizeof(struct stats)) ||
	    fcntl(fd, F_ADD_SEALS, FIXED | F_SEAL_SEAL))
		return vaccel_fail(errno, "cannot make memory for counters: %s", strerror(errno));
	*ret_fd = TAKE_FD(fd);
	return VACCEL_OK;
}

int stats_map(int fd, bool writable, struct stats **ret_stats)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat file;
	void *memory;

	if (seals < 0 || (seals & FIXED) != FIXED || fstat(fd, &file) ||
	    file.st_size != sizeof(struct stats))
		return vaccel_fail(VACCEL_EINVAL, "descriptor %d is no memory of counters", fd);
	memory = mmap(NULL, sizeof(struct stats), PROT_READ | (writable ? PROT_WRITE : 0),
		      MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return vaccel_fail(errno, "cannot map memory of counters: %s", strerror(errno));
	*ret_stats = memory;
	return VACCEL_OK;
}

void stats_unmap(struct stats *stats)
{
	if (stats)
		munmap(stats, sizeof(*stats));
}

/* The smallest bucket whose bound is not below @ns. */
static unsigned int bucket_of(int64_t ns)
{
	uint64_t us = ns > 0 ? ((uint64_t)ns + US - 1) / US : 0;
	unsigned int bucket = us > 1 ? 64 - (unsigned int)__builtin_clzll(us - 1) : 0;

	return MIN_OF(bucket, LAST);
}

int64_t histogram_bound(unsigned int bucket)
{
	return bucket < LAST ? (int64_t)US << bucket : INT64_MAX;
}

void histogram_add(struct histogram *histogram, int64_t ns)
{
	atomic_fetch_add_explicit(&histogram->bucket[bucket_of(ns)], 1, memory_order_relaxed);
	if (ns > 0)
		atomic_fetch_add_explicit(&histogram->sum_ns, (uint64_t)ns, memory_order_relaxed);
}

void histogram_join(struct histogram *into, const struct histogram *from)
{
	for (unsigned int i = 0; i < STATS_BUCKETS; i++)
		into->bucket[i] += atomic_load_explicit(&from->bucket[i], memory_order_relaxed);
	into->sum_ns += atomic_load_explicit(&from->sum_ns, memory_order_relaxed);
}

void histogram_read(const struct histogram *histogram, struct histogram *ret_copy)
{
	memset(ret_copy, 0, sizeof(*ret_copy));
	histogram_join(ret_copy, histogram);
}

uint64_t histogram_count(const struct histogram *histogram)
{
	uint64_t count = 0;

	for (unsigned int i = 0; i < STATS_BUCKETS; i++)
		count += histogram->bucket[i];
	return count;
}

/* Within a bucket they are taken to lie evenly. */
int64_t histogram_quantile(const struct histogram *histogram, unsigned int permille)
{
	double wanted = (double)histogram_count(histogram) * permille / 1000;
	double below = 0;

	for (unsigned int i = 0; i < LAST; i++) {
		double here = (double)histogram->bucket[i];
		int64_t least = i ? histogram_bound(i - 1) : 0;

		if (here > 0 && below + here >= wanted)
			return least + (int64_t)((double)(histogram_bound(i) - least) *
						 (wanted - below) / here);
		below += here;
	}
	return histogram->bucket[LAST] ? histogram_bound(LAST - 1) : 0;
}
