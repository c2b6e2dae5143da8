/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared memory of a link that can pass descriptors. The client *lends*: it makes
 * regions, copies large arguments in and results out, or lends memory of
 * vaccel_alloc() as it is. The agent *borrows*: it maps what it is given, if that
 * is a memfd that cannot shrink and lacks no page, and finds arguments there. Regions are numbered
 * by the client and belong to one link.
 */
#ifndef VACCEL_TRANSPORT_REGION_H
#define VACCEL_TRANSPORT_REGION_H

#include "codec/codec.h"

/* Smaller arguments go inline: a copy costs less than looking for room. */
#define REGION_WORTH 16384

/* So many regions a link may have, and so many of them one call may use. */
#define REGION_LINK_MAX 64
#define REGION_CALL_MAX 16

/* The client's end. One thread at a time, the one that has the link. */

struct lender;

/*
 * Tells the agent of a region, and waits for the answer; or of its end if
 * @fd is -1. VACCEL_OK, or the agent's refusal.
 */
typedef int region_announce_fn(void *context, uint32_t region, uint64_t size, bool read_only,
			       int fd);

/* @max: bytes that all regions of the link may take together. */
int lender_new(uint64_t max, region_announce_fn *announce, void *context,
	       struct lender **ret_lender);

/* The agent is not told: the link is at its end. */
void lender_delete(struct lender *lender);

/*
 * A new call: what the last one used is free again, so the agent must have answered that.
 * Regions that are of no more use are dropped.
 */
void lender_begin(struct lender *lender);

/* The call is answered: memory of vaccel_alloc() that it used is the program's alone again. */
void lender_end(struct lender *lender);

/* The codec's hooks; @lender is the context. What finds no place goes inline. */
bool lender_place(void *lender, const void *data, enum vaccel_dir dir, struct payload *payload);
int lender_at(void *lender, const struct payload *payload, enum vaccel_dir dir, void **ret_data);

/* The agent's end. Any thread; regions are counted, so that a call keeps those it uses. */

struct borrower;

/* Charges a tenant for @bytes, negative to give back. False: not that many. */
typedef bool region_charge_fn(void *context, int64_t bytes);

/* @context must outlast the last borrowed_release(), which may come after borrower_delete(). */
int borrower_new(region_charge_fn *charge, void *context, struct borrower **ret_borrower);
void borrower_delete(struct borrower *borrower);

/*
 * Takes @fd, also when it fails, and seals the file against writing to come. EINVAL for what
 * is no memfd of ordinary pages sealed against shrinking and growing, of at least @size bytes
 * without a hole; EEXIST; EDQUOT.
 */
int borrower_add(struct borrower *borrower, uint32_t region, uint64_t size, bool read_only, int fd);
/* EPERM: there is none of that number. */
int borrower_drop(struct borrower *borrower, uint32_t region);

/*
 * The regions that one call uses: zero before it, but for @borrower, released after its
 * reply is sent. That may be NULL if the link has no regions.
 */
struct borrowed {
	struct borrower *borrower;
	struct region *held[REGION_CALL_MAX];
	size_t nr;
};

/*
 * The codec's hook; the context is a struct borrowed. EPERM: no such region; EFAULT: outside
 * of it; EINVAL: not aligned; EACCES: to be written, and read-only; EDQUOT: too many regions.
 */
int borrowed_at(void *borrowed, const struct payload *payload, enum vaccel_dir dir,
		void **ret_data);
/* For the reply: outputs that already lie in a region are named there, not copied. */
bool borrowed_place(void *borrowed, const void *data, enum vaccel_dir dir, struct payload *payload);
void borrowed_release(struct borrowed *borrowed);

#endif
