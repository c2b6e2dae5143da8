// SPDX-License-Identifier: Apache-2.0
/*
 * Profiling. Each thread remembers which regions it has started, and when, in
 * a stack of its own, so that threads sharing a region neither mix up their
 * times nor wait for each other; only the sums lie in the region, and change
 * atomically. A region is known by its address and never read through the
 * stack: one that is released while started leaves a stale entry, no more.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <vaccel/error.h>
#include <vaccel/log.h>

#include "base/prof.h"

/* Of a printed line; a longer name is cut. */
#define LINE_BYTES 1024

/*
 * Starts without a stop push the oldest ones out. So few, because thread-local
 * storage of a library that a program loads by dlopen() must fit in 512 bytes.
 */
#define STARTED_MAX 24

static _Thread_local struct {
	const struct vaccel_prof_region *region;
	uint64_t nsec;
} started[STARTED_MAX];
static _Thread_local unsigned int nr_started;

atomic_bool prof_on;

void prof_enable(bool on)
{
	atomic_store_explicit(&prof_on, on, memory_order_relaxed);
}

bool vaccel_prof_enabled(void)
{
	return prof_is_on();
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static int no_region(void)
{
	return vaccel_fail(VACCEL_EINVAL, "profiling: no such region");
}

int vaccel_prof_region_init(struct vaccel_prof_region *region, const char *name)
{
	char *copy;

	if (!region)
		return prof_is_on() ? no_region() : VACCEL_OK;
	copy = strdup(name ? name : "");
	if (!copy)
		return vaccel_fail(VACCEL_ENOMEM, "profiling: no memory for a name");
	*region = (struct vaccel_prof_region){.name = copy, .name_owned = true};
	return VACCEL_OK;
}

int vaccel_prof_region_release(struct vaccel_prof_region *region)
{
	if (!region)
		return prof_is_on() ? no_region() : VACCEL_OK;
	if (region->name_owned)
		free((char *)region->name);
	*region = (struct vaccel_prof_region){0};
	return VACCEL_OK;
}

static void forget(unsigned int i)
{
	nr_started--;
	memmove(&started[i], &started[i + 1], (nr_started - i) * sizeof(started[0]));
}

int vaccel_prof_region_start(struct vaccel_prof_region *region)
{
	if (!prof_is_on())
		return VACCEL_OK;
	if (!region)
		return no_region();
	if (nr_started == STARTED_MAX)
		forget(0);
	started[nr_started].region = region;
	started[nr_started++].nsec = now();
	return VACCEL_OK;
}

static void account(struct vaccel_prof_region *region, uint64_t nsec)
{
	__atomic_fetch_add(&region->total_nsec, nsec, __ATOMIC_RELAXED);
	__atomic_fetch_add(&region->nr_entries, 1, __ATOMIC_RELAXED);
}

void prof_region_forget(struct vaccel_prof_region *region)
{
	__atomic_store_n(&region->total_nsec, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&region->nr_entries, 0, __ATOMIC_RELAXED);
}

int vaccel_prof_region_stop(const struct vaccel_prof_region *region)
{
	uint64_t end;

	if (!prof_is_on())
		return VACCEL_OK;
	if (!region)
		return no_region();
	end = now();
	for (unsigned int i = nr_started; i-- > 0;) {
		if (started[i].region != region)
			continue;
		/* It was not const when it was started. */
		account((struct vaccel_prof_region *)region, end - started[i].nsec);
		forget(i);
		return VACCEL_OK;
	}
	return vaccel_fail(VACCEL_ENOENT, "profiling: this thread has not started '%s'",
			   region->name);
}

/* As snprintf(), but counts the NUL; 0 for a region that never ran. */
static size_t print_line(const struct vaccel_prof_region *region, char *buf, size_t size)
{
	size_t nr = __atomic_load_n(&region->nr_entries, __ATOMIC_RELAXED);
	uint64_t nsec = __atomic_load_n(&region->total_nsec, __ATOMIC_RELAXED);

	if (!nr)
		return 0;
	return (size_t)snprintf(buf, size,
				"[prof] %s: total_time: %" PRIu64 " nsec nr_entries: %zu",
				region->name, nsec, nr) +
	       1;
}

int vaccel_prof_region_print(const struct vaccel_prof_region *region)
{
	char line[LINE_BYTES];

	if (!prof_is_on())
		return VACCEL_OK;
	if (!region)
		return no_region();
	if (print_line(region, line, sizeof(line)))
		vaccel_info("%s", line);
	return VACCEL_OK;
}

int vaccel_prof_regions_init(struct vaccel_prof_region *regions, int nregions)
{
	if (!regions || nregions < 0)
		return prof_is_on() ? no_region() : VACCEL_OK;
	for (int i = 0; i < nregions; i++) {
		int ret = vaccel_prof_region_init(&regions[i], NULL);

		if (ret) {
			vaccel_prof_regions_release(regions, i);
			return ret;
		}
	}
	return VACCEL_OK;
}

int vaccel_prof_regions_release(struct vaccel_prof_region *regions, int nregions)
{
	if (!regions || nregions < 0)
		return prof_is_on() ? no_region() : VACCEL_OK;
	for (int i = 0; i < nregions; i++)
		vaccel_prof_region_release(&regions[i]);
	return VACCEL_OK;
}

static struct vaccel_prof_region *find(struct vaccel_prof_region *regions, int nregions,
				       const char *name)
{
	if (!regions || !name)
		return NULL;
	for (int i = 0; i < nregions; i++)
		if (regions[i].name && strcmp(regions[i].name, name) == 0)
			return &regions[i];
	return NULL;
}

int vaccel_prof_regions_start_by_name(struct vaccel_prof_region *regions, int nregions,
				      const char *name)
{
	if (!prof_is_on())
		return VACCEL_OK;
	return vaccel_prof_region_start(find(regions, nregions, name));
}

int vaccel_prof_regions_stop_by_name(struct vaccel_prof_region *regions, int nregions,
				     const char *name)
{
	if (!prof_is_on())
		return VACCEL_OK;
	return vaccel_prof_region_stop(find(regions, nregions, name));
}

int vaccel_prof_regions_print_all(struct vaccel_prof_region *regions, int nregions)
{
	if (!prof_is_on())
		return VACCEL_OK;
	if (!regions || nregions < 0)
		return no_region();
	for (int i = 0; i < nregions; i++)
		vaccel_prof_region_print(&regions[i]);
	return VACCEL_OK;
}

int vaccel_prof_regions_print_all_to_buf(char **tbuf, size_t tbuf_len,
					 struct vaccel_prof_region *regions, int nregions)
{
	char *buf = NULL;
	size_t used = 0;

	if (!prof_is_on())
		return 0;
	if (!regions || nregions < 0)
		return -no_region();
	if (tbuf) {
		buf = calloc(1, MAX_OF(tbuf_len, 1U));
		if (!buf)
			return -vaccel_fail(VACCEL_ENOMEM, "profiling: no memory for %zu bytes",
					    tbuf_len);
		*tbuf = buf;
	}
	for (int i = 0; i < nregions; i++) {
		size_t at = buf ? MIN_OF(used, tbuf_len) : 0;

		used += print_line(&regions[i], buf ? buf + at : NULL, buf ? tbuf_len - at : 0);
	}
	return buf ? nregions : (int)used;
}
