/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profiling: how often, and for how long, a piece of a program runs.
 *
 * A region counts and sums up what happens between start and stop. Threads may
 * share one: each is timed by itself, and a start within a start of the same
 * region counts as well. With profiling off (VACCEL_PROFILING_ENABLED) start,
 * stop and print do nothing.
 *
 * Functions return VACCEL_OK or, with profiling on, VACCEL_EINVAL for NULL.
 * With profiling off they accept NULL.
 */
#ifndef VACCEL_PROF_H
#define VACCEL_PROF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** struct vaccel_prof_region - a piece of a program; its members are private */
struct vaccel_prof_region {
	const char *name;
	bool name_owned;
	/* Times that it ran to its end, and their sum. */
	size_t nr_entries;
	uint64_t total_nsec;
};

/* A region with a static initialiser needs neither init nor release. */
#define VACCEL_PROF_REGION_INIT(name) \
	{                             \
		(name), false, 0, 0   \
	}

/** vaccel_prof_enabled() - whether profiling is on */
bool vaccel_prof_enabled(void);

/**
 * vaccel_prof_region_init() - make a region
 * @region: memory to initialise
 * @name: copied; NULL for ""
 *
 * Return: VACCEL_OK, VACCEL_EINVAL, VACCEL_ENOMEM.
 */
int vaccel_prof_region_init(struct vaccel_prof_region *region, const char *name);

/** vaccel_prof_region_release() - free what init allocated */
int vaccel_prof_region_release(struct vaccel_prof_region *region);

/** vaccel_prof_region_start() - the calling thread enters @region */
int vaccel_prof_region_start(struct vaccel_prof_region *region);

/**
 * vaccel_prof_region_stop() - the calling thread leaves @region
 * @region: one that it has started; the latest start counts
 *
 * Return: VACCEL_OK; VACCEL_EINVAL; VACCEL_ENOENT if this thread has not
 * started it.
 */
int vaccel_prof_region_stop(const struct vaccel_prof_region *region);

/**
 * vaccel_prof_region_print() - log a region's count and time, at level INFO
 * @region: one that never ran prints nothing
 *
 * Return: VACCEL_OK, VACCEL_EINVAL.
 */
int vaccel_prof_region_print(const struct vaccel_prof_region *region);

/** vaccel_prof_regions_init() - make @nregions regions without names */
int vaccel_prof_regions_init(struct vaccel_prof_region *regions, int nregions);

/** vaccel_prof_regions_release() - free what init allocated */
int vaccel_prof_regions_release(struct vaccel_prof_region *regions, int nregions);

/** vaccel_prof_regions_start_by_name() - start the first region of that name, or VACCEL_EINVAL */
int vaccel_prof_regions_start_by_name(struct vaccel_prof_region *regions, int nregions,
				      const char *name);

/** vaccel_prof_regions_stop_by_name() - stop the first region of that name, or VACCEL_EINVAL */
int vaccel_prof_regions_stop_by_name(struct vaccel_prof_region *regions, int nregions,
				     const char *name);

/** vaccel_prof_regions_print_all() - print each region */
int vaccel_prof_regions_print_all(struct vaccel_prof_region *regions, int nregions);

/**
 * vaccel_prof_regions_print_all_to_buf() - print each region into memory
 * @tbuf: where to put malloc'd memory of @tbuf_len bytes; NULL to learn how
 *	many are needed. It holds a line, ended by a NUL, for each region that
 *	has run; lines that do not fit are cut or left out.
 * @tbuf_len: bytes
 * @regions: the regions
 * @nregions: how many
 *
 * Return: @nregions; the bytes needed if @tbuf is NULL; 0 if profiling is off;
 * a negative code on error: -VACCEL_EINVAL, -VACCEL_ENOMEM.
 */
int vaccel_prof_regions_print_all_to_buf(char **tbuf, size_t tbuf_len,
					 struct vaccel_prof_region *regions, int nregions);

#ifdef __cplusplus
}
#endif

#endif
