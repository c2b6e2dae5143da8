// SPDX-License-Identifier: Apache-2.0
/*
 * The agent's end of shared memory. A peer chooses every number here and what
 * the descriptor is, and may write the memory at any time. What makes the mapping
 * safe to touch is its file: ordinary pages, of a size that is sealed, and all of them
 * there to stay, since the kernel charges a page to who touches it first, for as long
 * as anybody has the file.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <vaccel/error.h>

#include "base/memfd.h"
#include "base/util.h"
#include "transport/region.h"

struct region {
	struct borrower *borrower; /* counted */
	_Atomic unsigned int refs; /* the borrower's, and one of each call that uses it */
	uint32_t number;
	bool read_only;
	unsigned char *memory;
	size_t size;
};

struct borrower {
	region_charge_fn *charge;
	void *context;
	_Atomic unsigned int refs; /* the link's, and one of each region */

	pthread_mutex_t lock; /* all below */
	struct region *regions[REGION_LINK_MAX];
	size_t nr;
};

int borrower_new(region_charge_fn *charge, void *context, struct borrower **ret_borrower)
{
	struct borrower *borrower = calloc(1, sizeof(*borrower));

	if (!borrower)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a connection's regions");
	borrower->charge = charge;
	borrower->context = context;
	borrower->refs = 1;
	pthread_mutex_init(&borrower->lock, NULL);
	*ret_borrower = borrower;
	return VACCEL_OK;
}

static void borrower_unref(struct borrower *borrower)
{
	if (atomic_fetch_sub(&borrower->refs, 1) > 1)
		return;
	pthread_mutex_destroy(&borrower->lock);
	free(borrower);
}

static void region_unref(struct region *region)
{
	struct borrower *borrower = region->borrower;

	if (atomic_fetch_sub(&region->refs, 1) > 1)
		return;
	munmap(region->memory, region->size);
	borrower->charge(borrower->context, -(int64_t)region->size);
	free(region);
	borrower_unref(borrower);
}

void borrower_delete(struct borrower *borrower)
{
	if (!borrower)
		return;
	while (borrower->nr)
		region_unref(borrower->regions[--borrower->nr]);
	borrower_unref(borrower);
}

/* The place of a region in the array; borrower->nr if there is none. Under the lock. */
static size_t find(const struct borrower *borrower, uint32_t number)
{
	size_t i = 0;

	while (i < borrower->nr && borrower->regions[i]->number != number)
		i++;
	return i;
}

/* Whether every byte of it can be touched for ever. */
static int check_file(int fd, uint64_t size)
{
	struct statfs system;
	struct stat file;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0)
		return vaccel_fail(VACCEL_EINVAL, "what came with a region is no memfd");
	if ((seals & MEMFD_FIXED) != MEMFD_FIXED)
		return vaccel_fail(VACCEL_EINVAL,
				   "a region's memfd is not sealed against shrinking and growing");
	if ((fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDWR)
		return vaccel_fail(VACCEL_EINVAL,
				   "a region's memfd is not open for reading and writing");
	/* A huge page that is not to be had raises a signal when it is touched. */
	if (fstatfs(fd, &system) || system.f_type != TMPFS_MAGIC)
		return vaccel_fail(VACCEL_EINVAL, "a region's memfd is not of ordinary pages");
	if (fstat(fd, &file) || file.st_size < 0 || (uint64_t)file.st_size < size || !size)
		return vaccel_fail(VACCEL_EINVAL,
				   "a region of %" PRIu64 " bytes in a memfd of %" PRId64, size,
				   (int64_t)file.st_size);
	return VACCEL_OK;
}

static int map(struct borrower *borrower, struct region *region, int fd)
{
	int access = region->read_only ? PROT_READ : PROT_READ | PROT_WRITE;
	void *memory;

	if (!borrower->charge(borrower->context, (int64_t)region->size))
		return vaccel_fail(VACCEL_EDQUOT, "no more shared memory: %zu bytes are too many",
				   region->size);
	memory = mmap(NULL, region->size, access, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED) {
		int code = errno == ENOMEM ? VACCEL_ENOMEM : VACCEL_EINVAL;

		borrower->charge(borrower->context, -(int64_t)region->size);
		return vaccel_fail(code, "a region of %zu bytes cannot be mapped for %s: %s",
				   region->size, region->read_only ? "reading" : "writing",
				   strerror(errno));
	}
	/* Not for the programs that plugins start, nor for who finds a core file. */
	madvise(memory, region->size, MADV_DONTFORK);
	madvise(memory, region->size, MADV_DONTDUMP);
	region->memory = memory;
	return VACCEL_OK;
}

/* Touches no hole. False: errno says why. */
static bool mark_as_written(int fd, size_t size)
{
	while (fallocate(fd, 0, 0, (off_t)size))
		if (errno != EINTR)
			return false;
	return true;
}

/*
 * Of what is mapped every page must be there, charged to who put it there, and none may go:
 * it would come back at our touch, charged to us. Once the file is sealed, what is mapped
 * already can be written, but nobody can punch holes. The kernel itself drops pages under
 * pressure that were only read, and so all are marked; those that went meanwhile are holes
 * still in the second look.
 */
static int keep_pages(const struct region *region, int fd)
{
	int sealed = fcntl(fd, F_GET_SEALS) & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE);

	if (!sealed && fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE))
		return vaccel_fail(VACCEL_EINVAL,
				   "a region's memfd cannot be sealed by F_SEAL_FUTURE_WRITE, "
				   "of Linux 5.1: %s",
				   strerror(errno));
	if (!memfd_is_full(fd, region->size))
		return vaccel_fail(VACCEL_EINVAL, "a region's memfd has holes; write to each of "
						  "its pages before you pass it");
	if (!mark_as_written(fd, region->size) || !memfd_is_full(fd, region->size))
		return vaccel_fail(VACCEL_EINVAL, "a region's memfd loses pages; write to each of "
						  "them before you pass it");
	return VACCEL_OK;
}

static int insert(struct borrower *borrower, struct region *region)
{
	SCOPED_LOCK(&borrower->lock);

	if (find(borrower, region->number) < borrower->nr)
		return vaccel_fail(VACCEL_EEXIST, "there is a region %" PRIu32 " already",
				   region->number);
	if (borrower->nr == REGION_LINK_MAX)
		return vaccel_fail(VACCEL_EDQUOT, "a connection has no more than %d regions",
				   REGION_LINK_MAX);
	borrower->regions[borrower->nr++] = region;
	return VACCEL_OK;
}

int borrower_add(struct borrower *borrower, uint32_t number, uint64_t size, bool read_only, int fd)
{
	_cleanup_(closep) int file = fd;
	_cleanup_(freep) struct region *region = calloc(1, sizeof(*region));
	int ret;

	if (!region)
		return vaccel_fail(VACCEL_ENOMEM, "no memory for a region");
	if (size > PTRDIFF_MAX)
		return vaccel_fail(VACCEL_EDQUOT, "a region of %" PRIu64 " bytes", size);
	ret = check_file(file, size);
	if (ret)
		return ret;
	region->borrower = borrower;
	region->refs = 1;
	region->number = number;
	region->read_only = read_only;
	region->size = (size_t)size;
	ret = map(borrower, region, file);
	if (ret)
		return ret;
	atomic_fetch_add(&borrower->refs, 1);
	ret = keep_pages(region, file);
	if (!ret)
		ret = insert(borrower, region);
	if (ret)
		region_unref(TAKE(region));
	(void)TAKE(region);
	return ret;
}

int borrower_drop(struct borrower *borrower, uint32_t number)
{
	struct region *region;
	size_t i;

	pthread_mutex_lock(&borrower->lock);
	i = find(borrower, number);
	region = i < borrower->nr ? borrower->regions[i] : NULL;
	if (region)
		borrower->regions[i] = borrower->regions[--borrower->nr];
	pthread_mutex_unlock(&borrower->lock);
	if (!region)
		return vaccel_fail(VACCEL_EPERM, "this connection has no region %" PRIu32, number);
	region_unref(region);
	return VACCEL_OK;
}

/* Calls */

static struct region *take(struct borrower *borrower, uint32_t number)
{
	struct region *region;
	size_t i;

	if (!borrower)
		return NULL;
	SCOPED_LOCK(&borrower->lock);
	i = find(borrower, number);
	if (i == borrower->nr)
		return NULL;
	region = borrower->regions[i];
	atomic_fetch_add(&region->refs, 1);
	return region;
}

/* The region, which stays from now to the call's end. */
static int hold(struct borrowed *borrowed, uint32_t number, struct region **ret_region)
{
	struct region *region;

	for (size_t i = 0; i < borrowed->nr; i++) {
		if (borrowed->held[i]->number == number) {
			*ret_region = borrowed->held[i];
			return VACCEL_OK;
		}
	}
	if (borrowed->nr == REGION_CALL_MAX)
		return vaccel_fail(VACCEL_EDQUOT, "a call uses no more than %d regions",
				   REGION_CALL_MAX);
	region = take(borrowed->borrower, number);
	if (!region)
		return vaccel_fail(VACCEL_EPERM, "this connection has no region %" PRIu32, number);
	borrowed->held[borrowed->nr++] = region;
	*ret_region = region;
	return VACCEL_OK;
}

int borrowed_at(void *context, const struct payload *payload, enum vaccel_dir dir, void **ret_data)
{
	struct region *region = NULL;
	int ret;

	if (payload->place != PAYLOAD_REGION)
		return vaccel_fail(VACCEL_EINVAL, "this connection has no pages of a guest");
	ret = hold(context, payload->region, &region);
	if (ret)
		return ret;
	if (payload->offset > region->size || payload->size > region->size - payload->offset)
		return vaccel_fail(VACCEL_EFAULT,
				   "%" PRIu64 " bytes at %" PRIu64 " of region %" PRIu32
				   ", which has %zu",
				   payload->size, payload->offset, region->number, region->size);
	if (payload->offset % CODEC_ALIGN)
		return vaccel_fail(VACCEL_EINVAL,
				   "byte %" PRIu64 " of region %" PRIu32 " is no multiple of %d",
				   payload->offset, region->number, CODEC_ALIGN);
	if (dir & VACCEL_DIR_OUT && region->read_only)
		return vaccel_fail(VACCEL_EACCES, "region %" PRIu32 " is only to be read",
				   region->number);
	*ret_data = region->memory + payload->offset;
	return VACCEL_OK;
}

bool borrowed_place(void *context, const void *data, enum vaccel_dir dir, struct payload *payload)
{
	const struct borrowed *borrowed = context;

	(void)dir;
	for (size_t i = 0; i < borrowed->nr; i++) {
		const struct region *region = borrowed->held[i];
		uintptr_t offset = (uintptr_t)data - (uintptr_t)region->memory;

		if (region->read_only || offset >= region->size ||
		    payload->size > region->size - offset || offset % CODEC_ALIGN)
			continue;
		payload->place = PAYLOAD_REGION;
		payload->region = region->number;
		payload->offset = offset;
		return true;
	}
	return false;
}

void borrowed_release(struct borrowed *borrowed)
{
	while (borrowed->nr)
		region_unref(borrowed->held[--borrowed->nr]);
}
